"""What replies cost."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from whyset.errors import ModelError

if TYPE_CHECKING:
    from whyset.generators import Usage

_MILLION = 1_000_000
_DATE = re.compile(r"[-@]20\d{6}$")
_RATES = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens of each kind.

    Attributes:
        input: Read, and not from the cache.
        output: Written, reasoning included.
        cache_read: Read from the provider's cache.
        cache_write: Written to it.
        above: The prompt's length, cached parts included, from which on `long` holds.
        long: The price of every token of a request with a longer prompt.
        cache_from: How many tokens at a prompt's beginning the provider caches at least; `None`
            where that is unknown, and then no estimate counts on it.
        tokens: How many tokens the model counts where `estimate_tokens` counts one.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    above: int | None = None
    long: "Price | None" = None
    cache_from: int | None = None
    tokens: Decimal = Decimal(1)

    def cost(self, usage: "Usage") -> Decimal:
        """Return the dollars of one reply."""
        prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        if self.long is not None and self.above is not None and prompt > self.above:
            return self.long.cost(usage)
        return (
            usage.input_tokens * self.input
            + usage.output_tokens * self.output
            + usage.cache_read_tokens * self.cache_read
            + usage.cache_write_tokens * self.cache_write
        ) / _MILLION


@dataclass(frozen=True, slots=True)
class Prices:
    """A dated list of prices.

    Attributes:
        dated: When it was true.
        models: The price of each `provider:model`.
        batch: What a message batch costs against single asks, by provider.
    """

    dated: date
    models: Mapping[str, Price]
    batch: Mapping[str, Decimal]

    @classmethod
    def load(cls, path: Path | str | None = None) -> Self:
        """Return the list that ships with whyset, with a file's entries laid over it.

        Args:
            path: A TOML file of the same format as `models/prices.toml`.

        Raises:
            ModelError: The file cannot be read or is of another form; the message says where.
        """
        shipped = files(__package__).joinpath("prices.toml").read_text(encoding="utf-8")
        prices = cls._parse(shipped, "prices.toml")
        if path is None:
            return prices
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            why = error.strerror or error
            raise ModelError(f"The prices in {path} cannot be read: {why}") from error
        except UnicodeDecodeError as error:
            raise ModelError(f"The prices in {path} are not UTF-8; save them as UTF-8") from error
        own = cls._parse(text, str(path))
        return cls(own.dated, {**prices.models, **own.models}, {**prices.batch, **own.batch})

    def find(self, model: str) -> Price | None:
        """Return the price of a model; `None` where the list has none.

        Args:
            model: `provider:model`; `langchain:` before it and a date at its end do not matter.
        """
        base = model.removeprefix("langchain:")
        return self.models.get(base) or self.models.get(_DATE.sub("", base))

    def cost(self, model: str, usage: "Usage", *, batch: bool = False) -> Decimal | None:
        """Return what one reply cost in dollars; `None` where its model is unpriced.

        Args:
            model: `provider:model`.
            usage: Of one reply, not of many: some prices hang on the length of the prompt.
            batch: Whether it came out of a message batch.
        """
        price = self.find(model)
        if price is None:
            return None
        if not batch:
            return price.cost(usage)
        factor = self.batch.get(model.removeprefix("langchain:").partition(":")[0])
        return None if factor is None else price.cost(usage) * factor

    @classmethod
    def _parse(cls, text: str, where: str) -> Self:
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise ModelError(f"{where} is no TOML: {error}") from error
        dated = data.get("dated")
        if not isinstance(dated, date):
            raise ModelError(f"{where}: give the date of the prices: dated = 2026-11-23")
        models = _require_table(data.get("models", {}), f"{where}: models")
        batch = _require_table(data.get("batch", {}), f"{where}: batch")
        return cls(
            dated,
            {name: _parse_price(entry, f"{where}: {name}") for name, entry in models.items()},
            {
                name: _parse_amount(factor, f"{where}: batch.{name}")
                for name, factor in batch.items()
            },
        )


def _parse_price(entry: Any, where: str) -> Price:
    table = _require_table(entry, where)
    price = _parse_rates(table, where, ("long", "cache_from", "tokens"))
    if "cache_from" in table:
        price = replace(price, cache_from=_parse_count(table["cache_from"], f"{where}: cache_from"))
    if "tokens" in table:
        price = replace(price, tokens=_parse_amount(table["tokens"], f"{where}: tokens"))
    if "long" not in table:
        return price
    long = _require_table(table["long"], f"{where}: long")
    above = long.get("above")
    if not isinstance(above, int) or isinstance(above, bool):
        raise ModelError(f"{where}: long: say from how many tokens on: above = 100_000")
    return replace(price, above=above, long=_parse_rates(long, f"{where}: long", ("above",)))


def _parse_rates(table: dict[str, Any], where: str, others: tuple[str, ...]) -> Price:
    if unknown := sorted(set(table) - {*_RATES, *others}):
        known = ", ".join((*_RATES, *others))
        raise ModelError(f"{where}: {unknown[0]} is not a known key; known: {known}.")
    return Price(
        input=_parse_amount(table.get("input"), f"{where}: input"),
        output=_parse_amount(table.get("output"), f"{where}: output"),
        cache_read=_parse_amount(table.get("cache_read"), f"{where}: cache_read"),
        cache_write=_parse_amount(table.get("cache_write"), f"{where}: cache_write"),
    )


def _parse_amount(value: Any, where: str) -> Decimal:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        amount = Decimal(value)
        if amount.is_finite() and amount >= 0:
            return amount
    raise ModelError(f"{where} is missing or not an amount.")


def _parse_count(value: Any, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ModelError(f"{where} is not a number of tokens.")


def _require_table(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ModelError(f"{where} is not a table.")
