"""Anthropic's models through its own SDK; only this, its messages and its batches import it.

Requests go through the client's `post` as bytes and come back as the HTTP response they are. That
keeps the SDK's authentication, addresses, errors and transport, and leaves out what
`messages.create` adds on top: it builds an object from whatever arrives (an HTML page with status
200 becomes a `str`, JSON of another shape a `Message` without its attributes), warns of deprecated
models on every call, and costs a third of the throughput.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, get_args

import anthropic
import httpx2
import orjson
from anthropic.lib.credentials import WorkloadIdentityError
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming

from whyset.errors import ModelAccessDenied, ModelError, ModelUnavailable, UnusableReply
from whyset.generators import Ask, RateLimit, RateLimits, Reply

from ._anthropic_batches import AnthropicBatches
from ._anthropic_messages import Effort, build_request, parse_message
from ._faults import RETRYABLE_STATUSES, error_for_status, redact, truncate_line

# ---- What a provider's headers say of its limits.

_HEADER_PREFIX = "anthropic-ratelimit"


def parse_rate_limits(headers: Mapping[str, str], *, now: datetime) -> RateLimits | None:
    """Return what Anthropic's headers say; `None` where they say nothing.

    Args:
        headers: A response's headers; names are looked up in lower case.
        now: The time here, with its zone; used where the response does not say when it was
            made, so that a clock that is off does no harm.
    """
    if f"{_HEADER_PREFIX}-requests-remaining" not in headers:
        return None
    made = _parse_date(headers) or now
    return RateLimits(
        requests=_parse_limit(headers, "requests", made),
        input_tokens=_parse_limit(headers, "input-tokens", made),
        output_tokens=_parse_limit(headers, "output-tokens", made),
    )


def _parse_limit(headers: Mapping[str, str], kind: str, made: datetime) -> RateLimit | None:
    try:
        remaining = int(headers[f"{_HEADER_PREFIX}-{kind}-remaining"])
        resets = datetime.fromisoformat(headers[f"{_HEADER_PREFIX}-{kind}-reset"])
        return RateLimit(remaining, max((resets - made).total_seconds(), 0.0))
    except (KeyError, TypeError, ValueError):
        # Absent, no number, no date, or a date without its zone: nothing that could be kept to.
        return None


def _parse_date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None


_PATH = "/v1/messages"
_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 60.0


class AnthropicModel:
    """A Claude model, asked through Anthropic's SDK on its aiohttp transport.

    The SDK's own retries are off: `answer` and `aanswer` make one attempt and raise what tells
    the caller whether to try again. Connections belong to the event loop they were opened in and
    are closed with it; `aclose` closes them sooner.

    Args:
        model: The model's id, such as `claude-opus-5-5`.
        effort: How much the model should put into an answer; the provider's default without it.
        base_url: Where to send requests; else `ANTHROPIC_BASE_URL`, else Anthropic itself.
        api_key: The key; else `ANTHROPIC_API_KEY`, `ANTHROPIC_AUTH_TOKEN` or whatever profile
            the SDK finds on this machine.
        timeout: Seconds after which an attempt is given up.
        connections: How many requests may be in flight at once; more wait for their turn.

    Attributes:
        notes: What a user should be told before a run, such as that the model is deprecated.

    Raises:
        ModelError: There is no key, the address is none, or the effort is unknown.
    """

    def __init__(
        self,
        model: str,
        *,
        effort: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 600.0,
        connections: int = 1024,
    ) -> None:
        if not model:
            raise ModelError("Name the model as well: anthropic:MODEL, such as claude-opus-5-5.")
        self._effort = _effort(effort)
        self._model = model
        self._seconds = timeout
        self._connections = connections
        address = base_url or os.environ.get("ANTHROPIC_BASE_URL")
        if address and not address.startswith(("http://", "https://")):
            raise ModelError(f"{address!r} is no base URL: write http://… or https://….")
        self._options: dict[str, Any] = {
            "api_key": api_key,
            "base_url": base_url or None,
            "max_retries": 0,
            # A wait for a free connection is no fault of the server's: no limit of its own.
            "timeout": anthropic.Timeout(timeout, connect=_CONNECT_SECONDS, pool=None),
        }
        self._lock = threading.Lock()
        self._sync: anthropic.Anthropic | None = None
        self._clients: dict[asyncio.AbstractEventLoop, _LoopClient] = {}
        self._require_key()
        self.notes: tuple[str, ...] = ()
        if model in DEPRECATED_MODELS:
            self.notes = (
                f"{self.name} is deprecated; its end of life is {DEPRECATED_MODELS[model]}.",
            )

    def __repr__(self) -> str:
        return f"AnthropicModel({self._model!r}, effort={self._effort!r})"

    @property
    def name(self) -> str:
        """`anthropic:` and the model's id."""
        return f"anthropic:{self._model}"

    @property
    def identity(self) -> str:
        """The model and the effort; not the address, which does not change what is answered."""
        return f"{self.name}?effort={self._effort}" if self._effort else self.name

    @property
    def is_extractive(self) -> bool:
        """Always false."""
        return False

    @property
    def batches(self) -> AnthropicBatches:
        """Where asks are handed over in batches."""
        return AnthropicBatches(self)

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
        """
        request = self._encode_request(ask)
        try:
            client = self._sync_client()
            response = client.post(_address(client), content=request, cast_to=httpx2.Response)
        except anthropic.AnthropicError as error:
            raise self._map_error(error) from self._safe_cause(error)
        return self._parse_reply(response)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
        """
        request = self._encode_request(ask)
        client = await self._async_client()
        try:
            # The transport limits each read; only this limits an answer that trickles for ever.
            async with asyncio.timeout(self._seconds):
                response = await client.post(
                    _address(client), content=request, cast_to=httpx2.Response
                )
        except TimeoutError as error:
            raise ModelUnavailable(f"{self.name}: no answer in {self._seconds:g} s.") from error
        except anthropic.AnthropicError as error:
            raise self._map_error(error) from self._safe_cause(error)
        return self._parse_reply(response)

    async def aclose(self) -> None:
        """Close this event loop's connections and the synchronous ones."""
        if tied := self._clients.get(asyncio.get_running_loop()):
            await tied.lifetime.aclose()
        with self._lock:
            sync, self._sync = self._sync, None
        if sync is not None:
            sync.close()

    def _build_request(self, ask: Ask) -> MessageCreateParamsNonStreaming:
        """Return the request's body, the same for one message and for one of a batch.

        Raises:
            UnusableReply: A tool's parameters are no JSON Schema.
        """
        return build_request(ask, model=self._model, effort=self._effort)

    def _encode_request(self, ask: Ask) -> bytes:
        """Return the request as bytes: given an object, the SDK copies it deeply first.

        Raises:
            UnusableReply: The ask holds half a surrogate pair, which no request can, or a tool
                whose parameters are no JSON Schema.
        """
        try:
            return orjson.dumps(self._build_request(ask))
        except TypeError as error:
            raise UnusableReply(f"{self.name}: this ask cannot be sent: {error}") from error

    def _parse_reply(self, response: httpx2.Response) -> Reply:
        """Return what a response of status 200 says."""
        try:
            reply = parse_message(orjson.loads(response.content))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Undecodable, a proxy's page, half a body, another shape: another attempt may help.
            kind = response.headers.get("content-type", "no content type")
            start = truncate_line(self._redact(response.content[:2000].decode(errors="replace")))
            raise ModelUnavailable(
                f"{self.name}: the answer is no message (HTTP {response.status_code}, {kind}): "
                f"{start or 'empty'}"
            ) from error
        limits = parse_rate_limits(response.headers, now=datetime.now(UTC))
        return reply if limits is None else replace(reply, rate_limits=limits)

    def _map_error(self, error: anthropic.AnthropicError) -> ModelError:
        """Return the own error for one of the SDK's."""
        if isinstance(error, anthropic.APIStatusError):
            said = error.api_message if isinstance(error.api_message, str) else error.message
            return error_for_status(
                error.status_code,
                self._redact(said),
                model=self.name,
                code=error.error_code,
                headers=error.response.headers,
            )
        said = truncate_line(self._redact(str(error.__cause__ or error)))
        if isinstance(error, anthropic.APITimeoutError):
            return ModelUnavailable(f"{self.name}: no answer in time.")
        if isinstance(
            error,
            anthropic.APIConnectionError
            | anthropic.APIResponseValidationError
            | anthropic.RetryableError,
        ):
            return ModelUnavailable(f"{self.name}: the connection failed: {said}")
        if isinstance(error, WorkloadIdentityError):
            status = error.status_code
            unreached = status is None and error.__cause__ is not None
            if unreached or status in RETRYABLE_STATUSES or (status or 0) >= 500:
                return ModelUnavailable(f"{self.name}: no token to be had: {said}")
        if isinstance(error, anthropic.CredentialsError | WorkloadIdentityError):
            return ModelAccessDenied(f"{self.name}: the credentials do not serve: {said}")
        return UnusableReply(f"{self.name}: {said}")

    def _safe_cause(self, error: anthropic.AnthropicError) -> anthropic.AnthropicError | None:
        """Return the error to chain: none where its text would give the key away."""
        return error if self._redact(str(error)) == str(error) else None

    def _redact(self, text: str) -> str:
        variables = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
        return redact(text, self._options["api_key"], *map(os.environ.get, variables))

    def _require_key(self) -> None:
        """Raise now, and not at the first row, where there is nothing to authenticate with."""
        if self._options["api_key"]:
            return
        if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN"):
            return
        try:
            found = self._sync_client().credentials is not None
        except anthropic.AnthropicError as error:
            raise ModelError(f"{self.name}: the credentials cannot be read: {error}") from error
        if not found:
            raise ModelError(
                f"{self.name} needs a key: set ANTHROPIC_API_KEY. "
                "Without one, --model extractive quotes the constitution and asks nobody."
            )

    def _sync_client(self) -> anthropic.Anthropic:
        with self._lock:
            if self._sync is None:
                self._sync = anthropic.Anthropic(**self._options)
            return self._sync

    async def _async_client(self) -> anthropic.AsyncAnthropic:
        loop = asyncio.get_running_loop()
        tied = self._clients.get(loop)
        if tied is None:
            for other in [known for known in self._clients if known.is_closed()]:
                del self._clients[other]
            limits = httpx2.Limits(
                max_connections=self._connections, keepalive_expiry=_IDLE_SECONDS
            )
            http = anthropic.DefaultAioHttpClient(limits=limits, timeout=self._options["timeout"])
            client = anthropic.AsyncAnthropic(**self._options, http_client=http)
            tied = self._clients[loop] = _LoopClient(client, self._lifetime(loop, client))
            await anext(tied.lifetime)
        return tied.client

    async def _lifetime(
        self, loop: asyncio.AbstractEventLoop, client: anthropic.AsyncAnthropic
    ) -> AsyncGenerator[None]:
        """Close the client when this generator is closed: at the latest by the loop's shutdown.

        `asyncio.run` closes the async generators still open before it closes the loop, so a
        suspended one is the place to leave the closing to. Without it, whoever forgets `aclose`
        gets complaints about unclosed sessions.
        """
        try:
            yield
        finally:
            self._clients.pop(loop, None)
            await client.close()


@dataclass(frozen=True, slots=True)
class _LoopClient:
    """A client, and what closes it with its event loop."""

    client: anthropic.AsyncAnthropic
    lifetime: AsyncGenerator[None]


def _address(client: anthropic.Anthropic | anthropic.AsyncAnthropic) -> str:
    """Return the whole address: given a path, the SDK joins it to its own for every request."""
    return str(client.base_url).rstrip("/") + _PATH


def _effort(effort: str | None) -> Effort | None:
    if effort is None:
        return None
    for known in get_args(Effort):
        if effort == known:
            level: Effort = known
            return level
    raise ModelError(f"{effort!r} is no effort: one of {', '.join(get_args(Effort))}.")
