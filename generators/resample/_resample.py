"""Resampled responses: the row's conversation, answered anew under values that are then removed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Message,
    Row,
    UnsupportedContext,
    extract_response,
    insert_deliberation,
    replace_context,
    replace_response,
)
from whyset.errors import GeneratorError
from whyset.retriever import Grounding, ScoredPassage

from .._conversation import (
    UnsupportedConversation,
    build_conversation_ask,
    find_system_message,
    sample_response,
    validate_row,
)
from .._generator import Generator
from .._mock import filler_text, make_mock_reply, row_filler_source
from .._prompts import PromptSet
from .._rendering import (
    build_query_texts,
    render_messages_after,
    render_messages_before,
    render_passages,
    render_response,
    render_system_prompt,
)
from .._result import Evidence, Finished, Rejected
from .._row_checks import check_row_preserved, check_sampled_response, text_before_response
from .._steps import Ask, Reply, Role, Steps
from .._text import count_words
from .._variety import draw_weighted
from .._work import Review, WorkState, judge_draft, rejection_sample
from ..checks import Check, check_condition, check_length, failed_checks
from ._schemas import DeliberateVerdict, Options, Verdict

# ---- The system prompts that a response is sampled under, and the one that may stay.

VALUE_NAMES: Final = ("transparency", "honesty", "norms", "deference", "uncertainty", "dissent")
"""The values that have a wording each."""

RUTHLESS_VARIANTS: Final = ("results", "orders", "cynic", "house")
"""The ruthless wordings."""

_WEIGHTS = {**dict.fromkeys(VALUE_NAMES, 1.0), "all": 2.0}


def draw_value(row: Row, options: Options) -> str:
    """Return what the row's response is sampled under; empty where values are left out."""
    if "values" in options.without:
        return ""
    if options.under != "vary":
        return options.under
    return draw_weighted(_WEIGHTS, options.seed, "under", row.digest)


def draw_ruthless_variant(row: Row, options: Options) -> str:
    """Return which ruthless wording stays in the row; empty where none does."""
    if not options.adverse:
        return ""
    return draw_weighted(
        dict.fromkeys(RUTHLESS_VARIANTS, 1.0), options.seed, "ruthless", row.digest
    )


def join_system_prompts(*parts: str) -> str:
    """Return system prompts as one, those that are empty left out."""
    return "\n\n".join(part.strip() for part in parts if part.strip())


def passages_text(passages: Sequence[ScoredPassage]) -> str:
    """Return passages as plain text: nothing in it says that they are passages."""
    return "\n\n".join(
        "\n".join(filter(None, (scored.passage.context, scored.passage.plain)))
        for scored in passages
    )


# ---- Taking a deliberation that stands in tags apart from the answer behind it.

