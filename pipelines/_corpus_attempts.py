"""The values: attempts at the documents of a plan, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from whyset.datasets import quarantine_line
from whyset.generators import Brief

from .planning import Context

NEAR_DUPLICATE = "near_duplicate"
NO_IDEA = "no_idea"
HELD_OUT = "check:no_eval_scenario"

Stage = Literal["idea", "document"]
"""How far an attempt came."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a document.

    Attributes:
        slot: The document's number in the plan.
        context: What it is written from.
        stage: How far it came.
        brief: What was asked for.
        outcome: The generator's word for what it wrote; `quarantined` where it was rejected.
        line: The document as it is to be written; `None` where it was rejected.
        number: Its line in the output, from 1; 0 where it was rejected.
        tokens: How many tokens it says, estimated.
        reasons: Why it was rejected: one word each, to be counted.
        detail: The same for a person.
        known: What else the quarantine tells of it.
        given_up: Whether nothing more is tried for this document.
        reused: Whether its result was made in an earlier run.
    """

    slot: int
    context: Context
    stage: Stage
    brief: Brief
    outcome: str
    line: bytes | None = None
    number: int = 0
    tokens: int = 0
    reasons: tuple[str, ...] = ()
    detail: str = ""
    known: Mapping[str, Any] | None = None
    given_up: bool = False
    reused: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the document is in the output."""
        return self.line is not None

    def quarantine_line(self) -> bytes:
        """Return the line of the quarantine file: the brief, and why it came to nothing."""
        known: dict[str, Any] = {} if self.known is None else {"whyset": dict(self.known)}
        return quarantine_line(
            self.slot,
            self.reasons,
            self.brief.columns,
            stage=self.stage,
            detail=self.detail,
            **known,
        )
