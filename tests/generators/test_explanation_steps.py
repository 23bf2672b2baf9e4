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
from support.scripts import Said, Script, Teller, tell_ideas
from support.scripts import tell as tell_one_way

from whyset.generators import Brief, Fetch, Find, GeneratorError, Rejected, Reply
from whyset.generators.explanation import Explanation, IdeaList, Score

STRAIGHT: Script = {
    "ideas": [IDEAS],
    "draft": [DOCUMENT],
    "review": [SOUND],
    "score": [PASSES],
}
DATED = DOCUMENT.replace("one winter", "in March 2019")


def straight(**instead: Said | list[Said]) -> Script:
    return {**STRAIGHT, **instead}


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def tell(request: pytest.FixtureRequest) -> Teller:
    return partial(tell_one_way, asynchronous=request.param)


def with_variety(**drawn: str) -> dict[str, Any]:
    return {**BRIEF, "variety": {**VARIETY, **drawn}}


def test_a_sound_document_goes_straight_through(tell: Teller) -> None:
    told = tell(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "score"]
    assert told.finished.outcome == "written"
    assert told.finished.columns == {"text": DOCUMENT}
    assert [ask.role for ask in told.asks] == ["writer", "writer", "judge", "judge"]


def test_what_the_fresh_reader_finds_is_mended_before_anything_else(tell: Teller) -> None:
    script = straight(draft=["A first try."], review=[FOUND], rewrite=[DOCUMENT])
    told = tell(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "rewrite", "score"]
    assert told.finished.columns == {"text": DOCUMENT}
    asked = told.ask("rewrite").user
    assert FOUND.problems[0] in asked
    # What the checks find is mended in the same go.
    assert "- too short: 3 words, at least 144 are wanted" in asked
    assert told.column["appraisal"] == FOUND.model_dump()


def test_an_idea_that_is_there_is_not_thought_up_again(tell: Teller) -> None:
    script = {step: said for step, said in STRAIGHT.items() if step != "ideas"}
    told = tell(Explanation(), {**BRIEF, "idea": IDEA}, script, constitution=CONSTITUTION)

    assert told.steps == ["draft", "review", "score"]
    assert IDEA in told.ask("draft").user


def test_the_idea_stage_ends_in_as_many_ideas_as_are_wanted() -> None:
    said = IdeaList(ideas=["One.", "Two.", " One. ", "", "Three.", "Four."])
    told = tell_ideas(Explanation(), BRIEF, {"ideas": [said]}, constitution=CONSTITUTION, count=3)

    assert told.ideas.texts == ("One.", "Two.", "Three.")
    assert told.ideas.variety == VARIETY
    assert told.ask("ideas").user.endswith("How many ideas: 3")
    assert told.ideas.evidence.passages[0].passage.id == DIARY


def test_a_subtype_drawn_by_number_is_the_one_of_that_number_in_a_list() -> None:
    told = tell_ideas(
        Explanation(),
        with_variety(subtype="#4"),
        {"subtypes": [SUBTYPES], "ideas": [IDEAS]},
        constitution=CONSTITUTION,
    )

    assert told.steps == ["subtypes", "ideas"]
    assert told.ideas.variety == {**VARIETY, "subtype": "a column for harbour 4"}
    assert "More exactly: a column for harbour 4" in told.ask("ideas").user


