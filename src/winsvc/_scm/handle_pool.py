"""Least rights: an object is opened for little, and opened again when an operation needs more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

from winsvc._util.handles import Closing, Handle
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess, rights_text
from winsvc.errors import (
    AccessDeniedError,
    HandleClosedError,
    ServiceError,
    ServiceNotFoundError,
)

__all__ = ["Granted", "Grants"]

AccessT = TypeVar("AccessT", ManagerAccess, ServiceAccess)
P = ParamSpec("P")
R = TypeVar("R")


class Grants(Generic[AccessT]):
    """The handles to one object, each opened with the rights that were needed by then.

    Rights that were granted are kept: one handle soon serves every operation. With ``fixed``
    rights nothing is opened again, and the system refuses what they don't allow.
    """

    def __init__(
        self,
        opener: Callable[[AccessT], Handle],
        *,
        fixed: bool = False,
        service: str | None = None,
        machine: str | None = None,
    ) -> None:
        """Nothing is opened yet: :meth:`open` or :meth:`adopt` comes next.

        Args:
            opener: opens the object with the rights that it is given.
            fixed: whether to stay with the first rights.
            service: the service's name for errors.
            machine: the machine's name for errors.
        """
        self._opener: Callable[[AccessT], Handle] = opener
        self._fixed = fixed
        self._service = service
        self.machine = machine
        # Never held across a call; re-entrant, for a signal handler may use the same object.
        self._lock = threading.RLock()
        # The latest first. Replaced, never changed: read without the lock.
        self._handles: tuple[tuple[AccessT, Handle], ...] = ()
        self._is_closed = False

    def open(self, *wanted: AccessT) -> Self:
        """Open the object with the first of these rights that are granted, best first."""
        for access in wanted[:-1]:
            try:
                return self.adopt(access, self._open(access))
            except AccessDeniedError:
                continue
        return self.adopt(wanted[-1], self._open(wanted[-1]))

    def adopt(self, access: AccessT, handle: Handle) -> Self:
        """Use a handle that was opened with these rights."""
        with self._lock:
            closed = self._is_closed
            if not closed:
                latest: tuple[tuple[AccessT, Handle], ...] = ((access, handle),)
                self._handles = latest + self._handles
        if closed:  # while it was being opened
            handle.close()
        return self

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._is_closed

    def check_open(self) -> None:
        """Raise HandleClosedError if :meth:`close` was called."""
        if self._is_closed:
            what = f"service {self._service!r}" if self._service else "the service manager"
            raise HandleClosedError(
                ErrorCode.INVALID_HANDLE,
                "",
                f"{what} on {self.machine or 'this machine'} is closed",
                service=self._service,
                machine=self.machine,
            )

    def close(self) -> None:
        """Close every handle; afterwards a call raises HandleClosedError."""
        with self._lock:
            self._is_closed = True
            handles, self._handles = self._handles, ()
        first: ServiceError | None = None
        for _, handle in handles:
            try:
                handle.close()
            except ServiceError as error:
                self._explain(error)
                first = first or error
        if first is not None:
            raise first

    def call(
        self,
        right: AccessT,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a backend's method on a handle that has the right; errors say where and why."""
        # As _having(), which it would take as long to call as to do.
        for granted, handle in self._handles:  # noqa: B007
            if self._fixed or int.__and__(granted, right) == right:
                break
        else:
            handle = self.covering(right)
        try:
            with handle as value:
                return function(value, *arguments, **keywords)
        except ServiceError as error:
            self._explain(error, right)
            raise

    def widen(self, rights: AccessT) -> None:
        """Have these rights on one handle, if they are granted together."""
        try:
            self.covering(rights)
        except ServiceError:
            pass  # the calls themselves will say what is wrong

    def another(self, right: AccessT) -> Handle:
        """One more handle with this right, which whoever asks for it closes."""
        self.check_open()
        return self._open(right)

    def exists(self, right: AccessT) -> bool:
        """Whether the object is still there to be opened; may be asked when this is closed."""
        try:
            self._open(right).close()
        except ServiceNotFoundError:
            return False
        except AccessDeniedError:
            pass  # it is there to refuse
        return True

    def covering(self, right: AccessT) -> Handle:
        """A handle that has the right, opened now if need be.

        Earlier handles stay open until the object is closed: another thread may be using them.
        """
        if found := self._having(right):
            return found
        self.check_open()
        handles = self._handles
        wider = handles[0][0] | right if handles else right
        try:
            handle = self._open(wider, needed=right)
        except AccessDeniedError:
            # What was granted before may not be now, or not together.
            if wider == right:
                raise
            wider, handle = right, self._open(right)
        self.adopt(wider, handle)
        return handle

    def _having(self, right: AccessT) -> Handle | None:
        for granted, handle in self._handles:
            # Not by "&": that makes a flag of the answer, and takes ten times as long.
            if self._fixed or int.__and__(granted, right) == right:
                return handle
        return None

    def _open(self, access: AccessT, *, needed: AccessT | None = None) -> Handle:
        try:
            return self._opener(access)
        except ServiceError as error:
            self._explain(error, access if needed is None else needed)
            raise

    def _explain(self, error: ServiceError, right: AccessT | None = None) -> None:
        error.locate(service=self._service, machine=self.machine)
        told = error.hint or ""
        if isinstance(error, AccessDeniedError) and right and not told.startswith("Needed"):
            needed = f"Needed: {rights_text(right)}."
            if self._fixed and self._handles:
                needed += f" The handle was opened with {rights_text(self._handles[0][0])} only."
            error.hint = f"{needed} {told}".rstrip()


class Granted(Closing, Generic[AccessT]):
    """An object of the API that works through grants: open until it is closed.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self, grants: Grants[AccessT]) -> None:
        self._grants: Grants[AccessT] = grants

    def close(self) -> None:
        """Close every handle of this object. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        self._grants.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._grants.closed

    @property
    def machine(self) -> str | None:
        """The machine that it is on; None for this one."""
        return self._grants.machine
