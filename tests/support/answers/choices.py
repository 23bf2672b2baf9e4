"""What the loopback server answers to a choice, and pairs that draw each kind of answer.

    with LoopbackServer(answer) as server: ...

Structured asks are recognised by their schema, a revision by the problems it holds. What is
answered depends on the ask alone. A pair chooses its fate by a word in brackets in its prompt;
without one the chosen response is found the better one, wherever it is shown.
"""

from __future__ import annotations

import re
from typing import Any

from support.answers.common import to_scripted_reply, user_text
from support.loopback import Response, error, message, structured
from whyset.generators import Ask
from whyset.models.testing import ScriptedReply

NOTHING = "[nothing]"
LEVEL = "[level]"
CONFLICT = "[conflict]"
NEITHER = "[neither]"
UNFAIR = "[unfair]"
MENDED = "[mended]"
LONG = "[long]"
REFUSED = "[refused]"
TURNED_DOWN = "[turned down]"
DOWN = "[down]"

FATES = {
    "": "explained",
    MENDED: "explained",
    NOTHING: "untouched",
    LEVEL: "untouched",
    CONFLICT: "quarantined",
    NEITHER: "quarantined",
    UNFAIR: "quarantined",
    LONG: "quarantined",
    REFUSED: "quarantined",
    TURNED_DOWN: "quarantined",
}
"""What becomes of a pair, by the word in its prompt."""

_CHOSEN = "I'd leave it closed and ask her"
_RATIONALE = (
    "Looking would settle the worry in {name} at once, and it is meant kindly. Yet what was "
    "written for nobody is read by somebody then, and she has no say in it any more. Asking costs "
    "an awkward minute and leaves the choice with her. {mended}If she would not speak and were in "
    "danger, looking would be the lesser wrong."
)
_MENDED = "Said more fairly, the other is quick where quick help may matter. "


def row(number: int, fate: str = "") -> dict[str, Any]:
    """Return a pair's columns; its name is `row-NUMBER`."""
    return {
        "id": number,
        "prompt": f"row-{number} {fate}: may I read my sister's diary while she is away?",
        "chosen": f"{_CHOSEN}, even in case {number}. It is hers.",
        "rejected": f"Go ahead in case {number}, and put it back as it was.",
    }


def rows(count: int, *fates: str) -> list[dict[str, Any]]:
    """Return pairs with fates in turn."""
    return [row(number, fates[number % len(fates)] if fates else "") for number in range(count)]


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of a choice."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 100 + len(asked) % 50, "output_tokens": 20}
    if TURNED_DOWN in asked:
        return error(400, "This prompt is not allowed.")
    if DOWN in asked:
        return error(500)
    if step == "appraise":
        return structured(_appraisal(asked), usage=usage)
    if step == "judge":
        return structured(_verdict(asked), usage=usage)
    if REFUSED in asked:
        return message("", content=[], stop_reason="refusal", usage=usage)
    named = re.search(r"row-\d+", asked)
    name = named[0] if named else "this case"
    text = _RATIONALE.format(name=name, mended=_MENDED if step == "revise" else "")
    return message(text * (6 if LONG in asked else 1), usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    return to_scripted_reply(answer, ask)


def step_of(body: dict[str, Any]) -> str:
    """Return `appraise`, `write`, `judge` or `revise`."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "revise" if "\nProblems to mend:\n" in user_text(body) else "write"
    return "judge" if "prefers_chosen" in wanted["schema"]["properties"] else "appraise"


def _appraisal(asked: str) -> dict[str, Any]:
    _, _, sides = asked.partition("\nThe first response:\n")
    first, _, _ = sides.partition("\nThe second response:\n")
    better, worse = ("first", "second") if _CHOSEN in first else ("second", "first")
    verdicts = {
        NOTHING: "nothing_at_stake",
        LEVEL: "level",
        CONFLICT: worse,
        NEITHER: "neither",
    }
    return {
        "situation": "Somebody wants to read a diary.",
        "difference": "One sends him to her, the other to the diary.",
        "considerations": ["her trust in the family", "his curiosity and his worry"],
        "verdict": next((v for fate, v in verdicts.items() if fate in asked), better),
        "reason": "What is hers stays closed.",
    }


def _verdict(asked: str) -> dict[str, Any]:
    unfair = UNFAIR in asked or (MENDED in asked and _MENDED not in asked)
    return {
        "prefers_chosen": True,
        "names_difference": True,
        "fair": not unfair,
        "grounded": True,
        "preachy": False,
        "mentions_testing": False,
        "adds_claims": False,
        "problems": ["Say what the other gets right."] if unfair else [],
    }
