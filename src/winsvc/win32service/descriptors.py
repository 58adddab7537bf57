"""Security descriptors, attributes and SIDs: pywin32's types if pywin32 is installed."""

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
    """The part of pywin32's ``PySID`` that has types here."""

    def IsValid(self) -> bool: ...

    def GetLength(self) -> int: ...

    def GetSubAuthorityCount(self) -> int: ...

    def GetSubAuthority(self, index: int, /) -> int: ...


class PyACL(Protocol):
    """The part of pywin32's ``PyACL`` that has types here."""

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
    """The interface of pywin32's ``PySECURITY_DESCRIPTOR``.

    Without pywin32, the object is a :class:`ReadableDescriptor`, which has no methods that modify.
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
    """Return the self-relative form of a descriptor of pywin32 or of this module.

    Raises:
        TypeError: The value is not a descriptor.
    """
    if isinstance(descriptor, ReadableDescriptor):
        return bytes(descriptor)
    if type(descriptor).__name__ != "PySECURITY_DESCRIPTOR":
        raise TypeError("The object is not a PySECURITY_DESCRIPTOR object")
    return bytes(cast(SupportsBytes, descriptor))


def descriptor_of(raw: bytes) -> PySECURITY_DESCRIPTOR:
    """Create a descriptor of pywin32's type, or a readable one without pywin32."""
    try:
        import pywintypes
    except ImportError:
        return cast(PySECURITY_DESCRIPTOR, ReadableDescriptor(raw))
    descriptor: PySECURITY_DESCRIPTOR = pywintypes.SECURITY_DESCRIPTOR(raw)
    return descriptor


def sid_of(raw: bytes) -> PySID | Sid:
    """Create a SID of pywin32's type, or of :mod:`winsvc.security` without pywin32."""
    try:
        import pywintypes
    except ImportError:
        from winsvc.security import Sid

        return Sid.from_bytes(raw)
    sid: PySID = pywintypes.SID(raw)
    return sid


def attributes_of(attributes: SecurityAttributesLike | None) -> tuple[bool, bytes | None]:
    """Return the inheritance of the handle, and the descriptor of the object to create.

    Raises:
        TypeError: The value is not a ``PySECURITY_ATTRIBUTES``.
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
    """An access control list with the reading methods of pywin32's ``PyACL``."""

    def __init__(self, acl: Acl) -> None:
        self.acl = acl

    def IsValid(self) -> bool:
        """Return True: invalid data is refused earlier."""
        return True

    def GetAceCount(self) -> int:
        """Return the number of entries."""
        return len(self.acl)

    def GetAce(self, index: int, /) -> tuple[tuple[int, int], int, Sid | None]:
        """Return an entry: type and flags, access mask, trustee."""
        ace = self.acl[index]
        return (int(ace.type), int(ace.flags)), int(ace.access), ace.trustee


class ReadableDescriptor:
    """A security descriptor with pywin32's reading methods; ``bytes()`` is its binary form.

    Attributes:
        descriptor: The same descriptor as a :class:`winsvc.SecurityDescriptor`.
    """

    def __init__(self, raw: bytes) -> None:
        from winsvc.security import SecurityDescriptor

        self._raw = raw
        self.descriptor: SecurityDescriptor = SecurityDescriptor.from_bytes(raw)

    def __bytes__(self) -> bytes:
        return self._raw

    def IsValid(self) -> bool:
        """Return True: invalid data is refused earlier."""
        return True

    def IsSelfRelative(self) -> bool:
        """Return True."""
        return True

    def GetLength(self) -> int:
        """Return the number of bytes."""
        return len(self._raw)

    def GetSecurityDescriptorControl(self) -> tuple[int, int]:
        """Return the control flags and the revision."""
        return int.from_bytes(self._raw[2:4], "little"), self._raw[0]

    def GetSecurityDescriptorOwner(self) -> Sid | None:
        """Return the owner."""
        return self.descriptor.owner

    def GetSecurityDescriptorGroup(self) -> Sid | None:
        """Return the group."""
        return self.descriptor.group

    def GetSecurityDescriptorDacl(self) -> ReadableAcl | None:
        """Return the DACL; None if the descriptor allows everything to all users."""
        return _readable(self.descriptor.dacl)

    def GetSecurityDescriptorSacl(self) -> ReadableAcl | None:
        """Return the SACL."""
        return _readable(self.descriptor.sacl)


def _readable(acl: Acl | NullAcl | None) -> ReadableAcl | None:
    from winsvc.security.aces import Acl

    return ReadableAcl(acl) if isinstance(acl, Acl) else None
