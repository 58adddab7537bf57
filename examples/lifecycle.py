"""Create a service, start it, stop it and delete it.

Usage: python lifecycle.py PROGRAM    (PROGRAM: the path of the program of a service)
"""

from __future__ import annotations

import os
import sys

from winsvc import ServiceManager, ServiceNotFoundError


def main(program: str) -> None:
    name = f"winsvc-example-{os.getpid()}"
    with ServiceManager() as scm:
        with scm.create(name, f'"{program}"', display_name="Example service") as service:
            try:
                print(f"created   {service.config().binary_path}")
                status = service.start("hello", timeout=30)
                print(f"started   {status.state.name}, pid {status.pid}")
                print(f"stopped   exit code {service.stop(timeout=30).exit_code}")
            finally:
                service.delete(wait=True, timeout=30)  # when its process has ended
        try:
            scm.open(name).close()
        except ServiceNotFoundError as error:
            print(f"deleted   {error}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
