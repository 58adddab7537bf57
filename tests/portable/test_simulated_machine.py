"""Test the invariants of a simulated machine under random calls and events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from winsvc import (
    AcceptedControls,
    AccessDeniedError,
    Control,
    ControlRefusedError,
    FailureAction,
    FailureActions,
    ManagerAccess,
    Service,
    ServiceAccess,
    ServiceInfo,
    ServiceManager,
    ServiceNotActiveError,
    ServiceType,
    State,
    StateFilter,
    ValidationError,
    Win32Error,
)
from winsvc._util.text import name_key, same_name
from winsvc._values.rows import NotificationRow
from winsvc.backend import Backend
from winsvc.enums import PENDING_STATES, Notify
from winsvc.testing import CallerIdentity, ProgramBehavior, SimulatedSCM
from winsvc.testing.faults import Faults
from winsvc.testing.services import SimulatedService
from winsvc.triggers import Trigger

NAMES = ("a", "A", "b", "c", "\u00e4", "\u00c4")
TAKEN = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
READING = (
    ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG | ServiceAccess.ENUMERATE_DEPENDENTS
)
PROGRAMS = {
    "good.exe": ProgramBehavior(accepts=TAKEN | AcceptedControls.PARAM_CHANGE),
    "slow.exe": ProgramBehavior(accepts=TAKEN, start_takes=5, stop_takes=4, pause_takes=3),
    "deaf.exe": ProgramBehavior(accepts=AcceptedControls(0)),
    "last.exe": ProgramBehavior(accepts=AcceptedControls.PRESHUTDOWN, stop_takes=20),
    "stays.exe": ProgramBehavior(hangs_in=[State.STOP_PENDING], ignores=[Control.PAUSE]),
    "hangs.exe": ProgramBehavior(hangs_in=[State.START_PENDING]),
    "fails.exe": ProgramBehavior(ends_after=0, exit_code=1066, service_exit_code=7),
    "crashes.exe": ProgramBehavior(ends_after=3, crashes=True),
    "crashes-at-once.exe": ProgramBehavior(ends_after=0, crashes=True),
    "missing.exe": ProgramBehavior(start_error=2),
    "silent.exe": ProgramBehavior(start_error=1053),
}
LEFT_OUT = ("behavior", "end", "program", "timers")
Program = list[tuple[str, tuple[Any, ...]]]


def picture(sim: SimulatedSCM) -> dict[str, object]:
    """All that a call may change, but the time."""
    whole: dict[str, object] = {
        entry.name: {
            field.name: copied(getattr(entry, field.name))
            for field in fields(entry)
            if field.name not in LEFT_OUT
        }
        | {"waits for": sum(timer.action is not None for timer in entry.timers)}
        for entry in sim
    }
    local = sim.local
    whole["/"] = (sim.open_handles, local.boot_accepted, local.security)
    whole["//"] = (list(local.commands), list(local.reboots))
    return whole


def copied(value: object) -> object:
    return value.copy() if isinstance(value, (list, dict)) else value


class Watched:
    """A backend in which a call that is refused must change nothing."""

    def __init__(self, sim: SimulatedSCM) -> None:
        self._sim = sim

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._sim, name)
        return method if name in ("sleep", "monotonic") else partial(self._call, method)

    def _call(self, method: Callable[..., object], *arguments: object) -> object:
        sim = self._sim
        sim.clock.advance(0)  # what is due happens with any call
        before, at = picture(sim), sim.clock.now
        try:
            return method(*arguments)
        except Win32Error as error:
            assert error.function in Faults.FUNCTIONS
            if sim.clock.now == at:
                compare(sim, before, error)
            raise


def compare(sim: SimulatedSCM, before: dict[str, object], error: Win32Error) -> None:
    after = picture(sim)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    if error.function == "StartServiceW":
        # It has a new exit code, and what it needs may have been started.
        place = sim.calls[-1].service
        changed -= {"" if place is None else place}
        changed -= {entry.name for entry in sim if entry.starts or entry.exit_code != 1077}
    assert not changed, f"{error} changed {changed}: {before} became {after}"


class World:
    """A simulated machine, programs that use it, and what must hold after each step."""

    def __init__(self) -> None:
        self.sim = sim = SimulatedSCM()
        sim.latency = 0.0
        sim.caller = CallerIdentity.administrator().enabling("SeShutdownPrivilege")
        sim.local.programs = {path: partial(self.run, path) for path in PROGRAMS}
        sim.local.accounts = {r".\joe": "good"}
        sim.local.group_order = ["g"]
        self.watched: Any = Watched(sim)
        self.backend = cast("Backend", self.watched)
        self.scm = ServiceManager(backend=self.backend)
        self.services: list[Service] = []
        self.previous: list[SimulatedService] = []
        self.locks: list[int] = []
        self.raw: list[int] = []  # handles for notifications
        self.waiter = sim.open_waiter()
        self.received: list[tuple[int, NotificationRow]] = []
        self.armed: list[tuple[int, int]] = []  # the handle and the mask of each registration
        self.began = 0.0
        self.looked = 0
        self.drivers: dict[str, bool] = {}

    # ------------------------------------------------------------------- one step

    def do(self, name: str, *arguments: Any) -> None:
        self.previous = list(self.sim)
        self.began = self.sim.clock.now
        try:
            getattr(self, name)(*arguments)
        except Win32Error as error:
            assert f"(error {error.winerror})" in str(error)
        except ValidationError as error:
            assert str(error) == f"{error.argument}: {error.reason}"
        self.check()

    def run(self, path: str, argv: Sequence[str]) -> ProgramBehavior:
        """Return the behavior of the program; check that all that the service needs is running."""
        service = self.sim[argv[0]]
        self.drivers[service.name] = service.is_driver
        if self.sim.clock.now == self.began:  # later, a dependency may have ended
            for name in service.service_dependencies():
                assert self.sim[name].state in (State.RUNNING, State.PAUSED, *PENDING_STATES)
            for group in service.group_dependencies():
                assert any(
                    same_name(entry.load_order_group, group) and entry.state is not State.STOPPED
                    for entry in self.sim
                    if entry is not service
                )
        return PROGRAMS[path]

    def pick(self, index: int) -> Service:
        return self.services[index % len(self.services)]

    # ------------------------------------------------------------------- what programs do

    def create(self, name: str, given: dict[str, Any]) -> None:
        self.services.append(self.scm.create(name, **given))

    def open(self, name: str, access: int | None) -> None:
        rights = None if access is None else ServiceAccess(access)
        self.services.append(self.scm.open(name, access=rights))

    def configure(self, index: int, given: dict[str, Any]) -> None:
        self.pick(index).configure(**given)

    def part_of_failure_actions(self, index: int, given: dict[str, Any]) -> None:
        service = self.pick(index)
        service.configure(failure_actions=replace(service.failure_actions(), **given))

    def start(self, index: int) -> None:
        self.pick(index).start("one", "two", wait=False)

    def control(self, index: int, control: int) -> None:
        service = self.pick(index)
        error: Win32Error | None = None
        try:
            status = service.control(control)
        except Win32Error as caught:
            error = caught
        if error is None:
            assert status.pid is None
            if control == Control.STOP:
                for entry in self.sim:
                    needed = map(name_key, entry.service_dependencies())
                    assert entry.state is State.STOPPED or name_key(service.name) not in needed
        elif error.winerror in (1052, 1061, 1062):
            assert isinstance(error, ControlRefusedError | ServiceNotActiveError)
            assert error.status is not None
            assert (error.status.state is State.STOPPED) == (error.winerror == 1062)

    def read(self, index: int, name: str) -> None:
        value = getattr(self.pick(index), name)
        if callable(value):
            value()

    def delete(self, index: int, timeout: float | None) -> None:
        service = self.pick(index)
        if timeout is None:
            service.delete()
        else:
            service.delete(wait=True, timeout=timeout)

    def close(self, index: int) -> None:
        service = self.pick(index)
        self.services.remove(service)
        service.close()

    def new_manager(self, access: int | None) -> None:
        self.scm.close()
        rights = None if access is None else ManagerAccess(access)
        try:
            self.scm = ServiceManager(backend=self.backend, access=rights)
        except Win32Error:
            self.sim.local.reconnect()
            self.sim.faults.clear()
            self.sim.caller = CallerIdentity.administrator()
            self.scm = ServiceManager(backend=self.backend)

    def manage(self, name: str, *arguments: object) -> None:
        value = getattr(self.scm, name)(*arguments)
        if isinstance(value, Iterator):
            list(value)

    def lock(self) -> None:
        access = int(ManagerAccess.CONNECT | ManagerAccess.LOCK)
        manager = self.backend.open_sc_manager(None, None, access)
        try:
            lock = self.backend.lock_service_database(manager)
        finally:
            self.backend.close_service_handle(manager)
        assert not self.locks or self.sim.local.lost  # a connection that is lost has no lock
        self.locks.append(lock)

    def unlock(self) -> None:
        if self.locks:
            self.backend.unlock_service_database(self.locks.pop())

    def open_raw(self, name: str | None) -> None:
        manager = self.backend.open_sc_manager(None, None, int(ManagerAccess.ALL_ACCESS))
        self.raw.append(manager)
        if name is not None:
            access = int(ServiceAccess.QUERY_STATUS)
            self.raw.append(self.backend.open_service(manager, name, access))

    def notify(self, index: int, mask: int) -> None:
        handle = self.raw[index % len(self.raw)]
        self.take()
        self.watched.arm(self.waiter, handle, mask)
        self.armed.append((handle, mask))

    def take(self) -> None:
        """Check the notifications: an open handle, the mask, at most one per registration."""
        for handle, row in self.sim.wait_notified(self.waiter, 0):
            assert handle in self.raw, "notified through a closed handle"
            masks = [mask for armed, mask in self.armed if armed == handle]
            matches = any(row.triggered & mask for mask in masks)
            assert matches or row.notification_status == 1072
            self.received.append((handle, row))
            assert sum(entry == handle for entry, _ in self.received) <= len(masks), (
                "notified twice"
            )

    def close_raw(self, index: int) -> None:
        self.take()
        self.backend.disarm(self.waiter, self.raw.pop(index % len(self.raw)))

    # ------------------------------------------------------------------- what happens

    def wait(self, seconds: float) -> None:
        self.sim.clock.advance(seconds)

    def crash(self, name: str) -> None:
        if name in self.sim:
            self.sim.local.crash(name)

    def report(self, name: str, state: State, check_point: int, hint: int) -> None:
        if name in self.sim:
            self.sim.local.report(name, state, check_point=check_point, wait_hint=hint)

    def happen(self, name: str) -> None:
        getattr(self.sim.local, name)()

    def trigger(self, trigger: Trigger) -> None:
        self.sim.local.fire(trigger)

    def fault(self, function: str, code: int, nth: int) -> None:
        self.sim.faults.fail(function, code, nth=nth)

    def deny(self, access: ManagerAccess | ServiceAccess, name: str | None) -> None:
        self.sim.faults.deny(access, name)

    def slow(self, seconds: float, lag: float) -> None:
        self.sim.faults.slow(seconds)
        self.sim.faults.lag = lag

    def all_well(self) -> None:
        self.sim.faults.clear()
        self.sim.local.reconnect()
        self.sim.caller = CallerIdentity.administrator().enabling("SeShutdownPrivilege")
        self.new_manager(None)

    def be_user(self) -> None:
        self.sim.caller = CallerIdentity.user()

    def pages(self, size: int | None) -> None:
        self.sim.local.page_size = size

    # ------------------------------------------------------------------- what holds

    def check(self) -> None:
        sim = self.sim
        every = list(sim)
        keys = [name_key(entry.name) for entry in every]
        assert len(set(keys)) == len(keys)
        for entry in self.previous:
            if entry not in every:
                assert entry.marked_for_deletion
                assert entry.state is State.STOPPED
                assert entry.handles == 0
        for entry in every:
            check_service(entry, self.drivers.get(entry.name, False))
            mine = {entry.name.upper(), *needs(sim, entry)}
            for other in every:
                if entry is not other and name_key(other.name) in mine:
                    assert name_key(entry.name) not in needs(sim, other), "a circle"
        if not sim.local.error:
            with self.unnoticed():
                self.look_around(every)

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Neither faults nor rights keep the checks from looking."""
        sim = self.sim
        known = sim.faults, sim.caller, sim.open_handles, sim.local.security
        sim.faults, sim.caller = Faults(), CallerIdentity.administrator()
        try:
            yield
        finally:
            sim.faults, sim.caller = known[:2]
        assert sim.open_handles == known[2]

    def look_around(self, every: list[SimulatedService]) -> None:
        with ServiceManager(backend=self.sim) as scm:
            listing = list(scm.services(service_type=ServiceType.ALL))
            assert [info.name for info in listing] == [entry.name for entry in every]
            for info, entry in zip(listing, every, strict=True):
                assert info.status == entry.status
            halves = [
                {info.name for info in scm.services(service_type=ServiceType.ALL, state=half)}
                for half in (StateFilter.ACTIVE, StateFilter.INACTIVE)
            ]
            assert not halves[0] & halves[1]
            assert halves[0] | halves[1] == {entry.name for entry in every}
            if every:  # each in its turn
                self.looked += 1
                turn = self.looked % len(every)
                self.look_at(scm, listing[turn], every[turn])

    def look_at(self, scm: ServiceManager, info: ServiceInfo, entry: SimulatedService) -> None:
        shown = scm.display_name(entry.name)
        assert shown == info.display_name
        assert same_name(scm.display_name(scm.key_name(shown)), shown)
        with scm.open(entry.name.lower()) as service:
            if entry.security.effective("BA") & READING != READING:
                with pytest.raises(AccessDeniedError):
                    service.status()
                return
            status, config = service.status(), service.config()
            above = {name_key(other.name) for other in service.dependents()}
        assert status == info.status
        assert config.display_name == shown
        wanted = {other for other in self.sim if name_key(entry.name) in needs(self.sim, other)}
        assert above == {name_key(other.name) for other in wanted}

    def end(self) -> None:
        """Close everything: nothing is left open, and what was deleted goes as it stops."""
        self.all_well()
        try:
            self.unlock()
        except Win32Error as error:
            assert error.winerror == 1071  # the connection was lost, and with it the lock
        for service in self.services:
            service.close()
        self.take()
        for handle in self.raw:
            self.sim.disarm(self.waiter, handle)
        self.raw.clear()
        assert self.sim.wait_notified(self.waiter, 0) == []
        self.sim.close_waiter(self.waiter)
        self.scm.close()
        assert self.sim.open_handles == 0
        for entry in self.sim:
            assert not (entry.marked_for_deletion and entry.state is State.STOPPED)
        self.sim.local.shut_down()
        assert not any(entry.marked_for_deletion for entry in self.sim)


