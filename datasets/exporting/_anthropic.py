"""Fine-tuning of Claude on Amazon Bedrock: `system` and plain messages that alternate.

As Anthropic's cookbook publishes it: two messages at least, the user's first and the assistant's
last, in turn; no other key. It was published for texts alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ._consumer import Style, WrittenFiles
from ._kinds import ConsumerName, Kind, NotExported
from ._speaking import in_tags, plain, refuse_reasoning
from ._taking import Taken


class Anthropic:
    """Supervised fine-tuning."""

    name: ConsumerName = "anthropic"
    title = "Anthropic's format"
    kinds: tuple[Kind, ...] = ("messages",)
    open = False
    lines_only = True
    reserved = frozenset[str]()

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        if taken.offered:
            raise NotExported("tools", f"{self.title} cannot hold tools on offer")
        spoken = plain(taken.messages, self.title, others=frozenset())
        if style.think_tags:
            spoken = in_tags(spoken)
        refuse_reasoning(spoken, self.title)
        columns: dict[str, Any] = {}
        if spoken and spoken[0].role == "system":
            columns["system"], spoken = spoken[0].text, spoken[1:]
        for at, message in enumerate(spoken):
            if message.tool_calls or message.role == "tool":
                raise NotExported("tools", f"{self.title} cannot hold tools at work")
            if message.name is not None:
                raise NotExported("unheld", f"{self.title} cannot hold a participant's name")
            if message.role != ("assistant" if at % 2 else "user"):
                raise NotExported(
                    "turns",
                    f"{self.title} takes messages that alternate, the user's first: message "
                    f"{at + 1} is the {message.role}'s",
                )
            if not message.text.strip():
                raise NotExported("turns", f"{self.title} takes no empty message")
        if len(spoken) % 2:
            raise NotExported("turns", f"{self.title} wants a response as the last message")
        columns["messages"] = [{"role": m.role, "content": m.text} for m in spoken]
        return columns

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return none."""
        return {}

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Return none."""
        return []
