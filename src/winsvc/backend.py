"""The protocol of a backend: one method for each Windows call, with plain Python types.

A backend accepts and returns ints, strings (None is NULL), bytes and rows, which are named tuples.
It allocates the buffers, and raises the typed error of :mod:`winsvc.errors` with the function and
the code; the layer above adds the object and the machine. Handles are ints: the caller guarantees
that they are open.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, TypeVar

from winsvc._values.rows import (
    ConfigRow,
    EnumRow,
    FailureActionsRow,
    LockRow,
    NotificationRow,
    PreferredNodeRow,
    StatusRow,
    TriggerRow,
    UserObjectFlagsRow,
)
from winsvc.enums import ErrorCode
from winsvc.errors import UnsupportedError

if TYPE_CHECKING:
    from winsvc._values.account import Secret

__all__ = [
    "AccountBackend",
    "Backend",
    "Capabilities",
    "ConfigRow",
    "ControlHandler",
    "DesktopBackend",
    "EnumRow",
    "EventLogBackend",
    "EventSourceBackend",
    "FailureActionsRow",
    "FileBackend",
    "HostBackend",
    "HostEvent",
    "LockRow",
    "NotificationBackend",
    "NotificationRow",
    "PreferredNodeRow",
    "ProcessBackend",
    "ProcessEnded",
    "ServiceBackend",
    "ServiceMain",
    "StatusRow",
    "TriggerRow",
    "UserObjectFlagsRow",
    "default_backend",
    "resolve_backend",
    "use_backend",
]

T = TypeVar("T")

ServiceMain: TypeAlias = Callable[[list[str]], None]
"""The main function of a service, called with its name and the arguments of the start.

The system calls it on a separate thread. It returns when the service has stopped, and must not
raise.
"""

ControlHandler: TypeAlias = Callable[[int, int, bytes], int]
"""The control handler of a service, called with a control, an event type and the event's data.

