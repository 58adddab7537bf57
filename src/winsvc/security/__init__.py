"""Security descriptors, their entries and SIDs, in pure Python.

``sids``: who; ``aces``: may do what; ``sddl``: the text form; ``descriptor``: all of it;
``accesscheck``: the rights that a list grants.
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
    ControlFlags,
    NullAcl,
    right_names,
)
from winsvc.security.descriptor import SecurityDescriptor
from winsvc.security.sddl import InvalidSddlError
from winsvc.security.sids import InvalidSecurityError, Sid, SidLike, service_sid

__all__ = [
    "NULL_ACL",
    "Ace",
    "AceFlags",
    "AceType",
    "Acl",
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
