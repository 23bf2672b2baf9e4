"""Records beside the output: JSON files that appear whole or not at all."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from whyset.datasets import DatasetError


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record as a JSON file that appears whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
        # A file's name need not be UTF-8; what is not is written as JSON's own escapes.
        part.write_bytes(text.encode("utf-8", "backslashreplace"))
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error
