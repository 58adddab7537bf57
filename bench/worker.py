"""A process that performs the benchmark's jobs with a library.

``python worker.py LIBRARY`` reads lines with a job and its arguments, separated by tabs. It prints
``ok NANOSECONDS ITEMS``, ``error TEXT``, or ``none`` if the library has no function for it. The
processes run alternately, and their start is not measured. ``program.c`` does the same in C.
``python worker.py LIBRARY import`` prints the time to import the library, and to connect with it.

Each library is used as its documentation recommends.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from winsvc import ServiceManager

TIMEOUT = 60

# The levels that the drop-in and pywin32 query in addition to the configuration.
LEVELS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12)
OWNER_GROUP_DACL = 7


class Winsvc:
    """The object API."""

    module = "winsvc"

    def __init__(self) -> None:
        from winsvc import ServiceManager

        self.scm: ServiceManager = ServiceManager()

    def list(self) -> list[Any]:
        return list(self.scm.services())

    def config(self, limit: int) -> int:
        return sum(1 for _ in self.scm.configs())

    def levels(self, limit: int) -> int:
        return sum(1 for _ in self.scm.snapshots())

    def open(self, name: str) -> None:
        with self.scm.open(name) as service:
            service.status()

    def status_query(self, name: str) -> tuple[Callable[[], object], Callable[[], object]]:
        service = self.scm.open(name)
        return service.status, service.close

    def start(self, name: str) -> None:
        with self.scm.open(name) as service:
            service.start(timeout=TIMEOUT)

    def stop(self, name: str) -> None:
        with self.scm.open(name) as service:
            service.stop(timeout=TIMEOUT)

    def waiter(self, name: str) -> Callable[[], object]:
        from winsvc import State

        def wait() -> None:
            with self.scm.open(name) as service:
                service.wait(State.RUNNING, timeout=TIMEOUT)

        return wait

    def begin(self, name: str) -> None:
        with self.scm.open(name) as service:
            service.start(wait=False)


class Pywin32:
    """pywin32's module, and the base of the drop-in."""

    module = "win32service"

    def __init__(self) -> None:
        self.api: Any = importlib.import_module(self.module)
        access = self.api.SC_MANAGER_CONNECT | self.api.SC_MANAGER_ENUMERATE_SERVICE
        self.scm = self.api.OpenSCManager(None, None, access)

    def list(self) -> list[Any]:
        return list(self.api.EnumServicesStatusEx(self.scm))

    def config(self, limit: int) -> int:
        api, count = self.api, 0
        for entry in islice(self.list(), limit):
            service = api.OpenService(self.scm, entry["ServiceName"], api.SERVICE_QUERY_CONFIG)
            api.QueryServiceConfig(service)
            api.CloseServiceHandle(service)
            count += 1
        return count

    def levels(self, limit: int) -> int:
        api, count = self.api, 0
        rights = api.SERVICE_QUERY_CONFIG | api.SERVICE_QUERY_STATUS
        rights |= api.SERVICE_ENUMERATE_DEPENDENTS | 0x20000
        for entry in islice(self.list(), limit):
            service = api.OpenService(self.scm, entry["ServiceName"], rights)
            api.QueryServiceStatusEx(service)
            api.QueryServiceConfig(service)
            queries: list[Callable[[], object]] = [
                lambda: api.EnumDependentServices(service, api.SERVICE_STATE_ALL),  # noqa: B023
                lambda: api.QueryServiceObjectSecurity(service, OWNER_GROUP_DACL),  # noqa: B023
            ]
            for level in LEVELS:
                queries.append(lambda level=level: api.QueryServiceConfig2(service, level))  # type: ignore[misc]  # noqa: B023
            for query in queries:
                try:
                    query()
                except api.error:
                    pass
                except NotImplementedError:
                    pass  # pywin32 does not have every level
            api.CloseServiceHandle(service)
            count += 1
        return count

    def open(self, name: str) -> None:
        api = self.api
        rights = api.SERVICE_QUERY_STATUS | api.SERVICE_QUERY_CONFIG
        service = api.OpenService(self.scm, name, rights)
        api.QueryServiceStatusEx(service)
        api.CloseServiceHandle(service)

    def status_query(self, name: str) -> tuple[Callable[[], object], Callable[[], object]]:
        api = self.api
        service = api.OpenService(self.scm, name, api.SERVICE_QUERY_STATUS)
        query = api.QueryServiceStatusEx
        return lambda: query(service), lambda: api.CloseServiceHandle(service)

    def _util(self) -> Any:
        return importlib.import_module("win32serviceutil")

    def start(self, name: str) -> None:
        util = self._util()
        util.StartService(name)
        util.WaitForServiceStatus(name, self.api.SERVICE_RUNNING, TIMEOUT)

    def stop(self, name: str) -> None:
        util = self._util()
        util.StopService(name)
        util.WaitForServiceStatus(name, self.api.SERVICE_STOPPED, TIMEOUT)

    def waiter(self, name: str) -> Callable[[], object]:
        util = self._util()
        return lambda: util.WaitForServiceStatus(name, self.api.SERVICE_RUNNING, TIMEOUT)

    def begin(self, name: str) -> None:
        self._util().StartService(name)


