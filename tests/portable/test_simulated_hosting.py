"""Python services on the simulated SCM: their processes, threads and time."""

from __future__ import annotations

import asyncio
import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from simulated import code_of, control, start, state_of

from winsvc import (
    AcceptedControls,
    Control,
    FailureAction,
    FailureActions,
    ServiceManager,
    ServiceType,
    Settings,
    StartType,
    State,
    Win32Error,
)
from winsvc._values.rows import StatusRow
from winsvc.backend import HostBackend
from winsvc.errors import ValidationError
from winsvc.host import ServiceBase
from winsvc.testing import HostedProgram, ProgramBehavior, SimulatedSCM

S = State


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    before = set(threading.enumerate())
    with SimulatedSCM().installed() as sim:
        yield sim
        sim.close()
    assert set(threading.enumerate()) <= before


class Beat(ServiceBase):
    """Runs until it is to stop."""

    name = "beat"

    def main(self) -> None:
        self.report_running()
        self.stop_requested.wait()


def running(sim: SimulatedSCM, kind: type[ServiceBase]) -> None:
    """Host a service, and start it."""
    sim.host(kind)
    with ServiceManager() as scm, scm.open(kind.name) as service:
        service.start(timeout=60)


def stop(name: str = "beat") -> None:
    with ServiceManager() as scm, scm.open(name) as service:
        service.stop(timeout=60)


def hosted(sim: SimulatedSCM, main: Callable[[HostBackend], None], name: str = "beat") -> None:
    """Add a service with a program that calls the backend directly."""
    sim.add(name, program=HostedProgram(main, name))


def row(state: State, accepts: int = 1, code: int = 0) -> StatusRow:
    return StatusRow(0x10, int(state), accepts, code, 0, 0, 0, 0, 0)


def raw(
    backend: HostBackend,
    *,
    name: str = "",
    handler: Callable[[int, int, bytes], int] = lambda code, event_type, data: 0,
    then: Callable[[int], None] = lambda handle: None,
) -> None:
    """Run a program with one service by direct calls of the backend."""

    def service_main(arguments: list[str]) -> None:
        handle = backend.register_service_ctrl_handler(arguments[0], handler)
        backend.set_service_status(handle, row(S.RUNNING))
        then(handle)

    backend.start_service_ctrl_dispatcher([(name, service_main)])


# --------------------------------------------------------------------------- a life


def test_hosted_service_handles_controls_and_stops_cleanly(sim: SimulatedSCM) -> None:
    beats: list[float] = []

    class Lively(Beat):
        def main(self) -> None:
            self.report_running()
            while not self.stop_requested.wait(5):
                beats.append(sim.clock.now)

        def on_pause(self) -> None: ...

        def on_continue(self) -> None: ...

    sim.host(Lively)
    assert sim["beat"].binary_path == r"C:\simulated\beat.exe"
    with ServiceManager() as scm, scm.open("beat") as beat:
        beat.start(timeout=30)
        assert beat.status().pid == 1004
        sim.clock.advance(60)
        assert len(beats) == 12
        assert {round(b - a, 6) for a, b in pairwise(beats)} == {5.0}
        beat.pause(timeout=5)
        beat.resume(timeout=5)
        beat.control(200)
        beat.stop(timeout=30)
    assert sim["beat"].exit_code == 0
    assert sim["beat"].controls == [2, 3, 200, 1]
    assert sim.open_handles == 0


def test_hosted_services_make_same_calls_in_every_run() -> None:
    def run() -> list[tuple[object, ...]]:
        with SimulatedSCM().installed() as sim:
            sim.host(type("A", (Beat,), {"name": "a"}), type("B", (Talkative,), {"name": "b"}))
            sim.host(type("C", (Asynchronous,), {"name": "c"}))
            with ServiceManager() as scm:
                for name in "bca":
                    with scm.open(name) as service:
                        service.start(timeout=30)
                sim.clock.advance(20)
                for name in "abc":
                    with scm.open(name) as service:
                        service.stop(timeout=30)
            sim.close()
            return [(item.function, item.at, item.service, item.error) for item in sim.calls]

    class Talkative(Beat):
        def main(self) -> None:
            self.report_running()
            while not self.stop_requested.wait(1):
                with ServiceManager() as scm:
                    list(scm.services())

    class Asynchronous(ServiceBase):
        async def main(self) -> None:
            self.report_running()
            while not await self.stop_requested.wait_async(0.7):
                await asyncio.gather(*(asyncio.sleep(n / 100) for n in range(5)))

    first = run()
    assert len(first) > 100
    assert [run() for _ in range(3)] == [first] * 3


