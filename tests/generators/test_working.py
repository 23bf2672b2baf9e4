"""What generators are made of: gathering, asking, reviewing, ending; driven without a server."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest
from support.samples.deliberation import CONSTITUTION

from whyset.generators import (
    NO_ORIGINAL,
    Ask,
    Axis,
    Brief,
    Check,
    DocumentGenerator,
    Fetch,
    Find,
    Finished,
    Generator,
    GeneratorError,
    Ideas,
    IdeaStage,
    PointedVerdict,
    Rejected,
    Reply,
    Review,
    Steps,
    Tool,
    Turn,
    Usage,
    WorkState,
    add_provenance,
    ask_writer,
    point,
    refine,
    run_steps,
)
from whyset.generators.deliberation import Verdict
from whyset.models.testing import ScriptedModel
from whyset.retriever import Grounding, fetch_passages
from whyset.retriever.testing import FakeSearcher

TRUTH, DIARY, DOUBT, STAKE, HARM = (passage.id for passage in CONSTITUTION.passages)

TEMPLATE = "<!-- system -->\nWrite.\n<!-- user -->\n{{ passages }}"


class Couplet(DocumentGenerator):
    """Two lines about a passage: as small as a document generator can be."""

    name = "couplet"
    version = "1"
    outcomes: ClassVar[Mapping[str, str]] = {"written": "two lines"}
    templates: ClassVar[Mapping[str, str]] = {"write": TEMPLATE, "idea": TEMPLATE}
    typical_tokens = 20

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (Axis("metre", "How it scans.", {"iambic": 1, "trochaic": 1}),)

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        working = WorkState(self.evidence(), self.prompts)
        ask = working.render_ask("writer", "idea", max_tokens=9, row={"passages": "p"})
        text = yield from ask_writer(ask)
        return Ideas((text,) * count, working.evidence, {"metre": "iambic"})

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        working = WorkState(self.evidence(idea=item.idea), self.prompts)
        yield from working.fetch(item.passages)
        found = yield from working.find([item.about], k=1)
        shown = found.passages[0].passage.plain
        text = yield from ask_writer(
            working.render_ask("writer", "write", max_tokens=50, row={"passages": shown})
        )
        return working.finish("written", {"text": text})


def run(generator: Generator, brief: Brief, *lines: Any) -> tuple[Any, ScriptedModel]:
    searcher = FakeSearcher(CONSTITUTION)
    model = ScriptedModel(lines)

    def find(wanted: Find | Fetch) -> Grounding:
        if isinstance(wanted, Fetch):
            return fetch_passages(CONSTITUTION, wanted.ids, scope=wanted.scope)
        return searcher.find_passages([wanted.texts], k=wanted.k)[0]

    return run_steps(generator.steps(brief), model.answer, find).result, model


def test_a_document_is_written_from_its_brief() -> None:
    result, model = run(Couplet(), Brief(1, about="diary", passages=(HARM,)), "One.\nTwo.")

    assert isinstance(result, Finished)
    assert (result.outcome, result.columns) == ("written", {"text": "One.\nTwo."})
    assert model.asks[0].step == "couplet/write"
    assert (model.asks[0].system, model.asks[0].max_tokens) == ("Write.", 50)


def test_what_is_fetched_comes_before_what_is_found_and_each_passage_once() -> None:
    result, _ = run(Couplet(), Brief(1, about="harm if nobody looks", passages=(HARM,)), "x")

    held = [scored.passage.id for scored in result.evidence.passages]
    assert held == [HARM, DIARY, DOUBT, STAKE]
    assert [grounding.queries for grounding in result.evidence.groundings] == [
        (HARM,),
        ("harm if nobody looks",),
    ]


def test_the_provenance_of_a_document_has_no_original() -> None:
    result, _ = run(Couplet(), Brief(1, about="diary", idea="a lock"), "x")

    assert result.original is NO_ORIGINAL
    record = add_provenance(result, usage=Usage(), models={"writer": "w"})["whyset"]
    assert "original_response" not in record
    assert record["idea"] == "a lock"
    assert record["prompts"] == Couplet().prompts.digests()


def test_the_idea_stage_is_a_generator_for_the_engines() -> None:
    stage = IdeaStage(Couplet(), count=2)

    result, _ = run(stage, Brief(1), "a lock")

    assert result.columns == {"ideas": ["a lock", "a lock"], "variety": {"metre": "iambic"}}
    assert stage.identity != IdeaStage(Couplet(), count=3).identity != Couplet().identity
    assert (stage.name, stage.input_kind) == ("couplet", "briefs")


def test_bound_it_takes_plain_values() -> None:
    bound = Couplet().bind(ScriptedModel(["One.\nTwo."]), FakeSearcher(CONSTITUTION))

    document = bound.invoke({"about": "diary", "passages": [TRUTH]})

    assert document["text"] == "One.\nTwo."
    assert [passage["id"] for passage in document["whyset"]["passages"]] == [TRUTH, DIARY]


async def test_and_asynchronously() -> None:
    bound = Couplet().bind(ScriptedModel(["One."]), FakeSearcher(CONSTITUTION))

    assert (await bound.ainvoke({"passages": [TRUTH], "about": "x"}))["text"] == "One."


class Verse(PointedVerdict):
    """A judge's opinion of a verse."""

    scans: bool = point(sound=True, question="it scans.", fault="It does not scan.")
    rhymes_badly: bool = point(sound=False, question="it clatters.", fault="Rhyme it better.")


