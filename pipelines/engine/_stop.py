"""Ending a run early: by whoever interrupts it, or by what no other row would survive."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from whyset.errors import RunStopped

T = TypeVar("T")


class StopSignal:
    """Whether a run is to end early, and why; the first reason is the one that counts.

    Attributes:
        reason: What the run is to raise; `None` while it goes on.
    """

    def __init__(self) -> None:
        self.reason: Exception | None = None
        self._called = asyncio.Event()

    def trigger(self, reason: Exception) -> None:
        """End the run: asks in flight finish, no more are sent."""
        if self.reason is None:
            self.reason = reason
            self._called.set()

    def raise_if_stopped(self) -> None:
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


def run_with_signals(
    work: Callable[[], Awaitable[T]],
    *,
    stop: Callable[[], None],
    on_interrupt: Callable[[], None],
    render_stop: Callable[[str], str],
) -> T:
    """Do work in an event loop of its own.

    The first SIGINT or SIGTERM calls `stop`, the second ends the work at once (where this is the
    main thread).

    Raises:
        RunStopped: It was ended at once.
    """

    async def interruptible() -> T:
        try:
            with _handle_signals(stop, on_interrupt):
                return await work()
        except asyncio.CancelledError:
            raise RunStopped(
                render_stop("Stopped immediately, without waiting for asks in flight")
            ) from None

    return asyncio.run(interruptible())


def render_stop_message(reason: str, done: str, ledger: Path | None) -> str:
    """Return what is said of a run that has stopped before its end."""
    if ledger is None:
        return f"{reason}. {done} finished; without -o FILE no other reply is recorded."
    return (
        f"{reason}. {done} finished; every reply so far is in {ledger}. Run the same command "
        "again to resume: answered asks are not sent again."
    )


@contextmanager
def _handle_signals(stop: Callable[[], None], on_interrupt: Callable[[], None]) -> Iterator[None]:
    """On SIGINT and SIGTERM call both; on a second one end the current task."""
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    seen = 0

    def interrupt() -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            stop()
            on_interrupt()
        elif current is not None:
            current.cancel()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except (ValueError, RuntimeError):
            continue  # not the main thread: whoever called keeps the handlers that are there
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
