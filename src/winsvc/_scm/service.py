"""One service: where it stands, how it is set up, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from winsvc._scm.handle_pool import Grants
from winsvc._scm.service_settings import ServiceSettings
from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._values.config import ServiceConfig
from winsvc._values.dependency import Dependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.backend import Backend
from winsvc.enums import (
    Control,
    ErrorCode,
    ServiceAccess,
    StartReason,
    State,
    StateFilter,
)
from winsvc.errors import (
    ArgumentError,
    ControlRefusedError,
    DependentServicesRunningError,
    ServiceError,
    ServiceNotActiveError,
    ServiceStartError,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken, StateWait
    from winsvc._scm.watching import Watch
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason

__all__ = ["Service"]


class Service(ServiceSettings):
    """An open service, made by :meth:`ServiceManager.open` and :meth:`ServiceManager.create`.

    Use it as a context manager, or call :meth:`close`. It outlives its manager's connection. May
    be shared between threads.
    """

    def __init__(self, name: str, grants: Grants[ServiceAccess], backend: Backend) -> None:
        super().__init__(grants)
        self.name = name
        self._backend = backend
        self._asked: State | None = None  # where it was last asked to go

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {'closed' if self.closed else 'open'}>"

    def status(self) -> ServiceStatus:
        """Where the service stands now.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        row = self._grants.call(ServiceAccess.QUERY_STATUS, self._backend.query_service_status_ex)
        return ServiceStatus.from_row(row)

    def config(self) -> ServiceConfig:
        """How the service is set up.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        row = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_service_config)
        return ServiceConfig.from_row(row, self.name)

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The services and the groups that must run before this one.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self.config().dependencies

    # ------------------------------------------------------------------- waiting

    def wait(
        self,
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Wait until the service is in a state, or in one of several.

        It ends at once when the service falls back to ``STOPPED`` while another state is awaited:
        also where this object has started it, and it has stopped before the wait began. (Who waits
        for a stopped service that others will start goes on waiting.) A service that is under way,
        however slow, is waited for up to the timeout; one that has reported nothing for a minute
        more than its wait hint hangs, and the wait ends.

        Windows tells of the changes, and no time is spent meanwhile. Where it does not (drivers,
        other machines, old systems) the service is asked from time to time, at first often, then
        every tenth of its wait hint.

        Args:
            state: the state, or the states.
            timeout: how long at most; None for as long as it takes.
            progress: called with the status at first, and whenever its state, check point or wait
                hint has changed; what it raises ends the wait.
            cancel: ends the wait from another thread. So does Ctrl-C on the main thread.

        Returns:
            The status with which it arrived.

        Raises:
            ServiceStartError: it ended while it was starting; ``status`` has its exit codes,
                ``last_progress`` how far it got, ``waited`` how long it took.
            ServiceNotActiveError: it ended later, while another state was awaited.
            WaitTimeoutError: it is not there in time, or hangs; with the same attributes.
            WaitCancelledError: ``cancel`` was used.
            MarkedForDeleteError: it was deleted, and won't get there.
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``NotifyServiceStatusChangeW``, ``QueryServiceStatusEx``.
        """
        return self._run(self._waiting(state, timeout, progress, cancel))

    def _waiting(
        self,
        state: State | Collection[State],
        timeout: Duration | None,
        progress: Callable[[ServiceStatus], object] | None,
        cancel: CancelToken | None,
    ) -> StateWait:
        """A wait whose time begins to count now."""
        from winsvc._scm.waiting import StateWait

        return StateWait(
            *(self.name, self._grants, self._backend, state, timeout),
            progress=progress,
            cancel=cancel,
        )

    def _run(self, wait: StateWait) -> ServiceStatus:
        try:
            status = wait.run(asked=self._asked)
        except (ServiceStartError, ServiceNotActiveError):
            self._asked = None  # what was asked for has come to its end: that is said once
            raise
        self._asked = None
        return status

    def watch(self, *, interval: Duration = 1) -> Watch:
        """Follow what happens to the service; see :meth:`ServiceManager.watch`.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``; as far as granted also those of the manager's.
        Windows calls: those of :meth:`ServiceManager.watch`.
        """
        from winsvc._scm.manager import ServiceManager

        self._grants.check_open()
        with ServiceManager(self.machine, backend=self._backend) as scm:
            return scm.watch(self.name, interval=interval)

    # ------------------------------------------------------------------- control

    def start(
        self,
        *arguments: str,
        dependencies: bool = False,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Start the service; ``arguments`` reach its main function after its name.

        Without a timeout it returns once the service's process has connected and reported its
        first state, which is often ``START_PENDING``; with one, once the service is running.

        Args:
            *arguments: reach its main function after its name.
            dependencies: first start what it needs and what does not run yet of it, each waited
                for. Windows does so by itself, but does not tell which of them failed, and why.
            timeout: how long the start may take; with dependencies each one's (None: 30 seconds).
            total_timeout: with dependencies: how long all of them may take together.
            progress: see :meth:`wait`; goes with a timeout, without dependencies.
            cancel: see :meth:`wait`; goes with a timeout, or with dependencies.

        Raises:
            CascadeError: with dependencies, one of them did not start; it says which, and what
                was done and what was not.
            ServiceAlreadyRunningError: it is running, or on its way.
            ServiceDisabledError: its start type is disabled.
            ServiceStartError: its process did not start, did not connect or ended at once; its
                ``status`` has the exit codes.
            NotFoundError: its program does not exist.
            WaitTimeoutError, WaitCancelledError, MarkedForDeleteError: as :meth:`wait`.

        Right: ``ServiceAccess.START``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``StartServiceW``, with a timeout those of :meth:`wait`.
        """
        if dependencies:
            from winsvc._scm.cascade import Cascade

            with Cascade(self, timeout, total_timeout, cancel) as cascade:
                cascade.start(arguments)
            return
        wait = None
        if timeout is not None:
            wait = self._waiting(State.RUNNING, timeout, progress, cancel)
        try:
            self._grants.call(ServiceAccess.START, self._backend.start_service, arguments)
        except ServiceStartError as error:
            self._add_exit_codes(error)
            raise
        self._asked = State.RUNNING
        if wait is not None:
            self._run(wait)

    def _add_exit_codes(self, error: ServiceStartError) -> None:
        try:
            status = self.status()
        except ServiceError:
            return  # the first error is what counts
        error.status = status
        if error.winerror not in _ENDED:
            return  # it never ran
        if status.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            error.hint = f"The service ended with its own error code {status.service_exit_code}."
        elif status.exit_code not in (0, ErrorCode.SERVICE_NEVER_STARTED, error.winerror):
            error.hint = f"The service ended with exit code {status.exit_code}."

    def stop(
        self,
        reason: StopReason | None = None,
        *,
        dependents: bool = False,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Ask the service to stop.

        Without a timeout it may still be stopping in the status that is returned; with one it has
        stopped. A timeout also waits for a service that is stopping already.

        Args:
            reason: goes to the event log along with the stop.
            dependents: first stop the running services that depend on it, each after those that
                need it; all are waited for.
            timeout: how long the stop may take; with dependents each one's (None: 30 seconds).
            total_timeout: with dependents: how long all of them may take together.
            progress: see :meth:`wait`; goes with a timeout, without dependents.
            cancel: see :meth:`wait`; goes with a timeout, or with dependents.

        Raises:
            CascadeError: with dependents, one of them did not stop; it says what was done and
                what was not.
            ServiceNotActiveError: it is not running.
            DependentServicesRunningError: running services depend on it; it names them.
            ControlRefusedError: it does not take this control, or not in this state.
            UnsupportedError: a reason was given, and this system takes none.
            WaitTimeoutError, WaitCancelledError: as :meth:`wait`.

        Right: ``ServiceAccess.STOP``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a reason ``ControlServiceExW``; with a timeout those
        of :meth:`wait`.
        """
        if dependents:
            from winsvc._scm.cascade import Cascade

            with Cascade(self, timeout, total_timeout, cancel) as cascade:
                return cascade.stop(reason)
        if timeout is None:
            return self.control(Control.STOP, reason)
        wait = self._waiting(State.STOPPED, timeout, progress, cancel)
        try:
            self.control(Control.STOP, reason)
        except ControlRefusedError as error:
            if error.status is None or error.status.state is not State.STOP_PENDING:
                raise
            self._asked = State.STOPPED
        return self._run(wait)

    def restart(
        self,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop the service, start it, and put what depended on it back as it was.

        Running services that depend on it are stopped before it, each after those that need it.
        Afterwards they are started again, and those that were paused are paused; the arguments
        that they once had are not known. A service that does not run is only started. If one
        can't be stopped, those that were stopped before it are started again.

        Args:
            *arguments: reach its main function after its name.
            dependents: False lets a service that others need stay as it is
                (DependentServicesRunningError).
            timeout: how long each service may take to stop, and to start; None is 30 seconds.
            total_timeout: how long all of them may take together. Once it is over, what was
                stopped is still started again where the service runs on, and not waited for.
            cancel: see :meth:`wait`; nothing is put back then.

        Returns:
            The service's status; it runs.

        Raises:
            CascadeError: not all of it went well; it says what was done and what was not.
            ControlRefusedError: the service does not take a stop.
            ServiceStartError: it did not start again.
            WaitTimeoutError, WaitCancelledError: as :meth:`wait`.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``, ``STOP`` and ``START`` to each of them,
        ``ENUMERATE_DEPENDENTS`` to this one, ``PAUSE_CONTINUE`` to what was paused.
        Windows calls: ``EnumDependentServicesW``, ``ControlService``, ``StartServiceW``, and those
        of the waiting in between.
        """
        from winsvc._scm.cascade import Cascade

        with Cascade(self, timeout, total_timeout, cancel) as cascade:
            return cascade.restart(arguments, dependents=dependents)

    def _name_dependents(self, error: DependentServicesRunningError) -> None:
        try:
            error.dependents = tuple(info.name for info in self.dependents(StateFilter.ACTIVE))
        except ServiceError:
            return  # the first error is what counts
        if error.dependents:
            error.hint = f"Running services depend on it: {', '.join(error.dependents)}."

    def pause(
        self,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Ask the service to pause; with a timeout, wait until it has (see :meth:`stop`).

        Raises:
            ServiceNotActiveError: it is not running.
            ControlRefusedError: it can't pause, or not in this state.
            WaitTimeoutError, WaitCancelledError: as :meth:`wait`.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a timeout those of :meth:`wait`.
        """
        if timeout is None:
            return self.control(Control.PAUSE)
        wait = self._waiting(State.PAUSED, timeout, progress, cancel)
        self.control(Control.PAUSE)
        return self._run(wait)

    def resume(
        self,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Ask a paused service to go on; with a timeout, wait until it does (see :meth:`stop`).

        Raises:
            ServiceNotActiveError: it is not running.
            ControlRefusedError: it can't pause, or not in this state.
            WaitTimeoutError, WaitCancelledError: as :meth:`wait`.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a timeout those of :meth:`wait`.
        """
        if timeout is None:
            return self.control(Control.CONTINUE)
        wait = self._waiting(State.RUNNING, timeout, progress, cancel)
        self.control(Control.CONTINUE)
        return self._run(wait)

    def interrogate(self) -> ServiceStatus:
        """Have the service report its status anew, and return that.

        Raises:
            ServiceNotActiveError: it is not running.

        Right: ``ServiceAccess.INTERROGATE``. Windows call: ``ControlService``.
        """
        return self.control(Control.INTERROGATE)

    def control(self, control: Control | int, reason: StopReason | None = None) -> ServiceStatus:
        """Send a control; 128 to 255 mean what the service's author says.

        Returns:
            The status that the service reported last, often before it has acted. Its ``pid`` is
            None with ``ControlService``, which does not tell.

        Raises:
            ArgumentError: this is no control that a program may send, or a reason is given for
                another control than STOP.
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: it does not take this control, or not in this state; its
                ``status`` says where the service stands.

        Right: that of the control: ``STOP``, ``PAUSE_CONTINUE`` (also for PARAM_CHANGE and
        NETBIND), ``INTERROGATE`` or ``USER_DEFINED_CONTROL``. Windows call: ``ControlService``,
        with a reason ``ControlServiceExW``.
        """
        code = check_dword(control, "control")
        right = _right_to_send(code)
        try:
            if reason is None:
                row = self._grants.call(right, self._backend.control_service, code)
            else:
                text = self._reason(code, reason)
                row = self._grants.call(right, self._backend.control_service_ex, code, *text)
        except DependentServicesRunningError as error:
            self._name_dependents(error)
            raise
        self._asked = _LEADS_TO.get(code, self._asked)
        return ServiceStatus.from_row(row)

    @staticmethod
    def _reason(code: int, reason: StopReason) -> tuple[int, str | None]:
        from winsvc._values.stopreason import StopReason

        check_type(reason, StopReason, "reason")
        if code != Control.STOP:
            raise ArgumentError("reason", "goes with STOP alone")
        return reason.code, reason.comment

    def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """The services that depend on this one, directly or through others.

        They come in the reverse of the order in which they are started: that in which to stop
        them. ``pid`` is None for all: this call does not tell it.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
        """
        rows = self._grants.call(
            ServiceAccess.ENUMERATE_DEPENDENTS, self._backend.enum_dependent_services, int(state)
        )
        return list(map(ServiceInfo.from_row, rows))

    def start_reason(self) -> StartReason:
        """Why the running service was started.

        Windows documents the call for the handle that a service has of itself, and may refuse
        this one.

        Raises:
            ServiceNotActiveError: it is not running.
            UnsupportedError: this system does not tell (Windows does since 8).

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceDynamicInformation``.
        """
        return StartReason(
            self._grants.call(ServiceAccess.QUERY_STATUS, self._backend.query_start_reason)
        )

    def snapshot(self) -> ServiceSnapshot:
        """Everything that there is to know about the service, at once.

        What can't be read is None, with its error beside it.

        Raises:
            HandleClosedError: the service is closed.

        Right: as far as granted ``QUERY_STATUS``, ``QUERY_CONFIG``, ``ENUMERATE_DEPENDENTS`` and
        ``READ_CONTROL``. Windows calls: those of all that it reads, on one handle.
        """
        from winsvc._values.snapshot import EVERYTHING, take

        self._grants.check_open()
        self._grants.widen(EVERYTHING)
        return take(self)

    def delete(self, *, timeout: Duration | None = None, cancel: CancelToken | None = None) -> None:
        """Mark the service for deletion: it goes when it has stopped and all handles are closed.

        Args:
            timeout: with a timeout this closes the service's own handles and returns once it is
                really gone.
            cancel: ends that wait from another thread.

        Raises:
            MarkedForDeleteError: that was done before.
            WaitTimeoutError: it is still there after the timeout: it runs, or a handle is open.
            WaitCancelledError: ``cancel`` was used.

        Right: ``ServiceAccess.DELETE``. Windows call: ``DeleteService``.
        """
        if timeout is not None:
            to_timedelta(timeout, "timeout")  # checked before anything is done
        self._grants.call(ServiceAccess.DELETE, self._backend.delete_service)
        if timeout is not None:
            from winsvc._scm.waiting import until_gone

            self._grants.close()
            until_gone(self.name, self._grants, self._backend, timeout, cancel)


# A failed start with one of these says that the service's process has ended.
_ENDED = frozenset(
    {
        ErrorCode.SERVICE_REQUEST_TIMEOUT,
        ErrorCode.SERVICE_SPECIFIC_ERROR,
        ErrorCode.PROCESS_ABORTED,
    }
)

_LEADS_TO: dict[int, State] = {
    Control.STOP: State.STOPPED,
    Control.PAUSE: State.PAUSED,
    Control.CONTINUE: State.RUNNING,
}

_RIGHTS_TO_SEND = {
    Control.STOP: ServiceAccess.STOP,
    Control.PAUSE: ServiceAccess.PAUSE_CONTINUE,
    Control.CONTINUE: ServiceAccess.PAUSE_CONTINUE,
    Control.INTERROGATE: ServiceAccess.INTERROGATE,
    Control.PARAM_CHANGE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_ADD: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_REMOVE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_ENABLE: ServiceAccess.PAUSE_CONTINUE,
    Control.NETBIND_DISABLE: ServiceAccess.PAUSE_CONTINUE,
}


def _right_to_send(control: int) -> ServiceAccess:
    if 128 <= control <= 255:
        return ServiceAccess.USER_DEFINED_CONTROL
    right = _RIGHTS_TO_SEND.get(Control(control))
    if right is None:
        raise ArgumentError(
            "control",
            f"{control} is sent by the system alone, if at all; a program may send STOP, PAUSE, "
            "CONTINUE, INTERROGATE, PARAM_CHANGE, the NETBIND ones and 128 to 255",
        )
    return right
