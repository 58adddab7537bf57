"""The open handles of the simulated service control manager, and what each may be used for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from winsvc._util.text import same_name
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess
from winsvc.security import SecurityDescriptor
from winsvc.testing.access import Caller, granted
from winsvc.testing.calls import Simulation
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.refusal import Refusal
from winsvc.testing.services import SimulatedService

__all__ = ["ServiceHandles", "plain_name"]

_LOCAL: Final = ("localhost", "127.0.0.1", "::1", ".")


@dataclass(slots=True, eq=False)
class _Handle:
    """An open handle."""

    machine: SimulatedMachine
    service: SimulatedService | None  # None: the manager's
    access: int
    connection: int  # the machine's count of lost connections when it was opened


class ServiceHandles(Simulation):
    """The machines, and the handles to their managers and services."""

    def __init__(self) -> None:
        super().__init__()
        self.local = SimulatedMachine(self, "SIMULATED")
        self.machines: list[SimulatedMachine] = []
        self.caller = Caller.administrator()
        self._open: dict[int, _Handle] = {}

    def _place(self, arguments: dict[str, object]) -> tuple[str | None, str | None]:
        machine, service = super()._place(arguments)
        for kind in ("service", "manager", "handle"):
            handle = arguments.get(kind)
            known = self._open.get(handle) if isinstance(handle, int) else None
            if known is not None:
                machine = None if known.machine is self.local else known.machine.name
                service = None if known.service is None else known.service.name
        called, name = arguments.get("machine"), arguments.get("name")
        if isinstance(called, str):
            machine = None if self._is_local(called) else plain_name(called)
        return machine, name if isinstance(name, str) else service

    def _own_name(self) -> str:
        return self.local.name

    def _is_local(self, name: str) -> bool:
        plain = plain_name(name)
        return not plain or any(same_name(plain, one) for one in (*_LOCAL, self.local.name))

    def _machine_called(self, name: str | None) -> SimulatedMachine:
        plain = plain_name(name or "")
        if self._is_local(plain):
            return self.local
        for machine in self.machines:
            if same_name(plain, machine.name):
                return machine
        raise Refusal(ErrorCode.RPC_SERVER_UNAVAILABLE)

    def _new(self, machine: SimulatedMachine, service: SimulatedService | None, access: int) -> int:
        handle = self._next_handle()
        self._open[handle] = _Handle(machine, service, access, machine.lost)
        if service is not None:
            service.handles += 1
        return handle

    def _handle(self, value: int) -> _Handle:
        handle = self._open.get(value)
        if handle is None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        machine, service = handle.machine, handle.service
        if machine is not self.local and machine not in self.machines:
            raise Refusal(ErrorCode.RPC_SERVER_UNAVAILABLE)
        if machine.error:
            raise Refusal(machine.error)
        removed = service is not None and service not in machine.services
        if removed or handle.connection != machine.lost:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        return handle

    def _manager(self, value: int, right: ManagerAccess) -> SimulatedMachine:
        handle = self._handle(value)
        if handle.service is not None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        if right & ~handle.access:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        return handle.machine

    def _service(self, value: int, right: ServiceAccess) -> SimulatedService:
        handle = self._handle(value)
        if handle.service is None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        if right & ~handle.access:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        return handle.service

    def _close(self, value: int) -> None:
        closed = self._open.pop(value, None)
        if closed is None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        machine, service = closed.machine, closed.service
        machine.notifications.cancel(value)
        if service is not None and closed.connection == machine.lost:
            service.handles -= 1
            machine.forget_if_gone(service)

    def _of(self, value: int) -> SimulatedMachine:
        return self._open[value].machine

    def _grant(
        self,
        descriptor: SecurityDescriptor,
        access: int,
        kind: Literal["service", "manager"],
        service: str | None,
        function: str,
    ) -> int:
        rights = granted(descriptor, self.caller, access, kind, function)
        refused = self.faults.denied(ManagerAccess if service is None else ServiceAccess, service)
        if access & ServiceAccess.MAXIMUM_ALLOWED:
            return rights & ~refused
        if rights & refused:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        return rights


def plain_name(machine: str) -> str:
    """A machine's name, which may have been given as ``\\\\name``."""
    return machine.removeprefix("\\\\")
