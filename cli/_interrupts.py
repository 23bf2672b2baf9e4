"""Ctrl-C while a command gets ready; once a run has begun, the run itself sees to it.

Python raises KeyboardInterrupt wherever it happens to be. In the middle of an import it may be
swallowed, or come out as another error: so that it was pressed is remembered as well.
"""

import signal
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType
from typing import TypeVar

_POLL_SECONDS = 0.1

_interrupt_seen = threading.Event()

T = TypeVar("T")


def remember_interrupts() -> None:
    """Remember from now on that Ctrl-C was pressed, and raise KeyboardInterrupt as before."""
    # Any other handler was chosen by whoever started this process, such as `nohup`.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _handle_interrupt)


def was_interrupted() -> bool:
    """Say whether Ctrl-C was pressed."""
    return _interrupt_seen.is_set()


def check_interrupts() -> None:
    """Return if Ctrl-C was not pressed.

    Raises:
        KeyboardInterrupt: It was.
    """
    if was_interrupted():
        raise KeyboardInterrupt


def run_interruptible(work: Callable[[], T]) -> T:
    """Return what work returns, and leave it behind at once where Ctrl-C is pressed meanwhile.

    Python handles a signal between two steps of the main thread. One that comes in the last moment
    before that thread waits for a socket is handled when the wait is over, and a model may take
    minutes; so the work is done by another thread, and this one only looks on.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=copy_context().run, args=(run,), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)
    if errors:
        raise errors[0]
    return results[0]


def _handle_interrupt(number: int, frame: FrameType | None) -> None:
    _interrupt_seen.set()
    sys.unraisablehook = _report_unless_interrupt
    raise KeyboardInterrupt


def _report_unless_interrupt(unraisable: "sys.UnraisableHookArgs") -> None:
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)
