"""The findings of an examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Finding", "Severity", "describe"]


class Severity(Enum):
    """The severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    """It may fail, or is not as it should be."""
    ERROR = "error"
    """It can't start like that."""
    UNKNOWN = "unknown"
    """That could not be found out here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: how bad it is.
        topic: what was looked at, in a word or two.
        text: what was found, and what to do about it.
    """

    severity: Severity
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity.value:8} {self.topic}: {self.text}"

    def to_json(self) -> dict[str, str]:
        """For :func:`json.dumps`."""
        return {"severity": self.severity.value, "topic": self.topic, "text": self.text}


def describe(name: str, findings: Sequence[Finding]) -> str:
    """Return several lines of text: the problems, or a note that none were found."""
    problems = [finding for finding in findings if finding.severity is not Severity.OK]
    good = [finding.topic for finding in findings if finding.severity is Severity.OK]
    lines = [f"{name}: no problem found that prevents the start"]
    if any(problem.severity is Severity.ERROR for problem in problems):
        lines = [f"{name}: the service cannot start"]
    lines += [f"  {problem}" for problem in problems]
    if good:
        lines.append(f"  ok       {', '.join(dict.fromkeys(good))}")
    return "\n".join(lines)
