"""A row with several responses under work: one after the other, each on its own evidence."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from whyset.datasets import Row, select_target

from .._rendering import render_response
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Steps

_RANKS = ("repaired", "rewritten", "annotated", "untouched")
"""What a row is called whose responses came to different ends: by what was done the most."""


def each_target(
    row: Row, work: Callable[[Row], Steps[Finished | Rejected]]
) -> Steps[Finished | Rejected]:
    """Work on a row's targets in their order; one that is rejected takes the row with it.

    A later response is worked on in the conversation as it stands by then, because that is what
    will be learned from.
    """
    if len(row.targets) < 2:
        return (yield from work(row))
    columns, done = row.columns, dict[str, Finished]()
    for target in row.targets:
        result = yield from work(select_target(row, target, columns))
        if isinstance(result, Rejected):
            return replace(result, detail=f"{target}: {result.detail}")
        columns = result.columns
        done[str(target)] = result
    return _merge(done, columns)


def select_shown_target(ask: Ask, row: Row) -> Row:
    """Return the row with that target alone whose response an ask shows."""
    if len(row.targets) < 2:
        return row
    read: dict[str, Row] = {}
    for target in row.targets:
        if target.side not in read:
            read[target.side] = select_target(row, target)
        messages = read[target.side].conversation.messages
        if render_response(messages[target.turn]) in ask.user:
            return select_target(row, target)
    return row


def _merge(done: Mapping[str, Finished], columns: Mapping[str, Any]) -> Finished:
    outcomes = {result.outcome for result in done.values()}
    outcome = next(rank for rank in _RANKS if rank in outcomes)
    each = [result.evidence for result in done.values()]
    passages = {found.passage.id: found for evidence in each for found in evidence.passages}
    evidence = Evidence(
        each[0].generator,
        each[0].version,
        each[0].settings,
        groundings=tuple(found for evidence in each for found in evidence.groundings),
        passages=tuple(passages.values()),
        quotes=tuple(quote for evidence in each for quote in evidence.quotes),
        checks=tuple(check for evidence in each for check in evidence.checks),
    )
    return Finished(outcome, columns, None, evidence, targets=done)
