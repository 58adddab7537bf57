"""The hand-written parts of the asynchronous objects; tools/aiogen.py copies the docstrings."""

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

    __slots__ = ("__weakref__",)

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
    """An open service, returned by :meth:`AsyncServiceManager.open` and ``create``.

    Use it with ``async with``, or await :meth:`close`. It may be shared between tasks. A
    ``progress`` function is called in the event loop's thread.
    """

    __slots__ = ("_sync",)

    def __init__(self, service: Service) -> None:
        self._sync = service

    @property
    def name(self) -> str:
        """The key name; as it is stored, if a query has returned it."""
        return self._sync.name

    def __repr__(self) -> str:
        return f"<AsyncService {self.name!r}: {'closed' if self.closed else 'open'}>"

    async def close(self) -> None:
        """Close every handle of this object. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        await calling(self._sync.close)

    @property
    def sync(self) -> Service:
        """The same open service for threads."""
        return self._sync

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._sync.closed

    @property
    def machine(self) -> str | None:
        """The machine of the service; None for this one."""
        return self._sync.machine

    @property
    def backend(self) -> ServiceBackend:
        """The backend that executes the calls."""
        return self._sync.backend


class AsyncManagerBase(AsyncClosable):
    """A connection to the service control manager of one machine.

    It connects at the start of an ``async with`` block, or when it is first used; then await
    :meth:`close` at the end::

        async with AsyncServiceManager() as scm:
            async for info in scm.services(state=State.RUNNING):
                print(info.name, info.status.pid)

    The rights are those of :class:`winsvc.ServiceManager`. It may be shared between tasks.
    """

    __slots__ = ("_access", "_backend", "_closed", "_connected", "_database", "_lock", "_machine")

    def __init__(
        self,
        machine: str | None = None,
        *,
        database: str | None = None,
        access: ManagerAccess | None = None,
        backend: ServiceBackend | None = None,
    ) -> None:
        """Prepare a connection; the ``async with`` block or the first use connects.

        Args:
            machine: the name or address of the machine; None or "" for this one.
            database: the service database; None for the active one, which is the only one in use.
            access: the exact rights of the connection.
            backend: executes the calls; None for the system's own.

        Raises:
            UnsupportedError: this system is not Windows, and no backend was specified.
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
        """Return whether :meth:`close` was called."""
        return self._closed

    @property
    def machine(self) -> str | None:
        """The machine of the connection; None for this one."""
        return self._machine

    @property
    def backend(self) -> ServiceBackend:
        """The backend that executes the calls."""
        return self._backend

    @property
    def _sync(self) -> ServiceManager:
        # Runs in a thread, because connecting takes time. Only calls of this object use the lock.
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
