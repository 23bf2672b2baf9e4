"""A constitution: its passages and sections, and how it is loaded."""

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path

from whyset.errors import NotInConstitution

from ._blocks import Document, Heading, read_document
from ._passage import Passage, Section
from ._reading import no_prose, normalise, read_text
from ._sections import gather_sections

SECTION_SEPARATOR = " > "
_UNTITLED = "Untitled"
_BEFORE_HEADINGS = "(before the first heading)"


@dataclass(frozen=True, slots=True)
class Constitution:
    """A document of values, parsed into the passages that training data is grounded in.

    Two constitutions are equal where title and digest are: the rest follows from the text.

    Attributes:
        title: The front matter's or the document's only H1, else its file name.
        digest: SHA-256 of the text in hex: of the file itself where it is UTF-8 with LF line
            ends and no byte order mark.
        passages: Every passage in document order; together they hold all the prose.
        sections: Every section in document order, empty ones included.
    """

    title: str
    digest: str
    passages: tuple[Passage, ...] = field(repr=False, compare=False)
    sections: tuple[Section, ...] = field(repr=False, compare=False)

    @classmethod
    def load(cls, source: str | Path) -> "Constitution":
        """Read a constitution from a file, or from Markdown text.

        Args:
            source: A path; or the text itself, which must hold at least one line break.

        Raises:
            ConstitutionError: There is no such file, it is not UTF-8 text, it cannot be read
                whole, or it has no prose.
        """
        if isinstance(source, str) and ("\n" in source or "\r" in source):
            return cls.parse(source)
        path = Path(source)
        return cls.parse(read_text(path), name=str(path))

    @classmethod
    def charter(cls) -> "Constitution":
        """Return the constitution that ships with whyset."""
        return _charter()

    @classmethod
    def parse(cls, text: str, *, name: str = "<text>") -> "Constitution":
        """Parse Markdown text.

        Args:
            text: The document. Any line ends, with or without a byte order mark.
            name: What error messages call it; a path's stem is the title of last resort.

        Raises:
            ConstitutionError: The text holds no prose, is not text, or cannot be read whole (too
                long, nested too deep, a comment left open).
        """
        source = normalise(text, name)
        document = read_document(source, name=name)
        sections = gather_sections(document.blocks, source.split("\n"))
        passages = tuple(passage for section in sections for passage in section.passages)
        if not passages:
            raise no_prose(name, "holds headings but no prose" if sections else "holds no prose")
        return cls(
            title=_title(document, name),
            digest=hashlib.sha256(source.encode()).hexdigest(),
            passages=passages,
            sections=sections,
        )

    def passage(self, passage_id: str) -> Passage:
        """Return the passage with this id.

        Raises:
            NotInConstitution: There is none; the message names the nearest.
        """
        for passage in self.passages:
            if passage.id == passage_id:
                return passage
        raise _missing("passage", passage_id, [passage.id for passage in self.passages])

    def section(self, path: str | Sequence[str]) -> Section:
        """Return the section at a path, with the passages of its subsections.

        Sections that share a path are one here: all their passages, under the first one's line.

        Args:
            path: The headings from the top, as a sequence or joined with ` > `; leading ones may
                be left out where the rest is unambiguous: `"Being honest"` usually is enough. An
                empty path is the text before the first heading.

        Raises:
            NotInConstitution: No section, or several different ones, match.
        """
        wanted = path if isinstance(path, str) else SECTION_SEPARATOR.join(path)
        exact = [section for section in self.sections if _joined(section) == wanted]
        matches = exact or [
            section
            for section in self.sections
            if wanted and _joined(section).endswith(SECTION_SEPARATOR + wanted)
        ]
        if not matches:
            raise _missing("section", wanted, list(map(_joined, self.sections)))
        paths = {section.path for section in matches}
        if len(paths) > 1:
            listed = "; ".join(sorted(map(SECTION_SEPARATOR.join, paths)))
            raise NotInConstitution(
                f"{len(paths)} sections of {self.title!r} end in {wanted!r}: name one in full: "
                f"{listed}"
            )
        first = matches[0]
        if not first.path:
            return first
        held = (p for p in self.passages if p.path[: len(first.path)] == first.path)
        return replace(first, passages=tuple(held))

    def outline(self) -> str:
        """Return the headings as an indented list, each with its line and number of passages."""
        rows = []
        for section in self.sections:
            indent = "  " * max(len(section.path) - 1, 0)
            title = section.title or ("(no title)" if section.level else _BEFORE_HEADINGS)
            count = len(section.passages)
            rows.append(
                f"{indent}{title}  [line {section.line}, "
                f"{count} passage{'' if count == 1 else 's'}]"
            )
        return "\n".join(rows)


@cache
def _charter() -> Constitution:
    source = resources.files(__package__).joinpath("charter.md")
    return Constitution.parse(source.read_text(encoding="utf-8"), name="charter.md")


def _title(document: Document, name: str) -> str:
    declared = re.search(
        r"^title:[ \t]*(['\"]?)(.*?\S)\1[ \t]*$", document.front_matter, re.MULTILINE
    )
    if declared:
        return declared[2]
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    tops = [heading.title for heading in headings if heading.level == 1]
    if len(tops) == 1 and tops[0]:
        return tops[0]
    return _UNTITLED if name.startswith("<") else Path(name).stem


def _joined(section: Section) -> str:
    return SECTION_SEPARATOR.join(section.path)


def _missing(what: str, wanted: str, known: list[str]) -> NotInConstitution:
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else ""
    return NotInConstitution(f"no {what} {wanted!r}{hint}")
