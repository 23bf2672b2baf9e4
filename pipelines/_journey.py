"""A row on its way through its steps, suspended wherever it waits for an answer."""

from whyset.generators import (
    Ask,
    Driven,
    Fetch,
    Find,
    Finished,
    Generator,
    Item,
    Rejected,
    Reply,
    Usage,
)
from whyset.retriever import Grounding

from ._live import Done
from ._rowrecord import RowRecord


class Journey:
    """The steps of one row, which whoever holds it drives.

    Attributes:
        key: What the row's record is kept under.
        wants: What it waits for; `None` once it has ended.
        asked: The key of the ask that it waits for, where that has been sent.
        driven: What the steps ended in.
        done: What became of the row, once it has ended and its record is made.
    """

    __slots__ = ("_steps", "_usage", "asked", "done", "driven", "key", "row", "wants")

    def __init__(self, row: Item, key: str, generator: Generator) -> None:
        """Set out: the steps run to the first thing they want."""
        self.row = row
        self.key = key
        self.asked = ""
        self.driven: Driven[Finished | Rejected] | None = None
        self.done: Done | None = None
        self.wants: Ask | Find | Fetch | None = None
        self._usage = Usage()
        self._steps = generator.steps(row)
        self._advance(None)

    def send(self, answer: Reply | Grounding) -> None:
        """Go on, with what the steps wanted, to the next thing they want."""
        if isinstance(answer, Reply):
            self._usage += answer.usage
        self._advance(answer)

    def fail(self, reason: str, detail: str) -> None:
        """End here: what the steps want is not to be had."""
        self._steps.close()
        self.wants = None
        self.done = Done(self.row, RowRecord.unanswered(reason, detail))

    def _advance(self, answer: Reply | Grounding | None) -> None:
        self.asked = ""
        try:
            self.wants = next(self._steps) if answer is None else self._steps.send(answer)
        except StopIteration as end:
            self.wants = None
            self.driven = Driven(end.value, self._usage)
