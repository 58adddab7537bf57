"""Fixtures of the contract suite, which runs on the native and on the simulated backend."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from differences import Differs, wine_has
from support import Waits
from twin import twin

from winsvc import ErrorCode, ServiceType, State
from winsvc.backend import default_backend
from winsvc.testing import ProgramBehavior, SimulatedSCM

BACKENDS = ("native", "simulated") if sys.platform == "win32" else ("simulated",)
PROGRAM = r"C:\Program Files\Tests\testservice.exe"


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Select the backend of ``ServiceManager()``; each test runs with every backend."""
    name: str = request.param
    if name == "native":
        yield name
        return
    sim = simulated()
    with sim.installed():
        yield name
    left = [service.name for service in sim if service.name.startswith("winsvc-")]
    assert not left, f"left over: {left}"
    assert not sim.open_handles


def simulated() -> SimulatedSCM:
    """Return a machine with some services and the program of the test service."""
    sim = SimulatedSCM()
    sim.add(
        "Eventlog", display_name="Windows Event Log", load_order_group="Log", state=State.RUNNING
    )
    sim.add("RpcSs", display_name="Remote Procedure Call", state=State.RUNNING)
    sim.add("Null", service_type=ServiceType.KERNEL_DRIVER, state=State.RUNNING)
    sim.add("Beep", service_type=ServiceType.KERNEL_DRIVER)
    sim.local.other_programs = ProgramBehavior(start_error=ErrorCode.FILE_NOT_FOUND)
    sim.local.programs[PROGRAM] = twin
    return sim


@pytest.fixture
def program(backend: str, request: pytest.FixtureRequest) -> str:
    """Return the command line of the test service."""
    if backend == "simulated":
        return f'"{PROGRAM}"'
    path: str = request.getfixturevalue("real_program")
    return path


@pytest.fixture
def wine_differs(backend: str) -> Differs:
    """Return a function that tests whether the backend is Wine with a named difference."""

    def differs(name: str) -> bool:
        return backend == "native" and wine_has(name)

    return differs


@pytest.fixture
def sim(backend: str) -> SimulatedSCM:
    """Return the simulated backend of a test that is marked ``simulated_only``."""
    found = default_backend()
    assert isinstance(found, SimulatedSCM)
    return found


@pytest.fixture
def waits(backend: str, monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Count the waits that begin during the test."""
    waits = Waits()
    kind = type(default_backend())
    plain = kind.wait_notified

    def wait_notified(self: Any, waiter: int, timeout: float | None) -> list[Any]:
        waits.add(waiter)
        return plain(self, waiter, timeout)

    monkeypatch.setattr(kind, "wait_notified", wait_notified)
    return waits
