"""A whole run: the files it leaves, the account it gives, and what it never writes over."""

import json
import os
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.answers.deliberation import (
    CONFLICT,
    DOWN,
    MENDED,
    NOTHING,
    PREACHY,
    REFUSED,
    TURNED_DOWN,
    answer,
    row,
    rows,
    script,
    write_rows,
)
from support.loopback import LoopbackServer, error
from support.runs import run_options

from whyset.constitution import Constitution
from whyset.datasets import DatasetError, require_provenance
from whyset.generators.deliberation import Deliberation, OnConflict
from whyset.models import ModelAccessDenied
from whyset.models.testing import ScriptedModel
from whyset.pipelines import (
    Pipeline,
    Run,
    RunConfig,
    RunCounts,
    RunError,
    RunFiles,
    RunStopped,
    Summary,
)
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK, TEXT, OpenCrew


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "sft.jsonl", rows(6, "", NOTHING, CONFLICT))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def run(source: Path, output: Path, crew: Pipeline, **options: Any) -> Summary:
    files = RunFiles.from_output(str(source), str(output))
    return Run(files, crew, **run_options(retries=QUICK, **options)).execute()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def scripted(**options: Any) -> Pipeline:
    model = ScriptedModel(script)
    searcher = FakeSearcher(Constitution.parse(TEXT))
    return Pipeline.build(Deliberation(**options), model, model, searcher)


