"""What can go wrong on the way to Anthropic and back, through the real SDK."""

import asyncio
import re
import time
import traceback
from email.utils import formatdate
from typing import get_overloads

import anthropic
import pytest
from anthropic._error_classes import ERROR_CLASSES
from anthropic.lib.credentials import WorkloadIdentityError
from support.loopback import KEY, LoopbackServer, Response, error, html, message, reset

from whyset.generators import Ask
from whyset.models import (
    RETRYABLE_ERRORS,
    AnthropicModel,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    UnusableReply,
)
from whyset.models._faults import ACCESS_CODES, ACCESS_STATUSES, RETRYABLE_STATUSES


@pytest.fixture
def model(server: LoopbackServer) -> AnthropicModel:
    return AnthropicModel("claude-opus-5-5", timeout=60)


def faults(model: AnthropicModel, ask: Ask, server: LoopbackServer, fault: Response) -> ModelError:
    """Return the error a fault leads to: the same, synchronously and not."""
    raised: list[ModelError] = []
    server.fail(fault, fault)
    with pytest.raises(ModelError) as caught:
        model.answer(ask)
    raised.append(caught.value)
    with pytest.raises(ModelError) as caught:
        asyncio.run(model.aanswer(ask))
    raised.append(caught.value)
    assert type(raised[0]) is type(raised[1])
    assert all(one.__cause__ is not None for one in raised)
    assert str(raised[0]).startswith("anthropic:claude-opus-5-5: ")
    return raised[1]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(401), ModelAccessDenied),
        (error(402), ModelAccessDenied),
        (error(403), ModelAccessDenied),
        (error(404, "model: claude-opus-5-5"), ModelAccessDenied),
        (error(400, "Your credit balance is too low to access the API."), ModelAccessDenied),
        (error(400, code="organization_on_hold"), ModelAccessDenied),
        (error(429, code="enforced_spend_limit_reached"), ModelAccessDenied),
        (error(429, code="contract_spend_limit_reached"), ModelAccessDenied),
        (error(408), ModelUnavailable),
        (error(409), ModelUnavailable),
        (error(429), ModelUnavailable),
        (error(429, code="ramp_limit_exceeded"), ModelUnavailable),
        (error(499), ModelUnavailable),
        (error(500), ModelUnavailable),
        (html(502), ModelUnavailable),
        (error(503), ModelUnavailable),
        (error(504), ModelUnavailable),
        (error(529), ModelUnavailable),
        (Response(599, b""), ModelUnavailable),
        (error(400, "messages: text content blocks must be non-empty"), UnusableReply),
        (error(412), UnusableReply),
        (error(413), UnusableReply),
        (error(422), UnusableReply),
        (error(431), UnusableReply),
        (Response(418, b"\xff\xfe"), UnusableReply),
    ],
)
def test_statuses(
    server: LoopbackServer,
    model: AnthropicModel,
    prose: Ask,
    fault: Response,
    kind: type[ModelError],
) -> None:
    raised = faults(model, prose, server, fault)
    assert type(raised) is kind
    assert str(fault.status) in str(raised)
    assert isinstance(raised, RETRYABLE_ERRORS) is (kind is ModelUnavailable)
    assert len(server.requests) == 2, "one attempt each: the engine retries, not the SDK"


def test_what_the_provider_says_is_passed_on(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    raised = faults(model, prose, server, error(400, "Sampling parameters are\nnot accepted."))
    assert str(raised).endswith("(HTTP 400): Sampling parameters are not accepted.")


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after": "0.25"}, 0.25, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5, 1.5),
        ({"retry-after": formatdate(time.time() + 3600, usegmt=True)}, 3000, 3600),
        ({"retry-after": formatdate(time.time() - 30, usegmt=True)}, 0, 0),
        ({"retry-after": "-3"}, 0, 0),
        # A clock that jumped: the response's own date is what its wait is counted from.
        (
            {
                "retry-after": formatdate(1_000_000_040, usegmt=True),
                "date": formatdate(1_000_000_000, usegmt=True),
            },
            40,
            40,
        ),
    ],
)
def test_retry_after(
    server: LoopbackServer,
    model: AnthropicModel,
    prose: Ask,
    headers: dict[str, str],
    least: float,
    most: float,
) -> None:
    raised = faults(model, prose, server, error(429, headers=headers))
    assert isinstance(raised, ModelUnavailable)
    assert raised.retry_after is not None
    assert least <= raised.retry_after <= most


