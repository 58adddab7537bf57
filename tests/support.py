"""Functions that tests of several tiers use."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest

from winsvc import Service, ServiceManager, ServiceStatus, State

simulated_only = pytest.mark.parametrize("backend", ["simulated"], indirect=True)
"""Marks a test of the contract suite that looks into the simulated backend."""


def wait_until_stopped(service: Service, seconds: float = 20) -> ServiceStatus:
    """Poll until the service is stopped."""
    deadline = time.monotonic() + seconds
    while (status := service.status()).state is not State.STOPPED:
        assert time.monotonic() < deadline, f"{service} is still {status.state.name}"
    return status


def wait_until_deleted(scm: ServiceManager, name: str, seconds: float = 20) -> None:
    """Poll until a deleted service, whose process may be ending, is removed."""
    deadline = time.monotonic() + seconds
    while scm.exists(name):
        assert time.monotonic() < deadline, f"{name} still exists"


class Waits:
    """Counts the waits for notifications that have begun: each was registered before."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiters: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiters)

    def add(self, waiter: int) -> None:
        with self._changed:
            self._waiters.add(waiter)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget the waits so far."""
        self._waiters.clear()

    def until(self, count: int = 1) -> None:
        """Block until so many waits have begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self) >= count, 30), f"{len(self)} waits"


@dataclass(frozen=True)
class Effort:
    """Extent of the measurements of a timed test, and limits for a slow machine.

    In ``make test`` such tests run for a moment, beside whatever else the machine does, and find
    mistakes of an order of magnitude. ``make bench`` passes ``--bench-full``.
    """

    full: bool

    def count(self, few: int, many: int) -> int:
        """Choose a number of rounds, services or the like."""
        return many if self.full else few

    def limit(self, value: float) -> float:
        """Widen a limit, unless the machine has nothing else to do."""
        return value if self.full else value * 8
