"""Convert dataclasses to JSON and back without loss, and describe the JSON form by a schema.

This is the only codec for JSON: enumeration members are lower-case names, durations are seconds.
"""

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

from winsvc._util.checks import DWORD_MAX, check_dword, check_type, did_you_mean, type_error
from winsvc._util.durations import to_timedelta
from winsvc._util.text import check_text
from winsvc.enums import OpenEnum, OpenFlag, single_bits
from winsvc.errors import ValidationError

__all__ = [
    "JSON",
    "Reader",
    "Writer",
    "from_jsonable",
    "json_object",
    "jsonable",
    "mapping",
    "schema",
]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Reader: TypeAlias = Callable[[Any, str], object]
"""Returns a value from its JSON form; the second argument is the name for errors."""
Writer: TypeAlias = Callable[[Any], JSON]
"""Returns the JSON form of a value, which a :obj:`Reader` reads."""

T = TypeVar("T")
_E = TypeVar("_E", bound=OpenEnum)
_F = TypeVar("_F", bound=OpenFlag)


_NO_READERS: Final[Mapping[object, Reader]] = MappingProxyType({})
_NO_WRITERS: Final[Mapping[Any, Writer]] = MappingProxyType({})


def jsonable(value: object, writers: Mapping[Any, Writer] = _NO_WRITERS) -> JSON:
    """Return a value as :func:`json.dumps` accepts it, for :func:`from_jsonable`.

    Enum members become their lower-case names, flags a list of them (a bit without a name as a
    number), durations seconds, bytes hexadecimal digits, GUIDs text without braces.

    Args:
        value: a plain value, or a dataclass, mapping or collection of values.
        writers: the functions for the types that have a special JSON form.

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

    *writers* apply to the parts of *value*, not to *value* itself.
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
    """Read a value from its JSON form.

    A value that has the type already is returned unchanged.

    Args:
        kind: the type: a class or another type of a dataclass field.
        value: the JSON value. An enumeration member may be a name in any case or a number, flags
            may be one of them or a list, an int must fit into a DWORD.
        argument: the name of the value in an error; parts extend it (``services[3].name``).
        readers: the functions for the types that have a special JSON form.

    Raises:
        TypeError: the value, or a part of it, is of the wrong type.
        ValidationError: the value or a part is invalid, or a part is missing or unknown.
    """
    if kind in readers:
        cls: Any = kind
        return value if isinstance(value, cls) else readers[kind](value, argument)
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
    assert isinstance(kind, type), f"{kind} has no JSON form"
    if is_dataclass(kind):
        return _dataclass(kind, value, argument, readers)
    return _plain(kind, value, argument)


def _plain(kind: type, value: object, argument: str) -> object:
    if issubclass(kind, OpenEnum):
        return _member(kind, value, argument)
    if issubclass(kind, OpenFlag):
        return _combination(kind, value, argument)
    if kind is timedelta:
        return to_timedelta(value, argument)  # type: ignore[arg-type]  # it checks the type
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
            raise ValidationError(argument, "must be pairs of hexadecimal digits") from None
    assert isinstance(value, bytes)
    return value


def _uuid(value: object, argument: str) -> UUID:
    if isinstance(value, UUID):
        return value
    text = check_text(value, argument)
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError(argument, f"{value!r} is not a GUID") from None


_UNKNOWN: Final = re.compile(r"unknown_0x([0-9a-f]{1,8})", re.IGNORECASE)


def _member(kind: type[_E], value: object, argument: str) -> _E:
    if isinstance(value, str):
        if value.upper() in kind.__members__:
            return kind[value.upper()]
        if match := _UNKNOWN.fullmatch(value):
            return kind(int(match[1], 16))
        raise _unknown_name(kind, value, argument)
    return kind(_number(kind, value, argument))


def _combination(kind: type[_F], value: object, argument: str) -> _F:
    if isinstance(value, (list, tuple, set, frozenset)):
        number = 0
        for index, item in enumerate(value):
            number |= int(_combination(kind, item, f"{argument}[{index}]"))
        return kind(number)
    if isinstance(value, str):
        if value.upper() not in kind.__members__:
            raise _unknown_name(kind, value, argument)
        return kind[value.upper()]
    return kind(_number(kind, value, argument))


def _number(kind: type, value: object, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise type_error(value, f"the name of a {kind.__name__} member", argument)
    return check_dword(value, argument)


def _unknown_name(
    kind: type[OpenEnum] | type[OpenFlag], value: str, argument: str
) -> ValidationError:
    names = [name.lower() for name in kind.__members__]
    valid = f"valid values: {', '.join(names)}"
    text = f"{value!r} is not a valid {kind.__name__}{did_you_mean(value, names)}; {valid}"
    return ValidationError(argument, text)


def _tuple(
    kind: object, value: object, argument: str, readers: Mapping[object, Reader]
) -> tuple[object, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise type_error(value, "a list", argument)
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
    """Check that a value is a mapping with str keys, and return it.

    Raises:
        TypeError: the value is not a mapping, or a key is not a str.
    """
    if not isinstance(value, Mapping):
        raise type_error(value, "a mapping", argument)
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
            raise ValidationError(
                f"{argument}.{name}",
                f"unknown field of {kind.__name__}{did_you_mean(name, declared)}",
            )
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


# ------------------------------------------------------------------------------ the schema

_PLAIN_SCHEMAS: Final[Mapping[object, dict[str, JSON]]] = MappingProxyType(
    {
        bool: {"type": "boolean"},
        int: {"type": "integer", "minimum": 0, "maximum": DWORD_MAX},
        float: {"type": "number"},
        str: {"type": "string"},
        timedelta: {"type": "number", "minimum": 0, "description": "seconds"},
        bytes: {
            "type": "string",
            "pattern": "^([0-9a-f]{2})*$",
            "description": "hexadecimal digits",
        },
        UUID: {"type": "string", "format": "uuid"},
    }
)


def schema(
    kind: object, definitions: dict[str, JSON], special: Mapping[object, dict[str, JSON]]
) -> dict[str, JSON]:
    """Return the JSON Schema (2020-12) of what :func:`jsonable` returns for a type.

    Args:
        kind: the type: a class or another type of a dataclass field.
        definitions: gets the schemas of the classes, to which the result refers as ``#/$defs``.
        special: the schemas of the types that have a special JSON form.
    """
    if kind in special:
        return special[kind]
    if kind in _PLAIN_SCHEMAS:
        return _PLAIN_SCHEMAS[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (member,) = (item for item in arguments if item is not NoneType)
        return {"anyOf": [schema(member, definitions, special), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": schema(arguments[0], definitions, special)}
    if origin is dict:
        values = schema(arguments[1], definitions, special)
        return {"type": "object", "additionalProperties": values}
    assert isinstance(kind, type), f"{kind} has no JSON form"
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # in this order, also of classes that refer to others
        definitions[kind.__name__] = _class_schema(kind, definitions, special)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _class_schema(
    kind: type, definitions: dict[str, JSON], special: Mapping[object, dict[str, JSON]]
) -> dict[str, JSON]:
    if issubclass(kind, OpenEnum):
        names: list[JSON] = [member.name.lower() for member in kind]
        unknown: JSON = {"type": "string", "pattern": "^unknown_0x[0-9a-f]{1,8}$"}
        return {"anyOf": [{"enum": names}, unknown]}
    if issubclass(kind, OpenFlag):
        every = 0
        for member in kind.__members__.values():
            every |= int(member)
        bits: list[JSON] = [name.lower() for name in single_bits(kind(every))[0]]
        items: JSON = {"anyOf": [{"enum": bits}, {**_PLAIN_SCHEMAS[int], "minimum": 1}]}
        return {"type": "array", "items": items, "uniqueItems": True}
    declared = _declared(kind)  # type: ignore[arg-type]  # a class is hashable
    properties: dict[str, JSON] = {
        name: schema(hint, definitions, special) for name, (_, hint) in declared.items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
