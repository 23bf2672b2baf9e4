"""A dataset card: what rows are, what made them, what became of the others, how to repeat it."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from whyset.datasets.export import ExportReport

from ._facts import CardFacts, RunFacts

# ---- The licences that the hub knows, as its documentation of repositories lists them.

LICENCES: Final = frozenset(
    {
        "apache-2.0",
        "mit",
        "openrail",
        "bigscience-openrail-m",
        "creativeml-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigcode-openrail-m",
        "afl-3.0",
        "artistic-2.0",
        "bsl-1.0",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "c-uda",
        "cc",
        "cc0-1.0",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nd-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cdla-sharing-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "wtfpl",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "agpl-3.0",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "isc",
        "lppl-1.3c",
        "ms-pl",
        "mpl-2.0",
        "odc-by",
        "odbl",
        "openrail++",
        "osl-3.0",
        "postgresql",
        "ofl-1.1",
        "ncsa",
        "unlicense",
        "zlib",
        "pddl",
        "lgpl-lr",
        "deepfloyd-if-license",
        "llama2",
        "gemma",
        "unknown",
        "other",
    }
)
"""By their identifiers."""


# ---- The YAML header of a dataset card, as the hub validates it.

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B")),
)
_YAML_WIDTH = 1 << 20
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def render_header(
    *,
    title: str,
    licence: str,
    rows: int,
    languages: Sequence[str],
    tags: Sequence[str],
    configs: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the header with its two rules.

    Args:
        title: What a person calls the dataset.
        licence: The licence; empty where none was stated. One that the hub does not know becomes
            `other`, with its name beside it.
        rows: How many rows there are.
        languages: ISO 639 codes.
        tags: What it is about.
        configs: Name of a configuration → split → file.
    """
    title, licence = (" ".join(said.split()) for said in (title, licence))
    told: dict[str, Any] = {"pretty_name": title}
    if licence.lower() in LICENCES:
        told["license"] = licence.lower()
    elif licence:
        told |= {"license": "other", "license_name": licence}
    if known := [language for language in languages if _LANGUAGE.fullmatch(language)]:
        told["language"] = known
    told |= {
        "task_categories": ["text-generation"],
        "tags": list(dict.fromkeys(tags)),
        "size_categories": [size_category(rows)],
    }
    if configs:
        told["configs"] = [
            {
                "config_name": name,
                "data_files": [{"split": split, "path": file} for split, file in files.items()],
            }
            for name, files in configs.items()
        ]
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=_YAML_WIDTH)
    return f"---\n{text}---\n"


def size_category(rows: int) -> str:
    """Return the hub's word for a number of rows."""
    return next((word for limit, word in _SIZES if rows < limit), "1B<n<10B")


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
class ExportFacts:
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


def render_card(
    facts: CardFacts,
    run: RunFacts,
    settings: CardSettings,
    *,
    files: Mapping[str, str] | None = None,
    export: ExportFacts | None = None,
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
        render_header(
            title=title,
            licence=settings.licence,
            rows=export.rows if export else facts.rows,
            languages=[language for language, _ in facts.languages.most_common()],
            tags=["whyset", "synthetic", "constitution", *names],
            configs=configs,
        ),
        f"# {_escape_line(title)}\n",
        "\n".join(_intro_lines(facts)),
        *_iter_sections(facts, run, settings, export),
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts if part)


def _intro_lines(facts: CardFacts) -> Iterator[str]:
    yield (
        "Made with whyset, which grounds training data in a constitution: a document of an AI's "
        "values. The `whyset` column, where it was kept, tells of every row what it came through."
    )
    for (title, digest), count in facts.constitutions.most_common():
        yield f"\nConstitution: {_escape_line(title)}, SHA-256 `{_escape_code(digest)}` ({count:,} rows)."


def _iter_sections(
    facts: CardFacts, run: RunFacts, settings: CardSettings, export: ExportFacts | None
) -> Iterator[str]:
    yield _render_section("Rows", _row_lines(facts, run, export))
    yield _render_section("Sources and licences", _source_lines(run, settings, export))
    yield _render_section("How they were made", _generation_lines(facts))
    yield _render_section("Checks", _check_lines(facts))
    yield _render_section("Cost", _cost_lines(run))
    yield _render_section("Reproduce", _reproduction_lines(run, export))
    notes = [f"- {_escape_line(note)}" for note in (export.notes if export else ())]
    yield _render_section(
        "Limits", [*(f"- {limit}" for limit in _LIMITS), *notes, *_limit_lines(facts)]
    )


def _row_lines(facts: CardFacts, run: RunFacts, export: ExportFacts | None) -> Iterator[str]:
    quarantined = _count_outcomes(run.summary.get("reasons"))
    yield from _table_lines(
        ("outcome", "rows"), facts.outcomes.most_common(), unknown=facts.unknown
    )
    if export is not None:
        yield (
            f"\nExported for {export.consumer} as {export.kind}: {export.rows:,} rows, of which "
            f"{export.mixed:,} are ordinary ones that were mixed in; {export.share:.0%} are "
            "synthetic."
        )
        for split, file in export.configs.get("control", {}).items():
            yield (
                f"\n`{_escape_code(file)}` is the matched control of {split}: the same rows with their "
                "original responses, identical in everything else."
            )
        if export.left_out:
            yield "\nLeft out of the export:\n"
            yield from _table_lines(("reason", "rows"), export.left_out.items())
    if quarantined:
        yield "\nQuarantined by the run, not in the data; a row may have several reasons:\n"
        yield from _table_lines(("reason", "rows"), quarantined.most_common())


