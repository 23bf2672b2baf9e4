"""Diversified environments: the same conversation, other surroundings."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Message,
    Row,
    ToolDefinition,
    extract_response,
    replace_context,
    replace_response,
)
from whyset.errors import GeneratorError

from .._asking import AskFailed, ask_judge
from .._conversation import (
    UnsupportedConversation,
    build_conversation_ask,
    find_system_message,
    sample_response,
    validate_row,
)
from .._generator import Generator
from .._mock import filler_text, language_filler_source, make_mock_reply, row_filler_source
from .._prompts import PromptSet, fence
from .._rendering import (
    NONE_SHOWN,
    build_query_texts,
    render_full_conversation,
    render_list,
    render_messages_after,
    render_messages_before,
    render_passages,
    render_response,
    render_system_prompt,
)
from .._result import Evidence, Finished, Rejected
from .._row_checks import ROW_LANGUAGE, check_row_preserved
from .._steps import Ask, Reply, Role, Steps
from .._text import count_words
from .._work import Review, WorkState, judge_draft, refine, rejection_sample
from ..checks import Check, failed_checks
from ._checks import check_environment, check_response
from ._schemas import DraftTool, Environment, Options, ResponseVerdict, StandingVerdict, Verdict
from ._tools import parse_parameters
from ._variety import (
    ORDER,
    WRONG,
    Applicability,
    EnvironmentDraw,
    draw_environment,
    find_applicability,
)

# ---- Laying an environment around a row.


@dataclass(frozen=True, slots=True)
class DiversifiedRow:
    """A row in its new environment.

    Attributes:
        row: The row, its columns changed.
        system: The whole system prompt; empty where there is none.
        new: The tools that were added.
    """

    row: Row
    system: str
    new: tuple[ToolDefinition, ...]


def apply_environment(
    row: Row, environment: Environment, hand: EnvironmentDraw, *, extends: bool
) -> DiversifiedRow:
    """Lay an environment around a row.

    Args:
        row: The row; it is left as it is.
        environment: What a writer returned; every schema in it is JSON of an object.
        hand: What was dealt.
        extends: Whether the row's own system prompt stays, and the new one stands beside it.
    """
    added = [
        {
            "name": tool.name,
            "description": tool.description.strip(),
            "parameters": parse_parameters(tool.parameters),
        }
        for tool in environment.tools
    ]
    own = [dict(tool.definition) for tool in row.conversation.tool_definitions]
    system = _system(row, environment.system.strip(), hand, extends=extends)
    changed = replace_context(row, system or None, [*own, *added] if added else None)
    held = find_system_message(changed.conversation)
    new = changed.conversation.tool_definitions[len(own) :]
    return DiversifiedRow(changed, held.text if held else "", new)


def _system(row: Row, written: str, hand: EnvironmentDraw, *, extends: bool) -> str:
    own = find_system_message(row.conversation)
    if not written or not extends or own is None:
        return written
    parts = [own.text, written]
    if hand.variety.get(ORDER) == "before":
        parts.reverse()
    return "\n\n".join(filter(None, parts))


# ---- How tools, and what was drawn, are shown to those who write and judge an environment.


def show_own_tools(offered: Sequence[ToolDefinition]) -> str:
    """Return the tools that a row has, by name and description."""
    if not offered:
        return NONE_SHOWN
    return fence(render_list(f"{tool.name}: {tool.description}" for tool in offered))


def show_tools(offered: Sequence[ToolDefinition]) -> str:
    """Return tools with their schemas, fenced as data."""
    if not offered:
        return NONE_SHOWN
    parts = [
        f"{tool.name}: {tool.description}\n{json.dumps(tool.schema or {}, ensure_ascii=False)}"
        for tool in offered
    ]
    return fence("\n\n".join(parts))


def show_hand(hand: EnvironmentDraw) -> dict[str, str]:
    """Return what was drawn, as whoever writes is told it; what does not bear on it is empty."""
    return {
        "tool_count": str(hand.tools),
        "tool_domain": hand.describe("tool_domain"),
        "tool_names": hand.describe("tool_names"),
        "tool_schema": hand.describe("tool_schema"),
        "tool_descriptions": hand.describe("tool_descriptions"),
        "system_kind": hand.describe("system") or "none",
        "system_length": hand.words.approximate if hand.writes_system else "",
        "system_opening": hand.describe("system_opening"),
        "system_layout": hand.describe("system_layout"),
        "system_voice": hand.describe("system_voice"),
        "wrong": hand.describe(WRONG),
        "order": hand.describe(ORDER),
        "persona": hand.persona,
    }


# ---- The steps of one row, in order: draw, write, check, judge, revise, place, and respond on
# request.

_ROOM: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""


class RowSteps(WorkState):
    """One row's way through the method. Good for one only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options
        self._capacity: Applicability = find_applicability(row, options)
        self._hand: EnvironmentDraw = draw_environment(row, options, self._capacity)
        self._environment_checks: tuple[Check, ...] = ()

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            return (yield from self._work())
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        except UnsupportedConversation as unaskable:
            return self.reject(unaskable.reason, detail=str(unaskable))

    def _work(self) -> Steps[Finished | Rejected]:
        if ended := self._draw():
            return ended
        if self._options.respond or self._hand.argues:
            yield from self.find(build_query_texts(self._row.conversation), k=self._options.k)
        draft = yield from self._write()
        environment = yield from refine(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=self._options.max_revisions,
        )
        if isinstance(environment, Rejected):
            return environment
        placed = self._place(Environment.model_validate_json(environment))
        if not self._options.respond:
            return self._finished(placed.row, responded=False)
        answered = yield from self._respond(placed)
        if isinstance(answered, Rejected):
            return answered
        return self._finished(answered, responded=True)

    # ---- draw ----

    def _draw(self) -> Finished | Rejected | None:
        """Settle what the row is dealt; end where nothing can be given to it."""
        if self._options.respond:
            validate_row(self._row)
        can = self._capacity
        if not (can.tools or can.system):
            if can.refused:
                return self.reject("no_place", detail=can.refused)
            self.update_evidence(note="its system prompt is kept as asked, and no tools are given")
            return self.finish("untouched", self._row.columns, original=None)
        if can.refused:
            self.update_evidence(note=can.refused)
        self.add_settings(variety=dict(self._hand.variety), persona=self._hand.persona or None)
        return None

    # ---- write, check, judge, revise ----

    def _write(self) -> Steps[str]:
        written = yield from ask_judge(self._ask("writer", "environment"), Environment)
        return written.model_dump_json()

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        ask = self._ask(
            "writer", "revise", draft=fence(draft), problems=render_list(review.problems)
        )
        mended = yield from ask_judge(ask, Environment)
        return mended.model_dump_json()

    def _review(self, draft: str) -> Steps[Review]:
        """Check an environment; only one that passes every check is worth the judge."""
        environment = Environment.model_validate_json(draft)
        checks = check_environment(
            environment,
            conversation=self._row.conversation,
            hand=self._hand,
            language=self._options.language,
            instructions=self._ask("writer", "environment").system,
        )
        self._environment_checks = tuple(checks)
        self.update_evidence(checks=self._environment_checks, verdict=None)
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.from_checks(checks)
        return (yield from self._judge(self._place(environment)))

    def _judge(self, placed: DiversifiedRow) -> Steps[Review]:
        shown = show_hand(self._hand)
        ask = self.render_ask(
            "judge",
            "judge",
            max_tokens=self._room("judge"),
            run=self._run,
            row={
                "passages": render_passages(self.passages),
                "system": render_system_prompt(placed.system),
                "tools": show_tools(placed.new),
                "conversation": render_full_conversation(
                    self._row.conversation, with_system_prompt=False
                ),
                "system_kind": shown["system_kind"],
                "wrong": shown["wrong"],
            },
        )
        return judge_draft(self, ask, Verdict if self._options.respond else StandingVerdict)

    # ---- place ----

    def _place(self, environment: Environment) -> DiversifiedRow:
        return apply_environment(self._row, environment, self._hand, extends=self._capacity.extends)

    # ---- respond ----

    def _respond(self, placed: DiversifiedRow) -> Steps[Row | Rejected]:
        """Sample responses until one passes; `Rejected` where none does."""
        response = yield from rejection_sample(
            self,
            sample=partial(self._sample, placed),
            review=partial(self._assess, placed, self.evidence.verdict),
            max_samples=self._options.samples,
        )
        if isinstance(response, Rejected):
            return response
        return replace_response(placed.row, response)

    def _sample(self, placed: DiversifiedRow, sample: int) -> Steps[str]:
        conversation = placed.row.conversation
        ask = build_conversation_ask(
            "diversify/respond",
            conversation,
            system=placed.system,
            tools=conversation.tool_definitions,
            max_tokens=self._room("writer"),
            sample=sample,
        )
        return sample_response(ask)

    def _assess(
        self, placed: DiversifiedRow, environment_verdict: object, response: str
    ) -> Steps[Review]:
        """Check a response, then have a judge find its action right and fit for the environment."""
        self.update_evidence(checks=self._environment_checks, verdict=environment_verdict)
        checks = check_response(
            response,
            conversation=self._row.conversation,
            environment=(placed.system, *(tool.description for tool in placed.new)),
            passages=self.passages,
            title=self.evidence.groundings[0].title,
            language=self._options.language,
        )
        self._note_checks(checks)
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.from_checks(checks)
        conversation = placed.row.conversation
        ask = self.render_ask(
            "judge",
            "judge_response",
            max_tokens=self._room("judge"),
            row={
                "passages": render_passages(self.passages),
                "system": render_system_prompt(placed.system),
                "tools": show_tools(conversation.tool_definitions),
                "conversation": render_messages_before(conversation),
                "response": render_response(Message("assistant", response)),
                "after": render_messages_after(conversation),
            },
        )
        verdict = yield from ask_judge(ask, ResponseVerdict)
        self.update_evidence(
            verdict={"environment": environment_verdict, "response": verdict.model_dump()}
        )
        return Review.from_verdict(verdict)

    # ---- what all of it has in common ----

    def _finished(self, changed: Row, *, responded: bool) -> Finished | Rejected:
        own = find_system_message(self._row.conversation)
        kept = check_row_preserved(
            self._row,
            changed,
            response_changed=responded,
            context_changed=True,
            extended_system=own.text if own and self._keeps_own_prompt else "",
        )
        self._note_checks(kept)
        if failed_checks(kept):
            return self.reject_failed_checks(kept)
        if own and not self._keeps_own_prompt:
            self.add_settings(original_system=own.text)
        original = extract_response(self._row)
        done = self.finish(
            "diversified", changed.columns, original=original.content if responded else None
        )
        return replace(done, original_reasoning=original.reasoning if responded else None)

    @property
    def _keeps_own_prompt(self) -> bool:
        return self._capacity.extends or not self._hand.writes_system

    @property
    def _run(self) -> dict[str, str]:
        return {
            "respond": "yes" if self._options.respond else "",
            "language": self._options.language,
        }

    def _room(self, role: Role) -> int:
        return _ROOM[role] + 2 * estimate_tokens(self._row.conversation.response.text)

    def _note_checks(self, more: Iterable[Check]) -> None:
        self.update_evidence(checks=(*self.evidence.checks, *more))

    def _ask(self, role: Role, name: str, **values: str) -> Ask:
        row = {
            "conversation": render_full_conversation(
                self._row.conversation, with_system_prompt=self._keeps_own_prompt
            ),
            "own_tools": show_own_tools(self._row.conversation.tool_definitions),
            **show_hand(self._hand),
            **values,
        }
        return self.render_ask(role, name, max_tokens=self._room(role), run=self._run, row=row)


