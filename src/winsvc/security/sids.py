r"""Security identifiers: who an access rule speaks of.

:class:`Sid` reads and writes the string form (``S-1-5-18``), the binary form and the two-letter
aliases of SDDL (``SY``), and knows the names of the well-known ones (``NT AUTHORITY\SYSTEM``).
:func:`service_sid` computes the SID that Windows gives to a service.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from winsvc._util.checks import check_type
from winsvc._util.text import name_key

__all__ = [
    "InvalidSecurityError",
    "Sid",
    "SidLike",
    "check_range",
    "read_sid",
    "service_sid",
]

_MAX_SUB_AUTHORITIES: Final = 15
_SERVICE_DOMAIN: Final = "NT SERVICE\\"


class InvalidSecurityError(ValueError):
    """A SID, an access rule or a security descriptor is malformed, or cannot be expressed."""


def check_range(value: int, bits: int, what: str) -> int:
    """The value, checked to be an int that fits in so many unsigned bits."""
    check_type(value, int, what)
    if not 0 <= value < 1 << bits:
        raise InvalidSecurityError(f"{what} has {bits} bits, which {value:#x} does not fit in")
    return int(value)


@dataclass(frozen=True, slots=True, repr=False)
class Sid:
    """A security identifier: an account, a group, a service, an integrity level.

    Attributes:
        authority: who issued it, below 2**48; 5 is "NT Authority".
        sub_authorities: up to fifteen 32-bit numbers; the last is the relative identifier.
    """

    authority: int
    sub_authorities: tuple[int, ...]

    def __post_init__(self) -> None:
        check_range(self.authority, 48, "a SID's authority")
        check_type(self.sub_authorities, tuple, "a SID's sub-authorities")
        if len(self.sub_authorities) > _MAX_SUB_AUTHORITIES:
            raise InvalidSecurityError(
                f"a SID has at most {_MAX_SUB_AUTHORITIES} sub-authorities, "
                f"not {len(self.sub_authorities)}"
            )
        for number in self.sub_authorities:
            check_range(number, 32, "a SID's sub-authority")

    @classmethod
    def parse(cls, text: str) -> Sid:
        """The SID that the text spells: ``S-1-5-18``, or an SDDL alias such as ``SY``.

        Raises:
            InvalidSecurityError: it is neither, or is an alias that only a machine can resolve.
        """
        check_type(text, str, "a SID's text")
        match = _SID_TEXT.fullmatch(text)
        if match:
            subs = match["subs"].split("-")[1:]
            return cls(_number(match["authority"]), tuple(_number(sub) for sub in subs))
        alias = text.upper() if text.isascii() else ""  # upper() makes SS of a sharp s
        if alias in _BY_ALIAS:
            return _BY_ALIAS[alias]
        if alias in _DOMAIN_ALIASES:
            name, rid = _DOMAIN_ALIASES[alias]
            raise InvalidSecurityError(
                f"the alias {alias} ({name}) depends on the machine or its domain: "
                f"write the whole SID, S-1-5-21-...-{rid}"
            )
        raise InvalidSecurityError(f"{text!r} is neither a SID (S-1-...) nor an SDDL alias")

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Sid:
        """The SID in its binary form, which must fill the data exactly."""
        raw = memoryview(data).tobytes()
        sid, end = read_sid(raw, 0, len(raw), "the SID")
        if end != len(raw):
            raise InvalidSecurityError(f"{len(raw) - end} bytes follow the SID")
        return sid

    @classmethod
    def coerce(cls, value: SidLike) -> Sid:
        r"""The SID that a caller means.

        Args:
            value: a :class:`Sid`, its bytes, what :meth:`parse` takes, a well-known name such as
                ``"NT AUTHORITY\\SYSTEM"`` or ``"Everyone"`` in any case, or ``"NT SERVICE\\name"``.
                The name of any other account needs a machine to resolve it, and is refused.
        """
        if isinstance(value, Sid):
            return value
        if not isinstance(value, str):
            return cls.from_bytes(value)
        known = _BY_NAME.get(value.casefold())
        if known is not None:
            return known
        if value[: len(_SERVICE_DOMAIN)].upper() == _SERVICE_DOMAIN:
            return service_sid(value[len(_SERVICE_DOMAIN) :])
        if "\\" in value:
            raise InvalidSecurityError(
                f"{value!r} is no well-known name: give the account's SID (S-1-...)"
            )
        return cls.parse(value)

    @property
    def alias(self) -> str | None:
        """The SDDL alias, such as ``SY``; None where there is none."""
        return _ALIAS_OF.get(self)

    @property
    def name(self) -> str | None:
        r"""The English well-known name, such as ``NT AUTHORITY\SYSTEM``; None if it has none."""
        return _NAME_OF.get(self)

    def to_bytes(self) -> bytes:
        """The binary form."""
        count = len(self.sub_authorities)
        head = struct.pack("<BB", 1, count) + self.authority.to_bytes(6, "big")
        return head + struct.pack(f"<{count}I", *self.sub_authorities)

    __bytes__ = to_bytes

    def __str__(self) -> str:
        # Upper-case and unpadded above 32 bits, as ConvertSidToStringSid prints it.
        authority = self.authority if self.authority < 2**32 else f"0x{self.authority:X}"
        return "-".join(["S", "1", str(authority), *map(str, self.sub_authorities)])

    def __repr__(self) -> str:
        return f"<Sid {self} {self.name}>" if self.name else f"<Sid {self}>"


SidLike: TypeAlias = Sid | str | bytes | bytearray | memoryview

_SID_TEXT: Final = re.compile(
    r"S-1-(?P<authority>0x[0-9a-f]+|[0-9]+)(?P<subs>(?:-(?:0x[0-9a-f]+|[0-9]+))*)",
    re.ASCII | re.IGNORECASE,
)
# More than fits in 48 bits; refused before int(), whose own limit is another kind of error.
_MAX_DIGITS: Final = 20


def _number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise InvalidSecurityError(f"{text[:_MAX_DIGITS]}... is too large for a part of a SID")
    return int(text, 16) if text[:2].lower() == "0x" else int(text)


def read_sid(data: bytes, start: int, end: int, what: str) -> tuple[Sid, int]:
    """Read the SID at ``start``, looking no further than ``end``.

    Returns:
        The SID, and where it ends.

    Raises:
        InvalidSecurityError: it is cut short or malformed; ``what`` names it in the message.
    """
    if start + 8 > end:
        raise InvalidSecurityError(f"{what} is cut short: no room for a SID at byte {start}")
    revision, count = data[start], data[start + 1]
    if revision != 1 or count > _MAX_SUB_AUTHORITIES:
        raise InvalidSecurityError(
            f"{what} at byte {start} is not a SID (revision {revision}, {count} sub-authorities)"
        )
    stop = start + 8 + 4 * count
    if stop > end:
        raise InvalidSecurityError(f"{what} at byte {start} is cut short: it needs {stop} bytes")
    authority = int.from_bytes(data[start + 2 : start + 8], "big")
    return Sid(authority, struct.unpack_from(f"<{count}I", data, start + 8)), stop


def service_sid(name: str) -> Sid:
    """The SID of a service: what ``sc showsid`` prints, installed or not.

    It is S-1-5-80 and the five 32-bit words of the SHA-1 of the upper-cased name.

    Args:
        name: the service's key name (not its display name), in any case.
    """
    check_type(name, str, "a service's name")
    if not name:
        raise InvalidSecurityError("a service's name is not empty")
    import hashlib  # here, since it loads OpenSSL, which most users of this module never need

    text = name_key(name).encode("utf-16-le", "surrogatepass")
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    return Sid(5, (80, *struct.unpack("<5I", digest)))


# SID, SDDL alias (empty where there is none), English name.
_WELL_KNOWN: Final = (
    ("S-1-0-0", "", "NULL SID"),
    ("S-1-1-0", "WD", "Everyone"),
    ("S-1-2-0", "", "LOCAL"),
    ("S-1-2-1", "", "CONSOLE LOGON"),
    ("S-1-3-0", "CO", "CREATOR OWNER"),
    ("S-1-3-1", "CG", "CREATOR GROUP"),
    ("S-1-3-4", "OW", "OWNER RIGHTS"),
    ("S-1-5-1", "", "NT AUTHORITY\\DIALUP"),
    ("S-1-5-2", "NU", "NT AUTHORITY\\NETWORK"),
    ("S-1-5-3", "", "NT AUTHORITY\\BATCH"),
    ("S-1-5-4", "IU", "NT AUTHORITY\\INTERACTIVE"),
    ("S-1-5-6", "SU", "NT AUTHORITY\\SERVICE"),
    ("S-1-5-7", "AN", "NT AUTHORITY\\ANONYMOUS LOGON"),
    ("S-1-5-9", "ED", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS"),
    ("S-1-5-10", "PS", "NT AUTHORITY\\SELF"),
    ("S-1-5-11", "AU", "NT AUTHORITY\\Authenticated Users"),
    ("S-1-5-12", "RC", "NT AUTHORITY\\RESTRICTED"),
    ("S-1-5-13", "", "NT AUTHORITY\\TERMINAL SERVER USER"),
    ("S-1-5-14", "", "NT AUTHORITY\\REMOTE INTERACTIVE LOGON"),
    ("S-1-5-15", "", "NT AUTHORITY\\This Organization"),
    ("S-1-5-17", "", "NT AUTHORITY\\IUSR"),
    ("S-1-5-18", "SY", "NT AUTHORITY\\SYSTEM"),
    ("S-1-5-19", "LS", "NT AUTHORITY\\LOCAL SERVICE"),
    ("S-1-5-20", "NS", "NT AUTHORITY\\NETWORK SERVICE"),
    ("S-1-5-32-544", "BA", "BUILTIN\\Administrators"),
    ("S-1-5-32-545", "BU", "BUILTIN\\Users"),
    ("S-1-5-32-546", "BG", "BUILTIN\\Guests"),
    ("S-1-5-32-547", "PU", "BUILTIN\\Power Users"),
    ("S-1-5-32-548", "AO", "BUILTIN\\Account Operators"),
    ("S-1-5-32-549", "SO", "BUILTIN\\Server Operators"),
    ("S-1-5-32-550", "PO", "BUILTIN\\Print Operators"),
    ("S-1-5-32-551", "BO", "BUILTIN\\Backup Operators"),
    ("S-1-5-32-552", "RE", "BUILTIN\\Replicator"),
    ("S-1-5-32-554", "RU", "BUILTIN\\Pre-Windows 2000 Compatible Access"),
    ("S-1-5-32-555", "RD", "BUILTIN\\Remote Desktop Users"),
    ("S-1-5-32-556", "NO", "BUILTIN\\Network Configuration Operators"),
    ("S-1-5-32-558", "MU", "BUILTIN\\Performance Monitor Users"),
    ("S-1-5-32-559", "LU", "BUILTIN\\Performance Log Users"),
    ("S-1-5-32-562", "", "BUILTIN\\Distributed COM Users"),
    ("S-1-5-32-568", "IS", "BUILTIN\\IIS_IUSRS"),
    ("S-1-5-32-569", "CY", "BUILTIN\\Cryptographic Operators"),
    ("S-1-5-32-573", "ER", "BUILTIN\\Event Log Readers"),
    ("S-1-5-32-574", "CD", "BUILTIN\\Certificate Service DCOM Access"),
    ("S-1-5-32-575", "RA", "BUILTIN\\RDS Remote Access Servers"),
    ("S-1-5-32-576", "ES", "BUILTIN\\RDS Endpoint Servers"),
    ("S-1-5-32-577", "MS", "BUILTIN\\RDS Management Servers"),
    ("S-1-5-32-578", "HA", "BUILTIN\\Hyper-V Administrators"),
    ("S-1-5-32-579", "AA", "BUILTIN\\Access Control Assistance Operators"),
    ("S-1-5-32-580", "RM", "BUILTIN\\Remote Management Users"),
    ("S-1-5-32-584", "HO", "BUILTIN\\User Mode Hardware Operators"),
    ("S-1-5-32-585", "SH", "BUILTIN\\OpenSSH Users"),
    ("S-1-5-33", "WR", "NT AUTHORITY\\WRITE RESTRICTED"),
    ("S-1-5-80-0", "", "NT SERVICE\\ALL SERVICES"),
    (
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        "",
        "NT SERVICE\\TrustedInstaller",
    ),
    ("S-1-5-84-0-0-0-0-0", "UD", "NT AUTHORITY\\USER MODE DRIVERS"),
    ("S-1-5-113", "", "NT AUTHORITY\\Local account"),
    ("S-1-5-114", "", "NT AUTHORITY\\Local account and member of Administrators group"),
    ("S-1-15-2-1", "AC", "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES"),
    ("S-1-15-2-2", "", "APPLICATION PACKAGE AUTHORITY\\ALL RESTRICTED APPLICATION PACKAGES"),
    ("S-1-16-0", "", "Mandatory Label\\Untrusted Mandatory Level"),
    ("S-1-16-4096", "LW", "Mandatory Label\\Low Mandatory Level"),
    ("S-1-16-8192", "ME", "Mandatory Label\\Medium Mandatory Level"),
    ("S-1-16-8448", "MP", "Mandatory Label\\Medium Plus Mandatory Level"),
    ("S-1-16-12288", "HI", "Mandatory Label\\High Mandatory Level"),
    ("S-1-16-16384", "SI", "Mandatory Label\\System Mandatory Level"),
    ("S-1-18-1", "AS", "Authentication authority asserted identity"),
    ("S-1-18-2", "SS", "Service asserted identity"),
)

# Aliases whose SID starts with that of the machine, its domain or the forest's root domain.
_DOMAIN_ALIASES: Final = {
    "AP": ("Protected Users", 525),
    "CA": ("Cert Publishers", 517),
    "CN": ("Cloneable Domain Controllers", 522),
    "DA": ("Domain Admins", 512),
    "DC": ("Domain Computers", 515),
    "DD": ("Domain Controllers", 516),
    "DG": ("Domain Guests", 514),
    "DU": ("Domain Users", 513),
    "EA": ("Enterprise Admins", 519),
    "EK": ("Enterprise Key Admins", 527),
    "KA": ("Key Admins", 526),
    "LA": ("the local Administrator account", 500),
    "LG": ("the local Guest account", 501),
    "PA": ("Group Policy Creator Owners", 520),
    "RO": ("Enterprise Read-only Domain Controllers", 498),
    "RS": ("RAS and IAS Servers", 553),
    "SA": ("Schema Admins", 518),
}


_BY_ALIAS: Final = {alias: Sid.parse(sid) for sid, alias, _ in _WELL_KNOWN if alias}
_ALIAS_OF: Final = {sid: alias for alias, sid in _BY_ALIAS.items()}
_NAME_OF: Final = {Sid.parse(sid): name for sid, _, name in _WELL_KNOWN}
_BY_NAME: Final = {name.casefold(): sid for sid, name in _NAME_OF.items()}
