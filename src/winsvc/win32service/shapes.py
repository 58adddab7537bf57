"""The types of arguments and results.

On Windows a field of type str is always a text. On Wine, pywin32 and this module return None for a
display name that was never set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, SupportsIndex, SupportsInt, TypeAlias, TypedDict

if TYPE_CHECKING:
    from uuid import UUID

__all__ = [
    "ENUM_SERVICE_STATUS",
    "ENUM_SERVICE_STATUS_PROCESS",
    "QUERY_SERVICE_CONFIG",
    "SERVICE_FAILURE_ACTIONS",
    "SERVICE_PREFERRED_NODE",
    "SERVICE_STATUS",
    "SERVICE_STATUS_PROCESS",
    "SERVICE_TRIGGER",
    "USEROBJECTFLAGS",
    "Config2",
    "FailureActionsToSet",
    "HandleArgument",
    "SecurityAttributesLike",
    "SecurityDescriptorLike",
    "TriggerToSet",
    "UserObjectFlagsToSet",
]

HandleArgument: TypeAlias = SupportsInt | SupportsIndex | None
"""A handle of this module or of pywin32, its number, or None for NULL."""

SERVICE_STATUS: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Type, state, accepted controls, exit code, service-specific exit code, check point, wait hint."""

ENUM_SERVICE_STATUS: TypeAlias = tuple[str, str, SERVICE_STATUS]
"""Key name, display name, status."""

QUERY_SERVICE_CONFIG: TypeAlias = tuple[int, int, int, str, str, int, list[str], str, str]
"""Type, start type, error control, path, group, tag, dependencies, account, display name."""


class SERVICE_STATUS_PROCESS(TypedDict):
    """The result of :func:`QueryServiceStatusEx`."""

    ServiceType: int
    CurrentState: int
    ControlsAccepted: int
    Win32ExitCode: int
    ServiceSpecificExitCode: int
    CheckPoint: int
    WaitHint: int
    ProcessId: int
    ServiceFlags: int


class ENUM_SERVICE_STATUS_PROCESS(SERVICE_STATUS_PROCESS):
    """A service in the result of :func:`EnumServicesStatusEx`."""

    ServiceName: str
    DisplayName: str


class SERVICE_FAILURE_ACTIONS(TypedDict):
    """``SERVICE_CONFIG_FAILURE_ACTIONS`` as returned."""

    ResetPeriod: int  # seconds; -1: never
    RebootMsg: str | None
    Command: str | None
    Actions: tuple[tuple[int, int], ...]  # (type, delay in milliseconds)


class FailureActionsToSet(TypedDict):
    """``SERVICE_CONFIG_FAILURE_ACTIONS`` as an argument: None keeps a value."""

    ResetPeriod: int
    RebootMsg: str | None
    Command: str | None
    Actions: Iterable[tuple[int, int]] | None


class SERVICE_TRIGGER(TypedDict):
    """A trigger of ``SERVICE_CONFIG_TRIGGER_INFO`` as returned."""

    TriggerType: int
    Action: int
    TriggerSubtype: str | None  # a GUID with its braces
    DataItems: tuple[tuple[int, bytes], ...]  # (type, data)


class TriggerToSet(TypedDict):
    """A trigger of ``SERVICE_CONFIG_TRIGGER_INFO`` as an argument."""

    TriggerType: int
    Action: int
    TriggerSubtype: str | UUID | None
    DataItems: Iterable[tuple[int, bytes]]


class SERVICE_PREFERRED_NODE(TypedDict):
    """``SERVICE_CONFIG_PREFERRED_NODE``."""

    PreferredNode: int
    Delete: bool


Config2: TypeAlias = (
    str
    | SERVICE_FAILURE_ACTIONS
    | bool
    | int
    | list[str]
    | tuple[SERVICE_TRIGGER, ...]
    | SERVICE_PREFERRED_NODE
    | None
)
"""The result of :func:`QueryServiceConfig2` for a level that a type checker does not know."""


class USEROBJECTFLAGS(TypedDict):
    """``UOI_FLAGS`` as returned."""

    Inherit: bool
    Reserved: bool
    Flags: int


class UserObjectFlagsToSet(TypedDict):
    """``UOI_FLAGS`` as an argument."""

    Inherit: int
    Reserved: int
    Flags: int


class SecurityDescriptorLike(Protocol):
    """A security descriptor of pywin32 or of this module."""

    def IsValid(self) -> bool: ...

    def IsSelfRelative(self) -> bool: ...


class SecurityAttributesLike(Protocol):
    """The interface of pywin32's ``PySECURITY_ATTRIBUTES``."""

    @property
    def bInheritHandle(self) -> int: ...

    @property
    def SECURITY_DESCRIPTOR(self) -> SecurityDescriptorLike | None: ...
