"""Tests of the three services on a simulated service control manager: pytest examples."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from heartbeat import Heartbeat
from inbox import Inbox
from webserver import WebServer

from winsvc import FailureActions, ServiceManager, ServiceStartError, Settings, State
from winsvc.testing import SimulatedSCM


@pytest.fixture
def scm(simulated_scm: SimulatedSCM) -> Iterator[ServiceManager]:
    with ServiceManager() as manager:
        yield manager
    assert {service.state for service in simulated_scm} == {State.STOPPED}


def test_heartbeat_logs_beat_at_each_interval(
    simulated_scm: SimulatedSCM, scm: ServiceManager, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    simulated_scm.host(Heartbeat)
    with scm.open("heartbeat") as service:
        service.start("2.5", timeout=30)
        simulated_scm.clock.advance(60.1)  # takes no real time
        assert [record.message for record in caplog.records if record.name == "heartbeat"] == (
            ["beat"] * 24
        )
        service.stop(timeout=30)
        assert service.status().exit_code == 0


class Restarted(Heartbeat):
    settings = Settings(failure_actions=FailureActions.restart(after=(5, 30)))


def test_heartbeat_with_invalid_argument_fails_and_is_restarted(
    simulated_scm: SimulatedSCM, scm: ServiceManager
) -> None:
    simulated_scm.host(Restarted)
    with scm.open("heartbeat") as service:
        with pytest.raises(ServiceStartError, match="exit code 1064"):
            service.start("often")  # not a number
        assert "could not convert string to float" in simulated_scm.event_log[0].text
        service.wait(State.RUNNING, timeout=10)  # restarted without the argument
        service.stop(timeout=30)


def test_inbox_moves_files_except_while_paused(
    simulated_scm: SimulatedSCM, scm: ServiceManager, tmp_path: Path
) -> None:
    simulated_scm.host(Inbox)
    (tmp_path / "early").touch()
    with scm.open("inbox") as service:
        service.start(str(tmp_path), timeout=30)
        assert (tmp_path / "done" / "early").exists()
        (tmp_path / "one").touch()
        simulated_scm.clock.advance(1.5)
        assert (tmp_path / "done" / "one").exists()
        service.pause(timeout=5)
        (tmp_path / "two").touch()
        service.control(128)
        simulated_scm.clock.advance(60)
        assert (tmp_path / "two").exists()
        service.resume(timeout=5)
        service.control(128)
        simulated_scm.clock.advance(0)
        assert (tmp_path / "done" / "two").exists()
        service.stop(timeout=30)


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_webserver_answers_and_frees_port_on_stop(
    simulated_scm: SimulatedSCM, scm: ServiceManager, unused_port: int
) -> None:
    simulated_scm.host(WebServer)
    with scm.open("webserver") as service:
        for way in ("first", "second"):  # the port is free after the stop
            service.start(str(unused_port), timeout=30)
            assert service.status().state is State.RUNNING
            with urlopen(f"http://127.0.0.1:{unused_port}/{way}", timeout=10) as answer:
                expected = f"Hello from a Windows service; you requested /{way}\n"
                assert answer.read().decode() == expected
            assert service.stop(timeout=30).exit_code == 0


def test_webserver_with_invalid_port_fails_with_1064(
    simulated_scm: SimulatedSCM, scm: ServiceManager
) -> None:
    simulated_scm.host(WebServer)
    with scm.open("webserver") as service:
        with pytest.raises(ServiceStartError, match="exit code 1064"):
            service.start("99999")
        assert "OverflowError" in simulated_scm.event_log[0].text


def test_webserver_with_port_in_use_fails_with_1064(
    simulated_scm: SimulatedSCM, scm: ServiceManager
) -> None:
    simulated_scm.host(WebServer)
    with socket.socket() as taken, scm.open("webserver") as service:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServiceStartError, match="exit code 1064"):
            service.start(str(taken.getsockname()[1]))
        assert "OSError" in simulated_scm.event_log[0].text
