"""A loopback server with message batches: as the provider has them, and as slow and as faulty.

    with BatchingServer(answer, polls=2) as server:
        server.fail_on("create", error(529))
        server.fail_on("results", broken_off(300))
        server.fates = lambda key, params, time: "expired" if time == 1 else None

A batch ends after it was looked at so often, by its id or in a list, or when `release` is called
where the server is `holding`. What is answered is counted by request, whether it came alone or in
a batch: `paid_twice` says what was answered, and so paid, more than once.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs

import orjson

from support.answers.deliberation import name_of, step_of
from support.loopback import Answer, LoopbackServer, Request, Response, default_answer, error

Call = Literal["create", "retrieve", "list", "results", "cancel"]
Fault = Response | Callable[[Response], Response] | None
"""What is sent instead of the good response, or what is made of it; `None` lets one through."""

_PATH = "/v1/messages/batches"
_KEY = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def truncate_body(after: int) -> Callable[[Response], Response]:
    """Return what breaks a good response off after so many bytes of its body."""
    return lambda response: replace(response, cut=after)


def drop_lines(lines: int) -> Callable[[Response], Response]:
    """Return what leaves so many lines of a good response."""

    def shorten(response: Response) -> Response:
        kept = response.body.splitlines(keepends=True)[:lines]
        return replace(response, body=b"".join(kept))

    return shorten


@dataclass(slots=True)
class StoredBatch:
    """A batch on the server.

    Attributes:
        id: Its name.
        requests: What it holds, as it came.
        looks: How often it was looked at.
        results: What came of it, once it has ended: a line for each request.
        canceling: Whether it is to end early.
        archived: Whether its results are gone.
    """

    id: str
    requests: list[dict[str, Any]]
    looks: int = 0
    results: list[dict[str, Any]] | None = None
    canceling: bool = False
    archived: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def keys(self) -> list[str]:
        """The keys of its requests, in order."""
        return [request["custom_id"] for request in self.requests]

    def shown(self) -> dict[str, Any]:
        """Return it as the provider shows it."""
        ended = self.results is not None
        kinds = ("succeeded", "errored", "canceled", "expired")
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": (
                "ended" if ended else "canceling" if self.canceling else "in_progress"
            ),
            "request_counts": {
                "processing": 0 if ended else len(self.requests),
                **{kind: self.counts[kind] for kind in kinds},
            },
            "created_at": "2026-11-24T08:00:00Z",
            "expires_at": "2026-11-25T08:00:00Z",
            "ended_at": "2026-11-24T08:30:00Z" if ended else None,
            "cancel_initiated_at": "2026-11-24T08:10:00Z" if self.canceling else None,
            "archived_at": "2026-12-23T08:00:00Z" if self.archived else None,
            "results_url": f"https://elsewhere.invalid{_PATH}/{self.id}/results" if ended else None,
        }


class BatchServer(LoopbackServer):
    """The loopback server, with message batches.

    Attributes:
        polls: After how many looks a batch ends.
        holding: Whether batches end only when they are released.
        order: What is made of the order of results.
        fates: What befalls a request instead of an answer: `expired`, `canceled`, an error as a
            response, or nothing; by its key, its parameters and how often it has come by now.
        page: How many batches a list shows at most.
        most_requests: How many requests a batch may hold.
        most_bytes: How long the body that creates one may be.
        on_create: Called with a batch that exists now, before anyone is told.
        on_call: Called with the number of a call that was done, from 1, before it is answered.
        batches: All batches, in the order of creation.
        calls: How often each call came.
        paid: How often each request was answered, alone or in a batch.
    """

    def __init__(self, answer: Answer = default_answer, *, polls: int = 1, **options: Any) -> None:
        super().__init__(answer, **options)
        self.polls = polls
        self.holding = False
        self.order: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list
        self.fates: Callable[[str, dict[str, Any], int], str | Response | None] = (
            lambda key, params, time: None
        )
        self.page = 100
        self.most_requests = 100_000
        self.most_bytes = 256_000_000
        self.on_create: Callable[[StoredBatch], object] = lambda batch: None
        self.on_call: Callable[[int], object] = lambda number: None
        self.batches: dict[str, StoredBatch] = {}
        self.calls: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._on: dict[str, deque[Fault]] = defaultdict(deque)
        self._serving = threading.RLock()

    def fail_on(self, call: Call, *faults: Fault) -> None:
        """Queue faults for a call; a creation that fails so has not happened."""
        self._on[call].extend(faults)

    def fail_after_create(self, *faults: Response) -> None:
        """Queue responses to creations that do happen."""
        self._on["created"].extend(faults)

    def release(self) -> None:
        """Let all batches end at the next look, and those to come."""
        self.holding = False

    def create(self, requests: list[dict[str, Any]]) -> StoredBatch:
        """Create a batch, as somebody else would who holds the same key."""
        with self._serving:
            batch = StoredBatch(f"msgbatch_{len(self.batches) + 1:04}", requests)
            self.batches[batch.id] = batch
            return batch

    @property
    def created(self) -> list[StoredBatch]:
        """All batches, in the order of creation."""
        return list(self.batches.values())

    @property
    def paid_twice(self) -> list[str]:
        """What was answered more than once, each as step and row."""
        bodies = [(json.loads(text), count) for text, count in self.paid.items()]
        return [f"{step_of(body)} {name_of(body)}" for body, count in bodies if count > 1]

    def _respond(self, request: Request) -> Response:
        path, _, query = request.path.partition("?")
        if not path.startswith(_PATH):
            response = super()._respond(request)
            if response.status == 200 and response.cut is None:
                self._pay(request.body)
            return response
        if self.record:
            self.requests.append(request)
        with self._serving:
            return self._batches(request, path.removeprefix(_PATH).strip("/"), parse_qs(query))

    def _batches(self, request: Request, rest: str, query: dict[str, list[str]]) -> Response:
        name, _, verb = rest.partition("/")
        call: Call
        if request.method == "POST":
            call = "cancel" if verb == "cancel" else "create"
        else:
            call = "results" if verb == "results" else "retrieve" if name else "list"
        self.calls[call] += 1
        fault = self._on[call].popleft() if self._on[call] else None
        if isinstance(fault, Response):
            return fault
        if call == "create":
            response = self._create(request)
        elif call == "list":
            response = self._list(query)
        elif name not in self.batches:
            response = error(404, f"There is no message batch {name}.")
        elif call == "results":
            response = self._results(self.batches[name])
        else:
            batch = self.batches[name]
            batch.canceling |= call == "cancel"
            self._look(batch)
            response = Response(200, batch.shown())
        self.on_call(self.calls.total())
        return response if fault is None else fault(response)

    def _create(self, request: Request) -> Response:
        requests = request.body["requests"]
        size = int(request.headers["content-length"])
        if len(requests) > self.most_requests or size > self.most_bytes:
            return error(413, "The batch is too large.")
        keys = [each["custom_id"] for each in requests]
        if len(set(keys)) < len(keys) or not all(map(_KEY.fullmatch, keys)):
            return error(400, "The custom_ids will not do.")
        batch = self.create(requests)
        self.on_create(batch)
        if self._on["created"]:
            fault = self._on["created"].popleft()
            assert isinstance(fault, Response)
            return fault
        return Response(200, batch.shown())

    def _list(self, query: dict[str, list[str]]) -> Response:
        shown = list(reversed(self.batches.values()))
        if after := query.get("after_id"):
            names = [batch.id for batch in shown]
            shown = shown[names.index(after[0]) + 1 :]
        limit = min(int(query.get("limit", ["20"])[0]), self.page)
        page = shown[:limit]
        for batch in page:
            self._look(batch)
        body = {
            "data": [batch.shown() for batch in page],
            "has_more": len(shown) > limit,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
        return Response(200, body)

    def _results(self, batch: StoredBatch) -> Response:
        if batch.results is None or batch.archived:
            return error(404, f"The message batch {batch.id} has no results.")
        lines = b"".join(orjson.dumps(line) + b"\n" for line in self.order(batch.results))
        return Response(200, lines, {"content-type": "application/x-jsonl"})

    def _look(self, batch: StoredBatch) -> None:
        batch.looks += 1
        if batch.results is None and not self.holding and batch.looks >= self.polls:
            results = [self._result(request, batch) for request in batch.requests]
            batch.counts = Counter(line["result"]["type"] for line in results)
            batch.results = results

    def _result(self, request: dict[str, Any], batch: StoredBatch) -> dict[str, Any]:
        key, params = request["custom_id"], request["params"]
        self._sent[key] += 1
        fate = "canceled" if batch.canceling else self.fates(key, params, self._sent[key])
        if isinstance(fate, str):
            return {"custom_id": key, "result": {"type": fate}}
        answered = fate or self.answer(params)
        if isinstance(answered, Response) and answered.status != 200:
            return {"custom_id": key, "result": {"type": "errored", "error": answered.body}}
        body = answered.body if isinstance(answered, Response) else answered
        self._pay(params)
        return {"custom_id": key, "result": {"type": "succeeded", "message": body}}

    def _pay(self, params: dict[str, Any]) -> None:
        self.paid[json.dumps(params)] += 1
