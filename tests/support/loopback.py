"""A real HTTP/1.1 server on the loopback that speaks Anthropic's Messages API, faults included.

    with LoopbackServer(lambda body: message("Hello.")) as server:
        server.fail(error(529), error(429, headers={"retry-after": "2"}), None, reset())
        ...
        assert server.requests[0].body["max_tokens"] == 100

Every POST takes the next queued fault, if there is one (`None` lets one request through), and is
else answered by the `answer` callable. Nothing is guessed: a request for structured output that
no callable answers gets a 400. An exception in the callable is raised again when the server
stops. `python -m support.loopback --port N` serves the default answer until interrupted.

The server is one `asyncio.Protocol` in a thread of its own: cheap enough to leave the measured
client most of the interpreter, and exact about what goes on the wire.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

KEY = "test-key"
MODEL = "claude-loopback-1"

_PATHS = frozenset({"/v1/messages", "/v1/chat/completions", "/v1/completions"})

# LangChain keeps one client for each address as long as the process lives: a port that comes up
# twice would meet the connections of an earlier test, whose event loop has ended.
_ports_taken: set[int] = set()


@dataclass(frozen=True, slots=True)
class Response:
    """What goes on the wire.

    Attributes:
        status: The HTTP status.
        body: JSON, or the exact bytes.
        headers: Added to (or replacing) the usual ones; lower-case names.
        delay: Seconds before the first byte, on top of the server's latency.
        cut: Send this many bytes of the body, then reset the connection.
        hang: Send nothing, ever.
        drip: Send the headers, then one blank every this many seconds, without end.
        until: Send nothing before this is true; it is looked at every millisecond.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    hang: bool = False
    drip: float | None = None
    until: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived.

    Attributes:
        method: Such as `POST`.
        path: With its query string.
        headers: Lower-case names.
        body: The JSON object sent; empty where there was none.
        at: `time.monotonic()` on arrival.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


Answer = Callable[[dict[str, Any]], "dict[str, Any] | Response"]


def message(
    text: str = "Hello.",
    *,
    stop_reason: str | None = "end_turn",
    usage: Mapping[str, Any] | None = None,
    content: list[dict[str, Any]] | None = None,
    model: str = MODEL,
    **more: Any,
) -> dict[str, Any]:
    """Return a valid body of `POST /v1/messages`."""
    return {
        "id": "msg_01Loopback",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if content is None else content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, **(usage or {})},
        **more,
    }


def structured(value: Any, **more: Any) -> dict[str, Any]:
    """Return a message whose text is `value` as JSON."""
    return message(json.dumps(value, ensure_ascii=False), **more)


def completion(
    text: str = "Hello.", *, finish_reason: str | None = "stop", model: str = MODEL
) -> dict[str, Any]:
    """Return a valid body of OpenAI's `POST /v1/chat/completions`."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish_reason,
    }
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def continuation(
    text: str = " and so on.",
    *,
    finish_reason: str | None = "stop",
    model: str = MODEL,
    **more: Any,
) -> dict[str, Any]:
    """Return a valid body of OpenAI's `POST /v1/completions`."""
    return {
        "id": "cmpl-loopback",
        "object": "text_completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "text": text, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **more,
    }


