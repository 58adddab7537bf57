"""Enumerations and flags of the service and window-station API.

The values are literals, so that this module can be imported on every system; a test compares each
member with the constant that the C compiler supplies.

Every type is *open*: it keeps a value or a bit that this version does not know, displays it as
``UNKNOWN_0x...`` and writes it back unchanged. So a query does not fail on a newer Windows.

Members are ints, and ``str()`` returns their names: ``RUNNING``, ``QUERY_STATUS | START``. A format
specification with a type for numbers formats the number (``f"{state:d}"``, ``f"{rights:#x}"``); any
other one formats the name (``f"{state:<15}"``).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, IntFlag
from typing import Final, TypeVar

from winsvc._public import publish

__all__ = [
    "AcceptedControls",
    "ActionType",
    "ConfigLevel",
    "Control",
    "DesktopAccess",
    "DesktopFlags",
    "ErrorCode",
    "ErrorControl",
    "EventType",
    "LaunchProtection",
    "ManagerAccess",
    "Notify",
    "PENDING_STATES",
    "OpenEnum",
    "OpenFlag",
    "SecurityInformation",
    "ServiceAccess",
    "ServiceFlags",
    "ServiceType",
    "SidType",
    "StartReason",
    "StartType",
    "State",
    "StateFilter",
    "TriggerAction",
    "TriggerDataType",
    "TriggerType",
    "UserObjectInformation",
    "WindowStationAccess",
    "WindowStationCreation",
    "WindowStationFlags",
]


_NUMBER_FORMATS: Final = frozenset("bcdnoxXeEfFgG%")


def _format(member: int, spec: str) -> str:
    return format(int(member) if spec[-1:] in _NUMBER_FORMATS else str(member), spec)


class OpenEnum(IntEnum):
    """An :class:`enum.IntEnum` that keeps values without a name."""

    def __format__(self, spec: str) -> str:
        return _format(self, spec)

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value:#x}"
        member._value_ = value
        return member

    def __str__(self) -> str:
        return self.name

    def __reduce_ex__(self, protocol: object) -> tuple[type[OpenEnum], tuple[int]]:
        return type(self), (self._value_,)  # by value: an unknown member cannot be found by name


class OpenFlag(IntFlag):
    """An :class:`enum.IntFlag`, which keeps bits without a name."""

    def __format__(self, spec: str) -> str:
        return _format(self, spec)

    def __str__(self) -> str:
        if self.name is not None and self.name in type(self).__members__:
            return self.name
        names, rest = single_bits(self)
        return " | ".join([*names, f"UNKNOWN_{rest:#x}"] if rest else names) or "0"


def single_bits(value: OpenFlag) -> tuple[list[str], int]:
    """Return the names of the bits, without combinations, and the bits that have no name."""
    names = []
    rest = int(value)
    for name, member in type(value).__members__.items():
        bit = member.value
        if bit & (bit - 1) == 0 and rest & bit:
            names.append(name)
            rest &= ~bit
    return names, rest


def rights_text(access: OpenFlag) -> str:
    """Return ``ServiceAccess.START`` or ``ServiceAccess.QUERY_STATUS | START``."""
    return f"{type(access).__name__}.{access}"


E = TypeVar("E")
_MOST_MEMBERS: Final = 1024


class MemberCache(dict[int, E]):
    """The members of an enumeration by number: ten times faster than a call of the class."""

    def __init__(self, kind: Callable[[int], E]) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, number: int) -> E:
        member = self._kind(number)
        if len(self) < _MOST_MEMBERS:
            self[number] = member
        return member


class ServiceType(OpenFlag):
    """The kind of a service or driver (``SERVICE_WIN32_OWN_PROCESS`` and others)."""

    KERNEL_DRIVER = 0x001
    FILE_SYSTEM_DRIVER = 0x002
    ADAPTER = 0x004
    RECOGNIZER_DRIVER = 0x008
    OWN_PROCESS = 0x010
    SHARE_PROCESS = 0x020
    USER_SERVICE = 0x040
    USER_SERVICE_INSTANCE = 0x080
    INTERACTIVE_PROCESS = 0x100
    PKG_SERVICE = 0x200

    DRIVER = 0x00B
    WIN32 = 0x030
    USER_OWN_PROCESS = 0x050
    USER_SHARE_PROCESS = 0x060
    ALL = 0x3FF


class State(OpenEnum):
    """The state of a service (``SERVICE_STATUS.dwCurrentState``)."""

    STOPPED = 1
    START_PENDING = 2
    STOP_PENDING = 3
    RUNNING = 4
    CONTINUE_PENDING = 5
    PAUSE_PENDING = 6
    PAUSED = 7


PENDING_STATES: Final = frozenset(
    {State.START_PENDING, State.STOP_PENDING, State.CONTINUE_PENDING, State.PAUSE_PENDING}
)
"""The states in which a service is between two settled states."""


class StateFilter(OpenFlag):
    """The services that a listing returns (``SERVICE_ACTIVE``: every state except stopped)."""

    ACTIVE = 1
    INACTIVE = 2
    ALL = 3


class StartType(OpenEnum):
    """The time at which a service or driver is started.

    A delayed automatic start is ``AUTOMATIC`` with the setting ``delayed_auto_start``.
    """

    BOOT = 0
    SYSTEM = 1
    AUTOMATIC = 2
    MANUAL = 3
    DISABLED = 4


class ErrorControl(OpenEnum):
    """The severity of a failed start while the system boots."""

    IGNORE = 0
    NORMAL = 1
    SEVERE = 2
    CRITICAL = 3


class EventType(OpenEnum):
    """The type of an event log entry (``EVENTLOG_ERROR_TYPE`` and others)."""

    SUCCESS = 0
    ERROR = 1
    WARNING = 2
    INFORMATION = 4
    AUDIT_SUCCESS = 8
    AUDIT_FAILURE = 16


class Control(OpenEnum):
    """A control code. Services define the codes 128 to 255 themselves (``Control(128)``)."""

    STOP = 1
    PAUSE = 2
    CONTINUE = 3
    INTERROGATE = 4
    SHUTDOWN = 5
    PARAM_CHANGE = 6
    NETBIND_ADD = 7
    NETBIND_REMOVE = 8
    NETBIND_ENABLE = 9
    NETBIND_DISABLE = 10
    DEVICE_EVENT = 11
    HARDWARE_PROFILE_CHANGE = 12
    POWER_EVENT = 13
    SESSION_CHANGE = 14
    PRESHUTDOWN = 15
    TIME_CHANGE = 16
    TRIGGER_EVENT = 32
    LOW_RESOURCES = 96
    SYSTEM_LOW_RESOURCES = 97


class AcceptedControls(OpenFlag):
    """The controls that a service accepts (``dwControlsAccepted``)."""

    STOP = 0x001
    PAUSE_CONTINUE = 0x002
    SHUTDOWN = 0x004
    PARAM_CHANGE = 0x008
    NETBIND_CHANGE = 0x010
    HARDWARE_PROFILE_CHANGE = 0x020
    POWER_EVENT = 0x040
    SESSION_CHANGE = 0x080
    PRESHUTDOWN = 0x100
    TIME_CHANGE = 0x200
    TRIGGER_EVENT = 0x400
    USER_LOGOFF = 0x800
    LOW_RESOURCES = 0x2000
    SYSTEM_LOW_RESOURCES = 0x4000


class ServiceFlags(OpenFlag):
    """Flags of a service's process (``SERVICE_STATUS_PROCESS.dwServiceFlags``)."""

    RUNS_IN_SYSTEM_PROCESS = 1


