"""The base class of window stations and desktops: handle, information, security."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from winsvc._desktops.handles import UserObjectHandle
from winsvc._util.checks import check_bool, check_dword, check_type
from winsvc._util.handles import BorrowedHandle, Closing
from winsvc._values.config import UNCHANGED, Unchanged
from winsvc._values.rows import UserObjectFlagsRow
from winsvc.backend import DesktopBackend
from winsvc.enums import (
    OWNER_GROUP_DACL,
    DesktopAccess,
    OpenFlag,
    SecurityInformation,
    UserObjectInformation,
    WindowStationAccess,
    rights_text,
)
from winsvc.errors import (
    AccessDeniedError,
    InvalidNameError,
    InvalidParameterError,
    UnsupportedError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc.security import SecurityDescriptor, Sid

__all__ = ["UserObject", "check_rights", "check_setting", "descriptor_bytes", "error_context"]

AccessT = TypeVar("AccessT", WindowStationAccess, DesktopAccess)
RightsT = TypeVar("RightsT", bound=OpenFlag)
P = ParamSpec("P")
R = TypeVar("R")


class UserObject(Closing, Generic[AccessT]):
    """A window station or a desktop, with an owned or a borrowed handle.

    An owned handle is closed by :meth:`close` or at the end of a ``with`` block; a borrowed one is
    never closed. An object may be shared between threads.
    """

    _handle: UserObjectHandle | BorrowedHandle
    _handle_types: tuple[type[UserObjectHandle], type[BorrowedHandle]]
    _access_type: type[AccessT]

    def __init__(
        self,
        handle: UserObjectHandle | BorrowedHandle,
        backend: DesktopBackend,
        *,
        label: str | None = None,
        access: AccessT | None = None,
    ) -> None:
        """Take over a handle.

        Args:
            handle: a handle of this kind of object; the new object owns it.
            backend: the backend for all calls.
            label: the name of the object for error messages; None if it is unknown.
            access: the rights with which the handle was opened; None if they are unknown.
        """
        check_type(handle, self._handle_types, "handle")
        self._handle = handle
        self._backend = backend
        self._label = label
        self._opened_with: AccessT | None = access

    def __repr__(self) -> str:
        state = "borrowed" if self.borrowed else "closed" if self.closed else "open"
        return f"<{type(self).__name__} {self._label or ''}: {state}>".replace(" :", ":")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.borrowed:
            super().__exit__(kind, error, trace)

    @property
    def borrowed(self) -> bool:
        """Return whether the handle belongs to the process or a thread, and stays open."""
        return isinstance(self._handle, BorrowedHandle)

    @property
    def closed(self) -> bool:
        """Return whether the handle was closed."""
        return self._handle.closed

    def close(self) -> None:
        """Close the handle; a second call does nothing.

        The system deletes the object when its last handle is closed.

        Raises:
            ObjectInUseError: the handle is borrowed, or the process or one of its threads uses the
                object. The handle stays open.

        Windows call: ``CloseWindowStation`` or ``CloseDesktop``.
        """
        try:
            self._handle.close()
        except Win32Error as error:
            self._add_access_hint(error)
            raise

    # ------------------------------------------------------------------- information

    def name(self) -> str:
        """Query the name, in the spelling with which the object was created.

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.NAME)
        return self._call(None, self._backend.query_user_object_text, index)

    def object_type(self) -> str:
        """Query the type of the object: "WindowStation" or "Desktop".

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.TYPE)
        return self._call(None, self._backend.query_user_object_text, index)

    def handle_inherited(self) -> bool:
        """Return whether the child processes of this process inherit the handle.

        To change it, call :meth:`configure`.

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        return bool(self._query_flags().inherit)

    def user_sid(self) -> Sid | None:
        """Query the SID of the user of the object; None if it has no user.

        Raises:
            UnsupportedError: this system does not support the query.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        from winsvc.security import Sid

        content = self._query_optional("user SID", self._backend.query_user_object_sid)
        return None if content is None else Sid.from_bytes(content)

    def _query_flags(self) -> UserObjectFlagsRow:
        return self._call(None, self._backend.query_user_object_flags)

    def _configure(
        self, flag: int, value: bool | Unchanged, handle_inherited: bool | Unchanged
    ) -> None:
        """Write a flag of the object and the inheritance of the handle.

        Windows writes all flags at once, so the current ones are queried first.
        """
        if value is UNCHANGED and handle_inherited is UNCHANGED:
            return
        row = self._query_flags()
        if value is not UNCHANGED:
            row = row._replace(flags=row.flags | flag if value else row.flags & ~flag)
        if handle_inherited is not UNCHANGED:
            row = row._replace(inherit=int(handle_inherited))
        self._call(None, self._backend.set_user_object_flags, row._replace(reserved=0))

    # ------------------------------------------------------------------- security

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the security descriptor of the object.

        Args:
            parts: the parts to read; the SACL needs an additional right.

        Raises:
            AccessDeniedError: the handle does not have a right below.

        Right: ``READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the privilege
        ``SeSecurityPrivilege``. Windows call: ``GetUserObjectSecurity``.
        """
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import rights_to_read

        info = SecurityInformation(check_dword(parts, "parts"))
        right = self._access_type(int(rights_to_read(info)))  # the same bits for all objects
        content = self._call(right, self._backend.get_user_object_security, int(info))
        return SecurityDescriptor.from_bytes(content)

    def set_security(
        self,
        descriptor: SecurityDescriptor | str | bytes,
        parts: SecurityInformation = SecurityInformation.DACL,
    ) -> None:
        """Write the selected parts of the security descriptor; other parts are unchanged.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL, or bytes (pywin32's descriptor
                is accepted, too).
            parts: the parts to write.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ValidationError: the descriptor lacks one of the parts.
            AccessDeniedError: the handle does not have a right below.

        Right: for the DACL ``WRITE_DAC``; for owner, group and label ``WRITE_OWNER``; for the SACL
        ``ACCESS_SYSTEM_SECURITY`` and the privilege ``SeSecurityPrivilege``.
        Windows call: ``SetUserObjectSecurity``.
        """
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import parts_to_write, rights_to_write

        info = SecurityInformation(check_dword(parts, "parts"))
        content = parts_to_write(SecurityDescriptor.coerce(descriptor), info)
        right = self._access_type(int(rights_to_write(info)))  # the same bits for all objects
        self._call(right, self._backend.set_user_object_security, int(info), content)

    # ------------------------------------------------------------------- calls

    def _call(
        self,
        right: AccessT | None,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a method of the backend with the handle; add the object and *right* to errors."""
        try:
            with self._handle as value:
                return function(value, *arguments, **keywords)
        except Win32Error as error:
            self._add_access_hint(error, right)
            raise

    def _query_optional(
        self,
        subject: str,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a query that the system or this kind of object may not support."""
        try:
            return self._call(None, function, *arguments, **keywords)
        except InvalidParameterError as error:
            raise UnsupportedError(
                error.winerror,
                error.function,
                f"this system does not support the query of the {subject}",
                object_name=self._label,
            ) from error

    def _add_access_hint(self, error: Win32Error, right: AccessT | None = None) -> None:
        error.add_context(object_name=self._label)
        if not isinstance(error, AccessDeniedError) or not right:
            return
        needed = f"Needed: {rights_text(right)}."
        if self._opened_with is not None:
            if not int(right) & ~_effective_rights(self._opened_with):
                return  # the handle has it: something else was missing
            needed += f" The handle was opened with {rights_text(self._opened_with)} only."
        error.hint = f"{needed} {error.hint or ''}".rstrip()


# The specific and standard rights of any object, which GENERIC_ALL includes.
_ALL = 0xFFFFF


def _effective_rights(access: WindowStationAccess | DesktopAccess) -> int:
    """Return the rights of a handle that was opened with *access*."""
    return int(access) | (_ALL if access & type(access).GENERIC_ALL else 0)


# ------------------------------------------------------------------- opening and creating objects


def check_rights(value: object, kind: type[RightsT], argument: str) -> RightsT:
    """Return *value* as rights of this kind; accept an int, but not rights of another kind."""
    if isinstance(value, OpenFlag):
        check_type(value, kind, argument)
    return kind(check_dword(value, argument))


def check_setting(value: object, argument: str) -> None:
    """Check that *value* is a bool or UNCHANGED."""
    if value is not UNCHANGED:
        check_bool(value, argument)


def descriptor_bytes(security: SecurityDescriptor | str | bytes | None) -> bytes | None:
    """Return the security descriptor of a new object in binary form; None for the default."""
    if security is None:
        return None
    from winsvc.security import SecurityDescriptor

    return SecurityDescriptor.coerce(security).to_bytes()


@contextmanager
def error_context(name: str | None, right: OpenFlag, *, empty: bool = True) -> Iterator[None]:
    """Add the name of the object and the requested rights to errors of the block.

    Args:
        name: the name of the object; None if the system chooses it.
        right: the requested rights.
        empty: whether the name may be empty.

    Raises:
        InvalidNameError: instead of an error of the block, if the name is invalid.
    """
    try:
        yield
    except Win32Error as error:
        error.add_context(object_name=name)
        # The codes are those of paths (3, 161) and handles (6), and differ between the two kinds.
        reason = None
        if name is not None and "\\" in name:
            reason = "the name must not contain a backslash"
        elif name == "" and not empty:
            reason = "the name must not be empty"
        if reason:
            raise InvalidNameError(
                error.winerror, error.function, reason, object_name=name
            ) from error
        if isinstance(error, AccessDeniedError) and right:
            error.hint = f"Requested: {rights_text(right)}. {error.hint or ''}".rstrip()
        raise
