"""Blocks → sections of passages, each passage with its id."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ._blocks import Heading, Prose
from ._passage import Passage, Section, estimate_tokens

_LONGEST_SLUG = 40


def gather_sections(blocks: Sequence[Heading | Prose], lines: Sequence[str]) -> tuple[Section, ...]:
    """Put each piece of prose under the heading it stands under.

    Args:
        blocks: Headings and prose in document order.
        lines: The source.
    """
    taken = Counter[str]()
    sections: list[Section] = []
    open_headings: list[Heading] = []
    current, held = Section(path=(), level=0, line=1), list[Passage]()
    for block in blocks:
        if isinstance(block, Prose):
            held.append(_passage(block, current.path, lines, taken))
            continue
        sections.append(replace(current, passages=tuple(held)))
        open_headings = [h for h in open_headings if h.level < block.level] + [block]
        path = tuple(heading.title for heading in open_headings)
        current = Section(path, block.level, block.start + 1, block.attributes)
        held = []
    sections.append(replace(current, passages=tuple(held)))
    # Text before the first heading is a section only where there is some.
    return tuple(section for section in sections if section.level or section.passages)


def _passage(
    prose: Prose, path: tuple[str, ...], lines: Sequence[str], taken: Counter[str]
) -> Passage:
    text = "\n".join(lines[prose.start : prose.end])
    return Passage(
        id=_new_id(path, prose.identity, taken),
        path=path,
        text=text,
        plain=prose.plain,
        lines=(prose.start + 1, prose.end),
        kind=prose.kind,
        tokens=estimate_tokens(text),
        context=prose.context,
    )


def _new_id(path: tuple[str, ...], identity: str, taken: Counter[str]) -> str:
    """Derive an id from what is the passage's own: its heading path and its words.

    Identical passages at one path are told apart by a count: `-2`, `-3`.
    """
    words = " ".join(identity.split())
    own = unicodedata.normalize("NFC", "\x1f".join([*path, words]))
    digest = hashlib.sha256(own.encode()).hexdigest()[:10]
    stem = f"{_slug(path[-1]) if path else 'preamble'}-{digest}"
    taken[stem] += 1
    return stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"


def _slug(heading: str) -> str:
    """Return a heading as lower-case words joined by hyphens, cut between words where long."""
    heading = unicodedata.normalize("NFKC", heading).lower().replace("’", "").replace("'", "")
    # Vowel signs are no letters to `isalnum`, but belong to the word they stand in.
    kept = (c if c.isalnum() or _is_mark(c) else " " for c in heading)
    slug = "-".join("".join(kept).split())
    if len(slug) > _LONGEST_SLUG:
        slug = slug[: _LONGEST_SLUG + 1].rpartition("-")[0] or slug[:_LONGEST_SLUG]
    return slug or "section"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
