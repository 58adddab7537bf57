"""One simulated machine: its services, what their programs do, and what happens to all of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Unpack

from winsvc._util.checks import DWORD_MAX, check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.text import name_key, same_name
from winsvc._values.account import Account
from winsvc._values.commandline import split
from winsvc._values.names import check_service_name
from winsvc._values.settings import ServiceSpec, check_keywords
from winsvc.enums import (
    ActionType,
    ConfigLevel,
    Control,
    ErrorCode,
    StartReason,
    StartType,
    State,
    TriggerAction,
)
from winsvc.errors import ValidationError
from winsvc.testing.access import DEFAULT_MANAGER_SECURITY
from winsvc.testing.behavior import HostedProgram, Program, ProgramBehavior
from winsvc.testing.database import Services
from winsvc.testing.dependencies import members
from winsvc.testing.notifications import Notifications
from winsvc.testing.records import record_of
from winsvc.testing.refusal import RefusalError
from winsvc.testing.running import Running
from winsvc.testing.service_fixture import ServiceFixture
from winsvc.testing.services import USUAL, SimulatedService
from winsvc.testing.starting import Starting
from winsvc.triggers import Trigger

if TYPE_CHECKING:
    from winsvc._values.settings import SettingsKeywords
    from winsvc.testing.calls import Simulation

__all__ = ["Lock", "SimulatedMachine"]

DELAYED_START: Final = 120.0  # seconds after the others: AutoStartDelay
# Else time would not get on with a program that always crashes at once and is always restarted.
LEAST_PAUSE: Final = 0.1  # seconds between a failure and what is done about it


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of a service database."""

    number: int
    owner: str
    since: float  # in simulated seconds


