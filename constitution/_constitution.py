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

# ---- File or text → clean text: what a constitution may be made of.

MAX_CHARACTERS = 1_000_000
"""Characters. The longest constitution published so far has 270,000; the parser takes a
second or so for a million of prose, half a minute for a million of the worst kind (`![`)."""

_LINE_END = re.compile(rb"\r\n?|\n")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        ConstitutionError: The file cannot be read, is too long, binary, or in another encoding.
    """
    try:
        with path.open("rb") as file:
            # A character has at most four bytes: what is longer need not be read to be refused.
            data = file.read(4 * MAX_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConstitutionError(f"{path}: cannot be read: {reason}") from error
    if len(data) > 4 * MAX_CHARACTERS:
        raise _too_long_error(str(path))
    return _decode_utf8(data, str(path))


def normalise_text(text: str, name: str) -> str:
    """Return a text with LF line ends and without a byte order mark.

    Raises:
        ConstitutionError: The text is empty, too long, or holds what no text file can.
    """
    if "\0" in text:
        raise ConstitutionError(f"{name}: holds NUL characters; give a Markdown document")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = len(_LINE_END.findall(text[: error.start].encode())) + 1
        raise ConstitutionError(
            f"{name}:{line}: holds half a surrogate pair, which is no character; decode the text "
            "again from its source"
        ) from error
    if len(text) > MAX_CHARACTERS:
        raise _too_long_error(name)
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not source.strip():
        raise no_prose_error(name, "is empty")
    return source


def no_prose_error(name: str, what: str) -> ConstitutionError:
    """Return the error for a document without a single passage."""
    return ConstitutionError(
        f"{name}: {what}; a constitution is a Markdown document with text under its headings"
    )


def _decode_utf8(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConstitutionError(f"{name}: is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise ConstitutionError(
            f"{name}: is a binary file (it holds NUL bytes); give a Markdown document"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start])) + 1
        raise ConstitutionError(
            f"{name}:{line}: is not UTF-8 (byte 0x{data[error.start]:02x}); save it as UTF-8"
        ) from error


def _too_long_error(name: str) -> ConstitutionError:
    return ConstitutionError(
        f"{name}: is longer than {MAX_CHARACTERS:,} characters; give the constitution alone, or split it"
    )


# ---- Blocks → sections of passages, each passage with its id.

_MAX_SLUG_LENGTH = 40


def build_sections(
    blocks: Sequence[Heading | ProseBlock], lines: Sequence[str]
) -> tuple[Section, ...]:
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
        if isinstance(block, ProseBlock):
            held.append(_build_passage(block, current.path, lines, taken))
            continue
        sections.append(replace(current, passages=tuple(held)))
        open_headings = [h for h in open_headings if h.level < block.level] + [block]
        path = tuple(heading.title for heading in open_headings)
        current = Section(path, block.level, block.start + 1, block.attributes)
        held = []
    sections.append(replace(current, passages=tuple(held)))
    # Text before the first heading is a section only where there is some.
    return tuple(section for section in sections if section.level or section.passages)


def _build_passage(
    prose: ProseBlock, path: tuple[str, ...], lines: Sequence[str], taken: Counter[str]
) -> Passage:
    text = "\n".join(lines[prose.start : prose.end])
    return Passage(
        id=_build_passage_id(path, prose.identity, taken),
        path=path,
        text=text,
        plain=prose.plain,
        lines=(prose.start + 1, prose.end),
        kind=prose.kind,
        tokens=estimate_tokens(text),
        context=prose.context,
    )


def _build_passage_id(path: tuple[str, ...], identity: str, taken: Counter[str]) -> str:
    """Derive an id from what is the passage's own: its heading path and its words.

    Identical passages at one path are told apart by a count: `-2`, `-3`.
    """
    words = " ".join(identity.split())
    own = unicodedata.normalize("NFC", "\x1f".join([*path, words]))
    digest = hashlib.sha256(own.encode()).hexdigest()[:10]
    stem = f"{_slugify(path[-1]) if path else 'preamble'}-{digest}"
    taken[stem] += 1
    return stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"


def _slugify(heading: str) -> str:
    """Return a heading as lower-case words joined by hyphens, cut between words where long."""
    heading = unicodedata.normalize("NFKC", heading).lower().replace("’", "").replace("'", "")
    # Vowel signs are no letters to `isalnum`, but belong to the word they stand in.
    kept = (c if c.isalnum() or _is_mark(c) else " " for c in heading)
    slug = "-".join("".join(kept).split())
    if len(slug) > _MAX_SLUG_LENGTH:
        slug = slug[: _MAX_SLUG_LENGTH + 1].rpartition("-")[0] or slug[:_MAX_SLUG_LENGTH]
    return slug or "section"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


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
        return _load_charter()

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
        source = normalise_text(text, name)
        document = parse_blocks(source, name=name)
        sections = build_sections(document.blocks, source.split("\n"))
        passages = tuple(passage for section in sections for passage in section.passages)
        if not passages:
            raise no_prose_error(
                name, "holds headings but no prose" if sections else "holds no prose"
            )
        return cls(
            title=_find_title(document, name),
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
        raise _lookup_error("passage", passage_id, [passage.id for passage in self.passages])

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
        exact = [section for section in self.sections if _join_path(section) == wanted]
        matches = exact or [
            section
            for section in self.sections
            if wanted and _join_path(section).endswith(SECTION_SEPARATOR + wanted)
        ]
        if not matches:
            raise _lookup_error("section", wanted, list(map(_join_path, self.sections)))
        paths = {section.path for section in matches}
        if len(paths) > 1:
            listed = "; ".join(sorted(map(SECTION_SEPARATOR.join, paths)))
            raise ConstitutionLookupError(
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
def _load_charter() -> Constitution:
    source = resources.files(__package__).joinpath("charter.md")
    return Constitution.parse(source.read_text(encoding="utf-8"), name="charter.md")


def _find_title(document: ParsedMarkdown, name: str) -> str:
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


def _join_path(section: Section) -> str:
    return SECTION_SEPARATOR.join(section.path)


def _lookup_error(what: str, wanted: str, known: list[str]) -> ConstitutionLookupError:
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    hint = f"; nearest: {', '.join(map(repr, near))}" if near else ""
    return ConstitutionLookupError(f"no {what} {wanted!r}{hint}")