class ManagerAccess(OpenFlag):
    """Rights to the service control manager's database."""

    CONNECT = 0x0001
    CREATE_SERVICE = 0x0002
    ENUMERATE_SERVICE = 0x0004
    LOCK = 0x0008
    QUERY_LOCK_STATUS = 0x0010
    MODIFY_BOOT_CONFIG = 0x0020
    ALL_ACCESS = 0xF003F

    DELETE = 0x10000
    READ_CONTROL = 0x20000
    WRITE_DAC = 0x40000
    WRITE_OWNER = 0x80000
    ACCESS_SYSTEM_SECURITY = 0x01000000
    MAXIMUM_ALLOWED = 0x02000000
    GENERIC_ALL = 0x10000000
    GENERIC_EXECUTE = 0x20000000
    GENERIC_WRITE = 0x40000000
    GENERIC_READ = 0x80000000


class ServiceAccess(OpenFlag):
    """Rights to one service."""

    QUERY_CONFIG = 0x0001
    CHANGE_CONFIG = 0x0002
    QUERY_STATUS = 0x0004
    ENUMERATE_DEPENDENTS = 0x0008
    START = 0x0010
    STOP = 0x0020
    PAUSE_CONTINUE = 0x0040
    INTERROGATE = 0x0080
    USER_DEFINED_CONTROL = 0x0100
    ALL_ACCESS = 0xF01FF

    DELETE = 0x10000
    READ_CONTROL = 0x20000
    WRITE_DAC = 0x40000
    WRITE_OWNER = 0x80000
    ACCESS_SYSTEM_SECURITY = 0x01000000
    MAXIMUM_ALLOWED = 0x02000000
    GENERIC_ALL = 0x10000000
    GENERIC_EXECUTE = 0x20000000
    GENERIC_WRITE = 0x40000000
    GENERIC_READ = 0x80000000


