"""Corpora that are there already, which a new one must not repeat."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whyset.datasets import COLUMN, BadRow, DatasetError, open_source, provenance_of
from whyset.generators import DocumentGenerator

from ._corpus_habits import texts_in


@dataclass(frozen=True, slots=True)
class Existing:
    """A document of another corpus.

    Attributes:
        label: File and line.
        text: What it is compared by.
        idea: What it was written from; empty where that is not told.
    """

    label: str
    text: str
    idea: str


def existing_documents(files: Sequence[Path], generator: DocumentGenerator) -> Iterator[Existing]:
    """Yield the documents of files, in their order.

    A document that the same generator wrote is compared as the generator says; any other by all
    texts in it.

    Raises:
        DatasetError: A file cannot be read, or a record of it: what is not read is not compared.
    """
    names = Counter(path.name for path in files)
    for place, path in enumerate(files, start=1):
        name = path.name if names[path.name] == 1 else f"{path.name} ({place})"
        for record, _ in open_source(str(path)).records():
            if isinstance(record, BadRow):
                raise DatasetError(
                    f"{path}:{record.line}: cannot be compared with: {record.reason}; mend the "
                    "file or leave it out"
                )
            yield _existing(f"{name}:{record.line}", dict(record.columns), generator)


def _existing(label: str, columns: dict[str, Any], generator: DocumentGenerator) -> Existing:
    idea = ""
    try:
        told = provenance_of(columns)
    except DatasetError:
        told = {}
    columns.pop(COLUMN, None)
    if isinstance(told.get("idea"), str):
        idea = told["idea"]
    try:
        text = generator.text_of(columns)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        text = "\n\n".join(texts_in(columns))
    return Existing(label, text, idea)
