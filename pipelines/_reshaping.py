"""Finished rows in another shape than they came in."""

from dataclasses import replace

from whyset.datasets import COLUMN, ConversionRefused, DatasetError, Shape, convert, dumps, loads

from ._live import Done
from ._rowrecord import QUARANTINED, RowRecord

REFUSED = "shape"
"""Why a row is quarantined that the shape cannot hold."""


def reshaped(done: Done, to: Shape) -> Done:
    """Return a finished row written in a shape, or quarantined where that cannot hold it.

    The ledger keeps the row as it is: another run may write it in another shape, and asks nobody.
    """
    line = done.record.line
    if line is None:
        return done
    columns = loads(line)
    provenance = columns.pop(COLUMN, None)
    try:
        converted = convert(columns, to=to)
    except (ConversionRefused, DatasetError) as error:
        record = RowRecord(
            QUARANTINED,
            done.record.usage,
            reasons=(REFUSED,),
            detail=str(error),
            known={"finished": columns, COLUMN: provenance},
        )
        return replace(done, record=record)
    return replace(done, record=replace(done.record, line=dumps({**converted, COLUMN: provenance})))
