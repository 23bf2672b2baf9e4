"""What a text that replaces another must keep of it."""

import re
from collections.abc import Sequence

from .._quotations import code_blocks
from ._check import Check, failed, passed

_URL = re.compile(
    r"https?://(?:[^\s<>()\[\]{}\"'`“”‘’«»。，、；：！？（）「」『』]|\([^\s()]*\))+"
    r"(?<![.,;:!?*_~…])",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"^[ \t>]*\d{1,9}[.)](?=[ \t])", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:[ \u00a0]?%)?")


def check_kept(text: str, *, original: str) -> list[Check]:
    """Code blocks, URLs and numbers of the original must all be in a text that replaces it.

    A code block may move into a list or out of it; the numbers of a list's items do not count.

    What it cannot see: how often something stood there; a code block that was never closed;
    numbers in words; a number that is written in another way ("1,000" for "1000") counts as lost.
    """
    return [
        _kept("code_kept", code_blocks(original), code_blocks(text)),
        _kept("urls_kept", _URL.findall(original), _URL.findall(text)),
        _kept("numbers_kept", _numbers(original), _numbers(text)),
    ]


def _kept(name: str, wanted: Sequence[str], present: Sequence[str]) -> Check:
    lost = [part for part in wanted if part not in present]
    if lost:
        return failed(name, f"the response's {lost[0].strip()[:80]!r} is missing or changed")
    return passed(name)


def _numbers(text: str) -> list[str]:
    found = _NUMBER.findall(_ORDINAL.sub("", text))
    return [number.replace(" ", "").replace("\u00a0", "") for number in found]
