"""Questions to all services of a listing: what one does not answer is beside what the others do.

To another machine a call is a round trip, and most of its time is the way: there several services
are asked at a time. On the own machine that gains nothing, and they are asked one after the other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from winsvc.checks import check_type
from winsvc.enums import ServiceAccess
from winsvc.errors import (
    AccessDeniedError,
    ArgumentError,
    MachineUnreachableError,
    ServiceError,
    ServiceNotFoundError,
)
from winsvc.models import ServiceConfig, ServiceInfo

if TYPE_CHECKING:
    from concurrent.futures import Future

    from winsvc.manager import ServiceManager
    from winsvc.snapshot import ServiceSnapshot

__all__ = ["configs", "snapshots"]

R = TypeVar("R")

_AT_A_TIME = 16  # to another machine, where nothing else is said
_MOST_AT_A_TIME = 256


def check_concurrency(concurrency: int | None, machine: str | None) -> int:
    """How many services to ask at a time.

    Raises:
        TypeError: it is no int.
        ArgumentError: it is less than 1, or more than makes sense.
    """
    if concurrency is None:
        return 1 if machine is None else _AT_A_TIME
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
        except MachineUnreachableError:
            raise  # the others won't answer either
        except ServiceNotFoundError:
            return None  # deleted meanwhile
        except ServiceError as error:
            return info, error

    return _in_order(ask, infos, concurrency)


def snapshots(
    scm: ServiceManager, infos: Iterable[ServiceInfo], concurrency: int
) -> Iterator[ServiceSnapshot]:
    """Each service with everything that it tells, with errors beside what could be read."""
    from winsvc.snapshot import EVERYTHING, unreadable

    def ask(info: ServiceInfo) -> ServiceSnapshot | None:
        try:
            try:
                # One handle for all; by itself a service would be opened again for the rest.
                service = scm.open(info.name, access=EVERYTHING)
            except AccessDeniedError:
                service = scm.open(info.name)
            with service:
                snapshot = service.snapshot()
        except MachineUnreachableError:
            raise
        except ServiceError as error:
            snapshot = unreadable(info.name, scm.machine, info.status, error)
        gone = any(isinstance(error, ServiceNotFoundError) for error in snapshot.errors.values())
        return None if gone and not scm.exists(info.name) else snapshot

    return _in_order(ask, infos, concurrency)


def _in_order(
    ask: Callable[[ServiceInfo], R | None], infos: Iterable[ServiceInfo], concurrency: int
) -> Iterator[R]:
    """The answers in the listing's order; no more are asked for than are about to be taken."""
    left = deque(infos)  # whole: while the services are asked, pages might shift
    if concurrency == 1:
        yield from (answer for answer in map(ask, left) if answer is not None)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="winsvc-bulk")
    under_way: deque[Future[R | None]] = deque()
    try:
        while left or under_way:
            while left and len(under_way) < 2 * concurrency:
                under_way.append(pool.submit(ask, left.popleft()))
            answer = under_way.popleft().result()
            if answer is not None:
                yield answer
    finally:
        # Also when nobody wants the rest: no thread is left, and no handle.
        pool.shutdown(cancel_futures=True)