def check_service(entry: SimulatedService, driver: bool) -> None:
    """Check that the status of a service is consistent."""
    active = entry.state is not State.STOPPED
    row = entry.status_row()
    assert (row.current_state, row.process_id) == (entry.state, entry.pid)
    assert row.controls_accepted == entry.controls_accepted
    assert bool(entry.pid) == (active and not driver)
    if entry.state not in PENDING_STATES:
        assert (entry.check_point, entry.wait_hint) == (0, 0)
    if entry.state not in (State.RUNNING, State.PAUSED):
        assert entry.controls_accepted == 0
    if active:
        assert (entry.exit_code, entry.service_exit_code) == (0, 0)
        assert entry.starts
    else:
        assert not [timer for timer in entry.timers if timer.action is not None]
        assert entry.end is None
    assert entry.display_name
    assert entry.binary_path


def needs(sim: SimulatedSCM, service: SimulatedService) -> set[str]:
    """Return the keys of all that a service needs, directly or not."""
    found: set[str] = set()
    ahead = [service]
    while ahead:
        entry = ahead.pop()
        direct = [sim[name] for name in entry.service_dependencies() if name in sim]
        groups = set(map(name_key, entry.group_dependencies()))
        direct += [other for other in sim if name_key(other.load_order_group) in groups]
        for other in direct:
            if name_key(other.name) not in found:
                found.add(name_key(other.name))
                ahead.append(other)
    return found