class SecurityInformation(OpenFlag):
    """The parts of a security descriptor that a call reads or writes."""

    OWNER = 0x01
    GROUP = 0x02
    DACL = 0x04
    SACL = 0x08
    LABEL = 0x10
    ATTRIBUTE = 0x20
    SCOPE = 0x40
    BACKUP = 0x10000
    UNPROTECTED_SACL = 0x10000000
    UNPROTECTED_DACL = 0x20000000
    PROTECTED_SACL = 0x40000000
    PROTECTED_DACL = 0x80000000


OWNER_GROUP_DACL: Final = (
    SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL
)
"""The parts of a security descriptor that can be read with the right ``READ_CONTROL``."""


class ConfigLevel(OpenEnum):
    """The levels of ``QueryServiceConfig2`` and ``ChangeServiceConfig2``."""

    DESCRIPTION = 1
    FAILURE_ACTIONS = 2
    DELAYED_AUTO_START_INFO = 3
    FAILURE_ACTIONS_FLAG = 4
    SERVICE_SID_INFO = 5
    REQUIRED_PRIVILEGES_INFO = 6
    PRESHUTDOWN_INFO = 7
    TRIGGER_INFO = 8
    PREFERRED_NODE = 9
    LAUNCH_PROTECTED = 12


class ActionType(OpenEnum):
    """An action of the SCM when a service fails (``SC_ACTION_TYPE``)."""

    NONE = 0
    RESTART = 1
    REBOOT = 2
    RUN_COMMAND = 3


class SidType(OpenEnum):
    """The presence of the service's own SID in its process token."""

    NONE = 0
    UNRESTRICTED = 1
    RESTRICTED = 3


class LaunchProtection(OpenEnum):
    """The kind of protected process that a service runs in."""

    NONE = 0
    WINDOWS = 1
    WINDOWS_LIGHT = 2
    ANTIMALWARE_LIGHT = 3


class TriggerType(OpenEnum):
    """The event of a trigger."""

    DEVICE_INTERFACE_ARRIVAL = 1
    IP_ADDRESS_AVAILABILITY = 2
    DOMAIN_JOIN = 3
    FIREWALL_PORT_EVENT = 4
    GROUP_POLICY = 5
    NETWORK_ENDPOINT = 6
    CUSTOM_SYSTEM_STATE_CHANGE = 7
    CUSTOM = 20
    AGGREGATE = 30


