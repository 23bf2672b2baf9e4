"""The run's manifest: what is true of a run and belongs in none of its rows.

A row depends on its input, the constitution, the settings and the replies alone. When and with
what it was made is told here: no keys, no addresses, and of paths the file names only, so that the
manifest can be published with the data.
"""

from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from whyset.datasets import Selection, Shape

from ._crew import Crew
from ._rowrecord import QUARANTINED
from ._summary import Summary


def manifest_record(
    summary: Summary,
    crew: Crew,
    *,
    started: datetime,
    finished: datetime,
    prices_of: str,
    selection: Selection,
    to: Shape | None,
) -> dict[str, Any]:
    """Return a finished run's manifest as plain values.

    Args:
        summary: The account of the run.
        crew: Who worked.
        started: When the run began, with a time zone.
        finished: When its last row was done.
        prices_of: The date of the price list.
        selection: What of each row was worked on.
        to: The shape that rows were written in, where it was not each one's own.
    """
    files = summary.files
    read = files.source.labels
    quarantine = files.quarantine if summary.tally.outcomes[QUARANTINED] else None
    return {
        "whyset": version("whyset"),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "input": read[0] if len(read) == 1 else list(read),
        "output": Path(files.output).name,
        "quarantine": quarantine.name if quarantine else None,
        "selection": asdict(selection),
        "to": to,
        **crew_record(crew, files.constitution),
        "prices_of": prices_of,
        "summary": summary.record(),
    }


def crew_record(crew: Crew, file: Path | None) -> dict[str, Any]:
    """Return what a manifest tells of who worked.

    Args:
        crew: Who did.
        file: The file that the constitution was read from, where it was.
    """
    constitution = crew.retriever.constitution
    return {
        "constitution": {
            "title": constitution.title,
            "sha256": constitution.digest,
            "file": file.name if file else None,
        },
        "generator": {"name": crew.generator.name, "version": crew.generator.version},
        "models": crew.model_names,
        "retrieval": crew.retriever.identity,
        "settings": dict(crew.settings),
    }
