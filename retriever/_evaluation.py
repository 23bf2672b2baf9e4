"""How well a searcher finds the sections that labelled queries should meet."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whyset.constitution import Constitution
from whyset.errors import RetrieverError

from ._grounding import Searcher

DEPTHS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Label:
    """A query and the sections that answer it.

    Attributes:
        query: What is searched for.
        headings: Any one of them is right: the heading of the passage's own section, or of one
            above it. The first is the expected one.
        document: The constitution the label is about, where the file says so.
    """

    query: str
    headings: tuple[str, ...]
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """Where the first right answers stood.

    Attributes:
        at: Depth → share of queries with a right answer among that many, 0 to 1.
        mrr: Mean reciprocal rank; a query that met none counts 0.
    """

    at: dict[int, float]
    mrr: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        queries: How many labels were asked.
        by_passage: Ranks counted in passages.
        by_section: Ranks counted in distinct sections, each where its best passage stands.
        ranks: The rank by section for each label in order, from 1; `None` where none was met.
    """

    queries: int
    by_passage: Recall
    by_section: Recall
    ranks: tuple[int | None, ...]


def read_labels(path: Path) -> list[Label]:
    """Read labels: JSON lines of `query`, `expected_heading` and, optionally, `also_acceptable`.

    Raises:
        RetrieverError: The file cannot be read, or a line is not a label; it is named.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise RetrieverError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise RetrieverError(f"{path}: is not UTF-8; save it as UTF-8") from error
    labels = [
        _label(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not labels:
        raise RetrieverError(f"{path}: holds no labels")
    return labels


def evaluate(searcher: Searcher, labels: Sequence[Label]) -> Evaluation:
    """Ask every label's query and see where the right sections stand.

    Raises:
        RetrieverError: There are no labels, or a label's headings are all unknown to the
            constitution.
    """
    if not labels:
        raise RetrieverError("there are no labels to evaluate")
    _check_headings(searcher.constitution, labels)
    everything = len(searcher.constitution.passages)
    groundings = searcher.ground([[label.query] for label in labels], k=everything)
    passage_ranks: list[int | None] = []
    section_ranks: list[int | None] = []
    for label, grounding in zip(labels, groundings, strict=True):
        paths = [scored.passage.path for scored in grounding.passages]
        passage_ranks.append(_rank(paths, label.headings))
        section_ranks.append(_rank(list(dict.fromkeys(paths)), label.headings))
    return Evaluation(
        queries=len(labels),
        by_passage=_recall(passage_ranks),
        by_section=_recall(section_ranks),
        ranks=tuple(section_ranks),
    )


def _rank(paths: Sequence[tuple[str, ...]], headings: tuple[str, ...]) -> int | None:
    wanted = {_folded(heading) for heading in headings}
    for rank, path in enumerate(paths, 1):
        if any(_folded(heading) in wanted for heading in path):
            return rank
    return None


def _recall(ranks: Sequence[int | None]) -> Recall:
    found = [rank for rank in ranks if rank is not None]
    return Recall(
        at={depth: sum(rank <= depth for rank in found) / len(ranks) for depth in DEPTHS},
        mrr=sum(1 / rank for rank in found) / len(ranks),
    )


def _label(line: str, where: str) -> Label:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RetrieverError(f"{where}: is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise RetrieverError(f"{where}: is not a JSON object")
    for name in ("query", "expected_heading"):
        if not isinstance(record.get(name), str) or not record[name].strip():
            raise RetrieverError(f"{where}: has no text in {name!r}")
    others = record.get("also_acceptable") or []
    if not isinstance(others, list) or not all(isinstance(other, str) for other in others):
        raise RetrieverError(f"{where}: `also_acceptable` is not a list of headings")
    document = record.get("document")
    return Label(
        query=record["query"],
        headings=(record["expected_heading"], *others),
        document=document if isinstance(document, str) else None,
    )


def _check_headings(constitution: Constitution, labels: Sequence[Label]) -> None:
    known = {_folded(heading) for section in constitution.sections for heading in section.path}
    for label in labels:
        if not any(_folded(heading) in known for heading in label.headings):
            raise RetrieverError(
                f"no section of {constitution.title!r} is headed {label.headings[0]!r} "
                f"(expected for the query {label.query!r})"
            )


def _folded(heading: str) -> str:
    return " ".join(heading.replace("’", "'").casefold().split())
