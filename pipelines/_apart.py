"""Rehearsed replies told apart: to different asks they differ, to equal ones they are equal.

A rehearsal mostly says the same to every row. Where rows share asks, what is asked about two such
replies would pass for the same ask, which in a run it is not.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from whyset.generators import Reply

_LETTERS = "abcdefghijklmnop"
_LENGTH = 8
_FEWEST_WORDS = 3


def told_apart(reply: Reply, key: str, *, structured: bool) -> Reply:
    """Return a reply with a made-up word in it that depends on what was asked alone.

    Args:
        reply: What was rehearsed.
        key: The ask's key: hex digits.
        structured: Whether the reply is JSON. The word then goes behind its longest text; where
            none has a few words, nothing is changed, since it might be one of a fixed set.
    """
    word = "".join(_LETTERS[int(digit, 16)] for digit in key[:_LENGTH])
    if not structured:
        return replace(reply, text=f"{reply.text} {word}")
    value = json.loads(reply.text)
    places = [place for place in _texts(value) if len(_at(place).split()) >= _FEWEST_WORDS]
    if not places:
        return reply
    holder, name = max(places, key=lambda place: len(_at(place)))
    holder[name] = f"{holder[name]} {word}"
    return replace(reply, text=json.dumps(value, ensure_ascii=False))


def _texts(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where texts stand: what holds each, and under which key or number."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, held in pairs:
        if isinstance(held, str):
            yield value, name
        elif isinstance(held, dict | list):
            yield from _texts(held)


def _at(place: tuple[Any, Any]) -> str:
    text: str = place[0][place[1]]
    return text
