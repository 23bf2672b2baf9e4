"""Ending a run early: by whoever interrupts it, or by what no other row would survive."""

import asyncio

from whyset.errors import RunStopped


class Halt:
    """Whether a run is to end early, and why; the first reason is the one that counts.

    Attributes:
        reason: What the run is to raise; `None` while it goes on.
    """

    def __init__(self) -> None:
        self.reason: Exception | None = None
        self._called = asyncio.Event()

    def call(self, reason: Exception) -> None:
        """End the run: asks in flight finish, no more are sent."""
        if self.reason is None:
            self.reason = reason
            self._called.set()

    def check(self) -> None:
        """Return while the run goes on.

        Raises:
            RunStopped: It is to end.
        """
        if self.reason is not None:
            raise RunStopped("Stopped") from self.reason

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until the run is to end, but no longer than so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._called.wait()
        except TimeoutError:
            return
