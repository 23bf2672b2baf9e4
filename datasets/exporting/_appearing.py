"""The files of an export take their names together, in place of those of an earlier one."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._table_writer import RowWriter
from .._writer import LineWriter
from ..containers._target import Target
from ._account import Exported
from ._drawing import Split
from ._places import MANIFEST, QUARANTINE, Places


@dataclass(slots=True)
class Open:
    """A file of rows that is being written.

    Attributes:
        path: What it will be called.
        writer: What writes it.
        count: How many rows it has.
    """

    path: Path
    writer: RowWriter
    count: int = 0

    def write(self, line: bytes) -> None:
        """Append a row."""
        self.writer.write(line)
        self.count += 1


def appear(
    places: Places,
    opened: Mapping[tuple[Split, bool], Open],
    quarantine: LineWriter,
    texts: Mapping[str, str],
    exported: Exported,
) -> None:
    """Put the new files in place of those of an earlier export.

    Its manifest goes first and the new one comes last: where there is one, it speaks of the files
    beside it, even if this process is killed in between.

    Args:
        places: Where.
        opened: The files of rows.
        quarantine: What could not be exported.
        texts: Name → content of the other files.
        exported: What the manifest tells.

    Raises:
        DatasetError: One cannot be written; then the earlier ones are still there.
    """
    with ExitStack() as stack:
        for each in opened.values():
            each.writer.prepare()
        quarantine.prepare()
        targets = [_finished(places.beside(name), text, stack) for name, text in texts.items()]
        old = places.earlier()
        manifest = places.beside(MANIFEST)
        manifest.unlink(missing_ok=True)
        quarantine.commit(keep_empty=False)
        for each in opened.values():
            each.writer.commit()
        for target in targets:
            target.appear()
        kept = {each.path for each in opened.values()}
        kept |= {places.beside(name) for name in (*texts, QUARANTINE)}
        for path in old:
            if path not in kept:
                path.unlink(missing_ok=True)
        if places.is_folder and not exported.settings.control:
            remove_empty(places.folder / "control")
        files = list(_described(places, texts, exported))
        record = exported.record() | {"whyset": version("whyset"), "files": files}
        text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
        _finished(manifest, text, stack).appear()


def remove_empty(folder: Path) -> None:
    """Remove a folder with nothing in it."""
    if folder.is_dir() and not os.listdir(folder):
        folder.rmdir()


def _finished(path: Path, text: str, stack: ExitStack) -> Target:
    target = Target(path)
    stack.callback(target.discard)
    target.write(text.encode("utf-8", "backslashreplace"))
    target.finish()
    return target


def _described(
    places: Places, texts: Mapping[str, str], exported: Exported
) -> Iterator[dict[str, Any]]:
    for file in exported.files:
        yield {"name": file.name, **file.told(), "sha256": _digest(places.folder / file.name)}
    for name in texts:
        path = places.beside(name)
        yield {"name": places.told(path), "sha256": _digest(path)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
