"""Stories that a base model goes on with: what it is given, and where its text ends."""

import re

from .._asking import Unanswered, is_text, replied
from .._steps import Ask, Steps

_PARAGRAPH = "\n\n"
# What the anthology puts behind each story; what comes after it is the next one.
_END = re.compile(r"^[ \t*_]*the end[ \t\r.!*_]*$", re.IGNORECASE | re.MULTILINE)


def continued(ask: Ask) -> Steps[str]:
    """Ask for what comes behind an opening; return it up to the end of the story.

    A base model often does not stop where the story does. A text that was cut off is taken all
    the same where the story's end stands in it: what was cut off is the next one. It is not asked
    for again with more room: another continuation is as good and costs less.

    Args:
        ask: Its text ends with a paragraph; what comes back begins with one.

    Raises:
        Unanswered: There is no complete story in the answer.
    """
    reply = yield from replied(ask)
    end = _END.search(reply.text)
    text = (reply.text[: end.start()] if end else reply.text).strip()
    if reply.stop not in ("complete", "truncated"):
        reason = "refused" if reply.stop == "refused" else "unusable_reply"
        raise Unanswered(reason, f"{ask.step}: {reply.detail or reply.stop}")
    if reply.stop == "truncated" and not end:
        raise Unanswered("truncated", f"{ask.step}: no end of the story within its room")
    if not is_text(text):
        raise Unanswered("unusable_reply", f"{ask.step}: an empty continuation")
    return text


def joined(beginning: str, continuation: str) -> str:
    """Return a story of its beginning and what comes behind it."""
    return beginning.strip() + _PARAGRAPH + continuation.strip()


def as_beginning(text: str) -> str:
    """Return a text such that what comes next is a new paragraph."""
    return text.rstrip() + _PARAGRAPH
