"""Checks of arguments: a wrong type is a TypeError, a value that can't be an ValidationError."""

from __future__ import annotations

from winsvc.errors import ValidationError

__all__ = ["DWORD_MAX", "check_bool", "check_dword", "check_type"]

DWORD_MAX = 0xFFFFFFFF


def check_dword(value: object, argument: str, *, limit: int = DWORD_MAX) -> int:
    """A whole number that Windows can hold: 0 to ``limit``.

    Raises:
        TypeError: it is not an int (a bool is none here).
        ValidationError: it is negative or too large.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument}: expected an int, not {type(value).__name__}")
    if not 0 <= value <= limit:
        raise ValidationError(argument, f"{int(value)} is not from 0 to {limit}")
    return int(value)


def check_bool(value: object, argument: str) -> bool:
    """True or False: a text or None may have been meant either way.

    Raises:
        TypeError: it is neither.
    """
    check_type(value, bool, argument)
    return bool(value)


def check_type(value: object, kind: type | tuple[type, ...], argument: str) -> None:
    """An instance of one of these classes.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " or ".join(item.__name__ for item in kinds)
        raise TypeError(f"{argument}: expected {wanted}, not {type(value).__name__}")
