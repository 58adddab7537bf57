"""What tests of several tiers call."""

from __future__ import annotations

import time

from winsvc import Service, ServiceManager, ServiceStatus, State


def wait_until_stopped(service: Service, seconds: float = 20) -> ServiceStatus:
    """Ask again and again until the service is stopped."""
    deadline = time.monotonic() + seconds
    while (status := service.status()).state is not State.STOPPED:
        assert time.monotonic() < deadline, f"{service} is still {status.state.name}"
    return status


def wait_until_gone(scm: ServiceManager, name: str, seconds: float = 20) -> None:
    """Ask again and again until a deleted service, whose process may be ending, is gone."""
    deadline = time.monotonic() + seconds
    while name in scm:
        assert time.monotonic() < deadline, f"{name} is still there"