class TriggerAction(OpenEnum):
    """The effect of a trigger on its service."""

    SERVICE_START = 1
    SERVICE_STOP = 2


class TriggerDataType(OpenEnum):
    """The format of a trigger's data item."""

    BINARY = 1
    STRING = 2
    LEVEL = 3
    KEYWORD_ANY = 4
    KEYWORD_ALL = 5


class StartReason(OpenFlag):
    """The reason for the start of a running service (``SERVICE_START_REASON``)."""

    DEMAND = 0x01
    AUTO = 0x02
    TRIGGER = 0x04
    RESTART_ON_FAILURE = 0x08
    DELAYED_AUTO = 0x10


class Notify(OpenFlag):
    """The events of ``NotifyServiceStatusChange``."""

    STOPPED = 0x001
    START_PENDING = 0x002
    STOP_PENDING = 0x004
    RUNNING = 0x008
    CONTINUE_PENDING = 0x010
    PAUSE_PENDING = 0x020
    PAUSED = 0x040
    CREATED = 0x080
    DELETED = 0x100
    DELETE_PENDING = 0x200


class WindowStationAccess(OpenFlag):
    """Rights to a window station."""

    ENUM_DESKTOPS = 0x0001
    READ_ATTRIBUTES = 0x0002
    ACCESS_CLIPBOARD = 0x0004
    CREATE_DESKTOP = 0x0008
    WRITE_ATTRIBUTES = 0x0010
    ACCESS_GLOBAL_ATOMS = 0x0020
    EXIT_WINDOWS = 0x0040
    ENUMERATE = 0x0100
    READ_SCREEN = 0x0200
    ALL_ACCESS = 0x037F

    DELETE = 0x10000
    READ_CONTROL = 0x20000
    WRITE_DAC = 0x40000
    WRITE_OWNER = 0x80000
    ACCESS_SYSTEM_SECURITY = 0x01000000
    MAXIMUM_ALLOWED = 0x02000000
    GENERIC_ALL = 0x10000000
    GENERIC_EXECUTE = 0x20000000
    GENERIC_WRITE = 0x40000000
    GENERIC_READ = 0x80000000


class DesktopAccess(OpenFlag):
    """Rights to a desktop."""

    READ_OBJECTS = 0x0001
    CREATE_WINDOW = 0x0002
    CREATE_MENU = 0x0004
    HOOK_CONTROL = 0x0008
    JOURNAL_RECORD = 0x0010
    JOURNAL_PLAYBACK = 0x0020
    ENUMERATE = 0x0040
    WRITE_OBJECTS = 0x0080
    SWITCH_DESKTOP = 0x0100

    DELETE = 0x10000
    READ_CONTROL = 0x20000
    WRITE_DAC = 0x40000
    WRITE_OWNER = 0x80000
    ACCESS_SYSTEM_SECURITY = 0x01000000
    MAXIMUM_ALLOWED = 0x02000000
    GENERIC_ALL = 0x10000000
    GENERIC_EXECUTE = 0x20000000
    GENERIC_WRITE = 0x40000000
    GENERIC_READ = 0x80000000


class UserObjectInformation(OpenEnum):
    """The kinds of information of ``GetUserObjectInformation``."""

    FLAGS = 1
    NAME = 2
    TYPE = 3
    USER_SID = 4
    HEAP_SIZE = 5
    IO = 6


class WindowStationFlags(OpenFlag):
    """Flags of a window station (``USEROBJECTFLAGS.dwFlags``)."""

    VISIBLE = 1


class WindowStationCreation(OpenFlag):
    """Flags for the creation of a window station (``CWF_CREATE_ONLY``)."""

    CREATE_ONLY = 1


class DesktopFlags(OpenFlag):
    """Flags of a desktop and of a call that opens one (``USEROBJECTFLAGS.dwFlags``)."""

    ALLOW_OTHER_ACCOUNT_HOOK = 1


