"""Install or update a service, with recovery, and start it.

Usage: python deploy.py NAME PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from winsvc import (
    AccessDeniedError,
    FailureActions,
    Service,
    ServiceError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceStartError,
    StartType,
    State,
    UnsupportedError,
    command_line,
)


def stop(service: Service, *, seconds: float = 30) -> None:
    """Stop the service, and wait until it has stopped."""
    try:
        service.stop()
    except ServiceNotActiveError:
        return
    deadline = time.monotonic() + seconds
    while service.status().state is not State.STOPPED:
        if time.monotonic() > deadline:
            raise SystemExit(f"{service.name} has not stopped in {seconds:g} s")
        time.sleep(0.05)


def deploy(scm: ServiceManager, name: str, program: str, *arguments: str) -> State:
    """Bring the service to what it is to be; return the state it is left in."""
    command = command_line(program, *arguments)
    service = scm.open(name) if name in scm else scm.create(name, command)
    with service:
        stop(service)
        service.configure(
            binary_path=command,
            start_type=StartType.MANUAL,
            description="Installed by deploy.py",
        )
        try:
            service.failure_actions = FailureActions.restart(
                after=(5, 30, timedelta(minutes=5)), reset_after=timedelta(days=1)
            )
        except UnsupportedError as error:
            print(f"no recovery here: {error}")
        service.start("--deployed")
        print(service.snapshot().describe())
        return service.status().state


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    try:
        with ServiceManager() as scm:
            deploy(scm, *sys.argv[1:])
    except AccessDeniedError as error:
        print(f"start this as an administrator: {error.hint or error}")
        return 1
    except ServiceStartError as error:
        ended = f", exit code {error.status.exit_code}" if error.status else ""
        print(f"{error}{ended}")
        return 1
    except ServiceError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
