"""The functions of a service: handles, status, control and security."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Literal, SupportsIndex, overload

from winsvc._values.rows import StatusRow
from winsvc.win32service import conversions as c
from winsvc.win32service.calls import pywin32_kind
from winsvc.win32service.descriptors import PySECURITY_DESCRIPTOR, descriptor_of, raw_descriptor
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import PySC_HANDLE, ServiceCall
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
        scHandle: The manager.
        name: The key name of the service.
        desiredAccess: The ``SERVICE_*`` rights of the handle.

    Raises:
        error: 1060: The service does not exist. 5: Access is denied.

    Right: The rights in *desiredAccess*. Windows call: ``OpenServiceW``.
    """
    name, access = c.text(name), c.dword(desiredAccess)
    with ServiceCall("OpenService", scHandle) as (backend, manager):
        return PySC_HANDLE._of(backend, backend.open_service(manager, name, access))


def CloseServiceHandle(scHandle: HandleArgument) -> None:
    """Close a handle. A handle object that is closed already is ignored.

    Args:
        scHandle: A handle object, or the value of a handle.

    Raises:
        TypeError: The value is a handle of another kind.
        error: 6: The handle is invalid.

    Windows call: ``CloseServiceHandle``.
    """
    if isinstance(scHandle, PySC_HANDLE):
        scHandle.Close()
        return
    if kind := pywin32_kind(scHandle):
        if kind != "PySC_HANDLE":
            raise TypeError("PyHANDLE passed to CloseServiceHandle must be a PySC_HANDLE")
        operator.methodcaller("Close")(scHandle)  # pywin32's object would close the value again
        return
    with ServiceCall("CloseServiceHandle", scHandle) as (backend, handle):
        backend.close_service_handle(handle)


