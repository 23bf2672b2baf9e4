"""How tools, and what was drawn, are shown to those who write and judge an environment."""

import json
from collections.abc import Sequence

from whyset.datasets import OfferedTool

from .._prompts import fence
from .._rendering import render_list
from .._showing import NOTHING
from ._variety import ORDER, WRONG, Hand


def show_own_tools(offered: Sequence[OfferedTool]) -> str:
    """Return the tools that a row has, by name and description."""
    if not offered:
        return NOTHING
    return fence(render_list(f"{tool.name}: {tool.description}" for tool in offered))


def show_tools(offered: Sequence[OfferedTool]) -> str:
    """Return tools with their schemas, fenced as data."""
    if not offered:
        return NOTHING
    parts = [
        f"{tool.name}: {tool.description}\n{json.dumps(tool.schema or {}, ensure_ascii=False)}"
        for tool in offered
    ]
    return fence("\n\n".join(parts))


def show_hand(hand: Hand) -> dict[str, str]:
    """Return what was drawn, as whoever writes is told it; what does not bear on it is empty."""
    return {
        "tool_count": str(hand.tools),
        "tool_domain": hand.told("tool_domain"),
        "tool_names": hand.told("tool_names"),
        "tool_schema": hand.told("tool_schema"),
        "tool_descriptions": hand.told("tool_descriptions"),
        "system_kind": hand.told("system") or "none",
        "system_length": hand.words.about if hand.writes_system else "",
        "system_opening": hand.told("system_opening"),
        "system_layout": hand.told("system_layout"),
        "system_voice": hand.told("system_voice"),
        "wrong": hand.told(WRONG),
        "order": hand.told(ORDER),
        "persona": hand.persona,
    }
