"""A connection to the service control manager of one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from winsvc._scm.call_log import log_rights, logged, target_text
from winsvc._scm.handle_pool import HandlePool
from winsvc._scm.handles import ManagerHandle, ServiceHandle
from winsvc._values.status import ServiceInfo
from winsvc.backend import Capabilities, ServiceBackend
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess, ServiceType, State, StateFilter
from winsvc.errors import (
    DatabaseNotFoundError,
    GroupNotFoundError,
    InvalidNameError,
    ServiceNotFoundError,
    WaitCancelledError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc._scm.waiting import CancelToken

__all__ = ["Connection"]

_READ = ManagerAccess.CONNECT | ManagerAccess.ENUMERATE_SERVICE


class Connection(HandlePool[ManagerAccess]):
    """The machine, the database, the backend, and the manager's handles.

    The manager, its services, bulk queries, watches and cascades share it.

    Attributes:
        database: the name of the service database; None for the active one.
    """

    def __init__(
        self,
        machine: str | None,
        database: str | None,
        backend: ServiceBackend,
        access: ManagerAccess | None = None,
    ) -> None:
        """Connect with exactly the rights in ``access``, or else with the right to list services.

        If listing is not granted, the connection has the right to connect only.
        """
        super().__init__(backend, machine or None, fixed=access is not None)
        self.database = database
        if access is None:
            self.open(_READ, ManagerAccess.CONNECT)
        else:
            self.open(access)

    @property
    def capabilities(self) -> Capabilities:
        """The abilities of the backend for this machine."""
        return self.backend.capabilities(self.machine)

    def reconnect(self, access: ManagerAccess | None = None) -> Connection:
        """Open another connection to the same database of the same machine."""
        return Connection(self.machine, self.database, self.backend, access)

    def _open_handle(self, access: ManagerAccess) -> ManagerHandle:
        try:
            value = logged(
                (None, self.machine),
                self.backend.open_sc_manager,
                self.machine,
                self.database,
                access,
            )
        except InvalidNameError as error:
            if self.database is None:
                raise
            # 1065 is only for the name "ServicesFailed"; every other wrong one gives 123.
            raise DatabaseNotFoundError(
                error.winerror,
                error.function,
                f"there is no service database {self.database!r}",
                machine=self.machine,
                hint='Leave database out: "ServicesActive" is the only one.',
            ) from error
        log_rights(None, self.machine, access)
        what = f"the service manager on {self.machine or 'this machine'}"
        return ManagerHandle(value, self._closer(None), what)

    def open_service_handle(self, name: str, access: ServiceAccess) -> ServiceHandle:
        """Open a service, also when this connection is closed: a service outlives its manager."""
        if self.closed:
            with self.reconnect(ManagerAccess.CONNECT) as other:
                return other.open_service_handle(name, access)
        # Not call(): a missing right is one to the service, not to the manager.
        with self.handle_with(ManagerAccess.CONNECT) as manager:
            open_service = self.backend.open_service
            value = logged((name, self.machine), open_service, manager, name, int(access))
        log_rights(name, self.machine, access)
        return self.service_handle(name, value)

    def check_cancelled(self, cancel: CancelToken | None) -> None:
        """Raise WaitCancelledError if a listing was cancelled."""
        if cancel is not None and cancel.cancelled:
            text = "the listing was cancelled"
            raise WaitCancelledError(ErrorCode.CANCELLED, "", text, machine=self.machine)

    def translate_name(self, method: str, name: str) -> str:
        """Query a key name or a display name by the other one."""
        try:
            return str(self.call(ManagerAccess.CONNECT, getattr(self.backend, method), name))
        except Win32Error as error:
            error.add_context(object_name=name)
            raise

    def service_handle(self, name: str, value: int) -> ServiceHandle:
        """Return an owned handle with the value of an open one."""
        return ServiceHandle(value, self._closer(name), name, self.machine)

    def _closer(self, name: str | None) -> Callable[[int], None]:
        # Not a reference to this object: that would be a cycle, and delay the warning of a leak.
        target, close = target_text(name, self.machine), self.backend.close_service_handle
        return lambda value: logged(target, close, value)

    def pages(
        self,
        service_type: ServiceType,
        state_filter: StateFilter = StateFilter.ALL,
        states: frozenset[State] | None = None,
        group: str | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[Iterable[ServiceInfo]]:
        """List services page by page.

        Args:
            service_type: the kinds of services to list.
            state_filter: the system's own filter.
            states: only services in these states; None for all that the system returns.
            group: only services of this load-order group; None for all.
            cancel: ends the listing from another thread.

        Raises:
            WaitCancelledError: the listing was cancelled.
        """
        resume = 0
        while True:
            self.check_cancelled(cancel)
            try:
                rows, resume = self.call(
                    ManagerAccess.ENUMERATE_SERVICE,
                    self.backend.enum_services_status_ex,
                    int(service_type),
                    int(state_filter),
                    group,
                    resume,
                )
            except ServiceNotFoundError as error:
                raise GroupNotFoundError(
                    error.winerror,
                    error.function,
                    f"load-order group {group!r} does not exist",
                    machine=self.machine,
                ) from None
            found = ServiceInfo.from_rows(rows)
            yield found if states is None else [i for i in found if i.status.state in states]
            if not resume:
                return
