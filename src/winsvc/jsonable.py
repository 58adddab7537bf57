"""Dataclasses as JSON: names instead of numbers, seconds, and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import TypeAlias

from winsvc.enums import OpenEnum, OpenFlag

__all__ = ["JSON", "jsonable"]

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


def jsonable(value: object) -> JSON:
    """The value as :func:`json.dumps` takes it.

    Enum members become their lower-case names, flags a list of them (a bit without a name as a
    number), durations seconds, bytes hexadecimal digits.
    """
    if isinstance(value, OpenEnum):
        return value.name.lower()
    if isinstance(value, OpenFlag):
        return _flags(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _flags(value: OpenFlag) -> list[JSON]:
    names: list[JSON] = []
    rest = int(value)
    for member in type(value).__members__.values():
        bit = member.value
        if bit & (bit - 1) == 0 and rest & bit:  # single bits: combinations would repeat them
            names.append((member.name or "").lower())
            rest &= ~bit
    return [*names, rest] if rest else names
