"""Where the files of an export lie, and what they must never be written over."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyset.errors import DatasetError

from ..files import STDIN, Source, format_from_name
from ._settings import SPLITS, Split

MANIFEST_NAME = "export.json"
CARD_NAME = "README.md"
QUARANTINE_NAME = "quarantine.jsonl"

_EXPORT_FILES = re.compile(
    r"(control/)?(train|test)\.[a-z]+(\.(gz|zst))?|README\.md|quarantine\.jsonl"
    r"|dataset_info\.json|[a-z_]+\.yaml"
)


@dataclass(frozen=True, slots=True)
class ExportLayout:
    """Where the files of an export lie.

    Attributes:
        folder: The folder that is written, or that the file lies in.
        stem: What the file is called without its ending; empty where a folder is written.
        suffix: Of files with rows, with the dot: `.jsonl`.
    """

    folder: Path
    stem: str
    suffix: str

    @classmethod
    def from_output(cls, output: str, form: str | None) -> "ExportLayout":
        """Read the name of an output: a file where it has an ending that is known, else a folder.

        `form` is what files in a folder are: `jsonl`, `parquet`, `jsonl.zst`, …
        """
        if output == STDIN:
            raise DatasetError("an export is several files; name a file or a folder with -o")
        path = Path(output)
        named = None if path.is_dir() else format_from_name(output)
        if named is None or named.name == "folder":
            ending = f".{form or 'jsonl'}"
            if format_from_name(f"rows{ending}") is None:
                raise DatasetError(
                    f"unknown file format {form!r}; name one such as jsonl or parquet"
                )
            layout = cls(path, "", ending)
            parent = path.resolve().parent
        else:
            if form is not None:
                raise DatasetError("the file's suffix sets its format; --format is for folders")
            suffixes = path.suffixes[-2:] if named.compression else path.suffixes[-1:]
            ending = "".join(suffixes)
            layout = cls(path.parent, path.name.removesuffix(ending), ending)
            parent = path.parent
        if not parent.is_dir():
            raise DatasetError(f"{output}: no such folder: {parent}; make it first")
        return layout

    @property
    def is_folder(self) -> bool:
        """Whether a folder is written."""
        return not self.stem

    @property
    def control_folder(self) -> Path:
        """Where the control's files are, in a folder."""
        return self.folder / "control"

    def rows_path(self, split: Split, *, is_split: bool, control: bool = False) -> Path:
        """Return the file of one side of a split; `is_split` says whether there is one at all."""
        if self.is_folder:
            return (self.control_folder if control else self.folder) / f"{split}{self.suffix}"
        parts = [self.stem, *(["control"] if control else []), *([split] if is_split else [])]
        return self.folder / f"{'.'.join(parts)}{self.suffix}"

    def sibling_path(self, name: str) -> Path:
        """Return the path of something else that belongs to the export."""
        return self.folder / (name if self.is_folder else f"{self.stem}.{name}")

    def relative_name(self, path: Path) -> str:
        """Return what a file is called in what is published."""
        return path.relative_to(self.folder).as_posix()

    def check_free(self, *sources: Source) -> None:
        """Refuse to write over what is read, or into a folder with other files."""
        outputs = list(self._iter_paths())
        for source in sources:
            for path in source.files():
                for output in outputs:
                    if path.exists() and output.exists() and output.samefile(path):
                        raise DatasetError(
                            f"{output}: is an input and would be overwritten; choose another output"
                        )
            for output in outputs:
                if pattern := source.find_matching_input(output):
                    raise DatasetError(
                        f"{output}: would be read as a part of {pattern} the next time; name "
                        "another output"
                    )
        if not self.is_folder or not self.folder.is_dir():
            return
        if not self.sibling_path(MANIFEST_NAME).exists() and (held := os.listdir(self.folder)):
            raise DatasetError(
                f"{self.folder}: holds {min(held)}, which whyset did not write; give a folder "
                "that is new or empty, or a file"
            )

    def find_previous_files(self) -> list[Path]:
        """Return the files of an earlier export in this folder, as its manifest names them."""
        try:
            record = json.loads(self.sibling_path(MANIFEST_NAME).read_text(encoding="utf-8"))
            names = [str(file["name"]) for file in record["files"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        # A manifest may have been edited: it removes nothing that no export writes.
        return [
            self.folder / name for name in names if self.is_folder and _EXPORT_FILES.fullmatch(name)
        ]

    def _iter_paths(self) -> Iterator[Path]:
        for control in (False, True):
            for split in SPLITS:
                yield self.rows_path(split, is_split=True, control=control)
            yield self.rows_path("train", is_split=False, control=control)
        for name in (MANIFEST_NAME, CARD_NAME, QUARANTINE_NAME):
            yield self.sibling_path(name)
