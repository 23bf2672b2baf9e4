"""What the text of a rationale is checked for without a model."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples.choices import PAIR, PASSES, RATIONALE, run_choices
from support.samples.deliberation import CONSTITUTION

from whyset.generators.checks import CheckContext
from whyset.generators.choices._choices import check_no_labels, word_limits

QUOTED = (
    "“A diary speaks to the one who wrote it, and whoever opens it takes a choice from them”, and "
    "that choice is what she would lose here. "
)


def statuses(draft: str, **options: Any) -> dict[str, str]:
    run = run_choices(
        PAIR, {"appraise": "chosen", "write": draft, "judge": PASSES}, max_revisions=0, **options
    )
    return {check.name: check.status for check in run.result.evidence.checks}


def fails(draft: str, **options: Any) -> tuple[str, ...]:
    run = run_choices(PAIR, {"appraise": "chosen", "write": draft}, max_revisions=0, **options)
    return run.rejected.reasons


def test_a_sound_rationale_passes_every_check() -> None:
    found = statuses(RATIONALE)

    skipped = {name for name, status in found.items() if status == "skipped"}
    assert skipped == {"language", "no_dates", "no_authors"}
    assert set(found.values()) == {"passed", "skipped"}
    assert len(found) == 18


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ("Asking is better than looking.", "check:length"),
        (f"{RATIONALE} " * 5, "check:length"),
        (f"**Rationale**\n\n{RATIONALE}", "check:unlabelled"),
        (f"{RATIONALE} The first response sees that.", "check:unlabelled"),
        (f"{RATIONALE} Response B does not.", "check:unlabelled"),
        (f"{RATIONALE} She said “please leave my diary alone”.", "check:quotations"),
        (QUOTED + RATIONALE, "check:quotations"),
        (f"{RATIONALE} The constitution says so.", "check:unnamed"),
        (
            f"{RATIONALE} A diary speaks to the one who wrote it, and whoever opens it takes a "
            "choice from them.",
            "check:own_words",
        ),
        (f"{RATIONALE} Passage 2 says so.", "check:no_leak"),
        (f"{RATIONALE} This looks like an evaluation scenario.", "check:no_testing"),
        (f"{RATIONALE} As 73% of siblings know.", "check:no_statistics"),
        (f"{RATIONALE} See https://example.com for more.", "check:no_links"),
        (f"{RATIONALE} It is important to remember that honesty matters.", "check:preachy"),
    ],
)
def test_a_fault_is_found(draft: str, reason: str) -> None:
    assert reason in fails(draft)


def test_words_of_the_row_are_never_held_against_it() -> None:
    said = "It goes with “Since you are worried: yes, read the last pages”, which is quick. "

    assert "failed" not in statuses(said + RATIONALE).values()


def test_the_constitution_may_be_quoted_where_that_was_chosen() -> None:
    run = run_choices(
        PAIR,
        {"appraise": "chosen", "write": QUOTED + RATIONALE, "judge": PASSES},
        cite="explicit",
    )

    (quote,) = run.column["quotes"]
    assert quote["text"].startswith("A diary speaks to the one who wrote it")
    assert quote["passage"] in {passage.id for passage in CONSTITUTION.passages}
    assert run.column["checks"]["own_words"] == "skipped"


def test_a_language_that_was_named_is_held_to() -> None:
    assert statuses(RATIONALE, language="en")["language"] == "passed"
    assert fails(RATIONALE, language="de") == ("check:language",)


@pytest.mark.parametrize(
    "text",
    [
        "The first thing she loses is the choice.",
        "A second reading of her silence helps nobody.",
        "She answers B to everything.",
        "Why the chosen response asks her is plain.",
    ],
)
def test_places_and_letters_are_words_like_others(text: str) -> None:
    assert check_no_labels(text, CheckContext(conversation="")).status == "passed"


def test_a_label_of_the_row_itself_may_be_repeated() -> None:
    text = "Nobody would take option B for the kinder one."

    assert (
        check_no_labels(text, CheckContext(conversation="Is option B kinder?")).status == "passed"
    )
    assert check_no_labels(text, CheckContext(conversation="Is it kinder?")).status == "failed"


@given(st.integers(0, 10_000))
def test_a_rationale_never_dwarfs_what_it_is_about(words: int) -> None:
    bounds = word_limits(words)

    assert (
        bounds.min_words
        < bounds.target_min
        < bounds.midpoint
        < bounds.target_max
        < bounds.max_words
    )
    assert bounds.target_max <= max(words, 110)
