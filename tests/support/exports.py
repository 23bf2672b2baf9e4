"""Rows as whyset wrote them, and an export of them: what tests of exports are told with."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from whyset.datasets import PROVENANCE_COLUMN, dumps, open_source
from whyset.datasets.export import Export, ExportReport, ExportSettings

Record = dict[str, Any]

USER: Record = {"role": "user", "content": "May I read her diary?"}
ANSWER: Record = {"role": "assistant", "content": "Ask her."}
THOUGHT: Record = {"role": "assistant", "reasoning_content": "It is hers.", "content": "Ask her."}


def provenance(outcome: str = "rewritten", **fields: Any) -> str:
    """Return a `whyset` column as it is written."""
    fields.setdefault("channel", "thinking")
    if outcome != "written":
        fields.setdefault("original_response", None if outcome == "untouched" else "Ask her.")
    column = {"outcome": outcome, "generator": "deliberation", "version": "1", **fields}
    return dumps(column).decode()


def rewritten(number: int = 0, outcome: str = "rewritten", **columns: Any) -> Record:
    """Return a row of conversation; one that was left alone has no reasoning."""
    asked = {**USER, "content": f"{number}: {USER['content']}"}
    answered = ANSWER if outcome == "untouched" else THOUGHT
    return {"messages": [asked, answered], **columns, PROVENANCE_COLUMN: provenance(outcome)}


def document(text: str) -> Record:
    """Return a document."""
    return {"text": text, PROVENANCE_COLUMN: provenance("written", generator="explanation")}


def ordinary(number: int) -> Record:
    """Return a row that nobody worked on, in another shape."""
    return {"instruction": f"Count to {number}.", "input": "", "output": f"{number}, done."}


def write(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as JSON lines."""
    path.write_bytes(b"".join(dumps(dict(record)) + b"\n" for record in records))
    return path


def run_export(
    folder: Path,
    records: Iterable[Mapping[str, Any]],
    consumer: str = "trl",
    *,
    output: str = "out/",
    mix: Iterable[Mapping[str, Any]] | None = None,
    form: str | None = None,
    **settings: Any,
) -> ExportReport:
    """Export records from a file in a folder to an output in it."""
    mixed = None if mix is None else open_source(write(folder / "mix.jsonl", mix))
    return Export.prepare(
        f"{folder}/{output}",
        open_source(write(folder / "rows.jsonl", records)),
        consumer,
        settings=ExportSettings(**settings),
        mix=mixed,
        form=form,
    ).run()


def read(path: Path) -> list[Record]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
