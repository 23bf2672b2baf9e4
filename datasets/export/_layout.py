"""Where an export is written, and what it must never write over."""

import json
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
    """Where everything of an export lies.

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

        Args:
            output: The name.
            form: What files in a folder are: `jsonl`, `parquet`, `jsonl.zst`, …

        Raises:
            DatasetError: There is no such form, or no folder to write into.
        """
        if output == STDIN:
            raise DatasetError("an export is several files; name a file or a folder with -o")
        path = Path(output)
        layout = None if path.is_dir() else format_from_name(output)
        if layout is None or layout.name == "folder":
            ending = f".{form or 'jsonl'}"
            if format_from_name(f"rows{ending}") is None:
                raise DatasetError(f"no form of file {form!r}; name one such as jsonl or parquet")
            places = cls(path, "", ending)
            parent = path.resolve().parent
        else:
            if form is not None:
                raise DatasetError("the name of a file says its form; --format is for folders")
            suffixes = path.suffixes[-2:] if layout.compression else path.suffixes[-1:]
            ending = "".join(suffixes)
            places = cls(path.parent, path.name.removesuffix(ending), ending)
            parent = path.parent
        if not parent.is_dir():
            raise DatasetError(f"{output}: there is no folder {parent}; make it first")
        return places

    @property
    def is_folder(self) -> bool:
        """Whether a folder is written."""
        return not self.stem

    def rows_path(self, split: Split, *, parted: bool, control: bool = False) -> Path:
        """Return the file of one side of a split.

        Args:
            split: Which side.
            parted: Whether there is a split at all.
            control: Whether it is the control's.
        """
        if self.is_folder:
            return self.folder / ("control" if control else "") / f"{split}{self.suffix}"
        parts = [self.stem, *(["control"] if control else []), *([split] if parted else [])]
        return self.folder / f"{'.'.join(parts)}{self.suffix}"

    def sibling_path(self, name: str) -> Path:
        """Return the path of something else that belongs to the export."""
        return self.folder / (name if self.is_folder else f"{self.stem}.{name}")

    def relative_name(self, path: Path) -> str:
        """Return what a file is called in what is published."""
        return path.relative_to(self.folder).as_posix()

    def check_free(self, *sources: Source) -> None:
        """Refuse to write over what is read, or into a folder of somebody else's.

        Raises:
            DatasetError: That would be done.
        """
        for source in sources:
            for path in source.files():
                for written in self._all():
                    if path.exists() and written.exists() and written.samefile(path):
                        raise DatasetError(
                            f"{written}: would be written over, but is read; name another output"
                        )
            for written in self._all():
                if named := source.find_matching_input(written):
                    raise DatasetError(
                        f"{written}: would be read as a part of {named} the next time; name "
                        "another output"
                    )
        if (
            self.is_folder
            and self.folder.is_dir()
            and not self.sibling_path(MANIFEST_NAME).exists()
        ):
            held = sorted(path.name for path in self.folder.iterdir())
            if held:
                raise DatasetError(
                    f"{self.folder}: holds {held[0]}, which was not written here; name a folder "
                    "that is new or empty, or a file"
                )

    def find_previous_files(self) -> list[Path]:
        """Return the files of an earlier export in this folder, as its manifest names them."""
        try:
            record = json.loads(self.sibling_path(MANIFEST_NAME).read_text(encoding="utf-8"))
            names = [str(file["name"]) for file in record["files"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []
        return [
            self.folder / name for name in names if self.is_folder and _EXPORT_FILES.fullmatch(name)
        ]

    def _all(self) -> Iterator[Path]:
        for control in (False, True):
            for split in SPLITS:
                yield self.rows_path(split, parted=True, control=control)
            yield self.rows_path("train", parted=False, control=control)
        for name in (MANIFEST_NAME, CARD_NAME, QUARANTINE_NAME):
            yield self.sibling_path(name)
