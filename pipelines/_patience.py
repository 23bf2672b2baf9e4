"""Calls to a provider made again after passing faults, as long as the run goes on."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from whyset.models import RETRYABLE, RetryPolicy

from ._answering import unreachable
from ._halting import Halt

T = TypeVar("T")


class Patience:
    """Waits that end with the run.

    Args:
        halt: What ends them.
        retries: When and how often a call is made again.
    """

    def __init__(self, halt: Halt, retries: RetryPolicy) -> None:
        self._halt = halt
        self.retries = retries

    def check(self) -> None:
        """Return while the run goes on.

        Raises:
            RunStopped: It is to end.
        """
        self._halt.check()

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what a call returns in the end.

        Raises:
            RunStopped: The run is to end, or the provider does not answer.
            ModelError: What no further attempt would mend.
        """
        failed = 0
        while True:
            self._halt.check()
            try:
                return await function()
            except RETRYABLE as error:
                failed += 1
                if failed >= self.retries.attempts:
                    raise unreachable(str(error)) from error
                wait = self.retries.wait(failed, error.retry_after)
            await self.pause(wait)

    async def pause(self, seconds: float) -> None:
        """Wait so many seconds.

        Raises:
            RunStopped: The run is to end.
        """
        await self._halt.wait(seconds)
        self._halt.check()
