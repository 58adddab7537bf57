"""The functions about the service control manager: its lists, names and lock."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from winsvc.win32service import conversions as c
from winsvc.win32service.calls import call, number_of, signed_handle
from winsvc.win32service.constants import SC_ENUM_PROCESS_INFO, SERVICE_STATE_ALL, SERVICE_WIN32
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import OnService, PySC_HANDLE
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
        machineName: the machine; None for this one.
        dbName: the database; None for the one that is in use.
        desiredAccess: the ``SC_MANAGER_*`` rights that the handle is to have.

    Raises:
        error: 5: refused. 1722: the machine does not answer.

    Right: those asked for. Windows call: ``OpenSCManagerW``.
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
    """The services and their status.

    Args:
        hSCManager: the manager.
        ServiceType: the types to list, such as ``SERVICE_DRIVER``.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.

    Returns:
        For each its key name, its display name and its status; () where none matches.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``SC_MANAGER_ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusW``.
    """
    types, states = c.dword(ServiceType), c.dword(ServiceState)
    found: list[ENUM_SERVICE_STATUS] = []
    resume = 0
    with OnService("EnumServicesStatus", hSCManager) as (backend, manager):
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
    """The services, their status and their process.

    Args:
        SCManager: the manager.
        ServiceType: the types to list, such as ``SERVICE_DRIVER``.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.
        GroupName: only those of this load-order group, "" for those in none; None for all.
        InfoLevel: ``SC_ENUM_PROCESS_INFO``.

    Returns:
        One dict per service; its numbers are unsigned.

    Raises:
        NotImplementedError: there is no such level.
        error: 5: the handle lacks the right. 1060: no such group.

    Right: ``SC_MANAGER_ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
    """
    types, states, level = c.dword(ServiceType), c.dword(ServiceState), c.dword(InfoLevel)
    found: list[ENUM_SERVICE_STATUS_PROCESS] = []
    resume = 0
    with OnService("EnumServicesStatusEx", SCManager) as (backend, manager):
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
    """The services that depend on this one, those to be stopped first at the front.

    Args:
        hService: the service.
        ServiceState: ``SERVICE_ACTIVE``, ``SERVICE_INACTIVE`` or ``SERVICE_STATE_ALL``.

    Returns:
        For each its key name, its display name and its status.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``SERVICE_ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
    """
    states = c.dword(ServiceState)
    with OnService("EnumDependentServices", hService) as (backend, service):
        rows = backend.enum_dependent_services(service, states)
    return tuple((name, shown, c.status(row)) for name, shown, row in rows)  # type: ignore[misc]


def GetServiceKeyName(hSCManager: HandleArgument, DisplayName: str) -> str:
    """The key name of the service with this display name.

    Args:
        hSCManager: the manager.
        DisplayName: what users see.

    Raises:
        error: 1060: there is none.

    Right: ``SC_MANAGER_CONNECT``. Windows call: ``GetServiceKeyNameW``.
    """
    shown = c.text(DisplayName)
    with OnService("GetServiceKeyName", hSCManager) as (backend, manager):
        return backend.get_service_key_name(manager, shown)


def GetServiceDisplayName(hSCManager: HandleArgument, ServiceName: str) -> str:
    """The display name of a service.

    Args:
        hSCManager: the manager.
        ServiceName: its key name.

    Raises:
        error: 1060: there is none of this name.

    Right: ``SC_MANAGER_CONNECT``. Windows call: ``GetServiceDisplayNameW``.
    """
    name = c.text(ServiceName)
    with OnService("GetServiceDisplayName", hSCManager) as (backend, manager):
        return backend.get_service_display_name(manager, name)


# ----------------------------------------------------------------------------------- the lock


def LockServiceDatabase(sc_handle: HandleArgument) -> int:
    """Keep services from being started.

    Args:
        sc_handle: the manager.

    Returns:
        The lock.

    Raises:
        error: 1055: somebody else has locked it. 5: the handle lacks the right.

    Right: ``SC_MANAGER_LOCK``. Windows call: ``LockServiceDatabase``.
    """
    with OnService("LockServiceDatabase", sc_handle) as (backend, manager):
        return signed_handle(backend.lock_service_database(manager))


def UnlockServiceDatabase(lock: SupportsIndex) -> None:
    """Let services be started again.

    Args:
        lock: what :func:`LockServiceDatabase` gave.

    Raises:
        error: 1071: there is no such lock.

    Windows call: ``UnlockServiceDatabase``.
    """
    try:
        value = number_of(operator.index(lock), ())
    except TypeError:
        kind = type(lock).__name__
        raise TypeError(f"Unable to convert {kind} to pointer-sized value") from None
    with call("UnlockServiceDatabase") as backend:
        backend.unlock_service_database(value)


def QueryServiceLockStatus(hSCManager: HandleArgument) -> tuple[int, str, int]:
    """Who has locked the database.

    Args:
        hSCManager: the manager.

    Returns:
        Whether it is locked, by whom, and for how many seconds.

    Raises:
        error: 5: the handle lacks the right.

    Right: ``SC_MANAGER_QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
    """
    with OnService("QueryServiceLockStatus", hSCManager) as (backend, manager):
        locked, owner, duration = backend.query_service_lock_status(manager)
    return signed(locked), owner, signed(duration)  # type: ignore[return-value]  # see shapes
