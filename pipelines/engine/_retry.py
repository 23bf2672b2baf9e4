"""When an ask is sent again, and when the provider is gone: bad luck, an outage, or the end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from whyset.errors import RunStopped
from whyset.models import RETRYABLE_ERRORS, ModelUnavailable, RetryPolicy

from .._config import RunConfig
from ._stop import StopSignal

T = TypeVar("T")

_OUTAGE_FAILURES = 8
"""So many asks failing at once, and none answered meanwhile, are the provider's trouble and not
theirs; fewer where fewer may be in flight, but never less than `_MIN_FAILURES`."""

_MIN_FAILURES = 3

_FREE_RETRIES = 100
"""So many, and one for every answer, is the run's budget of retries: a provider that fails more
often than it answers is not worked against all weekend ("Handling Overload", Site Reliability
Engineering, 2016, has the idea, with tighter figures for interactive work)."""

_THROTTLED_ATTEMPTS_FACTOR = 5
"""So many times the attempts has an ask that only comes at a bad moment, while others are
answered; not endless ones, since an ask may be too large for a limit that it will never fit."""


class OutageRule:
    """Says of asks that failed whether to send them again.

    While others are answered an ask has its attempts, more of them where the provider only wants
    to be asked less. In an outage, where many fail and nobody is answered that was answered
    before, attempts are not counted: the run waits as long as the policy allows, and then ends,
    since quarantining every row would help nobody.
    """

    def __init__(self, config: RunConfig, stop_signal: StopSignal) -> None:
        self._policy = config.retries
        self._stop_signal = stop_signal
        self._outage = max(_MIN_FAILURES, min(_OUTAGE_FAILURES, config.concurrency))
        # As many as are in flight may meet one and the same moment of trouble.
        self._unreachable_after = max(_MIN_FAILURES, config.concurrency)
        self._failing = 0
        self._answered = 0
        self._last_answer: float | None = None
        self._retries_spent = 0
        self._given_up_in_a_row = 0

    @contextmanager
    def track(self) -> Iterator["Failures"]:
        """Count the failures of one ask, until it is answered or given up."""
        failures = Failures()
        try:
            yield failures
        finally:
            self._failing -= bool(failures.count)

    def record_answer(self) -> None:
        """Note that the provider answered."""
        self._answered += 1
        self._last_answer = asyncio.get_running_loop().time()
        self._given_up_in_a_row = 0

    def is_hopeless(self, failures: "Failures", error: ModelUnavailable) -> bool:
        """Say whether to give an ask up after it failed once more; end the run where all are."""
        now, last = asyncio.get_running_loop().time(), self._last_answer
        if not failures.count:
            failures.since = now
            self._failing += 1
        failures.count += 1
        if self._failing >= self._outage and last is not None and last < failures.since:
            if now - last < self._policy.max_outage:
                return False
            self._stop_signal.trigger(unreachable_error(error))
            return True
        self._retries_spent += not error.is_throttled
        if self._retries_spent > _FREE_RETRIES + self._answered:
            reason = str(error).rstrip(".")
            self._stop_signal.trigger(RunStopped(f"Too many failed requests: {reason}"))
            return True
        patience = _THROTTLED_ATTEMPTS_FACTOR if error.is_throttled and last is not None else 1
        if failures.count < self._policy.attempts * patience:
            return False
        self._given_up_in_a_row += 1
        if self._given_up_in_a_row >= self._unreachable_after:
            self._stop_signal.trigger(unreachable_error(error))
        return True


@dataclass(slots=True)
class Failures:
    """How often one ask has failed, and since when by the clock of the loop."""

    count: int = 0
    since: float = 0.0


class Retrier:
    """Calls to a provider that are made again after passing faults, as long as the run goes on."""

    def __init__(self, policy: RetryPolicy, stop_signal: StopSignal) -> None:
        self.policy = policy
        self._stop_signal = stop_signal

    def raise_if_stopped(self) -> None:
        """Return while the run goes on, else raise `RunStopped`."""
        self._stop_signal.raise_if_stopped()

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what a call returns in the end.

        Raises:
            RunStopped: The run is to end, or the provider does not answer.
            ModelError: What no further attempt would mend.
        """
        failed = 0
        while True:
            self._stop_signal.raise_if_stopped()
            try:
                return await function()
            except RETRYABLE_ERRORS as error:
                failed += 1
                if failed >= self.policy.attempts:
                    raise unreachable_error(error) from error
                wait = self.policy.compute_wait(failed, error.retry_after)
            await self.pause(wait)

    async def pause(self, seconds: float) -> None:
        """Wait so many seconds.

        Raises:
            RunStopped: The run is to end.
        """
        await self._stop_signal.wait(seconds)
        self._stop_signal.raise_if_stopped()


def unreachable_error(error: Exception | str) -> RunStopped:
    """Return what ends a run whose provider does not answer."""
    return RunStopped(f"The provider does not answer: {str(error).rstrip('.')}")