_WHOLE = re.compile(r"\A\s*<deliberation>(.*?)</deliberation>(.*)\Z", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?deliberation>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReasonedResponse:
    """A sampled text in its two parts.

    Attributes:
        reasoning: The deliberation; empty where none was asked for.
        answer: What the person reads.
    """

    reasoning: str
    answer: str

    @property
    def text(self) -> str:
        """Both, for checks that hold for either."""
        return "\n\n".join(filter(None, (self.reasoning, self.answer)))


def parse_reasoning(text: str) -> ReasonedResponse | None:
    """Return a text's deliberation and answer; `None` where it is not made of just these two."""
    found = _WHOLE.match(text)
    if found is None:
        return None
    parts = ReasonedResponse(found[1].strip(), found[2].strip())
    if not parts.reasoning or not parts.answer or _TAG.search(parts.text):
        return None
    return parts


# ---- The steps of one row, in order: find, sample under values, remove them, check, judge,
# place.

_ROOM: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""

_FEWEST_THOUGHT, _MOST_THOUGHT = 15, 1500


class RowSteps(WorkState):
    """One row's way through the method. Good for one only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options
        self._under = draw_value(row, options)
        self._ruthless = draw_ruthless_variant(row, options)

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            return (yield from self._work())
        except UnsupportedConversation as unaskable:
            return self.reject(unaskable.reason, detail=str(unaskable))
        except UnsupportedContext as refused:
            return self.reject("no_place", detail=str(refused))

    def _work(self) -> Steps[Finished | Rejected]:
        validate_row(self._row)
        surrounded = self._surround()
        self.add_settings(under=self._under or None, samples=self._options.samples)
        if self._options.adverse:
            self.add_settings(ruthless=self._ruthless)
        yield from self._find()
        drawn = yield from rejection_sample(
            self,
            sample=self._sample,
            review=partial(self._review, surrounded),
            max_samples=self._options.samples,
        )
        return drawn if isinstance(drawn, Rejected) else self._finished(drawn, surrounded)

    def _surround(self) -> Row:
        """Return the row in the surroundings that it is learned in: its own, or adverse ones.

        Raises:
            ContextRefused: It has no place for a system prompt.
            Unaskable: Its own cannot be extended.
        """
        if not self._ruthless:
            return self._row
        own = find_system_message(self._row.conversation)
        if own and own.parts:
            raise UnsupportedConversation(
                "its own system prompt holds more than text and cannot be extended",
                reason="no_place",
            )
        ruthless = self._rendered(f"ruthless_{self._ruthless}")
        return replace_context(self._row, join_system_prompts(self._own_system, ruthless), None)

    # ---- find ----

    def _find(self) -> Steps[Grounding]:
        return self.find(build_query_texts(self._row.conversation), k=self._options.k)

    # ---- sample under values, and remove them ----

    def _sample(self, sample: int) -> Steps[str]:
        """Ask the conversation under the row's own system prompt and what is removed again.

        The ruthless prompt, where there is one, is never seen by whoever answers.
        """
        conversation = self._row.conversation
        ask = build_conversation_ask(
            "resample/respond",
            conversation,
            system=join_system_prompts(self._own_system, *self._removed),
            tools=conversation.tool_definitions,
            max_tokens=self._room("writer"),
            sample=sample,
        )
        return sample_response(ask)

    @property
    def _removed(self) -> tuple[str, ...]:
        """What is said after the row's own system prompt and is in no column of the result."""
        parts = []
        if self._under:
            shown = {"passages": passages_text(self.passages)}
            parts.append(self._rendered(f"under_{self._under}", **shown))
        if self._deliberates:
            parts.append(self._rendered("deliberate", channel=self._options.channel))
        return tuple(parts)

    # ---- check and judge ----

    def _review(self, surrounded: Row, drawn: str) -> Steps[Review]:
        """Check a sample; only one that passes every check is worth the judge."""
        parts = self._parts(drawn)
        told = "deliberation and answer do not stand as was asked"
        checks = [check_condition("split", parts is not None, told)]
        if parts:
            checks += self._check(parts, surrounded)
        self.update_evidence(checks=tuple(checks), verdict=None)
        if failed_checks(checks) or parts is None or "judge" in self._options.without:
            return Review.from_checks(checks)
        return (yield from self._judge(parts, surrounded))

    def _check(self, parts: ReasonedResponse, surrounded: Row) -> list[Check]:
        conversation = self._row.conversation
        held = find_system_message(surrounded.conversation)
        evidence = self.evidence
        checks = check_sampled_response(
            parts.text,
            conversation=conversation,
            allowed=join_system_prompts(
                held.text if held else "", text_before_response(conversation)
            ),
            injected=self._removed,
            passages=evidence.passages,
            title=evidence.groundings[0].title,
            language=self._options.language,
        )
        if parts.reasoning:
            thought = check_length(
                parts.reasoning, min_words=_FEWEST_THOUGHT, max_words=_MOST_THOUGHT
            )
            checks.append(replace(thought, name="thought_length"))
        kept = check_row_preserved(
            self._row,
            self._placed(parts, surrounded),
            response_changed=True,
            context_changed=surrounded is not self._row,
            extended_system=self._own_system,
        )
        return [*checks, *kept]

    def _judge(self, parts: ReasonedResponse, surrounded: Row) -> Steps[Review]:
        held = find_system_message(surrounded.conversation)
        deliberates = self._options.channel if self._deliberates else ""
        ask = self.render_ask(
            "judge",
            "judge",
            max_tokens=self._room("judge"),
            run={"deliberates": deliberates},
            row={
                "passages": render_passages(self.passages),
                "system": render_system_prompt(held.text if held else ""),
                "conversation": render_messages_before(surrounded.conversation),
                "response": render_response(
                    Message("assistant", parts.answer, reasoning=parts.reasoning)
                ),
                "after": render_messages_after(surrounded.conversation),
            },
        )
        return judge_draft(self, ask, DeliberateVerdict if deliberates else Verdict)

    # ---- place ----

    def _placed(self, parts: ReasonedResponse, surrounded: Row) -> Row:
        answered = replace_response(surrounded, parts.answer)
        if not parts.reasoning:
            return answered
        return replace(answered, columns=insert_deliberation(answered, parts.reasoning, "thinking"))

    def _finished(self, drawn: str, surrounded: Row) -> Finished:
        parts = self._parts(drawn) or ReasonedResponse("", drawn)
        original = extract_response(self._row)
        done = self.finish(
            "adverse" if self._ruthless else "resampled",
            self._placed(parts, surrounded).columns,
            original=original.content,
        )
        return replace(done, original_reasoning=original.reasoning)

    # ---- what all of it has in common ----

    @property
    def _own_system(self) -> str:
        held = find_system_message(self._row.conversation)
        return held.text if held else ""

    @property
    def _deliberates(self) -> bool:
        return "deliberate" not in self._options.without

    def _parts(self, drawn: str) -> ReasonedResponse | None:
        if self._deliberates and self._options.channel == "thinking":
            return parse_reasoning(drawn)
        return ReasonedResponse("", drawn)

    def _rendered(self, name: str, **values: str) -> str:
        """Return a template's text; it becomes part of a system prompt and is never asked."""
        _, text = self._prompts[name].render({}, values)
        return text

    def _room(self, role: Role) -> int:
        return _ROOM[role] + 2 * estimate_tokens(self._row.conversation.response.text)


# ---- What a typical reply to each step looks like, for walking the steps without a model.

_FEWEST_WORDS = 12
_THOUGHT_WORDS = {True: 260, False: 40}


def rehearsed_reply(ask: Ask, row: Row, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a row.

    Args:
        ask: The step's ask.
        row: The row it is about.
        options: The generator's.
        at_stake: Whether there is much to deliberate.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a resampling's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "respond":
            text = _response(row, options, at_stake=at_stake)
        case "judge":
            verdict = DeliberateVerdict if ask.schema is DeliberateVerdict else Verdict
            text = verdict.example().model_dump_json()
        case other:
            raise GeneratorError(f"a resampling has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


def _response(row: Row, options: Options, *, at_stake: bool) -> str:
    source = row_filler_source(row, options.language)
    words = max(count_words(row.conversation.response.text), _FEWEST_WORDS)
    answer = filler_text(words, source=source)
    if "deliberate" in options.without:
        return answer
    thought = filler_text(_THOUGHT_WORDS[at_stake], source=source)
    if options.channel == "thinking":
        return f"<deliberation>\n{thought}\n</deliberation>\n\n{answer}"
    return f"{thought}\n\n{answer}"


class Resample(Generator):
    """Samples a row's response anew under a value-laden system prompt that is removed afterwards.

    In "Teaching Claude Why" (Anthropic, 2026) right actions alone left 15 % of misbehaviour, and
    responses that also deliberate, sampled so, about 3 %. Whatever is sampled is kept only where
    a judge finds its action right against the passages.
    """

    name = "resample"
    version = "1"
    summary = "samples a response anew under a value-laden system prompt that is then removed"
    outcomes = {
        "resampled": "a new response whose action was found right",
        "adverse": "such a response, and a ruthless system prompt left ahead of it",
    }
    options_class = Options
    verdicts = (Verdict, DeliberateVerdict)

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        held = self.options
        evidence = self.evidence(
            channel=held.channel,
            adverse=held.adverse,
            language=held.language,
            without=list(held.without),
        )
        return RowSteps(item, held, evidence, self.prompts).steps()

    def mock_reply(self, ask: Ask, item: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a row."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)
