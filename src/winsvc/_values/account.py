r"""The accounts that services run as, and their passwords.

An account has several spellings: ``SYSTEM``, ``.\LocalSystem`` and ``S-1-5-18`` are
``LocalSystem``. An :class:`Account` is a str that keeps its spelling, compares by account, and has
the canonical name that the service control manager accepts. The kind of an account determines
whether it has a password. A password is a :class:`Secret`, which is never displayed.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NoReturn, Self

from winsvc._public import publish
from winsvc._util.text import check_text, name_key
from winsvc.enums import ServiceType
from winsvc.errors import ValidationError

__all__ = [
    "LOCAL_SERVICE",
    "LOCAL_SYSTEM",
    "NETWORK_SERVICE",
    "Account",
    "AccountKind",
    "Secret",
    "check_interactive",
    "password_for",
]


class Secret:
    """A text that is not displayed.

    A secret prints as asterisks and cannot be pickled or written as JSON. Secrets compare by
    content.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Create a secret.

        Args:
            text: the text to hide.

        Raises:
            TypeError: *text* is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(f"Secret: expected str, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """Return the text. Do not store it in a variable, which a traceback can display."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('********')"

    def __str__(self) -> str:
        return "********"

    def __format__(self, spec: str) -> str:
        return str(self)  # the specification is ignored: an invalid one must not raise an error

    def __bool__(self) -> bool:
        return self._text != ""

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    # dataclasses.asdict() and the copy module would otherwise pickle.
    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


class AccountKind(Enum):
    """The kind of an account."""

    LOCAL_SYSTEM = "LocalSystem"
    LOCAL_SERVICE = "LocalService"
    NETWORK_SERVICE = "NetworkService"
    VIRTUAL = "virtual"
    r"""``NT SERVICE\name``, which exists as long as the service exists."""
    MANAGED = "managed"
    r"""``DOMAIN\name$``, whose password the domain manages (group-managed or not)."""
    USER = "user"
    DRIVER_OBJECT = "driver object"
    r"""The object of a driver, such as ``\Driver\name``; empty for the default object."""

    @property
    def built_in(self) -> bool:
        """Return whether the account exists on every Windows system."""
        return self.value in _CANONICAL

    @property
    def takes_password(self) -> bool:
        """Return whether a service needs a password for the account."""
        return self is AccountKind.USER


# The service control manager accepts these names in every language of Windows.
_CANONICAL: Final = {
    "LocalSystem": "LocalSystem",
    "LocalService": r"NT AUTHORITY\LocalService",
    "NetworkService": r"NT AUTHORITY\NetworkService",
}

_ALIASES: Final = {
    "SYSTEM": AccountKind.LOCAL_SYSTEM,
    "LOCALSYSTEM": AccountKind.LOCAL_SYSTEM,
    r".\SYSTEM": AccountKind.LOCAL_SYSTEM,
    r"NT AUTHORITY\SYSTEM": AccountKind.LOCAL_SYSTEM,
    "S-1-5-18": AccountKind.LOCAL_SYSTEM,
    "LOCALSERVICE": AccountKind.LOCAL_SERVICE,
    "LOCAL SERVICE": AccountKind.LOCAL_SERVICE,
    r"NT AUTHORITY\LOCALSERVICE": AccountKind.LOCAL_SERVICE,
    r"NT AUTHORITY\LOCAL SERVICE": AccountKind.LOCAL_SERVICE,
    "S-1-5-19": AccountKind.LOCAL_SERVICE,
    "NETWORKSERVICE": AccountKind.NETWORK_SERVICE,
    "NETWORK SERVICE": AccountKind.NETWORK_SERVICE,
    r"NT AUTHORITY\NETWORKSERVICE": AccountKind.NETWORK_SERVICE,
    r"NT AUTHORITY\NETWORK SERVICE": AccountKind.NETWORK_SERVICE,
    "S-1-5-20": AccountKind.NETWORK_SERVICE,
}

_DRIVER_OBJECTS: Final = ("\\Driver\\", "\\FileSystem\\")
_SID: Final = re.compile(r"S-1(-\d+)+", re.IGNORECASE | re.ASCII)


class Account(str):
    r"""An account, as a str that compares by account.

    ``Account(text)`` accepts every spelling: a built-in account by its names or its SID, ``user``
    (the same as ``.\user``), ``DOMAIN\user``, ``user@domain``, ``NT SERVICE\name`` and
    ``DOMAIN\name$``. The text keeps the spelling. An account is equal to each account and each str
    that Windows treats as the same name: ``config.account == "localsystem"``. Only a domain can
    determine whether ``user@domain`` is ``DOMAIN\user``; they are different here.

    Use accounts as keys of a dict and members of a set, not mixed with str: the hash of an account
    does not depend on its spelling.

    Attributes:
        name: the canonical name, which the service control manager accepts.
        kind: the kind of the account.
    """

    __slots__ = ("_key", "kind", "name")

    name: str
    kind: AccountKind
    _key: str

    def __new__(cls, text: str, argument: str = "account") -> Self:
        """Parse the name of an account.

        Args:
            text: the account, in any spelling.
            argument: the name of the argument in an error.

        Raises:
            TypeError: *text* is not a str.
            ValidationError: *text* is not the name of an account, or it is a SID other than those
                of the built-in accounts.
        """
        if isinstance(text, cls):
            return text
        return cls._of(text, *_parse(check_text(text, argument, empty=False), argument))

    @classmethod
    def stored(cls, text: str) -> Self:
        r"""Return the account of a stored configuration, without validation.

        A driver has the name of an object (``\Driver\name``) or ``""`` in place of an account.
        """
        if not text or text.startswith(_DRIVER_OBJECTS):
            return cls._of(text, text, AccountKind.DRIVER_OBJECT)
        try:
            return cls(text)
        except ValidationError:
            return cls._of(text, text, AccountKind.USER)

    @classmethod
    def _of(cls, text: str, name: str, kind: AccountKind) -> Self:
        account = str.__new__(cls, text)
        account.name = name
        account.kind = kind
        account._key = name_key(name)
        return account

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Account):
            return self._key == other._key
        return self._key == Account.stored(other)._key if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other  # otherwise the operator of str is used

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Account({str(self)!r})"

    def __str__(self) -> str:
        return self[:]  # a plain str

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).stored, (str(self),)


