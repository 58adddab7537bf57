"""Stop, start and restart a service together with its dependents or dependencies.

All calls go to the service's own machine and backend. Each service is waited for before the next
one is stopped or started.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Self

from winsvc._scm import requests
from winsvc._scm.bulk import read_graph
from winsvc._scm.connection import Connection
from winsvc._scm.open_service import OpenService
from winsvc._scm.requests import WaitOptions, check_own_process, check_progress, seconds_of
from winsvc._util.durations import Duration
from winsvc._util.text import name_key, same_name
from winsvc._values.dependency import Dependency, GroupDependency
from winsvc._values.graph import DependencyGraph
from winsvc._values.graph_node import ServiceNode
from winsvc._values.status import ServiceStatus
from winsvc.enums import Control, ErrorCode, ServiceAccess, ServiceType, State, StateFilter
from winsvc.errors import (
    CascadeError,
    CascadeStep,
    DependentServicesRunningError,
    GroupNotFoundError,
    MachineUnreachableError,
    ServiceAlreadyRunningError,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceRestartedError,
    ServiceStartError,
    WaitCancelledError,
    WaitError,
    WaitTimeoutError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._values.stopreason import StopReason

__all__ = ["Cascade"]

MAX_ATTEMPTS: Final = 5  # others may start dependents while these are being stopped

_S = State
_ACTIVE: Final = (_S.RUNNING, _S.CONTINUE_PENDING, _S.PAUSED, _S.PAUSE_PENDING)
_SERVICES_AND_DRIVERS: Final = ServiceType.WIN32 | ServiceType.DRIVER
_Action = Literal["stop", "start", "pause"]


class Cascade:
    """One cascade of one service. Use it as a context manager."""

    def __init__(
        self,
        service: OpenService,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Check the arguments, and start the total timeout.

        Args:
            service: the service to stop, start or restart.
            timeout: how long each service may take; None applies the hang rule.
            total_timeout: how long all of them may take together; None is no limit.
            progress: called with a service's name and each changed status.
            cancel: ends the cascade from another thread; nothing is restored then.
        """
        self._options = WaitOptions.of(timeout, cancel=cancel)
        self._total = seconds_of(total_timeout, "total_timeout")
        check_progress(progress)
        self._service, self._progress = service, progress
        self._backend = service.backend
        self._deadline: float | None = None
        self._start_total_timeout()
        self._undoing = False
        self._opened: dict[str, OpenService] = {name_key(service.name): service}
        self._connection: Connection | None = None
        self._closing = ExitStack()
        self._done: list[CascadeStep] = []
        self._failed: list[CascadeStep] = []
        self._stopped: list[tuple[str, State]] = []  # with the previous states

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def _start_total_timeout(self) -> None:
        if self._total is not None:
            self._deadline = self._backend.monotonic() + self._total

    # ------------------------------------------------------------------- operations

    def stop(self, reason: StopReason | None = None, *, dependents: bool = True) -> ServiceStatus:
        """Stop the running dependents of the service, then the service."""
        if self._service.status().state is State.STOPPED:
            self._service.control(Control.STOP, reason)  # raises the error
        return self._stop_all(reason, dependents=dependents)

    def _stop_all(self, reason: StopReason | None, *, dependents: bool) -> ServiceStatus:
        """Stop the dependents and the service, which is not stopped."""
        service = self._service
        order = self._dependents() if dependents else []
        for _ in range(MAX_ATTEMPTS):
            if self._stop_each([*order, service.name], reason):
                return service.status()
            if not dependents:
                break
            try:
                # Dependents were started since, or the system does not list them (Wine).
                order = self._dependents() or self._dependents_by_graph()
            except Win32Error as error:
                self._failed = [CascadeStep("stop", service.name, error)]
                break
            if not order:
                break
        return self._fail()

    def _stop_each(self, order: Sequence[str], reason: StopReason | None) -> bool:
        """Stop the services in order; return False if other dependents must be stopped first."""
        self._failed.clear()
        if self._service.connection.capabilities.own_pid is not None:
            for name in order:
                check_own_process(self._open(name))  # before any service is stopped
        for at, name in enumerate(order):
            if not self._try("stop", name, lambda item: self._stop_one(item, reason)):
                if isinstance(self._failed[0].error, DependentServicesRunningError):
                    return False
                self._fail(("stop", rest) for rest in order[at + 1 :])
        return True

    def start(self, arguments: Sequence[str]) -> ServiceStatus:
        """Start the dependencies of the service that are not running, then the service."""
        service = self._service
        if service.status().state in _ACTIVE:
            service.start(arguments)  # raises the error
        needed = self._needed()
        _refuse_missing(service, needed)
        first = needed.start_order([service.name])
        order = [name for name in first if not same_name(name, service.name)] + [service.name]
        failed: set[str] = set()
        for at, name in enumerate(order):
            if name_key(name) in _unstartable(needed, order, failed):
                continue  # it cannot start, and the service does not require it
            given = arguments if name == service.name else ()
            if not self._try("start", name, lambda item: self._start_one(item, given)):  # noqa: B023
                failed.add(name_key(name))
                if name_key(service.name) in _unstartable(needed, order, failed):
                    # Earlier failures did not prevent the start: report this one first.
                    self._failed.insert(0, self._failed.pop())
                    self._fail(("start", rest) for rest in order[at + 1 :])
        return service.status()

    def restart(self, arguments: Sequence[str], *, dependents: bool = True) -> ServiceStatus:
        """Stop and start the service, and restore the previous states of its dependents."""
        self.stop_for_change(dependents=dependents)
        self._restore_all(State.RUNNING, arguments)
        return self._service.status()

    def stop_for_change(self, *, dependents: bool = True) -> State:
        """Stop the service; return its previous state. If it cannot be stopped, undo everything."""
        state = _settled(self._service.status().state)
        if state is State.STOPPED:
            return state
        # A service that cannot be started again is not stopped.
        self._service.require(ServiceAccess.STOP | ServiceAccess.START)
        try:
            self._stop_all(None, dependents=dependents)
        except (CascadeError, ServiceRestartedError) as error:
            first = error.error if isinstance(error, CascadeError) else error
            if isinstance(first, ServiceRestartedError) and first.object_name == self._service.name:
                self._failed.clear()  # its failure actions have started it again
                return state
            if isinstance(first, WaitCancelledError) or not isinstance(error, CascadeError):
                raise
            # The service is still running, so its dependents can be started again.
            self._undoing = True
            rest = [(step.action, step.service) for step in error.not_done]
            self._fail([*rest, *self._restore(), ("start", self._service.name)])
        return state

    def restore(self, state: State) -> None:
        """Restore the previous state of the service and of its dependents."""
        self._start_total_timeout()
        if state is not State.STOPPED:
            self._restore_all(state, ())

    def _restore_all(self, state: State, arguments: Sequence[str]) -> None:
        name = self._service.name
        if not self._try("start", name, lambda item: self._start_one(item, arguments)):
            self._fail(("start", name) for name, _ in reversed(self._stopped))
        if state is State.PAUSED:
            self._try("pause", name, self._pause_one)
        rest = self._restore()
        if self._failed:
            self._fail(rest)

    def _restore(self) -> list[tuple[_Action, str]]:
        """Start the stopped dependents in reverse order; pause those that were paused."""
        ahead = list(self._stopped)
        while ahead:
            name, state = ahead.pop()
            if self._try("start", name, self._start_one):
                if state is State.PAUSED:
                    self._try("pause", name, self._pause_one)
            elif isinstance(self._failed[-1].error, (MachineUnreachableError, WaitCancelledError)):
                break
        return [("start", name) for name, _ in reversed(ahead)]

    # ------------------------------------------------------------------- one service

    def _try(self, action: _Action, name: str, step: Callable[[OpenService], bool]) -> bool:
        """Run one step and record its result; ``step`` returns whether it has changed the state."""
        try:
            if step(self._open(name)):
                self._done.append(CascadeStep(action, name))
        except Win32Error as error:
            self._failed.append(CascadeStep(action, name, error))
            return False
        return True

    def _stop_one(self, service: OpenService, reason: StopReason | None) -> bool:
        options = self._options_for(service)
        state = service.status().state
        if state is State.STOPPED:
            return False
        try:
            requests.stop(service, reason, options)
        except ServiceNotActiveError:
            return False
        if state is State.STOP_PENDING:
            return False
        if service is not self._service:
            self._stopped.append((service.name, _settled(state)))
        return True

    def _start_one(self, service: OpenService, arguments: Sequence[str] = ()) -> bool:
        options = self._options_for(service)
        if service.status().state in _ACTIVE and not arguments:
            return False
        if self._undoing and options.timeout == 0:
            service.start(arguments)  # the total timeout is over
            return True
        try:
            requests.start(service, arguments, options)
        except ServiceAlreadyRunningError:
            if service is self._service:
                raise
        return True

    def _pause_one(self, service: OpenService) -> bool:
        requests.pause(service, self._options_for(service))
        return True

    def _options_for(self, service: OpenService) -> WaitOptions:
        """Return how to wait for the next service, within the total timeout."""
        options, progress = self._options, self._progress
        if options.cancel is not None and options.cancel.cancelled:
            raise self._not_reached(service, WaitCancelledError, "cancelled before its turn")
        if progress is not None:
            options = replace(options, progress=partial(progress, service.name))
        if self._deadline is None:
            return options
        left = self._deadline - self._backend.monotonic()
        if left <= 0 and not self._undoing:
            text = "its turn did not come before the total timeout"
            raise self._not_reached(service, WaitTimeoutError, text)
        left = max(left, 0.0)
        return replace(
            options, timeout=left if options.timeout is None else min(options.timeout, left)
        )

    def _not_reached(self, service: OpenService, kind: type[WaitError], message: str) -> WaitError:
        code = ErrorCode.TIMEOUT if kind is WaitTimeoutError else ErrorCode.CANCELLED
        return kind(code, "", message, object_name=service.name, machine=service.machine)

    # ------------------------------------------------------------------- related services

    def _own_connection(self) -> Connection:
        if self._connection is None:
            self._connection = self._closing.enter_context(self._service.connection.reconnect())
        return self._connection

    def _open(self, name: str) -> OpenService:
        key = name_key(name)
        if key not in self._opened:
            service = OpenService.of(self._own_connection(), name)
            self._opened[key] = self._closing.enter_context(service)
        return self._opened[key]

    def _dependents(self) -> list[str]:
        return [info.name for info in self._service.dependents(StateFilter.ACTIVE)]

    def _dependents_by_graph(self) -> list[str]:
        graph = read_graph(self._own_connection(), _SERVICES_AND_DRIVERS, None)
        if self._service.name not in graph:
            return []
        names = graph.dependents_of(self._service.name)
        return [name for name in names if graph[name].state is not State.STOPPED]

    def _needed(self) -> DependencyGraph:
        """Read the dependencies that are not running, without the rest of the machine's graph."""
        nodes: dict[str, ServiceNode] = {}
        groups: set[str] = set()
        ahead = [(self._service.name, "")]
        while ahead:
            name, group = ahead.pop()
            known = nodes.get(name_key(name))
            if known is not None:
                if group:
                    nodes[name_key(name)] = replace(known, group=group)
                continue
            node = self._node(name, group)
            if node is None:
                continue
            nodes[name_key(name)] = node
            for item in node.dependencies:
                if not isinstance(item, GroupDependency):
                    ahead.append((item.name, ""))
                elif name_key(item.name) not in groups:
                    groups.add(name_key(item.name))
                    ahead += [(member, item.name) for member in self._members(item.name)]
        return DependencyGraph(tuple(nodes.values()))

    def _node(self, name: str, group: str) -> ServiceNode | None:
        dependencies: tuple[Dependency, ...] = ()
        try:
            service = self._open(name)
            state = service.status().state
        except ServiceNotFoundError:
            return None
        if state not in _ACTIVE:
            try:
                config = service.config()
                group, dependencies = config.load_order_group, config.dependencies
            except MachineUnreachableError:
                raise
            except Win32Error:
                pass  # its start starts the dependencies, or reports the error
        return ServiceNode(service.name, dependencies, group, state)

    def _members(self, group: str) -> Iterable[str]:
        if not group:
            return []
        try:
            pages = self._own_connection().pages(_SERVICES_AND_DRIVERS, group=group)
            return [info.name for info in chain.from_iterable(pages)]
        except GroupNotFoundError:
            return []

    # ------------------------------------------------------------------- outcome

    def _fail(self, rest: Iterable[tuple[_Action, str]] = ()) -> NoReturn:
        """Raise the first error, or a CascadeError if other steps were done, failed or left out."""
        not_done = tuple(CascadeStep(action, name) for action, name in rest)
        first = self._failed[0].error
        assert first is not None
        if self._done or not_done or len(self._failed) > 1:
            raise CascadeError.of(tuple(self._done), tuple(self._failed), not_done) from first
        raise first