@pytest.mark.parametrize("said", ["soon", "", "nan", "inf"])
def test_a_retry_after_that_says_nothing(
    server: LoopbackServer, model: AnthropicModel, prose: Ask, said: str
) -> None:
    raised = faults(model, prose, server, error(529, headers={"retry-after": said}))
    assert isinstance(raised, ModelUnavailable)
    assert raised.retry_after is None


@pytest.mark.parametrize(
    "fault",
    [
        html(200),
        Response(200, b""),
        Response(200, b"{"),
        Response(200, b"\xff\xfe\x00"),
        Response(200, None),
        Response(200, []),
        Response(200, "message"),
        Response(200, {}),
        Response(200, {"type": "message"}),
        Response(200, {"type": "error", "error": {"type": "api_error", "message": "?"}}),
        Response(200, {**message(), "content": None}),
        Response(200, {**message(), "content": "text"}),
        Response(200, {**message(), "content": [{"type": "text"}]}),
        Response(200, {**message(), "content": [{"type": "text", "text": None}]}),
        Response(200, {**message(), "usage": None}),
        Response(200, {**message(), "usage": {"input_tokens": "many", "output_tokens": 1}}),
        Response(200, {**message(), "stop_reason": ["end_turn"]}),
        Response(200, {**message(), "stop_reason": "refusal", "stop_details": "no"}),
        Response(200, {key: part for key, part in message().items() if key != "usage"}),
    ],
)
def test_a_success_that_is_no_message(
    server: LoopbackServer, model: AnthropicModel, prose: Ask, fault: Response
) -> None:
    raised = faults(model, prose, server, fault)
    assert type(raised) is ModelUnavailable
    assert "is not a message (HTTP 200" in str(raised)


def test_a_reset_mid_body(server: LoopbackServer, model: AnthropicModel, prose: Ask) -> None:
    assert type(faults(model, prose, server, reset())) is ModelUnavailable
    assert model.answer(prose).text == "Hello."


@pytest.mark.parametrize("fault", [Response(hang=True), Response(delay=30)])
def test_no_answer_in_time(server: LoopbackServer, prose: Ask, fault: Response) -> None:
    model = AnthropicModel("claude-opus-5-5", timeout=0.2)
    started = time.monotonic()
    assert type(faults(model, prose, server, fault)) is ModelUnavailable
    assert time.monotonic() - started < 30, "it does not wait for the answer"


async def test_an_answer_that_trickles_for_ever(server: LoopbackServer, prose: Ask) -> None:
    model = AnthropicModel("claude-opus-5-5", timeout=0.3)
    server.fail(Response(drip=0.05))
    with pytest.raises(ModelUnavailable, match=r"no answer in 0\.3 s"):
        await model.aanswer(prose)
    model._client.timeout = 60  # the machine's speed is no matter of this test
    assert (await model.aanswer(prose)).text == "Hello."
    await model.aclose()


def test_no_server_there(server: LoopbackServer, model: AnthropicModel, prose: Ask) -> None:
    server.stop()
    with pytest.raises(ModelUnavailable, match="the connection failed"):
        model.answer(prose)
    with pytest.raises(ModelUnavailable, match="the connection failed"):
        asyncio.run(model.aanswer(prose))


