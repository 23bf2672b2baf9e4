"""Progress of a long run: a live line in a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from whyset.pipelines import QUARANTINED, Tally, Traffic

from ._words import counted

_PLAIN_EVERY = 10.0
_PATIENCE = 3.0


class Progress:
    """Shows how far a run is, on standard error.

    Args:
        shown: Whether to show anything.
        console: Where; standard error without it.
        plain_every: Seconds between lines where there is no terminal.
    """

    def __init__(
        self, *, shown: bool, console: Console | None = None, plain_every: float = _PLAIN_EVERY
    ) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        terminal = shown and self._console.is_terminal
        self._live = (
            Live(console=self._console, refresh_per_second=8, transient=True) if terminal else None
        )
        self._plain = shown and not terminal
        self._plain_every = plain_every
        self._started = self._last = time.monotonic()

    @contextmanager
    def waiting(self, for_what: str) -> Iterator[None]:
        """Say what is being waited for: in a terminal while it lasts, elsewhere where it lasts."""
        if self._live is not None:
            with self._console.status(f"{for_what} …"):
                yield
            return
        timer = threading.Timer(_PATIENCE, self._print, [f"{for_what}; this can take a minute"])
        timer.daemon = True
        if self._plain:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def update(self, tally: Tally, traffic: Traffic) -> None:
        """Show the counts after a row."""
        if self._live is not None:
            self._live.update(Text(self._line(tally, traffic)))
        elif self._plain and time.monotonic() - self._last >= self._plain_every:
            self._last = time.monotonic()
            self._print(self._line(tally, traffic))

    def __enter__(self) -> Self:
        """Begin to show; the clock starts here."""
        self._started = self._last = time.monotonic()
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)

    def _line(self, tally: Tally, traffic: Traffic) -> str:
        rate = tally.rows / max(time.monotonic() - self._started, 0.001)
        parts = [
            counted(tally.rows, "row"),
            f"{rate:,.1f}/s",
            f"{counted(traffic.in_flight, 'ask')} in flight",
        ]
        if traffic.retried:
            parts.append(f"{traffic.retried:,} retried")
        if quarantined := tally.outcomes[QUARANTINED]:
            parts.append(f"{quarantined:,} quarantined")
        if tally.usage.output_tokens:
            parts.append(f"{tally.usage.output_tokens:,} tokens out")
        return " · ".join(parts)
