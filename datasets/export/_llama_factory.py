"""LLaMA-Factory: its `sharegpt` formatting, and the `dataset_info.json` that describes it.

As LLaMA-Factory 0.9.5 reads them. Its `openai` formatting is left aside: that version adds
"detailed thinking off" to system prompts on its own. Where turns do not alternate it skips a row
with no more than a line in its log, so such rows are refused here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from whyset.errors import UnsupportedConversion, UnsupportedRow

from .._row import Conversation, Message
from ..shapes import SHAPES
from ._example import Example, ExportKind
from ._format import DatasetFiles, ExportStyle, TrainerFormat, split_system, wrap_reasoning

_USER_TURNS = frozenset({"human", "observation"})
_ASSISTANT_TURNS = frozenset({"gpt", "function_call"})
_STAGES: Mapping[ExportKind, str] = {"text": "pt", "preference": "dpo", "messages": "sft"}
_COMMENTS = {
    "mask_history": (
        "Only the last response of a conversation is learned; remove it to learn all of them.",
    ),
    "enable_thinking": (
        "null, not true: rows without reasoning would otherwise learn an empty thought, which is",
        "known to collapse reasoning.",
    ),
}


class LlamaFactoryFormat(TrainerFormat):
    """Supervised fine-tuning, pre-training on texts, DPO."""

    name = "llama-factory"
    title = "LLaMA-Factory"
    kinds = ("messages", "preference", "text")
    reserved_columns = frozenset(
        {"conversations", "system", "tools", "chosen", "rejected", "text", "images", "videos"}
        | {"audios", "_prompt", "_response", "_system", "_tools", "_images", "_videos", "_audios"}
    )

    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return `conversations` with `system` and `tools`, `chosen` and `rejected`; or `text`."""
        if kind == "text":
            return {"text": example.text}
        messages = self.to_text_messages(example.messages, extra_fields=frozenset())
        system, messages = split_system(messages)
        columns = self._write_turns(messages, example)
        turns: list[dict[str, Any]] = columns["conversations"]
        if system:
            columns["system"] = system
        if kind == "preference":
            self.require_single_responses(example)
            columns["chosen"] = turns.pop()
            rejected = self.to_text_messages(example.rejected, extra_fields=frozenset())
            columns["rejected"] = self._write_turns(rejected, example)["conversations"][0]
        self._require_alternation(turns, last="question" if kind == "preference" else "response")
        return columns

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the description of the dataset, and what a configuration says of it."""
        names = {
            split: files.name if split == "train" else f"{files.name}_{split}"
            for split in files.splits
        }
        described = {
            names[split]: _describe_dataset(file, files.columns, kind)
            for split, file in files.splits.items()
        }
        stage = _STAGES[kind]
        settings: dict[str, Any] = {"stage": stage, "dataset_dir": ".", "dataset": names["train"]}
        if "test" in names:
            settings["eval_dataset"] = names["test"]
        if stage == "sft":
            settings["mask_history"] = True
        if files.has_mixed_reasoning and stage != "pt":
            settings["enable_thinking"] = None
        return {
            "dataset_info.json": json.dumps(described, ensure_ascii=False, indent=2) + "\n",
            "llama_factory.yaml": self.render_yaml(settings, _COMMENTS),
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

    def _write_turns(self, messages: tuple[Message, ...], example: Example) -> dict[str, Any]:
        conversation = Conversation(wrap_reasoning(messages), 0, example.tool_definitions)
        try:
            return SHAPES["sharegpt"].write(conversation)
        except UnsupportedConversion as error:
            raise self.conversion_error(error) from error

    def _require_alternation(self, turns: Sequence[Mapping[str, Any]], *, last: str) -> None:
        for at, turn in enumerate(turns):
            if turn["from"] not in (_ASSISTANT_TURNS if at % 2 else _USER_TURNS):
                raise UnsupportedRow(
                    "turns",
                    f"{self.title} takes turns that alternate, a question or a tool's result "
                    f"first: turn {at + 1} is {turn['from']!r}",
                )
        if len(turns) % 2 != (last == "question"):
            raise UnsupportedRow("turns", f"{self.title} wants a {last} as the last turn")


def _describe_dataset(file: str, columns: frozenset[str], kind: ExportKind) -> dict[str, Any]:
    if kind == "text":
        return {"file_name": file, "columns": {"prompt": "text"}}
    own = {name: name for name in ("system", "tools", "chosen", "rejected") if name in columns}
    ranking = {"ranking": True} if kind == "preference" else {}
    read = {"messages": "conversations"} | own
    return {"file_name": file, "formatting": "sharegpt", **ranking, "columns": read}
