"""Plain functions: a list of rows, and what `Dataset.map` takes; nothing is lost or paid twice."""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support.answers.choices import row as pair_row
from support.answers.choices import script as chooses
from support.answers.deliberation import (
    CONFLICT,
    FATES,
    NOTHING,
    REFUSED,
    TURNED_DOWN,
    answer,
    row,
    rows,
    script,
)
from support.answers.story import script as script_story
from support.loopback import LoopbackServer, error
from support.samples.deliberation import CONSTITUTION
from support.samples.story import DIARY, TRUTH

from whyset.datasets import Selection, require_provenance
from whyset.generators import Ask, UnsupportedModel
from whyset.generators.choices import Choices
from whyset.generators.deliberation import Deliberation
from whyset.generators.story import Story
from whyset.models import ModelAccessDenied, RetryPolicy
from whyset.models.testing import ScriptedModel
from whyset.pipelines import RunConfig, RunError, mapper, rewrite_rows
from whyset.retriever.testing import FakeSearcher

QUICK = RetryPolicy(attempts=2, initial_wait=0.001)
SEARCHER = FakeSearcher(CONSTITUTION)


def model() -> ScriptedModel:
    return ScriptedModel(script, name="scripted:model")


def rewritten(records: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    given = {"model": model(), "config": RunConfig(retries=QUICK), **options}
    return rewrite_rows(records, Deliberation(k=2), SEARCHER, **given)


def test_as_many_rows_come_back_as_there_were_in_their_order() -> None:
    records = rows(14, *FATES)

    finished = rewritten(records)

    assert [found["id"] for found in finished] == list(range(14))
    outcomes = [found["whyset"]["outcome"] for found in finished]
    assert outcomes == [list(FATES.values())[number % len(FATES)] for number in range(14)]


def test_a_finished_row_is_what_the_bound_generator_returns() -> None:
    (found,) = rewritten([row(1)])

    bound = Deliberation(k=2).bind(model(), SEARCHER)
    assert found == bound.invoke(row(1))
    assert list(found)[-1] == "whyset"


def test_a_row_that_does_not_pass_is_as_it_was_and_says_why() -> None:
    (found,) = rewritten([row(1, CONFLICT)])

    outcome = found.pop("whyset")
    assert found == row(1, CONFLICT)
    assert outcome["outcome"] == "quarantined"
    assert outcome["reasons"] == ["conflict"]
    assert outcome["detail"] == "The response keeps what is hers closed."
    assert outcome["appraisal"]["verdict"] == "conflict"
    assert (outcome["generator"], outcome["version"]) == ("deliberation", "1")


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({"text": "no row"}, "unreadable", "no conversation"),
        ({**row(1), "at": object()}, "unreadable", "cannot be stored in a row"),
        (row(1, TURNED_DOWN), "turned_down", "turned down"),
        (row(1, REFUSED), "refused", "refusal"),
        ({**row(1), "whyset": "{}", "rationale": 1}, None, ""),
    ],
)
def test_whatever_befalls_a_row_the_others_come_out(
    record: dict[str, Any], reason: str | None, detail: str
) -> None:
    first, second, third = rewritten([row(0), record, row(2)])

    assert first["whyset"]["outcome"] == third["whyset"]["outcome"] == "rewritten"
    if reason is None:
        assert second["whyset"]["outcome"] == "rewritten"
        assert second["whyset_original"] == "{}"
    else:
        assert second["whyset"]["reasons"] == [reason]
        assert detail in second["whyset"]["detail"]
        assert {name: second[name] for name in record} == record


def test_rows_of_an_earlier_pass_keep_what_it_said() -> None:
    once = rewritten([row(1)])

    (again,) = rewritten(once)

    assert again["whyset"]["reasons"] == ["unreadable"]
    assert again["whyset"]["earlier"] == once[0]["whyset"]
    (replaced,) = rewritten(once, selection=Selection(replace_provenance=True))
    assert replaced["whyset"]["outcome"] == "rewritten"


def test_what_json_cannot_hold_comes_back_as_it_was() -> None:
    moment = datetime(2026, 11, 24, tzinfo=UTC)
    held = {**row(1), "at": moment, "picture": b"\x00\xff", "pair": (1, 2)}

    (found,) = rewritten([held])

    assert found["whyset"]["outcome"] == "rewritten"
    assert (found["at"], found["picture"], found["pair"]) == (moment, b"\x00\xff", (1, 2))


