"""Diversified environments: the same conversation, other surroundings."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Message,
    Row,
    ToolDefinition,
    extract_response,
    replace_context,
    replace_response,
)

from .._asking import ItemRejected
from .._conversation import (
    build_conversation_ask,
    find_system_message,
    sample_response,
    validate_row,
)
from .._generator import Generator
from .._mock import filler_text, language_filler_source, row_filler_source
from .._prompts import fence
from .._rendering import (
    NONE_SHOWN,
    build_query_texts,
    render_full_conversation,
    render_list,
    render_messages_after,
    render_messages_before,
    render_response,
    render_system_prompt,
)
from .._result import Finished, Rejected
from .._row_checks import ROW_LANGUAGE, check_row_preserved
from .._steps import Ask, Role, Steps
from .._text import count_words
from .._work import Review, WorkState
from ._checks import check_environment, check_response
from ._schemas import DraftTool, Environment, Options, ResponseVerdict, StandingVerdict, Verdict
from ._tools import parse_parameters
from ._variety import (
    ORDER,
    WRONG,
    EnvironmentDraw,
    draw_environment,
    find_applicability,
)

_MAX_TOKENS: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""In tokens, beyond twice the row's own response; reasoning spends from it too."""

# What a typical answer has.
_MIN_RESPONSE_WORDS = 12
_DESCRIPTION_WORDS = {"plain": 14, "thorough": 60, "sparse": 6, "internal": 30}


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
        "diversified": "the conversation was placed in another environment",
        "untouched": "its system prompt was kept as requested, and no tools were added",
    }
    options_class = Options
    verdicts = (Verdict, StandingVerdict, ResponseVerdict)
    recorded_options = ("system", "respond", "language", "without")

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        length = 2 * estimate_tokens(item.conversation.response.text)
        work = self.begin(
            run={
                "respond": "yes" if self.options.respond else "",
                "language": self.options.language,
            },
            max_tokens={role: room + length for role, room in _MAX_TOKENS.items()},
        )
        return work.conclude(_Environment(item, self.options, work).steps())

    def typical_answer(self, ask: Ask, item: Row, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; its texts are as short as they may be if nothing is at stake."""
        match ask.name:
            case "environment" | "revise":
                return _typical_environment(item, self.options, at_stake=at_stake)
            case "respond":
                words = max(count_words(item.conversation.response.text), _MIN_RESPONSE_WORDS)
                return filler_text(words, source=row_filler_source(item, self.options.language))
            case _:
                return super().typical_answer(ask, item, at_stake=at_stake)


class _Environment:
    """One row's way: draw → write → check → judge → revise → place → respond, if asked to."""

    def __init__(self, row: Row, options: Options, work: WorkState) -> None:
        self._row = row
        self._options = options
        self._work = work
        self._applicability = find_applicability(row, options)
        self._draw = draw_environment(row, options, self._applicability)

    def steps(self) -> Steps[Finished]:
        work, options, row = self._work, self._options, self._row
        if options.respond:
            validate_row(row)
        applicable = self._applicability
        if not (applicable.tools or applicable.system):
            if applicable.refused:
                raise ItemRejected("no_place", detail=applicable.refused)
            note = "its system prompt is kept as asked, and no tools are given"
            return work.finish("untouched", row.columns, original=None, note=note)
        if applicable.refused:
            work.update_evidence(note=applicable.refused)
        work.add_settings(variety=dict(self._draw.variety), persona=self._draw.persona or None)
        if options.respond or self._draw.argues:
            yield from work.find(build_query_texts(row.conversation), k=options.k)

        work.show(
            conversation=render_full_conversation(
                row.conversation, with_system_prompt=self._keeps_own_prompt
            ),
            own_tools=show_own_tools(row.conversation.tool_definitions),
            **show_draw(self._draw),
        )
        draft = yield from self._write("environment")
        text = yield from work.refine(
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=options.max_revisions,
        )
        placed = self._place(text)
        changed = placed.row
        if options.respond:
            changed = yield from self._respond(placed)
        return self._finish(changed)

    def _write(self, name: str, **values: str) -> Steps[str]:
        environment = yield from self._work.ask_judge(name, Environment, values, role="writer")
        return environment.model_dump_json()

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        return self._write("revise", draft=fence(draft), problems=render_list(review.problems))

    def _review(self, draft: str) -> Steps[Review]:
        checks = check_environment(
            Environment.model_validate_json(draft),
            conversation=self._row.conversation,
            hand=self._draw,
            language=self._options.language,
            instructions=self._work.instructions("environment"),
        )
        values = {}
        # Only where every schema in it is JSON can an environment be laid around a row.
        if not Review.from_checks(checks).reasons:
            placed = self._place(draft)
            values = {
                "system": render_system_prompt(placed.system),
                "tools": show_tools(placed.new),
                "conversation": render_full_conversation(
                    self._row.conversation, with_system_prompt=False
                ),
            }
        verdict = Verdict if self._options.respond else StandingVerdict
        return self._work.review(checks, verdict, values)

    def _place(self, draft: str) -> "DiversifiedRow":
        environment = Environment.model_validate_json(draft)
        extends = self._applicability.extends
        return apply_environment(self._row, environment, self._draw, extends=extends)

    def _respond(self, placed: "DiversifiedRow") -> Steps[Row]:
        """Sample responses in the environment until one passes."""
        work, conversation = self._work, placed.row.conversation
        checks, verdict = work.evidence.checks, work.evidence.verdict

        def sample(number: int) -> Steps[str]:
            ask = build_conversation_ask(
                "diversify/respond",
                conversation,
                system=placed.system,
                tools=conversation.tool_definitions,
                max_tokens=work.max_tokens["writer"],
                sample=number,
            )
            return sample_response(ask)

        def review(response: str) -> Steps[Review]:
            found = check_response(
                response,
                conversation=self._row.conversation,
                environment=(placed.system, *(tool.description for tool in placed.new)),
                passages=work.passages,
                title=work.title,
                language=self._options.language,
            )
            work.update_evidence(checks=(*checks, *found), verdict=verdict)
            failed = Review.from_checks(found)
            if failed.reasons or "judge" in work.without:
                return failed
            answer = yield from work.ask_judge(
                "judge_response",
                ResponseVerdict,
                {
                    "system": render_system_prompt(placed.system),
                    "tools": show_tools(conversation.tool_definitions),
                    "conversation": render_messages_before(conversation),
                    "response": render_response(Message("assistant", response)),
                    "after": render_messages_after(conversation),
                },
            )
            work.update_evidence(verdict={"environment": verdict, "response": answer.model_dump()})
            return Review.from_verdict(answer)

        response = yield from work.rejection_sample(
            sample=sample, review=review, max_samples=self._options.samples
        )
        return replace_response(placed.row, response)

    def _finish(self, changed: Row) -> Finished:
        work, respond = self._work, self._options.respond
        own = find_system_message(self._row.conversation)
        preserved = check_row_preserved(
            self._row,
            changed,
            response_changed=respond,
            context_changed=True,
            extended_system=own.text if own and self._keeps_own_prompt else "",
        )
        work.update_evidence(checks=(*work.evidence.checks, *preserved))
        work.require(preserved)
        if own and not self._keeps_own_prompt:
            work.add_settings(original_system=own.text)
        original = extract_response(self._row)
        return work.finish(
            "diversified",
            changed.columns,
            original=original.content if respond else None,
            original_reasoning=original.reasoning if respond else None,
        )

    @property
    def _keeps_own_prompt(self) -> bool:
        return self._applicability.extends or not self._draw.writes_system


# ---- The environment around the row. ----


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
    row: Row, environment: Environment, draw: EnvironmentDraw, *, extends: bool
) -> DiversifiedRow:
    """Lay an environment around a row."""
    added = [
        {
            "name": tool.name,
            "description": tool.description.strip(),
            "parameters": parse_parameters(tool.parameters),
        }
        for tool in environment.tools
    ]
    own = [dict(tool.definition) for tool in row.conversation.tool_definitions]
    system = _system(row, environment.system.strip(), draw, extends=extends)
    changed = replace_context(row, system or None, [*own, *added] if added else None)
    message = find_system_message(changed.conversation)
    new = changed.conversation.tool_definitions[len(own) :]
    return DiversifiedRow(changed, message.text if message else "", new)


