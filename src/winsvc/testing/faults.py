"""Faults that tests inject into the simulated system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.text import same_name
from winsvc.enums import DesktopAccess, ManagerAccess, ServiceAccess, WindowStationAccess
from winsvc.errors import ValidationError
from winsvc.security.accesscheck import (
    DESKTOP,
    MANAGER,
    SERVICE,
    WINDOW_STATION,
    GenericMapping,
)
from winsvc.testing.refusal import RefusalError

__all__ = ["Faults"]

Rights: TypeAlias = ManagerAccess | ServiceAccess | WindowStationAccess | DesktopAccess

_MAPPINGS: Final[dict[type[Rights], GenericMapping]] = {
    ManagerAccess: MANAGER,
    ServiceAccess: SERVICE,
    WindowStationAccess: WINDOW_STATION,
    DesktopAccess: DESKTOP,
}


@dataclass(slots=True)
class _Fault:
    """Something that happens instead of a call, or before it."""

    function: str
    skip: int  # this many calls go well first
    times: int
    service: str | None
    machine: str | None
    action: Callable[[], object]

    def concerns(self, function: str, machine: str | None, service: str | None) -> bool:
        if function != self.function:
            return False
        if self.service is not None and not same_name(self.service, service or ""):
            return False
        return self.machine is None or same_name(self.machine, machine or "")


class Faults:
    """The faults to simulate; see :attr:`winsvc.testing.SimulatedSCM.faults`.

    Functions are specified by their Windows names, as in :attr:`winsvc.Win32Error.function`::

        sim.faults.fail("StartServiceW", 5)                   # the next one is refused
        sim.faults.fail("QueryServiceStatusEx", 1722, nth=3)  # the third one from now
    """

    FUNCTIONS: ClassVar[set[str]] = set()  # the functions that can fail

    def __init__(self) -> None:
        self._faults: list[_Fault] = []
        self._delays: dict[str, float] = {}
        self._denied: list[tuple[Rights, str | None]] = []
        self.lag = 0.0
        """How many simulated seconds late notifications arrive."""

    def fail(
        self,
        function: str,
        winerror: int,
        *,
        nth: int = 1,
        times: int = 1,
        service: str | None = None,
        machine: str | None = None,
    ) -> None:
        """Let calls of a Windows function fail, without any effect.

        Args:
            function: the function, such as ``"OpenServiceW"``.
            winerror: the error code.
            nth: which call from now fails first.
            times: how many calls in a row fail.
            service: only calls for this service count.
            machine: only calls to this machine count, by its own name.

        Raises:
            ValidationError: the function is unknown to the simulation, or a number is invalid.
        """
        code = check_dword(winerror, "winerror")
        if not code:
            raise ValidationError("winerror", "must be an error code, not 0")

        def refuse() -> None:
            raise RefusalError(code)

        self.before(function, refuse, nth=nth, times=times, service=service, machine=machine)

    def before(
        self,
        function: str,
        action: Callable[[], object],
        *,
        nth: int = 1,
        times: int = 1,
        service: str | None = None,
        machine: str | None = None,
    ) -> None:
        """Run an action just before a call, such as a change by another program.

        To let a list grow between two pages::

            sim.local.page_size = 10
            sim.faults.before("EnumServicesStatusExW", lambda: sim.add("late"), nth=2)

        Raises:
            ValidationError: the function is unknown to the simulation, or a number is invalid.
        """
        for number, name in ((nth, "nth"), (times, "times")):
            if check_dword(number, name) == 0:
                raise ValidationError(name, "must be 1 or more")
        fault = _Fault(self.check_function(function), nth - 1, times, service, machine, action)
        self._faults.append(fault)

    def slow(self, duration: Duration, function: str | None = None) -> None:
        """Let calls of one function, or of all, take longer in simulated time.

        Raises:
            ValidationError: the function is unknown to the simulation, or the duration is negative.
        """
        seconds = to_timedelta(duration, "duration").total_seconds()
        self._delays[self.check_function(function) if function is not None else ""] = seconds

    def deny(self, access: Rights, service: str | None = None) -> None:
        """Refuse these rights from now on, even if a descriptor grants them.

        Args:
            access: the rights: to services, the manager, window stations or desktops; of generic
                ones, all they mean.
            service: the service, window station or desktop whose rights they are; None for every
                one.

        Handles that are open keep what they were opened with.

        Raises:
            ValidationError: the rights are the manager's, and a service is named.
        """
        check_type(access, tuple(_MAPPINGS), "access")
        if service is not None and isinstance(access, ManagerAccess):
            raise ValidationError("service", "must not be given with manager rights")
        self._denied.append((access, service))

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()
        self._delays.clear()
        self._denied.clear()
        self.lag = 0.0

    def denied(self, mapping: GenericMapping, name: str | None) -> int:
        """Return the rights that are refused to the object of this kind and name."""
        mask = 0
        for access, whose in self._denied:
            concerned = whose is None or same_name(whose, name or "")
            if concerned and _MAPPINGS[type(access)] is mapping:
                mask |= int(access)
        return mapping.map(mask)

    def delay(self, function: str) -> float:
        """Return the additional simulated seconds that a call takes."""
        return self._delays.get(function, 0.0) + self._delays.get("", 0.0)

    def trigger(self, function: str, machine: str | None, service: str | None) -> None:
        """Run the faults of this call."""
        due: list[_Fault] = []
        for fault in self._faults:
            if fault.concerns(function, machine, service):
                if fault.skip:
                    fault.skip -= 1
                else:
                    fault.times -= 1
                    due.append(fault)
        self._faults = [fault for fault in self._faults if fault.times]
        for fault in due:
            fault.action()

    def check_function(self, function: str) -> str:
        """Check the name of a function; return it.

        Raises:
            ValidationError: the function is unknown to the simulation.
        """
        if function not in self.FUNCTIONS:
            near = [name for name in self.FUNCTIONS if name.lower().startswith(function.lower())]
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise ValidationError("function", f"unknown Windows function {function!r}{meant}")
        return function
