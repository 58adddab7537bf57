"""The Windows event log: a handler for :mod:`logging`, and the sources under which it writes.

A *source* is a name in the registry that leads to a *message file*: a program with a text for each
event id, into which the strings of an event are put. Without one the event viewer shows an
apology, and the strings below it.

The message file here is ``EventCreate.exe``, which comes with Windows. For each id from 1 to 1000
its text is ``%1``: the event's one string, and nothing around it. So the text is clean, no
compiler is necessary, and old events can still be read after a virtual environment or a frozen
program, with its own message file, was deleted.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from winsvc._util.checks import check_dword
from winsvc._util.text import check_text, name_key, same_name
from winsvc.backend import EventLogBackend, EventSourceBackend, default_backend
from winsvc.enums import EventType
from winsvc.errors import ValidationError, Win32Error

__all__ = [
    "MESSAGE_FILE",
    "EventLogHandler",
    "EventSource",
    "check_source",
    "register_source",
    "remove_source",
    "source_problem",
]

MESSAGE_FILE: Final = r"%SystemRoot%\System32\EventCreate.exe"
"""The program that has the events' texts, as written in the registry."""

LAST_EVENT_ID: Final = 1000
"""The highest event id for which the message file has a text; the first is 1."""

LONGEST_TEXT: Final = 30_000
"""The longest text of an event, in UTF-16 code units.

``ReportEventW`` promises 31,839 for a string; but the record also holds the names of the source and
the machine, and with them Windows 10 and 11 refuse what is some hundred shorter than that.
"""

MOST_PARTS: Final = 10
"""A text of more than so many events loses its middle: a runaway must not push out all others."""

_TYPES: Final = EventType.ERROR | EventType.WARNING | EventType.INFORMATION

_LONGEST_SOURCE: Final = 255  # a key of the registry

# What a viewer puts something in for, also where it came with a string: %1, %%1 (from a file of
# parameters), %{...} (the name of a SID or a GUID). There is no way to quote one.
_INSERTION: Final = re.compile(r"%(?=[0-9{])")
_BROKEN: Final = "%\u200b"  # a zero-width space: it reads as before


class EventLogHandler(logging.Handler):
    """Writes log records to the Windows event log.

    ::

        logging.getLogger().addHandler(EventLogHandler("beat", level="WARNING"))
        log.error("no more paper", extra={"event_id": 7})

    Or in the dictionary of :func:`logging.config.dictConfig`::

        "handlers": {"events": {"class": "winsvc.host.EventLogHandler", "source": "beat"}}

    A record is one event: its text is what the formatter makes of it, with the traceback. Errors
    and worse are errors there, warnings are warnings, all others are information. Too long a text
    continues in further events, which are numbered. Nothing is raised where the log cannot be
    written to: :meth:`logging.Handler.handleError` reports it, as with every handler.

    The source need not be registered to be written to, only for its texts to show clean; see
    :func:`register_source`.
    """

    def __init__(
        self,
        source: str,
        *,
        backend: EventLogBackend | None = None,
        level: int | str = logging.NOTSET,
        event_id: int = 1,
    ) -> None:
        """For events of one source. It is opened with the first event.

        Args:
            source: the name under which the events are listed, such as the service's.
            backend: where to write; None for this machine, or the simulated backend in use.
            level: records below it are left out.
            event_id: the id of events whose record has none (``extra={"event_id": 7}``): 1 to 1000.

        Raises:
            ValidationError: no source can have this name, or there is no text for the id.
            UnsupportedError: this is not Windows.
        """
        super().__init__(level)
        self._event_id = _check_event_id(event_id)
        self._source = EventSource(source, backend or default_backend())

    @property
    def source(self) -> str:
        """The name under which the events are listed."""
        return self._source.name

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record (``ReportEventW``)."""
        try:
            self._source.write(_type_of(record), self._id_of(record), self.format(record))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the source (``DeregisterEventSource``).

        What is logged even later, while the interpreter ends, is still written.
        """
        self._source.close()
        super().close()

    def __repr__(self) -> str:
        level = logging.getLevelName(self.level)
        return f"<{type(self).__name__} {self.source!r} ({level})>"

    def _id_of(self, record: logging.LogRecord) -> int:
        """Return the record's id if it has a valid id, otherwise the handler's id."""
        given: object = getattr(record, "event_id", None)
        if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= LAST_EVENT_ID:
            return int(given)
        return self._event_id


