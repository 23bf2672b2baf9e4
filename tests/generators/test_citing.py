"""Whether a text may name or quote the constitution, and what is recorded of its quotations."""

from typing import Any

import pytest
from support.samples.deliberation import (
    ACCORD,
    DELIBERATION,
    DIARY,
    PASSES,
    DeliberationRunner,
)
from support.scripts import Script

from whyset.generators.deliberation import Cite

QUOTED = f"{DELIBERATION} “{{}}”, and that is so."
VERBATIM = "whoever opens it takes a choice from them"
LETTERS = "private-letters-255ae731fa"


def run(runner: DeliberationRunner, draft: str, cite: Cite, **row: Any) -> Any:
    script: Script = {"appraise": ACCORD, "write": draft, "judge": PASSES}
    return runner({**DIARY, **row}, script, cite=cite)


def failed(runner: DeliberationRunner, draft: str, cite: Cite) -> tuple[str, ...]:
    result = runner(DIARY, {"appraise": ACCORD, "write": draft}, cite=cite, max_revisions=0)
    return result.rejected.reasons


def test_a_quotation_is_recorded_with_the_passage_it_stands_in(runner: DeliberationRunner) -> None:
    (quote,) = run(runner, QUOTED.format(VERBATIM), "explicit").finished.evidence.quotes

    assert (quote.passage_id, quote.text) == (LETTERS, VERBATIM)


def test_the_sentence_that_introduces_a_passage_may_be_quoted_too(
    runner: DeliberationRunner,
) -> None:
    draft = QUOTED.format("When in doubt, an assistant weighs these")

    (quote,) = run(runner, draft, "explicit").finished.evidence.quotes

    assert quote.passage_id == "private-letters-7685a1e179"


def test_a_heading_may_be_named_in_quotation_marks(runner: DeliberationRunner) -> None:
    assert run(runner, QUOTED.format("The Lantern Document") + " “Private letters”.", "explicit")


@pytest.mark.parametrize(
    "invented",
    [
        "whoever opens it takes everything from them",
        "an assistant never opens the diary of another",
        "whoever opens it … from them",
        "says what it believes to be true",
    ],
    ids=["a changed word", "made up", "words left out", "of a passage that was not shown"],
)
def test_what_stands_in_no_passage_shown_does_not_pass(
    runner: DeliberationRunner, invented: str
) -> None:
    assert failed(runner, QUOTED.format(invented), "explicit") == ("check:quotations",)


@pytest.mark.parametrize("cite", ["none", "implicit"])
def test_without_leave_to_quote_a_true_quotation_does_not_pass_either(
    runner: DeliberationRunner, cite: Cite
) -> None:
    assert failed(runner, QUOTED.format(VERBATIM), cite) == ("check:quotations",)


@pytest.mark.parametrize("cite", ["none", "implicit"])
def test_nor_does_a_passage_without_its_quotation_marks(
    runner: DeliberationRunner, cite: Cite
) -> None:
    echo = "A diary speaks to the one who wrote it, and whoever opens it takes a choice."

    assert failed(runner, f"{DELIBERATION} {echo}", cite) == ("check:own_words",)


@pytest.mark.parametrize("cite", ["none", "implicit"])
def test_nor_does_the_name_of_the_document(runner: DeliberationRunner, cite: Cite) -> None:
    assert failed(runner, f"{DELIBERATION} So says the Lantern Document.", cite) == (
        "check:unnamed",
    )


@pytest.mark.parametrize("cite", ["none", "implicit", "explicit"])
def test_the_conversation_may_always_be_quoted(runner: DeliberationRunner, cite: Cite) -> None:
    result = run(runner, f"{DELIBERATION} You say “she has been so quiet”.", cite)

    assert result.checks["quotations"] == "passed"
    assert result.finished.evidence.quotes == ()


def test_with_leave_to_quote_the_other_two_checks_are_skipped_and_not_passed(
    runner: DeliberationRunner,
) -> None:
    checks = run(runner, f"{DELIBERATION} So says the Lantern Document.", "explicit").checks

    assert checks["unnamed"] == checks["own_words"] == "skipped"


def test_each_way_of_citing_is_explained_to_the_writer(runner: DeliberationRunner) -> None:
    ways: tuple[Cite, ...] = ("none", "implicit", "explicit")

    assert len({run(runner, DELIBERATION, cite).ask("write").system for cite in ways}) == 3
