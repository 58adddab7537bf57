"""Reports of the failures of services, in the event log and in a file."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from winsvc.backend import EventLogBackend
from winsvc.enums import EventType
from winsvc.host.eventlog import EventSource, without_middle

__all__ = ["FailureReport"]

FILE_LIMIT: Final = 1024 * 1024
"""The maximum length of the file, in bytes; then its older half is cut off."""

EVENT_ID: Final = 1

_LONGEST_ENTRY: Final = FILE_LIMIT // 16  # in UTF-16 code units, of three bytes at most

# The packages with the frames between the start of the thread and the service's own code.
_BELOW: Final = ("winsvc", "asyncio", "threading", "concurrent", "contextlib", "runpy", "importlib")


class FailureReport:
    """Writes down why a service failed, wherever that is possible; never raises.

    It goes straight to the event log, whether or not the program logs there, too.
    """

    def __init__(self, backend: EventLogBackend, file: Path | None = None) -> None:
        """Write to the event log, and to the end of a file, which is created when it is needed."""
        self._backend = backend
        self._file = file
        self._lock = threading.Lock()

    def failed(self, service: str, where: str, error: BaseException) -> None:
        """Write down an exception with its traceback.

        One error event of the source that is called like the service, and the same with the time
        in the file. A failure to write to either does not prevent the other; if both fail, it goes
        to ``stderr``.

        Args:
            service: the service's name.
            where: what failed, such as ``"on_pause()"``.
            error: the exception. Its frames in this library are left out.
        """
        text = f"{service}: {where} failed: {_summary(error)}\n\n{_trace(error)}"
        logged = self._to_event_log(service, text)
        filed = self._to_file(text)
        if not logged and not filed:
            _to_stderr(text)

    def _to_event_log(self, service: str, text: str) -> bool:
        try:
            with closing(EventSource(service, self._backend)) as source:
                source.write(EventType.ERROR, EVENT_ID, text)
        except Exception:
            return False
        return True

    def _to_file(self, text: str) -> bool:
        if self._file is None:
            return False
        try:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            entry = f"{now} {without_middle(text, _LONGEST_ENTRY).rstrip()}\n\n"
            content = entry.replace("\n", os.linesep).encode("utf-8", "backslashreplace")
            with self._lock:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("ab") as file:
                    if file.tell() + len(content) <= FILE_LIMIT:
                        file.write(content)
                        return True
                with self._file.open("r+b") as file:
                    _cut_older_half(file)
                    file.write(content)
        except Exception:
            return False
        return True


def _cut_older_half(file: BinaryIO) -> None:
    """Leave the end of a file that is too long, from the start of a line on.

    In place, and not with :class:`logging.handlers.RotatingFileHandler`: that renames the file,
    which fails on Windows while another process has it open, such as an editor or a service
    with the same file.
    """
    file.seek(-(FILE_LIMIT // 2), os.SEEK_END)
    kept = file.read()
    kept = kept[kept.find(b"\n") + 1 :]
    file.seek(0)
    file.write(f"[older entries were removed]{os.linesep}".encode() + kept)
    file.truncate()


def _to_stderr(text: str) -> None:
    try:
        if sys.stderr is not None:  # a program without a console has none
            print(text, file=sys.stderr, flush=True)
    except Exception:
        pass


def _summary(error: BaseException) -> str:
    """``"TypeName: message"``, in one line."""
    name = type(error).__qualname__
    try:
        lines = str(error).strip().splitlines()
    except BaseException:  # whatever its own __str__ does
        return f"{name}: <its message is not available>"
    return f"{name}: {lines[0]}" if lines else name


def _trace(error: BaseException) -> str:
    """Format the traceback as Python does, from the first frame outside this library on."""
    try:
        trace = traceback.TracebackException(type(error), error, _own_frames(error))
        return "".join(trace.format())
    except Exception:
        return "<its traceback is not available>\n"


def _own_frames(error: BaseException) -> TracebackType | None:
    frame = error.__traceback__
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__", ""))
        if module.split(".")[0] not in _BELOW:
            return frame
        frame = frame.tb_next
    return error.__traceback__
