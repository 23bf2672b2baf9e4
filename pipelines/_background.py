"""An event loop in a thread of its own, for functions that are called and wait.

Models share connections between asks, and those belong to one event loop: functions that each had
a loop of their own would lose them. This one lasts as long as the process. It serves callers
within a running loop as well, as a notebook's.
"""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds that the end of the process waits for connections to be closed."""


class _Background:
    """A running event loop. A process that was forked off has none of it and needs its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._running = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), name="whyset-functions", daemon=True
        )
        self._thread.start()
        self._running.wait()
        atexit.register(self._end)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        # The context goes along, and LangChain's callbacks with it.
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C among them
            future.cancel()
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._running.set()
        await self._over.wait()

    def _end(self) -> None:
        if self.process == os.getpid():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(_PATIENCE)


_lock = threading.Lock()
_background: _Background | None = None
_inherited: frozenset[str] = frozenset()


def _note_fork() -> None:
    global _inherited
    _inherited = frozenset(sys.modules)


os.register_at_fork(after_in_child=_note_fork)


def forked_with(module: str) -> bool:
    """Say whether this process was forked off one that had imported a module already.

    Threads do not come along, and what relies on some that are gone waits for them for ever.
    """
    return module in _inherited


def in_background(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do work in the background loop of this process, and wait for it.

    An interruption ends the work.
    """
    global _background
    with _lock:
        if _background is None or _background.process != os.getpid():
            _background = _Background()
        background = _background
    return background.run(work)
