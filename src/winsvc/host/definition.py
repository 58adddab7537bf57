"""A service as its author writes it."""

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


class ServiceExit(Exception):
    """Raised in a service's ``main()``: it ends with an exit code.

    Args:
        exit_code: a Windows error code, such as 2.
        service_exit_code: a code of the service's own; the Windows code is then 1066.
    """

    def __init__(self, exit_code: int = 0, *, service_exit_code: int = 0) -> None:
        self.exit_code = check_dword(exit_code, "exit_code")
        self.service_exit_code = check_dword(service_exit_code, "service_exit_code")
        super().__init__(exit_code)

    def __str__(self) -> str:
        if self.service_exit_code:
            return f"the service ends with its own exit code {self.service_exit_code}"
        return f"the service ends with exit code {self.exit_code}"


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
    """A Windows service in Python::

        class Beat(ServiceBase):
            name, display_name = "beat", "Heartbeat"

            def main(self) -> None:
                self.report_running()
                while not self.stop_requested.wait(5):
                    log.info("beat")

        if __name__ == "__main__":
            run(Beat)

    ``main()`` is the service: it is called on the main thread, and the service stops when it
    comes back. It may be ``async def``. Each start makes an object anew, by ``__init__(self)``.

    The other methods are optional. Those named after a control are called, one after the other, on
    a thread beside ``main()``, or in its event loop if it is ``async def``; there they may be
    ``async``, too. Which controls the service accepts follows from which of them it has:

    ========================  =====================================================================
    ``on_stop(self)``         STOP, which is always accepted. ``stop_requested`` is set before.
    ``on_pause(self)``        PAUSE: the service is paused when it comes back.
    ``on_continue(self)``     CONTINUE: the service is running again when it comes back.
    ``on_shutdown(self)``     SHUTDOWN: the system goes down, in about 5 seconds. As STOP.
    ``on_preshutdown(self)``  PRESHUTDOWN: the system will go down, and waits for the service, up to
                              its ``preshutdown_timeout``. As STOP. Have one of the two: after a
                              PRESHUTDOWN there is hardly ever a SHUTDOWN.
    ``on_interrogate(self)``  INTERROGATE, which is always answered.
    ``on_param_change(self)`` PARAM_CHANGE: its parameters have changed.
    ``on_trigger(self)``      TRIGGER_EVENT: one of its triggers, while it runs.
    ``on_custom(self, e)``    128 to 255: :class:`~winsvc.host.CustomControl`
    ``on_session_change``     :class:`~winsvc.host.SessionChange`: logon, logoff, lock and so on
    ``on_power``              :class:`~winsvc.host.PowerEvent`, and those of :meth:`watch_power`
    ``on_device``             :class:`~winsvc.host.DeviceEvent`, those of :meth:`watch_devices`
    ``on_hardware_profile``   :class:`~winsvc.host.HardwareProfileChange`
    ``on_time_change``        :class:`~winsvc.host.TimeChange`: the clock was set
    ========================  =====================================================================

    An exception that on_exit ``main()`` or a handler goes to the event log with its traceback, and
    the service ends with exit code 1064, after a failing handler once ``main()`` has come back. To
    end with another code, raise :class:`ServiceExit` in ``main()``; ``sys.exit(3)`` there ends it
    with 1066 and its own code 3.

    Attributes:
        name: the key name.
        display_name: the name for people; ``name`` if it is "".
        description: a text for people.
        settings: what else it is installed with: start type, account, failure actions and so on.
        start_wait_hint: how long it usually takes from the start until it reports something.
        stop_wait_hint: how long it usually takes to stop.
        log_level: the level from which records of :mod:`logging` go to the event log, unless the
            program has set up logging itself.
        arguments: what it was started with, without its name.
        stop_requested: set when it is to stop.
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
        """What the service does; it has stopped when this comes back."""
        raise NotImplementedError(f"{type(self).__qualname__} has no main()")

    # ------------------------------------------------------------------- how it stands

    @property
    def state(self) -> State:
        """How the service stands, as it was reported last."""
        return self._attached().reporter.state

    def report_running(self) -> None:
        """Report that the start is over: the service does what it is for.

        Until then it is starting, and who started it waits. Nothing happens where it is running,
        paused, or is to stop already. ``SetServiceStatus``.
        """
        self._attached().reporter.settle(State.RUNNING, only_from=State.START_PENDING)

    def request_additional_time(self, seconds: Duration) -> None:
        """Ask for so much more time, while the service is starting, stopping, pausing or going on.

        Each call is a step forward (a check point); without one within the time that was said
        last, the system and others take the service for hung.

        Raises:
            RuntimeError: the service is running, paused or not there: nobody waits.
        """
        reporter = self._attached().reporter
        if not reporter.step(seconds):
            raise RuntimeError(
                f"the service is {reporter.state.name}: the system waits for it only while it "
                "starts, stops, pauses or goes on"
            )

    @contextmanager
    def pending_operation(self, doing: str = "", *, hint: Duration = 30) -> Iterator[None]:
        """Say that what is in the ``with`` block may take as long as ``hint``.

        ::

            with self.pending_operation("loading the index", hint=120):
                index = load()

        For parts of the start, the stop, a pause or its end: one check point when it begins and
        one when it is done. (While the service runs nobody waits, and nothing is reported.)

        Args:
            doing: what it is, for the log.
            hint: how long it may take; a timedelta or seconds.
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
        """Have devices that come and go told to ``on_device``, until the service has stopped.

        Args:
            interface: the class of device interfaces; None for all.

        Raises:
            TypeError: there is no ``on_device()``.
            Win32Error: the system refused (``RegisterDeviceNotificationW``).
        """
        self._attached().watch_devices(interface)

    def watch_power(self, setting: UUID) -> None:
        """Have changes of a power setting told to ``on_power``, until the service has stopped.

        Args:
            setting: such as ``GUID_ACDC_POWER_SOURCE``, 5d3e9a59-e9d5-4b00-a6bd-ff34ff516548.

        Raises:
            TypeError: there is no ``on_power()``.
            Win32Error: the system refused (``RegisterPowerSettingNotification``).
        """
        self._attached().watch_power(setting)

    # ------------------------------------------------------------------- its installation

    @classmethod
    def spec(cls, binary_path: str) -> ServiceSpec:
        """The service as it is to be installed, with this command line."""
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
                f"{self!r} was not started by a service control manager: winsvc.host.run() does "
                "that, or winsvc.testing"
            )
        return self._run


def checked_names(services: Sequence[type[ServiceBase]], name: str | None = None) -> list[str]:
    """The names of a program's services.

    Args:
        services: their classes.
        name: instead of the name of a single one.

    Raises:
        TypeError: there is something else among them.
        ValidationError: there is none, one has no name or one that no service can have, or two have
            the same.
    """
    if not services:
        raise ValidationError("services", "at least one class is needed")
    given: Sequence[object] = services
    for kind in given:
        if not isinstance(kind, type) or not issubclass(kind, ServiceBase):
            raise TypeError(f"services: expected classes of winsvc.host.ServiceBase, not {kind!r}")
    if name is not None:
        if len(services) > 1:
            raise ValidationError("name", "is for a single service; this program has several")
        return [check_service_name(name)]
    for kind in services:
        if not kind.name:
            raise ValidationError("services", f"{kind.__qualname__} has no name")
        check_service_name(kind.name, f"{kind.__qualname__}.name")
    names = [kind.name for kind in services]
    if len(set(map(name_key, names))) < len(names):
        raise ValidationError("services", f"two have the same name: {', '.join(names)}")
    return names
