"""The service control manager: find services, open them, make new ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from types import TracebackType

from winsvc.backend import Backend, default_backend
from winsvc.enums import (
    ErrorControl,
    ManagerAccess,
    ServiceAccess,
    ServiceType,
    StartType,
    State,
    StateFilter,
)
from winsvc.errors import DatabaseNotFoundError, InvalidNameError, ServiceError
from winsvc.grants import Grants
from winsvc.handles import ManagerHandle, ServiceHandle
from winsvc.models import ServiceInfo, ServiceStatus
from winsvc.service import Service

__all__ = ["ServiceManager"]

_READING = ManagerAccess.CONNECT | ManagerAccess.ENUMERATE_SERVICE


class ServiceManager:
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
        backend: Backend | None = None,
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
        self.machine = machine or None
        self.database = database
        self._backend = backend if backend is not None else default_backend()
        grants = Grants(self._connect, fixed=access is not None, machine=self.machine)
        if access is None:
            self._grants = grants.open(_READING, ManagerAccess.CONNECT)
        else:
            self._grants = grants.open(ManagerAccess(access))

    def _connect(self, access: ManagerAccess) -> ManagerHandle:
        try:
            value = self._backend.open_sc_manager(self.machine, self.database, access)
        except InvalidNameError as error:
            # 1065 is only for the name "ServicesFailed"; every other wrong one gives 123.
            raise DatabaseNotFoundError(
                error.winerror,
                error.function,
                f"there is no service database {self.database!r}",
                machine=self.machine,
                hint='Leave database out: "ServicesActive" is the only one.',
            ) from error
        what = f"the service manager on {self.machine or 'this machine'}"
        return ManagerHandle(value, self._backend.close_service_handle, what)

    def __enter__(self) -> ServiceManager:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; services that were opened through it stay open.

        Windows call: ``CloseServiceHandle``.
        """
        self._grants.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._grants.closed

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
            AccessDeniedError: ``ManagerAccess.ENUMERATE_SERVICE`` is missing.
            InvalidArgumentError: ``type`` or ``state`` selects nothing.

        Windows call: ``EnumServicesStatusExW``.
        """
        states: frozenset[State] | None = None
        if isinstance(state, StateFilter):
            asked = state
        else:
            states = frozenset((state,) if isinstance(state, State) else state)
            asked = _filter_for(states)
        return self._pages(ServiceType(type), asked, states, group)

    def _pages(
        self,
        kind: ServiceType,
        asked: StateFilter,
        states: frozenset[State] | None,
        group: str | None,
    ) -> Iterator[ServiceInfo]:
        resume = 0
        while True:
            rows, resume = self._grants.call(
                ManagerAccess.ENUMERATE_SERVICE,
                self._backend.enum_services_status_ex,
                int(kind),
                int(asked),
                group,
                resume,
            )
            for name, display_name, status in rows:
                if states is None or status.current_state in states:
                    # Windows always gives a display name; Wine gives NULL for "same as the name".
                    yield ServiceInfo(name, display_name or name, ServiceStatus.from_row(status))
            if not resume:
                return

    def open(self, name: str, *, access: ServiceAccess | None = None) -> Service:
        """Open a service by its key name (upper and lower case are alike).

        Without ``access`` it is opened for reading, and again with more rights when an operation
        needs them; with ``access`` it has exactly those rights.

        Raises:
            ServiceNotFoundError: there is no such service; a display name does not open one.
            InvalidNameError: the name is empty or has a slash in it.
            AccessDeniedError: the service does not grant the rights asked for.

        Right: ``ManagerAccess.CONNECT``. Windows call: ``OpenServiceW``.
        """
        grants = self._service_grants(name, fixed=access is not None)
        if access is None:
            reading = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
            grants.open(reading, ServiceAccess.QUERY_STATUS, ServiceAccess.QUERY_CONFIG)
        else:
            grants.open(ServiceAccess(access))
        return Service(name, grants, self._backend)

    def _service_grants(self, name: str, *, fixed: bool = False) -> Grants[ServiceAccess]:
        def opener(access: ServiceAccess) -> ServiceHandle:
            value = self._grants.call(
                ManagerAccess.CONNECT, self._backend.open_service, name, int(access)
            )
            return self._service_handle(name, value)

        return Grants(opener, fixed=fixed, service=name, machine=self.machine)

    def _service_handle(self, name: str, value: int) -> ServiceHandle:
        return ServiceHandle(value, self._backend.close_service_handle, f"service {name!r}")

    def create(
        self,
        name: str,
        binary_path: str,
        *,
        display_name: str | None = None,
        service_type: ServiceType = ServiceType.OWN_PROCESS,
        start_type: StartType = StartType.MANUAL,
        error_control: ErrorControl = ErrorControl.NORMAL,
        load_order_group: str | None = None,
        dependencies: Iterable[str] = (),
        account: str | None = None,
        password: str | None = None,
    ) -> Service:
        """Install a service, and return it open with all rights.

        Raises:
            ServiceExistsError: a service has this key name, or (before Windows 10 1709) this
                display name.
            MarkedForDeleteError: an earlier service of this name is not quite gone yet.
            InvalidNameError: the name is empty, too long or has a slash in it.
            InvalidArgumentError: two of the arguments don't go together.
            AccessDeniedError: ``ManagerAccess.CREATE_SERVICE`` is missing.

        Windows call: ``CreateServiceW``.
        """
        every = ServiceAccess.ALL_ACCESS
        try:
            value, _ = self._grants.call(
                ManagerAccess.CREATE_SERVICE,
                self._backend.create_service,
                name,
                display_name,
                int(every),
                int(service_type),
                int(start_type),
                int(error_control),
                binary_path,
                load_order_group,
                False,
                list(dependencies) or None,
                account,
                password,
            )
        except ServiceError as error:
            error.locate(service=name)
            raise
        grants = self._service_grants(name).adopt(every, self._service_handle(name, value))
        return Service(name, grants, self._backend)


def _filter_for(states: frozenset[State]) -> StateFilter:
    """The narrowest of the system's filters that lets the states through."""
    asked = StateFilter(0)
    if State.STOPPED in states:
        asked |= StateFilter.INACTIVE
    if states - {State.STOPPED}:
        asked |= StateFilter.ACTIVE
    return asked
