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
_restore = None


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Keep matrix products on the thread that asks for them, as long as anyone is inside."""
    global _inside, _restore
    with _lock:
        if _inside == 0:
            _restore = _controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _restore is not None:
                _restore.restore_original_limits()
