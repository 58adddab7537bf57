"""Find what may keep an installed service from starting, without starting it.

For services of :mod:`winsvc.host`; checks that apply to every service are done for every service.
"""

from __future__ import annotations

from winsvc.host.doctor.examination import examine
from winsvc.host.doctor.findings import Finding, Severity, describe

__all__ = ["Finding", "Severity", "describe", "examine"]
