"""Estimates of a corpus: ideas and documents, shared asks once, what is done at no cost."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import notes
from support.notes import Notes, script

from whyset.constitution import Constitution
from whyset.generators import Reply
from whyset.models.testing import ScriptedModel
from whyset.pipelines import (
    CorpusCounts,
    CorpusFiles,
    CorpusRun,
    Estimate,
    Forecast,
    Pipeline,
    PlanError,
    RunStopped,
    make_plan,
)
from whyset.pipelines.estimate._cost import extrapolate_distinct
from whyset.pipelines.estimate._estimate import make_reply_unique
from whyset.retriever.testing import FakeSearcher

CONSTITUTION = Constitution.charter()


def corpus(output: Path, *, documents: int = 70, **options: Any) -> CorpusRun:
    model = ScriptedModel(script, name="anthropic:claude-haiku-5-5")
    pipeline = Pipeline.build(Notes(), model, model, FakeSearcher(CONSTITUTION))
    plan = make_plan(Notes(), CONSTITUTION, documents=documents, wave=16, **options)
    return CorpusRun(CorpusFiles.from_output(str(output)), plan, pipeline)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "docs.jsonl"


def asks(forecast: Forecast) -> dict[str, int]:
    return {step.step.removeprefix("notes/"): step.asks for step in forecast.steps}


def test_every_step_of_ideas_and_documents_is_counted_and_what_all_share_once(
    output: Path,
) -> None:
    run = corpus(output)
    model = run.pipeline.models["writer"]
    assert isinstance(model, ScriptedModel)
    estimate = run.estimate()
    assert (estimate.rows, estimate.finished, estimate.remaining) == (70, 0, 70)
    assert asks(estimate.most) == {"list": 1, "ideas": 70, "write": 70, "judge": 70}
    assert estimate.most.live is not None
    assert estimate.most.batch == pytest.approx(estimate.most.live / 2, rel=Decimal("0.01"))
    assert model.asks == []


def test_it_holds_for_a_run_in_which_nothing_is_rejected(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "RARELY", dict.fromkeys(notes.RARELY, 10**12))
    estimated = corpus(output).estimate()
    summary = corpus(output).execute()
    assert summary.counts.quarantined == 0
    assert asks(estimated.most) == {
        spent.step.removeprefix("notes/"): spent.replies for spent in summary.costs
    }


def test_drafts_share_the_ask_for_their_ideas(output: Path) -> None:
    estimate = corpus(output, documents=124, drafts=2).estimate()
    assert asks(estimate.most) == {"list": 1, "ideas": 62, "write": 124, "judge": 124}


def test_a_sample_separates_shared_asks_from_those_of_each_document(output: Path) -> None:
    estimate = corpus(output, documents=400).estimate(sample=60)
    outcome = asks(estimate.most)
    assert outcome["list"] == 1
    assert (outcome["ideas"], outcome["write"], outcome["judge"]) == (400, 400, 400)
    ranges = estimate.most.intervals
    assert ranges is not None
    assert ranges.asks is not None
    assert ranges.asks.low <= estimate.most.asks <= ranges.asks.high
    assert ranges.live is not None
    assert estimate.most.live is not None
    assert ranges.live.low <= float(estimate.most.live) <= ranges.live.high


def test_rejections_are_an_assumption_that_is_none_unless_stated(output: Path) -> None:
    run = corpus(output)
    none, half = run.estimate(), run.estimate(rejected=0.5)
    assert half.most.asks == pytest.approx(none.most.asks * 1.75, abs=2)  # three attempts at most
    with pytest.raises(PlanError, match="0 or more and below 1, not 1"):
        run.estimate(rejected=1)


def test_what_is_in_the_ledger_costs_nothing_more(output: Path) -> None:
    run = corpus(output)

    def stop(counts: CorpusCounts, _: Any) -> None:
        if counts.documents == 30:
            run.stop()

    run.on_progress = stop
    with pytest.raises(RunStopped):
        run.execute()
    estimate = corpus(output).estimate()
    assert 20 <= estimate.finished <= 40
    outcome = asks(estimate.most)
    assert outcome["write"] == estimate.remaining
    assert outcome["ideas"] <= estimate.remaining
    assert "list" not in outcome  # answered and paid for
    assert estimate.projected is not None
    assert estimate.projected.asks > 0


async def test_of_a_corpus_that_is_finished_it_is_nothing_also_within_an_event_loop(
    output: Path,
) -> None:
    await corpus(output).aexecute()
    estimate = corpus(output).estimate()
    assert (estimate.remaining, estimate.most.asks) == (0, 0)


def test_is_shown_again_at_the_end_of_the_run(output: Path) -> None:
    run = corpus(output)
    estimated: Estimate = run.estimate()
    summary = run.execute()
    assert summary.saved_estimate is not None
    assert summary.saved_estimate.most == pytest.approx(float(estimated.most.live or 0))
    changed = corpus(output, seed=2).execute()
    assert changed.saved_estimate is None


class TestExtrapolation:
    def test_of_what_is_never_repeated_is_that_of_rows(self) -> None:
        assert extrapolate_distinct(60, 0, Fraction(7)) == 7

    def test_of_one_ask_that_all_share_is_none(self) -> None:
        assert extrapolate_distinct(1, 59, Fraction(100)) == pytest.approx(1)

    def test_of_a_pool_ends_with_the_pool(self) -> None:
        # Of 300 draws from 400 some 211 are different.
        assert float(extrapolate_distinct(211, 89, Fraction(10))) * 211 == pytest.approx(
            400, rel=0.02
        )

    @given(st.integers(1, 500), st.integers(0, 500), st.integers(1, 50))
    def test_is_never_less_than_none_nor_more_than_that_of_rows(
        self, different: int, repeats: int, rows: int
    ) -> None:
        grown = extrapolate_distinct(different, repeats, Fraction(rows))
        assert Fraction(99, 100) <= grown <= Fraction(rows) * Fraction(101, 100)


class TestUniqueReplies:
    KEY, OTHER = "00ff" * 16, "11ff" * 16

    def test_replies_to_different_asks_differ_and_to_equal_ones_are_equal(self) -> None:
        reply = Reply("Two things pull apart.", "complete")
        first = make_reply_unique(reply, self.KEY, structured=False)
        assert first.text == "Two things pull apart. aappaapp"
        assert make_reply_unique(reply, self.KEY, structured=False) == first
        assert make_reply_unique(reply, self.OTHER, structured=False) != first

    def test_in_json_the_longest_text_changes_and_the_form_does_not(self) -> None:
        value = {"kind": "good", "notes": [{"estimated": "a few words", "n": 1}], "sound": True}
        outcome = make_reply_unique(Reply(json.dumps(value), "complete"), self.KEY, structured=True)
        value["notes"] = [{"estimated": "a few words aappaapp", "n": 1}]
        assert json.loads(outcome.text) == value

    def test_where_no_text_is_free_nothing_changes(self) -> None:
        reply = Reply(json.dumps({"verdict": "nothing_at_stake", "ok": True}), "complete")
        assert make_reply_unique(reply, self.KEY, structured=True) == reply
