"""The base class of services."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol
from uuid import UUID

from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration, milliseconds
from winsvc._util.text import name_key
from winsvc._values.names import check_display_name, check_service_name
from winsvc._values.settings import ServiceSpec, Settings
from winsvc.enums import StartReason, State
from winsvc.errors import ValidationError
from winsvc.host.handlers import check_handlers
from winsvc.host.status import StatusReporter
from winsvc.host.stop_request import StopRequest

__all__ = ["RunContext", "ServiceBase", "ServiceExit", "checked_names"]


class ServiceExit(Exception):  # noqa: N818  # a request to stop, not an error
    """Raise it in ``main()`` to stop the service with an exit code.

    Args:
        exit_code: a Windows error code, such as 2.
        service_exit_code: a service-specific exit code; the Windows exit code is then 1066.
    """

    def __init__(self, exit_code: int = 0, *, service_exit_code: int = 0) -> None:
        self.exit_code = check_dword(exit_code, "exit_code")
        self.service_exit_code = check_dword(service_exit_code, "service_exit_code")
        super().__init__(exit_code)

    def __str__(self) -> str:
        if self.service_exit_code:
            return f"the service stops with the service-specific exit code {self.service_exit_code}"
        return f"the service stops with exit code {self.exit_code}"


class RunContext(Protocol):
    """The operations of one run of a service that the service's own methods use."""

    @property
    def reporter(self) -> StatusReporter:
        """The reporter of the service's status."""

    def pending_operation(self, doing: str, hint: Duration) -> AbstractContextManager[None]:
        """See :meth:`ServiceBase.pending_operation`."""

    def start_reason(self) -> StartReason:
        """See :meth:`ServiceBase.start_reason`."""

    def directory(self) -> Path:
        """See :meth:`ServiceBase.directory`."""

    def shared_directory(self) -> Path:
        """See :meth:`ServiceBase.shared_directory`."""

    def watch_devices(self, interface: UUID | None) -> None:
        """See :meth:`ServiceBase.watch_devices`."""

    def watch_power(self, setting: UUID) -> None:
        """See :meth:`ServiceBase.watch_power`."""


