"""What `--dry-run` says: what a run would ask and cost, before it does."""

import json
from dataclasses import dataclass
from decimal import Decimal

from whyset.pipelines import Estimate, Forecast

from ._tables import table
from ._words import counted


@dataclass(frozen=True, slots=True)
class Wording:
    """How an estimate is told.

    Attributes:
        unit: What is worked on.
        least: When it costs the least.
        most: When it costs the most.
    """

    unit: str
    least: str
    most: str


OF_ROWS = Wording(
    "row",
    "if nothing is at stake in any row",
    "if something is at stake in every row, each draft passing",
)
OF_DOCUMENTS = Wording(
    "document",
    "if nobody finds anything to mend in any draft",
    "if something is to be mended in every draft, each then passing",
)


def render_estimate(estimate: Estimate, *, as_json: bool, wording: Wording = OF_ROWS) -> str:
    """Return the estimate: bounds and projection, tokens, dollars, and what was assumed."""
    if as_json:
        return json.dumps(estimate.record(), ensure_ascii=False, indent=2)
    about = _about(estimate, wording.unit)
    if not estimate.most.asks:
        return "\n".join([*about, "No model would be asked: the run costs nothing."])
    totals = _totals(estimate, wording)
    return "\n".join([*about, *_steps(estimate), *totals, *_notes(estimate, wording.unit)])


def _about(estimate: Estimate, unit: str) -> list[str]:
    lines = [f"Dry run: nothing was sent. {counted(estimate.remaining, unit)} to do"]
    if estimate.finished:
        lines[0] += f", {estimate.finished:,} done already"
    if estimate.unreadable:
        lines[0] += f", {counted(estimate.unreadable, 'line')} unreadable"
    if estimate.sampled:
        lines.append(
            f"estimated from {estimate.walked:,} of them, drawn at random (seed {estimate.seed})"
        )
    return lines


def _steps(estimate: Estimate) -> list[str]:
    rows = [
        (
            step.step,
            step.model,
            counted(step.asks, "ask"),
            f"{_prompt(step.usage.input_tokens, step.usage.cache_write_tokens):,} tokens in",
            f"{step.usage.cache_read_tokens:,} cached",
            f"{step.usage.output_tokens:,} out",
            _dollars(step.live),
            f"{_dollars(step.batch)} by batch",
        )
        for step in estimate.most.steps
    ]
    return ["", "at most, by step:", *table(rows, names=2)] if rows else []


def _totals(estimate: Estimate, wording: Wording) -> list[str]:
    cases = [
        ("at least", wording.least, estimate.least),
        ("at most", wording.most, estimate.most),
    ]
    if estimate.as_so_far is not None:
        said = f"as the {counted(estimate.projected_from, wording.unit)} done so far went"
        cases.append(("projected", said, estimate.as_so_far))
    rows = [
        (
            name,
            meaning,
            counted(forecast.asks, "ask"),
            f"{_all_tokens(forecast):,} tokens",
            _dollars(forecast.live) + _range(forecast, batch=False),
            f"{_dollars(forecast.batch)} by batch" + _range(forecast, batch=True),
        )
        for name, meaning, forecast in cases
    ]
    return ["", *table(rows, names=2)]


def _notes(estimate: Estimate, unit: str) -> list[str]:
    lines = [
        "",
        f"Tokens are estimated; {estimate.reasoning:,} tokens of reasoning are allowed for before "
        f"each answer; revisions come on top. Prices of {estimate.prices_of}.",
    ]
    if estimate.unpriced:
        lines.append(f"No price is known for {', '.join(estimate.unpriced)}: give one by --prices.")
    elif estimate.as_so_far is None:
        lines.append(f"Run some {unit}s and estimate again: what they took makes it sharper.")
    return lines


def _all_tokens(forecast: Forecast) -> int:
    usage = forecast.usage
    prompt = _prompt(usage.input_tokens, usage.cache_write_tokens) + usage.cache_read_tokens
    return prompt + usage.output_tokens


def _prompt(read: int, written: int) -> int:
    """Return the tokens at the full price or above: what goes into the cache is read as well."""
    return read + written


def _dollars(amount: Decimal | None) -> str:
    return "unpriced" if amount is None else f"${amount:,.2f}"


def _range(forecast: Forecast, *, batch: bool) -> str:
    if forecast.ranges is None:
        return ""
    found = forecast.ranges.batch if batch else forecast.ranges.live
    return "" if found is None else f" ({found.low:,.2f} to {found.high:,.2f})"
