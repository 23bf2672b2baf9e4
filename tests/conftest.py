"""What every test starts from: no key, no cache of this machine's user, no network but loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from support.loopback import LoopbackServer

# What is longer than the suite may take is for `make soak`.
settings.register_profile("suite", max_examples=30)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile("suite")

# Before any import of a vendor's code, and for subprocesses too.
os.environ.update(ANTHROPIC_API_KEY="test-key", ORT_DISABLE_TELEMETRY="1")
os.environ.pop("ANTHROPIC_BASE_URL", None)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One index cache for the session and all its workers: the charter is embedded once."""
    before = os.environ.get("WHYSET_CACHE_DIR")
    base = tmp_path_factory.getbasetemp()
    shared_base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["WHYSET_CACHE_DIR"] = str(shared_base / "cache")
    yield
    if before is None:
        del os.environ["WHYSET_CACHE_DIR"]
    else:
        os.environ["WHYSET_CACHE_DIR"] = before


@pytest.fixture
def loopback() -> Iterator[LoopbackServer]:
    """A server that speaks the Messages API."""
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def shared() -> Path:
    """The folder of data that is not part of the repository; tests skip without it."""
    folder = Path(__file__).parent.parent.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the shared data folder is not on this machine")
    return folder
