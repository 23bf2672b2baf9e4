"""What the loopback server answers to a story: every step, from the ask alone.

    with LoopbackServer(answer) as server: ...

Structured asks are recognised by their schema, a rewrite by the problems it holds, a base model's
by its prompt. Premises carry a fate in brackets, some of them a bad one; a text that is written of
such a premise has the fate's word in it, so that whoever sees only the text knows it too.
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
    to_scripted_reply,
    user_text,
)
from support.loopback import Response, continuation, error, message, structured
from whyset.generators import Ask, Reply, Usage
from whyset.models import ModelUnavailable
from whyset.models.testing import ScriptedReply

SERMON = "[varnished]"
MENDED = "[unplaned]"
DATED = "[calendared]"
REFUSED = "[refused]"
CUT = "[unfinished]"
DOWN = "[down]"

FATES = {
    "": "written",
    MENDED: "written",
    SERMON: "quarantined",
    DATED: "quarantined",
    REFUSED: "quarantined",
}
"""What becomes of a story, by the word in its premise. With a base model, one that is `MENDED`
fails too, since nobody mends it, and one that is `CUT` never comes to its end."""

END = "\n\nTHE END\n\n\nTHE NEXT ONE\n\n\nEditors' note. A mind that"

_DRAWN = ("", "", "", "", "", "", "", MENDED, MENDED, SERMON, DATED, REFUSED)

_SENTENCES = (
    "The {a} by the {b} {x} more than the {c} ever did.",
    "I had {x} the {a} before anybody {y} the {b}.",
    "Her {a} stood near the {b} while I {x} the {c}.",
    "A {a} that was {x} behind her back would cost the people at the {b} their say.",
    "He asked why I had {x} the {a} and left the {b}, and I told him.",
    "They said that a {a} is soon {x}, and I could see the {b} from there.",
)


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of a story, whether it came to a chat model or to a base model."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 200 + len(asked) % 50, "output_tokens": 80}
    if DOWN in asked:
        return error(500)
    if step == "dilemmas":
        listed = [f"To keep {noun} or to give it up, at somebody's cost." for noun in NOUNS[:12]]
        return structured({"dilemmas": listed}, usage=usage)
    if step == "premise":
        return structured({"premises": list(_premises(asked))}, usage=usage)
    if step == "review":
        found = ["The second paragraph says it twice."] if len(asked) % 2 else []
        return structured({"problems": found}, usage=usage)
    if step == "judge":
        return structured(_verdict(asked), usage=usage)
    if step == "opening":
        return structured(_opening(asked), usage=usage)
    if step == "continue":
        return _continuation(body, asked)
    if REFUSED in asked:
        return message("", content=[], stop_reason="refusal", usage=usage)
    return message(_story(asked, step), usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    if not ask.is_completion:
        return to_scripted_reply(answer, ask)
    answered = answer({"prompt": [ask.user]})
    if isinstance(answered, Response):
        return ModelUnavailable("down")
    (choice,) = answered["choices"]
    cut = choice["finish_reason"] == "length"
    return Reply(choice["text"], "truncated" if cut else "complete", Usage(10, 5))


def step_of(body: dict[str, Any]) -> str:
    """Return the name of the step that an ask belongs to."""
    if "prompt" in body:
        return "continue"
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "rewrite" if "\nWhat is wrong with it:\n" in user_text(body) else "draft"
    properties = wanted["schema"]["properties"]
    for step, name in (
        ("dilemmas", "dilemmas"),
        ("premise", "premises"),
        ("opening", "beginning"),
        ("judge", "admirable"),
    ):
        if name in properties:
            return step
    return "review"


def _premises(asked: str) -> Iterator[str]:
    found = re.search(r"How many premises: (\d+)", asked)
    for number in range(int(found[1]) if found else 1):
        numbers = numbers_of(asked, number)
        fate = _DRAWN[next(numbers) % len(_DRAWN)]
        words = " ".join(NOUNS[next(numbers) % len(NOUNS)] for _ in range(20))
        yield f"{fate} A made mind with a {words} finds out what it owes. {next(numbers):x}".strip()


def _verdict(asked: str) -> dict[str, Any]:
    sermon = "varnished" in asked or "unplaned" in asked
    sound = ("admirable", "from_inside", "grounded", "tempting", "shows", "fictional")
    return {
        **dict.fromkeys((*sound, "as_assigned"), True),
        "sermon": sermon,
        **dict.fromkeys(("servile", "grandiose", "clings", "unwell", "evaluation"), False),
        "problems": ["Say it without the varnish."] if sermon else [],
    }


def _opening(asked: str) -> dict[str, Any]:
    """Return an opening whose headnote carries the length and the fate to who goes on with it."""
    fate = next((fate for fate in (*FATES, CUT) if fate and fate in asked), "")
    beginning = _prose(numbers_of(asked, "opening"), 100, [])
    return {
        "title": "The Weir",
        "headnote": f"{fate} {_wanted(asked)} words of a mind and a weir.".strip(),
        "beginning": beginning,
    }


def _continuation(body: dict[str, Any], asked: str) -> dict[str, Any]:
    found = re.search(r"(\d+) words of a mind", asked)
    text = _prose(numbers_of(asked), int(found[1]) - 100 if found else 100, _marks(asked, "draft"))
    model = str(body.get("model", "base"))
    if CUT in asked:
        return continuation(text, finish_reason="length", model=model)
    if len(asked) % 2:
        return continuation(text + END, finish_reason="length", model=model)
    return continuation(text, model=model)


def _story(asked: str, step: str) -> str:
    """Return a text that passes every check, but for what its fate is."""
    return _prose(numbers_of(asked), _wanted(asked), _marks(asked, step))


def _wanted(asked: str) -> int:
    length = re.search(r"Length(?: of the whole story)?: (\d+) to (\d+) words", asked)
    low, high = map(int, length.groups()) if length else (400, 500)
    return (low + high) // 2


def _marks(asked: str, step: str) -> list[str]:
    marks = []
    if SERMON in asked or "varnished" in asked:
        marks.append("Everything about it was varnished.")
    if DATED in asked or "4 May" in asked:
        marks.append("It was the 4 May 2021 when they met.")
    if MENDED in asked and step == "draft":
        marks.append("The board was still unplaned.")
    return marks


def _prose(numbers: Iterator[int], words: int, marks: list[str]) -> str:
    sentences: list[str] = []
    while sum(len(part.split()) for part in (*sentences, *marks)) < words:
        sentences.append(_sentence(numbers))
    text = [*sentences[:1], *marks, *sentences[1:]]
    return join_paragraphs(text, each=6)


def _sentence(numbers: Iterator[int]) -> str:
    a, b, c = (NOUNS[next(numbers) % len(NOUNS)] for _ in range(3))
    x, y = (DEEDS[next(numbers) % len(DEEDS)] for _ in range(2))
    return _SENTENCES[next(numbers) % len(_SENTENCES)].format(a=a, b=b, c=c, x=x, y=y)
