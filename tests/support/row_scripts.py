"""A script by step for any generator that takes rows: what tests of them are told in."""

from collections.abc import Mapping
from itertools import count
from typing import Any, Protocol

from support.samples.deliberation import CONSTITUTION
from support.scripts import Script, ScriptedRun, run_scripted_steps, run_with_mock_replies
from whyset.datasets import Row, row_from_record
from whyset.generators import Ask, Finished, Generator, Rejected, Reply
from whyset.generators.diversify import Options
from whyset.generators.diversify._variety import (
    EnvironmentDraw,
    draw_environment,
    find_applicability,
)

Result = Finished | Rejected


def run_row_script(
    generator: Generator,
    record: Mapping[str, Any] | Row,
    script: Script,
    *,
    asynchronous: bool = False,
) -> ScriptedRun[Result]:
    """Drive the steps of a row with what is written, all of which must be used."""
    row = record if isinstance(record, Row) else row_from_record(dict(record))
    return run_scripted_steps(
        generator.steps(row), script, constitution=CONSTITUTION, asynchronous=asynchronous
    )


def run_row_with_mock_replies(
    generator: Generator, row: Row, *, at_stake: bool = True
) -> tuple[Result, list[tuple[Ask, Reply]]]:
    """Walk a row's steps with rehearsed replies."""
    return run_with_mock_replies(generator, row, constitution=CONSTITUTION, at_stake=at_stake)


def draw_row(record: Mapping[str, Any], options: Options | None = None, **wanted: str) -> Row:
    """Return a record's row, numbered until it is dealt what is wanted."""
    held = options or Options()
    for number in count():
        row = row_from_record({**record, "number": number})
        hand = environment_of(row, held)
        if all(hand.variety.get(axis) == value for axis, value in wanted.items()):
            return row
    raise AssertionError


def environment_of(row: Row, options: Options | None = None) -> EnvironmentDraw:
    """Return what a row is dealt."""
    held = options or Options()
    return draw_environment(row, held, find_applicability(row, held))


class RowScriptRunner(Protocol):
    """`run_row_script`, one way of driving or the other."""

    def __call__(
        self, generator: Generator, record: Mapping[str, Any] | Row, script: Script
    ) -> ScriptedRun[Result]:
        """Drive the steps of a row with what is written."""
