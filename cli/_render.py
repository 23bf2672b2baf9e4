"""What is said of a run: the estimate before it and the summary after, as text or as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from whyset.generators import Usage
from whyset.pipelines import (
    QUARANTINED,
    CorpusSummary,
    Estimate,
    Forecast,
    Quota,
    SavedEstimate,
    StepCost,
    Summary,
)

from ._text import format_table, pluralize, render_json

# ---- The estimate of `--dry-run`


@dataclass(frozen=True, slots=True)
class EstimateWording:
    """What is worked on, and when that costs the least and the most."""

    unit: str
    least: str
    most: str


ROW_WORDING = EstimateWording(
    "row",
    "if nothing is at stake in any row",
    "if something is at stake in every row and each draft passes",
)
DOCUMENT_WORDING = EstimateWording(
    "document",
    "if no draft needs a revision",
    "if every draft is revised once and then passes",
)


def render_estimate(
    estimate: Estimate, *, as_json: bool, wording: EstimateWording = ROW_WORDING
) -> str:
    """Return the estimate: bounds and projection, tokens, dollars, and what was assumed."""
    if as_json:
        return render_json(estimate.record())
    lines = _heading_lines(estimate, wording.unit)
    if not estimate.most.asks:
        return "\n".join([*lines, "No requests would be sent: the run costs nothing."])
    lines += [*_step_lines(estimate), *_total_lines(estimate, wording)]
    return "\n".join([*lines, *_note_lines(estimate, wording.unit)])


def _heading_lines(estimate: Estimate, unit: str) -> list[str]:
    line = f"Dry run: nothing was sent. {pluralize(estimate.remaining, unit)} to do"
    if estimate.finished:
        line += f", {estimate.finished:,} done already"
    if estimate.unreadable:
        line += f", {pluralize(estimate.unreadable, 'line')} unreadable"
    if not estimate.is_sampled:
        return [line]
    sample = f"{estimate.simulated:,} of them, drawn at random (seed {estimate.seed})"
    return [line, f"estimated from {sample}"]


def _step_lines(estimate: Estimate) -> list[str]:
    rows = [
        (
            step.step,
            step.model,
            pluralize(step.asks, "ask"),
            f"{step.usage.input_tokens + step.usage.cache_write_tokens:,} tokens in",
            f"{step.usage.cache_read_tokens:,} cached",
            f"{step.usage.output_tokens:,} out",
            _format_dollars(step.live),
            f"{_format_dollars(step.batch)} by batch",
        )
        for step in estimate.most.steps
    ]
    return ["", "at most, by step:", *format_table(rows, names=2)] if rows else []


def _total_lines(estimate: Estimate, wording: EstimateWording) -> list[str]:
    cases = [
        ("at least", wording.least, estimate.least),
        ("at most", wording.most, estimate.most),
    ]
    if estimate.projected is not None:
        done = pluralize(estimate.projected_from, wording.unit)
        cases.append(("projected", f"as the {done} done so far went", estimate.projected))
    rows = [
        (
            name,
            meaning,
            pluralize(forecast.asks, "ask"),
            f"{_count_tokens(forecast):,} tokens",
            _format_dollars(forecast.live) + _format_interval(forecast, batch=False),
            f"{_format_dollars(forecast.batch)} by batch" + _format_interval(forecast, batch=True),
        )
        for name, meaning, forecast in cases
    ]
    return ["", *format_table(rows, names=2)]


def _note_lines(estimate: Estimate, unit: str) -> list[str]:
    lines = [
        "",
        f"Tokens are estimated; {estimate.reasoning:,} reasoning tokens are assumed before "
        f"each answer; revisions are extra. Prices of {estimate.prices_date}.",
    ]
    if estimate.unpriced:
        lines.append(
            f"No price is known for {', '.join(estimate.unpriced)}: add one with --prices."
        )
    elif estimate.projected is None:
        lines.append(f"Run some {unit}s and estimate again for a more accurate projection.")
    return lines


def _count_tokens(forecast: Forecast) -> int:
    usage = forecast.usage
    prompt = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
    return prompt + usage.output_tokens


def _format_dollars(amount: Decimal | None, decimals: int = 2) -> str:
    return "unpriced" if amount is None else f"${amount:,.{decimals}f}"


def _format_interval(forecast: Forecast, *, batch: bool) -> str:
    if forecast.intervals is None:
        return ""
    found = forecast.intervals.batch if batch else forecast.intervals.live
    return "" if found is None else f" ({found.low:,.2f} to {found.high:,.2f})"


# ---- The summary of a run over rows, and of a corpus

_SHORTFALLS_SHOWN = 12
_VALUES_SHOWN = 5
_NOT_IN_OUTPUT = "not in the output"
_REPLACED = "rejected attempts, replaced where possible"


def render_summary(summary: Summary, *, as_json: bool) -> str:
    """Return the summary: rows by outcome, reasons, tokens, dollars, time, files."""
    return _render_record(summary) if as_json else "\n".join(_summary_lines(summary))


def render_corpus_summary(summary: CorpusSummary, *, as_json: bool) -> str:
    """Return the summary: documents, coverage, variety, reasons, tokens, dollars, files."""
    return _render_record(summary) if as_json else "\n".join(_corpus_lines(summary))


def _render_record(summary: Summary | CorpusSummary) -> str:
    files = summary.files
    paths = {
        "output": files.output,
        "quarantine": str(files.quarantine) if files.quarantine else None,
        "manifest": str(files.manifest) if files.manifest else None,
    }
    return render_json({**summary.record(), **paths})


def _summary_lines(summary: Summary) -> Iterator[str]:
    counts = summary.counts
    yield f"{pluralize(counts.rows, 'row')} in {summary.seconds:,.1f} s"
    yield from _outcome_lines(summary, _NOT_IN_OUTPUT)
    if counts.reused:
        yield f"{counts.reused:,} of them done in an earlier run"
    yield from _cost_lines(summary, "row")
    yield from _file_lines(summary)


def _corpus_lines(summary: CorpusSummary) -> Iterator[str]:
    counts = summary.counts
    yield (
        f"{counts.documents:,} of {pluralize(counts.plan.documents, 'document')}, about "
        f"{counts.tokens:,} tokens, in {summary.seconds:,.1f} s"
    )
    yield from _outcome_lines(summary, _REPLACED)
    if summary.stop_reason:
        yield f"stopped: {summary.stop_reason}"
    yield from _shortfall_lines(summary)
    yield from _variety_lines(summary.variety)
    for note in summary.notes:
        yield f"note: {note}"
    yield from _cost_lines(summary, "document")
    yield from _file_lines(summary)


def _outcome_lines(summary: Summary | CorpusSummary, quarantined: str) -> Iterator[str]:
    counts = summary.counts
    for outcome, meaning in {**counts.meanings, QUARANTINED: quarantined}.items():
        if count := counts.outcomes[outcome]:
            yield f"{count:>9,}  {outcome:<12} {meaning}"
    for reason, count in counts.reasons.most_common():
        yield f"{count:>13,}  {reason}"


def _file_lines(summary: Summary | CorpusSummary) -> Iterator[str]:
    files = summary.files
    if files.manifest is None:
        return
    yield f"output      {files.output}"
    if summary.counts.outcomes[QUARANTINED]:
        yield f"quarantine  {files.quarantine}"
    yield f"manifest    {files.manifest}"


def _cost_lines(summary: Summary | CorpusSummary, unit: str) -> Iterator[str]:
    """Yield what was spent on an output, by step and model, beside what a dry run had said."""
    costs, stats = summary.costs, summary.stats
    if not costs:
        return
    rows = [(each.step, each.model, *_cost_cells(each)) for each in costs]
    if len(costs) > 1:
        rows.append(("total", "", *_cost_cells(_add_costs(costs))))
    yield "total cost of this output, earlier runs included:"
    yield from format_table(rows, names=2)
    yield from _dry_run_lines(summary.saved_estimate, unit)
    yield (
        f"this time {pluralize(stats.answered, 'ask')} answered by models, {stats.replayed:,} "
        f"from the ledger, {stats.retried:,} sent again"
    )


def _dry_run_lines(saved: SavedEstimate | None, unit: str) -> Iterator[str]:
    if saved is None or saved.least is None or saved.most is None:
        return
    line = f"  the dry run estimated ${saved.least:,.4f} to ${saved.most:,.4f}"
    if saved.projected is not None:
        line += f", ${saved.projected:,.4f} projected from the {unit}s done by then"
    yield f"{line}, for {pluralize(saved.rows, unit)}"


def _add_costs(costs: Sequence[StepCost]) -> StepCost:
    """Return the sum; unpriced as soon as a part of it is."""
    priced = [each.cost for each in costs if each.cost is not None]
    return StepCost(
        step="",
        model="",
        replies=sum(each.replies for each in costs),
        usage=sum((each.usage for each in costs), Usage()),
        cost=sum(priced, Decimal(0)) if len(priced) == len(costs) else None,
    )


def _cost_cells(cost: StepCost) -> tuple[str, str, str, str]:
    usage = cost.usage
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    cached = f" ({usage.cache_read_tokens:,} cached)" if usage.cache_read_tokens else ""
    return (
        pluralize(cost.replies, "reply", "replies"),
        f"{read:,} tokens in{cached}",
        f"{usage.output_tokens:,} out",
        _format_dollars(cost.cost, decimals=4),
    )


def _shortfall_lines(summary: CorpusSummary) -> Iterator[str]:
    short = summary.shortfalls
    if not short:
        sections = pluralize(len(summary.counts.sections), "section")
        yield f"coverage    every passage of {sections}"
        return
    yield "missing from the plan:"
    yield from (f"  {sentence}" for sentence in short[:_SHORTFALLS_SHOWN])
    if len(short) > _SHORTFALLS_SHOWN:
        yield f"  and {len(short) - _SHORTFALLS_SHOWN:,} more; the full list is in the manifest"


def _variety_lines(variety: Mapping[str, Sequence[Quota]]) -> list[str]:
    rows = []
    for axis, quotas in variety.items():
        most = sorted(quotas, key=lambda quota: -quota.written)[:_VALUES_SHOWN]
        values = ", ".join(f"{quota.meaning or quota.name} {quota.written:,}" for quota in most)
        rest = len(quotas) - len(most)
        rows.append((axis, f"{values}, and {rest:,} more" if rest else values))
    return ["variety:", *format_table(rows, names=2)] if rows else []