# ------------------------------------------------------------------------------ what is drawn

names = st.sampled_from(NAMES)
indexes = st.integers(0, 7)
groups = st.sampled_from(["", "g", "G", "h"])
delays = st.sampled_from([0, 1, 60])
periods = st.builds(timedelta, seconds=delays)
actions = st.lists(
    st.builds(
        lambda make, delay: make(delay),
        st.sampled_from([FailureAction.restart, FailureAction.run_command, FailureAction.reboot]),
        delays,
    ),
    max_size=2,
).map(tuple)
triggers = st.sampled_from([Trigger.on_ip_available(), Trigger.on_ip_lost()])
settings_given = st.fixed_dictionaries(
    {},
    optional={
        "service_type": st.sampled_from([0x10, 0x20, 0x110, 0x10, 0x20, 0x30, 0x50, 0x100, 0]),
        "start_type": st.integers(0, 5),
        "error_control": st.integers(0, 4),
        "load_order_group": groups,
        "dependencies": st.lists(st.sampled_from([*NAMES, "none", "+g", "+h"]), max_size=2),
        "account": st.sampled_from(["LocalSystem", "LocalService", "joe", "jack"]),
        "password": st.sampled_from([None, "good", "bad"]),
        "display_name": st.sampled_from([*NAMES, "", "shown", "Shown", "x" * 257]),
        "description": st.sampled_from([None, "", "text"]),
        "delayed_auto_start": st.booleans(),
        "failure_actions": st.one_of(
            st.none(),
            st.builds(FailureActions, actions=actions, reset_after=st.none(), command=names),
        ),
        "failure_actions_on_error": st.booleans(),
        "sid_type": st.integers(0, 3),
        "required_privileges": st.sampled_from([(), ("SeTcbPrivilege",)]),
        "preshutdown_timeout": st.sampled_from([0, 3, 10**9]),
        "triggers": st.lists(triggers, max_size=1),
        "preferred_node": st.sampled_from([None, 0, 1]),
        "launch_protection": st.integers(0, 1),
        "security": st.sampled_from(["D:(A;;GA;;;BA)", "D:(A;;GR;;;BA)", "D:"]),
        "assign_tag": st.booleans(),
    },
)
few_settings = st.fixed_dictionaries(
    {"binary_path": st.sampled_from([*["good.exe"] * 4, *PROGRAMS])},
    optional={
        "service_type": st.sampled_from([0x10, 0x20, 0x1]),
        "start_type": st.sampled_from([2, 3, 3, 4]),
        "dependencies": st.lists(st.sampled_from(["a", "b", "c", "+g"]), max_size=2),
        "load_order_group": groups,
        "failure_actions": st.builds(FailureActions, actions=actions),
    },
)
rights = st.one_of(
    st.none(),
    st.sampled_from([0, 0x1FF, 0xF01FF, 1 << 25, 1 << 28, 1 << 31, 0x01000000]),
    st.integers(0, 0x1FF),
)
functions = st.sampled_from(
    [
        "ChangeServiceConfig2W",
        "ChangeServiceConfigW",
        "ControlService",
        "CreateServiceW",
        "DeleteService",
        "EnumServicesStatusExW",
        "NotifyServiceStatusChangeW",
        "OpenServiceW",
        "QueryServiceStatusEx",
        "StartServiceW",
    ]
)
readable = st.sampled_from(
    [
        "config",
        "dependents",
        "description",
        "failure_actions",
        "preferred_node",
        "required_privileges",
        "security",
        "sid_type",
        "snapshot",
        "status",
        "triggers",
    ]
)
questions = st.one_of(
    st.sampled_from([("lock_status",), ("services",), ("info", ""), ("exists", "a/b")]),
    st.tuples(st.sampled_from(["info", "exists", "key_name", "display_name"]), names),
    st.tuples(st.just("notify_boot_config_status"), st.booleans()),
)

