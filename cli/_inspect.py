"""`whyset generators` and `whyset prompts`: what is installed, and prompts to start from."""

import codecs
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._commands import option_flag
from ._interrupts import check_interrupts
from ._options import (
    ChromaOption,
    ConstitutionOption,
    EmbedderOption,
    EphemeralOption,
    JsonOption,
    require_nonempty,
)
from ._render import format_table, pluralize
from ._run import load_constitution

if TYPE_CHECKING:
    from whyset.generators import Generator
    from whyset.pipelines import RunStatus
    from whyset.retriever import Grounding, LabelledQuery, PassageRetriever, RetrievalEvaluation


# ---- `whyset search`: the passages that bear on a text, many texts, or how well they are found.

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
    about = _read_labels(labels, constitution) if labels is not None else []
    wanted = _read_queries(queries) if queries is not None else [text or ""]

    from whyset.retriever import PassageRetriever

    retriever = PassageRetriever.open(
        load_constitution(constitution), embedder=embedder, chroma=chroma, ephemeral=ephemeral
    )
    check_interrupts()
    if labels is not None:
        _evaluate(retriever, about, as_json=json_output)
        return
    for start in range(0, len(wanted), _QUERY_BATCH):
        batch = wanted[start : start + _QUERY_BATCH]
        for query, found in zip(
            batch, retriever.find_passages([[query] for query in batch], k=k), strict=True
        ):
            typer.echo(_render_json(query, found) if json_output else _render_text(query, found))


def _read_labels(path: Path, constitution: Path | None) -> "list[LabelledQuery]":
    from whyset.retriever import load_labelled_queries

    labels = load_labelled_queries(path)
    # A label file may be about several documents; the name of the file tells which labels count.
    stem = constitution.stem if constitution else "charter"
    about = [label for label in labels if label.document in {None, stem}]
    if left_out := len(labels) - len(about):
        told = "label is" if left_out == 1 else "labels are"
        typer.echo(f"{left_out:,} {told} about other documents than {stem}", err=True)
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


def _render_json(query: str, found: "Grounding") -> str:
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


def _render_text(query: str, found: "Grounding") -> str:
    lines = [f"{query}\n"]
    for rank, scored in enumerate(found.passages, start=1):
        first, last = scored.passage.lines
        similarity = "" if scored.similarity is None else f"  similarity {scored.similarity:.2f}"
        lines.append(
            f"{rank:>2}. {' > '.join(scored.passage.path)}\n"
            f"    {scored.passage.id}, lines {first}-{last}{similarity}\n"
            f"    {' '.join(scored.matched_text.split())}\n"
        )
    return "\n".join(lines if found.passages else [*lines, "nothing found"])


def _evaluate(
    retriever: "PassageRetriever", about: "list[LabelledQuery]", *, as_json: bool
) -> None:
    from whyset.retriever import evaluate_searcher

    evaluation = evaluate_searcher(retriever, about)
    if as_json:
        typer.echo(json.dumps(_evaluation_record(evaluation), indent=2))
        return
    asked = pluralize(evaluation.queries, "query", "queries")
    typer.echo(f"{asked} on {retriever.constitution.title}")
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


# ---- `whyset status`: what a run's ledger says of it.


