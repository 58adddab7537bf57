"""Test services that are written with winsvc.host on the simulated SCM."""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from winsvc import (
    AcceptedControls,
    Control,
    FailureActions,
    Service,
    ServiceManager,
    ServiceStartError,
    Settings,
    State,
    ValidationError,
)
from winsvc._values.rows import StatusRow
from winsvc.backend import HostBackend
from winsvc.host import (
    CustomControl,
    DeviceEvent,
    HardwareProfileChange,
    PowerEvent,
    ServiceBase,
    ServiceExit,
    SessionChange,
    TimeChange,
    service,
)
from winsvc.host.failures import FailureReport
from winsvc.host.process import HostProcess
from winsvc.host.stop_request import StopRequest
from winsvc.testing import HostedProgram, SimulatedSCM

A = AcceptedControls
S = State
STOP = A.STOP


@pytest.fixture(autouse=True)
def no_threads_left() -> Iterator[None]:
    """The fixture has ended what still ran."""
    before = set(threading.enumerate())
    yield
    assert not set(threading.enumerate()) - before


@pytest.fixture
def sim(simulated_scm: SimulatedSCM) -> SimulatedSCM:
    return simulated_scm


@pytest.fixture
def opened(sim: SimulatedSCM) -> Iterator[Opener]:
    with Opener(sim) as opener:
        yield opener


class Opener:
    """Hosts services, and opens them."""

    def __init__(self, sim: SimulatedSCM) -> None:
        self.sim = sim
        self.scm = ServiceManager()
        self.open: list[Service] = []

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *_: object) -> None:
        for item in self.open:
            item.close()
        self.scm.close()

    def __call__(self, *services: type[ServiceBase]) -> Service:
        self.sim.host(*services)
        return self.named(services[0].name)

    def named(self, name: str) -> Service:
        self.open.append(self.scm.open(name))
        return self.open[-1]


class Report(NamedTuple):
    """One call of ``SetServiceStatus``."""

    state: State
    check_point: int
    hint: float
    accepts: AcceptedControls


def rows(sim: SimulatedSCM, name: str = "beat") -> list[StatusRow]:
    found = [call.arguments["row"] for call in sim.called("SetServiceStatus", name)]
    assert all(isinstance(row, StatusRow) for row in found)
    return found  # type: ignore[return-value]


def reports(sim: SimulatedSCM, name: str = "beat") -> list[Report]:
    return [
        Report(State(row[1]), row.check_point, row.wait_hint / 1000, A(row.controls_accepted))
        for row in rows(sim, name)
    ]


def steps(sim: SimulatedSCM, name: str = "beat") -> list[tuple[State, int]]:
    """Return the reported states and check points."""
    return [(item.state, item.check_point) for item in reports(sim, name)]


def codes(sim: SimulatedSCM, name: str = "beat") -> tuple[int, int]:
    return sim[name].exit_code, sim[name].service_exit_code


def failures(sim: SimulatedSCM) -> list[str]:
    """Return the first line of each entry of the event log."""
    return [entry.text.splitlines()[0] for entry in sim.event_log]


class Beat(ServiceBase):
    """Runs until it is to stop."""

    name = "beat"

    def main(self) -> None:
        self.report_running()
        self.stop_requested.wait()


# --------------------------------------------------------------------------- a life


def test_service_through_pause_and_stop_reports_each_state(
    sim: SimulatedSCM, opened: Opener
) -> None:
    seen: list[object] = []
    ticks: list[float] = []
    handled: list[str] = []

    class Lively(Beat):
        def __init__(self) -> None:
            seen.append(self.arguments)

        def main(self) -> None:
            seen.append(self.state)
            self.report_running()
            seen.append(self.state)
            while not self.stop_requested.wait(5):
                ticks.append(sim.clock.now)
            seen.append((self.state, self.stop_requested.control))

        def on_pause(self) -> None:
            handled.append("pause")

        def on_continue(self) -> None:
            handled.append("continue")

        def on_stop(self) -> None:
            handled.append("stop")

    beat = opened(Lively)
    beat.start("--loud", "äö", timeout=30)
    began = sim.clock.now
    sim.clock.advance(12)
    beat.pause(timeout=5)
    beat.resume(timeout=5)
    assert beat.stop(timeout=30).exit_code == 0
    first, second = ticks
    assert began < first < second < began + 12
    assert seen == [*[("--loud", "äö"), S.START_PENDING, S.RUNNING, (S.STOP_PENDING, Control.STOP)]]
    assert handled == ["pause", "continue", "stop"]
    both = STOP | A.PAUSE_CONTINUE
    nothing = A(0)
    assert reports(sim) == [
        Report(S.START_PENDING, 1, 30, STOP),
        Report(S.RUNNING, 0, 0, both),
        Report(S.PAUSE_PENDING, 1, 30, STOP),
        Report(S.PAUSED, 0, 0, both),
        Report(S.CONTINUE_PENDING, 1, 30, STOP),
        Report(S.RUNNING, 0, 0, both),
        Report(S.STOP_PENDING, 1, 30, nothing),
        Report(S.STOPPED, 0, 0, nothing),
    ]
    assert not sim.event_log


def test_each_start_creates_new_service_object(sim: SimulatedSCM, opened: Opener) -> None:
    instances: list[ServiceBase] = []

    class New(Beat):
        def __init__(self) -> None:
            instances.append(self)

    beat = opened(New)
    pids = []
    for number in range(3):
        beat.start(str(number), timeout=30)
        pids.append(sim["beat"].pid)
        beat.stop(timeout=30)
    assert [item.arguments for item in instances] == [("0",), ("1",), ("2",)]
    assert len({*instances}) == len({*pids}) == 3
    assert all(item.stop_requested.is_set() for item in instances)


def test_service_without_manager_or_main_raises() -> None:
    with pytest.raises(RuntimeError, match="is not running as a service"):
        Beat().report_running()
    with pytest.raises(NotImplementedError, match="has no main"):
        type("Empty", (ServiceBase,), {"name": "empty"})().main()


