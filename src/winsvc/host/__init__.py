"""Windows services in Python.

A service is a class with a ``main()``, or a function; :func:`run` is all of its program. What it
looks like to the system is :class:`Service`'s to say; what it is told, :mod:`winsvc.host.events`'.
"""

from __future__ import annotations

from winsvc.host.commands import run
from winsvc.host.definition import Service, ServiceExit
from winsvc.host.eventlog import EventLogHandler
from winsvc.host.events import (
    CustomControl,
    DeviceEvent,
    HardwareProfileChange,
    PowerEvent,
    SessionChange,
    TimeChange,
)
from winsvc.host.functions import service
from winsvc.host.installing import install, remove
from winsvc.host.launching import explain_failures

__all__ = [
    "CustomControl",
    "DeviceEvent",
    "EventLogHandler",
    "HardwareProfileChange",
    "PowerEvent",
    "Service",
    "ServiceExit",
    "SessionChange",
    "TimeChange",
    "explain_failures",
    "install",
    "remove",
    "run",
    "service",
]
