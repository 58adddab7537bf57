"""Calls on a simulated SCM, below the object API, as several test modules make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from winsvc import ErrorControl, Secret, ServiceType, StartType, State, Win32Error
from winsvc._values.rows import StatusRow
from winsvc.enums import ConfigLevel
from winsvc.testing import SimulatedMachine, SimulatedSCM

MANAGER_ALL = 0xF003F
SERVICE_ALL = 0xF01FF
NO_CHANGE = 0xFFFFFFFF
PATH = r"C:\x.exe"


def code_of(call: Callable[..., object], *arguments: object) -> int:
    """Return the error code of a call; 0 if it succeeds."""
    try:
        call(*arguments)
    except Win32Error as error:
        return error.winerror
    return 0


def manager(sim: SimulatedSCM, access: int = MANAGER_ALL, machine: str | None = None) -> int:
    return sim.open_sc_manager(machine, None, access)


def opened(
    sim: SimulatedSCM, name: str, access: int = SERVICE_ALL, machine: str | None = None
) -> int:
    """Open a service; close the handle of the manager."""
    scm = manager(sim, 1, machine)
    try:
        return sim.open_service(scm, name, access)
    finally:
        sim.close_service_handle(scm)


def create(
    sim: SimulatedSCM,
    scm: int,
    name: str,
    *,
    display: str | None = None,
    access: int = SERVICE_ALL,
    type: int = ServiceType.OWN_PROCESS,
    start: int = StartType.MANUAL,
    error: int = ErrorControl.NORMAL,
    path: str = PATH,
    group: str | None = None,
    tag: bool = False,
    dependencies: Sequence[str] | None = None,
    account: str | None = None,
    password: Secret | None = None,
) -> tuple[int, int | None]:
    """``CreateServiceW`` of a good service, but for what is given."""
    return sim.create_service(
        *(scm, name, display, access, int(type), int(start), int(error), path, group, tag),
        *(dependencies, account, password),
    )


def change(sim: SimulatedSCM, service: int, **given: Any) -> int | None:
    """``ChangeServiceConfigW`` of what is given."""
    return sim.change_service_config(
        service,
        given.get("type", NO_CHANGE),
        given.get("start", NO_CHANGE),
        given.get("error", NO_CHANGE),
        given.get("path"),
        given.get("group"),
        given.get("tag", False),
        given.get("dependencies"),
        given.get("account"),
        given.get("password"),
        given.get("display"),
    )


def start(sim: SimulatedSCM, name: str, *arguments: str, machine: str | None = None) -> int:
    """Start a service; return the error code."""
    handle = opened(sim, name, machine=machine)
    try:
        return code_of(sim.start_service, handle, arguments)
    finally:
        sim.close_service_handle(handle)


def control(sim: SimulatedSCM, name: str, code: int) -> int:
    """Send a control; return the error code."""
    handle = opened(sim, name)
    try:
        return code_of(sim.control_service, handle, code)
    finally:
        sim.close_service_handle(handle)


def status(sim: SimulatedSCM, name: str) -> StatusRow:
    return sim[name].status_row()


def number(sim: SimulatedSCM, name: str, level: ConfigLevel, value: int) -> None:
    """Change a level that is one number."""
    handle = opened(sim, name)
    sim.change_config_number(handle, level, value)
    sim.close_service_handle(handle)


def state_of(machine: SimulatedSCM | SimulatedMachine, name: str) -> State:
    return machine[name].state


def states(sim: SimulatedSCM) -> dict[str, State]:
    return {service.name: service.state for service in sim}
