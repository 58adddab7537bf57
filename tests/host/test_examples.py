"""The example services, installed and controlled by their own commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from support import wait_until_gone

from winsvc import Service, ServiceManager, State

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
SECONDS = 30


class Program:
    """A program with one service, which is installed under a name of the test's."""

    def __init__(self, script: str, name: str, log: Path) -> None:
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
    made: list[Program] = []

    def install(script: str) -> Program:
        program = Program(script, unique_name(), tmp_path / "failures.log")
        program("install", "--start", "manual", "--log", str(program.log))
        made.append(program)
        return program

    yield install
    for one in made:
        if one.name in scm:
            one("remove")
        wait_until_gone(scm, one.name)
        assert one.log.read_text("utf-8") == ""


def ends_well(service: Service) -> None:
    service.stop(timeout=SECONDS)
    status = service.status()
    assert (status.state, status.exit_code) == (State.STOPPED, 0)


def test_the_heartbeat(scm: ServiceManager, program: Callable[[str], Program]) -> None:
    heartbeat = program("heartbeat.py")
    assert "running" not in heartbeat("status")
    assert "started" in heartbeat("start", "0.05")
    assert "running" in heartbeat("status")
    with scm.open(heartbeat.name) as service:
        ends_well(service)
    assert "removed" in heartbeat("remove")
    wait_until_gone(scm, heartbeat.name)


def test_the_inbox(scm: ServiceManager, program: Callable[[str], Program], tmp_path: Path) -> None:
    inbox = program("inbox.py")
    folder = tmp_path / "a folder äöü"
    folder.mkdir()
    (folder / "early").touch()
    inbox("start", str(folder))
    assert (folder / "done" / "early").exists()
    with scm.open(inbox.name) as service:
        service.pause(timeout=SECONDS)
        (folder / "late").touch()
        service.control(128)
        service.resume(timeout=SECONDS)  # after 128, which did nothing
        assert (folder / "late").exists() or (folder / "done" / "late").exists()
        service.control(128)
        ends_well(service)
    assert (folder / "done" / "late").exists()


def test_the_web_server(
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
