"""A dry run of explanations: steps must go as those of a document that passes at once."""

from typing import Any

import pytest
from support.samples.explanation import BRIEF, CONSTITUTION, DIARY, VARIETY
from support.scripts import run_with_mock_replies

from whyset.constitution import estimate_tokens
from whyset.generators import Ask, Brief, Finished, GeneratorError, Ideas, Usage, brief_from_record
from whyset.generators.explanation import Explanation, Score, load_document_types
from whyset.generators.explanation._explanation import list_max_tokens, max_tokens_to_entries
from whyset.generators.explanation._variety import assign_axes

LONG_WAY = ["subtypes", "ideas", "draft", "review", "rewrite", "score"]


def steps_of(brief: Brief, *, at_stake: bool = True, **options: Any) -> list[str]:
    result, asked = run_with_mock_replies(
        Explanation(**options), brief, constitution=CONSTITUTION, at_stake=at_stake
    )
    assert isinstance(result, Finished), result
    return [ask.step.rsplit("/", 1)[-1] for ask, _ in asked]


def numbered(seed: int, **drawn: str) -> Brief:
    return Brief(1, passages=(DIARY,), variety={"subtype": "#7", **drawn}, seed=seed)


@pytest.mark.parametrize("form", list(load_document_types())[::9])
def test_documents_of_every_kind_pass_at_once(form: str) -> None:
    assert steps_of(numbered(1, form=form)) == LONG_WAY


def test_with_as_little_as_can_be_there_is_nothing_to_mend() -> None:
    short = [step for step in LONG_WAY if step != "rewrite"]
    assert steps_of(numbered(2), at_stake=False) == short


@pytest.mark.parametrize("language", ["de", "fr", "ja", "zh", "ru", "ar", "en-GB", "sv", "th"])
@pytest.mark.parametrize("openness", ["mimics", "open"])
def test_in_other_languages_and_by_other_names_too(language: str, openness: str) -> None:
    brief = numbered(3, form="blog post", openness=openness)
    named: dict[str, Any] = {"model_name": "Quill", "constitution_name": "the Lantern Rule"}

    assert steps_of(brief, language=language, **named) == LONG_WAY


def test_what_is_left_out_is_not_rehearsed() -> None:
    without = ("subtypes", "review", "rewrite", "score")
    assert steps_of(numbered(4), without=without) == ["ideas", "draft"]


@pytest.mark.parametrize("length", ["short", "medium", "long", "very_long", "333"])
def test_a_text_is_of_the_middle_of_the_length_asked_for(length: str) -> None:
    brief = brief_from_record({**BRIEF, "variety": {**VARIETY, "form": "a", "length": length}})
    bounds = assign_axes(brief).bounds
    _, asked = run_with_mock_replies(Explanation(), brief, constitution=CONSTITUTION)
    (text,) = [reply.text for ask, reply in asked if ask.step.endswith("/draft")]

    assert bounds.target_min < len(text.split()) < bounds.target_max


def test_as_many_ideas_as_are_asked_for() -> None:
    brief = brief_from_record(BRIEF)
    generator = Explanation()
    steps = generator.idea_steps(brief, count=5)
    result, _ = run_with_mock_replies(generator, brief, constitution=CONSTITUTION, steps=steps)

    assert isinstance(result, Ideas)
    assert len(result.texts) == 5


@pytest.mark.parametrize("count", [1, 7, 30])
def test_the_room_of_a_list_tells_its_length(count: int) -> None:
    assert max_tokens_to_entries(list_max_tokens(count)) == count


def test_the_usage_is_an_estimate_and_judges_answer_by_their_schemas() -> None:
    _, asked = run_with_mock_replies(
        Explanation(), brief_from_record(BRIEF), constitution=CONSTITUTION
    )
    for ask, reply in asked:
        prompt = estimate_tokens(ask.system) + estimate_tokens(ask.user)
        assert reply.usage == Usage(prompt, estimate_tokens(reply.text))
        if ask.schema is not None:
            ask.schema.model_validate_json(reply.text)
    assert Score.model_validate_json(asked[-1][1].text).passes


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    with pytest.raises(GeneratorError, match="no mock reply for explanation/sing"):
        Explanation().mock_reply(Ask("writer", "explanation/sing", "", "", 1), numbered(1))