class ServiceBase:
    """A Windows service in Python.

    For example::

        class Beat(ServiceBase):
            name, display_name = "beat", "Heartbeat"

            def main(self) -> None:
                self.report_running()
                while not self.stop_requested.wait(5):
                    log.info("beat")

        if __name__ == "__main__":
            run(Beat)

    Each start creates an object with ``__init__(self)`` and calls ``main()`` on the main thread.
    The service stops when ``main()`` returns. It may be ``async def``.

    The other methods are optional. The handlers named after controls are called one after another,
    in a second thread, or in the event loop of ``main()`` if it is ``async def``; handlers may then
    be ``async``, too. The service accepts the controls for which it defines handlers:

    ========================  =====================================================================
    ``on_stop(self)``         STOP, which is always accepted. ``stop_requested`` is already set.
    ``on_pause(self)``        PAUSE: the service is paused when the handler returns.
    ``on_continue(self)``     CONTINUE: the service is running when the handler returns.
    ``on_shutdown(self)``     SHUTDOWN: the system shuts down in about 5 seconds. As STOP.
    ``on_preshutdown(self)``  PRESHUTDOWN: the system will shut down, and waits for the service
                              up to its ``preshutdown_timeout``. As STOP. Define only one of the
                              two: SHUTDOWN rarely follows PRESHUTDOWN.
    ``on_interrogate(self)``  INTERROGATE, which is always accepted.
    ``on_param_change(self)`` PARAM_CHANGE: the parameters of the service have changed.
    ``on_trigger(self)``      TRIGGER_EVENT: a trigger has fired while the service runs.
    ``on_custom(self, e)``    128 to 255: :class:`~winsvc.host.CustomControl`
    ``on_session_change``     :class:`~winsvc.host.SessionChange`: logon, logoff, lock and so on
    ``on_power``              :class:`~winsvc.host.PowerEvent`, and those of :meth:`watch_power`
    ``on_device``             :class:`~winsvc.host.DeviceEvent`, those of :meth:`watch_devices`
    ``on_hardware_profile``   :class:`~winsvc.host.HardwareProfileChange`
    ``on_time_change``        :class:`~winsvc.host.TimeChange`: the clock was set
    ========================  =====================================================================

    An exception in ``main()`` or in a handler is written to the event log with its traceback, and
    the service stops with exit code 1064; after an exception in a handler, when ``main()`` has
    returned. To stop with another code, raise :class:`ServiceExit` in ``main()``. ``sys.exit(3)``
    stops the service with exit code 1066 and the service-specific code 3.

    Attributes:
        name: the key name.
        display_name: the display name; ``name`` if it is "".
        description: the description.
        settings: the other settings of the installation: start type, account, and so on.
        start_wait_hint: how long the service usually takes from its start to its first report.
        stop_wait_hint: how long the service usually takes to stop.
        log_level: the minimum level of :mod:`logging` records that are written to the event log,
            unless the program configures logging.
        arguments: the start arguments, without the name of the service.
        stop_requested: set when the service is to stop.
    """

    name: ClassVar[str] = ""
    display_name: ClassVar[str] = ""
    description: ClassVar[str | None] = None
    settings: ClassVar[Settings] = Settings()
    start_wait_hint: ClassVar[Duration] = 30
    stop_wait_hint: ClassVar[Duration] = 30
    log_level: ClassVar[int] = 20

    arguments: tuple[str, ...]
    stop_requested: StopRequest

    _run: RunContext | None = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if cls.name:
            check_service_name(cls.name)
        check_display_name(cls.display_name)
        check_type(cls.settings, Settings, "settings")
        check_type(cls.description, (str, type(None)), "description")
        check_type(cls.log_level, int, "log_level")
        for hint in ("start_wait_hint", "stop_wait_hint"):
            milliseconds(getattr(cls, hint), hint)
        check_handlers(cls)

    def main(self) -> Coroutine[Any, Any, None] | None:
        """Run the service; it stops when this method returns."""
        raise NotImplementedError(f"{type(self).__qualname__} has no main()")

    # ------------------------------------------------------------------- state

    @property
    def state(self) -> State:
        """The state that was reported last."""
        return self._attached().reporter.state

    def report_running(self) -> None:
        """Report that the service is running.

        Until then the service is starting, and clients wait for it. The call has no effect if the
        service is running or paused, or is about to stop. ``SetServiceStatus``.
        """
        self._attached().reporter.settle(State.RUNNING, only_from=State.START_PENDING)

    def request_additional_time(self, seconds: Duration) -> None:
        """Report progress and request more time for a start, stop, pause or continue.

        Each call increases the check point. If the service does not report within the requested
        time, the system and clients consider it to be hanging.

        Raises:
            RuntimeError: the service is running or paused, or has stopped.
        """
        reporter = self._attached().reporter
        if not reporter.step(seconds):
            raise RuntimeError(
                f"the service is {reporter.state.name}, but additional time can be requested only "
                "while a start, stop, pause or continue is pending"
            )

    @contextmanager
    def pending_operation(self, doing: str = "", *, hint: Duration = 30) -> Iterator[None]:
        """Report that the ``with`` block may take as long as the wait hint.

        ::

            with self.pending_operation("loading the index", hint=120):
                index = load()

        Use it for parts of a start, stop, pause or continue. The check point increases at the start
        and at the end of the block. While the service is running, nothing is reported.

        Args:
            doing: a description of the operation, for the log.
            hint: the wait hint, as a timedelta or in seconds.
        """
        with self._attached().pending_operation(doing, hint):
            yield

    # ------------------------------------------------------------------- queries

    def start_reason(self) -> StartReason:
        """Query why the service was started: on demand, automatically, by a trigger and so on.

        Raises:
            UnsupportedError: the system lacks the call (Wine; Windows before version 8).
            Win32Error: the query failed (``QueryServiceDynamicInformation``).
        """
        return self._attached().start_reason()

    def directory(self) -> Path:
        """Query the directory for the service's own state, which only the service can write.

        Windows creates it, with write access for LocalSystem and the SID of the service. Enable
        that SID: ``settings = Settings(sid_type=SidType.UNRESTRICTED)``.

        Raises:
            UnsupportedError: the system lacks the call (Wine; older Windows versions).
            Win32Error: the query failed (``GetServiceDirectory``).
        """
        return self._attached().directory()

    def shared_directory(self) -> Path:
        """Query the directory that the service shares with its associated programs.

        Administrators can write to it, too; see :meth:`directory`.

        Raises:
            UnsupportedError: the system lacks the call (Wine; older Windows versions).
            Win32Error: the query failed (``GetSharedServiceDirectory``).
        """
        return self._attached().shared_directory()

    # ------------------------------------------------------------------- notifications

    def watch_devices(self, interface: UUID | None = None) -> None:
        """Register for device notifications; ``on_device`` receives them until the service stops.

        Args:
            interface: the class of device interfaces; None for all.

        Raises:
            TypeError: the class defines no ``on_device()``.
            Win32Error: the registration failed (``RegisterDeviceNotificationW``).
        """
        self._attached().watch_devices(interface)

    def watch_power(self, setting: UUID) -> None:
        """Register for changes of a power setting; ``on_power`` receives them.

        Args:
            setting: such as ``GUID_ACDC_POWER_SOURCE``, 5d3e9a59-e9d5-4b00-a6bd-ff34ff516548.

        Raises:
            TypeError: the class defines no ``on_power()``.
            Win32Error: the registration failed (``RegisterPowerSettingNotification``).
        """
        self._attached().watch_power(setting)

    # ------------------------------------------------------------------- its installation

    @classmethod
    def spec(cls, binary_path: str) -> ServiceSpec:
        """Return the specification for the installation, with this command line."""
        given: dict[str, object] = {"display_name": cls.display_name or cls.name}
        if cls.description is not None:
            given["description"] = cls.description
        given |= cls.settings.given()
        if "failure_actions" in given:
            # Else they are not for errors, such as 1064, but for processes that die.
            given.setdefault("failure_actions_on_error", True)
        return ServiceSpec(**{**given, "name": cls.name, "binary_path": binary_path})  # type: ignore[arg-type]

    # ------------------------------------------------------------------- within

    def _attached(self) -> RunContext:
        if self._run is None:
            raise RuntimeError(
                f"{self!r} is not running as a service. Start it through winsvc.host.run() or, in "
                "tests, SimulatedSCM.host()"
            )
        return self._run


def checked_names(services: Sequence[type[ServiceBase]], name: str | None = None) -> list[str]:
    """Check the services of a program; return their names.

    Args:
        services: the classes.
        name: a different name for a single service.

    Raises:
        TypeError: an item is not a subclass of :class:`ServiceBase`.
        ValidationError: there is no class, a name is missing or invalid, or two are the same.
    """
    if not services:
        raise ValidationError("services", "at least one service class is required")
    given: Sequence[object] = services
    for kind in given:
        if not isinstance(kind, type) or not issubclass(kind, ServiceBase):
            raise TypeError(
                f"services: expected subclasses of winsvc.host.ServiceBase, not {kind!r}"
            )
    if name is not None:
        if len(services) > 1:
            raise ValidationError(
                "name", "cannot rename several services; specify it for a single service only"
            )
        return [check_service_name(name)]
    for kind in services:
        if not kind.name:
            raise ValidationError("services", f"{kind.__qualname__} has no name")
        check_service_name(kind.name, f"{kind.__qualname__}.name")
    names = [kind.name for kind in services]
    if len(set(map(name_key, names))) < len(names):
        raise ValidationError("services", f"two services have the same name: {', '.join(names)}")
    return names
