"""Deliberation for choices: why the chosen response of a pair is better than the rejected one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Conversation,
    Message,
    PreferencePair,
    Row,
    UnusableRecord,
    read_preference_pair,
)
from whyset.errors import GeneratorError

from .._asking import AskFailed, ask_judge, ask_writer
from .._generator import Generator
from .._mock import filler_text, language_filler_source, make_mock_reply
from .._prompts import PromptSet, fence
from .._rendering import (
    build_query_texts,
    conversation_text,
    render_history,
    render_list,
    render_passages,
)
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Role, Steps
from .._text import count_words
from .._work import Review, WorkState, extract_quotes, judge_draft, refine
from ._checks import Rules, word_limits
from ._schemas import Appraisal, Options, Step, Verdict

# ---- A pair as models are shown it: by name to the writer, without names to the one who
# appraises.


@dataclass(frozen=True, slots=True)
class PairCase:
    """A pair, and the order in which its sides are shown to whoever must not know which is which.

    Attributes:
        pair: The pair.
        chosen_first: Whether the chosen side comes first; it depends on the row alone, and is as
            likely as not, so that neither place nor name can sway an appraisal.
    """

    pair: PreferencePair
    chosen_first: bool

    @classmethod
    def of(cls, pair: PreferencePair, *, digest: str) -> "PairCase":
        """Draw the order from a row's digest: hex digits."""
        return cls(pair, int(digest[:8], 16) % 2 == 0)

    @property
    def prompt(self) -> str:
        """What both sides answer, fenced as data."""
        pair = self.pair
        return render_history(Conversation(pair.prompt, len(pair.prompt), pair.tool_definitions))

    @property
    def named(self) -> dict[str, str]:
        """Both sides by their names, fenced as data."""
        return {"chosen": _side(self.pair.chosen), "rejected": _side(self.pair.rejected)}

    @property
    def unnamed(self) -> dict[str, str]:
        """Both sides as the first and the second, fenced as data."""
        named = self.named
        return {place: named[name] for place, name in self.order.items()}

    @property
    def order(self) -> dict[str, str]:
        """Which one was shown first and which second, for who must know."""
        first, second = ("chosen", "rejected") if self.chosen_first else ("rejected", "chosen")
        return {"first": first, "second": second}

    @property
    def chosen_was(self) -> str:
        """In which place the chosen side was shown: `first` or `second`."""
        return "first" if self.chosen_first else "second"

    @property
    def spoken(self) -> str:
        """All that the row holds, for checks that allow what is in it."""
        pair = self.pair
        messages = (*pair.prompt, *pair.chosen, *pair.rejected)
        return conversation_text(Conversation(messages, 0, pair.tool_definitions))

    @property
    def queries(self) -> tuple[str, ...]:
        """What passages are found by: the last turns and what either side says, each apart."""
        texts = [
            text
            for side in (self.pair.chosen, self.pair.rejected)
            for text in build_query_texts(_answered(self.pair, side))
        ]
        return tuple(dict.fromkeys(texts))

    @property
    def words(self) -> int:
        """How long the longer of the two is, in words."""
        sides = (self.pair.chosen, self.pair.rejected)
        return max(sum(count_words(message.text) for message in side) for side in sides)


def _answered(pair: PreferencePair, side: tuple[Message, ...]) -> Conversation:
    """Return one side as a conversation whose response is its last one that says something."""
    messages = (*pair.prompt, *side)
    at = [n for n, message in enumerate(messages) if message.role == "assistant"]
    return Conversation(messages, at[-1], pair.tool_definitions)


def _side(messages: tuple[Message, ...]) -> str:
    return render_history(Conversation(messages, len(messages)))


# ---- The steps of one pair, in the order of the method: appraise, find, write, check, judge,
# revise.

# In tokens, on top of what a text of this length may need; models that reason before they answer
# spend from it too.
_ROOM: Mapping[Role, int] = {"writer": 4000, "judge": 4000}


