"""Axolotl: `type: chat_template`, `completion` for texts, `chat_template.default` for DPO.

As axolotl 0.19 reads them: `tools` may be JSON text, arguments of calls are parsed, and its DPO
strategy takes role and content of a message and nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ..containers import layout_of_name
from ._consumer import Style, WrittenFiles
from ._kinds import ConsumerName, Kind, NotExported
from ._speaking import chat, in_tags, plain, tools_as_text
from ._taking import Taken

_HEAD = "# What axolotl needs to know of these rows; the rest of a configuration is yours.\n"


class Axolotl:
    """Supervised fine-tuning, pre-training on texts, DPO."""

    name: ConsumerName = "axolotl"
    title = "axolotl"
    kinds: tuple[Kind, ...] = ("messages", "preference", "text")
    open = True
    lines_only = False
    reserved = frozenset(
        {"messages", "prompt", "chosen", "rejected", "text", "tools", "system", "images"}
        | {"input_ids", "attention_mask", "labels"}
    )

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        if kind == "messages":
            messages = chat(plain(taken.messages, self.title), self.title)
            return {"messages": messages, **tools_as_text(taken.offered)}
        sides = [in_tags(plain(side, self.title)) for side in (taken.answer, taken.rejected)]
        prompt = in_tags(plain(taken.prompt, self.title))
        for message in (*prompt, *sides[0], *sides[1]):
            if message.tool_calls or message.role == "tool":
                raise NotExported("tools", "axolotl's DPO cannot hold tools at work")
        if taken.offered:
            raise NotExported("tools", "axolotl's DPO cannot hold tools on offer")
        if any(len(side) != 1 for side in sides):
            raise NotExported("turns", "axolotl's DPO takes a single response on either side")
        written = [chat(side, self.title)[0] for side in sides]
        return {
            "prompt": chat(prompt, self.title),
            "chosen": written[0],
            "rejected": written[1],
        }

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return the piece of a configuration that names the files."""
        told: dict[str, Any] = {"rl": "dpo"} if kind == "preference" else {}
        told["datasets"] = [self._dataset(files.splits["train"], kind)]
        if "test" in files.splits:
            told["test_datasets"] = [self._dataset(files.splits["test"], kind)]
        return {"axolotl.yaml": _HEAD + yaml.safe_dump(told, sort_keys=False)}

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Return none: a turn's span leaves out the empty thought that a template may add."""
        return []

    def _dataset(self, file: str, kind: Kind) -> dict[str, Any]:
        read: dict[str, Any] = {"path": file, "ds_type": _type_of(file), "split": "train"}
        if kind == "text":
            return {**read, "type": "completion", "field": "text"}
        if kind == "preference":
            return {**read, "type": "chat_template.default", "field_messages": "prompt"}
        return {
            **read,
            "type": "chat_template",
            "field_messages": "messages",
            "field_tools": "tools",
            "field_thinking": "reasoning_content",
            "template_thinking_key": "reasoning_content",
            "roles_to_train": ["assistant"],
            "train_on_eos": "turn",
        }


def _type_of(file: str) -> str:
    layout = layout_of_name(file)
    return layout.form if layout and layout.form in {"parquet", "csv", "arrow"} else "json"
