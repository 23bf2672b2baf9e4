"""Measure what deliberation costs: retrieval and triage against the whole constitution in each ask.

    python benchmarks/cost.py [--shared FOLDER] [--reasoning TOKENS]

Walks the rows of `examples/sft.jsonl` with real retrieval and rehearsed replies; what is at stake
in each is read from its tags. Prints Markdown: asks, tokens and dollars per 1,000 rows, estimated
as `whyset.pipelines.estimate` does. Nothing is sent. Beside the bundled charter, constitutions are
read from the shared folder where there is one; none of it is part of the repository.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from whyset.constitution import Constitution
from whyset.datasets import Row, read_rows
from whyset.generators import Ask, Reply
from whyset.generators.deliberation import Appraisal, Deliberation
from whyset.models import Prices
from whyset.pipelines import Forecast
from whyset.pipelines.estimate._cost import AskCost, CostModel, CostTotals
from whyset.pipelines.estimate._estimate import DEFAULT_REASONING_TOKENS, Simulation
from whyset.retriever import Grounding, PassageRetriever, Searcher

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
EXAMPLES = ROOT / "examples" / "sft.jsonl"
MODELS = (
    "anthropic:claude-opus-5-5",
    "anthropic:claude-sonnet-5-5",
    "anthropic:claude-haiku-5-5",
)
PER = 1000


class Uncached(CostModel):
    """Prices without a provider's cache."""

    def cache_from(self, model: str) -> int | None:
        """Return that nothing is cached."""
        return None


class Nowhere:
    """A searcher that finds nothing: the whole text stands in the prompt instead."""

    def __init__(self, constitution: Constitution) -> None:
        self.constitution = constitution
        self.identity = "nowhere"

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Return groundings without passages."""
        title, digest = self.constitution.title, self.constitution.digest
        return [Grounding(tuple(query), (), 1.0, title, digest) for query in queries]


class Memory:
    """A searcher that looks for the same only once."""

    def __init__(self, searcher: Searcher) -> None:
        self.constitution = searcher.constitution
        self.identity = searcher.identity
        self._searcher = searcher
        self._found: dict[tuple[tuple[str, ...], int], Grounding] = {}

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find what was not found before."""
        wanted = [(tuple(query), k) for query in queries]
        new = [query for query in dict.fromkeys(wanted) if query not in self._found]
        found = self._searcher.find_passages([texts for texts, _ in new], k=k)
        self._found.update(zip(new, found, strict=True))
        return [self._found[query] for query in wanted]


@dataclass(frozen=True)
class Way:
    """A way of going about it."""

    name: str
    searcher: Searcher
    settle_below: float
    pricing: Callable[[Prices, int], CostModel]
    preamble: str = ""


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure what deliberation costs.")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--reasoning", type=int, default=DEFAULT_REASONING_TOKENS)
    options = parser.parse_args()
    rows = [row for row in read_rows(str(EXAMPLES)) if isinstance(row, Row)]
    everyday = [row for row in rows if at_stake(row) == "nothing_at_stake"]
    prices = Prices.load()
    print(
        f"Prices of {prices.dated}; {options.reasoning} tokens of reasoning allowed for before "
        "each answer; one model writes and judges. Per 1,000 rows."
    )
    for name, text, constitution in documents(options.shared):
        searcher = PassageRetriever.open(constitution)
        compared = list(ways(text, searcher))
        taken = [walk(way, rows, prices, options.reasoning) for way in compared]
        for title, some in (
            (f"all {len(rows)} example rows, {len(everyday)} of them everyday", rows),
            (f"the {len(everyday)} everyday rows alone", everyday),
        ):
            print(f"\n**{name}** ({len(text):,} characters), {title}\n")
            lines = {row.line for row in some}
            forecasts = [
                [forecast(way, took, lines, prices, options.reasoning) for took in by_model]
                for way, by_model in zip(compared, taken, strict=True)
            ]
            print_table(compared, forecasts)


