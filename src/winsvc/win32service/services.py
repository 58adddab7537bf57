"""The functions about a service: its handle, its status, control and security."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Literal, SupportsIndex, overload

from winsvc._values.rows import StatusRow
from winsvc.win32service import conversions as c
from winsvc.win32service.calls import pywin32_kind
from winsvc.win32service.descriptors import PySECURITY_DESCRIPTOR, descriptor_of, raw_descriptor
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import OnService, PySC_HANDLE
from winsvc.win32service.shapes import (
    SERVICE_STATUS,
    SERVICE_STATUS_PROCESS,
    HandleArgument,
    SecurityDescriptorLike,
)

# ----------------------------------------------------------------------------------- handles


def OpenService(scHandle: HandleArgument, name: str, desiredAccess: SupportsIndex) -> PySC_HANDLE:
    """Open a service.

    Args:
        scHandle: the manager.
        name: the service's key name.
        desiredAccess: the ``SERVICE_*`` rights that the handle is to have.

    Raises:
        error: 1060: there is none of this name. 5: refused.

    Right: those asked for. Windows call: ``OpenServiceW``.
    """
    name, access = c.text(name), c.dword(desiredAccess)
    with OnService("OpenService", scHandle) as (backend, manager):
        return PySC_HANDLE._of(backend, backend.open_service(manager, name, access))


def CloseServiceHandle(scHandle: HandleArgument) -> None:
    """Close a handle. One that is closed already is left alone.

    Args:
        scHandle: a handle, which is closed from now on, or its number.

    Raises:
        TypeError: it is the handle of something else.
        error: 6: there is no such handle.

    Windows call: ``CloseServiceHandle``.
    """
    if isinstance(scHandle, PySC_HANDLE):
        scHandle.Close()
        return
    if kind := pywin32_kind(scHandle):
        if kind != "PySC_HANDLE":
            raise TypeError("PyHANDLE passed to CloseServiceHandle must be a PySC_HANDLE")
        operator.methodcaller("Close")(scHandle)  # or it would close it once more by itself
        return
    with OnService("CloseServiceHandle", scHandle) as (backend, handle):
        backend.close_service_handle(handle)


# ----------------------------------------------------------------------------------- making


@overload
def CreateService(
    scHandle: HandleArgument,
    name: str,
    displayName: str,
    desiredAccess: SupportsIndex,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str,
    loadOrderGroup: str | None,
    bFetchTag: Literal[False, 0],
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
) -> PySC_HANDLE: ...
@overload
def CreateService(
    scHandle: HandleArgument,
    name: str,
    displayName: str,
    desiredAccess: SupportsIndex,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str,
    loadOrderGroup: str | None,
    bFetchTag: Literal[True, 1],
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
) -> tuple[PySC_HANDLE, int]: ...
@overload
def CreateService(
    scHandle: HandleArgument,
    name: str,
    displayName: str,
    desiredAccess: SupportsIndex,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str,
    loadOrderGroup: str | None,
    bFetchTag: SupportsIndex,
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
) -> PySC_HANDLE | tuple[PySC_HANDLE, int]: ...
def CreateService(
    scHandle: HandleArgument,
    name: str,
    displayName: str,
    desiredAccess: SupportsIndex,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str,
    loadOrderGroup: str | None,
    bFetchTag: SupportsIndex,
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
) -> PySC_HANDLE | tuple[PySC_HANDLE, int]:
    """Install a service.

    Args:
        scHandle: the manager.
        name: its key name.
        displayName: what users see.
        desiredAccess: the ``SERVICE_*`` rights that the handle is to have.
        serviceType: such as ``SERVICE_WIN32_OWN_PROCESS``.
        startType: such as ``SERVICE_DEMAND_START``.
        errorControl: such as ``SERVICE_ERROR_NORMAL``.
        binaryFile: the command line of its program, with quotes where the path has a blank.
        loadOrderGroup: the group in which it is loaded; None for none.
        bFetchTag: whether it gets a tag, its place in the group.
        serviceDeps: the services that it needs, and "+" and the name for a group; None for none.
        acctName: the account; None for LocalSystem.
        password: the account's.

    Returns:
        The service; with ``bFetchTag`` the service and its tag.

    Raises:
        error: 1073: it exists. 1078: the display name is taken. 1072: it is being deleted.

    Right: ``SC_MANAGER_CREATE_SERVICE``. Windows call: ``CreateServiceW``.
    """
    assign_tag = bool(c.dword(bFetchTag))
    with OnService("CreateService", scHandle) as (backend, manager):
        handle, tag = backend.create_service(
            manager,
            c.text(name),
            c.text(displayName),
            c.dword(desiredAccess),
            c.dword(serviceType),
            c.dword(startType),
            c.dword(errorControl),
            c.text(binaryFile),
            c.text_or_null(loadOrderGroup),
            assign_tag,
            c.texts_or_null(serviceDeps),
            c.text_or_null(acctName),
            c.secret(password),
        )
        service = PySC_HANDLE._of(backend, handle)
    return (service, signed(tag or 0)) if assign_tag else service


def DeleteService(scHandle: HandleArgument) -> None:
    """Have a service deleted, which happens when it has stopped and its last handle is closed.

    Args:
        scHandle: the service.

    Raises:
        error: 1072: it is being deleted already. 5: the handle lacks the right.

    Right: ``DELETE``. Windows call: ``DeleteService``.
    """
    with OnService("DeleteService", scHandle) as (backend, service):
        backend.delete_service(service)


# ----------------------------------------------------------------------------------- status


def QueryServiceStatus(hService: HandleArgument) -> SERVICE_STATUS:
    """Where a service stands.

    Args:
        hService: the service.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``SERVICE_QUERY_STATUS``. Windows call: ``QueryServiceStatus``.
    """
    with OnService("QueryServiceStatus", hService) as (backend, service):
        return c.status(backend.query_service_status(service))


def QueryServiceStatusEx(hService: HandleArgument) -> SERVICE_STATUS_PROCESS:
    """Where a service stands, and its process. The numbers are signed.

    Args:
        hService: the service.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``SERVICE_QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
    """
    with OnService("QueryServiceStatusEx", hService) as (backend, service):
        row = backend.query_service_status_ex(service)
    kind, state, accepted, code, own, point, hint, pid, flags = c.signed_row(row)
    return {
        "ServiceType": kind,
        "CurrentState": state,
        "ControlsAccepted": accepted,
        "Win32ExitCode": code,
        "ServiceSpecificExitCode": own,
        "CheckPoint": point,
        "WaitHint": hint,
        "ProcessId": pid,
        "ServiceFlags": flags,
    }


def SetServiceStatus(
    scHandle: HandleArgument,
    serviceStatus: tuple[
        SupportsIndex,
        SupportsIndex,
        SupportsIndex,
        SupportsIndex,
        SupportsIndex,
        SupportsIndex,
        SupportsIndex,
    ],
) -> None:
    """Report where a service stands, from its own program.

    Args:
        scHandle: what ``servicemanager.RegisterServiceCtrlHandler`` gave.
        serviceStatus: the seven numbers that :func:`QueryServiceStatus` gives.

    Raises:
        TypeError: it is no tuple of seven.
        error: 6: there is no such handle.

    Windows call: ``SetServiceStatus``.
    """
    if not isinstance(serviceStatus, tuple):
        raise TypeError(f"serviceStatus must be a tuple, not {type(serviceStatus).__name__}")
    if len(serviceStatus) != 7:
        raise TypeError(f"function takes exactly 7 arguments ({len(serviceStatus)} given)")
    row = StatusRow._make((*map(c.dword, serviceStatus), 0, 0))
    with OnService("SetServiceStatus", scHandle) as (backend, handle):
        backend.set_service_status(handle, row)


# ----------------------------------------------------------------------------------- control


def StartService(hService: HandleArgument, args: Iterable[str] | None) -> None:
    """Start a service. It is on its way when this returns.

    Args:
        hService: the service.
        args: what it is started with, after its name; None for nothing.

    Raises:
        error: 1056: it is running. 1058: it is disabled. 1053: its program did not answer.

    Right: ``SERVICE_START``. Windows call: ``StartServiceW``.
    """
    arguments = [] if args is None else c.texts(args, empty=True)
    with OnService("StartService", hService) as (backend, service):
        backend.start_service(service, arguments)


def ControlService(scHandle: HandleArgument, code: SupportsIndex) -> SERVICE_STATUS:
    """Send a control to a service.

    Args:
        scHandle: the service.
        code: such as ``SERVICE_CONTROL_STOP``; 128 to 255 are the service's own.

    Returns:
        Where it stands then.

    Raises:
        error: 1062: it is not running. 1052: it does not take this control. 1061: not now.

    Right: that for the control, such as ``SERVICE_STOP``. Windows call: ``ControlService``.
    """
    control = c.dword(code)
    with OnService("ControlService", scHandle) as (backend, service):
        return c.status(backend.control_service(service, control))


# ----------------------------------------------------------------------------------- security


def QueryServiceObjectSecurity(
    Handle: HandleArgument, SecurityInformation: SupportsIndex
) -> PySECURITY_DESCRIPTOR:
    """The security descriptor of a service or of the manager.

    Args:
        Handle: the service or the manager.
        SecurityInformation: the parts to read, such as 4 (``DACL_SECURITY_INFORMATION``).

    Returns:
        pywin32's ``PySECURITY_DESCRIPTOR``; without pywin32 one that can be read.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``READ_CONTROL``; ``ACCESS_SYSTEM_SECURITY`` for a SACL. Windows call:
    ``QueryServiceObjectSecurity``.
    """
    parts = c.dword(SecurityInformation)
    with OnService("QueryServiceObjectSecurity", Handle) as (backend, handle):
        return descriptor_of(backend.query_service_object_security(handle, parts))


def SetServiceObjectSecurity(
    Handle: HandleArgument,
    SecurityInformation: SupportsIndex,
    SecurityDescriptor: SecurityDescriptorLike,
) -> None:
    """Change the security descriptor of a service or of the manager.

    Args:
        Handle: the service or the manager.
        SecurityInformation: the parts to write, such as 4 (``DACL_SECURITY_INFORMATION``).
        SecurityDescriptor: pywin32's ``PySECURITY_DESCRIPTOR``, or one that
            :func:`QueryServiceObjectSecurity` gave.

    Raises:
        TypeError: it is no descriptor.
        error: 5: the handle lacks the right.

    Right: ``WRITE_DAC``, ``WRITE_OWNER`` or ``ACCESS_SYSTEM_SECURITY``, by the parts. Windows call:
    ``SetServiceObjectSecurity``.
    """
    parts, raw = c.dword(SecurityInformation), raw_descriptor(SecurityDescriptor)
    with OnService("SetServiceObjectSecurity", Handle) as (backend, handle):
        backend.set_service_object_security(handle, parts, raw)
