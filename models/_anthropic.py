"""A Claude model through Anthropic's own SDK."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import get_args

import anthropic
import httpx2
import orjson
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from whyset.errors import ModelError, ModelUnavailable, UnusableReply
from whyset.generators import Ask, RateLimit, RateLimits, Reply

from ._anthropic_batches import AnthropicBatches
from ._anthropic_client import AnthropicClient
from ._anthropic_messages import Effort, build_request, parse_message

_PATH = "/v1/messages"
_LIMIT_HEADER = "anthropic-ratelimit"


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
        notes: What a user should know before a run, such as that the model is deprecated.

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
        self._model = model
        self._effort = _parse_effort(effort)
        self._client = AnthropicClient(
            self.name, base_url=base_url, api_key=api_key, timeout=timeout, connections=connections
        )
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
        return AnthropicBatches(self._client, self._encode_request)

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            ModelUnavailable: A temporary fault.
            ModelAccessDenied: The key, the credit, the permission or the model was refused.
            UnusableReply: This request was refused.
        """
        request = self._encode_request(ask)
        try:
            client = self._client.sync_client()
            response = client.post(_build_url(client), content=request, cast_to=httpx2.Response)
        except anthropic.AnthropicError as error:
            raise self._client.map_error(error) from self._client.safe_cause(error)
        return self._parse_reply(response)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously; raises as `answer`."""
        request = self._encode_request(ask)
        client = await self._client.async_client()
        try:
            # The transport limits each read; only this limits an answer that trickles for ever.
            async with asyncio.timeout(self._client.timeout):
                response = await client.post(
                    _build_url(client), content=request, cast_to=httpx2.Response
                )
        except TimeoutError as error:
            raise self._client.timeout_error() from error
        except anthropic.AnthropicError as error:
            raise self._client.map_error(error) from self._client.safe_cause(error)
        return self._parse_reply(response)

    async def aclose(self) -> None:
        """Close this event loop's connections and the synchronous ones."""
        await self._client.aclose()

    def _encode_request(self, ask: Ask) -> bytes:
        """Return the request as bytes: given an object, the SDK copies it deeply first."""
        try:
            return orjson.dumps(build_request(ask, model=self._model, effort=self._effort))
        except TypeError as error:
            # Half a surrogate pair, which no request can have.
            raise UnusableReply(f"{self.name}: this ask cannot be sent: {error}") from error

    def _parse_reply(self, response: httpx2.Response) -> Reply:
        """Return what a response of status 200 says."""
        try:
            reply = parse_message(orjson.loads(response.content))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Undecodable, a proxy's page, half a body, another shape: another attempt may help.
            kind = response.headers.get("content-type", "no content type")
            raise ModelUnavailable(
                f"{self.name}: the response is not a message (HTTP {response.status_code}, "
                f"{kind}): {self._client.excerpt(response)}"
            ) from error
        limits = parse_rate_limits(response.headers, now=datetime.now(UTC))
        return reply if limits is None else replace(reply, rate_limits=limits)


def _build_url(client: anthropic.Anthropic | anthropic.AsyncAnthropic) -> str:
    """Return the whole address: given a path, the SDK joins it to its own for every request."""
    return str(client.base_url).rstrip("/") + _PATH


def _parse_effort(effort: str | None) -> Effort | None:
    known: tuple[Effort, ...] = get_args(Effort)
    if effort is None:
        return None
    for level in known:
        if effort == level:
            return level
    raise ModelError(f"{effort!r} is not an effort level: use one of {', '.join(known)}.")


def parse_rate_limits(headers: Mapping[str, str], *, now: datetime) -> RateLimits | None:
    """Return what a response's headers say of the limits; `None` where they say nothing.

    `now` is used where the response does not say when it was made, so that a clock that is off
    does no harm.
    """
    if f"{_LIMIT_HEADER}-requests-remaining" not in headers:
        return None
    try:
        made = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        made = now
    return RateLimits(
        requests=_parse_limit(headers, "requests", made),
        input_tokens=_parse_limit(headers, "input-tokens", made),
        output_tokens=_parse_limit(headers, "output-tokens", made),
    )


def _parse_limit(headers: Mapping[str, str], kind: str, made: datetime) -> RateLimit | None:
    try:
        remaining = int(headers[f"{_LIMIT_HEADER}-{kind}-remaining"])
        resets = datetime.fromisoformat(headers[f"{_LIMIT_HEADER}-{kind}-reset"])
        return RateLimit(remaining, max((resets - made).total_seconds(), 0.0))
    except (KeyError, TypeError, ValueError):
        # Absent, no number, no date, or a date without its zone: no limit to observe.
        return None