def status(
    output: Annotated[
        Path, typer.Argument(help="The run's output, as it was named with -o; or its ledger.")
    ],
    forget: Annotated[
        str | None,
        typer.Option(
            callback=require_nonempty,
            metavar="BATCH",
            help="Forget a batch that the provider no longer knows: its asks are sent again.",
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how far a run is: rows done, replies, message batches. Asks nobody.

    Works while a process is at work on the run, too.
    """
    from whyset.pipelines import RunFiles, RunStatus, forget_batch

    ledger = output if output.suffix == ".sqlite" else RunFiles.ledger_path(output)
    if forget is not None:
        forget_batch(ledger, forget)
    found = RunStatus.read(ledger)
    if json_output:
        typer.echo(json.dumps(found.record(), ensure_ascii=False, indent=2))
        return
    typer.echo("\n".join(_status_lines(found)))


def _status_lines(found: "RunStatus") -> list[str]:
    lines = [f"{pluralize(found.rows, 'row')} done"]
    if found.steps:
        rows = [
            (
                step.step,
                step.model,
                pluralize(step.replies, "reply", "replies"),
                f"{step.usage.input_tokens + step.usage.cache_read_tokens:,} tokens in",
                f"{step.usage.output_tokens:,} out",
                f"{step.batched:,} by batch" if step.batched else "",
            )
            for step in found.steps
        ]
        lines += format_table(rows, names=2)
    for wave, batches in found.waves.items():
        lines.append(f"wave {wave}:")
        rows = [
            (
                batch.id or "(not known yet)",
                batch.model,
                batch.state,
                pluralize(batch.requests, "ask"),
                f"{batch.size / 1e6:,.1f} MB",
                f"since {batch.created_at or batch.intended_at}",
            )
            for batch in batches
        ]
        lines += format_table(rows, names=3)
    if found.pending:
        lines.append("Run the same command again to collect what has been answered.")
    return lines


_OWN_DISTRIBUTION = "whyset"


def generators(
    name: Annotated[
        str | None,
        typer.Argument(
            callback=require_nonempty, help="One of them, with its options, axes and prompts."
        ),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Show the generators that are installed, and what each can do."""
    from whyset.generators import list_generators, load_generator_class

    if name is None:
        found = list_generators()
        records = [_generator_record(load_generator_class(each), found[each]) for each in found]
        if json_output:
            typer.echo(json.dumps(records, ensure_ascii=False, indent=2))
            return
        typer.echo("\n".join(_overview_lines(records)))
        return
    record = _generator_record(load_generator_class(name), list_generators()[name])
    if json_output:
        typer.echo(json.dumps(record, ensure_ascii=False, indent=2))
        return
    typer.echo("\n".join(_detail_lines(record)))


def prompts(
    name: Annotated[str, typer.Argument(callback=require_nonempty, help="A generator.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="A folder to copy them to, as DIR/GENERATOR/NAME.md; edit them there and run "
            "with --prompts DIR.",
        ),
    ] = None,
) -> None:
    """Print a generator's prompts, or copy them out to change them."""
    from whyset.generators import load_generator_class
    from whyset.pipelines import write_prompts

    sources = load_generator_class(name).prompt_sources()
    if output is None:
        for prompt, source in sources.items():
            typer.echo(f"--- {name}/{prompt}.md ---\n{source}")
        return
    for path in write_prompts(output, name, sources):
        typer.echo(str(path))


def _generator_record(generator: "type[Generator]", distribution: str) -> dict[str, Any]:
    """Return what there is to know of a generator as plain values."""
    from whyset.generators import DocumentGenerator

    axes, defaults = [], generator.options_class().record()
    if issubclass(generator, DocumentGenerator):
        axes = [
            {
                "name": axis.name,
                "meaning": axis.meaning,
                "values": list(axis.values),
                "generated": axis.generated_count,
            }
            for axis in generator().axes
        ]
    return {
        "name": generator.name,
        "version": generator.version,
        "summary": generator.summary,
        "takes": generator.input_kind,
        "command": _command_text(generator),
        "from": distribution,
        "outcomes": dict(generator.outcomes),
        "options": [
            {
                "name": name,
                "flag": option_flag(name),
                "default": defaults[name],
                "help": field.description or "",
            }
            for name, field in generator.options_class.model_fields.items()
        ],
        "axes": axes,
        "prompts": sorted(generator.prompt_sources()),
    }


def _command_text(generator: "type[Generator]") -> str:
    if generator.input_kind == "briefs":
        return f"whyset write {generator.name}"
    return "whyset rewrite" if generator.name == "deliberation" else f"whyset {generator.name}"


def _overview_lines(records: list[dict[str, Any]]) -> list[str]:
    lines = []
    for takes, heading in (("rows", "rows in, rows out"), ("briefs", "documents from a plan")):
        lines.append(f"{heading}:")
        for record in records:
            if record["takes"] != takes:
                continue
            source = "" if record["from"] == _OWN_DISTRIBUTION else f" (from {record['from']})"
            flags = " ".join(option["flag"] for option in record["options"])
            lines += [
                f"  {record['name']}{source}: {record['summary']}",
                f"    {record['command']} {flags}",
            ]
        lines.append("")
    return [*lines, "whyset generators NAME tells what each option, axis and prompt of one is."]


def _detail_lines(record: dict[str, Any]) -> list[str]:
    lines = [
        f"{record['name']} {record['version']}: {record['summary']}",
        f"from {record['from']}; run it with: {record['command']}",
        "",
        "options:",
        *(
            f"  {option['flag']}  {option['help']} [default: {json.dumps(option['default'])}]"
            for option in record["options"]
        ),
        "",
        "outcomes:",
        *format_table([*record["outcomes"].items()], names=2),
    ]
    if record["axes"]:
        lines += ["", "axes of variety, drawn by a plan with exact quotas:"]
        for axis in record["axes"]:
            values = ", ".join(axis["values"]) or f"{axis['generated']} listed by the model"
            lines.append(f"  {axis['name']}: {axis['meaning']} {values}")
    return [*lines, "", f"prompts: {', '.join(record['prompts'])}"]
