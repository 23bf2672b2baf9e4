"""Taking a deliberation that stands in tags apart from the answer behind it."""

import re
from dataclasses import dataclass

_WHOLE = re.compile(r"\A\s*<deliberation>(.*?)</deliberation>(.*)\Z", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?deliberation>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Split:
    """A sampled text in its two parts.

    Attributes:
        thought: The deliberation; empty where none was asked for.
        answer: What the person reads.
    """

    thought: str
    answer: str

    @property
    def whole(self) -> str:
        """Both, for checks that hold for either."""
        return "\n\n".join(filter(None, (self.thought, self.answer)))


def split(text: str) -> Split | None:
    """Return a text's deliberation and answer; `None` where it is not made of just these two."""
    found = _WHOLE.match(text)
    if found is None:
        return None
    parts = Split(found[1].strip(), found[2].strip())
    if not parts.thought or not parts.answer or _TAG.search(parts.whole):
        return None
    return parts
