"""A dataset card: what rows are, what made them, what became of the others, how to repeat it."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._card_facts import CardFacts
from ._card_header import header
from ._card_run import RunTold

_LIMITS = (
    "What was written is as good as its writer, and what passed as good as its judge; no check "
    "sees whether a reason convinces.",
    "Rows that a provider refused are missing, which biases what is left: the counts above say "
    "how many.",
    "Rewritten data is no guarantee of behaviour: train a matched control, and measure.",
    "In an open replication a share of 20 % synthetic rows cost no general ability, and 40 % did.",
)


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What a person adds to a card.

    Attributes:
        title: What the dataset is called; empty for what it is made from.
        licence: Its licence; empty where none is stated.
        sources: Name of a source → its licence.
    """

    title: str = ""
    licence: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardExport:
    """What a card tells of an export; see `whyset.datasets.exporting.Exported`.

    Attributes:
        consumer: Whom it is for.
        kind: What rows are.
        rows: How many there are, mixed in ones included.
        mixed: How many of them are ordinary rows that were mixed in.
        share: How much of all the synthetic ones are.
        left_out: Rows left out on purpose, and refused ones, by reason.
        notes: What a person should know.
        command: The export's command, word by word.
        configs: Name of a configuration → split → file.
        mixed_sources: Where ordinary rows came from.
    """

    consumer: str
    kind: str
    rows: int
    mixed: int
    share: float
    left_out: Mapping[str, int]
    notes: Sequence[str]
    command: Sequence[str]
    configs: Mapping[str, Mapping[str, str]]
    mixed_sources: Sequence[str] = ()


