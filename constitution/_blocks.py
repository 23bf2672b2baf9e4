"""Syntax tree → blocks: where each heading and each piece of prose begins and ends.

Line ranges are 0-based, end excluded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markdown_it.tree import SyntaxTreeNode

from whyset.errors import ConstitutionError

from ._markdown import parse_heading_attributes, parse_markdown, render_plain_text
from ._passage import PassageKind

_KINDS: dict[str, PassageKind] = {
    "admonition": "admonition",
    "blockquote": "block_quote",
    "code_block": "code",
    "fence": "code",
    "footnote_reference": "footnote",
    "html_block": "html",
    "paragraph": "paragraph",
    "table": "table",
}
_LIST_TYPES = {"bullet_list", "ordered_list"}
_NON_PROSE_TYPES = {"front_matter", "hr"}
_NESTING_TYPES = {"admonition", "footnote_reference"}
_LEAF_TYPES = {"heading", *_KINDS} - {"blockquote"} - _NESTING_TYPES
# A paragraph's last sentence introduces what follows it, as far as that is of these kinds.
_INTRODUCED_KINDS: set[PassageKind] = {"list_item", "block_quote", "code", "table"}
# `e.g. this` is no sentence end; ideographic full stops need no space behind them.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?![a-z\s])|(?<=[。！？])(?=[^\s”’」』）])")
_MARKERS = re.compile(r"(?:[\s>*+-]|\d{1,9}[.)](?=\s|$))*")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the document's outline (not one inside a quotation or a list)."""

    title: str
    level: int
    attributes: dict[str, str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ProseBlock:
    """A piece of prose.

    Attributes:
        identity: The text that its id is made from: `plain`, but independent of what headings
            elsewhere are called.
        context: The sentence that introduces it.
    """

    kind: PassageKind
    plain: str
    identity: str
    start: int
    end: int
    context: str | None


@dataclass(frozen=True, slots=True)
class ParsedMarkdown:
    """A Markdown document: its blocks in order, and the text of its front matter."""

    blocks: tuple[Heading | ProseBlock, ...]
    front_matter: str


def parse_blocks(source: str, *, name: str) -> ParsedMarkdown:
    """Find the headings and the prose of a Markdown source, and verify that no line is lost."""
    tree = parse_markdown(source, name=name)
    lines = source.split("\n")
    blocks = tuple(_walk_nodes(tree.root.children, lines))
    verify_coverage(
        lines,
        prose=[(block.start, block.end) for block in blocks if isinstance(block, ProseBlock)],
        elsewhere=[
            *((block.start, block.end) for block in blocks if isinstance(block, Heading)),
            *tree.definitions,
            *_find_empty_blocks(tree.root),
        ],
        name=name,
    )
    front_matter = [node.content for node in tree.root.children if node.type == "front_matter"]
    return ParsedMarkdown(blocks, "".join(front_matter))


def _walk_nodes(
    nodes: Sequence[SyntaxTreeNode], lines: list[str], introduction: str | None = None
) -> Iterator[Heading | ProseBlock]:
    for node in nodes:
        kind = _KINDS.get(node.type)
        if node.type == "heading":
            yield _build_heading(node)
            introduction = None
        elif node.type in _LIST_TYPES:
            for item in node.children:
                yield from _walk_list_item(item, lines, introduction)
        elif kind is None:
            introduction = None
        elif prose := _build_prose(kind, [node], _trim_line_range([node], lines), introduction):
            yield prose
            is_paragraph = prose.kind == "paragraph"
            introduction = _last_sentence(prose.plain) if is_paragraph else prose.context


def _walk_list_item(
    item: SyntaxTreeNode, lines: list[str], introduction: str | None
) -> Iterator[Heading | ProseBlock]:
    """Yield an item's own prose as one passage, its nested lists as passages of their own.

    What follows a nested list inside an item is a passage again: a slice cannot have a hole.
    """
    run: list[SyntaxTreeNode] = []
    nested_introduction = introduction
    for child in [*item.children, None]:
        if child is not None and child.type not in _LIST_TYPES:
            run.append(child)
            continue
        if run:
            start, end = _trim_line_range(run, lines)
            if run[0] is item.children[0] and item.map:
                # The marker may stand on a line of its own.
                start = item.map[0]
            if prose := _build_prose("list_item", run, (start, end), introduction):
                yield prose
                nested_introduction = _last_sentence(prose.plain)
        run = []
        if child is not None:
            yield from _walk_nodes([child], lines, nested_introduction)


def _build_heading(node: SyntaxTreeNode) -> Heading:
    start, end = node.map or (0, 0)
    title = " ".join(render_plain_text(node).split())
    return Heading(title, int(node.tag[1]), parse_heading_attributes(node), start, end)


def _build_prose(
    kind: PassageKind,
    nodes: Sequence[SyntaxTreeNode],
    lines: tuple[int, int],
    introduction: str | None,
) -> ProseBlock | None:
    """Make one piece of prose of neighbouring nodes; `None` where a reader sees nothing of them."""
    plain = "\n".join(filter(None, (render_plain_text(node) for node in nodes)))
    if not plain.strip():
        return None
    identity = "\n".join(filter(None, (render_plain_text(node, named=False) for node in nodes)))
    context = introduction if kind in _INTRODUCED_KINDS else None
    return ProseBlock(kind, plain, identity, *lines, context)


def _trim_line_range(nodes: Sequence[SyntaxTreeNode], lines: list[str]) -> tuple[int, int]:
    """Return the lines of neighbouring nodes without the blank ones markdown-it counts in."""
    start, end = (nodes[0].map or (0, 0))[0], (nodes[-1].map or (0, 0))[1]
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return start, end


def _last_sentence(plain: str) -> str:
    return _SENTENCE_END.split(plain.strip())[-1].strip()


def _find_empty_blocks(root: SyntaxTreeNode) -> Iterator[tuple[int, int]]:
    """Yield the lines of blocks that show a reader nothing: breaks, comments, empty fences."""
    for node in root.walk(include_self=False):
        if node.map is None:
            continue
        start, end = node.map
        if node.type in _NON_PROSE_TYPES:
            yield start, end
        elif node.type in _NESTING_TYPES:
            # Only the line that opens it: what is inside has nodes of its own.
            yield start, start + 1
        elif node.type in _LEAF_TYPES and not render_plain_text(node).strip():
            yield start, end


def verify_coverage(
    lines: Sequence[str],
    *,
    prose: Iterable[tuple[int, int]],
    elsewhere: Iterable[tuple[int, int]],
    name: str,
) -> None:
    """Prove that every line with something to read is in exactly one place.

    That is one piece of prose (`prose`, in document order), or else a heading, a link definition
    or a block known to show nothing (`elsewhere`).

    Raises:
        ConstitutionError: A line is in no piece or in two. That is a fault of whyset, not of the
            document; it must still not pass in silence.
    """
    covered = [False] * len(lines)
    last_end = 0
    for start, end in prose:
        if start < last_end or end <= start:
            raise _coverage_error(name, start)
        covered[start:end] = [True] * (end - start)
        last_end = end
    for start, end in elsewhere:
        covered[start:end] = [True] * (min(end, len(lines)) - start)
    for number, line in enumerate(lines):
        if not covered[number] and _has_visible_text(line):
            raise _coverage_error(name, number)


def _has_visible_text(line: str) -> bool:
    """Return whether a line has letters, digits or symbols beyond Markdown's own."""
    if not any(c.isalnum() or not (c.isascii() or c.isspace()) for c in line):
        return False
    return not _MARKERS.fullmatch(line)


def _coverage_error(name: str, number: int) -> ConstitutionError:
    return ConstitutionError(
        f"{name}:{number + 1}: this line cannot be assigned to exactly one passage; write the "
        "block around it more simply, and please report it"
    )