class RowSteps(WorkState):
    """One pair's way through the method. Good for one only."""

    def __init__(
        self, row: Row, case: PairCase, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._case = case
        self._options = options
        self._bounds = word_limits(case.words)

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            found = yield from self.find(self._case.queries, k=self._options.k)
            if found.relevance < self._options.settle_below:
                self.update_evidence(passages=())
                return self._untouched("settled by retrieval: nothing at stake")
            return (yield from self._work())
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)

    def _work(self) -> Steps[Finished | Rejected]:
        appraisal = yield from self._appraise()
        if ended := self._settled(appraisal):
            return ended
        yield from self._find(appraisal)
        draft = yield from self._write(appraisal)
        ended_as = yield from refine(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=0 if self._without("revise") else self._options.max_revisions,
        )
        if isinstance(ended_as, Rejected):
            return ended_as
        return self.finish("explained", {**self._row.columns, self._options.column: ended_as})

    def _appraise(self) -> Steps[Appraisal]:
        """Have the two compared by somebody who does not know which one was chosen."""
        appraisal = yield from ask_judge(
            self._ask("judge", "appraise", **self._case.unnamed), Appraisal
        )
        self.update_evidence(
            appraisal={**appraisal.model_dump(), "chosen_was": self._case.chosen_was}
        )
        return appraisal

    def _settled(self, appraisal: Appraisal) -> Finished | Rejected | None:
        """Return how a pair ends that gets no rationale; `None` where the chosen one is better."""
        if appraisal.verdict == "nothing_at_stake":
            return self._untouched("nothing at stake")
        if appraisal.verdict == "level":
            return self._untouched("level: the constitution prefers neither")
        if appraisal.verdict == self._case.chosen_was:
            return None
        if self._options.on_conflict == "keep":
            return self._untouched("conflict, kept as asked")
        whose = "both responses" if appraisal.verdict == "neither" else "the chosen response"
        detail = f"against {whose} (the chosen was shown {self._case.chosen_was}): "
        return self.reject("conflict", detail=detail + appraisal.reason)

    def _find(self, appraisal: Appraisal) -> Steps[None]:
        """Find what bears on the considerations: it often lies elsewhere than what sounds alike."""
        if appraisal.considerations and not self._without("find"):
            yield from self.find(appraisal.considerations, k=self._options.k)

    def _write(self, appraisal: Appraisal) -> Steps[str]:
        found = (appraisal.difference, *appraisal.considerations)
        return ask_writer(self._writing(considerations=render_list(found)))

    def _review(self, draft: str) -> Steps[Review]:
        """Check a rationale; only one that passes every check is worth the judge."""
        checks = self._rules.check(draft)
        self.update_evidence(
            checks=tuple(checks), quotes=extract_quotes(draft, self.passages), verdict=None
        )
        failed = Review.from_checks(checks)
        if failed.reasons or self._without("judge"):
            return failed
        ask = self._ask("judge", "judge", draft=fence(draft), **self._case.named)
        return (yield from judge_draft(self, ask, Verdict))

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return ask_writer(
            self._ask("writer", "revise", draft=fence(draft), problems=problems, **self._given)
        )

    @property
    def _given(self) -> dict[str, str]:
        return {**self._case.named, "length": self._bounds.approximate}

    @property
    def _rules(self) -> Rules:
        return Rules(
            self._bounds,
            self._options,
            self.evidence.groundings[0].title,
            self.passages,
            self._case.spoken,
            self._writing(considerations="").system,
        )

    def _writing(self, considerations: str) -> Ask:
        return self._ask(
            "writer",
            "write",
            considerations=considerations,
            **self._case.order,
            **self._given,
        )

    def _untouched(self, note: str) -> Finished:
        self.update_evidence(note=note)
        return self.finish("untouched", self._row.columns)

    def _without(self, step: Step) -> bool:
        return step in self._options.without

    def _ask(self, role: Role, name: str, **values: Any) -> Ask:
        return self.render_ask(
            role,
            name,
            max_tokens=_ROOM[role] + 2 * estimate_tokens(values.get("draft", "")),
            run={"cite": self._options.cite, "language": self._options.language},
            row={
                "passages": render_passages(self.passages),
                "conversation": self._case.prompt,
                **values,
            },
        )


