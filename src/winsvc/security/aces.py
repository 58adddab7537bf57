"""Access control entries (ACEs), access control lists (ACLs) and their flags.

The binary forms are those of [MS-DTYP] 2.4.4 and 2.4.5. An ACE of an unknown type keeps its bytes,
so that each list that was read can be written again.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, overload

from winsvc._util.checks import check_type
from winsvc.enums import OpenEnum, OpenFlag, ServiceAccess
from winsvc.security.sids import (
    InvalidSecurityError,
    Sid,
    SidLike,
    check_range,
    read_sid,
)

__all__ = [
    "NULL_ACL",
    "Ace",
    "AceFlags",
    "AceType",
    "Acl",
    "AclLike",
    "ControlFlags",
    "NullAcl",
    "read_acl",
    "right_names",
]


class AceType(OpenEnum):
    """The type of an ACE (``ACE_HEADER.AceType``)."""

    ALLOWED = 0x00
    DENIED = 0x01
    AUDIT = 0x02
    ALARM = 0x03
    ALLOWED_COMPOUND = 0x04
    ALLOWED_OBJECT = 0x05
    DENIED_OBJECT = 0x06
    AUDIT_OBJECT = 0x07
    ALARM_OBJECT = 0x08
    ALLOWED_CALLBACK = 0x09
    DENIED_CALLBACK = 0x0A
    ALLOWED_CALLBACK_OBJECT = 0x0B
    DENIED_CALLBACK_OBJECT = 0x0C
    AUDIT_CALLBACK = 0x0D
    ALARM_CALLBACK = 0x0E
    AUDIT_CALLBACK_OBJECT = 0x0F
    ALARM_CALLBACK_OBJECT = 0x10
    MANDATORY_LABEL = 0x11
    RESOURCE_ATTRIBUTE = 0x12
    SCOPED_POLICY = 0x13
    PROCESS_TRUST_LABEL = 0x14
    ACCESS_FILTER = 0x15


class AceFlags(OpenFlag):
    """The flags of an ACE: inheritance and auditing (``ACE_HEADER.AceFlags``)."""

    OBJECT_INHERIT = 0x01
    CONTAINER_INHERIT = 0x02
    NO_PROPAGATE = 0x04
    INHERIT_ONLY = 0x08
    INHERITED = 0x10
    CRITICAL = 0x20
    AUDIT_SUCCESS = 0x40
    AUDIT_FAILURE = 0x80


class ControlFlags(OpenFlag):
    """``SECURITY_DESCRIPTOR_CONTROL``."""

    OWNER_DEFAULTED = 0x0001
    GROUP_DEFAULTED = 0x0002
    DACL_PRESENT = 0x0004
    DACL_DEFAULTED = 0x0008
    SACL_PRESENT = 0x0010
    SACL_DEFAULTED = 0x0020
    DACL_TRUSTED = 0x0040
    SERVER_SECURITY = 0x0080
    DACL_AUTO_INHERIT_REQ = 0x0100
    SACL_AUTO_INHERIT_REQ = 0x0200
    DACL_AUTO_INHERITED = 0x0400
    SACL_AUTO_INHERITED = 0x0800
    DACL_PROTECTED = 0x1000
    SACL_PROTECTED = 0x2000
    RM_CONTROL_VALID = 0x4000
    SELF_RELATIVE = 0x8000


_NO_RIGHTS: Final = ServiceAccess(0)
_NO_FLAGS: Final = AceFlags(0)

_OBJECT_TYPES: Final = frozenset(
    {
        AceType.ALLOWED_OBJECT,
        AceType.DENIED_OBJECT,
        AceType.AUDIT_OBJECT,
        AceType.ALARM_OBJECT,
        AceType.ALLOWED_CALLBACK_OBJECT,
        AceType.DENIED_CALLBACK_OBJECT,
        AceType.AUDIT_CALLBACK_OBJECT,
        AceType.ALARM_CALLBACK_OBJECT,
    }
)
_PLAIN_TYPES: Final = frozenset(AceType) - _OBJECT_TYPES - {AceType.ALLOWED_COMPOUND}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ace:
    """An access control entry.

    Attributes:
        type: the type.
        access: the rights. (In a mandatory label: 1 no write up, 2 no read up, 4 no execute up.)
        trustee: the SID; None only in an ACE of an unknown type.
        flags: inheritance and auditing.
        object_data: the flags and GUIDs of an object ACE, in their binary form.
        data: the bytes after the trustee (a condition, a claim); in an ACE of an unknown type, the
            whole body.
    """

    type: AceType
    access: ServiceAccess = _NO_RIGHTS
    trustee: Sid | None = None
    flags: AceFlags = _NO_FLAGS
    object_data: bytes = b""
    data: bytes = b""

    def __post_init__(self) -> None:
        # Accept ints for the enums; object.__setattr__ because the dataclass is frozen.
        put = object.__setattr__
        put(self, "type", AceType(check_range(self.type, 8, "an ACE's type")))
        put(self, "access", ServiceAccess(check_range(self.access, 32, "an ACE's access mask")))
        put(self, "flags", AceFlags(check_range(self.flags, 8, "an ACE's flags")))
        for what, part in (("object_data", self.object_data), ("data", self.data)):
            check_type(part, bytes, f"an ACE's {what}")
            if len(part) % 4:
                raise InvalidSecurityError(f"the size of an ACE's {what} must be a multiple of 4")
        if self.type in _PLAIN_TYPES or self.type in _OBJECT_TYPES:
            self._check_known()
        elif self.trustee is not None or self.access or self.object_data:
            raise InvalidSecurityError(f"an ACE of type {self.type:#x} must have no field but data")

    def _check_known(self) -> None:
        if self.trustee is None:
            raise InvalidSecurityError(f"an ACE of type {self.type.name} must have a trustee")
        check_type(self.trustee, Sid, "an ACE's trustee")
        expected = 0
        if self.type in _OBJECT_TYPES:
            expected = _object_size(self.object_data, 0, len(self.object_data))
        if len(self.object_data) != expected:
            raise InvalidSecurityError(f"an ACE of type {self.type.name}: invalid object_data")

    @classmethod
    def allow(cls, trustee: SidLike, access: ServiceAccess) -> Ace:
        """Return an ACE that allows the rights."""
        return cls(type=AceType.ALLOWED, access=access, trustee=Sid.coerce(trustee))

    @classmethod
    def deny(cls, trustee: SidLike, access: ServiceAccess) -> Ace:
        """Return an ACE that denies the rights."""
        return cls(type=AceType.DENIED, access=access, trustee=Sid.coerce(trustee))

    @classmethod
    def audit(
        cls,
        trustee: SidLike,
        access: ServiceAccess,
        *,
        success: bool = False,
        failure: bool = True,
    ) -> Ace:
        """Return an ACE for a SACL that audits uses of the rights."""
        flags = AceFlags.AUDIT_SUCCESS if success else _NO_FLAGS
        flags |= AceFlags.AUDIT_FAILURE if failure else _NO_FLAGS
        return cls(type=AceType.AUDIT, access=access, trustee=Sid.coerce(trustee), flags=flags)

    @property
    def is_inherited(self) -> bool:
        """Return whether the ACE was inherited from a parent object."""
        return bool(self.flags & AceFlags.INHERITED)

    @property
    def is_object(self) -> bool:
        """Return whether the type has object GUIDs (in directories; never for services)."""
        return self.type in _OBJECT_TYPES

    def to_bytes(self) -> bytes:
        """Return the binary form."""
        body = self.data
        if self.trustee is not None:
            mask = struct.pack("<I", self.access)
            body = mask + self.object_data + self.trustee.to_bytes() + self.data
        size = 4 + len(body)
        if size > 0xFFFF:
            raise InvalidSecurityError(
                f"the size of an ACE must be at most 65535 bytes, not {size}"
            )
        return struct.pack("<BBH", self.type, self.flags, size) + body

    __bytes__ = to_bytes


class NullAcl(enum.Enum):
    """The type of :data:`NULL_ACL`."""

    NULL_ACL = "NULL"

    def __repr__(self) -> str:
        return "NULL_ACL"


NULL_ACL: Final = NullAcl.NULL_ACL
"""A list that is present but null. A null DACL allows all rights to everyone; an empty :class:`Acl`
allows none."""


@dataclass(frozen=True, slots=True)
class Acl(Sequence[Ace]):
    """An access control list: ACEs in the order in which they are applied.

    Attributes:
        aces: the ACEs.
        revision: 2, or 4 with object ACEs; 0 selects the lowest possible one.
    """

    aces: tuple[Ace, ...] = ()
    revision: int = 0

    def __post_init__(self) -> None:
        aces = tuple(self.aces)
        for ace in aces:
            check_type(ace, Ace, "an ACL's entry")
        object.__setattr__(self, "aces", aces)
        if check_range(self.revision, 8, "an ACL's revision") == 0:
            needed = 4 if any(ace.is_object for ace in aces) else 2
            object.__setattr__(self, "revision", needed)
        _check_revision(self.revision)

    def __len__(self) -> int:
        return len(self.aces)

    @overload
    def __getitem__(self, index: int) -> Ace: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Ace, ...]: ...
    def __getitem__(self, index: int | slice) -> Ace | tuple[Ace, ...]:
        return self.aces[index]

    def to_bytes(self) -> bytes:
        """Return the binary form."""
        body = b"".join(ace.to_bytes() for ace in self.aces)
        size = 8 + len(body)
        if size > 0xFFFF:
            raise InvalidSecurityError(
                f"the size of an ACL must be at most 65535 bytes, not {size}"
            )
        return struct.pack("<BBHHH", self.revision, 0, size, len(self.aces), 0) + body

    __bytes__ = to_bytes


AclLike: TypeAlias = Acl | NullAcl


def _check_revision(revision: int) -> None:
    if not 2 <= revision <= 4:
        raise InvalidSecurityError(f"an ACL's revision must be 2, 3 or 4, not {revision}")


def read_acl(data: bytes, start: int, what: str) -> Acl:
    """Decode the ACL at ``start``.

    Raises:
        InvalidSecurityError: the ACL is truncated or malformed; ``what`` names it in the message.
    """
    if start + 8 > len(data):
        raise InvalidSecurityError(
            f"{what} is truncated: it has no room for an ACL at byte {start}"
        )
    revision, _, size, count, _ = struct.unpack_from("<BBHHH", data, start)
    _check_revision(revision)
    end = start + size
    if size < 8 or end > len(data):
        raise InvalidSecurityError(
            f"{what} at byte {start} has a size of {size} bytes; {len(data) - start} bytes follow"
        )
    aces = []
    position = start + 8
    for number in range(count):
        ace, position = _read_ace(data, position, end, f"ACE {number} of {what}")
        aces.append(ace)
    return Acl(tuple(aces), revision)


def _read_ace(data: bytes, start: int, end: int, what: str) -> tuple[Ace, int]:
    if start + 4 > end:
        raise InvalidSecurityError(f"{what} is truncated at byte {start}")
    kind, flags, size = struct.unpack_from("<BBH", data, start)
    stop = start + size
    if size < 4 or size % 4 or stop > end:
        raise InvalidSecurityError(f"{what} at byte {start} has an invalid size of {size} bytes")
    ace_type, ace_flags = AceType(kind), AceFlags(flags)
    if ace_type not in _PLAIN_TYPES and ace_type not in _OBJECT_TYPES:
        return Ace(type=ace_type, flags=ace_flags, data=data[start + 4 : stop]), stop
    if start + 8 > stop:
        raise InvalidSecurityError(f"{what} at byte {start} has no access mask")
    (mask,) = struct.unpack_from("<I", data, start + 4)
    sid_start = start + 8
    if ace_type in _OBJECT_TYPES:
        sid_start += _object_size(data, start + 8, stop)
    trustee, sid_end = read_sid(data, sid_start, stop, f"the trustee of {what}")
    ace = Ace(
        type=ace_type,
        access=ServiceAccess(mask),
        trustee=trustee,
        flags=ace_flags,
        object_data=data[start + 8 : sid_start],
        data=data[sid_end:stop],
    )
    return ace, stop


def _object_size(data: bytes, start: int, stop: int) -> int:
    """Return the size of the flags and GUIDs of an object ACE; two low bits have a GUID each."""
    if start + 4 > stop:
        raise InvalidSecurityError("an object ACE has no object flags")
    present: int = struct.unpack_from("<I", data, start)[0] & 3
    return 4 + 16 * present.bit_count()


_SINGLE_RIGHTS: Final = tuple(
    (name, int(right))
    for name, right in ServiceAccess.__members__.items()
    if int(right).bit_count() == 1
)


def right_names(access: int) -> tuple[str, ...]:
    """Return the names of the rights, lowest bit first; ``ALL_ACCESS`` for all service rights.

    Bits without a name come last, as one hexadecimal number.
    """
    rest = check_range(access, 32, "an access mask")
    names = []
    if rest & ServiceAccess.ALL_ACCESS == ServiceAccess.ALL_ACCESS:
        names.append("ALL_ACCESS")
        rest &= ~int(ServiceAccess.ALL_ACCESS)
    for name, bit in _SINGLE_RIGHTS:
        if rest & bit:
            names.append(name)
            rest &= ~bit
    return (*names, f"{rest:#x}") if rest else tuple(names)
