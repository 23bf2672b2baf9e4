"""The account of a run, for a person or a machine."""

import json
from collections.abc import Sequence
from decimal import Decimal

from whyset.generators import Usage
from whyset.pipelines import QUARANTINED, Foretold, Spent, Summary, Traffic

from ._tables import table
from ._words import counted


def render_summary(summary: Summary, *, as_json: bool) -> str:
    """Return the account: rows by outcome, reasons, tokens, dollars, time, files."""
    return _as_json(summary) if as_json else "\n".join(_lines(summary))


def _as_json(summary: Summary) -> str:
    files = summary.files
    record = {
        **summary.record(),
        "output": files.output,
        "quarantine": str(files.quarantine) if files.quarantine else None,
        "manifest": str(files.manifest) if files.manifest else None,
    }
    return json.dumps(record, ensure_ascii=False, indent=2)


def _lines(summary: Summary) -> list[str]:
    tally, files = summary.tally, summary.files
    lines = [f"{counted(tally.rows, 'row')} in {summary.seconds:,.1f} s"]
    lines.extend(
        f"{count:>9,}  {outcome:<12} {meaning}"
        for outcome, meaning in {**tally.meanings, QUARANTINED: "not in the output"}.items()
        if (count := tally.outcomes[outcome])
    )
    lines.extend(f"{count:>13,}  {reason}" for reason, count in tally.reasons.most_common())
    if tally.reused:
        lines.append(f"{tally.reused:,} of them done in an earlier run")
    lines += spent_lines(summary.spent, summary.traffic, summary.foretold, unit="row")
    if files.manifest is not None:
        lines.append(f"output      {files.output}")
        if tally.outcomes[QUARANTINED]:
            lines.append(f"quarantine  {files.quarantine}")
        lines.append(f"manifest    {files.manifest}")
    return lines


def spent_lines(
    spent: Sequence[Spent], traffic: Traffic, foretold: Foretold | None, *, unit: str
) -> list[str]:
    """Return what was spent on an output, by step and model, beside what a dry run had said."""
    if not spent:
        return []
    rows = [(one.step, one.model, *_taken(one)) for one in spent]
    if len(spent) > 1:
        rows.append(("together", "", *_taken(_together(spent))))
    return [
        "spent on this output, earlier runs included:",
        *table(rows, names=2),
        *_foretold_lines(foretold, unit),
        f"this time {counted(traffic.answered, 'ask')} answered by models, {traffic.replayed:,} "
        f"from the ledger, {traffic.retried:,} sent again",
    ]


def _foretold_lines(said: Foretold | None, unit: str) -> list[str]:
    if said is None or said.least is None or said.most is None:
        return []
    line = f"  the dry run said ${said.least:,.4f} to ${said.most:,.4f}"
    if said.projected is not None:
        line += f", ${said.projected:,.4f} as the {unit}s done by then went"
    return [f"{line}, for {counted(said.rows, unit)}"]


def _together(spent: Sequence[Spent]) -> Spent:
    """Return the sum; unpriced as soon as a part of it is."""
    costs = [one.cost for one in spent]
    return Spent(
        step="",
        model="",
        replies=sum(one.replies for one in spent),
        usage=sum((one.usage for one in spent), Usage()),
        cost=sum((cost for cost in costs if cost is not None), Decimal(0))
        if None not in costs
        else None,
    )


def _taken(spent: Spent) -> tuple[str, str, str, str]:
    usage = spent.usage
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    cached = f" ({usage.cache_read_tokens:,} cached)" if usage.cache_read_tokens else ""
    return (
        counted(spent.replies, "reply", "replies"),
        f"{read:,} tokens in{cached}",
        f"{usage.output_tokens:,} out",
        "unpriced" if spent.cost is None else f"${spent.cost:,.4f}",
    )
