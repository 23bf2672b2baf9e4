"""Explanations asked of a real server by the provider's own SDK, whatever is drawn."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.answers.explanation import (
    DATED,
    FATES,
    MENDED,
    PREACHY,
    REFUSED,
    answer,
    script,
    step_of,
)
from support.loopback import LoopbackServer
from support.samples.explanation import CONSTITUTION
from support.scripts import make_finder

from whyset.generators import Finished, Rejected, RowRejected, brief_from_record, run_steps
from whyset.generators._langchain import BoundGenerator
from whyset.generators.explanation import Explanation, load_document_types
from whyset.models import AnthropicModel
from whyset.models.testing import ScriptedModel
from whyset.retriever.testing import FakeSearcher

PASSAGES = [passage.id for passage in CONSTITUTION.passages]
DOCUMENTS = 18
REASONS = {
    PREACHY: "judge:not_promotional",
    DATED: "check:no_dates",
    REFUSED: "refused",
}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as running:
        yield running


def bound(server: LoopbackServer, **options: Any) -> BoundGenerator:
    model = AnthropicModel("claude-loopback-1", base_url=server.url, api_key="test-key")
    return Explanation(**options).bind(model, FakeSearcher(CONSTITUTION))


def briefs(count: int) -> list[dict[str, Any]]:
    return [
        {
            "passages": [PASSAGES[number % len(PASSAGES)]],
            "variety": {"subtype": f"#{number}", "length": "150"},
            "seed": number,
        }
        for number in range(count)
    ]


async def test_what_is_written_and_what_is_not_is_as_the_server_decides(
    server: LoopbackServer,
) -> None:
    outcomes = await bound(server).abatch(briefs(DOCUMENTS), return_exceptions=True)

    reasons, fates = Counter[str](), Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome, RowRejected):
            reasons.update(outcome.reasons)
        else:
            assert isinstance(outcome, dict), outcome
            idea = outcome["whyset"]["idea"]
            fates.update([next((fate for fate in FATES if fate and fate in idea), "")])
    assert set(fates) == {"", MENDED}
    assert set(reasons) <= set(REASONS.values())
    assert reasons
    assert fates.total() + reasons.total() == DOCUMENTS
    assert {step_of(body) for body in server.bodies} == {
        "subtypes",
        "ideas",
        "draft",
        "review",
        "rewrite",
        "score",
    }


async def test_one_document_at_a_prompt_in_a_form_of_ones_own(server: LoopbackServer) -> None:
    wanted = {"about": "reading a diary", "variety": {"form": "the menu of a ferry"}}
    # Of the first seeds, one whose idea is written.
    outcomes = await bound(server).abatch(
        [{**wanted, "seed": seed} for seed in range(4)], return_exceptions=True
    )

    document = next(outcome for outcome in outcomes if isinstance(outcome, dict))
    assert set(document) == {"text", "whyset"}
    assert document["whyset"]["variety"]["form"] == "the menu of a ferry"
    assert document["whyset"]["about"] == "reading a diary"
    assert document["whyset"]["usage"]["output_tokens"] > 0
    assert "subtypes" not in {step_of(body) for body in server.bodies}


def test_the_same_is_answered_without_a_server_whatever_the_type() -> None:
    model, generator = ScriptedModel(script), Explanation()
    find = make_finder(CONSTITUTION)

    def is_written(number: int, form: str) -> bool:
        brief = brief_from_record(
            {"passages": [PASSAGES[number % len(PASSAGES)]], "variety": {"form": form}},
            line=number + 1,
        )
        result = run_steps(generator.steps(brief), model.answer, find).result
        if isinstance(result, Rejected):
            assert set(result.reasons) <= set(REASONS.values()), result.detail
        return isinstance(result, Finished)

    written = [is_written(*numbered) for numbered in enumerate(list(load_document_types())[::16])]

    assert sum(written) > len(written) // 3
