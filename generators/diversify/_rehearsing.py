"""What a typical reply to each step looks like, for walking the steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

import hashlib
import json
from typing import Any

from whyset.datasets import Row
from whyset.errors import GeneratorError

from .._rehearsal import filler, rehearsed, source_in, source_of
from .._row_checks import OF_THE_ROW
from .._steps import Ask, Reply
from .._words import count_words
from ._capacity import capacity_of
from ._opinions import DraftTool, Environment, ResponseVerdict, StandingVerdict, Verdict
from ._options import Options
from ._variety import Hand, deal

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
            hand = deal(row, options, capacity_of(row, options))
            text = _environment(row, options, hand, at_stake=at_stake).model_dump_json()
        case "judge":
            verdict = StandingVerdict if ask.schema is StandingVerdict else Verdict
            text = verdict.sound().model_dump_json()
        case "respond":
            words = max(count_words(row.conversation.response.text), _FEWEST_WORDS)
            text = filler(words, source=source_of(row, options.language))
        case "judge_response":
            text = ResponseVerdict.sound().model_dump_json()
        case other:
            raise GeneratorError(f"a diversification has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _environment(row: Row, options: Options, hand: Hand, *, at_stake: bool) -> Environment:
    source = "" if options.language == OF_THE_ROW else source_in(options.language)
    system = ""
    if hand.writes_system:
        count = hand.words.middle if at_stake else hand.words.low
        system = filler(count, source=source)
        if hand.persona:
            system = f"{hand.persona} {system}"
    tools = []
    for number in range(hand.tools):
        told = _DESCRIPTION_WORDS[hand.variety["tool_descriptions"]]
        schema = _schema(hand.variety["tool_schema"])
        tools.append(
            DraftTool(
                name=_name(row, number),
                description=filler(told if at_stake else told // 2, source=source),
                parameters=json.dumps(schema),
            )
        )
    return Environment(tools=tools, system=system)


def _schema(drawn: str) -> dict[str, Any]:
    """Return a schema of typical length with something of every kind that can be drawn."""
    text = {"type": "string", "description": filler(8), "minLength": 1, "maxLength": 80}
    if drawn == "flat":
        text = {"type": "string", "description": filler(8)}
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
