"""The parts of the asynchronous objects that are not generated."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from winsvc._scm.manager import ServiceManager
from winsvc._scm.service import Service
from winsvc.aio.threads import calling
from winsvc.backend import ServiceBackend, resolve_backend
from winsvc.enums import ErrorCode, ManagerAccess
from winsvc.errors import HandleClosedError, Win32Error

__all__ = ["AsyncClosable", "AsyncManagerBase", "AsyncServiceBase"]


class AsyncClosable:
    """An object that is closed at the end of an ``async with`` block."""

    async def close(self) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except Win32Error:
            if error is None:  # otherwise the first error is raised
                raise


class AsyncServiceBase(AsyncClosable):
    """The hand-written part of :class:`winsvc.aio.AsyncService`."""

    def __init__(self, service: Service) -> None:
        self._sync = service
        self.name = service.name

    def __repr__(self) -> str:
        return f"<AsyncService {self.name!r}: {'closed' if self.closed else 'open'}>"

    async def close(self) -> None:
        """Close every handle of this object. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        await calling(self._sync.close)

    @property
    def sync(self) -> Service:
        """The service as threads use it; both are one."""
        return self._sync

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._sync.closed

    @property
    def machine(self) -> str | None:
        """The machine that it is on; None for this one."""
        return self._sync.machine

    @property
    def backend(self) -> ServiceBackend:
        """The backend that executes the calls."""
        return self._sync.backend


class AsyncManagerBase(AsyncClosable):
    """The hand-written part of :class:`winsvc.aio.AsyncServiceManager`."""

    def __init__(
        self,
        machine: str | None = None,
        *,
        database: str | None = None,
        access: ManagerAccess | None = None,
        backend: ServiceBackend | None = None,
    ) -> None:
        """Nothing is connected yet.

        Args:
            machine: name or address of the machine; None or "" is this one.
            database: None is the active one, "ServicesActive", which is the only one in use.
            access: the exact rights of the connection.
            backend: what carries out the calls; None is the system's own.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.
        """
        self._machine, self._database, self._access = machine or None, database, access
        self._backend = resolve_backend(backend)
        self._lock = threading.Lock()
        self._connected: ServiceManager | None = None
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open"
        return f"<AsyncServiceManager of {self.machine or 'this machine'}: {state}>"

    async def __aenter__(self) -> Self:
        await calling(lambda: self._sync, late=lambda scm: self._close())
        return self

    async def close(self) -> None:
        """Close the connection; open services stay open. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        await calling(self._close)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def machine(self) -> str | None:
        """The machine that it is connected to; None for this one."""
        return self._machine

    @property
    def backend(self) -> ServiceBackend:
        """The backend that executes the calls."""
        return self._backend

    @property
    def _sync(self) -> ServiceManager:
        # In a thread: a connection takes time. Only calls of this object wait for the lock.
        with self._lock:
            if self._closed:
                raise HandleClosedError(
                    ErrorCode.INVALID_HANDLE,
                    "",
                    f"the service manager on {self.machine or 'this machine'} is closed",
                    machine=self.machine,
                )
            if self._connected is None:
                self._connected = ServiceManager(
                    self._machine,
                    database=self._database,
                    access=self._access,
                    backend=self._backend,
                )
            return self._connected

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            connected = self._connected
        if connected is not None:
            connected.close()
