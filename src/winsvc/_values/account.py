r"""The accounts that services run under, and their passwords.

One account has many names: ``SYSTEM``, ``.\LocalSystem`` and ``S-1-5-18`` are ``LocalSystem``. An
:class:`Account` has one, the one that the service control manager takes. Which password goes with
an account depends on its kind, and a password travels as a :class:`Secret`, which does not show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NoReturn

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
    """A text that shows only when asked to.

    It prints as asterisks, cannot be pickled, and JSON refuses it. Secrets compare by content.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Hide a text.

        Args:
            text: what to hide.

        Raises:
            TypeError: it is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a Secret is made from a str, not {type(text).__name__}")
        self._text = text

    def reveal(self) -> str:
        """The text itself. Hand it on at once: a variable shows up in tracebacks."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('********')"

    def __str__(self) -> str:
        return "********"

    def __format__(self, spec: str) -> str:
        return str(self)  # no spec: padding or cutting would tell nothing, but may fail

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
    """What sort of account it is."""

    LOCAL_SYSTEM = "LocalSystem"
    LOCAL_SERVICE = "LocalService"
    NETWORK_SERVICE = "NetworkService"
    VIRTUAL = "virtual"
    r"""``NT SERVICE\name``, which exists as long as the service does."""
    MANAGED = "managed"
    r"""``DOMAIN\name$``, whose password the domain keeps (group-managed or not)."""
    USER = "user"

    @property
    def built_in(self) -> bool:
        """Whether it is one of the three that every Windows has."""
        return self.value in _CANONICAL

    @property
    def takes_password(self) -> bool:
        """Whether somebody has to know a password."""
        return self is AccountKind.USER


# What the service control manager takes, on a Windows of any language.
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

_SID: Final = re.compile(r"S-1(-\d+)+", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, init=False)
class Account:
    r"""An account under its canonical name.

    ``Account(text)`` takes every spelling: a built-in account by its names or its SID, ``user``
    (becomes ``.\user``), ``DOMAIN\user``, ``user@domain``, ``NT SERVICE\name`` and
    ``DOMAIN\name$``. Accounts are equal when Windows takes them for the same by name; that
    ``user@domain`` may be ``DOMAIN\user`` only a domain knows.

    Attributes:
        name: what to give to the service control manager.
        kind: what sort of account it is.
    """

    name: str = field(compare=False)
    kind: AccountKind = field(compare=False)
    _key: str = field(repr=False)

    def __init__(self, text: str, argument: str = "account") -> None:
        """Read an account's name.

        Args:
            text: the account, in any spelling.
            argument: how to call it in an error.

        Raises:
            TypeError: it is not a str.
            ValidationError: it is no account's name, or a SID other than those of built-in accounts.
        """
        name, kind = _parse(check_text(text, argument, empty=False), argument)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "_key", name_key(name))

    def __str__(self) -> str:
        return self.name


def _parse(text: str, argument: str) -> tuple[str, AccountKind]:
    kind = _ALIASES.get(name_key(text))
    if kind is not None:
        return _CANONICAL[kind.value], kind
    if _SID.fullmatch(text):
        raise ValidationError(argument, f"{text} is a SID: a service's account is given by name")
    domain, backslash, user = text.rpartition("\\")
    if not backslash and "@" in text:
        user, _, domain = text.rpartition("@")
        name = text
    else:
        domain = domain if backslash else "."
        name = f"{domain}\\{user}"
    if not user or not domain or "\\" in domain:
        raise ValidationError(argument, rf"{text!r} is none of NAME, DOMAIN\NAME and NAME@DOMAIN")
    if name_key(user) == "LOCALSYSTEM" and backslash:
        # COMPUTER\LocalSystem, whatever the computer is called.
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
    """The password to send along when a service is given this account.

    Args:
        account: the account.
        password: what the caller gave.

    Returns:
        For a built-in account the empty password, for a virtual or managed one None (NULL). For a
        user what was given; None leaves the password that is stored.

    Raises:
        TypeError: it is none of Secret, str and None.
        ValidationError: the account takes no password, but one was given, or it has a NUL.
    """
    if password is not None and not isinstance(password, Secret):
        password = Secret(password)
    # Not check_text(): the password would be a variable there, and show in a traceback.
    if password is not None and "\0" in password.reveal():
        raise ValidationError("password", "must not contain a NUL character")
    if account.kind.takes_password:
        return password
    if password:
        raise ValidationError("password", f"{account} takes no password")
    return Secret("") if account.kind.built_in else None


def check_interactive(service_type: ServiceType, account: Account) -> None:
    """Check that a service which shows windows on the desktop runs as LocalSystem.

    Args:
        service_type: the service's type.
        account: the account that it will run under.

    Raises:
        ValidationError: the type has ``INTERACTIVE_PROCESS``, but the account is another.
    """
    if ServiceType.INTERACTIVE_PROCESS in service_type and account != LOCAL_SYSTEM:
        raise ValidationError(
            "service_type", f"an interactive service runs only as LocalSystem, not as {account}"
        )


publish(__name__)
