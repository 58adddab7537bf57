r"""Security identifiers (SIDs).

:class:`Sid` reads and writes the string form (``S-1-5-18``), the binary form and the SDDL aliases
(``SY``), and has the well-known SIDs (``NT AUTHORITY\SYSTEM``). It translates names of accounts and
groups through the system. :func:`service_sid` computes the SID of a service.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from winsvc._util.checks import check_type
from winsvc._util.text import name_key
from winsvc.enums import ErrorCode
from winsvc.errors import NotFoundError, Win32Error, WinsvcError

if TYPE_CHECKING:
    from winsvc.backend import AccountBackend

__all__ = [
    "ORDINARY_USERS",
    "WELL_KNOWN_NAMES",
    "InvalidSecurityError",
    "Sid",
    "SidLike",
    "check_range",
    "read_sid",
    "service_sid",
]

_MAX_SUB_AUTHORITIES: Final = 15
_SERVICE_DOMAIN: Final = "NT SERVICE\\"


class InvalidSecurityError(WinsvcError, ValueError):
    """A SID, an ACE, an ACL or a security descriptor is malformed or cannot be expressed."""


def check_range(value: int, bits: int, what: str) -> int:
    """Return *value* if it is an unsigned int of at most this many bits."""
    check_type(value, int, what)
    if not 0 <= value < 1 << bits:
        raise InvalidSecurityError(
            f"{what} must be between 0 and {(1 << bits) - 1:#x}, not {value:#x}"
        )
    return int(value)


@dataclass(frozen=True, slots=True, repr=False)
class Sid:
    """A security identifier: of an account, a group, a service or an integrity level.

    Attributes:
        authority: the identifier authority, below 2**48; 5 is "NT Authority".
        sub_authorities: up to fifteen 32-bit numbers; the last one is the relative identifier.
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
        """Parse the string form, such as ``S-1-5-18``, or an SDDL alias, such as ``SY``.

        Raises:
            InvalidSecurityError: the text is neither, or is an alias that depends on the domain.
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
                f"the alias {alias} ({name}) depends on the machine or its domain; "
                f"specify the SID (S-1-5-21-...-{rid})"
            )
        raise InvalidSecurityError(f"{text!r} is neither a SID (S-1-...) nor an SDDL alias")

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Sid:
        """Decode the binary form.

        Raises:
            InvalidSecurityError: the data are malformed, or longer than the SID.
        """
        raw = memoryview(data).tobytes()
        sid, end = read_sid(raw, 0, len(raw), "the SID")
        if end != len(raw):
            raise InvalidSecurityError(f"{len(raw) - end} bytes follow the SID")
        return sid

    @classmethod
    def coerce(cls, value: SidLike) -> Sid:
        r"""Return a value as a :class:`Sid`, without a call to the system.

        Args:
            value: a :class:`Sid`, its binary form, its string form, an SDDL alias, an English
                well-known name in any case, such as ``"NT AUTHORITY\\SYSTEM"`` or ``"Everyone"``,
                or ``"NT SERVICE\\name"``. For other names see :meth:`lookup`.

        Raises:
            InvalidSecurityError: the value is none of these.
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
                f"{value!r} is not a well-known name; translate names of accounts with Sid.lookup()"
            )
        return cls.parse(value)

    @property
    def alias(self) -> str | None:
        """The SDDL alias, such as ``SY``; None if there is none."""
        return _ALIAS_OF.get(self)

    @property
    def name(self) -> str | None:
        r"""The English well-known name, such as ``NT AUTHORITY\SYSTEM``; None if there is none."""
        return WELL_KNOWN_NAMES.get(self)

    @classmethod
    def lookup(
        cls, name: str, *, machine: str | None = None, backend: AccountBackend | None = None
    ) -> Sid:
        r"""Translate the name of an account or group to its SID.

        Args:
            name: the name, such as ``"Spooler admins"``, ``r"CORP\alice"`` or
                ``"alice@corp.example"``; a name without a domain is searched for on the machine,
                then in its domain and trusted domains.
            machine: the machine that translates the name; None for this one.
            backend: the backend for the call; None for :func:`winsvc.backend.default_backend`.

        Raises:
            NotFoundError: no account or group has this name.
            MachineUnreachableError: the machine does not answer.
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows call: ``LookupAccountNameW``.
        """
        from winsvc.backend import resolve_backend

        check_type(name, str, "name")
        try:
            return cls.from_bytes(resolve_backend(backend).lookup_account_name(machine, name))
        except Win32Error as error:
            hint = None
            if isinstance(error, NotFoundError):
                hint = r"Check the spelling; a full name contains the domain, as in BUILTIN\Users."
            error.add_context(object_name=name, machine=machine, hint=hint)
            raise

    def account_name(
        self, *, machine: str | None = None, backend: AccountBackend | None = None
    ) -> str | None:
        r"""Translate the SID to the name of its account or group, such as ``BUILTIN\Users``.

        The names of well-known accounts are in the language of the system.

        Args:
            machine: the machine that translates the SID; None for this one.
            backend: the backend for the call; None for :func:`winsvc.backend.default_backend`.

        Returns:
            The name with its domain; None if no account has the SID, as after its deletion.

        Raises:
            MachineUnreachableError: the machine does not answer.
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows call: ``LookupAccountSidW``.
        """
        from winsvc.backend import resolve_backend

        try:
            domain, name = resolve_backend(backend).lookup_account_sid(machine, self.to_bytes())
        except Win32Error as error:
            if error.winerror == ErrorCode.NONE_MAPPED:
                return None
            error.add_context(object_name=str(self), machine=machine)
            raise
        return f"{domain}\\{name}" if domain else name

    def to_bytes(self) -> bytes:
        """Return the binary form."""
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
# More digits than 48 bits need; int() has its own limit, with another exception.
_MAX_DIGITS: Final = 20