class SimulatedMachine:
    """A machine of a :class:`winsvc.testing.SimulatedSCM`.

    Attributes:
        name: its name on the network.
        programs: what the programs do, by path; see :class:`winsvc.testing.ProgramBehavior`.
        other_programs: what all other programs do: by default they run well.
        accounts: the accounts that a service can run as, with their passwords; None is any.
            The built-in ones, virtual ones and those of domains' services are always there.
        security: who may do what with its service manager.
        page_size: how many services a listing returns per call, at least 1; None is all.
        group_order: the load-order groups, as they start.
        numa_nodes: how many NUMA nodes it has.
        error: the code with which it refuses every connection; 0 if it does not.
        state_directory: the folder in which services get their directories; None: the system
            lacks the call, as Wine and older Windows versions do.
        commands: the command lines that failure actions have run.
        reboots: the messages with which failure actions have restarted it.
    """

    def __init__(self, simulation: Simulation, name: str, *, error: int = 0) -> None:
        self.simulation = simulation
        self.name = name
        self.notifications = Notifications(simulation)
        self.services = Services(self.notifications)
        self.programs: dict[str, Program] = {}
        self.other_programs: Program = ProgramBehavior()
        self.accounts: dict[str, str] | None = None
        self.security = DEFAULT_MANAGER_SECURITY
        self.page_size: int | None = None
        self.group_order: list[str] = []
        self.numa_nodes = 1
        self.error = error
        self.state_directory: str | os.PathLike[str] | None = None
        self.commands: list[str] = []
        self.reboots: list[str] = []
        self.lost = 0  # how often all connections were lost: handles from before are dead
        self.lock: Lock | None = None
        self.boot_accepted = False
        self._boots = 0  # boots and shutdowns; each cancels the pending actions
        self.running = Running(simulation, self.services, self.notifications, self._failed)
        self.starting = Starting(
            simulation.clock, self.services, self.running, self.behavior_of, self._may_log_on
        )

    def __repr__(self) -> str:
        return f"<SimulatedMachine {self.name!r}: {len(self.services)} services>"

    # ------------------------------------------------------------------- what is on it

    def add(
        self,
        spec: ServiceSpec | ServiceFixture | str,
        *,
        state: State = State.STOPPED,
        program: Program | None = None,
        **settings: Unpack[SettingsKeywords],
    ) -> SimulatedService:
        r"""Add a service, as if it had existed for a long time.

        ::

            sim.add("Spooler", state=State.RUNNING, dependencies=["RPCSS"])

        Settings are those of :class:`winsvc.Settings`; they are not checked as Windows would.

        Args:
            spec: the key name, or a whole :class:`winsvc.ServiceSpec`.
            state: the state that it is in.
            program: what its program does, whatever its path.
            **settings: with a name, its settings; the path is ``C:\simulated\NAME.exe``.

        Raises:
            ValidationError: there is one of this name, or no service can have it.
        """
        if isinstance(spec, str):
            check_keywords(settings)
            spec = ServiceSpec(name=spec, **settings)
        elif settings:
            raise TypeError("add() takes a name and settings, or a ServiceSpec, not both")
        seed = ServiceFixture(spec=spec, state=state) if isinstance(spec, ServiceSpec) else spec
        check_type(seed, ServiceFixture, "spec")
        name = check_service_name(seed.spec.name)
        if self.services.get(name) is not None:
            raise ValidationError("name", f"service {name!r} already exists")
        service = record_of(seed)
        service.program = program
        behavior = self.behavior_of(service, ()) if seed.state is not State.STOPPED else USUAL
        if isinstance(behavior, HostedProgram):
            raise ValidationError(
                "state", "a hosted program must be STOPPED at first; start it through the API"
            )
        with self.simulation.transaction():
            self.services.add(service)
            if seed.state is not State.STOPPED:
                self.running.resume(service, behavior, seed)
        return service

    def remove(self, name: str) -> None:
        """Take a service away, whatever it is doing; handles to it are dead: error 6.

        Raises:
            KeyError: there is none.
        """
        service = self[name]
        with self.simulation.transaction():
            self.running.forget(service)
            self.services.remove(service)

    def __getitem__(self, name: str) -> SimulatedService:
        service = self.services.get(name)
        if service is None:
            raise KeyError(f"service {name!r} does not exist on {self.name}")
        return service

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.services.get(name) is not None

    def __iter__(self) -> Iterator[SimulatedService]:
        return iter(self.services)

    def behavior_of(
        self, service: SimulatedService, arguments: Sequence[str]
    ) -> ProgramBehavior | HostedProgram:
        """Return the behavior of a service's program for these arguments."""
        program = service.program
        if program is None:
            path = next(iter(split(service.binary_path)), "")
            programs = {name_key(known): program for known, program in self.programs.items()}
            program = programs.get(name_key(path), self.other_programs)
        if isinstance(program, (ProgramBehavior, HostedProgram)):
            return program
        behavior = program([service.name, *arguments])
        check_type(behavior, (ProgramBehavior, HostedProgram), f"the program of {service.name!r}")
        return behavior

    # ------------------------------------------------------------------- what happens to it

    def crash(self, name: str) -> None:
        """End the process of a service without a word; all services in it end with 1067.

        Raises:
            KeyError: there is no such service.
            ValidationError: it has no process.
        """
        service = self[name]
        if not service.pid:
            raise ValidationError(
                "name", f"{service.name!r} is not running, so it has no process to crash"
            )
        with self.simulation.transaction():
            self.running.crash(service)

    def report(
        self, name: str, state: State, *, check_point: int = 0, wait_hint: Duration = 0
    ) -> None:
        """Report a state as a service's program does (``SetServiceStatus``).

        Raises:
            KeyError: there is no such service.
            ValidationError: it is stopped: only :meth:`add` and a start give it a process.
        """
        service = self[name]
        if service.state is State.STOPPED:
            raise ValidationError(
                "name", f"{service.name!r} is stopped, so no process can report a state"
            )
        hint = round(to_timedelta(wait_hint, "wait_hint").total_seconds() * 1000)
        with self.simulation.transaction():
            self.running.report(service, state, check_point=check_point, wait_hint=hint)

    def boot(self) -> None:
        """Start drivers, then automatic services; schedule the delayed ones.

        Services with a slow start, or with such a dependency, are still starting when this
        returns. A service that fails to start has the error as its exit code.
        """
        with self.simulation.transaction():
            self.boot_accepted = False
            self._boots += 1
            for service in self:
                service.failures = 0
                if service.state is State.STOPPED:
                    service.exit_code = int(ErrorCode.SERVICE_NEVER_STARTED)
                    service.service_exit_code = 0
            for start_type in (StartType.BOOT, StartType.SYSTEM, StartType.AUTOMATIC):
                for service in self._in_load_order(start_type):
                    delayed = service.numbers[ConfigLevel.DELAYED_AUTO_START_INFO]
                    if delayed and start_type is StartType.AUTOMATIC:
                        reason = StartReason.DELAYED_AUTO
                        self._later(
                            DELAYED_START, partial(self.starting.start_by_itself, service, reason)
                        )
                    else:
                        self.starting.start_by_itself(service, StartReason.AUTO)

    def shut_down(self) -> None:
        """Stop all services, with the notifications that each accepts."""
        with self.simulation.transaction():
            self.running.shut_down()
            self._boots += 1

    def reboot(self) -> None:
        """Shut down, lose every connection, and start again."""
        with self.simulation.transaction():
            self.shut_down()
            self._lose_connections()
            self.boot()

    def disconnect(self, error: int = int(ErrorCode.RPC_SERVER_UNAVAILABLE)) -> None:
        """Lose the connection: every call fails with this code until :meth:`reconnect`."""
        with self.simulation.transaction():
            self._lose_connections()
            self.error = error

    def _lose_connections(self) -> None:
        self.lost += 1
        self.lock = None
        self.notifications.cancel_all()
        for service in self:
            service.handles = 0
            self.services.remove_if_deleted(service)

    def reconnect(self) -> None:
        """Answer again. Handles from before stay dead: error 6."""
        self.error = 0

    def fire(self, trigger: Trigger) -> None:
        """Raise a trigger event: start or stop the services with a matching trigger.

        The data items of a service's trigger must be among those of the event.
        """
        event = trigger.to_row()
        with self.simulation.transaction():
            for service in self:
                for row in service.triggers:
                    same = (row.trigger_type, row.subtype) == (event.trigger_type, event.subtype)
                    if same and set(row.data_items) <= set(event.data_items):
                        self._triggered(service, row.action)

    def send_event(
        self, control: Control, event_type: int = 0, data: bytes = b""
    ) -> dict[str, int]:
        """Send a system event to services, such as of sessions, power and devices.

        It goes to all running services that accept its control; for devices and power settings, to
        those with a matching registration.

        Args:
            control: ``SESSION_CHANGE``, ``POWER_EVENT``, ``DEVICE_EVENT`` or another.
            event_type: the type of the event, such as 5 (``WTS_SESSION_LOGON``).
            data: the structure that Windows sends along; on a 64-bit system's layout.

        Returns:
            The names of the receivers, each with the result of its handler.
        """
        with self.simulation.transaction():
            return self.running.event(Control(control), event_type, data)

    def _triggered(self, service: SimulatedService, action: int) -> None:
        if action == TriggerAction.SERVICE_STOP:
            control = Control.STOP
        elif service.state is State.STOPPED:
            self.starting.start_by_itself(service, StartReason.TRIGGER)
            return
        else:
            control = Control.TRIGGER_EVENT
        try:
            self.running.control(service, control)
        except RefusalError:
            pass  # it stays as it is

    def _in_load_order(self, start_type: StartType) -> list[SimulatedService]:
        ordered: list[SimulatedService] = []
        for group in self.group_order:
            # Those without a tag come last.
            ordered += sorted(
                members(self, group), key=lambda service: (not service.tag, service.tag)
            )
        ordered += [service for service in self if service not in ordered]
        return [service for service in ordered if service.start_type == start_type]

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        """Schedule an action; a shutdown of the machine cancels it."""
        boot = self._boots

        def act() -> None:
            if boot == self._boots:
                action()

        self.simulation.clock.after(seconds, act)

    # ------------------------------------------------------------------- failures

    def _failed(self, service: SimulatedService) -> None:
        row = service.failure_actions
        reset, now = row.reset_period, self.simulation.clock.now
        if reset != DWORD_MAX and now - service.last_failure >= reset:
            service.failures = 0
        service.failures += 1
        service.last_failure = now
        if row.actions:
            kind, delay = row.actions[min(service.failures, len(row.actions)) - 1]
            pause = max(delay / 1000, LEAST_PAUSE)
            self._later(pause, partial(self._recover, service, ActionType(kind)))

    def _recover(self, service: SimulatedService, kind: ActionType) -> None:
        row = service.failure_actions
        if service not in self.services:
            return  # deleted during the delay
        if kind is ActionType.RESTART:
            self.starting.start_by_itself(service, StartReason.RESTART_ON_FAILURE)
        elif kind is ActionType.RUN_COMMAND:
            if row.command:
                self.commands.append(row.command)
        elif kind is ActionType.REBOOT:
            self.reboots.append(row.reboot_message or "")
            self.reboot()

    # ------------------------------------------------------------------- for the calls

    def _may_log_on(self, service: SimulatedService) -> bool:
        if self.accounts is None or not service.account:
            return True
        try:
            needs_password = Account(service.account).kind.takes_password
        except ValidationError:
            needs_password = True
        known = {name_key(name): password for name, password in self.accounts.items()}
        given = "" if service.password is None else service.password.reveal()
        return not needs_password or known.get(name_key(service.account)) == given

    def knows_group(self, group: str) -> bool:
        """Return whether a load-order group is in use or in the order of groups."""
        listed = any(same_name(group, known) for known in self.group_order)
        return listed or bool(members(self.services, group))

    def next_tag(self, group: str) -> int:
        """Return a tag that is free in the group."""
        return max((service.tag for service in members(self.services, group)), default=0) + 1
