"""The Security Descriptor Definition Language: security descriptors as text.

The grammar is that of [MS-DTYP] 2.5.1; the output has the spelling of the Windows function
``ConvertSecurityDescriptorToStringSecurityDescriptor``. White space between the parts and codes in
lower case are accepted. Conditional expressions, resource attributes and ACEs of unknown types are
not supported; they raise an error instead of being lost.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from winsvc._util.checks import check_type
from winsvc.enums import ServiceAccess
from winsvc.security.aces import (
    NULL_ACL,
    Ace,
    AceFlags,
    AceType,
    Acl,
    AclLike,
    ControlFlags,
    NullAcl,
)
from winsvc.security.sids import InvalidSecurityError, Sid

__all__ = ["InvalidSddlError", "Parts", "parse", "write"]


class InvalidSddlError(InvalidSecurityError):
    """A text is not valid SDDL.

    Attributes:
        problem: the reason.
        sddl: the whole text.
        position: the position of the problem in the text, from 0.
    """

    def __init__(self, problem: str, sddl: str, position: int) -> None:
        super().__init__(problem, sddl, position)  # all arguments, for pickling
        self.problem = problem
        self.sddl = sddl
        self.position = position

    def __str__(self) -> str:
        near = self.sddl[self.position : self.position + 40]
        where = f"at position {self.position}, {near!r}" if near else "at the end"
        return f"{self.problem} ({where}) in the SDDL {self.sddl!r}"


_NO_CONTROL: Final = ControlFlags(0)


class Parts(NamedTuple):
    """The parts of a security descriptor that SDDL can express."""

    owner: Sid | None = None
    group: Sid | None = None
    dacl: AclLike | None = None
    sacl: AclLike | None = None
    control: ControlFlags = _NO_CONTROL


_NULL_ACL_WORD: Final = "NO_ACCESS_CONTROL"

# The bits for a DACL, in the order of Windows; those for a SACL are shifted by one.
_ACL_FLAGS: Final = {
    "P": ControlFlags.DACL_PROTECTED,
    "AR": ControlFlags.DACL_AUTO_INHERIT_REQ,
    "AI": ControlFlags.DACL_AUTO_INHERITED,
}

_DACL_TYPES: Final = {
    "A": AceType.ALLOWED,
    "D": AceType.DENIED,
    "OA": AceType.ALLOWED_OBJECT,
    "OD": AceType.DENIED_OBJECT,
}
_SACL_TYPES: Final = {
    "AU": AceType.AUDIT,
    "AL": AceType.ALARM,
    "OU": AceType.AUDIT_OBJECT,
    "OL": AceType.ALARM_OBJECT,
    "ML": AceType.MANDATORY_LABEL,
    "SP": AceType.SCOPED_POLICY,
    "TL": AceType.PROCESS_TRUST_LABEL,
}
_REFUSED_TYPES: Final = {
    "XA": "conditional",
    "XD": "conditional",
    "XU": "conditional",
    "ZA": "conditional",
    "FL": "access filter",
    "RA": "resource attribute",
}
_TYPE_CODE: Final = {kind: code for code, kind in (_DACL_TYPES | _SACL_TYPES).items()}

_ACE_FLAGS: Final = {
    "OI": 0x01,
    "CI": 0x02,
    "NP": 0x04,
    "IO": 0x08,
    "ID": 0x10,
    "CR": 0x20,
    "SA": 0x40,
    "FA": 0x80,
}

# One bit each. The codes are abbreviations of directory rights; service rights have the same bits
# (CC is QUERY_CONFIG, RP is START).
_RIGHTS: Final = {
    "CC": 0x00000001,
    "DC": 0x00000002,
    "LC": 0x00000004,
    "SW": 0x00000008,
    "RP": 0x00000010,
    "WP": 0x00000020,
    "DT": 0x00000040,
    "LO": 0x00000080,
    "CR": 0x00000100,
    "SD": 0x00010000,
    "RC": 0x00020000,
    "WD": 0x00040000,
    "WO": 0x00080000,
    "GA": 0x10000000,
    "GX": 0x20000000,
    "GW": 0x40000000,
    "GR": 0x80000000,
}
# Written only for exactly these masks, as Windows does for all kinds of objects.
_RIGHT_SETS: Final = {
    "FA": 0x001F01FF,
    "FR": 0x00120089,
    "FW": 0x00120116,
    "FX": 0x001200A0,
    "KA": 0x000F003F,
    "KR": 0x00020019,
    "KW": 0x00020006,
}
_LABEL_RIGHTS: Final = {"NW": 1, "NR": 2, "NX": 4}
_READABLE_RIGHTS: Final = {**_RIGHTS, **_RIGHT_SETS, "KX": 0x00020019, **_LABEL_RIGHTS}

_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"0x(?P<hex>[0-9a-f]+)|(?P<octal>0[0-7]*)|(?P<decimal>[1-9][0-9]*)")


# --- parsing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of the text with its position."""

    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.text[self.start : self.end]

    def strip(self) -> _Span:
        value = str(self)
        start = self.start + len(value) - len(value.lstrip())
        return _Span(self.text, start, max(start, self.start + len(value.rstrip())))

    def split(self) -> list[_Span]:
        spans = []
        start = self.start
        for field in str(self).split(";"):
            spans.append(_Span(self.text, start, start + len(field)).strip())
            start += len(field) + 1
        return spans

    def error(self, problem: str) -> InvalidSddlError:
        return InvalidSddlError(problem, self.text, self.start)


