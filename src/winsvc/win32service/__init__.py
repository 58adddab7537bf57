"""Replacement for pywin32's module of the same name, based on winsvc.

A program that was written for pywin32 runs on winsvc with one import changed::

    from winsvc import win32service

or without a change, if this runs before its first ``import win32service``::

    import winsvc.win32service

    winsvc.win32service.install()

``docs/win32service.md`` lists the differences from pywin32, with the reasons.
"""

from __future__ import annotations

import sys

from winsvc.win32service import constants
from winsvc.win32service.config import (
    ChangeServiceConfig,
    ChangeServiceConfig2,
    QueryServiceConfig,
    QueryServiceConfig2,
)
from winsvc.win32service.constants import *  # noqa: F403
from winsvc.win32service.desktops import (
    CreateDesktop,
    CreateWindowStation,
    EnumWindowStations,
    GetProcessWindowStation,
    GetThreadDesktop,
    GetUserObjectInformation,
    OpenDesktop,
    OpenInputDesktop,
    OpenWindowStation,
    SetUserObjectInformation,
)
from winsvc.win32service.errors import error
from winsvc.win32service.handles import PyHDESK, PyHWINSTA, PySC_HANDLE
from winsvc.win32service.manager import (
    EnumDependentServices,
    EnumServicesStatus,
    EnumServicesStatusEx,
    GetServiceDisplayName,
    GetServiceKeyName,
    LockServiceDatabase,
    OpenSCManager,
    QueryServiceLockStatus,
    UnlockServiceDatabase,
)
from winsvc.win32service.services import (
    CloseServiceHandle,
    ControlService,
    CreateService,
    DeleteService,
    OpenService,
    QueryServiceObjectSecurity,
    QueryServiceStatus,
    QueryServiceStatusEx,
    SetServiceObjectSecurity,
    SetServiceStatus,
    StartService,
)

__all__ = [
    "ChangeServiceConfig",
    "ChangeServiceConfig2",
    "CloseServiceHandle",
    "ControlService",
    "CreateDesktop",
    "CreateService",
    "CreateWindowStation",
    "DeleteService",
    "EnumDependentServices",
    "EnumServicesStatus",
    "EnumServicesStatusEx",
    "EnumWindowStations",
    "GetProcessWindowStation",
    "GetServiceDisplayName",
    "GetServiceKeyName",
    "GetThreadDesktop",
    "GetUserObjectInformation",
    "LockServiceDatabase",
    "OpenDesktop",
    "OpenInputDesktop",
    "OpenSCManager",
    "OpenService",
    "OpenWindowStation",
    "QueryServiceConfig",
    "QueryServiceConfig2",
    "QueryServiceLockStatus",
    "QueryServiceObjectSecurity",
    "QueryServiceStatus",
    "QueryServiceStatusEx",
    "SetServiceObjectSecurity",
    "SetServiceStatus",
    "SetUserObjectInformation",
    "StartService",
    "UnlockServiceDatabase",
    "HDESKType",
    "HWINSTAType",
    "PyHDESK",
    "PyHWINSTA",
    "PySC_HANDLE",
    "error",
    "install",
]
__all__ += filter(str.isupper, vars(constants))

HDESKType = PyHDESK
HWINSTAType = PyHWINSTA


def install() -> None:
    """Register this module as ``win32service`` for later imports in the whole process.

    Modules that have already imported pywin32's module keep it.
    """
    sys.modules["win32service"] = sys.modules[__name__]
