"""The account of a run, for a person or a machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from whyset.generators import Usage
from whyset.pipelines import (
    QUARANTINED,
    CorpusSummary,
    Estimate,
    Forecast,
    Quota,
    RequestStats,
    SavedEstimate,
    StepCost,
    Summary,
)

from ._text import format_table, pluralize

# ---- What `--dry-run` says: what a run would ask and cost, before it does.


@dataclass(frozen=True, slots=True)
class EstimateWording:
    """How an estimate is told.

    Attributes:
        unit: What is worked on.
        least: When it costs the least.
        most: When it costs the most.
    """

    unit: str
    least: str
    most: str


ROW_WORDING = EstimateWording(
    "row",
    "if nothing is at stake in any row",
    "if something is at stake in every row, each draft passing",
)
DOCUMENT_WORDING = EstimateWording(
    "document",
    "if nobody finds anything to mend in any draft",
    "if something is to be mended in every draft, each then passing",
)


def render_estimate(
    estimate: Estimate, *, as_json: bool, wording: EstimateWording = ROW_WORDING
) -> str:
    """Return the estimate: bounds and projection, tokens, dollars, and what was assumed."""
    if as_json:
        return json.dumps(estimate.record(), ensure_ascii=False, indent=2)
    about = _heading_lines(estimate, wording.unit)
    if not estimate.most.asks:
        return "\n".join([*about, "No model would be asked: the run costs nothing."])
    totals = _total_lines(estimate, wording)
    return "\n".join(
        [*about, *_step_lines(estimate), *totals, *_note_lines(estimate, wording.unit)]
    )


def _heading_lines(estimate: Estimate, unit: str) -> list[str]:
    lines = [f"Dry run: nothing was sent. {pluralize(estimate.remaining, unit)} to do"]
    if estimate.finished:
        lines[0] += f", {estimate.finished:,} done already"
    if estimate.unreadable:
        lines[0] += f", {pluralize(estimate.unreadable, 'line')} unreadable"
    if estimate.is_sampled:
        lines.append(
            f"estimated from {estimate.simulated:,} of them, drawn at random (seed {estimate.seed})"
        )
    return lines


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
        said = f"as the {pluralize(estimate.projected_from, wording.unit)} done so far went"
        cases.append(("projected", said, estimate.projected))
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
        f"Tokens are estimated; {estimate.reasoning:,} tokens of reasoning are allowed for before "
        f"each answer; revisions come on top. Prices of {estimate.prices_date}.",
    ]
    if estimate.unpriced:
        lines.append(f"No price is known for {', '.join(estimate.unpriced)}: give one by --prices.")
    elif estimate.projected is None:
        lines.append(f"Run some {unit}s and estimate again: what they took makes it sharper.")
    return lines


def _count_tokens(forecast: Forecast) -> int:
    usage = forecast.usage
    prompt = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
    return prompt + usage.output_tokens


def _format_dollars(amount: Decimal | None) -> str:
    return "unpriced" if amount is None else f"${amount:,.2f}"


def _format_interval(forecast: Forecast, *, batch: bool) -> str:
    if forecast.intervals is None:
        return ""
    found = forecast.intervals.batch if batch else forecast.intervals.live
    return "" if found is None else f" ({found.low:,.2f} to {found.high:,.2f})"


def render_summary(summary: Summary, *, as_json: bool) -> str:
    """Return the account: rows by outcome, reasons, tokens, dollars, time, files."""
    return _render_summary_json(summary) if as_json else "\n".join(_summary_lines(summary))


def _render_summary_json(summary: Summary) -> str:
    files = summary.files
    record = {
        **summary.record(),
        "output": files.output,
        "quarantine": str(files.quarantine) if files.quarantine else None,
        "manifest": str(files.manifest) if files.manifest else None,
    }
    return json.dumps(record, ensure_ascii=False, indent=2)


def _summary_lines(summary: Summary) -> list[str]:
    tally, files = summary.counts, summary.files
    lines = [f"{pluralize(tally.rows, 'row')} in {summary.seconds:,.1f} s"]
    lines.extend(
        f"{count:>9,}  {outcome:<12} {meaning}"
        for outcome, meaning in {**tally.meanings, QUARANTINED: "not in the output"}.items()
        if (count := tally.outcomes[outcome])
    )
    lines.extend(f"{count:>13,}  {reason}" for reason, count in tally.reasons.most_common())
    if tally.reused:
        lines.append(f"{tally.reused:,} of them done in an earlier run")
    lines += cost_lines(summary.costs, summary.stats, summary.saved_estimate, unit="row")
    if files.manifest is not None:
        lines.append(f"output      {files.output}")
        if tally.outcomes[QUARANTINED]:
            lines.append(f"quarantine  {files.quarantine}")
        lines.append(f"manifest    {files.manifest}")
    return lines


def cost_lines(
    spent: Sequence[StepCost], traffic: RequestStats, foretold: SavedEstimate | None, *, unit: str
) -> list[str]:
    """Return what was spent on an output, by step and model, beside what a dry run had said."""
    if not spent:
        return []
    rows = [(one.step, one.model, *_cost_cells(one)) for one in spent]
    if len(spent) > 1:
        rows.append(("together", "", *_cost_cells(_add_costs(spent))))
    return [
        "spent on this output, earlier runs included:",
        *format_table(rows, names=2),
        *_dry_run_lines(foretold, unit),
        f"this time {pluralize(traffic.answered, 'ask')} answered by models, {traffic.replayed:,} "
        f"from the ledger, {traffic.retried:,} sent again",
    ]


def _dry_run_lines(said: SavedEstimate | None, unit: str) -> list[str]:
    if said is None or said.least is None or said.most is None:
        return []
    line = f"  the dry run said ${said.least:,.4f} to ${said.most:,.4f}"
    if said.projected is not None:
        line += f", ${said.projected:,.4f} as the {unit}s done by then went"
    return [f"{line}, for {pluralize(said.rows, unit)}"]


def _add_costs(spent: Sequence[StepCost]) -> StepCost:
    """Return the sum; unpriced as soon as a part of it is."""
    costs = [one.cost for one in spent]
    return StepCost(
        step="",
        model="",
        replies=sum(one.replies for one in spent),
        usage=sum((one.usage for one in spent), Usage()),
        cost=sum((cost for cost in costs if cost is not None), Decimal(0))
        if None not in costs
        else None,
    )


def _cost_cells(spent: StepCost) -> tuple[str, str, str, str]:
    usage = spent.usage
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    cached = f" ({usage.cache_read_tokens:,} cached)" if usage.cache_read_tokens else ""
    return (
        pluralize(spent.replies, "reply", "replies"),
        f"{read:,} tokens in{cached}",
        f"{usage.output_tokens:,} out",
        "unpriced" if spent.cost is None else f"${spent.cost:,.4f}",
    )


# ---- The account of a corpus, for a person or a machine.

_SHORTFALLS_SHOWN = 12
_VALUES_SHOWN = 5


def render_corpus_summary(summary: CorpusSummary, *, as_json: bool) -> str:
    """Return the account: documents, coverage, variety, reasons, tokens, dollars, files."""
    if as_json:
        files = summary.files
        record = {
            **summary.record(),
            "output": files.output,
            "quarantine": str(files.quarantine) if files.quarantine else None,
            "manifest": str(files.manifest) if files.manifest else None,
        }
        return json.dumps(record, ensure_ascii=False, indent=2)
    return "\n".join(_corpus_lines(summary))


def _corpus_lines(summary: CorpusSummary) -> list[str]:
    tally, files = summary.counts, summary.files
    lines = [
        f"{tally.documents:,} of {pluralize(tally.plan.documents, 'document')}, about "
        f"{tally.tokens:,} tokens, in {summary.seconds:,.1f} s"
    ]
    lines.extend(
        f"{count:>9,}  {outcome:<12} {meaning}"
        for outcome, meaning in {
            **tally.meanings,
            QUARANTINED: "attempts that came to nothing and were replaced where they could be",
        }.items()
        if (count := tally.outcomes[outcome])
    )
    lines.extend(f"{count:>13,}  {reason}" for reason, count in tally.reasons.most_common())
    if summary.stop_reason:
        lines.append(f"stopped: {summary.stop_reason}")
    lines += _shortfall_lines(summary)
    lines += _variety_lines(summary.variety)
    lines += [f"note: {note}" for note in summary.notes]
    lines += cost_lines(summary.costs, summary.stats, summary.saved_estimate, unit="document")
    if files.manifest is not None:
        lines.append(f"output      {files.output}")
        if tally.quarantined:
            lines.append(f"quarantine  {files.quarantine}")
        lines.append(f"manifest    {files.manifest}")
    return lines


def _shortfall_lines(summary: CorpusSummary) -> list[str]:
    short = summary.shortfalls
    if not short:
        return [
            f"coverage    every passage of {pluralize(len(summary.counts.sections), 'section')}"
        ]
    shown = [f"  {sentence}" for sentence in short[:_SHORTFALLS_SHOWN]]
    if len(short) > _SHORTFALLS_SHOWN:
        shown.append(f"  and {len(short) - _SHORTFALLS_SHOWN:,} more; the manifest has them all")
    return ["short of the plan:", *shown]


def _variety_lines(variety: Mapping[str, Sequence[Quota]]) -> list[str]:
    rows = []
    for axis, quotas in variety.items():
        most = sorted(quotas, key=lambda quota: -quota.written)[:_VALUES_SHOWN]
        told = ", ".join(f"{quota.meaning or quota.name} {quota.written:,}" for quota in most)
        rest = len(quotas) - len(most)
        rows.append((axis, f"{told}, and {rest:,} more" if rest else told))
    return ["variety:", *format_table(rows, names=2)] if rows else []
