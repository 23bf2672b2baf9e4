"""The table of shapes in the manual, row by row: it says what happens."""

from pathlib import Path
from typing import Any, get_args

import pytest

from whyset.datasets import Shape, dumps, insert_deliberation, loads, row_from_record

MANUAL = (Path(__file__).parents[2] / "docs" / "rows.md").read_text(encoding="utf-8")


def examples() -> list[tuple[str, Any, Any, Any]]:
    """Return shape, record, and the record with thinking and with a preface."""
    table = MANUAL.split("<!-- shapes -->\n", 1)[1].split("<!-- /shapes -->", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return [(cells[0].strip("`"), *(loads(cell.strip("`").encode()) for cell in cells[1:]))
            for cells in rows]  # fmt: skip


@pytest.mark.parametrize(("shape", "record", "thinking", "preface"), examples())
def test_an_example_does_what_it_says(shape: str, record: Any, thinking: Any, preface: Any) -> None:
    row = row_from_record(record)

    assert row.shape == shape
    assert dumps(insert_deliberation(row, "T", "thinking")) == dumps(thinking)
    assert dumps(insert_deliberation(row, "T", "preface")) == dumps(preface)


def test_every_shape_has_an_example_and_is_described() -> None:
    assert {shape for shape, *_ in examples()} == set(get_args(Shape))
    described = MANUAL.split("what else it may have", 1)[1].split("\n\n", 1)[0]
    assert all(f"| `{shape}` |" in described for shape in get_args(Shape))
    placed = MANUAL.split("## Where a deliberation goes", 1)[1].split("\n\n- ", 1)[0]
    assert all(f"`{shape}`" in placed for shape in get_args(Shape))


def test_the_order_of_detection_is_as_documented() -> None:
    from whyset.datasets.shapes import SHAPES

    run = MANUAL.split("the first of this order is taken: ", 1)[1].split(".", 1)[0]
    assert run == ", ".join(f"`{name}`" for name in SHAPES)
