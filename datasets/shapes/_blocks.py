"""How a response stands in a message of the Messages API: blocks, thinking blocks ahead of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .._row import Channel
from ._forms import Parted, is_bare_text, placed_in_parts

THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})
"""Types of blocks that hold reasoning."""


@dataclass(frozen=True, slots=True)
class BlocksForm:
    """A message whose `content` is a text or a list of blocks.

    A text and a list of one bare text block are the same to the API, and to this: so a text can
    become a list when a thinking block is put ahead of it.
    """

    def part(self, holder: Mapping[str, Any]) -> Parted:
        """Take the response and the thinking blocks ahead of it out."""
        thoughts, blocks = _parted(holder.get("content"))
        content = blocks[0]["text"] if is_bare_text(blocks) else blocks
        others = {name: value for name, value in holder.items() if name != "content"}
        return Parted(content, thoughts or None, others)

    def place(self, holder: Mapping[str, Any], text: str, channel: Channel) -> dict[str, Any]:
        """Put a text into a channel.

        A thinking block of ours has no signature: only the API can sign what its model thought.
        Blocks that are there stay as they are, because a signature holds for all of one.
        """
        thoughts, blocks = _parted(holder.get("content"))
        if channel == "thinking":
            thoughts = [{"type": "thinking", "thinking": text}, *thoughts]
        elif is_bare_text(blocks):
            said = blocks[0]["text"]
            placed = f"{text}\n\n{said}" if channel == "preface" and said else text
            blocks = [{"type": "text", "text": placed}]
            if isinstance(holder.get("content"), str):
                return {**holder, "content": placed}
        else:
            blocks = placed_in_parts(blocks, text, channel)
        return {**holder, "content": [*thoughts, *blocks]}

    def answer(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Put another response in the place of this one and of its reasoning."""
        if isinstance(holder.get("content"), str):
            return {**holder, "content": text}
        _, blocks = _parted(holder.get("content"))
        return {**holder, "content": placed_in_parts(blocks, text, "inline")}


def is_empty_thought(block: Mapping[str, Any]) -> bool:
    """Say whether a thinking block holds nothing; a signed one does, where the text is withheld."""
    return (
        block.get("type") == "thinking" and not block.get("thinking") and not block.get("signature")
    )


def _parted(content: Any) -> tuple[list[Any], list[Any]]:
    """Return the thinking blocks at the beginning, without empty ones, and the other blocks."""
    if isinstance(content, str):
        return [], [{"type": "text", "text": content}]
    blocks = list(content or ())
    first = next(
        (at for at, block in enumerate(blocks) if block.get("type") not in THOUGHTS), len(blocks)
    )
    return [block for block in blocks[:first] if not is_empty_thought(block)], blocks[first:]