def test_service_decorator_hosts_function_as_service(sim: SimulatedSCM, opened: Opener) -> None:
    seen: list[object] = []

    @service("beat", on_custom=lambda self, event: seen.append(event))
    def function(self: ServiceBase) -> None:
        self.report_running()
        self.stop_requested.wait()
        seen.append(self.arguments)

    beat = opened(function)
    beat.start("a", timeout=30)
    beat.control(128)
    beat.stop(timeout=30)
    assert seen == [CustomControl(128), ("a",)]


def test_main_returning_without_stop_ends_service_with_exit_code_0(
    sim: SimulatedSCM, opened: Opener
) -> None:
    class Short(Beat):
        def main(self) -> None:
            self.report_running()
            assert not self.stop_requested.wait(10)

    opened(Short).start(timeout=30)
    sim.clock.advance(11)
    assert steps(sim)[1:] == [(S.RUNNING, 0), (S.STOP_PENDING, 1), (S.STOPPED, 0)]
    assert codes(sim) == (0, 0)


def test_main_returning_without_report_running_fails_start(
    sim: SimulatedSCM, opened: Opener
) -> None:
    class Silent(Beat):
        def main(self) -> None:
            pass

    with pytest.raises(ServiceStartError):
        opened(Silent).start(timeout=30)
    assert steps(sim) == [(S.START_PENDING, 1), (S.STOPPED, 0)]


# --------------------------------------------------------------------------- pending states


def test_request_time_and_busy_report_check_points_and_hints(
    sim: SimulatedSCM, opened: Opener
) -> None:
    class Slow(Beat):
        start_wait_hint = 7
        stop_wait_hint = 8

        def main(self) -> None:
            self.request_additional_time(11)
            with self.pending_operation("loading", hint=120):
                self.stop_requested.wait(100)
                self.request_additional_time(130)
            super().main()
            self.request_additional_time(12)
            with self.pending_operation(hint=13):
                pass

    beat = opened(Slow)
    beat.start(timeout=200)
    beat.stop(timeout=30)
    assert [(item.check_point, item.hint) for item in reports(sim)] == [
        *[(1, 30), (2, 7), (3, 11), (4, 120), (5, 130), (6, 11), (0, 0)],
        *[(1, 8), (2, 12), (3, 13), (4, 12), (0, 0)],
    ]


def test_request_time_while_running_raises_and_busy_reports_nothing(
    sim: SimulatedSCM, opened: Opener
) -> None:
    seen: list[str] = []

    class Busy(Beat):
        def main(self) -> None:
            self.report_running()
            with self.pending_operation("nothing that is reported"):
                pass
            with pytest.raises(RuntimeError, match="the service is RUNNING") as error:
                self.request_additional_time(5)
            seen.append(str(error.value))
            self.stop_requested.wait()
            self.report_running()  # too late

    beat = opened(Busy)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    assert seen
    assert [state for state, _ in steps(sim)] == [
        *(S.START_PENDING, S.RUNNING, S.STOP_PENDING, S.STOPPED)
    ]


def test_start_and_stop_hints_of_class_are_reported(sim: SimulatedSCM, opened: Opener) -> None:
    """Known as soon as the class is: the first report comes before."""

    class Hinted(Beat):
        start_wait_hint, stop_wait_hint = 200, 300

        def main(self) -> None:
            self.stop_requested.wait(190)  # longer than it would have by the first report
            super().main()

        def on_pause(self) -> None: ...

        def on_continue(self) -> None: ...

    beat = opened(Hinted)
    beat.start(timeout=300)
    beat.pause(timeout=30)
    beat.resume(timeout=30)
    beat.stop(timeout=30)
    assert [item.hint for item in reports(sim)] == [30, 200, 0, 200, 0, 200, 0, 300, 0]


def test_busy_across_state_change_does_not_report_old_hint(
    sim: SimulatedSCM, opened: Opener
) -> None:
    """Report the hint of the new state: 0 for a running service."""

    class Busy(Beat):
        def main(self) -> None:
            with self.pending_operation("starting", hint=50):
                self.report_running()
            with self.pending_operation("all the time", hint=60):
                self.stop_requested.wait()

    beat = opened(Busy)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    assert [(item.state, item.hint) for item in reports(sim)] == [
        *[(S.START_PENDING, 30), (S.START_PENDING, 50), (S.RUNNING, 0)],
        *[(S.STOP_PENDING, 30), (S.STOPPED, 0)],
    ]


def test_shutdown_during_stop_calls_no_further_handler(sim: SimulatedSCM, opened: Opener) -> None:
    stops: list[Control | None] = []

    class Stubborn(Beat):
        def main(self) -> None:
            super().main()
            self.request_additional_time(50)
            sim.local.send_event(Control.SHUTDOWN)

        def on_stop(self) -> None:
            stops.append(self.stop_requested.control)

        def on_shutdown(self) -> None:
            stops.append(self.stop_requested.control)

    beat = opened(Stubborn)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    assert stops == [Control.STOP]
    points = [item.check_point for item in reports(sim) if item.state is S.STOP_PENDING]
    assert points == [1, 2]


def test_stop_with_failing_report_still_stops_and_logs_error(
    sim: SimulatedSCM, opened: Opener
) -> None:
    beat = opened(Beat)
    beat.start(timeout=30)
    sim.faults.fail("SetServiceStatus", 6, times=1)
    beat.stop(timeout=30)
    assert sim["beat"].exit_code == 0
    assert "taking control 1" in sim.event_log[0].text


def test_unknown_control_returns_call_not_implemented(sim: SimulatedSCM, opened: Opener) -> None:
    """Return the error if the system sends a control that the service does not accept."""
    run: list[Any] = []

    class Deaf(Beat):
        def main(self) -> None:
            run.append(self._run)
            super().main()

    opened(Deaf).start(timeout=30)
    assert [run[0]._control(code, 0, b"") for code in (99, 2, 14, 4)] == [120, 120, 120, 0]


def test_busy_with_failing_body_reports_no_further_step(sim: SimulatedSCM, opened: Opener) -> None:
    class Fails(Beat):
        def main(self) -> None:
            with self.pending_operation():
                raise OSError("no index")

    with pytest.raises(ServiceStartError):
        opened(Fails).start(timeout=30)
    assert [point for state, point in steps(sim) if state is S.START_PENDING] == [1, 2]


