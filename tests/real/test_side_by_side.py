"""The same calls on the simulated and on the real service control manager have the same outcomes.

A difference between Wine and Windows must be listed in ``differences.WINE_DIFFERENCES``. A change
on one side only is undone, so that both have the same state again.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import pytest
from differences import WINE_DIFFERENCES, on_wine
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twin import twin

from winsvc import (
    Control,
    ControlRefusedError,
    ErrorCode,
    ManagerAccess,
    ServiceAccess,
    ServiceConfig,
    ServiceStatus,
    ServiceType,
    State,
    StateFilter,
    ValidationError,
    Win32Error,
)
from winsvc._native import NativeBackend
from winsvc._values.commandline import split
from winsvc._values.names import MAX_NAME_LENGTH
from winsvc._values.rows import ConfigRow, StatusRow
from winsvc.backend import Backend
from winsvc.enums import ConfigLevel
from winsvc.testing import ProgramBehavior, SimulatedSCM

KEEP = 0xFFFFFFFF
PENDING = (
    State.START_PENDING,
    State.STOP_PENDING,
    State.PAUSE_PENDING,
    State.CONTINUE_PENDING,
)
ALL_ACCESS = int(ServiceAccess.ALL_ACCESS)
SLOTS = ("a", "b", "c")


class Refused(NamedTuple):
    """The parts of an error that must be equal on both sides."""

    function: str
    code: int | str  # of what is refused before the call, the argument
    state: int | None = None  # of the status in the error


class Excuse(NamedTuple):
    """An entry of the table, and the error code of the side that refuses the call.

    The other side may return any error, because it continues with its next check.
    """

    name: str
    simulated: int = -1
    real: int = -1


@dataclass(eq=False)
class Opened:
    """A service that is open on both sides."""

    slot: str
    real: int
    simulated: int


class SideBySide(RuleBasedStateMachine):
    """Services of both sides, with the same names."""

    program: ClassVar[str]  # the command line of the test service
    numbers: ClassVar[itertools.count[int]] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.wine = on_wine()
        self.prefix = f"winsvc-side-{os.getpid()}-{next(self.numbers)}-"
        self.real = NativeBackend()
        self.sim = SimulatedSCM()
        path = next(iter(split(self.program)))
        self.sim.local.other_programs = ProgramBehavior(start_error=int(ErrorCode.FILE_NOT_FOUND))
        self.sim.local.programs[path] = twin
        self.missing = path + "-missing.exe"
        access = int(ManagerAccess.CONNECT | ManagerAccess.CREATE_SERVICE)
        access |= ManagerAccess.ENUMERATE_SERVICE
        self.managers = [side.open_sc_manager(None, None, access) for side in (self.real, self.sim)]
        self.opened: list[Opened] = []
        self.slots: set[str] = set()
        self.odd_exit: set[str] = set()  # services whose exit codes differ until they run again

    # ------------------------------------------------------------------- both sides

    def differs(self, name: str) -> bool:
        """Return whether the real SCM is Wine's, which has the difference of this name."""
        assert name in WINE_DIFFERENCES
        return self.wine

    def name(self, slot: str) -> str:
        return self.prefix + slot

    def on_both(
        self, call: Callable[[Backend, int], Any], handles: list[int], *excuses: Excuse
    ) -> tuple[Any, Any]:
        """Run a call on both sides; return the real and the simulated outcome."""
        real = outcome(call, self.real, handles[0])
        simulated = outcome(call, self.sim, handles[1])
        if real != simulated:
            self.excuse(real, simulated, excuses)
        return real, simulated

    def excuse(self, real: object, simulated: object, excuses: tuple[Excuse, ...]) -> None:
        named = [
            excuse
            for excuse in excuses
            if code_of(simulated) == excuse.simulated or code_of(real) == excuse.real
        ]
        assert any(self.differs(excuse.name) for excuse in named), (
            f"real: {real}; simulated: {simulated}"
        )

    def on_managers(self, call: Callable[[Backend, int], Any], *excuses: Excuse) -> tuple[Any, Any]:
        return self.on_both(call, self.managers, *excuses)

    def on_service(
        self, index: int, call: Callable[[Backend, int], Any], *excuses: Excuse
    ) -> tuple[Any, Any]:
        opened = self.at(index)
        return self.on_both(call, [opened.real, opened.simulated], *excuses)

    def at(self, index: int) -> Opened:
        return self.opened[index % len(self.opened)]

    def keep(self, slot: str, real: Any, simulated: Any) -> None:
        """Keep the handles of both sides; if only one side returned a handle, undo its call."""
        if isinstance(real, int) and isinstance(simulated, int):
            self.opened.append(Opened(slot, real, simulated))
        elif isinstance(real, int):
            self.real.close_service_handle(real)
        elif isinstance(simulated, int):
            self.sim.close_service_handle(simulated)

    def running(self, slot: str) -> bool:
        name = self.name(slot)
        return name in self.sim and self.sim[name].state is not State.STOPPED

    def settle(self, slot: str) -> None:
        """Wait until both sides have a settled state after a start or a control."""
        self.sim.clock.advance(60)
        self.wait_for(slot, lambda state: state not in PENDING)

    def wait_for(self, slot: str, good: Callable[[State], bool]) -> None:
        handle = self.real.open_service(
            self.managers[0], self.name(slot), int(ServiceAccess.QUERY_STATUS)
        )
        try:
            wait_until(lambda: good(State(self.real.query_service_status_ex(handle).current_state)))
        finally:
            self.real.close_service_handle(handle)

    def exists(self, slot: str) -> bool:
        try:
            handle = self.real.open_service(self.managers[0], self.name(slot), 0)
        except Win32Error as error:
            assert error.winerror == ErrorCode.SERVICE_DOES_NOT_EXIST
            return False
        self.real.close_service_handle(handle)
        return True

    # ------------------------------------------------------------------- what is drawn

    slots_ = st.sampled_from(SLOTS)
    indexes = st.integers(0, 5)
    spellings = st.sampled_from(["as it is", "upper", "display", "missing", "", "/", "\\", "long"])

    def spelled(self, slot: str, spelling: str) -> str:
        name = self.name(slot)
        return {
            "as it is": name,
            "upper": name.upper(),
            "display": f"{self.prefix}shown {slot}",
            "missing": f"{name} is none",
            "long": name + "x" * (257 - len(name)),
            "longest": name + "x" * (256 - len(name)),
        }.get(spelling, spelling and name + spelling)

    def shown(self, display: str | None, slot: str) -> str | None:
        """Return a display name: none, that of a service, or a key name."""
        return {
            None: None,
            "": "",
            "key": self.name(slot),
            "key of another": self.name(SLOTS[SLOTS.index(slot) - 1]),
            "long": "y" * 256,
        }.get(display, f"{self.prefix}{display}")

    displays = st.sampled_from(
        [
            None,
            None,
            "shown a",
            "shown b",
            "SHOWN A",
            "\u00e4 \U0001f40d",
            "",
            "key",
            "key of another",
        ]
    )
    # At most one argument of a call is invalid: the order of checks is not specified.
    oddities = st.one_of(
        st.just(("", 0)),
        st.just(("", 0)),
        st.tuples(
            st.just("service_type"),
            st.sampled_from([0, 4, 8, 0x30, 0x50, 0x60, 0x100, 0x101, 0x110, 0x120, 0x20, 1, 2]),
        ),
        st.tuples(st.just("start_type"), st.sampled_from([0, 1, 2, 3, 4, 4, 5, 6])),
        st.tuples(st.just("error_control"), st.sampled_from([0, 2, 3, 4, 99])),
        st.just(("binary_path", "")),
        st.just(("dependencies", "itself")),
    )
    paths = st.sampled_from(["program", "program", "program", "missing"])
    groups = st.sampled_from([None, None, "", "group", "other"])
    controls = st.one_of(
        st.integers(1, 4),
        st.sampled_from([1, 6, 7, 10, 128, 255]),
        st.sampled_from([0, 5, 11, 15, 127, 256, 0xFFFFFFFF]),
    )
    needs = st.lists(st.sampled_from([*SLOTS, "none", "+group"]), max_size=2)

    def path(self, path: str) -> str:
        return {"program": self.program, "missing": f'"{self.missing}"'}.get(path, path)

    def group(self, group: str | None) -> str | None:
        return self.prefix + group if group else group

    def dependencies(self, needs: list[str]) -> list[str]:
        return [
            "+" + self.prefix + name[1:] if name.startswith("+") else self.prefix + name
            for name in dict.fromkeys(needs)
        ]

    # ------------------------------------------------------------------- the manager

    @initialize(slots=st.lists(slots_, min_size=1, max_size=2, unique=True), group=groups)
    def begin(self, slots: list[str], group: str | None) -> None:
        for slot in slots:
            self.create(slot, "as it is", None, ("", 0), "program", group, [], ALL_ACCESS)

    @rule(
        slot=slots_,
        spelling=st.sampled_from(
            ["as it is", "as it is", "as it is", "as it is", "upper", "", "/", "long", "longest"]
        ),
        display=displays,
        odd=oddities,
        path=paths,
        group=groups,
        needs=needs,
        access=st.sampled_from([ALL_ACCESS, ALL_ACCESS, 0, 1 << 25, 0x10004]),
    )
    def create(
        self,
        slot: str,
        spelling: str,
        display: str | None,
        odd: tuple[str, Any],
        path: str,
        group: str | None,
        needs: list[str],
        access: int,
    ) -> None:
        if spelling == "longest":
            slot = slot + "x" * (256 - len(self.name(slot)))
        name = self.spelled(slot, "as it is" if spelling == "longest" else spelling)
        if spelling in ("", "/", "long"):
            odd, display, needs = ("", 0), None, []
        given: dict[str, Any] = {
            "service_type": 0x10,
            "start_type": 3,
            "error_control": 1,
            "binary_path": self.path(path),
            "dependencies": self.dependencies(needs),
            "group": self.group(group),
            "display": self.shown(display, slot[0]),
            odd[0]: odd[1],
        }
        if odd[0] == "dependencies":
            given["dependencies"] = [name]
        self.slots.add(slot)

        def call(backend: Backend, manager: int) -> int:
            return backend.create_service(
                manager,
                name,
                given["display"],
                access,
                given["service_type"],
                given["start_type"],
                given["error_control"],
                given["binary_path"],
                given["group"],
                False,
                given["dependencies"] or None,
                None,
                None,
            )[0]

        existed = name in self.sim
        real = outcome(call, self.real, self.managers[0])
        simulated = outcome(call, self.sim, self.managers[1])
        if code_of(real) != code_of(simulated):
            self.excuse(real, simulated, excuses_for(odd, name, given))
            self.undo_creation(name, real, simulated, existed)
            return
        if isinstance(real, Refused):
            assert real == simulated
        self.keep(slot, real, simulated)

    def undo_creation(self, name: str, real: Any, simulated: Any, existed: bool) -> None:
        for backend, manager, handle in (
            (self.real, self.managers[0], real),
            (self.sim, self.managers[1], simulated),
        ):
            if isinstance(handle, int):
                assert not existed
                backend.close_service_handle(handle)
                again = backend.open_service(manager, name, int(ServiceAccess.DELETE))
                backend.delete_service(again)
                backend.close_service_handle(again)

    @rule(
        slot=slots_,
        spelling=st.one_of(st.just("as it is"), spellings),
        access=st.one_of(
            st.just(ALL_ACCESS),
            st.sampled_from([0, 1 << 25, 1 << 28, 1 << 29, 1 << 30, 1 << 31, 1 << 24, 0x200]),
            st.integers(0, 0x1FF),
            st.sampled_from([0x10000, 0x20000, 0x10024]),
        ),
    )
    def open(self, slot: str, spelling: str, access: int) -> None:
        name = self.spelled(slot, spelling)
        answers = [
            outcome(lambda backend, manager: backend.open_service(manager, name, access), *side)
            for side in ((self.real, self.managers[0]), (self.sim, self.managers[1]))
        ]
        if code_of(answers[0]) != code_of(answers[1]):
            unchecked = [Excuse("access-check", simulated=code) for code in (5, 1314)]
            long = Excuse("long-name", simulated=123)
            self.excuse(answers[0], answers[1], (*unchecked, long))
        self.keep(slot, answers[0], answers[1])

    @rule(slot=slots_, spelling=spellings)
    def display_name(self, slot: str, spelling: str) -> None:
        name = self.spelled(slot, spelling)

        def call(backend: Backend, manager: int) -> str:
            text = backend.get_service_display_name(manager, name)
            return text or (self.sim[name].name if self.differs("display-name-empty") else "")

        self.on_managers(call)

    @rule(slot=slots_, display=displays)
    def key_name(self, slot: str, display: str | None) -> None:
        text = self.shown(display, slot) or ""
        self.on_managers(
            lambda backend, manager: backend.get_service_key_name(manager, text),
            Excuse("key-name-default", real=1060),
            *([] if text else [Excuse("display-name-empty", simulated=1060)]),
        )

    @rule(
        state=st.sampled_from([StateFilter.ALL, StateFilter.ACTIVE, StateFilter.INACTIVE, 0]),
        kind=st.sampled_from([ServiceType.WIN32, ServiceType.DRIVER, ServiceType.ALL, 0]),
        group=st.sampled_from([None, None, "group", "other", "never"]),
    )
    def listing(self, state: int, kind: int, group: str | None) -> None:
        if kind and self.differs("status-type"):
            kind = int(ServiceType.ALL)

        def call(backend: Backend, manager: int) -> object:
            found: dict[str, object] = {}
            resume = 0
            while True:
                rows, resume = backend.enum_services_status_ex(
                    manager, int(kind), int(state), self.group(group), resume
                )
                for row in rows:
                    if row.service_name.startswith(self.prefix):
                        name = row.service_name
                        status = self.seen(row.status, name)
                        found[name] = (row.display_name or name, status)
                if not resume:
                    return found

        self.on_managers(call)

    # ------------------------------------------------------------------- a service

    def seen(self, row: StatusRow, name: str) -> tuple[int, ...]:
        """Return the parts of a status that must be the same."""
        codes = (row.win32_exit_code, row.service_specific_exit_code)
        kind = row.service_type
        if self.differs("status-type"):
            kind = 0
        if name in self.odd_exit and row.current_state == State.STOPPED:
            codes = (0, 0)
        return (kind, row.current_state, row.controls_accepted, *codes)

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def status(self, index: int) -> None:
        name = self.name(self.at(index).slot)
        self.on_service(
            index,
            lambda backend, service: self.seen(backend.query_service_status_ex(service), name),
        )

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def config(self, index: int) -> None:
        self.on_service(index, lambda *call: self.config_seen(index, *call))

    def config_seen(self, index: int, backend: Backend, service: int) -> ServiceConfig:
        row: ConfigRow = backend.query_service_config(service)
        if self.differs("dependencies-read"):
            row = row._replace(dependencies=())
        if row.service_type & ServiceType.DRIVER and self.differs("driver-account"):
            row = row._replace(service_start_name="")
        return ServiceConfig.from_row(row, self.sim_of(index).name)

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def description(self, index: int) -> None:
        self.on_service(index, lambda backend, service: backend.query_description(service))

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes, text=st.sampled_from([None, "", "text", "\u00e4 \U0001f40d", "x" * 3000]))
    def describe(self, index: int, text: str | None) -> None:
        if self.sim_of(index).marked_for_deletion and self.differs("change-deleted"):
            return
        self.on_service(index, lambda backend, service: backend.change_description(service, text))

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def preshutdown(self, index: int) -> None:
        level = int(ConfigLevel.PRESHUTDOWN_INFO)

        def call(backend: Backend, service: int) -> int:
            number = backend.query_config_number(service, level)
            if number == 180_000 and self.differs("preshutdown-default"):
                return 10_000
            return number

        self.on_service(index, call)

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes, number=st.sampled_from([0, 1, 10_000, 0xFFFFFFFF]))
    def change_preshutdown(self, index: int, number: int) -> None:
        if self.sim_of(index).marked_for_deletion and self.differs("change-deleted"):
            return
        level = int(ConfigLevel.PRESHUTDOWN_INFO)
        self.on_service(
            index, lambda backend, service: backend.change_config_number(service, level, number)
        )

    def sim_of(self, index: int) -> Any:
        return self.sim[self.name(self.at(index).slot)]

    @precondition(lambda self: bool(self.opened))
    @rule(
        index=indexes,
        odd=oddities,
        display=displays,
        path=st.one_of(st.none(), paths),
        group=groups,
        needs=st.one_of(st.none(), needs),
    )
    def change(
        self,
        index: int,
        odd: tuple[str, Any],
        display: str | None,
        path: str | None,
        group: str | None,
        needs: list[str] | None,
    ) -> None:
        before, slot = self.sim_of(index), self.at(index).slot
        row, running = before.config_row(), before.state is not State.STOPPED
        given: dict[str, Any] = {
            "service_type": KEEP,
            "start_type": KEEP,
            "error_control": KEEP,
            "binary_path": None,
            "dependencies": None if needs is None else self.dependencies(needs),
            "group": self.group(group),
            "display": self.shown(display, slot[0]),
            odd[0]: odd[1],
        }
        if path is not None:
            given["binary_path"] = self.path(path)
        if odd[0] == "dependencies":
            given["dependencies"] = [self.name(slot)]
        if odd[0] == "service_type" and running and (row.service_type ^ odd[1]) & 0xFB:
            return  # a process does not become a driver

        def call(backend: Backend, service: int, **other: Any) -> None:
            new = {**given, **other}
            backend.change_service_config(
                service,
                new["service_type"],
                new["start_type"],
                new["error_control"],
                new["binary_path"],
                new["group"],
                False,
                new["dependencies"],
                None,
                None,
                new["display"],
            )

        real, simulated = self.on_service(index, call, *excuses_for(odd, "", given))
        if code_of(real) == code_of(simulated):
            return
        opened = self.at(index)
        old = {
            "service_type": row.service_type,
            "start_type": row.start_type,
            "error_control": row.error_control,
            "binary_path": row.binary_path_name,
            "group": row.load_order_group,
            "dependencies": row.dependencies,
            "display": row.display_name,
        }
        if real is None:
            call(self.real, opened.real, **old)
        else:
            call(self.sim, opened.simulated, **old)

    @precondition(lambda self: bool(self.opened))
    @rule(
        index=indexes,
        arguments=st.sampled_from(
            [
                (),
                (),
                (),
                ("exit=5",),
                ("specific=7",),
                ("slow=120",),
                ("slow=150", "exit=3"),
                ("exit=0",),
                ("slow=110", "specific=1"),
                ("a", "b"),
            ]
        ),
    )
    def start_with(self, index: int, arguments: tuple[str, ...]) -> None:
        self.start(index, arguments)

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes, sent=st.lists(controls, max_size=4))
    def start_and_control(self, index: int, sent: list[int]) -> None:
        self.start(index, ())
        for code in sent:
            self.control(index, code)
            self.status(index)

    @precondition(lambda self: bool(self.opened))
    @rule(
        index=indexes,
        odd=st.sampled_from([("start_type", 4), ("start_type", 3), ("binary_path", None)]),
        path=st.one_of(st.none(), st.sampled_from(["program", "missing"])),
    )
    def change_and_start(self, index: int, odd: tuple[str, Any], path: str | None) -> None:
        self.change(index, odd, None, path, None, None)
        self.start(index, ())

    def start(self, index: int, arguments: tuple[str, ...]) -> None:
        slot, simulated = self.at(index).slot, self.sim_of(index)
        if simulated.is_driver:
            return
        needed = [*simulated.service_dependencies(), *simulated.group_dependencies()]
        if needed and self.differs("dependencies-start"):
            return
        name = self.name(slot)
        if simulated.state is State.STOPPED:
            self.odd_exit.discard(name)
        real, simulated = self.on_service(
            index,
            lambda backend, service: backend.start_service(service, arguments),
            Excuse("start-deleted", simulated=1072),
            Excuse("start-ended", real=1053),
        )
        self.settle(slot)
        if isinstance(simulated, Refused):
            if self.differs("exit-code-of-start"):
                self.odd_exit.add(name)
            if real is None:
                self.stop_real(slot)
        self.status(index)

    def stop_real(self, slot: str) -> None:
        handle = self.real.open_service(self.managers[0], self.name(slot), ALL_ACCESS)
        try:
            self.real.control_service(handle, int(Control.STOP))
        except Win32Error as error:
            assert error.winerror in (1061, 1062)
        finally:
            self.real.close_service_handle(handle)
        self.wait_for(slot, lambda state: state is State.STOPPED)

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes, control=controls)
    def control(self, index: int, control: int) -> None:
        slot = self.at(index).slot
        name = self.name(slot)
        if control == Control.STOP and self.blocking(name) and self.differs("dependencies-start"):
            return

        def call(backend: Backend, service: int) -> tuple[int, ...]:
            row = backend.control_service(service, control)
            if control == Control.STOP:
                assert row.current_state in (State.STOP_PENDING, State.STOPPED)
                return (row.controls_accepted,)
            return self.seen(row, name)

        def comparable(backend: Backend, service: int) -> tuple[int, ...]:
            try:
                return call(backend, service)
            except ControlRefusedError as error:
                if error.winerror == 1052 and self.differs("refused-control-status"):
                    error.status = None
                raise

        self.on_service(index, comparable)
        if name in self.sim:
            self.settle(slot)

    def blocking(self, name: str) -> bool:
        return any(
            service.state is not State.STOPPED and service.dependencies
            for service in self.sim
            if service.name != name
        )

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def dependents(self, index: int) -> None:
        if self.differs("dependents"):
            return
        self.on_service(
            index,
            lambda backend, service: {
                row.service_name
                for row in backend.enum_dependent_services(service, int(StateFilter.ALL))
            },
        )

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def delete(self, index: int) -> None:
        self.on_service(index, lambda backend, service: backend.delete_service(service))

    @precondition(lambda self: bool(self.opened))
    @rule(index=indexes)
    def close(self, index: int) -> None:
        opened = self.at(index)
        self.on_service(index, lambda backend, service: backend.close_service_handle(service))
        self.opened.remove(opened)
        if self.name(opened.slot) not in self.sim:
            # The process of a stopped service may still be ending.
            wait_until(lambda: not self.exists(opened.slot))
            self.odd_exit.discard(self.name(opened.slot))

    # ------------------------------------------------------------------- the end

    def teardown(self) -> None:
        manager = self.managers[0]
        try:
            for opened in self.opened:
                self.real.close_service_handle(opened.real)
            for slot in sorted(self.slots):
                self.remove(manager, slot)
        finally:
            self.real.close_service_handle(manager)

    def remove(self, manager: int, slot: str) -> None:
        try:
            handle = self.real.open_service(manager, self.name(slot), ALL_ACCESS)
        except Win32Error:
            return  # it was not created, or is already deleted
        try:
            self.settle_and_stop(handle)
            try:
                self.real.delete_service(handle)
            except Win32Error as error:
                assert error.winerror == ErrorCode.SERVICE_MARKED_FOR_DELETE
        finally:
            self.real.close_service_handle(handle)
        wait_until(lambda: not self.exists(slot))

    def settle_and_stop(self, handle: int) -> None:
        def state() -> State:
            return State(self.real.query_service_status_ex(handle).current_state)

        wait_until(lambda: state() not in PENDING)
        try:
            self.real.control_service(handle, int(Control.STOP))
        except Win32Error:
            pass  # not running
        wait_until(lambda: state() is State.STOPPED)


