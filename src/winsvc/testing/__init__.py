"""A simulated service control manager, for tests on any system.

It answers as Windows does, in simulated time, without touching a machine's services; and it fails
when it is told to. As a pytest plugin it gives the fixtures ``simulated_scm`` and ``winsvc_scm``.
"""

from __future__ import annotations

from winsvc.testing.access import CallerIdentity
from winsvc.testing.behavior import HostedProgram, Program, ProgramBehavior
from winsvc.testing.calls import Call
from winsvc.testing.clock import SimulatedClock
from winsvc.testing.eventlog import EventLogEntry
from winsvc.testing.faults import Faults
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.scm import SimulatedSCM
from winsvc.testing.service_fixture import ServiceFixture
from winsvc.testing.services import SimulatedService
from winsvc.testing.threads import EndlessWaitError
from winsvc.testing.userobjects import (
    SimulatedDesktop,
    SimulatedWindow,
    SimulatedWindowStation,
)

__all__ = [
    "ProgramBehavior",
    "Call",
    "CallerIdentity",
    "EndlessWaitError",
    "EventLogEntry",
    "Faults",
    "HostedProgram",
    "Program",
    "ServiceFixture",
    "SimulatedClock",
    "SimulatedDesktop",
    "SimulatedMachine",
    "SimulatedSCM",
    "SimulatedService",
    "SimulatedWindow",
    "SimulatedWindowStation",
]
