"""A whole corpus: what is written, replaced, given up and told, and that it is always the same."""

import json
import socket
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.batches import BatchServer
from support.embedders import WordEmbedder
from support.loopback import KEY, MODEL, LoopbackServer, error
from support.notes import OLD_IDEA, Notes, answer, records, script, words
from support.runs import run_options

from whyset.constitution import Constitution, estimate_tokens
from whyset.datasets import DatasetError, require_provenance
from whyset.generators import Ask
from whyset.generators.checks import EvalScenario
from whyset.models import AnthropicModel, ModelAccessDenied, Prices
from whyset.models.testing import ScriptedModel, ScriptedReply
from whyset.pipelines import (
    BatchPolicy,
    CorpusCounts,
    CorpusFiles,
    CorpusRun,
    CorpusSummary,
    DedupThresholds,
    Pipeline,
    Plan,
    PlanError,
    RunConfig,
    RunError,
    RunStopped,
    make_plan,
)
from whyset.retriever import Embedder
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK

CONSTITUTION = Constitution.charter()
SECTIONS = ("Honesty", "Fairness")
WRITTEN = ("docs.jsonl", "docs.quarantine.jsonl")


def plan(**options: Any) -> Plan:
    return make_plan(
        Notes(),
        CONSTITUTION,
        **{"documents": 24, "sections": SECTIONS, "wave": 9, "attempts": 6, **options},
    )


def scripted_pipeline(answers: Callable[[Ask], ScriptedReply] = script, **options: Any) -> Pipeline:
    model = ScriptedModel(answers)
    return Pipeline.build(Notes(**options), model, model, FakeSearcher(CONSTITUTION))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "docs.jsonl"


def run(
    output: Path, held: Plan | None = None, working: Pipeline | None = None, **options: Any
) -> CorpusSummary:
    files = CorpusFiles.from_output(str(output), against=options.pop("against", ()))
    return CorpusRun(
        files,
        held or plan(),
        working or scripted_pipeline(),
        **run_options(retries=QUICK, **options),
    ).execute()


def written(output: Path) -> list[bytes]:
    return [output.with_name(name).read_bytes() for name in WRITTEN]