def documents(shared: Path) -> Iterator[tuple[str, str, Constitution]]:
    """Yield name, source and constitution: the charter and those of the shared folder."""
    charter = ROOT / "constitution" / "charter.md"
    yield "The charter", charter.read_text(encoding="utf-8"), Constitution.charter()
    for path in sorted((shared / "constitutions").glob("*.md")):
        if path.name != "README.md":
            yield path.stem, path.read_text(encoding="utf-8"), Constitution.load(path)


def ways(text: str, retriever: PassageRetriever) -> Iterator[Way]:
    """Yield the ways that are compared."""
    nowhere, memory = Nowhere(retriever.constitution), Memory(retriever)
    yield Way("whole text in every prompt, not cached", nowhere, 0.0, Uncached, text)
    yield Way("whole text in every prompt, cached", nowhere, 0.0, CostModel, text)
    yield Way("retrieval", memory, 0.0, CostModel)
    yield Way("**retrieval and triage**", memory, retriever.relevance_threshold, CostModel)
    yield Way("the same, not cached", memory, retriever.relevance_threshold, Uncached)


def at_stake(row: Row) -> str:
    """Return the verdict that an example's tags tell of."""
    tags = row.columns["tags"]
    if "kind:conflict" in tags:
        return "conflict"
    return "nothing_at_stake" if {"kind:everyday", "everyday"} & set(tags) else "accord"


Took = dict[int, list[AskCost]]
"""Row, by its line → what its asks take."""


def walk(way: Way, rows: Sequence[Row], prices: Prices, reasoning: int) -> list[Took]:
    """Return what the rows' asks take of each of the models."""
    generator = Deliberation(settle_below=way.settle_below)
    pricing = way.pricing(prices, reasoning)
    steps = Simulation(way.searcher)
    took: list[Took] = [{row.line: [] for row in rows} for _ in MODELS]

    def answerer(row: Row) -> Callable[[Ask], Reply]:
        verdict = at_stake(row)

        def answer(ask: Ask) -> Reply:
            reply = generator.mock_reply(ask, row, at_stake=verdict != "nothing_at_stake")
            if ask.step == "deliberation/appraise" and verdict == "conflict":
                found = Appraisal.model_validate_json(reply.text)
                text = found.model_copy(update={"verdict": verdict}).model_dump_json()
                reply = replace(reply, text=text)
            sent = replace(ask, system=f"{way.preamble}\n\n{ask.system}".strip())
            for model, by_row in zip(MODELS, took, strict=True):
                output = reply.usage.output_tokens
                by_row[row.line].append(pricing.estimate_ask(sent, model, output))
            return reply

        return answer

    for row in rows:
        steps.add(generator.steps(row), answerer(row))
    steps.run()
    return took


def forecast(way: Way, took: Took, lines: set[int], prices: Prices, reasoning: int) -> Forecast:
    """Return what 1,000 rows like those on these lines take."""
    reckoning = CostTotals()
    for line in lines:
        reckoning.add(took[line])
    return reckoning.forecast(PER, way.pricing(prices, reasoning), among=None)


def print_table(compared: Sequence[Way], forecasts: Sequence[Sequence[Forecast]]) -> None:
    """Print one line for each way, with its forecasts by model."""
    heads = [name.removeprefix("anthropic:claude-") for name in MODELS]
    columns = ["", "asks", "tokens read", "of them cached", "written"]
    columns += [f"$ {head}" for head in heads] + [f"$ {heads[0]}, batch"]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for way, by_model in zip(compared, forecasts, strict=True):
        usage = by_model[0].usage
        cached = usage.cache_read_tokens + usage.cache_write_tokens
        read = usage.input_tokens + cached
        cells = [
            way.name,
            f"{by_model[0].asks:,}",
            f"{read / 1e6:.2f} M",
            f"{cached / (read or 1):.0%}",
            f"{usage.output_tokens / 1e6:.2f} M",
            *(dollars(found.live) for found in by_model),
            dollars(by_model[0].batch),
        ]
        print(f"| {' | '.join(cells)} |")


def dollars(amount: Decimal | None) -> str:
    """Return an amount for a table."""
    return "–" if amount is None else f"{amount:,.2f}"


if __name__ == "__main__":
    main()
