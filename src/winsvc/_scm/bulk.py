"""Queries of many services: snapshots, configurations and the dependency graph of a machine.

The time of a call is mostly the round trip to the service control manager, so several services are
queried at a time. A failure is returned next to the other results.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from winsvc._scm.connection import Connection
from winsvc._scm.open_service import OpenService
from winsvc._util.checks import check_type
from winsvc._values.config import ServiceConfig
from winsvc._values.status import ServiceInfo
from winsvc.enums import OWNER_GROUP_DACL, ErrorCode, ManagerAccess, ServiceAccess, ServiceType
from winsvc.errors import (
    AccessDeniedError,
    HandleClosedError,
    MachineUnreachableError,
    ServiceNotFoundError,
    ValidationError,
    Win32Error,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from winsvc._scm.waiting import CancelToken
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.snapshot import ServiceSnapshot

__all__ = ["check_concurrency", "configs", "read_graph", "snapshots", "take_snapshot"]

R = TypeVar("R")
T = TypeVar("T")

_MAX_CONCURRENCY: Final = 256
_MAX_BATCH: Final = 32  # services that are queried in one call of the backend


def check_concurrency(connection: Connection, concurrency: int | None) -> int:
    """Return how many services to query at a time; None is what the backend suggests.

    Raises:
        TypeError: ``concurrency`` is not an int.
        ValidationError: ``concurrency`` is out of range.
    """
    if concurrency is None:
        return connection.capabilities.concurrency
    check_type(concurrency, int, "concurrency")
    if not 1 <= concurrency <= _MAX_CONCURRENCY:
        raise ValidationError("concurrency", f"{concurrency} is not from 1 to {_MAX_CONCURRENCY}")
    return concurrency


def configs(
    connection: Connection,
    infos: Iterable[ServiceInfo],
    concurrency: int,
    cancel: CancelToken | None = None,
) -> Iterator[tuple[ServiceInfo, ServiceConfig | Win32Error]]:
    """Yield each service with its configuration, or with the error of reading it."""

    def query(info: ServiceInfo) -> tuple[ServiceInfo, ServiceConfig | Win32Error] | None:
        try:
            with OpenService.of(connection, info.name, ServiceAccess.QUERY_CONFIG) as service:
                return info, service.config()
        except (MachineUnreachableError, HandleClosedError):
            raise  # the other services cannot be read either
        except ServiceNotFoundError:
            return None  # deleted since it was listed
        except Win32Error as error:
            return info, error

    def query_batch(
        batch: Sequence[ServiceInfo],
    ) -> Iterator[tuple[ServiceInfo, ServiceConfig | Win32Error] | None]:
        connection.check_cancelled(cancel)
        names = [info.name for info in batch]
        rows = connection.call(ManagerAccess.CONNECT, connection.backend.query_configs, names)
        for info, row in zip(batch, rows, strict=True):
            if row is None:
                connection.check_cancelled(cancel)
                yield query(info)
            else:
                yield info, ServiceConfig.from_row(row, info.name)

    return _in_order(query_batch, infos, concurrency)


def snapshots(
    connection: Connection,
    infos: Iterable[ServiceInfo],
    concurrency: int,
    cancel: CancelToken | None = None,
) -> Iterator[ServiceSnapshot]:
    """Yield a snapshot of each service; read failures are stored in ``snapshot.errors``."""
    from winsvc._values.snapshot import EVERYTHING, unreadable

    def query(info: ServiceInfo) -> ServiceSnapshot | None:
        connection.check_cancelled(cancel)
        try:
            try:
                # One handle with all rights; otherwise the service would be opened again for some.
                service = OpenService.of(connection, info.name, EVERYTHING)
            except AccessDeniedError:
                service = OpenService.of(connection, info.name)
            with service:
                snapshot = take_snapshot(service)
        except (MachineUnreachableError, HandleClosedError):
            raise
        except Win32Error as error:
            snapshot = unreadable(info.name, connection.machine, info.status, error)
        if any(isinstance(error, ServiceNotFoundError) for error in snapshot.errors.values()):
            connection.check_open()
            if not OpenService(connection, info.name).exists(ServiceAccess.QUERY_STATUS):
                return None  # deleted since it was listed
        return snapshot

    return _in_order(lambda batch: map(query, batch), infos, concurrency, largest=1)


def take_snapshot(service: OpenService) -> ServiceSnapshot:
    """Read all properties of a service; read failures are stored in ``snapshot.errors``."""
    from winsvc._values.snapshot import EVERYTHING, QUERIED, ServiceSnapshot
    from winsvc.security import InvalidSecurityError

    service.check_open()
    service.try_acquire(EVERYTHING)
    errors: dict[str, Win32Error] = {}

    def read(name: str, query: Callable[[], T]) -> T | None:
        try:
            return query()
        except Win32Error as error:
            errors[name] = error
        except InvalidSecurityError as error:
            errors[name] = Win32Error(
                ErrorCode.INVALID_SECURITY_DESCR, "QueryServiceObjectSecurity", str(error)
            )
        return None

    return ServiceSnapshot(
        name=service.name,
        machine=service.machine,
        status=read("status", service.status),
        config=read("config", service.config),
        dependents=read("dependents", lambda: tuple(info.name for info in service.dependents())),
        security=read("security", lambda: service.security(OWNER_GROUP_DACL)),
        **{item.name: read(item.name, partial(service.query_setting, item)) for item in QUERIED},
        errors=errors,
    )


def read_graph(
    connection: Connection,
    service_type: ServiceType,
    concurrency: int | None,
    cancel: CancelToken | None = None,
) -> DependencyGraph:
    """Read each service's configuration once, and return the dependency graph of the machine."""
    from winsvc._values.graph import DependencyGraph
    from winsvc._values.graph_node import ServiceNode

    services: list[ServiceNode] = []
    errors: dict[str, Win32Error] = {}
    at_a_time = check_concurrency(connection, concurrency)
    infos = chain.from_iterable(connection.pages(service_type, cancel=cancel))
    for info, config in configs(connection, infos, at_a_time, cancel):
        name, state = info.name, info.status.state
        if isinstance(config, Win32Error):
            errors[name] = config
            services.append(ServiceNode(name, state=state))
        else:
            group = config.load_order_group
            services.append(ServiceNode(name, config.dependencies, group, state))
    return DependencyGraph(tuple(services), errors)


