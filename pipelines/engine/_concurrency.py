"""How many asks may be in flight, and when: what the provider bears, found while asking."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from whyset.constitution import estimate_tokens
from whyset.generators import Ask, RateLimits, Reply

from ._stop import StopSignal

_INITIAL = 16
_MINIMUM = 1.0
_DECREASE = 0.5
# What the mean of output lengths gives to the latest one.
_SMOOTHING = 0.1


@dataclass(slots=True)
class _Window:
    """What the provider allows until a moment of the loop's clock."""

    left: float
    until: float


class AdaptiveConcurrency:
    """Slots for asks in flight: additive increase, multiplicative decrease.

    The limit begins small and doubles with every round of answers until the provider first
    complains; from then on it grows by one a round, and a complaint halves it (Chiu and Jain,
    "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989). Complaints
    about asks that were sent before the last halving count for nothing: they speak of the same
    crowd. Where a provider says how long to wait, or how many requests and tokens are left until
    when, nothing is sent that would not fit.

    Attributes:
        ceiling: The limit never rises above it.
        in_use: Slots taken: asks in flight, and asks that wait to be sent again.
        round: How often the limit was halved; an ask remembers the round it was sent in.
    """

    def __init__(self, ceiling: int, stop_signal: StopSignal, *, max_pause: float) -> None:
        """Make a limit."""
        self.ceiling = ceiling
        self.in_use = 0
        self.round = 0
        self._stop_signal = stop_signal
        self._max_pause = max_pause
        self._limit = float(min(_INITIAL, ceiling))
        self._doubling = True
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0
        self._windows: dict[str, _Window] = {}
        self._mean_output = 0.0

    @property
    def value(self) -> int:
        """How many asks may be in flight now."""
        return int(self._limit)

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None]:
        """Hold a slot, in the order of coming."""
        if self.in_use < self.value and not self._waiters:
            self.in_use += 1
        else:
            await self._wait_for_slot()
        try:
            yield
        finally:
            self.in_use -= 1
            self._grant()

    async def wait_for_capacity(self, ask: Ask) -> int:
        """Wait until the provider has room for an ask, and count it as sent.

        Raises:
            RunStopped: The run is to end.
        """
        self._stop_signal.raise_if_stopped()
        if not self._windows and not self._paused_until:
            return self.round
        tokens = estimate_tokens(ask.system) + estimate_tokens(ask.user)
        while (wait := self._closed_for(tokens)) > 0:
            await self._stop_signal.wait(wait)
            self._stop_signal.raise_if_stopped()
        for window, cost in self._costs(tokens):
            window.left -= cost
        return self.round

    def record_reply(self, reply: Reply) -> None:
        """Learn from an answer."""
        written = reply.usage.output_tokens
        self._mean_output += _SMOOTHING * (written - self._mean_output)
        if reply.rate_limits is not None:
            self._windows = _parse_windows(reply.rate_limits)
        # Where the limit is not reached, answers tell nothing of what lies above it.
        if self._limit < self.ceiling and 2 * self.in_use >= self._limit:
            growth = 1.0 if self._doubling else 1.0 / self._limit
            self._limit = min(self._limit + growth, float(self.ceiling))
            self._grant()

    def record_throttle(self, sent_in: int) -> None:
        """Learn from a complaint about too much being asked."""
        if sent_in == self.round:
            self._limit = max(self._limit * _DECREASE, _MINIMUM)
            self._doubling = False
            self.round += 1

    def pause(self, seconds: float) -> None:
        """Send nothing for so long."""
        until = _now() + min(seconds, self._max_pause)
        self._paused_until = max(self._paused_until, until)

    def _closed_for(self, tokens: int) -> float:
        """Return the seconds until an ask with so many tokens fits."""
        now = _now()
        until = self._paused_until
        for window, cost in self._costs(tokens):
            if window.left < cost:
                until = max(until, min(window.until, now + self._max_pause))
        return until - now

    def _costs(self, tokens: int) -> list[tuple[_Window, float]]:
        """Return what an ask takes of each window that still holds."""
        now = _now()
        costs = {"requests": 1.0, "input": float(tokens), "output": self._mean_output}
        return [
            (window, costs[kind]) for kind, window in self._windows.items() if now < window.until
        ]

    async def _wait_for_slot(self) -> None:
        """Wait for a slot, which whoever grants it has counted already."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.in_use -= 1
                self._grant()
            raise

    def _grant(self) -> None:
        while self._waiters and self.in_use < self.value:
            future = self._waiters.popleft()
            if not future.done():
                self.in_use += 1
                future.set_result(None)


def _parse_windows(limits: RateLimits) -> dict[str, _Window]:
    stated = {
        "requests": limits.requests,
        "input": limits.input_tokens,
        "output": limits.output_tokens,
    }
    now = _now()
    return {
        kind: _Window(limit.remaining, now + limit.reset_seconds)
        for kind, limit in stated.items()
        if limit is not None
    }


def _now() -> float:
    return asyncio.get_running_loop().time()