def test_a_judge_decides_the_points_before_it_tells_the_problems() -> None:
    assert Verse.model_json_schema()["required"] == ["scans", "rhymes_badly", "problems"]


def test_a_verdict_passes_where_no_point_speaks_against_the_text() -> None:
    verdict = Verse(scans=True, rhymes_badly=False, problems=["could be shorter"])

    assert verdict.passes
    assert Review.from_verdict(verdict) == Review()


def test_a_point_against_it_is_a_reason_with_all_that_is_to_be_mended() -> None:
    verdict = Verse(scans=False, rhymes_badly=False, problems=["line 2 limps"])

    assert Review.from_verdict(verdict) == Review(
        ("judge:scans",), ("line 2 limps", "It does not scan.")
    )


def test_a_check_that_was_skipped_has_neither_failed_nor_passed() -> None:
    checks = [Check("a", "passed"), Check("b", "skipped", "no"), Check("c", "failed", "bad")]

    assert Review.from_checks(checks) == Review(("check:c",), ("bad",))


def _review_loop(faults: list[bool], revisions: int) -> tuple[Any, list[str]]:
    """Drive a loop whose reviews find faults in turn; return how it ended, and the drafts."""
    working = WorkState(Couplet().evidence(), Couplet().prompts)
    seen: list[str] = []

    def review(draft: str) -> Steps[Review]:
        seen.append(draft)
        return Review(("check:x",), ("mend x",)) if faults[len(seen) - 1] else Review()
        yield

    def revise(draft: str, found: Review) -> Steps[str]:
        assert found.problems == ("mend x",)
        return f"{draft}+"
        yield

    steps = refine(working, "d", review=review, revise=revise, max_revisions=revisions)
    with pytest.raises(StopIteration) as end:
        next(steps)
    return end.value.value, seen


@pytest.mark.parametrize(
    ("faults", "revisions", "ended", "drafts"),
    [
        ([False], 2, "d", ["d"]),
        ([True, False], 2, "d+", ["d", "d+"]),
        ([True, True, False], 2, "d++", ["d", "d+", "d++"]),
    ],
)
def test_a_draft_is_revised_until_it_passes(
    faults: list[bool], revisions: int, ended: str, drafts: list[str]
) -> None:
    assert _review_loop(faults, revisions) == (ended, drafts)


@pytest.mark.parametrize(("revisions", "draft"), [(0, "d"), (1, "d+")])
def test_or_until_patience_ends_and_then_it_is_rejected_with_its_last_draft(
    revisions: int, draft: str
) -> None:
    result, _ = _review_loop([True, True], revisions)

    assert isinstance(result, Rejected)
    assert (result.reasons, result.detail, result.draft) == (("check:x",), "mend x", draft)


def _asks() -> Iterator[Ask]:
    plain = Ask("writer", "x/y", "s", "u", 10)
    yield plain
    yield Ask("writer", "x/y", "s", "u", 10, turns=(Turn("user", "a"), Turn("assistant", "b")))
    yield Ask("writer", "x/y", "s", "u", 10, turns=(Turn("user", "a"), Turn("assistant", "c")))
    yield Ask("writer", "x/y", "s", "u", 10, tools=(Tool("t", "d", "{}"),))
    yield Ask("writer", "x/y", "s", "u", 10, tools=(Tool("t", "d", '{"type":"object"}'),))
    yield Ask("writer", "x/y", "s", "u", 10, is_completion=True)


def test_whatever_could_change_a_reply_changes_the_key() -> None:
    keys = [ask.key("m") for ask in _asks()]

    assert len(set(keys)) == len(keys)


def test_a_plain_ask_keeps_the_key_under_which_its_reply_was_paid_for() -> None:
    # Digest made by the version before asks had turns, tools and prefixes.
    assert Ask("writer", "x/y", "s", "u", 10).key("m") == (
        "90c8f9af8d774cecba10124a0d584ca2875e1b4b792214f42568497cb3e0b165"
    )


def test_so_does_what_a_judge_of_deliberations_is_asked() -> None:
    # Of that version, too.
    ask = Ask("judge", "deliberation/judge", "s", "u", 10, schema=Verdict)

    assert ask.key("m") == "b4f365caa5c14a249393147e71705d174633f8476f855a4ccf160d00b065abe6"


def test_a_dry_run_of_a_generator_that_rehearses_nothing_is_refused() -> None:
    with pytest.raises(GeneratorError, match="knows no typical answer to couplet/write"):
        Couplet().mock_reply(Ask("writer", "couplet/write", "", "", 1), Brief(1))


def test_a_reply_of_the_wrong_kind_is_a_bug_of_the_driver() -> None:
    steps = Couplet().steps(Brief(1, passages=(TRUTH,)))
    next(steps)

    with pytest.raises(TypeError, match="a Fetch is answered with a Grounding"):
        steps.send(Reply("x", "complete"))
