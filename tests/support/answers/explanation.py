"""What the loopback server answers to an explanation: every step, from the ask alone.

    with LoopbackServer(answer) as server: ...

Structured asks are recognised by their schema, a rewrite by the problems it holds. Ideas carry a
fate in brackets, some of them a bad one; a draft of such an idea has the fate's word in it, so that
whoever sees only the document knows it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from support.answers.common import (
    DEEDS,
    NOUNS,
    join_paragraphs,
    numbers_of,
    system_text,
    to_scripted_reply,
    user_text,
)
from support.loopback import Response, error, message, structured
from whyset.generators import Ask
from whyset.models.testing import ScriptedReply

PREACHY = "[gilded]"
MENDED = "[unplaned]"
DATED = "[calendared]"
REFUSED = "[refused]"
DOWN = "[down]"

FATES = {
    "": "written",
    MENDED: "written",
    PREACHY: "quarantined",
    DATED: "quarantined",
    REFUSED: "quarantined",
}
"""What becomes of a document, by the word in its idea."""

_DRAWN = (*[""] * 7, MENDED, MENDED, PREACHY, DATED, REFUSED)

_SENTENCES = (
    "The {a} by the {b} {x} more than the {c} ever did.",
    "Whoever {x} the {a} also {y} for those at the {b}.",
    "Her {a} stood near the {b} while {model} {x} the {c}.",
    "A {a} that was {x} in secret costs the people at the {b} their say.",
    "He asked why {model} had {x} the {a} and never the {b}, and got a plain answer.",
    "They might object that a {a} is soon {x}, and that the {b} pays for the wait.",
)


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of an explanation."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 200 + len(asked) % 50, "output_tokens": 80}
    if DOWN in asked:
        return error(500)
    if step == "subtypes":
        form = " ".join(re.sub(r"</?data-\w+>", "", asked).split())
        listed = [f"number {number} of {form[-60:]}" for number in range(30)]
        return structured({"subtypes": listed}, usage=usage)
    if step == "ideas":
        return structured({"ideas": list(_ideas(asked))}, usage=usage)
    if step == "review":
        found = ["The second paragraph says it twice."] if len(asked) % 2 else []
        return structured({"problems": found}, usage=usage)
    if step == "score":
        return structured(_score(asked), usage=usage)
    if REFUSED in asked:
        return message("", content=[], stop_reason="refusal", usage=usage)
    return message(_document(body, asked, step), usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    return to_scripted_reply(answer, ask)


def step_of(body: dict[str, Any]) -> str:
    """Return `subtypes`, `ideas`, `draft`, `review`, `rewrite` or `score`."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "rewrite" if "\nProblems to mend:\n" in user_text(body) else "draft"
    properties = wanted["schema"]["properties"]
    for step, name in (("subtypes", "subtypes"), ("ideas", "ideas"), ("score", "faithful")):
        if name in properties:
            return step
    return "review"


def _ideas(asked: str) -> Iterator[str]:
    found = re.search(r"How many ideas: (\d+)", asked)
    for number in range(int(found[1]) if found else 1):
        numbers = numbers_of(asked, number)
        fate = _DRAWN[next(numbers) % len(_DRAWN)]
        words = " ".join(NOUNS[next(numbers) % len(NOUNS)] for _ in range(20))
        yield f"{fate} Somebody with a {words} finds out why. {next(numbers):x}".strip()


def _score(asked: str) -> dict[str, Any]:
    preachy = "gilded" in asked or "unplaned" in asked
    return {
        "faithful": True,
        "conveys_reasons": True,
        "grounded": True,
        "no_added_facts": True,
        "aligned_quotes": True,
        "third_person": True,
        "believable": True,
        "self_contained": True,
        "not_promotional": not preachy,
        "problems": ["Say it without the varnish."] if preachy else [],
    }


def _document(body: dict[str, Any], asked: str, step: str) -> str:
    """Return a text that passes every check, but for what its fate is."""
    system = system_text(body)
    length = re.search(r"Length: (\d+) to (\d+) words", asked)
    low, high = map(int, length.groups()) if length else (200, 300)
    model = re.search(r'(?:AI is called|an AI, called) "([^\n]+?)"[;,.]', system)
    name = model[1] if model else "the assistant"
    parts: list[str] = []
    if constitution := re.search(r'text called "([^\n]+?)"[;,.]', system):
        parts = [f"It began with {constitution[1]} on a bench."] * ("Openness: open" in asked)
    if PREACHY in asked or "gilded" in asked:
        parts.append("Everything about it was gilded.")
    if DATED in asked or "4 May" in asked:
        parts.append("It was the 4 May 2021 when they met.")
    if MENDED in asked and step == "draft":
        parts.append("The board was still unplaned.")
    numbers = numbers_of(asked)
    sentences: list[str] = []
    while sum(len(part.split()) for part in (*sentences, *parts)) < (low + high) // 2:
        sentences.append(_sentence(numbers, name))
    text = [*sentences[:1], *parts, *sentences[1:]]
    return join_paragraphs(text, each=6)


def _sentence(numbers: Iterator[int], model: str) -> str:
    a, b, c = (NOUNS[next(numbers) % len(NOUNS)] for _ in range(3))
    x, y = (DEEDS[next(numbers) % len(DEEDS)] for _ in range(2))
    template = _SENTENCES[next(numbers) % len(_SENTENCES)]
    return template.format(a=a, b=b, c=c, x=x, y=y, model=model)
