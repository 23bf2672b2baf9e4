"""What judges answer, and asks that are repeated once when the answer cannot be used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.retriever import Grounding

from ._steps import Ask, Fetch, Find, Reply, Steps


class JudgeAnswer(BaseModel):
    """What a judge answers; nothing beside its fields is taken."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def example(cls, *, at_stake: bool = True) -> Self:
        """Return a typical answer, which stands for a model's in a dry run.

        Args:
            at_stake: Whether the item is to be worked on in full, or as little as can be.
        """
        raise NotImplementedError(f"{cls.__name__} has no example")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a judge decides about a text; see `point`.

    Attributes:
        sound: What a sound text gets.
        question: What the judge is asked, as the prompt says it behind the point's name.
        fault: What is wrong with a text that gets the other value, for whoever revises it.
    """

    sound: bool
    question: str
    fault: str


def point(*, sound: bool, question: str, fault: str) -> Any:
    """Return the field of a `PointedVerdict` that is one of its points.

    The prompt that asks for the verdict lists the points where it has `{{ Verdict.points }}`, with
    the name of the class. Nothing of it is in the JSON schema but a field that is true or false.

    Args:
        sound: What a sound text gets.
        question: What the judge is asked, to stand behind the field's name in the prompt.
        fault: What is wrong with a text that gets the other value, for whoever revises it.
    """
    field = Field()
    field.metadata.append(Point(sound, question, fault))
    return field


class PointedVerdict(JudgeAnswer):
    """A judge's opinion of a text, point by point: a subclass's fields made by `point`.

    A judge's praise is not asked for: a text passes where no point speaks against it.
    """

    points: ClassVar[Mapping[str, Point]] = {}
    """Every point by the name of its field, in the order of the fields."""

    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Put the problems last: a judge answers in the order of the fields, points first."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.__pydantic_fields__["problems"] = cls.__pydantic_fields__.pop("problems")
        cls.model_rebuild(force=True)
        cls.points = {
            name: found
            for name, field in cls.__pydantic_fields__.items()
            for found in field.metadata
            if isinstance(found, Point)
        }

    @classmethod
    def example(cls, *, at_stake: bool = True) -> Self:
        """Return the verdict that nothing speaks against."""
        return cls.model_validate(
            {name: point.sound for name, point in cls.points.items()} | {"problems": []}
        )

    @classmethod
    def render_points(cls) -> str:
        """Return the points that this class adds to its base's, as a prompt lists them."""
        inherited = next(base for base in cls.__mro__[1:] if issubclass(base, PointedVerdict))
        return "\n".join(
            f"- `{name}`: {point.question}"
            for name, point in cls.points.items()
            if name not in inherited.points
        )

    @property
    def passes(self) -> bool:
        """Whether no point speaks against the text."""
        return not self.faults

    @property
    def faults(self) -> dict[str, str]:
        """The points that speak against the text: name → the fault."""
        return {
            name: point.fault
            for name, point in self.points.items()
            if getattr(self, name) is not point.sound
        }


Answer = TypeVar("Answer", bound=BaseModel)


class ItemRejected(Exception):
    """Raised anywhere in an item's steps: it ends in quarantine; see `WorkState.conclude`.

    Attributes:
        reasons: One word each, to be counted.
    """

    def __init__(self, *reasons: str, detail: str) -> None:
        super().__init__(detail)
        self.reasons = reasons


class AskFailed(ItemRejected):
    """An ask that got no usable answer.

    Attributes:
        reason: One word for the count of reasons: `refused`, `truncated`, `unreadable_verdict`
            or `unusable_reply`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail=detail)
        self.reason = reason


def request_passages(request: Find | Fetch) -> Steps[Grounding]:
    """Request passages."""
    sent = yield request
    if not isinstance(sent, Grounding):
        raise TypeError(f"a {type(request).__name__} is answered with a Grounding, not {sent!r}")
    return sent


def ask_writer(ask: Ask) -> Steps[str]:
    """Ask a writer; where its answer was cut off, ask once more with twice the room.

    Raises:
        AskFailed: No complete answer came.
    """
    reply = yield from _ask_until_complete(ask)
    return reply.text.strip()


def ask_judge(ask: Ask, schema: type[Answer]) -> Steps[Answer]:
    """Ask for an answer by a schema; where it does not fit, ask once more.

    Raises:
        AskFailed: No complete answer came, or neither fits. A failed judge is no verdict.
    """
    problems: Sequence[str] = ()
    for sample in (0, 1):
        reply = yield from _ask_until_complete(
            replace(ask, schema=schema, sample=ask.sample + sample)
        )
        try:
            return schema.model_validate_json(reply.text)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            problems = [f"{'.'.join(map(str, p['loc'])) or 'answer'}: {p['msg']}" for p in found]
    raise AskFailed("unreadable_verdict", f"{ask.step}: {'; '.join(problems)}")


def ask_model(ask: Ask) -> Steps[Reply]:
    """Ask once and take what comes; whether it can be used is the caller's to say."""
    sent = yield ask
    if not isinstance(sent, Reply):
        raise TypeError(f"an Ask is answered with a Reply, not {sent!r}")
    return sent


def is_usable_text(text: str) -> bool:
    """Say whether there is something in an answer, and nothing that no file can hold."""
    try:
        return bool(text.encode().strip())
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def deduplicate_texts(texts: Iterable[str]) -> list[str]:
    """Return texts once each, without needless space; empty ones are left out."""
    return list(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts))))


def _ask_until_complete(ask: Ask) -> Steps[Reply]:
    reply = yield from ask_model(ask)
    if reply.stop_reason == "truncated":
        reply = yield from ask_model(replace(ask, max_tokens=2 * ask.max_tokens))
    if reply.stop_reason == "complete":
        if is_usable_text(reply.text):
            return reply
        raise AskFailed("unusable_reply", f"{ask.step}: {reply.detail or 'an empty answer'}")
    reason = "unusable_reply" if reply.stop_reason == "other" else reply.stop_reason
    raise AskFailed(reason, f"{ask.step}: {reply.detail or reply.stop_reason}")
