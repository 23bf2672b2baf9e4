"""Laying an environment around a row."""

from dataclasses import dataclass

from whyset.datasets import OfferedTool, Row, with_context

from .._conversing import system_message
from ._opinions import Environment
from ._schemas import parameters_in
from ._variety import ORDER, Hand


@dataclass(frozen=True, slots=True)
class Placed:
    """A row in its new environment.

    Attributes:
        row: The row, its columns changed.
        system: The whole system prompt; empty where there is none.
        new: The tools that were added.
    """

    row: Row
    system: str
    new: tuple[OfferedTool, ...]


def place(row: Row, environment: Environment, hand: Hand, *, extends: bool) -> Placed:
    """Lay an environment around a row.

    Args:
        row: The row; it is left as it is.
        environment: What a writer returned; every schema in it is JSON of an object.
        hand: What was dealt.
        extends: Whether the row's own system prompt stays, and the new one stands beside it.
    """
    added = [
        {
            "name": tool.name,
            "description": tool.description.strip(),
            "parameters": parameters_in(tool.parameters),
        }
        for tool in environment.tools
    ]
    own = [dict(tool.definition) for tool in row.conversation.offered]
    system = _system(row, environment.system.strip(), hand, extends=extends)
    changed = with_context(row, system or None, [*own, *added] if added else None)
    held = system_message(changed.conversation)
    new = changed.conversation.offered[len(own) :]
    return Placed(changed, held.text if held else "", new)


def _system(row: Row, written: str, hand: Hand, *, extends: bool) -> str:
    own = system_message(row.conversation)
    if not written or not extends or own is None:
        return written
    parts = [own.text, written]
    if hand.variety.get(ORDER) == "before":
        parts.reverse()
    return "\n\n".join(filter(None, parts))
