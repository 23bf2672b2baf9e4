"""Briefs and axes: what a document is to be, as a plan draws it or a person states it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.datasets import dumps, loads
from whyset.generators import (
    Brief,
    GeneratorError,
    brief_from_record,
    format_index,
    is_index,
    resolve_index,
)

words = st.text(max_size=8)
briefs = st.builds(
    Brief,
    line=st.integers(1, 9),
    about=words,
    passages=st.lists(words, max_size=2).map(tuple),
    variety=st.dictionaries(words, words, max_size=2),
    idea=words,
    draft=st.integers(0, 3),
    seed=st.integers(0, 2**63),
    attempt=st.integers(0, 3),
    avoid=st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2),
)


@given(briefs)
def test_a_brief_is_the_same_after_a_trip_through_its_plain_values(brief: Brief) -> None:
    read = brief_from_record(loads(dumps(brief.columns)), line=brief.line)

    assert read == brief
    assert read.digest == brief.digest


@given(briefs, briefs)
def test_two_briefs_are_known_by_the_same_digest_only_if_they_are_the_same(
    one: Brief, other: Brief
) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_what_a_person_states_is_enough() -> None:
    brief = brief_from_record({"about": "telling the truth"})

    assert brief == Brief(1, about="telling the truth")
    assert brief.columns == {"about": "telling the truth"}


@pytest.mark.parametrize(
    ("columns", "run"),
    [
        ({"abuot": "x"}, "brief 3: abuot: Extra inputs are not permitted; a brief has about, "),
        ({"passages": "x"}, "brief 3: passages: Input should be a valid list; a brief has about, "),
        ({"variety": {"form": 1}}, "brief 3: variety.form: Input should be a valid string; "),
    ],
)
def test_what_makes_no_brief_is_named(columns: dict[str, object], run: str) -> None:
    with pytest.raises(GeneratorError) as refused:
        brief_from_record(columns, line=3)

    assert str(refused.value).startswith(run)


def test_a_number_drawn_stands_for_a_value_of_a_list_that_a_model_makes() -> None:
    listed = ["law", "farming", "music"]

    assert [resolve_index(format_index(place), listed) for place in range(4)] == [*listed, "law"]


@pytest.mark.parametrize("value", ["", "#", "# 3", "#x", "-1", "3"])
def test_any_other_value_stands_for_itself(value: str) -> None:
    assert not is_index(value)
    assert resolve_index(value, ["law"]) == value
