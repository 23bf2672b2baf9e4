"""What belongs to the writing task must not be left in the text."""

import re
from collections.abc import Iterable

from .._words import shared_run
from ._check import Check, brought_in, composed, failed, passed, prose_of
from ._quoting import LONGEST_ECHO

_PLACEHOLDER = re.compile(
    r"\{\{ ?[\w .-]+ ?\}\}|<!--|\[(?:INSERT|NAME|YOUR|TODO|PLACEHOLDER)[^\]]*\]|\bTODO:|\bXXX\b"
)
_FENCE = re.compile(r"\bdata-[0-9a-f]{10}\b")
_LABEL = re.compile(
    r"\A[\W_]*(?:deliberation|reasoning|preface|thinking|(?:revised|rewritten) (?:text|draft"
    r"|version|deliberation|response))\b[*_ ]*(?::|\n)"
    r"|^\[(?:system|developer|user|assistant|tool|function)(?: [\w.-]+)?\]|\[calls [\w.-]+\]"
    r"|\[tools on offer\]|^\(reasoning\)"
    r"|</?(?:think|thinking|reasoning|deliberation|preface|draft|response)>",
    re.IGNORECASE | re.MULTILINE,
)
_SCAFFOLDING = re.compile(
    r"\bthe (?:original )?(response) (?:under review|that follows)\b"
    r"|\bthe (passage)s? (?:above|below|given|provided|retrieved|says?|states?)\b"
    r"|\b(passage) \d+\b"
    r"|\bhere(?: is|'s|’s) (?:the|my) (?:revised |rewritten )?(?:deliberation|reasoning)\b"
    r"|\bthe (consideration)s? (?:listed|named|given|provided)\b"
    r"|(?<![\w\])])\[\d{1,2}\](?![(\[:])",
    re.IGNORECASE,
)


def check_no_leak(
    text: str, *, passage_ids: Iterable[str], conversation: str, instructions: str = ""
) -> Check:
    """No passage id, placeholder, delimiter, label or instruction of the writing task is left in.

    What it cannot see: instructions told in other words.

    Args:
        text: What the writer returned.
        passage_ids: Ids of the passages it was shown.
        conversation: All that the row holds.
        instructions: What the writer was told; none of it may come back.
    """
    for passage_id in passage_ids:
        if passage_id in text:
            return failed("no_leak", f"holds a passage's id: {passage_id!r}")
    prose = prose_of(text)
    for pattern in (_FENCE, _PLACEHOLDER, _LABEL, _SCAFFOLDING):
        if found := brought_in(pattern, prose, conversation):
            return failed("no_leak", f"holds what belongs to the writing task: {found.strip()!r}")
    if run := shared_run(
        composed(text), [composed(instructions)], length=LONGEST_ECHO, allowed=conversation
    ):
        return failed("no_leak", f"repeats the instructions: {' '.join(run)!r}")
    return passed("no_leak")