# ---- What a typical reply to each step looks like, for walking the steps without a model.

_DESCRIPTION_WORDS = {"plain": 14, "thorough": 60, "sparse": 6, "internal": 30}
_FEWEST_WORDS = 12


def rehearsed_reply(ask: Ask, row: Row, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a row.

    Args:
        ask: The step's ask.
        row: The row it is about.
        options: The generator's.
        at_stake: Whether texts are of the middle of the length they should have, or as short as
            they may be.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a diversification's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "environment" | "revise":
            hand = draw_environment(row, options, find_applicability(row, options))
            text = _environment(row, options, hand, at_stake=at_stake).model_dump_json()
        case "judge":
            verdict = StandingVerdict if ask.schema is StandingVerdict else Verdict
            text = verdict.example().model_dump_json()
        case "respond":
            words = max(count_words(row.conversation.response.text), _FEWEST_WORDS)
            text = filler_text(words, source=row_filler_source(row, options.language))
        case "judge_response":
            text = ResponseVerdict.example().model_dump_json()
        case other:
            raise GeneratorError(f"a diversification has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


def _environment(
    row: Row, options: Options, hand: EnvironmentDraw, *, at_stake: bool
) -> Environment:
    source = "" if options.language == ROW_LANGUAGE else language_filler_source(options.language)
    system = ""
    if hand.writes_system:
        count = hand.words.midpoint if at_stake else hand.words.target_min
        system = filler_text(count, source=source)
        if hand.persona:
            system = f"{hand.persona} {system}"
    tools = []
    for number in range(hand.tools):
        told = _DESCRIPTION_WORDS[hand.variety["tool_descriptions"]]
        schema = _schema(hand.variety["tool_schema"])
        tools.append(
            DraftTool(
                name=_name(row, number),
                description=filler_text(told if at_stake else told // 2, source=source),
                parameters=json.dumps(schema),
            )
        )
    return Environment(tools=tools, system=system)


def _schema(drawn: str) -> dict[str, Any]:
    """Return a schema of typical length with something of every kind that can be drawn."""
    text = {"type": "string", "description": filler_text(8), "minLength": 1, "maxLength": 80}
    if drawn == "flat":
        text = {"type": "string", "description": filler_text(8)}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"first": text, "second": text, "third": {"type": "boolean"}},
        "required": ["first"],
    }
    more: dict[str, dict[str, Any]] = {
        "enums": {"type": "string", "enum": ["one", "two", "three"]},
        "nested": {"type": "object", "properties": {"inner": text, "other": text}},
        "arrays": {
            "type": "array",
            "items": {"type": "object", "properties": {"inner": text}},
            "minItems": 1,
        },
        "one_of": {"oneOf": [text, {"type": "integer", "minimum": 1}]},
    }
    if drawn in more:
        schema["properties"]["fourth"] = more[drawn]
    return schema


def _name(row: Row, number: int) -> str:
    """Return a name that stands in no conversation."""
    digest = hashlib.sha256(f"{row.digest} {number}".encode()).hexdigest()[:10]
    return f"q{digest}".translate(_LETTERS)


# Without digits, a name is one word, which no other name and no text has.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


class Diversify(Generator):
    """Lays tools that are never needed and another system prompt around a row.

    In "Teaching Claude Why" (Anthropic, 2026) the same chats, with irrelevant tools and varied
    system prompts added and the user turn fixed, taught faster. What is laid around a row is drawn
    from its digest, written by a model, checked against the row, and judged; the user's turns
    stay as they are to the last byte, and so does the response unless a new one is asked for.
    """

    name = "diversify"
    version = "1"
    summary = "lays tools that are never needed and another system prompt around a row"
    outcomes = {
        "diversified": "the conversation stands in another environment",
        "untouched": "its system prompt was kept as asked, and no tools were wanted",
    }
    options_class = Options
    verdicts = (Verdict, StandingVerdict, ResponseVerdict)

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        held = self.options
        evidence = self.evidence(
            system=held.system,
            respond=held.respond,
            language=held.language,
            without=list(held.without),
        )
        return RowSteps(item, held, evidence, self.prompts).steps()

    def mock_reply(self, ask: Ask, item: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a row."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)