def _parse(text: str, argument: str) -> tuple[str, AccountKind]:
    kind = _ALIASES.get(name_key(text))
    if kind is not None:
        return _CANONICAL[kind.value], kind
    if _SID.fullmatch(text):
        raise ValidationError(argument, f"{text} is a SID; specify the name of the account")
    domain, backslash, user = text.rpartition("\\")
    if not backslash and "@" in text:
        user, _, domain = text.rpartition("@")
        name = text
    else:
        domain = domain if backslash else "."
        name = f"{domain}\\{user}"
    if not user or not domain or "\\" in domain:
        raise ValidationError(
            argument, rf"{text!r} is not an account; expected NAME, DOMAIN\NAME or NAME@DOMAIN"
        )
    if name_key(user) == "LOCALSYSTEM" and backslash:
        # COMPUTER\LocalSystem, for any name of the computer.
        return _CANONICAL["LocalSystem"], AccountKind.LOCAL_SYSTEM
    if name_key(domain) == "NT SERVICE" and backslash:
        return rf"NT SERVICE\{user}", AccountKind.VIRTUAL
    if user.endswith("$") and domain != ".":
        return name, AccountKind.MANAGED
    return name, AccountKind.USER


LOCAL_SYSTEM: Final = Account("LocalSystem")
LOCAL_SERVICE: Final = Account("LocalService")
NETWORK_SERVICE: Final = Account("NetworkService")


def password_for(account: Account, password: Secret | str | None) -> Secret | None:
    """Return the password to send when a service gets this account.

    Args:
        account: the account.
        password: the password that the caller specified.

    Returns:
        For a built-in account the empty password, for a virtual or managed one None (NULL). For a
        user *password*; None keeps the stored password.

    Raises:
        TypeError: *password* is not a Secret, a str or None.
        ValidationError: the account has no password and *password* is not empty, or *password*
            contains a NUL.
    """
    if password is not None and not isinstance(password, Secret):
        password = Secret(password)
    # Not check_text(): the password would be a variable there, which a traceback can display.
    if password is not None and "\0" in password.reveal():
        raise ValidationError("password", "must not contain a NUL character")
    if account.kind.takes_password:
        return password
    if password:
        raise ValidationError("password", f"{account} has no password; omit the setting")
    return Secret("") if account.kind.built_in else None


def check_interactive(service_type: ServiceType, account: Account) -> None:
    """Check that an interactive service runs as LocalSystem.

    Args:
        service_type: the type of the service.
        account: the account that the service will run as.

    Raises:
        ValidationError: the type contains ``INTERACTIVE_PROCESS`` and the account is another one.
    """
    if ServiceType.INTERACTIVE_PROCESS in service_type and account != LOCAL_SYSTEM:
        raise ValidationError(
            "service_type",
            f"an interactive service must run as LocalSystem, not as {account}; remove "
            "INTERACTIVE_PROCESS or change the account",
        )


publish(__name__)
