"""The files of an export take their names together, in place of those of an earlier one."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._writer import LineWriter, RowWriter
from ..files._atomic import AtomicFile
from ._layout import MANIFEST_NAME, QUARANTINE_NAME, ExportLayout
from ._report import ExportReport


def commit_export(
    layout: ExportLayout,
    writers: Sequence[RowWriter],
    quarantine: LineWriter,
    texts: Mapping[str, str],
    report: ExportReport,
) -> None:
    """Put the new files in place of those of an earlier export.

    Its manifest goes first and the new one comes last: where there is one, it speaks of the files
    beside it, even if this process is killed in between. Where one cannot be written, the earlier
    ones are still there. Texts are the other files, by name.
    """
    with ExitStack() as stack:
        for writer in writers:
            writer.prepare()
        quarantine.prepare()
        files = [
            _write_text(layout.sibling_path(name), text, stack) for name, text in texts.items()
        ]
        previous = layout.find_previous_files()
        manifest = layout.sibling_path(MANIFEST_NAME)
        manifest.unlink(missing_ok=True)
        quarantine.commit(keep_empty=False)
        for writer in writers:
            writer.commit()
        for file in files:
            file.commit()
        current = {layout.folder / file.name for file in report.files}
        current |= {layout.sibling_path(name) for name in (*texts, QUARANTINE_NAME)}
        for path in previous:
            if path not in current:
                path.unlink(missing_ok=True)
        if layout.is_folder and not report.settings.control:
            remove_empty_folder(layout.control_folder)
        record = report.to_dict() | {
            "whyset": version("whyset"),
            "files": list(_describe_files(layout, texts, report)),
        }
        text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
        _write_text(manifest, text, stack).commit()


def remove_empty_folder(folder: Path) -> None:
    """Remove a folder with nothing in it."""
    if folder.is_dir() and not os.listdir(folder):
        folder.rmdir()


def _write_text(path: Path, text: str, stack: ExitStack) -> AtomicFile:
    file = AtomicFile(path)
    stack.callback(file.discard)
    file.write(text.encode("utf-8", "backslashreplace"))
    file.close()
    return file


def _describe_files(
    layout: ExportLayout, texts: Mapping[str, str], report: ExportReport
) -> Iterator[dict[str, Any]]:
    for file in report.files:
        yield {
            "name": file.name,
            "split": file.split,
            "control": file.is_control,
            "rows": file.rows,
            "sha256": _hash_file(layout.folder / file.name),
        }
    for name in texts:
        path = layout.sibling_path(name)
        yield {"name": layout.relative_name(path), "sha256": _hash_file(path)}


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
