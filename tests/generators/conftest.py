"""Steps driven synchronously and asynchronously: they must go the same way."""

from functools import partial

import pytest
from support.samples.deliberation import Teller
from support.samples.deliberation import tell as tell_one_way


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def tell(request: pytest.FixtureRequest) -> Teller:
    return partial(tell_one_way, asynchronous=request.param)
