"""The event log of a simulated machine, and its sources in the registry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from winsvc._util.text import same_name
from winsvc.enums import ErrorCode, EventType
from winsvc.testing.calls import Simulation, windows_call
from winsvc.testing.refusal import RefusalError

__all__ = ["EventLogEntry", "EventLogCalls", "EventLogSimulation"]

# In UTF-16 code units. ReportEventW promises 31,839; but the record also holds the names of the
# source and the machine, and with them Windows 10 and 11 may refuse what is shorter than that.
_LONGEST_STRING: Final = 31_700
_LONGEST_DATA: Final = 61_440
_BOUND: Final = 1734  # RPC_S_INVALID_BOUND: what Windows says to longer ones
_INSERTION: Final = re.compile(r"%([1-9][0-9]?)")
_EXPANSIONS: Final = 100  # after as many a viewer gives up


@dataclass(frozen=True, slots=True)
class EventLogEntry:
    """The entry that one call of ``ReportEventW`` has written.

    Attributes:
        source: the name under which it was written.
        type: error, warning or information.
        event_id: the number of its text in the source's message file.
        text: what a viewer shows, which expands ``%1`` in the strings, too.
        strings: the strings, as they were given.
        data: the bytes that were given along.
        time: the simulated time, in seconds.
        category: the number of the category; 0 for none.
    """

    source: str
    type: EventType
    event_id: int
    text: str
    strings: tuple[str, ...]
    data: bytes
    time: float
    category: int = 0


class EventLogSimulation:
    """The event logs: their sources, and the entries of the Application log.

    Attributes:
        entries: what was written, in order.
        logs: the logs, each with its sources: their message files and types.
    """

    def __init__(self) -> None:
        self.entries: list[EventLogEntry] = []
        self.logs: dict[str, dict[str, tuple[str, int]]] = {
            "Application": {},
            "Security": {"Security": (r"%SystemRoot%\System32\MsAuditE.dll", 31)},
            "System": {"Service Control Manager": (r"%SystemRoot%\System32\services.exe", 7)},
        }

    @property
    def sources(self) -> dict[str, tuple[str, int]]:
        """The sources of the Application log."""
        return self.logs["Application"]

    def log_named(self, name: str) -> dict[str, tuple[str, int]]:
        """Return the sources of a log."""
        return next((log for known, log in self.logs.items() if same_name(known, name)), {})

    def find(self, source: str, log: str = "Application") -> str | None:
        """Return how a log's source is spelled, which is found in upper or lower case."""
        return next((known for known in self.log_named(log) if same_name(known, source)), None)

    def text(self, source: str, event_id: int, strings: Sequence[str]) -> str:
        """Return what a viewer shows of an event."""
        found = self.find(source)
        file = self.sources[found][0] if found is not None else ""
        if file.lower().endswith(r"\eventcreate.exe") and 1 <= event_id <= 1000:
            return _expanded("%1", strings)
        unknown = f"The description for Event ID {event_id} from source {source} cannot be found."
        return "\n\n".join([unknown, *strings])


@dataclass(slots=True, eq=False)
class EventSourceHandle:
    """A handle to a source, through which events are written."""

    source: str


class EventLogCalls(Simulation):
    """The calls for the event log.

    Writing takes no simulated time: logging holds the lock of its handler during the
    call, and another thread that logs would block on that lock for ever.

    Attributes:
        events: what they have written, and the sources.
    """

    events: EventLogSimulation

    @property
    def event_log(self) -> list[EventLogEntry]:
        """The entries of the event log, in order."""
        return self.events.entries

    @property
    def event_logs(self) -> dict[str, dict[str, tuple[str, int]]]:
        """The logs, each with its sources: their message files and types."""
        return self.events.logs

    @property
    def event_sources(self) -> dict[str, tuple[str, int]]:
        """The sources of the Application log: their message files and types."""
        return self.events.sources

    @property
    def open_event_handles(self) -> int:
        """The number of open handles to the event log."""
        return len(self.handles.of_kind(EventSourceHandle))

    # ------------------------------------------------------------------- writing

    @windows_call("RegisterEventSourceW", instant=True)
    def register_event_source(self, source: str) -> int:
        if same_name(source, "Security"):
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return self.handles.add(EventSourceHandle(source), (None, source))

    @windows_call("DeregisterEventSource", instant=True)
    def deregister_event_source(self, handle: int) -> None:
        self.handles.remove(handle, EventSourceHandle)

    @windows_call("ReportEventW", instant=True)
    def report_event(
        self,
        handle: int,
        event_type: int,
        category: int,
        event_id: int,
        strings: Sequence[str],
        data: bytes,
    ) -> None:
        source = self.handles.get(handle, EventSourceHandle).source
        lengths = (len(text.encode("utf-16-le", "surrogatepass")) // 2 for text in strings)
        if any(length > _LONGEST_STRING for length in lengths) or len(data) > _LONGEST_DATA:
            raise RefusalError(_BOUND)
        entry = EventLogEntry(
            source,
            EventType(event_type),
            event_id,
            self.events.text(source, event_id, strings),
            tuple(strings),
            bytes(data),
            self.clock.now,
            category,
        )
        self.events.entries.append(entry)

    # ------------------------------------------------------------------- the sources

    @windows_call("RegCreateKeyExW")
    def write_event_source(self, source: str, message_file: str, types: int) -> None:
        self.check_administrator()
        found = self.events.find(source)
        self.event_sources[source if found is None else found] = message_file, types

    @windows_call("RegOpenKeyExW")
    def read_event_source(self, source: str, log: str = "Application") -> tuple[str, int] | None:
        if same_name(log, "Security"):
            self.check_administrator()
        found = self.events.find(source, log)
        return None if found is None else self.events.log_named(log)[found]

    @windows_call("RegDeleteKeyW")
    def delete_event_source(self, source: str) -> None:
        self.check_administrator()
        found = self.events.find(source)
        if found is not None:
            del self.event_sources[found]

    @windows_call("RegEnumKeyExW")
    def enum_event_logs(self) -> list[str]:
        return list(self.event_logs)


def _expanded(template: str, strings: Sequence[str]) -> str:
    """Expand the insertions of a text, nested ones included, up to a limit."""
    text = template
    for _ in range(_EXPANSIONS):
        found = _INSERTION.search(text)
        if found is None or int(found[1]) > len(strings):
            break
        text = text[: found.start()] + strings[int(found[1]) - 1] + text[found.end() :]
    return text
