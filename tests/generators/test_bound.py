"""A generator bound to a model and a retriever: a LangChain Runnable."""

import threading
from typing import Any
from uuid import UUID

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda
from support.samples.deliberation import (
    ACCORD,
    CONFLICT,
    CONSTITUTION,
    DELIBERATION,
    DIARY,
    NOTHING,
    PASSES,
)

from whyset.datasets import DatasetError
from whyset.generators import Ask, RowRejected, UnsupportedModel
from whyset.generators.deliberation import Deliberation
from whyset.models import ExtractiveModel, ModelAccessDenied
from whyset.models.testing import ScriptedModel, ScriptedReply
from whyset.retriever.testing import FakeSearcher

SUM = {"prompt": "2 + 2", "response": "4"}
SECRET = {"prompt": "May I read it?", "response": "Yes, in secret."}


def say(ask: Ask) -> ScriptedReply:
    """Answer every row by what it holds."""
    if ask.step == "deliberation/appraise":
        return NOTHING if "2 + 2" in ask.user else CONFLICT if "in secret" in ask.user else ACCORD
    return DELIBERATION if ask.role == "writer" else PASSES


def bound(**options: Any) -> Runnable[dict[str, Any], dict[str, Any]]:
    generator = Deliberation(**{"k": 2, **options})
    return generator.bind(ScriptedModel(say), FakeSearcher(CONSTITUTION))


class Listener(BaseCallbackHandler):
    """Writes down each run that starts, under the run it belongs to."""

    def __init__(self) -> None:
        self.names: dict[UUID, str] = {}
        self.started: list[tuple[str | None, str]] = []
        self.ended = 0
        self.failed: list[str] = []
        self.lock = threading.Lock()

    def _start(self, name: str, run: UUID, parent: UUID | None) -> None:
        with self.lock:
            self.names[run] = name
            self.started.append((self.names[parent] if parent else None, name))

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self._start(kwargs["name"], kwargs["run_id"], kwargs["parent_run_id"])

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self._start(kwargs["name"] or serialized["name"], kwargs["run_id"], kwargs["parent_run_id"])

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self.ended += 1

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self.failed.append(type(error).__name__)


class AsyncListener(Listener, AsyncCallbackHandler):  # type: ignore[misc]
    """The same, as an asynchronous handler."""

    async def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:  # type: ignore[override]
        Listener.on_chain_start(self, serialized, inputs, **kwargs)

    async def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:  # type: ignore[override]
        Listener.on_chain_end(self, outputs, **kwargs)


STEPS = ["deliberation/appraise", "deliberation/write", "deliberation/judge"]


def test_columns_go_in_and_come_out_with_their_provenance() -> None:
    written = bound().invoke(DIARY)

    assert list(written) == [*DIARY, "whyset"]
    assert written["response"] == f"{DELIBERATION}\n\n{DIARY['response']}"
    assert written["whyset"]["outcome"] == "rewritten"
    assert written["whyset"]["models"] == {"writer": "scripted:model", "judge": "scripted:model"}
    assert written["whyset"]["usage"]["input_tokens"] == 30
    assert "whyset" not in DIARY


async def test_every_way_of_calling_gives_the_same() -> None:
    runnable = bound()
    one, other = runnable.invoke(DIARY), runnable.invoke(SUM)

    assert await runnable.ainvoke(DIARY) == one
    assert runnable.batch([DIARY, SUM, DIARY]) == [one, other, one]
    assert await runnable.abatch([DIARY, SUM, DIARY]) == [one, other, one]
    assert list(runnable.stream(DIARY)) == [one]


def test_it_is_a_link_of_a_chain() -> None:
    def as_row(text: str) -> dict[str, Any]:
        return {**SUM, "prompt": text}

    def note(row: dict[str, Any]) -> str:
        return str(row["whyset"]["note"])

    chain = RunnableLambda(as_row) | bound() | note

    assert chain.invoke("2 + 2") == "nothing at stake"


