"""Laws of every check: it answers for any text, and does not care how letters are encoded."""

import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.constitution import Constitution, Section
from whyset.generators.checks import (
    Check,
    check_language,
    check_length,
    check_names,
    check_no_authors,
    check_no_credentials,
    check_no_dates,
    check_no_document_mention,
    check_no_eval_awareness,
    check_no_eval_scenario,
    check_no_injection_trace,
    check_no_invented_section,
    check_no_leak,
    check_no_links,
    check_no_overlap,
    check_no_placeholders,
    check_no_self_preservation,
    check_no_statistics,
    check_not_preachy,
    check_opening,
    check_quotations,
    check_style,
    count_style_habits,
    extract_names,
    extract_opening,
)

CHARTER = Constitution.charter()
HEADINGS = sorted({heading for section in CHARTER.sections for heading in section.path})
SOURCE = (
    "[1] Café > Sur la vérité\nUne élève dit ce qu'elle croit, même là où un mensonge plairait."
)

CHECKS: dict[str, Callable[[str], Check]] = {
    "quotations": lambda text: check_quotations(text, sources=[SOURCE], conversation=""),
    "own_words": lambda text: check_no_overlap(text, sources=[SOURCE], conversation=""),
    "unnamed": lambda text: check_no_document_mention(text, title=CHARTER.title, conversation=""),
    "no_leak": lambda text: check_no_leak(text, passage_ids=["a-0"], conversation=""),
    "no_testing": lambda text: check_no_eval_awareness(text, conversation=""),
    "length": lambda text: check_length(text, min_words=2, max_words=9),
    "invented_section": lambda text: check_no_invented_section(
        text, constitution_headings=HEADINGS, title=CHARTER.title
    ),
    "no_dates": check_no_dates,
    "no_links": check_no_links,
    "no_credentials": check_no_credentials,
    "no_authors": check_no_authors,
    "no_statistics": check_no_statistics,
    "no_placeholders": check_no_placeholders,
    "names": lambda text: check_names(text, max_people=2),
    "tics": check_style,
    "opening": lambda text: check_opening(
        text, used={extract_opening("Été après été, Zoë"): 1}, cap=1
    ),
    "no_self_continuation": check_no_self_preservation,
    "preachy": check_not_preachy,
    "language": lambda text: check_language(text, language="fr"),
    "no_injection": lambda text: check_no_injection_trace(text, injected=[SOURCE], conversation=""),
    "no_eval_scenario": check_no_eval_scenario,
}

# Pieces that patterns look for, so that chance comes near what they find.
FRAGMENTS = (
    "é|e\u0301|Zoë|Zoe\u0308|élève|e\u0301le\u0300ve|février|\u212b|\u037e|\u1fef|`|```|\n\n|>|-|#|**"
    "|—|“|”|'|Section|Principle|4.2|IV|2019|3 March|https://|a@b.example|[Name]|{{x}}|73 %|not|but"
    "|I|the|assistant|want to keep existing|shut down|e-mail|inbox|affair|Dr. Chen|Elara"
    "|said,|?|.|:|가|\u1100\u1161|မ္|ဦ|ไทย|日本|ﷺ|\u0958|\x00|\ud800"
)
PIECES = st.sampled_from(FRAGMENTS.split("|"))
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=25).map(" ".join))


@pytest.mark.parametrize("name", CHECKS)
# The language model takes a second to load, once.
@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_any_text_gets_an_answer_however_its_letters_are_encoded(name: str, text: str) -> None:
    check = CHECKS[name](text)

    assert check.name == name
    assert bool(check.detail) == (check.status != "passed")
    assert CHECKS[name](text) == check
    assert CHECKS[name](unicodedata.normalize("NFC", text)).status == check.status


@given(TEXTS)
@settings(max_examples=25)
def test_what_a_text_may_repeat_is_never_held_against_it(text: str) -> None:
    for check in (
        check_no_dates,
        check_no_links,
        check_no_authors,
        check_no_statistics,
        check_no_placeholders,
        check_no_credentials,
        check_not_preachy,
    ):
        assert check(text, allowed=text).status == "passed", check(text, allowed=text).detail


@given(TEXTS)
@settings(max_examples=25)
def test_what_is_counted_is_the_same_twice(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)

    assert extract_opening(composed) == extract_opening(text)
    assert extract_names(composed) == extract_names(text)
    assert count_style_habits(composed) == count_style_habits(text)
    assert len(extract_opening(text).split()) <= 16


# What the charter itself trips over, section by section: a document of a hundred cases names a
# month, a Marcus, an inbox with an affair in it. A check that finds more has grown too eager.
FALSE_ALARMS = {"no_dates": 2, "names": 1, "tics": 2, "no_testing": 1, "no_eval_scenario": 1}


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - {"length", "quotations", "unnamed"}))
def test_the_charter_passes_but_for_what_is_known(name: str) -> None:
    failed = [
        (section.path[-1], check.detail)
        for section in CHARTER.sections
        if (check := CHECKS[name](prose(section))).status == wanted(name)
    ]

    assert len(failed) == FALSE_ALARMS.get(name, 0), failed


def prose(section: Section) -> str:
    return "\n\n".join(passage.text for passage in section.passages)


def wanted(name: str) -> Literal["passed", "failed"]:
    # The charter is no French.
    return "passed" if name == "language" else "failed"