def test_stop_during_start_reports_stop_pending_then_stopped(
    sim: SimulatedSCM, opened: Opener
) -> None:
    seen: list[object] = []

    class Slow(Beat):
        def main(self) -> None:
            seen.append(self.stop_requested.wait(60))
            self.request_additional_time(3)  # of the stop, now
            self.report_running()

    beat = opened(Slow)
    beat.start(wait=False)
    sim.clock.advance(1)
    assert beat.status().controls_accepted == STOP
    assert beat.stop(wait=False).state is S.STOP_PENDING
    beat.wait(S.STOPPED, timeout=30)
    assert seen == [True]
    assert steps(sim) == [
        *[(S.START_PENDING, 1), (S.STOP_PENDING, 1), (S.STOP_PENDING, 2), (S.STOPPED, 0)]
    ]
    assert codes(sim) == (0, 0)


def test_stop_in_init_runs_no_main(sim: SimulatedSCM, opened: Opener) -> None:
    class Slow(Beat):
        def __init__(self) -> None:
            self.stop_requested.wait(60)

        def main(self) -> None:
            raise AssertionError

    beat = opened(Slow)
    beat.start(wait=False)
    sim.clock.advance(1)
    beat.stop(timeout=30)
    assert codes(sim) == (0, 0)


@pytest.mark.parametrize("slow_from", ["before", "after"])
def test_main_returning_before_on_stop_call_still_runs_on_stop(
    sim: SimulatedSCM, opened: Opener, monkeypatch: pytest.MonkeyPatch, slow_from: str
) -> None:
    """The thread with the control handler may be held up in between."""
    seen: list[object] = []

    class Both(Beat):
        def on_stop(self) -> None:
            seen.append(self.stop_requested.is_set())

    def held_up(before: bool) -> Callable[[StopRequest, Control | None], None]:
        def set_it(self: StopRequest, control: Control | None) -> None:
            if before:
                sim.clock.advance(1)
            at_once(self, control)
            if not before:
                sim.clock.advance(1)

        return set_it

    at_once = StopRequest._set
    beat = opened(Both)
    beat.start(timeout=30)
    monkeypatch.setattr(StopRequest, "_set", held_up(slow_from == "before"))
    beat.stop(timeout=30)
    assert seen == [True]


def test_stop_returns_stop_pending_status(sim: SimulatedSCM, opened: Opener) -> None:
    beat = opened(Beat)
    beat.start(timeout=30)
    assert beat.stop(wait=False).state is S.STOP_PENDING


# --------------------------------------------------------------------------- controls

SETTING = UUID("5d3e9a59-e9d5-4b00-a6bd-ff34ff516548")
INTERFACE = UUID("a5dcbf10-6530-11d2-901f-00c04fb951ed")


class All(Beat):
    """Handle every control, and record the events."""

    recorded: list[tuple[str, Any]]
    thread: str

    def __init__(self) -> None:
        type(self).recorded = []

    def _record(self, name: str, event: object = None) -> None:
        self.recorded.append((name, event))

    def main(self) -> None:
        self.watch_devices(INTERFACE)
        self.watch_power(SETTING)
        super().main()

    def on_stop(self) -> None:
        self._record("stop")

    def on_pause(self) -> None:
        self._record("pause")

    def on_continue(self) -> None:
        self._record("continue")

    def on_preshutdown(self) -> None:
        self._record("preshutdown", self.stop_requested.control)

    def on_interrogate(self) -> None:
        self._record("interrogate")

    def on_param_change(self) -> None:
        self._record("param_change")

    def on_trigger(self) -> None:
        self._record("trigger")

    def on_custom(self, event: CustomControl) -> None:
        self._record("custom", event)

    def on_session_change(self, event: SessionChange) -> None:
        self._record("session", event)

    def on_power(self, event: PowerEvent) -> None:
        self._record("power", event)

    def on_device(self, event: DeviceEvent) -> None:
        self._record("device", event)

    def on_hardware_profile(self, event: HardwareProfileChange) -> None:
        self._record("hardware", event)

    def on_time_change(self, event: TimeChange) -> None:
        self._record("time", event)


def test_every_control_reaches_its_handler(sim: SimulatedSCM, opened: Opener) -> None:
    beat = opened(All)
    beat.start(timeout=30)
    everything = STOP | A.PAUSE_CONTINUE | A.PRESHUTDOWN | A.PARAM_CHANGE | A.TRIGGER_EVENT
    everything |= A.SESSION_CHANGE | A.POWER_EVENT | A.HARDWARE_PROFILE_CHANGE | A.TIME_CHANGE
    assert beat.status().controls_accepted == everything
    beat.control(Control.INTERROGATE)
    beat.control(Control.PARAM_CHANGE)
    beat.control(200)
    send = sim.local.send_event
    answered = {"beat": 0}
    assert send(Control.SESSION_CHANGE, 5, struct.pack("<LL", 8, 3)) == answered
    assert send(Control.POWER_EVENT, 4) == answered
    setting = SETTING.bytes_le + struct.pack("<LL", 4, 1)
    assert send(Control.POWER_EVENT, 0x8013, setting) == answered
    assert send(Control.POWER_EVENT, 0x8013, INTERFACE.bytes_le + setting[16:]) == {}
    device = struct.pack("<LLL", 44, 5, 0) + INTERFACE.bytes_le + "\\\\?\\usb\0".encode("utf-16-le")
    assert send(Control.DEVICE_EVENT, 0x8000, device) == answered
    assert send(Control.DEVICE_EVENT, 0x8000, device.replace(INTERFACE.bytes_le, b"x" * 16)) == {}
    assert send(Control.HARDWARE_PROFILE_CHANGE, 0xC) == answered
    assert send(Control.TIME_CHANGE, 0, struct.pack("<qq", 20_000_000, 10_000_000)) == answered
    assert send(Control.TRIGGER_EVENT) == answered
    sim.clock.advance(1)
    names = [name for name, _ in All.recorded]
    assert names == [
        *("interrogate", "param_change", "custom", "session", "power", "power", "device"),
        *("hardware", "time", "trigger"),
    ]
    recorded = [event for _, event in All.recorded]
    assert recorded[2] == CustomControl(200)
    assert (recorded[3].reason, recorded[3].session_id) == (5, 3)
    assert recorded[4] == PowerEvent(recorded[4].kind)
    assert (recorded[5].setting, recorded[5].value) == (SETTING, b"\1\0\0\0")
    assert (recorded[6].device.class_guid, recorded[6].device.path) == (INTERFACE, "\\\\?\\usb")
    assert (recorded[8].new - recorded[8].old).total_seconds() == 1
    beat.stop(timeout=30)
    assert All.recorded[-1] == ("stop", None)
    assert not sim.called("ReportEventW")
    # What was registered is unregistered, before the end is reported.
    ends = ["UnregisterDeviceNotification", "UnregisterPowerSettingNotification"]
    functions = [call.function for call in sim.calls if call.function != "CloseServiceHandle"]
    last = [name for name in functions if name in (*ends, "SetServiceStatus")][-3:]
    assert last == [*ends, "SetServiceStatus"]