def test_the_rows_themselves_are_left_alone() -> None:
    records = rows(3)

    rewritten(records)

    assert records == rows(3)


def test_briefs_go_in_and_documents_come_out() -> None:
    briefs = [
        {"passages": [(TRUTH, DIARY)[n % 2]], "variety": {"length": "short"}, "seed": n}
        for n in range(4)
    ]
    briefs.append({"subject": "nothing that a brief has"})
    briefs.append({"seed": 5})

    teller = ScriptedModel(script_story, name="scripted:model")
    found = rewrite_rows(briefs, Story(), SEARCHER, model=teller)

    outcomes = [one["whyset"]["outcome"] for one in found]
    assert "written" in outcomes
    for brief, one, outcome in zip(briefs, found, outcomes, strict=True):
        columns = one.keys() - {"whyset"}
        assert columns == ({"text"} if outcome == "written" else brief.keys())
    assert found[4]["subject"] == "nothing that a brief has"
    assert "a brief has about, passages" in found[4]["whyset"]["detail"]
    assert found[5]["whyset"]["reasons"] == ["unreadable"]


async def test_it_may_be_called_within_a_running_loop() -> None:
    assert asyncio.get_running_loop().is_running()
    assert rewritten([row(1)])[0]["whyset"]["outcome"] == "rewritten"


def test_with_a_ledger_nothing_is_paid_twice(tmp_path: Path) -> None:
    ledger = tmp_path / "map.ledger"

    def fail_at_last(ask: Ask) -> Any:
        return ModelAccessDenied("no credit left") if "row-4" in ask.user else script(ask)

    with pytest.raises(ModelAccessDenied, match="no credit left"):
        rewritten(
            rows(5),
            model=ScriptedModel(fail_at_last),
            ledger=ledger,
            config=RunConfig(concurrency=1),
        )
    second = model()
    found = rewritten(rows(5), model=second, ledger=ledger)

    assert {one["whyset"]["outcome"] for one in found} == {"rewritten"}
    assert len(second.asks) < 15
    third = model()
    assert rewritten(rows(5), model=third, ledger=ledger) == found
    assert third.asks == []


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as loopback:
        for name, value in loopback.environment.items():
            monkeypatch.setenv(name, value)
        yield loopback


def test_a_model_may_be_named_and_asks_run_side_by_side(server: LoopbackServer) -> None:
    server.latency = 0.05
    server.fail(error(529), None)

    for _ in range(2):  # in one event loop, as connections want it
        found = rewritten(rows(8, "", NOTHING), model="anthropic:claude-loopback-1")
        assert [one["whyset"]["outcome"] for one in found] == ["rewritten", "untouched"] * 4

    assert server.peak > 4
    assert found[0]["whyset"]["models"]["writer"] == "anthropic:claude-loopback-1"


def test_the_extractive_model_is_refused_where_it_can_do_nothing() -> None:
    with pytest.raises(UnsupportedModel, match="choices needs a language model"):
        rewrite_rows([], Choices(), model="extractive")
    with pytest.raises(UnsupportedModel, match="so it cannot judge"):
        rewrite_rows([], Choices(), model=model(), judge="extractive")


# ---- Dataset.map


def mapped(records: list[dict[str, Any]], work: Any, **options: Any) -> list[dict[str, Any]]:
    # By name, since for type checkers it is a folder of this repository.
    datasets: Any = import_module("datasets")
    datasets.disable_progress_bars()
    dataset = datasets.Dataset.from_list(records)
    given = {"features": work.features(dataset.features), "batch_size": 2, **options}
    done: list[dict[str, Any]] = dataset.map(work, batched=True, **given).to_list()
    return done


def test_a_dataset_is_mapped_and_keeps_every_row() -> None:
    work = mapper(Deliberation(k=2), SEARCHER, model=model())

    found = mapped(rows(7, *FATES), work)

    assert [one["id"] for one in found] == list(range(7))
    outcome = [require_provenance(one)["outcome"] for one in found]
    assert outcome == list(FATES.values())
    assert found[0] == {**rewritten([row(0)])[0], "whyset": found[0]["whyset"]}