def card_text(
    facts: CardFacts,
    run: RunTold,
    settings: CardSettings,
    *,
    files: Mapping[str, str] | None = None,
    export: CardExport | None = None,
) -> str:
    """Return a dataset card: Markdown with a YAML header.

    Args:
        facts: What the rows say of themselves.
        run: What is known of the run that made them.
        settings: What a person adds.
        files: Split → file, of rows that were not exported.
        export: What was done with them since.
    """
    names = list(dict.fromkeys(name.split()[0] for name in facts.generators))
    title = settings.title or f"Rows by whyset ({', '.join(names) or 'nothing written'})"
    configs = export.configs if export else {"default": files} if files else {}
    parts = [
        header(
            title=title,
            licence=settings.licence,
            rows=export.rows if export else facts.rows,
            languages=[language for language, _ in facts.languages.most_common()],
            tags=["whyset", "synthetic", "constitution", *names],
            configs=configs,
        ),
        f"# {_line(title)}\n",
        "\n".join(_opening(facts)),
        *_sections(facts, run, settings, export),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _opening(facts: CardFacts) -> Iterator[str]:
    yield (
        "Made with whyset, which grounds training data in a constitution: a document of an AI's "
        "values. The `whyset` column, where it was kept, tells of every row what it came through."
    )
    for (title, digest), count in facts.constitutions.most_common():
        yield f"\nConstitution: {_line(title)}, SHA-256 `{_code(digest)}` ({count:,} rows)."


def _sections(
    facts: CardFacts, run: RunTold, settings: CardSettings, export: CardExport | None
) -> Iterator[str]:
    yield _section("Rows", _rows(facts, run, export))
    yield _section("Sources and licences", _sources(run, settings, export))
    yield _section("How they were made", _making(facts))
    yield _section("Checks", _checks(facts))
    yield _section("Cost", _cost(run))
    yield _section("Reproduce", _reproducing(run, export))
    notes = [f"- {_line(note)}" for note in (export.notes if export else ())]
    yield _section("Limits", [*(f"- {limit}" for limit in _LIMITS), *notes, *_annotated(facts)])


def _rows(facts: CardFacts, run: RunTold, export: CardExport | None) -> Iterator[str]:
    quarantined = _counts(run.summary.get("reasons"))
    yield from _table(("outcome", "rows"), facts.outcomes.most_common(), unknown=facts.unknown)
    if export is not None:
        yield (
            f"\nExported for {export.consumer} as {export.kind}: {export.rows:,} rows, of which "
            f"{export.mixed:,} are ordinary ones that were mixed in; {export.share:.0%} are "
            "synthetic."
        )
        for split, file in export.configs.get("control", {}).items():
            yield (
                f"\n`{_code(file)}` is the matched control of {split}: the same rows with their "
                "original responses, identical in everything else."
            )
        if export.left_out:
            yield "\nLeft out of the export:\n"
            yield from _table(("reason", "rows"), export.left_out.items())
    if quarantined:
        yield "\nQuarantined by the run, not in the data; a row may have several reasons:\n"
        yield from _table(("reason", "rows"), quarantined.most_common())


def _sources(run: RunTold, settings: CardSettings, export: CardExport | None) -> Iterator[str]:
    if settings.licence:
        yield f"Licence of this dataset: {_line(settings.licence)}.\n"
    else:
        yield "No licence was stated for this dataset.\n"
    read = run.manifest.get("input")
    names = [read] if isinstance(read, str) else list(read or ())
    names += export.mixed_sources if export else ()
    told = {str(name): settings.sources.get(str(name), "not stated") for name in names}
    told |= settings.sources
    if told:
        yield from _table(("source", "licence"), told.items())


def _making(facts: CardFacts) -> Iterator[str]:
    for what, counted in (
        ("Generators", facts.generators),
        ("Models", facts.models),
        ("Settings", facts.settings),
    ):
        if counted:
            told = "; ".join(
                f"{_line(name)}" + (f" ({count:,} rows)" if count < facts.rows else "")
                for name, count in counted.most_common()
            )
            yield f"- {what}: {told}"
    if facts.prompts:
        yield "\nPrompts, each with its digest:\n"
        pairs = (name.rpartition(" ") for name in sorted(facts.prompts))
        yield from _table(
            ("prompt", "digest"), ((name, f"`{digest}`") for name, _, digest in pairs)
        )


def _checks(facts: CardFacts) -> Iterator[str]:
    if not facts.checks:
        return
    yield "Of the rows here; what failed for good is in no row. Skipped never counts as passed.\n"
    yield "| check | passed | failed | skipped | pass rate |\n|---|---|---|---|---|"
    for name, statuses in sorted(facts.checks.items()):
        made = statuses["passed"] + statuses["failed"]
        rate = f"{statuses['passed'] / made:.1%}" if made else "–"
        yield (
            f"| {_cell(name)} | {statuses['passed']:,} | {statuses['failed']:,} | "
            f"{statuses['skipped']:,} | {rate} |"
        )


def _cost(run: RunTold) -> Iterator[str]:
    if not run.spent:
        if run.manifest:
            yield "No model was asked."
        return
    dollars = run.dollars
    told = "not known" if dollars is None else f"${dollars:,.2f}"
    prices = run.manifest.get("prices_of")
    yield (
        f"{told}, by the prices of {prices}.\n"
        if prices and dollars is not None
        else f"Cost: {told}.\n"
    )
    yield "| step | model | replies | tokens in | tokens out |\n|---|---|---|---|---|"
    for step in run.spent:
        read = sum(int(step[name]) for name in _READ)
        yield (
            f"| {_cell(step['step'])} | {_cell(step['model'])} | {step['replies']:,} | {read:,} | "
            f"{step['output_tokens']:,} |"
        )


_READ = ("input_tokens", "cache_read_tokens", "cache_write_tokens")


def _reproducing(run: RunTold, export: CardExport | None) -> Iterator[str]:
    commands = [
        shlex.join(words) for words in (run.command(), export.command if export else ()) if words
    ]
    if not commands:
        return
    version = run.manifest.get("whyset")
    yield f"With whyset {version}:\n" if version else ""
    yield from (f"    {' '.join(command.split())}" for command in commands)
    yield (
        "\nModels need not answer the same again; every reply is in the run's ledger, and with it "
        "the same command gives the same rows."
    )


def _annotated(facts: CardFacts) -> Iterator[str]:
    if count := facts.outcomes["annotated"]:
        yield (
            f"- {count:,} rows are `annotated`: sentences of the constitution stand beside the "
            "response, weighed by nobody. They are for trying and reading, not for training."
        )


def _section(title: str, lines: Sequence[str] | Iterator[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return f"## {title}\n\n{text}\n" if text else ""


def _table(names: tuple[str, str], rows: Any, *, unknown: int = 0) -> Iterator[str]:
    yield f"| {names[0]} | {names[1]} |\n|---|---|"
    for name, value in rows:
        told = f"{value:,}" if isinstance(value, int) else _cell(value)
        yield f"| {_cell(name)} | {told} |"
    if unknown:
        yield f"| without provenance | {unknown:,} |"


def _counts(held: Any) -> Counter[str]:
    return Counter(held if isinstance(held, Mapping) else {})


def _line(text: object) -> str:
    """Return a text from the data as a stretch of a line: no markup of its own, no line end."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(str(text).split()))


def _cell(text: object) -> str:
    said = " ".join(str(text).split())
    if said.startswith("`") and said.endswith("`"):
        return f"`{_code(said.strip('`'))}`"
    return _line(said).replace(r"\_", "_")


def _code(text: str) -> str:
    return " ".join(text.replace("`", "'").replace("|", "/").split())