@pytest.mark.parametrize(
    ("handlers", "accepts"),
    [
        ((), A(0)),
        (("on_stop", "on_interrogate", "on_custom", "on_device"), A(0)),
        (("on_pause", "on_continue"), A.PAUSE_CONTINUE),
        (("on_shutdown",), A.SHUTDOWN),
        (("on_preshutdown",), A.PRESHUTDOWN),
        (("on_param_change",), A.PARAM_CHANGE),
        (("on_trigger",), A.TRIGGER_EVENT),
        (("on_session_change", "on_power"), A.SESSION_CHANGE | A.POWER_EVENT),
        (("on_hardware_profile", "on_time_change"), A.HARDWARE_PROFILE_CHANGE | A.TIME_CHANGE),
    ],
)
def test_accepted_controls_follow_from_defined_handlers(
    sim: SimulatedSCM, opened: Opener, handlers: tuple[str, ...], accepts: A
) -> None:
    members = {name: lambda self, event=None: None for name in handlers}
    beat = opened(type("Some", (Beat,), members))
    beat.start(timeout=30)
    assert beat.status().controls_accepted == STOP | accepts
    assert reports(sim)[0].accepts == STOP


def test_control_without_handler_has_no_effect(sim: SimulatedSCM, opened: Opener) -> None:
    beat = opened(Beat)
    beat.start(timeout=30)
    beat.control(Control.INTERROGATE)
    beat.control(255)
    assert sim.local.send_event(Control.SESSION_CHANGE, 5) == {}
    assert sim.local.send_event(Control.DEVICE_EVENT, 0x8000) == {}
    assert sim["beat"].controls == [4, 255]
    assert beat.stop(timeout=30).exit_code == 0


def test_handlers_run_sequentially_in_control_order(sim: SimulatedSCM, opened: Opener) -> None:
    seen: list[object] = []

    class Slow(Beat):
        def on_custom(self, event: CustomControl) -> None:
            seen.append(event.code)
            self.stop_requested.wait(5)
            seen.append(-event.code)

    beat = opened(Slow)
    beat.start(timeout=30)
    before = sim.clock.now
    beat.control(130)
    beat.control(131)
    assert sim.clock.now - before < 0.1
    sim.clock.advance(11)
    assert seen == [130, -130, 131, -131]


def test_slow_pause_stays_pause_pending_until_handler_ends(
    sim: SimulatedSCM, opened: Opener
) -> None:
    class Slow(Beat):
        def on_pause(self) -> None:
            self.request_additional_time(20)
            self.stop_requested.wait(20)

        def on_continue(self) -> None:
            self.stop_requested.wait(20)

    beat = opened(Slow)
    beat.start(timeout=30)
    assert beat.pause(wait=False).state is S.PAUSE_PENDING
    sim.clock.advance(19)
    assert beat.status().state is S.PAUSE_PENDING
    beat.wait(S.PAUSED, timeout=5)
    beat.resume(timeout=30)
    beat.pause(wait=False)
    beat.stop(timeout=30)  # in the middle of a pause
    states = [state for state, _ in steps(sim)]
    assert states[-3:] == [S.PAUSE_PENDING, S.STOP_PENDING, S.STOPPED]
    assert (S.PAUSE_PENDING, 2) in steps(sim)


def test_system_shutdown_stops_services_by_the_control_they_accept(
    sim: SimulatedSCM, opened: Opener
) -> None:
    controls: list[Control | None] = []
    handled: list[str] = []

    class Down(Beat):
        settings = Settings(preshutdown_timeout=60)
        stop_wait_hint = 40

        def main(self) -> None:
            self.report_running()
            self.stop_requested.wait()
            controls.append(self.stop_requested.control)

        def on_preshutdown(self) -> None:
            handled.append("preshutdown")

    class Late(Beat):
        name = "late"

        def main(self) -> None:
            super().main()
            controls.append(self.stop_requested.control)

        def on_shutdown(self) -> None:
            handled.append("shutdown")

    opened(Down).start(timeout=30)
    opened(Late).start(timeout=30)
    opened(type("Unaware", (Beat,), {"name": "unaware"})).start(timeout=30)
    sim.local.shut_down()
    assert controls == [Control.PRESHUTDOWN, Control.SHUTDOWN]
    assert handled == ["preshutdown", "shutdown"]
    assert {item.state for item in sim} == {S.STOPPED}
    assert sim["unaware"].controls == []
    assert not sim.event_log


# --------------------------------------------------------------------------- checks of the class


def test_misspelt_handler_name_raises_with_suggestion() -> None:
    with pytest.raises(TypeError, match=r"on_puase: unknown handler .*on_pause\(\)"):
        type("Wrong", (Beat,), {"on_puase": lambda self: None})
    with pytest.raises(TypeError, match=r"did you mean on_power\(\)"):
        type("Wrong", (Beat,), {"on_power_event": lambda self, event: None})


def test_handler_name_that_resembles_no_control_is_accepted() -> None:
    right: Any = type("Right", (Beat,), {"on_message": lambda self, client, message: message})
    assert right().on_message("client", "message") == "message"


def generator(self: object) -> Iterator[int]:
    yield 1


