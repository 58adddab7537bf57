"""Query, control, configure and watch Windows services, and window stations and desktops.

::

    from winsvc import ServiceManager, State

    with ServiceManager() as scm:
        for info in scm.services(state=State.RUNNING):
            print(info.name, info.status.pid)

``help(winsvc.ServiceManager)`` describes one name. These are all names:

Services
    ServiceManager: a connection to a machine; lists, opens, creates and watches services.
    Service: an open service; queries, controls and configures it.
    Watch: the events ServiceCreated, ServiceDeleted, StatusChanged and ConfigChanged of services;
    ServiceEvent is the union of them.
    CancelToken: ends waits from another thread.

Values
    ServiceInfo, ServiceStatus, ServiceConfig, ServiceSnapshot, LockStatus: results of queries.
    group_by_template(): a listing, grouped by the templates of per-user services.
    Settings, ServiceSpec: the settings of a service, and a service to create.
    SettingsKeywords, CreateKeywords: the types of the keywords of configure() and create().
    FailureActions, FailureAction, ActionType: the actions of the system when a service fails.
    Trigger, TriggerData: events that start or stop a service.
    Account, AccountKind, Secret: the account of a service, and its password.
    Dependency, ServiceDependency, GroupDependency: an entry of a service's dependencies.
    DependencyGraph, ServiceNode: the dependencies of all services of a machine.
    StopReason, StopMajor, StopMinor: the reason of a stop, for the event log.
    UNCHANGED, Unchanged: a setting that keeps its value.
    Duration: the type of a timeout: a timedelta, or a number of seconds.
    command_line(): quotes a program and its arguments.
    is_elevated(): returns whether this process runs with administrator rights.

Enumerations
    State, StateFilter, ServiceType, StartType, ErrorControl, Control, AcceptedControls, SidType,
    LaunchProtection, ErrorCode; winsvc.enums has more.
    Rights: ServiceAccess, ManagerAccess, DesktopAccess, WindowStationAccess.

Security
    SecurityDescriptor, SecurityInformation, Sid, NULL_ACL, service_sid(); winsvc.security has more.

Window stations and desktops
    WindowStation, Desktop, Window.

Errors
    WinsvcError is the base class. winsvc.errors describes the errors and has a few more.
    ValidationError and InvalidSecurityError: an argument is invalid; nothing was called.
    Win32Error: a Windows call has failed. Its subclasses:
    AccessDeniedError, CascadeError, ControlRefusedError, DependentServicesRunningError,
    GroupNotFoundError, HandleClosedError, InvalidNameError, InvalidParameterError,
    MachineUnreachableError, MarkedForDeleteError, NotFoundError, ProgramNotFoundError,
    ServiceAlreadyRunningError, ServiceDisabledError, ServiceExistsError, ServiceNotActiveError,
    ServiceNotFoundError, UnsupportedError, and
    WaitError, with ServiceRestartedError, ServiceStartError, ServiceStoppedError,
    WaitCancelledError and WaitTimeoutError: a wait has failed.

Other modules: winsvc.aio (the same for asyncio and trio), winsvc.host (programs that are services),
winsvc.testing (a simulated machine), winsvc.win32service (a replacement for pywin32's module).

The logger "winsvc" reports each call at DEBUG and each change at INFO.
"""

# The public names of each module; ``__init__.pyi`` has the same for type checkers. Importing the
# package loads no module: each is loaded when one of its names is first used.
# fmt: off
_EXPORTS = {
    "winsvc._desktops.desktop": ("Desktop", "Window"),
    "winsvc._desktops.window_station": ("WindowStation",),
    "winsvc._scm.manager": ("ServiceManager",),
    "winsvc._scm.process": ("is_elevated",),
    "winsvc._scm.service": ("Service",),
    "winsvc._scm.waiting": ("CancelToken",),
    "winsvc._scm.watching": (
        "ConfigChanged", "ServiceCreated", "ServiceDeleted", "ServiceEvent", "StatusChanged",
        "Watch",
    ),
    "winsvc._util.durations": ("Duration",),
    "winsvc._values.account": ("Account", "AccountKind", "Secret"),
    "winsvc._values.commandline": ("command_line",),
    "winsvc._values.config": (
        "FailureAction", "FailureActions", "ServiceConfig", "UNCHANGED", "Unchanged",
    ),
    "winsvc._values.dependency": ("Dependency", "GroupDependency", "ServiceDependency"),
    "winsvc._values.graph": ("DependencyGraph",),
    "winsvc._values.graph_node": ("ServiceNode",),
    "winsvc._values.settings": ("CreateKeywords", "ServiceSpec", "Settings", "SettingsKeywords"),
    "winsvc._values.snapshot": ("ServiceSnapshot",),
    "winsvc._values.status": ("LockStatus", "ServiceInfo", "ServiceStatus", "group_by_template"),
    "winsvc._values.stopreason": ("StopMajor", "StopMinor", "StopReason"),
    "winsvc.enums": (
        "AcceptedControls", "ActionType", "Control", "DesktopAccess", "ErrorCode",
        "ErrorControl", "LaunchProtection", "ManagerAccess", "SecurityInformation",
        "ServiceAccess", "ServiceType", "SidType", "StartType", "State", "StateFilter",
        "WindowStationAccess",
    ),
    "winsvc.errors": (
        "AccessDeniedError", "CascadeError", "ControlRefusedError",
        "DependentServicesRunningError", "GroupNotFoundError", "HandleClosedError",
        "InvalidNameError", "InvalidParameterError", "MachineUnreachableError",
        "MarkedForDeleteError", "NotFoundError", "ProgramNotFoundError",
        "ServiceAlreadyRunningError", "ServiceDisabledError", "ServiceExistsError",
        "ServiceNotActiveError", "ServiceNotFoundError", "ServiceRestartedError",
        "ServiceStartError", "ServiceStoppedError", "UnsupportedError", "ValidationError",
        "WaitCancelledError", "WaitError", "WaitTimeoutError", "Win32Error", "WinsvcError",
    ),
    "winsvc.security": (
        "InvalidSecurityError", "NULL_ACL", "SecurityDescriptor", "Sid", "service_sid",
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
    import sys

    # pydoc would describe each class in full: 18,000 lines. The docstring lists the names.
    caller = sys._getframe(1)
    for _ in range(3):
        if caller.f_globals["__name__"] == "pydoc":
            return ["__doc__"]
        if caller.f_back is None:
            break
        caller = caller.f_back
    return __all__
