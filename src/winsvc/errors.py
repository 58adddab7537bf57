"""The exceptions of the package.

Every exception of winsvc is a :class:`WinsvcError`. A call that Windows has refused is a
:class:`Win32Error`, an :class:`OSError` with the function, the code, the object and the machine,
and a hint where one is known. Specific classes also inherit the builtin exception that fits, so
that ``except PermissionError`` and ``except LookupError`` work. An invalid argument that was
refused before any call is a :class:`ValidationError`.
"""

from __future__ import annotations

import errno as _errno
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from winsvc._public import publish
from winsvc.enums import ErrorCode

if TYPE_CHECKING:
    from datetime import timedelta

    from winsvc._values.status import ServiceStatus

__all__ = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "CascadeError",
    "CascadeStep",
    "ControlRefusedError",
    "DatabaseLockedError",
    "DatabaseNotFoundError",
    "DependentServicesRunningError",
    "GroupNotFoundError",
    "HandleClosedError",
    "InvalidNameError",
    "InvalidParameterError",
    "MachineUnreachableError",
    "MarkedForDeleteError",
    "NotFoundError",
    "ObjectInUseError",
    "ProgramNotFoundError",
    "ServiceAlreadyRunningError",
    "ServiceDisabledError",
    "ServiceExistsError",
    "ServiceNotActiveError",
    "ServiceNotFoundError",
    "ServiceRestartedError",
    "ServiceStartError",
    "ServiceStoppedError",
    "UnsupportedError",
    "ValidationError",
    "WaitCancelledError",
    "WaitError",
    "WaitTimeoutError",
    "Win32Error",
    "WinsvcError",
    "win32_error",
]


class WinsvcError(Exception):
    """The base class of all exceptions of the package."""


class ValidationError(WinsvcError, ValueError):
    """An argument is invalid; it was refused before any call.

    Attributes:
        argument: the argument, or an element of it, such as ``"dependencies[1]"``.
        reason: why it is invalid.
    """

    argument: str
    reason: str

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(argument, reason)
        self.argument = argument
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.argument}: {self.reason}"


