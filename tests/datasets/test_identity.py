"""The same to the last byte, of values that JSON can and cannot hold."""

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from support.strategies import json_values

from whyset.datasets import is_identical

NAN = float("nan")


@settings(max_examples=30)
@given(json_values)
def test_a_value_is_identical_to_its_copy(value: Any) -> None:
    assert is_identical(value, copy.deepcopy(value))


@pytest.mark.parametrize("value", [NAN, [NAN], b"\xff", date(2026, 1, 1), Decimal("1.0"), (1,)])
def test_what_json_cannot_hold_is_compared_as_it_is(value: Any) -> None:
    assert is_identical({"a": value}, {"a": copy.deepcopy(value)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        (None, False),
        ("", None),
        ([1], (1,)),
        ([1], [1, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1, "b": None}),
        (10**20, 10**20 + 1),
        (b"a", "a"),
    ],
)
def test_what_differs_in_type_value_or_order_does_not(one: Any, other: Any) -> None:
    assert not is_identical(one, other)
    assert not is_identical([{"in": one}], [{"in": other}])
