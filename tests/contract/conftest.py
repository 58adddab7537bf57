"""The contract suite runs over every backend: what the system has, and the simulated one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from differences import WINE_DIFFERENCES, Differs, on_wine
from twin import twin

from winsvc import ErrorCode, ServiceType, State
from winsvc.testing import Behaviour, SimulatedSCM

BACKENDS = ("native", "simulated") if sys.platform == "win32" else ("simulated",)
PROGRAM = r"C:\Program Files\Tests\testservice.exe"


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which backend ``ServiceManager()`` uses; by itself every test has its turn with each."""
    name: str = request.param
    if name == "native":
        yield name
        return
    sim = simulated()
    with sim.installed():
        yield name
    left = [one.name for one in sim if one.name.startswith("winsvc-")]
    assert not left, f"left over: {left}"
    assert not sim.open_handles


def simulated() -> SimulatedSCM:
    """A machine with some services of its own, and the test service's program."""
    sim = SimulatedSCM()
    sim.add(
        "Eventlog", display_name="Windows Event Log", load_order_group="Log", state=State.RUNNING
    )
    sim.add("RpcSs", display_name="Remote Procedure Call", state=State.RUNNING)
    sim.add("Null", service_type=ServiceType.KERNEL_DRIVER, state=State.RUNNING)
    sim.add("Beep", service_type=ServiceType.KERNEL_DRIVER)
    sim.local.other_programs = Behaviour(start_error=ErrorCode.FILE_NOT_FOUND)
    sim.local.programs[PROGRAM] = twin
    return sim


@pytest.fixture
def program(backend: str, request: pytest.FixtureRequest) -> str:
    """The command line of the test service."""
    if backend == "simulated":
        return f'"{PROGRAM}"'
    path: str = request.getfixturevalue("real_program")
    return path


@pytest.fixture
def wine_differs(backend: str) -> Differs:
    """Whether the backend is Wine's, which has the difference of a name in the table."""

    def differs(name: str) -> bool:
        assert name in WINE_DIFFERENCES
        return backend == "native" and on_wine()

    return differs