class DropIn(Pywin32):
    """The drop-in, with pywin32's win32serviceutil for waits."""

    module = "winsvc.win32service"

    def __init__(self) -> None:
        super().__init__()
        sys.modules["win32service"] = self.api


class Psutil:
    """psutil, whose list has no status."""

    module = "psutil"

    def __init__(self) -> None:
        self.api: Any = importlib.import_module("psutil")

    def list(self) -> list[Any]:
        return list(self.api.win_service_iter())

    def config(self, limit: int) -> int:
        return sum(1 for service in islice(self.list(), limit) if service.as_dict())

    def open(self, name: str) -> None:
        self.api.win_service_get(name).status()

    def status_query(self, name: str) -> tuple[Callable[[], object], Callable[[], object]]:
        service = self.api.win_service_get(name)
        return service.status, lambda: None  # status() opens and closes a handle


LIBRARIES: dict[str, Callable[[], Any]] = {
    "winsvc": Winsvc,
    "dropin": DropIn,
    "pywin32": Pywin32,
    "psutil": Psutil,
}


class UnsupportedJobError(Exception):
    """The library has no function for the job."""


def _measure(work: Callable[[], object], times: int = 1) -> int:
    took = 0
    for _ in range(times):
        begun = time.perf_counter_ns()
        result = work()
        took += time.perf_counter_ns() - begun
        del result  # releasing the result is not measured
    return took


def _many_waits(library: Any, name: str, count: int) -> int:
    """Measure the time from a service's start until a number of waiting threads return."""
    wait = library.waiter(name)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            wait()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)  # until all of them wait
    begun = time.perf_counter_ns()
    library.begin(name)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter_ns() - begun


def _memory(library: Any) -> tuple[int, int]:
    """Measure the bytes of a whole listing, by Python's count of allocated memory."""
    library.list()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = library.list()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used, len(kept)


def perform(library: Any, job: str, name: str, number: int) -> tuple[int, int]:
    """Perform a job; return the nanoseconds and the number of items."""
    if not hasattr(
        library, {"status": "status_query", "waits": "waiter", "memory": "list"}.get(job, job)
    ):
        raise UnsupportedJobError(job)
    if job == "list":
        count = len(library.list())
        return _measure(library.list, number), count
    if job in ("config", "levels"):
        begun = time.perf_counter_ns()
        count = getattr(library, job)(number)
        return time.perf_counter_ns() - begun, count
    if job == "open":
        return _measure(lambda: library.open(name), number), number
    if job == "status":
        query, close = library.status_query(name)
        try:
            return _measure(query, number), number
        finally:
            close()
    if job in ("start", "stop"):
        return _measure(lambda: getattr(library, job)(name)), 1
    if job == "waits":
        return _many_waits(library, name, number), number
    if job == "memory":
        return _memory(library)
    raise UnsupportedJobError(job)


def answers(library: Any, lines: Iterable[str]) -> Iterator[str]:
    """Yield the result of each line."""
    for line in lines:
        job, name, number, *_ = [*line.rstrip("\r\n").split("\t"), "", "1"][:3]
        try:
            took, items = perform(library, job, name, int(number or 1))
        except UnsupportedJobError:
            yield "none"
        except Exception as error:
            yield f"error\t{type(error).__name__}: {error}".replace("\n", " ")
        else:
            yield f"ok\t{took}\t{items}"


def about() -> str:
    """Return the measured versions."""
    import platform
    from importlib.metadata import version

    versions = [f"CPython {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in ("winsvc-cffi", "cffi", "pywin32", "psutil")]
    return ", ".join(versions)


def main() -> None:
    if sys.argv[1] == "about":
        print(about())
        return
    kind = LIBRARIES[sys.argv[1]]
    if sys.argv[2:] == ["import"]:
        name: str = kind.module  # type: ignore[attr-defined]
        imported = _measure(lambda: importlib.import_module(name))
        print(f"ok\t{imported}\t{_measure(kind) + imported}")
        return
    for answer in answers(kind(), sys.stdin):
        print(answer, flush=True)


if __name__ == "__main__":
    main()
