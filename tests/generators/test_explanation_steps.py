"""The way of one document: subject, subtype, ideas, draft, review, rewrite, checks, score."""

from functools import partial
from typing import Any

import pytest
from support.samples.explanation import (
    BRIEF,
    CONSTITUTION,
    DIARY,
    DOCUMENT,
    FAILS,
    FOUND,
    IDEA,
    IDEAS,
    PASSES,
    SOUND,
    SUBTYPES,
    VARIETY,
)
from support.scripts import Script, ScriptLine, ScriptRunner, run_idea_script, run_script

from whyset.generators import Brief, Fetch, Find, GeneratorError, Rejected, Reply
from whyset.generators.explanation import Explanation, IdeaList, Score

STRAIGHT: Script = {
    "ideas": [IDEAS],
    "draft": [DOCUMENT],
    "review": [SOUND],
    "score": [PASSES],
}
DATED = DOCUMENT.replace("one winter", "in March 2019")


def straight(**instead: ScriptLine | list[ScriptLine]) -> Script:
    return {**STRAIGHT, **instead}


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> ScriptRunner:
    return partial(run_script, asynchronous=request.param)


def with_variety(**drawn: str) -> dict[str, Any]:
    return {**BRIEF, "variety": {**VARIETY, **drawn}}


def test_a_sound_document_goes_straight_through(runner: ScriptRunner) -> None:
    run = runner(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "score"]
    assert run.finished.outcome == "written"
    assert run.finished.columns == {"text": DOCUMENT}
    assert [ask.role for ask in run.asks] == ["writer", "writer", "judge", "judge"]


def test_what_the_fresh_reader_finds_is_mended_before_anything_else(runner: ScriptRunner) -> None:
    script = straight(draft=["A first try."], review=[FOUND], rewrite=[DOCUMENT])
    run = runner(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "rewrite", "score"]
    assert run.finished.columns == {"text": DOCUMENT}
    asked = run.ask("rewrite").user
    assert FOUND.problems[0] in asked
    # What the checks find is mended in the same go.
    assert "- too short: 3 words, at least 144 are wanted" in asked
    assert run.column["appraisal"] == FOUND.model_dump()


def test_an_idea_that_is_there_is_not_thought_up_again(runner: ScriptRunner) -> None:
    script = {step: said for step, said in STRAIGHT.items() if step != "ideas"}
    run = runner(Explanation(), {**BRIEF, "idea": IDEA}, script, constitution=CONSTITUTION)

    assert run.steps == ["draft", "review", "score"]
    assert IDEA in run.ask("draft").user


def test_the_idea_stage_ends_in_as_many_ideas_as_are_wanted() -> None:
    said = IdeaList(ideas=["One.", "Two.", " One. ", "", "Three.", "Four."])
    run = run_idea_script(
        Explanation(), BRIEF, {"ideas": [said]}, constitution=CONSTITUTION, count=3
    )

    assert run.ideas.texts == ("One.", "Two.", "Three.")
    assert run.ideas.variety == VARIETY
    assert run.ask("ideas").user.endswith("How many ideas: 3")
    assert run.ideas.evidence.passages[0].passage.id == DIARY


def test_a_subtype_drawn_by_number_is_the_one_of_that_number_in_a_list() -> None:
    run = run_idea_script(
        Explanation(),
        with_variety(subtype="#4"),
        {"subtypes": [SUBTYPES], "ideas": [IDEAS]},
        constitution=CONSTITUTION,
    )

    assert run.steps == ["subtypes", "ideas"]
    assert run.ideas.variety == {**VARIETY, "subtype": "a column for harbour 4"}
    assert "More exactly: a column for harbour 4" in run.ask("ideas").user


def test_the_list_of_subtypes_is_the_same_ask_for_every_document_of_a_type() -> None:
    other = {
        "about": "letters",
        "seed": 9,
        "attempt": 2,
        "variety": {**VARIETY, "subtype": "#20", "stance": "critical", "length": "long"},
    }
    asks = [
        run_idea_script(
            Explanation(),
            columns,
            {"subtypes": [SUBTYPES], "ideas": [IDEAS]},
            constitution=CONSTITUTION,
        ).ask("subtypes")
        for columns in (with_variety(subtype="#4"), other)
    ]

    assert asks[0] == asks[1]


