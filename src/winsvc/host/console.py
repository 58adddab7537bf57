"""Running services in a console: no service manager, nothing installed, no rights needed."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from winsvc._util.realtime import RealTime
from winsvc._values.rows import StatusRow
from winsvc._values.status import ServiceStatus
from winsvc.backend import ControlHandler, ServiceMain
from winsvc.enums import AcceptedControls, Control, ErrorCode, StartReason, State
from winsvc.errors import UnsupportedError
from winsvc.host.definition import ServiceBase
from winsvc.host.events import CUSTOM_CONTROLS
from winsvc.host.failures import FailureReport
from winsvc.host.handlers import HANDLERS
from winsvc.host.process import HostProcess

__all__ = ["debug"]

_KEYS: Final = {
    "s": Control.STOP,
    "p": Control.PAUSE,
    "c": Control.CONTINUE,
    "i": Control.INTERROGATE,
}
_HELP: Final = (
    "Ctrl-C or s: stop, p: pause, c: continue, i: interrogate, 128 to 255: custom control"
)


def debug(services: Sequence[type[ServiceBase]], arguments: Sequence[str] = ()) -> int:
    """Run services here, until they have stopped; on the main thread.

    What they report is shown on stderr, as is what would go to the event log. Ctrl-C stops them;
    pressed again it ends the process (130), whatever it is doing, and shows where that was. Keys
    (lines, where stdin is no console) send the other controls.

    Args:
        services: the services, as for :func:`winsvc.host.run`.
        arguments: what they are started with.

    Returns:
        0, or 1 if one has ended with an exit code.
    """
    if not logging.getLogger().handlers:
        logging.basicConfig(level=min(kind.log_level for kind in services))
    console = _Console([kind.name for kind in services], arguments)
    console.show(_HELP)
    process = HostProcess(console.names, console, FailureReport(console))
    with console.listening():
        process.serve(services)
    return int(any(status.exit_code for status in console.last.values()))


class _Console(RealTime):
    """The service manager of a console, with the functions that a service needs."""

    def __init__(self, names: Sequence[str], arguments: Sequence[str]) -> None:
        self.names = list(names)
        self.last: dict[int, ServiceStatus] = {}
        self._arguments = list(arguments)
        self._hosted: list[tuple[str, ControlHandler]] = []  # a handle is a place in it, from 1
        self._lock = threading.Lock()
        self._early: list[int] = []  # controls that came before all services could take one
        self._heard = 0  # presses of Ctrl-C, as the thread counts them,
        self._handled = 0  # and as the signal handler does
        self._stopping = False

    # ------------------------------------------------------------------- the backend of a host

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        threads = [
            threading.Thread(target=main, args=([name, *self._arguments],), daemon=True)
            for name, (_, main) in zip(self.names, table, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        with self._lock:
            self._hosted.append((name, handler))
            return len(self._hosted)

    def set_service_status(self, handle: int, row: StatusRow) -> None:
        status = ServiceStatus.from_row(row)
        with self._lock:
            before, self.last[handle] = self.last.get(handle), status
        text = f"{self._hosted[handle - 1][0]}: {status.state.name}"
        if row.wait_hint:
            text += f", check point {row.check_point}, wait hint {row.wait_hint / 1000:g} s"
        if status.state is State.STOPPED:
            text += f", exit code {status.exit_code}"
            if status.service_exit_code:
                text += f", service-specific exit code {status.service_exit_code}"
        if before != status:
            self.show(text)
        if before is None and len(self.last) == len(self.names):
            # Not here: the service holds its lock while it reports.
            self.start_thread(self._send_early, "winsvc: early controls")

    def query_start_reason(self, handle: int) -> int:
        return int(StartReason.DEMAND)

    def get_service_directory(self, handle: int) -> str:
        raise _no_directory("GetServiceDirectory")

    def get_shared_service_directory(self, name: str) -> str:
        raise _no_directory("GetSharedServiceDirectory")

    def register_device_notification(self, handle: int, interface: bytes | None) -> int:
        self.show("device notifications are sent to installed services only")
        return 0

    def unregister_device_notification(self, registration: int) -> None:
        pass

    def register_power_setting_notification(self, handle: int, setting: bytes) -> int:
        self.show("power setting notifications are sent to installed services only")
        return 0

    def unregister_power_setting_notification(self, registration: int) -> None:
        pass

    def register_event_source(self, source: str) -> int:
        return 0

    def deregister_event_source(self, handle: int) -> None:
        pass

    def report_event(
        self,
        handle: int,
        event_type: int,
        category: int,
        event_id: int,
        strings: Sequence[str],
        data: bytes,
    ) -> None:
        for text in strings:
            self.show(text)

    # ------------------------------------------------------------------- who sits before it

    def show(self, text: str) -> None:
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)

    def send(self, control: int) -> None:
        """Send a control to every service that takes it now."""
        with self._lock:
            if len(self.last) < len(self.names):
                self._early.append(control)
                return
            hosted = [(*pair, self.last.get(handle)) for handle, pair in enumerate(self._hosted, 1)]
        for name, handler, status in hosted:
            if status is None or status.state is State.STOPPED:
                continue
            if takes(status.controls_accepted, control):
                handler(control, 0, b"")
            else:
                shown = str(control) if control in CUSTOM_CONTROLS else Control(control).name
                self.show(f"{name}: does not accept {shown} in state {status.state.name}")

    def _send_early(self) -> None:
        for control in self._early:
            self.send(control)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to the keyboard, and to Ctrl-C if this is the main thread."""
        threading.Thread(target=self._read_keys, name="winsvc: keys", daemon=True).start()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        # What main() waits for may not end for a signal (no lock does on Windows): hence a
        # thread, which the system's own handler wakes.
        heard, wakes = socket.socketpair()
        wakes.setblocking(False)
        threading.Thread(target=self._stop_when_heard, args=(heard,), daemon=True).start()
        handler = signal.signal(signal.SIGINT, self._pressed)
        wakeup = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            signal.signal(signal.SIGINT, handler)
            wakes.close()

    def _stop_when_heard(self, heard: socket.socket) -> None:
        with heard:
            while signals := heard.recv(64):
                self._heard += signals.count(signal.SIGINT)
                self._interrupt(self._heard)

    def _pressed(self, number: int, frame: FrameType | None) -> None:
        self._handled += 1
        # asyncio may have taken the wake-up for itself. Not here: what this thread was doing when
        # the signal came may hold a lock that reporting needs.
        presses = self._handled
        threading.Thread(target=self._interrupt, args=(presses,), daemon=True).start()

    def _interrupt(self, presses: int) -> None:
        """Ctrl-C, of which either may hear first."""
        if presses > 1:
            self.show("Ctrl-C was pressed again: the process ends without stopping the service")
            faulthandler.dump_traceback(all_threads=True)
            os._exit(130)
        with self._lock:
            first, self._stopping = not self._stopping, True
        if first:
            self.send(Control.STOP)

    def _read_keys(self) -> None:
        for key in _keys():
            if key.isdecimal() and int(key) in CUSTOM_CONTROLS:
                self.send(int(key))
            elif key in _KEYS:
                self.send(_KEYS[key])
            else:
                self.show(_HELP)


def _no_directory(function: str) -> UnsupportedError:
    return UnsupportedError(
        ErrorCode.CALL_NOT_IMPLEMENTED, function, "a service has no directory in a console"
    )


def takes(accepted: AcceptedControls, control: int) -> bool:
    """Return whether a service that accepts these controls receives this control."""
    if control in CUSTOM_CONTROLS or control == Control.INTERROGATE:
        return True
    return bool(accepted & HANDLERS[Control(control)].accepts)


def _keys() -> Iterator[str]:
    """Yield the typed keys, and numbers as a whole; without a console yield lines."""
    if sys.stdin is None:
        return
    if sys.platform == "win32" and sys.stdin.isatty():
        import msvcrt

        number = ""
        while True:
            key = msvcrt.getwch().lower()
            number = number + key if key.isdecimal() else ""
            if not number:
                yield "s" if key == "\x03" else key  # Ctrl-C, while this waits for a key
            elif len(number) == 3:
                yield number
                number = ""
    for line in sys.stdin:
        yield line.strip().lower()
