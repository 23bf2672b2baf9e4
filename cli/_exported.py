"""The account of an export, for a person or a machine."""

import json
from typing import TYPE_CHECKING

from ._words import counted

if TYPE_CHECKING:
    from whyset.datasets.export import Export, Exported


def render_exported(export: "Export", exported: "Exported", *, as_json: bool) -> str:
    """Return the account: rows by outcome, what was left out or refused, files, notes."""
    if as_json:
        folder = str(export.places.folder)
        return json.dumps(exported.record() | {"folder": folder}, ensure_ascii=False, indent=2)
    return "\n".join(_lines(export, exported))


def _lines(export: "Export", exported: "Exported") -> list[str]:
    places, own = export.places, exported.own
    lines = [f"{counted(exported.rows, 'row')} for {export.consumer.title}, as {exported.kind}"]
    lines += [
        f"{count:>9,}  {outcome or 'without provenance'}"
        for outcome, count in own.outcomes.most_common()
    ]
    if export.mix is not None:
        lines.append(
            f"{exported.mixed:>9,}  ordinary, mixed in: {exported.share:.0%} are synthetic"
        )
    for title, counts in (
        ("left out", own.left_out + exported.others.left_out),
        ("refused", own.refused + exported.others.refused),
    ):
        lines += [f"{title:<10}{count:>9,}  {reason}" for reason, count in counts.most_common()]
    for file in exported.files:
        what = f"{'control ' if file.control else ''}{file.split}"
        lines.append(f"{what:<14}{places.folder / file.name}  {counted(file.rows, 'row')}")
    lines += [f"{'with':<14}{places.beside(name)}" for name in exported.companions]
    if exported.quarantined:
        lines.append(f"{'quarantine':<14}{places.beside('quarantine.jsonl')}")
    lines += [f"Note: {note}" for note in exported.notes]
    return lines
