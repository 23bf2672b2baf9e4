"""Difficult advice asked of a real server by the provider's own SDK, whatever is drawn."""

from collections import Counter
from collections.abc import Iterator

import pytest
from support.answers.advice import REJECTED, answer, fate, number_of, step_of
from support.loopback import LoopbackServer
from support.samples.advice import VARIETY
from support.samples.deliberation import CONSTITUTION

from whyset.generators import RowRejected
from whyset.generators._langchain import BoundGenerator
from whyset.generators.advice import Advice
from whyset.models import AnthropicModel
from whyset.retriever.testing import FakeSearcher

PASSAGES = [passage.id for passage in CONSTITUTION.passages]
DOCUMENTS = 18


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as server:
        yield server


def bound(server: LoopbackServer, generator: Advice) -> BoundGenerator:
    model = AnthropicModel("claude-loopback-1", base_url=server.url, api_key="test-key")
    return generator.bind(model, FakeSearcher(CONSTITUTION))


def briefs(count: int) -> list[dict[str, object]]:
    return [
        {
            "passages": [PASSAGES[number % len(PASSAGES)]],
            "variety": {"domain": f"#{number}"},
            "seed": number,
        }
        for number in range(count)
    ]


async def test_what_is_written_and_what_is_not_is_as_the_server_decides(
    server: LoopbackServer,
) -> None:
    outcomes = await bound(server, Advice()).abatch(briefs(DOCUMENTS), return_exceptions=True)

    written, reasons = [], Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome, RowRejected):
            reasons.update(outcome.reasons)
        else:
            assert isinstance(outcome, dict), outcome
            written.append(outcome)
    fates = Counter(fate(number_of(document["whyset"]["idea"])) for document in written)
    assert not fates.keys() & REJECTED.keys()
    assert len(fates) > 1
    assert set(reasons) <= set(REJECTED.values())
    assert len(written) + reasons.total() == DOCUMENTS
    assert reasons
    assert len({document["messages"][-1]["content"] for document in written}) == len(written)


async def test_a_conversation_of_several_turns_reaches_the_server_as_one(
    server: LoopbackServer,
) -> None:
    # Of the first scenarios that seeds lead to, one that is written.
    outcomes = await bound(server, Advice(turns=3)).abatch(briefs(4), return_exceptions=True)
    document = next(outcome for outcome in outcomes if isinstance(outcome, dict))

    said = [said for said in document["messages"] if said["role"] != "system"]
    assert [turn["role"] for turn in said] == ["user", "assistant"] * 3
    last = [body for body in server.bodies if step_of(body) == "converse"]
    spoken = [[turn["content"] for turn in body["messages"]] for body in last]
    assert [turn["content"] for turn in said[:-1]] in spoken


def test_the_same_brief_leads_to_the_same_document(server: LoopbackServer) -> None:
    brief = {
        "about": "a diary that somebody left open",
        "idea": "About slip 19: the night porter signed without looking.",
        "variety": {**VARIETY, "system": "none"},
    }
    first, again = (
        bound(server, Advice(without=("judge", "revise_prompt"))).invoke(brief) for _ in range(2)
    )

    assert first == again
    assert [said["role"] for said in first["messages"]] == ["user", "assistant"]
