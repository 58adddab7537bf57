"""The calls of service processes on the simulated system, for :mod:`winsvc.host`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from winsvc._values.rows import StatusRow
from winsvc.backend import ControlHandler, ServiceMain
from winsvc.enums import Control, ErrorCode, State
from winsvc.testing.calls import windows_call
from winsvc.testing.hosted.events import SimulatedEvent
from winsvc.testing.hosted.processes import HostedProcess, HostedRun, Watch
from winsvc.testing.open_handles import ServiceHandles
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

__all__ = ["HostCalls"]

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class StatusHandle:
    """A handle with which the status of a service is reported."""

    report: Callable[[StatusRow], None]
    run: HostedRun | None  # None: the service is not a hosted one
    service: str


class NoProcess:
    """The owner of the threads that belong to no simulated process."""

    def __init__(self) -> None:
        self.ended = False

    def __str__(self) -> str:
        return "the program under test"


class HostCalls(ServiceHandles):
    """The calls of :class:`winsvc.backend.HostBackend`, except for the event log.

    Attributes:
        own_process: the owner of threads that belong to no simulated process.
    """

    own_process: NoProcess

    # ------------------------------------------------------------------- being a service

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        self._connect([name for name, _ in table], [main for _, main in table]).dispatch()

    @windows_call("StartServiceCtrlDispatcherW")
    def _connect(self, names: Sequence[str], mains: Sequence[ServiceMain]) -> HostedProcess:
        process = self.scheduler.owner()
        if not isinstance(process, HostedProcess):
            raise RefusalError(ErrorCode.FAILED_SERVICE_CONTROLLER_CONNECT)
        process.connect(list(zip(names, mains, strict=True)))
        return process

    @windows_call("RegisterServiceCtrlHandlerExW")
    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        process = self.scheduler.owner()
        run = process.run_named(name) if isinstance(process, HostedProcess) else None
        if run is None:
            raise RefusalError(ErrorCode.SERVICE_NOT_IN_EXE)
        run.handler = handler
        return self.handles.add(StatusHandle(run.report, run, run.name), (None, run.name))

    @windows_call("SetServiceStatus")
    def set_service_status(self, handle: int, row: StatusRow) -> None:
        known = self.handles.get(handle, StatusHandle)
        if known.run is not None and known.run.over:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        known.report(row)

    @windows_call("QueryServiceDynamicInformation")
    def query_start_reason(self, handle: int) -> int:
        service = self._hosted_service(handle)
        if service.state is State.STOPPED:
            raise RefusalError(ErrorCode.SERVICE_NOT_ACTIVE)
        return int(service.start_reason)

    @windows_call("GetServiceDirectory")
    def get_service_directory(self, handle: int) -> str:
        return self._directory(self._hosted_service(handle).name, "own")

    @windows_call("GetSharedServiceDirectory")
    def get_shared_service_directory(self, name: str) -> str:
        if name not in self.local:
            raise RefusalError(ErrorCode.SERVICE_DOES_NOT_EXIST)
        return self._directory(self.local[name].name, "shared")

    def _hosted_service(self, handle: int) -> SimulatedService:
        known = self.handles.get(handle, StatusHandle)
        if known.service not in self.local:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        return self.local[known.service]

    def _directory(self, name: str, kind: str) -> str:
        root = self.local.state_directory
        if root is None:
            raise RefusalError(ErrorCode.CALL_NOT_IMPLEMENTED)
        folder = Path(root, name, kind)
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    # ------------------------------------------------------------------- the calling process

    def is_service_process(self) -> bool:
        return isinstance(self.scheduler.owner(), HostedProcess)

    def is_elevated(self) -> bool:
        return self.caller.is_member("BA") or self.caller.is_member("SY")

    def own_pid(self) -> int | None:
        """Return the id of the hosted process that the calling thread belongs to."""
        process = self.scheduler.owner()
        return process.pid if isinstance(process, HostedProcess) and process.connected else None

    def status_handle(self, name: str) -> int:
        """Open a handle with which tests report for a service that is only simulated.

        Raises:
            KeyError: there is no such service on this machine.
        """
        with self.clock.lock:
            service = self.local[name]
            report = partial(self.local.running.set_status, service)
            return self.handles.add(StatusHandle(report, None, service.name), (None, service.name))

    # ------------------------------------------------------------------- event registrations

    @windows_call("RegisterDeviceNotificationW")
    def register_device_notification(self, handle: int, interface: bytes | None) -> int:
        return self._register(handle, Watch(Control.DEVICE_EVENT, interface))

    @windows_call("UnregisterDeviceNotification")
    def unregister_device_notification(self, registration: int) -> None:
        self._unregister(registration, Control.DEVICE_EVENT)

    @windows_call("RegisterPowerSettingNotification")
    def register_power_setting_notification(self, handle: int, setting: bytes) -> int:
        return self._register(handle, Watch(Control.POWER_EVENT, setting))

    @windows_call("UnregisterPowerSettingNotification")
    def unregister_power_setting_notification(self, registration: int) -> None:
        self._unregister(registration, Control.POWER_EVENT)

    def _register(self, handle: int, watch: Watch) -> int:
        run = self.handles.get(handle, StatusHandle).run
        if run is None or run.over:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        registration = self.handles.add(run)
        run.watches[registration] = watch
        return registration

    def _unregister(self, registration: int, control: Control) -> None:
        run = self.handles.get(registration, HostedRun)
        if run.watches[registration].control is not control:
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        self.handles.remove(registration, HostedRun)
        del run.watches[registration]

    # ------------------------------------------------------------------- threads and time

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        self.scheduler.check()
        process = self.scheduler.owner()
        if isinstance(process, HostedProcess):
            process.start_thread(target, name)
        else:
            self.scheduler.new_thread(target, name, self.own_process)

    def new_event(self) -> SimulatedEvent:
        return SimulatedEvent(self.scheduler, self.wait_until)

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        from winsvc.testing.hosted.eventloop import run_coroutine  # asyncio is slow to import

        return run_coroutine(self.as_host(), self.scheduler, coroutine)

    def close(self) -> None:
        """End the processes of hosted services, and their threads; the clock goes no further.

        Raises:
            RuntimeError: a thread of theirs does not end.
        """
        with self.transaction():
            for machine in (self.local, *self.machines):
                machine.running.end_processes()
            ended, self.own_process = self.own_process, NoProcess()
            ended.ended = True
            self.scheduler.end(ended)
