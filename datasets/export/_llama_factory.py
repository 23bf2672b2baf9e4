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
from ..shapes import LAYOUTS, ConversionRefused
from ._example import ConsumerName, Kind, NotExported, Taken, in_tags, plain, unheld
from ._trainers import Style, WrittenFiles

_ASKING, _ANSWERING = frozenset({"human", "observation"}), frozenset({"gpt", "function_call"})
_HEAD = "# What LLaMA-Factory needs to know of these rows; the rest of a configuration is yours.\n"
_THINKING = (
    "# null, not true: rows without reasoning would otherwise learn an empty thought, which is\n"
    "# known to collapse reasoning.\nenable_thinking: null\n"
)
_LAST = (
    "# Only the last response of a conversation is learned; remove it to learn all of them.\n"
    "mask_history: true\n"
)


class LlamaFactory:
    """Supervised fine-tuning, pre-training on texts, DPO."""

    name: ConsumerName = "llama-factory"
    title = "LLaMA-Factory"
    kinds: tuple[Kind, ...] = ("messages", "preference", "text")
    open = True
    lines_only = False
    reserved = frozenset(
        {"conversations", "system", "tools", "chosen", "rejected", "text", "images", "videos"}
        | {"audios", "_prompt", "_response", "_system", "_tools", "_images", "_videos", "_audios"}
    )

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        spoken = plain(taken.messages, self.title, others=frozenset())
        system = ""
        if spoken and spoken[0].role == "system":
            system, spoken = spoken[0].text, spoken[1:]
        columns = self._turns(spoken, taken)
        turns: list[dict[str, Any]] = columns["conversations"]
        if system:
            columns["system"] = system
        if kind == "preference":
            if len(taken.answer) != 1 or len(taken.rejected) != 1:
                raise NotExported("turns", f"{self.title} takes a single response on either side")
            columns["chosen"] = turns.pop()
            rejected = plain(taken.rejected, self.title, others=frozenset())
            columns["rejected"] = self._turns(rejected, taken)["conversations"][0]
        self._require_turns(turns, pair=kind == "preference")
        return columns

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
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
        settings = _HEAD + yaml.safe_dump(told, sort_keys=False)
        if stage == "sft":
            settings += _LAST
        if files.mixed_reasoning and stage != "pt":
            settings += _THINKING
        return {
            "dataset_info.json": json.dumps(described, ensure_ascii=False, indent=2) + "\n",
            "llama_factory.yaml": settings,
        }

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Warn of thoughts that would be made empty."""
        if kind == "text" or not files.mixed_reasoning:
            return []
        return [
            "some rows carry reasoning and others do not: with a reasoning template LLaMA-Factory "
            "makes the latter learn an empty thought unless enable_thinking is null, as "
            "llama_factory.yaml has it"
        ]

    def _turns(self, messages: Sequence[Message], taken: Taken) -> dict[str, Any]:
        conversation = Conversation(in_tags(tuple(messages)), 0, taken.offered)
        try:
            return LAYOUTS["sharegpt"].write(conversation)
        except ConversionRefused as refused:
            raise unheld(refused, self.title) from refused

    def _require_turns(self, turns: Sequence[Mapping[str, Any]], *, pair: bool) -> None:
        for at, turn in enumerate(turns):
            if turn["from"] not in (_ANSWERING if at % 2 else _ASKING):
                raise NotExported(
                    "turns",
                    f"{self.title} takes turns that alternate, a question or a tool's result "
                    f"first: turn {at + 1} is {turn['from']!r}",
                )
        if len(turns) % 2 != int(pair):
            ending = "a question" if pair else "a response"
            raise NotExported("turns", f"{self.title} wants {ending} as the last turn")

    def _described(self, file: str, columns: frozenset[str], kind: Kind) -> dict[str, Any]:
        if kind == "text":
            return {"file_name": file, "columns": {"prompt": "text"}}
        read = {"messages": "conversations"}
        read |= {
            name: name for name in ("system", "tools", "chosen", "rejected") if name in columns
        }
        ranking = {"ranking": True} if kind == "preference" else {}
        return {"file_name": file, "formatting": "sharegpt", **ranking, "columns": read}
