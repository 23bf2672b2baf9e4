"""Where whyset keeps what it can make again."""

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "WHYSET_CACHE_DIR"


def cache_home() -> Path:
    """Return the cache folder: the variable WHYSET_CACHE_DIR, else the user's own for whyset."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("whyset")
