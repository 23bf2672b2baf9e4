"""How well a searcher finds the sections that labelled queries should meet."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyset.constitution import Constitution
from whyset.errors import RetrieverError

from ._grounding import Searcher

_RECALL_DEPTHS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """A query and the sections that answer it.

    Attributes:
        query: What is searched for.
        expected_headings: Any one of them is right: the heading of the passage's own section, or
            of one above it. The first is the expected one.
        document: The constitution the label is about, where the file says so.
    """

    query: str
    expected_headings: tuple[str, ...]
    document: str | None = None


@dataclass(frozen=True, slots=True)
class RetrievalMetrics:
    """Where the first right answers stood.

    Attributes:
        recall_at: Depth → share of queries with a right answer among that many, 0 to 1.
        mrr: Mean reciprocal rank; a query without one counts 0.
    """

    recall_at: dict[int, float]
    mrr: float


@dataclass(frozen=True, slots=True)
class RetrievalEvaluation:
    """The figures of an evaluation.

    Attributes:
        queries: How many labels were searched for.
        by_passage: Ranks counted in passages.
        by_section: Ranks counted in distinct sections, each where its best passage stands.
        ranks: The rank by section for each label in order, from 1; `None` where there was none.
    """

    queries: int
    by_passage: RetrievalMetrics
    by_section: RetrievalMetrics
    ranks: tuple[int | None, ...]


def load_labelled_queries(path: Path) -> list[LabelledQuery]:
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
        _parse_label(line, f"{path}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not labels:
        raise RetrieverError(f"{path}: has no labels")
    return labels


def evaluate_searcher(searcher: Searcher, labels: Sequence[LabelledQuery]) -> RetrievalEvaluation:
    """Search for every label's query and see where the right sections stand.

    Raises:
        RetrieverError: There are no labels, or a label's headings are all unknown to the
            constitution.
    """
    if not labels:
        raise RetrieverError("there are no labels to evaluate")
    _check_headings(searcher.constitution, labels)
    everything = len(searcher.constitution.passages)
    groundings = searcher.find_passages([[label.query] for label in labels], k=everything)
    passage_ranks: list[int | None] = []
    section_ranks: list[int | None] = []
    for label, grounding in zip(labels, groundings, strict=True):
        paths = [scored.passage.path for scored in grounding.passages]
        wanted = {_fold_heading(heading) for heading in label.expected_headings}
        passage_ranks.append(_find_first_rank(paths, wanted))
        section_ranks.append(_find_first_rank(dict.fromkeys(paths), wanted))
    return RetrievalEvaluation(
        queries=len(labels),
        by_passage=_compute_metrics(passage_ranks),
        by_section=_compute_metrics(section_ranks),
        ranks=tuple(section_ranks),
    )


def _find_first_rank(paths: Iterable[tuple[str, ...]], wanted: set[str]) -> int | None:
    for rank, path in enumerate(paths, 1):
        if any(_fold_heading(heading) in wanted for heading in path):
            return rank
    return None


def _compute_metrics(ranks: Sequence[int | None]) -> RetrievalMetrics:
    found = [rank for rank in ranks if rank is not None]
    return RetrievalMetrics(
        recall_at={d: sum(rank <= d for rank in found) / len(ranks) for d in _RECALL_DEPTHS},
        mrr=sum(1 / rank for rank in found) / len(ranks),
    )


def _parse_label(line: str, where: str) -> LabelledQuery:
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
    return LabelledQuery(
        query=record["query"],
        expected_headings=(record["expected_heading"], *others),
        document=document if isinstance(document, str) else None,
    )


def _check_headings(constitution: Constitution, labels: Sequence[LabelledQuery]) -> None:
    known = {
        _fold_heading(heading) for section in constitution.sections for heading in section.path
    }
    for label in labels:
        if not any(_fold_heading(heading) in known for heading in label.expected_headings):
            raise RetrieverError(
                f"no section of {constitution.title!r} is headed {label.expected_headings[0]!r} "
                f"(expected for the query {label.query!r})"
            )


def _fold_heading(heading: str) -> str:
    return " ".join(heading.replace("’", "'").casefold().split())
