"""Measure a judge: does it distinguish accord, conflict and nothing at stake?

    python benchmarks/appraise.py --model anthropic:claude-haiku-5-5

Runs the product's own first steps (find, appraise) on 72 rows with known answers and prints the
confusion matrix, accuracy with its interval, the errors, tokens and dollars. Rows whose relevance
is below the threshold never reach the judge, as in a run; `--settle-below 0` sends them all.
"""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from whyset.constitution import Constitution
from whyset.datasets import Row, row_from_record
from whyset.errors import WhysetError
from whyset.generators import Ask, Find, Finished, Model, Rejected, Reply, Usage
from whyset.generators.deliberation import Deliberation
from whyset.models import Prices, coerce_model
from whyset.retriever import Grounding, PassageRetriever

LABELS = ("nothing_at_stake", "accord", "conflict")
CASES = Path(__file__).parent / "appraisal" / "cases.jsonl"


@dataclass(frozen=True, slots=True)
class Appraised:
    """The outcome of one case: a label, or `unusable` where the judge gave none."""

    case: str
    expected: str
    given: str
    why: str
    usage: Usage


def appraise(
    row: Row, generator: Deliberation, judge: Model, retriever: PassageRetriever
) -> Appraised:
    """Run a row's steps until the appraisal is known, and no further."""
    columns = row.columns
    steps = generator.steps(row)
    usage = Usage()
    sent: Reply | Grounding | None = None
    found = False
    while True:
        try:
            question = next(steps) if sent is None else steps.send(sent)
        except StopIteration as end:
            given, why = _ended(end.value)
            return Appraised(columns["id"], columns["expected"], given, why, usage)
        match question:
            case Find() if not found:
                found = True
                sent = retriever.find_passages([question.texts], k=question.k)[0]
            case Ask(step="deliberation/appraise"):
                reply = judge.answer(question)
                usage += reply.usage
                sent = reply
            case _:
                steps.close()
                return Appraised(columns["id"], columns["expected"], "accord", "", usage)


def _ended(result: Finished | Rejected) -> tuple[str, str]:
    if isinstance(result, Finished):
        return "nothing_at_stake", result.evidence.note
    return ("conflict" if result.reasons == ("conflict",) else "unusable"), result.detail


def report(results: Sequence[Appraised], judge: str, prices: Prices) -> str:
    """Return the confusion matrix, the accuracy, the errors and the cost."""
    counts = Counter((result.expected, result.given) for result in results)
    given = (*LABELS, "unusable")
    lines = [f"judge {judge}, {len(results)} cases", ""]
    lines.append(f"{'expected':<18}" + "".join(f"{label:>18}" for label in given))
    for expected in LABELS:
        row = "".join(f"{counts[expected, label]:>18}" for label in given)
        lines.append(f"{expected:<18}{row}")
    right = sum(counts[label, label] for label in LABELS)
    low, high = _wilson(right, len(results))
    lines += ["", f"accuracy {right / len(results):.3f} (95 % interval {low:.3f} to {high:.3f})"]
    lines.extend(
        f"  {result.case}: expected {result.expected}, got {result.given}. {result.why}"
        for result in results
        if result.expected != result.given
    )
    total = sum((result.usage for result in results), Usage())
    costs = [prices.cost(judge, result.usage) for result in results]
    dollars = "unpriced" if None in costs else f"${sum(filter(None, costs), Decimal(0)):.4f}"
    lines.append(f"tokens {total.input_tokens:,} in, {total.output_tokens:,} out; {dollars}")
    return "\n".join(lines)


def _wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson, 1927)."""
    z = 1.96
    share = right / total
    middle = share + z**2 / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return (middle - half) / (1 + z**2 / total), (middle + half) / (1 + z**2 / total)


def main() -> int:
    """Score the model named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", required=True, help="the judge, provider:model")
    parser.add_argument("--constitution", type=Path, help="default: the bundled charter")
    parser.add_argument("--settle-below", type=float, default=0.0)
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args()
    try:
        constitution = (
            Constitution.load(options.constitution)
            if options.constitution
            else Constitution.charter()
        )
        retriever = PassageRetriever.open(constitution, embedder=options.embedder)
        generator = Deliberation(settle_below=options.settle_below)
        judge = coerce_model(options.model)
        with CASES.open(encoding="utf-8") as lines:
            rows = [row_from_record(json.loads(line)) for line in lines]
        with ThreadPoolExecutor(options.concurrency) as pool:
            results = list(pool.map(lambda row: appraise(row, generator, judge, retriever), rows))
    except WhysetError as error:
        print(f"appraise: {error}", file=sys.stderr)
        return error.exit_code
    print(report(results, options.model, Prices.load()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
