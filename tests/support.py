"""What tests of several tiers call."""

from __future__ import annotations

import time

from winsvc import Service, ServiceStatus, State


def wait_until_stopped(service: Service, seconds: float = 20) -> ServiceStatus:
    """Ask again and again until the service is stopped."""
    deadline = time.monotonic() + seconds
    while (status := service.status()).state is not State.STOPPED:
        assert time.monotonic() < deadline, f"{service} is still {status.state.name}"
    return status
