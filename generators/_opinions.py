"""What judges answer: points decided one by one, each with a sound value and a fault."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field


class Opinion(BaseModel):
    """What a judge answers; nothing beside its fields is taken."""

    model_config = ConfigDict(extra="forbid")


class PointedVerdict(Opinion):
    """A judge's opinion of a text, point by point.

    A subclass adds the points as fields. A judge's praise is not asked for: a text passes where no
    point speaks against it.
    """

    points: ClassVar[Mapping[str, tuple[bool, str]]] = {}
    """Point → what a sound text gets, and what is wrong with another, for whoever mends it."""

    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put the problems last: a judge answers in the order of the fields, points first."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.__pydantic_fields__["problems"] = cls.__pydantic_fields__.pop("problems")
        cls.model_rebuild(force=True)

    @classmethod
    def sound(cls) -> Self:
        """Return the verdict that nothing speaks against: what a dry run takes for an answer."""
        values = {name: value for name, (value, _) in cls.points.items()}
        return cls.model_validate({**values, "problems": []})

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


def distinct(texts: Iterable[str]) -> list[str]:
    """Return what is said, each once, without needless space; what says nothing is left out."""
    return list(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts))))