def test_a_field_or_a_column_may_come_late() -> None:
    def chat(number: int, fate: str) -> dict[str, Any]:
        asked = row(number, fate)
        return {
            "messages": [
                {"role": "user", "content": asked["prompt"]},
                {"role": "assistant", "content": asked["response"]},
            ]
        }

    thinking = mapper(Deliberation(k=2, channel="thinking"), SEARCHER, model=model())
    found = mapped([chat(n, NOTHING if n < 2 else "") for n in range(4)], thinking)
    reasoning = [one["messages"][1]["reasoning_content"] for one in found]
    assert reasoning[:2] == [None, None]
    assert all("Two things pull apart" in text for text in reasoning[2:])

    chooser = ScriptedModel(chooses, name="scripted:model")
    choices = mapper(Choices(k=2), SEARCHER, model=chooser)
    pairs = [pair_row(n, NOTHING if n < 2 else "") for n in range(4)]
    assert [one["rationale"] is None for one in mapped(pairs, choices)] == [
        True,
        True,
        False,
        False,
    ]


def test_columns_go_in_and_columns_come_out() -> None:
    work = mapper(Choices(k=2), SEARCHER, model=ScriptedModel(chooses))
    pairs = [pair_row(0), pair_row(1, NOTHING)]

    found = work({name: [pair[name] for pair in pairs] for name in pairs[0]})

    assert list(found) == [*pairs[0], "rationale", "whyset"]
    assert found["chosen"] == [pair["chosen"] for pair in pairs]
    assert [json.loads(outcome)["outcome"] for outcome in found["whyset"]] == [
        "explained",
        "untouched",
    ]
    assert found["rationale"][1] is None
    assert work({"chosen": [], "rejected": []}) == {"chosen": [], "rejected": [], "rationale": []}


def test_it_goes_to_another_process_and_opens_its_own_there(server: LoopbackServer) -> None:
    work = mapper(Deliberation(k=2), CONSTITUTION, model="anthropic:claude-loopback-1")
    program = (
        "import pickle, sys, json\n"
        "from whyset.datasets import require_provenance\n"
        "work = pickle.load(sys.stdin.buffer)\n"
        "found = work({'prompt': ['row-1: may I?'], 'response': ['No.']})\n"
        "print(json.loads(found['whyset'][0])['outcome'])\n"
    )

    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        input=pickle.dumps(work),
        env={**os.environ, "WHYSET_CACHE_DIR": os.environ["WHYSET_CACHE_DIR"]},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr.decode()
    assert finished.stdout == b"rewritten\n"
    assert finished.stderr == b""


def test_a_process_forked_off_one_that_searches_says_so_instead_of_waiting_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = mapper(Deliberation(), CONSTITUTION, model="extractive")
    read, write = os.pipe()
    # As where an index is open.
    monkeypatch.setitem(sys.modules, "chromadb", sys.modules.get("chromadb", sys))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if child == 0:
        try:
            work({"prompt": ["Q"], "response": ["A"]})
        except RunError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as outcome:
        assert outcome.read().startswith("this process was forked off one that has an index open")


def test_equal_mappers_are_known_for_equal_and_others_for_others() -> None:
    hasher: Any = import_module("datasets.fingerprint").Hasher

    def digest(**options: Any) -> str:
        work = mapper(Deliberation(**options), CONSTITUTION, model="anthropic:a")
        found: str = hasher.hash(work)
        return found

    assert digest() == digest()
    assert digest() != digest(k=3)
    assert digest() != digest(cite="explicit")


def test_a_retriever_that_was_left_behind_says_so(tmp_path: Path) -> None:
    from whyset.retriever import PassageRetriever

    retriever = PassageRetriever.open(CONSTITUTION, embedder="lexical", cache_dir=tmp_path)
    work = mapper(Deliberation(k=2), retriever, model=model())
    assert work({"prompt": ["row-1"], "response": ["No."]})["whyset"]
    gone = pickle.loads(pickle.dumps(mapper(Deliberation(), retriever, model="x:y")))

    with pytest.raises(UnsupportedModel, match="give mapper\\(\\) the constitution in its place"):
        gone({"prompt": ["Q"], "response": ["A"]})
