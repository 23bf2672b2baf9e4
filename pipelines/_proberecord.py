"""A probe as it comes from outside: what the exported task relies on must be there."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from whyset.errors import RunError

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


def read_probe(record: Mapping[str, Any], *, number: int) -> ProbeRecord:
    """Read a probe.

    Args:
        record: Its columns.
        number: Which it is, from 1, for the message.

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
