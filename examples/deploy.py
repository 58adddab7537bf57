"""Install or update a service, with recovery, and start it.

Usage: python deploy.py NAME PROGRAM [ARGUMENT ...]
"""

from __future__ import annotations

import sys
from datetime import timedelta

from winsvc import (
    AccessDeniedError,
    FailureActions,
    ServiceManager,
    StartType,
    State,
    UnsupportedError,
    Win32Error,
    command_line,
)


def deploy(scm: ServiceManager, name: str, program: str, *arguments: str) -> State:
    """Create the service or change its settings, start it, and return its state."""
    command = command_line(program, *arguments)
    service = scm.open(name) if scm.exists(name) else scm.create(name, command)
    with service:
        if service.status().state is not State.STOPPED:
            service.stop(timeout=30)
        service.configure(
            binary_path=command,
            start_type=StartType.MANUAL,
            description="Installed by deploy.py",
        )
        try:
            service.configure(
                failure_actions=FailureActions.restart(
                    after=(5, 30, timedelta(minutes=5)), reset_after=timedelta(days=1)
                )
            )
        except UnsupportedError as error:
            print(f"failure actions are not supported: {error}")
        status = service.start("--deployed", timeout=30)
        print(service.snapshot().describe())
        return status.state


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    try:
        with ServiceManager() as scm:
            deploy(scm, *sys.argv[1:])
    except AccessDeniedError as error:
        print(f"Run this program as an administrator. {error.hint or error}")
        return 1
    except Win32Error as error:  # the error of a failed start contains the exit code
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
