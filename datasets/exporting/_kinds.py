"""What rows are exported as, for whom, and what is said of one that cannot be."""

from typing import Literal

from whyset.errors import DatasetError

ConsumerName = Literal["trl", "axolotl", "llama-factory", "openai", "anthropic"]
"""Who reads what is exported; `docs/export.md` says how."""

Kind = Literal["messages", "completion", "preference", "text"]
"""Conversations; conversations of which the last response alone is learned; pairs; texts."""

Family = Literal["conversation", "preference", "text"]
"""What a row is; a conversation can be exported as either of two kinds."""


def family_of(kind: Kind) -> Family:
    """Return what rows of a kind are."""
    return "conversation" if kind == "messages" or kind == "completion" else kind


def kind_of_family(family: Family) -> Kind:
    """Return what rows are exported as where nothing else is asked for."""
    return "messages" if family == "conversation" else family


class NotExported(DatasetError):
    """A row that a consumer cannot hold; the message says what stands in the way.

    Attributes:
        reason: The same in one word, to be counted.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
