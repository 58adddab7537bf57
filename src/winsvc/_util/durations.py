"""Durations between Python and Windows: timedelta or seconds here, DWORDs there."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeAlias

from winsvc._util.checks import DWORD_MAX
from winsvc.errors import ValidationError

__all__ = ["Duration", "milliseconds", "seconds", "to_timedelta"]

Duration: TypeAlias = timedelta | float
"""A timedelta, or a number of seconds."""


def to_timedelta(duration: Duration, argument: str) -> timedelta:
    """The duration as a timedelta.

    Raises:
        TypeError: it is neither a timedelta nor a number.
        ValidationError: it is negative, or no finite number.
    """
    if isinstance(duration, bool) or not isinstance(duration, (timedelta, int, float)):
        kind = type(duration).__name__
        raise TypeError(f"{argument}: expected a timedelta or seconds, not {kind}")
    if not isinstance(duration, timedelta):
        if not math.isfinite(duration):
            raise ValidationError(argument, f"{duration} is not a finite number of seconds")
        try:
            duration = timedelta(seconds=duration)
        except OverflowError:
            raise ValidationError(argument, f"{duration} s is too long") from None
    if duration < timedelta(0):
        raise ValidationError(argument, f"{duration} is negative")
    return duration


def milliseconds(duration: Duration, argument: str) -> int:
    """Whole milliseconds, as a DWORD: up to 49.7 days. A part of one counts as a whole one.

    Raises:
        TypeError: it is neither a timedelta nor a number.
        ValidationError: it is negative or longer than a DWORD.
    """
    return _count(duration, timedelta(milliseconds=1), argument)


def seconds(duration: Duration, argument: str) -> int:
    """Whole seconds, as a DWORD: up to 136 years. A part of one counts as a whole one.

    Raises:
        TypeError: it is neither a timedelta nor a number.
        ValidationError: it is negative or longer than a DWORD.
    """
    return _count(duration, timedelta(seconds=1), argument)


def _count(duration: Duration, unit: timedelta, argument: str) -> int:
    # Rounded up: a short delay must not become none.
    count = -(-to_timedelta(duration, argument) // unit)
    if count > DWORD_MAX:
        raise ValidationError(
            argument, f"{duration} is longer than the {DWORD_MAX * unit} possible"
        )
    return count
