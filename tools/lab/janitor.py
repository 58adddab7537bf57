"""Clean up after a run in the lab, however the run ends.

Each run starts a janitor with a pipe as its standard input. The pipe closes when the run ends or is
killed: the janitor then ends the run's Wine server and removes its prefix. The janitor has a
separate session, so that Ctrl-C at a terminal does not reach it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def main() -> None:
    run = Path(sys.argv[1])
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print("ready", flush=True)
        sys.stdin.buffer.read()
        clean(run)


def clean(run: Path) -> None:
    """End the Wine server of a run's prefix and its processes, then remove the folder."""
    prefix = run / "prefix"
    wineserver(prefix, "-k")
    wineserver(prefix, "-w")
    _end_survivors(prefix)
    named = prefix / "wineserver"  # Debian's Wine stores the name of its socket folder
    if named.is_file() and (name := named.read_text().strip()).startswith("wine-"):
        shutil.rmtree(Path("/tmp", name), ignore_errors=True)
    shutil.rmtree(run, ignore_errors=True)


def sweep(runs: Path) -> None:
    """Clean up after runs whose janitor was killed as well: their lock is free."""
    for run in runs.glob("run-*"):
        try:
            with (run / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                clean(run)
        except OSError:
            continue  # in use, or another sweep was faster


def wineserver(prefix: Path, *arguments: str) -> int:
    """Run ``wineserver`` for a prefix; return 1 if the server is not running, or hangs."""
    if not prefix.is_dir():
        return 1
    try:
        return subprocess.run(
            ["wineserver", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "WINEPREFIX": str(prefix)},
            timeout=60,
        ).returncode
    except subprocess.TimeoutExpired:
        return 1


def _end_survivors(prefix: Path) -> None:
    """End processes of the prefix that outlived its server: with SIGTERM, then with SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(20):
            living = list(processes(prefix))
            if not living:
                return
            for pid in living:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)


def processes(prefix: Path) -> Iterator[int]:
    """Yield the ids of this user's processes whose WINEPREFIX is the prefix."""
    wanted = f"WINEPREFIX={prefix}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int(entry.name) != os.getpid() and wanted in _environment(entry):
                yield int(entry.name)
        except OSError:
            continue  # the process has ended, or belongs to another user


def _environment(process: Path) -> list[bytes]:
    return (process / "environ").read_bytes().split(b"\0")


if __name__ == "__main__":
    main()
