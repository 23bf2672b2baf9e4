"""JSON in and out: no value changes, and what is wrong is said for a person."""

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.strategies import json_values

from whyset.datasets import DatasetError, InvalidJson, dumps, is_identical, loads

NAN = float("nan")

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=20
)


@given(values)
def test_every_value_survives_the_round_trip(value: Any) -> None:
    again = loads(dumps(value))

    # The text tells apart what equality does not: 1, 1.0 and true; the order of keys; -0.0.
    assert json.dumps(again) == json.dumps(value)


@given(values)
def test_what_other_writers_escape_is_read_alike(value: Any) -> None:
    assert json.dumps(loads(json.dumps(value, indent=1).encode())) == json.dumps(value)


def test_output_is_compact_utf8_in_the_order_of_the_keys() -> None:
    assert dumps({"b": 1, "a": [None, "größe 🙂"]}) == '{"b":1,"a":[null,"größe 🙂"]}'.encode()


def test_integers_of_any_size_stay_integers() -> None:
    digits = b"1" * 400

    assert loads(b'{"id": ' + digits + b"}") == {"id": int(digits)}
    assert dumps(loads(digits)) == digits


NOT_JSON = [
    ('{"a": 1', "unexpected end of data (at column 8)"),
    ('{"a": 1,}', "trailing comma is not allowed (at column 8)"),
    ('{"a": 1} {"b": 2}', "unexpected content after document (at column 10)"),
    ("{'a': 1}", "unexpected character, expected a string key (at column 2)"),
    ('{"a": NaN}', "NaN is not a JSON value"),
    ('{"a": Infinity}', "Infinity is not a JSON value"),
    ('{"a": -Infinity}', "-Infinity is not a JSON value"),
    ('{"a": "\\ud83d"}', "a \\u escape that is a lone surrogate"),
    ('{"a": 1e400}', "a number outside the range of a double (at column 7)"),
]


@pytest.mark.parametrize(("raw", "reason"), NOT_JSON)
def test_what_is_not_json_is_refused_with_the_place(raw: str, reason: str) -> None:
    with pytest.raises(InvalidJson) as refused:
        loads(raw.encode())

    assert str(refused.value) == f"not JSON: {reason}"


@pytest.mark.parametrize("raw", [raw for raw, _ in NOT_JSON])
def test_a_big_integer_beside_it_changes_no_verdict(raw: str) -> None:
    with pytest.raises(InvalidJson, match=r"^not JSON: "):
        loads(f'{{"id": 12345678901234567890, "inner": {raw}}}'.encode())


def test_the_line_is_named_where_a_text_has_several() -> None:
    with pytest.raises(InvalidJson, match=r"\(at line 2\)$"):
        loads(b'{"a": 1,\n"b" 2}')


def test_an_integer_too_long_to_convert_is_refused() -> None:
    with pytest.raises(InvalidJson, match=r"^not JSON: an integer of more than 4300 digits$"):
        loads(b"9" * 5000)


def test_other_encodings_are_refused_with_the_byte() -> None:
    for raw in ('{"a": "grün"}'.encode("latin-1"), '{"n": 12345678901234567890, "a": "\xfc"}'):
        data = raw if isinstance(raw, bytes) else raw.encode("latin-1")
        with pytest.raises(InvalidJson) as refused:
            loads(data)
        assert str(refused.value) == f"not UTF-8 at byte {data.index(0xFC) + 1}"


@pytest.mark.parametrize("depth", [201, 1000, 100_000])
def test_nesting_beyond_200_levels_is_refused(depth: int) -> None:
    with pytest.raises(InvalidJson, match=r"^nested too deeply: more than 200 levels$"):
        loads(b"[" * depth + b"]" * depth)
    with pytest.raises(InvalidJson, match=r"^nested too deeply: more than 200 levels$"):
        loads(b"[" * depth + b"12345678901234567890" + b"]" * depth)


def test_200_levels_are_read_and_written() -> None:
    raw = b"[" * 200 + b"12345678901234567890" + b"]" * 200

    assert dumps(loads(raw)) == raw


def test_many_brackets_are_not_depth() -> None:
    raw = orjson.dumps(["[[[[" * 100, *([[]] * 300)])

    assert dumps(loads(raw)) == raw


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"a": object()}, 2**70 * 1j])
def test_what_json_cannot_hold_is_not_written(value: Any) -> None:
    with pytest.raises(DatasetError, match=r"^a value cannot be written as JSON: "):
        dumps(value)


def test_a_structure_that_holds_itself_is_not_written() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(DatasetError, match="cannot be written as JSON"):
        dumps(endless)


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