masks = st.one_of(st.just(int(Notify.CREATED | Notify.DELETED)), st.integers(1, 0x3FF))


class SimulatedMachineTest(RuleBasedStateMachine):
    """Any program. At its end it is run again: all calls are the same."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.program: Program = []
        self.trouble = 0  # how many steps until all is well again

    def do(self, name: str, *arguments: Any) -> None:
        self.trouble -= 1
        for step in [(name, arguments), *([("all_well", ())] if self.trouble == 0 else [])]:
            self.program.append(step)
            self.world.do(step[0], *step[1])

    def is_open(self) -> bool:
        return bool(self.world.services)

    def waits(self) -> bool:
        return bool(self.world.raw)

    # ------------------------------------------------------------------- programs

    @initialize(given=st.lists(few_settings, min_size=1, max_size=4))
    def begin(self, given: list[dict[str, Any]]) -> None:
        for number, entry in enumerate(given):
            self.do("create", NAMES[2 * number % 5], entry)
            if self.world.services:
                self.do("start", number)

    @rule(name=names, given=st.one_of(few_settings, few_settings, settings_given))
    def create(self, name: str, given: dict[str, Any]) -> None:
        self.do("create", name, {"binary_path": "good.exe", **given})

    @rule(
        name=st.one_of(names, names, st.sampled_from(["", "a/b", "x" * 257])),
        access=rights,
    )
    def open(self, name: str, access: int | None) -> None:
        self.do("open", name, access)

    @precondition(is_open)
    @rule(index=indexes, given=st.one_of(settings_given, few_settings))
    def configure(self, index: int, given: dict[str, Any]) -> None:
        if "service_type" in given and any(entry.pid for entry in self.world.sim):
            del given["service_type"]  # a process that becomes a driver's has no meaning
        self.do("configure", index, given)

    @precondition(is_open)
    @rule(
        index=indexes,
        given=st.fixed_dictionaries(
            {}, optional={"actions": actions, "reset_after": periods, "command": names}
        ),
    )
    def part_of_failure_actions(self, index: int, given: dict[str, Any]) -> None:
        self.do("part_of_failure_actions", index, given)

    @precondition(is_open)
    @rule(indexes=st.lists(indexes, min_size=1, max_size=3, unique=True))
    def start(self, indexes: list[int]) -> None:
        for index in indexes:
            self.do("start", index)

    @precondition(is_open)
    @rule(index=indexes, control=st.one_of(st.integers(1, 4), st.integers(0, 17), st.just(128)))
    def control(self, index: int, control: int) -> None:
        self.do("control", index, control)

    @precondition(is_open)
    @rule(index=indexes)
    def stop(self, index: int) -> None:
        self.do("control", index, int(Control.STOP))

    @precondition(is_open)
    @rule(index=indexes, name=readable)
    def read(self, index: int, name: str) -> None:
        self.do("read", index, name)

    @precondition(is_open)
    @rule(index=indexes, timeout=st.sampled_from([None, None, 0, 2]))
    def delete(self, index: int, timeout: float | None) -> None:
        self.do("delete", index, timeout)

    @precondition(is_open)
    @rule(index=indexes)
    def close(self, index: int) -> None:
        self.do("close", index)

    @rule(question=questions)
    def query_manager(self, question: tuple[Any, ...]) -> None:
        self.do("manage", *question)

    @rule(name=st.sampled_from(["lock", "unlock"]))
    def lock(self, name: str) -> None:
        self.do(name)

    @rule(name=st.one_of(st.none(), names, names), mask=masks)
    def open_raw(self, name: str | None, mask: int) -> None:
        self.do("open_raw", name)
        if self.world.raw:
            self.do("notify", -1, mask)

    @precondition(waits)
    @rule(index=indexes, mask=masks)
    def notify(self, index: int, mask: int) -> None:
        self.do("notify", index, mask)

    @precondition(waits)
    @rule(index=indexes)
    def close_raw(self, index: int) -> None:
        self.do("close_raw", index)

    # ------------------------------------------------------------------- what happens

    @rule(seconds=st.sampled_from([0, 0.5, 3, 10, 130]))
    def wait(self, seconds: float) -> None:
        self.do("wait", seconds)

    @rule(
        name=names,
        state=st.sampled_from([None, *State]),
        check_point=st.integers(0, 2),
        hint=st.integers(0, 1),
    )
    def program_acts(self, name: str, state: State | None, check_point: int, hint: int) -> None:
        if state is None:
            self.do("crash", name)
        else:
            self.do("report", name, state, check_point, hint)

    @rule(
        event=st.one_of(
            st.tuples(st.just("happen"), st.sampled_from(["boot", "shut_down", "reboot"])),
            st.tuples(st.just("trigger"), triggers),
            st.tuples(st.just("pages"), st.one_of(st.none(), st.integers(1, 3))),
        )
    )
    def happen(self, event: tuple[Any, ...]) -> None:
        self.do(*event)

    @rule(
        trouble=st.one_of(
            st.tuples(
                st.just("fault"),
                functions,
                st.sampled_from([5, 6, 1722, 1061]),
                st.integers(1, 2),
            ),
            st.tuples(
                st.just("deny"),
                st.sampled_from(
                    [ServiceAccess.START, ServiceAccess.QUERY_STATUS, ManagerAccess.CREATE_SERVICE]
                ),
                st.one_of(st.none(), names),
            ),
            st.tuples(st.just("slow"), st.sampled_from([0, 1]), st.sampled_from([0, 2])),
            st.tuples(st.just("new_manager"), st.one_of(st.none(), st.integers(0, 0x3F))),
            st.just(("happen", "disconnect")),
            st.just(("be_user",)),
        )
    )
    def get_into_trouble(self, trouble: tuple[Any, ...]) -> None:
        self.do(*trouble)
        self.trouble = 4

    def teardown(self) -> None:
        self.world.end()
        again = World()
        for name, arguments in self.program:
            again.do(name, *arguments)
        again.end()
        assert list(map(plain, again.sim.calls)) == list(map(plain, self.world.sim.calls))


def plain(call: Any) -> tuple[object, ...]:
    arguments = {
        name: "a function" if callable(value) else value for name, value in call.arguments.items()
    }
    return (call.function, call.at, call.machine, call.service, arguments, call.error)


SimulatedMachineTest.TestCase.settings = settings(
    max_examples=max(settings().max_examples // 5, 6),  # each is many calls
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
)
test_any_program_keeps_machine_invariants = SimulatedMachineTest.TestCase
