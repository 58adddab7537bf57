"""An entry of the table of settings, and the conversions and checks that it defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import NoneType
from typing import Any, cast, get_args, get_origin

from winsvc._util.checks import check_dword, check_type, type_error
from winsvc._util.durations import milliseconds
from winsvc._util.text import check_list
from winsvc._values.rows import NO_CHANGE
from winsvc.enums import ConfigLevel, OpenEnum, OpenFlag, ServiceAccess

__all__ = ["Change", "Setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One call that changes a service.

    Attributes:
        setting: the setting that the call changes.
        right: the right that the call needs.
        method: the method of the backend.
        arguments: the arguments of the method after the handle.
        ignored: the error codes of a call that had nothing to change.
        denied_hint: the hint of an AccessDeniedError.
    """

    setting: str
    method: str
    arguments: tuple[object, ...]
    right: ServiceAccess = ServiceAccess.CHANGE_CONFIG
    ignored: frozenset[int] = frozenset()
    denied_hint: str | None = None


def _lines(value: object) -> Iterator[str]:
    """Return the lines that display a value; none for False, "", () and zero of an enumeration."""
    if isinstance(value, timedelta):
        yield f"{value.total_seconds():g} s"
    elif isinstance(value, OpenEnum) and value:
        yield value.name.lower()
    elif isinstance(value, tuple) and value:
        yield ", ".join(map(str, value))
    elif value is True:
        yield "yes"
    elif type(value) is int or (isinstance(value, str) and value):
        yield str(value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setting:
    """One setting of a service.

    A setting with a level or with ``to_change`` has separate calls. The others are written together
    by ``ChangeServiceConfigW`` and read as a :class:`winsvc.ServiceConfig`. A level that is read as
    a bool, an int, an enumeration or a duration is a single number, in milliseconds for a duration.

    Attributes:
        name: the name, which is that of the field, the query and the keyword.
        doc: what the setting is: a phrase that can follow "Query".
        note: sentences about changing the setting.
        accepts: the type of a new value, without ``Unchanged``. None clears the setting.
        reads: the type of a value that was read; None for the same type.
        default: the value of a new service, to which None is equal.
        level: the level of ``QueryServiceConfig2W`` and ``ChangeServiceConfig2W``.
        converts: whether the type of a new value is checked by ``check`` or ``to_row`` alone.
        check: raises an error for a new value that is invalid; its second argument is the name.
        to_row: returns the backend's form of a value of type ``accepts``.
        from_row: returns the value from the backend's form.
        to_change: returns the change, from the backend's form.
        unset_errors: the codes of a query that mean that the setting has no value; ``from_row``
            gets None.
        label: the label in :meth:`ServiceSnapshot.describe`; None for a setting that is displayed
            as part of another line.
        lines: the lines there that display a value.
        is_number: whether the backend's form is a number, which follows from ``reads``.
    """

    name: str
    doc: str
    note: str = ""
    accepts: Any
    reads: Any = None
    default: Any = None
    level: ConfigLevel | None = None
    converts: bool = False
    check: Callable[[Any, str], object] | None = None
    to_row: Callable[[Any], Any] | None = None
    from_row: Callable[[Any], Any] | None = None
    to_change: Callable[[Any], Change] | None = None
    unset_errors: frozenset[int] = frozenset()
    label: str | None = None
    lines: Callable[[Any], Iterable[str]] = _lines
    is_number: bool = field(init=False)

    def __post_init__(self) -> None:
        reads = self.accepts if self.reads is None else self.reads
        object.__setattr__(self, "reads", reads)  # frozen
        is_number = isinstance(reads, type) and issubclass(reads, (int, timedelta))
        object.__setattr__(self, "is_number", is_number)

    @property
    def has_own_call(self) -> bool:
        """Return whether separate calls read and write the setting."""
        return self.level is not None or self.to_change is not None

    @property
    def document_type(self) -> object:
        """The type in a document for the simulated system."""
        return self.reads | None if NoneType in get_args(self.accepts) else self.reads

    @property
    def known_numbers(self) -> frozenset[int] | None:
        """The numbers that Windows accepts; None for all."""
        if self.reads is bool:
            return frozenset({0, 1})
        return frozenset(map(int, self.reads)) if issubclass(self.reads, OpenEnum) else None

    def accept(self, value: object) -> object:
        """Check the type of a new value.

        Returns:
            The value; a tuple if it is iterable.

        Raises:
            TypeError: the value, or an item of it, is of the wrong type.
        """
        for kind in (self.accepts, *get_args(self.accepts)):
            if get_origin(kind) is Iterable:
                return _items(value, _classes(get_args(kind)[0]), self.name)
        if not self.converts:
            kinds = _classes(self.accepts)
            if not isinstance(value, kinds) and not _is_number_of(value, kinds):
                raise type_error(value, kinds, self.name)
        return value

    def validate(self, value: Any) -> None:
        """Check a new value of the right type.

        Raises:
            TypeError: the value, or a part of it, is of the wrong type.
            ValidationError: the value is invalid.
            InvalidSecurityError: the security descriptor is malformed.
        """
        if value is None and NoneType in get_args(self.accepts):
            return
        if self.check is not None:
            self.check(value, self.name)
        elif self.reads is timedelta:
            milliseconds(value, self.name)
        elif self.is_number and self.reads is not bool:
            # The highest number is SERVICE_NO_CHANGE.
            check_dword(value, self.name, limit=NO_CHANGE - 1)

    def encode(self, value: Any) -> Any:
        """Return the backend's form of a value of type ``accepts``."""
        if value is None:
            value = self.default
        if self.to_row is not None:
            return self.to_row(value)
        if self.reads is timedelta:
            return milliseconds(value, self.name)
        return int(value) if self.is_number else value

    def decode(self, row: Any) -> Any:
        """Return the value from the backend's form, which is None if the setting is unset."""
        if self.from_row is not None:
            return self.from_row(row)
        return timedelta(milliseconds=row) if self.reads is timedelta else self.reads(row)

    def query(self) -> tuple[str, tuple[object, ...]]:
        """Return the backend's method that reads the level, and its arguments after the handle."""
        if self.is_number:
            assert self.level is not None
            return "query_config_number", (int(self.level),)
        return f"query_{self.name}", ()

    def change(self, value: object) -> Change:
        """Check a new value of a setting with a separate call, and return the change."""
        self.validate(value)
        row = self.encode(value)
        if self.to_change is not None:
            return self.to_change(row)
        if self.is_number:
            assert self.level is not None
            return Change(
                setting=self.name, method="change_config_number", arguments=(int(self.level), row)
            )
        return Change(setting=self.name, method=f"change_{self.name}", arguments=(row,))


def _classes(kind: Any) -> tuple[type, ...]:
    """Return the classes of a type."""
    return get_args(kind) or (kind,)


def _is_number_of(value: object, kinds: tuple[type, ...]) -> bool:
    """Return whether a value is the number of a member of an enumeration among these classes."""
    # Not a member of another enumeration, which is an int too.
    is_number = isinstance(value, int) and not isinstance(value, (bool, OpenEnum, OpenFlag))
    return is_number and any(issubclass(kind, (OpenEnum, OpenFlag)) for kind in kinds)


def _items(value: object, kind: tuple[type, ...], argument: str) -> tuple[object, ...]:
    """Return the items of an iterable as a tuple, () for None."""
    if value is None:
        return ()
    check_list(value, argument)
    items = tuple(cast("Iterable[object]", value))
    for index, item in enumerate(items):
        check_type(item, kind, f"{argument}[{index}]")
    return items
