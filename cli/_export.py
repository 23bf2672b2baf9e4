"""`whyset export` and `whyset card`: rows for those who train on them, and what is told of them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._options import STDIO, require_nonempty
from ._text import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from whyset.datasets import Source
    from whyset.datasets.export import Export, ExportReport
    from whyset.pipelines import CardSettings, RunFacts


# ---- The account of an export, for a person or a machine.


def render_export_report(export: "Export", exported: "ExportReport", *, as_json: bool) -> str:
    """Return the account: rows by outcome, what was left out or refused, files, notes."""
    if as_json:
        folder = str(export.layout.folder)
        return json.dumps(exported.to_dict() | {"folder": folder}, ensure_ascii=False, indent=2)
    return "\n".join(_report_lines(export, exported))


def _report_lines(export: "Export", exported: "ExportReport") -> list[str]:
    places, own = export.layout, exported.own_counts
    lines = [f"{pluralize(exported.rows, 'row')} for {export.trainer.title}, as {exported.kind}"]
    lines += [
        f"{count:>9,}  {outcome or 'without provenance'}"
        for outcome, count in own.outcomes.most_common()
    ]
    if export.mix is not None:
        lines.append(
            f"{exported.mixed_rows:>9,}  ordinary, mixed in: "
            f"{exported.synthetic_share:.0%} are synthetic"
        )
    for title, counts in (
        ("left out", own.excluded + exported.ordinary_counts.excluded),
        ("refused", own.rejected + exported.ordinary_counts.rejected),
    ):
        lines += [f"{title:<10}{count:>9,}  {reason}" for reason, count in counts.most_common()]
    for file in exported.files:
        what = f"{'control ' if file.is_control else ''}{file.split}"
        lines.append(f"{what:<14}{places.folder / file.name}  {pluralize(file.rows, 'row')}")
    lines += [f"{'with':<14}{places.sibling_path(name)}" for name in exported.config_files]
    if exported.quarantined:
        lines.append(f"{'quarantine':<14}{places.sibling_path('quarantine.jsonl')}")
    lines += [f"Note: {note}" for note in exported.notes]
    return lines


RowsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ROWS...", help="What whyset wrote: files, patterns, folders; - for standard input."
    ),
]
TitleOption = Annotated[
    str | None,
    typer.Option(callback=require_nonempty, help="What the dataset is called in its card."),
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
        typer.Option("--for", help="Who reads them; inspect takes probes and makes a task."),
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
        typer.Option(help="With --mix: how much of all rows is to be synthetic, such as 0.2."),
    ] = None,
    split: Annotated[
        float | None,
        typer.Option(
            help="Train on so much and keep the rest as test; no prompt is in both, such as 0.9."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What rows are drawn and shuffled with.")] = 0,
    control: Annotated[
        bool,
        typer.Option(
            "--control",
            help="Write the matched control, too: the same rows with their original responses.",
        ),
    ] = False,
    include: Annotated[
        list[str],
        typer.Option(help="annotated: export rows that extractive made; not for training."),
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
        bool, typer.Option("--public", help="With --push-to-hub: for all to see.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Summary as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary.")] = False,
) -> None:
    """Write rows for those who train on them.

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

    read = open_source(*rows)
    run = _read_run_facts(rows)
    wanted = Export.prepare(
        output,
        read,
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
    if push_to_hub is not None:
        if not wanted.layout.is_folder:
            raise typer.BadParameter("--push-to-hub publishes a folder: name one with -o")
        check_hub_name(push_to_hub)
    facts, settings = CardFacts(), _parse_card_settings(title, licence, source)
    wanted.on_row = facts.add
    name = wanted.layout.folder.resolve().name if wanted.layout.is_folder else Path(output).name
    wanted.card = lambda made: render_card(
        facts, run, settings, export=collect_export_facts(made, name, form)
    )
    exported = wanted.run()
    if not quiet:
        typer.echo(render_export_report(wanted, exported, as_json=json_output))
    if push_to_hub is not None:
        where = upload_to_hub(
            wanted.layout.folder, exported.published_files, push_to_hub, private=not public
        )
        typer.echo(f"published   {where}", err=json_output)
    raise typer.Exit(exported.exit_code)


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
    from whyset.datasets import BadRow, LineWriter, find_provenance, open_source
    from whyset.pipelines import CardFacts, render_card

    read, run, settings = (
        open_source(*rows),
        _read_run_facts(rows),
        _parse_card_settings(title, licence, source),
    )
    if output is not None:
        _require_not_input(Path(output), read)
    facts = CardFacts.from_provenance(
        find_provenance(record.columns)
        for record, _ in read.records()
        if not isinstance(record, BadRow)
    )
    single = len(read.parts) == 1 and read.parts[0].kind == "file"
    files = {"train": read.labels[0]} if single else None
    text = render_card(facts, run, settings, files=files)
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

    def probes() -> "Iterator[Mapping[str, Any]]":
        for record, _ in open_source(*rows).records():
            if isinstance(record, BadRow):
                raise DatasetError(f"line {record.line}: {record.reason}")
            yield record.columns

    made = export_inspect(probes(), output)
    if quiet:
        return
    if as_json:
        told = {"probes": made.probes, "kinds": dict(made.kinds), "formats": dict(made.formats)}
        typer.echo(json.dumps({**told, "command": made.command}, ensure_ascii=False, indent=2))
        return
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in made.kinds.items())
    typer.echo(f"{pluralize(made.probes, 'probe')} for Inspect: {kinds}\n{made.command}")


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

    told = {}
    for each in sources:
        name, equals, said = each.partition("=")
        if not (name and equals and said):
            raise typer.BadParameter(f"--source takes NAME=LICENSE, not {each!r}")
        told[name] = said
    return CardSettings(title or "", licence or "", told)


def _require_not_input(output: Path, read: "Source") -> None:
    for path in read.files():
        if path.exists() and output.exists() and output.samefile(path):
            raise typer.BadParameter(f"{output} is read; name another file for the card")
