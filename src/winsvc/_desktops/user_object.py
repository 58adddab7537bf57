"""What window stations and desktops have in common: handles, information, security."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
    DesktopFlags,
    OpenFlag,
    SecurityInformation,
    UserObjectInformation,
    WindowStationAccess,
    WindowStationFlags,
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
    from winsvc.security import SecurityDescriptor

__all__ = ["UserObject", "UserObjectFlags"]

AccessT = TypeVar("AccessT", WindowStationAccess, DesktopAccess)
FlagsT = TypeVar("FlagsT", WindowStationFlags, DesktopFlags)
FlagT = TypeVar("FlagT", bound=OpenFlag)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class UserObjectFlags(Generic[FlagsT]):
    """``USEROBJECTFLAGS``: of the handle, and of the object behind it.

    Attributes:
        flags: of the object: whether a window station is visible, whether a desktop lets other
            accounts set hooks.
        inherit: whether the processes that this one starts inherit the handle.
    """

    flags: FlagsT
    inherit: bool


class UserObject(Closing, Generic[AccessT, FlagsT]):
    """A window station or a desktop: open until it is closed, or borrowed and never closed.

    Use it as a context manager, or call :meth:`close`. May be shared between threads.
    """

    _handle: UserObjectHandle | BorrowedHandle
    _handle_types: tuple[type[UserObjectHandle], type[BorrowedHandle]]
    _access_type: type[AccessT]
    _flags_type: type[FlagsT]

    def __init__(
        self,
        handle: UserObjectHandle | BorrowedHandle,
        backend: DesktopBackend,
        *,
        label: str | None = None,
        access: AccessT | None = None,
    ) -> None:
        """Use a handle.

        Args:
            handle: of this kind; its owner no longer is who gives it.
            backend: what carries out the calls.
            label: the object's name for errors, as far as it is known.
            access: the rights that the handle was opened with, as far as they are known.
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
        """Whether the handle belongs to the process or to a thread, and is never closed here."""
        return isinstance(self._handle, BorrowedHandle)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.closed

    def close(self) -> None:
        """Close the handle. A second call does nothing. The object goes with its last handle.

        Raises:
            ObjectInUseError: it is borrowed, or the process or one of its threads is on it. It
                stays open.

        Windows call: ``CloseWindowStation`` or ``CloseDesktop``.
        """
        try:
            self._handle.close()
        except Win32Error as error:
            self._add_access_hint(error)
            raise

    # ------------------------------------------------------------------- information

    @property
    def name(self) -> str:
        """The name, as it was given when the object was made.

        Raises:
            HandleClosedError: it is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.NAME)
        return self._call(None, self._backend.query_user_object_text, index)

    @property
    def type(self) -> str:
        """What kind of object it is: "WindowStation" or "Desktop".

        Raises:
            HandleClosedError: it is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.TYPE)
        return self._call(None, self._backend.query_user_object_text, index)

    @property
    def flags(self) -> UserObjectFlags[FlagsT]:
        """The object's flags, and whether the handle is inherited.

        Raises:
            HandleClosedError: it is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        row = self._call(None, self._backend.query_user_object_flags)
        return UserObjectFlags(self._flags_type(row.flags), bool(row.inherit))

    def set_flags(
        self, flags: FlagsT | Unchanged = UNCHANGED, *, inherit: bool | Unchanged = UNCHANGED
    ) -> None:
        """Change the flags; what is left out stays as it is.

        Windows takes them all at once: to change one alone the other is read first.

        Args:
            flags: the object's.
            inherit: whether the processes that this one starts inherit the handle.

        Raises:
            HandleClosedError: it is closed.
            AccessDeniedError: the handle does not allow it.

        Right: Windows documents none. Windows call: ``SetUserObjectInformationW``.
        """
        if flags is not UNCHANGED:
            check_rights(flags, self._flags_type, "flags")
        if inherit is not UNCHANGED:
            check_bool(inherit, "inherit")
        if flags is UNCHANGED and inherit is UNCHANGED:
            return
        if flags is UNCHANGED or inherit is UNCHANGED:
            before = self.flags
            flags = before.flags if flags is UNCHANGED else flags
            inherit = before.inherit if inherit is UNCHANGED else inherit
        row = UserObjectFlagsRow(int(inherit), 0, int(flags))
        self._call(None, self._backend.set_user_object_flags, row)

    @property
    def user_sid(self) -> str | None:
        """The SID of the user that it belongs to, such as ``"S-1-5-5-0-12345"``; None for nobody.

        Raises:
            UnsupportedError: this system does not tell.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        from winsvc.security import Sid

        content = self._query_optional("user", self._backend.query_user_object_sid)
        return None if content is None else str(Sid.from_bytes(content))

    @property
    def heap_size(self) -> int:
        """The size of a desktop's heap, in KiB.

        Raises:
            UnsupportedError: this system does not tell, or not of this object.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.HEAP_SIZE)
        return self._query_optional("heap size", self._backend.query_user_object_number, index)

    @property
    def receives_input(self) -> bool:
        """Whether it is the desktop that the user's keyboard and mouse speak to.

        Raises:
            UnsupportedError: this system does not tell, or not of this object.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.IO)
        return bool(self._query_optional("input", self._backend.query_user_object_number, index))

    # ------------------------------------------------------------------- security

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Who may do what with the object.

        Args:
            parts: which parts to read. The SACL needs more than the others.

        Raises:
            AccessDeniedError: the handle does not have a right below.

        Right: ``READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the privilege
        ``SeSecurityPrivilege``. Windows call: ``GetUserObjectSecurity``.
        """
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import rights_to_read

        info = SecurityInformation(check_dword(parts, "parts"))
        right = self._access_type(int(rights_to_read(info)))  # these have the same bits for all
        content = self._call(right, self._backend.get_user_object_security, int(info))
        return SecurityDescriptor.from_bytes(content)

    def set_security(
        self,
        descriptor: SecurityDescriptor | str | bytes,
        parts: SecurityInformation = SecurityInformation.DACL,
    ) -> None:
        """Change who may do what with the object; parts that are not named stay.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL, or bytes (pywin32's descriptor
                passes, too).
            parts: which of its parts to write.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ValidationError: it does not have one of the parts.
            AccessDeniedError: the handle does not have a right below.

        Right: for the DACL ``WRITE_DAC``; for owner, group and label ``WRITE_OWNER``; for the SACL
        ``ACCESS_SYSTEM_SECURITY`` and the privilege ``SeSecurityPrivilege``.
        Windows call: ``SetUserObjectSecurity``.
        """
        from winsvc.security import SecurityDescriptor
        from winsvc.security.parts import parts_to_write, rights_to_write

        info = SecurityInformation(check_dword(parts, "parts"))
        content = parts_to_write(SecurityDescriptor.coerce(descriptor), info)
        right = self._access_type(int(rights_to_write(info)))  # these have the same bits for all
        self._call(right, self._backend.set_user_object_security, int(info), content)

    # ------------------------------------------------------------------- calls

    def _call(
        self,
        right: AccessT | None,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a backend's method on the handle; errors say of what, and what was missing."""
        try:
            with self._handle as value:
                return function(value, *arguments, **keywords)
        except Win32Error as error:
            self._add_access_hint(error, right)
            raise

    def _query_optional(
        self,
        what: str,
        function: Callable[Concatenate[int, P], R],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> R:
        """Call a function that the system, or this kind of object, may not support."""
        try:
            return self._call(None, function, *arguments, **keywords)
        except InvalidParameterError as error:
            raise UnsupportedError(
                error.winerror,
                error.function,
                f"this system does not tell the {what} of a {self.type}",
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


# What GENERIC_ALL stands for, of whatever object: its own rights, and the standard ones.
_ALL = 0xFFFFF


def _effective_rights(access: WindowStationAccess | DesktopAccess) -> int:
    """Return the rights of a handle that was opened with *access*."""
    return int(access) | (_ALL if access & type(access).GENERIC_ALL else 0)


@contextmanager
def closing_unless_held(
    handle: UserObjectHandle | BorrowedHandle, holder: weakref.ref[R]
) -> Iterator[None]:
    """Close afterwards what was opened for a ``with`` block alone: nobody else has its object."""

    def close() -> None:
        if holder() is None and isinstance(handle, UserObjectHandle):
            handle.close()

    try:
        yield
    except BaseException:
        with suppress(Win32Error):  # the first error is what counts
            close()
        raise
    close()


# ------------------------------------------------------------------- what opening and making share


def check_rights(value: object, kind: type[FlagT], argument: str) -> FlagT:
    """Rights or flags of this kind; a plain int passes, those of another kind are a TypeError."""
    if isinstance(value, OpenFlag):
        check_type(value, kind, argument)
    return kind(check_dword(value, argument))


def descriptor_bytes(security: SecurityDescriptor | str | bytes | None) -> bytes | None:
    """What the object is to be made with; None for the system's default."""
    if security is None:
        return None
    from winsvc.security import SecurityDescriptor

    return SecurityDescriptor.coerce(security).to_bytes()


@contextmanager
def error_context(name: str | None, right: OpenFlag, *, empty: bool = True) -> Iterator[None]:
    """Add the name of the object, and what is wrong with the name, to errors of the block.

    Args:
        name: the object's; None where the system chooses it.
        right: the rights that are requested.
        empty: whether the name may be empty.
    """
    try:
        yield
    except Win32Error as error:
        error.add_context(object_name=name)
        # The codes are those of paths (3, 161) and handles (6), and differ between the two kinds.
        wrong = None
        if name is not None and "\\" in name:
            wrong = "a name cannot have a backslash"
        elif name == "" and not empty:
            wrong = "a name cannot be empty"
        if wrong:
            raise InvalidNameError(
                error.winerror, error.function, wrong, object_name=name
            ) from error
        if isinstance(error, AccessDeniedError) and right:
            error.hint = f"Asked for: {rights_text(right)}. {error.hint or ''}".rstrip()
        raise
