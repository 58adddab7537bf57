"""Conversion of arguments, with pywin32's exceptions for invalid values, and of status rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, SupportsIndex

from winsvc._values.account import Secret
from winsvc._values.rows import StatusRow
from winsvc.win32service.errors import signed
from winsvc.win32service.shapes import SERVICE_STATUS

__all__ = [
    "dword",
    "fields",
    "secret",
    "signed_row",
    "status",
    "text",
    "text_or_null",
    "texts",
    "texts_or_null",
]


def dword(value: SupportsIndex) -> int:
    """Convert a 32-bit number, signed or unsigned, to an unsigned number.

    Raises:
        TypeError: The value is not an integer.
        OverflowError: The value has more than 32 bits.
    """
    number = operator.index(value)
    if not -0x8000_0000 <= number <= 0xFFFF_FFFF:
        raise OverflowError("Python int too large to convert to C long")
    return number & 0xFFFF_FFFF


def text(value: object) -> str:
    """Check a text for Windows.

    Raises:
        TypeError: The value is not a str.
        ValueError: The text contains a NUL, at which Windows would truncate it.
    """
    if not isinstance(value, str):
        if value is None:
            raise TypeError("None is not a valid string in this context")
        raise TypeError(
            f"Objects of type '{type(value).__name__}' can not be converted to Unicode."
        )
    if "\0" in value:
        raise ValueError("embedded null character")
    return value


def text_or_null(value: str | None) -> str | None:
    """Check a text; None is NULL."""
    return None if value is None else text(value)


def secret(value: str | None) -> Secret | None:
    """Convert a password; None is NULL."""
    return None if value is None else Secret(text(value))


def texts(values: Iterable[object], *, empty: bool = False) -> list[str]:
    """Convert a list of texts.

    Raises:
        TypeError: The value is a single text, or an element is not a text.
        ValueError: An element contains a NUL, or is empty, which would end a multi-string.
    """
    if isinstance(values, str):
        raise TypeError("expected a list of strings, not a single one")
    found = [text(value) for value in values]
    if not empty and "" in found:
        raise ValueError("an empty string would end the list")
    return found


def texts_or_null(values: Iterable[str] | None) -> list[str] | None:
    """Convert a list of non-empty texts; None is NULL."""
    return None if values is None else texts(values)


def fields(info: object, keys: tuple[str, ...], refusal: str) -> list[Any]:
    """Return the values of a dict that has exactly these keys.

    Raises:
        TypeError: The value is not such a dict; the message is *refusal*.
    """
    if not isinstance(info, dict) or set(info) != set(keys):
        raise TypeError(refusal)
    return [info[key] for key in keys]


def signed_row(row: StatusRow) -> StatusRow:
    """Convert the numbers of a status to signed numbers."""
    return StatusRow._make(map(signed, row)) if max(row) > 0x7FFF_FFFF else row


def status(row: StatusRow) -> SERVICE_STATUS:
    """Return pywin32's tuple of a status, with signed numbers."""
    return signed_row(row)[:7]
