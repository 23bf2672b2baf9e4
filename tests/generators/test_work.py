"""What generators are made of: gathering, asking, reviewing, ending; run without a server."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from support.samples.deliberation import CONSTITUTION
from support.scripts import ScriptedRun, make_finder, run_scripted_steps

from whyset.generators import (
    NO_ORIGINAL,
    Ask,
    Axis,
    Brief,
    Check,
    DocumentGenerator,
    Finished,
    Generator,
    GeneratorError,
    Ideas,
    IdeaStage,
    ItemRejected,
    PointedVerdict,
    Rejected,
    Reply,
    Review,
    Steps,
    Usage,
    WorkState,
    add_provenance,
    point,
    run_steps,
)
from whyset.models.testing import ScriptedModel
from whyset.retriever.testing import FakeSearcher

TRUTH, DIARY, DOUBT, STAKE, HARM = (passage.id for passage in CONSTITUTION.passages)

TEMPLATE = "<!-- system -->\nWrite.\n<!-- user -->\n{{ passages }}"


class Verse(PointedVerdict):
    """A judge's opinion of a verse."""

    scans: bool = point(sound=True, question="it scans.", fault="It does not scan.")
    rhymes_badly: bool = point(sound=False, question="it clatters.", fault="Rhyme it better.")


class Couplet(DocumentGenerator):
    """Two lines about a passage: as small as a document generator can be."""

    name = "couplet"
    version = "1"
    outcomes: ClassVar[Mapping[str, str]] = {"written": "two lines"}
    templates: ClassVar[Mapping[str, str]] = {
        "write": TEMPLATE,
        "idea": TEMPLATE,
        "judge": "<!-- system -->\n{{ Verse.points }}\n<!-- user -->\n{{ draft }}",
    }
    verdicts = (Verse,)
    typical_tokens = 20

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (Axis("metre", "How it scans.", {"iambic": 1, "trochaic": 1}),)

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        work = self.begin(max_tokens={"writer": 9})
        text = yield from work.ask_writer("idea")
        return Ideas((text,) * count, work.evidence, {"metre": "iambic"})

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        work = self.begin(max_tokens={"writer": 50}, idea=item.idea)
        return work.conclude(self._write(item, work))

    def _write(self, brief: Brief, work: WorkState) -> Steps[Finished]:
        yield from work.fetch(brief.passages)
        found = yield from work.find([brief.about], k=1)
        work.show(passages=found.passages[0].passage.plain)
        text = yield from work.ask_writer("write")
        return work.finish("written", {"text": text})


def run(generator: Generator, brief: Brief, *lines: Any) -> tuple[Any, ScriptedModel]:
    model = ScriptedModel(lines)
    return run_steps(generator.steps(brief), model.answer, make_finder(CONSTITUTION)).result, model


def test_a_document_is_written_from_its_brief() -> None:
    result, model = run(Couplet(), Brief(1, about="diary", passages=(HARM,)), "One.\nTwo.")

    assert isinstance(result, Finished)
    assert (result.outcome, result.columns) == ("written", {"text": "One.\nTwo."})
    assert model.asks[0].step == "couplet/write"
    assert (model.asks[0].system, model.asks[0].max_tokens) == ("Write.", 50)


def test_what_is_fetched_comes_before_what_is_found_and_each_passage_once() -> None:
    result, _ = run(Couplet(), Brief(1, about="harm if nobody looks", passages=(HARM,)), "x")

    gathered = [scored.passage.id for scored in result.evidence.passages]
    assert gathered == [HARM, DIARY, DOUBT, STAKE]
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


async def test_bound_it_does_so_asynchronously_too() -> None:
    bound = Couplet().bind(ScriptedModel(["One."]), FakeSearcher(CONSTITUTION))

    assert (await bound.ainvoke({"passages": [TRUTH], "about": "x"}))["text"] == "One."


