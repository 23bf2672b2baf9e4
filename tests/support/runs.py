"""Runs as tests start them and look at them."""

from dataclasses import fields
from typing import Any

from whyset.models import Prices
from whyset.pipelines import Ledger, RunConfig

_CONFIG_FIELDS = {field.name for field in fields(RunConfig)}


def run_options(**options: Any) -> dict[str, Any]:
    """Return options of `Run` or `CorpusRun`, those of `RunConfig` gathered as `config`."""
    config = {name: options.pop(name) for name in _CONFIG_FIELDS & options.keys()}
    return {"config": RunConfig(**config), **options}


def count_replies(ledger: Ledger) -> int:
    """Return how many replies a ledger holds."""
    return sum(step.replies for step in ledger.cost_by_step(Prices.load()))
