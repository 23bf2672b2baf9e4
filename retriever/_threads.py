"""Linear algebra on one thread at a time: the one module that knows threadpoolctl.

The library under numpy splits every product over all cores and waits for the slowest. Where two
threads or two processes do so at once on the same cores, they wait for each other: measured, 60
texts a second became 1.3. One thread a text and several texts at once is as fast and stays so.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# It ships no types.
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_lock = threading.Lock()
_inside = 0
_limit: "_Limit | None" = None


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Keep matrix products on the thread that asks for them, as long as anyone is inside."""
    global _inside, _limit
    with _lock:
        if _limit is None:
            _limit = _Limit()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limit.lift()
                _limit = None


class _Limit:
    """A limit for the whole process, set and lifted by a thread of its own.

    threadpoolctl heeds the first thread that sets a limit and, without a word, no other one until
    that thread is done with it. Whoever comes first here may leave before the others do, so none
    of them can be that thread.
    """

    def __init__(self) -> None:
        self._holds = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._hold, name="one thread a product", daemon=True)
        self._thread.start()
        self._holds.wait()

    def lift(self) -> None:
        """Give the threads back."""
        self._over.set()
        self._thread.join()

    def _hold(self) -> None:
        try:
            with _controller().limit(limits=1, user_api="blas"):
                self._holds.set()
                self._over.wait()
        finally:
            self._holds.set()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
