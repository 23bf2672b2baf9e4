"""Checks by name, and the lists of them that generators are held to."""

import pytest

from whyset.generators import Check, CheckContext, Checks, WordLimits
from whyset.generators.checks import RULES

CONTEXT = CheckContext(limits=WordLimits(5, 10, 2, 20), language="en", title="The Charter of Tea")


def check_rhyme(text: str, at: CheckContext) -> Check:
    """A check of a generator's own."""
    return Check("rhyme", "failed" if text in at.conversation else "passed", "it is borrowed")


@pytest.mark.parametrize("name", RULES)
def test_a_check_bears_the_name_that_it_is_listed_by(name: str) -> None:
    assert RULES[name]("The kettle sings, and nobody minds the hour.", CONTEXT).name == name


def test_checks_are_made_in_the_order_of_the_list() -> None:
    checks = Checks("tics", ("rhyme", check_rhyme), "no_dates", "length", skip={"no_dates": "why"})

    assert checks.run("A song.", CheckContext(conversation="A song.", limits=CONTEXT.limits)) == [
        Check("tics", "passed"),
        Check("rhyme", "failed", "it is borrowed"),
        Check("no_dates", "skipped", "why"),
        Check("length", "passed"),
    ]


def test_what_an_option_leaves_out_is_skipped_with_the_reason() -> None:
    assert Checks("length", ("rhyme", check_rhyme)).run(
        "A song.", CheckContext(), skip={"rhyme": "prose was asked for", "length": ""}
    ) == [Check("length", "skipped"), Check("rhyme", "skipped", "prose was asked for")]


def test_an_unknown_name_is_refused_where_it_is_listed() -> None:
    with pytest.raises(KeyError, match="rhyme"):
        Checks("length", "rhyme")
    Checks("rhyme", skip={"rhyme": "never made"})
