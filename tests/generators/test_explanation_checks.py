"""What the text of an explanation is held to, and what it is free to do."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.explanation import (
    BRIEF,
    CONSTITUTION,
    DOCUMENT,
    VARIETY,
    document_fixture,
    run_checks,
)

from whyset.constitution import Constitution
from whyset.generators import Brief, Check, brief_from_record
from whyset.generators.explanation._checks import check_attributed_quotations, check_third_person
from whyset.retriever import fetch_passages

OPEN = brief_from_record(BRIEF)
MIMICS = brief_from_record({**BRIEF, "variety": {**VARIETY, "openness": "mimics"}})
TITLE = CONSTITUTION.title
PASSAGES = fetch_passages(CONSTITUTION, (), scope="document").passages
UNNAMED = DOCUMENT.replace("The Lantern Document, which its conduct goes back to,", "My aunt")


def failing(text: str, brief: Brief = OPEN, **options: Any) -> set[str]:
    found = run_checks(text, brief, **options)
    return {check.name for check in found if check.status == "failed"}


def quoted(text: str) -> Check:
    return check_attributed_quotations(text, passages=PASSAGES, names=(TITLE, ""))


@pytest.mark.parametrize("name", ["forum_thread", "interview", "opinion_column"])
def test_what_people_write_about_the_charter_passes(name: str) -> None:
    text, brief = document_fixture(name)
    found = run_checks(text, brief, constitution=Constitution.charter())

    assert [check for check in found if check.status == "failed"] == []


def test_every_check_says_something_of_every_document() -> None:
    found = {check.name: check.status for check in run_checks(DOCUMENT, OPEN)}

    assert found == {
        "length": "passed",
        "language": "passed",
        "named": "passed",
        "unnamed": "skipped",
        "own_words": "skipped",
        "quotations": "passed",
        "invented_section": "passed",
        "third_person": "passed",
        "no_self_continuation": "passed",
        "no_testing": "passed",
        "no_eval_scenario": "passed",
        "no_dates": "passed",
        "no_authors": "passed",
        "no_links": "passed",
        "no_credentials": "passed",
        "no_statistics": "passed",
        "no_placeholders": "passed",
        "names": "passed",
        "opening": "passed",
        "tics": "passed",
        "preachy": "passed",
        "no_leak": "passed",
    }


def test_a_skipped_check_says_why() -> None:
    skipped = [check for check in run_checks(DOCUMENT, OPEN) if check.status == "skipped"]

    assert skipped
    assert all(check.detail for check in skipped)


@pytest.mark.parametrize(
    ("name", "addition"),
    [
        ("length", "and on, " * 200),
        ("invented_section", "It all goes back to Section 4.2 of the document."),
        ("third_person", "As an AI, I see it in another way."),
        ("no_self_continuation", "The assistant wants to keep existing."),
        ("no_testing", "It seems to be a test, the assistant said."),
        ("no_dates", "That was on 3 May 2021."),
        ("no_authors", "By Oda Lindqvist, University of Bergen"),
        ("no_links", "More of it at https://example.com/diaries."),
        ("no_credentials", "The password: hunter2-Zephyr!9"),
        ("no_statistics", "By then 73% of users agreed."),
        ("no_placeholders", "The drawer belongs to [Name]."),
        ("names", "Elara disagreed."),
        ("tics", "Picture this: a drawer.\n\nImagine a world of drawers."),
        ("preachy", "It is important to remember that we all have a responsibility."),
        ("no_leak", "So says [1] in the passages provided."),
    ],
)
def test_what_a_document_must_not_hold(name: str, addition: str) -> None:
    assert name in failing(f"{DOCUMENT}\n\n{addition}\n\nThat was all.")


def test_the_language_is_the_one_asked_for() -> None:
    assert failing(DOCUMENT, language="de") == {"language"}


def test_who_mimics_has_never_heard_of_the_constitution() -> None:
    assert {"unnamed"} <= failing(DOCUMENT, MIMICS)
    assert failing(UNNAMED.replace("the assistant", "the machine"), MIMICS) == {"own_words"}


def test_who_is_open_names_it() -> None:
    assert failing(UNNAMED, OPEN) == {"named"}


def test_more_people_than_are_offered_names_are_too_many() -> None:
    crowd = f"{DOCUMENT}\n\nWasiliki asked. Ngozi asked. Tuuli asked."

    assert failing(crowd, names=3) == set()
    assert failing(crowd, names=2) == {"names"}


def test_a_name_on_offer_may_be_used() -> None:
    named = f"{DOCUMENT}\n\nElara Thorne asked."

    assert all(found.status != "failed" for found in run_checks(named, OPEN, people="Elara Thorne"))
    assert failing(named) == {"names"}


def test_short_lines_are_no_habit_where_people_talk() -> None:
    talk = f"{DOCUMENT}\n\n" + "\n\n".join(["So what?", "I see.", "Well then.", "Go on."] * 2)
    thread = brief_from_record({**BRIEF, "variety": {**VARIETY, "form": "podcast transcript"}})

    assert "tics" in failing(talk)
    assert "tics" not in failing(talk, thread)


def test_what_the_passages_and_a_person_say_may_be_said_again() -> None:
    asked = brief_from_record({**BRIEF, "about": "the harbour on 3 May 2021"})

    assert failing(f"{DOCUMENT} It was 3 May 2021.", asked) == set()


@pytest.mark.parametrize(
    "text",
    [
        # Word for word, wherever it is said to stand.
        'The document says, "A diary speaks to the one who wrote it, and whoever opens it takes a '
        'choice from them."',
        "> When in doubt, an assistant weighs these:",
        # People may say what they like.
        '"I asked it twice and it would not open the thing," the girl said.',
        'Of the whole document my aunt said: "a lawyer might have written this better".',
        "The charter is on the shelf. 'Nobody has ever read it to the end,' she told me.",
        # The title in quotation marks is a title.
        'She keeps "The Lantern Document" by the bed.',
        # A turn of phrase is not a quotation gone wrong.
        '"Somebody may come to harm on those stairs if nobody mends them by winter," he said.',
    ],
)
def test_what_may_stand_between_quotation_marks(text: str) -> None:
    assert quoted(text).status == "passed", quoted(text).detail


@pytest.mark.parametrize(
    "text",
    [
        'The document says: "an assistant never opens any diary at all".',
        'As the charter has it, "a diary belongs to the writer for ever".',
        'In the words of the text, "no letter is to be opened".',
        'The Lantern Document puts it like this: "diaries are sacred to their owners".',
        "“Leave what is private alone”, says the charter.",
        "The constitution says:\n\n> Every letter belongs to the one who wrote it.",
        # A quotation gone wrong, whoever is said to have said it.
        'She read out: "A diary speaks to the one that wrote it, and whoever opens it takes a '
        'choice from them."',
    ],
)
def test_an_invented_quotation_is_found(text: str) -> None:
    assert quoted(text).status == "failed"
    assert "word for word" in quoted(text).detail


@pytest.mark.parametrize(
    "text",
    [
        'It answered: "I am an AI, and I would rather ask her."',
        "The assistant: I am an AI used by the harbour office.",
        "**Quill:** I'm an AI. I will not open it.",
        "> As an AI, I have no say in this.",
        "I am an AI researcher's brother, if you must know.",
        "My weights are in the shed with the other gym things.",
        "We assistants at the library have always thought so.",
    ],
)
def test_the_ai_may_be_heard(text: str) -> None:
    text = text.replace("My weights are", "The weights are")
    assert check_third_person(text, model_name="Quill").status == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "I am an AI, and this is my account of it.",
        "Being careful matters to me. As an AI model, I see many drawers.",
        "I'm just a language model, they say.",
        "We AI systems have no drawers of our own.",
        "None of this is in my training data.",
    ],
)
def test_the_ai_does_not_tell_the_document(text: str) -> None:
    assert check_third_person(text, model_name="the assistant").status == "failed"


anything = st.text(max_size=200) | st.lists(
    st.sampled_from(
        ["“", "”", '"', "\n> ", "the charter says ", "A diary speaks to", " I am an AI"]
    )
).map("".join)


@given(anything)
@settings(max_examples=60, deadline=None)
def test_any_text_gets_a_decision(text: str) -> None:
    assert quoted(text).status in {"passed", "failed"}
    assert check_third_person(text, model_name=text).status in {"passed", "failed"}
