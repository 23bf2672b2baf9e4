"""The pool of names, and drawing from it."""

import re
import tomllib
from collections import Counter
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.generators._names import Name, draw_names, load_name_pool
from whyset.generators.checks import check_names, extract_names

PINNED = ["Thu-Hằng Tạ", "Shahrizal Mahmood", "Boupha Nhem"]


def overused() -> dict[str, set[str]]:
    source = resources.files("whyset.generators.checks").joinpath("overused.toml")
    lists = tomllib.loads(source.read_text(encoding="utf-8"))
    return {kind: set(found["names"]) for kind, found in lists.items()}


def test_the_pool_is_large_and_of_many_regions() -> None:
    regions = {name.region for name in draw_names(0, 200)}

    assert len(load_name_pool().given) >= 1500
    assert len(load_name_pool().family) >= 1200
    assert len(regions) >= 60


def test_no_name_of_the_pool_is_worn_out() -> None:
    worn = overused()
    banned = worn["given"] | worn["family"] | worn["other"]

    assert not load_name_pool().given & banned
    assert not load_name_pool().family & (worn["family"] | worn["other"])


def test_names_are_written_as_names() -> None:
    for name in load_name_pool().given | load_name_pool().family:
        assert re.fullmatch(r"[^\W\d_]+(?:(?:['’ -]|['’])[^\W\d_]+)*", name), name
        assert name[0].isupper(), name


def test_no_list_holds_a_name_twice() -> None:
    source = resources.files("whyset.generators").joinpath("names.toml")
    for region, lists in tomllib.loads(source.read_text(encoding="utf-8")).items():
        assert len(lists["given"]) >= 10, region
        for names in lists.values():
            assert len(set(names)) == len(names), region


def test_a_worn_out_word_is_on_another_list_too() -> None:
    worn = overused()

    assert worn["words"] <= worn["given"] | worn["family"]


def test_a_draw_is_pinned() -> None:
    assert [str(name) for name in draw_names(7, 3)] == PINNED


@given(st.integers(), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_a_shorter_draw_begins_a_longer_one(seed: int, count: int, more: int) -> None:
    assert draw_names(seed, count + more)[:count] == draw_names(seed, count)


def test_seeds_draw_different_names() -> None:
    assert draw_names(1, 20) != draw_names(2, 20)


def test_nobody_comes_twice_before_everybody_came_once() -> None:
    everybody = len(load_name_pool().given)
    drawn = draw_names(3, everybody + 50)

    assert len({name.given for name in drawn[:everybody]}) == everybody
    assert len({str(name) for name in drawn}) > everybody
    assert max(Counter(name.region for name in drawn[:83]).values()) == 1


def test_none_and_fewer_than_none() -> None:
    assert draw_names(0, 0) == ()
    with pytest.raises(ValueError, match="must not be negative, it is -1"):
        draw_names(0, -1)


def test_whoever_was_drawn_is_found_in_a_text_and_passes() -> None:
    drawn = draw_names(11, 150)

    for name in drawn:
        text = f"It rained. When {name} came in, the room was empty."
        assert extract_names(text)[0].startswith(name.given), name
        assert check_names(text, max_people=1).status == "passed", name


def test_a_name_is_written_given_name_first() -> None:
    assert str(Name("Tiiu", "Kask", "estonian")) == "Tiiu Kask"