async def asynchronous_generator(self: object) -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("main", lambda self, arguments: None, r"main must take \(self\)"),
        ("main", generator, "main must not be a generator"),
        ("main", asynchronous_generator, "main must not be a generator"),
        ("__init__", lambda self, arguments: None, r"__init__ must take \(self\)"),
        ("on_stop", generator, "on_stop must not be a generator"),
        ("on_stop", None, "on_stop must be a method"),
        ("log_level", "INFO", "log_level"),
        ("description", 5, "description"),
    ],
)
def test_service_class_with_invalid_member_raises_type_error(
    name: str, value: object, pattern: str
) -> None:
    with pytest.raises(TypeError, match=pattern):
        type("Wrong", (Beat,), {name: value})


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("on_stop", lambda: None),
        ("on_stop", lambda self, event: None),
        ("on_custom", lambda self: None),
        ("on_session_change", lambda self, kind, session: None),
    ],
)
def test_handler_with_wrong_parameters_raises_type_error(name: str, method: object) -> None:
    with pytest.raises(TypeError, match=rf"Wrong\.{name} must take \(self"):
        type("Wrong", (Beat,), {name: method})


def test_handlers_with_compatible_signatures_are_accepted(
    sim: SimulatedSCM, opened: Opener
) -> None:
    handled: list[object] = []

    class Fits(Beat):
        @staticmethod
        def on_stop() -> None:
            handled.append("stop")

        @classmethod
        def on_custom(cls, event: CustomControl) -> None:
            handled.append((cls, event))

        def on_param_change(self, *args: object, **keywords: object) -> None:
            handled.append((args, keywords))

    beat = opened(Fits)
    beat.start(timeout=30)
    assert beat.status().controls_accepted == STOP | A.PARAM_CHANGE
    beat.control(200)
    beat.control(Control.PARAM_CHANGE)
    beat.stop(timeout=30)
    assert handled == [(Fits, CustomControl(200)), ((), {}), "stop"]
    assert not sim.event_log


def test_non_callable_async_or_unpaired_handler_raises_type_error() -> None:
    with pytest.raises(TypeError, match="must be a method"):
        type("Wrong", (Beat,), {"on_stop": 5})

    async def handler(self: ServiceBase) -> None: ...

    with pytest.raises(TypeError, match="is async, so main"):
        type("Wrong", (Beat,), {"on_stop": handler})
    with pytest.raises(TypeError, match="define both"):
        type("Wrong", (Beat,), {"on_pause": lambda self: None})


def test_class_with_preshutdown_and_shutdown_handlers_warns() -> None:
    with pytest.warns(UserWarning, match="Define only one of them") as caught:

        class Both(Beat):
            def on_preshutdown(self) -> None: ...

            def on_shutdown(self) -> None: ...

    (warning,) = caught
    assert warning.filename == __file__
    assert "Both defines on_preshutdown() and on_shutdown()" in str(warning.message)


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("name", "a/b", ValidationError),
        ("display_name", "x" * 300, ValidationError),
        ("start_wait_hint", -1, ValidationError),
        ("stop_wait_hint", "30", TypeError),
    ],
)
def test_service_class_with_invalid_attribute_raises(
    attribute: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=attribute):
        type("Wrong", (Beat,), {attribute: value})


# --------------------------------------------------------------------------- failures


def broken(where: str) -> type[ServiceBase]:
    """Return a service that fails in one place and is restarted once, after a minute."""

    def fail(self: ServiceBase, event: object = None) -> None:
        raise OSError(f"no luck in {where}")

    def main(self: ServiceBase) -> None:
        self.report_running()
        self.stop_requested.wait()
        assert self.stop_requested.control is None

    settings = Settings(failure_actions=FailureActions.restart(after=(60,)))
    members = {"name": "beat", "settings": settings, "main": main}
    return type("Broken", (ServiceBase,), members | {where: fail})


@pytest.mark.parametrize("where", ["__init__", "main", "on_custom", "on_param_change"])
def test_exception_in_service_stops_it_with_1064_and_is_logged(
    sim: SimulatedSCM, opened: Opener, where: str
) -> None:
    beat = opened(broken(where))
    beat.start(wait=False)
    sim.clock.advance(1)
    if where.startswith("on_"):
        beat.control(200 if where == "on_custom" else Control.PARAM_CHANGE)
        sim.clock.advance(1)
    assert beat.status().state is S.STOPPED
    assert codes(sim) == (1064, 0)
    (entry,) = sim.event_log
    assert entry.source == "beat"
    assert entry.type.name == "ERROR"
    assert f"OSError: no luck in {where}" in entry.text.splitlines()[0]
    assert "Traceback" in entry.text
    assert __file__ in entry.text
    sim.clock.advance(61)
    assert sim["beat"].starts == 2


def test_failure_message_names_failing_handler(sim: SimulatedSCM, opened: Opener) -> None:
    beat = opened(broken("on_custom"))
    beat.start(timeout=30)
    beat.control(128)
    beat.wait(S.STOPPED, timeout=30)
    assert failures(sim) == ["beat: on_custom() failed: OSError: no luck in on_custom"]


def test_failing_pause_handler_stops_service_with_1064(sim: SimulatedSCM, opened: Opener) -> None:
    class Fails(Beat):
        def on_pause(self) -> None:
            raise OSError("can't")

        def on_continue(self) -> None: ...

    beat = opened(Fails)
    beat.start(timeout=30)
    beat.pause(wait=False)
    beat.wait(S.STOPPED, timeout=30)
    assert codes(sim) == (1064, 0)
    assert [state for state, _ in steps(sim)][-3:] == [S.PAUSE_PENDING, S.STOP_PENDING, S.STOPPED]


def test_failures_of_main_and_handler_are_both_logged(sim: SimulatedSCM, opened: Opener) -> None:
    class Fails(Beat):
        def main(self) -> None:
            super().main()
            raise OSError("main")

        def on_stop(self) -> None:
            raise OSError("handler")

    beat = opened(Fails)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    assert codes(sim) == (1064, 0)
    assert sorted(line.rpartition(" ")[2] for line in failures(sim)) == ["handler", "main"]