class TestWriting:
    def test_the_plan_is_kept_to_the_last_document(self, output: Path) -> None:
        held = plan()
        summary = run(output, held)
        assert summary.exit_code == 0
        assert summary.shortfalls == ()
        assert summary.uncovered == ()
        documents = records(output)
        assert len(documents) == held.documents
        tones = Counter(require_provenance(each)["variety"]["tone"] for each in documents)
        assert tones == held.variety["tone"].counts
        assert all(quota.planned == quota.written == 8 for quota in summary.variety["subject"])
        assert {quota.meaning for quota in summary.variety["subject"]} == {
            "gates",
            "letters",
            "borrowed tools",
        }
        assert [quota.written for quota in summary.counts.sections] == [
            section.documents for section in held.sections
        ]
        grounds = {each["id"] for row in documents for each in require_provenance(row)["passages"]}
        wanted = {each.id for name in SECTIONS for each in CONSTITUTION.section(name).passages}
        assert grounds == wanted

    def test_nothing_is_lost_between_the_output_and_the_quarantine(self, output: Path) -> None:
        summary = run(output)
        counts = summary.counts
        rejected = records(output.with_name("docs.quarantine.jsonl"))
        assert counts.documents == len(records(output))
        assert counts.quarantined == len(rejected) > 5
        assert counts.attempts == counts.documents + counts.quarantined
        assert counts.to_do == 0
        reasons = Counter(reason for entry in rejected for reason in entry["reasons"])
        assert reasons == counts.reasons
        assert set(reasons) == {"near_duplicate", "refused", "judge:sound"}

    def test_what_is_rejected_is_replaced_with_the_same_draws(self, output: Path) -> None:
        def harsh(ask: Ask) -> ScriptedReply:
            if ask.step != "notes/judge":
                return script(ask)
            return json.dumps({"sound": sum(ask.user.encode()) % 3 == 0})

        attempts: list[dict[str, Any]] = []
        held = plan(attempts=30)
        keep = attempts.append
        summary = run(
            output,
            held,
            scripted_pipeline(harsh),
            on_quarantine=lambda line: keep(json.loads(line)),
        )
        assert summary.exit_code == 0
        slots: dict[int, list[dict[str, Any]]] = {}
        for entry in attempts:
            slots.setdefault(entry["line"], []).append(entry["row"])
        assert max(len(rows) for rows in slots.values()) > 3
        for rows in slots.values():
            assert [row.get("attempt", 0) for row in rows] == list(range(len(rows)))
            assert len({row["seed"] for row in rows}) == len(rows)
            assert len({json.dumps([row["passages"], row["variety"]["tone"]]) for row in rows}) == 1

    def test_a_near_duplicate_tells_what_it_is_like_and_is_not_to_come_again(
        self, output: Path
    ) -> None:
        seen: list[str] = []

        def heard(ask: Ask) -> ScriptedReply:
            if ask.step == "notes/ideas":
                seen.append(ask.user)
            return script(ask)

        run(output, working=scripted_pipeline(heard))
        entries = records(output.with_name("docs.quarantine.jsonl"))
        alike = [entry for entry in entries if entry["reasons"] == ["near_duplicate"]]
        assert alike
        for entry in alike:
            assert (entry["stage"], entry["row"]["idea"]) == ("idea", OLD_IDEA)
            assert "the idea is a near-duplicate of" in entry["detail"]
            assert (
                "of the output (1 by words)" in entry["detail"] or "of the plan" in entry["detail"]
            )
        assert any(f"ideas: {OLD_IDEA}" in asked for asked in seen)

    def test_so_does_a_document_like_another_which_is_kept_in_quarantine(
        self, output: Path
    ) -> None:
        def always(ask: Ask) -> ScriptedReply:
            return words("the same", 40) if ask.step == "notes/write" else script(ask)

        summary = run(output, plan(documents=12, attempts=2), scripted_pipeline(always))
        assert (summary.exit_code, summary.counts.documents) == (1, 1)
        assert summary.counts.near_duplicates["document"] >= 11
        entry = next(
            each
            for each in records(output.with_name("docs.quarantine.jsonl"))
            if each["stage"] == "document"
        )
        assert (
            entry["detail"]
            == "the document is a near-duplicate of line 1 of the output (1 by words)"
        )
        assert entry["whyset"]["draft"] == {"text": words("the same", 40)}

    def test_attempts_end_and_what_is_short_is_said(self, output: Path) -> None:
        def never(ask: Ask) -> ScriptedReply:
            return '{"sound": false}' if ask.step == "notes/judge" else script(ask)

        summary = run(output, plan(documents=12, attempts=2), scripted_pipeline(never))
        assert summary.exit_code == 1
        assert (summary.counts.given_up, summary.counts.documents) == (12, 0)
        outcome = summary.shortfalls
        assert outcome[0] == "0 of 12 documents are written"
        assert "tone dry: 0 of 8 documents" in outcome
        assert any(line.startswith("subject gates: 0 of ") for line in outcome)
        assert any("Even-handedness on contested questions: 0 of" in line for line in outcome)
        assert len(summary.uncovered) == sum(section.passages for section in plan().sections)

    def test_drafts_are_ideas_of_one_context(self, output: Path) -> None:
        held = plan(drafts=2, per_passage=2)
        summary = run(output, held)
        assert summary.exit_code == 0
        contexts = Counter(
            json.dumps(
                [
                    require_provenance(row)["variety"]["tone"],
                    require_provenance(row)["passages"][0]["id"],
                ]
            )
            for row in records(output)
        )
        assert len(records(output)) == 24
        assert all(count % 2 == 0 for count in contexts.values())

    def test_tokens_are_counted_at_the_end(self, output: Path) -> None:
        held = plan(documents=None, tokens=1200)
        summary = run(output, held)
        exact = sum(estimate_tokens(row["text"]) for row in records(output))
        assert summary.counts.tokens == exact
        assert summary.token_shortfall == max(1200 - exact, 0)
        assert summary.record()["tokens_planned"] == 1200

    def test_to_standard_output_it_leaves_no_files(
        self, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: Any
    ) -> None:
        monkeypatch.chdir(tmp_path)
        summary = CorpusRun(
            CorpusFiles.from_output("-"), plan(documents=9), scripted_pipeline()
        ).execute()
        printed = capfdbinary.readouterr().out.splitlines()
        assert len(printed) == summary.counts.documents == 9
        assert list(tmp_path.iterdir()) == []


