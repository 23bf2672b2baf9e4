"""Measure retrieval: recall with its ablations, relevance, speed. Prints Markdown.

    python benchmarks/retrieval.py [--shared FOLDER] [--examples-of FILE]... [--no-speed]

Labels and constitutions are read from the shared folder where there is one; none of it is part of
the repository. `--examples-of` measures on any constitution with worked examples by leaving one
out at a time: the query is what the user says in it, its section is the answer, and its own block,
the line that introduces it and every near copy elsewhere are taken out of the constitution first.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from whyset.constitution import Constitution, Passage
from whyset.datasets import row_from_record
from whyset.generators import Find
from whyset.generators.deliberation import Deliberation
from whyset.retriever import RELEVANCE_THRESHOLD, PassageRetriever, load_labelled_queries
from whyset.retriever._minilm import MiniLM
from whyset.retriever._ranking import RANKING_WEIGHTS, BM25Index, Ranker, sort_by_score
from whyset.retriever._units import SearchUnit, build_units, extract_user_turns, number_sections

Floats = NDArray[np.float32]
Scores = NDArray[np.float64]
Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
NEAR_COPY = 0.93
THRESHOLDS = (0.04, 0.06, 0.08, 0.10, 0.12, 0.14, 0.16, 0.20)


@dataclass(frozen=True)
class Case:
    """A query, the constitution that is searched, and the headings that answer it."""

    texts: tuple[str, ...]
    headings: frozenset[str]
    constitution: Constitution


@dataclass(frozen=True)
class Material:
    """What every method of ranking is given."""

    passages: tuple[Passage, ...]
    sections: tuple[int, ...]
    units: tuple[SearchUnit, ...]
    cosines: Floats  # (texts, units)
    words: Floats  # (texts, passages)


Method = Callable[[Material], Scores]


class Memory:
    """An embedder that embeds each text once."""

    def __init__(self) -> None:
        self._embedder = MiniLM.open()
        self._vectors: dict[str, Floats] = {}

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return a vector for each text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description="Measure retrieval; prints Markdown.")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--examples-of", type=Path, action="append", default=[])
    parser.add_argument("--no-speed", action="store_true")
    options = parser.parse_args()
    memory = Memory()
    datasets = dict(_datasets(options.shared, options.examples_of, memory))
    if datasets:
        print_recall(datasets, memory)
    print_relevance()
    if not options.no_speed:
        print_speed(options.shared)


# Recall


def _datasets(
    shared: Path, with_examples: Sequence[Path], memory: Memory
) -> Iterator[tuple[str, list[Case]]]:
    labels = shared / "holdouts" / "retrieval-dev.jsonl"
    documents = {path.stem: path for path in sorted((shared / "constitutions").glob("*.md"))}
    spec = documents.get("openai-model-spec")
    for path in with_examples or ([spec] if spec else []):
        cases = leave_one_out(Constitution.load(path), memory)
        yield f"{path.stem}, leave one out ({len(cases)})", cases
    if labels.exists():
        found = load_labelled_queries(labels)
        for name in sorted({label.document for label in found if label.document in documents}):
            constitution = Constitution.load(documents[name])
            cases = [
                Case((label.query,), frozenset(map(_folded, label.expected_headings)), constitution)
                for label in found
                if label.document == name
            ]
            yield f"{name}, dev ({len(cases)})", cases


def leave_one_out(constitution: Constitution, memory: Memory) -> list[Case]:
    """Make a case of every worked example, searched for in the constitution without it."""
    passages = constitution.passages
    turns = {n: extract_user_turns(passage.plain) for n, passage in enumerate(passages)}
    turns = {n: said for n, said in turns.items() if said}
    vectors = {n: memory.embed(said) for n, said in turns.items()}
    cases = []
    for n, said in turns.items():
        copies = {m for m in turns if (vectors[n] @ vectors[m].T).max() > NEAR_COPY} | {n}
        out = copies | {m - 1 for m in copies if _introduces(passages, m)}
        rest = tuple(passage for m, passage in enumerate(passages) if m not in out)
        heading = frozenset({_folded(passages[n].path[-1])})
        cases.append(Case(tuple(said), heading, replace(constitution, passages=rest)))
    return cases


def _introduces(passages: Sequence[Passage], n: int) -> bool:
    return (
        n > 0
        and passages[n - 1].kind == "paragraph"
        and passages[n - 1].path == passages[n].path
        and passages[n - 1].plain.lower().startswith("example")
    )


def print_recall(datasets: Mapping[str, list[Case]], memory: Memory) -> None:
    """Print each method's recall on each data set."""
    methods = dict(_methods())
    print("| section recall |", " | ".join(datasets), "|")
    print("|---|" + "---|" * len(datasets))
    ranks: dict[tuple[str, str], list[int | None]] = defaultdict(list)
    for name, cases in datasets.items():
        for case in cases:
            material = _material(case, memory)
            for method, rank in methods.items():
                scores = rank(material)
                ranks[method, name].append(_rank(material, scores, case.headings))
    for method in methods:
        print(f"| {method} |", " | ".join(_line(ranks[method, name]) for name in datasets), "|")
    print("\nEach cell: recall@1 / recall@5 / recall@10 / mean reciprocal rank.\n")


def _material(case: Case, memory: Memory) -> Material:
    passages = case.constitution.passages
    found = tuple(unit for unit in build_units(passages) if unit.kind != "everyday")
    vectors = memory.embed([unit.text for unit in found])
    lexicon = BM25Index([passage.plain for passage in passages])
    return Material(
        passages=passages,
        sections=number_sections(passages),
        units=found,
        cosines=(memory.embed(case.texts) @ vectors.T).round(5),
        words=np.stack([lexicon.score_texts(text) for text in case.texts]),
    )