def test_hosted_service_restarts_leave_no_threads(sim: SimulatedSCM) -> None:
    sim.host(Beat)
    before = set(threading.enumerate())
    with ServiceManager() as scm, scm.open("beat") as beat:
        for _ in range(50):
            beat.start(timeout=30)
            beat.stop(timeout=30)
        sim.clock.advance(1)
        assert set(threading.enumerate()) <= before
        assert sim["beat"].starts == 50


def test_host_installs_settings_of_class(sim: SimulatedSCM) -> None:
    class Full(Beat):
        display_name = "Heartbeat"
        description = "Beats"
        settings = Settings(account="LocalService", failure_actions=FailureActions.restart())

    sim.host(Full)
    service = sim["beat"]
    assert (service.display_name, service.description) == ("Heartbeat", "Beats")
    assert service.account == r"NT AUTHORITY\LocalService"
    assert service.numbers[4] == 1  # failure actions for errors, too
    assert "beat" in sim.event_sources


def test_host_of_existing_service_keeps_its_config(sim: SimulatedSCM) -> None:
    with ServiceManager() as scm, scm.create("beat", r"C:\my.exe"):
        pass
    running(sim, Beat)
    assert sim["beat"].binary_path == r"C:\my.exe"
    assert (sim["beat"].state, sim["beat"].starts) == (S.RUNNING, 1)
    stop()


def test_programs_entry_chooses_program_by_arguments(sim: SimulatedSCM) -> None:
    def chosen(argv: list[str]) -> ProgramBehavior | HostedProgram:
        return HostedProgram.of(Beat) if "python" in argv else ProgramBehavior(start_error=2)

    sim.local.programs[r"C:\beat.exe"] = chosen
    sim.add("beat", binary_path=r"C:\beat.exe --service")
    assert start(sim, "beat") == 2
    assert start(sim, "beat", "python") == 0
    assert sim["beat"].hosted is not None


def test_add_running_hosted_program_raises(sim: SimulatedSCM) -> None:
    with pytest.raises(ValidationError, match="must be STOPPED"):
        sim.add("beat", state=S.RUNNING, program=HostedProgram.of(Beat))
    with pytest.raises(ValidationError, match="at least one service class"):
        sim.host()


# --------------------------------------------------------------------------- starts that fail


def test_start_of_program_without_dispatcher_times_out(sim: SimulatedSCM) -> None:
    ended: list[bool] = []

    def main(backend: HostBackend) -> None:
        try:
            backend.new_event().wait()
        finally:
            ended.append(True)

    hosted(sim, main)
    before = sim.clock.now
    assert start(sim, "beat") == 1053
    assert 30 <= sim.clock.now - before < 30.1
    assert ended == [True]
    assert sim["beat"].state is S.STOPPED
    assert sim["beat"].exit_code == 1053


def test_start_of_program_with_late_dispatcher_succeeds(sim: SimulatedSCM) -> None:
    def main(backend: HostBackend) -> None:
        backend.new_event().wait(29)
        raw(backend)

    hosted(sim, main)
    assert start(sim, "beat") == 0
    assert 29 < sim.clock.now < 30


@pytest.mark.parametrize(
    ("error", "logged"), [(None, []), (OSError("no config"), ["no config"]), (SystemExit(1), [])]
)
def test_start_of_program_ending_early_fails_at_once(
    sim: SimulatedSCM,
    caplog: pytest.LogCaptureFixture,
    error: BaseException | None,
    logged: list[str],
) -> None:
    def main(backend: HostBackend) -> None:
        if error is not None:
            raise error

    hosted(sim, main)
    assert start(sim, "beat") == 1053
    assert sim.clock.now < 1
    errors = [record.exc_info[1] for record in caplog.records if record.exc_info is not None]
    assert [str(item) for item in errors] == logged
    assert len(caplog.records) == len(logged)


