"""Windows services, and window stations and desktops, with types.

::

    from winsvc import ServiceManager, State

    with ServiceManager() as scm:
        for info in scm.services(state=State.RUNNING):
            print(info.name, info.status.pid)
"""

from __future__ import annotations

from winsvc.enums import (
    AcceptedControls,
    ActionType,
    ConfigLevel,
    Control,
    DesktopAccess,
    ErrorCode,
    ErrorControl,
    LaunchProtection,
    ManagerAccess,
    Notify,
    OpenEnum,
    OpenFlag,
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
    WindowStationFlags,
)
from winsvc.errors import (
    AccessDeniedError,
    AlreadyExistsError,
    ArgumentError,
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
    ServiceAlreadyRunningError,
    ServiceDisabledError,
    ServiceError,
    ServiceExistsError,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceStartError,
    UnsupportedError,
    WaitTimeoutError,
)
from winsvc.manager import (
    ServiceManager,
)
from winsvc.models import (
    ServiceConfig,
    ServiceInfo,
    ServiceStatus,
)
from winsvc.service import (
    Service,
)

__all__ = [
    "AcceptedControls",
    "AccessDeniedError",
    "ActionType",
    "AlreadyExistsError",
    "ArgumentError",
    "ConfigLevel",
    "Control",
    "ControlRefusedError",
    "DatabaseLockedError",
    "DatabaseNotFoundError",
    "DependentServicesRunningError",
    "DesktopAccess",
    "ErrorCode",
    "ErrorControl",
    "HandleClosedError",
    "InvalidArgumentError",
    "InvalidNameError",
    "LaunchProtection",
    "MachineUnreachableError",
    "ManagerAccess",
    "MarkedForDeleteError",
    "NotFoundError",
    "Notify",
    "OpenEnum",
    "OpenFlag",
    "SecurityInformation",
    "Service",
    "ServiceAccess",
    "ServiceAlreadyRunningError",
    "ServiceConfig",
    "ServiceDisabledError",
    "ServiceError",
    "ServiceExistsError",
    "ServiceFlags",
    "ServiceInfo",
    "ServiceManager",
    "ServiceNotActiveError",
    "ServiceNotFoundError",
    "ServiceStartError",
    "ServiceStatus",
    "ServiceType",
    "SidType",
    "StartReason",
    "StartType",
    "State",
    "StateFilter",
    "TriggerAction",
    "TriggerDataType",
    "TriggerType",
    "UnsupportedError",
    "UserObjectInformation",
    "WaitTimeoutError",
    "WindowStationAccess",
    "WindowStationFlags",
]
