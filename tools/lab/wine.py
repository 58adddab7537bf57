"""The Wine prefix: a template, and for each run a copy with a separate Wine server."""

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

LONGEST_RUN = 1200  # seconds; a longer run is considered to hang
GRACE = 3

# Registry values of the template: key, name, type, data.
SETTINGS = (
    (r"HKCU\Software\Wine", "Version", "REG_SZ", "win10"),
    # Windows work without a display.
    (r"HKCU\Software\Wine\Drivers", "Graphics", "REG_SZ", "null"),
)


def environment(prefix: Path) -> dict[str, str]:
    """Return the environment of a Windows process in a prefix."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "WINEPREFIX": str(prefix),
        "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=;winedbg.exe=",
        "PYTHONUTF8": "1",
    }


def ensure_template(lab: Lab) -> None:
    """Prepare the prefix that each run copies, and ``settle.exe``."""
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
            named.unlink()  # the server's socket, which a copy must not use


class Session:
    """A prefix copied from the template, with a running server; removed when the block ends.

    A janitor process removes it after Ctrl-C, SIGTERM, SIGHUP and SIGKILL as well.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._janitor: subprocess.Popen[str] | None = None
        self.prefix = Path()

    def __enter__(self) -> Session:
        runs = self._lab.runs
        runs.mkdir(parents=True, exist_ok=True)
        # Another run could remove the folder before the janitor holds its lock.
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
            # The dependencies of winsvc are in the same folder, as in every installation: programs
            # in a virtual environment without the base's packages find both.
            for needed in self._lab.windows_python.parent.glob("Lib/site-packages/_cffi_backend.*"):
                run([*copy, needed, site])
            # The server and services.exe must not inherit a run's pipes and keep them open.
            # No "wineboot --init": the first Wine process boots the prefix, and an explicit boot
            # would start a second services.exe.
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
        """Run the Windows Python; relay its output; return its exit code.

        Its standard streams are pipes: it does not start with a socket or a closed descriptor.
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
            relay.join(GRACE)  # a remaining child process may keep the pipe open
        return code

    def interactive(self) -> int:
        """Run a Windows Python prompt on this terminal."""
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
        # A separate thread, so that exit() ends the prompt without another line of input.
        threading.Thread(target=_feed, args=(process.stdin,), daemon=True).start()
        code = process.wait()
        output.join()
        return code


def windows_path(path: Path) -> str:
    """Convert a Linux path to the path of Windows programs in the lab."""
    return "Z:" + str(path).replace("/", "\\")


def _relay(source: IO[bytes], target: IO[str]) -> None:
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    newlines = io.IncrementalNewlineDecoder(utf8, translate=True)
    while block := os.read(source.fileno(), 1 << 16):
        try:
            target.write(newlines.decode(block))
            target.flush()
        except (OSError, ValueError):
            continue  # the reader has ended; the program must not block


def _feed(target: IO[bytes]) -> None:
    try:
        for line in sys.stdin:
            target.write(line.encode())
            target.flush()
        target.close()
    except OSError:
        pass  # the prompt has ended
