"""One service: where it stands, how it is set up, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from winsvc._scm.handle_pool import ScmObject
from winsvc._scm.open_service import OpenService
from winsvc._util.checks import check_dword
from winsvc._util.durations import Duration, to_timedelta
from winsvc._values.config import UNCHANGED, FailureAction, FailureActions, ServiceConfig, Unchanged
from winsvc._values.dependency import Dependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.enums import (
    ConfigLevel,
    Control,
    ErrorCode,
    LaunchProtection,
    SecurityInformation,
    ServiceAccess,
    SidType,
    StartReason,
    State,
    StateFilter,
)
from winsvc.errors import (
    ControlRefusedError,
    InvalidArgumentError,
    ServiceError,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._scm.watching import Watch
    from winsvc._values.settings import SettingsKeywords
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason
    from winsvc.security import SecurityDescriptor
    from winsvc.triggers import Trigger

OWNER_GROUP_DACL = SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL

__all__ = ["Service"]


class Service(ScmObject[ServiceAccess]):
    """An open service, made by :meth:`ServiceManager.open` and :meth:`ServiceManager.create`.

    Use it as a context manager, or call :meth:`close`. It outlives its manager's connection. May
    be shared between threads.
    """

    def __init__(self, service: OpenService) -> None:
        super().__init__(service)
        self._service = service
        self.name = service.name

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {'closed' if self.closed else 'open'}>"

    def status(self) -> ServiceStatus:
        """Where the service stands now.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        return self._service.status()

    def config(self) -> ServiceConfig:
        """How the service is set up.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self._service.config()

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The services and the groups that must run before this one.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        return self.config().dependencies

    def configure(
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
        # Security, triggers and accounts are not loaded for what only reads.
        from winsvc._scm.apply_settings import apply, prepare
        from winsvc._values.settings import Settings, hide_password

        hide_password(settings)
        changes, config = prepare(
            Settings(**settings), self.backend, want_tag=want_tag, unquoted=unquoted
        )
        apply(changes, self._service)
        return config.tag

    # ------------------------------------------------------------------- settings by name

    @property
    def description(self) -> str:
        """A text for people; "" for none, or for one whose resource can't be loaded.

        To set: ``configure(description=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        try:
            text = self._service.call(ServiceAccess.QUERY_CONFIG, self.backend.query_description)
        except ServiceError as error:
            if error.winerror not in _NO_TEXT:
                raise
            return ""
        return text or ""

    @property
    def failure_actions(self) -> FailureActions:
        """What the SCM does when the service fails. May be assigned to; see
        :meth:`change_failure_actions` to change a part of it.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``; to assign ``CHANGE_CONFIG``, with RESTART actions
        also ``START``, with REBOOT actions the privilege ``SeShutdownPrivilege``.
        Windows calls: ``QueryServiceConfig2W``, ``ChangeServiceConfig2W``.
        """
        row = self._service.call(ServiceAccess.QUERY_CONFIG, self.backend.query_failure_actions)
        return FailureActions.from_row(row)

    @failure_actions.setter
    def failure_actions(self, actions: FailureActions | None) -> None:
        self.configure(failure_actions=actions)

    def change_failure_actions(
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
        from winsvc._scm.apply_settings import apply, failure_actions_part

        parts = (actions, reset_after, reboot_message, command)
        if all(part is UNCHANGED for part in parts):
            return
        change = failure_actions_part(
            self.backend,
            lambda: self.failure_actions,
            actions,
            reset_after,
            reboot_message,
            command,
        )
        apply([change], self._service)

    @property
    def delayed_auto_start(self) -> bool:
        """Whether an automatic start waits until the others are done.

        To set: ``configure(delayed_auto_start=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return bool(self._number(ConfigLevel.DELAYED_AUTO_START_INFO))

    @property
    def failure_actions_on_error(self) -> bool:
        """Whether the failure actions are also for a stop with an error code, not only a crash.

        To set: ``configure(failure_actions_on_error=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return bool(self._number(ConfigLevel.FAILURE_ACTIONS_FLAG))

    @property
    def sid_type(self) -> SidType:
        """Whether the service's own SID is in its process token.

        To set: ``configure(sid_type=...)``. The SID itself: :func:`winsvc.service_sid`.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return SidType(self._number(ConfigLevel.SERVICE_SID_INFO))

    @property
    def required_privileges(self) -> tuple[str, ...]:
        """The privileges that its process keeps; () for all that its account has.

        To set: ``configure(required_privileges=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        right = ServiceAccess.QUERY_CONFIG
        return self._service.call(right, self.backend.query_required_privileges) or ()

    @property
    def preshutdown_timeout(self) -> timedelta:
        """How long it may take before a shutdown.

        To set: ``configure(preshutdown_timeout=...)``, up to 49.7 days.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return timedelta(milliseconds=self._number(ConfigLevel.PRESHUTDOWN_INFO))

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """What starts and stops it; every byte as Windows has it.

        To set: ``configure(triggers=...)``, which replaces them all.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        from winsvc._scm.apply_settings import trigger_from_row

        rows = self._service.call(ServiceAccess.QUERY_CONFIG, self.backend.query_triggers)
        return tuple(map(trigger_from_row, rows))

    @property
    def preferred_node(self) -> int | None:
        """The NUMA node of its process; None for any, and where there is only one.

        To set: ``configure(preferred_node=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        try:
            row = self._service.call(ServiceAccess.QUERY_CONFIG, self.backend.query_preferred_node)
        except InvalidArgumentError:
            return None  # what Windows answers where no node is set
        return None if row.delete else row.preferred_node

    @property
    def launch_protection(self) -> LaunchProtection:
        """The kind of protected process that it runs in.

        To set: ``configure(launch_protection=...)``; Windows takes it only from a program that is
        protected itself, and never takes it back.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        return LaunchProtection(self._number(ConfigLevel.LAUNCH_PROTECTED))

    def _number(self, level: ConfigLevel) -> int:
        return self._service.call(
            ServiceAccess.QUERY_CONFIG, self.backend.query_config_number, int(level)
        )

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Who may do what with the service.

        Args:
            parts: which parts to read. The SACL needs more than the others.

        Raises:
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the
        privilege ``SeSecurityPrivilege``. Windows call: ``QueryServiceObjectSecurity``.
        """
        from winsvc._scm.apply_settings import rights_to_read
        from winsvc.security import SecurityDescriptor

        info = SecurityInformation(check_dword(parts, "parts"))
        content = self._service.call(
            rights_to_read(info), self.backend.query_service_object_security, int(info)
        )
        return SecurityDescriptor.from_bytes(content)

    def set_security(
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
        from winsvc._scm.apply_settings import apply, security_change
        from winsvc.security import SecurityDescriptor

        info = SecurityInformation(check_dword(parts, "parts"))
        change = security_change(SecurityDescriptor.coerce(descriptor), info, self.backend)
        apply([change], self._service)

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

        Raises:
            AccessDeniedError: the right below is not granted.

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

        Raises:
            AccessDeniedError: the right below is not granted.

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


# A description may point to a resource, and the resource may be missing.
_NO_TEXT = frozenset(
    {ErrorCode.FILE_NOT_FOUND, ErrorCode.NOT_FOUND, *range(15100, 15109)}  # ERROR_MUI_*
)