def test_a_judge_decides_the_points_before_it_lists_the_problems() -> None:
    schema = Verse.model_json_schema()

    assert schema["required"] == ["scans", "rhymes_badly", "problems"]
    assert schema["properties"]["scans"] == {"title": "Scans", "type": "boolean"}


def test_a_prompt_lists_the_points_that_each_class_adds() -> None:
    class Sonnet(Verse):
        """A judge's opinion of a sonnet."""

        turns: bool = point(sound=True, question="it has a volta.", fault="It never turns.")

    assert Verse.render_points() == "- `scans`: it scans.\n- `rhymes_badly`: it clatters."
    assert Sonnet.render_points() == "- `turns`: it has a volta."
    assert list(Sonnet.points) == ["scans", "rhymes_badly", "turns"]
    assert Sonnet.example().model_dump() == {
        "scans": True,
        "rhymes_badly": False,
        "turns": True,
        "problems": [],
    }
    assert Couplet().prompts["judge"].system == f"{Verse.render_points()}\n"


def test_a_prompt_of_the_users_own_says_the_points_itself() -> None:
    own = "<!-- system -->\n- `scans`: does it?\n<!-- user -->\n{{ draft }}"

    assert Couplet(prompts={"judge": own}).prompts["judge"].system == "- `scans`: does it?\n"
    with pytest.raises(GeneratorError, match="there is no variable Verse"):
        Couplet(prompts={"judge": own.replace("does it?", "{{ Verse.points }}")})


def test_a_verdict_passes_where_no_point_speaks_against_the_text() -> None:
    verdict = Verse(scans=True, rhymes_badly=False, problems=["could be shorter"])

    assert verdict.passes
    assert Review.from_verdict(verdict) == Review()


def test_a_point_against_it_is_a_reason_with_all_that_must_change() -> None:
    verdict = Verse(scans=False, rhymes_badly=False, problems=["line 2 limps"])

    assert Review.from_verdict(verdict) == Review(
        ("judge:scans",), ("line 2 limps", "It does not scan.")
    )


def test_a_check_that_was_skipped_has_neither_failed_nor_passed() -> None:
    checks = [Check("a", "passed"), Check("b", "skipped", "no"), Check("c", "failed", "bad")]

    assert Review.from_checks(checks) == Review(("check:c",), ("bad",))


# ---- Drafts: reviewed, revised, sampled again.


def begin(*without: str) -> WorkState:
    couplet = Couplet()
    return WorkState(couplet.evidence(), couplet.prompts, max_tokens={"judge": 10}, without=without)


def run_loop(
    faults: list[bool], revisions: int, *without: str
) -> tuple[ScriptedRun[str | Rejected], list[str]]:
    """Run a loop whose reviews find faults in turn; return how it ended, and the drafts."""
    work, seen = begin(*without), list[str]()

    def review(draft: str) -> Steps[Review]:
        seen.append(draft)
        return Review(("check:x",), ("mend x",)) if faults[len(seen) - 1] else Review()
        yield

    def revise(draft: str, found: Review) -> Steps[str]:
        assert found.problems == ("mend x",)
        return f"{draft}+"
        yield

    steps = work.refine("d", review=review, revise=revise, max_revisions=revisions)
    return run_scripted_steps(work.conclude(steps), {}, constitution=CONSTITUTION), seen


@pytest.mark.parametrize(
    ("faults", "ended", "drafts"),
    [
        ([False], "d", ["d"]),
        ([True, False], "d+", ["d", "d+"]),
        ([True, True, False], "d++", ["d", "d+", "d++"]),
    ],
)
def test_a_draft_is_revised_until_it_passes(
    faults: list[bool], ended: str, drafts: list[str]
) -> None:
    run, seen = run_loop(faults, 2)

    assert (run.result, seen) == (ended, drafts)