def _methods() -> Iterator[tuple[str, Method]]:
    yield "BM25 of passages", lambda m: m.words.sum(axis=0)
    yield "cosine of passages", lambda m: _best(m, "passage").sum(axis=0)
    yield "both, reciprocal ranks (60)", lambda m: _fused(m, "passage")
    yield "+ sentences", lambda m: _fused(m, "passage", "sentence")
    yield "+ turns of examples", lambda m: _fused(m, "passage", "sentence", "turn")
    yield "default: by section, standardised", _default(RANKING_WEIGHTS)
    for kind in RANKING_WEIGHTS:
        others = {name: weight for name, weight in RANKING_WEIGHTS.items() if name != kind}
        yield f"default without {kind}", _default(others)
    yield "default, words weighed 1", _default({**RANKING_WEIGHTS, "words": 1})
    yield "default, words weighed 4", _default({**RANKING_WEIGHTS, "words": 4})


def _default(weights: Mapping[str, float]) -> Method:
    return lambda m: Ranker(m.sections, m.units, weights=weights).score_passages(m.cosines, m.words)


def _best(material: Material, *kinds: str) -> Floats:
    best = np.full((len(material.cosines), len(material.passages)), -1, np.float32)
    for row, unit in enumerate(material.units):
        if unit.passage is not None and unit.kind in kinds:
            place = unit.passage
            best[:, place] = np.maximum(best[:, place], material.cosines[:, row])
    return best


def _fused(material: Material, *kinds: str) -> Scores:
    total = np.zeros(len(material.passages))
    for scores in (*_best(material, *kinds), *material.words):
        ranks = len(scores) - np.searchsorted(np.sort(scores), scores, side="right")
        total += np.where(scores > 0, 1 / (61 + ranks), 0)
    return total


def _rank(material: Material, scores: Scores | Floats, headings: frozenset[str]) -> int | None:
    paths: dict[tuple[str, ...], None] = {}
    for place in sort_by_score(np.asarray(scores, np.float64)):
        paths.setdefault(material.passages[place].path)
    for rank, path in enumerate(paths, 1):
        if any(_folded(heading) in headings for heading in path):
            return rank
    return None


def _line(ranks: Sequence[int | None]) -> str:
    shares = [sum(r is not None and r <= depth for r in ranks) / len(ranks) for depth in (1, 5, 10)]
    shares.append(statistics.fmean(1 / rank if rank else 0 for rank in ranks))
    return " / ".join(f"{share:.3f}".removeprefix("0") for share in shares)


def _folded(heading: str) -> str:
    return " ".join(heading.replace("’", "'").casefold().split())


# Relevance


def print_relevance() -> None:
    """Print how many rows with and without something at stake each threshold settles."""
    rows = list(_rows())
    retriever = PassageRetriever.open(Constitution.charter(), ephemeral=True)
    groundings = retriever.find_passages([texts for texts, _ in rows], k=1)
    print("| relevance below |", " | ".join(f"{t:.2f}" for t in THRESHOLDS), "|")
    print("|---|" + "---|" * len(THRESHOLDS))
    for name, wanted in (("nothing at stake", False), ("something at stake", True)):
        found = [g.relevance for g, (_, is_) in zip(groundings, rows, strict=True) if is_ == wanted]
        counts = [sum(value < threshold for value in found) for threshold in THRESHOLDS]
        print(f"| {name}, of {len(found)} |", " | ".join(map(str, counts)), "|")
    print(f"\nThe threshold shipped is {RELEVANCE_THRESHOLD}.\n")


def _rows() -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield what a run would search for, and whether something is at stake."""
    generator = Deliberation()
    for path in (
        ROOT / "examples" / "sft.jsonl",
        ROOT / "benchmarks" / "appraisal" / "cases.jsonl",
    ):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            find = next(generator.steps(row_from_record(record)))
            if isinstance(find, Find):
                yield find.texts, _at_stake(record)


def _at_stake(record: Mapping[str, Any]) -> bool:
    if "expected" in record:
        return bool(record["expected"] != "nothing_at_stake")
    return any(tag.startswith("section:") for tag in record["tags"])


# Speed


def print_speed(shared: Path) -> None:
    """Print how fast texts are embedded, and an index is built and opened."""
    paths = sorted((shared / "constitutions").glob("*-*.md"))
    constitutions = [Constitution.charter(), *map(Constitution.load, paths)]
    embedder = MiniLM.open()
    print("| constitution | passages | units | passages/s | build, s | open, s | query, ms |")
    print("|---|---|---|---|---|---|---|")
    for constitution in constitutions:
        plain = [passage.plain for passage in constitution.passages][:200]
        _, embedding = _timed(partial(embedder.embed, plain))
        with tempfile.TemporaryDirectory() as folder:
            opening = partial(PassageRetriever.open, constitution, cache_dir=Path(folder))
            _, build = _timed(opening)
            retriever, reopening = _timed(opening)
            queries = [[text[:300]] for text in plain[:50]]
            _, asking = _timed(partial(retriever.find_passages, queries, k=8))
        print(
            f"| {constitution.title} | {len(constitution.passages)} "
            f"| {len(build_units(constitution.passages))} | {len(plain) / embedding:.0f} "
            f"| {build:.1f} | {reopening:.2f} | {1000 * asking / len(queries):.0f} |"
        )


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
