"""Security descriptors: who may do what with a service.

:class:`SecurityDescriptor` is a value. It is read from, and written to, SDDL and the binary form
that Windows uses, and changed by making another::

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
from winsvc.security.accesscheck import SERVICE, allowed_rights, map_generic
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
# The entries of a SACL that can be asked for by themselves.
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
    """Who owns an object, and who may do what with it.

    Attributes:
        owner: the owner; None if absent.
        group: the primary group; None if absent.
        dacl: what is allowed and denied. None if absent: it was not read, or is not to be written.
            :data:`NULL_ACL` allows everything to everyone; an empty list, nothing to anyone.
        sacl: what is audited, and the integrity label; None and :data:`NULL_ACL` as above.
        control: the control flags. The three that only tell what is there are computed.
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

    # --- in and out ---------------------------------------------------------------------------

    @classmethod
    def coerce(cls, value: object) -> SecurityDescriptor:
        """The descriptor that a caller means.

        Args:
            value: a :class:`SecurityDescriptor`, SDDL as a str, or the self-relative binary form
                in anything with the buffer protocol: bytes, or pywin32's ``PySECURITY_DESCRIPTOR``.

        Raises:
            TypeError: it is something else.
            InvalidSecurityError: it is malformed.
        """
        if isinstance(value, SecurityDescriptor):
            return value
        if isinstance(value, str):
            return cls.from_sddl(value)
        try:
            view = memoryview(value)  # type: ignore[arg-type]  # being no buffer is the TypeError
        except TypeError:
            raise TypeError(
                "security: expected a SecurityDescriptor, SDDL as a str, or bytes, "
                f"not {type(value).__name__}"
            ) from None
        return cls.from_bytes(view)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> SecurityDescriptor:
        """Read the self-relative binary form; what follows it in the buffer is ignored.

        Raises:
            InvalidSecurityError: it is cut short or malformed, or holds pointers (the absolute
                form, which means nothing outside of the process that made it).
        """
        raw = memoryview(data).tobytes()
        if len(raw) < _HEADER.size:
            raise InvalidSecurityError(
                f"a security descriptor has {_HEADER.size} bytes or more, not {len(raw)}"
            )
        revision, rm_control, control, *offsets = _HEADER.unpack_from(raw)
        if revision != 1:
            raise InvalidSecurityError(f"a security descriptor's revision is 1, not {revision}")
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
        """The self-relative binary form: SACL, DACL, owner, group, as Windows lays it out."""
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
        """Read SDDL.

        Raises:
            InvalidSddlError: the text is malformed, has an alias that depends on the machine's
                domain, or conditional entries or resource attributes, which are not supported.
        """
        return cls(**sddl.parse(text)._asdict())

    def to_sddl(self, selection: SecurityInformation = _ALL_PARTS) -> str:
        """The SDDL of the selected parts, spelled as Windows spells it.

        Raises:
            InvalidSecurityError: an entry cannot be said in SDDL (see :meth:`from_sddl`).
        """
        part = self.select(selection)
        return sddl.write(sddl.Parts(part.owner, part.group, part.dacl, part.sacl, part.control))

    def select(self, selection: SecurityInformation) -> SecurityDescriptor:
        """The selected parts alone.

        ``SACL`` takes the whole SACL; without it, ``LABEL``, ``ATTRIBUTE`` and ``SCOPE`` take its
        entries of that kind, if there are any. ``BACKUP`` takes everything.
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
        """Which of owner, group, DACL and SACL are there."""
        present = {
            _I.OWNER: self.owner,
            _I.GROUP: self.group,
            _I.DACL: self.dacl,
            _I.SACL: self.sacl,
        }
        bits = [int(bit) for bit, part in present.items() if part is not None]
        return SecurityInformation(sum(bits))

    # --- asking and changing ------------------------------------------------------------------

    def allows(self, trustee: SidLike) -> ServiceAccess:
        """The rights that the DACL gives to this very trustee.

        The entries are applied in their order, an earlier one prevailing, with generic rights
        mapped to a service's. Groups that the trustee belongs to, conditional and object entries,
        and the owner's implied rights are not considered: it answers "what was granted to X",
        not "what may X do".

        Raises:
            InvalidSecurityError: the descriptor has no DACL to ask.
        """
        sid = Sid.coerce(trustee)
        if self.dacl is NULL_ACL:
            return ServiceAccess.ALL_ACCESS
        return ServiceAccess(allowed_rights(self._list(), {sid}, SERVICE))

    def grant(self, trustee: SidLike, access: ServiceAccess) -> SecurityDescriptor:
        """Allow these rights to the trustee, beside those it has; they are no longer denied to it.

        Like :meth:`deny` and :meth:`revoke` it returns another descriptor, with the entries in
        canonical order (explicit denials, explicit permissions, inherited entries), and changes
        only explicit entries that name this trustee.

        Raises:
            InvalidSecurityError: the DACL is absent or null.
        """
        return self._change(trustee, access, drop=AceType.DENIED, add=AceType.ALLOWED)

    def deny(self, trustee: SidLike, access: ServiceAccess) -> SecurityDescriptor:
        """Deny these rights to the trustee, whatever its groups are allowed."""
        return self._change(trustee, access, drop=AceType.ALLOWED, add=AceType.DENIED)

    def revoke(self, trustee: SidLike, access: ServiceAccess = _EVERY_RIGHT) -> SecurityDescriptor:
        """Take back what was allowed to the trustee: these rights, or all.

        Nothing is denied: its groups may still be allowed them.
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
            raise InvalidSecurityError("the security descriptor has no DACL: was it read?")
        raise InvalidSecurityError("the DACL is null, which allows everything to everyone")

    # --- showing ------------------------------------------------------------------------------

    def describe(self) -> str:
        """The descriptor in words, a line for each entry, with the rights by name."""
        lines = []
        for what, sid in (("Owner", self.owner), ("Group", self.group)):
            if sid is not None:
                lines.append(f"{what}: {_label(sid)}")
        if self.dacl is not None:
            protected = " (protected)" if self.control & _C.DACL_PROTECTED else ""
            null = "null: everything is allowed to everyone"
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
        raise InvalidSecurityError(f"{what} cannot stand at byte {offset}, in the header")
    return offset


def _concerns(ace: Ace, sid: Sid, kind: AceType) -> bool:
    """Whether it is an explicit entry of that kind, for that trustee, that applies here."""
    elsewhere = AceFlags.INHERITED | AceFlags.INHERIT_ONLY
    return ace.type == kind and ace.trustee == sid and not ace.flags & elsewhere


def _without(ace: Ace, sid: Sid, kind: AceType, rights: int) -> Ace | None:
    """The entry without the rights, if it is concerned; None if that leaves it empty."""
    if not _concerns(ace, sid, kind):
        return ace
    left = map_generic(ace.access) & ~rights
    return dataclasses.replace(ace, access=ServiceAccess(left)) if left else None


def _add(aces: list[Ace], sid: Sid, kind: AceType, rights: ServiceAccess) -> None:
    """Put the rights into the first entry concerned, or into a new one."""
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
    rights = ", ".join(right_names(ace.access)) or "nothing"
    if ace.type == AceType.MANDATORY_LABEL:
        rights = f"policy {int(ace.access):#x}"
    return f"{kind} {_label(ace.trustee)}: {rights}{details}"
