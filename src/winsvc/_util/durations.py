"""Convert durations: timedelta or seconds in Python, milliseconds or seconds in Windows."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeAlias

from winsvc._util.checks import DWORD_MAX, type_error
from winsvc.errors import ValidationError

__all__ = ["Duration", "milliseconds", "seconds", "to_timedelta"]

Duration: TypeAlias = timedelta | float
"""A timedelta, or a number of seconds."""


def to_timedelta(duration: Duration, argument: str) -> timedelta:
    """Convert a duration to a timedelta.

    Raises:
        TypeError: the duration is neither a timedelta nor a number.
        ValidationError: the duration is negative, infinite or not a number.
    """
    if isinstance(duration, bool) or not isinstance(duration, (timedelta, int, float)):
        raise type_error(duration, "a timedelta or seconds", argument)
    if not isinstance(duration, timedelta):
        if not math.isfinite(duration):
            raise ValidationError(argument, f"must be a finite number of seconds, not {duration}")
        try:
            duration = timedelta(seconds=duration)
        except OverflowError:
            raise ValidationError(argument, f"is too long: {duration:g} seconds") from None
    if duration < timedelta(0):
        raise ValidationError(
            argument, f"must not be negative: {duration.total_seconds():g} seconds"
        )
    return duration


def milliseconds(duration: Duration, argument: str) -> int:
    """Convert a duration to milliseconds, rounded up, of at most a DWORD (49.7 days).

    Raises:
        TypeError: the duration is neither a timedelta nor a number.
        ValidationError: the duration is negative or too long.
    """
    return _count(duration, timedelta(milliseconds=1), argument)


def seconds(duration: Duration, argument: str) -> int:
    """Convert a duration to seconds, rounded up, of at most a DWORD (136 years).

    Raises:
        TypeError: the duration is neither a timedelta nor a number.
        ValidationError: the duration is negative or too long.
    """
    return _count(duration, timedelta(seconds=1), argument)


def _count(duration: Duration, unit: timedelta, argument: str) -> int:
    # Rounded up, because a short delay must not become 0.
    count = -(-to_timedelta(duration, argument) // unit)
    if count > DWORD_MAX:
        raise ValidationError(
            argument, f"must be at most {DWORD_MAX * unit}, not {to_timedelta(duration, argument)}"
        )
    return count
