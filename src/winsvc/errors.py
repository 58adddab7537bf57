"""Every way in which a call can fail, as a type.

What the system refuses is a :class:`ServiceError`, an :class:`OSError` that names the Windows
function, the code, the service and the machine, and says what to do about it where that is known.
The specific classes also inherit the builtin that fits, so ``except PermissionError`` and ``except
LookupError`` work. What is refused before the system is asked is an :class:`ArgumentError`.
"""

from __future__ import annotations

import errno as _errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from winsvc.enums import ErrorCode

if TYPE_CHECKING:
    from datetime import timedelta

    from winsvc._values.status import ServiceStatus

__all__ = [
    "AccessDeniedError",
    "AlreadyExistsError",
    "ArgumentError",
    "CascadeError",
    "CascadeStep",
    "ControlRefusedError",
    "DatabaseLockedError",
    "DatabaseNotFoundError",
    "DependentServicesRunningError",
    "HandleClosedError",
    "InvalidArgumentError",
    "InvalidNameError",
    "MachineUnreachableError",
    "MarkedForDeleteError",
    "NotFoundError",
    "ObjectInUseError",
    "ServiceAlreadyRunningError",
    "ServiceDisabledError",
    "ServiceError",
    "ServiceExistsError",
    "ServiceNotActiveError",
    "ServiceNotFoundError",
    "ServiceStartError",
    "UnsupportedError",
    "WaitCancelledError",
    "WaitTimeoutError",
    "service_error",
]


class ServiceError(OSError):
    """A call of the service or window-station API failed.

    Attributes:
        winerror: the Windows error code (unsigned), such as 1060.
        function: the Windows function that failed, such as ``"OpenServiceW"``; "" for a handle that
            was closed before one could be called.
        strerror: what the system says about the code.
        service: the service's key name, or the object's name; None where there is none.
        machine: the machine that was asked; None for this one.
        hint: what to do about it; None where nothing is known.
        status: the service's status where the system told it along with the error.
        waited: how long a wait had lasted that ended so; None where nothing was waited for.
        last_progress: the last status in a wait in which the service was not stopped: how far it
            got; None where none was seen.
    """

    winerror: int
    function: str
    strerror: str
    service: str | None
    machine: str | None
    hint: str | None
    status: ServiceStatus | None
    waited: timedelta | None
    last_progress: ServiceStatus | None

    def __init__(
        self,
        winerror: int,
        function: str,
        message: str | None = None,
        *,
        service: str | None = None,
        machine: str | None = None,
        hint: str | None = None,
    ) -> None:
        text = message or message_for(winerror)
        super().__init__(_ERRNO.get(winerror, _errno.EINVAL), text)
        # Set after super(): on Windows OSError has a winerror of its own.
        self.winerror = winerror
        self.function = function
        self.service = service
        self.machine = machine
        self.hint = hint if hint is not None else _HINTS.get(winerror)
        if hint is None and (winerror, function) == (1060, "OpenServiceW"):
            self.hint = "Services are opened by key name, not by display name."
        self.status = None
        self.waited = None
        self.last_progress = None

    def locate(
        self, *, service: str | None = None, machine: str | None = None, hint: str | None = None
    ) -> None:
        """Fill in what the raising layer could not know; what is known already stays."""
        self.service = self.service if self.service is not None else service
        self.machine = self.machine if self.machine is not None else machine
        self.hint = self.hint if self.hint is not None else hint

    def __str__(self) -> str:
        where = f" for {self.service!r}" if self.service is not None else ""
        where += f" on {self.machine}" if self.machine is not None else " on this machine"
        text = self.strerror.rstrip().removesuffix(".")
        # No function: refused before one was called.
        what = f"{self.function} failed{where}: {text}" if self.function else text
        told = f"{what} (error {self.winerror})"
        return f"{told}. {self.hint}" if self.hint else told

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.winerror, self.function, self.strerror), vars(self)


def _rebuild(kind: type[ServiceError], winerror: int, function: str, message: str) -> ServiceError:
    return kind(winerror, function, message)


class AccessDeniedError(ServiceError, PermissionError):
    """The caller, or the handle, lacks a right or a privilege."""


class ServiceNotFoundError(ServiceError, LookupError):
    """No service of that name is installed."""


class NotFoundError(ServiceError, FileNotFoundError):
    """A file, a window station or a desktop does not exist."""


class AlreadyExistsError(ServiceError, FileExistsError):
    """Something of that name exists already."""


class ServiceExistsError(AlreadyExistsError):
    """A service of that key name, or with that display name, exists already."""


class MarkedForDeleteError(ServiceError):
    """The service has been deleted, but goes only when its last handle is closed."""


class ServiceNotActiveError(ServiceError):
    """The service is not running."""


class ServiceAlreadyRunningError(ServiceError):
    """The service is running, or on its way there."""


class ServiceDisabledError(ServiceError):
    """The service is disabled, or has no enabled device."""


class ServiceStartError(ServiceError):
    """The service did not start: its process, its account or something it needs failed."""


