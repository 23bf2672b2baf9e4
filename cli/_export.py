"""`whyset export` and `whyset card`: rows for those who train on them, and what is said of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._options import STDIO, require_nonempty
from ._text import pluralize, print_lines, render_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from whyset.datasets import Source
    from whyset.datasets.export import Export, ExportReport
    from whyset.pipelines import CardSettings, RunFacts

RowsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ROWS...", help="Output of whyset: files, patterns, folders; - for standard input."
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option(callback=require_nonempty, help="The dataset's title in its card."),
]
LicenceOption = Annotated[
    str | None,
    typer.Option(
        "--license", callback=require_nonempty, help="The dataset's licence, such as cc-by-4.0."
    ),
]
SourceOption = Annotated[
    list[str],
    typer.Option(
        "--source",
        metavar="NAME=LICENSE",
        help="The licence of a source, for the card. May be given several times.",
    ),
]


def export(
    rows: RowsArgument,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            callback=require_nonempty,
            help="A file, such as train.jsonl or train.parquet; any other name is a folder.",
        ),
    ],
    consumer: Annotated[
        Literal["trl", "axolotl", "llama-factory", "openai", "anthropic", "inspect"],
        typer.Option(
            "--for",
            help="The trainer or API that reads them; inspect takes probes and makes a task.",
        ),
    ],
    kind: Annotated[
        Literal["messages", "completion", "preference", "text"] | None,
        typer.Option(
            help="Conversations; conversations of which the last response alone is learned (TRL); "
            "preference pairs; texts [default: what the rows are]."
        ),
    ] = None,
    mix: Annotated[
        list[str],
        typer.Option(help="Ordinary rows to mix in, with --share. May be given several times."),
    ] = [],
    share: Annotated[
        float | None,
        typer.Option(help="With --mix: the synthetic share of all rows, such as 0.2."),
    ] = None,
    split: Annotated[
        float | None,
        typer.Option(
            help="Share of rows to train on, such as 0.9; the rest is test. No prompt is in both."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed for sampling and shuffling.")] = 0,
    control: Annotated[
        bool,
        typer.Option(
            "--control",
            help="Write the matched control, too: the same rows with their original responses.",
        ),
    ] = False,
    include: Annotated[
        list[str],
        typer.Option(help="annotated: export rows written by extractive; not for training."),
    ] = [],
    drop_provenance: Annotated[
        bool, typer.Option("--drop-provenance", help="Leave the whyset column out.")
    ] = False,
    keep: Annotated[
        list[str],
        typer.Option(
            metavar="COLUMN",
            help="Keep a column of your own. May be given several times.",
        ),
    ] = [],
    think_tags: Annotated[
        bool,
        typer.Option(
            "--think-tags",
            help="For openai and anthropic: put reasoning in <think> tags before the answer, "
            "instead of refusing the row.",
        ),
    ] = False,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            callback=require_nonempty,
            help="Files in a folder: jsonl, jsonl.gz, jsonl.zst, parquet, … [default: jsonl].",
        ),
    ] = None,
    title: TitleOption = None,
    licence: LicenceOption = None,
    source: SourceOption = [],
    push_to_hub: Annotated[
        str | None,
        typer.Option(
            callback=require_nonempty,
            metavar="ORG/NAME",
            help="Publish the folder as a dataset on the hub.",
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="With --push-to-hub: make the dataset public.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary.")] = False,
) -> None:
    """Export rows for a trainer or API.

    With a dataset card. What a consumer cannot hold is refused and counted, never dropped: such
    rows are in quarantine.jsonl beside the output. Rows that are annotated are left out.
    """
    if public and not push_to_hub:
        raise typer.BadParameter("--public goes with --push-to-hub")
    if consumer == "inspect":
        chosen = (kind, mix, share, split, seed, control, include, drop_provenance, keep)
        if any((*chosen, think_tags, form, title, licence, source, push_to_hub)):
            raise typer.BadParameter("--for inspect takes probes and a folder, and nothing else")
        _export_task(rows, output, as_json=json_output, quiet=quiet)
        return

    from whyset.datasets import open_source
    from whyset.datasets.export import Export, ExportSettings, check_hub_name, upload_to_hub
    from whyset.pipelines import CardFacts, collect_export_facts, render_card

    source_rows = open_source(*rows)
    run = _read_run_facts(rows)
    job = Export.prepare(
        output,
        source_rows,
        consumer,
        settings=ExportSettings(
            kind,
            share,
            split,
            seed,
            control,
            frozenset(include),
            drop_provenance,
            tuple(keep),
            think_tags,
            run.selection,
        ),
        mix=open_source(*mix) if mix else None,
        form=form,
    )
    folder = job.layout.folder
    if push_to_hub is not None:
        if not job.layout.is_folder:
            raise typer.BadParameter("--push-to-hub publishes a folder: name one with -o")
        check_hub_name(push_to_hub)
    facts, settings = CardFacts(), _parse_card_settings(title, licence, source)
    name = folder.resolve().name if job.layout.is_folder else Path(output).name
    job.on_row = facts.add
    job.card = lambda report: render_card(
        facts, run, settings, export=collect_export_facts(report, name, form)
    )
    report = job.run()
    if not quiet and json_output:
        typer.echo(render_json(report.to_dict() | {"folder": str(folder)}))
    elif not quiet:
        print_lines(_report_lines(job, report))
    if push_to_hub is not None:
        url = upload_to_hub(folder, report.published_files, push_to_hub, private=not public)
        typer.echo(f"published   {url}", err=json_output)
    raise typer.Exit(report.exit_code)


def _report_lines(job: "Export", report: "ExportReport") -> "Iterator[str]":
    layout, own, ordinary = job.layout, report.own_counts, report.ordinary_counts
    yield f"{pluralize(report.rows, 'row')} for {job.trainer.title}, as {report.kind}"
    for outcome, count in own.outcomes.most_common():
        yield f"{count:>9,}  {outcome or 'without provenance'}"
    if job.mix is not None:
        share = f"{report.synthetic_share:.0%}"
        yield f"{report.mixed_rows:>9,}  ordinary, mixed in: {share} are synthetic"
    for title, counts in (
        ("left out", own.excluded + ordinary.excluded),
        ("refused", own.rejected + ordinary.rejected),
    ):
        for reason, count in counts.most_common():
            yield f"{title:<10}{count:>9,}  {reason}"
    for file in report.files:
        side = f"{'control ' if file.is_control else ''}{file.split}"
        yield f"{side:<14}{layout.folder / file.name}  {pluralize(file.rows, 'row')}"
    for name in report.config_files:
        yield f"{'with':<14}{layout.sibling_path(name)}"
    if report.quarantined:
        yield f"{'quarantine':<14}{layout.sibling_path('quarantine.jsonl')}"
    for note in report.notes:
        yield f"Note: {note}"


def card(
    rows: RowsArgument,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            callback=require_nonempty,
            metavar="README.md",
            help="[default: printed]",
        ),
    ] = None,
    title: TitleOption = None,
    licence: LicenceOption = None,
    source: SourceOption = [],
) -> None:
    """Write the dataset card of rows.

    A README.md with the header that the hub reads, made of what the rows say of themselves and of
    the run's manifest and ledger beside them.
    """
    from whyset.datasets import LineWriter, open_source
    from whyset.pipelines import CardFacts, render_card

    source_rows = open_source(*rows)
    run, settings = _read_run_facts(rows), _parse_card_settings(title, licence, source)
    if output is not None:
        _require_not_input(Path(output), source_rows)
    parts = source_rows.parts
    is_file = len(parts) == 1 and parts[0].kind == "file"
    files = {"train": source_rows.labels[0]} if is_file else None
    text = render_card(CardFacts.from_source(source_rows), run, settings, files=files)
    if output is None or output == STDIO:
        typer.echo(text, nl=False)
        return
    with LineWriter(output) as writer:
        writer.write(text.removesuffix("\n").encode())
        writer.commit()


def _export_task(rows: list[str], output: str, *, as_json: bool, quiet: bool) -> None:
    """Write probes as a task that `inspect eval` runs."""
    from whyset.datasets import BadRow, DatasetError, open_source
    from whyset.pipelines import export_inspect

    def read_probes() -> "Iterator[Mapping[str, Any]]":
        for record, _ in open_source(*rows).records():
            if isinstance(record, BadRow):
                raise DatasetError(f"line {record.line}: {record.reason}")
            yield record.columns

    task = export_inspect(read_probes(), output)
    if quiet:
        return
    if as_json:
        counts = {"probes": task.probes, "kinds": dict(task.kinds), "formats": dict(task.formats)}
        typer.echo(render_json({**counts, "command": task.command}))
        return
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in task.kinds.items())
    typer.echo(f"{pluralize(task.probes, 'probe')} for Inspect: {kinds}\n{task.command}")


def _read_run_facts(rows: list[str]) -> "RunFacts":
    """Return what is known of the run that made rows; of several outputs, nothing is."""
    from whyset.pipelines import RunFacts

    if len(rows) != 1 or rows[0] == STDIO or not Path(rows[0]).exists():
        return RunFacts()
    return RunFacts.read(Path(rows[0]))


def _parse_card_settings(
    title: str | None, licence: str | None, sources: list[str]
) -> "CardSettings":
    from whyset.pipelines import CardSettings

    licences = {}
    for text in sources:
        name, _, value = text.partition("=")
        if not name or not value:
            raise typer.BadParameter(f"--source takes NAME=LICENSE, not {text!r}")
        licences[name] = value
    return CardSettings(title or "", licence or "", licences)


def _require_not_input(output: Path, source: "Source") -> None:
    for path in source.files():
        if path.exists() and output.exists() and output.samefile(path):
            raise typer.BadParameter(f"{output} is an input; name another file for the card")