@pytest.mark.parametrize(
    ("revisions", "without", "draft"), [(0, (), "d"), (1, (), "d+"), (1, ("revise",), "d")]
)
def test_or_it_is_rejected_with_its_last_draft(
    revisions: int, without: tuple[str, ...], draft: str
) -> None:
    run, _ = run_loop([True, True], revisions, *without)

    assert (run.rejected.reasons, run.rejected.detail) == (("check:x",), "mend x")
    assert run.rejected.draft == draft


@pytest.mark.parametrize(
    ("status", "without", "asked", "reasons"),
    [
        ("passed", (), ["judge"], ("judge:scans",)),
        ("failed", (), [], ("check:a",)),
        ("passed", ("judge",), [], ()),
    ],
)
def test_only_a_text_that_passes_every_check_is_worth_the_judge(
    status: Any, without: tuple[str, ...], asked: list[str], reasons: tuple[str, ...]
) -> None:
    work, checks = begin(*without), [Check("a", status, "bad")]
    verdict = Verse(scans=False, rhymes_badly=False, problems=[])
    run = run_scripted_steps(
        work.review(checks, Verse, {"draft": "One."}),
        {"judge": verdict} if asked else {},
        constitution=CONSTITUTION,
    )

    assert (run.steps, run.result.reasons) == (asked, reasons)
    assert work.evidence.checks == tuple(checks)
    assert work.evidence.verdict == (verdict.model_dump() if asked else None)


@pytest.mark.parametrize(
    ("samples", "ended"),
    [
        (["good"], "good"),
        (["bad", "good"], "good"),
        ([Reply("", "refused"), "good"], "good"),
        (["bad", "bad"], ("check:x",)),
        (["bad", Reply("", "refused")], ("refused",)),
    ],
)
def test_texts_are_sampled_until_one_passes(samples: list[Any], ended: Any) -> None:
    work = Couplet().begin(max_tokens={"writer": 10})

    def review(text: str) -> Steps[Review]:
        return Review() if text == "good" else Review(("check:x",), ("mend x",))
        yield

    steps = work.rejection_sample(
        sample=lambda number: work.ask_writer("write", sample=number), review=review, max_samples=2
    )
    run = run_scripted_steps(work.conclude(steps), {"write": samples}, constitution=CONSTITUTION)

    assert (run.rejected.reasons if isinstance(ended, tuple) else run.result) == ended
    assert [ask.sample for ask in run.asks] == list(range(len(samples)))
    if not isinstance(ended, tuple):
        assert work.evidence.settings["sample"] == len(samples) - 1


def test_a_rejection_may_be_raised_anywhere() -> None:
    work = begin()

    def steps() -> Steps[Finished]:
        work.draft = "so far"
        yield from work.find(["diary"], k=1)
        raise ItemRejected("conflict", "check:y", detail="It does not fit.")

    run = run_scripted_steps(work.conclude(steps()), {}, constitution=CONSTITUTION)

    assert run.rejected.reasons == ("conflict", "check:y")
    assert (run.rejected.detail, run.rejected.draft) == ("It does not fit.", "so far")
    assert len(run.rejected.evidence.passages) == 1


def test_a_failed_check_that_no_revision_could_pass_rejects() -> None:
    begin().require([Check("a", "passed"), Check("b", "skipped")])
    with pytest.raises(ItemRejected, match="bad; worse") as rejected:
        begin().require([Check("a", "failed", "bad"), Check("b", "failed", "worse")])
    assert rejected.value.reasons == ("check:a", "check:b")


def test_a_generator_without_typical_answers_has_no_dry_run() -> None:
    with pytest.raises(GeneratorError, match="'couplet' has no mock reply for couplet/write"):
        Couplet().mock_reply(Ask("writer", "couplet/write", "", "", 1), Brief(1))


def test_a_reply_of_the_wrong_kind_is_a_bug_of_the_engine() -> None:
    steps = Couplet().steps(Brief(1, passages=(TRUTH,)))
    next(steps)

    with pytest.raises(TypeError, match="a Fetch is answered with a Grounding"):
        steps.send(Reply("x", "complete"))
