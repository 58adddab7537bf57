"""The reason for a stop, which ``ControlServiceEx`` writes to the event log."""

from __future__ import annotations

from dataclasses import dataclass

from winsvc._public import publish
from winsvc._util.checks import check_dword, type_error
from winsvc._util.text import check_text
from winsvc.enums import OpenEnum
from winsvc.errors import ValidationError

__all__ = ["StopFlag", "StopMajor", "StopMinor", "StopReason"]

MAX_COMMENT_LENGTH = 127
"""The longest comment, in UTF-16 code units (``SC_MAX_COMMENT_LENGTH`` less its NUL)."""

_FLAGS = 0xF0000000
_MAJORS = 0x00FF0000
_MINORS = 0x0000FFFF
_FIRST_CUSTOM_MAJOR = 0x00400000
_FIRST_CUSTOM_MINOR = 0x00000100


class StopFlag(OpenEnum):
    """The general part of a stop reason (``SERVICE_STOP_REASON_FLAG_*``)."""

    UNPLANNED = 0x10000000
    CUSTOM = 0x20000000
    """The major or the minor reason is a custom value."""
    PLANNED = 0x40000000


class StopMajor(OpenEnum):
    """The subject of a stop (``SERVICE_STOP_REASON_MAJOR_*``).

    Custom values are ``StopMajor(0x400000)`` to ``StopMajor(0xFF0000)`` in steps of 0x10000.
    """

    OTHER = 0x00010000
    HARDWARE = 0x00020000
    OPERATING_SYSTEM = 0x00030000
    SOFTWARE = 0x00040000
    APPLICATION = 0x00050000
    NONE = 0x00060000


class StopMinor(OpenEnum):
    """The cause of a stop (``SERVICE_STOP_REASON_MINOR_*``).

    Custom values are ``StopMinor(0x100)`` to ``StopMinor(0xFFFF)``.
    """

    OTHER = 1
    MAINTENANCE = 2
    INSTALLATION = 3
    UPGRADE = 4
    RECONFIG = 5
    HUNG = 6
    UNSTABLE = 7
    DISK = 8
    NETWORK_CARD = 9
    ENVIRONMENT = 10
    HARDWARE_DRIVER = 11
    OTHER_DRIVER = 12
    SERVICE_PACK = 13
    SOFTWARE_UPDATE = 14
    SECURITY_FIX = 15
    SECURITY = 16
    NETWORK_CONNECTIVITY = 17
    WMI = 18
    SERVICE_PACK_UNINSTALL = 19
    SOFTWARE_UPDATE_UNINSTALL = 20
    SECURITY_FIX_UNINSTALL = 21
    MMC = 22
    NONE = 23
    MEMORY_LIMIT = 24
    """``MEMOTYLIMIT`` in the Windows headers."""


@dataclass(frozen=True, slots=True)
class StopReason:
    """The reason for a stop: one flag, one major and one minor reason, and a comment.

    ``StopReason.planned(StopMajor.SOFTWARE, StopMinor.UPGRADE, "2.0")`` is a planned stop.

    Attributes:
        flag: whether the stop is planned or unplanned, or the reason is a custom value.
        major: the subject. Values without a name are accepted.
        minor: the cause.
        comment: up to 127 characters for the event log; None for no comment.
    """

    flag: StopFlag
    major: StopMajor
    minor: StopMinor
    comment: str | None = None

    def __post_init__(self) -> None:
        for name, kind in (("flag", StopFlag), ("major", StopMajor), ("minor", StopMinor)):
            value = getattr(self, name)
            if isinstance(value, str):
                raise type_error(value, (kind,), name)
            check_dword(value, name)
        if self.flag not in tuple(StopFlag):
            names = ", ".join(member.name for member in StopFlag)
            raise ValidationError("flag", f"must be one of {names}, not {self.flag:#x}")
        if not self.major & _MAJORS or self.major & ~_MAJORS:
            raise ValidationError("major", f"{self.major:#x} is not a major reason")
        if not 1 <= self.minor <= _MINORS:
            raise ValidationError("minor", f"{self.minor:#x} is not a minor reason")
        custom = self.major >= _FIRST_CUSTOM_MAJOR or self.minor >= _FIRST_CUSTOM_MINOR
        if custom and self.flag != StopFlag.CUSTOM:
            raise ValidationError("flag", "must be CUSTOM with a custom major or minor reason")
        if not custom and self.flag == StopFlag.CUSTOM:
            raise ValidationError("flag", "must be PLANNED or UNPLANNED for a Windows reason")
        if self.comment is not None:
            check_text(self.comment, "comment", limit=MAX_COMMENT_LENGTH)

    @classmethod
    def planned(
        cls,
        major: StopMajor = StopMajor.OTHER,
        minor: StopMinor = StopMinor.OTHER,
        comment: str | None = None,
    ) -> StopReason:
        """Return the reason for a planned stop, such as an upgrade.

        Raises:
            ValidationError: a reason is invalid or a custom value, or the comment is too long.
        """
        return cls(StopFlag.PLANNED, major, minor, comment)

    @classmethod
    def unplanned(
        cls,
        major: StopMajor = StopMajor.OTHER,
        minor: StopMinor = StopMinor.OTHER,
        comment: str | None = None,
    ) -> StopReason:
        """Return the reason for an unplanned stop, such as that of a service that hangs.

        Raises:
            ValidationError: a reason is invalid or a custom value, or the comment is too long.
        """
        return cls(StopFlag.UNPLANNED, major, minor, comment)

    @property
    def code(self) -> int:
        """The reason as one number (``dwReason``)."""
        return self.flag | self.major | self.minor

    @classmethod
    def from_code(cls, code: int, comment: str | None = None) -> StopReason:
        """Return the reason from a ``dwReason``.

        Args:
            code: the number.
            comment: up to 127 characters.

        Raises:
            ValidationError: *code* is not one flag, one major and one minor reason, or the comment
                is too long.
        """
        if code & ~(_FLAGS | _MAJORS | _MINORS):
            raise ValidationError("code", f"{code:#x} is not a stop reason")
        return cls(
            StopFlag(code & _FLAGS), StopMajor(code & _MAJORS), StopMinor(code & _MINORS), comment
        )


publish(__name__)
