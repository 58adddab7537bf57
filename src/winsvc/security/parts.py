"""Read and write parts of a security descriptor: the rights needed, and the bytes to write."""

from __future__ import annotations

from typing import Final

from winsvc.enums import SecurityInformation, ServiceAccess
from winsvc.errors import ValidationError
from winsvc.security.descriptor import SecurityDescriptor

__all__ = ["parts_to_write", "rights_to_read", "rights_to_write"]

_PARTS: Final = (
    SecurityInformation.OWNER
    | SecurityInformation.GROUP
    | SecurityInformation.DACL
    | SecurityInformation.SACL
)
# These are stored as ACEs of the SACL.
_IN_SACL: Final = (
    SecurityInformation.LABEL | SecurityInformation.ATTRIBUTE | SecurityInformation.SCOPE
)


def parts_to_write(descriptor: SecurityDescriptor, parts: SecurityInformation) -> bytes:
    """Return these parts of a security descriptor in binary form.

    Raises:
        ValidationError: the descriptor lacks one of the parts.
    """
    selected = descriptor.select(parts)
    wanted = parts & _PARTS
    if parts & _IN_SACL:
        wanted |= SecurityInformation.SACL
    missing = wanted & ~selected.parts
    if not wanted or missing:
        names = [part.name or "" for part in SecurityInformation if part & (missing or _PARTS)]
        raise ValidationError("security", f"the descriptor has no {' or '.join(names)}")
    return selected.to_bytes()


def rights_to_read(parts: SecurityInformation) -> ServiceAccess:
    """Return the rights needed to read these parts; the bits are the same for all objects."""
    if parts & (SecurityInformation.SACL | SecurityInformation.BACKUP):
        return ServiceAccess.READ_CONTROL | ServiceAccess.ACCESS_SYSTEM_SECURITY
    return ServiceAccess.READ_CONTROL


def rights_to_write(parts: SecurityInformation) -> ServiceAccess:
    """Return the rights needed to write these parts; the bits are the same for all objects."""
    info, rights = SecurityInformation, ServiceAccess(0)
    if parts & (info.OWNER | info.GROUP | info.LABEL):
        rights |= ServiceAccess.WRITE_OWNER
    if parts & (info.DACL | info.ATTRIBUTE):
        rights |= ServiceAccess.WRITE_DAC
    if parts & (info.SACL | info.SCOPE | info.BACKUP):
        rights |= ServiceAccess.ACCESS_SYSTEM_SECURITY
    return rights
