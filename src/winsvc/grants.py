"""Least rights: an object is opened for little, and opened again when an operation needs more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from winsvc.enums import ManagerAccess, ServiceAccess
from winsvc.errors import AccessDeniedError, ServiceError, ServiceNotFoundError
from winsvc.handles import Handle

if TYPE_CHECKING:
    from typing_extensions import Self

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
        self._lock = threading.Lock()
        self._handles: list[tuple[AccessT, Handle]] = []  # the one with most rights first
        self._closed: Handle | None = None

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
        self._handles.insert(0, (access, handle))
        return self

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed is not None

    def check_open(self) -> None:
        """Raise HandleClosedError if :meth:`close` was called."""
        if self._closed is not None:
            self._closed.__enter__()

    def close(self) -> None:
        """Close every handle; afterwards a call raises HandleClosedError."""
        with self._lock:
            handles, self._handles = self._handles, []
            if handles:
                self._closed = handles[0][1]
        for _, handle in handles:
            handle.close()

    def call(
        self,
        right: AccessT,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a backend's method on a handle that has the right; errors say where and why."""
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
        except AccessDeniedError:
            pass

    def exists(self, right: AccessT) -> bool:
        """Whether the object is still there to be opened; may be asked when this is closed."""
        try:
            self._opener(right).close()
        except ServiceNotFoundError:
            return False
        except AccessDeniedError:
            return True
        return True

    def covering(self, right: AccessT) -> Handle:
        """A handle that has the right, opened now if need be.

        A handle that is no longer the best stays open until the object is closed, for another
        thread may be about to use it.
        """
        with self._lock:
            if self._closed is not None:
                return self._closed
            granted, handle = self._handles[0]
            if self._fixed or granted & right == right:
                return handle
            wider = granted | right
            handle = self._open(wider, needed=right)
            self.adopt(wider, handle)
            return handle

    def _open(self, access: AccessT, *, needed: AccessT | None = None) -> Handle:
        try:
            return self._opener(access)
        except ServiceError as error:
            self._explain(error, access if needed is None else needed)
            raise

    def _explain(self, error: ServiceError, right: AccessT) -> None:
        hint = None
        if isinstance(error, AccessDeniedError):
            hint = f"Needed: {_names(right)}."
            if self._fixed and self._handles:
                hint += f" The handle was opened with {_names(self._handles[0][0])} only."
        error.locate(service=self._service, machine=self.machine, hint=hint)


def _names(access: ManagerAccess | ServiceAccess) -> str:
    """``ServiceAccess.START`` or ``ServiceAccess.QUERY_STATUS | START``."""
    return str(access) if access.name is None else f"{type(access).__name__}.{access.name}"


class Granted(Generic[AccessT]):
    """An object of the API that works through grants: open until it is closed.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self, grants: Grants[AccessT]) -> None:
        self._grants: Grants[AccessT] = grants

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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
