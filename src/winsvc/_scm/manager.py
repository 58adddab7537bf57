"""The :class:`ServiceManager` class: list, open, create and watch services."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain
from types import NoneType
from typing import TYPE_CHECKING, Literal, Unpack, overload

from winsvc._public import publish
from winsvc._scm.call_log import log_change, logged
from winsvc._scm.connection import Connection
from winsvc._scm.handle_pool import ScmObject
from winsvc._scm.open_service import OpenService
from winsvc._scm.service import Service
from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration
from winsvc._values.names import check_service_name
from winsvc._values.status import LockStatus, ServiceInfo, ServiceStatus, collect_states
from winsvc.backend import ServiceBackend, resolve_backend
from winsvc.enums import (
    OWNER_GROUP_DACL,
    ErrorCode,
    ManagerAccess,
    SecurityInformation,
    ServiceAccess,
    ServiceType,
    State,
    StateFilter,
)
from winsvc.errors import (
    InvalidNameError,
    UnsupportedError,
    ValidationError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._scm.watching import Watch
    from winsvc._values.config import ServiceConfig
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.settings import CreateKeywords, ServiceSpec
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.stopreason import StopReason
    from winsvc.security import SecurityDescriptor

__all__ = ["ServiceManager"]


class ServiceManager(ScmObject[ManagerAccess]):
    """A connection to the service control manager of one machine.

    Use it as a context manager, or call :meth:`close`::

        with ServiceManager() as scm:
            for info in scm.services(state=State.RUNNING):
                print(info.name, info.status.pid)

    Without ``access`` it connects with the right to list services, or, if that is not granted,
    with the right to connect only; an operation that needs another right requests it when it is
    called. With ``access`` it has exactly those rights.

    A manager may be shared between threads.
    """

    def __init__(
        self,
        machine: str | None = None,
        *,
        database: str | None = None,
        access: ManagerAccess | None = None,
        backend: ServiceBackend | None = None,
    ) -> None:
        """Connect to the service control manager.

        Args:
            machine: the name or address of the machine; None or "" for this one.
            database: the service database; None for the active one, which is the only one in use.
            access: the exact rights of the connection.
            backend: executes the calls; None for the system's own.

        Raises:
            MachineUnreachableError: the machine does not answer.
            DatabaseNotFoundError: the database does not exist.
            AccessDeniedError: ``ManagerAccess.CONNECT``, or a right in ``access``, is not granted.
            UnsupportedError: this system is not Windows, and no backend was specified.

        Windows call: ``OpenSCManagerW``.
        """
        check_type(machine, (str, NoneType), "machine")
        rights = None if access is None else ManagerAccess(check_dword(access, "access"))
        self._connection = Connection(machine, database, resolve_backend(backend), rights)
        super().__init__(self._connection)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<ServiceManager of {self.machine or 'this machine'}: {state}>"

    # ------------------------------------------------------------------- listings

    def services(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[ServiceInfo]:
        """List services with their status, in the system's order.

        Args:
            name: only key names that match this wildcard pattern, such as ``"Win*"``; the case is
                ignored.
            service_type: the kinds to list, such as ``ServiceType.DRIVER`` or ``ServiceType.ALL``.
            state: one state, several states, or the system's own filter.
            group: only this load-order group; "" for services without a group; None for all.
            cancel: ends the listing from another thread.

        Returns:
            An iterator; pages are queried as it is consumed.

        Raises:
            WaitCancelledError: the listing was cancelled.
            GroupNotFoundError: the load-order group does not exist.
            InvalidParameterError: ``service_type`` or ``state`` selects nothing.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        states: frozenset[State] | None = None
        if isinstance(state, StateFilter):
            state_filter = state
        else:
            states = collect_states(state)
            state_filter = _filter_for(states)
        selected = ServiceType(check_dword(service_type, "service_type"))
        _check_cancel(cancel)
        pages = self._connection.pages(selected, state_filter, states, group, cancel)
        infos = chain.from_iterable(pages)
        return infos if name is None else _matching(infos, name)

    def configs(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[tuple[ServiceInfo, ServiceConfig | Win32Error]]:
        """List services with their configuration, or with the error of reading it.

        ::

            for info, config in scm.configs():
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
            cancel: ends the listing from another thread.

        Returns:
            An iterator in the system's order; services are queried as it is consumed.

        Raises:
            GroupNotFoundError: the load-order group does not exist.
            WaitCancelledError: the listing was cancelled.
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` for each.
        Windows calls: ``EnumServicesStatusExW``, and for each ``OpenServiceW``,
        ``QueryServiceConfigW`` and ``CloseServiceHandle``.
        """
        from winsvc._scm.bulk import check_concurrency, configs

        at_a_time = check_concurrency(self._connection, concurrency)
        infos = self.services(
            name=name, service_type=service_type, state=state, group=group, cancel=cancel
        )
        return configs(self._connection, infos, at_a_time, cancel)

    def snapshots(
        self,
        *,
        name: str | None = None,
        service_type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[ServiceSnapshot]:
        """Yield a snapshot of each service; read failures are stored in `snapshot.errors`.

        A service that is deleted during the iteration is left out.

        Args:
            name: see :meth:`services`.
            service_type: see :meth:`services`.
            state: see :meth:`services`.
            group: see :meth:`services`.
            concurrency: see :meth:`configs`.
            cancel: see :meth:`configs`.

        Returns:
            An iterator in the system's order; services are queried as it is consumed.

        Raises:
            GroupNotFoundError: the load-order group does not exist.
            WaitCancelledError: the listing was cancelled.
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and for each those of :meth:`Service.snapshot`.
        Windows calls: ``EnumServicesStatusExW``, and those of :meth:`Service.snapshot`.
        """
        from winsvc._scm.bulk import check_concurrency, snapshots

        at_a_time = check_concurrency(self._connection, concurrency)
        infos = self.services(
            name=name, service_type=service_type, state=state, group=group, cancel=cancel
        )
        return snapshots(self._connection, infos, at_a_time, cancel)

    def services_in_process(self, pid: int) -> list[ServiceInfo]:
        """List the services that run in a process.

        Raises:
            ValidationError: ``pid`` is not the id of a process.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        if not check_dword(pid, "pid"):
            raise ValidationError("pid", "0 is not the id of a process that runs services")
        return [info for info in self.services(state=StateFilter.ACTIVE) if info.status.pid == pid]

    def instances(self, template: str) -> list[ServiceInfo]:
        """List the per-user instances of a service template, such as ``"CDPUserSvc"``.

        Windows creates an instance (``CDPUserSvc_3f2a1``) of each per-user service when a user
        logs on; see :attr:`ServiceInfo.template`.

        Raises:
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        from winsvc._util.text import name_key

        check_service_name(template, "template")
        key = name_key(template)
        infos = self.services(service_type=ServiceType.ALL)
        return [info for info in infos if name_key(info.template or "") == key]

    def graph(
        self,
        *,
        service_type: ServiceType = ServiceType.WIN32 | ServiceType.DRIVER,
        concurrency: int | None = None,
        cancel: CancelToken | None = None,
    ) -> DependencyGraph:
        """Read the configuration of each service, and return the dependency graph of the machine.

        Where a configuration cannot be read, the graph has the error.

        Args:
            service_type: the kinds to read; dependencies on other kinds are missing in the graph.
            concurrency: see :meth:`configs`.
            cancel: see :meth:`configs`.

        Raises:
            WaitCancelledError: the listing was cancelled.
            MachineUnreachableError: the machine no longer answers.
            ValidationError: ``concurrency`` is out of range.
            AccessDeniedError: the right to list is not granted.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` for each.
        Windows calls: ``EnumServicesStatusExW``, ``OpenServiceW``, ``QueryServiceConfigW``.
        """
        from winsvc._scm.bulk import read_graph

        selected = ServiceType(check_dword(service_type, "service_type"))
        _check_cancel(cancel)
        return read_graph(self._connection, selected, concurrency, cancel)

    def watch(
        self, *names: str, service_type: ServiceType = ServiceType.WIN32, interval: Duration = 1
    ) -> Watch:
        """Watch services: return an iterator of typed events.

        ::

            with scm.watch() as events:
                for event in events:
                    match event:
                        case StatusChanged(name, old, new):
                            print(name, old.state, new.state)
                        case ServiceCreated(name) | ServiceDeleted(name):
                            print(name)

        Events that occur after this call has returned are reported. The watch has its own
        connection and may outlive the manager; close it by :meth:`Watch.close` or a ``with`` block.

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
        from winsvc._scm.watching import Watch

        self._connection.check_open()
        for index, name in enumerate(names):
            check_type(name, str, f"names[{index}]")
        selected = ServiceType(check_dword(service_type, "service_type"))
        return Watch(self._connection, names, selected, interval)

    # ------------------------------------------------------------------- services

    def open(self, name: str, *, access: ServiceAccess | None = None) -> Service:
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
        rights = None if access is None else ServiceAccess(check_dword(access, "access"))
        return Service(OpenService.of(self._connection, name, rights))

    def create(
        self,
        spec: ServiceSpec | str,
        binary_path: str | None = None,
        *,
        assign_tag: bool = False,
        allow_unquoted_path: bool = False,
        **settings: Unpack[CreateKeywords],
    ) -> Service:
        r"""Create a service, and return it open with all rights.

        Specify either a :class:`winsvc.ServiceSpec`, or the name, the command line and any of the
        settings of a spec::

            program = r'"C:\Program Files\beat\beat.exe" --loud'
            with scm.create("beat", program, description="Heartbeat") as service:
                service.start()

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
        Windows calls: ``CreateServiceW``, and those of :meth:`Service.configure` for the rest.
        """
        # Security, triggers and accounts are not loaded by programs that only read.
        from winsvc._scm.apply_settings import apply
        from winsvc._values.changes import creation_for
        from winsvc._values.settings import ServiceSpec, check_keywords

        check_keywords(settings)
        check_type(spec, (ServiceSpec, str), "spec")
        if isinstance(spec, str):
            spec = ServiceSpec(name=spec, binary_path=binary_path or "", **settings)
        elif binary_path is not None or settings:
            raise TypeError("create() takes a ServiceSpec, or a name and settings, not both")
        try:
            check_service_name(spec.name)
        except ValidationError as error:
            # Windows refuses most of these names with this code; Wine accepts some.
            raise InvalidNameError(
                ErrorCode.INVALID_NAME, "CreateServiceW", error.reason, object_name=spec.name
            ) from None
        connection, every = self._connection, ServiceAccess.ALL_ACCESS
        arguments, changes = creation_for(
            spec, every, assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path
        )
        create = connection.backend.create_service
        try:
            value, _ = connection.call(ManagerAccess.CREATE_SERVICE, create, *arguments)
        except Win32Error as error:
            error.add_context(object_name=spec.name)
            raise
        log_change(spec.name, self.machine, "it was created")
        opened = OpenService(connection, spec.name)
        opened.add_handle(every, connection.service_handle(spec.name, value))
        service = Service(opened)
        try:
            apply(changes, opened)
        except BaseException as error:
            try:
                with service:
                    service.delete()
            except Win32Error:
                if isinstance(error, Win32Error):
                    error.hint = f"{error.hint or ''} The new service could not be deleted.".strip()
            raise
        return service

    @overload
    def delete(
        self,
        name: str,
        *,
        wait: Literal[True],
        timeout: Duration | None = None,
        cancel: CancelToken | None = None,
    ) -> None: ...
    @overload
    def delete(self, name: str, *, wait: bool = False) -> None: ...
    def delete(
        self,
        name: str,
        *,
        wait: bool = False,
        timeout: Duration | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Mark a service for deletion; see :meth:`Service.delete`.

        Args:
            name: the key name.
            wait: see :meth:`Service.delete`.
            timeout: see :meth:`Service.delete`.
            cancel: see :meth:`Service.delete`.

        Raises:
            ServiceNotFoundError: the service does not exist.
            MarkedForDeleteError, WaitTimeoutError, WaitCancelledError, AccessDeniedError,
            TypeError: see :meth:`Service.delete`.

        Right: ``ServiceAccess.DELETE``. Windows calls: ``OpenServiceW``, ``DeleteService``.
        """
        from winsvc._scm import removal, requests

        requests.WaitOptions.refuse(wait, timeout=timeout, cancel=cancel)
        options = requests.WaitOptions.of(timeout, cancel=cancel) if wait else None
        with OpenService.of(self._connection, name, ServiceAccess.DELETE) as service:
            removal.delete(service, options)

    def exists(self, name: str) -> bool:
        """Return whether the service exists, even if access to it is denied.

        Raises:
            InvalidNameError: the name is invalid.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """
        self._connection.check_open()
        return OpenService(self._connection, name).exists(ServiceAccess.QUERY_STATUS)

    def info(self, name: str) -> ServiceInfo:
        """Query the names and the status of one service, as in a listing.

        Raises:
            ServiceNotFoundError: the service does not exist.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``GetServiceDisplayNameW``, and
        ``GetServiceKeyNameW`` for the stored spelling of the key name.
        """
        with OpenService.of(self._connection, name, ServiceAccess.QUERY_STATUS) as service:
            status = service.status()
            display_name = service.learn_name()
        return ServiceInfo(service.name, display_name or service.name, status)

    # ------------------------------------------------------------------- one call each

    def status(self, name: str) -> ServiceStatus:
        """Query the current status of a service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            AccessDeniedError: the right is not granted.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``CloseServiceHandle``.
        """
        with OpenService.of(self._connection, name, ServiceAccess.QUERY_STATUS) as service:
            return service.status()

    def _open_for(self, name: str, right: ServiceAccess) -> Service:
        """Open a service for one operation and for waiting; further rights are opened on demand."""
        self._connection.check_open()
        opened = OpenService(self._connection, name)
        return Service(opened.open(right | ServiceAccess.QUERY_STATUS))

    def start(
        self,
        name: str,
        *arguments: str,
        timeout: Duration | None = None,
        stable_for: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Start a service and wait until it is running; see :meth:`Service.start`.

        Args:
            name: the key name.
            *arguments: see :meth:`Service.start`.
            timeout: see :meth:`Service.start`.
            stable_for: see :meth:`Service.start`.
            progress: see :meth:`Service.wait`.
            cancel: see :meth:`Service.wait`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            ServiceAlreadyRunningError, ServiceStartError, WaitTimeoutError, WaitCancelledError,
            AccessDeniedError: see :meth:`Service.start`.

        Right: ``ServiceAccess.START`` and ``QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, and those of :meth:`Service.start`.
        """
        with self._open_for(name, ServiceAccess.START) as service:
            return service.start(
                *arguments,
                timeout=timeout,
                stable_for=stable_for,
                progress=progress,
                cancel=cancel,
            )

    def stop(
        self,
        name: str,
        reason: StopReason | None = None,
        *,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop a service and wait until it is stopped; see :meth:`Service.stop`.

        Args:
            name: the key name.
            reason: see :meth:`Service.stop`.
            timeout: see :meth:`Service.start`.
            progress: see :meth:`Service.wait`.
            cancel: see :meth:`Service.wait`.

        Returns:
            The status of the stopped service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            ServiceNotActiveError, DependentServicesRunningError, ControlRefusedError,
            WaitTimeoutError, WaitCancelledError, AccessDeniedError: see :meth:`Service.stop`.

        Right: ``ServiceAccess.STOP`` and ``QUERY_STATUS``, and if granted
        ``ENUMERATE_DEPENDENTS`` for the names in DependentServicesRunningError.
        Windows calls: ``OpenServiceW``, and those of :meth:`Service.stop`.
        """
        with self._open_for(name, ServiceAccess.STOP) as service:
            return service.stop(reason, timeout=timeout, progress=progress, cancel=cancel)

    def restart(
        self,
        name: str,
        *arguments: str,
        dependents: bool = True,
        timeout: Duration | None = None,
        total_timeout: Duration | None = None,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> ServiceStatus:
        """Stop a service, start it, and restore its dependents; see :meth:`Service.restart`.

        Args:
            name: the key name.
            *arguments: see :meth:`Service.restart`.
            dependents: see :meth:`Service.restart`.
            timeout: see :meth:`Service.restart`.
            total_timeout: see :meth:`Service.restart`.
            progress: see :meth:`Service.restart`.
            cancel: see :meth:`Service.restart`.

        Returns:
            The status of the running service.

        Raises:
            ServiceNotFoundError: the service does not exist.
            CascadeError, ControlRefusedError, ServiceStartError, WaitError, AccessDeniedError:
            see :meth:`Service.restart`.

        Right: as for :meth:`Service.restart`.
        Windows calls: ``OpenServiceW``, and those of :meth:`Service.restart`.
        """
        with self.open(name) as service:
            return service.restart(
                *arguments,
                dependents=dependents,
                timeout=timeout,
                total_timeout=total_timeout,
                progress=progress,
                cancel=cancel,
            )

    def wait(
        self,
        states: Mapping[str, State | Collection[State]],
        timeout: Duration | None = None,
        *,
        progress: Callable[[str, ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> dict[str, ServiceStatus]:
        """Wait at the same time for states of several services.

        ::

            scm.wait({"web": State.RUNNING, "worker": State.RUNNING}, timeout=60)

        The first service that cannot reach its state ends the wait; see :meth:`Service.wait`.

        Args:
            states: for each key name the awaited state or states.
            timeout: see :meth:`Service.wait`.
            progress: called with a service's key name and each changed status.
            cancel: see :meth:`Service.wait`.

        Returns:
            For each key name the status in the awaited state.

        Raises:
            ServiceNotFoundError: a service does not exist.
            ServiceStoppedError, WaitTimeoutError, WaitCancelledError, AccessDeniedError: see
            :meth:`Service.wait`.

        Right: ``ServiceAccess.QUERY_STATUS`` for each service.
        Windows calls: ``OpenServiceW``, and those of :meth:`Service.wait`.
        """
        from winsvc._scm import requests

        options = requests.WaitOptions.of(timeout, cancel=cancel)
        return requests.wait_for_all(self._connection, states, options, progress)

    # ------------------------------------------------------------------- the manager

    def display_name(self, name: str) -> str:
        """Query the display name of the service with this key name.

        Raises:
            ServiceNotFoundError: the service does not exist.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceDisplayNameW``.
        """
        return self._connection.translate_name("get_service_display_name", name)

    def key_name(self, display_name: str) -> str:
        """Query the key name of the service with this display name.

        Raises:
            ServiceNotFoundError: no service has this display name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceKeyNameW``.
        """
        return self._connection.translate_name("get_service_key_name", display_name)

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the security descriptor of the service control manager itself.

        Args:
            parts: the parts to read. The SACL needs further rights.

        Raises:
            AccessDeniedError: a right is not granted.

        Right: ``ManagerAccess.READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the
        privilege ``SeSecurityPrivilege``. Windows call: ``QueryServiceObjectSecurity``.
        """
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import rights_to_read

        info = SecurityInformation(check_dword(parts, "parts"))
        right = ManagerAccess(int(rights_to_read(info)))  # the same bits for all kinds of objects
        method = self.backend.query_service_object_security
        return SecurityDescriptor.from_bytes(self._connection.call(right, method, int(info)))

    def set_security(
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
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import parts_to_write, rights_to_write

        info = SecurityInformation(check_dword(parts, "parts"))
        content = parts_to_write(SecurityDescriptor.coerce(descriptor), info)
        right = ManagerAccess(int(rights_to_write(info)))  # the same bits for all kinds of objects
        method = self.backend.set_service_object_security
        self._connection.call(right, method, int(info), content)
        log_change(None, self.machine, "security was changed")

    def lock_status(self) -> LockStatus:
        """Query the owner of the lock of the service database.

        The lock has no effect since Windows Vista, but older programs may still take it.

        Raises:
            UnsupportedError: this system does not implement the call.
            AccessDeniedError: the right is not granted.

        Right: ``ManagerAccess.QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
        """
        method = self.backend.query_service_lock_status
        row = self._connection.call(ManagerAccess.QUERY_LOCK_STATUS, method)
        owner = (row.lock_owner or "") if row.is_locked else None
        return LockStatus(owner, timedelta(seconds=row.lock_duration))

    def notify_boot_config_status(self, acceptable: bool) -> None:
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
        self._connection.check_open()
        if self.machine is not None:
            raise UnsupportedError(
                ErrorCode.NOT_SUPPORTED,
                "NotifyBootConfigStatus",
                "Windows supports this call for the local machine only",
                machine=self.machine,
            )
        check_type(acceptable, bool, "acceptable")
        logged((None, None), self.backend.notify_boot_config_status, acceptable)
        log_change(None, None, f"the boot configuration was reported as acceptable={acceptable}")


def _filter_for(states: frozenset[State]) -> StateFilter:
    """Return the narrowest of the system's filters that includes the states."""
    state_filter = StateFilter(0)
    if State.STOPPED in states:
        state_filter |= StateFilter.INACTIVE
    if states - {State.STOPPED}:
        state_filter |= StateFilter.ACTIVE
    return state_filter


def _check_cancel(cancel: CancelToken | None) -> None:
    if cancel is not None:
        from winsvc._scm.waiting import CancelToken

        check_type(cancel, CancelToken, "cancel")


def _matching(infos: Iterable[ServiceInfo], pattern: str) -> Iterator[ServiceInfo]:
    import fnmatch
    import re

    from winsvc._util.text import check_text, name_key

    match = re.compile(fnmatch.translate(name_key(check_text(pattern, "name")))).match
    return (info for info in infos if match(name_key(info.name)))


publish(__name__)
