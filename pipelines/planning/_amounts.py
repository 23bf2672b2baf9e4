"""Amounts as people write them: 3M, 500k."""

import re
from decimal import Decimal

from whyset.errors import PlanError

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmb]?)", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def amount(written: str | int) -> int:
    """Read an amount: `3M`, `500k`, `1.5M`, `2,000,000` or a whole number.

    Raises:
        PlanError: It is none, or not above 0.
    """
    text = str(written).strip().replace(",", "").replace("_", "")
    found = _AMOUNT.fullmatch(text)
    exact = Decimal(found[1]) * _FACTORS[found[2].lower()] if found else Decimal(0)
    if isinstance(written, bool) or exact < 1 or exact != int(exact):
        raise PlanError(f"an amount is a number such as 3M, 500k or 250000, not {written!r}")
    return int(exact)


def amount_text(value: int) -> str:
    """Return an amount in the shortest way that is exact."""
    for ending, factor in (("M", 1_000_000), ("k", 1_000)):
        if value and value % (factor // 10) == 0 and value >= factor:
            return f"{(Decimal(value) / factor).normalize():f}{ending}"
    return str(value)
