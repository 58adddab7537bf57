"""Questions to all services of a listing: what one does not answer is beside what the others do.

Most of the time of a call is the way to the service control manager and back, so several services
are asked at a time: a few on the own machine, more on another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from winsvc._util.checks import check_type
from winsvc._values.config import ServiceConfig
from winsvc._values.status import ServiceInfo
from winsvc.backend import Backend, BulkBackend
from winsvc.enums import ServiceAccess
from winsvc.errors import (
    AccessDeniedError,
    ArgumentError,
    HandleClosedError,
    MachineUnreachableError,
    ServiceError,
    ServiceNotFoundError,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from winsvc._scm.manager import ServiceManager
    from winsvc._values.snapshot import ServiceSnapshot

__all__ = ["configs", "snapshots"]

R = TypeVar("R")

_HERE = 4  # at a time, where nothing else is said: more gain little
_THERE = 16
_MOST_AT_A_TIME = 256
_BATCH = 32  # the most services that are asked in one go


def check_concurrency(concurrency: int | None, machine: str | None, backend: Backend) -> int:
    """How many services to ask at a time.

    Where it was not said, a simulated system is asked for one after the other: its log of calls is
    the same each time then.

    Raises:
        TypeError: it is no int.
        ArgumentError: it is less than 1, or more than makes sense.
    """
    if concurrency is None:
        if not isinstance(backend, BulkBackend):
            return 1
        return _HERE if machine is None else _THERE
    check_type(concurrency, int, "concurrency")
    if not 1 <= concurrency <= _MOST_AT_A_TIME:
        raise ArgumentError("concurrency", f"{concurrency} is not from 1 to {_MOST_AT_A_TIME}")
    return concurrency


def configs(
    scm: ServiceManager, infos: Iterable[ServiceInfo], concurrency: int
) -> Iterator[tuple[ServiceInfo, ServiceConfig | ServiceError]]:
    """Each service with its configuration, or why that could not be read."""

    def ask(info: ServiceInfo) -> tuple[ServiceInfo, ServiceConfig | ServiceError] | None:
        try:
            with scm.open(info.name, access=ServiceAccess.QUERY_CONFIG) as service:
                return info, service.config()
        except (MachineUnreachableError, HandleClosedError):
            raise  # nor will the others answer
        except ServiceNotFoundError:
            return None  # deleted meanwhile
        except ServiceError as error:
            return info, error

    def ask_all(
        batch: Sequence[ServiceInfo],
    ) -> Iterable[tuple[ServiceInfo, ServiceConfig | ServiceError] | None]:
        rows = scm._config_rows([info.name for info in batch])
        return [
            ask(info) if row is None else (info, ServiceConfig.from_row(row, info.name))
            for info, row in zip(batch, rows, strict=True)
        ]

    return _in_order(ask_all, infos, concurrency)


def snapshots(
    scm: ServiceManager, infos: Iterable[ServiceInfo], concurrency: int
) -> Iterator[ServiceSnapshot]:
    """Each service with everything that it tells, with errors beside what could be read."""
    from winsvc._values.snapshot import EVERYTHING, unreadable

    def ask(info: ServiceInfo) -> ServiceSnapshot | None:
        try:
            try:
                # One handle for all; by itself a service would be opened again for the rest.
                service = scm.open(info.name, access=EVERYTHING)
            except AccessDeniedError:
                service = scm.open(info.name)
            with service:
                snapshot = service.snapshot()
        except (MachineUnreachableError, HandleClosedError):
            raise
        except ServiceError as error:
            snapshot = unreadable(info.name, scm.machine, info.status, error)
        gone = any(isinstance(error, ServiceNotFoundError) for error in snapshot.errors.values())
        return None if gone and not scm.exists(info.name) else snapshot

    return _in_order(lambda batch: map(ask, batch), infos, concurrency, largest=1)


def _in_order(
    ask: Callable[[Sequence[ServiceInfo]], Iterable[R | None]],
    infos: Iterable[ServiceInfo],
    concurrency: int,
    largest: int = _BATCH,
) -> Iterator[R]:
    """The answers in the listing's order; not many more are asked for than are taken."""
    found = list(infos)  # whole: while the services are asked, pages might shift
    # Small enough that all have something to do, and to the end.
    size = max(1, min(largest, len(found) // (4 * concurrency)))
    batches = deque(found[start : start + size] for start in range(0, len(found), size))
    if concurrency == 1 or len(batches) < 2:
        for batch in batches:
            yield from (answer for answer in ask(batch) if answer is not None)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="winsvc-bulk")
    under_way: deque[Future[list[R | None]]] = deque()
    try:
        while batches or under_way:
            while batches and len(under_way) < 2 * concurrency:
                under_way.append(pool.submit(lambda batch: list(ask(batch)), batches.popleft()))
            for answer in under_way.popleft().result():
                if answer is not None:
                    yield answer
    finally:
        # Also when nobody wants the rest: no thread is left, and no handle.
        pool.shutdown(cancel_futures=True)
