"""What judges answer: points decided one by one, each with a sound value and a fault."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Opinion(BaseModel):
    """What a judge answers; nothing beside its fields is taken."""

    model_config = ConfigDict(extra="forbid")


class PointedVerdict(Opinion):
    """A judge's opinion of a text, point by point. A subclass adds the points as fields.

    A judge's praise is not asked for: a text passes where no point speaks against it.
    """

    points: ClassVar[Mapping[str, tuple[bool, str]]] = {}
    """Point → what a sound text gets, and what is wrong with another, for whoever mends it."""

    problems: list[str]

    @property
    def passes(self) -> bool:
        """Whether no point speaks against the text."""
        return not self.faults

    @property
    def faults(self) -> dict[str, str]:
        """The points that speak against the text: name → the fault."""
        return {
            name: fault
            for name, (sound, fault) in self.points.items()
            if getattr(self, name) is not sound
        }
