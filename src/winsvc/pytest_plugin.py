"""The pytest plugin: fixtures for tests of programs that use winsvc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from winsvc import ServiceManager
    from winsvc.testing import SimulatedSCM

# The fixtures import the simulated system, because pytest loads this plugin in every project.


@pytest.fixture
def simulated_scm() -> Iterator[SimulatedSCM]:
    """Return a simulated SCM without services; ``ServiceManager()`` connects to it."""
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
