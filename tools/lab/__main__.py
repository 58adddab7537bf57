"""``python3 -m tools.lab COMMAND``: prepare the lab, run a program in it.

LAB_DIR is the lab's folder (default: .lab in the project), LAB_PYTHON the Windows Python in it
(3.11 or 3.13). Several checkouts may share a folder.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType

from tools.lab import bench, checks, machine, product, windows_python, wine
from tools.lab.layout import PROJECT, Lab, LabError, in_use, say, set_up_lock


def set_up_host(lab: Lab) -> None:
    machine.check_machine()
    machine.ensure_host_python(lab)


def set_up_wheel(lab: Lab) -> None:
    set_up_host(lab)
    machine.ensure_compiler()
    windows_python.ensure_abi(lab)
    product.ensure_wheel(lab)


def set_up(lab: Lab) -> None:
    """Prepare everything, including the project's wheel in the Windows Python."""
    started = time.monotonic()
    with set_up_lock(lab):
        set_up_wheel(lab)
        machine.ensure_wine()
        windows_python.ensure_windows_python(lab)
        wine.ensure_template(lab)
        product.ensure_installed(lab)
        product.ensure_test_service(lab)
        product.ensure_bench_program(lab)
    say(f"ready: Windows CPython {lab.python} in {lab.root} ({time.monotonic() - started:.1f} s)")


def run_python(lab: Lab, arguments: Sequence[str]) -> int:
    set_up(lab)
    with wine.Session(lab) as session:
        return session.python(*arguments)


def shell(lab: Lab, arguments: Sequence[str]) -> int:
    set_up(lab)
    with wine.Session(lab) as session:
        print("Windows Python in the lab. Try:  from winsvc import ServiceManager", flush=True)
        return session.interactive()


def demo(lab: Lab, arguments: Sequence[str]) -> int:
    """List the services of a real SCM, then create, start, stop and delete a service."""
    set_up(lab)
    with wine.Session(lab) as session:
        say("winsvc list")
        code = session.python("-m", "winsvc", "list", *arguments)
        say("examples/lifecycle.py")
        return code or session.python("examples/lifecycle.py", wine.windows_path(lab.test_service))


def test(lab: Lab, arguments: Sequence[str]) -> int:
    set_up(lab)
    other = replace(lab, python="3.13" if lab.python == "3.11" else "3.11")
    set_up(other)
    return checks.test(lab, other, arguments)


def check(lab: Lab, arguments: Sequence[str]) -> int:
    with set_up_lock(lab):
        set_up_host(lab)
    return checks.check(lab)


def run_host(lab: Lab, arguments: Sequence[str]) -> int:
    """Run the Linux Python, with the pinned tools, on this checkout's sources."""
    with set_up_lock(lab):
        set_up_host(lab)
    command = [str(lab.host_python), *arguments]
    return subprocess.run(command, cwd=PROJECT, env=machine.host_environment(lab)).returncode


def wheel(lab: Lab, arguments: Sequence[str]) -> int:
    with set_up_lock(lab):
        set_up_wheel(lab)
        print(product.publish(product.ensure_wheel(lab)))
    return 0


def measure(lab: Lab, arguments: Sequence[str]) -> int:
    set_up(lab)
    return bench.bench(lab, arguments)


COMMANDS: dict[str, Callable[[Lab, Sequence[str]], int]] = {
    "python": run_python,
    "shell": shell,
    "demo": demo,
    "test": test,
    "bench": measure,
    "check": check,
    "host": run_host,
    "wheel": wheel,
}


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.lab", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        lab = Lab.from_environment()
        with in_use(lab):
            return COMMANDS[chosen.command](lab, chosen.arguments)
    except LabError as error:
        say(f"cannot continue: {error}")
        return 1
    except OSError as error:
        say(f"cannot continue: {error} (LAB_DIR selects another folder for the lab)")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
