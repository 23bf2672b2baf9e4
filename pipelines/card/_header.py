"""The YAML header of a dataset card, as the hub validates it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

_KNOWN_LICENCES = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m
    bigscience-bloom-rail-1.0 bigcode-openrail-m afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause
    bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0
    cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
    etalab-2.0 eupl-1.1 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c
    ms-pl mpl-2.0 odc-by odbl openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl
    lgpl-lr deepfloyd-if-license llama2 gemma unknown other
"""

LICENCES: Final = frozenset(_KNOWN_LICENCES.split())
"""The licences that the hub knows, by the identifiers that its documentation lists."""

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B")),
)
_YAML_WIDTH = 1 << 20
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def render_header(
    *,
    title: str,
    licence: str,
    rows: int,
    languages: Sequence[str],
    tags: Sequence[str],
    configs: Mapping[str, Mapping[str, str]],
) -> str:
    """Return the header with its two rules."""
    title, licence = (" ".join(text.split()) for text in (title, licence))
    header: dict[str, Any] = {"pretty_name": title}
    if licence.lower() in LICENCES:
        header["license"] = licence.lower()
    elif licence:
        header |= {"license": "other", "license_name": licence}
    if known := [language for language in languages if _LANGUAGE.fullmatch(language)]:
        header["language"] = known
    header |= {
        "task_categories": ["text-generation"],
        "tags": list(dict.fromkeys(tags)),
        "size_categories": [next((word for limit, word in _SIZES if rows < limit), "1B<n<10B")],
    }
    if configs:
        header["configs"] = [
            {
                "config_name": name,
                "data_files": [{"split": split, "path": file} for split, file in files.items()],
            }
            for name, files in configs.items()
        ]
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=_YAML_WIDTH)
    return f"---\n{text}---\n"
