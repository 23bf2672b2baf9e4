"""A small constitution, a crew of real clients on the loopback server, and rows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import answer
from support.loopback import KEY, MODEL, LoopbackServer

from whyset.constitution import Constitution
from whyset.generators.deliberation import Deliberation
from whyset.models import AnthropicModel, RetryPolicy
from whyset.pipelines import Ledger, Pipeline
from whyset.retriever.testing import FakeSearcher

QUICK = RetryPolicy(attempts=3, initial_wait=0.01, max_outage=0.3)

TEXT = """\
# Manners

## Other people's things

Leave closed what belongs to somebody else, unless its owner says otherwise.

## Asking first

A question costs little and spares much. Ask before you act on somebody's behalf.
"""

OpenCrew = Callable[..., Pipeline]


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A server that answers deliberations."""
    with LoopbackServer(answer) as running:
        yield running


@pytest.fixture(scope="session")
def constitution() -> Constitution:
    return Constitution.parse(TEXT)


@pytest.fixture
def searcher(constitution: Constitution) -> FakeSearcher:
    return FakeSearcher(constitution)


@pytest.fixture
def open_model(server: LoopbackServer) -> Callable[[str], AnthropicModel]:
    """Anthropic's SDK, led to the server."""

    def opened(name: str = MODEL) -> AnthropicModel:
        return AnthropicModel(name, base_url=server.url, api_key=KEY, timeout=20)

    return opened


@pytest.fixture
def open_crew(
    open_model: Callable[[str], AnthropicModel], searcher: FakeSearcher
) -> Callable[..., Pipeline]:
    """A deliberation with options, its models by name."""

    def opened(*, writer: str = MODEL, judge: str = MODEL, **options: Any) -> Pipeline:
        return Pipeline.build(
            Deliberation(**options), open_model(writer), open_model(judge), searcher
        )

    return opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "out.ledger.sqlite") as opened:
        yield opened
