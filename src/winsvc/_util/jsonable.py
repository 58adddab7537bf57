"""Dataclasses as JSON and back: names instead of numbers, seconds, and nothing lost."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Any,
    Final,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)
from uuid import UUID

from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import to_timedelta
from winsvc._util.text import check_text
from winsvc.enums import OpenEnum, OpenFlag, single_bits
from winsvc.errors import ValidationError

__all__ = ["JSON", "Reader", "Writer", "from_jsonable", "json_object", "jsonable", "mapping"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Reader: TypeAlias = Callable[[Any, str], object]
"""Makes a value from its JSON form; it is told how to call it in an error."""
Writer: TypeAlias = Callable[[Any], JSON]
"""Returns the JSON form of a value, for a :obj:`Reader`."""

T = TypeVar("T")
_E = TypeVar("_E", bound=OpenEnum)
_F = TypeVar("_F", bound=OpenFlag)


_NO_READERS: Final[Mapping[object, Reader]] = MappingProxyType({})
_NO_WRITERS: Final[Mapping[Any, Writer]] = MappingProxyType({})


def jsonable(value: object, writers: Mapping[Any, Writer] = _NO_WRITERS) -> JSON:
    """Return the value as :func:`json.dumps` takes it, for :func:`from_jsonable`.

    Enum members become their lower-case names, flags a list of them (a bit without a name as a
    number), durations seconds, bytes hexadecimal digits, GUIDs text without braces.

    Args:
        value: a plain value, or a dataclass, mapping or collection of values.
        writers: the types that have their own JSON form, with the functions that return it.

    Raises:
        TypeError: a value has no JSON form.
    """
    if isinstance(value, OpenEnum):
        return value.name.lower()
    if isinstance(value, OpenFlag):
        return _flags(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)  # a plain str, also of an Account
    for kind, write in writers.items():
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping) or (is_dataclass(value) and not isinstance(value, type)):
        return json_object(value, writers)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item, writers) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def json_object(value: Any, writers: Mapping[Any, Writer] = _NO_WRITERS) -> dict[str, JSON]:
    """Return the JSON form of a dataclass or a mapping, as :func:`jsonable` does.

    *writers* do not apply to *value* itself, only to its parts.
    """
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    return {str(key): jsonable(item, writers) for key, item in value.items()}


def _flags(value: OpenFlag) -> list[JSON]:
    names, rest = single_bits(value)
    return [*(name.lower() for name in names), *([rest] if rest else [])]


@overload
def from_jsonable(
    kind: type[T], value: object, argument: str, readers: Mapping[object, Reader] = ...
) -> T: ...
@overload
def from_jsonable(
    kind: object, value: object, argument: str, readers: Mapping[object, Reader] = ...
) -> Any: ...
def from_jsonable(
    kind: object,
    value: object,
    argument: str,
    readers: Mapping[object, Reader] = _NO_READERS,
) -> Any:
    """Read what :func:`jsonable` gave.

    A value that is of the wanted type already is taken as it is.

    Args:
        kind: the wanted type: a class, or what a dataclass's field may be declared as.
        value: the JSON value. An enum member may be a name in any case, or a number; flags a list
            of them, or one; an int is what Windows can hold.
        argument: how to call the value in an error; parts add their own (``services[3].name``).
        readers: how types are read that have a form of their own.

    Raises:
        TypeError: a value, or a part of it, is of a wrong type.
        ValidationError: it can't be, or a part is missing or not known.
    """
    if kind in readers:
        wanted: Any = kind
        return value if isinstance(value, wanted) else readers[kind](value, argument)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in get_args(kind):
            return None
        (kind,) = (item for item in get_args(kind) if item is not NoneType)
        return from_jsonable(kind, value, argument, readers)
    if origin is tuple:
        return _tuple(get_args(kind)[0], value, argument, readers)
    if origin is dict:
        return _dict(get_args(kind)[1], value, argument, readers)
    assert isinstance(kind, type), f"{kind} can't be read"
    if is_dataclass(kind):
        return _dataclass(kind, value, argument, readers)
    return _plain(kind, value, argument)


def _plain(kind: type, value: object, argument: str) -> object:
    if issubclass(kind, OpenEnum):
        return _member(kind, value, argument)
    if issubclass(kind, OpenFlag):
        return _combination(kind, value, argument)
    if kind is timedelta:
        check_type(value, (timedelta, int, float), argument)
        return to_timedelta(value, argument)  # type: ignore[arg-type]  # which it checks
    if kind is bytes:
        return _bytes(value, argument)
    if kind is UUID:
        return _uuid(value, argument)
    if kind is int:
        return check_dword(value, argument)
    check_type(value, kind, argument)
    return value


def _bytes(value: object, argument: str) -> bytes:
    check_type(value, (bytes, str), argument)
    if isinstance(value, str):
        try:
            return bytes.fromhex(value)
        except ValueError:
            raise ValidationError(argument, "is not a row of hexadecimal digits") from None
    assert isinstance(value, bytes)
    return value


def _uuid(value: object, argument: str) -> UUID:
    if isinstance(value, UUID):
        return value
    text = check_text(value, argument)
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError(argument, f"{value!r} is no GUID") from None


_UNKNOWN: Final = re.compile(r"unknown_0x([0-9a-f]{1,8})", re.IGNORECASE)


def _member(kind: type[_E], value: object, argument: str) -> _E:
    if isinstance(value, str):
        if value.upper() in kind.__members__:
            return kind[value.upper()]
        if match := _UNKNOWN.fullmatch(value):
            return kind(int(match[1], 16))
        raise ValidationError(argument, f"{value!r} is no {kind.__name__}{_choice(kind)}")
    return kind(_number(kind, value, argument))


def _combination(kind: type[_F], value: object, argument: str) -> _F:
    if isinstance(value, (list, tuple, set, frozenset)):
        number = 0
        for index, item in enumerate(value):
            number |= int(_combination(kind, item, f"{argument}[{index}]"))
        return kind(number)
    if isinstance(value, str):
        if value.upper() not in kind.__members__:
            raise ValidationError(argument, f"{value!r} is no {kind.__name__}{_choice(kind)}")
        return kind[value.upper()]
    return kind(_number(kind, value, argument))


def _number(kind: type, value: object, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        name = type(value).__name__
        raise TypeError(f"{argument}: expected a {kind.__name__}'s name, not {name}")
    return check_dword(value, argument)


def _choice(kind: type[OpenEnum] | type[OpenFlag]) -> str:
    return f" ({', '.join(kind.__members__).lower()})"


def _tuple(
    kind: object, value: object, argument: str, readers: Mapping[object, Reader]
) -> tuple[object, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise TypeError(f"{argument}: expected a list, not {type(value).__name__}")
    return tuple(
        from_jsonable(kind, item, f"{argument}[{index}]", readers)
        for index, item in enumerate(value)
    )


def _dict(
    kind: object, value: object, argument: str, readers: Mapping[object, Reader]
) -> dict[str, object]:
    return {
        key: from_jsonable(kind, item, f"{argument}.{key}", readers)
        for key, item in mapping(value, argument).items()
    }


def mapping(value: object, argument: str) -> Mapping[str, object]:
    """The value, if it is a mapping whose keys are texts.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{argument}: expected a mapping, not {type(value).__name__}")
    for key in value:
        check_type(key, str, f"a key of {argument}")
    return value


def _dataclass(
    kind: type, value: object, argument: str, readers: Mapping[object, Reader]
) -> object:
    if isinstance(value, kind):
        return value
    given = mapping(value, argument)
    declared = _declared(kind)
    for name in given:
        if name not in declared:
            raise ValidationError(f"{argument}.{name}", f"is no part of a {kind.__name__}")
    values = {}
    for name, (field, hint) in declared.items():
        if name in given:
            values[name] = from_jsonable(hint, given[name], f"{argument}.{name}", readers)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValidationError(f"{argument}.{name}", "is missing")
    return kind(**values)


@functools.cache
def _declared(kind: Any) -> dict[str, tuple[Field[Any], object]]:
    hints = get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind)}
