"""The pytest plugin: fixtures for tests of programs that use winsvc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from winsvc import ServiceManager
    from winsvc.testing import SimulatedSCM

# The simulated system is imported when a test asks for it: pytest loads this plugin everywhere.


@pytest.fixture
def simulated_scm() -> Iterator[SimulatedSCM]:
    """A simulated service control manager without services, which ``ServiceManager()`` uses."""
    from winsvc.testing import SimulatedSCM

    with SimulatedSCM().installed() as sim:
        try:
            yield sim
        finally:
            sim.close()


@pytest.fixture
def winsvc_scm(simulated_scm: SimulatedSCM) -> Iterator[ServiceManager]:
    """A connection to the simulated service control manager."""
    from winsvc import ServiceManager

    with ServiceManager() as manager:
        yield manager