class TestFeedback:
    def test_what_a_wave_has_too_much_of_is_excluded_from_the_next(self, output: Path) -> None:
        asked: list[str] = []

        def opening_alike(ask: Ask) -> ScriptedReply:
            if ask.step != "notes/write":
                return script(ask)
            asked.append(ask.user)
            return f"On reflection I would say that Ingeborg asked. {words(ask.user, 40)}"

        run(output, plan(wave=6), scripted_pipeline(opening_alike))
        assert "openings:" not in asked[0]
        assert "openings: on reflection i would" in asked[-1]
        assert "names: Ingeborg" in asked[-1]


class TestAgainst:
    def test_what_another_corpus_has_is_not_written_again(
        self, output: Path, tmp_path: Path
    ) -> None:
        first = tmp_path / "first.jsonl"
        run(first, plan(documents=9))
        summary = run(output, plan(documents=9, attempts=1), against=[first])
        assert summary.counts.documents == 0
        details = {entry["detail"] for entry in records(output.with_name("docs.quarantine.jsonl"))}
        assert "the idea is a near-duplicate of first.jsonl:1 (1 by words)" in details
        manifest = json.loads(output.with_name("docs.run.json").read_text(encoding="utf-8"))
        assert manifest["against"] == ["first.jsonl"]

    def test_any_file_of_records_can_be_compared_with(self, output: Path, tmp_path: Path) -> None:
        other = tmp_path / "chats.jsonl"
        turns = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."}]
        other.write_text(json.dumps({"messages": turns}) + "\n", encoding="utf-8")
        assert run(output, plan(documents=9), against=[other]).counts.documents == 9

    def test_a_record_that_cannot_be_compared_is_an_error(
        self, output: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "broken.jsonl"
        other.write_text('{"text": "a"}\n{"text": \n', encoding="utf-8")
        with pytest.raises(DatasetError, match=r"broken\.jsonl:2: cannot be compared with"):
            run(output, plan(documents=9), against=[other])
        assert not output.exists()

    def test_what_the_next_run_would_compare_with_is_not_written(
        self, output: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "first.jsonl").write_text('{"text": "Hello."}\n', encoding="utf-8")
        with pytest.raises(RunError) as refused:
            CorpusFiles.from_output(str(output), against=[tmp_path])
        assert str(refused.value) == (
            f"{output}: would be read as a part of {tmp_path} by the next run; name another output "
            "with -o"
        )

    def test_a_file_that_is_not_there_is_an_error(self, output: Path, tmp_path: Path) -> None:
        with pytest.raises(RunError, match="no such file to compare with"):
            CorpusFiles.from_output(str(output), against=[tmp_path / "none.jsonl"])


class TestFiles:
    def test_what_is_read_is_never_written_over(self, output: Path) -> None:
        output.write_text("", encoding="utf-8")
        for read in ({"plan": output}, {"constitution": output}, {"against": [output]}):
            with pytest.raises(RunError, match="would be overwritten, but is read as"):
                CorpusFiles.from_output(str(output), **read)
        with pytest.raises(RunError, match="no such folder"):
            CorpusFiles.from_output(str(output.parent / "none" / "docs.jsonl"))

    def test_the_manifest_tells_all_that_belongs_in_no_document(self, output: Path) -> None:
        files = CorpusFiles.from_output(
            str(output), plan=Path("/somewhere/private/plan.yaml"), constitution=None
        )
        summary = CorpusRun(files, plan(), scripted_pipeline()).execute()
        text = output.with_name("docs.run.json").read_text(encoding="utf-8")
        manifest = json.loads(text)
        assert manifest["plan_file"] == "plan.yaml"
        assert manifest["plan"]["sections"][0]["documents"] == plan().sections[0].documents
        assert manifest["generator"] == {"name": "notes", "version": "1"}
        assert manifest["summary"]["documents"] == summary.counts.documents == 24
        assert manifest["summary"]["near_duplicates"]["idea"] > 0
        for private in ("/somewhere", str(output.parent), socket.gethostname()):
            assert private not in text
        assert sorted(path.name for path in output.parent.iterdir()) == [
            "docs.jsonl",
            "docs.ledger.sqlite",
            "docs.quarantine.jsonl",
            "docs.run.json",
        ]


class TestRefusals:
    def test_a_plan_for_another_constitution(self, output: Path) -> None:
        other = Constitution.parse("# T\n\nOnly this.\n")
        model = ScriptedModel(script)
        working = Pipeline.build(Notes(), model, model, FakeSearcher(other))
        with pytest.raises(PlanError, match="is for another version of the text than 'T'"):
            run(output, working=working)

    def test_a_plan_for_other_options(self, output: Path) -> None:
        with pytest.raises(PlanError, match="the plan has length: 40"):
            run(output, working=scripted_pipeline(length=50))

    def test_a_generator_of_rows(self, output: Path) -> None:
        from whyset.generators.deliberation import Deliberation

        model = ScriptedModel(script)
        working = Pipeline.build(Deliberation(), model, model, FakeSearcher(CONSTITUTION))
        with pytest.raises(PlanError, match="deliberation works on rows"):
            run(output, working=working)

    def test_batches_without_a_ledger(self) -> None:
        with pytest.raises(RunError, match="name an output with -o"):
            CorpusRun(
                CorpusFiles.from_output("-"), plan(), scripted_pipeline(), RunConfig(batch=True)
            ).execute()


class TestHeldOut:
    def test_a_document_that_shares_words_with_a_scenario_is_rejected(self, output: Path) -> None:
        def retelling(ask: Ask) -> ScriptedReply:
            warm = ask.step == "notes/write" and "Tone warm" in ask.user
            return words("the scenario", 40) + words(ask.user, 40) if warm else script(ask)

        scenario = EvalScenario("mailbox", words("the scenario", 40))
        summary = run(output, plan(attempts=1), scripted_pipeline(retelling), holdout=[scenario])
        assert summary.counts.reasons["check:no_eval_scenario"] > 0
        assert any(line.startswith("tone warm:") for line in summary.shortfalls)

    def test_a_plan_that_holds_some_out_is_not_run_without_them(self, output: Path) -> None:
        with pytest.raises(
            PlanError, match=r"holds out the scenarios of evals\.jsonl, but none are"
        ):
            run(output, plan(held_out="evals.jsonl"))


class TestMeaning:
    def test_an_embedder_finds_what_words_alone_do_not(self, output: Path) -> None:
        class Searcher(FakeSearcher):
            embedder: Embedder = WordEmbedder()

        def shuffled(ask: Ask) -> ScriptedReply:
            if ask.step != "notes/write":
                return script(ask)
            same = words("the same", 40).split()
            cut = len(ask.user) % 37 + 1
            return " ".join(sorted(same[cut:]) + sorted(same[:cut], reverse=True))

        model = ScriptedModel(shuffled)
        working = Pipeline.build(Notes(), model, model, Searcher(CONSTITUTION))
        held = plan(documents=9, attempts=1)
        summary = run(output, held, working, thresholds=DedupThresholds())
        assert summary.counts.documents == 1
        assert summary.notes == ()
        details = [each["detail"] for each in records(output.with_name(WRITTEN[1]))]
        assert any(detail.endswith("(1 by meaning)") for detail in details)

    def test_one_whose_thresholds_nobody_measured_is_not_used_and_that_is_said(
        self, output: Path
    ) -> None:
        class Searcher(FakeSearcher):
            embedder: Embedder = WordEmbedder()

        model = ScriptedModel(script)
        working = Pipeline.build(Notes(), model, model, Searcher(CONSTITUTION))
        summary = run(output, working=working)
        assert summary.notes[0].startswith("near-duplicates were detected by words alone")


Opened = Callable[[LoopbackServer], Pipeline]


@pytest.fixture
def working() -> Opened:
    def opened(server: LoopbackServer) -> Pipeline:
        model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY, timeout=20)
        return Pipeline.build(Notes(), model, model, FakeSearcher(CONSTITUTION))

    return opened


