"""The open handles of the simulated service control manager, and what each may be used for."""

from __future__ import annotations

from dataclasses import dataclass

from winsvc._util.text import same_name
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess
from winsvc.testing.calls import Simulation, plain_name
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

__all__ = ["ServiceHandle", "ServiceHandles"]


@dataclass(slots=True, eq=False)
class ServiceHandle:
    """An open handle to a service or to the manager of a machine."""

    machine: SimulatedMachine
    service: SimulatedService | None  # None: the manager's
    access: int
    connection: int  # the machine's count of lost connections when it was opened


class ServiceHandles(Simulation):
    """The machines, and the handles to their managers and services.

    Attributes:
        local: the machine that programs run on.
        machines: the others.
    """

    local: SimulatedMachine
    machines: list[SimulatedMachine]

    def _own_name(self) -> str:
        return self.local.name

    def _machine_called(self, name: str | None) -> SimulatedMachine:
        plain = plain_name(name or "")
        if self.is_own_name(plain):
            return self.local
        for machine in self.machines:
            if same_name(plain, machine.name):
                return machine
        raise RefusalError(ErrorCode.RPC_SERVER_UNAVAILABLE)

    def _new(self, machine: SimulatedMachine, service: SimulatedService | None, access: int) -> int:
        if service is not None:
            service.handles += 1
        place = (
            None if machine is self.local else machine.name,
            None if service is None else service.name,
        )
        return self.handles.add(ServiceHandle(machine, service, access, machine.lost), place)

    def _handle(self, value: int) -> ServiceHandle:
        handle = self.handles.get(value, ServiceHandle)
        machine, service = handle.machine, handle.service
        if machine is not self.local and machine not in self.machines:
            raise RefusalError(ErrorCode.RPC_SERVER_UNAVAILABLE)
        if machine.error:
            raise RefusalError(machine.error)
        removed = service is not None and service not in machine.services
        if removed or handle.connection != machine.lost:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        return handle

    def _manager(self, value: int, right: ManagerAccess) -> SimulatedMachine:
        handle = self._handle(value)
        if handle.service is not None:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        if right & ~handle.access:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return handle.machine

    def _service(self, value: int, right: ServiceAccess) -> SimulatedService:
        handle = self._handle(value)
        if handle.service is None:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        if right & ~handle.access:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return handle.service

    def _close(self, value: int) -> None:
        closed = self.handles.remove(value, ServiceHandle)
        machine, service = closed.machine, closed.service
        machine.notifications.cancel(value)
        if service is not None and closed.connection == machine.lost:
            service.handles -= 1
            machine.services.remove_if_deleted(service)

    def _of(self, value: int) -> SimulatedMachine:
        return self.handles.get(value, ServiceHandle).machine
