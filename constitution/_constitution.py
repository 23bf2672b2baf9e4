"""A constitution: its passages and sections, and how it is loaded."""

import difflib
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path

from whyset.errors import ConstitutionError, ConstitutionLookupError

from ._blocks import Heading, ParsedMarkdown, ProseBlock, parse_blocks
from ._passage import Passage, Section, estimate_tokens

# The longest constitution published so far has 270,000 characters; the parser takes a second or
# so for a million of prose, half a minute for a million of the worst kind (`![`).
_MAX_CHARACTERS = 1_000_000
_MAX_SLUG_LENGTH = 40
_SECTION_SEPARATOR = " > "
_LINE_END = re.compile(rb"\r\n?|\n")
_DECLARED_TITLE = re.compile(r"^title:[ \t]*(['\"]?)(.*?\S)\1[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Constitution:
    """A document of values, parsed into the passages that training data is grounded in.

    Two constitutions are equal where title and digest are: the rest follows from the text.

    Attributes:
        title: The front matter's or the document's only H1, else its file name.
        digest: SHA-256 of the text in hex: of the file itself where it is UTF-8 with LF line
            ends and no byte order mark.
        passages: Every passage in document order; together they have all the prose.
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
            source: A path; or the text itself, which must have at least one line break.

        Raises:
            ConstitutionError: There is no such file, it is not UTF-8 text, it cannot be read
                whole, or it has no prose.
        """
        if isinstance(source, str) and ("\n" in source or "\r" in source):
            return cls.parse(source)
        path = Path(source)
        return cls.parse(_read_text(path), name=str(path))

    @classmethod
    def charter(cls) -> "Constitution":
        """Return the constitution that ships with whyset."""
        return _load_charter()

    @classmethod
    def parse(cls, text: str, *, name: str = "<text>") -> "Constitution":
        """Parse Markdown text.

        Args:
            text: The document. Any line ends, with or without a byte order mark.
            name: What error messages call it; a path's stem is the title of last resort.

        Raises:
            ConstitutionError: The text has no prose, is not text, or cannot be read whole (too
                long, nested too deep, a comment left open).
        """
        source = _normalise_text(text, name)
        document = parse_blocks(source, name=name)
        sections = _build_sections(document.blocks, source.split("\n"))
        passages = tuple(passage for section in sections for passage in section.passages)
        if not passages:
            problem = "has headings but no text" if sections else "has no text"
            raise _no_prose_error(name, problem)
        return cls(
            title=_find_title(document, name),
            digest=hashlib.sha256(source.encode()).hexdigest(),
            passages=passages,
            sections=sections,
        )

    def passage(self, passage_id: str) -> Passage:
        """Return the passage with this id.

        Raises:
            ConstitutionLookupError: There is none; the message names the nearest.
        """
        for passage in self.passages:
            if passage.id == passage_id:
                return passage
        raise _lookup_error("passage", passage_id, [passage.id for passage in self.passages])

    def section(self, path: str | Sequence[str]) -> Section:
        """Return the section at a path, with the passages of its subsections.

        Sections that share a path are one here: all their passages, under the first one's line.

        Args:
            path: The headings from the top, as a sequence or joined with ` > `; leading ones may
                be left out where the rest is unambiguous: `"Being honest"` usually is enough. An
                empty path is the text before the first heading.

        Raises:
            ConstitutionLookupError: No section, or several different ones, match.
        """
        wanted = path if isinstance(path, str) else _SECTION_SEPARATOR.join(path)
        names = [_SECTION_SEPARATOR.join(section.path) for section in self.sections]
        named = list(zip(names, self.sections, strict=True))
        suffix = _SECTION_SEPARATOR + wanted
        matches = [section for name, section in named if name == wanted] or [
            section for name, section in named if wanted and name.endswith(suffix)
        ]
        if not matches:
            raise _lookup_error("section", wanted, names)
        if len(paths := {section.path for section in matches}) > 1:
            listed = "; ".join(sorted(map(_SECTION_SEPARATOR.join, paths)))
            raise ConstitutionLookupError(
                f"{len(paths)} sections of {self.title!r} end in {wanted!r}: name one in full: "
                f"{listed}"
            )
        first = matches[0]
        if not first.path:
            return first
        inside = (p for p in self.passages if p.path[: len(first.path)] == first.path)
        return replace(first, passages=tuple(inside))

    def outline(self) -> str:
        """Return the headings as an indented list, each with its line and number of passages."""
        rows = []
        for section in self.sections:
            indent = "  " * max(len(section.path) - 1, 0)
            untitled = "(no title)" if section.level else "(before the first heading)"
            count = len(section.passages)
            rows.append(
                f"{indent}{section.title or untitled}  [line {section.line}, "
                f"{count} passage{'' if count == 1 else 's'}]"
            )
        return "\n".join(rows)


@cache
def _load_charter() -> Constitution:
    source = resources.files(__package__).joinpath("charter.md")
    return Constitution.parse(source.read_text(encoding="utf-8"), name="charter.md")


def _read_text(path: Path) -> str:
    """Return the text of a UTF-8 file."""
    try:
        with path.open("rb") as file:
            # A character has at most four bytes: what is longer need not be read to be refused.
            data = file.read(4 * _MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConstitutionError(f"{path}: cannot be read: {reason}") from error
    if len(data) > 4 * _MAX_CHARACTERS:
        raise _too_long_error(str(path))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConstitutionError(f"{path}: is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise ConstitutionError(
            f"{path}: is a binary file (it holds NUL bytes); give a Markdown document"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConstitutionError(
            f"{path}:{_line_number(data[: error.start])}: is not UTF-8 "
            f"(byte 0x{data[error.start]:02x}); save it as UTF-8"
        ) from error


def _normalise_text(text: str, name: str) -> str:
    """Return a text with LF line ends and without a byte order mark."""
    if "\0" in text:
        raise ConstitutionError(f"{name}: holds NUL characters; give a Markdown document")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConstitutionError(
            f"{name}:{_line_number(text[: error.start].encode())}: holds half a surrogate pair, "
            "which is no character; decode the text again from its source"
        ) from error
    if len(text) > _MAX_CHARACTERS:
        raise _too_long_error(name)
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not source.strip():
        raise _no_prose_error(name, "is empty")
    return source


def _line_number(before: bytes) -> int:
    return len(_LINE_END.findall(before)) + 1


def _build_sections(
    blocks: Sequence[Heading | ProseBlock], lines: Sequence[str]
) -> tuple[Section, ...]:
    """Put each piece of prose under its heading."""
    ids = Counter[str]()
    sections: list[Section] = []
    open_headings: list[Heading] = []
    current, passages = Section(path=(), level=0, line=1), list[Passage]()
    for block in blocks:
        if isinstance(block, ProseBlock):
            passages.append(_build_passage(block, current.path, lines, ids))
            continue
        sections.append(replace(current, passages=tuple(passages)))
        open_headings = [h for h in open_headings if h.level < block.level] + [block]
        path = tuple(heading.title for heading in open_headings)
        current = Section(path, block.level, block.start + 1, block.attributes)
        passages = []
    sections.append(replace(current, passages=tuple(passages)))
    # Text before the first heading is a section only where there is some.
    return tuple(section for section in sections if section.level or section.passages)


def _build_passage(
    prose: ProseBlock, path: tuple[str, ...], lines: Sequence[str], ids: Counter[str]
) -> Passage:
    text = "\n".join(lines[prose.start : prose.end])
    return Passage(
        id=_build_passage_id(path, prose.identity, ids),
        path=path,
        text=text,
        plain=prose.plain,
        lines=(prose.start + 1, prose.end),
        kind=prose.kind,
        tokens=estimate_tokens(text),
        context=prose.context,
    )


def _build_passage_id(path: tuple[str, ...], identity: str, ids: Counter[str]) -> str:
    """Derive an id from what is the passage's own: its heading path and its words.

    Identical passages at one path are numbered: `-2`, `-3`.
    """
    words = " ".join(identity.split())
    own = unicodedata.normalize("NFC", "\x1f".join([*path, words]))
    digest = hashlib.sha256(own.encode()).hexdigest()[:10]
    stem = f"{_slugify(path[-1]) if path else 'preamble'}-{digest}"
    ids[stem] += 1
    return stem if ids[stem] == 1 else f"{stem}-{ids[stem]}"


def _slugify(heading: str) -> str:
    """Return a heading as lower-case words joined by hyphens, cut between words where long."""
    heading = unicodedata.normalize("NFKC", heading).lower().replace("’", "").replace("'", "")
    # Vowel signs are no letters to `isalnum`, but belong to the word they stand in.
    characters = (
        c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in heading
    )
    slug = "-".join("".join(characters).split())
    if len(slug) > _MAX_SLUG_LENGTH:
        slug = slug[: _MAX_SLUG_LENGTH + 1].rpartition("-")[0] or slug[:_MAX_SLUG_LENGTH]
    return slug or "section"


def _find_title(document: ParsedMarkdown, name: str) -> str:
    if declared := _DECLARED_TITLE.search(document.front_matter):
        return declared[2]
    tops = [b.title for b in document.blocks if isinstance(b, Heading) and b.level == 1]
    if len(tops) == 1 and tops[0]:
        return tops[0]
    return "Untitled" if name.startswith("<") else Path(name).stem


def _lookup_error(what: str, wanted: str, known: list[str]) -> ConstitutionLookupError:
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else ""
    return ConstitutionLookupError(f"no {what} {wanted!r}{hint}")


def _no_prose_error(name: str, problem: str) -> ConstitutionError:
    return ConstitutionError(
        f"{name}: {problem}; a constitution is a Markdown document with text under its headings"
    )


def _too_long_error(name: str) -> ConstitutionError:
    return ConstitutionError(
        f"{name}: is longer than {_MAX_CHARACTERS:,} characters; give the constitution alone, or "
        "split it"
    )
