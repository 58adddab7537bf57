"""Check key names and display names of services."""

from __future__ import annotations

from typing import Final

from winsvc._util.text import check_text
from winsvc.errors import ValidationError

__all__ = ["MAX_NAME_LENGTH", "check_display_name", "check_service_name"]

MAX_NAME_LENGTH: Final = 256
"""The maximum length of a service, display or group name, in UTF-16 code units."""


def check_service_name(name: str, argument: str = "name") -> str:
    r"""Check a service's key name: 1 to 256 characters, without ``/``, ``\`` and NUL.

    Args:
        name: the key name.
        argument: the name of the argument in an error.

    Returns:
        The name.

    Raises:
        TypeError: *name* is not a str.
        ValidationError: *name* is not a valid key name.
    """
    check_text(name, argument, limit=MAX_NAME_LENGTH, empty=False)
    for character in "/\\":
        if character in name:
            raise ValidationError(
                argument, f"{name!r} contains {character!r}, which a service name cannot contain"
            )
    return name


def check_display_name(name: str, argument: str = "display_name") -> str:
    """Check a display name: at most 256 characters, without NUL.

    Args:
        name: the display name; it may be empty.
        argument: the name of the argument in an error.

    Returns:
        The name.

    Raises:
        TypeError: *name* is not a str.
        ValidationError: *name* is not a valid display name.
    """
    return check_text(name, argument, limit=MAX_NAME_LENGTH)
