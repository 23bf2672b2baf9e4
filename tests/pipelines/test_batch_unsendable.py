"""An ask that no request can hold: its row goes to quarantine, and the batch goes without it."""

from collections.abc import Callable, Iterator

import pytest
from support.answers.deliberation import row
from support.batches import BatchServer
from support.loopback import message

from whyset.datasets import Row, row_from_record
from whyset.generators import Ask, Finished, Generator, Rejected, Steps, Tool, WorkState, ask_writer
from whyset.models import AnthropicModel
from whyset.pipelines import BatchEngine, BatchPolicy, Ledger, Pipeline, RunConfig
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK


class Tooled(Generator):
    """Asks with a tool whose schema is broken on the second row."""

    name = "tooled"
    version = "1"
    templates = {"ask": "<!-- system -->\nAnswer.\n<!-- user -->\nNow."}

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        tool = Tool("find", "Finds.", '{"type":"object"}' if item.line == 1 else "{")
        asked = Ask("writer", "tooled/ask", "Answer.", str(item.line), 50, tools=(tool,))
        text = yield from ask_writer(asked)
        return WorkState(self.evidence(), self.prompts).finish("written", {"text": text})


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(lambda _: message("Found.")) as running:
        yield running


async def test_a_tool_without_a_schema(
    server: BatchServer,
    open_model: Callable[[], AnthropicModel],
    searcher: FakeSearcher,
    ledger: Ledger,
) -> None:
    crew = Pipeline.build(Tooled(), open_model(), open_model(), searcher)
    engine = BatchEngine(
        crew,
        ledger,
        RunConfig(retries=QUICK, batch_policy=BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)),
    )
    records = [row_from_record(row(line), line=line) for line in (1, 2)]
    done = [each async for each in engine.run(records)]
    await crew.aclose()

    assert [each.record.outcome for each in done] == ["written", "quarantined"]
    assert "the tool 'find' are no JSON" in str(done[1].record)
    (batch,) = server.created
    assert len(batch.requests) == 1