def _in_order(
    query: Callable[[Sequence[ServiceInfo]], Iterable[R | None]],
    infos: Iterable[ServiceInfo],
    concurrency: int,
    largest: int = _MAX_BATCH,
) -> Iterator[R]:
    """Yield the results in the order of the listing, querying little more than is consumed."""
    found = list(infos)  # complete: pages could shift while the services are queried
    # Small enough to keep all threads busy until the end.
    size = max(1, min(largest, len(found) // (4 * concurrency)))
    batches = deque(found[start : start + size] for start in range(0, len(found), size))
    if concurrency == 1 or len(batches) < 2:
        for batch in batches:
            yield from (result for result in query(batch) if result is not None)
        return
    from concurrent.futures import ThreadPoolExecutor

    ended = False

    def run(batch: Sequence[ServiceInfo]) -> list[R]:
        results = []
        for result in query(batch):
            if ended:
                break
            if result is not None:
                results.append(result)
        return results

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="winsvc-bulk")
    pending: deque[Future[list[R]]] = deque()
    try:
        while batches or pending:
            while batches and len(pending) < 2 * concurrency:
                pending.append(pool.submit(run, batches.popleft()))
            yield from pending.popleft().result()
    finally:
        # If the iteration ends early, the threads end after the queries that are in progress.
        ended = True
        pool.shutdown(cancel_futures=True)
