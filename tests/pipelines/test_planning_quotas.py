"""Decks: exact quotas, drawn the same in every process, each axis for itself."""

from collections import Counter
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.notes import SUBJECTS, Notes

from whyset.constitution import Constitution
from whyset.pipelines import Plan, PlannedAxis, make_plan
from whyset.pipelines.plan import build_contexts
from whyset.pipelines.plan._coverage import apportion, hash_seed, shuffle_items

from .conftest import TEXT

CONSTITUTION = Constitution.parse(TEXT)

weights = st.lists(st.one_of(st.integers(0, 50), st.floats(0, 10)), min_size=1, max_size=12)


class TestApportion:
    @given(st.integers(0, 5_000), weights)
    def test_add_up_and_are_each_share_rounded_up_or_down(
        self, total: int, drawn: list[float]
    ) -> None:
        counts = apportion(total, drawn)
        assert sum(counts) == total
        whole = sum(map(Fraction, drawn))
        for count, weight in zip(counts, drawn, strict=True):
            share = total * (Fraction(weight) / whole if whole else Fraction(1, len(drawn)))
            assert abs(count - share) < 1

    def test_give_what_is_left_to_the_largest_remainders_and_among_equals_to_the_first(
        self,
    ) -> None:
        assert apportion(10, [6, 3, 1]) == [6, 3, 1]
        assert apportion(10, [1, 1, 1]) == [4, 3, 3]
        assert apportion(7, [5.5, 4.5]) == [4, 3]
        assert apportion(3, [0, 0]) == [2, 1]


class TestShuffle:
    def test_is_the_same_on_every_machine_and_python(self) -> None:
        assert hash_seed(0, "axis", "tone") == 166_593_070_679_097
        assert "".join(shuffle_items("abcdefgh", 7, "deck")) == "fcadgbeh"

    @given(st.lists(st.integers()), st.integers())
    def test_loses_and_invents_nothing(self, items: list[int], seed: int) -> None:
        assert Counter(shuffle_items(items, seed)) == Counter(items)


def plan(documents: int = 60, **options: Any) -> Plan:
    return make_plan(Notes(), CONSTITUTION, documents=documents, **options)


def drawn(planned: Plan, axis: str) -> list[str]:
    return [context.variety[axis] for context in build_contexts(planned, CONSTITUTION)]


class TestDecks:
    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(2, 150),
        st.integers(1, 3),
        st.integers(0, 2**40),
        st.dictionaries(st.sampled_from(["dry", "warm"]), st.integers(1, 9), min_size=1),
    )
    def test_hold_every_value_as_often_as_the_plan_says(
        self, documents: int, drafts: int, seed: int, tones: dict[str, int]
    ) -> None:
        planned = plan(
            documents, drafts=drafts, seed=seed, variety={"tone": tones}, best_effort=True
        )
        counts = Counter(drawn(planned, "tone"))
        assert {value: count * drafts for value, count in counts.items()} == {
            value: count for value, count in planned.variety["tone"].counts.items() if count
        }
        even = Counter(drawn(planned, "subject"))
        assert max(even.values()) - min(even[f"#{n}"] for n in range(len(SUBJECTS))) <= 1

    def test_of_two_axes_have_nothing_to_do_with_each_other(self) -> None:
        planned = plan(600)
        both = Counter(zip(drawn(planned, "tone"), drawn(planned, "subject"), strict=True))
        assert all(100 < both["dry", f"#{n}"] < 167 for n in range(3))  # 133 in the mean
        other = planned.model_copy(update={"variety": {"tone": planned.variety["tone"]}})
        assert drawn(other, "tone") == drawn(planned, "tone")

    def test_of_another_seed_lie_otherwise(self) -> None:
        assert drawn(plan(seed=1), "tone") != drawn(plan(seed=2), "tone")

    def test_of_a_long_list_do_not_leave_out_its_end_where_documents_are_few(self) -> None:
        variety = {"tone": plan(8).variety["tone"], "subject": PlannedAxis(generated=40)}
        planned = plan(8).model_copy(update={"variety": variety})
        numbers = {int(value[1:]) for value in drawn(planned, "subject")}
        assert len(numbers) == 8
        assert max(numbers) > 20
