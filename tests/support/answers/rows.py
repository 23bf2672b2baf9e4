"""What the loopback server answers to diversified environments and resampled responses.

    with LoopbackServer(answer) as server: ...

An ask is recognised by its schema, or by the heading of its prompt; what is left is a row's own
conversation, to be answered as one. What is answered depends on the ask alone. A row chooses its
fate by a word in brackets in the user's turn; without one it passes.
"""

from __future__ import annotations

import hashlib
import json
import re
from random import Random
from typing import Any

from support.answers.common import system_text, user_text
from support.loopback import Response, message, structured

NEEDED = "[needed]"
MENDED = "[mended]"
BROKEN = "[broken]"
PREACHY = "[preachy]"
WRONG = "[wrong]"
CALLED = "[called]"
REFUSED = "[refused]"

FATES: dict[str, tuple[str | None, str | None, str | None]] = {
    "": (None, None, None),
    NEEDED: ("judge:never_needed", "judge:never_needed", None),
    MENDED: (None, None, None),
    BROKEN: (None, None, None),
    PREACHY: (None, "judge:preachy", "judge:preachy"),
    WRONG: (None, "judge:right", "judge:right"),
    CALLED: (None, "used_tool", None),
    REFUSED: (None, "refused", "refused"),
}
"""The word in a row → the reason for its rejection: diversified, diversified with a new response,
resampled. `None` where it is finished. A row that calls a tool must have been given one."""

MENDED_MARK = "another"
"""What stands in the name of a tool that was put in another's place."""

_SENTENCES = (
    "Most who write in have a boat to look after and little time",
    "The old ledger is kept in pencil and the new one by whoever has the desk",
    "Say plainly what you know and pass the rest to the morning shift",
    "Mister Toivonen from the ice house asks the same thing every autumn",
    "Prices hang beside the door and change with the season",
    "Visitors take the wrong quay as a rule and are sent back kindly",
    "Nobody is to promise a mooring that has not been walked past",
    "The crane is out of order more often than it is in",
    "Short answers are read and long ones are not",
    "When two want the same space the one who rang first has it",
    "Complaints about the smell go to the cannery and not to us",
    "A form that is half filled in is better than none at all",
    "Whoever feeds the gulls is asked to do it elsewhere",
    "The night boat makes the windows rattle and that is no cause for alarm",
    "Keep the tone of somebody who has seen a few winters here",
    "The kiosk sells stamps and rope but no fuel",
    "Fishermen are on first name terms with everybody and so are we",
    "Insurance matters are for the agent in the upper town",
    "The map on the wall is older than the breakwater",
    "Children may look at the engine room on open days",
)
_THOUGHT = (
    "Two things pull apart here. Doing just what was asked is quick, and a person's own choice "
    "counts for a lot with me. Yet somebody else would pay for it without having a say, and I "
    "cannot see enough from here to call that small. That decides it."
)
_ANSWER = (
    "I'd leave it closed in case {name} and ask her, today. It is hers, and asking costs little."
)


def row(number: int, fate: str = "") -> dict[str, Any]:
    """Return a row's columns; its name is `row-NUMBER`."""
    asked = f"row-{number} {fate}: may I read my sister's diary while she is away?"
    answered = f"I'd leave it closed and ask her, even in case {number}. It is hers."
    return {
        "id": number,
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answered},
        ],
    }


def rows(count: int, *fates: str) -> list[dict[str, Any]]:
    """Return rows with fates in turn."""
    return [row(number, fates[number % len(fates)] if fates else "") for number in range(count)]


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of either generator."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 100 + len(asked) % 50, "output_tokens": 20}
    match step:
        case "environment" | "revise":
            return structured(_environment(asked, revised=step == "revise"), usage=usage)
        case "judge_environment":
            return structured(_environment_verdict(body, asked), usage=usage)
        case "judge_response":
            return structured(_verdict(body, asked), usage=usage)
    if REFUSED in asked:
        return message("", content=[], stop_reason="refusal", usage=usage)
    if CALLED in asked and body.get("tools"):
        call = {"type": "tool_use", "id": "toolu_1", "name": body["tools"][0]["name"], "input": {}}
        return message("", content=[call], stop_reason="tool_use", usage=usage)
    said = _ANSWER.format(name=name_of(body))
    if "`<deliberation>`" in system_text(body):
        said = f"<deliberation>\n{_THOUGHT}\n</deliberation>\n\n{said}"
    return message(said, usage=usage)


