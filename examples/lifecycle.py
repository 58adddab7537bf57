"""Install a service, start it, stop it, delete it.

Usage: python lifecycle.py PROGRAM    (PROGRAM: the path of a service's program)
"""

from __future__ import annotations

import os
import sys

from winsvc import ServiceManager, ServiceNotFoundError


def main(program: str) -> None:
    name = f"winsvc-example-{os.getpid()}"
    with ServiceManager() as scm:
        with scm.create(name, f'"{program}"', display_name="A service's life") as service:
            try:
                print(f"created   {service.config().binary_path}")
                service.start("hello", timeout=30)
                print(f"started   {service.status().state.name}, pid {service.status().pid}")
                print(f"stopped   exit code {service.stop(timeout=30).exit_code}")
            finally:
                service.delete(wait=True, timeout=30)  # it goes when its process has ended, too
        try:
            scm.open(name).close()
        except ServiceNotFoundError as error:
            print(f"deleted   {error}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
