"""The simulated service control manager that tests create, fill and inspect."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, Unpack

from winsvc._util.text import check_text, same_name
from winsvc.backend import Capabilities, use_backend
from winsvc.enums import ServiceType, State
from winsvc.errors import ValidationError
from winsvc.testing.access import CallerIdentity
from winsvc.testing.accounts import AccountCalls, known_accounts
from winsvc.testing.behavior import HostedProgram, Program
from winsvc.testing.calls import Call, plain_name
from winsvc.testing.desktop_calls import DesktopCalls
from winsvc.testing.desktops import DesktopSimulation
from winsvc.testing.eventlog import EventLogCalls, EventLogSimulation
from winsvc.testing.host_calls import HostCalls, NoProcess
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.open_handles import ServiceHandle
from winsvc.testing.service_fixture import ServiceFixture, read_document
from winsvc.testing.services import SimulatedService
from winsvc.testing.waiter_calls import Waiter, WaiterCalls

if TYPE_CHECKING:
    from winsvc._values.rows import ConfigRow
    from winsvc._values.settings import ServiceSpec, SettingsKeywords
    from winsvc.backend import Backend, HostBackend
    from winsvc.host import ServiceBase

__all__ = ["SimulatedSCM"]


# The names that tests use. The other public names are the calls of a backend, for winsvc itself.
_USER_NAMES: Final = frozenset(
    {
        *(
            "add",
            "add_account",
            "add_machine",
            "add_window",
            "begin_on",
            "called",
            "caller",
            "calls",
            "clock",
        ),
        *("close", "destroy_window", "event_log", "event_logs", "event_sources", "faults"),
        *("from_json", "host", "installed", "latency", "local", "machines", "open_handles"),
        *("run_as", "stations", "status_handle"),
    }
)


class _UserNames(type):
    """The type of a class for which :func:`dir` and :func:`help` leave out a backend's calls."""

    def __dir__(cls) -> list[str]:
        return [name for name in super().__dir__() if name in _USER_NAMES or name[:2] == "__"]