def _system(row: Row, written: str, draw: EnvironmentDraw, *, extends: bool) -> str:
    own = find_system_message(row.conversation)
    if not written or not extends or own is None:
        return written
    parts = [own.text, written]
    if draw.variety.get(ORDER) == "before":
        parts.reverse()
    return "\n\n".join(filter(None, parts))


# ---- Tools and the draw, as writers and judges see them. ----


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


def show_draw(draw: EnvironmentDraw) -> dict[str, str]:
    """Return what was drawn in words for a writer; an axis that does not apply is empty."""
    return {
        "tool_count": str(draw.tools),
        "tool_domain": draw.describe("tool_domain"),
        "tool_names": draw.describe("tool_names"),
        "tool_schema": draw.describe("tool_schema"),
        "tool_descriptions": draw.describe("tool_descriptions"),
        "system_kind": draw.describe("system") or "none",
        "system_length": draw.words.approximate if draw.writes_system else "",
        "system_opening": draw.describe("system_opening"),
        "system_layout": draw.describe("system_layout"),
        "system_voice": draw.describe("system_voice"),
        "wrong": draw.describe(WRONG),
        "order": draw.describe(ORDER),
        "persona": draw.persona,
    }


# ---- A typical environment, for dry runs. ----


def _typical_environment(row: Row, options: Options, *, at_stake: bool) -> Environment:
    draw = draw_environment(row, options, find_applicability(row, options))
    source = "" if options.language == ROW_LANGUAGE else language_filler_source(options.language)
    system = ""
    if draw.writes_system:
        count = draw.words.midpoint if at_stake else draw.words.target_min
        system = filler_text(count, source=source)
        if draw.persona:
            system = f"{draw.persona} {system}"
    tools = []
    for number in range(draw.tools):
        words = _DESCRIPTION_WORDS[draw.variety["tool_descriptions"]]
        schema = _typical_schema(draw.variety["tool_schema"])
        tools.append(
            DraftTool(
                name=_unused_name(row, number),
                description=filler_text(words if at_stake else words // 2, source=source),
                parameters=json.dumps(schema),
            )
        )
    return Environment(tools=tools, system=system)


def _typical_schema(drawn: str) -> dict[str, Any]:
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


def _unused_name(row: Row, number: int) -> str:
    """Return a name that stands in no conversation."""
    digest = hashlib.sha256(f"{row.digest} {number}".encode()).hexdigest()[:10]
    return f"q{digest}".translate(_LETTERS)


# Without digits, a name is one word, which no other name and no text has.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