class Win32Error(WinsvcError, OSError):
    """A Windows call failed.

    Attributes:
        winerror: the Windows error code (unsigned), such as 1060.
        function: the Windows function that failed, such as ``"OpenServiceW"``; "" if the error was
            detected before or after a call.
        strerror: the system's text for the code.
        object_name: the name of the object: a service's key name, or the name of a window station
            or desktop; None if there is none.
        machine: the machine; None for this one.
        hint: what to do; None if nothing is known.
    """

    winerror: int
    function: str
    strerror: str
    object_name: str | None
    machine: str | None
    hint: str | None

    def __init__(
        self,
        winerror: int,
        function: str,
        message: str | None = None,
        *,
        object_name: str | None = None,
        machine: str | None = None,
        hint: str | None = None,
    ) -> None:
        text = message or message_for(winerror)
        super().__init__(_ERRNO.get(winerror, _errno.EINVAL), text)
        # Set after super(): on Windows OSError has its own winerror.
        self.winerror = int(winerror)
        self.function = function
        self.object_name = object_name
        self.machine = machine
        self.hint = hint if hint is not None else _HINTS.get(winerror)
        if hint is None and (winerror, function) == (1060, "OpenServiceW"):
            self.hint = "Services are opened by key name, not by display name."

    def add_context(
        self,
        *,
        object_name: str | None = None,
        machine: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Set attributes that are still None."""
        self.object_name = self.object_name if self.object_name is not None else object_name
        self.machine = self.machine if self.machine is not None else machine
        self.hint = self.hint if self.hint is not None else hint

    def __str__(self) -> str:
        where = f" for {self.object_name!r}" if self.object_name is not None else ""
        where += f" on {self.machine}" if self.machine is not None else " on this machine"
        text = self.strerror.rstrip().removesuffix(".")
        # Without a function, the text names the object.
        what = f"{self.function} failed{where}: {text}" if self.function else text
        message = f"{what} (error {self.winerror})"
        return f"{message}. {self.hint}" if self.hint else message

    def __repr__(self) -> str:
        parts = [repr(self.winerror), repr(self.function), repr(self.strerror)]
        for name in ("object_name", "machine"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.winerror, self.function, self.strerror), vars(self)


def _rebuild(kind: type[Win32Error], winerror: int, function: str, message: str) -> Win32Error:
    return kind(winerror, function, message)


class AccessDeniedError(Win32Error, PermissionError):
    """The caller or the handle lacks a right or a privilege."""


class NotFoundError(Win32Error, LookupError):
    """The object does not exist."""


class ServiceNotFoundError(NotFoundError):
    """The service does not exist."""


class GroupNotFoundError(NotFoundError):
    """The load-order group does not exist."""


class DatabaseNotFoundError(NotFoundError):
    """The service database does not exist."""


class ProgramNotFoundError(NotFoundError, FileNotFoundError):
    """The program of a service does not exist."""


class AlreadyExistsError(Win32Error, FileExistsError):
    """An object with this name already exists."""


class ServiceExistsError(AlreadyExistsError):
    """A service with this key name or display name already exists."""


class MarkedForDeleteError(Win32Error):
    """The service is marked for deletion; it exists until its last handle is closed."""


class ServiceAlreadyRunningError(Win32Error):
    """The service is already running or starting."""


class ServiceDisabledError(Win32Error):
    """The service is disabled, or has no enabled device."""


class ServiceNotActiveError(Win32Error):
    """The service is not running.

    Attributes:
        status: the status that Windows returned with the error; None if it returned none.
    """

    status: ServiceStatus | None = None


class ControlRefusedError(Win32Error):
    """The service does not accept the control in its state.

    Attributes:
        status: the status that Windows returned with the error; None if it returned none.
    """

    status: ServiceStatus | None = None


class DependentServicesRunningError(Win32Error):
    """Running services depend on this one.

    Attributes:
        dependents: their key names, in the order in which to stop them; () if they are unknown.
    """

    dependents: tuple[str, ...] = ()


class WaitError(Win32Error):
    """The service did not reach the awaited state.

    Attributes:
        status: the last status; None if it was not queried.
        waited: how long the wait took; None if the request itself failed.
        last_progress: the last status in which the service was not stopped; None if there was
            none.
    """

    status: ServiceStatus | None = None
    waited: timedelta | None = None
    last_progress: ServiceStatus | None = None


class WaitTimeoutError(WaitError, TimeoutError):
    """The awaited state was not reached in time, or the service hangs."""


class WaitCancelledError(WaitError):
    """The call was ended by its :class:`winsvc.CancelToken`."""


class ServiceStartError(WaitError):
    """The service did not start: its process, its account or a dependency failed."""


class ServiceStoppedError(WaitError, ServiceNotActiveError):
    """The service stopped while another state was awaited."""


class ServiceRestartedError(WaitError):
    """The service has stopped and was started again, for example by its failure actions."""


@dataclass(frozen=True, slots=True)
class CascadeStep:
    """One step of a cascade.

    Attributes:
        action: the action.
        service: the key name of the service.
        error: why the step failed; None if it succeeded or was not reached.
    """

    action: Literal["stop", "start", "pause"]
    service: str
    error: Win32Error | None = None

    def __str__(self) -> str:
        return f"{self.action} {self.service}"


class CascadeError(Win32Error):
    """Only a part of a cascade was done.

    The code, the function and the object are those of the first error.

    Attributes:
        error: the first error; also the ``__cause__``.
        done: the steps that were done, in order; they are not undone.
        failed: the steps that failed, in order, with their errors.
        not_done: the steps that were not tried.
    """

    error: Win32Error
    done: tuple[CascadeStep, ...] = ()
    failed: tuple[CascadeStep, ...] = ()
    not_done: tuple[CascadeStep, ...] = ()

    @classmethod
    def of(
        cls,
        done: tuple[CascadeStep, ...],
        failed: tuple[CascadeStep, ...],
        not_done: tuple[CascadeStep, ...],
    ) -> CascadeError:
        """Return the error with these steps; at least one has failed."""
        first = failed[0].error
        assert first is not None
        hints = [first.hint] if first.hint else []
        for what, steps in (("Done", done), ("Also failed", failed[1:]), ("Not done", not_done)):
            if steps:
                hints.append(f"{what}: {', '.join(map(str, steps))}.")
        error = cls(
            *(first.winerror, first.function, first.strerror),
            object_name=first.object_name if first.object_name is not None else failed[0].service,
            machine=first.machine,
            hint=" ".join(hints),
        )
        error.error, error.done, error.failed, error.not_done = first, done, failed, not_done
        return error


class DatabaseLockedError(Win32Error):
    """The service database is locked."""


class MachineUnreachableError(Win32Error, ConnectionError):
    """The machine does not answer."""


class HandleClosedError(Win32Error, ValueError):
    """The handle is closed or invalid."""


class ObjectInUseError(Win32Error):
    """A window station or desktop is in use, or windows and hooks bind a thread to its desktop."""


class InvalidNameError(Win32Error, ValueError):
    """The name is invalid."""


class InvalidParameterError(Win32Error, ValueError):
    """Windows refused an argument or a combination of arguments."""


class UnsupportedError(Win32Error, NotImplementedError):
    """This system does not implement the call."""


_E = ErrorCode

_CLASSES: Final[dict[int, type[Win32Error]]] = {
    _E.ACCESS_DENIED: AccessDeniedError,
    _E.PRIVILEGE_NOT_HELD: AccessDeniedError,
    _E.SERVICE_DOES_NOT_EXIST: ServiceNotFoundError,
    _E.FILE_NOT_FOUND: NotFoundError,
    _E.PATH_NOT_FOUND: NotFoundError,
    _E.NONE_MAPPED: NotFoundError,
    _E.ALREADY_EXISTS: AlreadyExistsError,
    _E.SERVICE_EXISTS: ServiceExistsError,
    _E.DUPLICATE_SERVICE_NAME: ServiceExistsError,
    _E.SERVICE_MARKED_FOR_DELETE: MarkedForDeleteError,
    _E.SERVICE_NOT_ACTIVE: ServiceNotActiveError,
    _E.SERVICE_ALREADY_RUNNING: ServiceAlreadyRunningError,
    _E.SERVICE_DISABLED: ServiceDisabledError,
    _E.SERVICE_REQUEST_TIMEOUT: ServiceStartError,
    _E.SERVICE_NO_THREAD: ServiceStartError,
    _E.EXCEPTION_IN_SERVICE: ServiceStartError,
    _E.SERVICE_SPECIFIC_ERROR: ServiceStartError,
    _E.PROCESS_ABORTED: ServiceStartError,
    _E.SERVICE_DEPENDENCY_FAIL: ServiceStartError,
    _E.SERVICE_LOGON_FAILED: ServiceStartError,
    _E.SERVICE_START_HANG: ServiceStartError,
    _E.SERVICE_DEPENDENCY_DELETED: ServiceStartError,
    _E.SERVICE_NOT_IN_EXE: ServiceStartError,
    _E.DIFFERENT_SERVICE_ACCOUNT: ServiceStartError,
    _E.INVALID_SERVICE_CONTROL: ControlRefusedError,
    _E.SERVICE_CANNOT_ACCEPT_CTRL: ControlRefusedError,
    _E.DEPENDENT_SERVICES_RUNNING: DependentServicesRunningError,
    _E.SERVICE_DATABASE_LOCKED: DatabaseLockedError,
    _E.DATABASE_DOES_NOT_EXIST: DatabaseNotFoundError,
    _E.BAD_NETPATH: MachineUnreachableError,
    _E.RPC_INVALID_NET_ADDR: MachineUnreachableError,
    _E.RPC_SERVER_UNAVAILABLE: MachineUnreachableError,
    _E.RPC_SERVER_TOO_BUSY: MachineUnreachableError,
    _E.RPC_CALL_FAILED: MachineUnreachableError,
    _E.RPC_CALL_FAILED_DNE: MachineUnreachableError,
    _E.RPC_ENDPOINT_NOT_REGISTERED: MachineUnreachableError,
    _E.INVALID_HANDLE: HandleClosedError,
    _E.INVALID_NAME: InvalidNameError,
    _E.BAD_PATHNAME: InvalidNameError,
    _E.FILENAME_EXCED_RANGE: InvalidNameError,
    _E.BUSY: ObjectInUseError,
    _E.INVALID_PARAMETER: InvalidParameterError,
    _E.INVALID_SERVICE_ACCOUNT: InvalidParameterError,
    _E.CIRCULAR_DEPENDENCY: InvalidParameterError,
    _E.INVALID_LEVEL: UnsupportedError,
    _E.NOT_SUPPORTED: UnsupportedError,
    _E.CALL_NOT_IMPLEMENTED: UnsupportedError,
    _E.PROC_NOT_FOUND: UnsupportedError,
    # What Wine answers to a level of ChangeServiceConfig2W that it does not know.
    _E.RPC_INVALID_TAG: UnsupportedError,
    _E.TIMEOUT: WaitTimeoutError,
    _E.CANCELLED: WaitCancelledError,
}

_HINTS: Final[dict[int, str]] = {
    _E.PRIVILEGE_NOT_HELD: (
        "A privilege must be held and enabled in this process: SeSecurityPrivilege for a SACL, "
        "SeShutdownPrivilege for a reboot action."
    ),
    _E.INVALID_OWNER: "To set another owner, SeRestorePrivilege must be held and enabled.",
    _E.SERVICE_MARKED_FOR_DELETE: (
        "It is removed when it is stopped and all handles to it are closed, in every process."
    ),
    _E.SERVICE_CANNOT_ACCEPT_CTRL: "The service is in a pending state; wait until it ends.",
    _E.SERVICE_DISABLED: "Change the start type of the service before starting it.",
    _E.BAD_NETPATH: "Check the name of the machine, and that it is reachable.",
    _E.RPC_SERVER_UNAVAILABLE: (
        "Check the name of the machine, that it is running, and that its firewall allows remote "
        "service management."
    ),
    _E.DUPLICATE_SERVICE_NAME: "Another service has this name as its key or display name.",
}

_ERRNO: Final[dict[int, int]] = {
    _E.FILE_NOT_FOUND: _errno.ENOENT,
    _E.PATH_NOT_FOUND: _errno.ENOENT,
    _E.ACCESS_DENIED: _errno.EACCES,
    _E.PRIVILEGE_NOT_HELD: _errno.EPERM,
    _E.INVALID_HANDLE: _errno.EBADF,
    _E.BUSY: _errno.EBUSY,
    _E.NOT_ENOUGH_MEMORY: _errno.ENOMEM,
    _E.ALREADY_EXISTS: _errno.EEXIST,
    _E.SERVICE_EXISTS: _errno.EEXIST,
    _E.TIMEOUT: _errno.ETIMEDOUT,
    _E.RPC_SERVER_UNAVAILABLE: _errno.ECONNREFUSED,
    _E.CALL_NOT_IMPLEMENTED: _errno.ENOSYS,
}


def message_for(winerror: int) -> str:
    """Return the name of a code as a text, for when the system's text is not available."""
    code = ErrorCode(winerror)
    return code.name.replace("_", " ").capitalize()


def system_text(winerror: int) -> str:
    """Return the system's text for a code; off Windows, the name of the code as a text."""
    if sys.platform == "win32":
        import ctypes  # loads slowly

        text = ctypes.FormatError(winerror).rstrip()
    else:
        text = message_for(winerror)
    return text


def win32_error(
    winerror: int,
    function: str,
    message: str | None = None,
    *,
    object_name: str | None = None,
    machine: str | None = None,
    hint: str | None = None,
) -> Win32Error:
    """Return the exception of the class that fits the code."""
    kind = _CLASSES.get(winerror, Win32Error)
    if kind is NotFoundError and function == "StartServiceW":
        kind = ProgramNotFoundError
    return kind(winerror, function, message, object_name=object_name, machine=machine, hint=hint)


publish(__name__)