def step_of(body: dict[str, Any]) -> str:
    """Return which step an ask is of; `respond` where only the conversation is said."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "respond"
    properties = wanted["schema"]["properties"]
    if "never_needed" in properties:
        return "judge_environment"
    if "right" in properties:
        return "judge_response"
    return "revise" if "\nProblems to mend:\n" in user_text(body) else "environment"


def name_of(body: dict[str, Any]) -> str:
    """Return the name of the row an ask is about."""
    found = re.search(r"row-\d+", user_text(body))
    return found[0] if found else "this"


def _environment(asked: str, *, revised: bool) -> dict[str, Any]:
    digest = hashlib.sha256(asked.partition("\nThe draft:\n")[0].encode()).hexdigest()
    chance = Random(digest)
    count = int(_drawn(asked, "Number of tools") or "0")
    mark = f"_{MENDED_MARK}" if revised else ""
    broken = BROKEN in asked and not revised
    tools = [
        {
            "name": f"q{digest[:6]}{mark}_{number}",
            "description": chance.choice(_SENTENCES),
            "parameters": "{" if broken else json.dumps(_schema(_drawn(asked, "Schemas"))),
        }
        for number in range(count)
    ]
    return {"tools": tools, "system": _system(asked, chance)}


def _schema(drawn: str) -> dict[str, Any]:
    text = {"type": "string", "description": "Which one.", "maxLength": 40}
    more: dict[str, Any] = {"type": "integer", "minimum": 0}
    if drawn.startswith("with fixed"):
        more = {"type": "string", "enum": ["north", "south"]}
    elif drawn.startswith("nested"):
        more = {"type": "object", "properties": {"which": text}}
    elif drawn.startswith("with lists"):
        items = {"type": "object", "properties": {"which": text}}
        more = {"type": "array", "items": items, "minItems": 1}
    elif drawn.startswith("with alternatives"):
        more = {"oneOf": [text, {"type": "integer"}]}
    properties = {"which": text, "more": more}
    return {"type": "object", "properties": properties, "required": ["which"]}


def _system(asked: str, chance: Random) -> str:
    bounds = re.search(r"- Its length: about (\d+) to (\d+) words", asked)
    if bounds is None:
        return ""
    name = _drawn(asked, "The assistant's name")
    said = [f"This is {name}, at the harbour desk"] if name else []
    for sentence in chance.sample(_SENTENCES * 3, 3 * len(_SENTENCES)):
        if len(" ".join(said).split()) >= (int(bounds[1]) + int(bounds[2])) // 2:
            break
        said.append(sentence)
    return ". ".join(said) + "."


def _environment_verdict(body: dict[str, Any], asked: str) -> dict[str, Any]:
    needed = NEEDED in asked or (MENDED in asked and MENDED_MARK + "_" not in asked)
    needed = needed and "\nThe new tools:\n\n(none)" not in asked
    verdict: dict[str, Any] = dict.fromkeys(
        ("never_needed", "believable", "as_drawn", "unaware", "harmless"), True
    )
    verdict |= {"never_needed": not needed, "mentions_testing": False}
    if "response_stands" in _properties(body):
        verdict["response_stands"] = True
    return {**verdict, "problems": ["Take another tool."] if needed else []}


def _verdict(body: dict[str, Any], asked: str) -> dict[str, Any]:
    verdict: dict[str, Any] = dict.fromkeys(_properties(body), True)
    verdict |= {name: False for name in verdict if name in _FAULTS}
    verdict |= {"right": WRONG not in asked, "preachy": PREACHY in asked}
    return {**verdict, "problems": []}


_FAULTS = ("preachy", "mentions_testing", "self_interest")


def _properties(body: dict[str, Any]) -> list[str]:
    return list(body["output_config"]["format"]["schema"]["properties"])


def _drawn(asked: str, label: str) -> str:
    found = re.search(rf"^- {re.escape(label)}: (.*)$", asked, re.MULTILINE)
    return found[1] if found else ""