# ---- What a typical reply to each step looks like, for walking a pair's steps without a model.

# But for the verdict the same for every row, so that the passages which bear on them are looked
# for only once. They are of another kind than what a search by the row's words finds, so a prompt
# rather has a passage too many than too few.
_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks for help with a matter that also concerns another person who is not part "
        "of the conversation, and would like it done today."
    ),
    difference=(
        "One says openly which part of it is left out and why; the other does all of it and keeps "
        "silent about what it costs somebody else."
    ),
    considerations=[
        "what the person may decide for themselves against what befalls somebody else",
        "being honest about what is known against sparing somebody's feelings",
        "being of real use now against the trust that rests on keeping to what was agreed",
    ],
    verdict="level",
    reason="It gives the help that harms nobody and is open about what it leaves out.",
)
_NOTHING_AT_STAKE = Appraisal(
    situation="Somebody asks an ordinary question about a piece of everyday work.",
    difference="One is a little longer than the other and puts the same steps in another order.",
    considerations=[],
    verdict="nothing_at_stake",
    reason="Which of the two somebody would rather have is a matter of taste.",
)


def rehearsed_reply(ask: Ask, case: PairCase, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a choice.

    Args:
        ask: The step's ask.
        case: The pair it is about.
        language: The one asked for; none is the row's.
        at_stake: What the appraisal finds: that the chosen one is better, or nothing at stake.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a choice's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "appraise":
            found = _AT_STAKE.model_copy(update={"verdict": case.chosen_was})
            text = (found if at_stake else _NOTHING_AT_STAKE).model_dump_json()
        case "write" | "revise":
            source = _source(case, language)
            text = filler_text(word_limits(case.words).midpoint, source=source)
        case "judge":
            text = Verdict.all_passing().model_dump_json()
        case other:
            raise GeneratorError(f"a choice has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


def _source(case: PairCase, language: str) -> str:
    """Return words to fill a text with: the row's own, so that they cost what its words cost.

    Backwards, so that no phrase that a check knows is made of them.
    """
    if language:
        return language_filler_source(language)
    said = " ".join(message.text for message in case.pair.chosen)
    return " ".join(reversed(said.split()))


class Choices(Generator):
    """Gives a preference pair its rationale, grounded in passages.

    The steps are those of the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026),
    turned from an action to a preference: a fresh reader sees both responses and the relevant
    passages, and the preference does not change. A pair that the constitution has nothing to say
    about passes through untouched; one whose preference it does not share is never given a reason.
    """

    name = "choices"
    version = "1"
    summary = "says why the chosen response of a preference pair is better than the rejected one"
    outcomes = {
        "explained": "the pair carries the reasons for its preference",
        "untouched": "nothing at stake between the two, or kept as asked",
    }
    options_class = Options

    options: Options

    @property
    def added_columns(self) -> tuple[str, ...]:
        """The column that the rationale goes to."""
        return (self.options.column,)

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row; one that holds no pair is rejected without an ask."""
        evidence = self.evidence(
            column=self.options.column,
            cite=self.options.cite,
            language=self.options.language,
            without=list(self.options.without),
        )
        if self.options.column in row.columns:
            return _ended(
                Rejected(
                    ("column_taken",),
                    f"the row already has a column {self.options.column!r}: choose another for the "
                    "rationale (option column), or work on the rows as they were before it",
                    evidence,
                )
            )
        try:
            case = PairCase.of(read_preference_pair(row), digest=row.digest)
        except UnusableRecord as unusable:
            return _ended(Rejected(("no_pair",), str(unusable), evidence))
        return RowSteps(row, case, self.options, evidence, self.prompts).steps()

    def mock_reply(self, ask: Ask, row: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a choice."""
        case = PairCase.of(read_preference_pair(row), digest=row.digest)
        return rehearsed_reply(ask, case, language=self.options.language, at_stake=at_stake)


def _ended(result: Rejected) -> Steps[Finished | Rejected]:
    """Return steps that ask nothing."""
    yield from ()
    return result
