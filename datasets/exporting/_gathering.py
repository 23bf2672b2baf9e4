"""Rows in: which are exported at all, as what, and the lines that they become.

First all rows are set aside, because what one becomes hangs on the others: whether they are of one
kind, and whether all of them carry reasoning. Then each becomes a line, or goes to quarantine.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Any

from whyset.errors import DatasetError

from .._json import dumps, loads
from .._provenance import earlier_pass
from .._row import COLUMN, BadRow, Shape
from .._writer import quarantine_line
from ..containers import Source
from ..shapes._forms import is_text
from ._consumer import Consumer, Style
from ._control import CONTROL, UNTOUCHED, restored
from ._counts import Counts
from ._kinds import Family, Kind, NotExported, family_of, kind_of_family
from ._line import Line
from ._settings import ExportSettings
from ._spool import Spool
from ._taking import Taken, outcome_of, take

_KEPT_FROM_TRAINING = frozenset({"annotated", "quarantined"})


class Gathering:
    """Rows of one export on their way in.

    Args:
        consumer: Whom they are for.
        settings: What is wanted.
        folder: Where rows can be set aside.
        on_row: Called with the provenance of every row that is exported.
        on_quarantine: Called with every line for the quarantine.
    """

    def __init__(
        self,
        consumer: Consumer,
        settings: ExportSettings,
        folder: Path,
        *,
        on_row: Callable[[Mapping[str, Any] | None], None],
        on_quarantine: Callable[[bytes], None],
    ) -> None:
        self.own, self.mixed = Counts(), Counts()
        self.columns: set[str] = set()
        self._consumer = consumer
        self._settings = settings
        self._folder = folder
        self._on_row = on_row
        self._on_quarantine = on_quarantine
        self._families: Counter[Family] = Counter()
        self._shapes: set[Shape | None] = set()
        self._reasoning: set[bool] = set()

    def gather(
        self, source: Source, mix: Source | None, stack: ExitStack
    ) -> tuple[Kind, Spool, Spool]:
        """Return the kind of the export, its lines, and those that can be mixed in.

        Raises:
            DatasetError: A source cannot be read, rows are of several kinds, or of one that the
                consumer does not read.
        """
        with Spool(self._folder) as own, Spool(self._folder) as others:
            self._set_aside(source, own, self.own, mixed=False)
            if mix is not None:
                self._set_aside(mix, others, self.mixed, mixed=True)
            kind = self._kind()
            style = Style(self._settings.think_tags, mixed_reasoning=self.mixed_reasoning)
            lines, mixed_lines = (stack.enter_context(Spool(self._folder)) for _ in range(2))
            self._convert(own, lines, kind, style, self.own)
            self._convert(others, mixed_lines, kind, style, self.mixed)
        return kind, lines, mixed_lines

    @property
    def mixed_reasoning(self) -> bool:
        """Whether some rows carry reasoning and others, the control's included, do not."""
        return True in self._reasoning and (False in self._reasoning or self._settings.control)

    def _set_aside(self, source: Source, spool: Spool, counts: Counts, *, mixed: bool) -> None:
        for record, place in source.records():
            counts.read += 1
            if isinstance(record, BadRow):
                self._quarantine(counts, record.line, "unreadable", record.reason, record, place)
                continue
            provenance = earlier_pass(record.columns)
            outcome = outcome_of(provenance)
            if mixed and _is_synthetic(outcome):
                raise DatasetError(
                    f"--mix: {place or f'line {record.line}'} was written by whyset (outcome "
                    f"{outcome!r}); what is mixed in must be ordinary rows"
                )
            if outcome in _KEPT_FROM_TRAINING - self._settings.include:
                counts.left_out[outcome] += 1
                continue
            try:
                taken = take(record.columns)
            except NotExported as error:
                self._quarantine(
                    counts, record.line, error.reason, str(error), record.columns, place
                )
                continue
            if not mixed:
                self._families[taken.family] += 1
                self._shapes.add(taken.shape)
            self._reasoning.add(taken.reasons)
            spool.add(dumps([record.line, place, record.columns]))

    def _kind(self) -> Kind:
        """Return what is exported: what was asked for, or what all rows are.

        Raises:
            DatasetError: Rows are of several kinds, or of one that the consumer does not read.
        """
        consumer, wanted = self._consumer, self._settings.kind
        if wanted is None:
            if len(self._families) > 1:
                told = ", ".join(f"{family} {count:,}" for family, count in self._families.items())
                raise DatasetError(
                    f"rows of several kinds ({told}), which nobody trains on together; export one "
                    "after the other with --kind messages, preference or text"
                )
            family: Family = next(iter(self._families), "conversation")
            pairs = self._shapes == {"completion"} and "completion" in consumer.kinds
            wanted = "completion" if pairs else kind_of_family(family)
        if wanted not in consumer.kinds:
            raise DatasetError(
                f"{consumer.title} does not read rows of kind {wanted!r}; it reads: "
                f"{', '.join(consumer.kinds)}"
            )
        return wanted

    def _convert(
        self, spool: Spool, lines: Spool, kind: Kind, style: Style, counts: Counts
    ) -> None:
        family = family_of(kind)
        for number, place, columns in map(loads, spool):
            taken = take(columns)
            if taken.family != family:
                counts.left_out[f"kind:{taken.family}"] += 1
                continue
            try:
                line = self._line(columns, taken, kind, style)
            except NotExported as error:
                self._quarantine(counts, number, error.reason, str(error), columns, place)
                continue
            lines.add(line.packed())
            self._count(counts, taken)

    def _line(self, columns: Mapping[str, Any], taken: Taken, kind: Kind, style: Style) -> Line:
        row = self._row(taken, kind, style)
        control = b""
        if self._settings.control:
            without = take(restored(columns, self._settings.selection))
            control = dumps(self._row(without, kind, style))
        self.columns |= row.keys()
        opening = blake2b(taken.opening.encode("utf-8", "surrogatepass"), digest_size=16)
        return Line(opening.hexdigest(), dumps(row), control)

    def _row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        consumer, settings = self._consumer, self._settings
        row = consumer.row(taken, kind, style)
        if not consumer.open:
            return row
        extra = taken.extra or {}
        for name in settings.keep:
            if name in consumer.reserved:
                raise DatasetError(f"--keep {name}: means something else to {consumer.title}")
            if name in extra:
                row[name] = extra[name]
        if taken.provenance is not None and not settings.drop_provenance:
            row[COLUMN] = dumps(dict(taken.provenance)).decode()
        return row

    def _count(self, counts: Counts, taken: Taken) -> None:
        counts.exported += 1
        counts.synthetic += _is_synthetic(taken.outcome)
        counts.outcomes[taken.outcome] += 1
        counts.reasoning += taken.reasons
        counts.reasoning_earlier += taken.reasons_earlier
        counts.left_columns.update((taken.extra or {}).keys() - set(self._settings.keep))
        if not self._consumer.open and taken.provenance is not None:
            counts.left_columns[COLUMN] += 1
        counts.renamed.update(_renamed(taken))
        if counts is self.own:
            self._on_row(taken.provenance)

    def _quarantine(
        self,
        counts: Counts,
        line: int,
        reason: str,
        detail: str,
        content: BadRow | Mapping[str, Any],
        place: str,
    ) -> None:
        counts.refused[reason] += 1
        self._on_quarantine(quarantine_line(line, (reason,), content, source=place, detail=detail))


def _is_synthetic(outcome: str) -> bool:
    return outcome not in {"", UNTOUCHED, CONTROL}


def _renamed(taken: Taken) -> Iterator[str]:
    """Yield what of a row is written otherwise than it stood: told, because it is no secret."""
    spoken = (*taken.messages, *taken.rejected)
    roles = {message.role for message in spoken}
    if "developer" in roles:
        yield "the role developer is written as system"
    if "function" in roles:
        yield "the role function is written as tool"
    if any(len(m.parts) > 1 and all(map(is_text, m.parts)) for m in spoken):
        yield "several text parts are written as one text, nothing between them"