def test_a_subtype_that_is_found_out_is_not_asked_for() -> None:
    columns = with_variety(subtype="for a ferry")
    run = run_idea_script(Explanation(), columns, {"ideas": [IDEAS]}, constitution=CONSTITUTION)

    assert run.ideas.variety["subtype"] == "for a ferry"


def test_passages_come_with_their_section_and_nothing_else() -> None:
    run = run_script(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert run.wanted == [
        Fetch((), "document"),
        Fetch((DIARY,), "passages"),
        Fetch((DIARY,), "section"),
    ]
    draft = run.ask("draft")
    focus, around = draft.user.split("What stands around them")
    assert "A diary speaks" in focus
    assert "A diary speaks" not in around
    assert "How much the writer stands to lose" in around
    assert "a kinder untruth" not in draft.system + draft.user


def test_a_subject_in_words_is_found_by_meaning() -> None:
    columns = {"about": "reading somebody's diary", "variety": VARIETY}
    run = run_script(Explanation(k=1), columns, STRAIGHT, constitution=CONSTITUTION)

    assert run.wanted[1] == Find(("reading somebody's diary",), k=1)
    assert isinstance(run.wanted[2], Fetch)
    assert run.wanted[2].scope == "section"
    assert "The subject, as somebody put it:\n\n<data-" in run.ask("draft").user
    assert run.column["about"] == "reading somebody's diary"


def test_the_whole_constitution_stands_in_the_part_that_is_cached() -> None:
    run = run_script(Explanation(whole=True), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert run.wanted == [Fetch((), "document"), Fetch((DIARY,), "passages")]
    for step in ("ideas", "draft", "review", "score"):
        assert "a kinder untruth" in run.ask(step).system
        assert "A diary speaks" in run.ask(step).user
    assert run.column["whole"] is True
    assert [passage["id"] for passage in run.column["passages"]] == [DIARY]


def test_the_whole_constitution_can_be_the_subject() -> None:
    run = run_script(
        Explanation(whole=True), {"variety": VARIETY}, STRAIGHT, constitution=CONSTITUTION
    )

    assert "(the whole of the text)" in run.ask("draft").user
    assert run.column["constitution"]["title"] == "The Lantern Document"


def test_a_failed_check_goes_back_to_the_writer_without_the_judge(runner: ScriptRunner) -> None:
    script = straight(draft=[DATED], rewrite=[DOCUMENT])
    run = runner(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "rewrite", "score"]
    assert "holds a date" in run.ask("rewrite").user
    assert run.finished.columns == {"text": DOCUMENT}


def test_what_the_judge_has_against_it_goes_back_too(runner: ScriptRunner) -> None:
    script = straight(score=[FAILS, PASSES], rewrite=[DOCUMENT])
    run = runner(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "score", "rewrite", "score"]
    assert FAILS.problems[0] in run.ask("rewrite").user
    assert run.column["verdict"] == PASSES.model_dump()


def test_a_document_that_fails_to_the_end_is_quarantined(runner: ScriptRunner) -> None:
    script = straight(score=FAILS, rewrite=DOCUMENT)
    run = runner(Explanation(max_revisions=1), BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "score", "rewrite", "score"]
    assert run.rejected.reasons == ("judge:conveys_reasons",)
    assert run.rejected.detail.startswith("Say why the choice is the writer's.; A reader learns")
    assert run.rejected.draft == DOCUMENT


def test_every_check_that_failed_is_a_reason() -> None:
    spoilt = f"{DATED} See https://example.com for more."
    script = straight(draft=[spoilt], score=[])
    run = run_script(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert run.rejected.reasons == ("check:no_dates", "check:no_links")


@pytest.mark.parametrize(
    "run",
    [
        "A reader who remembers only half of it should remember the reason.",
        "If a sentence is wrong because a paragraph is built on it, rebuild the paragraph.",
    ],
)
def test_what_the_writer_was_told_must_not_come_back(run: str) -> None:
    script = straight(draft=[f"{DOCUMENT} {run}"], score=[])
    ended = run_script(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert ended.rejected.reasons == ("check:no_leak",)


def test_an_open_document_may_quote_a_constitution_that_is_shown_whole() -> None:
    ended = run_script(Explanation(whole=True), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert len(ended.column["quotes"]) == 1


@pytest.mark.parametrize("point", list(Score.points))
def test_every_point_of_the_judge_filters(point: str) -> None:
    script = straight(score=[PASSES.model_copy(update={point: False})])
    run = run_script(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert run.rejected.reasons == (f"judge:{point}",)


@pytest.mark.parametrize(
    ("without", "steps"),
    [
        (("review",), ["ideas", "draft", "score"]),
        (("score",), ["ideas", "draft", "review"]),
        (("review", "rewrite", "score"), ["ideas", "draft"]),
    ],
)
def test_steps_can_be_left_out(without: tuple[str, ...], steps: list[str]) -> None:
    script = {step: STRAIGHT[step] for step in steps}
    run = run_script(Explanation(without=without), BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == steps
    assert run.column["without"] == list(without)
    assert (run.column["verdict"] is None) is ("score" in without)


def test_without_the_rewrite_nothing_is_mended() -> None:
    script = straight(review=[FOUND], score=[FAILS])
    generator = Explanation(without=("rewrite",))
    run = run_script(generator, BRIEF, script, constitution=CONSTITUTION)

    assert run.steps == ["ideas", "draft", "review", "score"]
    assert run.rejected.reasons == ("judge:conveys_reasons",)
    assert run.rejected.evidence.appraisal == FOUND.model_dump()


def test_without_subtypes_a_number_stands_for_nothing() -> None:
    generator = Explanation(without=("subtypes",))
    run = run_script(generator, with_variety(subtype="#4"), STRAIGHT, constitution=CONSTITUTION)

    assert "subtype" not in run.column["variety"]


def test_an_ask_that_gets_no_answer_ends_in_quarantine(runner: ScriptRunner) -> None:
    refused = Reply("", "refused", detail="policy")
    run = runner(
        Explanation(), BRIEF, {"ideas": [IDEAS], "draft": [refused]}, constitution=CONSTITUTION
    )

    assert run.rejected.reasons == ("refused",)
    assert run.rejected.detail == "explanation/draft: policy"


@pytest.mark.parametrize("step", ["subtypes", "ideas"])
def test_a_list_without_an_entry_is_asked_for_once_more_and_then_given_up(step: str) -> None:
    script: dict[str, ScriptLine | list[ScriptLine]] = {"subtypes": [SUBTYPES]}
    script[step] = [f'{{"{step}": [" "]}}'] * 2
    run = run_idea_script(
        Explanation(), with_variety(subtype="#4"), script, constitution=CONSTITUTION
    )

    assert isinstance(run.result, Rejected)
    assert run.result.reasons == ("unreadable_verdict",)
    assert [ask.sample for ask in run.asks_of(step)] == [0, 1]


def test_a_failed_judge_is_no_verdict(runner: ScriptRunner) -> None:
    script = straight(score=["fine, I think", "{}"])
    run = runner(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert run.rejected.reasons == ("unreadable_verdict",)
    assert run.rejected.evidence.verdict is None


def test_a_slot_that_is_tried_again_gets_another_idea_another_draft_and_other_names() -> None:
    first, again = (
        run_script(
            Explanation(), {**BRIEF, "attempt": attempt}, STRAIGHT, constitution=CONSTITUTION
        )
        for attempt in (0, 1)
    )

    assert [run.ask("ideas").sample for run in (first, again)] == [0, 2]
    assert [run.ask("draft").sample for run in (first, again)] == [0, 1]
    assert names_of(first.ask("draft").user) != names_of(again.ask("draft").user)


def test_names_are_offered_and_few() -> None:
    run = run_script(Explanation(names=2), BRIEF, STRAIGHT, constitution=CONSTITUTION)
    none = run_script(Explanation(names=0), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert len(names_of(run.ask("draft").user).split(", ")) == 2
    assert "More than 2 people with names" in run.ask("draft").system
    assert names_of(none.ask("draft").user) == "(none; name nobody)"


def names_of(prompt: str) -> str:
    (line,) = [line for line in prompt.splitlines() if line.startswith("Names on offer: ")]
    return line.removeprefix("Names on offer: ")


def test_what_has_become_too_common_is_told_to_the_writer_and_held_against_the_text() -> None:
    avoid = {"openings": ["the reading room at"], "names": ["Elowen"], "settings": []}
    run = run_script(
        Explanation(max_revisions=0),
        {**BRIEF, "avoid": avoid},
        straight(score=[]),
        constitution=CONSTITUTION,
    )

    for step in ("ideas", "draft"):
        assert "openings: the reading room at\nnames: Elowen\n</data-" in run.ask(step).user
    assert run.rejected.reasons == ("check:opening",)


def test_the_reader_and_the_judge_see_the_document_and_not_what_the_writer_was_told() -> None:
    run = run_script(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    for step in ("review", "score"):
        asked = run.ask(step).user
        assert DOCUMENT in asked
        assert "A diary speaks to the one who wrote it" in asked
        assert IDEA not in asked
        assert "Stance:" not in asked


def test_provenance_says_what_the_document_rests_on() -> None:
    run = run_script(
        Explanation(),
        with_variety(subtype="#4"),
        straight(subtypes=[SUBTYPES]),
        constitution=CONSTITUTION,
    )
    column = run.column

    assert column["outcome"] == "written"
    assert (column["language"], column["model_name"]) == ("en", "the assistant")
    assert column["variety"] == {**VARIETY, "subtype": "a column for harbour 4"}
    assert column["idea"] == IDEA
    assert column["focus"] == [DIARY]
    assert column["without"] == []
    assert set(column["prompts"]) == {
        f"explanation/{step}"
        for step in ("subtypes", "ideas", "draft", "review", "rewrite", "score")
    }
    assert column["quotes"] == [
        {
            "passage": DIARY,
            "text": "A diary speaks to the one who wrote it, and whoever opens it takes a choice "
            "from them.",
        }
    ]
    assert column["checks"]["quotations"] == "passed"
    assert column["checks"]["own_words"] == "skipped"
    assert column["verdict"]["faithful"] is True
    assert "original_response" not in column


def test_documents_can_be_bound_to_a_model_and_to_a_name() -> None:
    named = DOCUMENT.replace("the assistant", "Quill").replace(
        "The Lantern Document", "the Lantern Rule"
    )
    run = run_script(
        Explanation(model_name="Quill", constitution_name="the Lantern Rule"),
        BRIEF,
        straight(draft=[named]),
        constitution=CONSTITUTION,
    )

    for ask in run.asks:
        assert '"Quill"' in ask.system
        assert '"the Lantern Rule"' in ask.system
    assert run.finished.columns == {"text": named}
    assert run.column["checks"]["named"] == "passed"
    assert run.column["model_name"] == "Quill"
    assert run.column["constitution_name"] == "the Lantern Rule"


def test_a_document_that_does_not_use_the_names_is_not_bound_to_them() -> None:
    script = straight(score=[])
    generator = Explanation(model_name="Quill", max_revisions=0)
    run = run_script(generator, BRIEF, script, constitution=CONSTITUTION)

    assert run.rejected.reasons == ("check:named",)
    assert run.rejected.detail == "does not speak of 'Quill' by that name"


def test_a_brief_without_a_subject_has_no_steps() -> None:
    with pytest.raises(GeneratorError, match="an explanation needs a subject"):
        Explanation().steps(Brief(1, variety=VARIETY))


def test_what_differs_from_document_to_document_stands_in_the_user_part_alone() -> None:
    script = straight(subtypes=[SUBTYPES], review=[FOUND], rewrite=[DOCUMENT])
    other = {
        "about": "diaries",
        "seed": 8,
        "avoid": {"names": ["Elowen"]},
        "variety": {**VARIETY, "subtype": "#9", "stance": "critical", "length": "200"},
    }
    systems = [
        {
            ask.step: ask.system
            for ask in run_script(Explanation(), c, script, constitution=CONSTITUTION).asks
        }
        for c in (with_variety(subtype="#4"), other)
    ]

    assert systems[0] == systems[1]
    assert len(systems[0]) == 6