class SimulatedSCM(
    HostCalls, WaiterCalls, DesktopCalls, EventLogCalls, AccountCalls, metaclass=_UserNames
):
    """A simulated service control manager, which behaves as Windows does.

    ::

        sim = SimulatedSCM()
        sim.add("Spooler", state=State.RUNNING)
        with sim.installed():
            with ServiceManager() as scm:  # as the program under test does it
                scm.open("Spooler").stop()
        assert sim["Spooler"].state is State.STOPPED

    It is a :class:`winsvc.backend.Backend`: ``ServiceManager(backend=sim)`` works, too. Waits
    take simulated time only; see :attr:`clock`.

    Attributes:
        local: the local machine; ``sim["Spooler"]`` means ``sim.local["Spooler"]``.
        machines: the other machines; see :meth:`add_machine`.
        caller: the account of the programs under test, by default an administrator.
        clock: the simulated time. It passes when winsvc waits, by ``clock.advance(seconds)``, and
            by :attr:`latency` with each call.
        calls: all calls, in order.
        faults: the faults to simulate.
        accounts: the names of accounts and groups by SID; see :meth:`add_account`.
        event_log: the entries that were written to the event log, in order.
        event_sources: the sources of the Application log in the registry.
        latency: how many simulated seconds each call takes.
    """

    # The bases have the methods of the backend and share the state of Simulation; all other state
    # is in the parts that are created here.

    def __init__(self) -> None:
        super().__init__()
        self.local = SimulatedMachine(self, "SIMULATED")
        self.machines = []
        self.own_process = NoProcess()
        self.desktops = DesktopSimulation(self)
        self.events = EventLogSimulation()
        self.accounts = known_accounts()

    @classmethod
    def from_json(cls, source: str | os.PathLike[str] | Mapping[str, object]) -> Self:
        """Create a simulation with the services of a document that ``winsvc export`` has written.

        Args:
            source: the path of a JSON file, or what was read from one::

                {"services": {"Spooler": {"state": "running", "dependencies": ["RPCSS"]},
                              "RPCSS": {"start_type": "automatic"}}}

        Raises:
            OSError: the file could not be read.
            ValidationError, TypeError: the document is invalid; the error names the place.
        """
        sim = cls()
        machine, seeds = read_document(source)
        sim.local.name = plain_name(machine or "") or sim.local.name
        for seed in seeds:
            sim.local.add(seed)
        return sim

    def add(
        self,
        spec: ServiceSpec | ServiceFixture | str,
        *,
        state: State = State.STOPPED,
        program: Program | None = None,
        **settings: Unpack[SettingsKeywords],
    ) -> SimulatedService:
        """Add a service to the local machine; see :meth:`SimulatedMachine.add`.

        Raises:
            ValidationError: the name is invalid, or the service exists.
        """
        return self.local.add(spec, state=state, program=program, **settings)

    def host(self, *services: type[ServiceBase]) -> None:
        r"""Add services written with :mod:`winsvc.host` to the local machine.

        ::

            sim.host(Beat)          # installed as Beat.spec() says, with C:\simulated\beat.exe
            sim.host(First, Second)  # two in one process
            with ServiceManager() as scm, scm.open("beat") as beat:
                beat.start(timeout=30)
                sim.clock.advance(60)  # a minute of its life

        Their code really runs, one thread at a time and in simulated time. An event log source is
        registered for each service. An existing service only gets the new program.

        Raises:
            ValidationError: there is no service class, or a class has no name.
        """
        program = HostedProgram.of(*services)
        path = rf"C:\simulated\{services[0].name}.exe"
        from winsvc.host.eventlog import MESSAGE_FILE

        for service in services:
            self.event_sources.setdefault(service.name, (MESSAGE_FILE, 7))
            if service.name in self:
                self[service.name].program = program
                continue
            spec = service.spec(path)
            if len(services) > 1:
                spec = replace(spec, service_type=ServiceType.SHARE_PROCESS)
            self.add(spec, program=program)

    def as_host(self) -> HostBackend:
        return self

    def capabilities(self, machine: str | None) -> Capabilities:
        """Return the abilities: bulk queries are sequential, so that :attr:`calls` is stable."""
        own_pid = self.own_pid() if machine is None else None
        return Capabilities(machine is None, 1, event_sources=self, own_pid=own_pid)

    def query_configs(self, manager: int, names: Sequence[str]) -> list[ConfigRow | None]:
        return [None] * len(names)

    def add_machine(self, name: str, *, error: int = 0) -> SimulatedMachine:
        """Add another machine, without services.

        Machines that were not added are not available: error 1722.

        Args:
            name: its name on the network.
            error: the code with which it refuses every connection, such as 5 or 1722.

        Raises:
            ValidationError: the machine exists, or the name is the local machine's.
        """
        name = plain_name(check_text(name, "name"))
        if self.is_own_name(name):
            raise ValidationError("name", f"{name!r} is the name of the local machine")
        if any(same_name(name, machine.name) for machine in self.machines):
            raise ValidationError("name", f"machine {name!r} already exists")
        machine = SimulatedMachine(self, name, error=error)
        self.machines.append(machine)
        return machine

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name in _USER_NAMES or name[:2] == "__"]

    def __getitem__(self, name: str) -> SimulatedService:
        return self.local[name]

    def __contains__(self, name: object) -> bool:
        return name in self.local

    def __iter__(self) -> Iterator[SimulatedService]:
        return iter(self.local)

    def __repr__(self) -> str:
        return f"<SimulatedSCM: {len(self.local.services)} services, {self.open_handles} handles>"

    def called(self, function: str, service: str | None = None) -> list[Call]:
        """Return the calls of one Windows function, for one service or for all services.

        Raises:
            ValidationError: the function is unknown to the simulation.
        """
        self.faults.check_function(function)
        return [
            call
            for call in self.calls
            if call.function == function
            and (service is None or same_name(service, call.service or ""))
        ]

    @property
    def open_handles(self) -> int:
        """The number of open handles and waiters; 0 if the program under test leaks none."""
        handles = sum(len(self.handles.of_kind(kind)) for kind in (ServiceHandle, Waiter))
        return handles + self.open_desktop_handles + self.open_event_handles

    @contextmanager
    def installed(self, *, replace_time: bool = False) -> Iterator[Self]:
        """Connect every ``ServiceManager()`` to this simulation in the ``with`` block.

        Args:
            replace_time: whether to replace ``time.sleep()`` and the clocks of :mod:`time` by the
                simulated clock; see
                :meth:`SimulatedClock.replacing_time`.
        """
        with use_backend(self):
            if not replace_time:
                yield self
                return
            with self.clock.replacing_time():
                yield self

    @contextmanager
    def run_as(self, caller: CallerIdentity) -> Iterator[None]:
        """Use another caller in the ``with`` block."""
        before, self.caller = self.caller, caller
        try:
            yield
        finally:
            self.caller = before


if TYPE_CHECKING:

    def _is_a_backend(sim: SimulatedSCM) -> Backend:
        return sim  # checked by mypy: every method is there, with its types
