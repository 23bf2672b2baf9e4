"""Every consumer by its name."""

from collections.abc import Mapping
from typing import Final

from whyset.errors import DatasetError

from ._anthropic import Anthropic
from ._axolotl import Axolotl
from ._consumer import Consumer
from ._kinds import ConsumerName
from ._llama_factory import LlamaFactory
from ._openai import OpenAI
from ._trl import Trl

CONSUMERS: Final[Mapping[ConsumerName, Consumer]] = {
    consumer.name: consumer
    for consumer in (Trl(), Axolotl(), LlamaFactory(), OpenAI(), Anthropic())
}


def consumer_named(name: str) -> Consumer:
    """Return a consumer.

    Raises:
        DatasetError: There is none of that name.
    """
    found = next((consumer for known, consumer in CONSUMERS.items() if known == name), None)
    if found is None:
        raise DatasetError(
            f"nobody called {name!r} to export for; there are: {', '.join(CONSUMERS)}"
        )
    return found
