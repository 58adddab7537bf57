"""Change the program of a service, and restore the old one if the new one does not start.

Usage: python update.py NAME PROGRAM
"""

from __future__ import annotations

import sys

from winsvc import (
    NotFoundError,
    Service,
    ServiceManager,
    ServiceStartError,
    State,
    WaitTimeoutError,
    Win32Error,
    command_line,
)


def starts(service: Service) -> bool:
    """Start the service; return whether it is running."""
    try:
        service.start(timeout=30)
    except (NotFoundError, ServiceStartError, WaitTimeoutError):
        return False
    return True


def update(name: str, program: str) -> str:
    """Change the program, and return a text that describes the result."""
    with ServiceManager() as scm, scm.open(name) as service:
        before = service.config().binary_path
        if service.status().state is not State.STOPPED:
            try:
                service.stop(timeout=30)
            except WaitTimeoutError:
                return f"{name} does not stop: nothing was changed"
        service.configure(binary_path=command_line(program))
        if starts(service):
            return f"{name} runs {program}"
        status = service.status()
        service.configure(binary_path=before, allow_unquoted_path=True)
        if status.state is not State.STOPPED:
            return f"{program} hangs as {status.state.name}: {before} is for the next start"
        code = status.exit_code
        if starts(service):
            return f"{program} ended with {code}: back to {before}"
        return f"{program} ended with {code}, and {before} does not start again"


if __name__ == "__main__":
    try:
        print(update(*sys.argv[1:]))
    except Win32Error as error:
        sys.exit(str(error))
