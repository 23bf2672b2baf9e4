"""What every consumer is: which kinds of rows it reads, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

from ..files import format_from_name
from ._example import (
    Example,
    ExportKind,
    TrainerName,
    UnsupportedRow,
    to_chat_messages,
    to_text_messages,
    tools_to_json,
    wrap_reasoning,
)


@dataclass(frozen=True, slots=True)
class ExportStyle:
    """How rows are written.

    Attributes:
        think_tags: Whether reasoning may stand in `<think>` tags where there is no field for it.
        has_mixed_reasoning: Whether some rows of the file carry reasoning and others do not.
    """

    think_tags: bool = False
    has_mixed_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class DatasetFiles:
    """What was written, as the consumer's own settings name it.

    Attributes:
        name: What the dataset is called.
        splits: Split → name of its file.
        columns: Every column that a row has.
        has_mixed_reasoning: Whether some rows do and others do not.
    """

    name: str
    splits: Mapping[str, str]
    columns: frozenset[str]
    has_mixed_reasoning: bool = False


class TrainerFormat(Protocol):
    """Who reads what is exported."""

    @property
    def name(self) -> TrainerName:
        """What it is called on the command line."""

    @property
    def title(self) -> str:
        """What it is called in a sentence."""

    @property
    def kinds(self) -> tuple[ExportKind, ...]:
        """What it reads."""

    @property
    def allows_extra_columns(self) -> bool:
        """Whether rows may have columns that it does not read: provenance, and ones to keep."""

    @property
    def reserved_columns(self) -> frozenset[str]:
        """Columns that mean something to it, so that no other may be called so."""

    @property
    def requires_jsonl(self) -> bool:
        """Whether it takes JSON lines and no other form of file."""

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns as it reads them.

        Raises:
            NotExported: It cannot hold the row.
        """

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the files that tell it how to read the rows: name → content."""

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Return what a person should know before training: rows has the count of each split."""


# ---- TRL's trainers: `messages`, `prompt` and `completion`, `text`; `chosen` and `rejected` for
# DPO.


class TrlFormat:
    """SFTTrainer and DPOTrainer."""

    name: TrainerName = "trl"
    title = "TRL"
    kinds: tuple[ExportKind, ...] = ("messages", "completion", "preference", "text")
    allows_extra_columns = True
    requires_jsonl = False
    reserved_columns = frozenset(
        {"messages", "conversations", "prompt", "completion", "chosen", "rejected", "text", "tools"}
        | {"image", "images", "label", "labels", "input_ids", "attention_mask", "seq_lengths"}
        | {"completion_mask", "assistant_masks", "chat_template_kwargs"}
    )

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        prompt = to_chat_messages(to_text_messages(taken.prompt, self.title), self.title)
        answer = to_chat_messages(to_text_messages(taken.completion, self.title), self.title)
        tools = tools_to_json(taken.tool_definitions)
        if kind == "messages":
            return {"messages": [*prompt, *answer], **tools}
        if kind == "completion":
            # Without reasoning a template of the Qwen3 kind would put an empty thought into the
            # completion, where it is learned; told so, it puts it into the prompt.
            thinks = style.has_mixed_reasoning
            kwargs = (
                {"chat_template_kwargs": {"enable_thinking": taken.has_reasoning}} if thinks else {}
            )
            return {"prompt": prompt, "completion": answer, **tools, **kwargs}
        rejected = to_chat_messages(to_text_messages(taken.rejected, self.title), self.title)
        return {"prompt": prompt, "chosen": answer, "rejected": rejected, **tools}

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return none: `load_dataset` needs no more than the rows."""
        return {}

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Warn of thoughts that a template would make empty."""
        if kind != "messages" or not files.has_mixed_reasoning:
            return []
        return [
            "some rows carry reasoning and others do not: chat templates of the Qwen3 kind make "
            "the latter learn an empty thought, which is known to collapse reasoning; export with "
            "--kind completion, which keeps it out of the loss"
        ]


# ---- Axolotl: `type: chat_template`, `completion` for texts, `chat_template.default` for DPO.

_CONFIG_HEADER = (
    "# What axolotl needs to know of these rows; the rest of a configuration is yours.\n"
)


class AxolotlFormat:
    """Supervised fine-tuning, pre-training on texts, DPO."""

    name: TrainerName = "axolotl"
    title = "axolotl"
    kinds: tuple[ExportKind, ...] = ("messages", "preference", "text")
    allows_extra_columns = True
    requires_jsonl = False
    reserved_columns = frozenset(
        {"messages", "prompt", "chosen", "rejected", "text", "tools", "system", "images"}
        | {"input_ids", "attention_mask", "labels"}
    )

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        if kind == "messages":
            messages = to_chat_messages(to_text_messages(taken.messages, self.title), self.title)
            return {"messages": messages, **tools_to_json(taken.tool_definitions)}
        sides = [
            wrap_reasoning(to_text_messages(side, self.title))
            for side in (taken.completion, taken.rejected)
        ]
        prompt = wrap_reasoning(to_text_messages(taken.prompt, self.title))
        for message in (*prompt, *sides[0], *sides[1]):
            if message.tool_calls or message.role == "tool":
                raise UnsupportedRow("tools", "axolotl's DPO cannot hold tools at work")
        if taken.tool_definitions:
            raise UnsupportedRow("tools", "axolotl's DPO cannot hold tools on offer")
        if any(len(side) != 1 for side in sides):
            raise UnsupportedRow("turns", "axolotl's DPO takes a single response on either side")
        written = [to_chat_messages(side, self.title)[0] for side in sides]
        return {
            "prompt": to_chat_messages(prompt, self.title),
            "chosen": written[0],
            "rejected": written[1],
        }

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the piece of a configuration that names the files."""
        told: dict[str, Any] = {"rl": "dpo"} if kind == "preference" else {}
        told["datasets"] = [self._dataset(files.splits["train"], kind)]
        if "test" in files.splits:
            told["test_datasets"] = [self._dataset(files.splits["test"], kind)]
        return {"axolotl.yaml": _CONFIG_HEADER + yaml.safe_dump(told, sort_keys=False)}

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Return none: a turn's span leaves out the empty thought that a template may add."""
        return []

    def _dataset(self, file: str, kind: ExportKind) -> dict[str, Any]:
        read: dict[str, Any] = {"path": file, "ds_type": _dataset_type(file), "split": "train"}
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


def _dataset_type(file: str) -> str:
    layout = format_from_name(file)
    return layout.name if layout and layout.name in {"parquet", "csv", "arrow"} else "json"