class ControlRefusedError(ServiceError):
    """The service does not take this control, or not now."""


class DependentServicesRunningError(ServiceError):
    """Other running services depend on this one.

    Attributes:
        dependents: their names, in the order in which to stop them; () where they are not known.
    """

    dependents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CascadeStep:
    """One of the things that a cascade does.

    Attributes:
        action: what is done.
        service: the key name of the service that it is done to.
        error: why it failed; None where it did not.
    """

    action: Literal["stop", "start", "pause"]
    service: str
    error: ServiceError | None = None

    def __str__(self) -> str:
        return f"{self.action} {self.service}"


class CascadeError(ServiceError):
    """A service and those that it has to do with were only partly stopped or started.

    It has the code, the function and the service of the first call that failed.

    Attributes:
        error: what failed first; also its ``__cause__``.
        done: what was done, in order, and still is.
        failed: what was tried and has failed, in order, each with its error.
        not_done: what was not tried any more.
    """

    error: ServiceError
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
        """The error that tells these; at least one has failed."""
        first = failed[0].error
        assert first is not None
        told = [first.hint] if first.hint else []
        for what, steps in (("Done", done), ("Also failed", failed[1:]), ("Not done", not_done)):
            if steps:
                told.append(f"{what}: {', '.join(map(str, steps))}.")
        error = cls(
            *(first.winerror, first.function, first.strerror),
            service=first.service if first.service is not None else failed[0].service,
            machine=first.machine,
            hint=" ".join(told),
        )
        error.status = first.status
        error.error, error.done, error.failed, error.not_done = first, done, failed, not_done
        return error


class DatabaseLockedError(ServiceError):
    """The service database is locked."""


class DatabaseNotFoundError(ServiceError, LookupError):
    """There is no service database of that name."""


class MachineUnreachableError(ServiceError, ConnectionError):
    """The machine does not answer."""


class HandleClosedError(ServiceError, ValueError):
    """The handle is closed, or was never a handle."""


class ObjectInUseError(ServiceError):
    """A window station or desktop is in use, or a thread's windows and hooks bind it to its own."""


class InvalidNameError(ServiceError, ValueError):
    """The name is not one that the system takes."""


class InvalidArgumentError(ServiceError, ValueError):
    """The system refused an argument or a combination of them."""


class UnsupportedError(ServiceError, NotImplementedError):
    """This system, or this version of Windows, does not have the call."""


class WaitTimeoutError(ServiceError, TimeoutError):
    """What was waited for did not happen in time."""


class WaitCancelledError(ServiceError):
    """A wait was ended by its :class:`winsvc.CancelToken`."""


class ArgumentError(ValueError):
    """An argument was refused before any call was made.

    It is no ``ServiceError``: the system was not asked, so there is no code or function to name.

    Attributes:
        argument: which argument, or which element of it, such as ``"dependencies[1]"``.
        reason: what is wrong with it.
    """

    argument: str
    reason: str

    def __init__(self, argument: str, reason: str) -> None:
        super().__init__(argument, reason)
        self.argument = argument
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.argument}: {self.reason}"


_E = ErrorCode

_CLASSES: Final[dict[int, type[ServiceError]]] = {
    _E.ACCESS_DENIED: AccessDeniedError,
    _E.PRIVILEGE_NOT_HELD: AccessDeniedError,
    _E.SERVICE_DOES_NOT_EXIST: ServiceNotFoundError,
    _E.FILE_NOT_FOUND: NotFoundError,
    _E.PATH_NOT_FOUND: NotFoundError,
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
    _E.INVALID_PARAMETER: InvalidArgumentError,
    _E.INVALID_SERVICE_ACCOUNT: InvalidArgumentError,
    _E.CIRCULAR_DEPENDENCY: InvalidArgumentError,
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
    _E.INVALID_OWNER: "Only SeRestorePrivilege, enabled, lets a process set another owner.",
    _E.SERVICE_MARKED_FOR_DELETE: (
        "It is deleted once it has stopped and every handle to it is closed, in every process."
    ),
    _E.SERVICE_CANNOT_ACCEPT_CTRL: "It is between two states: wait until it has settled.",
    _E.SERVICE_DISABLED: "Change its start type before starting it.",
    _E.BAD_NETPATH: "Check the machine's name and that it is reachable.",
    _E.RPC_SERVER_UNAVAILABLE: (
        "Check the machine's name, that it is up, and that its firewall lets remote service "
        "management through."
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
    """The code's name in words, for where no system text is at hand."""
    code = ErrorCode(winerror)
    return code.name.replace("_", " ").capitalize()


def service_error(
    winerror: int,
    function: str,
    message: str | None = None,
    *,
    service: str | None = None,
    machine: str | None = None,
    hint: str | None = None,
) -> ServiceError:
    """The exception of the class that fits the code."""
    kind = _CLASSES.get(winerror, ServiceError)
    return kind(winerror, function, message, service=service, machine=machine, hint=hint)