# ----------------------------------------------------------------------------------- creation


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
        scHandle: The manager.
        name: The key name.
        displayName: The name that users see.
        desiredAccess: The ``SERVICE_*`` rights of the handle.
        serviceType: A type such as ``SERVICE_WIN32_OWN_PROCESS``.
        startType: A start type such as ``SERVICE_DEMAND_START``.
        errorControl: An error control such as ``SERVICE_ERROR_NORMAL``.
        binaryFile: The command line of the program; a path with a space must be quoted.
        loadOrderGroup: The load-order group; None for none.
        bFetchTag: True to assign a tag, the position in the group.
        serviceDeps: The services on which it depends, and "+" and the name for a group; None for
            none.
        acctName: The account; None for LocalSystem.
        password: The password of the account.

    Returns:
        The service; with ``bFetchTag`` the service and its tag.

    Raises:
        error: 1073: The service exists. 1078: Another service has the display name. 1072: The
            service is marked for deletion.

    Right: ``SC_MANAGER_CREATE_SERVICE``. Windows call: ``CreateServiceW``.
    """
    assign_tag = bool(c.dword(bFetchTag))
    with ServiceCall("CreateService", scHandle) as (backend, manager):
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
    """Mark a service for deletion; it is deleted when it is stopped and its last handle is closed.

    Args:
        scHandle: The service.

    Raises:
        error: 1072: The service is already marked for deletion. 5: The handle lacks the right.

    Right: ``DELETE``. Windows call: ``DeleteService``.
    """
    with ServiceCall("DeleteService", scHandle) as (backend, service):
        backend.delete_service(service)


# ----------------------------------------------------------------------------------- status


def QueryServiceStatus(hService: HandleArgument) -> SERVICE_STATUS:
    """Query the status of a service.

    Args:
        hService: The service.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SERVICE_QUERY_STATUS``. Windows call: ``QueryServiceStatus``.
    """
    with ServiceCall("QueryServiceStatus", hService) as (backend, service):
        return c.status(backend.query_service_status(service))


def QueryServiceStatusEx(hService: HandleArgument) -> SERVICE_STATUS_PROCESS:
    """Query the status and the process of a service. The numbers are signed.

    Args:
        hService: The service.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SERVICE_QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
    """
    with ServiceCall("QueryServiceStatusEx", hService) as (backend, service):
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
    """Report the status of a service from its process.

    Args:
        scHandle: The result of ``servicemanager.RegisterServiceCtrlHandler``.
        serviceStatus: The seven numbers that :func:`QueryServiceStatus` returns.

    Raises:
        TypeError: The status is not a tuple of seven numbers.
        error: 6: The handle is invalid.

    Windows call: ``SetServiceStatus``.
    """
    if not isinstance(serviceStatus, tuple):
        raise TypeError(f"serviceStatus must be a tuple, not {type(serviceStatus).__name__}")
    if len(serviceStatus) != 7:
        raise TypeError(f"function takes exactly 7 arguments ({len(serviceStatus)} given)")
    row = StatusRow._make((*map(c.dword, serviceStatus), 0, 0))
    with ServiceCall("SetServiceStatus", scHandle) as (backend, handle):
        backend.set_service_status(handle, row)


# ----------------------------------------------------------------------------------- control


def StartService(hService: HandleArgument, args: Iterable[str] | None) -> None:
    """Start a service. The service is in START_PENDING when the function returns.

    Args:
        hService: The service.
        args: The arguments after the service's name; None for none.

    Raises:
        error: 1056: The service is running. 1058: The service is disabled. 1053: The program did
            not connect to the service control manager in time.

    Right: ``SERVICE_START``. Windows call: ``StartServiceW``.
    """
    arguments = [] if args is None else c.texts(args, empty=True)
    with ServiceCall("StartService", hService) as (backend, service):
        backend.start_service(service, arguments)


def ControlService(scHandle: HandleArgument, code: SupportsIndex) -> SERVICE_STATUS:
    """Send a control to a service.

    Args:
        scHandle: The service.
        code: A control such as ``SERVICE_CONTROL_STOP``; 128 to 255 are user-defined.

    Returns:
        The status after the control.

    Raises:
        error: 1062: The service is not running. 1052: The service does not accept the control.
            1061: The service cannot accept controls at present.

    Right: The right of the control, such as ``SERVICE_STOP``. Windows call: ``ControlService``.
    """
    control = c.dword(code)
    with ServiceCall("ControlService", scHandle) as (backend, service):
        return c.status(backend.control_service(service, control))


# ----------------------------------------------------------------------------------- security


def QueryServiceObjectSecurity(
    Handle: HandleArgument, SecurityInformation: SupportsIndex
) -> PySECURITY_DESCRIPTOR:
    """Read the security descriptor of a service or of the manager.

    Args:
        Handle: The service or the manager.
        SecurityInformation: The parts to read, such as 4 (``DACL_SECURITY_INFORMATION``).

    Returns:
        pywin32's ``PySECURITY_DESCRIPTOR``; without pywin32 an object with its reading methods.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``READ_CONTROL``; ``ACCESS_SYSTEM_SECURITY`` for a SACL. Windows call:
    ``QueryServiceObjectSecurity``.
    """
    parts = c.dword(SecurityInformation)
    with ServiceCall("QueryServiceObjectSecurity", Handle) as (backend, handle):
        return descriptor_of(backend.query_service_object_security(handle, parts))


def SetServiceObjectSecurity(
    Handle: HandleArgument,
    SecurityInformation: SupportsIndex,
    SecurityDescriptor: SecurityDescriptorLike,
) -> None:
    """Write parts of the security descriptor of a service or of the manager.

    Args:
        Handle: The service or the manager.
        SecurityInformation: The parts to write, such as 4 (``DACL_SECURITY_INFORMATION``).
        SecurityDescriptor: pywin32's ``PySECURITY_DESCRIPTOR``, or the result of
            :func:`QueryServiceObjectSecurity`.

    Raises:
        TypeError: The value is not a descriptor.
        error: 5: The handle lacks the right.

    Right: ``WRITE_DAC``, ``WRITE_OWNER`` or ``ACCESS_SYSTEM_SECURITY``, by part. Windows call:
    ``SetServiceObjectSecurity``.
    """
    parts, raw = c.dword(SecurityInformation), raw_descriptor(SecurityDescriptor)
    with ServiceCall("SetServiceObjectSecurity", Handle) as (backend, handle):
        backend.set_service_object_security(handle, parts, raw)
