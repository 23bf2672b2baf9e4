"""Progress of a long run: a live line in a terminal, plain lines elsewhere."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from whyset.pipelines import QUARANTINED, RequestStats, RunCounts

from ._text import pluralize

_PLAIN_SECONDS = 10.0
_WAIT_NOTICE_SECONDS = 3.0
# The rate is that of the last minute: what was fast at the start says nothing of now.
_RATE_WINDOW = 60.0
_MARK_SECONDS = 1.0
_MINUTE, _HOUR = 60, 3600


class Progress:
    """Shows how far a run is, on standard error.

    Args:
        shown: Whether to show anything.
        console: Where; standard error without it.
        plain_every: Seconds between lines where there is no terminal.
        total: About how many rows there are, where it is known; may be set before the run begins.
        unit: What is counted.
    """

    def __init__(
        self,
        *,
        shown: bool,
        console: Console | None = None,
        plain_every: float = _PLAIN_SECONDS,
        total: int | None = None,
        unit: str = "row",
    ) -> None:
        self.is_shown = shown
        self.total = total
        self._unit = unit
        self._also = ""
        self._counts: tuple[RunCounts, RequestStats] | None = None
        self._console = console or Console(stderr=True, highlight=False)
        terminal = shown and self._console.is_terminal
        self._live = (
            Live(
                console=self._console,
                # By the clock, not row by row: while rows wait, it goes on saying why.
                get_renderable=lambda: Text(self._latest()),
                refresh_per_second=8,
                transient=True,
            )
            if terminal
            else None
        )
        self._plain = shown and not terminal
        self._plain_every = plain_every
        self._marks: deque[tuple[float, int]] = deque()
        self._started = self._last = time.monotonic()

    @contextmanager
    def show_waiting(self, for_what: str) -> Iterator[None]:
        """Say what is being waited for: at once in a terminal, elsewhere when it takes long."""
        if self._live is not None:
            with self._console.status(f"{for_what} …"):
                yield
            return
        timer = threading.Timer(
            _WAIT_NOTICE_SECONDS, self._print, [f"{for_what}; this can take a minute"]
        )
        timer.daemon = True
        if self._plain:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def update(self, counts: RunCounts, stats: RequestStats, *, also: str = "") -> None:
        """Show what has come out, `also` behind it, and what was sent; both may go on changing."""
        self._counts = counts, stats
        self._also = also
        if self._plain and time.monotonic() - self._last >= self._plain_every:
            self._last = time.monotonic()
            self._print(self._line(counts, stats))

    def __enter__(self) -> Self:
        """Begin to show; the clock starts here."""
        self._started = self._last = time.monotonic()
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def _latest(self) -> str:
        return "" if self._counts is None else self._line(*self._counts)

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)

    def _line(self, counts: RunCounts, stats: RequestStats) -> str:
        rate = self._rate(counts)
        parts = [
            self._rows(counts),
            *filter(None, [self._also]),
            f"{rate:,.1f}/s",
            f"{stats.in_flight:,} of {stats.limit:,} asks in flight"
            if stats.limit
            else f"{pluralize(stats.in_flight, 'ask')} in flight",
        ]
        if stats.retried:
            parts.append(f"{stats.retried:,} retried")
        if quarantined := counts.outcomes[QUARANTINED]:
            parts.append(f"{quarantined:,} quarantined")
        if counts.usage.output_tokens:
            parts.append(f"{counts.usage.output_tokens:,} tokens out")
        left = None if self.total is None else max(self.total - counts.rows, 0)
        if stats.cost:
            parts.append(_format_cost(counts, stats, left))
        if left and rate:
            parts.append(f"{_format_duration(left / rate)} left")
        return " · ".join(parts)

    def _rows(self, counts: RunCounts) -> str:
        if self.total is None or self.total < counts.rows:
            return pluralize(counts.rows, self._unit)
        return f"{counts.rows:,} of {pluralize(self.total, self._unit)}"

    def _rate(self, counts: RunCounts) -> float:
        """Return the rows a second of the last minute."""
        now = time.monotonic()
        marks = self._marks
        if not marks or now - marks[-1][0] >= _MARK_SECONDS:
            marks.append((now, counts.rows))
        while now - marks[0][0] > _RATE_WINDOW:
            marks.popleft()
        since, rows = marks[0] if len(marks) > 1 else (self._started, 0)
        return (counts.rows - rows) / max(now - since, 0.001)


def _format_cost(counts: RunCounts, stats: RequestStats, left: int | None) -> str:
    """Return what this process has spent, and will have if the rows to come are like those done."""
    spent = stats.cost
    assert spent is not None
    fresh = counts.rows - counts.reused
    if not left or not fresh:
        return f"${spent:,.2f}"
    return f"${spent:,.2f}, about ${spent + spent / fresh * left:,.2f} in all"


def _format_duration(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