_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error(
    status: int,
    text: str = "Said the provider.",
    *,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error as Anthropic shapes it; `code` is its `details.error_code`."""
    body: dict[str, Any] = {"type": _ERROR_TYPES.get(status, "api_error"), "message": text}
    if code:
        body["details"] = {"error_code": code}
    return Response(status, {"type": "error", "error": body}, headers or {})


def html(status: int = 502) -> Response:
    """Return a page, as a proxy in between would."""
    page = b"<html><body><h1>Bad Gateway</h1></body></html>"
    return Response(status, page, {"content-type": "text/html"})


def reset(after: int = 20) -> Response:
    """Return a good answer that breaks off after so many bytes of its body."""
    return Response(200, message("This will never arrive whole."), cut=after)


def default_answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer prose with prose, and refuse to guess what a schema wants."""
    if "format" in (body.get("output_config") or {}):
        return error(400, "The loopback server was given no answer for structured output.")
    return message(model=str(body.get("model", MODEL)))


class LoopbackServer:
    """The server; a context manager that starts and stops it.

    Attributes:
        answer: Called with each request's JSON body; may be replaced at any time.
        latency: Seconds every answer takes.
        record: Whether to keep what arrives; a long benchmark has no use for it.
        requests: Everything that arrived, in order.
        in_flight: Requests taken and not yet answered.
        peak: The most there ever were at once.
        answered: How many were answered by `answer` (faults not counted).
        connections: How many connections were ever opened.
    """

    def __init__(
        self,
        answer: Answer = default_answer,
        *,
        latency: float = 0.0,
        port: int = 0,
        record: bool = True,
    ) -> None:
        self.answer = answer
        self.latency = latency
        self.port = port
        self.record = record
        self.requests: list[Request] = []
        self.in_flight = 0
        self.peak = 0
        self.answered = 0
        self.connections = 0
        self._faults: deque[Response | None] = deque()
        self._raised: list[BaseException] = []
        self._open: set[_Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead Anthropic's SDK here."""
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": KEY}

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The JSON of every request, in order."""
        return [request.body for request in self.requests]

    def fail(self, *faults: Response | None) -> None:
        """Queue faults: each meets one request; `None` lets one through."""
        self._faults.extend(faults)

    @contextmanager
    def failing(self, fault: Response) -> Iterator[None]:
        """Meet every request with the same fault."""
        answer, self.answer = self.answer, lambda _: fault
        try:
            yield
        finally:
            self.answer = answer

    def start(self) -> Self:
        """Listen; on the same port again after `stop`."""
        listening = threading.Event()

        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._stopping = asyncio.Event()
            listener = await self._listen()
            self.port = listener.sockets[0].getsockname()[1]
            _ports_taken.add(self.port)
            listening.set()
            await self._stopping.wait()
            listener.close()
            for connection in list(self._open):
                connection.abort()

        self._thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
        self._thread.start()
        if not listening.wait(10):
            raise RuntimeError("the loopback server did not start")
        return self

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        while True:
            listener = await loop.create_server(
                lambda: _Connection(self), "127.0.0.1", self.port, backlog=2048
            )
            if self.port or listener.sockets[0].getsockname()[1] not in _ports_taken:
                return listener
            listener.close()

    def stop(self) -> None:
        """Close the listener and every connection."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._thread = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if self._raised and kind is None:
            raise self._raised[0]

    def _respond(self, request: Request) -> Response:
        if self.record:
            self.requests.append(request)
        if request.method == "POST" and self._faults:
            fault = self._faults.popleft()
            if fault is not None:
                return fault
        if request.path.split("?")[0] not in _PATHS:
            return error(404, f"The loopback server has no {request.method} {request.path}.")
        try:
            answer = self.answer(request.body)
        except BaseException as raised:
            self._raised.append(raised)
            return error(500, f"The test's answer raised {raised!r}.")
        self.answered += 1
        return answer if isinstance(answer, Response) else Response(200, answer)


class _Connection(asyncio.Protocol):
    """One connection: requests in, one at a time, responses out."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.buffer = b""
        self.busy = False
        self.timer: asyncio.TimerHandle | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections += 1
        self.server._open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.server._open.discard(self)
        if self.timer:
            self.timer.cancel()
        self._free()

    def abort(self) -> None:
        """Reset the connection: the peer reads an error, not an end."""
        if wire := self.transport.get_extra_info("socket"):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self._take()

    def _take(self) -> None:
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        body = orjson.loads(rest[:length]) if length else {}
        self.busy = True
        server = self.server
        server.in_flight += 1
        server.peak = max(server.peak, server.in_flight)
        response = server._respond(Request(method, path, headers, body, time.monotonic()))
        if response.hang:
            return
        wait = server.latency + response.delay
        if wait:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(wait, self._send, response)
        else:
            self._send(response)

    def _send(self, response: Response) -> None:
        if response.until is not None and not response.until():
            self.timer = asyncio.get_running_loop().call_later(0.001, self._send, response)
            return
        body = response.body if isinstance(response.body, bytes) else orjson.dumps(response.body)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "request-id": "req_loopback",
            **response.headers,
        }
        if response.drip is not None:
            del headers["content-length"]
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {response.status} Loopback\r\n{lines}\r\n".encode("latin-1")
        if response.drip is not None:
            self.transport.write(head)
            self._drip(response.drip)
        elif response.cut is not None:
            self.transport.write(head + body[: response.cut])
            # Linger 0 throws away what is still queued, so let the part go out first.
            self.timer = asyncio.get_running_loop().call_later(0.02, self.abort)
        else:
            # Counted as answered first: a test may look as soon as the answer is there.
            self._free()
            self.transport.write(head + body)
            if self.buffer:
                self._take()

    def _drip(self, every: float) -> None:
        self.transport.write(b" ")
        self.timer = asyncio.get_running_loop().call_later(every, self._drip, every)

    def _free(self) -> None:
        if self.busy:
            self.busy = False
            self.server.in_flight -= 1


def _main() -> None:
    parser = argparse.ArgumentParser(description="Serve the default answer until interrupted.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    options = parser.parse_args()
    with LoopbackServer(port=options.port, latency=options.latency) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        _main()
