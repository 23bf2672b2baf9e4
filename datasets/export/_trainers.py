"""Trainers that read the usual columns, TRL and axolotl; and every exporter by its name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from whyset.errors import DatasetError, UnsupportedRow

from .._row import Message
from ..files import format_from_name
from ._apis import AnthropicFormat, OpenAIFormat
from ._example import Example, ExportKind
from ._format import DatasetFiles, ExportStyle, TrainerFormat, tools_to_json, wrap_reasoning
from ._llama_factory import LlamaFactoryFormat


class TrlFormat(TrainerFormat):
    """TRL's SFTTrainer and DPOTrainer."""

    name = "trl"
    title = "TRL"
    kinds = ("messages", "completion", "preference", "text")
    reserved_columns = frozenset(
        {"messages", "conversations", "prompt", "completion", "chosen", "rejected", "text", "tools"}
        | {"image", "images", "label", "labels", "input_ids", "attention_mask", "seq_lengths"}
        | {"completion_mask", "assistant_masks", "chat_template_kwargs"}
    )

    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return `messages`; `prompt` and `completion`; `chosen` and `rejected`; or `text`."""
        if kind == "text":
            return {"text": example.text}
        prompt = self._chat(example.prompt)
        answer = self._chat(example.completion)
        tools = tools_to_json(example.tool_definitions)
        if kind == "messages":
            return {"messages": [*prompt, *answer], **tools}
        if kind == "preference":
            rejected = self._chat(example.rejected)
            return {"prompt": prompt, "chosen": answer, "rejected": rejected, **tools}
        columns: dict[str, Any] = {"prompt": prompt, "completion": answer, **tools}
        if style.has_mixed_reasoning:
            # Without reasoning a template of the Qwen3 kind would put an empty thought into the
            # completion, where it is learned; with this, it puts it into the prompt.
            columns["chat_template_kwargs"] = {"enable_thinking": example.has_reasoning}
        return columns

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

    def _chat(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        return self.to_chat_messages(self.to_text_messages(messages))


class AxolotlFormat(TrainerFormat):
    """Axolotl: supervised fine-tuning, pre-training on texts, DPO.

    It makes no thought empty: a turn's span leaves out what a template adds.
    """

    name = "axolotl"
    title = "axolotl"
    kinds = ("messages", "preference", "text")
    reserved_columns = frozenset(
        {"messages", "prompt", "chosen", "rejected", "text", "tools", "system", "images"}
        | {"input_ids", "attention_mask", "labels"}
    )

    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return `messages`; `prompt`, `chosen` and `rejected`; or `text`."""
        if kind == "text":
            return {"text": example.text}
        if kind == "messages":
            messages = self.to_chat_messages(self.to_text_messages(example.messages))
            return {"messages": messages, **tools_to_json(example.tool_definitions)}
        # Its DPO reads role and content alone.
        chosen, rejected, prompt = (
            wrap_reasoning(self.to_text_messages(part))
            for part in (example.completion, example.rejected, example.prompt)
        )
        if any(m.tool_calls or m.role == "tool" for m in (*prompt, *chosen, *rejected)):
            raise UnsupportedRow("tools", "axolotl's DPO cannot hold tools at work")
        if example.tool_definitions:
            raise UnsupportedRow("tools", "axolotl's DPO cannot hold tools on offer")
        self.require_single_responses(example, "axolotl's DPO")
        sides = {
            "chosen": self.to_chat_messages(chosen)[0],
            "rejected": self.to_chat_messages(rejected)[0],
        }
        return {"prompt": self.to_chat_messages(prompt), **sides}

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the piece of a configuration that names the files."""
        settings: dict[str, Any] = {"rl": "dpo"} if kind == "preference" else {}
        for name, split in (("datasets", "train"), ("test_datasets", "test")):
            if split in files.splits:
                settings[name] = [_axolotl_dataset(files.splits[split], kind)]
        return {"axolotl.yaml": self.render_yaml(settings)}


_AXOLOTL_READING: Final[Mapping[ExportKind, Mapping[str, Any]]] = {
    "text": {"type": "completion", "field": "text"},
    "preference": {"type": "chat_template.default", "field_messages": "prompt"},
    "messages": {
        "type": "chat_template",
        "field_messages": "messages",
        "field_tools": "tools",
        "field_thinking": "reasoning_content",
        "template_thinking_key": "reasoning_content",
        "roles_to_train": ["assistant"],
        "train_on_eos": "turn",
    },
}


def _axolotl_dataset(file: str, kind: ExportKind) -> dict[str, Any]:
    layout = format_from_name(file)
    form = layout.name if layout and layout.name in {"parquet", "csv", "arrow"} else "json"
    return {"path": file, "ds_type": form, "split": "train", **_AXOLOTL_READING[kind]}


TRAINERS: Final[Mapping[str, TrainerFormat]] = {
    each.name: each
    for each in (
        TrlFormat(),
        AxolotlFormat(),
        LlamaFactoryFormat(),
        OpenAIFormat(),
        AnthropicFormat(),
    )
}
"""Every exporter by its name."""


def get_trainer(name: str) -> TrainerFormat:
    """Return an exporter.

    Raises:
        DatasetError: There is none of that name.
    """
    if name not in TRAINERS:
        raise DatasetError(f"unknown export format {name!r}; choose from: {', '.join(TRAINERS)}")
    return TRAINERS[name]
