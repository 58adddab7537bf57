"""The event log and its sources: what is written, registered and removed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from differences import Differs

from winsvc.backend import default_backend
from winsvc.errors import AccessDeniedError, ArgumentError, HandleClosedError
from winsvc.host.eventlog import (
    LONGEST_TEXT,
    MESSAGE_FILE,
    EventLogHandler,
    register_source,
    remove_source,
    source_problem,
)
from winsvc.host.failures import FailureReport

Namer = Callable[[], str]


@pytest.fixture
def source(unique_name: Namer) -> Iterator[str]:
    """A name that may be registered in the test; it is not afterwards."""
    name = unique_name()
    yield name
    default_backend().delete_event_source(name)


# ------------------------------------------------------------------------------------ sources


def test_a_source_comes_and_goes(source: str) -> None:
    assert "not registered" in (source_problem(source) or "")
    assert not remove_source(source)
    assert register_source(source)
    assert source_problem(source) is None
    assert register_source(source.upper()), "again, and however it is written"
    assert default_backend().read_event_source(source) == (MESSAGE_FILE, 7)
    assert remove_source(source.upper())
    assert "not registered" in (source_problem(source) or "")
    assert not remove_source(source)


def test_what_is_not_ours_stays(source: str) -> None:
    default_backend().write_event_source(source, r"C:\Other\messages.dll", 1)
    assert not register_source(source)
    assert not remove_source(source)
    assert r"C:\Other\messages.dll" in (source_problem(source) or "")
    assert default_backend().read_event_source(source) == (r"C:\Other\messages.dll", 1)
    assert register_source(source, replace=True)
    assert default_backend().read_event_source(source) == (MESSAGE_FILE, 7)
    assert remove_source(source)


@pytest.mark.parametrize("message_file", ["", "ä €\U0001f600", "x" * 5000, "%SystemRoot%"])
def test_message_files_are_kept_as_they_are(source: str, message_file: str) -> None:
    api = default_backend()
    for types in (0, 7, 0xFFFFFFFF):
        api.write_event_source(source, message_file, types)
        assert api.read_event_source(source) == (message_file, types)


def test_deleting_what_is_not_there(source: str) -> None:
    api = default_backend()
    assert api.read_event_source(source) is None
    assert api.read_event_source(source, "no such log") is None
    api.delete_event_source(source)


def test_the_name_of_a_log() -> None:
    logs = default_backend().enum_event_logs()
    assert {"application", "system"} <= {log.lower() for log in logs}
    for name in ("Application", "SYSTEM"):
        with pytest.raises(ArgumentError, match="is the name of an event log"):
            register_source(name)


def test_names_with_a_nul() -> None:
    """Windows would cut them off, and take another source."""
    api = default_backend()
    for call in (api.read_event_source, api.delete_event_source, api.register_event_source):
        with pytest.raises(ArgumentError, match="source"):
            call("a\0b")
    with pytest.raises(ArgumentError, match="source"):
        api.write_event_source("a\0b", MESSAGE_FILE, 7)
    with pytest.raises(ArgumentError, match="message_file"):
        api.write_event_source("a", "a\0b", 7)
    with pytest.raises(ArgumentError, match="log"):
        api.read_event_source("a", "a\0b")


# ------------------------------------------------------------------------------------ events


def test_an_event(source: str) -> None:
    api = default_backend()
    register_source(source)
    handle = api.register_event_source(source)
    try:
        for strings in ([], ["one"], ["one", "ä €\U0001f600", ""]):
            for data in (b"", b"\0\1\2"):
                api.report_event(handle, 4, 0, 1, strings, data)
        api.report_event(handle, 1, 0, 1000, ["x" * LONGEST_TEXT], b"")
        with pytest.raises(ArgumentError, match=r"strings\[1\]"):
            api.report_event(handle, 1, 0, 1, ["one", "two\0"], b"")
    finally:
        api.deregister_event_source(handle)


def test_a_closed_handle(source: str, wine_differs: Differs) -> None:
    if wine_differs("event-log"):
        return
    api = default_backend()
    handle = api.register_event_source(source)
    api.deregister_event_source(handle)
    with pytest.raises(HandleClosedError):
        api.report_event(handle, 1, 0, 1, ["x"], b"")


def test_the_security_log_is_not_for_everybody(wine_differs: Differs) -> None:
    if wine_differs("event-log-names"):
        return
    with pytest.raises(AccessDeniedError):
        default_backend().register_event_source("Security")


def test_a_handler(source: str, capsys: pytest.CaptureFixture[str]) -> None:
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
    assert "Logging error" not in capsys.readouterr().err


def test_a_failure(source: str) -> None:
    FailureReport(default_backend()).failed(source, "main()", ValueError("no good"))