class Unusual(BaseException):
    """As some libraries have."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError, Unusual, SystemExit])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_handler_raising_base_exception_stops_service_with_1064(
    sim: SimulatedSCM, opened: Opener, error: type[BaseException], asynchronous: bool
) -> None:
    class Sync(Beat):
        def on_pause(self) -> None:
            raise error

        def on_continue(self) -> None: ...

    class Async(ServiceBase):
        name = "beat"

        async def main(self) -> None:
            self.report_running()
            await self.stop_requested.wait_async()

        async def on_pause(self) -> None:
            if error is not asyncio.CancelledError:
                raise error
            task = asyncio.create_task(asyncio.sleep(60))
            task.cancel()
            await task

        def on_continue(self) -> None: ...

    beat = opened(Async if asynchronous else Sync)
    beat.start(timeout=30)
    beat.control(Control.PAUSE)
    sim.clock.advance(1)
    assert beat.status().state is S.STOPPED
    assert codes(sim) == (1064, 0)
    assert "on_pause() failed" in sim.event_log[0].text


def test_main_cancelling_all_tasks_stops_service_with_1064(
    sim: SimulatedSCM, opened: Opener
) -> None:
    """Stop the service, because no task is left to handle controls."""

    class Reckless(ServiceBase):
        name = "beat"

        async def main(self) -> None:
            self.report_running()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await self.stop_requested.wait_async()

    opened(Reckless).start(wait=False)
    sim.clock.advance(1)
    assert codes(sim) == (1064, 0)
    assert "cancel only tasks that main() created" in sim.event_log[0].text


@pytest.mark.parametrize("method", ["main", "on_stop"])
def test_method_returning_coroutine_stops_service_with_1064(
    sim: SimulatedSCM, opened: Opener, method: str
) -> None:
    async def really(self: Beat) -> None:
        raise AssertionError("it was run")

    def gives(self: Beat) -> Any:
        self.report_running()
        return really(self)

    beat = opened(type("Wrong", (Beat,), {method: gives}))
    beat.start(wait=False)
    sim.clock.advance(1)
    if method == "on_stop":
        beat.stop(timeout=30)
    assert codes(sim) == (1064, 0)
    assert f"{method}() returned an awaitable" in sim.event_log[0].text


@pytest.mark.parametrize(
    ("ends", "expected", "events"),
    [
        (ServiceExit(), (0, 0), []),
        (ServiceExit(2), (2, 0), []),
        (ServiceExit(service_exit_code=77), (1066, 77), []),
        (ServiceExit(5, service_exit_code=77), (1066, 77), []),
        (SystemExit(), (0, 0), []),
        (SystemExit(0), (0, 0), []),
        (SystemExit(3), (1066, 3), []),
        (SystemExit(-1), (1066, 0xFFFFFFFF), []),
        (SystemExit("no config"), (1066, 1), ["main() failed: SystemExit: no config"]),
        (KeyboardInterrupt(), (1064, 0), ["the service failed: KeyboardInterrupt"]),
        (asyncio.CancelledError(), (1064, 0), ["the service failed: CancelledError"]),
        (Unusual("unknown kind"), (1064, 0), ["the service failed: Unusual: unknown kind"]),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_exception_from_main_gives_matching_exit_codes(
    sim: SimulatedSCM,
    opened: Opener,
    ends: BaseException,
    expected: tuple[int, int],
    events: list[str],
    asynchronous: bool,
) -> None:
    class Sync(Beat):
        def main(self) -> None:
            self.report_running()
            raise ends

    class Async(ServiceBase):
        name = "beat"

        async def main(self) -> None:
            self.report_running()
            raise ends

    beat = opened(Async if asynchronous else Sync)
    beat.start(wait=False)
    sim.clock.advance(1)
    assert beat.status().state is S.STOPPED
    assert codes(sim) == expected
    assert failures(sim) == [f"beat: {event}" for event in events]


def test_service_exit_checks_its_codes() -> None:
    with pytest.raises(ValueError, match="exit_code"):
        ServiceExit(-1)
    assert str(ServiceExit(2)) == "the service stops with exit code 2"
    assert (
        str(ServiceExit(service_exit_code=7))
        == "the service stops with the service-specific exit code 7"
    )


def test_sys_exit_in_handler_stops_service_with_1064(sim: SimulatedSCM, opened: Opener) -> None:
    class Leaves(Beat):
        def on_custom(self, event: CustomControl) -> None:
            sys.exit(4)

    beat = opened(Leaves)
    beat.start(timeout=30)
    beat.control(128)
    beat.wait(S.STOPPED, timeout=5)
    assert codes(sim)[0] == 1064
    assert failures(sim) == ["beat: on_custom() failed: SystemExit: 4"]


def test_stop_waits_for_running_handler_up_to_stop_hint(
    sim: SimulatedSCM, opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[object] = []

    class Lingers(Beat):
        stop_wait_hint = 10

        def on_stop(self) -> None:
            seen.append("begins")
            sim.clock.advance(5)  # as time.sleep() does where time is replaced
            seen.append("ends")

        def on_custom(self, event: CustomControl) -> None:
            sim.clock.advance(100)
            seen.append("never")

    beat = opened(Lingers)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    assert seen == ["begins", "ends"]
    assert not caplog.text
    beat.start(timeout=30)
    beat.control(128)
    began = sim.clock.now
    beat.stop(timeout=30)
    assert 10 <= sim.clock.now - began < 11
    assert "still runs after main() has returned" in caplog.text
    sim.clock.advance(200)
    assert seen == ["begins", "ends"]


def test_reports_after_service_stopped_are_ignored(sim: SimulatedSCM, opened: Opener) -> None:
    kept: list[ServiceBase] = []

    class Kept(Beat):
        def __init__(self) -> None:
            kept.append(self)

    beat = opened(Kept)
    beat.start(timeout=30)
    beat.stop(timeout=30)
    count = len(rows(sim))
    kept[0].report_running()
    with kept[0].pending_operation():
        pass
    with pytest.raises(RuntimeError, match="STOPPED"):
        kept[0].request_additional_time(5)
    assert len(rows(sim)) == count
    assert kept[0].state is S.STOPPED


def test_stop_with_refused_final_report_logs_failure(sim: SimulatedSCM, opened: Opener) -> None:
    class Short(Beat):
        def main(self) -> None:
            self.report_running()
            self.stop_requested.wait()
            sim.faults.fail("SetServiceStatus", 5)

    beat = opened(Short)
    beat.start(timeout=30)
    beat.stop(wait=False)
    sim.clock.advance(1)
    assert failures(sim)[0].startswith("beat: reporting that the service has stopped failed")


def test_watch_devices_or_power_without_handler_raises_type_error(
    sim: SimulatedSCM, opened: Opener
) -> None:
    messages: list[str] = []

    class Deaf(Beat):
        def main(self) -> None:
            with pytest.raises(TypeError) as caught:
                self.watch_devices()
            messages.append(str(caught.value))
            with pytest.raises(TypeError) as caught:
                self.watch_power(SETTING)
            messages.append(str(caught.value))
            super().main()

    beat = opened(Deaf)
    beat.start(timeout=30)
    assert beat.status().state is S.RUNNING
    devices, power = messages
    assert "must define on_device()" in devices
    assert "must define on_power()" in power
    assert not sim.called("RegisterDeviceNotificationW")
    assert not sim.called("RegisterPowerSettingNotification")
    assert not sim.event_log


# --------------------------------------------------------------------------- loading


def program(load: Any) -> HostedProgram:
    """Return the program of ``beat``, which connects before ``load(process)`` begins."""

    def main(backend: HostBackend) -> None:
        process = HostProcess(["beat"], backend, FailureReport(backend))
        process.connect()
        load(process, backend)

    return HostedProgram(main)


def test_slow_loading_sends_check_points(sim: SimulatedSCM, opened: Opener) -> None:
    def load(process: HostProcess, backend: HostBackend) -> None:
        backend.new_event().wait(100)
        process.serve([Beat])

    sim.host(Beat)
    sim["beat"].program = program(load)
    beat = opened.named("beat")
    beat.start(timeout=200)
    points = [item.check_point for item in reports(sim) if item.state is S.START_PENDING]
    assert points == list(range(1, len(points) + 1))
    assert 90 < len(points) <= 101
    assert {item.hint for item in reports(sim)[1:-2]} == {10}
    assert reports(sim)[-2].hint == 30  # the hint of the class, after the class is loaded


def test_endless_loading_stops_sending_check_points(sim: SimulatedSCM, opened: Opener) -> None:
    def load(process: HostProcess, backend: HostBackend) -> None:
        backend.new_event().wait()

    sim.host(Beat)
    sim["beat"].program = program(load)
    opened.named("beat").start(wait=False)
    sim.clock.advance(1000)
    assert steps(sim) == [(S.START_PENDING, point) for point in range(1, 301)]
    sim.clock.advance(1000)
    assert len(rows(sim)) == 300


def test_stop_during_loading_ends_with_exit_code_0(sim: SimulatedSCM, opened: Opener) -> None:
    def load(process: HostProcess, backend: HostBackend) -> None:
        backend.new_event().wait(20)
        process.serve([Beat])

    sim.host(Beat)
    sim["beat"].program = program(load)
    beat = opened.named("beat")
    beat.start(wait=False)
    sim.clock.advance(5)
    assert beat.stop(timeout=5).exit_code == 0
    sim.clock.advance(20)
    assert beat.status().state is S.STOPPED
    assert not sim.event_log


def test_loading_failure_fails_start_with_1064_and_is_logged(
    sim: SimulatedSCM, opened: Opener
) -> None:
    def load(process: HostProcess, backend: HostBackend) -> None:
        try:
            raise ImportError("no module named 'config'")
        except ImportError as error:
            process.fail("loading beat.py", error)

    sim.host(Beat)
    sim["beat"].program = program(load)
    with pytest.raises(ServiceStartError) as caught:
        opened.named("beat").start(timeout=30)
    assert caught.value.winerror == 1064
    assert failures(sim) == ["beat: loading beat.py failed: ImportError: no module named 'config'"]


def test_single_service_runs_under_installed_name(sim: SimulatedSCM, opened: Opener) -> None:
    """A program with one service serves it under whatever name it was installed."""
    sim.add("other", program=HostedProgram.of(Beat))
    other = opened.named("other")
    other.start(timeout=30)
    other.stop(timeout=30)
    assert codes(sim, "other") == (0, 0)


# --------------------------------------------------------------------------- asyncio


class AsyncBeat(ServiceBase):
    name = "beat"

    async def main(self) -> None:
        self.report_running()
        await self.stop_requested.wait_async()


def test_async_service_runs_handlers_and_stops_with_exit_code_0(
    sim: SimulatedSCM, opened: Opener
) -> None:
    seen: list[object] = []
    handled: list[object] = []

    class Lively(AsyncBeat):
        async def main(self) -> None:
            self.report_running()
            while not await self.stop_requested.wait_async(5):
                seen.append(round(sim.clock.now))
            seen.append("end")

        async def on_pause(self) -> None:
            await asyncio.sleep(3)
            handled.append("pause")

        def on_continue(self) -> None:
            handled.append("continue")

        async def on_custom(self, event: CustomControl) -> None:
            async with asyncio.timeout(10):
                await asyncio.sleep(1)
            handled.append(event.code)

    beat = opened(Lively)
    beat.start(timeout=30)
    sim.clock.advance(11)
    beat.pause(timeout=5)
    beat.resume(timeout=5)
    beat.control(128)
    sim.clock.advance(2)
    assert beat.stop(timeout=30).exit_code == 0
    assert seen == [5, 10, 15, "end"]
    assert handled == ["pause", "continue", 128]
    assert not sim.event_log


def test_async_tasks_are_cancelled_when_main_ends(sim: SimulatedSCM, opened: Opener) -> None:
    seen: list[object] = []

    class Tasks(AsyncBeat):
        async def main(self) -> None:
            async def work() -> None:
                try:
                    while True:
                        await asyncio.sleep(1)
                        seen.append("tick")
                finally:
                    seen.append("cancelled")

            task = asyncio.create_task(work())
            await super().main()
            assert not task.done()

    beat = opened(Tasks)
    beat.start(timeout=30)
    sim.clock.advance(3.5)
    beat.stop(timeout=30)
    assert seen == ["tick"] * 3 + ["cancelled"]


def test_exception_in_async_main_stops_service_with_1064(sim: SimulatedSCM, opened: Opener) -> None:
    class Fails(AsyncBeat):
        async def main(self) -> None:
            self.report_running()
            await asyncio.gather(self.fail(), asyncio.sleep(100))

        async def fail(self) -> None:
            await asyncio.sleep(1)
            raise OSError("no luck")

    beat = opened(Fails)
    beat.start(timeout=30)
    sim.clock.advance(2)
    assert codes(sim) == (1064, 0)
    assert failures(sim) == ["beat: the service failed: OSError: no luck"]


def test_failing_async_handler_stops_service_with_1064(sim: SimulatedSCM, opened: Opener) -> None:
    class Fails(AsyncBeat):
        async def on_custom(self, event: CustomControl) -> None:
            await asyncio.sleep(1)
            raise OSError("no luck")

    beat = opened(Fails)
    beat.start(timeout=30)
    beat.control(128)
    beat.wait(S.STOPPED, timeout=30)
    assert codes(sim) == (1064, 0)


def test_stop_cancels_running_async_handler_after_stop_hint(
    sim: SimulatedSCM, opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[object] = []

    class Lingers(AsyncBeat):
        stop_wait_hint = 10

        async def on_custom(self, event: CustomControl) -> None:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    beat = opened(Lingers)
    beat.start(timeout=30)
    beat.control(128)
    began = sim.clock.now
    beat.stop(timeout=30)
    assert 10 <= sim.clock.now - began < 11
    assert seen == ["cancelled"]
    assert "still runs after main() has returned" in caplog.text


def test_wait_async_in_several_tasks_returns_at_stop_or_timeout(
    sim: SimulatedSCM, opened: Opener
) -> None:
    seen: list[object] = []

    class Several(AsyncBeat):
        async def main(self) -> None:
            self.report_running()
            waits = (self.stop_requested.wait_async(timeout) for timeout in (1, 60, None))
            seen.extend(await asyncio.gather(*waits))
            seen.append(await self.stop_requested.wait_async(5))

    beat = opened(Several)
    beat.start(timeout=30)
    sim.clock.advance(3)
    beat.stop(timeout=5)
    assert seen == [False, True, True, True]


# --------------------------------------------------------------------------- several in one process


class First(Beat):
    name = "first"


class Second(Beat):
    name = "second"


def test_two_services_in_one_process_run_independently(sim: SimulatedSCM, opened: Opener) -> None:
    threads: dict[str, str] = {}

    def main(self: ServiceBase) -> None:
        threads[self.name] = threading.current_thread().name
        self.report_running()
        self.stop_requested.wait()

    cls = type("One", (ServiceBase,), {"name": "first", "main": main})
    other = type("Other", (ServiceBase,), {"name": "second", "main": main})
    first = opened(cls, other)
    second = opened.named("second")
    first.start(timeout=30)
    second.start(timeout=30)
    assert sim["first"].pid == sim["second"].pid != 0
    assert threads["first"].endswith(": main")
    assert not threads["second"].endswith(": main")
    assert {row.service_type for row in rows(sim, "first")} == {0x20}
    first.stop(timeout=30)
    assert second.status().state is S.RUNNING
    pid = sim["second"].pid
    first.start(timeout=30)  # again, in the same process
    assert sim["first"].pid == pid
    second.stop(timeout=30)
    first.stop(timeout=30)
    sim.clock.advance(1)
    assert len(sim.called("StartServiceCtrlDispatcherW")) == 1


def test_failing_service_leaves_other_in_process_running(sim: SimulatedSCM, opened: Opener) -> None:
    first = opened(First, type("Broken", (Second,), {"main": lambda self: 1 / 0}))
    second = opened.named("second")
    first.start(timeout=30)
    with pytest.raises(ServiceStartError):
        second.start(timeout=30)
    assert codes(sim, "second") == (1064, 0)
    assert first.status().state is S.RUNNING


def test_service_without_class_fails_start_with_1083(sim: SimulatedSCM, opened: Opener) -> None:
    """Pass a name to the launcher for which the program has no class."""

    def main(backend: HostBackend) -> None:
        HostProcess(["first", "second"], backend, FailureReport(backend)).serve([First])

    sim.host(First, Second)
    for name in ("first", "second"):
        sim[name].program = HostedProgram(main)
    with pytest.raises(ServiceStartError):
        opened.named("second").start(timeout=30)
    assert codes(sim, "second") == (1083, 0)
    (line,) = failures(sim)
    assert line.startswith("second: finding its class failed")


def test_serve_outside_service_manager_raises_1063(sim: SimulatedSCM) -> None:
    from winsvc import Win32Error

    with pytest.raises(Win32Error) as caught:
        HostProcess(["beat"], sim, FailureReport(sim)).serve([Beat])
    assert caught.value.winerror == 1063


def test_log_records_of_service_reach_root_logger(
    sim: SimulatedSCM, opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    class Logs(Beat):
        def main(self) -> None:
            logging.getLogger("beat").warning("hello")
            super().main()

    opened(Logs).start(timeout=30)
    assert "hello" in caplog.text


def test_second_serve_in_process_raises_runtime_error(sim: SimulatedSCM, opened: Opener) -> None:
    """As by run(A) and then run(B), of which the second would wait for ever."""
    raised: list[str] = []

    def load(process: HostProcess, backend: HostBackend) -> None:
        process.serve([Beat])
        try:
            process.serve([Beat])
        except RuntimeError as error:
            raised.append(str(error))

    sim.host(Beat)
    sim["beat"].program = program(load)
    beat = opened.named("beat")
    beat.start(timeout=30)
    beat.stop(timeout=30)
    sim.clock.advance(1)
    assert raised == ["run() must be called once per process, with all services: run(A, B)"]


def test_loading_failure_is_logged_for_started_service_only(sim: SimulatedSCM) -> None:
    class Other(ServiceBase):
        name = "other"

    def main(backend: HostBackend) -> None:
        process = HostProcess(["beat", "other"], backend, FailureReport(backend))
        process.fail("loading it", ImportError("no such module"))

    sim.host(Beat, Other)
    for name in ("beat", "other"):
        sim[name].program = HostedProgram(main)
    with ServiceManager(backend=sim) as scm, scm.open("other") as other:
        other.start(wait=False)
        sim.clock.advance(1)
        assert other.status().exit_code == 1064
    assert [item.source for item in sim.event_log] == ["other"]
