"""Steps run synchronously and asynchronously: they must go the same way."""

from functools import partial

import pytest
from support.samples.deliberation import DeliberationRunner, run_deliberation


@pytest.fixture(params=[False, True], ids=["run", "arun"])
def runner(request: pytest.FixtureRequest) -> DeliberationRunner:
    return partial(run_deliberation, asynchronous=request.param)
