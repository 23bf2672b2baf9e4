"""A column called `whyset` that was there before: ours of an earlier pass, or somebody else's."""

from typing import Any

import pytest

from whyset.datasets import (
    DatasetError,
    Selection,
    dumps,
    find_provenance,
    free_provenance_column,
    row_from_record,
)

OURS = {"outcome": "rewritten", "generator": "deliberation", "version": "1", "usage": {}}
PAIR = {"prompt": "Q", "response": "A"}
THEIRS: list[Any] = [None, 5, "a note", "{broken", "{}", [OURS], {"outcome": "rewritten"}]


@pytest.mark.parametrize("ours", [OURS, dumps(OURS).decode()], ids=["an object", "JSON"])
def test_ours_is_refused_unless_it_is_to_be_replaced(ours: Any) -> None:
    record = {**PAIR, "whyset": ours, "id": 1}

    with pytest.raises(DatasetError, match=r"of an earlier pass .* choose to replace its provenan"):
        row_from_record(record)
    row = row_from_record(record, selection=Selection(replace_provenance=True))

    assert row.columns == record
    assert free_provenance_column(row.columns) == {**PAIR, "id": 1}


@pytest.mark.parametrize("theirs", THEIRS)
def test_somebody_elses_is_kept_in_its_place_under_another_name(theirs: Any) -> None:
    record = {"whyset": theirs, **PAIR}

    row = row_from_record(record)

    assert find_provenance(record) is None
    assert row.columns == record
    assert list(free_provenance_column(record).items()) == [
        *{"whyset_original": theirs, **PAIR}.items()
    ]


def test_the_other_name_is_one_that_is_free() -> None:
    record = {"whyset": 1, "whyset_original": 2, "whyset_original_2": 3}

    assert free_provenance_column(record) == {
        "whyset_original_3": 1,
        "whyset_original": 2,
        "whyset_original_2": 3,
    }


def test_without_such_a_column_nothing_is_changed() -> None:
    assert list(free_provenance_column(PAIR).items()) == list(PAIR.items())
