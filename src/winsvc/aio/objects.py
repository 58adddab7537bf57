"""The object API as coroutines; tools/aiogen.py writes it from the methods themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Self, overload

from winsvc._scm.service import Service
from winsvc.aio._base import AsyncManagerBase, AsyncServiceBase
from winsvc.aio.threads import Opening, Within, calling, in_loop, listing, waiting
from winsvc.aio.watching import AsyncWatch
from winsvc.enums import OWNER_GROUP_DACL, SecurityInformation, ServiceType, StateFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import timedelta
    from typing import Literal, Self, Unpack

    from winsvc._util.durations import Duration
    from winsvc._values.config import FailureActions, ServiceConfig
    from winsvc._values.dependency import Dependency
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.settings import CreateKeywords, ServiceSpec, SettingsKeywords
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.status import LockStatus, ServiceInfo, ServiceStatus
    from winsvc._values.stopreason import StopReason
    from winsvc.enums import Control, LaunchProtection, ServiceAccess, SidType, State
    from winsvc.errors import Win32Error
    from winsvc.security import SecurityDescriptor
    from winsvc.triggers import Trigger

__all__ = ["AsyncService", "AsyncServiceManager"]


class AsyncService(AsyncServiceBase):
    """An open service, returned by :meth:`AsyncServiceManager.open` and ``create``.

    Use it with ``async with``, or await :meth:`close`. It may be shared between tasks. A
    ``progress`` function is called in the event loop's thread.
    """

    __slots__ = ()

    async def configure(
        self,
        *,
        assign_tag: bool = False,
        allow_unquoted_path: bool = False,
        **settings: Unpack[SettingsKeywords],
    ) -> int | None:
        """Change settings; settings that are omitted or ``UNCHANGED`` keep their values.

        All settings are checked before the first change. If Windows refuses a change, the hint of
        the error names the changes applied before it.

        Args:
            assign_tag: whether a driver gets a new tag in its load-order group.
            allow_unquoted_path: accept a command line whose program has a blank in its path and is
                not quoted, to write a stored value back. Windows may start another program.
            **settings: the settings; see :class:`winsvc.Settings`.

        Returns:
            The new tag with *assign_tag*, else None.

        Raises:
            TypeError: a setting is unknown or of the wrong type.
            ValidationError: a setting is invalid.
            InvalidParameterError: Windows does not accept a setting or a combination of settings.
            ServiceExistsError: another service has this display name.
            MarkedForDeleteError: the service is marked for deletion.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.CHANGE_CONFIG``; for RESTART actions also ``START``, for a security
        descriptor ``WRITE_DAC`` instead.
        Windows calls: ``ChangeServiceConfigW``, ``ChangeServiceConfig2W``,
        ``SetServiceObjectSecurity``: one for each group of settings.
        """
        return await calling(
            lambda: self._sync.configure(
                assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path, **settings
            )
        )

    async def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the security descriptor of the service.

        Args:
            parts: the parts to read. The SACL needs another right than the other parts.

        Raises:
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the
        privilege ``SeSecurityPrivilege``. Windows call: ``QueryServiceObjectSecurity``.
        """
        return await calling(lambda: self._sync.security(parts))

    async def set_security(
        self,
        descriptor: SecurityDescriptor | str | bytes,
        parts: SecurityInformation = SecurityInformation.DACL,
    ) -> None:
        """Write the selected parts of the security descriptor of the service.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL or bytes; a descriptor of pywin32
                is accepted too.
            parts: the parts to write.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ValidationError: the descriptor lacks one of the parts.
            AccessDeniedError: a right below is not granted.

        Right: for the DACL ``ServiceAccess.WRITE_DAC``; for owner, group and label
        ``WRITE_OWNER``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the privilege
        ``SeSecurityPrivilege``. Windows call: ``SetServiceObjectSecurity``.
        """
        return await calling(lambda: self._sync.set_security(descriptor, parts))

    async def description(self) -> str:
        """Query the text that describes the service; "" for none or for a missing resource.

        To set: ``configure(description=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.description())

    async def delayed_auto_start(self) -> bool:
        """Query whether an automatic start waits until the other automatic starts are done.

        To set: ``configure(delayed_auto_start=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.delayed_auto_start())

    async def failure_actions(self) -> FailureActions:
        """Query the actions of the SCM when the service fails.

        To set: ``configure(failure_actions=...)``. RESTART actions also need the right ``START``,
        REBOOT actions the privilege ``SeShutdownPrivilege``. To change a part:
        ``dataclasses.replace(await service.failure_actions(), ...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.failure_actions())

    async def failure_actions_on_error(self) -> bool:
        """Query whether the failure actions also apply when the service stops with an error code.

        To set: ``configure(failure_actions_on_error=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.failure_actions_on_error())

    async def sid_type(self) -> SidType:
        """Query whether the service's own SID is in its process token.

        To set: ``configure(sid_type=...)``. The SID: :func:`winsvc.service_sid`.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.sid_type())

    async def required_privileges(self) -> tuple[str, ...]:
        """Query the privileges that the process keeps; () for all privileges of its account.

        To set: ``configure(required_privileges=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.required_privileges())

    async def preshutdown_timeout(self) -> timedelta:
        """Query the time that the service may take before a shutdown.

        To set: ``configure(preshutdown_timeout=...)``. A timedelta or seconds, up to 49.7 days.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.preshutdown_timeout())

    async def triggers(self) -> tuple[Trigger, ...]:
        """Query the events that start or stop the service.

        To set: ``configure(triggers=...)``. All triggers are replaced.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.triggers())

    async def preferred_node(self) -> int | None:
        """Query the preferred NUMA node of the process; None for any, and if there is only one.

        To set: ``configure(preferred_node=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.preferred_node())

    async def launch_protection(self) -> LaunchProtection:
        """Query the kind of protected process that the service runs in.

        To set: ``configure(launch_protection=...)``. Windows accepts a change only from a protected
        program, and never removes the protection.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.launch_protection())

    async def status(self) -> ServiceStatus:
        """Query the current status.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        return await calling(lambda: self._sync.status())

    async def config(self) -> ServiceConfig:
        """Query the configuration.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return await calling(lambda: self._sync.config())

    async def dependencies(self) -> tuple[Dependency, ...]:
        """Query the services and load-order groups that must run before this service.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return await calling(lambda: self._sync.dependencies())

    async def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """List the services that depend on this one, directly or through others.

        They are in the order in which to stop them. Their ``pid`` is None: this call does not
        return it.

        Args:
            state: only active or only inactive services.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
        """
        return await calling(lambda: self._sync.dependents(state))

    async def snapshot(self) -> ServiceSnapshot:
        """Read all properties in one snapshot; unreadable ones are None with the error in `errors`.

        Raises:
            HandleClosedError: the service is closed.

        Right: if granted ``QUERY_STATUS``, ``QUERY_CONFIG``,
        ``ENUMERATE_DEPENDENTS`` and ``READ_CONTROL``. Windows calls: those of the queries, on one
        handle.
        """
        return await calling(lambda: self._sync.snapshot())

    async def wait(
        self,
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
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

        Returns:
            The status in the awaited state.

        Raises:
            ServiceStartError: the service stopped while it was starting; ``status`` has its exit
                codes.
            ServiceStoppedError: the service stopped while another state was awaited.
            WaitError: the service has returned to its previous state.
            WaitTimeoutError: the timeout is over, or the service hangs.
            MarkedForDeleteError: the service is deleted, and cannot reach the state.
            AccessDeniedError: the right is not granted.
            ValidationError: the service runs in this process, which would wait for itself.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``NotifyServiceStatusChangeW``, ``QueryServiceStatusEx``.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.wait(state, timeout, progress=report, cancel=cancel)
        )

    def watch(self, *, interval: Duration = 1) -> AsyncWatch:
        """Watch the events of the service; see :meth:`AsyncServiceManager.watch`.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: those of :meth:`AsyncServiceManager.watch`.
        """
        return AsyncWatch(lambda: self._sync.watch(interval=interval))

    @overload
    async def start(
        self,
        *arguments: str,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus: ...

    @overload
    async def start(self, *arguments: str, wait: Literal[False]) -> None: ...

    @overload
    async def start(self, *arguments: str, wait: bool) -> ServiceStatus | None: ...

    async def start(
        self,
        *arguments: str,
        wait: bool = True,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
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

        Returns:
            The status of the running service.

        Raises:
            ServiceAlreadyRunningError: the service is already running.
            ServiceDisabledError: the service is disabled.
            ServiceStartError: the service's process did not start, did not connect, or stopped
                before it was running; ``status`` has its exit codes.
            ServiceRestartedError: with ``stable_for``, the service runs in another process.
            NotFoundError: the program does not exist.
            WaitTimeoutError, MarkedForDeleteError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.START``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``StartServiceW``, and those of :meth:`wait`.
        """
        report = in_loop(progress)
        method: Callable[..., ServiceStatus | None] = self._sync.start
        return await waiting(
            lambda cancel: method(
                *arguments,
                wait=wait,
                timeout=timeout,
                stable_for=stable_for,
                progress=report,
                cancel=cancel if wait else None,
            )
        )

    @overload
    async def stop(
        self,
        reason: StopReason | None = None,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus: ...

    @overload
    async def stop(self, reason: StopReason | None = None, *, wait: bool) -> ServiceStatus: ...

    async def stop(
        self,
        reason: StopReason | None = None,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Stop the service and wait until it is stopped.

        A pending state that refuses the control is waited for, and the control is sent again. A
        service that is already stopping is waited for.

        Args:
            reason: recorded in the event log.
            wait: False sends the control and returns the status that the service has reported.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.

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
            WaitError, WaitTimeoutError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.STOP``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, with a reason ``ControlServiceExW``, and those of
        :meth:`wait`.
        """
        report = in_loop(progress)
        method: Callable[..., ServiceStatus] = self._sync.stop
        return await waiting(
            lambda cancel: method(
                reason, wait=wait, timeout=timeout, progress=report, cancel=cancel if wait else None
            )
        )

    @overload
    async def pause(
        self,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus: ...

    @overload
    async def pause(self, *, wait: bool) -> ServiceStatus: ...

    async def pause(
        self,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Pause the service and wait until it is paused.

        Args:
            wait: see :meth:`stop`.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.

        Returns:
            The status of the paused service.

        Raises:
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: the service does not accept the control.
            WaitError, WaitTimeoutError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, and those of :meth:`wait`.
        """
        report = in_loop(progress)
        method: Callable[..., ServiceStatus] = self._sync.pause
        return await waiting(
            lambda cancel: method(
                wait=wait, timeout=timeout, progress=report, cancel=cancel if wait else None
            )
        )

    @overload
    async def resume(
        self,
        *,
        wait: Literal[True] = ...,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus: ...

    @overload
    async def resume(self, *, wait: bool) -> ServiceStatus: ...

    async def resume(
        self,
        *,
        wait: bool = True,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Resume the paused service and wait until it is running.

        Args:
            wait: see :meth:`stop`.
            timeout: see :meth:`start`.
            progress: see :meth:`wait`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotActiveError: the service is not running.
            ControlRefusedError: the service does not accept the control.
            WaitError, WaitTimeoutError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.
            TypeError: an argument has no effect with ``wait=False``.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, and ``QUERY_STATUS`` to wait.
        Windows calls: ``ControlService``, and those of :meth:`wait`.
        """
        report = in_loop(progress)
        method: Callable[..., ServiceStatus] = self._sync.resume
        return await waiting(
            lambda cancel: method(
                wait=wait, timeout=timeout, progress=report, cancel=cancel if wait else None
            )
        )

    async def interrogate(self) -> ServiceStatus:
        """Send INTERROGATE and return the reported status.

        Raises:
            ServiceNotActiveError: the service is not running.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.INTERROGATE``. Windows call: ``ControlService``.
        """
        return await calling(lambda: self._sync.interrogate())

    async def control(
        self, control: Control | int, reason: StopReason | None = None
    ) -> ServiceStatus:
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
        return await calling(lambda: self._sync.control(control, reason))

    async def stop_with_dependents(
        self,
        reason: StopReason | None = None,
        *,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Stop the running services that depend on this one, then this one.

        Each service is waited for before the next one is stopped. Nothing is restored on failure.

        Args:
            reason: recorded in the event log for each service.
            timeout: how long each service may take; see :meth:`start`.
            total_timeout: how long all services may take together.
            progress: called with a service's key name and each changed status.

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
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.stop_with_dependents(
                reason, timeout=timeout, total_timeout=total_timeout, progress=report, cancel=cancel
            )
        )

    async def start_with_dependencies(
        self,
        *arguments: str,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Start the dependencies that are not running, then this service.

        Windows starts dependencies automatically; this method also reports which of them failed,
        and why. Each service is waited for before the next one is started.

        Args:
            *arguments: passed to the main function of this service after its name.
            timeout: how long each service may take; see :meth:`start`.
            total_timeout: how long all services may take together.
            progress: called with a service's key name and each changed status.

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
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.start_with_dependencies(
                *arguments,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=report,
                cancel=cancel,
            )
        )

    async def restart(
        self,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
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

        Returns:
            The status of the running service.

        Raises:
            CascadeError: only a part was done: the error has what was done, failed and left out.
            ControlRefusedError: the service does not accept a stop.
            ServiceStartError: the service did not start again.
            WaitError, WaitTimeoutError: see :meth:`wait`.
            AccessDeniedError: a right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``, ``STOP`` and ``START`` for each service,
        ``ENUMERATE_DEPENDENTS`` for this one, ``PAUSE_CONTINUE`` for paused ones.
        Windows calls: ``EnumDependentServicesW``, ``ControlService``, ``StartServiceW``, and those
        of :meth:`wait`.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.restart(
                *arguments,
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=report,
                cancel=cancel,
            )
        )

    def stopped(
        self,
        *,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        restore_on_error: bool = True,
        progress: Callable[[str, ServiceStatus], object] | None = None,
    ) -> AbstractAsyncContextManager[Self]:
        """Stop the service for an ``async with`` block, and restore the previous states afterwards.

        ::

            async with service.stopped(timeout=30):
                await service.configure(account="LocalService")

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

        Raises:
            CascadeError, ControlRefusedError, WaitTimeoutError: see :meth:`restart`.
            AccessDeniedError: a right is not granted.

        Right: as for :meth:`restart`. Windows calls: those of :meth:`restart`.
        """
        report = in_loop(progress)
        return Within(
            lambda: self._sync.stopped(
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                restore_on_error=restore_on_error,
                progress=report,
                cancel=None,
            ),
            self,
            "AsyncService.stopped",
        )

    @overload
    async def delete(self, *, wait: Literal[True], timeout: Duration | None = None) -> None: ...

    @overload
    async def delete(self, *, wait: bool = False) -> None: ...

    async def delete(self, *, wait: bool = False, timeout: Duration | None = None) -> None:
        """Mark the service for deletion.

        The SCM removes it when it is stopped and all handles to it are closed.

        Args:
            wait: True closes this object and waits until the service is removed, also if it was
                already marked for deletion.
            timeout: how long to wait, in seconds or as a timedelta; None is no limit.

        Raises:
            MarkedForDeleteError: without ``wait``, the service was already marked for deletion.
            WaitTimeoutError: the service was not removed in time; the hint names what keeps it.
            AccessDeniedError: the right is not granted.
            TypeError: an argument has no effect without ``wait=True``.

        Right: ``ServiceAccess.DELETE``. Windows call: ``DeleteService``.
        """
        method: Callable[..., None] = self._sync.delete
        return await waiting(
            lambda cancel: method(wait=wait, timeout=timeout, cancel=cancel if wait else None)
        )


class AsyncServiceManager(AsyncManagerBase):
    """A connection to the service control manager of one machine.

    It connects at the start of an ``async with`` block, or when it is first used; then await
    :meth:`close` at the end::

        async with AsyncServiceManager() as scm:
            async for info in scm.services(state=State.RUNNING):
                print(info.name, info.status.pid)

    The rights are those of :class:`winsvc.ServiceManager`. It may be shared between tasks.
    """

    __slots__ = ()

    def services(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
    ) -> AsyncGenerator[ServiceInfo, None]:
        """List services with their status, in the system's order.

        Args:
            name: only key names that match this wildcard pattern, such as ``"Win*"``; the case is
                ignored.
            service_type: the kinds to list, such as ``ServiceType.DRIVER`` or ``ServiceType.ALL``.
            state: one state, several states, or the system's own filter.
            group: only this load-order group; "" for services without a group; None for all.

        Returns:
            An asynchronous iterator; pages are queried as it is consumed.

        Raises:
            GroupNotFoundError: the load-order group does not exist.
            InvalidParameterError: ``service_type`` or ``state`` selects nothing.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        return listing(
            lambda cancel: self._sync.services(
                name=name, service_type=service_type, state=state, group=group, cancel=cancel
            )
        )

    def configs(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> AsyncGenerator[tuple[ServiceInfo, ServiceConfig | Win32Error], None]:
        """List services with their configuration, or with the error of reading it.

        ::

            async for info, config in scm.configs():
                if isinstance(config, Win32Error):
                    print(info.name, "could not be read:", config)
                else:
                    print(info.name, config.account)

        A service that is deleted during the iteration is left out.

        Args:
            name: see :meth:`services`.
            service_type: see :meth:`services`.
            state: see :meth:`services`.
            group: see :meth:`services`.
            concurrency: how many services to query at a time; None for the backend's suggestion.

        Returns:
            An asynchronous iterator in the system's order; services are queried as it is consumed.

        Raises:
            GroupNotFoundError: the load-order group does not exist.
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` for each.
        Windows calls: ``EnumServicesStatusExW``, and for each ``OpenServiceW``,
        ``QueryServiceConfigW`` and ``CloseServiceHandle``.
        """
        return listing(
            lambda cancel: self._sync.configs(
                name=name,
                service_type=service_type,
                state=state,
                group=group,
                concurrency=concurrency,
                cancel=cancel,
            )
        )

    def snapshots(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> AsyncGenerator[ServiceSnapshot, None]:
        """Yield a snapshot of each service; read failures are stored in `snapshot.errors`.

        A service that is deleted during the iteration is left out.

        Args:
            name: see :meth:`services`.
            service_type: see :meth:`services`.
            state: see :meth:`services`.
            group: see :meth:`services`.
            concurrency: see :meth:`configs`.

        Returns:
            An asynchronous iterator in the system's order; services are queried as it is consumed.

        Raises:
            GroupNotFoundError: the load-order group does not exist.
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and for each those of
        :meth:`AsyncService.snapshot`.
        Windows calls: ``EnumServicesStatusExW``, and those of :meth:`AsyncService.snapshot`.
        """
        return listing(
            lambda cancel: self._sync.snapshots(
                name=name,
                service_type=service_type,
                state=state,
                group=group,
                concurrency=concurrency,
                cancel=cancel,
            )
        )

    async def services_in_process(self, pid: int) -> list[ServiceInfo]:
        """List the services that run in a process.

        Raises:
            ValidationError: ``pid`` is not the id of a process.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        return await calling(lambda: self._sync.services_in_process(pid))

    async def instances(self, template: str) -> list[ServiceInfo]:
        """List the per-user instances of a service template, such as ``"CDPUserSvc"``.

        Windows creates an instance (``CDPUserSvc_3f2a1``) of each per-user service when a user
        logs on; see :attr:`ServiceInfo.template`.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        return await calling(lambda: self._sync.instances(template))

    async def graph(
        self,
        *,
        service_type: ServiceType = ServiceType.WIN32 | ServiceType.DRIVER,
        concurrency: int | None = None,
    ) -> DependencyGraph:
        """Read the configuration of each service, and return the dependency graph of the machine.

        Where a configuration cannot be read, the graph has the error.

        Args:
            service_type: the kinds to read; dependencies on other kinds are missing in the graph.
            concurrency: see :meth:`configs`.

        Raises:
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` for each.
        Windows calls: ``EnumServicesStatusExW``, ``OpenServiceW``, ``QueryServiceConfigW``.
        """
        return await waiting(
            lambda cancel: self._sync.graph(
                service_type=service_type, concurrency=concurrency, cancel=cancel
            )
        )

    def watch(
        self, *names: str, service_type: ServiceType = ServiceType.WIN32, interval: Duration = 1
    ) -> AsyncWatch:
        """Watch services: return an iterator of typed events.

        ::

            async with scm.watch() as events:
                async for event in events:
                    match event:
                        case StatusChanged(name, old, new):
                            print(name, old.state, new.state)
                        case ServiceCreated(name) | ServiceDeleted(name):
                            print(name)

        Events that occur after this call has returned are reported. The watch has its own
        connection and may outlive the manager; close it by :meth:`AsyncWatch.close` or an ``async
        with`` block.

        The system notifies of every event. Where it does not (drivers, other machines) the
        services are polled, and states that pass between two polls are missed.

        Args:
            *names: the key names; a service that does not exist is waited for. Without names all
                services are watched.
            service_type: without names, the kinds of services.
            interval: how often to poll services that do not notify, in seconds or as a timedelta.

        Raises:
            ValidationError: ``interval`` is invalid.
            AccessDeniedError: a right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, for named services
        ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``NotifyServiceStatusChangeW``, ``SubscribeServiceChangeNotifications`` (for
        changes of the configuration; Windows 8 and later), ``EnumServicesStatusExW``,
        ``QueryServiceStatusEx``.
        """
        return AsyncWatch(
            lambda: self._sync.watch(*names, service_type=service_type, interval=interval)
        )

    def open(self, name: str, *, access: ServiceAccess | None = None) -> Opening[AsyncService]:
        """Open a service by its key name; the case is ignored.

        Without ``access``, open with the read rights that the caller has, and reopen on demand
        when an operation needs more.

        Args:
            name: the key name; a display name does not open a service.
            access: the exact rights of the handle.

        Raises:
            ServiceNotFoundError: the service does not exist.
            InvalidNameError: the name is empty or contains a slash.
            AccessDeniedError: the service does not grant the rights in ``access``.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """

        async def opening() -> AsyncService:
            service = await calling(
                lambda: self._sync.open(name, access=access), late=Service.close
            )
            return AsyncService(service)

        return Opening(opening(), "AsyncServiceManager.open")

    def create(
        self,
        spec: ServiceSpec | str,
        binary_path: str | None = None,
        *,
        assign_tag: bool = False,
        allow_unquoted_path: bool = False,
        **settings: Unpack[CreateKeywords],
    ) -> Opening[AsyncService]:
        r"""Create a service, and return it open with all rights.

        Specify either a :class:`winsvc.ServiceSpec`, or the name, the command line and any of the
        settings of a spec::

            program = r'"C:\Program Files\beat\beat.exe" --loud'
            async with scm.create("beat", program, description="Heartbeat") as service:
                await service.start()

        All settings are checked before the service is created. If a setting that is written after
        the creation is refused, the service is deleted again.

        Args:
            spec: the spec, or the key name.
            binary_path: the command line, with a key name.
            assign_tag: whether a driver gets a tag in its load-order group (``config().tag``).
            allow_unquoted_path: accept a command line whose program has a blank in its path and is
                not in quotes, to restore an existing one. Windows may start another program.
            **settings: the settings, with a key name.

        Raises:
            InvalidNameError: the name is invalid.
            ValidationError: a setting is invalid, for example a command line whose program has a
                blank in its path and is not in quotes.
            ServiceExistsError: a service has this key name, or (before Windows 10 1709) this
                display name.
            MarkedForDeleteError: a service of this name is marked for deletion.
            InvalidParameterError: Windows does not accept the combination of settings.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.CREATE_SERVICE``.
        Windows calls: ``CreateServiceW``, and those of :meth:`AsyncService.configure` for the rest.
        """

        async def opening() -> AsyncService:
            service = await calling(
                lambda: self._sync.create(
                    spec,
                    binary_path,
                    assign_tag=assign_tag,
                    allow_unquoted_path=allow_unquoted_path,
                    **settings,
                ),
                late=Service.close,
            )
            return AsyncService(service)

        return Opening(opening(), "AsyncServiceManager.create")

    @overload
    async def delete(
        self, name: str, *, wait: Literal[True], timeout: Duration | None = None
    ) -> None: ...

    @overload
    async def delete(self, name: str, *, wait: bool = False) -> None: ...

    async def delete(
        self, name: str, *, wait: bool = False, timeout: Duration | None = None
    ) -> None:
        """Mark a service for deletion; see :meth:`AsyncService.delete`.

        Args:
            name: the key name.
            wait: see :meth:`AsyncService.delete`.
            timeout: see :meth:`AsyncService.delete`.

        Raises:
            ServiceNotFoundError: the service does not exist.
            MarkedForDeleteError, WaitTimeoutError, AccessDeniedError,
            TypeError: see :meth:`AsyncService.delete`.

        Right: ``ServiceAccess.DELETE``. Windows calls: ``OpenServiceW``, ``DeleteService``.
        """
        method: Callable[..., None] = self._sync.delete
        return await waiting(
            lambda cancel: method(name, wait=wait, timeout=timeout, cancel=cancel if wait else None)
        )

    async def exists(self, name: str) -> bool:
        """Return whether the service exists, even if access to it is denied.

        Raises:
            InvalidNameError: the name is invalid.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """
        return await calling(lambda: self._sync.exists(name))

    async def info(self, name: str) -> ServiceInfo:
        """Query the names and the status of one service, as in a listing.

        Raises:
            ServiceNotFoundError: the service does not exist.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``GetServiceDisplayNameW``, and
        ``GetServiceKeyNameW`` for the stored spelling of the key name.
        """
        return await calling(lambda: self._sync.info(name))

    async def status(self, name: str) -> ServiceStatus:
        """Query the current status of a service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``CloseServiceHandle``.
        """
        return await calling(lambda: self._sync.status(name))

    async def start(
        self,
        name: str,
        *arguments: str,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Start a service and wait until it is running; see :meth:`AsyncService.start`.

        Args:
            name: the key name.
            *arguments: see :meth:`AsyncService.start`.
            timeout: see :meth:`AsyncService.start`.
            stable_for: see :meth:`AsyncService.start`.
            progress: see :meth:`AsyncService.wait`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            ServiceAlreadyRunningError, ServiceStartError, WaitTimeoutError,
            AccessDeniedError: see :meth:`AsyncService.start`.

        Right: ``ServiceAccess.START`` and ``QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, and those of :meth:`AsyncService.start`.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.start(
                name,
                *arguments,
                timeout=timeout,
                stable_for=stable_for,
                progress=report,
                cancel=cancel,
            )
        )

    async def stop(
        self,
        name: str,
        reason: StopReason | None = None,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Stop a service and wait until it is stopped; see :meth:`AsyncService.stop`.

        Args:
            name: the key name.
            reason: see :meth:`AsyncService.stop`.
            timeout: see :meth:`AsyncService.start`.
            progress: see :meth:`AsyncService.wait`.

        Returns:
            The status of the stopped service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            ServiceNotActiveError, DependentServicesRunningError, ControlRefusedError,
            WaitTimeoutError, AccessDeniedError: see :meth:`AsyncService.stop`.

        Right: ``ServiceAccess.STOP`` and ``QUERY_STATUS``, and if granted
        ``ENUMERATE_DEPENDENTS`` for the names in DependentServicesRunningError.
        Windows calls: ``OpenServiceW``, and those of :meth:`AsyncService.stop`.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.stop(
                name, reason, timeout=timeout, progress=report, cancel=cancel
            )
        )

    async def restart(
        self,
        name: str,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Stop a service, start it, and restore its dependents; see :meth:`AsyncService.restart`.

        Args:
            name: the key name.
            *arguments: see :meth:`AsyncService.restart`.
            dependents: see :meth:`AsyncService.restart`.
            timeout: see :meth:`AsyncService.restart`.
            total_timeout: see :meth:`AsyncService.restart`.
            progress: see :meth:`AsyncService.restart`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            CascadeError, ControlRefusedError, ServiceStartError, WaitError, AccessDeniedError:
            see :meth:`AsyncService.restart`.

        Right: as for :meth:`AsyncService.restart`.
        Windows calls: ``OpenServiceW``, and those of :meth:`AsyncService.restart`.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.restart(
                name,
                *arguments,
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=report,
                cancel=cancel,
            )
        )

    async def wait(
        self,
        states: Mapping[str, State | Collection[State]],
        timeout: Duration | None = None,
        *,
        progress: Callable[[str, ServiceStatus], object] | None = None,
    ) -> dict[str, ServiceStatus]:
        """Wait at the same time for states of several services.

        ::

            await scm.wait({"web": State.RUNNING, "worker": State.RUNNING}, timeout=60)

        The first service that cannot reach its state ends the wait; see :meth:`AsyncService.wait`.

        Args:
            states: for each key name the awaited state or states.
            timeout: see :meth:`AsyncService.wait`.
            progress: called with a service's key name and each changed status.

        Returns:
            For each key name the status in the awaited state.

        Raises:
            ServiceNotFoundError: a service does not exist.
            ServiceStoppedError, WaitTimeoutError, AccessDeniedError: see
            :meth:`AsyncService.wait`.

        Right: ``ServiceAccess.QUERY_STATUS`` for each service.
        Windows calls: ``OpenServiceW``, and those of :meth:`AsyncService.wait`.
        """
        report = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.wait(states, timeout, progress=report, cancel=cancel)
        )

    async def display_name(self, name: str) -> str:
        """Query the display name of the service with this key name.

        Raises:
            ServiceNotFoundError: the service does not exist.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceDisplayNameW``.
        """
        return await calling(lambda: self._sync.display_name(name))

    async def key_name(self, display_name: str) -> str:
        """Query the key name of the service with this display name.

        Raises:
            ServiceNotFoundError: no service has this display name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceKeyNameW``.
        """
        return await calling(lambda: self._sync.key_name(display_name))

    async def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the security descriptor of the service control manager itself.

        Args:
            parts: the parts to read. The SACL needs further rights.

        Raises:
            AccessDeniedError: a right is not granted.

        Right: ``ManagerAccess.READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the
        privilege ``SeSecurityPrivilege``. Windows call: ``QueryServiceObjectSecurity``.
        """
        return await calling(lambda: self._sync.security(parts))

    async def set_security(
        self,
        descriptor: SecurityDescriptor | str | bytes,
        parts: SecurityInformation = SecurityInformation.DACL,
    ) -> None:
        """Write the selected parts of the security descriptor of the service control manager.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL, or bytes.
            parts: the parts to write; the others are unchanged.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ValidationError: the descriptor lacks one of the parts.
            AccessDeniedError: a right is not granted.

        Right: for the DACL ``ManagerAccess.WRITE_DAC``; for owner, group and label
        ``WRITE_OWNER``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the privilege
        ``SeSecurityPrivilege``. Windows call: ``SetServiceObjectSecurity``.
        """
        return await calling(lambda: self._sync.set_security(descriptor, parts))

    async def lock_status(self) -> LockStatus:
        """Query the owner of the lock of the service database.

        The lock has no effect since Windows Vista, but older programs may still take it.

        Raises:
            UnsupportedError: this system does not implement the call.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
        """
        return await calling(lambda: self._sync.lock_status())

    async def notify_boot_config_status(self, acceptable: bool) -> None:
        """Report whether the configuration that this machine has started with is acceptable.

        True makes it the last known good configuration. **False restarts the machine at once** with
        the last known good configuration.

        Raises:
            Win32Error: the status was already reported (1076), or the last known good
                configuration is running (1074).
            UnsupportedError: the manager is connected to another machine.

        Right: the caller must be LocalSystem or an administrator.
        Windows call: ``NotifyBootConfigStatus``.
        """
        return await calling(lambda: self._sync.notify_boot_config_status(acceptable))
