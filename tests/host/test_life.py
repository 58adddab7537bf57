"""Services in Python under a real service control manager, event by event.

The programs in reporting.py report each event as a line over a pipe.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from differences import wine_has
from support import wait_until_deleted

from winsvc import (
    ControlRefusedError,
    Service,
    ServiceManager,
    ServiceStartError,
    ServiceStatus,
    ServiceType,
    State,
    is_elevated,
)
from winsvc._values.commandline import command_line
from winsvc.enums import AcceptedControls
from winsvc.host import is_service

PROGRAM = Path(__file__).with_name("reporting.py")
SECONDS = 30  # until a test is given up

Hosted: TypeAlias = Callable[..., AbstractContextManager[Service]]

_numbers = itertools.count()


class Heard:
    """The test's end of the pipe: one process at a time."""

    def __init__(self) -> None:
        self.address = rf"\\.\pipe\winsvc-test-{os.getpid()}-{next(_numbers)}"
        self._listener = Listener(self.address, "AF_PIPE")
        self._connection: Any = None

    def line(self) -> str:
        """Return the next line, of a new process if there is none yet."""
        self._connect()
        assert self._connection.poll(SECONDS), "no line came"
        line = self._connection.recv()
        assert isinstance(line, str)
        return line

    def say(self, line: str) -> None:
        self._connect()
        self._connection.send(line)

    def _connect(self) -> None:
        if self._connection is not None:
            return
        accepted: list[Any] = []
        thread = threading.Thread(
            target=lambda: accepted.append(self._listener.accept()), daemon=True
        )
        thread.start()
        thread.join(SECONDS)
        assert accepted, "no process has connected"
        (self._connection,) = accepted

    def over(self) -> None:
        """Until the process has ended; the next line is another's."""
        assert self.line() == "over"
        assert self._connection is not None
        with pytest.raises(EOFError):
            self._connection.recv()
        self.hang_up()

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.hang_up()
        self._listener.close()


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    yield heard
    heard.close()


@pytest.fixture
def hosted(scm: ServiceManager, unique_name: Callable[[], str], heard: Heard) -> Hosted:
    @contextmanager
    def hosted(kind: str) -> Iterator[Service]:
        with hosted_together(scm, heard, {kind: unique_name()}) as (service,):
            yield service

    return hosted


@contextmanager
def hosted_together(
    scm: ServiceManager, heard: Heard, names: Mapping[str, str]
) -> Iterator[list[Service]]:
    """Services of these kinds and names, in one program."""
    which = [f"{kind}={name}" for kind, name in names.items()]
    command = command_line(sys.executable, str(PROGRAM), heard.address, *which)
    service_type = ServiceType.SHARE_PROCESS if len(names) > 1 else ServiceType.OWN_PROCESS
    with ExitStack() as ending:
        services: list[Service] = []
        for name in names.values():
            ending.callback(wait_until_deleted, scm, name)
            service = ending.enter_context(scm.create(name, command, service_type=service_type))
            ending.callback(service.delete)
            ending.callback(stop, service)
            services.append(service)
        yield services


def stop(service: Service) -> None:
    if service.status().state is not State.STOPPED:
        service.stop(timeout=SECONDS)


def until_stopped(service: Service) -> ServiceStatus:
    return service.wait(State.STOPPED, timeout=SECONDS)


# ------------------------------------------------------------------- queries about itself


def test_hosted_service_can_query_itself(hosted: Hosted, heard: Heard) -> None:
    with hosted("queries") as service:
        service.start(wait=False)
        assert heard.line() == "is_service True, is_elevated True"
        if wine_has("missing-calls"):
            assert heard.line() == "start_reason unsupported: QueryServiceDynamicInformation"
            assert heard.line() == "directory unsupported: GetServiceDirectory"
            assert heard.line() == "shared_directory unsupported: GetSharedServiceDirectory"
        else:
            assert heard.line() == "start_reason DEMAND"
            assert service.name in heard.line()
            assert service.name in heard.line()
        assert "wait=False" in heard.line()
        assert service.wait(State.RUNNING, timeout=SECONDS).pid
        stop(service)
        heard.over()


def test_program_under_test_is_no_service_and_is_elevated() -> None:
    assert not is_service()
    assert is_elevated()


# ------------------------------------------------------------------- a whole life


def test_hosted_service_handles_every_control(hosted: Hosted, heard: Heard) -> None:
    with hosted("reporter") as service:
        service.start("one", "zwei äöü", "", timeout=SECONDS)
        assert heard.line() == "main ['one', 'zwei äöü'] on main"
        assert heard.line() == "RUNNING"
        accepted = service.status().controls_accepted
        assert accepted == (
            AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE | AcceptedControls.PARAM_CHANGE
        )
        assert service.pause(timeout=SECONDS).state is State.PAUSED
        assert heard.line() == "pause in PAUSE_PENDING"
        assert service.resume(timeout=SECONDS).state is State.RUNNING
        assert heard.line() == "continue in CONTINUE_PENDING"
        service.control(200)
        assert heard.line() == "custom 200"
        assert service.control(4).state is State.RUNNING
        assert heard.line() == "interrogate"
        service.control(6)
        assert heard.line() == "param change"
        assert service.control(1).state is State.STOP_PENDING
        assert {heard.line(), heard.line()} == {
            "stop requested by <Control.STOP: 1>",
            "stop on beside",
        }
        heard.over()
        status = until_stopped(service)
        assert (status.exit_code, status.service_exit_code) == (0, 0)