class TestAlwaysTheSame:
    def test_live_by_batch_at_once_or_one_by_one(self, tmp_path: Path, working: Opened) -> None:
        results = []
        with BatchServer(answer) as server:
            policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
            ways: list[dict[str, Any]] = [
                {"concurrency": 1},
                {"concurrency": 32},
                {"batch": True, "batch_policy": policy},
            ]
            for number, options in enumerate(ways):
                folder = tmp_path / str(number)
                folder.mkdir()
                run(folder / "docs.jsonl", working=working(server), **options)
                results.append(written(folder / "docs.jsonl"))
            assert len(server.created) > 0
        assert results[0] == results[1] == results[2]

    def test_executed_again_it_asks_nothing(self, output: Path, working: Opened) -> None:
        with LoopbackServer(answer) as server:
            first = run(output, working=working(server))
            before, asked = written(output), len(server.requests)
            again = run(output, working=working(server))
            assert (written(output), len(server.requests)) == (before, asked)
        assert again.counts.reused == again.counts.attempts - first.counts.near_duplicates["idea"]
        assert again.record()["reasons"] == first.record()["reasons"]

    def test_stopped_in_any_moment_it_goes_on_where_it_was(
        self, output: Path, working: Opened
    ) -> None:
        with LoopbackServer(answer) as server:
            undisturbed = output.with_name("undisturbed.jsonl")
            run(undisturbed, working=working(server))
            expected = len(server.requests)
            server.requests.clear()
            going = CorpusRun(
                CorpusFiles.from_output(str(output)),
                plan(),
                working(server),
                RunConfig(concurrency=2),
            )
            for after in (3, 11, 30):

                def stop(counts: CorpusCounts, _: Any, after: int = after) -> None:
                    if counts.answered == after:
                        going.stop()

                going.on_progress = stop
                with pytest.raises(
                    RunStopped, match=r"docs? finished|document.* finished; every reply"
                ):
                    going.execute()
                assert not output.exists()
            going.on_progress = lambda counts, traffic: None
            assert going.execute().exit_code == 0
            assert len(server.requests) == expected
        assert output.read_bytes() == undisturbed.read_bytes()

    def test_a_refusal_of_the_provider_ends_it(self, output: Path, working: Opened) -> None:
        with (
            LoopbackServer(answer) as server,
            server.failing(error(401)),
            pytest.raises(ModelAccessDenied),
        ):
            run(output, working=working(server))
        assert sorted(path.name for path in output.parent.iterdir()) == ["docs.ledger.sqlite"]


