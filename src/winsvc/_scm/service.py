"""One service: where it stands, how it is set up, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from winsvc._scm.open_service import OpenService
from winsvc._scm.service_settings import ServiceSettings
from winsvc._util.durations import Duration, to_timedelta
from winsvc._values.config import ServiceConfig
from winsvc._values.dependency import Dependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.enums import (
    Control,
    ServiceAccess,
    StartReason,
    State,
    StateFilter,
)
from winsvc.errors import (
    ControlRefusedError,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._scm.watching import Watch
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason

__all__ = ["Service"]


class Service(ServiceSettings):
    """An open service, made by :meth:`ServiceManager.open` and :meth:`ServiceManager.create`.

    Use it as a context manager, or call :meth:`close`. It outlives its manager's connection. May
    be shared between threads.
    """

    def __init__(self, service: OpenService) -> None:
        super().__init__(service)
        self.name = service.name

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {'closed' if self.closed else 'open'}>"

    def status(self) -> ServiceStatus:
        """Where the service stands now.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        return self._service.status()

    def config(self) -> ServiceConfig:
        """How the service is set up.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self._service.config()

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The services and the groups that must run before this one.

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
        service = self._service
        return service.run_wait(service.state_wait(state, timeout, progress, cancel))

    def watch(self, *, interval: Duration = 1) -> Watch:
        """Follow what happens to the service; see :meth:`ServiceManager.watch`.

        Right: ``ServiceAccess.QUERY_STATUS``; as far as granted also those of the manager's.
        Windows calls: those of :meth:`ServiceManager.watch`.
        """
        from winsvc._scm.watching import Watch

        self._service.check_open()
        return Watch(self._service.connection, (self.name,), interval=interval)

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

            with Cascade(self._service, timeout, total_timeout, cancel) as cascade:
                cascade.start(arguments)
            return
        service = self._service
        wait = None
        if timeout is not None:
            wait = service.state_wait(State.RUNNING, timeout, progress, cancel)
        service.start(arguments)
        if wait is not None:
            service.run_wait(wait)

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

            with Cascade(self._service, timeout, total_timeout, cancel) as cascade:
                return cascade.stop(reason)
        if timeout is None:
            return self.control(Control.STOP, reason)
        service = self._service
        wait = service.state_wait(State.STOPPED, timeout, progress, cancel)
        try:
            service.control(Control.STOP, reason)
        except ControlRefusedError as error:
            if error.status is None or error.status.state is not State.STOP_PENDING:
                raise
            service.requested_state = State.STOPPED
        return service.run_wait(wait)

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

        with Cascade(self._service, timeout, total_timeout, cancel) as cascade:
            return cascade.restart(arguments, dependents=dependents)

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
        return self._control_and_wait(Control.PAUSE, State.PAUSED, timeout, progress, cancel)

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
        return self._control_and_wait(Control.CONTINUE, State.RUNNING, timeout, progress, cancel)

    def _control_and_wait(
        self,
        control: Control,
        state: State,
        timeout: Duration | None,
        progress: Callable[[ServiceStatus], object] | None,
        cancel: CancelToken | None,
    ) -> ServiceStatus:
        service = self._service
        if timeout is None:
            return service.control(control)
        wait = service.state_wait(state, timeout, progress, cancel)
        service.control(control)
        return service.run_wait(wait)

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
        return self._service.control(control, reason)

    def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """The services that depend on this one, directly or through others.

        They come in the reverse of the order in which they are started: that in which to stop
        them. ``pid`` is None for all: this call does not tell it.

        Right: ``ServiceAccess.ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
        """
        return self._service.dependents(state)

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
            self._service.call(ServiceAccess.QUERY_STATUS, self.backend.query_start_reason)
        )

    def snapshot(self) -> ServiceSnapshot:
        """Everything that there is to know about the service, at once.

        What can't be read is None, with its error beside it.

        Raises:
            HandleClosedError: the service is closed.

        Right: as far as granted ``QUERY_STATUS``, ``QUERY_CONFIG``, ``ENUMERATE_DEPENDENTS`` and
        ``READ_CONTROL``. Windows calls: those of all that it reads, on one handle.
        """
        from winsvc._scm.bulk import take_snapshot

        return take_snapshot(self._service)

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
        self._service.call(ServiceAccess.DELETE, self.backend.delete_service)
        if timeout is not None:
            from winsvc._scm.waiting import wait_until_removed

            self._service.close()
            wait_until_removed(self._service, timeout, cancel)
