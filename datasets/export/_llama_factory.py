"""LLaMA-Factory: its `sharegpt` formatting, and the `dataset_info.json` that describes it.

As LLaMA-Factory 0.9.5 reads them. Its `openai` formatting is left aside: that version adds
"detailed thinking off" to system prompts on its own. Where turns do not alternate it skips a row
with no more than a line in its log, so such rows are refused here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from .._row import Conversation, Message
from ..shapes import SHAPES, UnsupportedConversion
from ._example import (
    Example,
    ExportKind,
    TrainerName,
    UnsupportedRow,
    to_text_messages,
    unsupported_error,
    wrap_reasoning,
)
from ._trainers import DatasetFiles, ExportStyle

_USER_ROLES, _ASSISTANT_ROLES = (
    frozenset({"human", "observation"}),
    frozenset({"gpt", "function_call"}),
)
_CONFIG_HEADER = (
    "# What LLaMA-Factory needs to know of these rows; the rest of a configuration is yours.\n"
)
_THINKING_CONFIG = (
    "# null, not true: rows without reasoning would otherwise learn an empty thought, which is\n"
    "# known to collapse reasoning.\nenable_thinking: null\n"
)
_LAST_RESPONSE_CONFIG = (
    "# Only the last response of a conversation is learned; remove it to learn all of them.\n"
    "mask_history: true\n"
)


class LlamaFactoryFormat:
    """Supervised fine-tuning, pre-training on texts, DPO."""

    name: TrainerName = "llama-factory"
    title = "LLaMA-Factory"
    kinds: tuple[ExportKind, ...] = ("messages", "preference", "text")
    allows_extra_columns = True
    requires_jsonl = False
    reserved_columns = frozenset(
        {"conversations", "system", "tools", "chosen", "rejected", "text", "images", "videos"}
        | {"audios", "_prompt", "_response", "_system", "_tools", "_images", "_videos", "_audios"}
    )

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        spoken = to_text_messages(taken.messages, self.title, others=frozenset())
        system = ""
        if spoken and spoken[0].role == "system":
            system, spoken = spoken[0].text, spoken[1:]
        columns = self._turns(spoken, taken)
        turns: list[dict[str, Any]] = columns["conversations"]
        if system:
            columns["system"] = system
        if kind == "preference":
            if len(taken.completion) != 1 or len(taken.rejected) != 1:
                raise UnsupportedRow(
                    "turns", f"{self.title} takes a single response on either side"
                )
            columns["chosen"] = turns.pop()
            rejected = to_text_messages(taken.rejected, self.title, others=frozenset())
            columns["rejected"] = self._turns(rejected, taken)["conversations"][0]
        self._require_turns(turns, pair=kind == "preference")
        return columns

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the description of the dataset, and what a configuration says of it."""
        names = {
            split: files.name if split == "train" else f"{files.name}_{split}"
            for split in files.splits
        }
        described = {
            names[split]: self._described(file, files.columns, kind)
            for split, file in files.splits.items()
        }
        stage = {"text": "pt", "preference": "dpo"}.get(kind, "sft")
        told = {"stage": stage, "dataset_dir": ".", "dataset": names["train"]}
        if "test" in names:
            told["eval_dataset"] = names["test"]
        settings = _CONFIG_HEADER + yaml.safe_dump(told, sort_keys=False)
        if stage == "sft":
            settings += _LAST_RESPONSE_CONFIG
        if files.has_mixed_reasoning and stage != "pt":
            settings += _THINKING_CONFIG
        return {
            "dataset_info.json": json.dumps(described, ensure_ascii=False, indent=2) + "\n",
            "llama_factory.yaml": settings,
        }

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Warn of thoughts that would be made empty."""
        if kind == "text" or not files.has_mixed_reasoning:
            return []
        return [
            "some rows carry reasoning and others do not: with a reasoning template LLaMA-Factory "
            "makes the latter learn an empty thought unless enable_thinking is null, as "
            "llama_factory.yaml has it"
        ]

    def _turns(self, messages: Sequence[Message], taken: Example) -> dict[str, Any]:
        conversation = Conversation(wrap_reasoning(tuple(messages)), 0, taken.tool_definitions)
        try:
            return SHAPES["sharegpt"].write(conversation)
        except UnsupportedConversion as refused:
            raise unsupported_error(refused, self.title) from refused

    def _require_turns(self, turns: Sequence[Mapping[str, Any]], *, pair: bool) -> None:
        for at, turn in enumerate(turns):
            if turn["from"] not in (_ASSISTANT_ROLES if at % 2 else _USER_ROLES):
                raise UnsupportedRow(
                    "turns",
                    f"{self.title} takes turns that alternate, a question or a tool's result "
                    f"first: turn {at + 1} is {turn['from']!r}",
                )
        if len(turns) % 2 != int(pair):
            ending = "a question" if pair else "a response"
            raise UnsupportedRow("turns", f"{self.title} wants {ending} as the last turn")

    def _described(self, file: str, columns: frozenset[str], kind: ExportKind) -> dict[str, Any]:
        if kind == "text":
            return {"file_name": file, "columns": {"prompt": "text"}}
        read = {"messages": "conversations"}
        read |= {
            name: name for name in ("system", "tools", "chosen", "rejected") if name in columns
        }
        ranking = {"ranking": True} if kind == "preference" else {}
        return {"file_name": file, "formatting": "sharegpt", **ranking, "columns": read}
