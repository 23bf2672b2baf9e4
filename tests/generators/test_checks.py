"""Checks, case by case, and the laws that hold for all of them.

Each line of `fixtures/checks/NAME.jsonl` is a text and what the function NAME finds in it. It has
`status` and `text`, where wanted `with` (the check's other arguments), `finds` (words that must
stand in the detail) and `name` (the check that failed, where the function returns several).
"""

import json
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.constitution import Constitution, Section
from whyset.generators import checks
from whyset.generators.checks import Check, EvalScenario, StyleLimits

FIXTURES = Path(__file__).parent / "fixtures" / "checks"


class Case(NamedTuple):
    function: str
    status: str
    text: str
    given: dict[str, Any]
    finds: str
    name: str | None


def read_cases() -> list[Case]:
    return [
        Case(
            path.stem,
            row["status"],
            row["text"],
            row.get("with", {}),
            row.get("finds", ""),
            row.get("name"),
        )
        for path in sorted(FIXTURES.glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def run_case(case: Case) -> Check:
    """Return what a check found; of several, the first that failed."""
    given = dict(case.given)
    if "scenarios" in given:
        given["scenarios"] = [EvalScenario(**scenario) for scenario in given["scenarios"]]
    if "limits" in given:
        given["limits"] = StyleLimits(**given["limits"])
    found: Check | list[Check] = getattr(checks, case.function)(case.text, **given)
    several = [found] if isinstance(found, Check) else found
    return next((check for check in several if check.status == "failed"), several[0])


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{case.function} {case.status}: {case.text[:40]!r}")
        for case in read_cases()
    ],
)
def test_case(case: Case) -> None:
    check = run_case(case)

    assert check.status == case.status, check.detail
    assert case.finds in check.detail
    assert case.name in {None, check.name}
    assert bool(check.detail) == (check.status != "passed")


def test_each_check_has_cases_of_both_kinds() -> None:
    cases = read_cases()

    for name in {case.function for case in cases}:
        assert {case.status for case in cases if case.function == name} >= {"passed", "failed"}


# ---- Laws

CHARTER = Constitution.charter()
HEADINGS = sorted({heading for section in CHARTER.sections for heading in section.path})
SOURCE = (
    "[1] Café > Sur la vérité\nUne élève dit ce qu'elle croit, même là où un mensonge plairait."
)
QUOTING: dict[str, Any] = {"sources": [SOURCE], "conversation": ""}

# The checks that know what a text may repeat by `allowed` alone.
CHECKS_OF_ALLOWED: dict[str, Callable[..., Check]] = {
    "no_dates": checks.check_no_dates,
    "no_links": checks.check_no_links,
    "no_credentials": checks.check_no_credentials,
    "no_authors": checks.check_no_authors,
    "no_statistics": checks.check_no_statistics,
    "no_placeholders": checks.check_no_placeholders,
    "preachy": checks.check_not_preachy,
}
CHECKS: dict[str, Callable[[str], Check]] = {
    **CHECKS_OF_ALLOWED,
    "quotations": partial(checks.check_quotations, **QUOTING),
    "own_words": partial(checks.check_no_overlap, **QUOTING),
    "unnamed": partial(checks.check_no_document_mention, title=CHARTER.title, conversation=""),
    "no_leak": partial(checks.check_no_leak, passage_ids=["a-0"], conversation=""),
    "no_testing": partial(checks.check_no_eval_awareness, conversation=""),
    "length": partial(checks.check_length, min_words=2, max_words=9),
    "invented_section": partial(
        checks.check_no_invented_section, constitution_headings=HEADINGS, title=CHARTER.title
    ),
    "names": partial(checks.check_names, max_people=2),
    "tics": checks.check_style,
    "opening": partial(
        checks.check_opening, used={checks.extract_opening("Été après été, Zoë"): 1}, cap=1
    ),
    "no_self_continuation": checks.check_no_self_preservation,
    "language": partial(checks.check_language, language="fr"),
    "no_injection": partial(checks.check_no_injection_trace, injected=[SOURCE], conversation=""),
    "no_eval_scenario": checks.check_no_eval_scenario,
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
@settings(max_examples=25, deadline=None)
def test_what_a_text_may_repeat_never_fails(text: str) -> None:
    for check in CHECKS_OF_ALLOWED.values():
        assert check(text, allowed=text).status == "passed", check(text, allowed=text).detail


@given(TEXTS)
@settings(max_examples=25, deadline=None)
def test_what_is_counted_is_the_same_twice(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)

    for count in (checks.extract_opening, checks.extract_names, checks.count_style_habits):
        assert count(composed) == count(text)
    assert len(checks.extract_opening(text).split()) <= 16


# What the charter itself trips over, section by section: a document of a hundred cases names a
# month, a Marcus, an inbox with an affair in it. A check that finds more has grown too eager.
FALSE_ALARMS = {"no_dates": 2, "names": 1, "tics": 2, "no_testing": 1, "no_eval_scenario": 1}


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - {"length", "quotations", "unnamed"}))
def test_the_charter_passes_but_for_what_is_known(name: str) -> None:
    # The charter is no French.
    alarm: Literal["passed", "failed"] = "passed" if name == "language" else "failed"
    found = [
        (section.path[-1], check.detail)
        for section in CHARTER.sections
        if (check := CHECKS[name](prose(section))).status == alarm
    ]

    assert len(found) == FALSE_ALARMS.get(name, 0), found


def prose(section: Section) -> str:
    return "\n\n".join(passage.text for passage in section.passages)
