"""Anthropic's SDK: its clients, one for each event loop, and its errors as whyset's own.

Requests go through a client's `post` as bytes and come back as the HTTP response they are. That
keeps the SDK's authentication, addresses, errors and transport, and leaves out what
`messages.create` adds on top: it builds an object from whatever arrives (an HTML page with status
200 becomes a `str`, JSON of another shape a `Message` without its attributes), warns of deprecated
models on every call, and costs a third of the throughput.
"""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from typing import Any

import anthropic
import httpx2
from anthropic.lib.credentials import WorkloadIdentityError

from whyset.errors import ModelAccessDenied, ModelError, ModelUnavailable, UnusableReply

from ._faults import RETRYABLE_STATUSES, error_for_status, redact, truncate_line

_CONNECT_SECONDS = 10.0
_IDLE_SECONDS = 60.0


class AnthropicClient:
    """The SDK's clients for one key and one address, opened when they are first needed."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None,
        api_key: str | None,
        timeout: float,
        connections: int,
    ) -> None:
        self.name = name
        self.timeout = timeout
        address = base_url or os.environ.get("ANTHROPIC_BASE_URL")
        if address and not address.startswith(("http://", "https://")):
            raise ModelError(f"{address!r} is not a base URL: write http://… or https://….")
        self._connections = connections
        self._options: dict[str, Any] = {
            "api_key": api_key,
            "base_url": base_url or None,
            "max_retries": 0,
            # A wait for a free connection is no fault of the server's: no limit of its own.
            "timeout": anthropic.Timeout(timeout, connect=_CONNECT_SECONDS, pool=None),
        }
        self._lock = threading.Lock()
        self._sync: anthropic.Anthropic | None = None
        self._clients: dict[asyncio.AbstractEventLoop, anthropic.AsyncAnthropic] = {}
        self._lifetimes: dict[asyncio.AbstractEventLoop, AsyncGenerator[None]] = {}
        self._require_key()

    def sync_client(self) -> anthropic.Anthropic:
        """Return the synchronous client."""
        with self._lock:
            if self._sync is None:
                self._sync = anthropic.Anthropic(**self._options)
            return self._sync

    async def async_client(self) -> anthropic.AsyncAnthropic:
        """Return the running event loop's client, which is closed with it at the latest."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            for other in [known for known in self._clients if known.is_closed()]:
                del self._clients[other], self._lifetimes[other]
            limits = httpx2.Limits(
                max_connections=self._connections, keepalive_expiry=_IDLE_SECONDS
            )
            http = anthropic.DefaultAioHttpClient(limits=limits, timeout=self._options["timeout"])
            client = anthropic.AsyncAnthropic(**self._options, http_client=http)
            self._clients[loop] = client
            self._lifetimes[loop] = self._live(loop, client)
            await anext(self._lifetimes[loop])
        return self._clients[loop]

    async def _live(
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
            self._lifetimes.pop(loop, None)
            await client.close()

    async def aclose(self) -> None:
        """Close this event loop's connections and the synchronous ones."""
        if lifetime := self._lifetimes.get(asyncio.get_running_loop()):
            await lifetime.aclose()
        with self._lock:
            sync, self._sync = self._sync, None
        if sync is not None:
            sync.close()

    def map_error(self, error: anthropic.AnthropicError) -> ModelError:
        """Return the own error for one of the SDK's."""
        if isinstance(error, anthropic.APIStatusError):
            said = error.api_message if isinstance(error.api_message, str) else error.message
            return error_for_status(
                error.status_code,
                self.redact(said),
                model=self.name,
                code=error.error_code,
                headers=error.response.headers,
            )
        said = truncate_line(self.redact(str(error.__cause__ or error)))
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
            is_unreached = status is None and error.__cause__ is not None
            if is_unreached or status in RETRYABLE_STATUSES or (status or 0) >= 500:
                return ModelUnavailable(f"{self.name}: no token could be obtained: {said}")
        if isinstance(error, anthropic.CredentialsError | WorkloadIdentityError):
            return ModelAccessDenied(f"{self.name}: the credentials are not valid: {said}")
        return UnusableReply(f"{self.name}: {said}")

    def safe_cause(self, error: anthropic.AnthropicError) -> anthropic.AnthropicError | None:
        """Return the error to chain: none where its text would give the key away."""
        return error if self.redact(str(error)) == str(error) else None

    def timeout_error(self) -> ModelUnavailable:
        """Return the error for an answer that did not come in time."""
        return ModelUnavailable(f"{self.name}: no answer in {self.timeout:g} s.")

    def excerpt(self, response: httpx2.Response) -> str:
        """Return the beginning of a body, fit for a message."""
        start = response.content[:2000].decode(errors="replace")
        return truncate_line(self.redact(start)) or "empty"

    def redact(self, text: str) -> str:
        """Return a text without the key."""
        variables = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
        return redact(text, self._options["api_key"], *map(os.environ.get, variables))

    def _require_key(self) -> None:
        """Raise now, and not at the first row, where there is nothing to authenticate with."""
        if self._options["api_key"]:
            return
        if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN"):
            return
        try:
            has_credentials = self.sync_client().credentials is not None
        except anthropic.AnthropicError as error:
            raise ModelError(f"{self.name}: the credentials cannot be read: {error}") from error
        if not has_credentials:
            raise ModelError(
                f"{self.name} needs a key: set ANTHROPIC_API_KEY. "
                "Without one, --model extractive quotes the constitution and sends no requests."
            )