def wait_until(good: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < deadline, "nothing happens"


def outcome(call: Callable[[Backend, int], Any], backend: Backend, handle: int) -> Any:
    try:
        return call(backend, handle)
    except ValidationError as error:
        return Refused("", error.argument)
    except Win32Error as error:
        status: ServiceStatus | None = getattr(error, "status", None)
        state = None if status is None else int(status.state)
        return Refused(error.function, error.winerror, state)


def code_of(answer: object) -> int | str:
    return answer.code if isinstance(answer, Refused) else 0


def excuses_for(odd: tuple[str, Any], name: str, given: dict[str, Any]) -> tuple[Excuse, ...]:
    """Return the differences of Wine that these settings may show."""
    # Without a display name, the key name is the display name.
    excuses = [Excuse("duplicate-display-name", real=1078)]
    if given["display"] is not None:
        excuses += [Excuse("display-of-key", simulated=1078)]
    if given["dependencies"] or given["group"]:
        excuses += [Excuse("circular", simulated=1059)]
    if len(name) > MAX_NAME_LENGTH:
        excuses += [Excuse("long-name", real=31)]
    if odd[0] == "service_type":
        excuses += [Excuse("types", real=87)]
    if odd[0] == "error_control":
        excuses += [Excuse("error-control", simulated=87)]
    return tuple(excuses)


def test_simulated_and_real_scm_give_same_outcomes(
    real_program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SideBySide, "program", real_program, raising=False)
    run_state_machine_as_test(
        SideBySide,
        settings=settings(
            max_examples=50,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
        ),
    )
