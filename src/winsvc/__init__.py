"""Windows services, and window stations and desktops, with types.

::

    from winsvc import ServiceManager, State

    with ServiceManager() as scm:
        for info in scm.services(state=State.RUNNING):
            print(info.name, info.status.pid)
"""

# Type checkers take this name for true. Importing typing would take longer than all the rest.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from winsvc._desktops.desktop import (
        Desktop,
        Window,
    )
    from winsvc._desktops.user_object import (
        UserObjectFlags,
    )
    from winsvc._desktops.window_station import (
        WindowStation,
    )
    from winsvc._scm.manager import (
        ServiceManager,
    )
    from winsvc._scm.service import (
        Service,
    )
    from winsvc._scm.waiting import (
        CancelToken,
    )
    from winsvc._scm.watching import (
        ConfigChanged,
        ServiceCreated,
        ServiceDeleted,
        ServiceEvent,
        StatusChanged,
        Watch,
    )
    from winsvc._values.account import (
        Account,
        AccountKind,
        Secret,
    )
    from winsvc._values.commandline import (
        command_line,
    )
    from winsvc._values.config import (
        UNCHANGED,
        FailureAction,
        FailureActions,
        ServiceConfig,
        Unchanged,
    )
    from winsvc._values.dependency import Dependency, GroupDependency, ServiceDependency
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.graph_node import ServiceNode
    from winsvc._values.settings import (
        ServiceSpec,
        Settings,
    )
    from winsvc._values.snapshot import (
        ServiceSnapshot,
    )
    from winsvc._values.status import LockStatus, ServiceInfo, ServiceStatus
    from winsvc._values.stopreason import (
        StopFlag,
        StopMajor,
        StopMinor,
        StopReason,
    )
    from winsvc.enums import (
        AcceptedControls,
        ActionType,
        ConfigLevel,
        Control,
        DesktopAccess,
        DesktopFlags,
        ErrorCode,
        ErrorControl,
        LaunchProtection,
        ManagerAccess,
        Notify,
        SecurityInformation,
        ServiceAccess,
        ServiceFlags,
        ServiceType,
        SidType,
        StartReason,
        StartType,
        State,
        StateFilter,
        TriggerAction,
        TriggerDataType,
        TriggerType,
        UserObjectInformation,
        WindowStationAccess,
        WindowStationCreation,
        WindowStationFlags,
    )
    from winsvc.errors import (
        AccessDeniedError,
        AlreadyExistsError,
        ArgumentError,
        CascadeError,
        CascadeStep,
        ControlRefusedError,
        DatabaseLockedError,
        DatabaseNotFoundError,
        DependentServicesRunningError,
        HandleClosedError,
        InvalidArgumentError,
        InvalidNameError,
        MachineUnreachableError,
        MarkedForDeleteError,
        NotFoundError,
        ObjectInUseError,
        ServiceAlreadyRunningError,
        ServiceDisabledError,
        ServiceError,
        ServiceExistsError,
        ServiceNotActiveError,
        ServiceNotFoundError,
        ServiceStartError,
        UnsupportedError,
        WaitCancelledError,
        WaitTimeoutError,
    )
    from winsvc.security import (
        Ace,
        AceFlags,
        AceType,
        Acl,
        InvalidSecurityError,
        SecurityDescriptor,
        Sid,
        service_sid,
    )
    from winsvc.triggers import (
        Trigger,
        TriggerData,
    )