class TestFiles:
    def test_rows_quarantine_ledger_and_manifest_lie_beside_each_other(
        self, source: Path, output: Path, open_crew: OpenCrew
    ) -> None:
        summary = run(source, output, open_crew())
        assert sorted(path.name for path in output.parent.iterdir()) == [
            "out.jsonl",
            "out.ledger.sqlite",
            "out.quarantine.jsonl",
            "out.run.json",
            "sft.jsonl",
        ]
        assert [record["id"] for record in read(output)] == [0, 1, 3, 4]
        entries = read(output.with_name("out.quarantine.jsonl"))
        assert [(entry["line"], entry["reasons"]) for entry in entries] == [
            (3, ["conflict"]),
            (6, ["conflict"]),
        ]
        assert entries[0]["row"] == row(2, CONFLICT)
        assert entries[0]["whyset"]["appraisal"]["verdict"] == "conflict"
        assert summary.exit_code == 1

    def test_running_again_gives_the_same_bytes(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        run(source, output, open_crew())
        quarantine = output.with_name("out.quarantine.jsonl")
        before, asked = (output.read_bytes(), quarantine.read_bytes()), len(server.requests)
        summary = run(source, output, open_crew())
        assert (output.read_bytes(), quarantine.read_bytes()) == before
        assert len(server.requests) == asked
        assert summary.counts.reused == 6

    def test_a_quarantine_that_has_become_empty_is_removed(
        self, source: Path, output: Path
    ) -> None:
        run(source, output, scripted())
        summary = run(source, output, scripted(on_conflict="keep"))
        assert summary.exit_code == 0
        assert not output.with_name("out.quarantine.jsonl").exists()
        manifest = json.loads(output.with_name("out.run.json").read_text(encoding="utf-8"))
        assert manifest["quarantine"] is None

    def test_a_name_without_the_usual_ending_is_kept_whole(self, tmp_path: Path) -> None:
        source = write_rows(tmp_path / "sft.jsonl", rows(1))
        files = RunFiles.from_output(str(source), str(tmp_path / "out.v2.json"))
        assert files.quarantine == tmp_path / "out.v2.json.quarantine.jsonl"
        assert files.ledger == tmp_path / "out.v2.json.ledger.sqlite"
        assert files.manifest == tmp_path / "out.v2.json.run.json"

    def test_what_a_killed_process_left_half_written_is_removed(
        self, source: Path, output: Path
    ) -> None:
        stale = [output.with_name(f".{name}.4711.part") for name in ("out.jsonl", "out.run.json")]
        others = [output.with_name(name) for name in (".out.jsonl.part", ".out.jsonl.mine.part")]
        for path in (*stale, *others):
            path.write_text("half", encoding="utf-8")
        run(source, output, scripted())
        assert [path.exists() for path in stale] == [False, False]
        assert [path.exists() for path in others] == [True, True]


class TestNeverWrittenOver:
    def refused(self, source: Path, output: Path, **options: Any) -> str:
        before = {path: path.read_bytes() for path in source.parent.iterdir() if path.is_file()}
        with pytest.raises(RunError) as refused:
            RunFiles.from_output(str(source), str(output), **options)
        assert {path: path.read_bytes() for path in before} == before
        return str(refused.value)

    def test_the_input(self, source: Path) -> None:
        assert self.refused(source, source) == (
            f"{source}: would be overwritten, but is read as {source}; name another output with -o"
        )

    def test_the_input_under_another_name(self, source: Path, output: Path) -> None:
        output.symlink_to(source)
        assert "would be overwritten" in self.refused(source, output)
        output.unlink()
        os.link(source, output)
        assert "would be overwritten" in self.refused(source, output)

    @pytest.mark.parametrize("kind", ["quarantine.jsonl", "run.json", "ledger.sqlite"])
    def test_an_input_that_is_one_of_the_files_beside(self, output: Path, kind: str) -> None:
        source = write_rows(output.with_name(f"out.{kind}"), rows(1))
        assert "would be overwritten" in self.refused(source, output)

    def test_the_constitution(self, source: Path, tmp_path: Path) -> None:
        constitution = tmp_path / "manners.md"
        constitution.write_text(TEXT, encoding="utf-8")
        outcome = self.refused(source, constitution, constitution=constitution)
        assert "would be overwritten" in outcome

    def test_what_is_no_file(self, source: Path, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        for target in (pipe, Path("/dev/null"), Path("/")):
            assert self.refused(source, target) == (
                f"{target}: is not a regular file; name a file, or -o - to print the rows"
            )

    def test_a_folder_with_other_files(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "data-00000-of-00001.parquet").touch()
        (tmp_path / "out" / "notes.txt").touch()
        assert self.refused(source, tmp_path / "out") == (
            f"{tmp_path / 'out'}: holds notes.txt, which whyset did not write; give a folder that "
            "is new or empty, or a file"
        )

    @pytest.mark.parametrize("named", ["{}", "{}/*.jsonl", "{}/**/*.jsonl"])
    def test_what_the_next_run_would_read(self, source: Path, output: Path, named: str) -> None:
        pattern = named.format(source.parent)
        with pytest.raises(RunError) as refused:
            RunFiles.from_output(pattern, str(output))
        assert str(refused.value) == (
            f"{output}: would be read as a part of {pattern} by the next run; name another output "
            "with -o"
        )

    def test_a_folder_that_is_not_there(self, source: Path, tmp_path: Path) -> None:
        outcome = self.refused(source, tmp_path / "none" / "out.jsonl")
        assert outcome.endswith(f"no such folder {tmp_path / 'none'}; create it first")

    def test_nothing_at_all_for_an_input_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(RunError, match=r"none\.jsonl: no such file"):
            RunFiles.from_output(str(tmp_path / "none.jsonl"), str(tmp_path / "out.jsonl"))


class TestManifest:
    def test_says_what_belongs_in_no_row(
        self, source: Path, output: Path, open_crew: OpenCrew, constitution: Constitution
    ) -> None:
        files = RunFiles.from_output(
            str(source), str(output), constitution=Path("/somewhere/private/manners.md")
        )
        crew = open_crew()
        crew = Pipeline(crew.generator, crew.models, crew.retriever, {"channel": "preface", "k": 8})
        Run(files, crew).execute()
        text = output.with_name("out.run.json").read_text(encoding="utf-8")
        manifest = json.loads(text)
        started, finished = (
            datetime.fromisoformat(manifest.pop(name)) for name in ("started", "finished")
        )
        assert started <= finished
        assert started.tzinfo is not None
        assert re.fullmatch(r"\d+\.\d+\.\d+", manifest.pop("whyset"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", manifest.pop("prices_of"))
        summary = manifest.pop("summary")
        assert summary["seconds"] >= 0
        assert (summary["rows"], summary["rewritten"], summary["quarantined"]) == (6, 2, 2)
        assert manifest == {
            "input": "sft.jsonl",
            "output": "out.jsonl",
            "quarantine": "out.quarantine.jsonl",
            "constitution": {
                "title": "Manners",
                "sha256": constitution.digest,
                "file": "manners.md",
            },
            "generator": {"name": "deliberation", "version": crew.generator.version},
            "models": {
                "writer": "anthropic:claude-loopback-1",
                "judge": "anthropic:claude-loopback-1",
            },
            "retrieval": f"fake {constitution.digest}",
            "settings": {"channel": "preface", "k": 8},
            "selection": {
                "turns": "last",
                "side": "chosen",
                "shape": None,
                "replace_provenance": False,
            },
            "to": None,
        }
        for private in (str(source.parent), "/somewhere", socket.gethostname()):
            assert private not in text

    def test_is_not_there_while_a_run_is_unfinished(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        with server.failing(error(401)), pytest.raises(ModelAccessDenied):
            run(source, output, open_crew())
        assert sorted(path.name for path in output.parent.iterdir()) == [
            "out.ledger.sqlite",
            "sft.jsonl",
        ]

    def test_of_an_earlier_run_stays_as_long_as_its_output_does(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        run(source, output, open_crew())
        names = ("out.jsonl", "out.quarantine.jsonl", "out.run.json")
        before = [output.with_name(name).read_bytes() for name in names]
        with server.failing(error(403)), pytest.raises(ModelAccessDenied):
            run(source, output, open_crew(channel="thinking"))
        assert [output.with_name(name).read_bytes() for name in names] == before


GARBAGE = (
    "{",
    "[1]",
    "null",
    '{"prompt": "no response"}',
    '{"messages": [{"role": "user", "content": "hi"}]}',
    '{"prompt": "p", "response": ""}',
    '{"prompt": "p", "response": "r", "whyset": {"generator": "g", "version": "1", "outcome": ""}}',
)

# A first line that is not whole is joined with the next ones, so a good row stands before all.
lines = st.lists(
    st.one_of(
        st.sampled_from(GARBAGE),
        st.builds(
            lambda number, fate: json.dumps(row(number, fate)),
            st.integers(0, 9),
            st.sampled_from(["", NOTHING, CONFLICT, PREACHY, MENDED, REFUSED, TURNED_DOWN, DOWN]),
        ),
        st.just("  "),
    ),
    max_size=24,
)


class TestAccount:
    @settings(
        deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        drawn=lines,
        on_conflict=st.sampled_from(["quarantine", "repair", "keep"]),
        concurrency=st.sampled_from([1, 3, 16]),
    )
    def test_always_adds_up(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        drawn: Sequence[str],
        on_conflict: OnConflict,
        concurrency: int,
    ) -> None:
        folder = tmp_path_factory.mktemp("run")
        written = [json.dumps(row(100)), *drawn]
        source = folder / "sft.jsonl"
        source.write_text("\n".join(written), encoding="utf-8")
        output = folder / "out.jsonl"
        summary = run(source, output, scripted(on_conflict=on_conflict), concurrency=concurrency)
        counts, fate = summary.record(), Counter(summary.counts.outcomes)
        kinds = ("rewritten", "untouched", "repaired", "annotated", "quarantined")
        assert counts["rows"] == sum(counts[kind] for kind in kinds)
        assert counts["rows"] == sum(1 for line in written if line.strip())
        finished = read(output)
        assert Counter(require_provenance(record)["outcome"] for record in finished) == {
            kind: count for kind, count in fate.items() if kind != "quarantined" and count
        }
        quarantine = folder / "out.quarantine.jsonl"
        entries = read(quarantine) if quarantine.exists() else []
        assert len(entries) == fate["quarantined"]
        assert sum(counts["reasons"].values()) >= len(entries)
        numbers = [number for number, line in enumerate(written, start=1) if line.strip()]
        gone = [entry["line"] for entry in entries]
        assert gone == sorted(gone)
        assert set(gone) <= set(numbers)
        kept = [json.loads(written[number - 1])["id"] for number in numbers if number not in gone]
        assert [record["id"] for record in finished] == kept
        conflicts = {"repair": "repaired", "keep": "untouched", "quarantine": "quarantined"}
        wanted = sum(CONFLICT in line for line in written)
        assert fate[conflicts[on_conflict]] >= wanted

    def test_of_a_run_and_its_continuation_names_all_that_was_spent(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        server.answer = lambda body: answer(body) if server.answered < 5 else error(401)
        with pytest.raises(ModelAccessDenied):
            run(source, output, open_crew(), concurrency=1)
        server.answer = answer
        summary = run(source, output, open_crew())
        assert sum(spent.replies for spent in summary.costs) == 6 + 2 + 2
        assert summary.stats.answered == 5
        assert summary.counts.reused == 3  # one appraisal was all they took
        assert summary.stats.replayed == 2
        assert [spent.step for spent in summary.costs] == [
            "deliberation/appraise",
            "deliberation/judge",
            "deliberation/write",
        ]

    def test_is_given_row_by_row(self, source: Path, output: Path) -> None:
        seen: list[int] = []
        lines: list[bytes] = []
        run(
            source,
            output,
            scripted(),
            on_row=lambda tally, _: seen.append(tally.rows),
            on_quarantine=lines.append,
        )
        assert seen == [1, 2, 3, 4, 5, 6]
        assert [json.loads(line)["line"] for line in lines] == [3, 6]


class TestEnding:
    def test_stop_ends_a_run_with_what_to_do_next(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        files = RunFiles.from_output(str(source), str(output))
        going = Run(files, open_crew(), RunConfig(concurrency=1))

        def stop(tally: RunCounts, _: Any) -> None:
            going.stop()

        going.on_row = stop
        with pytest.raises(RunStopped) as stopped:
            going.execute()
        assert re.fullmatch(
            r"Stopped\. 1 row finished; every reply so far is in .*out\.ledger\.sqlite\. Run the "
            r"same command again to resume: answered asks are not sent again\.",
            str(stopped.value),
        )
        going.on_row = lambda tally, _: None
        assert going.execute().counts.rows == 6  # the same run goes on, too
        assert len(server.requests) == 6 + 2 + 2

    def test_a_second_run_on_the_same_output_is_refused(
        self, source: Path, output: Path, open_crew: OpenCrew, server: LoopbackServer
    ) -> None:
        refused: list[str] = []

        def again(tally: RunCounts, _: Any) -> None:
            if tally.rows == 1:
                try:
                    run_in_thread(lambda: run(source, output, scripted()))
                except RunError as error:
                    refused.append(str(error))

        run(source, output, open_crew(), on_row=again)
        assert len(refused) == 1
        assert refused[0].startswith(f"another whyset process ({os.getpid()}) is working on")

    async def test_runs_within_a_running_event_loop(
        self, source: Path, output: Path, open_crew: OpenCrew
    ) -> None:
        files = RunFiles.from_output(str(source), str(output))
        summary = await Run(files, open_crew()).aexecute()
        assert summary.counts.rows == 6

    def test_runs_outside_the_main_thread(
        self, source: Path, output: Path, open_crew: OpenCrew
    ) -> None:
        summaries: list[Summary] = []
        run_in_thread(lambda: summaries.append(run(source, output, open_crew())))
        assert summaries[0].counts.rows == 6

    def test_an_output_that_cannot_be_written_is_an_error(self, source: Path, output: Path) -> None:
        def vanish(tally: RunCounts, _: Any) -> None:
            for part in output.parent.glob(".out.jsonl.*.part"):
                part.unlink()

        with pytest.raises(DatasetError, match=r"out\.jsonl: cannot be written"):
            run(source, output, scripted(), on_row=vanish)
        assert not output.exists()
        assert not output.with_name("out.run.json").exists()


def run_in_thread(function: Callable[[], object]) -> None:
    """Call a function in another thread and raise here what it raised there."""
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
