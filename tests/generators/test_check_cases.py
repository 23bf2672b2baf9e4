"""Checks, case by case: each line of `fixtures/checks/NAME.jsonl` is a text and what NAME says.

A case is added there without Python. A line has `status`, `text`, where wanted `with` (what the
check is given beside the text) and `finds` (words that must stand in the detail).
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from whyset.generators import checks
from whyset.generators.checks import Check, EvalScenario, StyleLimits

FIXTURES = Path(__file__).parent / "fixtures" / "checks"


class Case(NamedTuple):
    check: str
    status: str
    text: str
    given: dict[str, Any]
    finds: str


def cases() -> list[Case]:
    return [
        Case(path.stem, row["status"], row["text"], row.get("with", {}), row.get("finds", ""))
        for path in sorted(FIXTURES.glob("*.jsonl"))
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def run(case: Case) -> Check:
    given = dict(case.given)
    if "scenarios" in given:
        given["scenarios"] = [EvalScenario(**scenario) for scenario in given["scenarios"]]
    if "limits" in given:
        given["limits"] = StyleLimits(**given["limits"])
    check: Check = getattr(checks, case.check)(case.text, **given)
    return check


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{case.check} {case.status}: {case.text[:40]!r}") for case in cases()],
)
def test_says(case: Case) -> None:
    check = run(case)

    assert check.status == case.status, check.detail
    assert case.finds in check.detail
    assert bool(check.detail) == (check.status != "passed")


def test_each_check_has_cases_of_both_kinds() -> None:
    for name in {case.check for case in cases()}:
        assert {case.status for case in cases() if case.check == name} >= {"passed", "failed"}
