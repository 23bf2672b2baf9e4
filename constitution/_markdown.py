"""Markdown source → syntax tree: the one module that knows markdown-it."""

import contextlib
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.common.html_blocks import block_names
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.admon import admon_plugin
from mdit_py_plugins.attrs.parse import ParseError, parse
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from whyset.errors import ConstitutionError

# Front matter begins with a key: what follows a thematic break on line 1 is prose otherwise.
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[\w-]+[ \t]*:(?=\s)")
_HEADING_ATTRIBUTES = re.compile(r"(?<!\\)(\{[^{}]+\})\s*$")
_FOOTNOTE = re.compile(r"\[\^([^\s\[\]]+)\]")
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:-->|(?P<open>\Z)))", re.DOTALL)
_TAG = re.compile(r"</?([a-zA-Z][\w-]*)(?:\s(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)?/?>|<[?!][^<>]*>")
_NEW_LINE_TAGS = frozenset([*block_names, "br"])

# A list takes two levels, a quotation one. markdown-it silently drops what is nested deeper, and
# the time it spends on a run of brackets grows with this number.
_MAX_NESTING = 40
_CONTAINERS = {
    "admonition_open",
    "blockquote_open",
    "footnote_reference_open",
    "list_item_open",
}


@dataclass(frozen=True, slots=True)
class MarkdownTree:
    """A syntax tree, and the line ranges of link reference definitions, which have no node."""

    root: SyntaxTreeNode
    definitions: tuple[tuple[int, int], ...]


def parse_markdown(source: str, *, name: str) -> MarkdownTree:
    """Parse Markdown with LF line ends."""
    environment: dict[str, Any] = {}
    parser = _build_parser(front_matter=bool(_FRONT_MATTER.match(source)))
    tokens = parser.parse(source, environment)
    _reject_unreadable(tokens, name)
    root = SyntaxTreeNode(tokens)
    _resolve_reference_titles(root)
    definitions = [
        *environment.get("references", {}).values(),
        *environment.get("duplicate_refs", []),
    ]
    return MarkdownTree(root, tuple((entry["map"][0], entry["map"][1]) for entry in definitions))


def render_plain_text(node: SyntaxTreeNode, *, named: bool = True) -> str:
    """Return what a reader sees of a node: blocks on lines of their own, no markup, no comments.

    `named` says whether `[?](#id)` reads as the title of the heading with that id, or as `?`.
    """
    if node.type == "inline":
        return "".join(_render_inline(child, named=named) for child in node.children).strip()
    if node.type in {"fence", "code_block"}:
        return node.content.rstrip("\n")
    if node.type == "html_block":
        text = html.unescape(_TAG.sub(_render_tag, _COMMENT.sub("", node.content)))
        return "\n".join(filter(None, map(str.strip, text.split("\n"))))
    parts = [render_plain_text(child, named=named) for child in node.children]
    if node.type == "tr":
        return " | ".join(part.replace("\n", " ") for part in parts).rstrip() if any(parts) else ""
    return "\n".join(part for part in parts if part)


def parse_heading_attributes(node: SyntaxTreeNode) -> dict[str, str]:
    """Return what stands in braces behind a heading: `{#calm tone=soft}` → id and tone."""
    return {name: str(value) for name, value in node.attrs.items()}


def _render_inline(node: SyntaxTreeNode, *, named: bool) -> str:
    match node.type:
        case "text" | "code_inline" | "text_special":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return _TAG.sub(_render_tag, _COMMENT.sub("", node.content))
        case "link" if named and "title" in node.meta:
            return str(node.meta["title"])
    return "".join(_render_inline(child, named=named) for child in node.children)


def _render_tag(tag: re.Match[str]) -> str:
    return "\n" if (tag[1] or "").lower() in _NEW_LINE_TAGS else ""


def _build_parser(*, front_matter: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": _MAX_NESTING}).enable("table")
    # Definitions stay where they stand, so that they keep their heading path and lines.
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    parser.inline.ruler.at("footnote_ref", _parse_footnote_reference)
    parser.use(admon_plugin)
    if front_matter:
        parser.use(front_matter_plugin)
    parser.core.ruler.before("inline", "heading_attributes", _move_heading_attributes)
    return parser


def _parse_footnote_reference(state: StateInline, silent: bool) -> bool:
    """Read `[^label]` as a footnote mark, even without that footnote where the label is a word.

    Documents taken from the web keep marks and lose notes. `[^a-z]` is text.
    """
    # The plugin's own rule takes quadratic time where brackets stay open.
    found = _FOOTNOTE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    defined = f":{found[1]}" in state.env.get("footnotes", {}).get("refs", {})
    if not (defined or found[1].isalnum()):
        return False
    if not silent:
        state.push("footnote_ref", "", 0)
    state.pos = found.end()
    return True


def _move_heading_attributes(state: StateCore) -> None:
    """Move the braces behind a heading from its text to the heading token's attributes."""
    for heading, inline in zip(state.tokens, state.tokens[1:], strict=False):
        if heading.type != "heading_open":
            continue
        braces = _HEADING_ATTRIBUTES.search(inline.content)
        if braces is None:
            continue
        with contextlib.suppress(ParseError):
            if attributes := parse(braces[1])[1]:
                heading.attrs.update(attributes)
                inline.content = inline.content[: braces.start()].rstrip()


def _reject_unreadable(tokens: Sequence[Token], name: str) -> None:
    """Raise where text would be lost, or is nested too deep to walk."""
    for token in tokens:
        if problem := _find_problem(token):
            line = token.map[0] + 1 if token.map else 1
            raise ConstitutionError(f"{name}:{line}: {problem}")


def _find_problem(token: Token) -> str | None:
    if token.type in _CONTAINERS and token.level + 1 >= _MAX_NESTING:
        return (
            "lists or quotations are nested too deep to be read (a quotation is one level, a "
            f"list two, and there may be {_MAX_NESTING - 1}); reduce the nesting"
        )
    if token.type == "inline" and _inline_depth(token) > _MAX_NESTING:
        return (
            "emphasis, links or images are nested too deep to be read (there may be "
            f"{_MAX_NESTING} levels); remove some of it"
        )
    if token.type == "html_block" and any(
        comment["open"] is not None for comment in _COMMENT.finditer(token.content)
    ):
        return (
            "a comment is opened in this block and not closed in it, which would hide text; "
            "close it with -->"
        )
    return None


def _inline_depth(inline: Token) -> int:
    """Return how deep inline markup is nested, images in images included."""
    deepest = 0
    pending = [(child, 0) for child in inline.children or ()]
    while pending:
        token, above = pending.pop()
        deepest = max(deepest, above + token.level)
        pending += [(child, above + token.level + 1) for child in token.children or ()]
    return deepest


def _resolve_reference_titles(root: SyntaxTreeNode) -> None:
    """Let the link of `[?](#id)` know the title of the heading it points to."""
    nodes = list(root.walk(include_self=False))
    headings = [node for node in nodes if node.type == "heading" and "id" in node.attrs]
    titles = {
        heading.attrs["id"]: " ".join(render_plain_text(heading).split()) for heading in headings
    }
    for node in nodes:
        if node.type == "link" and _render_inline(node, named=False) == "?":
            target = unquote(str(node.attrs["href"])).removeprefix("#")
            if target in titles:
                node.meta["title"] = titles[target]