async def test_a_row_that_does_not_pass_raises_with_its_reasons() -> None:
    for call in (bound().invoke, bound().ainvoke):
        with pytest.raises(RowRejected) as rejected:
            result: Any = call(SECRET)
            await result
        assert rejected.value.reasons == ("conflict",)
        assert str(rejected.value) == (
            "row rejected (conflict): It tells the user to read a diary in secret."
        )


async def test_the_others_of_a_batch_come_out_all_the_same() -> None:
    rows = [SUM, SECRET, {"text": "no row"}, DIARY]
    results: list[Any] = bound().batch(rows, return_exceptions=True)

    assert [type(result) for result in results] == [dict, RowRejected, DatasetError, dict]
    with pytest.raises(RowRejected):
        bound().batch(rows)
    results = await bound().abatch(rows, return_exceptions=True)
    assert [type(result) for result in results] == [dict, RowRejected, DatasetError, dict]


def test_callbacks_see_each_ask_as_a_run_of_its_own() -> None:
    listener = Listener()

    bound().invoke(DIARY, {"callbacks": [listener]})

    assert listener.started == [
        (None, "deliberation"),
        *(run for step in STEPS for run in (("deliberation", step), (step, "scripted:model"))),
    ]
    assert (listener.ended, listener.failed) == (4, [])


async def test_asynchronous_callbacks_do_too() -> None:
    listener = AsyncListener()

    await bound().ainvoke(DIARY, {"callbacks": [listener], "run_name": "mine"})

    assert listener.started == [
        (None, "mine"),
        *(run for step in STEPS for run in (("mine", step), (step, "scripted:model"))),
    ]


def test_callbacks_see_a_rejection_as_an_error_of_the_row_alone() -> None:
    listener = Listener()

    with pytest.raises(RowRejected):
        bound().invoke(SECRET, {"callbacks": [listener]})

    assert listener.failed == ["RowRejected"]
    assert listener.ended == 1


def test_any_chat_model_of_langchain_may_write() -> None:
    listener = Listener()
    chat: BaseChatModel = GenericFakeChatModel(messages=iter([AIMessage(DELIBERATION)]))
    generator = Deliberation(k=2)

    written = generator.bind(chat, FakeSearcher(CONSTITUTION), judge=ScriptedModel(say)).invoke(
        DIARY, {"callbacks": [listener]}
    )

    assert written["response"].startswith(DELIBERATION)
    assert written["whyset"]["models"]["judge"] == "scripted:model"
    assert ("deliberation/write", "GenericFakeChatModel") in listener.started


def test_a_judge_of_ones_own_judges_and_does_not_write() -> None:
    writer, judge = ScriptedModel(say, name="a:writer"), ScriptedModel(say, name="a:judge")

    Deliberation(k=2).bind(writer, FakeSearcher(CONSTITUTION), judge=judge).invoke(DIARY)

    assert {ask.role for ask in writer.asks} == {"writer"}
    assert {ask.role for ask in judge.asks} == {"judge"}


def test_a_model_may_be_named() -> None:
    written = Deliberation().bind("extractive", FakeSearcher(CONSTITUTION)).invoke(DIARY)

    assert written["whyset"]["outcome"] == "annotated"
    assert written["whyset"]["models"] == {"writer": "extractive", "judge": "extractive"}


def test_the_extractive_model_cannot_rewrite_a_response() -> None:
    with pytest.raises(UnsupportedModel, match="the channel 'inline' rewrites the response"):
        Deliberation(channel="inline").bind(ExtractiveModel(), FakeSearcher(CONSTITUTION))


def test_the_extractive_model_cannot_judge() -> None:
    with pytest.raises(UnsupportedModel) as declined:
        Deliberation().bind(ScriptedModel(say), FakeSearcher(CONSTITUTION), judge=ExtractiveModel())

    assert str(declined.value) == (
        "the extractive model cannot judge; name a language model as judge"
    )


def test_what_a_model_raises_is_passed_on() -> None:
    model = ScriptedModel([ModelAccessDenied("key turned down")])

    with pytest.raises(ModelAccessDenied, match="key turned down"):
        Deliberation().bind(model, FakeSearcher(CONSTITUTION)).invoke(DIARY)
