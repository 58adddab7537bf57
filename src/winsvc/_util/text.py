"""Texts as Windows takes, compares and packs them.

Windows keeps a list of strings as one text in which every string ends in a NUL and an empty string
ends the list: a multi-string.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    """Check that a value can be handed to Windows as a text.

    The value itself is never shown: it may be a secret.

    Args:
        value: what was given.
        argument: how to call it in an error.
        limit: the most UTF-16 code units it may have (a character beyond U+FFFF takes two).
        empty: whether it may be empty.

    Returns:
        The value.

    Raises:
        TypeError: it is not a str.
        ValidationError: it is empty, too long or has a NUL, at which Windows would cut it off.
    """
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected str, not {type(value).__name__}")
    if not value and not empty:
        raise ValidationError(argument, "must not be empty")
    if "\0" in value:
        raise ValidationError(argument, "must not contain a NUL character")
    if limit is not None:
        length = len(value) + sum(character > "\uffff" for character in value)
        if length > limit:
            raise ValidationError(argument, f"has {length} characters, but {limit} are the most")
    return value


def name_key(name: str) -> str:
    """The form of a name in which those that Windows takes for the same are equal.

    Windows compares character by character in upper case, in no language. Python's ``upper`` and
    ``casefold`` go further ("ß" is "SS"), so only pairs that are each other's upper and lower case
    are taken, and none beyond U+FFFF.
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
    """Whether Windows takes two names for the same: it ignores case."""
    return name_key(a) == name_key(b)


def pack_multi_string(items: Iterable[str], what: str) -> str:
    r"""Write a list of strings as a multi-string, all but its last NUL.

    Every string is followed by a NUL; an empty list is one NUL. The NUL that
    ``ffi.new("WCHAR[]", text)`` and ``ctypes.create_unicode_buffer(text)`` put after a text is the
    one that ends the list, so ``["a", "b"]`` is ``"a\0b\0"`` here and ``a 0 b 0 0`` in memory, and
    ``[]`` is ``"\0"`` here and ``0 0`` in memory.

    Args:
        items: the strings. A single str is refused.
        what: how to call the list in an error.

    Returns:
        The text to put into a buffer that adds a NUL.

    Raises:
        TypeError: the list is a str or no list, or an element is not a str.
        ValidationError: an element is empty, which would end the list, or has a NUL.
    """
    check_list(items, what)
    texts = [
        check_text(item, f"{what}[{index}]", empty=False) + "\0" for index, item in enumerate(items)
    ]
    return "".join(texts) or "\0"


def check_list(items: object, argument: str) -> None:
    if isinstance(items, (str, bytes, bytearray)) or not isinstance(items, Iterable):
        raise TypeError(
            f"{argument}: expected a list of strings, not a single {type(items).__name__}"
        )
