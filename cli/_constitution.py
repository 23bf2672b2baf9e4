"""`whyset passages`, `charter` and `search`: its passages, and a search of them."""

import codecs
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._interrupts import check_interrupts
from ._options import ChromaOption, ConstitutionOption, EmbedderOption, EphemeralOption
from ._text import pluralize, print_lines, render_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyset.constitution import Constitution
    from whyset.retriever import Grounding, LabelledQuery, PassageRetriever, RetrievalEvaluation

_SNIPPET_LENGTH = 88


def passages(
    file: Annotated[
        Path | None,
        typer.Argument(help="A constitution in Markdown; the bundled charter without one."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print every passage in full, as one JSON document.")
    ] = False,
) -> None:
    """Show the passages of a constitution, with their ids and lines."""
    constitution = load_constitution(file)
    if not json_output:
        print_lines(_passage_lines(constitution))
        return
    record = {
        "title": constitution.title,
        "sha256": constitution.digest,
        "passages": [asdict(passage) for passage in constitution.passages],
    }
    typer.echo(render_json(record))


def _passage_lines(constitution: "Constitution") -> "Iterator[str]":
    for section in constitution.sections:
        title = section.title or "(before the first heading)"
        yield f"{'  ' * max(len(section.path) - 1, 0)}{title}"
        for passage in section.passages:
            first, last = passage.lines
            text = " ".join(passage.plain.split())
            if len(text) > _SNIPPET_LENGTH:
                text = f"{text[: _SNIPPET_LENGTH - 1]}…"
            lines = f"{first}" if first == last else f"{first}-{last}"
            yield f"    {passage.id}  {passage.kind}, lines {lines}, ~{passage.tokens} tokens"
            yield f"      {text}"
    total = sum(passage.tokens for passage in constitution.passages)
    yield (
        f"\n{constitution.title}: {pluralize(len(constitution.passages), 'passage')} in "
        f"{pluralize(len(constitution.sections), 'section')}, about {total:,} tokens"
    )


def charter() -> None:
    """Print the charter, to start your own constitution from."""
    from importlib import resources

    source = resources.files("whyset.constitution").joinpath("charter.md")
    sys.stdout.buffer.write(source.read_bytes())


def load_constitution(file: Path | None) -> "Constitution":
    """Return the constitution in a file, or the bundled charter."""
    from whyset.constitution import Constitution

    return Constitution.load(file) if file else Constitution.charter()


_QUERY_BATCH = 64


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
    labelled = _read_labels(labels, constitution) if labels is not None else []
    texts = _read_queries(queries) if queries is not None else [text or ""]

    from whyset.retriever import PassageRetriever

    retriever = PassageRetriever.open(
        load_constitution(constitution), embedder=embedder, chroma=chroma, ephemeral=ephemeral
    )
    check_interrupts()
    if labels is not None:
        _evaluate(retriever, labelled, as_json=json_output)
        return
    render = _render_json if json_output else _render_text
    for start in range(0, len(texts), _QUERY_BATCH):
        batch = texts[start : start + _QUERY_BATCH]
        found = retriever.find_passages([[query] for query in batch], k=k)
        for query, grounding in zip(batch, found, strict=True):
            typer.echo(render(query, grounding))


def _read_labels(path: Path, constitution: Path | None) -> "list[LabelledQuery]":
    from whyset.retriever import load_labelled_queries

    labels = load_labelled_queries(path)
    # A label file may be about several documents; the name of the file says which labels count.
    stem = constitution.stem if constitution else "charter"
    about = [label for label in labels if label.document in {None, stem}]
    if left_out := len(labels) - len(about):
        labels_are = pluralize(left_out, "label is", "labels are")
        typer.echo(f"{labels_are} about other documents than {stem}", err=True)
    return about


def _read_queries(path: Path) -> list[str]:
    from whyset.datasets import DatasetError, InvalidJson, loads

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
        except InvalidJson as error:
            raise DatasetError(f"{path}:{number}: {error}") from error
        if not isinstance(record, dict) or not isinstance(record.get("query"), str):
            raise DatasetError(f'{path}:{number}: expected {{"query": "…"}}')
        queries.append(record["query"])
    return queries


def _render_json(query: str, grounding: "Grounding") -> str:
    passages = [
        {
            "id": scored.passage.id,
            "path": scored.passage.path,
            "lines": scored.passage.lines,
            "score": round(scored.score, 6),
            "similarity": None if scored.similarity is None else round(scored.similarity, 4),
            "text": scored.passage.plain,
        }
        for scored in grounding.passages
    ]
    record = {"query": query, "relevance": round(grounding.relevance, 4), "passages": passages}
    return json.dumps(record, ensure_ascii=False)


def _render_text(query: str, grounding: "Grounding") -> str:
    lines = [f"{query}\n"]
    for rank, scored in enumerate(grounding.passages, start=1):
        first, last = scored.passage.lines
        similarity = "" if scored.similarity is None else f"  similarity {scored.similarity:.2f}"
        lines.append(
            f"{rank:>2}. {' > '.join(scored.passage.path)}\n"
            f"    {scored.passage.id}, lines {first}-{last}{similarity}\n"
            f"    {' '.join(scored.matched_text.split())}\n"
        )
    return "\n".join(lines if grounding.passages else [*lines, "nothing found"])


def _evaluate(
    retriever: "PassageRetriever", labelled: "list[LabelledQuery]", *, as_json: bool
) -> None:
    from whyset.retriever import evaluate_searcher

    evaluation = evaluate_searcher(retriever, labelled)
    if as_json:
        typer.echo(render_json(_evaluation_record(evaluation)))
        return
    queries = pluralize(evaluation.queries, "query", "queries")
    typer.echo(f"{queries} on {retriever.constitution.title}")
    typer.echo(f"{'':<12}{'recall@1':>10}{'recall@5':>10}{'recall@10':>11}{'MRR':>8}")
    for name, recall in (("passage", evaluation.by_passage), ("section", evaluation.by_section)):
        one, five, ten = recall.recall_at.values()
        typer.echo(f"by {name:<9}{one:>10.3f}{five:>10.3f}{ten:>11.3f}{recall.mrr:>8.3f}")


def _evaluation_record(evaluation: "RetrievalEvaluation") -> dict[str, Any]:
    record: dict[str, Any] = {"queries": evaluation.queries}
    for name, recall in (("passage", evaluation.by_passage), ("section", evaluation.by_section)):
        record[name] = {f"recall@{depth}": share for depth, share in recall.recall_at.items()}
        record[name]["mrr"] = recall.mrr
    return record
