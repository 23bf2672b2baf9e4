"""Files that appear whole or not at all, such as records beside the output."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from whyset.datasets import DatasetError


def put_in_place(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as a JSON file that appears whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
    try:
        # A file's name need not be UTF-8; what is not is written as JSON's own escapes.
        put_in_place(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error
