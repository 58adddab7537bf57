"""The functions of the service control manager: lists, names and the lock."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from winsvc.win32service import conversions as c
from winsvc.win32service.calls import call, handle_number, signed_handle
from winsvc.win32service.constants import SC_ENUM_PROCESS_INFO, SERVICE_STATE_ALL, SERVICE_WIN32
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import PySC_HANDLE, ServiceCall
from winsvc.win32service.shapes import (
    ENUM_SERVICE_STATUS,
    ENUM_SERVICE_STATUS_PROCESS,
    HandleArgument,
)


def OpenSCManager(
    machineName: str | None, dbName: str | None, desiredAccess: SupportsIndex
) -> PySC_HANDLE:
    """Connect to the service control manager.

    Args:
        machineName: The machine; None for the local machine.
        dbName: The database; None for the active database.
        desiredAccess: The ``SC_MANAGER_*`` rights of the handle.

    Raises:
        error: 5: Access is denied. 1722: The machine is not available.

    Right: The rights in *desiredAccess*. Windows call: ``OpenSCManagerW``.
    """
    machine, database = c.text_or_null(machineName), c.text_or_null(dbName)
    access = c.dword(desiredAccess)
    with call("OpenSCManager") as backend:
        return PySC_HANDLE._of(backend, backend.open_sc_manager(machine, database, access))


# ----------------------------------------------------------------------------------- lists


def EnumServicesStatus(
    hSCManager: HandleArgument,
    ServiceType: SupportsIndex = SERVICE_WIN32,
    ServiceState: SupportsIndex = SERVICE_STATE_ALL,
) -> tuple[ENUM_SERVICE_STATUS, ...]:
    """List the services and their status.

    Args:
        hSCManager: The manager.
        ServiceType: The types to list, such as ``SERVICE_DRIVER``.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.

    Returns:
        For each service its key name, display name and status; () without a match.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SC_MANAGER_ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusW``.
    """
    types, states = c.dword(ServiceType), c.dword(ServiceState)
    found: list[ENUM_SERVICE_STATUS] = []
    resume = 0
    with ServiceCall("EnumServicesStatus", hSCManager) as (backend, manager):
        while True:
            page, resume = backend.enum_services_status(manager, types, states, resume)
            found += [(name, shown, c.status(row)) for name, shown, row in page]  # type: ignore[misc]
            if not resume:
                return tuple(found)


def EnumServicesStatusEx(
    SCManager: HandleArgument,
    ServiceType: SupportsIndex = SERVICE_WIN32,
    ServiceState: SupportsIndex = SERVICE_STATE_ALL,
    GroupName: str | None = None,
    InfoLevel: SupportsIndex = SC_ENUM_PROCESS_INFO,
) -> list[ENUM_SERVICE_STATUS_PROCESS]:
    """List the services, their status and their process.

    Args:
        SCManager: The manager.
        ServiceType: The types to list, such as ``SERVICE_DRIVER``.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.
        GroupName: A load-order group, to list its services only; "" for services without a group;
            None for all services.
        InfoLevel: ``SC_ENUM_PROCESS_INFO``.

    Returns:
        A dict for each service; the numbers are unsigned.

    Raises:
        NotImplementedError: The level is unknown.
        error: 5: The handle lacks the right. 1060: The group does not exist.

    Right: ``SC_MANAGER_ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
    """
    types, states, level = c.dword(ServiceType), c.dword(ServiceState), c.dword(InfoLevel)
    found: list[ENUM_SERVICE_STATUS_PROCESS] = []
    resume = 0
    with ServiceCall("EnumServicesStatusEx", SCManager) as (backend, manager):
        if level != SC_ENUM_PROCESS_INFO:
            raise NotImplementedError("Unsupported information level")
        group = c.text_or_null(GroupName)
        while True:
            page, resume = backend.enum_services_status_ex(manager, types, states, group, resume)
            for name, shown, (kind, state, accepted, code, own, point, hint, pid, flags) in page:
                found.append(
                    {
                        "ServiceName": name,
                        "DisplayName": shown,  # type: ignore[typeddict-item]  # see shapes
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
                )
            if not resume:
                return found


def EnumDependentServices(
    hService: HandleArgument, ServiceState: SupportsIndex = SERVICE_STATE_ALL
) -> tuple[ENUM_SERVICE_STATUS, ...]:
    """List the services that depend on a service, in the order in which they must be stopped.

    Args:
        hService: The service.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.

    Returns:
        For each service its key name, display name and status.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SERVICE_ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
    """
    states = c.dword(ServiceState)
    with ServiceCall("EnumDependentServices", hService) as (backend, service):
        rows = backend.enum_dependent_services(service, states)
    return tuple((name, shown, c.status(row)) for name, shown, row in rows)  # type: ignore[misc]


def GetServiceKeyName(hSCManager: HandleArgument, DisplayName: str) -> str:
    """Query the key name of the service with a display name.

    Args:
        hSCManager: The manager.
        DisplayName: The display name.

    Raises:
        error: 1060: The service does not exist.

    Right: ``SC_MANAGER_CONNECT``. Windows call: ``GetServiceKeyNameW``.
    """
    shown = c.text(DisplayName)
    with ServiceCall("GetServiceKeyName", hSCManager) as (backend, manager):
        return backend.get_service_key_name(manager, shown)


def GetServiceDisplayName(hSCManager: HandleArgument, ServiceName: str) -> str:
    """Query the display name of a service.

    Args:
        hSCManager: The manager.
        ServiceName: The key name.

    Raises:
        error: 1060: The service does not exist.

    Right: ``SC_MANAGER_CONNECT``. Windows call: ``GetServiceDisplayNameW``.
    """
    name = c.text(ServiceName)
    with ServiceCall("GetServiceDisplayName", hSCManager) as (backend, manager):
        return backend.get_service_display_name(manager, name)


# ----------------------------------------------------------------------------------- the lock


def LockServiceDatabase(sc_handle: HandleArgument) -> int:
    """Lock the database; before Windows Vista, this prevented service starts.

    Args:
        sc_handle: The manager.

    Returns:
        The lock.

    Raises:
        error: 1055: The database is locked already. 5: The handle lacks the right.

    Right: ``SC_MANAGER_LOCK``. Windows call: ``LockServiceDatabase``.
    """
    with ServiceCall("LockServiceDatabase", sc_handle) as (backend, manager):
        return signed_handle(backend.lock_service_database(manager))


def UnlockServiceDatabase(lock: SupportsIndex) -> None:
    """Unlock the database.

    Args:
        lock: The result of :func:`LockServiceDatabase`.

    Raises:
        error: 1071: The lock is invalid.

    Windows call: ``UnlockServiceDatabase``.
    """
    try:
        value = handle_number(operator.index(lock), ())
    except TypeError:
        kind = type(lock).__name__
        raise TypeError(f"Unable to convert {kind} to pointer-sized value") from None
    with call("UnlockServiceDatabase") as backend:
        backend.unlock_service_database(value)


def QueryServiceLockStatus(hSCManager: HandleArgument) -> tuple[int, str, int]:
    """Query the lock of the database.

    Args:
        hSCManager: The manager.

    Returns:
        1 if the database is locked or 0, the owner, and the number of seconds since it was locked.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SC_MANAGER_QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
    """
    with ServiceCall("QueryServiceLockStatus", hSCManager) as (backend, manager):
        locked, owner, duration = backend.query_service_lock_status(manager)
    return signed(locked), owner, signed(duration)  # type: ignore[return-value]  # see shapes
