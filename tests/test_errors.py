"""The tree of errors that `whyset.errors` draws is the tree there is."""

import re

import whyset.errors
from whyset.errors import RETRYABLE_ERRORS, ModelUnavailable


def test_the_drawn_tree_is_the_tree_of_classes() -> None:
    drawn: list[str] = []
    above: list[str] = []
    for line in (whyset.errors.__doc__ or "").splitlines():
        if row := re.fullmatch(r"([ │├└─]*)(\w+?)(?: {2,}exit (\d))? {2,}\S.*", line):
            depth = len(row[1]) // 4
            above[depth:] = [row[2]]
            error = getattr(whyset.errors, row[2])
            parent = getattr(whyset.errors, above[depth - 1]) if depth else Exception
            assert error.__mro__[1] is parent
            assert error.exit_code == int(row[3] or parent.exit_code)
            drawn.append(row[2])

    assert sorted([*drawn, "RETRYABLE_ERRORS"]) == sorted(whyset.errors.__all__)


def test_only_a_temporary_fault_is_retried() -> None:
    assert [*RETRYABLE_ERRORS] == [ModelUnavailable]
