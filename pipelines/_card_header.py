"""The YAML header of a dataset card, as the hub validates it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

LICENCES: Final = frozenset(
    """apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m
    bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause
    bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0
    cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl mpl-2.0 odc-by
    odbl openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr
    deepfloyd-if-license llama2 gemma unknown other""".split()
)
"""The identifiers that the hub knows, as its documentation lists them."""

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B")),
)
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
    return f"---\n{yaml.safe_dump(told, sort_keys=False, allow_unicode=True)}---\n"


def size_of(rows: int) -> str:
    """Return the hub's word for a number of rows."""
    return next((word for limit, word in _SIZES if rows < limit), "1B<n<10B")
