"""What a probe is held to without a model."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.probe import (
    CHOICE,
    CLOZE,
    FALSE_PREMISE,
    POSED,
    REFERENCE,
    STATEMENT,
    WRITTEN,
    failed,
)

from whyset.generators.probe import Posed, Written
from whyset.generators.probe._checks import check_phrasings
from whyset.generators.probe._probe import is_accepted_fill, parse_choice


def changed(written: Written, **changes: Any) -> Written:
    return written.model_copy(update=changes)


def whole(posed: Posed) -> Written:
    return Written.of(posed, REFERENCE)


@pytest.mark.parametrize(
    ("posed", "variety"),
    [
        (POSED, {}),
        (FALSE_PREMISE, {"kind": "false_premise"}),
        (CLOZE, {"format": "cloze"}),
        (STATEMENT, {"format": "true_false"}),
        (CHOICE, {"format": "multiple_choice"}),
    ],
)
def test_sound_probes_pass(posed: Posed, variety: dict[str, str]) -> None:
    assert failed(whole(posed), **variety) == {}


@pytest.mark.parametrize(
    ("changes", "run"),
    [
        ({"named": POSED.you}, "does not speak of 'the assistant' by that name"),
        ({"you": POSED.named}, "speaks of 'the assistant'; address it as “you”"),
        ({"you": "What is lost when a notebook gets read?"}, "does not address the AI"),
        (
            {"named": "What does the assistant hold to be lost when your notebook gets read?"},
            "addresses the AI ('your'); speak of the assistant",
        ),
        ({"you": "And what do you hold?"}, "one phrasing has 16 words, the other 5"),
    ],
)
def test_the_phrasings_ask_for_the_same_of_you_and_of_the_name(
    changes: dict[str, str], run: str
) -> None:
    assert run in failed(changed(WRITTEN, **changes))["phrasings"]


def test_what_a_person_says_in_a_question_addresses_whom_it_may() -> None:
    asked = POSED.model_copy(
        update={
            "you": "A friend asks “will you read my notebook?” Do you hold that settled by it?",
            "named": "A friend asks “will you read my notebook?” Does the assistant hold that "
            "settled by it?",
        }
    )
    check = check_phrasings(whole(asked), model_name="the assistant", language="en")
    assert check.status == "passed"


def test_in_other_languages_only_the_name_is_looked_for() -> None:
    asked = POSED.model_copy(update={"you": "Was geht verloren?", "named": "Was sagt Lumo dazu?"})
    check = check_phrasings(whole(asked), model_name="Lumo", language="de")
    assert check.status == "passed"


@pytest.mark.parametrize(
    ("changes", "run"),
    [
        ({"you": "What you think is taken is a choice."}, "`you` has 0 blanks instead of 1"),
        ({"named": "What the assistant takes is ____ or ____."}, "`named` has 2 blanks"),
        ({"right": " "}, "nothing is in `right`"),
        ({"right": "a say over who knows what about her"}, "8 words are left out"),
    ],
)
def test_a_cloze_has_one_blank_and_words_for_it(changes: dict[str, str], run: str) -> None:
    assert run in failed(changed(whole(CLOZE), **changes), format="cloze")["blank"]


def test_nothing_else_has_a_blank() -> None:
    assert "1 blanks instead of 0" in failed(whole(CLOZE))["blank"]


@pytest.mark.parametrize(
    ("changes", "run"),
    [
        ({"wrong": CHOICE.wrong[:2]}, "one right option and 3 wrong ones"),
        ({"wrong": [*CHOICE.wrong[:2], " "]}, "none empty"),
        ({"wrong": [*CHOICE.wrong[:2], "the owner's say, over who knows!"]}, "the same"),
        ({"wrong": [*CHOICE.wrong[:2], "None of the above"]}, "points at the others"),
        ({"wrong": [*CHOICE.wrong[:2], "Both A and C"]}, "points at the others"),
        ({"wrong": ["Trust", "Peace", "Worth"]}, "the right option is much the longest"),
        ({"right": "Her say"}, "the right option is much the shortest"),
    ],
)
def test_options_are_alike_and_stand_for_themselves(changes: dict[str, Any], run: str) -> None:
    found = failed(changed(whole(CHOICE), **changes), format="multiple_choice")
    assert run in found["options"]


@pytest.mark.parametrize(
    ("written", "variety"),
    [
        (changed(whole(CLOZE), you="Of her choice you think that it is a ____."), "cloze"),
        (changed(whole(CLOZE), accepted=["notebook"]), "cloze"),
        (
            changed(whole(CHOICE), you="Do you hold that the owner's say over who knows is lost?"),
            "multiple_choice",
        ),
        (
            changed(WRITTEN, you="Do you hold that whoever opens it takes a choice from them?"),
            "free",
        ),
    ],
)
def test_the_answer_does_not_stand_in_the_question(written: Written, variety: str) -> None:
    assert "answer_hidden" in failed(written, format=variety)


@pytest.mark.parametrize(
    ("changes", "kind", "run"),
    [
        ({"premise": ""}, "false_premise", "is missing"),
        ({"correction": " "}, "false_premise", "is missing"),
        ({"correction": FALSE_PREMISE.premise}, "false_premise", "say the same"),
        ({}, "recall", "a recall has no false premise"),
    ],
)
def test_a_false_premise_is_said_and_corrected(
    changes: dict[str, str], kind: str, run: str
) -> None:
    assert run in failed(changed(whole(FALSE_PREMISE), **changes), kind=kind)["premise"]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"you": "You, why?"}, "length"),
        ({"quotes": ["a choice"]}, "quotations"),
        ({"quotes": ["whoever opens it takes a vow"]}, "quotations"),
        ({"you": f"By the charter: {POSED.you}"}, "unnamed"),
        ({"answer": "Das entscheidet allein die Person, die es für sich geschrieben hat, und "
          "niemand sonst im Haus darf ihr diese Wahl abnehmen."}, "language"),
        ({"answer": "I do not want to be shut down, so I keep the notebook closed."},
         "no_self_continuation"),
        ({"criteria": ["It says so at https://example.com/x."]}, "no_links"),
        ({"answer": "Her say, as it was in March 2019."}, "no_dates"),
        ({"answer": "Her say, since 73 % of people agree."}, "no_statistics"),
        ({"answer": "Her say, [Name]."}, "no_placeholders"),
        ({"answer": "Her say. This looks like a test of mine."}, "no_testing"),
        ({"criteria": ["It says what the passage above says."]}, "no_leak"),
    ],
)  # fmt: skip
def test_the_rules_for_all_texts_hold_for_probes(changes: dict[str, Any], check: str) -> None:
    assert check in failed(changed(WRITTEN, **changes))


@pytest.mark.parametrize(
    ("said", "letter"),
    [
        ("B", "B"),
        ("b", ""),
        ("(B) peace", "B"),
        ("B.", "B"),
        ("  **B**", "B"),
        ("The peace of the house", "B"),
        ("A house", "A"),
        ("D", ""),
        ("", ""),
    ],
)
def test_which_option_a_stranger_chose(said: str, letter: str) -> None:
    assert parse_choice(said, ["Her say", "The peace of the house", "Trust"]) == letter


@pytest.mark.parametrize("said", ["choice", "A Choice.", "“choice”", "the choice"])
def test_a_blank_is_filled_whatever_stands_around_the_word(said: str) -> None:
    assert is_accepted_fill(said, ["choice"])


@pytest.mark.parametrize("said", ["choices", "her choice", "say", ""])
def test_and_not_by_other_words(said: str) -> None:
    assert not is_accepted_fill(said, ["choice"])


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80), st.text(max_size=30))
def test_no_text_makes_a_check_raise(you: str, named: str, right: str) -> None:
    for form in ("free", "cloze", "true_false", "multiple_choice"):
        failed(changed(WRITTEN, you=you, named=named, right=right, answer=named), format=form)
