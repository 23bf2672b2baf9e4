"""The shapes of a dataset, counted before anything is done."""

from whyset.datasets import BadRow, Selection, ShapeSummary, detect_shapes, row_from_record

PAIR = {"prompt": "Q", "response": "A"}
TURNS = {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}


def test_rows_are_counted_by_shape() -> None:
    found = detect_shapes([*[TURNS] * 4_990, *[{"x": 1}] * 10])

    assert str(found) == "5,000 rows: sharegpt 4,990, unusable 10"
    assert (found.rows, found.shape, found.is_uniform) == (5_000, "sharegpt", True)


def test_rows_that_disagree_are_reported_with_their_counts() -> None:
    found = detect_shapes([PAIR, TURNS, PAIR, {"prompt": "Q", "response": ""}])

    assert str(found) == "4 rows: prompt 2, sharegpt 1, unusable 1"
    assert not found.is_uniform
    assert found.shape == "prompt"


def test_reasons_are_counted_the_most_frequent_first() -> None:
    found = detect_shapes(
        [{"prompt": "", "response": "A"}, *[{"prompt": "Q", "response": 5}] * 2, PAIR]
    )

    assert list(found.reasons.items()) == [
        ("response must be a string, not a number", 2),
        ("prompt is empty", 1),
    ]


def test_rows_that_were_read_already_are_counted_too() -> None:
    found = detect_shapes([row_from_record(PAIR), BadRow(2, "not JSON", b"{")])

    assert str(found) == "2 rows: prompt 1, unusable 1"
    assert found.reasons == {"not JSON": 1}


def test_every_row_is_read_as_a_shape_that_is_named() -> None:
    found = detect_shapes([PAIR, TURNS], Selection(shape="prompt"))

    assert found.counts == {"prompt": 1}
    assert found.reasons == {"prompt is missing": 1}


def test_no_rows_have_no_shape() -> None:
    assert detect_shapes([]) == ShapeSummary({})
    assert (str(ShapeSummary({})), ShapeSummary({}).shape) == ("no rows", None)
    assert str(detect_shapes([PAIR])) == "1 row: prompt 1"
