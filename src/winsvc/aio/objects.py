"""The object API as coroutines; tools/aiogen.py writes it from the methods themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from winsvc._scm.service import Service
from winsvc._values.config import UNCHANGED
from winsvc.aio._base import AsyncManagerBase, AsyncServiceBase
from winsvc.aio.threads import Opening, calling, in_loop, waiting, within
from winsvc.aio.watching import AsyncWatch
from winsvc.enums import OWNER_GROUP_DACL, SecurityInformation, ServiceType, StateFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import timedelta
    from typing import Unpack

    from winsvc._util.durations import Duration
    from winsvc._values.config import FailureAction, FailureActions, ServiceConfig, Unchanged
    from winsvc._values.dependency import Dependency
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.settings import CreateKeywords, ServiceSpec, SettingsKeywords
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.status import LockStatus, ServiceInfo, ServiceStatus
    from winsvc._values.stopreason import StopReason
    from winsvc.enums import Control, LaunchProtection, ServiceAccess, SidType, StartReason, State
    from winsvc.errors import ServiceError
    from winsvc.security import SecurityDescriptor
    from winsvc.triggers import Trigger

__all__ = ["AsyncService", "AsyncServiceManager"]


class AsyncService(AsyncServiceBase):
    """An open service, made by :meth:`AsyncServiceManager.open` and ``create``.

    Use it with ``async with``, or await :meth:`close`. May be shared between tasks. A ``progress``
    is called in the event loop's thread.
    """

    async def configure(
        self,
        *,
        want_tag: bool = False,
        unquoted: bool = False,
        **settings: Unpack[SettingsKeywords],
    ) -> int | None:
        """Change settings; those that are left out, or ``UNCHANGED``, stay as they are.

        Every setting is checked before the first is changed. If Windows then refuses one, the
        error's hint says which were changed before it.

        Args:
            want_tag: have Windows give a driver a new tag in its load-order group.
            unquoted: take a command line whose program has a blank in its path and no quotes
                around it: to write back what was there. Windows may start another program.
            **settings: see :class:`winsvc.Settings`, which has them all.

        Returns:
            The tag, where one was wanted.

        Raises:
            ArgumentError: a setting can't be.
            InvalidArgumentError: Windows does not take a setting, or a combination of them.
            ServiceExistsError: another service has this display name.
            MarkedForDeleteError: the service is being deleted.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.CHANGE_CONFIG``; for RESTART actions also ``START``, for a security
        descriptor ``WRITE_DAC`` instead.
        Windows calls: ``ChangeServiceConfigW``, ``ChangeServiceConfig2W``,
        ``SetServiceObjectSecurity``: one for each group of settings that is given.
        """
        return await calling(
            lambda: self._sync.configure(want_tag=want_tag, unquoted=unquoted, **settings)
        )

    async def change_failure_actions(
        self,
        *,
        actions: Sequence[FailureAction] | Unchanged | None = UNCHANGED,
        reset_after: Duration | Unchanged | None = UNCHANGED,
        reboot_message: str | Unchanged | None = UNCHANGED,
        command: str | Unchanged | None = UNCHANGED,
    ) -> None:
        """Change parts of the failure actions; the others stay as they are.

        Windows stores the actions and the time of reset together: to change one of them alone the
        other is read first.

        Args:
            actions: what is done for each failure in turn; None or () for nothing.
            reset_after: how long without a failure until the count starts again; None for never.
            reboot_message: what users are told before a reboot; None or "" for nothing.
            command: the command line of a ``RUN_COMMAND`` action; None or "" for none.

        Raises:
            ArgumentError: a duration can't be, or a time of reset is given without actions.

        Right: as for :attr:`failure_actions`.
        Windows call: ``ChangeServiceConfig2W``.
        """
        return await calling(
            lambda: self._sync.change_failure_actions(
                actions=actions,
                reset_after=reset_after,
                reboot_message=reboot_message,
                command=command,
            )
        )

    async def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Who may do what with the service.

        Args:
            parts: which parts to read. The SACL needs more than the others.

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
        """Change who may do what with the service; parts that are not named stay.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL, or bytes (pywin32's descriptor
                passes, too).
            parts: which of its parts to write.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ArgumentError: it does not have one of the parts.
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
        return await calling(lambda: self._sync.description)

    async def delayed_auto_start(self) -> bool:
        """Query whether an automatic start waits until the other automatic starts are done.

        To set: ``configure(delayed_auto_start=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.delayed_auto_start)

    async def failure_actions(self) -> FailureActions:
        """Query the actions of the SCM when the service fails.

        To set: ``configure(failure_actions=...)``. RESTART actions also need the right ``START``,
        REBOOT actions the privilege ``SeShutdownPrivilege``. Parts:
        :meth:`winsvc.Service.change_failure_actions`.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.failure_actions)

    async def failure_actions_on_error(self) -> bool:
        """Query whether the failure actions also apply when the service stops with an error code.

        To set: ``configure(failure_actions_on_error=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.failure_actions_on_error)

    async def sid_type(self) -> SidType:
        """Query whether the service's own SID is in its process token.

        To set: ``configure(sid_type=...)``. The SID: :func:`winsvc.service_sid`.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.sid_type)

    async def required_privileges(self) -> tuple[str, ...]:
        """Query the privileges that the process keeps; () for all privileges of its account.

        To set: ``configure(required_privileges=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.required_privileges)

    async def preshutdown_timeout(self) -> timedelta:
        """Query the time that the service may take before a shutdown.

        To set: ``configure(preshutdown_timeout=...)``. A timedelta or seconds, up to 49.7 days.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.preshutdown_timeout)

    async def triggers(self) -> tuple[Trigger, ...]:
        """Query the events that start or stop the service.

        To set: ``configure(triggers=...)``. All triggers are replaced.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.triggers)

    async def preferred_node(self) -> int | None:
        """Query the preferred NUMA node of the process; None for any, and if there is only one.

        To set: ``configure(preferred_node=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.preferred_node)

    async def launch_protection(self) -> LaunchProtection:
        """Query the kind of protected process that the service runs in.

        To set: ``configure(launch_protection=...)``. Windows accepts a change only from a protected
        program, and never removes the protection.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return await calling(lambda: self._sync.launch_protection)

    async def status(self) -> ServiceStatus:
        """Where the service stands now.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        return await calling(lambda: self._sync.status())

    async def config(self) -> ServiceConfig:
        """How the service is set up.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return await calling(lambda: self._sync.config())

    async def dependencies(self) -> tuple[Dependency, ...]:
        """The services and the groups that must run before this one.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return await calling(lambda: self._sync.dependencies)

    async def wait(
        self,
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
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

        Returns:
            The status with which it arrived.

        Raises:
            ServiceStartError: it ended while it was starting; ``status`` has its exit codes,
                ``last_progress`` how far it got, ``waited`` how long it took.
            ServiceNotActiveError: it ended later, while another state was awaited.
            WaitTimeoutError: it is not there in time, or hangs; with the same attributes.
            MarkedForDeleteError: it was deleted, and won't get there.
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``NotifyServiceStatusChangeW``, ``QueryServiceStatusEx``.
        """
        told = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.wait(state, timeout, progress=told, cancel=cancel)
        )

    def watch(self, *, interval: Duration = 1) -> AsyncWatch:
        """Follow what happens to the service; see :meth:`ServiceManager.watch`.

        Right: ``ServiceAccess.QUERY_STATUS``; as far as granted also those of the manager's.
        Windows calls: those of :meth:`ServiceManager.watch`.
        """
        return AsyncWatch(lambda: self._sync.watch(interval=interval))

    async def start(
        self,
        *arguments: str,
        dependencies: bool = False,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
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

        Raises:
            CascadeError: with dependencies, one of them did not start; it says which, and what
                was done and what was not.
            ServiceAlreadyRunningError: it is running, or on its way.
            ServiceDisabledError: its start type is disabled.
            ServiceStartError: its process did not start, did not connect or ended at once; its
                ``status`` has the exit codes.
            NotFoundError: its program does not exist.
            WaitTimeoutError, MarkedForDeleteError: as :meth:`wait`.

        Right: ``ServiceAccess.START``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``StartServiceW``, with a timeout those of :meth:`wait`.
        """
        told = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.start(
                *arguments,
                dependencies=dependencies,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=told,
                cancel=cancel,
            )
        )

    async def stop(
        self,
        reason: StopReason | None = None,
        *,
        dependents: bool = False,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
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

        Raises:
            CascadeError: with dependents, one of them did not stop; it says what was done and
                what was not.
            ServiceNotActiveError: it is not running.
            DependentServicesRunningError: running services depend on it; it names them.
            ControlRefusedError: it does not take this control, or not in this state.
            UnsupportedError: a reason was given, and this system takes none.
            WaitTimeoutError: as :meth:`wait`.

        Right: ``ServiceAccess.STOP``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a reason ``ControlServiceExW``; with a timeout those
        of :meth:`wait`.
        """
        told = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.stop(
                reason,
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=told,
                cancel=cancel,
            )
        )

    async def restart(
        self,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
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

        Returns:
            The service's status; it runs.

        Raises:
            CascadeError: not all of it went well; it says what was done and what was not.
            ControlRefusedError: the service does not take a stop.
            ServiceStartError: it did not start again.
            WaitTimeoutError: as :meth:`wait`.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``, ``STOP`` and ``START`` to each of them,
        ``ENUMERATE_DEPENDENTS`` to this one, ``PAUSE_CONTINUE`` to what was paused.
        Windows calls: ``EnumDependentServicesW``, ``ControlService``, ``StartServiceW``, and those
        of the waiting in between.
        """
        return await waiting(
            lambda cancel: self._sync.restart(
                *arguments,
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                cancel=cancel,
            )
        )

    async def pause(
        self,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Ask the service to pause; with a timeout, wait until it has (see :meth:`stop`).

        Raises:
            ServiceNotActiveError: it is not running.
            ControlRefusedError: it can't pause, or not in this state.
            WaitTimeoutError: as :meth:`wait`.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a timeout those of :meth:`wait`.
        """
        told = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.pause(timeout=timeout, progress=told, cancel=cancel)
        )

    async def resume(
        self,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
    ) -> ServiceStatus:
        """Ask a paused service to go on; with a timeout, wait until it does (see :meth:`stop`).

        Raises:
            ServiceNotActiveError: it is not running.
            ControlRefusedError: it can't pause, or not in this state.
            WaitTimeoutError: as :meth:`wait`.

        Right: ``ServiceAccess.PAUSE_CONTINUE``, with a timeout also ``QUERY_STATUS``.
        Windows calls: ``ControlService``, with a timeout those of :meth:`wait`.
        """
        told = in_loop(progress)
        return await waiting(
            lambda cancel: self._sync.resume(timeout=timeout, progress=told, cancel=cancel)
        )

    async def interrogate(self) -> ServiceStatus:
        """Have the service report its status anew, and return that.

        Raises:
            ServiceNotActiveError: it is not running.

        Right: ``ServiceAccess.INTERROGATE``. Windows call: ``ControlService``.
        """
        return await calling(lambda: self._sync.interrogate())

    async def control(
        self, control: Control | int, reason: StopReason | None = None
    ) -> ServiceStatus:
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
        return await calling(lambda: self._sync.control(control, reason))

    async def dependents(self, state: StateFilter = StateFilter.ALL) -> list[ServiceInfo]:
        """The services that depend on this one, directly or through others.

        They come in the reverse of the order in which they are started: that in which to stop
        them. ``pid`` is None for all: this call does not tell it.

        Right: ``ServiceAccess.ENUMERATE_DEPENDENTS``. Windows call: ``EnumDependentServicesW``.
        """
        return await calling(lambda: self._sync.dependents(state))

    async def start_reason(self) -> StartReason:
        """Why the running service was started.

        Windows documents the call for the handle that a service has of itself, and may refuse
        this one.

        Raises:
            ServiceNotActiveError: it is not running.
            UnsupportedError: this system does not tell (Windows does since 8).

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceDynamicInformation``.
        """
        return await calling(lambda: self._sync.start_reason())

    async def snapshot(self) -> ServiceSnapshot:
        """Everything that there is to know about the service, at once.

        What can't be read is None, with its error beside it.

        Raises:
            HandleClosedError: the service is closed.

        Right: as far as granted ``QUERY_STATUS``, ``QUERY_CONFIG``, ``ENUMERATE_DEPENDENTS`` and
        ``READ_CONTROL``. Windows calls: those of all that it reads, on one handle.
        """
        return await calling(lambda: self._sync.snapshot())

    async def delete(self, *, timeout: Duration | None = None) -> None:
        """Mark the service for deletion: it goes when it has stopped and all handles are closed.

        Args:
            timeout: with a timeout this closes the service's own handles and returns once it is
                really gone.

        Raises:
            MarkedForDeleteError: that was done before.
            WaitTimeoutError: it is still there after the timeout: it runs, or a handle is open.

        Right: ``ServiceAccess.DELETE``. Windows call: ``DeleteService``.
        """
        return await waiting(lambda cancel: self._sync.delete(timeout=timeout, cancel=cancel))


class AsyncServiceManager(AsyncManagerBase):
    """A connection to the service control manager of one machine.

    It connects at the begin of an ``async with`` block, or when it is first used; then await
    :meth:`close` at the end::

        async with AsyncServiceManager() as scm:
            async for info in scm.services(state=State.RUNNING):
                print(info.name, info.status.pid)

    Rights are those of :class:`winsvc.ServiceManager`. May be shared between tasks.
    """

    async def services(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
    ) -> AsyncIterator[ServiceInfo]:
        """List services with where they stand, in the system's order.

        Args:
            type: the kinds to list, such as ``ServiceType.DRIVER`` or ``ServiceType.ALL``.
            state: one state, several, or the system's own filter (active is all but stopped).
            group: only this load-order group; "" only those without one; None all.

        Returns:
            What to iterate over with ``async for``.

        Raises:
            ServiceNotFoundError: no such group.
            InvalidArgumentError: ``type`` or ``state`` selects nothing.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        for info in await calling(
            lambda: list(self._sync.services(type=type, state=state, group=group))
        ):
            yield info

    async def configs(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> AsyncIterator[tuple[ServiceInfo, ServiceConfig | ServiceError]]:
        """List services, each with how it is set up, or with the error that kept it from telling.

        ::

            async for info, config in scm.configs():
                if isinstance(config, ServiceError):
                    print(info.name, "does not tell:", config)
                else:
                    print(info.name, config.account)

        A service that is deleted meanwhile is left out.

        Args:
            type: as for :meth:`services`.
            state: as for :meth:`services`.
            group: as for :meth:`services`.
            concurrency: how many services are asked at a time; None is a few on this machine, and
                more on another, where each call is a round trip.

        Returns:
            What to iterate over with ``async for``, in the system's order.

        Raises:
            ServiceNotFoundError: no such group.
            MachineUnreachableError: the machine no longer answers.
            ArgumentError: ``concurrency`` can't be.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` to each.
        Windows calls: ``EnumServicesStatusExW``, and for each ``OpenServiceW``,
        ``QueryServiceConfigW`` and ``CloseServiceHandle``.
        """
        for info in await calling(
            lambda: list(
                self._sync.configs(type=type, state=state, group=group, concurrency=concurrency)
            )
        ):
            yield info

    async def snapshots(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> AsyncIterator[ServiceSnapshot]:
        """List services with everything that each tells; for what can't be read, with the error.

        A service that is deleted meanwhile is left out.

        Args:
            type: as for :meth:`services`.
            state: as for :meth:`services`.
            group: as for :meth:`services`.
            concurrency: as for :meth:`configs`.

        Returns:
            What to iterate over with ``async for``, in the system's order.

        Raises:
            ServiceNotFoundError: no such group.
            MachineUnreachableError: the machine no longer answers.
            ArgumentError: ``concurrency`` can't be.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and to each those of :meth:`Service.snapshot`.
        Windows calls: ``EnumServicesStatusExW``, and those of :meth:`Service.snapshot`, on one
        handle for each.
        """
        for info in await calling(
            lambda: list(
                self._sync.snapshots(type=type, state=state, group=group, concurrency=concurrency)
            )
        ):
            yield info

    def open(self, name: str, *, access: ServiceAccess | None = None) -> Opening[AsyncService]:
        """Open a service by its key name (upper and lower case are alike).

        Without ``access`` it is opened for reading, as far as that is granted, and again with
        other rights when an operation needs them; with ``access`` it has exactly those rights.

        Raises:
            ServiceNotFoundError: there is no such service; a display name does not open one.
            InvalidNameError: the name is empty or has a slash in it.
            AccessDeniedError: the service does not grant the rights in ``access``.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """

        async def opening() -> AsyncService:
            service = await calling(
                lambda: self._sync.open(name, access=access), late=Service.close
            )
            return AsyncService(service)

        return Opening(opening)

    def create(
        self,
        spec: ServiceSpec | str,
        binary_path: str | None = None,
        *,
        want_tag: bool = False,
        unquoted: bool = False,
        **settings: Unpack[CreateKeywords],
    ) -> Opening[AsyncService]:
        r"""Install a service, and return it open with all rights.

        Either with a :class:`winsvc.ServiceSpec`, or with the name, the command line and any of
        the settings that a spec has::

            scm.create("beat", r'"C:\Program Files\beat\beat.exe" --loud', description="Heartbeat")

        Every setting is checked before the service is made. If a setting that comes after its
        making is refused, the service is deleted again.

        Args:
            spec: the spec, or the key name.
            binary_path: the command line, where a name is given.
            want_tag: whether a driver gets a tag in its load-order group (``config().tag``).
            unquoted: take a command line whose program has a blank in its path and no quotes
                around it: to make again what was there. Windows may start another program.
            **settings: the settings, where a name is given.

        Raises:
            InvalidNameError: no service can have this name.
            ArgumentError: a setting can't be; among others a command line whose program has a
                blank in its path and no quotes around it.
            ServiceExistsError: a service has this key name, or (before Windows 10 1709) this
                display name.
            MarkedForDeleteError: an earlier service of this name is not quite gone yet.
            InvalidArgumentError: two of the settings don't go together.
            AccessDeniedError: the right below is not granted.

        Right: ``ManagerAccess.CREATE_SERVICE``.
        Windows calls: ``CreateServiceW``, and those of :meth:`Service.configure` for the rest.
        """

        async def opening() -> AsyncService:
            service = await calling(
                lambda: self._sync.create(
                    spec, binary_path, want_tag=want_tag, unquoted=unquoted, **settings
                ),
                late=Service.close,
            )
            return AsyncService(service)

        return Opening(opening)

    async def delete(self, name: str, *, timeout: Duration | None = None) -> None:
        """Delete a service; see :meth:`Service.delete`.

        Right: ``ServiceAccess.DELETE``. Windows calls: ``OpenServiceW``, ``DeleteService``.
        """
        return await waiting(lambda cancel: self._sync.delete(name, timeout=timeout, cancel=cancel))

    async def exists(self, name: str) -> bool:
        """Whether a service of this key name is installed, whatever may be done with it.

        Raises:
            InvalidNameError: no service can have this name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """
        return await calling(lambda: self._sync.exists(name))

    async def get(self, name: str) -> ServiceInfo:
        """One service as it would be listed, without leaving it open.

        Raises:
            ServiceNotFoundError: there is no such service.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``GetServiceDisplayNameW``, and
        ``GetServiceKeyNameW`` for upper and lower case as they are stored.
        """
        return await calling(lambda: self._sync.get(name))

    async def by_pid(self, pid: int) -> list[ServiceInfo]:
        """The services that a process runs; none for a process that runs none.

        Raises:
            ArgumentError: ``pid`` is no process's id.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        return await calling(lambda: self._sync.by_pid(pid))

    async def graph(
        self,
        *,
        type: ServiceType = ServiceType.WIN32 | ServiceType.DRIVER,
        concurrency: int | None = None,
    ) -> DependencyGraph:
        """Which service needs which, on this connection's machine.

        Every service's configuration is read once. Where that is refused, the graph has the error
        beside it.

        Args:
            type: the kinds to read; what is of another kind shows as missing.
            concurrency: as for :meth:`configs`.

        Raises:
            MachineUnreachableError: the machine no longer answers.
            ArgumentError: ``concurrency`` can't be.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` to each.
        Windows calls: ``EnumServicesStatusExW``, ``OpenServiceW``, ``QueryServiceConfigW``.
        """
        return await calling(lambda: self._sync.graph(type=type, concurrency=concurrency))

    def watch(
        self, *names: str, type: ServiceType = ServiceType.WIN32, interval: Duration = 1
    ) -> AsyncWatch:
        """Follow what happens to services: an iterator of typed events, as they come.

        ::

            with scm.watch() as events:
                for event in events:
                    match event:
                        case StatusChanged(name, old, new):
                            print(name, old.state.name, new.state.name)
                        case ServiceCreated(name) | ServiceDeleted(name):
                            print(name)

        What happens after this call has returned is told. It has a connection of its own, and
        may outlive the manager; :meth:`Watch.close`, or the end of the ``with`` block, ends it.

        Windows tells of every event. Where it does not (drivers, other machines, old systems) the
        services are looked at and compared from time to time, and states in between are not seen.

        Args:
            *names: the services; one that is not there is waited for. Without names it is all.
            type: without names, the kinds of services.
            interval: how often to look, where nothing is told.

        Raises:
            ArgumentError: ``interval`` can't be.
            AccessDeniedError: a right below is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, for named ones ``ServiceAccess.QUERY_STATUS``;
        without that to a service it is looked at.
        Windows calls: ``NotifyServiceStatusChangeW``, ``SubscribeServiceChangeNotifications`` (for
        changes of the configuration; Windows 8 and later), ``EnumServicesStatusExW``,
        ``QueryServiceStatusEx``.
        """
        return AsyncWatch(lambda: self._sync.watch(*names, type=type, interval=interval))

    async def display_name(self, name: str) -> str:
        """The display name of the service with this key name.

        Raises:
            ServiceNotFoundError: there is no such service.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceDisplayNameW``.
        """
        return await calling(lambda: self._sync.display_name(name))

    async def key_name(self, display_name: str) -> str:
        """The key name of the service with this display name.

        Raises:
            ServiceNotFoundError: no service has this display name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceKeyNameW``.
        """
        return await calling(lambda: self._sync.key_name(display_name))

    def lock(self) -> AbstractAsyncContextManager[None]:
        """Lock the service database for the length of an ``async with`` block.

        Since Windows Vista the lock only shows in :meth:`lock_status`: it keeps nobody from
        starting services.

        Raises:
            DatabaseLockedError: somebody else holds it.

        Right: ``ManagerAccess.LOCK``.
        Windows calls: ``LockServiceDatabase``, ``UnlockServiceDatabase``.
        """
        return within(lambda: self._sync.lock())

    async def lock_status(self) -> LockStatus:
        """Who holds the lock of the service database.

        Raises:
            UnsupportedError: this system does not tell.

        Right: ``ManagerAccess.QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
        """
        return await calling(lambda: self._sync.lock_status())

    async def notify_boot_config_status(self, acceptable: bool) -> None:
        """Tell whether the configuration that this machine started with is good.

        True makes it the last known good one; False restarts the machine with that one at once.

        Raises:
            ServiceError: it was told before (1076), or the last known good one is running (1074).

        Right: the caller must be LocalSystem or an administrator.
        Windows call: ``NotifyBootConfigStatus``, which is for this machine alone.
        """
        return await calling(lambda: self._sync.notify_boot_config_status(acceptable))
