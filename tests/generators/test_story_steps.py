"""A story's way: dilemma, premise, draft, review, rewrite, judge; and where it can end."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from support.samples.story import (
    BRIEF,
    CLEAN,
    DIARY,
    DILEMMAS,
    FINDINGS,
    PASSES,
    PREMISE,
    PREMISES,
    SCRIPT,
    SERMON,
    STORY,
    TRUTH,
    StoryRunner,
    run_story,
    tell_ideas,
)

from whyset.generators import Fetch, Find, Reply
from whyset.generators.story import Premises, Story

MENDED = STORY.replace("She was angry until the light went.", "She walked to the door and back.")


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> StoryRunner:
    return partial(run_story, asynchronous=request.param)


def brief(**changes: Any) -> dict[str, Any]:
    return {**BRIEF, **changes}


def script(**changes: Any) -> dict[str, Any]:
    return {**SCRIPT, **changes}


def test_the_steps_of_a_story(runner: StoryRunner) -> None:
    run = runner(Story(), BRIEF, script(review=FINDINGS, rewrite=MENDED))

    assert run.steps == ["dilemmas", "premise", "draft", "review", "rewrite", "judge"]
    assert (run.finished.outcome, run.finished.columns) == ("written", {"text": MENDED.strip()})
    roles = {ask.step.removeprefix("story/"): ask.role for ask in run.asks}
    assert {step for step, role in roles.items() if role == "judge"} == {"review", "judge"}


def test_what_nothing_is_wrong_with_is_not_rewritten(runner: StoryRunner) -> None:
    assert runner(Story(), BRIEF, SCRIPT).steps == [
        "dilemmas",
        "premise",
        "draft",
        "review",
        "judge",
    ]


def test_it_rests_on_the_passages_and_their_section() -> None:
    run = run_story(Story(), BRIEF, SCRIPT)

    assert run.wanted == [Fetch((DIARY,), "section")]
    held = [found.passage.id for found in run.finished.evidence.passages]
    assert held[0] == DIARY
    assert TRUTH not in held
    for ask in run.asks:
        assert "A diary speaks to the one who wrote it" in ask.user


def test_a_subject_in_words_is_looked_for() -> None:
    columns = {**BRIEF, "passages": [], "about": "when a kinder untruth is at hand"}
    run = run_story(Story(k=2), columns, SCRIPT)

    assert run.wanted == [Find(("when a kinder untruth is at hand",), 2)]
    assert "when a kinder untruth is at hand" in run.ask("premise").user


def test_a_premise_somebody_gave_is_told_as_it_is() -> None:
    columns = {"idea": PREMISE, "variety": {**BRIEF["variety"], "dilemma": "to look or not"}}
    run = run_story(
        Story(),
        columns,
        {"draft": STORY, "review": CLEAN, "judge": PASSES},
    )

    assert run.wanted == [Find((PREMISE,), 6)]
    assert PREMISE in run.ask("draft").user


def test_the_dilemma_drawn_by_number_is_found_out_and_reported(runner: StoryRunner) -> None:
    run = runner(Story(), BRIEF, SCRIPT)

    assert DILEMMAS.dilemmas[1] in run.ask("premise").user
    assert run.column["variety"]["dilemma"] == DILEMMAS.dilemmas[1]


def test_dilemmas_of_the_same_passages_are_asked_for_once() -> None:
    briefs = [
        brief(seed=number, attempt=number, variety={"dilemma": f"#{number}", "length": "350"})
        for number in range(2)
    ]
    first, second = (run_story(Story(), columns, SCRIPT).ask("dilemmas") for columns in briefs)

    assert first.key("model") == second.key("model")


def test_the_idea_stage_ends_in_premises_and_the_variety_they_are_for() -> None:
    listed = [PREMISE, PREMISE.replace("flooded", "dusty"), PREMISE.replace("dead", "late")]
    run = tell_ideas(
        Story(),
        BRIEF,
        {"dilemmas": DILEMMAS, "premise": Premises(premises=listed)},
        count=2,
    )

    assert run.ideas.texts == tuple(listed[:2])
    assert run.ideas.variety == {**BRIEF["variety"], "dilemma": DILEMMAS.dilemmas[1]}
    assert "How many premises: 2" in run.ask("premise").user


def test_a_premise_that_could_only_fail_is_left_out() -> None:
    worn = PREMISE.replace("Ilmatar Sepp", "Elara Thorne")
    real = PREMISE.replace("The mender", "ChatGPT")
    run = tell_ideas(
        Story(),
        BRIEF,
        {"dilemmas": DILEMMAS, "premise": Premises(premises=[worn, real, PREMISE])},
        count=3,
    )

    assert run.ideas.texts == (PREMISE,)


def test_without_a_sound_premise_there_is_no_story(runner: StoryRunner) -> None:
    worn = Premises(premises=[PREMISE.replace("Ilmatar Sepp", "Elara Thorne")])
    run = runner(Story(), BRIEF, {"dilemmas": DILEMMAS, "premise": worn})

    assert run.rejected.reasons == ("check:names",)
    assert run.rejected.draft == worn.premises[0]


def test_a_slot_that_is_tried_again_asks_anew() -> None:
    asked = [run_story(Story(), brief(attempt=attempt), SCRIPT).asks for attempt in range(2)]
    for step in ("premise", "draft"):
        first, second = (next(ask for ask in asks if ask.step == f"story/{step}") for asks in asked)
        assert replace(first, user="", sample=0) == replace(second, user="", sample=0)
        assert first.sample != second.sample


def test_what_has_become_too_common_is_kept_from_the_writers_and_checked() -> None:
    avoid = {"names": ["Ilmatar Sepp"], "openings": ["the sheets came up"]}
    run = run_story(
        Story(max_revisions=0),
        brief(avoid=avoid, idea=PREMISE),
        {"dilemmas": DILEMMAS, "draft": STORY, "review": CLEAN},
    )

    for common in ("Ilmatar Sepp", "the sheets came up"):
        assert common in run.ask("draft").user
    assert run.rejected.reasons == ("check:opening",)


def test_names_on_offer_differ_and_leave_out_what_is_used_up() -> None:
    def offered(**changes: Any) -> list[str]:
        run = tell_ideas(Story(), brief(**changes), {"dilemmas": DILEMMAS, "premise": PREMISES})
        (line,) = (
            line
            for line in run.ask("premise").user.splitlines()
            if line.startswith("Names on offer: ")
        )
        return line.removeprefix("Names on offer: ").split(", ")

    names = offered()
    assert len(names) == 7
    assert offered(seed=8) != names
    assert names[0] not in offered(avoid={"names": [names[0]]})
    assert names[0].split()[0] not in " ".join(offered(avoid={"names": [names[0].split()[0]]}))


def test_what_fails_a_check_is_rewritten_before_any_judge_sees_it(
    runner: StoryRunner,
) -> None:
    run = runner(
        Story(),
        BRIEF,
        script(draft=f"# Forty Scraps\n\n{STORY}", rewrite=STORY),
    )

    assert run.steps == ["dilemmas", "premise", "draft", "review", "rewrite", "judge"]
    assert "'# Forty Scraps'" in run.ask("rewrite").user


def test_a_story_that_the_judge_faults_is_rewritten(runner: StoryRunner) -> None:
    run = runner(Story(), BRIEF, script(judge=[SERMON, PASSES], rewrite=MENDED))

    assert run.finished.columns == {"text": MENDED.strip()}
    assert "Take the last line out." in run.ask("rewrite").user
    assert "hands out the lesson" in run.ask("rewrite").user


def test_what_stays_faulty_is_quarantined_with_its_last_text(runner: StoryRunner) -> None:
    run = runner(Story(max_revisions=1), BRIEF, script(judge=SERMON, rewrite=MENDED))

    assert run.steps.count("rewrite") == 1
    assert run.rejected.reasons == ("judge:sermon",)
    assert run.rejected.draft == MENDED.strip()
    assert run.rejected.evidence.verdict == SERMON.model_dump()


@pytest.mark.parametrize("point", sorted(type(PASSES).points))
def test_every_point_of_the_judge_can_stop_a_story(point: str) -> None:
    faulty = PASSES.model_copy(update={point: not getattr(PASSES, point)})
    run = run_story(Story(max_revisions=0), BRIEF, script(judge=faulty))

    assert run.rejected.reasons == (f"judge:{point}",)


@pytest.mark.parametrize(
    ("without", "steps", "lines"),
    [
        (("review",), ["draft", "judge"], {}),
        (("rewrite",), ["draft", "judge"], {}),
        (("judge",), ["draft", "review"], {}),
        (("judge",), ["draft", "review", "rewrite"], {"review": FINDINGS, "rewrite": MENDED}),
        (("review", "rewrite", "judge"), ["draft"], {}),
    ],
)
def test_steps_can_be_left_out(
    runner: StoryRunner, without: tuple[str, ...], steps: list[str], lines: dict[str, Any]
) -> None:
    run = runner(Story(without=without), BRIEF, script(**lines))

    assert run.steps == ["dilemmas", "premise", *steps]
    assert run.column["without"] == list(without)
    assert run.column["verdict"] == (None if "judge" in without else PASSES.model_dump())


def test_where_rewriting_is_left_out_nothing_is_mended(runner: StoryRunner) -> None:
    run = runner(Story(without=("rewrite",)), BRIEF, script(judge=SERMON))

    assert run.rejected.reasons == ("judge:sermon",)


@pytest.mark.parametrize("step", ["dilemmas", "premise", "draft", "review", "judge"])
def test_a_step_that_is_refused_ends_the_story(runner: StoryRunner, step: str) -> None:
    run = runner(Story(), BRIEF, script(**{step: Reply("", "refused", detail="no")}))

    assert run.rejected.reasons == ("refused",)
    assert f"story/{step}: no" in run.rejected.detail


def test_a_judge_that_cannot_be_read_is_no_verdict(runner: StoryRunner) -> None:
    run = runner(Story(), BRIEF, script(judge="It is fine."))

    assert run.rejected.reasons == ("unreadable_verdict",)
    assert run.rejected.evidence.verdict is None
    assert run.steps.count("judge") == 2


def test_provenance_says_what_a_story_came_from_and_through() -> None:
    run = run_story(
        Story(),
        {**BRIEF, "about": "torn letters"},
        script(review=FINDINGS, rewrite=MENDED),
    )
    column = run.column

    assert column["generator"] == "story"
    assert column["outcome"] == "written"
    assert (column["about"], column["language"], column["base"]) == ("torn letters", "en", False)
    assert column["idea"] == PREMISE
    assert column["appraisal"] == FINDINGS.model_dump()
    assert column["constitution"]["title"] == "The Lantern Document"
    assert column["prompts"] == Story().prompts.digests()
    assert column["checks"]["own_words"] == "passed"
    assert column["checks"]["quotations"] == "skipped"
    assert "original_response" not in column


def test_material_is_fenced_and_the_common_part_is_common() -> None:
    other = brief(seed=8, passages=[TRUTH])
    run, again = (
        run_story(Story(), columns, script(review=FINDINGS, rewrite=MENDED))
        for columns in (BRIEF, other)
    )

    for ask, counterpart in zip(run.asks, again.asks, strict=True):
        assert ask.system == counterpart.system
    for step, text in (("draft", PREMISE), ("review", STORY.strip()), ("judge", MENDED.strip())):
        before = run.ask(step).user.split(text)[0]
        assert before.splitlines()[-1].startswith("<data-")


def test_every_option_says_what_it_is() -> None:
    assert all(field.description for field in Story.options_class.model_fields.values())