def test_hosted_service_started_50_times_exits_each_time(hosted: Hosted, heard: Heard) -> None:
    with hosted("reporter") as service:
        for _ in range(50):
            service.start(timeout=SECONDS)
            assert heard.line() == "main [] on main"
            assert heard.line() == "RUNNING"
            service.stop(timeout=SECONDS)
            assert {heard.line(), heard.line()} == {
                "stop requested by <Control.STOP: 1>",
                "stop on beside",
            }
            heard.over()  # the process has ended


# ------------------------------------------------------------------- how it ends


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("exit", "5"), (5, 0)),
        (("own", "4000000000"), (1066, 4000000000)),
        (("sys.exit", "3"), (1066, 3)),
        (("sys.exit", "0"), (0, 0)),
        (("main",), (1064, 0)),
    ],
)
def test_hosted_service_exit_sets_exit_codes(
    hosted: Hosted,
    heard: Heard,
    arguments: tuple[str, ...],
    codes: tuple[int, int],
) -> None:
    with hosted("ends") as service:
        service.start(*arguments, timeout=SECONDS)
        assert heard.line() == "running"
        service.stop(timeout=SECONDS)
        heard.over()
        status = until_stopped(service)
        assert (status.exit_code, status.service_exit_code) == codes


@pytest.mark.parametrize(("argument", "code"), [("init", 1064), ("before", 1234)])
def test_hosted_service_exiting_before_running_raises_start_error(
    hosted: Hosted, heard: Heard, argument: str, code: int
) -> None:
    with hosted("ends") as service:
        with pytest.raises(ServiceStartError) as caught:
            service.start(argument, "1234", timeout=SECONDS)
        assert caught.value.status is not None
        assert caught.value.status.exit_code == code
        heard.over()


def test_exception_in_handler_stops_service_with_1064(hosted: Hosted, heard: Heard) -> None:
    with hosted("ends") as service:
        service.start("handler", timeout=SECONDS)
        assert heard.line() == "running"
        service.control(128)
        assert heard.line() == "stop requested by None"
        heard.over()
        assert until_stopped(service).exit_code == 1064


# ------------------------------------------------------------------- on its way


def test_slow_start_reports_check_points_and_wait_hints(hosted: Hosted, heard: Heard) -> None:
    with hosted("slow") as service:
        service.start(wait=False)
        before = service.status()
        assert before.state is State.START_PENDING
        for _ in range(3):
            heard.say("step")
            assert heard.line() == "stepped"
            status = service.status()
            assert status.state is State.START_PENDING
            assert status.check_point == before.check_point + 1
            assert status.wait_hint.total_seconds() == 77
            before = status
        heard.say("on")
        assert heard.line() == "busy"
        status = service.status()
        assert status.check_point == before.check_point + 1
        assert status.wait_hint.total_seconds() == 99
        heard.say("on")
        assert heard.line() == "running"
        status = service.status()
        assert (status.state, status.check_point) == (State.RUNNING, 0)
        service.stop(wait=False)
        assert heard.line() == "ending"
        status = service.status()
        assert status.state is State.STOP_PENDING
        assert status.wait_hint.total_seconds() == 44
        with pytest.raises(ControlRefusedError):
            service.stop(wait=False)
        heard.say("on")
        heard.over()
        assert until_stopped(service).exit_code == 0


def test_stop_during_start_ends_service_without_running(hosted: Hosted, heard: Heard) -> None:
    with hosted("starting") as service:
        service.start(wait=False)
        assert heard.line() == "starting"
        assert service.status().state is State.START_PENDING
        service.stop(timeout=SECONDS)
        assert heard.line() == "STOP_PENDING"  # it does not run after all
        heard.over()
        assert until_stopped(service).exit_code == 0


# ------------------------------------------------------------------- of other kinds


def test_coroutine_service_handles_controls_on_main_thread(hosted: Hosted, heard: Heard) -> None:
    with hosted("tasks") as service:
        service.start(timeout=SECONDS)
        assert heard.line() == "running on main"
        service.pause(timeout=SECONDS)
        assert heard.line() == "pause on main"
        service.control(200)
        assert heard.line() == "custom 200 in PAUSED"
        service.resume(timeout=SECONDS)
        assert heard.line() == "continue"
        service.stop(timeout=SECONDS)
        assert heard.line() == "ends"
        heard.over()
        assert until_stopped(service).exit_code == 0


def test_exception_in_coroutine_handler_stops_service_with_1064(
    hosted: Hosted, heard: Heard
) -> None:
    with hosted("tasks") as service:
        service.start(timeout=SECONDS)
        assert heard.line() == "running on main"
        service.pause(timeout=SECONDS)
        assert heard.line() == "pause on main"
        service.control(250)
        assert {heard.line(), heard.line()} == {"custom 250 in PAUSED", "ends"}
        heard.over()
        assert until_stopped(service).exit_code == 1064


def test_program_with_two_services_runs_named_class(
    scm: ServiceManager, heard: Heard, unique_name: Callable[[], str]
) -> None:
    """Wine starts a process for each service; its name selects the class."""
    names = {"reporter": unique_name(), "tasks": unique_name()}
    with hosted_together(scm, heard, names) as (reporter, tasks):
        reporter.start(timeout=SECONDS)
        assert heard.line() == "main [] on main"
        assert heard.line() == "RUNNING"
        reporter.stop(timeout=SECONDS)
        assert {heard.line(), heard.line()} == {
            "stop requested by <Control.STOP: 1>",
            "stop on beside",
        }
        heard.over()
        tasks.start(timeout=SECONDS)
        assert heard.line() == "running on beside"
        tasks.stop(timeout=SECONDS)
        assert heard.line() == "ends"
        heard.over()
