"""Stories that a base model goes on with: what it is given, and where its text ends."""

import re

from .._asking import Unanswered
from .._steps import Ask, Reply, Steps

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
    sent = yield ask
    if not isinstance(sent, Reply):
        raise TypeError(f"an Ask is answered with a Reply, not {sent!r}")
    end = _END.search(sent.text)
    text = (sent.text[: end.start()] if end else sent.text).strip()
    if sent.stop not in ("complete", "truncated"):
        reason = "refused" if sent.stop == "refused" else "unusable_reply"
        raise Unanswered(reason, f"{ask.step}: {sent.detail or sent.stop}")
    if sent.stop == "truncated" and not end:
        raise Unanswered("truncated", f"{ask.step}: no end of the story within its room")
    if not text or not _is_unicode(text):
        raise Unanswered("unusable_reply", f"{ask.step}: an empty continuation")
    return text


def joined(beginning: str, continuation: str) -> str:
    """Return a story of its beginning and what comes behind it."""
    return beginning.strip() + _PARAGRAPH + continuation.strip()


def as_beginning(text: str) -> str:
    """Return a text such that what comes next is a new paragraph."""
    return text.rstrip() + _PARAGRAPH


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which no file can hold
        return False
    return True
