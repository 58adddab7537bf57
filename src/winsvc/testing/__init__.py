"""Test programs that use winsvc with a simulated service control manager, on any system.

:class:`SimulatedSCM` behaves as Windows does, in simulated time and without access to the services
of the machine. Calls fail on request (:attr:`SimulatedSCM.faults`). The pytest plugin provides the
fixtures ``simulated_scm`` and ``winsvc_scm``.
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
