"""Check, compare and pack strings by the rules of Windows.

A multi-string is a list of strings in one text: each string ends with a NUL, and an empty string
ends the list.
"""

from __future__ import annotations

from collections.abc import Iterable

from winsvc._util.checks import type_error
from winsvc.errors import ValidationError

__all__ = [
    "check_list",
    "check_text",
    "name_key",
    "pack_multi_string",
    "same_name",
]


def check_text(
    value: object, argument: str, *, limit: int | None = None, empty: bool = True
) -> str:
    """Check that a value is a text that Windows accepts.

    Errors do not contain the value, which may be a secret.

    Args:
        value: the value.
        argument: the name of the argument in an error.
        limit: the maximum length in UTF-16 code units (two for a character beyond U+FFFF).
        empty: whether the value may be empty.

    Returns:
        The value.

    Raises:
        TypeError: the value is not a str.
        ValidationError: the value is empty or too long, or contains a NUL, at which Windows would
            truncate it.
    """
    if not isinstance(value, str):
        raise type_error(value, (str,), argument)
    if not value and not empty:
        raise ValidationError(argument, "must not be empty")
    if "\0" in value:
        raise ValidationError(argument, "must not contain a NUL character")
    if limit is not None:
        length = len(value) + sum(character > "\uffff" for character in value)
        if length > limit:
            raise ValidationError(argument, f"must have at most {limit} characters, not {length}")
    return value


def name_key(name: str) -> str:
    """Return a key that is equal for names that Windows treats as the same.

    Windows compares names character by character in upper case, independent of the language.
    Python's ``upper`` and ``casefold`` convert more characters ("ß" is "SS"), so this function
    converts only pairs that are each other's upper and lower case, and none beyond U+FFFF.
    """
    if name.isascii():
        return name.upper()
    return "".join(map(_upper, name))


def _upper(character: str) -> str:
    for upper in (character.upper(), character.title()):
        if upper.lower() == character and character <= "\uffff":
            return upper
    return character


def same_name(a: str, b: str) -> bool:
    """Return whether Windows treats two names as the same, ignoring case."""
    return name_key(a) == name_key(b)


def pack_multi_string(items: Iterable[str], what: str) -> str:
    r"""Pack a list of strings as a multi-string without its last NUL.

    Every string is followed by a NUL; an empty list is one NUL. ``ffi.new("WCHAR[]", text)`` and
    ``ctypes.create_unicode_buffer(text)`` append the NUL that ends the list: ``["a", "b"]`` is
    ``"a\0b\0"`` here and ``a 0 b 0 0`` in memory, and ``[]`` is ``"\0"`` here and ``0 0`` in
    memory.

    Args:
        items: the strings. A single str is refused.
        what: the name of the list in an error.

    Returns:
        The text for a buffer that appends a NUL.

    Raises:
        TypeError: *items* is a single str or not iterable, or an element is not a str.
        ValidationError: an element is empty, which would end the list, or contains a NUL.
    """
    check_list(items, what)
    texts = [
        check_text(item, f"{what}[{index}]", empty=False) + "\0" for index, item in enumerate(items)
    ]
    return "".join(texts) or "\0"


def check_list(items: object, argument: str) -> None:
    """Check that a value is an iterable other than a text.

    Raises:
        TypeError: the value is a text or not iterable.
    """
    if isinstance(items, (str, bytes, bytearray)):
        name = type(items).__name__
        raise TypeError(f"{argument}: expected a list, not a single {name}")
    if not isinstance(items, Iterable):
        raise type_error(items, "a list", argument)
