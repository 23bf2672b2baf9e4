"""What a person names as input → the files, streams and datasets that are read, in order."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from typing import Literal

from whyset.errors import DatasetError

from ._detect import format_from_name

STDIN = "-"
HUB_PREFIX = "hf://"

_SAVED_DATASET_FILE = "state.json"
_SAVED_SPLITS_FILE = "dataset_dict.json"


@dataclass(frozen=True, slots=True)
class InputPart:
    """One thing that is read.

    Attributes:
        kind: Standard input, a file, a folder that `datasets` saved, or a dataset on the hub.
        name: What it is called in messages: as it was named, or was found.
        location: Its path, or the dataset's name; empty for standard input.
        split: Of a dataset, which split; empty where it has but one.
        config: Of a dataset on the hub, which configuration.
        revision: Of a dataset on the hub, which revision.
    """

    kind: Literal["stdin", "file", "saved", "hub"]
    name: str
    location: str = ""
    split: str = ""
    config: str = ""
    revision: str = ""


def locate_parts(names: Iterable[str | Path]) -> tuple[InputPart, ...]:
    """Find what names stand for, in their order.

    A name is a file; a pattern such as `data/*.jsonl`, whose files come in the order of their
    names; a folder, saved by `datasets` (`folder:split` names one of its splits) or holding data
    files, itself or in folders; `hf://org/name[@revision][:[config/]split]`, also as
    `hf://datasets/org/name…`; or `-`.

    Raises:
        DatasetError: There is nothing of that name, or standard input is named twice.
    """
    parts = tuple(part for name in names for part in _resolve_name(str(name)))
    if not parts:
        raise DatasetError("no input: give a file")
    if sum(part.kind == "stdin" for part in parts) > 1:
        raise DatasetError("standard input can only be read once; give - once")
    return parts


def label_parts(parts: Sequence[InputPart]) -> tuple[str, ...]:
    """Return short names that tell parts apart: the ends of their paths, as much as it takes."""
    ends = [_path_suffixes(part) for part in parts]
    times = Counter(chain.from_iterable(ends))
    return tuple("/".join(next((end for end in own if times[end] == 1), own[-1])) for own in ends)


def is_matched_by(name: str, path: Path) -> bool:
    """Say whether a folder or pattern takes in a file, be it there already or not."""
    if name == STDIN or name.startswith(HUB_PREFIX):
        return False
    written = Path(os.path.realpath(path))
    if os.path.isdir(name):
        return written.is_relative_to(os.path.realpath(name))
    if not glob.has_magic(name) or os.path.exists(name):
        return False
    wanted = Path(os.path.abspath(name)).parts
    steps = Path(os.path.abspath(path)).parts
    if "**" in wanted:
        return fnmatch("/".join(steps), "/".join(wanted).replace("**/", "*"))
    return len(steps) == len(wanted) and all(map(fnmatch, steps, wanted))


def _path_suffixes(part: InputPart) -> list[tuple[str, ...]]:
    """Return the ends of a part's path, from its last step to the whole."""
    steps = (part.name,) if part.kind in {"stdin", "hub"} else Path(part.name).parts
    steps = steps or ("",)  # the folder that one is in has none
    return [steps[at:] for at in reversed(range(len(steps)))]


def _resolve_name(name: str) -> Iterator[InputPart]:
    if name == STDIN:
        yield InputPart("stdin", "standard input")
    elif name.startswith(HUB_PREFIX):
        yield _parse_hub_name(name)
    elif os.path.isdir(name):
        yield from _list_folder(name)
    elif os.path.exists(name):
        yield InputPart("file", name, name)
    elif _is_saved_dataset(folder := name.rpartition(":")[0]):
        yield InputPart("saved", name, folder, split=name.rpartition(":")[2])
    elif glob.has_magic(name):
        found = sorted(path for path in glob.glob(name, recursive=True) if os.path.isfile(path))
        if not found:
            raise DatasetError(f"{name}: no file matches this pattern")
        yield from (InputPart("file", path, path) for path in found)
    else:
        raise DatasetError(f"{name}: no such file")


def _list_folder(name: str) -> Iterator[InputPart]:
    if _is_saved_dataset(name):
        yield InputPart("saved", name, name)
        return
    found = sorted(
        os.path.join(folder, file)
        for folder, inner, files in os.walk(name)
        if _prune_hidden(inner)
        for file in files
        if not file.startswith(".") and format_from_name(file) is not None
    )
    if not found:
        raise DatasetError(
            f"{name}: is a folder without data files: nothing in it ends in .jsonl, .json, "
            ".parquet, .csv, .tsv or .arrow, and `datasets` did not save it"
        )
    yield from (InputPart("file", path, path) for path in found)


def _prune_hidden(folders: list[str]) -> bool:
    """Keep a walk out of hidden folders; always true."""
    folders[:] = [folder for folder in folders if not folder.startswith(".")]
    return True


def _is_saved_dataset(folder: str) -> bool:
    return any(
        os.path.isfile(os.path.join(folder, file))
        for file in (_SAVED_DATASET_FILE, _SAVED_SPLITS_FILE)
    )


def _parse_hub_name(name: str) -> InputPart:
    place = name.removeprefix(HUB_PREFIX).removeprefix("datasets/")
    place, _, chosen = place.partition(":")
    place, _, revision = place.partition("@")
    config, _, split = chosen.rpartition("/")
    if not all(place.split("/")) or place.count("/") > 1:
        raise DatasetError(
            f"{name}: is not a dataset name; write hf://org/name, hf://org/name:split or "
            "hf://org/name@revision:config/split"
        )
    return InputPart("hub", name, place, split=split, config=config, revision=revision)
