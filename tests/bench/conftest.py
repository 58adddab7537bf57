"""The fixtures of timed tests."""

from __future__ import annotations

import pytest
from support import Effort


@pytest.fixture
def effort(request: pytest.FixtureRequest) -> Effort:
    return Effort(request.config.getoption("--bench-full"))