def _settled(state: State) -> State:
    """Return the state that a pending state leads to."""
    if state in (State.PAUSED, State.PAUSE_PENDING):
        return State.PAUSED
    return State.STOPPED if state in (State.STOPPED, State.STOP_PENDING) else State.RUNNING


def _refuse_missing(service: OpenService, needed: DependencyGraph) -> None:
    missing = needed.missing()
    if not missing:
        return
    details = "; ".join(f"{', '.join(names)} needs {name}" for name, names in missing.items())
    raise ServiceStartError(
        ErrorCode.SERVICE_DEPENDENCY_DELETED,
        "StartServiceW",
        object_name=service.name,
        machine=service.machine,
        hint=f"What it needs is not there: {details}. Nothing was started.",
    )


def _unstartable(graph: DependencyGraph, order: Iterable[str], failed: Collection[str]) -> set[str]:
    """Return the keys of the services that cannot run; one member of a group is sufficient."""
    down = set(failed)
    for name in order:
        for item in graph[name].dependencies:
            key = name_key(item.name)
            if isinstance(item, GroupDependency):
                members = {name_key(node.name) for node in graph if name_key(node.group) == key}
                if members - {name_key(name)} <= down:
                    down.add(name_key(name))
            elif key in down:
                down.add(name_key(name))
    return down
