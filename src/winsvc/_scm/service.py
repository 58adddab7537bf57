"""The :class:`Service` class: query, control and configure one service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self, overload

from winsvc._public import publish
from winsvc._scm.open_service import OpenService
from winsvc._scm.service_settings import ServiceSettings
from winsvc._util.durations import Duration
from winsvc._values.config import ServiceConfig
from winsvc._values.dependency import Dependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.enums import Control, State, StateFilter
from winsvc.errors import WinsvcError

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._scm.watching import Watch
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason

__all__ = ["Service"]


class Service(ServiceSettings):
    """An open service, returned by :meth:`ServiceManager.open` and :meth:`ServiceManager.create`.

    Use it as a context manager, or call :meth:`close`. A service remains usable after its manager
    was closed, and may be shared between threads.
    """

    def __init__(self, service: OpenService) -> None:
        super().__init__(service)

    @property
    def name(self) -> str:
        """The key name; as it is stored, if a query has returned it."""
        return self._service.name

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {'closed' if self.closed else 'open'}>"

    def status(self) -> ServiceStatus:
        """Query the current status.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        return self._service.status()

    def config(self) -> ServiceConfig:
        """Query the configuration.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self._service.config()

    def dependencies(self) -> tuple[Dependency, ...]:
        """Query the services and load-order groups that must run before this service.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self.config().dependencies

    def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """List the services that depend on this one, directly or through others.

        They are in the order in which to stop them. Their ``pid`` is None: this call does not
        return it.

        Args:
            state: only active or only inactive services.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
        """
        return self._service.dependents(state)

    def snapshot(self) -> ServiceSnapshot:
        """Read all properties in one snapshot; unreadable ones are None with the error in `errors`.

        Raises:
            HandleClosedError: the service is closed.

        Right: if granted ``QUERY_STATUS``, ``QUERY_CONFIG``,
        ``ENUMERATE_DEPENDENTS`` and ``READ_CONTROL``. Windows calls: those of the queries, on one
        handle.
        """
        from winsvc._scm.bulk import take_snapshot

        return take_snapshot(self._service)

    # ------------------------------------------------------------------- waiting

    def wait(
        self,
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Wait until the service is in one of the states.

        The wait ends early if the service stops while another state is awaited, returns to its
        previous state, or is deleted. Without a timeout it also ends if a pending service hangs:
        its check point does not grow for its wait hint (at most an hour) and one minute more.
        ``wait([State.RUNNING, State.STOPPED])`` is for services that run once.

        Waits use SCM notifications. Where the system does not notify (drivers, other machines) the
        status is polled, and states that pass between two polls are missed.

        Args:
            state: the awaited state or states.
            timeout: seconds or a timedelta; replaces the rule for hanging services.
            progress: called with the first status, and when the state, the check point or the wait
                hint has changed. An exception that it raises ends the wait.
            cancel: ends the wait from another thread. Ctrl-C ends it on the main thread.

        Returns:
            The status in the awaited state.

        Raises:
            ServiceStartError: the service stopped while it was starting; ``status`` has its exit
                codes.
            ServiceStoppedError: the service stopped while another state was awaited.
            WaitError: the service has returned to its previous state.
            WaitTimeoutError: the timeout is over, or the service hangs.
            WaitCancelledError: ``cancel`` was used.
            MarkedForDeleteError: the service is deleted, and cannot reach the state.
            AccessDeniedError: the right is not granted.
            ValidationError: the service runs in this process, which would wait for itself.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``NotifyServiceStatusChangeW``, ``QueryServiceStatusEx``.
        """
        from winsvc._scm import requests
        from winsvc._scm.waiting import states_of

        options = requests.WaitOptions.of(timeout, progress, cancel)
        return requests.wait_for(self._service, states_of(state), options)

    def watch(self, *, interval: Duration = 1) -> Watch:
        """Watch the events of the service; see :meth:`ServiceManager.watch`.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: those of :meth:`ServiceManager.watch`.
        """
        from winsvc._scm.watching import Watch

        self._service.check_open()
        return Watch(self._service.connection, (self.name,), interval=interval)

    # ------------------------------------------------------------------- state

    @overload
    def start(
        self,
        *arguments: str,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus: ...
    @overload
    def start(self, *arguments: str, wait: Literal[False]) -> None: ...
    @overload
    def start(self, *arguments: str, wait: bool) -> ServiceStatus | None: ...
    def start(
        self,
        *arguments: str,
        wait: bool = True,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus | None:
        """Start the service and wait until it is running.

        If the start is refused because the service is in a pending state, the method waits for the
        end of that state and repeats the request. A start that another client has requested is
        waited for, unless there are arguments, which would not be delivered.

        ``StartServiceW`` itself returns when the service's process has connected, which can take
        30 seconds; Ctrl-C takes effect then, and the service continues to start.

        Args:
            *arguments: passed to the service's main function after its name.
            wait: False sends the request and returns None.
            timeout: how long the start may take, in seconds or as a timedelta; replaces the rule
                for hanging services (see :meth:`wait`).
            stable_for: how long the service must then run in the same process.
            progress: see :meth:`wait`.
            cancel: see :meth:`wait`; the service continues to start.

        Returns:
            The status of the running service.

        Raises:
            ServiceAlreadyRunningError: the service is already running.
            ServiceDisabledError: the service is disabled.
            ServiceStartError: the service's process did not start, did not connect, or stopped
                before it was running; ``status`` has its exit codes.
            ServiceRestartedError: with ``stable_for``, the service runs in another process.
            NotFoundError: the program does not exist.
            WaitTimeoutError, WaitCancelledError, MarkedForDeleteError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.START``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``StartServiceW``, and those of :meth:`wait`.
        """
        from winsvc._scm import requests

        requests.WaitOptions.refuse(
            wait, timeout=timeout, stable_for=stable_for, progress=progress, cancel=cancel
        )
        if not wait:
            self._service.start(arguments)
            return None
        options = requests.WaitOptions.of(timeout, progress, cancel, stable_for)
        return requests.start(self._service, arguments, options)

    @overload
    def stop(
        self,
        reason: StopReason | None = None,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus: ...
    @overload
    def stop(self, reason: StopReason | None = None, *, wait: bool) -> ServiceStatus: ...
    def stop(
        self,
        reason: StopReason | None = None,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop the service and wait until it is stopped.

        A pending state that refuses the control is waited for, and the control is sent again. A
        service that is already stopping is waited for.

        Args:
            reason: recorded in the event log.
            wait: False sends the control and returns the status that the service has reported.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.
            cancel: see :meth:`wait`; the service continues to stop.

        Returns:
            The status of the stopped service.

        Raises:
            ServiceNotActiveError: the service is not running.
            DependentServicesRunningError: running services depend on it; see
                :meth:`stop_with_dependents`.
            ControlRefusedError: the service does not accept the control.
            ServiceRestartedError: the service has stopped and was started again, for example by
                its failure actions.
            UnsupportedError: this system does not support a reason.
            WaitError, WaitTimeoutError, WaitCancelledError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.STOP``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, with a reason ``ControlServiceExW``, and those of
        :meth:`wait`.
        """
        from winsvc._scm import requests

        requests.WaitOptions.refuse(wait, timeout=timeout, progress=progress, cancel=cancel)
        if not wait:
            return self._service.control(Control.STOP, reason)
        options = requests.WaitOptions.of(timeout, progress, cancel)
        return requests.stop(self._service, reason, options)

    @overload
    def pause(
        self,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus: ...
    @overload
    def pause(self, *, wait: bool) -> ServiceStatus: ...
    def pause(
        self,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Pause the service and wait until it is paused.

        Args:
            wait: see :meth:`stop`.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.
            cancel: see :meth:`wait`.

        Returns:
            The status of the paused service.

        Raises:
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: the service does not accept the control.
            WaitError, WaitTimeoutError, WaitCancelledError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, and those of :meth:`wait`.
        """
        from winsvc._scm import requests

        requests.WaitOptions.refuse(wait, timeout=timeout, progress=progress, cancel=cancel)
        if not wait:
            return self._service.control(Control.PAUSE)
        return requests.pause(self._service, requests.WaitOptions.of(timeout, progress, cancel))

    @overload
    def resume(
        self,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus: ...
    @overload
    def resume(self, *, wait: bool) -> ServiceStatus: ...
    def resume(
        self,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Resume the paused service and wait until it is running.

        Args:
            wait: see :meth:`stop`.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.
            cancel: see :meth:`wait`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: the service does not accept the control.
            WaitError, WaitTimeoutError, WaitCancelledError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, and those of :meth:`wait`.
        """
        from winsvc._scm import requests

        requests.WaitOptions.refuse(wait, timeout=timeout, progress=progress, cancel=cancel)
        if not wait:
            return self._service.control(Control.CONTINUE)
        return requests.resume(self._service, requests.WaitOptions.of(timeout, progress, cancel))

    def interrogate(self) -> ServiceStatus:
        """Send INTERROGATE and return the reported status.

        Raises:
            ServiceNotActiveError: the service is not running.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.INTERROGATE``. Windows call: ``ControlService``.
        """
        return self._service.control(Control.INTERROGATE)

    def control(self, control: Control | int, reason: StopReason | None = None) -> ServiceStatus:
        """Send a control without waiting; the service defines the meaning of 128 to 255.

        Args:
            control: the control.
            reason: with STOP, recorded in the event log.

        Returns:
            The status that the service has last reported, often before it has processed the
            control. Without a reason its ``pid`` is None: ``ControlService`` does not return it.

        Raises:
            ValidationError: a program cannot send this control, or a reason is given for another
                control than STOP.
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: the service does not accept the control in its state, which
                ``status`` has.
            AccessDeniedError: the right is not granted.

        Right: that of the control: ``STOP``, ``PAUSE_CONTINUE`` (also for PARAM_CHANGE and
        NETBIND), ``INTERROGATE`` or ``USER_DEFINED_CONTROL``. Windows call: ``ControlService``,
        with a reason ``ControlServiceExW``.
        """
        return self._service.control(control, reason)

    # ------------------------------------------------------------------- cascades

    def stop_with_dependents(
        self,
        reason: StopReason | None = None,
        *,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop the running services that depend on this one, then this one.

        Each service is waited for before the next one is stopped. Nothing is restored on failure.

        Args:
            reason: recorded in the event log for each service.
            timeout: how long each service may take; see :meth:`start`.
            total_timeout: how long all services may take together.
            progress: called with a service's key name and each changed status.
            cancel: ends the cascade from another thread.

        Returns:
            The status of this service.

        Raises:
            CascadeError: only a part was done: the error has what was done, failed and left out.
            ServiceNotActiveError, ControlRefusedError, WaitTimeoutError: as :meth:`stop`, if
                nothing else was done.
            AccessDeniedError: a right is not granted.

        Right: ``ServiceAccess.STOP`` and ``QUERY_STATUS`` for each service,
        ``ENUMERATE_DEPENDENTS`` for this one.
        Windows calls: ``EnumDependentServicesW``, and those of :meth:`stop`.
        """
        from winsvc._scm.cascade import Cascade

        with Cascade(self._service, timeout, total_timeout, progress, cancel) as cascade:
            return cascade.stop(reason)

    def start_with_dependencies(
        self,
        *arguments: str,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Start the dependencies that are not running, then this service.

        Windows starts dependencies automatically; this method also reports which of them failed,
        and why. Each service is waited for before the next one is started.

        Args:
            *arguments: passed to the main function of this service after its name.
            timeout: how long each service may take; see :meth:`start`.
            total_timeout: how long all services may take together.
            progress: called with a service's key name and each changed status.
            cancel: ends the cascade from another thread.

        Returns:
            The status of this service.

        Raises:
            CascadeError: only a part was done: the error has what was done, failed and left out.
            ServiceAlreadyRunningError, ServiceStartError, WaitTimeoutError: as :meth:`start`, if
                nothing else was done.
            AccessDeniedError: a right is not granted.

        Right: ``ServiceAccess.START``, ``QUERY_STATUS`` and ``QUERY_CONFIG`` for each service.
        Windows calls: ``QueryServiceConfigW``, and those of :meth:`start`.
        """
        from winsvc._scm.cascade import Cascade

        with Cascade(self._service, timeout, total_timeout, progress, cancel) as cascade:
            return cascade.start(arguments)

    def restart(
        self,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop the service, start it, and restore the previous states of its dependents.

        Running services that depend on it are stopped before it. Afterwards they are started
        again, without their former arguments, and those that were paused are paused. A service
        that is not running is only started. If a service cannot be stopped, the ones stopped
        before it are started again.

        Args:
            *arguments: passed to the main function of this service after its name.
            dependents: False leaves dependents alone: running ones raise
                DependentServicesRunningError.
            timeout: how long each service may take to stop, and to start; see :meth:`start`.
            total_timeout: how long all services may take together. When it is over, stopped
                dependents are still started, without waiting for them.
            progress: called with a service's key name and each changed status.
            cancel: ends the cascade from another thread; nothing is restored then.

        Returns:
            The status of the running service.

        Raises:
            CascadeError: only a part was done: the error has what was done, failed and left out.
            ControlRefusedError: the service does not accept a stop.
            ServiceStartError: the service did not start again.
            WaitError, WaitTimeoutError, WaitCancelledError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``, ``STOP`` and ``START`` for each service,
        ``ENUMERATE_DEPENDENTS`` for this one, ``PAUSE_CONTINUE`` for paused ones.
        Windows calls: ``EnumDependentServicesW``, ``ControlService``, ``StartServiceW``, and those
        of :meth:`wait`.
        """
        from winsvc._scm.cascade import Cascade

        with Cascade(self._service, timeout, total_timeout, progress, cancel) as cascade:
            return cascade.restart(arguments, dependents=dependents)

    @contextmanager
    def stopped(
        self,
        *,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        restore_on_error: bool = True,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Self]:
        """Stop the service for a ``with`` block, and restore the previous states afterwards.

        ::

            with service.stopped(timeout=30):
                service.configure(account="LocalService")

        The service and its running dependents are stopped before the block. After it they are
        started again, and those that were paused are paused. A service that is not running stays
        stopped.

        Args:
            dependents: False leaves dependents alone: running ones raise
                DependentServicesRunningError.
            timeout: how long each service may take to stop, and to start; see :meth:`start`.
            total_timeout: how long all stops, and again all starts, may take together.
            restore_on_error: whether to restore the states if the block raises an exception. A
                failure to do so is added to the exception as a note.
            progress: called with a service's key name and each changed status.
            cancel: ends a cascade from another thread.

        Raises:
            CascadeError, ControlRefusedError, WaitTimeoutError: see :meth:`restart`.
            AccessDeniedError: a right is not granted.

        Right: as for :meth:`restart`. Windows calls: those of :meth:`restart`.
        """
        from winsvc._scm.cascade import Cascade

        with Cascade(self._service, timeout, total_timeout, progress, cancel) as cascade:
            state = cascade.stop_for_change(dependents=dependents)
            try:
                yield self
            except BaseException as error:
                if restore_on_error:
                    try:
                        cascade.restore(state)
                    except WinsvcError as second:
                        error.add_note(f"The service could not be restored: {second}")
                raise
            cascade.restore(state)

    # ------------------------------------------------------------------- deletion

    @overload
    def delete(
        self,
        *,
        wait: Literal[True],
        timeout: Duration | None = None,
        cancel: CancelToken | None = None,
    ) -> None: ...
    @overload
    def delete(self, *, wait: bool = False) -> None: ...
    def delete(
        self,
        *,
        wait: bool = False,
        timeout: Duration | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Mark the service for deletion.

        The SCM removes it when it is stopped and all handles to it are closed.

        Args:
            wait: True closes this object and waits until the service is removed, also if it was
                already marked for deletion.
            timeout: how long to wait, in seconds or as a timedelta; None is no limit.
            cancel: ends the wait from another thread.

        Raises:
            MarkedForDeleteError: without ``wait``, the service was already marked for deletion.
            WaitTimeoutError: the service was not removed in time; the hint names what keeps it.
            WaitCancelledError: ``cancel`` was used.
            AccessDeniedError: the right is not granted.
            TypeError: an argument has no effect without ``wait=True``.

        Right: ``ServiceAccess.DELETE``. Windows call: ``DeleteService``.
        """
        from winsvc._scm import removal, requests

        requests.WaitOptions.refuse(wait, timeout=timeout, cancel=cancel)
        removal.delete(
            self._service, requests.WaitOptions.of(timeout, cancel=cancel) if wait else None
        )


publish(__name__)
