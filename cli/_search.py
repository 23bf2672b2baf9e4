"""`whyset search`: the passages that bear on a text, many texts, or how well they are found."""

import codecs
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._interrupts import check_interrupts
from ._options import ChromaOption, ConstitutionOption, EmbedderOption, EphemeralOption
from ._passages import load
from ._words import counted

if TYPE_CHECKING:
    from whyset.retriever import Evaluation, Grounding, Label, PassageRetriever

_AT_ONCE = 64


def search(
    text: Annotated[str | None, typer.Argument(help="What the passages should bear on.")] = None,
    constitution: ConstitutionOption = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages for each query.")] = 5,
    queries: Annotated[
        Path | None,
        typer.Option(help='JSON lines of {"query": …}; one line of passages each, in order.'),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--evaluate",
            help="JSON lines of query and expected_heading; prints recall@1/5/10 and MRR.",
        ),
    ] = None,
    embedder: EmbedderOption = "minilm",
    chroma: ChromaOption = None,
    ephemeral: EphemeralOption = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the passages of a constitution that bear on a text."""
    if sum(option is not None for option in (text, queries, labels)) != 1:
        raise typer.BadParameter("give one of: a text, --queries FILE, --evaluate FILE")
    # Files are read before an index is opened, which can take a minute.
    about = _read_labels(labels, constitution) if labels is not None else []
    wanted = _read_queries(queries) if queries is not None else [text or ""]

    from whyset.retriever import PassageRetriever

    retriever = PassageRetriever.open(
        load(constitution), embedder=embedder, chroma=chroma, ephemeral=ephemeral
    )
    check_interrupts()
    if labels is not None:
        _evaluate(retriever, about, as_json=json_output)
        return
    for start in range(0, len(wanted), _AT_ONCE):
        batch = wanted[start : start + _AT_ONCE]
        for query, found in zip(
            batch, retriever.ground([[query] for query in batch], k=k), strict=True
        ):
            typer.echo(_as_json(query, found) if json_output else _as_text(query, found))


def _read_labels(path: Path, constitution: Path | None) -> "list[Label]":
    from whyset.retriever import read_labels

    labels = read_labels(path)
    # A label file may be about several documents; the name of the file tells which labels count.
    stem = constitution.stem if constitution else "charter"
    about = [label for label in labels if label.document in {None, stem}]
    if left_out := len(labels) - len(about):
        told = "label is" if left_out == 1 else "labels are"
        typer.echo(f"{left_out:,} {told} about other documents than {stem}", err=True)
    return about


def _read_queries(path: Path) -> list[str]:
    from whyset.datasets import DatasetError, NotJson, loads

    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).split(b"\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    queries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = loads(line)
        except NotJson as error:
            raise DatasetError(f"{path}:{number}: {error}") from error
        if not isinstance(record, dict) or not isinstance(record.get("query"), str):
            raise DatasetError(f'{path}:{number}: expected {{"query": "…"}}')
        queries.append(record["query"])
    return queries


def _as_json(query: str, found: "Grounding") -> str:
    passages = [
        {
            "id": scored.passage.id,
            "path": scored.passage.path,
            "lines": scored.passage.lines,
            "score": round(scored.score, 6),
            "similarity": None if scored.similarity is None else round(scored.similarity, 4),
            "text": scored.passage.plain,
        }
        for scored in found.passages
    ]
    record = {"query": query, "relevance": round(found.relevance, 4), "passages": passages}
    return json.dumps(record, ensure_ascii=False)


def _as_text(query: str, found: "Grounding") -> str:
    lines = [f"{query}\n"]
    for rank, scored in enumerate(found.passages, start=1):
        first, last = scored.passage.lines
        similarity = "" if scored.similarity is None else f"  similarity {scored.similarity:.2f}"
        lines.append(
            f"{rank:>2}. {' > '.join(scored.passage.path)}\n"
            f"    {scored.passage.id}, lines {first}-{last}{similarity}\n"
            f"    {' '.join(scored.matched.split())}\n"
        )
    return "\n".join(lines if found.passages else [*lines, "nothing found"])


def _evaluate(retriever: "PassageRetriever", about: "list[Label]", *, as_json: bool) -> None:
    from whyset.retriever import evaluate

    evaluation = evaluate(retriever, about)
    if as_json:
        typer.echo(json.dumps(_record(evaluation), indent=2))
        return
    asked = counted(evaluation.queries, "query", "queries")
    typer.echo(f"{asked} on {retriever.constitution.title}")
    typer.echo(f"{'':<12}{'recall@1':>10}{'recall@5':>10}{'recall@10':>11}{'MRR':>8}")
    for name, recall in (("passage", evaluation.by_passage), ("section", evaluation.by_section)):
        one, five, ten = recall.at.values()
        typer.echo(f"by {name:<9}{one:>10.3f}{five:>10.3f}{ten:>11.3f}{recall.mrr:>8.3f}")


def _record(evaluation: "Evaluation") -> dict[str, Any]:
    record: dict[str, Any] = {"queries": evaluation.queries}
    for name, recall in (("passage", evaluation.by_passage), ("section", evaluation.by_section)):
        record[name] = {f"recall@{depth}": share for depth, share in recall.at.items()}
        record[name]["mrr"] = recall.mrr
    return record
