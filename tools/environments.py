"""Run the portable and contract tests in environments that differ from a developer's terminal.

``make environments`` runs all of them, ``make environments ARGS="parallel read-only"`` some.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TESTS = ("tests/portable", "tests/contract")
PYTEST = (sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider")
IN_ORDER = ("-p", "no:randomly")


@dataclass(frozen=True)
class Environment:
    """An environment and the options of its test run."""

    options: Sequence[str] = IN_ORDER  # of pytest
    tests: Sequence[str] = TESTS
    set: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    before_exec: Callable[[], object] | None = None  # in the child process
    ordinary_user: bool = False
    read_only: bool = False


def ignore_sigint() -> None:
    """Ignore SIGINT, as in a background command of a shell script."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


ENVIRONMENTS: dict[str, Environment] = {
    "order-1": Environment(["--randomly-seed=1"]),
    "order-2": Environment(["--randomly-seed=2"]),
    "order-3": Environment(["--randomly-seed=3"]),
    "parallel": Environment(["-n", "2"]),
    "sigint-ignored": Environment(
        tests=(*TESTS, "tests/tools/test_lab.py"), before_exec=ignore_sigint
    ),
    "stdin-closed": Environment(before_exec=partial(os.close, 0)),
    "no-home-no-tz": Environment(unset=("HOME", "TZ", "LANG", "TERM")),
    "kolkata": Environment(set={"TZ": "Asia/Kolkata"}),
    "c-locale": Environment(set={"LC_ALL": "C", "PYTHONUTF8": "0"}),
    "narrow-colors": Environment(set={"FORCE_COLOR": "1", "COLUMNS": "40"}),
    "ordinary-user": Environment(ordinary_user=True),
    "read-only": Environment(ordinary_user=True, read_only=True),
}


def as_ordinary_user() -> list[str]:
    """Return a command that runs another command as a user without privileges."""
    if Path("/proc/self").stat().st_uid:
        return []
    uid, gid = "65534", "65534"
    ways = (
        # In a user namespace, root's files belong to this user.
        ["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"],
        ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"],
    )
    for way in ways:
        probe = [*way, sys.executable, "-c", "import pytest, os; assert os.geteuid()"]
        if shutil.which(way[0]) and not subprocess.run(probe, capture_output=True).returncode:
            return way
    raise SystemExit("neither unshare nor setpriv starts this Python as an ordinary user")


@contextmanager
def checkout(scratch: Path, read_only: bool) -> Iterator[Path]:
    """Provide the project, or a read-only copy."""
    if not read_only:
        yield PROJECT
        return
    copy = scratch / "copy"
    hidden = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "*.egg-info")
    shutil.copytree(PROJECT, copy, ignore=hidden)
    subprocess.run(["chmod", "-R", "a-w", copy], check=True)
    try:
        yield copy
    finally:
        subprocess.run(["chmod", "-R", "u+w", copy], check=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a temporary folder to which all users can write."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def run(name: str) -> tuple[str, int, str]:
    """Run the tests in an environment; return its name, the exit code and a log."""
    chosen = ENVIRONMENTS[name]
    started = time.monotonic()
    with scratch_folder() as scratch, checkout(scratch, chosen.read_only) as project:
        variables = {**os.environ, "TMPDIR": str(scratch), **chosen.set}
        path = variables.get("PYTHONPATH", "").split(os.pathsep)
        sources, own = str(PROJECT / "src"), str(project / "src")
        path = [own if entry == sources else entry for entry in path]
        variables["PYTHONPATH"] = os.pathsep.join(path)
        for variable in chosen.unset:
            variables.pop(variable, None)
        user = as_ordinary_user() if chosen.ordinary_user else []
        done = subprocess.run(
            [*user, *PYTEST, *chosen.options, *chosen.tests],
            cwd=project,
            env=variables,
            preexec_fn=chosen.before_exec,
            restore_signals=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    log = f"{done.stdout.strip()}\n{name}: {time.monotonic() - started:.0f} s"
    return name, done.returncode, log


def main() -> int:
    parser = argparse.ArgumentParser(prog="make environments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ENVIRONMENTS))
    names = parser.parse_args().names or list(ENVIRONMENTS)
    if unknown := set(names) - set(ENVIRONMENTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, code, log in pool.map(run, names):
            print(f"=== {name}: {'FAILED' if code else 'passed'}", flush=True)
            print(log if code else "\n".join(log.splitlines()[-2:]), flush=True)
            failed += [name] if code else []
    print(f"FAILED: {', '.join(failed)}" if failed else f"passed in {len(names)} environments")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
