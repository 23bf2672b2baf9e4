"""Message batches through Anthropic's SDK: what goes out, what comes back, what it means."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.batches import BatchServer, drop_lines, truncate_body
from support.loopback import KEY, MODEL, Response, error, html, message

from whyset.generators import Ask, Model, Reply, Usage
from whyset.models import (
    AnthropicModel,
    BatchingModel,
    BatchNotFound,
    BatchResult,
    BatchTooLarge,
    ExtractiveModel,
    ModelAccessDenied,
    ModelUnavailable,
    UnusableReply,
    coerce_model,
)

KEYS = ["a" * 64, "b" * 64, "c" * 64]


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(lambda body: message(f"Answered {body['max_tokens']}.")) as running:
        yield running


@pytest.fixture
async def model(server: BatchServer) -> AsyncIterator[AnthropicModel]:
    opened = AnthropicModel(MODEL, base_url=server.url, api_key=KEY, timeout=20)
    yield opened
    await opened.aclose()


def ask(number: int = 0) -> Ask:
    return Ask("writer", "step", "system", f"user {number}", 100 + number)


async def create(model: AnthropicModel, count: int = 3) -> str:
    requests = [model.batches.build_request(KEYS[number], ask(number)) for number in range(count)]
    return (await model.batches.create(requests)).id


async def collect(model: AnthropicModel, batch: str) -> list[BatchResult]:
    assert (await model.batches.retrieve(batch)).is_ended
    return [result async for result in model.batches.results(batch)]


async def outcome(model: AnthropicModel, server: BatchServer, fate: Any) -> Any:
    server.fates = lambda key, params, time: fate
    (result,) = await collect(model, await create(model, 1))
    return result.outcome


def test_it_is_a_model_that_takes_batches_and_others_are_not() -> None:
    anthropic = AnthropicModel(MODEL, api_key=KEY)
    assert isinstance(anthropic, BatchingModel)
    others: list[Model] = [ExtractiveModel(), coerce_model(ExtractiveModel())]
    assert not any(isinstance(other, BatchingModel) for other in others)


async def test_a_batch_is_created_looked_up_and_collected(
    model: AnthropicModel, server: BatchServer
) -> None:
    server.polls = 2
    batch = await create(model)
    first, second = [await model.batches.retrieve(batch) for _ in range(2)]
    assert (first.id, first.state, first.is_ended, first.processing) == (
        batch,
        "in_progress",
        False,
        3,
    )
    assert (second.state, second.is_ended, second.processing, second.succeeded) == (
        "ended",
        True,
        0,
        3,
    )
    assert first.requests == second.requests == 3
    assert first.created_at == "2026-11-24T08:00:00Z"
    assert (first.ended_at, second.ended_at) == ("", "2026-11-24T08:30:00Z")
    results = [result async for result in model.batches.results(batch)]
    assert results == [
        BatchResult(key, Reply(f"Answered {100 + number}.", "complete", Usage(10, 5), MODEL))
        for number, key in enumerate(KEYS)
    ]


async def test_a_request_holds_what_an_ask_by_itself_sends(
    model: AnthropicModel, server: BatchServer, prose: Ask, judged: Ask
) -> None:
    for number, each in enumerate((prose, judged)):
        await model.batches.create([model.batches.build_request(KEYS[number], each)])
        await model.aanswer(each)
    for batch, alone in zip(server.created, server.bodies[1::2], strict=True):
        (request,) = batch.requests
        assert list(request) == ["custom_id", "params"]
        assert request["params"] == alone
        assert list(request["params"]) == list(alone)


async def test_results_are_read_at_the_same_address_whatever_the_provider_says(
    model: AnthropicModel, server: BatchServer
) -> None:
    await collect(model, await create(model))
    assert server.requests[-1].path == "/v1/messages/batches/msgbatch_0001/results"
    headers = server.requests[-1].headers
    assert KEY in headers.get("authorization", "") + headers.get("x-api-key", "")


async def test_recent_batches_come_newest_first_over_all_pages(
    model: AnthropicModel, server: BatchServer
) -> None:
    server.page = 2
    assert [status async for status in model.batches.list_recent()] == []
    created = [await create(model, 1) for _ in range(5)]
    assert [status.id async for status in model.batches.list_recent()] == created[::-1]
    assert server.calls["list"] == 1 + 3


async def test_a_batch_can_be_canceled(model: AnthropicModel, server: BatchServer) -> None:
    server.polls = 3
    batch = await create(model)
    status = await model.batches.cancel(batch)
    assert (status.state, status.is_ended) == ("canceling", False)
    await model.batches.retrieve(batch)
    outcomes = [result.outcome for result in await collect(model, batch)]
    assert all(isinstance(each, ModelUnavailable) for each in outcomes)
    assert str(outcomes[0]) == (
        f"anthropic:{MODEL}: not answered before its message batch canceled."
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnusableReply),
        (401, ModelAccessDenied),
        (402, ModelAccessDenied),
        (403, ModelAccessDenied),
        (404, ModelAccessDenied),
        (429, ModelUnavailable),
        (500, ModelUnavailable),
        (504, ModelUnavailable),
        (529, ModelUnavailable),
    ],
)
async def test_an_error_of_a_request_is_the_one_that_an_ask_by_itself_meets(
    model: AnthropicModel, server: BatchServer, status: int, kind: type[Exception]
) -> None:
    found = await outcome(model, server, error(status, "Such is life."))
    server.answer = lambda body: error(status, "Such is life.")
    with pytest.raises(kind) as alone:
        await model.aanswer(ask())
    assert type(found) is type(alone.value)
    assert str(found) == str(alone.value)


async def test_so_is_one_with_a_code_of_its_own_or_an_empty_account(
    model: AnthropicModel, server: BatchServer
) -> None:
    on_hold = error(400, "On hold.", code="organization_on_hold")
    assert isinstance(await outcome(model, server, on_hold), ModelAccessDenied)
    empty = error(400, "Your credit balance is too low.")
    assert isinstance(await outcome(model, server, empty), ModelAccessDenied)


async def test_a_request_that_expired_may_be_asked_again(
    model: AnthropicModel, server: BatchServer
) -> None:
    assert isinstance(await outcome(model, server, "expired"), ModelUnavailable)


@pytest.mark.parametrize(
    "fate", ["unheard of", Response(200, {"type": "message"}), Response(200, [1])], ids=range(3)
)
async def test_what_cannot_be_read_of_a_request_may_be_asked_again(
    model: AnthropicModel, server: BatchServer, fate: Any
) -> None:
    found = await outcome(model, server, fate)
    assert isinstance(found, ModelUnavailable)
    assert "cannot be read" in str(found)


async def test_lines_that_are_no_results_are_left_out(
    model: AnthropicModel, server: BatchServer
) -> None:
    odd: list[Any] = [
        {"custom_id": 7, "result": {}},
        {"result": {"type": "expired"}},
        [1],
        "text",
        None,
    ]
    server.order = lambda results: [*odd, *results]
    assert [result.key for result in await collect(model, await create(model))] == KEYS


async def test_only_a_newline_ends_a_line(model: AnthropicModel, server: BatchServer) -> None:
    text = "one\u2028two\u0085three\x0bfour\x1cfive"
    server.answer = lambda body: message(text)
    outcomes = [result.outcome for result in await collect(model, await create(model))]
    assert [each.text for each in outcomes if isinstance(each, Reply)] == [text] * 3


async def test_results_that_break_off_raise_after_those_that_came(
    model: AnthropicModel, server: BatchServer
) -> None:
    batch = await create(model)
    await model.batches.retrieve(batch)
    came = []
    line = len((await first_line(model, batch)).encode())
    server.fail_on("results", truncate_body(line + 40))
    with pytest.raises(ModelUnavailable, match="the results ended early"):
        async for result in model.batches.results(batch):
            came.append(result.key)  # noqa: PERF401 - what came before the error must be kept
    assert came == KEYS[:1]


async def first_line(model: AnthropicModel, batch: str) -> str:
    client = await model._client.async_client()
    response = await client.get(f"/v1/messages/batches/{batch}/results", cast_to=str)
    return response.splitlines(keepends=True)[0]


async def test_results_that_come_too_slowly_raise(
    model: AnthropicModel, server: BatchServer
) -> None:
    batch = await create(model)
    await model.batches.retrieve(batch)
    server.fail_on("results", Response(hang=True))
    model._client.timeout = 0.3
    with pytest.raises(ModelUnavailable):
        await collect(model, batch)


async def test_results_that_end_too_soon_are_simply_fewer(
    model: AnthropicModel, server: BatchServer
) -> None:
    batch = await create(model)
    server.fail_on("results", drop_lines(2))
    assert [result.key for result in await collect(model, batch)] == KEYS[:2]


async def test_a_batch_that_is_not_there_is_unknown(model: AnthropicModel) -> None:
    for call in (model.batches.retrieve, model.batches.cancel):
        with pytest.raises(BatchNotFound, match="HTTP 404"):
            await call("msgbatch_none")
    with pytest.raises(BatchNotFound):
        async for _ in model.batches.results("msgbatch_none"):
            pass


async def test_a_batch_may_be_too_large(model: AnthropicModel, server: BatchServer) -> None:
    server.most_requests = 2
    with pytest.raises(BatchTooLarge, match="HTTP 413"):
        await create(model)
    await create(model, 2)


@pytest.mark.parametrize(
    "fault",
    [
        html(200),
        Response(200, b"[1]"),
        Response(200, b""),
        Response(200, {"type": "message_batch"}),
        Response(200, {"type": "message"}),
        html(502),
        error(529),
    ],
    ids=range(7),
)
async def test_answers_that_are_none_may_be_asked_for_again(
    model: AnthropicModel, server: BatchServer, fault: Response
) -> None:
    batch = await create(model)
    server.fail_on("create", fault)
    with pytest.raises(ModelUnavailable):
        await create(model)
    server.fail_on("retrieve", fault)
    with pytest.raises(ModelUnavailable):
        await model.batches.retrieve(batch)
    server.fail_on("list", fault)
    with pytest.raises(ModelUnavailable):
        async for _ in model.batches.list_recent():
            pass


async def test_a_key_is_in_no_message(model: AnthropicModel, server: BatchServer) -> None:
    server.fail_on("create", error(401, f"{KEY} is not accepted"))
    with pytest.raises(ModelAccessDenied) as refused:
        await create(model)
    server.fail_on("retrieve", Response(200, f"a page with {KEY} on it".encode()))
    with pytest.raises(ModelUnavailable) as unreadable:
        await model.batches.retrieve("msgbatch_0001")
    said = f"{refused.value} {unreadable.value} {await outcome(model, server, error(400, KEY))}"
    assert KEY not in said
    assert said.count("[key]") == 3
