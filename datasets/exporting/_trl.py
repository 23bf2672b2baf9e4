"""TRL's trainers: `messages`, `prompt` and `completion`, `text`; `chosen` and `rejected` for DPO.

As TRL 1.16 reads them. `tools` and arguments of calls are JSON text: as objects they would get
each other's fields, null, from the datasets library.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ._consumer import Style, WrittenFiles
from ._kinds import ConsumerName, Kind
from ._speaking import chat, plain, tools_as_text
from ._taking import Taken


class Trl:
    """SFTTrainer and DPOTrainer."""

    name: ConsumerName = "trl"
    title = "TRL"
    kinds: tuple[Kind, ...] = ("messages", "completion", "preference", "text")
    open = True
    lines_only = False
    reserved = frozenset(
        {"messages", "conversations", "prompt", "completion", "chosen", "rejected", "text", "tools"}
        | {"image", "images", "label", "labels", "input_ids", "attention_mask", "seq_lengths"}
        | {"completion_mask", "assistant_masks", "chat_template_kwargs"}
    )

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        if kind == "text":
            return {"text": taken.text}
        prompt = chat(plain(taken.prompt, self.title), self.title)
        answer = chat(plain(taken.answer, self.title), self.title)
        tools = tools_as_text(taken.offered)
        if kind == "messages":
            return {"messages": [*prompt, *answer], **tools}
        if kind == "completion":
            # Without reasoning a template of the Qwen3 kind would put an empty thought into the
            # completion, where it is learned; told so, it puts it into the prompt.
            thinks = style.mixed_reasoning
            kwargs = {"chat_template_kwargs": {"enable_thinking": taken.reasons}} if thinks else {}
            return {"prompt": prompt, "completion": answer, **tools, **kwargs}
        rejected = chat(plain(taken.rejected, self.title), self.title)
        return {"prompt": prompt, "chosen": answer, "rejected": rejected, **tools}

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return none: `load_dataset` needs no more than the rows."""
        return {}

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Warn of thoughts that a template would make empty."""
        if kind != "messages" or not files.mixed_reasoning:
            return []
        return [
            "some rows carry reasoning and others do not: chat templates of the Qwen3 kind make "
            "the latter learn an empty thought, which is known to collapse reasoning; export with "
            "--kind completion, which keeps it out of the loss"
        ]
