"""A dataset card: what rows are, what made them, what became of the others, how to repeat it.

Its text is the template `card.md`; here is what fills it in.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from whyset.datasets.export import ExportReport

from ._facts import CardFacts, RunFacts
from ._header import render_header

_INPUT_TOKEN_KEYS = ("input_tokens", "cache_read_tokens", "cache_write_tokens")

# Left behind by conditions that do not hold; what is filled in has no line ends.
_BLANK_LINES = re.compile(r"\n{3,}")


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
    """What a card says of an export; see `whyset.datasets.export.ExportReport`.

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
    header = render_header(
        title=title,
        licence=settings.licence,
        rows=export.rows if export else facts.rows,
        languages=[language for language, _ in facts.languages.most_common()],
        tags=["whyset", "synthetic", "constitution", *names],
        configs=export.configs if export else {"default": files} if files else {},
    )
    unknown = [("without provenance", facts.unknown)] if facts.unknown else []
    text = _load_template().render(
        title=title,
        facts=facts,
        run=run,
        settings=settings,
        export=export,
        outcomes=[*facts.outcomes.most_common(), *unknown],
        quarantined=_count_reasons(run),
        sources=_list_sources(run, settings, export),
        prompts=[_split_prompt(name) for name in sorted(facts.prompts)],
        checks=list(_iter_check_rows(facts)),
        costs=list(_iter_cost_rows(run)),
        commands=[
            " ".join(shlex.join(words).split())
            for words in (run.command(), export.command if export else ())
            if words
        ],
    )
    body = _BLANK_LINES.sub("\n\n", text).strip("\n")
    return f"{header}\n{body}\n"


@cache
def _load_template() -> Template:
    # Markdown, not HTML: what comes from the data goes through a filter of ours.
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters |= {
        "line": _escape_line,
        "cell": _escape_cell,
        "code": _escape_code,
        "number": "{:,}".format,
        "counted": _join_counts,
    }
    source = resources.files(__package__).joinpath("card.md").read_text(encoding="utf-8")
    return environment.from_string(source)


def _count_reasons(run: RunFacts) -> list[tuple[str, int]]:
    reasons = run.summary.get("reasons")
    return Counter(reasons).most_common() if isinstance(reasons, Mapping) else []


def _list_sources(
    run: RunFacts, settings: CardSettings, export: ExportFacts | None
) -> list[tuple[str, str]]:
    read = run.manifest.get("input")
    names = [read] if isinstance(read, str) else list(read or ())
    names += export.mixed_sources if export else ()
    licences = {str(name): settings.sources.get(str(name), "not stated") for name in names}
    return [*{**licences, **settings.sources}.items()]


def _split_prompt(name_and_digest: str) -> tuple[str, str]:
    name, _, digest = name_and_digest.rpartition(" ")
    return name, f"`{digest}`"


def _iter_check_rows(facts: CardFacts) -> Iterator[tuple[object, ...]]:
    for name, statuses in sorted(facts.checks.items()):
        made = statuses["passed"] + statuses["failed"]
        rate = f"{statuses['passed'] / made:.1%}" if made else "–"
        yield name, statuses["passed"], statuses["failed"], statuses["skipped"], rate


def _iter_cost_rows(run: RunFacts) -> Iterator[tuple[object, ...]]:
    for step in run.costs:
        read = sum(int(step[name]) for name in _INPUT_TOKEN_KEYS)
        yield step["step"], step["model"], step["replies"], read, step["output_tokens"]


def _join_counts(counts: Counter[str], rows: int) -> str:
    """Return names, each with its number of rows where those are not all."""
    return "; ".join(
        _escape_line(name) + (f" ({count:,} rows)" if count < rows else "")
        for name, count in counts.most_common()
    )


def _escape_line(text: object) -> str:
    """Return a text from the data as a stretch of a line: no markup of its own, no line end."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(str(text).split()))


def _escape_cell(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    text = " ".join(str(value).split())
    if text.startswith("`") and text.endswith("`"):
        return f"`{_escape_code(text.strip('`'))}`"
    return _escape_line(text).replace(r"\_", "_")


def _escape_code(text: str) -> str:
    return " ".join(text.replace("`", "'").replace("|", "/").split())


def collect_export_facts(
    exported: ExportReport, output: str, form: str | None = None
) -> ExportFacts:
    """Return what a card says of an export.

    Args:
        exported: What came of it.
        output: What the folder or file is called, without its path.
        form: What form of files in a folder was asked for.
    """
    configs: dict[str, dict[str, str]] = {}
    for file in exported.files:
        configs.setdefault("control" if file.is_control else "default", {})[file.split] = file.name
    own, ordinary = exported.own_counts, exported.ordinary_counts
    left_out = own.excluded + own.rejected + ordinary.rejected
    return ExportFacts(
        exported.trainer,
        exported.kind,
        exported.rows,
        exported.mixed_rows,
        exported.synthetic_share,
        dict(sorted(left_out.items())),
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
