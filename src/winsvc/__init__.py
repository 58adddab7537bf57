"""Windows services, and window stations and desktops, with types.

::

    from winsvc import ServiceManager, State

    with ServiceManager() as scm:
        for info in scm.services(state=State.RUNNING):
            print(info.name, info.status.pid)

``winsvc.__version__`` is the version of the installed distribution.
"""

# The public names of each module; ``__init__.pyi`` has the same for type checkers. Importing the
# package loads no module: each is loaded when one of its names is first used.
# fmt: off
_EXPORTS = {
    "winsvc._desktops.desktop": ("Desktop", "Window"),
    "winsvc._desktops.user_object": ("UserObjectFlags",),
    "winsvc._desktops.window_station": ("WindowStation",),
    "winsvc._scm.manager": ("ServiceManager",),
    "winsvc._scm.process": ("is_elevated",),
    "winsvc._scm.service": ("Service",),
    "winsvc._scm.waiting": ("CancelToken",),
    "winsvc._scm.watching": (
        "ConfigChanged", "ServiceCreated", "ServiceDeleted", "ServiceEvent", "StatusChanged",
        "Watch",
    ),
    "winsvc._values.account": ("Account", "AccountKind", "Secret"),
    "winsvc._values.commandline": ("command_line",),
    "winsvc._values.config": (
        "FailureAction", "FailureActions", "ServiceConfig", "UNCHANGED", "Unchanged",
    ),
    "winsvc._values.dependency": ("Dependency", "GroupDependency", "ServiceDependency"),
    "winsvc._values.graph": ("DependencyGraph",),
    "winsvc._values.graph_node": ("ServiceNode",),
    "winsvc._values.settings": ("ServiceSpec", "Settings"),
    "winsvc._values.snapshot": ("ServiceSnapshot",),
    "winsvc._values.status": ("LockStatus", "ServiceInfo", "ServiceStatus"),
    "winsvc._values.stopreason": ("StopFlag", "StopMajor", "StopMinor", "StopReason"),
    "winsvc.enums": (
        "AcceptedControls", "ActionType", "ConfigLevel", "Control", "DesktopAccess",
        "DesktopFlags", "ErrorCode", "ErrorControl", "LaunchProtection", "ManagerAccess",
        "Notify", "SecurityInformation", "ServiceAccess", "ServiceFlags", "ServiceType",
        "SidType", "StartReason", "StartType", "State", "StateFilter", "TriggerAction",
        "TriggerDataType", "TriggerType", "UserObjectInformation", "WindowStationAccess",
        "WindowStationCreation", "WindowStationFlags",
    ),
    "winsvc.errors": (
        "AccessDeniedError", "AlreadyExistsError", "ValidationError", "CascadeError",
        "CascadeStep", "ControlRefusedError", "DatabaseLockedError", "DatabaseNotFoundError",
        "DependentServicesRunningError", "HandleClosedError", "InvalidParameterError",
        "InvalidNameError", "MachineUnreachableError", "MarkedForDeleteError", "NotFoundError",
        "ObjectInUseError", "ServiceAlreadyRunningError", "ServiceDisabledError",
        "Win32Error", "ServiceExistsError", "ServiceNotActiveError", "ServiceNotFoundError",
        "ServiceStartError", "UnsupportedError", "WaitCancelledError", "WaitTimeoutError",
    ),
    "winsvc.security": (
        "Ace", "AceFlags", "AceType", "Acl", "InvalidSecurityError", "SecurityDescriptor",
        "Sid", "service_sid",
    ),
    "winsvc.triggers": ("Trigger", "TriggerData"),
}
# fmt: on
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    value: object
    if name == "__version__":
        from importlib.metadata import version  # slower to import than all the rest

        value = version("winsvc-cffi")
    elif name in _MODULES:
        from importlib import import_module

        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
