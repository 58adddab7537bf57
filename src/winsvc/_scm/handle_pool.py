"""Handles that are opened with the least rights that the operations need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

from winsvc._scm.call_log import logged
from winsvc._util.handles import Closing, Handle
from winsvc.backend import ServiceBackend
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess, rights_text
from winsvc.errors import (
    AccessDeniedError,
    HandleClosedError,
    ServiceNotFoundError,
    Win32Error,
)

__all__ = ["HandlePool", "ScmObject"]

AccessT = TypeVar("AccessT", ManagerAccess, ServiceAccess)
P = ParamSpec("P")
R = TypeVar("R")


class HandlePool(Closing, Generic[AccessT]):
    """The open handles of one SCM object, each with the rights that it was opened with.

    A call uses a handle that has the right it needs. If no handle has it, the object is opened
    again with this right added. Earlier handles stay open, because other threads may be using
    them. With ``fixed`` rights the object is not opened again, and the system refuses the calls
    that the first handle does not allow.

    Attributes:
        backend: the backend that executes the calls.
        machine: the machine's name for errors; None for this one.
        object_name: the service's name for errors; None for the service control manager.
    """

    def __init__(
        self,
        backend: ServiceBackend,
        machine: str | None,
        object_name: str | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        """Create an empty pool; :meth:`open` or :meth:`add_handle` fills it."""
        self.backend = backend
        self.machine = machine
        self.object_name = object_name
        self._fixed = fixed
        # Never held across a call. Re-entrant, because a signal handler may use the same object.
        self._lock = threading.RLock()
        # The latest first. The tuple is replaced, not changed, so that it is read without the lock.
        self._handles: tuple[tuple[AccessT, Handle], ...] = ()
        self._is_closed = False

    def _open_handle(self, access: AccessT) -> Handle:
        """Open the object with exactly these rights."""
        raise NotImplementedError

    def open(self, *choices: AccessT) -> Self:
        """Open the object with the first of these sets of rights that is granted."""
        for access in choices[:-1]:
            try:
                return self.add_handle(access, self._open(access))
            except AccessDeniedError:
                continue
        return self.add_handle(choices[-1], self._open(choices[-1]))

    def add_handle(self, access: AccessT, handle: Handle) -> Self:
        """Add a handle that was opened with these rights."""
        with self._lock:
            closed = self._is_closed
            if not closed:
                latest: tuple[tuple[AccessT, Handle], ...] = ((access, handle),)
                self._handles = latest + self._handles
        if closed:  # by another thread, while the handle was being opened
            handle.close()
        return self

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._is_closed

    def check_open(self) -> None:
        """Raise HandleClosedError if :meth:`close` was called."""
        if self._is_closed:
            name = self.object_name
            what = f"service {name!r}" if name else "the service manager"
            raise HandleClosedError(
                ErrorCode.INVALID_HANDLE,
                "",
                f"{what} on {self.machine or 'this machine'} is closed",
                object_name=name,
                machine=self.machine,
            )

    def close(self) -> None:
        """Close every handle; afterwards a call raises HandleClosedError."""
        with self._lock:
            self._is_closed = True
            handles, self._handles = self._handles, ()
        first: Win32Error | None = None
        for _, handle in handles:
            try:
                handle.close()
            except Win32Error as error:
                self._add_context(error)
                first = first or error
        if first is not None:
            raise first

    def call(
        self,
        right: AccessT,
        method: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a method of the backend on a handle that has the right."""
        handle = self.handle_with(right)
        try:
            with handle as value:
                return logged(
                    (self.object_name, self.machine), method, value, *arguments, **keywords
                )
        except Win32Error as error:
            self._add_context(error, right)
            raise

    def require(self, right: AccessT) -> None:
        """Open a handle with the right if there is none; nothing else is called.

        Raises:
            AccessDeniedError: the right is not granted, or the fixed rights do not include it.
        """
        handle = self.handle_with(right)
        access = next(access for access, known in self._handles if known is handle)
        kind = type(access)
        if access & (kind.MAXIMUM_ALLOWED | kind.GENERIC_ALL | kind.GENERIC_READ):
            return  # the handle may have any right
        if access & right == right:
            return
        error = AccessDeniedError(ErrorCode.ACCESS_DENIED, "", "the handle lacks a right")
        self._add_context(error, right)
        raise error

    def try_acquire(self, rights: AccessT) -> None:
        """Open one handle with all these rights, if they are granted together."""
        try:
            self.handle_with(rights)
        except Win32Error:
            pass  # the calls that follow report the error

    def open_handle(self, right: AccessT) -> Handle:
        """Open one more handle with this right; the caller closes it."""
        self.check_open()
        return self._open(right)

    def exists(self, right: AccessT) -> bool:
        """Return whether the object can still be opened, also when this pool is closed."""
        try:
            self._open(right).close()
        except ServiceNotFoundError:
            return False
        except AccessDeniedError:
            pass  # it exists, and refuses the right
        return True

    def handle_with(self, right: AccessT) -> Handle:
        """Return a handle that has the right; open the object again if no handle has it."""
        for access, handle in self._handles:
            # Not "access & right", which creates a flag and takes ten times as long.
            if self._fixed or int.__and__(access, right) == right:
                return handle
        self.check_open()
        handles = self._handles
        wider = handles[0][0] | right if handles else right
        try:
            handle = self._open(wider, needed=right)
        except AccessDeniedError:
            # A right that was granted before may not be granted now, or not together with others.
            if wider == right:
                raise
            wider, handle = right, self._open(right)
        self.add_handle(wider, handle)
        return handle

    def _open(self, access: AccessT, *, needed: AccessT | None = None) -> Handle:
        try:
            return self._open_handle(access)
        except Win32Error as error:
            self._add_context(error, access if needed is None else needed)
            raise

    def _add_context(self, error: Win32Error, right: AccessT | None = None) -> None:
        """Add the service, the machine and the missing right to an error."""
        error.add_context(object_name=self.object_name, machine=self.machine)
        hint = error.hint or ""
        if isinstance(error, AccessDeniedError) and right and not hint.startswith("Needed"):
            needed = f"Needed: {rights_text(right)}."
            if self._fixed and self._handles:
                needed += f" The handle was opened with {rights_text(self._handles[0][0])} only."
            error.hint = f"{needed} {hint}".rstrip()


class ScmObject(Closing, Generic[AccessT]):
    """An object of the API on a pool of handles.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self, pool: HandlePool[AccessT]) -> None:
        self._pool: HandlePool[AccessT] = pool

    def close(self) -> None:
        """Close every handle of this object. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        self._pool.close()

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._pool.closed

    @property
    def machine(self) -> str | None:
        """The machine that it is on; None for this one."""
        return self._pool.machine

    @property
    def backend(self) -> ServiceBackend:
        """The backend that executes the calls."""
        return self._pool.backend
