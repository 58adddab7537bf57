"""The example services, installed and controlled by their own commands."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from support import wait_until_deleted

from winsvc import Service, ServiceManager, State

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SECONDS = 30


class Program:
    """A program with one service, which is installed under a name of the test's."""

    def __init__(self, script: str | Path, name: str, log: Path) -> None:
        self.script = EXAMPLES / script
        self.name = name
        self.log = log

    def __call__(self, command: str, *arguments: str) -> str:
        line = [sys.executable, str(self.script), command, "--name", self.name, *arguments]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def program(
    scm: ServiceManager, unique_name: Callable[[], str], tmp_path: Path
) -> Iterator[Callable[[str], Program]]:
    programs: list[Program] = []

    def install(script: str | Path) -> Program:
        program = Program(script, unique_name(), tmp_path / "failures.log")
        program("install", "--start", "manual", "--log", str(program.log))
        programs.append(program)
        return program

    yield install
    for installed in programs:
        if scm.exists(installed.name):
            installed("remove")
        wait_until_deleted(scm, installed.name)
        assert installed.log.read_text("utf-8") == ""


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not file.exists():
        assert time.monotonic() < deadline, f"there is no {file}"
        time.sleep(0.01)


def ends_well(service: Service) -> None:
    service.stop(timeout=SECONDS)
    status = service.status()
    assert (status.state, status.exit_code) == (State.STOPPED, 0)


def test_heartbeat_example_starts_stops_and_removes(
    scm: ServiceManager, program: Callable[[str], Program]
) -> None:
    heartbeat = program("heartbeat.py")
    assert "running" not in heartbeat("status")
    assert "started" in heartbeat("start", "0.05")
    assert "running" in heartbeat("status")
    with scm.open(heartbeat.name) as service:
        ends_well(service)
    assert "removed" in heartbeat("remove")
    wait_until_deleted(scm, heartbeat.name)


def test_inbox_example_moves_files_except_while_paused(
    scm: ServiceManager, program: Callable[[Path], Program], tmp_path: Path
) -> None:
    # The example with its log in a file, which shows when it has moved a file.
    logged = tmp_path / "inbox.log"
    script = tmp_path / "logging_inbox.py"
    script.write_text(
        f"""\
import logging
import sys

logging.basicConfig(filename={str(logged)!r}, level="INFO", format="%(message)s")
logging.getLogger("winsvc").setLevel("WARNING")
sys.path.insert(0, {str(EXAMPLES)!r})
from inbox import Inbox
from winsvc.host import run

run(Inbox)
""",
        "utf-8",
    )
    inbox = program(script)
    folder = tmp_path / "a folder äöü"
    folder.mkdir()
    (folder / "early").touch()
    inbox("start", str(folder))
    assert (folder / "done" / "early").exists()
    with scm.open(inbox.name) as service:
        service.pause(timeout=SECONDS)
        (folder / "late").touch()
        service.control(128)
        service.resume(timeout=SECONDS)  # handled after 128, which did nothing
        service.control(128)
        wait_for(folder / "done" / "late")  # or a stop that comes first may leave it
        ends_well(service)
    messages = logged.read_text("utf-8").splitlines()
    # Not in the middle, where the first 128 was. How many it took main() says in its own time.
    messages = [line for line in messages if not line.endswith(" files")]
    assert messages == ["took early", "paused", "continued", "took late"]


def test_webserver_example_answers_after_restart(
    scm: ServiceManager, program: Callable[[str], Program], unused_port: int
) -> None:
    server = program("webserver.py")
    with scm.open(server.name) as service:
        for _ in range(2):  # the port is free again
            server("start", str(unused_port))
            with urlopen(f"http://127.0.0.1:{unused_port}/way", timeout=SECONDS) as answer:
                assert b"/way" in answer.read()
            ends_well(service)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