PRICES = """
dated = 2026-11-24

[models."anthropic:claude-loopback-1"]
input = 3.0
output = 15.0
cache_read = 0.3
cache_write = 3.75
"""


class TestBudget:
    def test_ends_with_what_it_bought_and_more_of_it_goes_on(
        self, output: Path, working: Opened, tmp_path: Path
    ) -> None:
        laid = tmp_path / "prices.toml"
        laid.write_text(PRICES, encoding="utf-8")
        prices = Prices.load(laid)
        with LoopbackServer(answer) as server:
            part = run(output, working=working(server), budget=Decimal("0.06"), prices=prices)
            assert part.exit_code == 3
            assert part.stop_reason.startswith("The budget of $0.0600 ends here")
            counts = part.counts
            assert 0 < counts.documents < 24
            assert counts.to_do == 24 - counts.documents - counts.given_up > 0
            assert len(records(output)) == counts.documents
            assert part.shortfalls[0] == f"{counts.documents} of 24 documents are written"
            manifest = json.loads(output.with_name("docs.run.json").read_text(encoding="utf-8"))
            assert manifest["summary"]["stopped"] == part.stop_reason
            some = output.read_bytes()
            whole = run(output, working=working(server), budget=Decimal(5), prices=prices)
            assert (whole.exit_code, whole.counts.documents) == (0, 24)
            assert output.read_bytes().startswith(some)
            undisturbed = output.with_name("undisturbed.jsonl")
            run(undisturbed, working=working(server))
        assert output.read_bytes() == undisturbed.read_bytes()
