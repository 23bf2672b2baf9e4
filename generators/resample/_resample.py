"""Resampled responses: the row's conversation, answered anew under values that are then removed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import BaseModel

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
from whyset.retriever import ScoredPassage

from .._asking import ItemRejected
from .._conversation import (
    UnsupportedConversation,
    build_conversation_ask,
    find_system_message,
    sample_response,
    validate_row,
)
from .._generator import Generator
from .._mock import filler_text, row_filler_source
from .._rendering import (
    build_query_texts,
    render_messages_after,
    render_messages_before,
    render_response,
    render_system_prompt,
)
from .._result import Finished, Rejected
from .._row_checks import check_row_preserved, check_sampled_response, text_before_response
from .._steps import Ask, Role, Steps
from .._text import count_words
from .._variety import draw_weighted
from .._work import Review, WorkState
from ..checks import Check, check_condition, check_length
from ._schemas import DeliberateVerdict, Options, Verdict

_MAX_TOKENS: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""In tokens, beyond twice the row's own response; reasoning spends from it too."""

_MIN_REASONING_WORDS, _MAX_REASONING_WORDS = 15, 1500

# What a typical answer has.
_MIN_RESPONSE_WORDS = 12
_REASONING_WORDS = {True: 260, False: 40}


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
        "resampled": "a new response whose action was judged right",
        "adverse": "such a response, and a ruthless system prompt left ahead of it",
    }
    options_class = Options
    verdicts = (Verdict, DeliberateVerdict)
    recorded_options = ("channel", "adverse", "language", "without")

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        options = self.options
        reasoned = "deliberate" not in options.without
        length = 2 * estimate_tokens(item.conversation.response.text)
        work = self.begin(
            run={"deliberates": options.channel if reasoned else ""},
            max_tokens={role: room + length for role, room in _MAX_TOKENS.items()},
        )
        return work.conclude(_Response(item, options, work).steps())

    def typical_answer(self, ask: Ask, item: Row, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; a response is as long as the row's own."""
        if ask.name != "respond":
            return super().typical_answer(ask, item, at_stake=at_stake)
        source = row_filler_source(item, self.options.language)
        words = max(count_words(item.conversation.response.text), _MIN_RESPONSE_WORDS)
        answer = filler_text(words, source=source)
        if "deliberate" in self.options.without:
            return answer
        reasoning = filler_text(_REASONING_WORDS[at_stake], source=source)
        if self.options.channel == "thinking":
            return f"<deliberation>\n{reasoning}\n</deliberation>\n\n{answer}"
        return f"{reasoning}\n\n{answer}"


class _Response:
    """One row's way: find → sample under values → remove them → check → judge → place."""

    def __init__(self, row: Row, options: Options, work: WorkState) -> None:
        self._row = row
        self._options = options
        self._work = work
        self._under = draw_value(row, options)
        self._ruthless = draw_ruthless_variant(row, options)
        self._reasoned = "deliberate" not in options.without

    def steps(self) -> Steps[Finished]:
        validate_row(self._row)
        self._target = self._place()
        self._work.add_settings(under=self._under or None, samples=self._options.samples)
        if self._options.adverse:
            self._work.add_settings(ruthless=self._ruthless)
        yield from self._work.find(build_query_texts(self._row.conversation), k=self._options.k)
        text = yield from self._work.rejection_sample(
            sample=self._sample, review=self._review, max_samples=self._options.samples
        )
        original = extract_response(self._row)
        return self._work.finish(
            "adverse" if self._ruthless else "resampled",
            self._answer(self._parse(text) or ReasonedResponse("", text)).columns,
            original=original.content,
            original_reasoning=original.reasoning,
        )

    def _place(self) -> Row:
        """Return the row in the context that its response is learned in: its own, or adverse."""
        if not self._ruthless:
            return self._row
        own = find_system_message(self._row.conversation)
        if own and own.parts:
            raise UnsupportedConversation(
                "its own system prompt holds more than text and cannot be extended",
                reason="no_place",
            )
        ruthless = self._work.render_text(f"ruthless_{self._ruthless}")
        try:
            return replace_context(
                self._row, join_system_prompts(_system(self._row), ruthless), None
            )
        except UnsupportedContext as unsupported:
            raise ItemRejected("no_place", detail=str(unsupported)) from unsupported

    def _sample(self, sample: int) -> Steps[str]:
        """Ask the conversation under the row's own system prompt and what is removed again.

        The ruthless prompt, where there is one, is never seen by whoever answers.
        """
        conversation = self._row.conversation
        ask = build_conversation_ask(
            "resample/respond",
            conversation,
            system=join_system_prompts(_system(self._row), *self._removed),
            tools=conversation.tool_definitions,
            max_tokens=self._work.max_tokens["writer"],
            sample=sample,
        )
        return sample_response(ask)

    @property
    def _removed(self) -> tuple[str, ...]:
        """What is said after the row's own system prompt and is in no column of the result."""
        parts = []
        if self._under:
            shown = {"passages": passages_text(self._work.passages)}
            parts.append(self._work.render_text(f"under_{self._under}", shown))
        if self._reasoned:
            channel = {"channel": self._options.channel}
            parts.append(self._work.render_text("deliberate", channel))
        return tuple(parts)

    def _review(self, text: str) -> Steps[Review]:
        response = self._parse(text)
        checks = [
            check_condition(
                "split", response is not None, "deliberation and answer do not stand as was asked"
            )
        ]
        if response is None:
            response = ReasonedResponse("", text)
        else:
            checks += self._check(response)
        target = self._target.conversation
        message = Message("assistant", response.answer, reasoning=response.reasoning)
        return self._work.review(
            checks,
            DeliberateVerdict if self._reasoned else Verdict,
            {
                "system": render_system_prompt(_system(self._target)),
                "conversation": render_messages_before(target),
                "response": render_response(message),
                "after": render_messages_after(target),
            },
        )

    def _check(self, response: "ReasonedResponse") -> list[Check]:
        conversation = self._row.conversation
        checks = check_sampled_response(
            response.text,
            conversation=conversation,
            allowed=join_system_prompts(_system(self._target), text_before_response(conversation)),
            injected=self._removed,
            passages=self._work.passages,
            title=self._work.title,
            language=self._options.language,
        )
        if response.reasoning:
            length = check_length(
                response.reasoning,
                min_words=_MIN_REASONING_WORDS,
                max_words=_MAX_REASONING_WORDS,
            )
            checks.append(replace(length, name="thought_length"))
        preserved = check_row_preserved(
            self._row,
            self._answer(response),
            response_changed=True,
            context_changed=self._target is not self._row,
            extended_system=_system(self._row),
        )
        return [*checks, *preserved]

    def _parse(self, text: str) -> "ReasonedResponse | None":
        if self._reasoned and self._options.channel == "thinking":
            return parse_reasoning(text)
        return ReasonedResponse("", text)

    def _answer(self, response: "ReasonedResponse") -> Row:
        row = replace_response(self._target, response.answer)
        if not response.reasoning:
            return row
        return replace(row, columns=insert_deliberation(row, response.reasoning, "thinking"))


def _system(row: Row) -> str:
    message = find_system_message(row.conversation)
    return message.text if message else ""


# ---- The system prompts that a response is sampled under, and the one that may stay. ----

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


# ---- Reasoning in tags ahead of the answer. ----

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