class ErrorCode(OpenEnum):
    """The Windows error codes of the service and window-station calls."""

    INVALID_FUNCTION = 1
    FILE_NOT_FOUND = 2
    PATH_NOT_FOUND = 3
    ACCESS_DENIED = 5
    INVALID_HANDLE = 6
    NOT_ENOUGH_MEMORY = 8
    GEN_FAILURE = 31
    NOT_SUPPORTED = 50
    BAD_NETPATH = 53
    INVALID_PARAMETER = 87
    BROKEN_PIPE = 109
    CALL_NOT_IMPLEMENTED = 120
    INSUFFICIENT_BUFFER = 122
    INVALID_NAME = 123
    INVALID_LEVEL = 124
    PROC_NOT_FOUND = 127
    BAD_PATHNAME = 161
    BUSY = 170
    ALREADY_EXISTS = 183
    BAD_EXE_FORMAT = 193
    FILENAME_EXCED_RANGE = 206
    MORE_DATA = 234
    INVALID_ADDRESS = 487
    DEPENDENT_SERVICES_RUNNING = 1051
    INVALID_SERVICE_CONTROL = 1052
    SERVICE_REQUEST_TIMEOUT = 1053
    SERVICE_NO_THREAD = 1054
    SERVICE_DATABASE_LOCKED = 1055
    SERVICE_ALREADY_RUNNING = 1056
    INVALID_SERVICE_ACCOUNT = 1057
    SERVICE_DISABLED = 1058
    CIRCULAR_DEPENDENCY = 1059
    SERVICE_DOES_NOT_EXIST = 1060
    SERVICE_CANNOT_ACCEPT_CTRL = 1061
    SERVICE_NOT_ACTIVE = 1062
    FAILED_SERVICE_CONTROLLER_CONNECT = 1063
    EXCEPTION_IN_SERVICE = 1064
    DATABASE_DOES_NOT_EXIST = 1065
    SERVICE_SPECIFIC_ERROR = 1066
    PROCESS_ABORTED = 1067
    SERVICE_DEPENDENCY_FAIL = 1068
    SERVICE_LOGON_FAILED = 1069
    SERVICE_START_HANG = 1070
    INVALID_SERVICE_LOCK = 1071
    SERVICE_MARKED_FOR_DELETE = 1072
    SERVICE_EXISTS = 1073
    ALREADY_RUNNING_LKG = 1074
    SERVICE_DEPENDENCY_DELETED = 1075
    BOOT_ALREADY_ACCEPTED = 1076
    SERVICE_NEVER_STARTED = 1077
    DUPLICATE_SERVICE_NAME = 1078
    DIFFERENT_SERVICE_ACCOUNT = 1079
    SERVICE_NOT_IN_EXE = 1083
    SHUTDOWN_IN_PROGRESS = 1115
    NOT_FOUND = 1168
    CANCELLED = 1223
    ALREADY_REGISTERED = 1242
    SERVICE_NOTIFY_CLIENT_LAGGING = 1294
    INVALID_OWNER = 1307
    INVALID_PRIMARY_GROUP = 1308
    PRIVILEGE_NOT_HELD = 1314
    LOGON_FAILURE = 1326
    NONE_MAPPED = 1332
    INVALID_SID = 1337
    INVALID_SECURITY_DESCR = 1338
    INVALID_WINDOW_HANDLE = 1400
    TIMEOUT = 1460
    RPC_INVALID_NET_ADDR = 1707
    RPC_SERVER_UNAVAILABLE = 1722
    RPC_SERVER_TOO_BUSY = 1723
    RPC_CALL_FAILED = 1726
    RPC_CALL_FAILED_DNE = 1727
    RPC_INVALID_TAG = 1733
    RPC_ENDPOINT_NOT_REGISTERED = 1753
    RPC_BAD_STUB_DATA = 1783
    INVALID_STATE = 5023
    MUI_FILE_NOT_FOUND = 15100


publish(__name__)