# Where each name comes from. Importing the package loads none of it: a program that lists services
# loads what that takes when it asks for ServiceManager, and never the rest.
_WHERE = {
    "Account": "winsvc._values.account",
    "AccountKind": "winsvc._values.account",
    "Secret": "winsvc._values.account",
    "command_line": "winsvc._values.commandline",
    "Desktop": "winsvc._desktops.desktop",
    "Window": "winsvc._desktops.desktop",
    "AcceptedControls": "winsvc.enums",
    "ActionType": "winsvc.enums",
    "ConfigLevel": "winsvc.enums",
    "Control": "winsvc.enums",
    "DesktopAccess": "winsvc.enums",
    "DesktopFlags": "winsvc.enums",
    "ErrorCode": "winsvc.enums",
    "ErrorControl": "winsvc.enums",
    "LaunchProtection": "winsvc.enums",
    "ManagerAccess": "winsvc.enums",
    "Notify": "winsvc.enums",
    "SecurityInformation": "winsvc.enums",
    "ServiceAccess": "winsvc.enums",
    "ServiceFlags": "winsvc.enums",
    "ServiceType": "winsvc.enums",
    "SidType": "winsvc.enums",
    "StartReason": "winsvc.enums",
    "StartType": "winsvc.enums",
    "State": "winsvc.enums",
    "StateFilter": "winsvc.enums",
    "TriggerAction": "winsvc.enums",
    "TriggerDataType": "winsvc.enums",
    "TriggerType": "winsvc.enums",
    "UserObjectInformation": "winsvc.enums",
    "WindowStationAccess": "winsvc.enums",
    "WindowStationCreation": "winsvc.enums",
    "WindowStationFlags": "winsvc.enums",
    "AccessDeniedError": "winsvc.errors",
    "AlreadyExistsError": "winsvc.errors",
    "ArgumentError": "winsvc.errors",
    "CascadeError": "winsvc.errors",
    "CascadeStep": "winsvc.errors",
    "ControlRefusedError": "winsvc.errors",
    "DatabaseLockedError": "winsvc.errors",
    "DatabaseNotFoundError": "winsvc.errors",
    "DependentServicesRunningError": "winsvc.errors",
    "HandleClosedError": "winsvc.errors",
    "InvalidArgumentError": "winsvc.errors",
    "InvalidNameError": "winsvc.errors",
    "MachineUnreachableError": "winsvc.errors",
    "MarkedForDeleteError": "winsvc.errors",
    "NotFoundError": "winsvc.errors",
    "ObjectInUseError": "winsvc.errors",
    "ServiceAlreadyRunningError": "winsvc.errors",
    "ServiceDisabledError": "winsvc.errors",
    "ServiceError": "winsvc.errors",
    "ServiceExistsError": "winsvc.errors",
    "ServiceNotActiveError": "winsvc.errors",
    "ServiceNotFoundError": "winsvc.errors",
    "ServiceStartError": "winsvc.errors",
    "UnsupportedError": "winsvc.errors",
    "WaitCancelledError": "winsvc.errors",
    "WaitTimeoutError": "winsvc.errors",
    "DependencyGraph": "winsvc._values.graph",
    "ServiceNode": "winsvc._values.graph_node",
    "ServiceManager": "winsvc._scm.manager",
    "FailureAction": "winsvc._values.config",
    "FailureActions": "winsvc._values.config",
    "LockStatus": "winsvc._values.status",
    "ServiceConfig": "winsvc._values.config",
    "ServiceInfo": "winsvc._values.status",
    "ServiceStatus": "winsvc._values.status",
    "UNCHANGED": "winsvc._values.config",
    "Unchanged": "winsvc._values.config",
    "Dependency": "winsvc._values.dependency",
    "GroupDependency": "winsvc._values.dependency",
    "ServiceDependency": "winsvc._values.dependency",
    "Ace": "winsvc.security",
    "AceFlags": "winsvc.security",
    "AceType": "winsvc.security",
    "Acl": "winsvc.security",
    "InvalidSecurityError": "winsvc.security",
    "SecurityDescriptor": "winsvc.security",
    "Sid": "winsvc.security",
    "service_sid": "winsvc.security",
    "Service": "winsvc._scm.service",
    "ServiceSnapshot": "winsvc._values.snapshot",
    "ServiceSpec": "winsvc._values.settings",
    "Settings": "winsvc._values.settings",
    "StopFlag": "winsvc._values.stopreason",
    "StopMajor": "winsvc._values.stopreason",
    "StopMinor": "winsvc._values.stopreason",
    "StopReason": "winsvc._values.stopreason",
    "Trigger": "winsvc.triggers",
    "TriggerData": "winsvc.triggers",
    "UserObjectFlags": "winsvc._desktops.user_object",
    "CancelToken": "winsvc._scm.waiting",
    "ConfigChanged": "winsvc._scm.watching",
    "ServiceCreated": "winsvc._scm.watching",
    "ServiceDeleted": "winsvc._scm.watching",
    "ServiceEvent": "winsvc._scm.watching",
    "StatusChanged": "winsvc._scm.watching",
    "Watch": "winsvc._scm.watching",
    "WindowStation": "winsvc._desktops.window_station",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "AcceptedControls",
    "AccessDeniedError",
    "Account",
    "AccountKind",
    "Ace",
    "AceFlags",
    "AceType",
    "Acl",
    "ActionType",
    "AlreadyExistsError",
    "ArgumentError",
    "CancelToken",
    "CascadeError",
    "CascadeStep",
    "ConfigChanged",
    "ConfigLevel",
    "Control",
    "ControlRefusedError",
    "DatabaseLockedError",
    "DatabaseNotFoundError",
    "Dependency",
    "DependencyGraph",
    "DependentServicesRunningError",
    "Desktop",
    "DesktopAccess",
    "DesktopFlags",
    "ErrorCode",
    "ErrorControl",
    "FailureAction",
    "FailureActions",
    "GroupDependency",
    "HandleClosedError",
    "InvalidArgumentError",
    "InvalidNameError",
    "InvalidSecurityError",
    "LaunchProtection",
    "LockStatus",
    "MachineUnreachableError",
    "ManagerAccess",
    "MarkedForDeleteError",
    "NotFoundError",
    "Notify",
    "ObjectInUseError",
    "Secret",
    "SecurityDescriptor",
    "SecurityInformation",
    "Service",
    "ServiceAccess",
    "ServiceAlreadyRunningError",
    "ServiceConfig",
    "ServiceCreated",
    "ServiceDeleted",
    "ServiceDependency",
    "ServiceDisabledError",
    "ServiceError",
    "ServiceEvent",
    "ServiceExistsError",
    "ServiceFlags",
    "ServiceInfo",
    "ServiceManager",
    "ServiceNode",
    "ServiceNotActiveError",
    "ServiceNotFoundError",
    "ServiceSnapshot",
    "ServiceSpec",
    "ServiceStartError",
    "ServiceStatus",
    "ServiceType",
    "Settings",
    "Sid",
    "SidType",
    "StartReason",
    "StartType",
    "State",
    "StateFilter",
    "StatusChanged",
    "StopFlag",
    "StopMajor",
    "StopMinor",
    "StopReason",
    "Trigger",
    "TriggerAction",
    "TriggerData",
    "TriggerDataType",
    "TriggerType",
    "UNCHANGED",
    "Unchanged",
    "UnsupportedError",
    "UserObjectFlags",
    "UserObjectInformation",
    "WaitCancelledError",
    "WaitTimeoutError",
    "Watch",
    "Window",
    "WindowStation",
    "WindowStationAccess",
    "WindowStationCreation",
    "WindowStationFlags",
    "command_line",
    "service_sid",
]
