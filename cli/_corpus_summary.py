"""The account of a corpus, for a person or a machine."""

import json
from collections.abc import Mapping, Sequence

from whyset.pipelines import QUARANTINED, CorpusSummary, Quota

from ._summary import spent_lines
from ._tables import table
from ._words import counted

_SHORT_SHOWN = 12
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
    return "\n".join(_lines(summary))


def _lines(summary: CorpusSummary) -> list[str]:
    tally, files = summary.tally, summary.files
    lines = [
        f"{tally.documents:,} of {counted(tally.plan.documents, 'document')}, about "
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
    if summary.stopped:
        lines.append(f"stopped: {summary.stopped}")
    lines += _shortfall_lines(summary)
    lines += _variety_lines(summary.variety)
    lines += [f"note: {note}" for note in summary.notes]
    lines += spent_lines(summary.spent, summary.traffic, summary.foretold, unit="document")
    if files.manifest is not None:
        lines.append(f"output      {files.output}")
        if tally.quarantined:
            lines.append(f"quarantine  {files.quarantine}")
        lines.append(f"manifest    {files.manifest}")
    return lines


def _shortfall_lines(summary: CorpusSummary) -> list[str]:
    short = summary.shortfalls
    if not short:
        return [f"coverage    every passage of {counted(len(summary.tally.sections), 'section')}"]
    shown = [f"  {sentence}" for sentence in short[:_SHORT_SHOWN]]
    if len(short) > _SHORT_SHOWN:
        shown.append(f"  and {len(short) - _SHORT_SHOWN:,} more; the manifest has them all")
    return ["short of the plan:", *shown]


def _variety_lines(variety: Mapping[str, Sequence[Quota]]) -> list[str]:
    rows = []
    for axis, quotas in variety.items():
        most = sorted(quotas, key=lambda quota: -quota.written)[:_VALUES_SHOWN]
        told = ", ".join(f"{quota.meaning or quota.name} {quota.written:,}" for quota in most)
        rest = len(quotas) - len(most)
        rows.append((axis, f"{told}, and {rest:,} more" if rest else told))
    return ["variety:", *table(rows, names=2)] if rows else []
