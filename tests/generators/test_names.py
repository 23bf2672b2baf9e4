"""The pool of names, and drawing from it."""

import re
import tomllib
from collections import Counter
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.generators._names import Name, draw_names, load_name_pool
from whyset.generators.checks import check_names, extract_names


def read_toml(package: str, name: str) -> dict[str, Any]:
    source = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(source)


POOL = load_name_pool()
OVERUSED = {
    kind: set(found["names"])
    for kind, found in read_toml("whyset.generators.checks", "overused.toml").items()
}


def test_the_pool_is_large_and_of_many_regions() -> None:
    assert len(POOL.given) >= 1500
    assert len(POOL.family) >= 1200
    assert len({name.region for name in draw_names(0, 200)}) >= 60


def test_no_name_of_the_pool_is_overused() -> None:
    assert not POOL.given & (OVERUSED["given"] | OVERUSED["family"] | OVERUSED["other"])
    assert not POOL.family & (OVERUSED["family"] | OVERUSED["other"])


def test_names_are_written_as_names() -> None:
    for name in POOL.given | POOL.family:
        assert re.fullmatch(r"[^\W\d_]+(?:(?:['’ -]|['’])[^\W\d_]+)*", name), name
        assert name[0].isupper(), name
    assert str(Name("Tiiu", "Kask", "estonian")) == "Tiiu Kask"


def test_no_list_has_a_name_twice() -> None:
    for region, lists in read_toml("whyset.generators", "names.toml").items():
        assert len(lists["given"]) >= 10, region
        for names in lists.values():
            assert len(set(names)) == len(names), region


def test_an_overused_word_is_on_another_list_too() -> None:
    assert OVERUSED["words"] <= OVERUSED["given"] | OVERUSED["family"]


def test_a_draw_depends_on_its_seed_alone() -> None:
    assert [str(name) for name in draw_names(7, 3)] == [
        *("Thu-Hằng Tạ", "Shahrizal Mahmood", "Boupha Nhem")
    ]
    assert draw_names(1, 20) != draw_names(2, 20)


@given(st.integers(), st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_a_shorter_draw_begins_a_longer_one(seed: int, count: int, more: int) -> None:
    assert draw_names(seed, count + more)[:count] == draw_names(seed, count)


def test_no_given_name_comes_twice_before_all_came_once() -> None:
    drawn = draw_names(3, len(POOL.given) + 50)

    assert len({name.given for name in drawn[: len(POOL.given)]}) == len(POOL.given)
    assert len({str(name) for name in drawn}) > len(POOL.given)
    assert max(Counter(name.region for name in drawn[:83]).values()) == 1


def test_a_count_may_be_zero_and_not_less() -> None:
    assert draw_names(0, 0) == ()
    with pytest.raises(ValueError, match="must not be negative, it is -1"):
        draw_names(0, -1)


def test_a_drawn_name_is_found_in_a_text_and_passes() -> None:
    for name in draw_names(11, 150):
        text = f"It rained. When {name} came in, the room was empty."
        assert extract_names(text)[0].startswith(name.given), name
        assert check_names(text, max_people=1).status == "passed", name
