"""What stands below the object API: one method per Windows call, in plain Python types.

A backend takes and gives ints, strings (None is NULL), bytes and the rows of
:mod:`winsvc._values.rows`. It owns buffers and their growing, and raises the typed error of
:mod:`winsvc.errors` with the function's name and code; who called on which machine is filled in
above it. Handles are bare ints here: a caller that has none that is open must not call.
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
    "Backend",
    "Capabilities",
    "ControlHandler",
    "DesktopBackend",
    "EventLogBackend",
    "EventSourceBackend",
    "FileBackend",
    "HostBackend",
    "HostEvent",
    "NotificationBackend",
    "ProcessBackend",
    "ProcessEnded",
    "ServiceBackend",
    "ServiceMain",
    "default_backend",
    "resolve_backend",
    "use_backend",
]

T = TypeVar("T")

ServiceMain: TypeAlias = Callable[[list[str]], None]
"""What the system calls when a service is started, with its name and the start's arguments.

On a thread of the system's. It comes back when the service has stopped, and raises nothing.
"""

ControlHandler: TypeAlias = Callable[[int, int, bytes], int]
"""What the system calls with each control: its code, the type of the event, a copy of its data.

On any thread. It answers with an error code at once (0: done or taken), and raises nothing.
"""


class DesktopBackend(Protocol):
    """The calls of the window-station and desktop API.

    ``inherit`` and ``descriptor`` of what is made go into its ``SECURITY_ATTRIBUTES``; without a
    descriptor (self-relative bytes) the system gives it the default one.
    """

    # ---------------------------------------------------------------------- window stations

    def enum_window_stations(self) -> list[str]:
        """``EnumWindowStationsW``."""

    def open_window_station(self, name: str | None, inherit: bool, access: int) -> int:
        """``OpenWindowStationW``."""

    def create_window_station(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateWindowStationW``; a name of None or "" is made of the logon id."""

    def close_window_station(self, station: int) -> None:
        """``CloseWindowStation``."""

    def get_process_window_station(self) -> int:
        """``GetProcessWindowStation``: a handle that is not to be closed."""

    def set_process_window_station(self, station: int) -> None:
        """``SetProcessWindowStation``."""

    def enum_desktops(self, station: int) -> list[str]:
        """``EnumDesktopsW``; with 0 some systems list window stations instead."""

    # ---------------------------------------------------------------------- desktops

    def open_desktop(self, name: str | None, flags: int, inherit: bool, access: int) -> int:
        """``OpenDesktopW``: in the process's window station."""

    def open_input_desktop(self, flags: int, inherit: bool, access: int) -> int:
        """``OpenInputDesktop``."""

    def create_desktop(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateDesktopW``: in the process's window station."""

    def close_desktop(self, desktop: int) -> None:
        """``CloseDesktop``."""

    def get_current_thread_id(self) -> int:
        """``GetCurrentThreadId``."""

    def get_thread_desktop(self, thread_id: int) -> int:
        """``GetThreadDesktop``: a handle that is not to be closed."""

    def set_thread_desktop(self, desktop: int) -> None:
        """``SetThreadDesktop``: of the thread that calls."""

    def switch_desktop(self, desktop: int) -> None:
        """``SwitchDesktop``."""

    def enum_desktop_windows(self, desktop: int) -> list[int]:
        """``EnumDesktopWindows``: the top-level windows; 0 means the thread's own desktop."""

    def get_window_text(self, window: int) -> str:
        """``InternalGetWindowText``: unlike ``GetWindowTextW`` it waits for no other thread."""

    def get_class_name(self, window: int) -> str:
        """``GetClassNameW``: the name of a window's class."""

    # ---------------------------------------------------------------------- both

    def query_user_object_flags(self, user_object: int) -> UserObjectFlagsRow:
        """``GetUserObjectInformationW(UOI_FLAGS)``."""

    def query_user_object_text(self, user_object: int, index: int) -> str:
        """``GetUserObjectInformationW`` with an index that gives a text (2 and 3)."""

    def query_user_object_number(self, user_object: int, index: int) -> int:
        """``GetUserObjectInformationW`` with an index that gives a number (5 and 6)."""

    def query_user_object_sid(self, user_object: int) -> bytes | None:
        """``GetUserObjectInformationW(UOI_USER_SID)``; None where it has no user."""

    def set_user_object_flags(self, user_object: int, row: UserObjectFlagsRow) -> None:
        """``SetUserObjectInformationW(UOI_FLAGS)``."""

    def get_user_object_security(self, user_object: int, information: int) -> bytes:
        """``GetUserObjectSecurity``: a self-relative security descriptor."""

    def set_user_object_security(
        self, user_object: int, information: int, descriptor: bytes
    ) -> None:
        """``SetUserObjectSecurity``, with a self-relative security descriptor."""


class NotificationBackend(Protocol):
    """Waiting until something happens to services: a waiter is told of it, by many handles.

    A handle is used with one waiter, for nothing else, and ends with :meth:`disarm`. One thread at
    a time may use a waiter; only :meth:`wake` may come from any thread.
    """

    def open_waiter(self) -> int:
        """A new waiter, which nothing is told yet."""

    def close_waiter(self, waiter: int) -> None:
        """The waiter is needed no more; its handles are disarmed first."""

    def arm(self, waiter: int, handle: int, mask: int) -> None:
        """``NotifyServiceStatusChangeW``: have the next event of the mask told, once.

        At once, where a service has been in a state of the mask since its last change, and the
        handle has not told so. The handle is a service's or a manager's. It must not be armed
        already: what it tells has to be taken first.
        """

    def subscribe(self, waiter: int, handle: int) -> None:
        """``SubscribeServiceChangeNotifications``: have every change of its configuration told.

        Such a row has ``triggered`` 0.
        """

    def disarm(self, waiter: int, handle: int) -> None:
        """``CloseServiceHandle``, which ends what was armed: the handle tells nothing more."""

    def wait_notified(
        self, waiter: int, timeout: float | None
    ) -> list[tuple[int, NotificationRow]]:
        """What the waiter's handles have told, in its order; waits until there is something.

        Nothing after ``timeout`` seconds (None: never), or when it was woken; now and then
        without a reason. On the main thread a signal handler gets its turn, and may raise.
        """

    def wake(self, waiter: int) -> None:
        """Have the wait that is on, or else the next one, return."""


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
    """Raised in the threads of a simulated process that is no more, wherever they wait.

    It lets ``finally`` blocks run, and nobody catches it. What they still ask of the simulated
    system raises it again.
    """


class HostEvent(Protocol):
    """A :class:`threading.Event` whose waits are in the backend's time."""

    def set(self) -> None:
        """Have all waits, now and later, end."""

    def is_set(self) -> bool:
        """Whether it was set."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or so many seconds have passed; whether it is."""


class EventLogBackend(Protocol):
    """Writing to the system's event log."""

    def register_event_source(self, source: str) -> int:
        """``RegisterEventSourceW`` on this machine."""

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
    """The sources of the event log, in the registry."""

    def write_event_source(self, source: str, message_file: str, types: int) -> None:
        """Make, or make anew, a source of the Application log in the registry."""

    def read_event_source(self, source: str, log: str = "Application") -> tuple[str, int] | None:
        """The message file and the types of a log's source; None where there is none."""

    def delete_event_source(self, source: str) -> None:
        """Take a source of the Application log out of the registry, if there is one."""

    def enum_event_logs(self) -> list[str]:
        """The names of the event logs, as the registry has them."""


class FileBackend(Protocol):
    """Files of this machine, and who may do what with them; a simulated one has none."""

    def is_remote_drive(self, root: str) -> bool:
        """``GetDriveTypeW``: whether a drive (its root, with a backslash) is of the network."""

    def get_file_security(self, path: str, information: int) -> bytes:
        """``GetFileSecurityW``: a file's or folder's self-relative security descriptor."""

    def set_file_security(self, path: str, information: int, descriptor: bytes) -> None:
        """``SetFileSecurityW``, with a self-relative security descriptor."""

    def create_directory(self, path: str, descriptor: bytes) -> None:
        """``CreateDirectoryW``: a folder that has this security descriptor from the first."""

    def lookup_account(self, name: str) -> bytes:
        """``LookupAccountNameW``: the SID of an account."""


class HostBackend(EventLogBackend, Protocol):
    """What a process that is a service needs of the system."""

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        """``StartServiceCtrlDispatcherW``: connects to the system, and returns when all is over.

        In a process of its own a service is started whatever name the table has for it.
        """

    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        """``RegisterServiceCtrlHandlerExW``: the status handle. From within the service's main."""

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
        """Have something go on beside; its waits are in the backend's time, too."""

    def new_event(self) -> HostEvent:
        """An event that is not set."""

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        """:func:`asyncio.run`, with timers in the backend's time."""

    def monotonic(self) -> float:
        """The time in seconds, from any point, as :func:`time.monotonic` has it."""


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
        """``EnumServicesStatusExW``: one page, and where the next begins (0: there is none)."""

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
        """``CreateServiceW``: the handle, and the tag where one was wanted."""

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
        """``StartServiceW``; the system puts the service's name before the arguments."""

    def control_service(self, service: int, control: int) -> StatusRow:
        """``ControlService``; process and flags are 0, which ``SERVICE_STATUS`` lacks."""

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
        """``ChangeServiceConfigW``: the tag where one was wanted.

        0xFFFFFFFF (``SERVICE_NO_CHANGE``) and None keep what is there.
        """

    def control_service_ex(
        self, service: int, control: int, reason: int, comment: str | None
    ) -> StatusRow:
        """``ControlServiceExW``."""

    def enum_dependent_services(self, service: int, state: int) -> list[EnumRow]:
        """``EnumDependentServicesW``; process and flags are 0."""

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
        """``SERVICE_CONFIG_DESCRIPTION``; None keeps it, "" removes it."""

    def query_failure_actions(self, service: int) -> FailureActionsRow:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def change_failure_actions(self, service: int, row: FailureActionsRow) -> None:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def query_config_number(self, service: int, level: int) -> int:
        """A level that is a single number."""

    def change_config_number(self, service: int, level: int, number: int) -> None:
        """A level that is a single number."""

    def query_required_privileges(self, service: int) -> tuple[str, ...] | None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def change_required_privileges(self, service: int, privileges: Sequence[str]) -> None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def query_triggers(self, service: int) -> tuple[TriggerRow, ...]:
        """``SERVICE_CONFIG_TRIGGER_INFO``."""

    def change_triggers(self, service: int, triggers: Sequence[TriggerRow]) -> None:
        """``SERVICE_CONFIG_TRIGGER_INFO``; replaces them all."""

    def query_preferred_node(self, service: int) -> PreferredNodeRow:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""

    def change_preferred_node(self, service: int, row: PreferredNodeRow) -> None:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""

    # ---------------------------------- what belongs to no call

    def format_message(self, code: int) -> str | None:
        """What the system says about an error code, to the letter; None where it has no text."""

    # ---------------------------------- time, which a simulated system has of its own

    def sleep(self, seconds: float) -> None:
        """Wait, as :func:`time.sleep` does."""

    def monotonic(self) -> float:
        """Return the time in seconds, from any point, as :func:`time.monotonic` does."""


class Backend(
    ServiceBackend, DesktopBackend, HostBackend, ProcessBackend, EventSourceBackend, Protocol
):
    """All calls: service control manager, desktops, hosted services and event log."""

    # ---------------------------------- older calls, which only the drop-in makes

    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        """``EnumServicesStatusW``: a page as above; process and flags are 0."""

    def query_service_status(self, service: int) -> StatusRow:
        """``QueryServiceStatus``; process and flags are 0, which ``SERVICE_STATUS`` lacks."""


_in_use: list[Backend] = []  # instead of the system's own, the last one first


@contextmanager
def use_backend(backend: Backend) -> Iterator[None]:
    """Have a backend be the one that is used where none is given, in every thread."""
    _in_use.append(backend)
    try:
        yield
    finally:
        # Not pop(): scopes of two threads may end in any order.
        del _in_use[max(i for i, one in enumerate(_in_use) if one is backend)]


def default_backend() -> Backend:
    """The backend that is used where none is given: that in use, or the system's own.

    Raises:
        UnsupportedError: this is not Windows.
    """
    return _in_use[-1] if _in_use else _system()


def resolve_backend(backend: T | None) -> T | Backend:
    """Return the given backend, or :func:`default_backend` for None.

    Raises:
        UnsupportedError: None is given, and this is not Windows.
    """
    return default_backend() if backend is None else backend


@cache
def _system() -> Backend:
    if sys.platform == "win32":
        from winsvc._native import NativeBackend  # the compiled module loads only where it is used

        return NativeBackend()
    else:  # noqa: RET505  # so that mypy sees two platforms, not an unreachable line
        raise UnsupportedError(
            ErrorCode.CALL_NOT_IMPLEMENTED,
            "",
            f"there is no service control manager on {sys.platform}, and no window station",
            hint=(
                "Use a simulated SCM (winsvc.testing.SimulatedSCM), or run this in the project's "
                "lab, which has a real one: make shell."
            ),
        )