def parse(text: str) -> Parts:
    """Parse SDDL; the parts can be in any order.

    Raises:
        InvalidSddlError: the text is malformed.
    """
    check_type(text, str, "SDDL")
    for position, char in enumerate(text):
        if not char.isascii():  # upper() below can turn other characters into ASCII
            raise InvalidSddlError(f"{char!r} is not allowed in SDDL", text, position)
    colons, groups = _scan(text)
    found = _find_parts(text, colons)
    dacl, dacl_control = _parse_acl(found.get("D"), groups, _DACL_TYPES)
    sacl, sacl_control = _parse_acl(found.get("S"), groups, _SACL_TYPES)
    return Parts(
        _parse_sid(found["O"]) if "O" in found else None,
        _parse_sid(found["G"]) if "G" in found else None,
        dacl,
        sacl,
        ControlFlags(dacl_control | sacl_control << 1),
    )


def _find_parts(text: str, colons: list[int]) -> dict[str, _Span]:
    """Return the text of each part: from its colon to the letter before the next colon."""
    found: dict[str, _Span] = {}
    ends = [colon - 1 for colon in colons[1:]] + [len(text)]
    for colon, end in zip(colons, ends, strict=False):
        mark = _Span(text, max(colon - 1, 0), colon)
        if str(mark) not in ("O", "G", "D", "S"):
            raise mark.error("a part must start with O:, G:, D: or S:")
        if str(mark) in found:
            raise mark.error(f"the part {mark}: occurs twice")
        found[str(mark)] = _Span(text, colon + 1, max(colon + 1, end))
    before = _Span(text, 0, colons[0] - 1 if colons else len(text)).strip()
    if str(before):
        raise before.error("a part must start with O:, G:, D: or S:")
    return found


