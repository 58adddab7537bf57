"""``python3 -m tools.lab COMMAND``: prepare the lab, run something in it.

LAB_DIR is the lab's folder (default: .lab in the project), LAB_PYTHON the Windows Python in it
(3.11 or 3.13).
"""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tools.lab import checks, machine, product, windows_python, wine
from tools.lab.layout import Lab, LabError, say


def set_up_host(lab: Lab) -> None:
    machine.check_machine()
    machine.ensure_host_python(lab)


def set_up_wheel(lab: Lab) -> None:
    set_up_host(lab)
    machine.ensure_compiler(lab)
    windows_python.ensure_abi(lab)
    product.ensure_wheel(lab)


def set_up(lab: Lab) -> None:
    """Everything, up to the project's wheel installed in the Windows Python."""
    started = time.monotonic()
    lab.root.mkdir(parents=True, exist_ok=True)
    with (lab.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        set_up_wheel(lab)
        machine.ensure_wine(lab)
        windows_python.ensure_windows_python(lab)
        wine.ensure_template(lab)
        product.ensure_installed(lab)
        product.ensure_test_service(lab)
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
    """The services of a real SCM as a table, then one service's life."""
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
    set_up_host(lab)
    return checks.check(lab)


def wheel(lab: Lab, arguments: Sequence[str]) -> int:
    set_up_wheel(lab)
    print(product.DIST / product.ensure_wheel(lab).name)
    return 0


COMMANDS: dict[str, Callable[[Lab, Sequence[str]], int]] = {
    "python": run_python,
    "shell": shell,
    "demo": demo,
    "test": test,
    "check": check,
    "wheel": wheel,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.lab", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    try:
        return COMMANDS[chosen.command](Lab.from_environment(), chosen.arguments)
    except LabError as error:
        say(f"can't go on: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130


if __name__ == "__main__":
    sys.exit(main())
