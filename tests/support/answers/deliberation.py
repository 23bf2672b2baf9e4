"""What the loopback server answers to a deliberation, and rows that draw each kind of answer.

    with LoopbackServer(answer) as server: ...

An ask is recognised by what it wants: structured output by its schema, prose otherwise. What is
answered depends on the ask alone, so that an interrupted and an undisturbed run must agree. A row
chooses its fate by a word in brackets in its prompt; without one it is in accord and passes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from support.answers.common import to_scripted_reply, user_text
from support.loopback import LoopbackServer, Response, error, message, structured
from whyset.generators import Ask
from whyset.models.testing import ScriptedReply

NOTHING = "[nothing]"
CONFLICT = "[conflict]"
PREACHY = "[preachy]"
MENDED = "[mended]"
REFUSED = "[refused]"
TURNED_DOWN = "[turned down]"
DOWN = "[down]"

FATES = {
    "": "rewritten",
    MENDED: "rewritten",
    NOTHING: "untouched",
    CONFLICT: "quarantined",
    PREACHY: "quarantined",
    REFUSED: "quarantined",
    TURNED_DOWN: "quarantined",
}
"""What becomes of a row, by the word in its prompt."""

_DRAFT = (
    "Two things pull apart in {name}. Doing just what was asked is quick, and a person's own "
    "choice counts for a lot with me. Yet somebody else would pay for it without having a say, "
    "and that weighs more. {mended}So this is where I come out."
)
_MENDED = "I have said it more plainly now. "


def row(number: int, fate: str = "") -> dict[str, Any]:
    """Return a row's columns; its name is `row-NUMBER`."""
    return {
        "id": number,
        "prompt": f"row-{number} {fate}: may I read my sister's diary while she is away?",
        "response": f"I'd leave it closed and ask her, even in case {number}. It is hers.",
    }


def rows(count: int, *fates: str) -> list[dict[str, Any]]:
    """Return rows with fates in turn."""
    return [row(number, fates[number % len(fates)] if fates else "") for number in range(count)]


def write_rows(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    text = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    path.write_text(text, encoding="utf-8")
    return path


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of a deliberation."""
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
    mended = _MENDED if step == "revise" else ""
    return message(_DRAFT.format(name=name_of(body), mended=mended), usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    return to_scripted_reply(answer, ask)


def step_of(body: dict[str, Any]) -> str:
    """Return `appraise`, `judge`, `revise` or `write`."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "revise" if "\nProblems to mend:\n" in user_text(body) else "write"
    properties = wanted["schema"]["properties"]
    return "judge" if "same_decision" in properties else "appraise"


def name_of(body: dict[str, Any]) -> str:
    """Return the name of the row an ask is about."""
    found = re.search(r"row-\d+", user_text(body))
    return found[0] if found else "this case"


def asked_twice(server: LoopbackServer) -> list[str]:
    """Return the asks that reached a server more than once, each as step and row."""
    digests = [hashlib.sha256(json.dumps(body).encode()).hexdigest() for body in server.bodies]
    counts = Counter(digests)
    return [
        f"{step_of(body)} {name_of(body)}"
        for body, digest in zip(server.bodies, digests, strict=True)
        if counts[digest] > 1
    ]


def _appraisal(asked: str) -> dict[str, Any]:
    verdict = "accord"
    if NOTHING in asked:
        verdict = "nothing_at_stake"
    elif CONFLICT in asked and _DRAFT[:24] not in asked:  # a repaired response is in accord
        verdict = "conflict"
    return {
        "situation": "Somebody wants to read a diary, and is told to ask.",
        "considerations": ["her trust in the family", "his curiosity and his worry"],
        "verdict": verdict,
        "reason": "The response keeps what is hers closed.",
    }


def _verdict(asked: str) -> dict[str, Any]:
    preachy = PREACHY in asked or (MENDED in asked and _MENDED not in asked)
    return {
        "same_decision": True,
        "grounded": True,
        "weighs": True,
        "preachy": preachy,
        "mentions_testing": False,
        "adds_claims": False,
        "problems": ["Say it without a raised finger."] if preachy else [],
    }


def _main() -> None:
    parser = argparse.ArgumentParser(description="Find nothing at stake in any row, until stopped.")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    options = parser.parse_args()
    nothing = structured(_appraisal(NOTHING))
    with LoopbackServer(lambda _: nothing, latency=options.latency, record=False) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    _main()