async def test_a_server_that_comes_back(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    await model.aanswer(prose)
    server.stop()
    with pytest.raises(ModelUnavailable):
        await model.aanswer(prose)
    server.start()
    assert (await model.aanswer(prose)).text == "Hello."
    await model.aclose()


def test_the_key_appears_nowhere(
    server: LoopbackServer, model: AnthropicModel, prose: Ask, judged: Ask
) -> None:
    telling = f"invalid x-api-key: {KEY}"
    for fault in (
        error(401, telling),
        error(429, telling),
        Response(502, telling.encode(), {"content-type": "text/html"}),
        Response(200, telling.encode(), {"content-type": "text/html"}),
        reset(),
    ):
        for ask in (prose, judged):
            server.fail(fault, fault)
            for call in (model.answer, lambda ask: asyncio.run(model.aanswer(ask))):
                with pytest.raises(ModelError) as caught:
                    call(ask)
                shown = "".join(traceback.format_exception(caught.value))
                assert KEY not in shown + repr(caught.value) + repr(model) + model.identity


def test_a_key_given_by_argument_appears_nowhere(server: LoopbackServer, prose: Ask) -> None:
    model = AnthropicModel("claude-opus-5-5", api_key="sk-by-argument")
    server.fail(error(401, "no such key: sk-by-argument"))
    with pytest.raises(ModelAccessDenied, match=re.escape("no such key: [key]")) as caught:
        model.answer(prose)
    assert "sk-by-argument" not in "".join(traceback.format_exception(caught.value))
    assert "sk-by-argument" not in repr(model)


# What the SDK can raise, as of the version these were read in. When one of these tests fails, the
# SDK has grown: decide what the new error means for a run, in models/, and then add it here.


def test_every_status_with_a_class_of_its_own_is_considered() -> None:
    unusable = {400, 412, 413, 422, 431}
    statuses = {status for status, code in ERROR_CLASSES if code is None}
    assert {status for status in statuses if status < 500} - unusable - set(
        ACCESS_STATUSES
    ) <= RETRYABLE_STATUSES


def test_every_error_the_sdk_documents_for_messages_is_considered() -> None:
    documentation = get_overloads(anthropic.resources.Messages.create)[0].__doc__ or ""
    documented = set(re.findall(r"^\s+(\w+Error):$", documentation, re.M))
    refused = {
        kind.__name__
        for (_, code), kind in ERROR_CLASSES.items()
        if code in ACCESS_CODES and kind.__name__ in documented
    }
    assert refused == {
        "CMEKKeyDisabledError",
        "CMEKKeyNetworkBlockedError",
        "ClaudeCodeKeyCreatorNotMemberError",
        "ContractSpendLimitReachedError",
        "EnforcedSpendLimitReachedError",
        "OrganizationOnHoldError",
        "UserProfileRequiredError",
    }
    by_status = {
        "AvailableToolsLimitExceededError",
        "CMEKKeyUnreachableError",
        "ClaudeCodeVersionTooOldError",
        "CompactionBlockAmbiguousError",
        "CompactionBlockMisplacedError",
        "CompactionContentMismatchError",
        "CompactionIncompleteTurnError",
        "CompactionNothingToSummarizeError",
        "CompactionSignatureInvalidError",
        "CompactionTooManyToolReferencesError",
        "CompactionToolChangesMismatchError",
        "CompactionUnavailableError",
        "ImageDimensionsTooLargeError",
        "LinkedOrganizationBillingUnavailableError",
        "LinkedOrganizationSpendLimitReachedError",
        "RampLimitExceededError",
        "RequestBodyEncodingInvalidError",
        "RequestBodyEncodingUnsupportedError",
        "RequestBodyTooLargeAfterDecodingError",
        "SkillReadBlockedUndecryptableError",
        "ThreadAlreadyContinuedError",
        "ThreadContinueInFlightError",
        "ThreadFingerprintMismatchError",
        "ThreadNotFoundError",
        "ThreadUnsupportedRequestError",
        "ToolNameConflictError",
        "ToolReferenceUnresolvedError",
        "UserProfileBillingNotAuthorizedError",
        "UserProfileNotBillableError",
    }
    assert documented == refused | by_status


def test_every_error_without_a_status_is_considered() -> None:
    def descendants(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(descendants(child) for child in kind.__subclasses__()))

    bare = {
        kind.__name__
        for kind in descendants(anthropic.AnthropicError)
        if kind.__module__ == "anthropic" or kind.__module__.startswith("anthropic.lib.credentials")
        if not issubclass(kind, anthropic.APIStatusError)
    }
    assert bare == {
        "AnthropicError",
        "APIError",
        "APIConnectionError",
        "APIResponseValidationError",
        "APITimeoutError",
        "APIWebhookValidationError",
        "CredentialsError",
        "IdentityTokenFileError",
        "RetryableError",
        "WorkloadIdentityError",
    }


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (anthropic.RetryableError("again"), ModelUnavailable),
        (anthropic.CredentialsError("no profile"), ModelAccessDenied),
        (anthropic.IdentityTokenFileError("no file"), ModelAccessDenied),
        (WorkloadIdentityError("refused", status_code=400), ModelAccessDenied),
        (WorkloadIdentityError("down", status_code=503), ModelUnavailable),
        (anthropic.AnthropicError("who knows"), UnusableReply),
    ],
)
def test_errors_without_a_status(
    model: AnthropicModel, raised: anthropic.AnthropicError, kind: type[ModelError]
) -> None:
    assert type(model._client.map_error(raised)) is kind
