"""A program typed against ``winsvc.win32service``; mypy and, on a simulated SCM, a test run it.

The first half is what passes with types-pywin32, too; the second what that gets wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from winsvc import win32service

if TYPE_CHECKING:
    from winsvc.win32service import PySC_HANDLE
    from winsvc.win32service.descriptors import PySECURITY_DESCRIPTOR
    from winsvc.win32service.shapes import (
        ENUM_SERVICE_STATUS_PROCESS,
        SERVICE_FAILURE_ACTIONS,
        SERVICE_TRIGGER,
    )


# ------------------------------------------------------------------------ as with types-pywin32


def states(machine: str | None) -> dict[str, int]:
    """As programs list services."""
    manager = win32service.OpenSCManager(machine, None, win32service.SC_MANAGER_ENUMERATE_SERVICE)
    try:
        found = {}
        for name, _shown, status in win32service.EnumServicesStatus(manager):
            found[name] = status[1]
        return found
    finally:
        win32service.CloseServiceHandle(manager)


def install(name: str, path: str, *, deps: list[str] | None = None) -> None:
    """As programs install a service, and configure it."""
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_ALL_ACCESS)
    service = win32service.CreateService(
        manager,
        name,
        name,
        win32service.SERVICE_ALL_ACCESS,
        win32service.SERVICE_WIN32_OWN_PROCESS,
        win32service.SERVICE_DEMAND_START,
        win32service.SERVICE_ERROR_NORMAL,
        path,
        None,
        False,
        deps,
        None,
        None,
    )
    actions = {
        "ResetPeriod": 60,
        "RebootMsg": "",
        "Command": "",
        "Actions": [(win32service.SC_ACTION_RESTART, 60000)] * 3,
    }
    win32service.ChangeServiceConfig2(
        service, win32service.SERVICE_CONFIG_DESCRIPTION, "what it is for"
    )
    win32service.ChangeServiceConfig2(service, win32service.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
    win32service.ChangeServiceConfig2(
        service, win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, False
    )
    win32service.ChangeServiceConfig(
        service,
        win32service.SERVICE_NO_CHANGE,
        win32service.SERVICE_AUTO_START,
        win32service.SERVICE_NO_CHANGE,
        None,
        None,
        False,
        None,
        None,
        None,
        None,
    )
    win32service.CloseServiceHandle(service)
    win32service.CloseServiceHandle(manager)


def path_of(name: str) -> str | None:
    """As programs look at a configuration, and at errors."""
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    try:
        service = win32service.OpenService(manager, name, win32service.SERVICE_QUERY_CONFIG)
    except win32service.error as error:
        code: int = error.winerror
        if code == 1060 and error.funcname == "OpenService" and error.strerror:
            return None
        raise
    config = win32service.QueryServiceConfig(service)
    path: str = config[3].lower()
    return path


def stop(name: str) -> int:
    """As programs control a service."""
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    service = win32service.OpenService(manager, name, win32service.SERVICE_ALL_ACCESS)
    win32service.StartService(service, None)
    status = win32service.ControlService(service, win32service.SERVICE_CONTROL_STOP)
    win32service.DeleteService(service)
    return status[1]


def dacl_of(name: str) -> int:
    """As programs look at the security of a service."""
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    service = win32service.OpenService(manager, name, win32service.SERVICE_ALL_ACCESS)
    descriptor = win32service.QueryServiceObjectSecurity(service, 4)
    win32service.SetServiceObjectSecurity(service, 4, descriptor)
    dacl = descriptor.GetSecurityDescriptorDacl()
    return 0 if dacl is None else dacl.GetAceCount()


# --------------------------------------------------------------------- what types-pywin32 refuses


def process_of(name: str) -> int:
    with (
        win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT) as manager,
        win32service.OpenService(manager, name, win32service.SERVICE_QUERY_STATUS) as service,
    ):
        kind, state, *_ = win32service.QueryServiceStatus(service)
        assert int(service) == service.handle
        assert (kind, state) > (0, 0)
        return win32service.QueryServiceStatusEx(service)["ProcessId"]


def rows() -> list[ENUM_SERVICE_STATUS_PROCESS]:
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_ALL_ACCESS)
    found = win32service.EnumServicesStatusEx(manager, InfoLevel=0, GroupName=None)
    handle = manager.Detach()
    win32service.CloseServiceHandle(handle)
    return found


def by_level(
    service: PySC_HANDLE,
) -> tuple[str | None, list[int], bool, int, tuple[SERVICE_TRIGGER, ...], list[str] | None]:
    w = win32service
    text: str | None = w.QueryServiceConfig2(service, w.SERVICE_CONFIG_DESCRIPTION)
    actions: SERVICE_FAILURE_ACTIONS = w.QueryServiceConfig2(
        service, w.SERVICE_CONFIG_FAILURE_ACTIONS
    )
    delays: list[int] = [delay for _, delay in actions["Actions"]]
    delayed: bool = w.QueryServiceConfig2(service, w.SERVICE_CONFIG_DELAYED_AUTO_START_INFO)
    sid_type: int = w.QueryServiceConfig2(service, w.SERVICE_CONFIG_SERVICE_SID_INFO)
    triggers: tuple[SERVICE_TRIGGER, ...] = w.QueryServiceConfig2(
        service, w.SERVICE_CONFIG_TRIGGER_INFO
    )
    privileges: list[str] | None = w.QueryServiceConfig2(
        service, w.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO
    )
    w.ChangeServiceConfig2(service, w.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
    assert w.EnumDependentServices(service) == ()
    descriptor: PySECURITY_DESCRIPTOR = w.QueryServiceObjectSecurity(service, 4)
    assert bytes(descriptor)
    return text, delays, delayed, sid_type, triggers, privileges


def with_a_tag(manager: PySC_HANDLE, name: str) -> int:
    created = win32service.CreateService(
        manager, name, name, 0xF01FF, 1, 3, 1, "x.sys", "group", True, None, None, None
    )
    service, tag = created
    service.Close()
    return tag


def desktops() -> list[str]:
    w = win32service
    station = w.GetProcessWindowStation()
    desktop = w.CreateDesktop("sample", 0, 0x1FF, None)
    name: str = w.GetUserObjectInformation(desktop, w.UOI_NAME)
    flags = w.GetUserObjectInformation(desktop, w.UOI_FLAGS)
    inherited: bool = flags["Inherit"]
    w.SetUserObjectInformation(desktop, {"Inherit": inherited, "Reserved": 0, "Flags": 0})
    windows: list[int] = [int(window) for window in desktop.EnumDesktopWindows()]
    names: list[str] = [*w.EnumWindowStations(), *station.EnumDesktops(), name, *map(str, windows)]
    desktop.CloseDesktop()
    return names


# ----------------------------------------------------------------------------- what is a mistake


def mistakes(service: PySC_HANDLE) -> None:
    w = win32service
    w.OpenService(service, b"name", 4)  # type: ignore[arg-type]
    w.OpenService("handle", "name", 4)  # type: ignore[arg-type]
    w.EnumServicesStatusEx(service, 0x30, 3, 0, None)  # type: ignore[arg-type]
    w.QueryServiceConfig(service)[3] = ""  # type: ignore[index]
    w.QueryServiceStatusEx(service)["ProcessID"]  # type: ignore[typeddict-item]
    w.StartService(service)  # type: ignore[call-arg]
    w.SetServiceStatus(5, (1, 2))  # type: ignore[arg-type]
    w.QueryServiceConfig2(service, w.SERVICE_CONFIG_DESCRIPTION).upper()  # type: ignore[union-attr]
