"""The event log and its sources: what is written, registered and removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
from differences import Differs
from support import simulated_only

from winsvc.backend import default_backend
from winsvc.enums import EventType
from winsvc.errors import AccessDeniedError, HandleClosedError, ValidationError
from winsvc.host.eventlog import (
    LONGEST_TEXT,
    MESSAGE_FILE,
    EventLogHandler,
    register_source,
    remove_source,
    source_problem,
)
from winsvc.host.failures import FailureReport
from winsvc.testing import SimulatedSCM

Namer = Callable[[], str]


@pytest.fixture
def source(unique_name: Namer) -> Iterator[str]:
    """A name that may be registered in the test; it is not afterwards."""
    name = unique_name()
    yield name
    default_backend().delete_event_source(name)


# ------------------------------------------------------------------------------------ sources


def test_event_source_registers_and_removes_case_insensitively(source: str) -> None:
    assert "not registered" in (source_problem(source) or "")
    assert not remove_source(source)
    assert register_source(source)
    assert source_problem(source) is None
    assert register_source(source.upper()), "again, and however it is written"
    assert default_backend().read_event_source(source) == (MESSAGE_FILE, 7)
    assert remove_source(source.upper())
    assert "not registered" in (source_problem(source) or "")
    assert not remove_source(source)


def test_foreign_event_source_is_kept_unless_replaced(source: str) -> None:
    default_backend().write_event_source(source, r"C:\Other\messages.dll", 1)
    assert not register_source(source)
    assert not remove_source(source)
    assert r"C:\Other\messages.dll" in (source_problem(source) or "")
    assert default_backend().read_event_source(source) == (r"C:\Other\messages.dll", 1)
    assert register_source(source, replace=True)
    assert default_backend().read_event_source(source) == (MESSAGE_FILE, 7)
    assert remove_source(source)


@pytest.mark.parametrize("message_file", ["", "ä €\U0001f600", "x" * 5000, "%SystemRoot%"])
def test_event_source_values_read_back_unchanged(source: str, message_file: str) -> None:
    api = default_backend()
    for types in (0, 7, 0xFFFFFFFF):
        api.write_event_source(source, message_file, types)
        assert api.read_event_source(source) == (message_file, types)


def test_delete_missing_event_source_does_nothing(source: str) -> None:
    api = default_backend()
    assert api.read_event_source(source) is None
    assert api.read_event_source(source, "no such log") is None
    other = f"{source} other"
    api.write_event_source(other, MESSAGE_FILE, 7)
    try:
        api.delete_event_source(source)
        assert api.read_event_source(source) is None
        assert api.read_event_source(other) == (MESSAGE_FILE, 7)
    finally:
        api.delete_event_source(other)


def test_register_source_with_log_name_raises_argument_error() -> None:
    logs = default_backend().enum_event_logs()
    assert {"application", "system"} <= {log.lower() for log in logs}
    for name in ("Application", "SYSTEM"):
        with pytest.raises(ValidationError, match="is the name of an event log"):
            register_source(name)


def test_event_source_text_with_nul_raises_argument_error() -> None:
    """Windows would cut them off, and take another source."""
    api = default_backend()
    for call in (api.read_event_source, api.delete_event_source, api.register_event_source):
        with pytest.raises(ValidationError, match="source"):
            call("a\0b")
    with pytest.raises(ValidationError, match="source"):
        api.write_event_source("a\0b", MESSAGE_FILE, 7)
    with pytest.raises(ValidationError, match="message_file"):
        api.write_event_source("a", "a\0b", 7)
    with pytest.raises(ValidationError, match="log"):
        api.read_event_source("a", "a\0b")


# ------------------------------------------------------------------------------------ events


EVENTS: list[tuple[int, int, tuple[str, ...], bytes]] = [
    *(
        (4, 1, strings, data)
        for strings in ((), ("one",), ("one", "ä €\U0001f600", ""))
        for data in (b"", b"\0\1\2")
    ),
    (1, 1000, ("x" * LONGEST_TEXT,), b""),
]


def report_each(source: str) -> None:
    """Report each of the events, and an event that is refused."""
    api = default_backend()
    register_source(source)
    handle = api.register_event_source(source)
    try:
        for kind, event_id, strings, data in EVENTS:
            api.report_event(handle, kind, 0, event_id, strings, data)
        with pytest.raises(ValidationError, match=r"strings\[1\]"):
            api.report_event(handle, 1, 0, 1, ["one", "two\0"], b"")
    finally:
        api.deregister_event_source(handle)


def test_report_event_accepts_valid_strings_and_refuses_nul(source: str) -> None:
    report_each(source)


@simulated_only
def test_reported_events_have_type_id_strings_and_data(sim: SimulatedSCM, source: str) -> None:
    report_each(source)
    found = [
        (entry.source, entry.type, entry.event_id, entry.strings, entry.data)
        for entry in sim.event_log
    ]
    assert found == [(source, *event) for event in EVENTS]
    assert sim.open_event_handles == 0


def test_report_event_on_closed_handle_raises_handle_closed(
    source: str, wine_differs: Differs
) -> None:
    api = default_backend()
    handle = api.register_event_source(source)
    api.deregister_event_source(handle)
    refused = nullcontext() if wine_differs("event-log") else pytest.raises(HandleClosedError)
    with refused:
        api.report_event(handle, 1, 0, 1, ["x"], b"")


def test_register_event_source_for_security_log_raises_access_denied(wine_differs: Differs) -> None:
    api = default_backend()
    if wine_differs("event-log-names"):
        handle = api.register_event_source("Security")
        assert handle
        api.deregister_event_source(handle)
    else:
        with pytest.raises(AccessDeniedError):
            api.register_event_source("Security")


def log_records(source: str) -> None:
    """Log through a handler, also when it is closed."""
    logger = logging.Logger("test")
    handler = EventLogHandler(source)
    logger.addHandler(handler)
    logger.info("informed of %s", "ä €\U0001f600")
    logger.warning("warned: 100 %1 \0")
    try:
        raise ValueError("no good")
    except ValueError:
        logger.exception("failed", extra={"event_id": 7})
    logger.error("long: %s", "x" * 2 * LONGEST_TEXT)
    handler.close()
    handler.close()
    logger.error("late")


def test_event_log_handler_logs_without_errors(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log_records(source)
    assert capsys.readouterr().err == ""


@simulated_only
def test_event_log_handler_writes_each_record_as_events(sim: SimulatedSCM, source: str) -> None:
    log_records(source)
    assert {entry.source for entry in sim.event_log} == {source}
    informed, warned, failed, *long, late = (
        (entry.type, entry.event_id, "".join(entry.strings)) for entry in sim.event_log
    )
    assert informed == (EventType.INFORMATION, 1, "informed of ä €\U0001f600")
    assert warned == (EventType.WARNING, 1, "warned: 100 %\u200b1 \\x00")
    assert failed[:2] == (EventType.ERROR, 7)
    assert failed[2].startswith("failed\nTraceback (most recent call last):\n")
    assert failed[2].endswith("\nValueError: no good")
    assert {entry[:2] for entry in long} == {(EventType.ERROR, 1)}
    assert all(len(text) <= LONGEST_TEXT for _, _, text in long)
    heads, parts = zip(*(text.split("\n", 1) for _, _, text in long), strict=True)
    assert heads == ("[part 1 of 3]", "[part 2 of 3]", "[part 3 of 3]")
    assert "".join(parts) == "long: " + "x" * 2 * LONGEST_TEXT
    assert late == (EventType.ERROR, 1, "late")
    assert sim.open_event_handles == 0


def test_failure_report_is_written_to_event_log(
    source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    FailureReport(default_backend()).failed(source, "main()", ValueError("no good"))
    assert capsys.readouterr().err == ""  # where the text goes when the log cannot be written to


@simulated_only
def test_failure_report_is_one_error_event_with_cause(sim: SimulatedSCM, source: str) -> None:
    FailureReport(sim).failed(source, "main()", ValueError("no good"))
    (entry,) = sim.event_log
    assert (entry.source, entry.type, entry.event_id) == (source, EventType.ERROR, 1)
    (text,) = entry.strings
    assert text.startswith(f"{source}: main() failed: ValueError: no good\n")
