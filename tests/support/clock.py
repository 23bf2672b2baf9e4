"""An event loop whose clock jumps, so that tests of waiting take no time and depend on none."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that, with nothing else to do, is at once at the time of its next timer.

    For work within the loop alone: threads and sockets live in the time of the machine.
    """

    def __init__(self) -> None:
        selector = selectors.DefaultSelector()
        super().__init__(selector)
        self._time = 1000.0
        select: Callable[[float | None], Any] = selector.select

        def jump(timeout: float | None = None) -> Any:
            if timeout is None or timeout <= 0:
                return select(timeout)
            self._time += timeout
            return select(0)

        selector.select = jump  # type: ignore[method-assign]

    def time(self) -> float:
        """Return the time by the clock that jumps."""
        return self._time


def run_in_jumping_time(work: Coroutine[Any, Any, T]) -> T:
    """Do work in such a loop."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)
