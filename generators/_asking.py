"""Steps within steps: finds, and asks that are repeated once when the answer cannot be used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.retriever import Grounding

from ._steps import Ask, Fetch, Find, Reply, Steps

# ---- What judges answer: points decided one by one, each with a sound value and a fault.


class JudgeAnswer(BaseModel):
    """What a judge answers; nothing beside its fields is taken."""

    model_config = ConfigDict(extra="forbid")


class PointedVerdict(JudgeAnswer):
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
    def all_passing(cls) -> Self:
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


def deduplicate_texts(texts: Iterable[str]) -> list[str]:
    """Return what is said, each once, without needless space; what says nothing is left out."""
    return list(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts))))


Answer = TypeVar("Answer", bound=BaseModel)


class AskFailed(Exception):
    """An ask that got no usable answer; a generator turns it into a rejection.

    Attributes:
        reason: One word for the count of reasons: `refused`, `truncated`, `unreadable_verdict`
            or `unusable_reply`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
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
        Unanswered: No complete answer came.
    """
    reply = yield from _ask_until_complete(ask)
    return reply.text.strip()


def ask_judge(ask: Ask, schema: type[Answer]) -> Steps[Answer]:
    """Ask a judge; where its answer does not fit the schema, ask once more.

    Raises:
        Unanswered: No complete answer came, or neither fits. A failed judge is no verdict.
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


def with_fresh_sample(ask: Ask, attempt: int) -> Ask:
    """Return an ask that is answered anew at each attempt, though it asks the same again.

    Two samples an attempt: where an answer does not fit, `ask_judge` asks once more.
    """
    return replace(ask, sample=2 * attempt)


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
