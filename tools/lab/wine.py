"""The Wine prefix: a template made once, and a copy with a server of its own for every run."""

from __future__ import annotations

import codecs
import fcntl
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from tools.lab import janitor
from tools.lab.layout import PROJECT, RUN_SITE, Lab, LabError, fingerprint, part
from tools.lab.machine import capture, compile_program, run

SETTLE = Path(__file__).with_name("settle.c")

LONGEST_RUN = 1200  # seconds; what takes longer hangs
GRACE = 3

# Registry values of the template: key, name, type, data.
SETTINGS = (
    (r"HKCU\Software\Wine", "Version", "REG_SZ", "win10"),
    # Ordinary windows without a display.
    (r"HKCU\Software\Wine\Drivers", "Graphics", "REG_SZ", "null"),
)


def environment(prefix: Path) -> dict[str, str]:
    """The environment of a Windows process in a prefix."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=;winedbg.exe=",
        "PYTHONUTF8": "1",
    }


def ensure_template(lab: Lab) -> None:
    """The prefix that every run gets a copy of, and ``settle.exe``."""
    version = capture("wine", "--version").strip()
    key = fingerprint(version, str(SETTINGS), files=[SETTLE])
    part(lab, "prefix", f"Wine prefix ({version})", key, _make_template)


def _make_template(folder: Path) -> None:
    compile_program(SETTLE, folder / "settle.exe")
    template = folder / "prefix"
    template.mkdir()
    variables = environment(template)
    try:
        for key, name, kind, data in SETTINGS:
            run(["wine", "reg", "add", key, "/v", name, "/t", kind, "/d", data, "/f"], **variables)
    finally:
        janitor.wineserver(template, "-k")
        janitor.wineserver(template, "-w")
        named = template / "wineserver"
        if named.is_file():
            shutil.rmtree(Path("/tmp") / named.read_text().strip(), ignore_errors=True)
            named.unlink()  # names the server's socket: a copy must not talk to it


class Session:
    """A prefix copied from the template, with a running server; gone when the block ends.

    Also gone after Ctrl-C, SIGTERM, SIGHUP and SIGKILL: a janitor process sees to it.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._janitor: subprocess.Popen[str] | None = None
        self.prefix = Path()

    def __enter__(self) -> Session:
        runs = self._lab.runs
        runs.mkdir(parents=True, exist_ok=True)
        # Until the janitor holds its own lock, another run would sweep the folder away.
        with (self._lab.root / "runs.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            janitor.sweep(runs)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
            self.prefix = folder / "prefix"
            self._janitor = subprocess.Popen(
                [sys.executable, "-m", "tools.lab.janitor", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
                start_new_session=True,
            )
            assert self._janitor.stdout is not None
            if self._janitor.stdout.readline() != "ready\n":
                raise LabError("the janitor, which cleans up after a run, did not start")
        try:
            copy = ("cp", "-a", "--reflink=auto")
            template = self._lab.parts["prefix"]
            run([*copy, template / "prefix", self.prefix])
            site = self.prefix / "drive_c" / RUN_SITE[3:]
            run([*copy, self._lab.parts["site"], site])
            # As in every installation, what winsvc needs lies beside it: programs in a virtual
            # environment without the base's packages find both.
            for needed in self._lab.windows_python.parent.glob("Lib/site-packages/_cffi_backend.*"):
                run([*copy, needed, site])
            # The server and services.exe must not inherit a run's pipes: they would hold them open.
            # Never "wineboot --init": the first Wine process boots the prefix by itself, and an
            # explicit boot starts a second services.exe beside the first one.
            self._detached("wineserver", "-p")
            self._detached("wine", str(template / "settle.exe"))
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._clean()

    def _clean(self) -> None:
        if self._janitor is not None:
            assert self._janitor.stdin is not None
            self._janitor.stdin.close()
            self._janitor.wait()
            self._janitor = None

    def _detached(self, *command: str) -> None:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(self.prefix),
            start_new_session=True,
            timeout=120,
        )
        if done.returncode:
            raise LabError(f"{' '.join(command)} failed with {done.returncode}")

    def python(self, *arguments: str, cwd: Path = PROJECT, **variables: str) -> int:
        """Run the Windows Python; relay what it prints; return its exit code.

        It can't start with a socket or a closed descriptor as a standard stream, so it gets pipes.
        """
        process = subprocess.Popen(
            ["wine", str(self._lab.windows_python), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment(self.prefix), **variables},
            cwd=cwd,
            start_new_session=True,
        )
        relays = [
            threading.Thread(target=_relay, args=pair, daemon=True)
            for pair in ((process.stdout, sys.stdout), (process.stderr, sys.stderr))
        ]
        for relay in relays:
            relay.start()
        try:
            code = process.wait(LONGEST_RUN)
        except subprocess.TimeoutExpired:
            raise LabError(f"python.exe has not ended after {LONGEST_RUN} s") from None
        for relay in relays:
            relay.join(GRACE)  # a process that it left behind may hold the pipe open for ever
        return code

    def interactive(self) -> int:
        """A Windows Python prompt on this terminal."""
        process = subprocess.Popen(
            ["wine", str(self._lab.windows_python), "-i", "-u", "-q"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment(self.prefix), "PYTHON_BASIC_REPL": "1"},
            start_new_session=True,
        )
        output = threading.Thread(target=_relay, args=(process.stdout, sys.stdout), daemon=True)
        output.start()
        # A thread of its own, so that exit() ends the prompt without one more line of input.
        threading.Thread(target=_feed, args=(process.stdin,), daemon=True).start()
        code = process.wait()
        output.join()
        return code


def windows_path(path: Path) -> str:
    """A Linux path as Windows programs in the lab see it."""
    return "Z:" + str(path).replace("/", "\\")


def _relay(source: IO[bytes], target: IO[str]) -> None:
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    newlines = io.IncrementalNewlineDecoder(utf8, translate=True)
    while block := os.read(source.fileno(), 1 << 16):
        try:
            target.write(newlines.decode(block))
            target.flush()
        except (OSError, ValueError):
            continue  # nobody reads any more: the program must not wait for that


def _feed(target: IO[bytes]) -> None:
    try:
        for line in sys.stdin:
            target.write(line.encode())
            target.flush()
        target.close()
    except OSError:
        pass  # the prompt has ended
