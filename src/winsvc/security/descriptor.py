"""Security descriptors: the owner, the group and the access control lists of an object.

A :class:`SecurityDescriptor` is immutable. It is converted from and to SDDL and the binary form of
Windows; its methods return changed copies::

    sd = SecurityDescriptor.from_sddl("D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;GA;;;BA)")
    sd = sd.grant("BU", ServiceAccess.START | ServiceAccess.STOP)
    print(sd.describe())
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass
from typing import Final

from winsvc._util.checks import check_type
from winsvc.enums import SecurityInformation, ServiceAccess
from winsvc.security import sddl
from winsvc.security.accesscheck import SERVICE, access_check, map_generic
from winsvc.security.aces import (
    NULL_ACL,
    Ace,
    AceFlags,
    AceType,
    Acl,
    AclLike,
    ControlFlags,
    NullAcl,
    read_acl,
    right_names,
)
from winsvc.security.sids import (
    InvalidSecurityError,
    Sid,
    SidLike,
    check_range,
    read_sid,
)

__all__ = ["SecurityDescriptor"]

_EVERYONE: Final = Sid.parse("WD")
_EVERY_RIGHT: Final = ServiceAccess(0xFFFFFFFF)

_DENYING: Final = frozenset(
    {
        AceType.DENIED,
        AceType.DENIED_OBJECT,
        AceType.DENIED_CALLBACK,
        AceType.DENIED_CALLBACK_OBJECT,
    }
)

_I: Final = SecurityInformation
_ALL_PARTS: Final = _I.OWNER | _I.GROUP | _I.DACL | _I.SACL
# The ACEs of a SACL that can be selected separately.
_SACL_PIECES: Final = {
    _I.LABEL: AceType.MANDATORY_LABEL,
    _I.ATTRIBUTE: AceType.RESOURCE_ATTRIBUTE,
    _I.SCOPE: AceType.SCOPED_POLICY,
}

_HEADER: Final = struct.Struct("<BBHIIII")
_C: Final = ControlFlags
_NO_CONTROL: Final = ControlFlags(0)
_COMPUTED: Final = _C.DACL_PRESENT | _C.SACL_PRESENT | _C.SELF_RELATIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityDescriptor:
    """The security descriptor of an object.

    Attributes:
        owner: the owner; None if absent.
        group: the primary group; None if absent.
        dacl: the allowed and denied rights; None if absent (not read, or not to be written).
            :data:`NULL_ACL` allows all rights to everyone; an empty list allows none.
        sacl: auditing and the integrity label; None and :data:`NULL_ACL` as above.
        control: the control flags; those that state which parts are present are computed.
        rm_control: the resource manager's byte, valid with ``ControlFlags.RM_CONTROL_VALID``.
    """

    owner: Sid | None = None
    group: Sid | None = None
    dacl: AclLike | None = None
    sacl: AclLike | None = None
    control: ControlFlags = _NO_CONTROL
    rm_control: int = 0

    def __post_init__(self) -> None:
        for sid in (self.owner, self.group):
            check_type(sid, (Sid, type(None)), "an owner or group")
        for acl in (self.dacl, self.sacl):
            check_type(acl, (Acl, NullAcl, type(None)), "a DACL or SACL")
        check_range(self.rm_control, 8, "rm_control")
        control = check_range(self.control, 16, "control") & ~int(_COMPUTED) | _C.SELF_RELATIVE
        control |= _C.DACL_PRESENT if self.dacl is not None else 0
        control |= _C.SACL_PRESENT if self.sacl is not None else 0
        object.__setattr__(self, "control", ControlFlags(control))

    # --- conversions --------------------------------------------------------------------------

    @classmethod
    def coerce(cls, value: object) -> SecurityDescriptor:
        """Return a value as a :class:`SecurityDescriptor`.

        Args:
            value: a :class:`SecurityDescriptor`, SDDL as a str, or the self-relative binary form
                in an object with the buffer protocol, such as bytes or pywin32's
                ``PySECURITY_DESCRIPTOR``.

        Raises:
            TypeError: the value has another type.
            InvalidSecurityError: the value is malformed.
        """
        if isinstance(value, SecurityDescriptor):
            return value
        if isinstance(value, str):
            return cls.from_sddl(value)
        try:
            view = memoryview(value)  # type: ignore[arg-type]  # raises TypeError
        except TypeError:
            raise TypeError(
                "security: expected a SecurityDescriptor, SDDL as a str, or bytes, "
                f"not {type(value).__name__}"
            ) from None
        return cls.from_bytes(view)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> SecurityDescriptor:
        """Decode the self-relative binary form; additional bytes of the buffer are ignored.

        Raises:
            InvalidSecurityError: the data are truncated or malformed, or in the absolute form,
                which contains pointers.
        """
        raw = memoryview(data).tobytes()
        if len(raw) < _HEADER.size:
            raise InvalidSecurityError(
                f"a security descriptor must have at least {_HEADER.size} bytes, not {len(raw)}"
            )
        revision, rm_control, control, *offsets = _HEADER.unpack_from(raw)
        if revision != 1:
            raise InvalidSecurityError(
                f"a security descriptor's revision must be 1, not {revision}"
            )
        if not control & _C.SELF_RELATIVE:
            raise InvalidSecurityError("the security descriptor is absolute, not self-relative")
        owner, group, sacl, dacl = offsets
        return cls(
            owner=_sid_at(raw, owner, "the owner"),
            group=_sid_at(raw, group, "the group"),
            dacl=_acl_at(raw, dacl, "the DACL") if control & _C.DACL_PRESENT else None,
            sacl=_acl_at(raw, sacl, "the SACL") if control & _C.SACL_PRESENT else None,
            control=ControlFlags(control),
            rm_control=rm_control,
        )

    def to_bytes(self) -> bytes:
        """Return the self-relative binary form, with the parts in the order of Windows."""
        body = b""
        offsets = []
        for part in (self.sacl, self.dacl, self.owner, self.group):
            if part is None or isinstance(part, NullAcl):
                offsets.append(0)
            else:
                offsets.append(_HEADER.size + len(body))
                body += part.to_bytes()
        sacl, dacl, owner, group = offsets
        head = _HEADER.pack(1, self.rm_control, self.control, owner, group, sacl, dacl)
        return head + body

    __bytes__ = to_bytes

    @classmethod
    def from_sddl(cls, text: str) -> SecurityDescriptor:
        """Parse SDDL.

        Raises:
            InvalidSddlError: the text is malformed, or contains an alias that depends on the
                machine's domain, a conditional ACE or a resource attribute; these are not
                supported.
        """
        return cls(**sddl.parse(text)._asdict())

    def to_sddl(self, selection: SecurityInformation = _ALL_PARTS) -> str:
        """Return the selected parts as SDDL, in the spelling of Windows.

        Raises:
            InvalidSecurityError: SDDL cannot express an ACE (see :meth:`from_sddl`).
        """
        part = self.select(selection)
        return sddl.write(sddl.Parts(part.owner, part.group, part.dacl, part.sacl, part.control))

    def select(self, selection: SecurityInformation) -> SecurityDescriptor:
        """Return a copy that has only the selected parts.

        ``SACL`` selects the whole SACL; without it, ``LABEL``, ``ATTRIBUTE`` and ``SCOPE`` select
        its ACEs of that type. ``BACKUP`` selects all parts.
        """
        if selection & _I.BACKUP:
            return self
        return dataclasses.replace(
            self,
            owner=self.owner if selection & _I.OWNER else None,
            group=self.group if selection & _I.GROUP else None,
            dacl=self.dacl if selection & _I.DACL else None,
            sacl=self.sacl if selection & _I.SACL else self._sacl_pieces(selection),
        )

    def _sacl_pieces(self, selection: SecurityInformation) -> Acl | None:
        kinds = {kind for piece, kind in _SACL_PIECES.items() if selection & piece}
        if not isinstance(self.sacl, Acl):
            return None
        aces = tuple(ace for ace in self.sacl if ace.type in kinds)
        return Acl(aces, self.sacl.revision) if aces else None

    @property
    def parts(self) -> SecurityInformation:
        """The parts that are present: owner, group, DACL and SACL."""
        present = {
            _I.OWNER: self.owner,
            _I.GROUP: self.group,
            _I.DACL: self.dacl,
            _I.SACL: self.sacl,
        }
        bits = [int(bit) for bit, part in present.items() if part is not None]
        return SecurityInformation(sum(bits))

    # --- rights -------------------------------------------------------------------------------

    def effective(self, *sids: SidLike) -> ServiceAccess:
        """Return the rights to a service that a caller with these SIDs has.

        The Windows access check determines them: ACEs apply in their order, generic rights are
        mapped to those of a service, and the owner can read and write the DACL. Everyone is always
        included. Groups are not looked up: specify the SIDs of the account and of its groups, such
        as :data:`winsvc.security.ORDINARY_USERS`. Privileges, integrity labels, object ACEs and
        conditions are not evaluated.

        Raises:
            InvalidSecurityError: a SID is invalid, or the descriptor has no DACL.
        """
        dacl = NULL_ACL if self.dacl is NULL_ACL else self._list()
        return ServiceAccess(
            access_check(
                dacl,
                {_EVERYONE, *map(Sid.coerce, sids)},
                int(ServiceAccess.MAXIMUM_ALLOWED),
                SERVICE,
                owner=self.owner,
            )
            or 0
        )

    def trustees(self) -> tuple[Sid, ...]:
        """Return the SIDs of the ACEs of the DACL, each once; Everyone if the DACL is null.

        Inherit-only ACEs, which do not apply to the object, are ignored.

        Raises:
            InvalidSecurityError: the descriptor has no DACL.
        """
        if self.dacl is NULL_ACL:
            return (_EVERYONE,)
        aces = [ace for ace in self._list() if not ace.flags & AceFlags.INHERIT_ONLY]
        return tuple(dict.fromkeys(ace.trustee for ace in aces if ace.trustee is not None))

    def grant(self, trustee: SidLike, access: ServiceAccess) -> SecurityDescriptor:
        """Return a copy that allows these rights to the trustee, in addition to its other rights.

        ACEs that deny the rights to the trustee lose them. Like :meth:`deny` and :meth:`revoke`,
        this changes only explicit ACEs of this trustee, and sorts the DACL in canonical order
        (explicit denials, explicit permissions, inherited ACEs).

        Raises:
            InvalidSecurityError: the DACL is absent or null.
        """
        return self._change(trustee, access, drop=AceType.DENIED, add=AceType.ALLOWED)

    def deny(self, trustee: SidLike, access: ServiceAccess) -> SecurityDescriptor:
        """Return a copy that denies these rights to the trustee, regardless of its groups.

        Raises:
            InvalidSecurityError: the DACL is absent or null.
        """
        return self._change(trustee, access, drop=AceType.ALLOWED, add=AceType.DENIED)

    def revoke(self, trustee: SidLike, access: ServiceAccess = _EVERY_RIGHT) -> SecurityDescriptor:
        """Return a copy that no longer allows these rights, by default all, to the trustee.

        The rights are not denied: the groups of the trustee may still have them.

        Raises:
            InvalidSecurityError: the DACL is absent or null.
        """
        return self._change(trustee, access, drop=AceType.ALLOWED, add=None)

    def _change(
        self, trustee: SidLike, access: ServiceAccess, *, drop: AceType, add: AceType | None
    ) -> SecurityDescriptor:
        sid = Sid.coerce(trustee)
        rights = map_generic(ServiceAccess(check_range(access, 32, "an access mask")))
        acl = self._list()
        aces = [left for ace in acl if (left := _without(ace, sid, drop, rights)) is not None]
        if add is not None and rights:
            _add(aces, sid, add, rights)
        ordered = tuple(sorted(aces, key=_canonical_rank))
        return dataclasses.replace(self, dacl=Acl(ordered, acl.revision))

    def _list(self) -> Acl:
        if isinstance(self.dacl, Acl):
            return self.dacl
        if self.dacl is None:
            raise InvalidSecurityError(
                "the security descriptor has no DACL; read it with SecurityInformation.DACL"
            )
        raise InvalidSecurityError(
            "the DACL is null and allows all rights to everyone; replace it with an Acl first"
        )

    # --- text ---------------------------------------------------------------------------------

    def describe(self) -> str:
        """Return the descriptor as text, with a line for each ACE and the names of the rights."""
        lines = []
        for what, sid in (("Owner", self.owner), ("Group", self.group)):
            if sid is not None:
                lines.append(f"{what}: {_label(sid)}")
        if self.dacl is not None:
            protected = " (protected)" if self.control & _C.DACL_PROTECTED else ""
            null = "null: all rights are allowed to everyone"
            lines += _describe_acl(f"DACL{protected}", self.dacl, null)
        if self.sacl is not None:
            protected = " (protected)" if self.control & _C.SACL_PROTECTED else ""
            lines += _describe_acl(f"SACL{protected}", self.sacl, "null")
        return "\n".join(lines)


def _sid_at(data: bytes, offset: int, what: str) -> Sid | None:
    return read_sid(data, _checked(offset, what), len(data), what)[0] if offset else None


def _acl_at(data: bytes, offset: int, what: str) -> AclLike:
    return read_acl(data, _checked(offset, what), what) if offset else NULL_ACL


def _checked(offset: int, what: str) -> int:
    if offset < _HEADER.size:
        raise InvalidSecurityError(f"the offset of {what} is {offset}, inside the header")
    return offset


def _concerns(ace: Ace, sid: Sid, kind: AceType) -> bool:
    """Return whether the ACE is an explicit ACE of this type for this SID."""
    excluded = AceFlags.INHERITED | AceFlags.INHERIT_ONLY
    return ace.type == kind and ace.trustee == sid and not ace.flags & excluded


def _without(ace: Ace, sid: Sid, kind: AceType, rights: int) -> Ace | None:
    """Return the ACE without the rights if it is of this type and SID; None if none are left."""
    if not _concerns(ace, sid, kind):
        return ace
    left = map_generic(ace.access) & ~rights
    return dataclasses.replace(ace, access=ServiceAccess(left)) if left else None


def _add(aces: list[Ace], sid: Sid, kind: AceType, rights: ServiceAccess) -> None:
    """Add the rights to the first ACE of this type and SID, or to a new ACE."""
    for index, ace in enumerate(aces):
        if _concerns(ace, sid, kind):
            aces[index] = dataclasses.replace(ace, access=map_generic(ace.access) | rights)
            return
    aces.append(Ace(type=kind, access=rights, trustee=sid))


def _canonical_rank(ace: Ace) -> int:
    if ace.is_inherited:
        return 2
    return 0 if ace.type in _DENYING else 1


def _label(sid: Sid) -> str:
    return f"{sid.name} ({sid.alias or sid})" if sid.name else str(sid)


def _describe_acl(title: str, acl: AclLike, null: str) -> list[str]:
    if isinstance(acl, NullAcl):
        return [f"{title}: {null}"]
    if not acl:
        return [f"{title}: empty"]
    return [f"{title}:", *(f"  {_describe_ace(ace)}" for ace in acl)]


def _describe_ace(ace: Ace) -> str:
    kind = ace.type.name.lower().replace("_", " ")
    if ace.trustee is None:
        return f"{kind}: {len(ace.data)} bytes"
    flags = [name.lower() for name, bit in AceFlags.__members__.items() if ace.flags & bit]
    details = f" [{', '.join(flags)}]" if flags else ""
    if ace.object_data or ace.data:
        details += f" (with {len(ace.object_data) + len(ace.data)} bytes of conditions)"
    rights = ", ".join(right_names(ace.access)) or "none"
    if ace.type == AceType.MANDATORY_LABEL:
        rights = f"policy {int(ace.access):#x}"
    return f"{kind} {_label(ace.trustee)}: {rights}{details}"
