"""Anthropic's message batches, through the client that single asks go through.

Responses are read as they come: the SDK would make an object of whatever arrives, and
of 100,000 results one each.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import anthropic
import httpx2
import orjson

from whyset.errors import BatchNotFound, BatchTooLarge, ModelError, ModelUnavailable
from whyset.generators import Ask, Reply

from ._anthropic_client import AnthropicClient
from ._anthropic_messages import parse_message
from ._batching import BatchResult, BatchStatus
from ._faults import error_for_status, truncate_line

_PATH = "/v1/messages/batches"
_PAGE = 100

# A result has the type of an error and not the status that a single ask would have met. By the
# status both get the same meaning and the same words.
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicBatches:
    """Hands batches of asks over and collects their results; see `MessageBatches`.

    Args:
        client: What requests are sent by.
        encode: Encodes an ask as the request that it is by itself.
    """

    def __init__(self, client: AnthropicClient, encode: Callable[[Ask], bytes]) -> None:
        self._client = client
        self._encode = encode

    def build_request(self, key: str, ask: Ask) -> bytes:
        """Return one request as it is sent in a batch."""
        return b'{"custom_id":%b,"params":%b}' % (orjson.dumps(key), self._encode(ask))

    async def create(self, requests: Sequence[bytes]) -> BatchStatus:
        """Hand over requests made by `build_request`."""
        content = b'{"requests":[%b]}' % b",".join(requests)
        async with self._errors() as client:
            response = await client.post(_PATH, content=content, cast_to=httpx2.Response)
        return self._parse_response(response)

    async def retrieve(self, batch: str) -> BatchStatus:
        """Look a batch up."""
        async with self._errors(batch) as client:
            response = await client.get(f"{_PATH}/{batch}", cast_to=httpx2.Response)
        return self._parse_response(response)

    async def cancel(self, batch: str) -> BatchStatus:
        """Have a batch end early."""
        async with self._errors(batch) as client:
            response = await client.post(f"{_PATH}/{batch}/cancel", cast_to=httpx2.Response)
        return self._parse_response(response)

    async def list_recent(self) -> AsyncGenerator[BatchStatus, None]:
        """Yield all batches of the key's workspace, the newest first."""
        query: dict[str, object] = {"limit": _PAGE}
        while True:
            async with self._errors() as client:
                response = await client.get(
                    _PATH, cast_to=httpx2.Response, options={"params": query}
                )
            try:
                page = orjson.loads(response.content)
                found = [_parse_status(entry) for entry in page["data"]]
                more, last = bool(page["has_more"]), page["last_id"]
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise self._not_json_error(response, "list of batches") from error
            for status in found:
                yield status
            if not more or not last or last == query.get("after_id"):
                return
            query["after_id"] = last

    async def results(self, batch: str) -> AsyncGenerator[BatchResult, None]:
        """Yield the results of a batch that has ended; lines that are no results are left out."""
        async with self._errors(batch) as client:
            streamed = await client.get(
                f"{_PATH}/{batch}/results",
                cast_to=httpx2.Response,
                options={"headers": {"Accept": "application/binary"}},
                stream=True,
                stream_cls=anthropic.AsyncStream[Any],
            )
        # What is cast to a response is not made a stream of: the SDK returns it unread.
        response = cast("httpx2.Response", streamed)
        try:
            async for line in self._read_lines(response):
                if (result := self._parse_result(line, batch)) is not None:
                    yield result
        finally:
            await response.aclose()

    async def _read_lines(self, response: httpx2.Response) -> AsyncGenerator[bytes, None]:
        """Yield lines as JSON has them: a text may have what else Unicode calls a line break."""
        pieces = response.aiter_bytes()
        line: list[bytes] = []
        while True:
            try:
                async with asyncio.timeout(self._client.timeout):
                    piece = await anext(pieces, None)
            except (TimeoutError, httpx2.HTTPError, httpx2.StreamError, OSError) as error:
                said = truncate_line(self._client.redact(str(error) or type(error).__name__))
                raise ModelUnavailable(
                    f"{self._client.name}: the results ended early: {said}"
                ) from error
            if piece is None:
                break
            first, *others = piece.split(b"\n")
            line.append(first)
            for other in others:
                yield b"".join(line)
                line = [other]
        yield b"".join(line)

    def _parse_result(self, line: bytes, batch: str) -> BatchResult | None:
        """Return the result in a line; `None` where it does not even say whose it is."""
        try:
            entry = orjson.loads(line)
            key, result = entry["custom_id"], entry["result"]
        except (KeyError, TypeError, ValueError):
            return None
        if not isinstance(key, str):
            return None
        try:
            return BatchResult(key, self._parse_outcome(result))
        except (AttributeError, KeyError, TypeError, ValueError):
            said = f"{self._client.name}: the result of an ask in {batch} cannot be read."
            return BatchResult(key, ModelUnavailable(said))

    def _parse_outcome(self, result: Mapping[str, Any]) -> Reply | ModelError:
        kind, name = result["type"], self._client.name
        if kind == "succeeded":
            return parse_message(result["message"])
        if kind == "errored":
            error = result["error"]
            # The error stands in an envelope of its own, as in the body of a failed response.
            error = error.get("error", error)
            details = error.get("details") or {}
            return error_for_status(
                _STATUSES.get(error["type"], 500),
                self._client.redact(str(error.get("message", ""))),
                model=name,
                code=error.get("error_code") or details.get("error_code"),
            )
        if kind in ("expired", "canceled"):
            return ModelUnavailable(f"{name}: not answered before its message batch {kind}.")
        raise ValueError(kind)

    @asynccontextmanager
    async def _errors(self, batch: str | None = None) -> AsyncIterator[anthropic.AsyncAnthropic]:
        """Lend the client, and raise own errors for the SDK's."""
        client = await self._client.async_client()
        try:
            async with asyncio.timeout(self._client.timeout):
                yield client
        except TimeoutError as error:
            raise self._client.timeout_error() from error
        except anthropic.AnthropicError as error:
            fault = self._client.map_error(error)
            if isinstance(error, anthropic.NotFoundError) and batch is not None:
                fault = BatchNotFound(str(fault))
            elif isinstance(error, anthropic.APIStatusError) and error.status_code == 413:
                fault = BatchTooLarge(str(fault))
            raise fault from self._client.safe_cause(error)

    def _parse_response(self, response: httpx2.Response) -> BatchStatus:
        try:
            return _parse_status(orjson.loads(response.content))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._not_json_error(response, "batch") from error

    def _not_json_error(self, response: httpx2.Response, wanted: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._client.name}: the response is not a {wanted} (HTTP {response.status_code}): "
            f"{self._client.excerpt(response)}"
        )


def _parse_status(body: Any) -> BatchStatus:
    """Return the status in a batch's JSON; a `KeyError`, `TypeError` or the like for none."""
    if body["type"] != "message_batch":
        raise ValueError(body["type"])
    counts = body["request_counts"]
    return BatchStatus(
        id=_require_text(body["id"]),
        state=_require_text(body["processing_status"]),
        processing=int(counts["processing"]),
        succeeded=int(counts["succeeded"]),
        errored=int(counts["errored"]),
        canceled=int(counts["canceled"]),
        expired=int(counts["expired"]),
        is_archived=body.get("archived_at") is not None,
        created_at=_require_text(body.get("created_at") or ""),
        ended_at=_require_text(body.get("ended_at") or ""),
    )


def _require_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value