The system calls it on any thread. It returns an error code without delay (0 for success), and must
not raise.
"""


class DesktopBackend(Protocol):
    """The calls of the window-station and desktop API.

    ``inherit`` and ``descriptor`` are passed as ``SECURITY_ATTRIBUTES`` of a new object; without a
    descriptor (self-relative bytes) the object gets the system's default.
    """

    # ---------------------------------------------------------------------- window stations

    def enum_window_stations(self) -> list[str]:
        """``EnumWindowStationsW``."""

    def open_window_station(self, name: str | None, inherit: bool, access: int) -> int:
        """``OpenWindowStationW``."""

    def create_window_station(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateWindowStationW``; for None or "" the name contains the logon id."""

    def close_window_station(self, station: int) -> None:
        """``CloseWindowStation``."""

    def get_process_window_station(self) -> int:
        """``GetProcessWindowStation``: a handle that the caller does not own."""

    def set_process_window_station(self, station: int) -> None:
        """``SetProcessWindowStation``."""

    def enum_desktops(self, station: int) -> list[str]:
        """``EnumDesktopsW``; with 0 some systems list window stations instead."""

    # ---------------------------------------------------------------------- desktops

    def open_desktop(self, name: str | None, flags: int, inherit: bool, access: int) -> int:
        """``OpenDesktopW``, in the process's window station."""

    def open_input_desktop(self, flags: int, inherit: bool, access: int) -> int:
        """``OpenInputDesktop``."""

    def create_desktop(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateDesktopW``, in the process's window station."""

    def close_desktop(self, desktop: int) -> None:
        """``CloseDesktop``."""

    def get_current_thread_id(self) -> int:
        """``GetCurrentThreadId``."""

    def get_thread_desktop(self, thread_id: int) -> int:
        """``GetThreadDesktop``: a handle that the caller does not own."""

    def set_thread_desktop(self, desktop: int) -> None:
        """``SetThreadDesktop``, for the calling thread."""

    def switch_desktop(self, desktop: int) -> None:
        """``SwitchDesktop``."""

    def enum_desktop_windows(self, desktop: int) -> list[int]:
        """``EnumDesktopWindows``: the top-level windows; 0 for the desktop of the thread."""

    def get_window_text(self, window: int) -> str:
        """``InternalGetWindowText``: unlike ``GetWindowTextW`` it never waits for a thread."""

    def get_class_name(self, window: int) -> str:
        """``GetClassNameW``: the name of a window's class."""

    # ---------------------------------------------------------------------- both

    def query_user_object_flags(self, user_object: int) -> UserObjectFlagsRow:
        """``GetUserObjectInformationW(UOI_FLAGS)``."""

    def query_user_object_text(self, user_object: int, index: int) -> str:
        """``GetUserObjectInformationW`` with an index that returns a text (2 or 3)."""

    def query_user_object_number(self, user_object: int, index: int) -> int:
        """``GetUserObjectInformationW`` with an index that returns a number (5 or 6)."""

    def query_user_object_sid(self, user_object: int) -> bytes | None:
        """``GetUserObjectInformationW(UOI_USER_SID)``; None if the object has no user."""

    def set_user_object_flags(self, user_object: int, row: UserObjectFlagsRow) -> None:
        """``SetUserObjectInformationW(UOI_FLAGS)``."""

    def get_user_object_security(self, user_object: int, information: int) -> bytes:
        """``GetUserObjectSecurity``: a self-relative security descriptor."""

    def set_user_object_security(
        self, user_object: int, information: int, descriptor: bytes
    ) -> None:
        """``SetUserObjectSecurity``, with a self-relative security descriptor."""


class NotificationBackend(Protocol):
    """Service notifications: one waiter collects the notifications of many handles.

    A handle is used with one waiter and for nothing else, and is closed by :meth:`disarm`. One
    thread at a time may use a waiter; only :meth:`wake` may be called from any thread.
    """

    def open_waiter(self) -> int:
        """Create a waiter without notifications."""

    def close_waiter(self, waiter: int) -> None:
        """Close a waiter. The caller disarms its handles first."""

    def arm(self, waiter: int, handle: int, mask: int) -> None:
        """``NotifyServiceStatusChangeW``: request one notification, of the next event in the mask.

        The notification follows at once if the service is in a state of the mask that the handle
        has not reported since the last change. The handle belongs to a service or to a manager. It
        must not be armed already: its notification is read first.
        """

    def subscribe(self, waiter: int, handle: int) -> None:
        """``SubscribeServiceChangeNotifications``: request notifications of configuration changes.

        The rows of these notifications have ``triggered`` 0.
        """

    def disarm(self, waiter: int, handle: int) -> None:
        """``CloseServiceHandle``, which also ends the notifications of the handle."""

    def wait_notified(
        self, waiter: int, timeout: float | None
    ) -> list[tuple[int, NotificationRow]]:
        """Wait for notifications, and return them in their order, each with its handle.

        The list is empty after ``timeout`` seconds (None for no limit), after :meth:`wake`, and
        sometimes for no reason. On the main thread signal handlers run, and may raise.
        """

    def wake(self, waiter: int) -> None:
        """End the current wait, or else the next one."""


class Capabilities(NamedTuple):
    """The abilities of a backend for one machine; see :meth:`ServiceBackend.capabilities`.

    Attributes:
        notifies: whether services and the manager notify of changes (:class:`NotificationBackend`);
            otherwise waits and watches poll.
        concurrency: how many services to query at a time in bulk queries.
        event_sources: the sources of the machine's event log; None if they cannot be accessed.
        files: the machine's files; None if they cannot be accessed.
        own_pid: the id of this process if it hosts services of the machine; otherwise None.
    """

    notifies: bool
    concurrency: int
    event_sources: EventSourceBackend | None = None
    files: FileBackend | None = None
    own_pid: int | None = None


class ProcessEnded(BaseException):
    """Raised in the waiting threads of a simulated process that has ended.

    Programs do not catch it; their ``finally`` blocks run. Each further call to the simulated
    system raises it again.
    """


class HostEvent(Protocol):
    """A :class:`threading.Event` whose waits use the backend's clock."""

    def set(self) -> None:
        """Set the event, which ends all waits, also later ones."""

    def is_set(self) -> bool:
        """Return whether the event is set."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, at most ``timeout`` seconds; return whether it is set."""


class EventLogBackend(Protocol):
    """The calls that write to the system's event log."""

    def register_event_source(self, source: str) -> int:
        """``RegisterEventSourceW``, on this machine."""

    def deregister_event_source(self, handle: int) -> None:
        """``DeregisterEventSource``."""

    def report_event(
        self,
        handle: int,
        event_type: int,
        category: int,
        event_id: int,
        strings: Sequence[str],
        data: bytes,
    ) -> None:
        """``ReportEventW``."""


class EventSourceBackend(Protocol):
    """The sources of the event log, which are registry keys."""

    def write_event_source(self, source: str, message_file: str, types: int) -> None:
        """Create or replace a source of the Application log."""

    def read_event_source(self, source: str, log: str = "Application") -> tuple[str, int] | None:
        """Read the message file and the types of a source; None if the source does not exist."""

    def delete_event_source(self, source: str) -> None:
        """Delete a source of the Application log, if it exists."""

    def enum_event_logs(self) -> list[str]:
        """List the names of the event logs."""


class AccountBackend(Protocol):
    """The calls that translate accounts and groups; *machine* None is this machine."""

    def lookup_account_name(self, machine: str | None, name: str) -> bytes:
        """``LookupAccountNameW``: the SID of an account or group."""

    def lookup_account_sid(self, machine: str | None, sid: bytes) -> tuple[str, str]:
        """``LookupAccountSidW``: the domain, "" if there is none, and the name."""


class FileBackend(AccountBackend, Protocol):
    """The files of this machine and their security. A simulated machine has no files."""

    def is_remote_drive(self, root: str) -> bool:
        """``GetDriveTypeW``: whether a drive (its root, with a backslash) is a network drive."""

    def get_file_security(self, path: str, information: int) -> bytes:
        """``GetFileSecurityW``: the self-relative security descriptor of a file or folder."""

    def set_file_security(self, path: str, information: int, descriptor: bytes) -> None:
        """``SetFileSecurityW``, with a self-relative security descriptor."""

    def create_directory(self, path: str, descriptor: bytes) -> None:
        """``CreateDirectoryW``, with a self-relative security descriptor."""


class HostBackend(EventLogBackend, Protocol):
    """The calls of a process that hosts services."""

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        """``StartServiceCtrlDispatcherW``: connect to the system; return after all services.

        A service with its own process is started under any name in the table.
        """

    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        """``RegisterServiceCtrlHandlerExW``, from the main function: the status handle."""

    def set_service_status(self, handle: int, row: StatusRow) -> None:
        """``SetServiceStatus``, with the status handle of a service of this process."""

    def query_start_reason(self, handle: int) -> int:
        """``QueryServiceDynamicInformation``, level ``START_REASON``, with a status handle.

        Windows answers this query only for services of the calling process.
        """

    def get_service_directory(self, handle: int) -> str:
        """``GetServiceDirectory(ServiceDirectoryPersistentState)``, with a status handle."""

    def get_shared_service_directory(self, name: str) -> str:
        """``GetSharedServiceDirectory(ServiceSharedDirectoryPersistentState)``.

        The handle to the service is opened for this call.
        """

    def register_device_notification(self, handle: int, interface: bytes | None) -> int:
        """``RegisterDeviceNotificationW`` for the interfaces of a class (its GUID), or of all."""

    def unregister_device_notification(self, registration: int) -> None:
        """``UnregisterDeviceNotification``."""

    def register_power_setting_notification(self, handle: int, setting: bytes) -> int:
        """``RegisterPowerSettingNotification`` for a setting (its GUID)."""

    def unregister_power_setting_notification(self, registration: int) -> None:
        """``UnregisterPowerSettingNotification``."""

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        """Run *target* in a background thread whose waits use the backend's clock."""

    def new_event(self) -> HostEvent:
        """Create an event that is not set."""

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine as :func:`asyncio.run` does, with timers on the backend's clock."""

    def monotonic(self) -> float:
        """Return the seconds since an arbitrary point, as :func:`time.monotonic` does."""


class ProcessBackend(Protocol):
    """Queries about the calling process."""

    def is_service_process(self) -> bool:
        """Return whether the service control manager started the calling process."""

    def is_elevated(self) -> bool:
        """``GetTokenInformation(TokenElevation)`` for the calling process."""


class ServiceBackend(NotificationBackend, Protocol):
    """The calls of the service control manager, with the notifications, texts and time.

    The object API requires these calls; see :class:`Backend` for the rest.
    """

    def capabilities(self, machine: str | None) -> Capabilities:
        """Return the abilities for a machine (None is this one), without a call to it."""

    def open_sc_manager(self, machine: str | None, database: str | None, access: int) -> int:
        """``OpenSCManagerW``."""

    def close_service_handle(self, handle: int) -> None:
        """``CloseServiceHandle``."""

    def enum_services_status_ex(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[Sequence[EnumRow], int]:
        """``EnumServicesStatusExW``: one page, and the start of the next page (0 for none)."""

    def open_service(self, manager: int, name: str, access: int) -> int:
        """``OpenServiceW``."""

    def create_service(
        self,
        manager: int,
        name: str,
        display_name: str | None,
        access: int,
        service_type: int,
        start_type: int,
        error_control: int,
        binary_path: str,
        load_order_group: str | None,
        assign_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
    ) -> tuple[int, int | None]:
        """``CreateServiceW``: the handle, and the tag if one was requested."""

    def delete_service(self, service: int) -> None:
        """``DeleteService``."""

    def query_service_status_ex(self, service: int) -> StatusRow:
        """``QueryServiceStatusEx``."""

    def query_service_config(self, service: int) -> ConfigRow:
        """``QueryServiceConfigW``."""

    def query_configs(self, manager: int, names: Sequence[str]) -> Sequence[ConfigRow | None]:
        """``OpenServiceW``, ``QueryServiceConfigW`` and ``CloseServiceHandle`` for each name.

        None for a service that cannot be read in this way; a single query reports the error. A
        backend that has no faster way returns None for every name.
        """

    def start_service(self, service: int, arguments: Sequence[str]) -> None:
        """``StartServiceW``; the system adds the service's name before the arguments."""

    def control_service(self, service: int, control: int) -> StatusRow:
        """``ControlService``; pid and flags are 0, because ``SERVICE_STATUS`` lacks them."""

    def change_service_config(
        self,
        service: int,
        service_type: int,
        start_type: int,
        error_control: int,
        binary_path: str | None,
        load_order_group: str | None,
        assign_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
        display_name: str | None,
    ) -> int | None:
        """``ChangeServiceConfigW``: the tag if one was requested.

        0xFFFFFFFF (``SERVICE_NO_CHANGE``) and None keep the present value.
        """

    def control_service_ex(
        self, service: int, control: int, reason: int, comment: str | None
    ) -> StatusRow:
        """``ControlServiceExW``."""

    def enum_dependent_services(self, service: int, state: int) -> list[EnumRow]:
        """``EnumDependentServicesW``; pid and flags are 0."""

    def get_service_display_name(self, manager: int, name: str) -> str:
        """``GetServiceDisplayNameW``."""

    def get_service_key_name(self, manager: int, display_name: str) -> str:
        """``GetServiceKeyNameW``."""

    def lock_service_database(self, manager: int) -> int:
        """``LockServiceDatabase``: the lock."""

    def unlock_service_database(self, lock: int) -> None:
        """``UnlockServiceDatabase``."""

    def query_service_lock_status(self, manager: int) -> LockRow:
        """``QueryServiceLockStatusW``."""

    def notify_boot_config_status(self, acceptable: bool) -> None:
        """``NotifyBootConfigStatus``."""

    def query_service_object_security(self, handle: int, information: int) -> bytes:
        """``QueryServiceObjectSecurity``: a self-relative security descriptor."""

    def set_service_object_security(self, handle: int, information: int, descriptor: bytes) -> None:
        """``SetServiceObjectSecurity``, with a self-relative security descriptor."""

    # ---------------------------------- QueryServiceConfig2W and ChangeServiceConfig2W, by level

    def query_description(self, service: int) -> str | None:
        """``SERVICE_CONFIG_DESCRIPTION``."""

    def change_description(self, service: int, description: str | None) -> None:
        """``SERVICE_CONFIG_DESCRIPTION``; None keeps the text, "" removes it."""

    def query_failure_actions(self, service: int) -> FailureActionsRow:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def change_failure_actions(self, service: int, row: FailureActionsRow) -> None:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def query_config_number(self, service: int, level: int) -> int:
        """Query a level that is a single number."""

    def change_config_number(self, service: int, level: int, number: int) -> None:
        """Change a level that is a single number."""

    def query_required_privileges(self, service: int) -> tuple[str, ...] | None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def change_required_privileges(self, service: int, privileges: Sequence[str]) -> None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def query_triggers(self, service: int) -> tuple[TriggerRow, ...]:
        """``SERVICE_CONFIG_TRIGGER_INFO``."""

    def change_triggers(self, service: int, triggers: Sequence[TriggerRow]) -> None:
        """``SERVICE_CONFIG_TRIGGER_INFO``; replaces all triggers."""

    def query_preferred_node(self, service: int) -> PreferredNodeRow:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""

    def change_preferred_node(self, service: int, row: PreferredNodeRow) -> None:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""

    # ---------------------------------- texts

    def format_message(self, code: int) -> str | None:
        """Return the system's text for an error code; None if there is none."""

    # ---------------------------------- time; a simulated system has its own clock

    def sleep(self, seconds: float) -> None:
        """Wait as :func:`time.sleep` does."""

    def monotonic(self) -> float:
        """Return the time in seconds, from any point, as :func:`time.monotonic` does."""


class Backend(
    ServiceBackend,
    DesktopBackend,
    HostBackend,
    ProcessBackend,
    EventSourceBackend,
    AccountBackend,
    Protocol,
):
    """All calls: services, desktops, hosted services, this process, event log and accounts."""

    # ---------------------------------- older calls, which only winsvc.win32service uses

    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        """``EnumServicesStatusW``: one page and the start of the next; pid and flags are 0."""

    def query_service_status(self, service: int) -> StatusRow:
        """``QueryServiceStatus``; pid and flags are 0, because ``SERVICE_STATUS`` lacks them."""


_in_use: list[Backend] = []  # the last one replaces the system's own


@contextmanager
def use_backend(backend: Backend) -> Iterator[None]:
    """Make a backend the default of all threads within the ``with`` block."""
    _in_use.append(backend)
    try:
        yield
    finally:
        # Not pop(): scopes of two threads may end in any order.
        del _in_use[max(i for i, item in enumerate(_in_use) if item is backend)]


def default_backend() -> Backend:
    """Return the default backend: the one of :func:`use_backend`, or else the system's own.

    Raises:
        UnsupportedError: this system is not Windows, and no backend is in use.
    """
    return _in_use[-1] if _in_use else _system()


def resolve_backend(backend: T | None) -> T | Backend:
    """Return the backend itself, or :func:`default_backend` for None.

    Raises:
        UnsupportedError: the backend is None, and :func:`default_backend` finds none.
    """
    return default_backend() if backend is None else backend


@cache
def _system() -> Backend:
    if sys.platform == "win32":
        from winsvc._native import NativeBackend  # loads the compiled module

        return NativeBackend()
    else:  # noqa: RET505  # mypy would report an unreachable line
        raise UnsupportedError(
            ErrorCode.CALL_NOT_IMPLEMENTED,
            "",
            f"there is no service control manager on {sys.platform}, and no window station",
            hint=(
                "Use a simulated SCM (winsvc.testing.SimulatedSCM), or run the program in the "
                "project's lab, which has a real one: make shell."
            ),
        )
