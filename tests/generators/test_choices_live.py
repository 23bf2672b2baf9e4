"""Choices end to end, against a real server."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers.choices import (
    CONFLICT,
    FATES,
    LONG,
    MENDED,
    NEITHER,
    REFUSED,
    TURNED_DOWN,
    UNFAIR,
    answer,
    row,
    rows,
    step_of,
)
from support.answers.deliberation import write_rows
from support.batches import BatchServer
from support.loopback import LoopbackServer
from support.samples.deliberation import CONSTITUTION

from whyset.generators import RowRejected, UnsupportedModel
from whyset.generators.choices import Choices
from whyset.models import AnthropicModel, UnusableReply
from whyset.pipelines import BatchPolicy, Pipeline, Run, RunConfig, RunFiles
from whyset.retriever.testing import FakeSearcher

REASONS = {
    CONFLICT: ("conflict",),
    NEITHER: ("conflict",),
    UNFAIR: ("judge:fair",),
    LONG: ("check:length",),
    REFUSED: ("refused",),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as loopback:
        for name, value in loopback.environment.items():
            monkeypatch.setenv(name, value)
        yield loopback


@pytest.fixture
async def model(server: LoopbackServer) -> AsyncIterator[AnthropicModel]:
    opened = AnthropicModel("claude-loopback-1")
    yield opened
    await opened.aclose()


def test_a_pair_is_explained_or_not_by_what_becomes_of_it(model: AnthropicModel) -> None:
    bound = Choices().bind(model, FakeSearcher(CONSTITUTION))
    ended = bound.batch([row(n, fate) for n, fate in enumerate(FATES)], return_exceptions=True)

    for fate, found in zip(FATES, ended, strict=True):
        if FATES[fate] != "quarantined":
            assert isinstance(found, dict), found
            assert found["whyset"]["outcome"] == FATES[fate]
            assert ("rationale" in found) == (FATES[fate] == "explained")
        elif fate == TURNED_DOWN:
            assert isinstance(found, UnusableReply)
        else:
            assert isinstance(found, RowRejected)
            assert found.reasons == REASONS[fate]


def test_what_is_revised_is_asked_for_and_judged_again(
    server: LoopbackServer, model: AnthropicModel
) -> None:
    bound = Choices().bind(model, FakeSearcher(CONSTITUTION))

    written: Any = bound.invoke(row(1, MENDED))

    steps = [step_of(body) for body in server.bodies]
    assert steps == ["appraise", "write", "judge", "revise", "judge"]
    assert "Said more fairly" in written["rationale"]


async def test_a_run_accounts_for_every_pair(model: AnthropicModel, tmp_path: Path) -> None:
    source, output = tmp_path / "pairs.jsonl", tmp_path / "out.jsonl"
    write_rows(source, [*rows(20, *FATES), {"prompt": "no pair", "response": "at all"}])
    crew = Pipeline.build(Choices(), model, model, FakeSearcher(CONSTITUTION))

    summary = await Run(RunFiles.from_output(str(source), str(output)), crew).aexecute()

    assert summary.counts.record() == {
        "rows": 21,
        "explained": 4,
        "untouched": 4,
        "quarantined": 13,
        "reasons": {
            "check:length": 2,
            "conflict": 4,
            "judge:fair": 2,
            "no_pair": 1,
            "refused": 2,
            "turned_down": 2,
        },
    }
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert [record["id"] for record in written] == [0, 1, 2, 3, 10, 11, 12, 13]
    for record in written:
        asked = row(record["id"], list(FATES)[record["id"] % len(FATES)])
        assert {name: record[name] for name in asked} == asked


def test_by_batches_it_comes_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows(tmp_path / "pairs.jsonl", rows(12, *FATES))
    with BatchServer(answer) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for folder, batch in (("live", False), ("batch", True)):
            (tmp_path / folder).mkdir()
            files = RunFiles.from_output(str(source), str(tmp_path / folder / "out.jsonl"))
            model = AnthropicModel("claude-loopback-1")
            crew = Pipeline.build(Choices(), model, model, FakeSearcher(CONSTITUTION))
            policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
            Run(files, crew, RunConfig(batch=batch, batch_policy=policy)).execute()

    for name in ("out.jsonl", "out.quarantine.jsonl"):
        live, batched = (tmp_path / folder / name for folder in ("live", "batch"))
        assert batched.read_bytes() == live.read_bytes()


def test_without_a_language_model_it_declines() -> None:
    with pytest.raises(UnsupportedModel, match="choices needs a language model"):
        Choices().bind("extractive", FakeSearcher(CONSTITUTION))