def test_start_with_refused_dispatcher_fails_and_logs(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    sim.faults.fail("StartServiceCtrlDispatcherW", 5)
    sim.host(Beat)
    assert start(sim, "beat") == 1053
    assert "StartServiceCtrlDispatcherW" in caplog.text
    assert start(sim, "beat") == 0


def test_start_of_service_missing_from_table_fails(sim: SimulatedSCM) -> None:
    shared = int(ServiceType.SHARE_PROCESS)
    for name in ("one", "two"):
        sim.add(name, program=HostedProgram(lambda backend: raw(backend, name="one")))
        sim[name].service_type = shared
        sim[name].binary_path = r"C:\both.exe"
    assert start(sim, "two") == 1083
    assert start(sim, "one") == 0
    assert start(sim, "two") == 1083
    assert sim["one"].state is S.RUNNING
    sim["two"].service_type = int(ServiceType.OWN_PROCESS)  # then names don't count
    assert start(sim, "two") == 0


def test_host_calls_outside_service_are_refused(sim: SimulatedSCM) -> None:
    with pytest.raises(Win32Error) as caught:
        raw(sim)
    assert caught.value.winerror == 1063
    assert code_of(sim.register_service_ctrl_handler, "beat", lambda *_: 0) == 1083
    assert code_of(sim.set_service_status, 77, row(S.RUNNING)) == 6
    assert code_of(sim.register_device_notification, 77, None) == 6
    assert code_of(sim.unregister_device_notification, 77) == 6


def test_second_dispatcher_in_process_is_refused(sim: SimulatedSCM) -> None:
    found: list[int] = []

    def main(backend: HostBackend) -> None:
        def then(handle: int) -> None:
            found.append(code_of(raw, backend))

        raw(backend, then=then)

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(1)
    assert found == [1056]


# --------------------------------------------------------------------------- states and controls


def test_control_is_checked_against_reported_controls(sim: SimulatedSCM) -> None:
    received: list[int] = []

    def main(backend: HostBackend) -> None:
        def service_main(arguments: list[str]) -> None:
            def handler(code: int, event_type: int, data: bytes) -> int:
                received.append(code)
                return 120  # which Windows does not pass on

            handle = backend.register_service_ctrl_handler("beat", handler)
            backend.set_service_status(handle, row(S.START_PENDING, 0))
            backend.new_event().wait(10)
            backend.set_service_status(handle, row(S.START_PENDING, 1))
            backend.new_event().wait(10)
            backend.set_service_status(handle, row(S.RUNNING, 2))

        backend.start_service_ctrl_dispatcher([("", service_main)])

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(1)
    assert control(sim, "beat", Control.STOP) == 1052
    sim.clock.advance(10)
    assert sim["beat"].status_row().controls_accepted == AcceptedControls.STOP
    assert control(sim, "beat", Control.STOP) == 0
    assert control(sim, "beat", Control.INTERROGATE) == 1061
    sim.clock.advance(10)
    assert sim["beat"].status_row().controls_accepted == AcceptedControls.PAUSE_CONTINUE
    assert control(sim, "beat", Control.STOP) == 1052
    assert control(sim, "beat", Control.PAUSE) == 0
    assert sim["beat"].state is S.RUNNING  # as nothing else was reported
    assert received == [Control.STOP, Control.PAUSE]


def test_control_with_hung_handler_times_out(sim: SimulatedSCM) -> None:
    def main(backend: HostBackend) -> None:
        def handler(code: int, event_type: int, data: bytes) -> int:
            backend.new_event().wait()
            return 0

        raw(backend, handler=handler)

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(1)
    before = sim.clock.now
    assert control(sim, "beat", 200) == 1053
    assert 30 <= sim.clock.now - before < 30.1


def test_control_with_raising_handler_succeeds_and_logs(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(code: int, event_type: int, data: bytes) -> int:
        raise OSError("no luck")

    hosted(sim, lambda backend: raw(backend, handler=handler))
    start(sim, "beat")
    sim.clock.advance(1)
    assert control(sim, "beat", 200) == 0
    assert "no luck" in caplog.text


def test_controls_wait_for_slow_handler_in_order(sim: SimulatedSCM) -> None:
    """A control returns when its handler has returned; another control waits until then."""
    handled: list[tuple[int, float]] = []
    returned: list[tuple[int, float]] = []

    def main(backend: HostBackend) -> None:
        def handler(code: int, event_type: int, data: bytes) -> int:
            backend.new_event().wait(3)
            handled.append((code, round(backend.monotonic() - began, 1)))
            return 0

        raw(backend, handler=handler)

    def send(code: int) -> None:
        assert control(sim, "beat", code) == 0
        returned.append((code, round(sim.clock.now - began, 1)))

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(1)
    began = sim.clock.now
    sim.start_thread(lambda: send(200), "sends 200")
    sim.start_thread(lambda: send(201), "sends 201")
    sim.clock.advance(10)
    assert handled == [(200, 3.0), (201, 6.0)]
    assert returned == handled


def test_status_handle_after_stop_is_invalid(sim: SimulatedSCM) -> None:
    handles: list[int] = []
    found: list[int] = []

    def main(backend: HostBackend) -> None:
        def then(handle: int) -> None:
            handles.append(handle)
            backend.set_service_status(handle, row(S.STOPPED, code=3))
            found.append(code_of(backend.set_service_status, handle, row(S.RUNNING)))

        raw(backend, then=then)

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(1)
    assert sim["beat"].exit_code == 3
    assert found == [6]
    start(sim, "beat")
    assert code_of(sim.set_service_status, handles[0], row(S.RUNNING)) == 6


def test_report_for_hosted_service_keeps_accepted_controls(sim: SimulatedSCM) -> None:
    running(sim, Beat)
    sim.local.report("beat", S.PAUSED)
    assert sim["beat"].state is S.PAUSED
    assert sim["beat"].controls_accepted == AcceptedControls.STOP
    stop()


# --------------------------------------------------------------------------- ends


def test_crash_unwinds_main_and_restarts_service(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    class Crashes(Beat):
        settings = Settings(failure_actions=FailureActions.restart(after=(60,)))

        def main(self) -> None:
            self.report_running()
            try:
                self.stop_requested.wait()
            finally:
                seen.append("finally")
                try:
                    self.report_running()
                    with self.pending_operation():
                        self.stop_requested.wait(5)
                finally:
                    seen.append("again")

        def on_stop(self) -> None:
            seen.append("told")

    running(sim, Crashes)
    count = len(sim.calls)
    sim.local.crash("beat")
    assert seen == ["finally", "again"]
    assert sim["beat"].exit_code == 1067
    assert len(sim.calls) == count
    assert not sim.event_log
    sim.clock.advance(61)
    assert sim["beat"].state is S.RUNNING
    assert sim["beat"].starts == 2
    assert not caplog.text


def test_crash_of_async_service_cancels_its_tasks(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    class Crashes(ServiceBase):
        name = "beat"

        async def main(self) -> None:
            self.report_running()

            async def task(name: str) -> None:
                try:
                    await asyncio.sleep(100)
                finally:
                    seen.append(name)
                    await asyncio.sleep(0)
                    seen.append(name.upper())

            try:
                await asyncio.gather(task("a"), task("b"))
            finally:
                seen.append("main")

        async def on_custom(self, event: object) -> None:
            try:
                await asyncio.sleep(100)
            finally:
                seen.append("handler")

    running(sim, Crashes)
    control(sim, "beat", 200)
    sim.clock.advance(1)
    sim.local.crash("beat")
    assert sorted(seen) == ["A", "B", "a", "b", "handler", "main"]
    assert not caplog.text
    assert not sim.event_log


def test_crash_before_first_turn_stops_service(sim: SimulatedSCM) -> None:
    sim.host(Beat)
    start(sim, "beat")
    sim.local.crash("beat")
    assert sim["beat"].exit_code == 1067
    sim.clock.advance(10)
    assert sim["beat"].state is S.STOPPED


def test_crash_stops_all_services_of_process(sim: SimulatedSCM) -> None:
    sim.host(*(type(name, (Beat,), {"name": name}) for name in ("one", "two", "three")))
    for name in ("one", "two"):
        start(sim, name)
    sim.clock.advance(1)
    sim.local.crash("one")
    assert {sim[name].exit_code for name in ("one", "two")} == {1067}
    pid = sim["one"].pid
    assert start(sim, "one") == 0
    assert sim["one"].pid != pid


def test_process_ending_early_stops_service_with_error(sim: SimulatedSCM) -> None:
    def main(backend: HostBackend) -> None:
        backend.start_thread(lambda: raw(backend), "dispatcher")
        backend.new_event().wait(10)

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(5)
    assert sim["beat"].state is S.RUNNING
    sim.clock.advance(6)
    assert (sim["beat"].state, sim["beat"].exit_code) == (S.STOPPED, 1067)


def test_reboot_ends_and_restarts_hosted_service(sim: SimulatedSCM) -> None:
    seen: list[str] = []

    class Lasting(Beat):
        settings = Settings(start_type=StartType.AUTOMATIC)

        def main(self) -> None:
            seen.append("begins")
            try:
                super().main()
            finally:
                seen.append("ends")

    sim.host(Lasting)
    sim.local.boot()
    sim.clock.advance(1)
    assert sim["beat"].state is S.RUNNING
    sim.local.reboot()
    sim.clock.advance(1)
    assert seen == ["begins", "ends", "begins"]
    assert sim["beat"].state is S.RUNNING
    sim.local.shut_down()
    assert seen[3:] == ["ends"]
    assert state_of(sim, "beat") is S.STOPPED


def test_reboot_action_of_hosted_service_reboots_machine(sim: SimulatedSCM) -> None:
    class Fails(Beat):
        settings = Settings(failure_actions=FailureActions(actions=(FailureAction.reboot(5),)))

        def main(self) -> None:
            self.report_running()
            self.stop_requested.wait(5)
            raise OSError

    running(sim, type("Other", (Beat,), {"name": "other"}))
    running(sim, Fails)
    sim.clock.advance(20)
    assert len(sim.local.reboots) == 1
    assert {item.state for item in sim} == {S.STOPPED}


def test_delete_of_running_hosted_service_waits_for_stop(sim: SimulatedSCM) -> None:
    running(sim, Beat)
    with ServiceManager() as scm, scm.open("beat") as beat:
        beat.delete()
        assert "beat" in sim
        beat.stop(timeout=30)
    assert "beat" not in sim


def test_remove_of_running_hosted_service_ends_its_threads(sim: SimulatedSCM) -> None:
    before = set(threading.enumerate())
    running(sim, Beat)
    assert set(threading.enumerate()) - before
    sim.local.remove("beat")
    assert set(threading.enumerate()) <= before
    assert "beat" not in sim
    sim.clock.advance(5)
    assert "beat" not in sim
    assert sim.open_handles == 0


def test_close_ends_running_hosted_services() -> None:
    before = set(threading.enumerate())
    seen: list[str] = []

    class Lasting(Beat):
        def main(self) -> None:
            with ServiceManager() as scm, scm.open("beat"):
                try:
                    super().main()
                finally:
                    seen.append("ends")

    with SimulatedSCM().installed() as sim:
        running(sim, Lasting)
        assert sim.open_handles
        sim.close()
        assert sim["beat"].state is S.STOPPED
        sim.close()  # again
    assert sim.open_handles == 0
    assert set(threading.enumerate()) <= before
    assert seen == ["ends"]


# --------------------------------------------------------------------------- among services


def test_hosted_service_can_start_and_stop_another(sim: SimulatedSCM) -> None:
    seen: list[object] = []

    class Leader(Beat):
        name = "leader"

        def main(self) -> None:
            self.report_running()
            with ServiceManager() as scm, scm.open("beat") as beat:
                beat.start(timeout=30)
                seen.append(beat.status().state)
                beat.control(200)
                assert not self.stop_requested.wait(10)
                beat.stop(timeout=30)
                seen.append(beat.status().state)
                self.stop_requested.wait()

    class Slow(Beat):
        def main(self) -> None:
            self.stop_requested.wait(7)
            super().main()
            sim.clock.advance(3)

        def on_custom(self, event: object) -> None:
            seen.append("custom")

    sim.host(Slow)
    running(sim, Leader)
    sim.clock.advance(5)
    assert seen == []
    sim.clock.advance(30)
    assert seen == [S.RUNNING, "custom", S.STOPPED]
    stop("leader")


def test_hosted_services_waiting_for_each_other_are_notified(sim: SimulatedSCM) -> None:
    """Notify each service of the state of the other while both wait."""
    seen: list[str] = []

    def leading(other: str) -> type[ServiceBase]:
        def main(self: ServiceBase) -> None:
            with ServiceManager() as scm, scm.open(other) as service:
                service.wait([S.START_PENDING, S.RUNNING], timeout=100)
                self.report_running()
                service.wait(S.RUNNING)
                seen.append(self.name)
            self.stop_requested.wait()

        return type("Leading", (ServiceBase,), {"name": f"not {other}", "main": main})

    sim.host(leading("not not x"))
    sim.host(type("X", (leading("not not not x"),), {"name": "not not x"}))
    assert [item.name for item in sim] == ["not not not x", "not not x"]
    for item in list(sim):
        start(sim, item.name)
    sim.clock.advance(30)
    assert sorted(seen) == ["not not not x", "not not x"]


def test_hosted_service_can_stop_itself(sim: SimulatedSCM) -> None:
    class Tired(Beat):
        def main(self) -> None:
            self.report_running()
            with ServiceManager() as scm, scm.open("beat") as beat:
                beat.stop(wait=False)
            assert self.stop_requested.wait(5)

    sim.host(Tired)
    start(sim, "beat")
    sim.clock.advance(1)
    assert (sim["beat"].state, sim["beat"].exit_code) == (S.STOPPED, 0)


def test_hosted_service_watch_reports_status_changes(sim: SimulatedSCM) -> None:
    seen: list[str] = []

    class Watches(Beat):
        name = "watches"

        def main(self) -> None:
            self.report_running()
            with ServiceManager() as scm, scm.watch("beat") as events:
                for event in events:
                    seen.append(type(event).__name__)
                    if len(seen) == 2:
                        break

    sim.host(Beat)
    running(sim, Watches)
    sim.clock.advance(1)
    start(sim, "beat")
    sim.clock.advance(1)
    assert seen == ["StatusChanged"] * 2


def test_hosted_services_start_in_dependency_order(sim: SimulatedSCM) -> None:
    order: list[str] = []

    def kind(name: str, *needed: str) -> type[ServiceBase]:
        def main(self: ServiceBase) -> None:
            self.stop_requested.wait(5)
            order.append(name)
            self.report_running()
            self.stop_requested.wait()

        members = {"name": name, "settings": Settings(dependencies=needed), "main": main}
        return type(name, (ServiceBase,), members)

    for item in (kind("base"), kind("middle", "base"), kind("top", "middle")):
        sim.host(item)
    with ServiceManager() as scm, scm.open("top") as top:
        top.start(timeout=60)
        assert order == ["base", "middle", "top"]
        with scm.open("base") as base:
            with pytest.raises(Win32Error):
                base.stop()
            base.stop_with_dependents(timeout=30)
    assert {item.state for item in sim} == {S.STOPPED}


def test_hosted_service_can_control_simulated_service(sim: SimulatedSCM) -> None:
    class Starts(Beat):
        def main(self) -> None:
            self.report_running()
            with ServiceManager() as scm, scm.open("other") as other:
                other.start(timeout=60)
                other.stop(timeout=60)
            self.stop_requested.wait()

    sim.add("other", program=ProgramBehavior(start_takes=20, stop_takes=10))
    running(sim, Starts)
    sim.clock.advance(40)
    assert sim["other"].starts == 1
    assert sim["other"].state is S.STOPPED


# --------------------------------------------------------------------------- threads


def test_hosted_threads_never_run_in_parallel(sim: SimulatedSCM) -> None:
    """Of several that are due at the same time, each has its turn; one runs at a time."""
    at_once: list[int] = [0, 0]

    def main(backend: HostBackend) -> None:
        def work() -> None:
            for _ in range(20):
                at_once[0] += 1
                at_once[1] = max(at_once)
                time.sleep(0)
                at_once[0] -= 1
                backend.new_event().wait(1)

        for number in range(5):
            backend.start_thread(work, f"worker {number}")
        raw(backend)

    hosted(sim, main)
    start(sim, "beat")
    sim.clock.advance(30)
    assert at_once == [0, 1]


def test_plain_thread_of_service_does_not_advance_time(sim: SimulatedSCM) -> None:
    """They run beside, and don't let time pass."""
    seen: list[bool] = []

    class Threads(Beat):
        def main(self) -> None:
            self.report_running()
            worker = threading.Thread(target=self.work, daemon=True)
            worker.start()
            self.stop_requested.wait()
            worker.join()

        def work(self) -> None:
            while not self.stop_requested.wait(3600):
                seen.append(True)

    running(sim, Threads)
    sim.clock.advance(5)
    assert sim.clock.now < 6
    stop()
    assert seen == []


def test_concurrent_test_threads_can_control_services(sim: SimulatedSCM) -> None:
    names = [f"beat{number}" for number in range(6)]
    for name in names:
        sim.host(type(name, (Beat,), {"name": name}))
    errors: list[BaseException] = []

    def live(name: str) -> None:
        try:
            with ServiceManager() as scm, scm.open(name) as service:
                for _ in range(5):
                    service.start(timeout=300)
                    service.stop(timeout=300)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=live, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert errors == []
    assert [sim[name].starts for name in names] == [5] * 6
    sim.clock.advance(1)
    assert {sim[name].state for name in names} == {S.STOPPED}


def test_blocked_hosted_thread_raises_error_naming_its_line(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = threading.Event()

    class RealEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            reached.set()
            return super().wait(timeout)

    real = RealEvent()
    now = itertools.count()

    def monotonic() -> int:
        """Pass seconds only while the thread is in the real wait."""
        return next(now) if reached.is_set() else 0

    class Stuck(Beat):
        def main(self) -> None:
            self.report_running()
            real.wait(20)  # not in simulated time
            self.stop_requested.wait()

    sim.host(Stuck)
    monkeypatch.setattr(sys.modules[type(sim.scheduler).__module__], "_real_monotonic", monotonic)
    sim.scheduler.patience = 0.05
    start(sim, "beat")
    with pytest.raises(RuntimeError) as caught:
        sim.clock.advance(1)
    text = str(caught.value)
    assert "beat" in text
    assert "real.wait(20)" in text
    assert "0.05 s of real time" in text
    (stuck,) = (item for item in threading.enumerate() if item.name.endswith(": main"))
    real.set()
    stuck.join(10)  # its next wait ends it
    assert not stuck.is_alive()


def test_event_set_by_other_thread_ends_wait(sim: SimulatedSCM) -> None:
    event = sim.new_event()
    assert not event.wait(5)
    assert sim.clock.now == 5
    sim.start_thread(event.set, "sets it")
    assert event.wait()
    assert event.wait(100)
    assert event.is_set()
    assert sim.clock.now < 6
    other = sim.new_event()
    thread = threading.Thread(target=other.set)
    thread.start()
    assert other.wait()
    thread.join()


def test_exception_in_hosted_thread_reaches_excepthook(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_value))
    sim.start_thread(lambda: print(1 / 0), "fails")
    sim.clock.advance(1)
    (error,) = shown
    assert isinstance(error, ZeroDivisionError)


# --------------------------------------------------------------------------- time


def test_time_sleep_in_service_uses_simulated_time(sim: SimulatedSCM) -> None:
    seen: list[float] = []

    class Sleeps(Beat):
        def main(self) -> None:
            self.report_running()
            while not self.stop_requested.is_set():
                time.sleep(10)
                seen.append(time.monotonic())

    with sim.clock.replacing_time():
        running(sim, Sleeps)
        time.sleep(35)
        stop()
    assert [round(item) for item in seen] == [10, 20, 30, 40]


def test_polling_service_does_not_block_stop(sim: SimulatedSCM) -> None:
    class Polls(Beat):
        def main(self) -> None:
            self.report_running()
            while not self.stop_requested.wait(0):
                pass

    class PollsAsync(ServiceBase):
        name = "other"

        async def main(self) -> None:
            self.report_running()
            while not self.stop_requested.is_set():
                await asyncio.sleep(0)

    running(sim, Polls)
    running(sim, PollsAsync)
    began = sim.clock.now
    sim.clock.advance(0)
    stop()
    stop("other")
    assert sim.clock.now > began
    for name in ("beat", "other"):
        assert (sim[name].state, sim[name].exit_code) == (S.STOPPED, 0)


def test_wait_timeout_before_event_at_same_time_is_false(sim: SimulatedSCM) -> None:
    """The earlier timer counts first; an event that is set is not lost."""
    found: list[tuple[bool, float]] = []
    event = sim.new_event()

    def waits() -> None:
        for _ in range(2):
            found.append((event.wait(5), sim.clock.now))

    sim.start_thread(waits, "waits")
    sim.clock.advance(0)
    sim.clock.after(5, event.set)
    sim.clock.advance(20)
    assert found == [(False, 5), (True, 5)]


def test_event_set_before_wait_timeout_at_same_time_ends_wait(sim: SimulatedSCM) -> None:
    found: list[tuple[bool, float]] = []
    event = sim.new_event()
    sim.clock.after(5, event.set)
    sim.start_thread(lambda: found.append((event.wait(5), sim.clock.now)), "waits")
    sim.clock.advance(20)
    assert found == [(True, 5)]


# --------------------------------------------------------------------------- asyncio


def async_service(main: Callable[[ServiceBase], object]) -> type[ServiceBase]:
    async def whole(self: ServiceBase) -> None:
        self.report_running()
        await main(self)  # type: ignore[misc]
        await self.stop_requested.wait_async()

    return type("Async", (ServiceBase,), {"name": "beat", "main": whole})


def test_async_timers_use_simulated_time(sim: SimulatedSCM) -> None:
    seen: list[object] = []

    async def main(self: ServiceBase) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(5)
        seen.append(round(loop.time() - began, 6))
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 7)
        except TimeoutError:
            seen.append(round(loop.time() - began, 6))
        loop.call_later(1000, seen.append, "late")

    running(sim, async_service(main))
    sim.clock.advance(13)
    assert seen == [5.0, 12.0]
    sim.clock.advance(1000)
    assert seen[2:] == ["late"]
    stop()


def test_async_to_thread_runs_hosted_threads(sim: SimulatedSCM) -> None:
    """Those of the loop's own executor are hosted ones."""
    seen: list[object] = []

    def restart_other() -> State:
        with ServiceManager() as scm, scm.open("other") as other:
            other.restart(timeout=30)
            return other.status().state

    async def main(self: ServiceBase) -> None:
        waiting = asyncio.to_thread(self.stop_requested.wait, 60)
        seen.extend(await asyncio.gather(waiting, asyncio.to_thread(restart_other)))
        try:
            await asyncio.to_thread(int, "x")
        except ValueError:
            seen.append("ValueError")
        asyncio.get_running_loop().run_in_executor(None, last)

    def last() -> None:
        sim.clock.advance(20)
        seen.append("last")

    sim.add("other", state=S.RUNNING, program=ProgramBehavior(start_takes=5))
    running(sim, async_service(main))
    sim.clock.advance(59)
    assert seen == []
    sim.clock.advance(2)
    assert seen == [False, S.RUNNING, "ValueError"]
    stop()
    assert seen[3:] == ["last"]  # which the loop waits for


def test_async_own_executor_runs_in_other_thread(sim: SimulatedSCM) -> None:
    seen: list[object] = []

    async def main(self: ServiceBase) -> None:
        with ThreadPoolExecutor(1) as pool:
            future = asyncio.get_running_loop().run_in_executor(pool, threading.get_ident)
            pool.shutdown()
            seen.append(await future == threading.get_ident())

    running(sim, async_service(main))
    sim.clock.advance(2)
    assert seen == [False]
    stop()


def test_crash_ends_executor_threads_of_loop(sim: SimulatedSCM) -> None:
    async def main(self: ServiceBase) -> None:
        await asyncio.to_thread(self.stop_requested.wait)

    before = set(threading.enumerate())
    running(sim, async_service(main))
    sim.clock.advance(1)
    sim.local.crash("beat")
    assert set(threading.enumerate()) <= before


def test_async_service_reads_from_socket(sim: SimulatedSCM) -> None:
    seen: list[bytes] = []
    ours, theirs = socket.socketpair()

    async def main(self: ServiceBase) -> None:
        reader, writer = await asyncio.open_connection(sock=theirs)
        seen.append(await reader.readline())
        writer.close()

    running(sim, async_service(main))
    sim.clock.advance(5)
    ours.sendall(b"hello\n")
    sim.clock.advance(5)
    assert seen == [b"hello\n"]
    stop()
    ours.close()


def test_run_coroutine_outside_service_raises(sim: SimulatedSCM) -> None:
    with pytest.raises(RuntimeError, match="hosted service"):
        sim.run_coroutine(asyncio.sleep(1))
