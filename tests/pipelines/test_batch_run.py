"""A whole run by batch: the files it leaves, what it costs, and how it mixes with a live one."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import CONFLICT, NOTHING, PREACHY, answer, rows, write_rows
from support.batches import BatchServer
from support.loopback import error
from support.runs import run_options

from whyset.models import ModelAccessDenied, Prices
from whyset.pipelines import (
    BatchPolicy,
    Pipeline,
    Run,
    RunConfig,
    RunError,
    RunFiles,
    RunStopped,
    Summary,
)

from .conftest import QUICK, OpenCrew

HASTY = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
WRITTEN = ("out.jsonl", "out.quarantine.jsonl")


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer) as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "sft.jsonl", rows(9, "", NOTHING, CONFLICT, PREACHY))


def start(source: Path, folder: Path, crew: Pipeline, *, batch: bool, **options: Any) -> Run:
    folder.mkdir(exist_ok=True)
    files = RunFiles.from_output(str(source), str(folder / "out.jsonl"))
    return Run(
        files, crew, **run_options(retries=QUICK, batch=batch, batch_policy=HASTY, **options)
    )


def run(source: Path, folder: Path, crew: Pipeline, *, batch: bool, **options: Any) -> Summary:
    return start(source, folder, crew, batch=batch, **options).execute()


def leave(source: Path, folder: Path, server: BatchServer, crew: Pipeline) -> str:
    """Begin a run by batch and stop it with a batch at the provider; return what it said."""
    server.holding = True
    begun = start(source, folder, crew, batch=True)
    server.on_create = lambda batch: begun.stop()
    with pytest.raises(RunStopped) as stopped:
        begun.execute()
    server.on_create = lambda batch: None
    return str(stopped.value)


def test_files_are_those_of_a_live_run(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    by_batch = run(source, tmp_path / "batch", open_crew(), batch=True)
    live = run(source, tmp_path / "live", open_crew(), batch=False)
    for name in WRITTEN:
        assert (tmp_path / "batch" / name).read_bytes() == (tmp_path / "live" / name).read_bytes()
    assert by_batch.counts == live.counts
    assert [spent.replies for spent in by_batch.costs] == [spent.replies for spent in live.costs]


def test_a_run_by_batch_costs_half_and_a_mixed_one_in_between(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        'dated = 2026-11-24\n[models]\n"anthropic:claude-loopback-1" = '
        "{ input = 4.0, output = 20.0, cache_read = 0.4, cache_write = 5.0 }\n",
        encoding="utf-8",
    )

    def cost(summary: Summary) -> Decimal:
        return sum((spent.cost or Decimal(0) for spent in summary.costs), Decimal(0))

    listed = Prices.load(prices)
    live = cost(run(source, tmp_path / "live", open_crew(), batch=False, prices=listed))
    half = cost(run(source, tmp_path / "batch", open_crew(), batch=True, prices=listed))
    assert half == live / 2 > 0
    begun = start(source, tmp_path / "mixed", open_crew(), batch=False, prices=listed)
    begun.on_row = lambda tally, _: begun.stop()
    with pytest.raises(RunStopped):
        begun.execute()
    mixed = cost(run(source, tmp_path / "mixed", open_crew(), batch=True, prices=listed))
    assert half < mixed < live


def test_a_run_that_was_stopped_says_what_is_left_and_how_to_go_on(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    assert re.fullmatch(
        r"Stopped; 1 message batch with 9 asks may still be answered at the provider, and --batch "
        r"collects them\. 0 rows finished; every reply so far is in .*out\.ledger\.sqlite\. Run "
        r"the same command again to resume: answered asks are not sent again\.",
        leave(source, tmp_path / "batch", server, open_crew()),
    )
    server.release()
    run(source, tmp_path / "batch", open_crew(), batch=True)
    run(source, tmp_path / "live", open_crew(), batch=False)
    for name in WRITTEN:
        assert (tmp_path / "batch" / name).read_bytes() == (tmp_path / "live" / name).read_bytes()


def test_a_live_run_is_refused_while_a_batch_may_yet_answer_and_collects_it_when_it_has_ended(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    folder = tmp_path / "run"
    leave(source, folder, server, open_crew())
    with pytest.raises(RunError) as refused:
        run(source, folder, open_crew(), batch=False)
    assert str(refused.value) == (
        "1 message batch with 9 asks of this run may still be answered at the provider, and asking "
        "live would pay for the asks in them twice. Run the same command with --batch to collect "
        "them; or wait: a batch ends within a day"
    )
    assert server.paid.total() == 0
    server.release()
    summary = run(source, folder, open_crew(), batch=False)
    assert len(server.created) == 1
    assert server.paid_twice == []
    assert summary.stats.answered == summary_replies(summary) - 9


@pytest.mark.parametrize("polls", [1, 4])
def test_so_is_one_after_a_creation_of_unknown_outcome(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer, polls: int
) -> None:
    folder = tmp_path / "run"
    server.polls = 100
    server.fail_after_create(error(504))
    server.fail_on("list", None, *[error(500)] * QUICK.attempts)
    with pytest.raises(RunStopped):
        run(source, folder, open_crew(), batch=True)
    server.polls = server.created[0].looks + polls
    if polls > 1:
        with pytest.raises(RunError, match="1 message batch with 9 asks of this run may still"):
            run(source, folder, open_crew(), batch=False)
        server.release()
        server.polls = 0
    run(source, folder, open_crew(), batch=False)
    assert len(server.created) == 1
    assert server.paid_twice == []


def test_a_live_run_forgets_a_batch_that_was_never_created(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    folder = tmp_path / "run"
    server.fail_on("create", error(504))
    server.fail_on("list", None, *[error(500)] * QUICK.attempts)
    with pytest.raises(RunStopped):
        run(source, folder, open_crew(), batch=True)
    run(source, folder, open_crew(), batch=False)
    assert server.created == []


def test_a_run_that_keeps_no_ledger_is_refused(source: Path, open_crew: OpenCrew) -> None:
    with pytest.raises(RunError, match="name an output with -o, or leave --batch out"):
        Run(RunFiles.from_output(str(source), "-"), open_crew(), RunConfig(batch=True)).execute()


def test_a_refused_key_ends_a_run_with_exit_code_4(
    source: Path, tmp_path: Path, open_crew: OpenCrew, server: BatchServer
) -> None:
    server.fail_on("create", error(401))
    with pytest.raises(ModelAccessDenied) as refused:
        run(source, tmp_path / "run", open_crew(), batch=True)
    assert refused.value.exit_code == 4


def summary_replies(summary: Summary) -> int:
    return sum(spent.replies for spent in summary.costs)