def _number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise InvalidSecurityError(f"{text[:_MAX_DIGITS]}... is too large for a part of a SID")
    return int(text, 16) if text[:2].lower() == "0x" else int(text)


def read_sid(data: bytes, start: int, end: int, what: str) -> tuple[Sid, int]:
    """Decode the SID at ``start``, which must end at ``end`` or before.

    Returns:
        The SID and the position after it.

    Raises:
        InvalidSecurityError: the SID is truncated or malformed; ``what`` names it in the message.
    """
    if start + 8 > end:
        raise InvalidSecurityError(f"{what} is truncated: it has no room for a SID at byte {start}")
    revision, count = data[start], data[start + 1]
    if revision != 1 or count > _MAX_SUB_AUTHORITIES:
        raise InvalidSecurityError(
            f"{what} at byte {start} is not a SID (revision {revision}, {count} sub-authorities)"
        )
    stop = start + 8 + 4 * count
    if stop > end:
        raise InvalidSecurityError(f"{what} at byte {start} is truncated: it needs {stop} bytes")
    authority = int.from_bytes(data[start + 2 : start + 8], "big")
    return Sid(authority, struct.unpack_from(f"<{count}I", data, start + 8)), stop


def service_sid(name: str) -> Sid:
    """Compute the SID of a service, as ``sc showsid`` does; the service need not exist.

    The SID is S-1-5-80, followed by the SHA-1 of the upper-case name as five 32-bit numbers.

    Args:
        name: the service's key name (not its display name), in any case.

    Raises:
        InvalidSecurityError: the name is empty.
    """
    check_type(name, str, "a service's name")
    if not name:
        raise InvalidSecurityError("a service's name must not be empty")
    import hashlib  # local: it loads OpenSSL, which few programs need

    text = name_key(name).encode("utf-16-le", "surrogatepass")
    digest = hashlib.sha1(text, usedforsecurity=False).digest()
    return Sid(5, (80, *struct.unpack("<5I", digest)))


# SID, SDDL alias ("" if there is none), English name.
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
WELL_KNOWN_NAMES: Final = {Sid.parse(sid): name for sid, _, name in _WELL_KNOWN}
_BY_NAME: Final = {name.casefold(): sid for sid, name in WELL_KNOWN_NAMES.items()}

ORDINARY_USERS: Final = tuple(
    Sid.parse(text) for text in ("WD", "AU", "BU", "IU", "S-1-2-0", "S-1-5-15")
)
"""The groups of each user who is logged on interactively without administrative rights: Everyone,
Authenticated Users, Users, INTERACTIVE, LOCAL and This Organization."""
