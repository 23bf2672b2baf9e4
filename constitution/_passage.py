"""Passages, and the sections they stand in."""

from dataclasses import dataclass, field
from typing import Literal

PassageKind = Literal[
    "paragraph", "list_item", "block_quote", "table", "code", "admonition", "footnote", "html"
]
"""What a passage is in the source. `code` is a fenced or indented block."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A block of a constitution's prose: the unit that is retrieved, quoted and cited.

    Attributes:
        id: Stable and readable, such as `being-honest-3f9a01bc22`: the nearest heading, then a
            digest of the heading path and the text a reader sees. An edit elsewhere in the
            document does not change it; passages alike in both are numbered (`-2`, `-3`) in
            document order.
        path: Headings from the top of the document down to this passage; empty before the first.
        text: The exact Markdown source of the passage, LF line ends.
        plain: The text a reader sees: no markup, no comments, entities decoded.
        lines: First and last line in the source file, 1-based, both included.
        kind: What it is in the source.
        tokens: An estimate of its length in model tokens (see `estimate_tokens`), not a count.
        context: For a list item, quotation, table or code block: the sentence that introduces it,
            the last one of the paragraph (or list item) before it; `None` where a heading, a
            thematic break or a box lies between.
    """

    id: str
    path: tuple[str, ...]
    text: str
    plain: str
    lines: tuple[int, int]
    kind: PassageKind
    tokens: int
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the passages under it.

    Attributes:
        path: Headings from the top down to this one; empty for what precedes the first heading.
        level: 1 to 6 as in the source; 0 for what precedes the first heading.
        line: The heading's first line, 1-based.
        attributes: What the source says in braces behind the heading:
            `{#be_kind authority=root}` is `{"id": "be_kind", "authority": "root"}`.
        passages: The section's own passages, those of its subsections left out.
    """

    path: tuple[str, ...]
    level: int
    line: int
    attributes: dict[str, str] = field(default_factory=dict, hash=False)
    passages: tuple[Passage, ...] = ()

    @property
    def title(self) -> str:
        """The heading itself; empty for what precedes the first heading."""
        return self.path[-1] if self.path else ""


def estimate_tokens(text: str) -> int:
    """Estimate how many model tokens a text takes.

    Four characters a token for ASCII and one and a half for the rest. Measured against one real
    tokenizer, the embedder's WordPiece: 5 to 27 % too many on three constitutions in English, 0.8
    to 1.5 times the truth on nine passages of ten; a third too few on German, Russian, Chinese and
    code. Other tokenizers differ. Good for budgets, never for limits.
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    return round(ascii_characters / 4 + (len(text) - ascii_characters) / 1.5)