def _source_lines(
    run: RunFacts, settings: CardSettings, export: ExportFacts | None
) -> Iterator[str]:
    if settings.licence:
        yield f"Licence of this dataset: {_escape_line(settings.licence)}.\n"
    else:
        yield "No licence was stated for this dataset.\n"
    read = run.manifest.get("input")
    names = [read] if isinstance(read, str) else list(read or ())
    names += export.mixed_sources if export else ()
    told = {str(name): settings.sources.get(str(name), "not stated") for name in names}
    told |= settings.sources
    if told:
        yield from _table_lines(("source", "licence"), told.items())


def _generation_lines(facts: CardFacts) -> Iterator[str]:
    for what, counted in (
        ("Generators", facts.generators),
        ("Models", facts.models),
        ("Settings", facts.settings),
    ):
        if counted:
            told = "; ".join(
                f"{_escape_line(name)}" + (f" ({count:,} rows)" if count < facts.rows else "")
                for name, count in counted.most_common()
            )
            yield f"- {what}: {told}"
    if facts.prompts:
        yield "\nPrompts, each with its digest:\n"
        pairs = (name.rpartition(" ") for name in sorted(facts.prompts))
        yield from _table_lines(
            ("prompt", "digest"), ((name, f"`{digest}`") for name, _, digest in pairs)
        )


def _check_lines(facts: CardFacts) -> Iterator[str]:
    if not facts.checks:
        return
    yield "Of the rows here; what failed for good is in no row. Skipped never counts as passed.\n"
    yield "| check | passed | failed | skipped | pass rate |\n|---|---|---|---|---|"
    for name, statuses in sorted(facts.checks.items()):
        made = statuses["passed"] + statuses["failed"]
        rate = f"{statuses['passed'] / made:.1%}" if made else "–"
        yield (
            f"| {_escape_cell(name)} | {statuses['passed']:,} | {statuses['failed']:,} | "
            f"{statuses['skipped']:,} | {rate} |"
        )


def _cost_lines(run: RunFacts) -> Iterator[str]:
    if not run.costs:
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
    for step in run.costs:
        read = sum(int(step[name]) for name in _INPUT_TOKEN_KEYS)
        yield (
            f"| {_escape_cell(step['step'])} | {_escape_cell(step['model'])} | {step['replies']:,} | {read:,} | "
            f"{step['output_tokens']:,} |"
        )


_INPUT_TOKEN_KEYS = ("input_tokens", "cache_read_tokens", "cache_write_tokens")


def _reproduction_lines(run: RunFacts, export: ExportFacts | None) -> Iterator[str]:
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


def _limit_lines(facts: CardFacts) -> Iterator[str]:
    if count := facts.outcomes["annotated"]:
        yield (
            f"- {count:,} rows are `annotated`: sentences of the constitution stand beside the "
            "response, weighed by nobody. They are for trying and reading, not for training."
        )


def _render_section(title: str, lines: Sequence[str] | Iterator[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return f"## {title}\n\n{text}\n" if text else ""


def _table_lines(names: tuple[str, str], rows: Any, *, unknown: int = 0) -> Iterator[str]:
    yield f"| {names[0]} | {names[1]} |\n|---|---|"
    for name, value in rows:
        told = f"{value:,}" if isinstance(value, int) else _escape_cell(value)
        yield f"| {_escape_cell(name)} | {told} |"
    if unknown:
        yield f"| without provenance | {unknown:,} |"


def _count_outcomes(held: Any) -> Counter[str]:
    return Counter(held if isinstance(held, Mapping) else {})


def _escape_line(text: object) -> str:
    """Return a text from the data as a stretch of a line: no markup of its own, no line end."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(str(text).split()))


def _escape_cell(text: object) -> str:
    said = " ".join(str(text).split())
    if said.startswith("`") and said.endswith("`"):
        return f"`{_escape_code(said.strip('`'))}`"
    return _escape_line(said).replace(r"\_", "_")


def _escape_code(text: str) -> str:
    return " ".join(text.replace("`", "'").replace("|", "/").split())


# ---- What a dataset card tells of an export.


def collect_export_facts(
    exported: ExportReport, output: str, form: str | None = None
) -> ExportFacts:
    """Return what a card tells of an export.

    Args:
        exported: Its account.
        output: What the folder or file is called, without its path.
        form: What form of files in a folder was asked for.
    """
    configs: dict[str, dict[str, str]] = {}
    for file in exported.files:
        configs.setdefault("control" if file.is_control else "default", {})[file.split] = file.name
    left = (
        exported.own_counts.excluded
        + exported.own_counts.rejected
        + exported.ordinary_counts.rejected
    )
    return ExportFacts(
        exported.trainer,
        exported.kind,
        exported.rows,
        exported.mixed_rows,
        exported.synthetic_share,
        dict(sorted(left.items())),
        exported.notes,
        _export_command(exported, output, form),
        configs,
        exported.mixed_sources,
    )


def _export_command(exported: ExportReport, output: str, form: str | None) -> list[str]:
    """Return the command of an export, with no path in it."""
    settings = exported.settings
    words = ["whyset", "export", *exported.sources, "-o", output, "--for", exported.trainer]
    words += [word for name in exported.mixed_sources for word in ("--mix", name)]
    values: Mapping[str, Any] = {
        "kind": settings.kind,
        "share": settings.share,
        "split": settings.split,
        "seed": settings.seed or None,
        "format": form,
    }
    for name, value in values.items():
        if value is not None:
            words += [f"--{name}", str(value)]
    for name in ("control", "drop_provenance", "think_tags"):
        if getattr(settings, name):
            words.append(f"--{name.replace('_', '-')}")
    words += [word for name in sorted(settings.include) for word in ("--include", name)]
    return [*words, *(word for name in settings.keep for word in ("--keep", name))]
