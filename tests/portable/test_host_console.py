"""A service in a console: its program's ``debug`` command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
import sys
from winsvc.host import ServiceBase, ServiceExit
from winsvc.host.console import debug

class Beat(ServiceBase):
    name = "beat"

    {main}

    def on_pause(self):
        print("pausing", flush=True)

    def on_continue(self):
        print("continuing", flush=True)

    def on_custom(self, event):
        print("custom", event.code, flush=True)
        if event.code == 250:
            raise ValueError("in a handler")

    def on_session_change(self, event):
        pass

if "late" in sys.argv:  # the service registers once a control was sent
    import threading
    import winsvc.host.console

    sent = threading.Event()

    class LateConsole(winsvc.host.console._Console):
        def send(self, control):
            super().send(control)
            sent.set()

        def register_service_ctrl_handler(self, name, handler):
            assert not self._hosted and sent.wait(30)
            return super().register_service_ctrl_handler(name, handler)

    winsvc.host.console._Console = LateConsole

sys.exit(debug([Beat], sys.argv[1:]))
"""

MAIN = """
    def main(self):
        print("arguments", self.arguments, flush=True)
        self.report_running()
        self.stop_requested.wait()
        print("ends", flush=True)
        if "fails" in self.arguments:
            raise ServiceExit(service_exit_code=7)
"""
ASYNC_MAIN = """
    async def main(self):
        print("arguments", self.arguments, flush=True)
        self.report_running()
        while not await self.stop_requested.wait_async(60):
            pass
        print("ends", flush=True)
"""
STUBBORN_MAIN = """
    def main(self):
        import time
        self.report_running()
        print("arguments", self.arguments, flush=True)
        while True:
            time.sleep(60)
"""


@contextmanager
def debugged(tmp_path: Path, main: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Yield the program after its service has started."""
    path = tmp_path / "beat.py"
    path.write_text(PROGRAM.format(main=textwrap.indent(textwrap.dedent(main), "    ").strip()))
    process = subprocess.Popen(
        # As UTF-8 in whatever locale the tests run.
        [sys.executable, str(path), *(argument.encode() for argument in arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    with process:
        watchdog = threading.Timer(60, process.kill)  # a silent program ends the test
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line_of_output in process.stderr:
        if text in line_of_output:
            return
    pytest.fail(f"the program did not print {text!r}")


def type_in(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


@pytest.mark.parametrize("main", [MAIN, ASYNC_MAIN], ids=["plain", "async"])
def test_debug_sends_controls_for_keys_and_ctrl_c(tmp_path: Path, main: str) -> None:
    with debugged(tmp_path, main, "one", "zwei äöü") as process:
        assert line(process) == "arguments ('one', 'zwei äöü')"
        until(process, "beat: RUNNING")
        type_in(process, "p")
        assert line(process) == "pausing"
        until(process, "beat: PAUSED")
        type_in(process, "200")
        assert line(process) == "custom 200"
        type_in(process, "c")
        assert line(process) == "continuing"
        until(process, "beat: RUNNING")
        type_in(process, "x")
        until(process, "Ctrl-C or s: stop")
        process.send_signal(signal.SIGINT)
        assert line(process) == "ends"
        until(process, "beat: STOPPED, exit code 0")
        assert process.wait(10) == 0


def test_debug_with_service_exit_code_exits_with_1(tmp_path: Path) -> None:
    with debugged(tmp_path, MAIN, "fails") as process:
        until(process, "beat: RUNNING")
        type_in(process, "s")
        until(process, "beat: STOPPED, exit code 1066, service-specific exit code 7")
        assert process.wait(10) == 1


def test_debug_with_failing_handler_stops_service_with_1064(tmp_path: Path) -> None:
    with debugged(tmp_path, MAIN) as process:
        until(process, "beat: RUNNING")
        type_in(process, "250")
        until(process, "ValueError: in a handler")
        until(process, "beat: STOPPED, exit code 1064")
        assert process.wait(10) == 1


def test_debug_on_second_ctrl_c_exits_with_130(tmp_path: Path) -> None:
    """The second Ctrl-C is as everywhere else."""
    with debugged(tmp_path, STUBBORN_MAIN) as process:
        until(process, "beat: RUNNING")
        process.send_signal(signal.SIGINT)
        until(process, "beat: STOP_PENDING")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        until(process, "pressed again")
        until(process, "in main")  # where it was


def test_debug_delivers_control_sent_before_service_runs(tmp_path: Path) -> None:
    with debugged(tmp_path, MAIN, "late") as process:
        type_in(process, "s")
        until(process, "beat: STOP_PENDING")
        until(process, "beat: STOPPED, exit code 0")
        assert process.wait(10) == 0
