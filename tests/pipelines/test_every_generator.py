"""What holds of every generator: it ends, live and by batch, killed or not, and says what it did.

All are put through the same: a small plan or a few rows, with answers of which some are bad.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import every
import pytest
from batching import BatchingServer
from deliberating import CONSTITUTION
from every import EVERY, AnySummary, Case, Job
from loopback import Response, error

from whyset.datasets import provenance_of
from whyset.generators import installed_generators
from whyset.models import ModelRefused
from whyset.pipelines import QUARANTINED, CorpusSummary

CHILD = "import sys; from every import carry_out; carry_out(sys.argv[1])"

PASSAGES = {passage.id for passage in CONSTITUTION.passages}
WRITTEN = ("out.jsonl", "out.quarantine.jsonl")
WITHOUT = [(name, step) for name, case in EVERY.items() for step in case.steps_without]


@dataclass(frozen=True)
class Ended:
    """A run that nothing happened to.

    Attributes:
        folder: Where its files lie.
        summary: Its account.
        paid: How often each request was answered.
        calls: How many calls there were of message batches.
    """

    folder: Path
    summary: AnySummary
    paid: Counter[str]
    calls: int

    @property
    def names(self) -> list[str]:
        """The names of all its files."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def written(self) -> list[bytes]:
        """Output and quarantine, as they are."""
        return [(self.folder / name).read_bytes() for name in WRITTEN]

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return what a file of JSON lines holds."""
        text = (self.folder / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


class Undisturbed:
    """Runs that nothing happens to, each done when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: dict[tuple[str, bool], Ended] = {}

    def run(self, name: str, *, batch: bool = False) -> Ended:
        """Return a case's run, live or by batch."""
        if (name, batch) not in self._ended:
            folder = self._folder / f"{name}-{'batch' if batch else 'live'}"
            folder.mkdir()
            with BatchingServer(EVERY[name].answer) as server:
                summary = EVERY[name].run(server.url, folder, batch=batch).execute()
                ended = Ended(folder, summary, server.paid, server.calls.total())
            self._ended[name, batch] = ended
        return self._ended[name, batch]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(params=EVERY)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    return EVERY[name]


@pytest.fixture
def live(name: str, undisturbed: Undisturbed) -> Ended:
    return undisturbed.run(name)


def test_no_generator_is_left_out() -> None:
    own = {name for name, whose in installed_generators().items() if whose == "whyset"}
    assert {case.generator for case in EVERY.values()} == own


def test_all_that_goes_in_comes_out_or_is_in_quarantine(case: Case, live: Ended) -> None:
    output, quarantine = live.records(WRITTEN[0]), live.records(WRITTEN[1])
    tally = live.summary.tally
    assert tally.outcomes.total() == len(output) + len(quarantine)
    assert tally.outcomes[QUARANTINED] == len(quarantine)
    assert all(entry["reasons"] and entry["detail"] for entry in quarantine)
    if isinstance(live.summary, CorpusSummary):
        corpus = live.summary.tally
        assert corpus.documents == len(output)
        assert (corpus.documents + corpus.given_up, corpus.to_do) == (case.documents, 0)
        planned = range(1, case.documents + 1)
        assert {entry["line"] for entry in quarantine} <= set(planned)
        return
    # A line each, in the order in which they came in.
    numbers = [row["id"] for row in case.rows]
    lost = [numbers[entry["line"] - 1] for entry in quarantine]
    assert [record["id"] for record in output] == [n for n in numbers if n not in lost]
    assert lost == sorted(set(lost))


def test_provenance_is_complete(case: Case, live: Ended) -> None:
    generator = case.made()
    kept = live.records(WRITTEN[0])
    for record in kept:
        held = provenance_of(record)
        assert held["outcome"] in generator.outcomes
        assert (held["generator"], held["version"]) == (generator.name, generator.version)
        assert held["prompts"] == generator.prompts.digests()
        assert set(held["models"]) == {"writer", "judge"}
        assert all(held["usage"][kind] > 0 for kind in ("input_tokens", "output_tokens"))
        if held["outcome"] != "untouched":
            assert held["checks"]
            assert set(held["checks"].values()) <= {"passed", "skipped", "flagged"}
            assert held["verdict"]
        if held["passages"] or case.grounded:
            assert {passage["id"] for passage in held["passages"]} <= PASSAGES
            assert held["passages"]
            assert held["constitution"]["sha256"] == CONSTITUTION.digest
        if case.documents:
            assert held["idea"]
            assert not [value for value in held["variety"].values() if value.startswith("#")]
    assert kept
    for entry in live.records(WRITTEN[1]):
        told = entry["whyset"]
        assert (told["generator"], told["version"]) == (generator.name, generator.version)
        assert told["prompts"] == generator.prompts.digests()


