"""Services whose states a test sets directly, and the objects that the compiled module holds.

Wine allows it: there a service handle with the right 0x8000 may report a status, so that a test
knows the exact time. Windows accepts a status from a service's own process only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import ServiceAccess, ServiceManager, State
from winsvc._native import NativeBackend
from winsvc._values.rows import StatusRow

backend = NativeBackend()
on_wine = pytest.mark.skipif(not lib.wine_version(), reason="Windows lets only services report")

NOTHING = (0, 0, 0)
SET_STATUS = 0x8000  # the right that Wine requires for reporting
CYCLE = (State.START_PENDING, State.RUNNING, State.PAUSE_PENDING, State.PAUSED, State.STOP_PENDING)


class Puppet:
    """A service without a process, whose states are set by a test."""

    def __init__(self, name: str) -> None:
        self.name = name
        manager = backend.open_sc_manager(None, None, 1)
        self._handle = backend.open_service(manager, name, ServiceAccess.ALL_ACCESS | SET_STATUS)
        backend.close_service_handle(manager)

    def report(self, state: State, exit_code: int = 0, check_point: int = 0) -> float:
        """Report a state; return when that was done, by ``perf_counter()``."""
        row = StatusRow(0x10, int(state), 0, exit_code, 0, check_point, 2000, 0, 0)
        backend.set_service_status(self._handle, row)
        return time.perf_counter()

    def close(self) -> None:
        backend.close_service_handle(self._handle)


@contextmanager
def puppets(scm: ServiceManager, program: str, names: list[str]) -> Iterator[list[Puppet]]:
    """Create services for a block, and delete them afterwards."""
    with ExitStack() as closing:
        created: list[Puppet] = []
        for name in names:
            service = closing.enter_context(scm.create(name, program))
            closing.callback(service.delete)
            puppet = Puppet(name)
            closing.callback(puppet.close)
            closing.callback(puppet.report, State.STOPPED)
            created.append(puppet)
        yield created


def counted() -> tuple[int, int, int]:
    """Count the waiters, registrations and threads of the compiled module."""
    numbers = [ffi.new("DWORD *") for _ in range(3)]
    lib.winsvc_count(*numbers)
    return numbers[0][0], numbers[1][0], numbers[2][0]


def until_armed(count: int = 1) -> None:
    """Return when so many registrations exist and their first notifications have arrived."""
    deadline = time.monotonic() + 20
    while counted()[1] < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(0.025)  # nothing shows that an APC is on its way


def settled(measure: Callable[[], object], expected: object) -> object:
    """Measure until the expected value is found, for as long as threads may take to end."""
    deadline = time.monotonic() + 10
    while (found := measure()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
