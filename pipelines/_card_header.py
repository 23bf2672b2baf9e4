"""The YAML header of a dataset card, as the hub validates it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ._card_licences import LICENCES

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B")),
)
_NEVER_BROKEN = 1 << 20
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def header(
    *,
    title: str,
    licence: str,
    rows: int,
    languages: Sequence[str],
    tags: Sequence[str],
    configs: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the header with its two rules.

    Args:
        title: What a person calls the dataset.
        licence: The licence; empty where none was stated. One that the hub does not know becomes
            `other`, with its name beside it.
        rows: How many rows there are.
        languages: ISO 639 codes.
        tags: What it is about.
        configs: Name of a configuration → split → file.
    """
    title, licence = (" ".join(said.split()) for said in (title, licence))
    told: dict[str, Any] = {"pretty_name": title}
    if licence.lower() in LICENCES:
        told["license"] = licence.lower()
    elif licence:
        told |= {"license": "other", "license_name": licence}
    if known := [language for language in languages if _LANGUAGE.fullmatch(language)]:
        told["language"] = known
    told |= {
        "task_categories": ["text-generation"],
        "tags": list(dict.fromkeys(tags)),
        "size_categories": [size_of(rows)],
    }
    if configs:
        told["configs"] = [
            {
                "config_name": name,
                "data_files": [{"split": split, "path": file} for split, file in files.items()],
            }
            for name, files in configs.items()
        ]
    text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=_NEVER_BROKEN)
    return f"---\n{text}---\n"


def size_of(rows: int) -> str:
    """Return the hub's word for a number of rows."""
    return next((word for limit, word in _SIZES if rows < limit), "1B<n<10B")
