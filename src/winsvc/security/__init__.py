"""Security descriptors, ACLs and SIDs.

Only :meth:`Sid.lookup` and :meth:`Sid.account_name` call the system; everything else works on any
system. Modules: ``sids``, ``aces`` (ACEs and ACLs), ``sddl`` (the text form), ``descriptor``,
``accesscheck`` (the rights that an ACL grants).
"""

from __future__ import annotations

from winsvc._public import publish
from winsvc.security.accesscheck import map_generic
from winsvc.security.aces import (
    NULL_ACL,
    Ace,
    AceFlags,
    AceType,
    Acl,
    AclLike,
    ControlFlags,
    NullAcl,
    right_names,
)
from winsvc.security.descriptor import SecurityDescriptor
from winsvc.security.sddl import InvalidSddlError
from winsvc.security.sids import (
    ORDINARY_USERS,
    InvalidSecurityError,
    Sid,
    SidLike,
    service_sid,
)

__all__ = [
    "NULL_ACL",
    "ORDINARY_USERS",
    "Ace",
    "AceFlags",
    "AceType",
    "Acl",
    "AclLike",
    "ControlFlags",
    "InvalidSddlError",
    "InvalidSecurityError",
    "NullAcl",
    "SecurityDescriptor",
    "Sid",
    "SidLike",
    "map_generic",
    "right_names",
    "service_sid",
]

publish(__name__)
