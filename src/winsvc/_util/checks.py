"""Checks of arguments: a wrong type raises TypeError, an invalid value ValidationError."""

from __future__ import annotations

from collections.abc import Iterable

from winsvc.enums import OpenEnum, OpenFlag
from winsvc.errors import ValidationError

__all__ = [
    "DWORD_MAX",
    "check_bool",
    "check_dword",
    "check_type",
    "closest",
    "did_you_mean",
    "type_error",
]

DWORD_MAX = 0xFFFFFFFF


def check_dword(value: object, argument: str, *, minimum: int = 0, limit: int = DWORD_MAX) -> int:
    """Check that a value is a whole number from *minimum* to *limit*, and return it as an int.

    Raises:
        TypeError: the value is not an int, or a bool.
        ValidationError: the value is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise type_error(value, (int,), argument)
    if not minimum <= value <= limit:
        raise ValidationError(argument, f"must be from {minimum} to {limit}, not {int(value)}")
    return int(value)


def check_bool(value: object, argument: str) -> bool:
    """Check that a value is True or False, and return it.

    Raises:
        TypeError: the value is not a bool; other values are ambiguous.
    """
    check_type(value, bool, argument)
    return bool(value)


def check_type(value: object, kind: type | tuple[type, ...], argument: str) -> None:
    """Check that a value is an instance of a class, or of one of several classes.

    Raises:
        TypeError: the value is not an instance.
    """
    if not isinstance(value, kind):
        raise type_error(value, kind if isinstance(kind, tuple) else (kind,), argument)


def type_error(value: object, kinds: Iterable[type] | str, argument: str) -> TypeError:
    """Return the error for a value that is not an instance of these classes, or not what is named.

    For the name of an enumeration's member, the error suggests the member. The value itself is not
    part of the message: it may be a secret.
    """
    expected = kinds if isinstance(kinds, str) else " or ".join(map(_class_name, kinds))
    text = f"{argument}: expected {expected}, not {_class_name(type(value))}"
    if isinstance(value, str) and not isinstance(kinds, str):
        for kind in kinds:
            if issubclass(kind, (OpenEnum, OpenFlag)):
                member = closest(value, kind.__members__)
                if member is not None:
                    text += f"; did you mean {kind.__name__}.{member}?"
                else:
                    text += f"; use a member, such as {kind.__name__}.{next(iter(kind)).name}"
    return TypeError(text)


def _class_name(kind: type) -> str:
    return "None" if kind is type(None) else kind.__name__


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that a misspelled or abbreviated name most likely means, or None."""
    keys = {_key(candidate): candidate for candidate in candidates}
    key = _key(name)
    if key in keys:
        return keys[key]
    if len(key) > 2:
        extended = [candidate for other, candidate in keys.items() if other.startswith(key)]
        if len(extended) == 1:
            return extended[0]
    from difflib import get_close_matches  # only for an error

    found = get_close_matches(key, keys, n=1)
    return keys[found[0]] if found else None


def _key(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return a suggestion to append to a message, such as ``" (did you mean 'state'?)"``, or ""."""
    found = closest(name, candidates)
    return "" if found is None else f" (did you mean {found!r}?)"
