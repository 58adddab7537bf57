"""The service control manager: find services, open them, make new ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Unpack

from winsvc._scm.connection import Connection
from winsvc._scm.handle_pool import ScmObject
from winsvc._scm.open_service import OpenService
from winsvc._scm.service import Service
from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration
from winsvc._util.text import same_name
from winsvc._values.names import check_service_name
from winsvc._values.status import LockStatus, ServiceInfo
from winsvc.backend import ServiceBackend, resolve_backend
from winsvc.enums import (
    ErrorCode,
    ManagerAccess,
    ServiceAccess,
    ServiceType,
    State,
    StateFilter,
)
from winsvc.errors import (
    ArgumentError,
    InvalidNameError,
    ServiceError,
    ServiceNotFoundError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken
    from winsvc._scm.watching import Watch
    from winsvc._values.config import ServiceConfig
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.settings import CreateKeywords, ServiceSpec
    from winsvc._values.snapshot import ServiceSnapshot

__all__ = ["ServiceManager"]

_READING = ManagerAccess.CONNECT | ManagerAccess.ENUMERATE_SERVICE
_READING_SERVICE = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG


class ServiceManager(ScmObject[ManagerAccess]):
    """A connection to the service control manager of one machine.

    Use it as a context manager, or call :meth:`close`::

        with ServiceManager() as scm:
            for info in scm.services(state=State.RUNNING):
                print(info.name, info.status.pid)

    It connects with the rights to open and to list services, or, where listing is not granted,
    with the right to connect alone; an operation that needs another right asks for it when it is
    called. With ``access`` it has exactly those rights.

    May be shared between threads.
    """

    def __init__(
        self,
        machine: str | None = None,
        *,
        database: str | None = None,
        access: ManagerAccess | None = None,
        backend: ServiceBackend | None = None,
    ) -> None:
        """Connect.

        Args:
            machine: name or address of the machine; None or "" is this one.
            database: None is the active one, "ServicesActive", which is the only one in use.
            access: the exact rights of the connection.
            backend: what carries out the calls; None is the system's own.

        Raises:
            MachineUnreachableError: the machine does not answer.
            DatabaseNotFoundError: there is no such database.
            AccessDeniedError: ``ManagerAccess.CONNECT`` (or a right in ``access``) is missing.
            UnsupportedError: this is not Windows, and no backend was given.

        Windows call: ``OpenSCManagerW``.
        """
        rights = None if access is None else ManagerAccess(check_dword(access, "access"))
        self._connection = Connection(machine, database, resolve_backend(backend), rights)
        super().__init__(self._connection)
        self.database = database

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<ServiceManager of {self.machine or 'this machine'}: {state}>"

    def services(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
    ) -> Iterator[ServiceInfo]:
        """List services with where they stand, in the system's order.

        Args:
            type: the kinds to list, such as ``ServiceType.DRIVER`` or ``ServiceType.ALL``.
            state: one state, several, or the system's own filter (active is all but stopped).
            group: only this load-order group; "" only those without one; None all.

        Returns:
            An iterator; the system is asked page by page as it is used.

        Raises:
            ServiceNotFoundError: no such group.
            InvalidArgumentError: ``type`` or ``state`` selects nothing.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        states: frozenset[State] | None = None
        if isinstance(state, StateFilter):
            asked = state
        else:
            states = frozenset((state,) if isinstance(state, State) else state)
            for item in states:
                check_type(item, State, "state")
            asked = _filter_for(states)
        kind = ServiceType(check_dword(type, "type"))
        return chain.from_iterable(self._connection.pages(kind, asked, states, group))

    def configs(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> Iterator[tuple[ServiceInfo, ServiceConfig | ServiceError]]:
        """List services, each with how it is set up, or with the error that kept it from telling.

        ::

            for info, config in scm.configs():
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
            An iterator, in the system's order; services are asked as it is used.

        Raises:
            ServiceNotFoundError: no such group.
            MachineUnreachableError: the machine no longer answers.
            ArgumentError: ``concurrency`` can't be.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and ``ServiceAccess.QUERY_CONFIG`` to each.
        Windows calls: ``EnumServicesStatusExW``, and for each ``OpenServiceW``,
        ``QueryServiceConfigW`` and ``CloseServiceHandle``.
        """
        from winsvc._scm.bulk import check_concurrency, configs

        at_a_time = check_concurrency(self._connection, concurrency)
        infos = self.services(type=type, state=state, group=group)
        return configs(self._connection, infos, at_a_time)

    def snapshots(
        self,
        *,
        type: ServiceType = ServiceType.WIN32,
        state: State | StateFilter | Collection[State] = StateFilter.ALL,
        group: str | None = None,
        concurrency: int | None = None,
    ) -> Iterator[ServiceSnapshot]:
        """List services with everything that each tells; for what can't be read, with the error.

        A service that is deleted meanwhile is left out.

        Args:
            type: as for :meth:`services`.
            state: as for :meth:`services`.
            group: as for :meth:`services`.
            concurrency: as for :meth:`configs`.

        Returns:
            An iterator, in the system's order; services are asked as it is used.

        Raises:
            ServiceNotFoundError: no such group.
            MachineUnreachableError: the machine no longer answers.
            ArgumentError: ``concurrency`` can't be.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``, and to each those of :meth:`Service.snapshot`.
        Windows calls: ``EnumServicesStatusExW``, and those of :meth:`Service.snapshot`, on one
        handle for each.
        """
        from winsvc._scm.bulk import check_concurrency, snapshots

        at_a_time = check_concurrency(self._connection, concurrency)
        infos = self.services(type=type, state=state, group=group)
        return snapshots(self._connection, infos, at_a_time)

    def open(self, name: str, *, access: ServiceAccess | None = None) -> Service:
        """Open a service by its key name (upper and lower case are alike).

        Without ``access`` it is opened for reading, as far as that is granted, and again with
        other rights when an operation needs them; with ``access`` it has exactly those rights.

        Raises:
            ServiceNotFoundError: there is no such service; a display name does not open one.
            InvalidNameError: the name is empty or has a slash in it.
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
        want_tag: bool = False,
        unquoted: bool = False,
        **settings: Unpack[CreateKeywords],
    ) -> Service:
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
        # Security, triggers and accounts are not loaded for what only reads.
        from winsvc._scm.apply_settings import apply
        from winsvc._values.changes import creation_for
        from winsvc._values.settings import ServiceSpec, hide_password

        hide_password(settings)
        if isinstance(spec, str):
            spec = ServiceSpec(name=spec, binary_path=binary_path or "", **settings)
        elif binary_path is not None or settings:
            raise TypeError("create() takes a ServiceSpec, or a name and settings, not both")
        check_type(spec, ServiceSpec, "spec")
        try:
            check_service_name(spec.name)
        except ArgumentError as error:
            # What Windows answers to most of them; Wine takes some.
            raise InvalidNameError(
                ErrorCode.INVALID_NAME, "CreateServiceW", error.reason, service=spec.name
            ) from None
        connection, every = self._connection, ServiceAccess.ALL_ACCESS
        arguments, changes = creation_for(spec, every, want_tag=want_tag, unquoted=unquoted)
        create = connection.backend.create_service
        try:
            value, _ = connection.call(ManagerAccess.CREATE_SERVICE, create, *arguments)
        except ServiceError as error:
            error.locate(service=spec.name)
            raise
        opened = OpenService(connection, spec.name)
        opened.add_handle(every, connection.service_handle(spec.name, value))
        service = Service(opened)
        try:
            apply(changes, opened)
        except BaseException as error:
            try:
                with service:
                    service.delete()
            except ServiceError:
                if isinstance(error, ServiceError):
                    error.hint = f"{error.hint or ''} The new service could not be deleted.".strip()
            raise
        return service

    def delete(
        self, name: str, *, timeout: Duration | None = None, cancel: CancelToken | None = None
    ) -> None:
        """Delete a service; see :meth:`Service.delete`.

        Right: ``ServiceAccess.DELETE``. Windows calls: ``OpenServiceW``, ``DeleteService``.
        """
        with self.open(name, access=ServiceAccess.DELETE) as service:
            service.delete(timeout=timeout, cancel=cancel)

    def exists(self, name: str) -> bool:
        """Whether a service of this key name is installed, whatever may be done with it.

        Raises:
            InvalidNameError: no service can have this name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """
        self._connection.check_open()
        return OpenService(self._connection, name).exists(ServiceAccess.QUERY_STATUS)

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self.exists(name)
        except InvalidNameError:
            return False

    def get(self, name: str) -> ServiceInfo:
        """One service as it would be listed, without leaving it open.

        Raises:
            ServiceNotFoundError: there is no such service.

        Right: ``ServiceAccess.QUERY_STATUS``.
        Windows calls: ``OpenServiceW``, ``QueryServiceStatusEx``, ``GetServiceDisplayNameW``, and
        ``GetServiceKeyNameW`` for upper and lower case as they are stored.
        """
        with self.open(name, access=ServiceAccess.QUERY_STATUS) as service:
            status = service.status()
        display_name = self.display_name(name)
        try:
            stored = self.key_name(display_name) if display_name else name
        except ServiceNotFoundError:
            stored = name  # Windows 7 does not find localized display names
        # Two services may have one display name.
        name = stored if same_name(stored, name) else name
        return ServiceInfo(name, display_name or name, status)

    def by_pid(self, pid: int) -> list[ServiceInfo]:
        """The services that a process runs; none for a process that runs none.

        Raises:
            ArgumentError: ``pid`` is no process's id.

        Right: ``ManagerAccess.ENUMERATE_SERVICE``. Windows call: ``EnumServicesStatusExW``.
        """
        if not check_dword(pid, "pid"):
            raise ArgumentError("pid", "0 is no process that runs services")
        return [info for info in self.services(state=StateFilter.ACTIVE) if info.status.pid == pid]

    def graph(
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
        from winsvc._scm.bulk import read_graph

        service_type = ServiceType(check_dword(type, "type"))
        return read_graph(self._connection, service_type, concurrency)

    def watch(
        self, *names: str, type: ServiceType = ServiceType.WIN32, interval: Duration = 1
    ) -> Watch:
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
        from winsvc._scm.watching import Watch

        self._connection.check_open()
        for index, name in enumerate(names):
            check_type(name, str, f"names[{index}]")
        service_type = ServiceType(check_dword(type, "type"))
        return Watch(self._connection, names, service_type, interval)

    def display_name(self, name: str) -> str:
        """The display name of the service with this key name.

        Raises:
            ServiceNotFoundError: there is no such service.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceDisplayNameW``.
        """
        return self._named(self._connection.backend.get_service_display_name, name)

    def key_name(self, display_name: str) -> str:
        """The key name of the service with this display name.

        Raises:
            ServiceNotFoundError: no service has this display name.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``GetServiceKeyNameW``.
        """
        return self._named(self._connection.backend.get_service_key_name, display_name)

    def _named(self, question: Callable[[int, str], str], name: str) -> str:
        try:
            return self._connection.call(ManagerAccess.CONNECT, question, name)
        except ServiceError as error:
            error.locate(service=name)
            raise

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the service database for the length of a ``with`` block.

        Since Windows Vista the lock only shows in :meth:`lock_status`: it keeps nobody from
        starting services.

        Raises:
            DatabaseLockedError: somebody else holds it.

        Right: ``ManagerAccess.LOCK``.
        Windows calls: ``LockServiceDatabase``, ``UnlockServiceDatabase``.
        """
        backend = self._connection.backend
        lock = self._connection.call(ManagerAccess.LOCK, backend.lock_service_database)
        try:
            yield
        except BaseException:
            try:
                backend.unlock_service_database(lock)
            except ServiceError:
                pass  # the first error is what counts
            raise
        backend.unlock_service_database(lock)

    def lock_status(self) -> LockStatus:
        """Who holds the lock of the service database.

        Raises:
            UnsupportedError: this system does not tell.

        Right: ``ManagerAccess.QUERY_LOCK_STATUS``. Windows call: ``QueryServiceLockStatusW``.
        """
        row = self._connection.call(
            ManagerAccess.QUERY_LOCK_STATUS, self._connection.backend.query_service_lock_status
        )
        owner = (row.lock_owner or "") if row.is_locked else None
        return LockStatus(owner, timedelta(seconds=row.lock_duration))

    def notify_boot_config_status(self, acceptable: bool) -> None:
        """Tell whether the configuration that this machine started with is good.

        True makes it the last known good one; False restarts the machine with that one at once.

        Raises:
            ServiceError: it was told before (1076), or the last known good one is running (1074).

        Right: the caller must be LocalSystem or an administrator.
        Windows call: ``NotifyBootConfigStatus``, which is for this machine alone.
        """
        self._connection.check_open()
        if self.machine is not None:
            raise UnsupportedError(
                ErrorCode.NOT_SUPPORTED,
                "NotifyBootConfigStatus",
                "Windows takes this for the own machine alone",
                machine=self.machine,
            )
        check_type(acceptable, bool, "acceptable")
        self._connection.backend.notify_boot_config_status(acceptable)


def _filter_for(states: frozenset[State]) -> StateFilter:
    """The narrowest of the system's filters that lets the states through."""
    asked = StateFilter(0)
    if State.STOPPED in states:
        asked |= StateFilter.INACTIVE
    if states - {State.STOPPED}:
        asked |= StateFilter.ACTIVE
    return asked
