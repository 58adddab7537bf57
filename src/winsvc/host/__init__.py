"""Write Windows services in Python.

Define a service as a subclass of :class:`ServiceBase`, or as a function with :func:`service`, and
call :func:`run` at the end of the program. :mod:`winsvc.host.events` contains the events that
control handlers receive. :func:`install` and :func:`remove` install and remove services.
"""

from __future__ import annotations

from winsvc.host.decorator import service
from winsvc.host.definition import ServiceBase, ServiceExit
from winsvc.host.entry_point import run
from winsvc.host.eventlog import EventLogHandler, register_source, remove_source
from winsvc.host.events import (
    CustomControl,
    DeviceEvent,
    DeviceEventKind,
    HardwareProfileChange,
    HardwareProfileChangeKind,
    PowerEvent,
    PowerEventKind,
    SessionChange,
    SessionChangeReason,
    TimeChange,
)
from winsvc.host.frozen import report_startup_failures
from winsvc.host.installing import install, remove
from winsvc.host.process import is_service

__all__ = [
    "CustomControl",
    "DeviceEvent",
    "DeviceEventKind",
    "EventLogHandler",
    "HardwareProfileChange",
    "HardwareProfileChangeKind",
    "PowerEvent",
    "PowerEventKind",
    "ServiceBase",
    "ServiceExit",
    "SessionChange",
    "SessionChangeReason",
    "TimeChange",
    "report_startup_failures",
    "install",
    "is_service",
    "register_source",
    "remove",
    "remove_source",
    "run",
    "service",
]
