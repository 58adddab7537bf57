"""One service: where it stands, how it is set up, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from winsvc._scm.handle_pool import Granted, Grants
from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._values.config import UNCHANGED, FailureAction, FailureActions, ServiceConfig, Unchanged
from winsvc._values.dependency import Dependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.backend import Backend
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
    ArgumentError,
    ControlRefusedError,
    DependentServicesRunningError,
    InvalidArgumentError,
    ServiceError,
    ServiceNotActiveError,
    ServiceStartError,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken, StateWait
    from winsvc._scm.watching import Watch
    from winsvc._values.settings import SettingsKeywords
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason
    from winsvc.security import SecurityDescriptor
    from winsvc.triggers import Trigger

OWNER_GROUP_DACL = SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL

__all__ = ["Service"]


class Service(Granted[ServiceAccess]):
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
            Settings(**settings), self._backend, want_tag=want_tag, unquoted=unquoted
        )
        apply(changes, self._grants)
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
            text = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_description)
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
        row = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_failure_actions)
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
            self._backend,
            lambda: self.failure_actions,
            actions,
            reset_after,
            reboot_message,
            command,
        )
        apply([change], self._grants)

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
        return self._grants.call(right, self._backend.query_required_privileges) or ()

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
        from winsvc.triggers import Trigger

        rows = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_triggers)
        return tuple(map(Trigger.from_row, rows))

    @property
    def preferred_node(self) -> int | None:
        """The NUMA node of its process; None for any, and where there is only one.

        To set: ``configure(preferred_node=...)``.

        Raises:
            AccessDeniedError: the right below is not granted.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        try:
            row = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_preferred_node)
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
        return self._grants.call(
            ServiceAccess.QUERY_CONFIG, self._backend.query_config_number, int(level)
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
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import rights_to_read

        info = SecurityInformation(check_dword(parts, "parts"))
        content = self._grants.call(
            rights_to_read(info), self._backend.query_service_object_security, int(info)
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
        change = security_change(SecurityDescriptor.coerce(descriptor), info, self._backend)
        apply([change], self._grants)

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


# A description may point to a resource, and the resource may be missing.
_NO_TEXT = frozenset(
    {ErrorCode.FILE_NOT_FOUND, ErrorCode.NOT_FOUND, *range(15100, 15109)}  # ERROR_MUI_*
)

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
