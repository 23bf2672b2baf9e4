"""Datasets of the `datasets` library: in memory, saved, or on the hub. Only this imports it."""

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

import pyarrow as pa

from whyset.errors import DatasetError

from ._arrow import split_batch, summarise_error
from ._locate import InputPart

_BATCH_ROWS = 256


class DatasetTable:
    """A `Dataset` or `IterableDataset`; its rows stay as Arrow has them, images undecoded."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset.with_format("arrow")
        features = dataset.features
        if features is None:  # those of a stream show only as it is read
            first = next(iter(self._dataset.iter(_BATCH_ROWS)), pa.table({}))
            self.schema: pa.Schema = first.schema
        else:
            self.schema = features.arrow_schema

    def count_rows(self) -> int | None:
        return len(self._dataset) if hasattr(self._dataset, "__len__") else None

    def iter_batches(self) -> Iterator[pa.RecordBatch]:
        for table in self._dataset.iter(_BATCH_ROWS):
            for batch in table.to_batches():
                yield from split_batch(batch)


def wrap_dataset(value: object) -> DatasetTable | None:
    """Return a `Dataset` or `IterableDataset` as a table; `None` for what is neither.

    Raises:
        DatasetError: It is a dictionary of several splits.
    """
    library = sys.modules.get("datasets")
    # From this repository's root that name is a folder of ours.
    if library is None or not hasattr(library, "IterableDataset"):
        return None
    if isinstance(value, library.DatasetDict | library.IterableDatasetDict):
        return DatasetTable(_select_split(value, "", "the dataset"))
    if isinstance(value, library.Dataset | library.IterableDataset):
        return DatasetTable(value)
    return None


def open_dataset(part: InputPart) -> DatasetTable:
    """Open a folder that `datasets` saved, or a dataset on the hub.

    The hub is asked once: what it gave is kept in the cache of `datasets`, as rows to be mapped
    into memory, so that a run that is taken up again reads what it read before.

    Raises:
        DatasetError: `datasets` is not installed, or cannot read or fetch it.
    """
    return DatasetTable(
        _open_saved_dataset(part) if part.kind == "saved" else _open_hub_dataset(part)
    )


def _open_saved_dataset(part: InputPart) -> Any:
    library = _import_datasets(part.name)
    try:
        loaded = library.load_from_disk(part.location)
    except Exception as error:  # what the library raises comes from many others
        raise DatasetError(f"{part.name}: cannot be read: {_describe_error(error)}") from error
    if isinstance(loaded, library.DatasetDict):
        return _select_split(loaded, part.split, part.name)
    if part.split:
        raise DatasetError(f"{part.name}: has no splits; leave :{part.split} out")
    return loaded


@lru_cache(maxsize=32)
def _open_hub_dataset(part: InputPart) -> Any:
    library = _import_datasets(part.name)
    library.disable_progress_bars()
    try:
        loaded = library.load_dataset(
            part.location,
            part.config or None,
            revision=part.revision or None,
            split=part.split or None,
        )
    except Exception as error:  # what the library raises comes from many others
        raise DatasetError(
            f"{part.name}: cannot be fetched: {_describe_error(error)}; is the name right, and if "
            "it is private or gated, is HF_TOKEN set?"
        ) from error
    return loaded if part.split else _select_split(loaded, "", part.name)


def _describe_error(error: Exception) -> str:
    return f"{type(error).__name__}: {summarise_error(error)}"


def _import_datasets(name: str) -> Any:
    try:
        library: Any = import_module("datasets")
    except ImportError as error:
        raise DatasetError(
            f"{name}: is read through the datasets library; install it with: "
            "pip install 'whyset[hub]'"
        ) from error
    if not hasattr(library, "load_dataset"):
        raise DatasetError(
            f"{name}: is read through the datasets library, but here Python finds a folder of that "
            "name instead; work from another folder"
        )
    return library


def _select_split(splits: Mapping[str, Any], wanted: str, name: str) -> Any:
    if wanted in splits:
        return splits[wanted]
    names = ", ".join(splits)
    if wanted:
        raise DatasetError(f"{name}: has no split {wanted!r}; there are: {names}")
    if len(splits) == 1:
        return next(iter(splits.values()))
    raise DatasetError(
        f"{name}: has several splits: {names}; name one, as in {name}:{next(iter(splits), 'train')}"
    )