class EventSource:
    """Writes texts as events of one source.

    It is opened with the first, and again after an error: the service behind the log may have been
    restarted. Once it was closed it is opened for each event alone. Any thread may write.
    """

    def __init__(self, name: str, backend: EventLogBackend) -> None:
        """For a source of this name; nothing is opened yet.

        Raises:
            ValidationError: no source can have this name.
        """
        self.name = _check_source(name)
        self._backend = backend
        # Re-entrant: a signal handler may log while this thread writes.
        self._lock = threading.RLock()
        self._handle: int | None = None
        self._closed = False

    def write(self, event_type: EventType, event_id: int, text: str) -> None:
        """Write a text as an event, or as several numbered ones if it is too long.

        Raises:
            Win32Error: it could not be opened or written to.
        """
        with self._lock, _naming(self.name):
            try:
                for part in event_texts(text):
                    self._write_part(event_type, event_id, part)
            finally:
                if self._closed:
                    self._forget()

    def close(self) -> None:
        """Close it, whatever the system says to that."""
        with self._lock:
            self._closed = True
            self._forget()

    def _write_part(self, event_type: EventType, event_id: int, text: str) -> None:
        opened = self._handle is None
        if self._handle is None:
            self._handle = self._backend.register_event_source(self.name)
        try:
            self._backend.report_event(self._handle, int(event_type), 0, event_id, [text], b"")
        except Win32Error:
            self._forget()
            if opened:
                raise
            self._write_part(event_type, event_id, text)  # to the source opened again

    def _forget(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                self._backend.deregister_event_source(handle)
            except Win32Error:
                pass  # it is closed already


# ----------------------------------------------------------------------------- texts


def event_texts(text: str) -> list[str]:
    """Return a text as the strings of events, in which nothing is cut off or expanded.

    A NUL, which would end it, is written as an escape.
    """
    text = _INSERTION.sub(_BROKEN, text.replace("\0", r"\x00"))
    if _length(text) <= LONGEST_TEXT:
        return [text]
    room = LONGEST_TEXT - 100  # for the number
    parts = _parts(without_middle(text, MOST_PARTS * room), room)
    return [f"[part {number} of {len(parts)}]\n{part}" for number, part in enumerate(parts, 1)]


def without_middle(text: str, limit: int) -> str:
    """Shorten a text to a number of UTF-16 code units, with a remark in place of its middle.

    The end stays: there a traceback says what it was.
    """
    if _length(text) <= limit:
        return text
    room = (limit - _REMARK_LENGTH) // 2
    first, last = _start(text, room), _start(text[::-1], room)[::-1]
    left_out = len(text) - len(first) - len(last)
    return f"{first}\n[... {left_out} characters omitted ...]\n{last}"


_REMARK_LENGTH: Final = 60


def _start(text: str, limit: int) -> str:
    """Return the longest start of a text that has at most so many UTF-16 code units."""
    part = text[:limit]
    while (excess := _length(part) - limit) > 0:
        part = part[: len(part) - (excess + 1) // 2]  # a character has one unit or two
    return part


def _parts(text: str, room: int) -> list[str]:
    """Split a text into pieces, each of which ends with a line where that is possible."""
    parts: list[str] = []
    while _length(text) > room:
        part = _start(text, room)
        end = part.rfind("\n", len(part) // 2) + 1 or len(part)
        parts.append(text[:end])
        text = text[end:]
    return [*parts, text]


def _length(text: str) -> int:
    """In UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _type_of(record: logging.LogRecord) -> EventType:
    if record.levelno >= logging.ERROR:
        return EventType.ERROR
    return EventType.WARNING if record.levelno >= logging.WARNING else EventType.INFORMATION


def _check_event_id(event_id: int) -> int:
    return check_dword(event_id, "event_id", minimum=1, limit=LAST_EVENT_ID)


# ----------------------------------------------------------------------------- sources


def check_source(source: str, *, backend: EventSourceBackend | None = None) -> None:
    """Refuse what :func:`register_source` would, before anything is done.

    Raises:
        ValidationError: no source can have this name, or another event log has it.
        Win32Error: the registry could not be read.
    """
    used = backend or default_backend()
    with _naming(_check_source(source)):
        _check_is_free(source, used)


def register_source(
    source: str, *, replace: bool = False, backend: EventSourceBackend | None = None
) -> bool:
    r"""Enter a source of the Application log into the registry, so that its texts show clean.

    Its key is in ``HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application``, which needs an
    administrator. To do it again is no error.

    Args:
        source: its name, such as the service's.
        replace: also take over a source that has a message file of another program's.
        backend: None for this machine, or the simulated backend in use.

    Returns:
        Whether the source is there and has our message file now. False: it is another program's,
        and was left as it is.

    Raises:
        ValidationError: no source can have this name, or another event log has it.
        AccessDeniedError: only administrators may.
        Win32Error: the registry refused (``RegCreateKeyExW``, ``RegSetValueExW``).
    """
    used = backend or default_backend()
    _check_source(source)
    with _naming(source):
        _check_is_free(source, used)
        entry = used.read_event_source(source)
        if entry is not None and entry[0] and not _is_ours(entry[0]) and not replace:
            return False
        if entry is None or entry[1] != _TYPES or not _is_ours(entry[0]):
            used.write_event_source(source, MESSAGE_FILE, int(_TYPES))
        return True


def remove_source(source: str, *, backend: EventSourceBackend | None = None) -> bool:
    """Take a source of the Application log out of the registry again.

    Its events stay in the log. A source with a message file of another program's is left alone.

    Args:
        source: its name.
        backend: None for this machine, or the simulated backend in use.

    Returns:
        Whether it was there, and ours.

    Raises:
        ValidationError: no source can have this name.
        AccessDeniedError: only administrators may.
        Win32Error: the registry refused (``RegDeleteKeyW``).
    """
    used = backend or default_backend()
    with _naming(_check_source(source)):
        entry = used.read_event_source(source)
        if entry is None or not _is_ours(entry[0]):
            return False
        used.delete_event_source(source)
        return True


def source_problem(source: str, *, backend: EventSourceBackend | None = None) -> str | None:
    """Return the reason why the event viewer alters a source's texts; None if it does not.

    Args:
        source: its name.
        backend: None for this machine, or the simulated backend in use.

    Raises:
        Win32Error: the registry could not be read.
    """
    used = backend or default_backend()
    with _naming(source):
        try:
            _check_source(source)
            _check_is_free(source, used)
        except ValidationError as error:
            return f"invalid name for an event source: {error.reason}"
        entry = used.read_event_source(source)
    if entry is None:
        return (
            f'the event source {source!r} is not registered, so the event viewer shows "The '
            'description cannot be found" above each message; install the service again'
        )
    if not _is_ours(entry[0]):
        return (
            f"the event source {source!r} belongs to another program "
            f"({entry[0] or 'no message file'}), so the event viewer may show other messages"
        )
    return None


@contextmanager
def _naming(source: str) -> Iterator[None]:
    """Add the source's name to errors."""
    try:
        yield
    except Win32Error as error:
        error.add_context(object_name=source)
        raise


def _check_source(source: str) -> str:
    """Check the name of a source, without any system call."""
    check_text(source, "source", limit=_LONGEST_SOURCE, empty=False)
    if "\\" in source:
        raise ValidationError(
            "source", f"{source!r} contains a backslash, which is invalid in an event source"
        )
    return source


def _check_is_free(source: str, backend: EventSourceBackend) -> None:
    """Refuse the name of a log, and that of another log's source: its events would go there."""
    logs = backend.enum_event_logs()
    if any(same_name(source, log) for log in logs):
        raise ValidationError("source", f"{source!r} is the name of an event log")
    for log in logs:
        if same_name(log, "Application"):
            continue
        try:
            entry = backend.read_event_source(source, log)
        except PermissionError:
            continue  # only some may look into the Security log's
        if entry is not None:
            raise ValidationError("source", f"{source!r} is a source of the event log {log!r}")


def _is_ours(message_file: str) -> bool:
    r"""Return whether it is ``EventCreate.exe``, also in the form ``C:\Windows\...``."""
    return name_key(message_file).endswith(name_key(r"\EventCreate.exe"))
