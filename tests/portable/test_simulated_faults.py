"""Faults on demand, simulated time, and the record of calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from simulated import code_of, create, manager, opened, start, state_of

from winsvc import (
    ManagerAccess,
    Secret,
    ServiceAccess,
    ServiceManager,
    State,
    UnsupportedError,
    ValidationError,
    Win32Error,
)
from winsvc.testing import Call, ProgramBehavior, ServiceFixture, SimulatedClock, SimulatedSCM
from winsvc.testing.faults import Faults

M = ManagerAccess


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("beat")
    sim.add("other")
    return sim


def codes(sim: SimulatedSCM, handle: int, count: int) -> list[int]:
    return [code_of(sim.query_service_status_ex, handle) for _ in range(count)]


# ------------------------------------------------------------------- failing


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [5, 0, 0, 0, 0]),
        ({"nth": 3}, [0, 0, 5, 0, 0]),
        ({"times": 2}, [5, 5, 0, 0, 0]),
        ({"nth": 2, "times": 3}, [0, 5, 5, 5, 0]),
        ({"service": "BEAT"}, [5, 0, 0, 0, 0]),
        ({"service": "other"}, [0, 0, 0, 0, 0]),
        ({"machine": "build07"}, [0, 0, 0, 0, 0]),
    ],
)
def test_fail_affects_only_chosen_calls(
    sim: SimulatedSCM, given: dict[str, object], expected: list[int]
) -> None:
    handle = opened(sim, "beat")
    sim.faults.fail("QueryServiceStatusEx", 5, **given)  # type: ignore[arg-type]
    assert codes(sim, handle, 5) == expected


def test_fail_with_service_counts_only_its_calls(sim: SimulatedSCM) -> None:
    beat, other = opened(sim, "beat"), opened(sim, "other")
    sim.faults.fail("QueryServiceStatusEx", 5, service="beat", nth=2)
    assert codes(sim, other, 3) == [0, 0, 0]
    assert codes(sim, beat, 3) == [0, 5, 0]


def test_fail_with_machine_affects_only_that_machine(sim: SimulatedSCM) -> None:
    sim.add_machine("build07").add("beat")
    local, remote = opened(sim, "beat"), opened(sim, "beat", machine="build07")
    sim.faults.fail("QueryServiceStatusEx", 1726, machine="BUILD07", times=2)
    assert codes(sim, local, 2) == [0, 0]
    assert codes(sim, remote, 3) == [1726, 1726, 0]
    for name in ("build07", r"\\BUILD07"):
        sim.faults.fail("OpenSCManagerW", 1722, machine="build07")
        assert code_of(manager, sim, 1, name) == 1722
        assert (sim.calls[-1].machine or "").casefold() == "build07"
    for own in (None, "localhost", r"\\simulated"):
        sim.faults.fail("OpenSCManagerW", 1722, machine=sim.local.name)
        assert code_of(manager, sim, 1, "build07") == 0
        assert code_of(manager, sim, 1, own) == 1722
        assert sim.calls[-1].machine is None


def test_deny_generic_right_denies_mapped_rights(sim: SimulatedSCM) -> None:
    sim.faults.deny(ServiceAccess.GENERIC_WRITE)
    assert code_of(opened, sim, "beat", ServiceAccess.CHANGE_CONFIG) == 5
    assert code_of(opened, sim, "beat", ServiceAccess.START) == 0


def test_failed_call_changes_no_state(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    sim.faults.fail("StartServiceW", 1053)
    assert code_of(sim.start_service, handle, ()) == 1053
    assert state_of(sim, "beat") is State.STOPPED
    sim.faults.fail("CreateServiceW", 5)
    assert code_of(create, sim, manager(sim), "new") == 5
    assert "new" not in sim
    sim.faults.fail("CloseServiceHandle", 6)
    before = sim.open_handles
    assert code_of(sim.close_service_handle, handle) == 6
    assert sim.open_handles == before


def test_fault_error_is_typed_and_names_function(sim: SimulatedSCM) -> None:
    sim.faults.fail("OpenServiceW", 120)
    with ServiceManager(backend=sim) as scm, pytest.raises(UnsupportedError) as caught:
        scm.open("beat")
    assert (caught.value.function, caught.value.object_name) == ("OpenServiceW", "beat")


def test_fault_during_create_removes_new_service(sim: SimulatedSCM) -> None:
    sim.faults.fail("ChangeServiceConfig2W", 5)
    with ServiceManager(backend=sim) as scm, pytest.raises(Win32Error):
        scm.create("new", r"C:\x.exe", description="text")
    assert "new" not in sim
    assert sim.open_handles == 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda sim: sim.faults.fail("OpenService", 5), "^function: .*OpenServiceW"),
        (lambda sim: sim.faults.fail("openservice", 5), "^function: .*OpenServiceW"),
        (lambda sim: sim.faults.fail("CreateProcessW", 5), "^function: "),
        (lambda sim: sim.faults.fail("", 5), "^function: "),
        (lambda sim: sim.faults.before("nothing", lambda: None), "^function: "),
        (lambda sim: sim.faults.slow(1, "nothing"), "^function: "),
        (lambda sim: sim.called("nothing"), "^function: "),
        (lambda sim: sim.faults.fail("OpenServiceW", 5, nth=0), "^nth: "),
        (lambda sim: sim.faults.fail("OpenServiceW", 5, nth=-1), "^nth: "),
        (lambda sim: sim.faults.fail("OpenServiceW", 5, times=0), "^times: "),
        (lambda sim: sim.faults.fail("OpenServiceW", 0), "^winerror: .*not 0"),
        (lambda sim: sim.faults.deny(M.CONNECT, "beat"), "^service: .*manager rights"),
    ],
)
def test_faults_with_unknown_function_or_invalid_value_raise(
    sim: SimulatedSCM, call: Callable[[SimulatedSCM], object], match: str
) -> None:
    with pytest.raises(ValidationError, match=match):
        call(sim)
    assert code_of(opened, sim, "beat") == 0


def test_fault_functions_include_calls_of_each_kind() -> None:
    assert {"OpenSCManagerW", "NotifyServiceStatusChangeW", "ControlService"} <= Faults.FUNCTIONS


def test_faults_before_runs_action_ahead_of_call(sim: SimulatedSCM) -> None:
    sim.faults.before("StartServiceW", lambda: start(sim, "beat"), service="beat")
    handle = opened(sim, "beat")
    assert code_of(sim.start_service, handle, ()) == 1056


def test_services_listing_reflects_changes_between_pages(sim: SimulatedSCM) -> None:
    sim.local.page_size = 1
    sim.faults.before("EnumServicesStatusExW", lambda: sim.add("late"), nth=2)
    with ServiceManager(backend=sim) as scm:
        assert [info.name for info in scm.services()] == ["beat", "other", "late"]
        sim.faults.before("EnumServicesStatusExW", lambda: sim.local.remove("beat"), nth=2)
        assert [info.name for info in scm.services()] == ["beat", "other", "late"]
        assert [info.name for info in scm.services()] == ["other", "late"]


def test_faults_slow_advances_clock_per_call(sim: SimulatedSCM) -> None:
    sim.faults.slow(timedelta(seconds=3), "OpenServiceW")
    opened(sim, "beat")
    assert sim.clock.now == 3
    sim.faults.slow(1)
    opened(sim, "beat")  # three calls
    assert sim.clock.now == 9
    sim.faults.clear()
    opened(sim, "beat")
    assert sim.clock.now == 9
    sim.latency = 0.5
    opened(sim, "beat")
    assert sim.clock.now == 10.5


def test_faults_clear_resets_all_faults(sim: SimulatedSCM) -> None:
    from winsvc import ServiceAccess

    sim.faults.fail("QueryServiceStatusEx", 5)
    sim.faults.deny(ServiceAccess.START)
    sim.faults.lag = 4
    sim.faults.clear()
    assert codes(sim, opened(sim, "beat"), 1) == [0]
    assert code_of(opened, sim, "beat", int(ServiceAccess.START)) == 0
    assert sim.faults.lag == 0


# ------------------------------------------------------------------- time


def test_clock_advance_runs_due_actions_in_order() -> None:
    clock = SimulatedClock()
    happened: list[tuple[str, float]] = []

    def note(name: str) -> None:
        happened.append((name, clock.now))

    clock.after(2, lambda: note("two"))
    clock.after(1, lambda: note("one"))

    def note_later() -> None:
        clock.after(0.5, lambda: note("and a half"))

    clock.after(1, note_later)
    clock.after(3, lambda: note("never")).cancel()
    assert clock.now == 0
    clock.advance(timedelta(seconds=5))
    assert happened == [("one", 1), ("and a half", 1.5), ("two", 2)]
    assert clock.now == 5
    with pytest.raises(ValidationError):
        clock.advance(-1)
    for _ in range(10):
        clock.advance(0.1)
    assert clock.now == 6  # exactly


def test_replace_time_makes_polling_use_simulated_time(sim: SimulatedSCM) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=3600)
    names = ["sleep", "monotonic", "time", "perf_counter"]
    names += ["monotonic_ns", "time_ns", "perf_counter_ns"]
    real = [getattr(time, name) for name in names]
    with sim.installed(replace_time=True), ServiceManager() as scm, scm.open("beat") as service:
        service.start(wait=False)
        deadline = time.monotonic() + 7200
        before = time.time(), time.perf_counter()
        fine = time.time_ns(), time.perf_counter_ns(), time.monotonic_ns()
        polls = 0
        while service.status().state is not State.RUNNING:
            assert time.monotonic() < deadline
            time.sleep(1)
            polls += 1
        assert time.time() - before[0] == pytest.approx(3600)
        assert time.perf_counter() - before[1] == pytest.approx(3600)
        now = time.time_ns(), time.perf_counter_ns(), time.monotonic_ns()
        assert [after - before for after, before in zip(now, fine, strict=True)] == [
            3600 * 10**9
        ] * 3
    assert polls == 3600
    assert [getattr(time, name) for name in names] == real


def test_replace_time_restores_real_time_after_error(sim: SimulatedSCM) -> None:
    real = time.sleep
    with pytest.raises(ZeroDivisionError), sim.installed(replace_time=True):
        raise ZeroDivisionError
    assert time.sleep is real


# ------------------------------------------------------------------- what was called


def program(sim: SimulatedSCM) -> None:
    with ServiceManager(backend=sim) as scm:
        with scm.create("new", r"C:\x.exe", dependencies=["beat"]) as service:
            service.start("one", wait=False)
            sim.faults.fail("ControlService", 1061)
            with pytest.raises(Win32Error):
                service.stop(wait=False)
            sim.local.crash("new")
            service.delete(wait=True, timeout=5)


def test_repeated_program_records_same_calls() -> None:
    def run() -> list[Call]:
        sim = SimulatedSCM()
        sim.add("beat", program=ProgramBehavior(start_takes=3))
        program(sim)
        return sim.calls

    first = run()
    assert first == run()
    assert len(first) > 5


def test_recorded_calls_carry_arguments_time_and_error(sim: SimulatedSCM) -> None:
    sim.latency = 0.25
    program(sim)
    (created,) = sim.called("CreateServiceW")
    assert (created.service, created.machine, created.error) == ("new", None, None)
    assert created.arguments["binary_path"] == r"C:\x.exe"
    assert created.at == 0.5  # when it was called
    (stop,) = sim.called("ControlService", "NEW")
    assert (stop.error, stop.service) == (1061, "new")
    assert sim.called("ControlService", "other") == []
    (started,) = sim.called("StartServiceW", "new")
    assert started.arguments["arguments"] == ("one",)
    functions = [call.function for call in sim.calls]
    assert functions[:3] == ["OpenSCManagerW", "OpenSCManagerW", "CreateServiceW"]
    assert functions[-1] == "CloseServiceHandle"


def test_open_handles_counts_handles_until_closed(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    service = sim.open_service(scm, "beat", 0)
    assert sim.open_handles == 2
    assert "2 handles" in repr(sim)
    for handle in (scm, service):
        sim.close_service_handle(handle)
    assert sim.open_handles == 0


def test_recorded_calls_hide_passwords(sim: SimulatedSCM) -> None:
    sim.local.accounts = {r".\joe": "hush-hush"}
    with ServiceManager(backend=sim) as scm:
        with scm.create("new", r"C:\x.exe", account="joe", password="hush-hush") as service:
            service.start()
            service.configure(account="joe", password="hush-hush")
    (created,) = sim.called("CreateServiceW")
    assert created.arguments["password"] == Secret("hush-hush")
    for call in sim.calls:
        assert "hush" not in repr(call) + repr(call.arguments)
    assert "hush" not in repr(sim["new"])


def test_add_seed_with_keywords_raises_type_error(sim: SimulatedSCM) -> None:
    with pytest.raises(TypeError, match="not both"):
        sim.add(ServiceFixture(spec=None), binary_path="x")  # type: ignore[arg-type]
    assert [service.name for service in sim] == ["beat", "other"]
