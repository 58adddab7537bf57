"""One open service: the requests that services, bulk queries and cascades share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from winsvc._scm.call_log import log_change
from winsvc._scm.connection import Connection
from winsvc._scm.handle_pool import HandlePool
from winsvc._scm.handles import ServiceHandle
from winsvc._util.checks import check_dword, check_type
from winsvc._util.text import same_name
from winsvc._values.config import ServiceConfig
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.enums import Control, ErrorCode, SecurityInformation, ServiceAccess, State, StateFilter
from winsvc.errors import (
    AccessDeniedError,
    DependentServicesRunningError,
    ServiceNotFoundError,
    ServiceStartError,
    ValidationError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc._values.setting import Setting
    from winsvc._values.stopreason import StopReason
    from winsvc.security import SecurityDescriptor

__all__ = ["OpenService", "right_to_send"]

_READ = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG


class OpenService(HandlePool[ServiceAccess]):
    """The handles of one service, and the requests that are sent through them.

    Attributes:
        connection: the connection that opens further handles, even after it was closed.
        name: the key name.
        requested_state: the state that the last request leads to; None if a wait has reported
            the outcome.
    """

    def __init__(self, connection: Connection, name: str, *, fixed: bool = False) -> None:
        """Open nothing yet; see :meth:`open_for_reading`."""
        super().__init__(connection.backend, connection.machine, name, fixed=fixed)
        self.connection = connection
        self.name = name
        self.requested_state: State | None = None

    @classmethod
    def of(
        cls, connection: Connection, name: str, access: ServiceAccess | None = None
    ) -> OpenService:
        """Open a service with exactly the rights in ``access``, or else with the rights to read.

        Without ``access``, a service that refuses the rights to read is returned without a handle:
        the operations report which right is missing.
        """
        connection.check_open()
        service = cls(connection, name, fixed=access is not None)
        if access is not None:
            service.open(access)
            return service
        try:
            service.open(_READ, ServiceAccess.QUERY_STATUS, ServiceAccess.QUERY_CONFIG)
        except AccessDeniedError:
            pass
        return service

    def _open_handle(self, access: ServiceAccess) -> ServiceHandle:
        return self.connection.open_service_handle(self.name, access)

    # ------------------------------------------------------------------- queries

    def status(self) -> ServiceStatus:
        """Query the current status."""
        row = self.call(ServiceAccess.QUERY_STATUS, self.backend.query_service_status_ex)
        return ServiceStatus.from_row(row)

    def config(self) -> ServiceConfig:
        """Query the configuration."""
        row = self.call(ServiceAccess.QUERY_CONFIG, self.backend.query_service_config)
        return ServiceConfig.from_row(row, self.name)

    def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """List the services that depend on this one, in the order in which to stop them."""
        right = ServiceAccess.ENUMERATE_DEPENDENTS
        rows = self.call(right, self.backend.enum_dependent_services, int(state))
        return list(map(ServiceInfo.from_row, rows))

    def query_setting(self, setting: Setting) -> Any:
        """Query a setting that has its own call."""
        method, arguments = setting.query()
        call = getattr(self.backend, method)
        try:
            row = self.call(ServiceAccess.QUERY_CONFIG, call, *arguments)
        except Win32Error as error:
            if error.winerror not in setting.unset_errors:
                raise
            row = None
        return setting.decode(row)

    def security(self, parts: SecurityInformation) -> SecurityDescriptor:
        """Read parts of the security descriptor."""
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import rights_to_read

        method = self.backend.query_service_object_security
        return SecurityDescriptor.from_bytes(self.call(rights_to_read(parts), method, int(parts)))

    def learn_name(self) -> str:
        """Query the display name, and correct the spelling of the key name; return the former."""
        connection = self.connection
        display_name = connection.translate_name("get_service_display_name", self.name)
        try:
            stored = connection.translate_name("get_service_key_name", display_name)
        except ServiceNotFoundError:  # Windows 7 does not find localized display names
            return display_name
        if same_name(stored, self.name):  # two services may have one display name
            self.name = self.object_name = stored
        return display_name

    # ------------------------------------------------------------------- requests

    def start(self, arguments: Sequence[str] = ()) -> None:
        """Send a start, without waiting for the service to be running."""
        try:
            self.call(ServiceAccess.START, self.backend.start_service, arguments)
        except ServiceStartError as error:
            self._add_exit_codes(error)
            raise
        log_change(self.name, self.machine, "start was requested")
        self.requested_state = State.RUNNING

    def _add_exit_codes(self, error: ServiceStartError) -> None:
        try:
            status = self.status()
        except Win32Error:
            return  # the error of the start is reported
        error.status = status
        if error.winerror not in _PROCESS_ENDED:
            return  # the service's process never ran
        if status.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            error.hint = f"The service ended with its own error code {status.service_exit_code}."
        elif status.exit_code not in (0, ErrorCode.SERVICE_NEVER_STARTED, error.winerror):
            error.hint = f"The service ended with exit code {status.exit_code}."

    def control(self, control: Control | int, reason: StopReason | None = None) -> ServiceStatus:
        """Send a control; return the status that the service has last reported."""
        code = check_dword(control, "control")
        right = right_to_send(code)
        if right is None:
            raise ValidationError(
                "control",
                f"{code} is sent by the system alone, if at all; a program may send STOP, PAUSE, "
                "CONTINUE, INTERROGATE, PARAM_CHANGE, the NETBIND ones and 128 to 255",
            )
        try:
            if reason is None:
                row = self.call(right, self.backend.control_service, code)
            else:
                text = _encode_reason(code, reason)
                row = self.call(right, self.backend.control_service_ex, code, *text)
        except DependentServicesRunningError as error:
            self._name_dependents(error)
            raise
        if code != Control.INTERROGATE:
            log_change(self.name, self.machine, f"control {Control(code).name} was sent")
        self.requested_state = _RESULTING_STATES.get(code, self.requested_state)
        return ServiceStatus.from_row(row)

    def _name_dependents(self, error: DependentServicesRunningError) -> None:
        try:
            error.dependents = tuple(info.name for info in self.dependents(StateFilter.ACTIVE))
        except Win32Error:
            return  # the error of the control is reported
        if error.dependents:
            error.hint = f"Running services depend on it: {', '.join(error.dependents)}."


# A failed start with one of these codes means that the service's process has ended.
_PROCESS_ENDED = frozenset(
    {
        ErrorCode.SERVICE_REQUEST_TIMEOUT,
        ErrorCode.SERVICE_SPECIFIC_ERROR,
        ErrorCode.PROCESS_ABORTED,
    }
)

_RESULTING_STATES: dict[int, State] = {
    Control.STOP: State.STOPPED,
    Control.PAUSE: State.PAUSED,
    Control.CONTINUE: State.RUNNING,
}

_RIGHTS_TO_SEND = {
    Control.STOP: ServiceAccess.STOP,
    Control.PAUSE: ServiceAccess.PAUSE_CONTINUE,
    Control.CONTINUE: ServiceAccess.PAUSE_CONTINUE,
    Control.INTERROGATE: ServiceAccess.INTERROGATE,
    Control.PARAM_CHANGE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_ADD: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_REMOVE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_ENABLE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_DISABLE: ServiceAccess.PAUSE_CONTINUE,
}


def right_to_send(control: int) -> ServiceAccess | None:
    """Return the right that is needed to send a control; None if no program may send it."""
    if 128 <= control <= 255:
        return ServiceAccess.USER_DEFINED_CONTROL
    return _RIGHTS_TO_SEND.get(Control(control))


def _encode_reason(code: int, reason: StopReason) -> tuple[int, str | None]:
    from winsvc._values.stopreason import StopReason

    check_type(reason, StopReason, "reason")
    if code != Control.STOP:
        raise ValidationError("reason", "goes with STOP alone")
    return reason.code, reason.comment
