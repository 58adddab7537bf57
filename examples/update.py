"""Have a service run another program; go back to the old one if that does not start.

Usage: python update.py NAME PROGRAM
"""

from __future__ import annotations

import sys
import time

from winsvc import (
    NotFoundError,
    Service,
    ServiceError,
    ServiceManager,
    ServiceStartError,
    State,
    command_line,
)


def settle(service: Service, wanted: State, *, seconds: float = 30) -> bool:
    """Wait until the service is in a state that it stays in; whether it is the one wanted."""
    deadline = time.monotonic() + seconds
    while (state := service.status().state) not in (State.RUNNING, State.STOPPED):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return state is wanted


def starts(service: Service) -> bool:
    """Start the service; whether it runs then."""
    try:
        service.start()
    except (NotFoundError, ServiceStartError):
        return False
    return settle(service, State.RUNNING)


def update(name: str, program: str) -> str:
    """Return what came of it."""
    with ServiceManager() as scm, scm.open(name) as service:
        before = service.config().binary_path
        if service.status().state is not State.STOPPED:
            service.stop()
            if not settle(service, State.STOPPED):
                return f"{name} does not stop: nothing was changed"
        service.configure(binary_path=command_line(program))
        if starts(service):
            return f"{name} runs {program}"
        status = service.status()
        service.configure(binary_path=before, unquoted=True)  # whatever it was
        if status.state is not State.STOPPED:
            return f"{program} hangs as {status.state.name}: {before} is for the next start"
        code = status.exit_code
        if starts(service):
            return f"{program} ended with {code}: back to {before}"
        return f"{program} ended with {code}, and {before} does not start again"


if __name__ == "__main__":
    try:
        print(update(*sys.argv[1:]))
    except ServiceError as error:
        sys.exit(str(error))
