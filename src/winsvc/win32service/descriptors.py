"""Security descriptors, attributes and SIDs: pywin32's own where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, SupportsBytes, cast

from winsvc.win32service.shapes import SecurityAttributesLike, SecurityDescriptorLike

if TYPE_CHECKING:
    from winsvc.security import SecurityDescriptor, Sid
    from winsvc.security.aces import Acl, NullAcl

__all__ = [
    "PyACL",
    "PySECURITY_DESCRIPTOR",
    "PySID",
    "ReadableAcl",
    "ReadableDescriptor",
    "attributes_of",
    "descriptor_of",
    "raw_descriptor",
    "sid_of",
]


class PySID(Protocol):
    """pywin32's ``PySID``, as far as it is typed here."""

    def IsValid(self) -> bool: ...

    def GetLength(self) -> int: ...

    def GetSubAuthorityCount(self) -> int: ...

    def GetSubAuthority(self, index: int, /) -> int: ...


class PyACL(Protocol):
    """pywin32's ``PyACL``, as far as it is typed here."""

    def IsValid(self) -> bool: ...

    def GetAceCount(self) -> int: ...

    def GetAce(self, index: int, /) -> tuple[tuple[int, int], int, PySID]: ...

    def DeleteAce(self, index: int, /) -> None: ...

    def AddAccessAllowedAce(self, revision: int, access: int, sid: object, /) -> None: ...

    def AddAccessAllowedAceEx(
        self, revision: int, flags: int, access: int, sid: object, /
    ) -> None: ...

    def AddAccessDeniedAce(self, revision: int, access: int, sid: object, /) -> None: ...


class PySECURITY_DESCRIPTOR(Protocol):
    """pywin32's ``PySECURITY_DESCRIPTOR``.

    Where pywin32 is not installed, it is a :class:`ReadableDescriptor`: without what changes it.
    """

    def __buffer__(self, flags: int, /) -> memoryview: ...

    def IsValid(self) -> bool: ...

    def IsSelfRelative(self) -> bool: ...

    def GetLength(self) -> int: ...

    def GetSecurityDescriptorControl(self) -> tuple[int, int]: ...

    def GetSecurityDescriptorOwner(self) -> PySID | None: ...

    def GetSecurityDescriptorGroup(self) -> PySID | None: ...

    def GetSecurityDescriptorDacl(self) -> PyACL | None: ...

    def GetSecurityDescriptorSacl(self) -> PyACL | None: ...

    def SetSecurityDescriptorOwner(self, owner: object, defaulted: int, /) -> None: ...

    def SetSecurityDescriptorGroup(self, group: object, defaulted: int, /) -> None: ...

    def SetSecurityDescriptorDacl(self, present: int, dacl: object, defaulted: int, /) -> None: ...

    def SetSecurityDescriptorSacl(self, present: int, sacl: object, defaulted: int, /) -> None: ...


def raw_descriptor(descriptor: SecurityDescriptorLike) -> bytes:
    """The self-relative form of a descriptor of pywin32, or of one of ours.

    Raises:
        TypeError: it is none.
    """
    if isinstance(descriptor, ReadableDescriptor):
        return bytes(descriptor)
    if type(descriptor).__name__ != "PySECURITY_DESCRIPTOR":
        raise TypeError("The object is not a PySECURITY_DESCRIPTOR object")
    return bytes(cast(SupportsBytes, descriptor))


def descriptor_of(raw: bytes) -> PySECURITY_DESCRIPTOR:
    """A descriptor as pywin32 gives it."""
    try:
        import pywintypes
    except ImportError:
        return cast(PySECURITY_DESCRIPTOR, ReadableDescriptor(raw))
    made: PySECURITY_DESCRIPTOR = pywintypes.SECURITY_DESCRIPTOR(raw)
    return made


def sid_of(raw: bytes) -> PySID | Sid:
    """A SID as pywin32 gives it."""
    try:
        import pywintypes
    except ImportError:
        from winsvc.security import Sid

        return Sid.from_bytes(raw)
    made: PySID = pywintypes.SID(raw)
    return made


def attributes_of(attributes: SecurityAttributesLike | None) -> tuple[bool, bytes | None]:
    """Whether the handle is inherited, and the descriptor of what is made.

    Raises:
        TypeError: these are no security attributes.
    """
    if attributes is None:
        return False, None
    try:
        inherit, descriptor = attributes.bInheritHandle, attributes.SECURITY_DESCRIPTOR
    except AttributeError:
        raise TypeError("The object is not a PySECURITY_ATTRIBUTES object") from None
    return bool(inherit), None if descriptor is None else raw_descriptor(descriptor)


# -------------------------------------------------------------------------- without pywin32


class ReadableAcl:
    """An access control list that can be read as pywin32's can."""

    def __init__(self, acl: Acl) -> None:
        self.acl = acl

    def IsValid(self) -> bool:
        """True: what can't be read is refused before."""
        return True

    def GetAceCount(self) -> int:
        """How many entries there are."""
        return len(self.acl)

    def GetAce(self, index: int, /) -> tuple[tuple[int, int], int, Sid | None]:
        """The entry: its type and flags, its access mask, and whom it means."""
        ace = self.acl[index]
        return (int(ace.type), int(ace.flags)), int(ace.access), ace.trustee


class ReadableDescriptor:
    """A security descriptor that can be read as pywin32's can; ``bytes()`` is its binary form.

    Attributes:
        descriptor: the same as a :class:`winsvc.SecurityDescriptor`.
    """

    def __init__(self, raw: bytes) -> None:
        from winsvc.security import SecurityDescriptor

        self._raw = raw
        self.descriptor: SecurityDescriptor = SecurityDescriptor.from_bytes(raw)

    def __bytes__(self) -> bytes:
        return self._raw

    def IsValid(self) -> bool:
        """True: what can't be read is refused before."""
        return True

    def IsSelfRelative(self) -> bool:
        """True."""
        return True

    def GetLength(self) -> int:
        """How many bytes it has."""
        return len(self._raw)

    def GetSecurityDescriptorControl(self) -> tuple[int, int]:
        """Its control flags, and its revision."""
        return int.from_bytes(self._raw[2:4], "little"), self._raw[0]

    def GetSecurityDescriptorOwner(self) -> Sid | None:
        """Its owner."""
        return self.descriptor.owner

    def GetSecurityDescriptorGroup(self) -> Sid | None:
        """Its group."""
        return self.descriptor.group

    def GetSecurityDescriptorDacl(self) -> ReadableAcl | None:
        """Who may do what; None for everybody everything."""
        return _readable(self.descriptor.dacl)

    def GetSecurityDescriptorSacl(self) -> ReadableAcl | None:
        """What is audited."""
        return _readable(self.descriptor.sacl)


def _readable(acl: Acl | NullAcl | None) -> ReadableAcl | None:
    from winsvc.security.aces import Acl

    return ReadableAcl(acl) if isinstance(acl, Acl) else None