def _scan(text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Find the colons outside parentheses, and the outermost pairs of parentheses.

    A colon outside parentheses always ends the mark of a part; inside, quoted strings can have one.
    """
    colons = []
    groups = []
    depth = opened = 0
    quoted = False
    for position, char in enumerate(text):
        if depth and char == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif char == "(":
            if depth == 0:
                opened = position
            depth += 1
        elif char == ")":
            depth -= 1
            if depth < 0:
                raise InvalidSddlError("')' without '('", text, position)
            if depth == 0:
                groups.append((opened, position + 1))
        elif char == ":" and depth == 0:
            colons.append(position)
    if depth:
        raise InvalidSddlError("'(' without ')'", text, opened)
    return colons, groups


def _parse_sid(span: _Span) -> Sid:
    value = span.strip()
    try:
        return Sid.parse(str(value))
    except InvalidSecurityError as error:
        raise value.error(str(error)) from None


def _parse_acl(
    span: _Span | None, groups: list[tuple[int, int]], types: dict[str, AceType]
) -> tuple[AclLike | None, int]:
    """Return the list and its control flags, as bits of a DACL."""
    if span is None:
        return None, 0
    mine = [_Span(span.text, *group) for group in groups if span.start <= group[0] < span.end]
    first = mine[0].start if mine else span.end
    control, is_null = _parse_acl_flags(_Span(span.text, span.start, first).strip())
    if is_null and mine:
        raise mine[0].error(f"no ACE can follow {_NULL_ACL_WORD}")
    ends = [group.start for group in mine[1:]] + [span.end]
    for group, end in zip(mine, ends, strict=False):
        between = _Span(span.text, group.end, end).strip()
        if str(between):
            raise between.error("only ACEs in parentheses can follow an ACE")
    if is_null:
        return NULL_ACL, control
    return Acl(tuple(_parse_ace(group, types) for group in mine)), control


def _parse_acl_flags(span: _Span) -> tuple[int, bool]:
    control = 0
    is_null = False
    rest = str(span).upper()
    while rest:
        for word in (_NULL_ACL_WORD, *_ACL_FLAGS):
            if rest.startswith(word):
                control |= _ACL_FLAGS.get(word, 0)
                is_null = is_null or word == _NULL_ACL_WORD
                rest = rest[len(word) :].lstrip()
                break
        else:
            wrong = _Span(span.text, span.end - len(rest), span.end)
            raise wrong.error(f"not a flag of an ACL: use P, AR, AI or {_NULL_ACL_WORD}")
    return control, is_null


def _parse_ace(group: _Span, types: dict[str, AceType]) -> Ace:
    inner = _Span(group.text, group.start + 1, group.end - 1)
    fields = inner.split()
    kind = _parse_type(fields[0], types)
    if len(fields) != 6:
        raise inner.error(
            "an ACE must have six fields (type;flags;rights;object;inherited object;trustee), "
            f"not {len(fields)}"
        )
    object_data = _parse_object(kind, fields[3], fields[4])
    if kind == AceType.ALLOWED_OBJECT and object_data == bytes(4):
        kind, object_data = AceType.ALLOWED, b""  # as in Windows
    return Ace(
        type=kind,
        flags=AceFlags(_parse_codes(fields[1], _ACE_FLAGS, "flag")),
        access=ServiceAccess(_parse_rights(fields[2])),
        object_data=object_data,
        trustee=_parse_sid(fields[5]),
    )


def _parse_type(span: _Span, types: dict[str, AceType]) -> AceType:
    code = str(span).upper()
    kind = types.get(code)
    if kind is not None:
        return kind
    if code in _REFUSED_TYPES:
        raise span.error(
            f"{_REFUSED_TYPES[code]} ACEs are not supported in SDDL; use the binary form"
        )
    if code in _DACL_TYPES or code in _SACL_TYPES:
        raise span.error(f"an ACE of type {code} is not allowed in this list")
    raise span.error("not a type of ACE")


def _parse_codes(span: _Span, table: dict[str, int], what: str) -> int:
    value = 0
    for start in range(span.start, span.end, 2):
        code = _Span(span.text, start, min(start + 2, span.end))
        bits = table.get(str(code).upper())
        if bits is None:
            raise code.error(f"not a {what}")
        value |= bits
    return value


def _parse_rights(span: _Span) -> int:
    text = str(span).lower()
    if not text[:1].isdigit():
        return _parse_codes(span, _READABLE_RIGHTS, "right")
    match = _NUMBER.fullmatch(text)
    # Check the length first: int() raises another error for a very long number.
    if match is None or len(text) > 16:
        raise span.error("not a 32-bit number")
    digits = match["hex"] or match["octal"] or match["decimal"]
    value = int(digits, 16 if match["hex"] else 8 if match["octal"] else 10)
    if value > 0xFFFFFFFF:
        raise span.error("not a 32-bit number")
    return value


def _parse_object(kind: AceType, own: _Span, inherited: _Span) -> bytes:
    if kind not in (_DACL_TYPES["OA"], _DACL_TYPES["OD"], _SACL_TYPES["OU"], _SACL_TYPES["OL"]):
        for span in (own, inherited):
            if str(span):
                raise span.error("only ACEs of type OA, OD, OU or OL have objects")
        return b""
    present = (1 if str(own) else 0) | (2 if str(inherited) else 0)
    return struct.pack("<I", present) + _parse_guid(own) + _parse_guid(inherited)


def _parse_guid(span: _Span) -> bytes:
    text = str(span)
    if not text:
        return b""
    if not _GUID.fullmatch(text):  # UUID() accepts other spellings
        raise span.error("not a GUID")
    return UUID(text).bytes_le


# --- writing ------------------------------------------------------------------------------------


def write(parts: Parts) -> str:
    """Return the parts as SDDL, in the spelling of Windows.

    Raises:
        InvalidSecurityError: SDDL cannot express an ACE.
    """
    text = ""
    if parts.owner is not None:
        text += f"O:{_write_sid(parts.owner)}"
    if parts.group is not None:
        text += f"G:{_write_sid(parts.group)}"
    if parts.dacl is not None:
        text += f"D:{_write_acl(parts.dacl, parts.control)}"
    if parts.sacl is not None:
        text += f"S:{_write_acl(parts.sacl, parts.control >> 1)}"
    return text


def _write_sid(sid: Sid) -> str:
    return sid.alias or str(sid)


def _write_acl(acl: AclLike, control: int) -> str:
    text = "".join(word for word, bit in _ACL_FLAGS.items() if control & bit)
    if isinstance(acl, NullAcl):
        return text + _NULL_ACL_WORD
    return text + "".join(map(_write_ace, acl))


def _write_ace(ace: Ace) -> str:
    code = _TYPE_CODE.get(ace.type)
    if code is None or ace.trustee is None:
        raise InvalidSecurityError(
            f"an ACE of type {ace.type.name} is not supported in SDDL; use the binary form"
        )
    if ace.data:
        raise InvalidSecurityError(
            "an ACE with data after its trustee is not supported in SDDL; use the binary form"
        )
    flags = _write_codes(ace.flags, _ACE_FLAGS)
    if flags is None:
        raise InvalidSecurityError(
            f"the ACE flags {int(ace.flags):#x} are not supported in SDDL; use the binary form"
        )
    own, inherited = _write_object(ace.object_data)
    fields = (code, flags, _write_rights(ace), own, inherited, _write_sid(ace.trustee))
    return f"({';'.join(fields)})"


def _write_codes(value: int, table: dict[str, int]) -> str | None:
    """Return the codes in the order of the table; None if there are other bits."""
    codes = [code for code, bit in table.items() if value & bit]
    return None if value & ~sum(table[code] for code in codes) else "".join(codes)


def _write_rights(ace: Ace) -> str:
    mask = int(ace.access)
    if ace.type == AceType.MANDATORY_LABEL:
        codes = _write_codes(mask, _LABEL_RIGHTS)
    else:
        exact = [code for code, rights in _RIGHT_SETS.items() if rights == mask]
        codes = exact[0] if exact else _write_codes(mask, _RIGHTS)
    return f"{mask:#x}" if codes is None else codes


def _write_object(data: bytes) -> tuple[str, str]:
    if not data:
        return "", ""
    (present,) = struct.unpack_from("<I", data)
    if present & ~3:
        raise InvalidSecurityError(
            f"the object flags {present:#x} are not supported in SDDL; use the binary form"
        )
    guids = [str(UUID(bytes_le=data[at : at + 16])) for at in range(4, len(data), 16)]
    return guids.pop(0) if present & 1 else "", guids.pop(0) if present & 2 else ""
