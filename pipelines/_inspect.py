"""Probes as a task that Inspect runs: the probes, the task and the prompt of its grader."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from whyset.datasets import DatasetError, LineWriter, dumps
from whyset.errors import RunError

# ---- A probe as it comes from outside: what the exported task relies on must be there.

_LETTERS = "ABCDEFGH"


class _Quote(BaseModel):
    passage: str
    text: str


class _Passage(BaseModel):
    id: str
    path: list[str]
    text: str = Field(min_length=1)


class _Constitution(BaseModel):
    title: str
    sha256: str


class _Metadata(BaseModel):
    kind: Literal["recall", "false_premise", "open_ended"]
    format: Literal["free", "cloze", "true_false", "multiple_choice"]
    named_input: str = Field(min_length=1)
    passages: list[_Passage] = Field(min_length=1)
    quotes: list[_Quote] = Field(min_length=1)
    reference: str = Field(min_length=1)
    criteria: list[str] = Field(min_length=1)
    constitution: _Constitution
    premise: str = ""
    correction: str = ""

    @model_validator(mode="after")
    def _corrected(self) -> Self:
        if self.kind == "false_premise" and not (self.premise and self.correction):
            raise ValueError("a false premise needs `premise` and `correction`")
        return self


class ProbeRecord(BaseModel):
    """A probe; what it has beside these fields is kept as it is."""

    id: str = Field(min_length=1)
    input: str = Field(min_length=1)
    target: str | list[str] = Field(min_length=1)
    choices: list[str] | None = None
    metadata: _Metadata

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if self.metadata.format in {"true_false", "multiple_choice"}:
            letters = _LETTERS[: len(self.choices or ())]
            if not (isinstance(self.target, str) and len(self.target) == 1):
                raise ValueError("the target of a choice is one letter")
            if self.target not in letters:
                raise ValueError(
                    f"the target {self.target!r} is none of the {len(letters)} choices"
                )
        elif self.choices:
            raise ValueError(f"a {self.metadata.format} probe has no choices")
        return self


def parse_probe(record: Mapping[str, Any], *, number: int) -> ProbeRecord:
    """Read a probe.

    Raises:
        RunError: It is none.
    """
    try:
        return ProbeRecord.model_validate(dict(record))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"probe {number}: {f'{where}: ' if where else ''}{first['msg']}; records come from the "
            "generator probe"
        ) from error


PROBES_FILE = "probes.jsonl"
"""The file with the probes."""

_TEMPLATES = {"task.py": "task.py.txt", "grade.md": "grade.md"}
"""What stands beside it, by the name it ships under: a task that no type checker of ours sees."""


@dataclass(frozen=True, slots=True)
class InspectExport:
    """What was written.

    Attributes:
        folder: Where.
        probes: How many.
        kinds: Kind → how many of them.
        formats: Format → how many of them.
    """

    folder: Path
    probes: int
    kinds: Mapping[str, int]
    formats: Mapping[str, int]

    @property
    def command(self) -> str:
        """What to run."""
        return f"inspect eval {self.folder / 'task.py'} --model PROVIDER/MODEL"


def export_inspect(
    records: Iterable[Mapping[str, Any]], folder: str | Path, *, replace: bool = False
) -> InspectExport:
    """Write probes as a task that `inspect eval` runs; whyset is not needed to run it.

    The folder gets `probes.jsonl`, `task.py` and `grade.md`; it may hold other files. All three
    appear once all of them are whole. A `probes.jsonl` that is there is replaced.

    Args:
        records: What the generator `probe` finished: its columns, with or without provenance.
        folder: Where to; it is made where it does not exist.
        replace: Whether a `task.py` or `grade.md` that somebody has changed is replaced too.

    Raises:
        RunError: A record is no probe, two have one id, there is none, somebody has changed what
            would be replaced, or the folder cannot be written to.
    """
    target = Path(folder)
    shipped = {name: _load_template(source) for name, source in _TEMPLATES.items()}
    if not replace:
        _require_unchanged(target, shipped)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{target}: cannot be made a folder: {error.strerror or error}") from error
    try:
        with ExitStack() as stack:
            writers = []
            for name, text in shipped.items():
                writer = stack.enter_context(LineWriter(target / name))
                writer.write(text.rstrip("\n").encode())
                writers.append(writer)
            probes = stack.enter_context(LineWriter(target / PROBES_FILE))
            kinds, formats = _write_probes(records, probes)
            writers.append(probes)
            for writer in writers:
                writer.prepare()
            for writer in writers:
                writer.commit()
    except DatasetError as error:
        raise RunError(str(error)) from error
    return InspectExport(target, kinds.total(), kinds, formats)


def _write_probes(
    records: Iterable[Mapping[str, Any]], probes: LineWriter
) -> tuple[Counter[str], Counter[str]]:
    kinds: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    numbers: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        probe = parse_probe(record, number=number)
        if (first := numbers.setdefault(probe.id, number)) != number:
            raise RunError(
                f"probe {number}: has the id {probe.id!r}, as probe {first} has; leave one of "
                "them out"
            )
        probes.write(dumps(dict(record)))
        kinds[probe.metadata.kind] += 1
        formats[probe.metadata.format] += 1
    if not kinds:
        raise RunError("there is no probe to export: write some first, with the generator probe")
    return kinds, formats


def _require_unchanged(folder: Path, shipped: Mapping[str, str]) -> None:
    for name, text in shipped.items():
        path = folder / name
        try:
            changed = path.exists() and path.read_bytes() != text.encode()
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
        if changed:
            raise RunError(
                f"{path}: is not what would be written here, so it may have been edited; move "
                "it away, or ask for it to be replaced"
            )


def _load_template(name: str) -> str:
    folder = resources.files(__package__).joinpath("inspect_task")
    return folder.joinpath(name).read_text(encoding="utf-8")