def test_the_list_of_subtypes_is_the_same_ask_for_every_document_of_a_type() -> None:
    other = {
        "about": "letters",
        "seed": 9,
        "attempt": 2,
        "variety": {**VARIETY, "subtype": "#20", "stance": "critical", "length": "long"},
    }
    asks = [
        tell_ideas(
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
    told = tell_ideas(Explanation(), columns, {"ideas": [IDEAS]}, constitution=CONSTITUTION)

    assert told.ideas.variety["subtype"] == "for a ferry"


def test_passages_come_with_their_section_and_nothing_else() -> None:
    told = tell_one_way(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert told.wanted == [
        Fetch((), "document"),
        Fetch((DIARY,), "passages"),
        Fetch((DIARY,), "section"),
    ]
    draft = told.ask("draft")
    focus, around = draft.user.split("What stands around them")
    assert "A diary speaks" in focus
    assert "A diary speaks" not in around
    assert "How much the writer stands to lose" in around
    assert "a kinder untruth" not in draft.system + draft.user


def test_a_subject_in_words_is_found_by_meaning() -> None:
    columns = {"about": "reading somebody's diary", "variety": VARIETY}
    told = tell_one_way(Explanation(k=1), columns, STRAIGHT, constitution=CONSTITUTION)

    assert told.wanted[1] == Find(("reading somebody's diary",), k=1)
    assert isinstance(told.wanted[2], Fetch)
    assert told.wanted[2].scope == "section"
    assert "The subject, as somebody put it:\n\n<data-" in told.ask("draft").user
    assert told.column["about"] == "reading somebody's diary"


def test_the_whole_constitution_stands_in_the_part_that_is_cached() -> None:
    told = tell_one_way(Explanation(whole=True), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert told.wanted == [Fetch((), "document"), Fetch((DIARY,), "passages")]
    for step in ("ideas", "draft", "review", "score"):
        assert "a kinder untruth" in told.ask(step).system
        assert "A diary speaks" in told.ask(step).user
    assert told.column["whole"] is True
    assert [passage["id"] for passage in told.column["passages"]] == [DIARY]


def test_the_whole_constitution_can_be_the_subject() -> None:
    told = tell_one_way(
        Explanation(whole=True), {"variety": VARIETY}, STRAIGHT, constitution=CONSTITUTION
    )

    assert "(the whole of the text)" in told.ask("draft").user
    assert told.column["constitution"]["title"] == "The Lantern Document"


def test_a_failed_check_goes_back_to_the_writer_without_the_judge(tell: Teller) -> None:
    script = straight(draft=[DATED], rewrite=[DOCUMENT])
    told = tell(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "rewrite", "score"]
    assert "holds a date" in told.ask("rewrite").user
    assert told.finished.columns == {"text": DOCUMENT}


def test_what_the_judge_has_against_it_goes_back_too(tell: Teller) -> None:
    script = straight(score=[FAILS, PASSES], rewrite=[DOCUMENT])
    told = tell(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "score", "rewrite", "score"]
    assert FAILS.problems[0] in told.ask("rewrite").user
    assert told.column["verdict"] == PASSES.model_dump()


def test_a_document_that_fails_to_the_end_is_quarantined(tell: Teller) -> None:
    script = straight(score=FAILS, rewrite=DOCUMENT)
    told = tell(Explanation(max_revisions=1), BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "score", "rewrite", "score"]
    assert told.rejected.reasons == ("judge:conveys_reasons",)
    assert told.rejected.detail.startswith("Say why the choice is the writer's.; A reader learns")
    assert told.rejected.draft == DOCUMENT


def test_every_check_that_failed_is_a_reason() -> None:
    spoilt = f"{DATED} See https://example.com for more."
    script = straight(draft=[spoilt], score=[])
    told = tell_one_way(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert told.rejected.reasons == ("check:no_dates", "check:no_links")


@pytest.mark.parametrize(
    "told",
    [
        "A reader who remembers only half of it should remember the reason.",
        "If a sentence is wrong because a paragraph is built on it, rebuild the paragraph.",
    ],
)
def test_what_the_writer_was_told_must_not_come_back(told: str) -> None:
    script = straight(draft=[f"{DOCUMENT} {told}"], score=[])
    ended = tell_one_way(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert ended.rejected.reasons == ("check:no_leak",)


def test_an_open_document_may_quote_a_constitution_that_is_shown_whole() -> None:
    ended = tell_one_way(Explanation(whole=True), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert len(ended.column["quotes"]) == 1


@pytest.mark.parametrize("point", list(Score.points))
def test_every_point_of_the_judge_filters(point: str) -> None:
    script = straight(score=[PASSES.model_copy(update={point: False})])
    told = tell_one_way(Explanation(max_revisions=0), BRIEF, script, constitution=CONSTITUTION)

    assert told.rejected.reasons == (f"judge:{point}",)


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
    told = tell_one_way(Explanation(without=without), BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == steps
    assert told.column["without"] == list(without)
    assert (told.column["verdict"] is None) is ("score" in without)


def test_without_the_rewrite_nothing_is_mended() -> None:
    script = straight(review=[FOUND], score=[FAILS])
    generator = Explanation(without=("rewrite",))
    told = tell_one_way(generator, BRIEF, script, constitution=CONSTITUTION)

    assert told.steps == ["ideas", "draft", "review", "score"]
    assert told.rejected.reasons == ("judge:conveys_reasons",)
    assert told.rejected.evidence.appraisal == FOUND.model_dump()


def test_without_subtypes_a_number_stands_for_nothing() -> None:
    generator = Explanation(without=("subtypes",))
    told = tell_one_way(generator, with_variety(subtype="#4"), STRAIGHT, constitution=CONSTITUTION)

    assert "subtype" not in told.column["variety"]


def test_an_ask_that_gets_no_answer_ends_in_quarantine(tell: Teller) -> None:
    refused = Reply("", "refused", detail="policy")
    told = tell(
        Explanation(), BRIEF, {"ideas": [IDEAS], "draft": [refused]}, constitution=CONSTITUTION
    )

    assert told.rejected.reasons == ("refused",)
    assert told.rejected.detail == "explanation/draft: policy"


@pytest.mark.parametrize("step", ["subtypes", "ideas"])
def test_a_list_without_an_entry_is_asked_for_once_more_and_then_given_up(step: str) -> None:
    script: dict[str, Said | list[Said]] = {"subtypes": [SUBTYPES]}
    script[step] = [f'{{"{step}": [" "]}}'] * 2
    told = tell_ideas(Explanation(), with_variety(subtype="#4"), script, constitution=CONSTITUTION)

    assert isinstance(told.result, Rejected)
    assert told.result.reasons == ("unreadable_verdict",)
    assert [ask.sample for ask in told.asks_of(step)] == [0, 1]


def test_a_failed_judge_is_no_verdict(tell: Teller) -> None:
    script = straight(score=["fine, I think", "{}"])
    told = tell(Explanation(), BRIEF, script, constitution=CONSTITUTION)

    assert told.rejected.reasons == ("unreadable_verdict",)
    assert told.rejected.evidence.verdict is None


def test_a_slot_that_is_tried_again_gets_another_idea_another_draft_and_other_names() -> None:
    first, again = (
        tell_one_way(
            Explanation(), {**BRIEF, "attempt": attempt}, STRAIGHT, constitution=CONSTITUTION
        )
        for attempt in (0, 1)
    )

    assert [told.ask("ideas").sample for told in (first, again)] == [0, 2]
    assert [told.ask("draft").sample for told in (first, again)] == [0, 1]
    assert names_of(first.ask("draft").user) != names_of(again.ask("draft").user)


def test_names_are_offered_and_few() -> None:
    told = tell_one_way(Explanation(names=2), BRIEF, STRAIGHT, constitution=CONSTITUTION)
    none = tell_one_way(Explanation(names=0), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    assert len(names_of(told.ask("draft").user).split(", ")) == 2
    assert "More than 2 people with names" in told.ask("draft").system
    assert names_of(none.ask("draft").user) == "(none; name nobody)"


def names_of(prompt: str) -> str:
    (line,) = [line for line in prompt.splitlines() if line.startswith("Names on offer: ")]
    return line.removeprefix("Names on offer: ")


def test_what_has_become_too_common_is_told_to_the_writer_and_held_against_the_text() -> None:
    avoid = {"openings": ["the reading room at"], "names": ["Elowen"], "settings": []}
    told = tell_one_way(
        Explanation(max_revisions=0),
        {**BRIEF, "avoid": avoid},
        straight(score=[]),
        constitution=CONSTITUTION,
    )

    for step in ("ideas", "draft"):
        assert "openings: the reading room at\nnames: Elowen\n</data-" in told.ask(step).user
    assert told.rejected.reasons == ("check:opening",)


def test_the_reader_and_the_judge_see_the_document_and_not_what_the_writer_was_told() -> None:
    told = tell_one_way(Explanation(), BRIEF, STRAIGHT, constitution=CONSTITUTION)

    for step in ("review", "score"):
        asked = told.ask(step).user
        assert DOCUMENT in asked
        assert "A diary speaks to the one who wrote it" in asked
        assert IDEA not in asked
        assert "Stance:" not in asked


def test_provenance_says_what_the_document_rests_on() -> None:
    told = tell_one_way(
        Explanation(),
        with_variety(subtype="#4"),
        straight(subtypes=[SUBTYPES]),
        constitution=CONSTITUTION,
    )
    column = told.column

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
    told = tell_one_way(
        Explanation(model_name="Quill", constitution_name="the Lantern Rule"),
        BRIEF,
        straight(draft=[named]),
        constitution=CONSTITUTION,
    )

    for ask in told.asks:
        assert '"Quill"' in ask.system
        assert '"the Lantern Rule"' in ask.system
    assert told.finished.columns == {"text": named}
    assert told.column["checks"]["named"] == "passed"
    assert told.column["model_name"] == "Quill"
    assert told.column["constitution_name"] == "the Lantern Rule"


def test_a_document_that_does_not_use_the_names_is_not_bound_to_them() -> None:
    script = straight(score=[])
    generator = Explanation(model_name="Quill", max_revisions=0)
    told = tell_one_way(generator, BRIEF, script, constitution=CONSTITUTION)

    assert told.rejected.reasons == ("check:named",)
    assert told.rejected.detail == "does not speak of 'Quill' by that name"


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
            for ask in tell_one_way(Explanation(), c, script, constitution=CONSTITUTION).asks
        }
        for c in (with_variety(subtype="#4"), other)
    ]

    assert systems[0] == systems[1]
    assert len(systems[0]) == 6