def test_the_datasets_library_reads_it(live: Ended, load: Callable[[Path], Any]) -> None:
    rows = load(live.folder / WRITTEN[0])
    written = live.records(WRITTEN[0])
    assert [provenance_of(row) for row in rows] == [provenance_of(record) for record in written]
    assert set(rows.column_names) == {column for record in written for column in record}


def test_by_batch_it_is_the_same_to_the_byte_and_costs_as_many_asks(
    name: str, live: Ended, undisturbed: Undisturbed
) -> None:
    batch = undisturbed.run(name, batch=True)
    assert batch.calls > 0
    assert batch.written == live.written
    assert batch.paid == live.paid


def test_a_dry_run_says_what_is_to_do_and_of_a_finished_run_that_nothing_is(
    case: Case, live: Ended, tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9"
    before = case.run(nobody, tmp_path).estimate(sample=0)
    assert before.remaining == before.walked == (case.documents or len(case.rows))
    assert 0 < before.least.asks <= before.most.asks
    assert before.least.usage.output_tokens <= before.most.usage.output_tokens
    assert [*tmp_path.glob("*.jsonl")] == [*tmp_path.glob("rows.jsonl")]

    again = shutil.copytree(live.folder, tmp_path / "again")
    after = case.run(nobody, again).estimate(sample=0)
    assert (after.remaining, after.least.asks, after.most.asks) == (0, 0, 0)


@pytest.mark.parametrize(("name", "step"), WITHOUT, ids=map("-".join, WITHOUT))
def test_without_a_step_it_ends_all_the_same(name: str, step: str, tmp_path: Path) -> None:
    case = EVERY[name]
    with BatchingServer(case.answer) as server:
        run = case.run(server.url, tmp_path, most=2, without=(step,))
        assert run.estimate(sample=0).most.asks > 0
        summary = run.execute()
    unanswered = {"unavailable", "unreadable", "turned_down", "unusable"}
    assert not unanswered & summary.tally.reasons.keys()
    assert f"{case.generator}/{step}" not in {spent.step for spent in summary.spent}
    written = (tmp_path / WRITTEN[0]).read_text(encoding="utf-8").splitlines()
    assert written
    for line in written:
        assert provenance_of(json.loads(line))["without"] == [step]


def test_a_key_that_is_refused_in_the_middle_ends_it_until_there_is_another(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    case, live = EVERY["story"], undisturbed.run("story")
    with BatchingServer(case.answer) as server:
        server.answer = Brink(case.answer, live.paid.total() // 2, then=error(401))
        with pytest.raises(ModelRefused, match="the key was not accepted"):
            case.run(server.url, tmp_path).execute()
        assert not [path for path in tmp_path.iterdir() if path.suffix == ".jsonl"]
        server.answer = case.answer
        summary = case.run(server.url, tmp_path).execute()
        assert summary.traffic.replayed > 0
        assert server.paid == live.paid
    assert [(tmp_path / file).read_bytes() for file in WRITTEN] == live.written


@pytest.mark.parametrize(
    ("by_batch", "on_by_batch"),
    [(False, False), (True, True), (False, True)],
    ids=["live", "batch", "live, then batch"],
)
def test_killed_in_the_middle_it_goes_on_to_the_same_bytes_and_pays_nothing_twice(
    name: str,
    case: Case,
    live: Ended,
    killed: dict[tuple[str, bool], "Victim"],
    tmp_path: Path,
    by_batch: bool,
    on_by_batch: bool,
) -> None:
    victim = killed[name, by_batch]
    assert 0 < victim.recorded < live.paid.total()
    folder = shutil.copytree(victim.folder, tmp_path / "again")
    assert not (folder / WRITTEN[0]).exists()
    server = victim.server
    paid_before = server.paid.copy()

    summary = case.run(server.url, folder, batch=on_by_batch).execute()

    ended = Ended(folder, summary, victim.paid + (server.paid - paid_before), 0)
    assert ended.written == live.written
    assert ended.names == live.names
    assert ended.paid == live.paid
    assert summary.traffic.answered > 0


class Brink:
    """Answers so many asks, then says something else.

    Attributes:
        reached: Whether it does.
    """

    def __init__(self, answer: every.Answer, asks: int, *, then: Response) -> None:
        self.reached = threading.Event()
        self._answer = answer
        self._left = asks
        self._then = then

    def __call__(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        if not self._left:
            self.reached.set()
            return self._then
        said = self._answer(body)
        self._left -= isinstance(said, dict)
        return said


class Victim:
    """A run that is to be killed where half of it is done: of its asks, or of its calls.

    Attributes:
        folder: Where its files lie.
        server: Whom it asks.
        recorded: How many replies its ledger held when it died.
        paid: How often each request had been answered then.
    """

    def __init__(self, name: str, folder: Path, undisturbed: Undisturbed, *, batch: bool) -> None:
        ended = undisturbed.run(name, batch=batch)
        self.folder = folder
        self.folder.mkdir()
        self.server = BatchingServer(EVERY[name].answer).start()
        self.job = Job(name, self.server.url, str(folder), batch)
        self.recorded = 0
        self.paid: Counter[str] = Counter()
        self._asks = 0 if batch else ended.paid.total() // 2
        self._dead = threading.Event()
        brink = Brink(EVERY[name].answer, self._asks, then=Response(503, hang=True))
        self._reached = threading.Event() if batch else brink.reached
        if not batch:
            self.server.answer = brink
        else:
            late = ended.calls * 3 // 4
            self.server.on_call = lambda number: self._fall_silent() if number == late else None

    def is_there(self) -> bool:
        """Say whether it has come to the middle, and what it paid for until then is recorded."""
        return self._reached.is_set() and self._replies(self._ledger) >= self._asks

    def bury(self, folder: Path) -> None:
        """Note what it leaves, and let its server answer whoever takes over."""
        # From a copy: to look into a ledger mends it.
        shutil.copytree(self.folder, folder)
        self.recorded = self._replies(folder / self._ledger.name)
        self.paid = self.server.paid.copy()
        self.server.answer = EVERY[self.job.case].answer
        self._dead.set()

    @property
    def _ledger(self) -> Path:
        return self.folder / "out.ledger.sqlite"

    def _fall_silent(self) -> None:
        self._reached.set()
        self._dead.wait()

    @staticmethod
    def _replies(ledger: Path) -> int:
        with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM replies").fetchone()
        return int(count)


@pytest.fixture(scope="module")
def killed(
    undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, bool], Victim]]:
    """Every case's run, live and by batch, in one process that was killed amid them all."""
    folder, copies = tmp_path_factory.mktemp("killed"), tmp_path_factory.mktemp("copies")
    with ExitStack() as stack:
        victims = {}
        for name in EVERY:
            for batch in (False, True):
                place = f"{name}-{'batch' if batch else 'live'}"
                victim = Victim(name, folder / place, undisturbed, batch=batch)
                stack.callback(victim.server.stop)
                victims[name, batch] = victim
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, json.dumps([astuple(v.job) for v in victims.values()])],
            env={"PYTHONPATH": str(Path(every.__file__).parent), "PATH": ""},
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(process)
        stack.callback(process.kill)
        while waiting := [key for key, victim in victims.items() if not victim.is_there()]:
            assert process.poll() is None, (waiting, process.communicate())
            time.sleep(0.01)
        process.kill()
        _, complained = process.communicate()
        assert (process.returncode, complained) == (-signal.SIGKILL, "")
        for victim in victims.values():
            victim.bury(copies / victim.folder.name)
        yield victims


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Any]:
    """Return `datasets.load_dataset`, with a cache of its own."""
    import datasets

    datasets.disable_progress_bars()  # type: ignore[attr-defined]
    cache = str(tmp_path_factory.mktemp("datasets"))
    return lambda path: datasets.load_dataset(  # type: ignore[attr-defined]
        "json", data_files=str(path), split="train", cache_dir=cache
    )
