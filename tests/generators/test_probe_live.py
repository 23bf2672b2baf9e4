"""Probes asked of a real server by the provider's own SDK, whatever is drawn."""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle, product
from typing import Any

import pytest
from support.answers.probe import FATES, REASONS, answer, fate_of, number_of, script, step_of
from support.loopback import LoopbackServer
from support.samples.deliberation import CONSTITUTION
from support.scripts import make_finder

from whyset.generators import Rejected, RowRejected, brief_from_record, run_steps
from whyset.generators._langchain import BoundGenerator
from whyset.generators.probe import FORMATS, KINDS, Probe
from whyset.models import AnthropicModel
from whyset.models.testing import ScriptedModel
from whyset.retriever.testing import FakeSearcher

PASSAGES = [passage.id for passage in CONSTITUTION.passages]
PROBES = 24


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as running:
        yield running


def bound(server: LoopbackServer, **options: Any) -> BoundGenerator:
    model = AnthropicModel("claude-loopback-1", base_url=server.url, api_key="test-key")
    return Probe(**options).bind(model, FakeSearcher(CONSTITUTION))


def briefs(count: int) -> list[dict[str, Any]]:
    drawn = cycle(product(FORMATS, KINDS))
    return [
        {
            "passages": [PASSAGES[number % len(PASSAGES)]],
            "variety": {"format": form, "kind": kind},
            "seed": number,
            "attempt": number,
        }
        for number, (form, kind) in zip(range(count), drawn, strict=False)
    ]


async def test_what_is_written_and_what_is_not_is_as_the_server_decides(
    server: LoopbackServer,
) -> None:
    wanted = briefs(PROBES)
    outcomes = await bound(server, model_name="Lumo").abatch(wanted, return_exceptions=True)

    kinds, reasons, fates = Counter[str](), Counter[str](), Counter[str]()
    for outcome in outcomes:
        if isinstance(outcome, RowRejected):
            reasons.update(outcome.reasons)
            continue
        assert isinstance(outcome, dict), outcome
        fate = fate_of(number_of(outcome["input"]))
        metadata = outcome["metadata"]
        assert "Lumo" in metadata["named_input"]
        if metadata["kind"] == "recall":
            assert FATES[fate] == "written", outcome
        kinds[metadata["kind"]] += 1
        fates[fate] += 1
    assert set(kinds) == set(KINDS)
    assert len(fates) > 1
    assert reasons
    assert set(reasons) <= set(REASONS.values())
    assert kinds.total() + reasons.total() == PROBES
    assert {step_of(body) for body in server.bodies} == {
        "fact",
        "question",
        "reference",
        "judge",
        "revise",
        "control",
        "compare",
    }


def test_the_same_brief_leads_to_the_same_probe(server: LoopbackServer) -> None:
    generator = bound(server)
    for brief in briefs(12):
        try:
            first = generator.invoke(brief)
        except RowRejected:
            continue
        assert generator.invoke(brief) == first
        return
    pytest.fail("none was written")


@pytest.mark.parametrize("number", range(12))
def test_without_a_server_it_goes_the_same_way(number: int) -> None:
    brief = brief_from_record(briefs(12)[number])
    steps = Probe(model_name="Lumo").steps(brief)
    result = run_steps(steps, ScriptedModel(script).answer, make_finder(CONSTITUTION)).result

    if isinstance(result, Rejected):
        assert set(result.reasons) <= set(REASONS.values()), result.detail
