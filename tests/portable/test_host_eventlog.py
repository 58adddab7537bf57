"""The handler for the event log and its sources, on the simulated system."""

from __future__ import annotations

import io
import logging
import logging.config
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simulated import code_of

from winsvc import ServiceManager
from winsvc.enums import EventType
from winsvc.errors import AccessDeniedError, UnsupportedError, ValidationError, Win32Error
from winsvc.host import ServiceBase
from winsvc.host.eventlog import (
    LONGEST_TEXT,
    MESSAGE_FILE,
    MOST_PARTS,
    EventLogHandler,
    EventSource,
    check_source,
    event_texts,
    register_source,
    remove_source,
    source_problem,
    without_middle,
)
from winsvc.testing import CallerIdentity, SimulatedSCM
from winsvc.testing.eventlog import EventSourceHandle

OTHERS = r"C:\Other\messages.dll"


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        register_source("beat")
        yield sim
    assert not sim.open_handles


@pytest.fixture
def log(sim: SimulatedSCM) -> Iterator[logging.Logger]:
    """A logger of the test's own, with a handler that is closed afterwards."""
    logger = logging.Logger("test")  # not in the tree of loggers: nothing to put back
    handler = EventLogHandler("beat")
    logger.addHandler(handler)
    yield logger
    handler.close()


def written(sim: SimulatedSCM) -> list[tuple[EventType, int, str]]:
    return [(entry.type, entry.event_id, entry.text) for entry in sim.event_log]


# ------------------------------------------------------------------------------------ the handler


def test_handler_maps_log_levels_to_event_types(sim: SimulatedSCM, log: logging.Logger) -> None:
    for level in (5, logging.DEBUG, logging.INFO, 25, logging.WARNING, 35, logging.ERROR, 50, 90):
        log.log(level, "%d", level)
    assert written(sim) == [
        (EventType.INFORMATION, 1, "5"),
        (EventType.INFORMATION, 1, "10"),
        (EventType.INFORMATION, 1, "20"),
        (EventType.INFORMATION, 1, "25"),
        (EventType.WARNING, 1, "30"),
        (EventType.WARNING, 1, "35"),
        (EventType.ERROR, 1, "40"),
        (EventType.ERROR, 1, "50"),
        (EventType.ERROR, 1, "90"),
    ]
    assert {(entry.source, entry.category, entry.data) for entry in sim.event_log} == {
        ("beat", 0, b"")
    }


def test_handler_with_level_and_event_id_applies_both(sim: SimulatedSCM) -> None:
    logger = logging.Logger("test")
    handler = EventLogHandler("beat", level="ERROR", event_id=9)
    logger.addHandler(handler)
    logger.warning("left out")
    logger.error("told")
    handler.close()
    assert written(sim) == [(EventType.ERROR, 9, "told")]


def test_handler_writes_traceback_after_message(sim: SimulatedSCM, log: logging.Logger) -> None:
    try:
        raise KeyError("nothing")
    except KeyError:
        log.exception("it broke")
    ((_, _, text),) = written(sim)
    assert text.startswith("it broke\nTraceback (most recent call last):\n")
    assert text.endswith("KeyError: 'nothing'")


def test_handler_uses_event_id_of_record_if_valid(sim: SimulatedSCM, log: logging.Logger) -> None:
    for event_id in (7, 1000, 0, 1001, -1, True, "7", None, 7.0):
        log.info("x", extra={"event_id": event_id})
    assert [entry.event_id for entry in sim.event_log] == [7, 1000, 1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("event_id", [0, 1001, -1, 2**40])
def test_handler_with_event_id_out_of_range_raises_argument_error(
    sim: SimulatedSCM, event_id: int
) -> None:
    with pytest.raises(ValidationError, match=r"event_id: must be from 1 to 1000"):
        EventLogHandler("beat", event_id=event_id)


@pytest.mark.parametrize("event_id", [True, "7", 1.0, None])
def test_handler_with_non_integer_event_id_raises_type_error(
    sim: SimulatedSCM, event_id: object
) -> None:
    with pytest.raises(TypeError, match="event_id"):
        EventLogHandler("beat", event_id=event_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["", "a\\b", "a\0b", "x" * 256])
def test_handler_with_invalid_source_raises_argument_error(sim: SimulatedSCM, source: str) -> None:
    with pytest.raises(ValidationError, match="source: "):
        EventLogHandler(source)


def test_handler_opens_source_once_on_first_record(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("beat")
    assert not sim.called("RegisterEventSourceW")
    for number in range(3):
        handler.handle(record(f"{number}"))
    assert len(sim.called("RegisterEventSourceW", "beat")) == 1
    assert len(sim.called("ReportEventW", "beat")) == 3
    assert sim.open_event_handles == sim.open_handles == 1
    handler.close()
    handler.close()
    assert len(sim.called("DeregisterEventSource", "beat")) == 1


def record(text: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("test", level, __file__, 1, text, None, None)


def test_handler_after_close_writes_and_leaves_no_handle(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("beat")
    handler.close()
    handler.handle(record("late"))
    assert not sim.open_event_handles
    handler.handle(record("later"))
    assert [text for _, _, text in written(sim)] == ["late", "later"]
    assert not sim.open_event_handles


def test_handler_reopens_source_after_write_error(sim: SimulatedSCM, log: logging.Logger) -> None:
    log.info("one")
    sim.faults.fail("ReportEventW", 1722)  # the event log was restarted
    log.info("two")
    log.info("three")
    assert [text for _, _, text in written(sim)] == ["one", "two", "three"]
    assert len(sim.called("RegisterEventSourceW")) == 2
    assert sim.open_event_handles == 1


@pytest.mark.parametrize("function", ["RegisterEventSourceW", "ReportEventW"])
def test_handler_with_failing_call_prints_logging_error_and_recovers(
    sim: SimulatedSCM,
    log: logging.Logger,
    function: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    sim.faults.fail(function, 5)
    log.info("lost")
    assert "--- Logging error ---" in stderr.getvalue()
    assert f"{function} failed" in stderr.getvalue()
    assert not sim.open_event_handles
    log.info("back")
    assert [text for _, _, text in written(sim)] == ["back"]


def test_handler_with_raise_exceptions_off_prints_nothing(
    sim: SimulatedSCM, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging, "raiseExceptions", False)
    sim.faults.fail("RegisterEventSourceW", 5)
    log.info("lost")
    assert not stderr.getvalue()


def test_handler_without_stderr_drops_errors_silently(
    sim: SimulatedSCM, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    sim.faults.fail("RegisterEventSourceW", 5)
    log.info("lost")
    log.info("%d", "no number")
    assert not sim.event_log


def test_handler_close_with_invalid_handle_raises_nothing(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("beat")
    handler.handle(record("x"))
    (handle,) = sim.handles.of_kind(EventSourceHandle)
    sim.faults.before(
        "DeregisterEventSource", lambda: sim.handles.remove(handle, EventSourceHandle)
    )
    handler.close()
    assert sim.called("DeregisterEventSource")[0].error == 6


def test_event_source_shared_by_threads_opens_once_and_writes_all(sim: SimulatedSCM) -> None:
    source = EventSource("beat", sim)
    ready = threading.Barrier(8, timeout=30)

    def write(name: str) -> None:
        ready.wait()
        for number in range(20):
            source.write(EventType.INFORMATION, 1, f"{name} {number}")

    threads = [threading.Thread(target=write, args=(f"t{i}",), daemon=True) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    source.close()
    assert len(sim.called("RegisterEventSourceW")) == 1
    assert sorted(text for _, _, text in written(sim)) == sorted(
        f"t{i} {number}" for i in range(8) for number in range(20)
    )


def test_handler_shared_by_services_and_test_does_not_deadlock(
    sim: SimulatedSCM, log: logging.Logger
) -> None:
    """Never give a service its turn while another thread holds the handler's lock."""

    class Tick(ServiceBase):
        name = "tick"

        def main(self) -> None:
            self.report_running()
            while not self.stop_requested.wait(0.3):
                log.info("%s", self.name)

    class Tock(Tick):
        name = "tock"

    sim.latency = 0.5
    sim.host(Tick, Tock)
    with ServiceManager() as scm, scm.open("tick") as tick, scm.open("tock") as tock:
        tick.start(timeout=60)
        tock.start(timeout=60)
        for _ in range(10):
            sim.clock.advance(1)
            log.info("test")
        tick.stop(timeout=60)
        tock.stop(timeout=60)
    texts = [text for _, _, text in written(sim)]
    assert texts.count("test") == 10
    assert texts.count("tick") > 10
    assert texts.count("tock") > 10


def test_handler_configured_by_dict_config_writes_formatted_records(sim: SimulatedSCM) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "formatters": {"short": {"format": "%(levelname)s: %(message)s"}},
                "handlers": {
                    "events": {
                        "class": "winsvc.host.EventLogHandler",
                        "source": "beat",
                        "event_id": 5,
                        "level": "WARNING",
                        "formatter": "short",
                    }
                },
                "loggers": {"winsvc-test": {"handlers": ["events"], "propagate": False}},
            }
        )
        logging.getLogger("winsvc-test").warning("by %s", "configuration")
        logging.getLogger("winsvc-test").info("left out")
    finally:
        (handler,) = logging.getLogger("winsvc-test").handlers
        logging.getLogger("winsvc-test").removeHandler(handler)
        handler.close()
        root.handlers[:], root.level = before
    assert written(sim) == [(EventType.WARNING, 5, "WARNING: by configuration")]


def test_handler_during_interpreter_exit_still_writes() -> None:
    code = """
import atexit, logging
from winsvc.host.eventlog import EventLogHandler
from winsvc.testing import SimulatedSCM
sim = SimulatedSCM()

class Last:
    def __del__(self):
        log.warning("deleted")
        print([entry.strings[0] for entry in sim.event_log], sim.open_handles, flush=True)

atexit.register(lambda: log.warning("after logging.shutdown"))
log = logging.getLogger("x")
# Registered before logging is imported, this would be called after logging's own.
atexit.unregister(logging.shutdown)
atexit.register(logging.shutdown)
log.addHandler(EventLogHandler("beat", backend=sim))
log.warning("first")
last = Last()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['first', 'after logging.shutdown', 'deleted'] 0"
    assert not done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has an event log")
def test_event_log_functions_off_windows_raise_unsupported() -> None:
    for call in (EventLogHandler, register_source, remove_source, source_problem):
        with pytest.raises(UnsupportedError):
            call("beat")


def test_handler_repr_shows_source_and_level(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("beat", level=logging.ERROR)
    assert repr(handler) == "<EventLogHandler 'beat' (ERROR)>"
    assert handler.source == "beat"


# ------------------------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("100 %", "100 %"),
        ("%s and %(name)s %%", "%s and %(name)s %%"),
        ("%1", "%\u200b1"),
        ("fe80::1%12", "fe80::1%\u200b12"),
        ("a%20b", "a%\u200b20b"),
        ("%%5", "%%\u200b5"),
        ("%{S-1-5-18}", "%\u200b{S-1-5-18}"),
        ("nul\0nul", r"nul\x00nul"),
        ("", ""),
    ],
)
def test_handler_escapes_text_that_viewer_would_expand(
    sim: SimulatedSCM, log: logging.Logger, text: str, sent: str
) -> None:
    log.info("%s", text)
    ((_, _, shown),) = written(sim)
    assert shown == sent
    assert sim.event_log[0].strings == (sent,)


def test_simulated_event_text_expands_placeholders_in_strings(sim: SimulatedSCM) -> None:
    handle = sim.register_event_source("beat")
    sim.report_event(handle, 4, 0, 1, ["<%2>", "two"], b"")
    sim.report_event(handle, 4, 0, 1, ["%1!"], b"")
    sim.deregister_event_source(handle)
    assert sim.event_log[0].text == "<two>"
    assert sim.event_log[1].text == "%1" + "!" * 100


def test_event_texts_splits_only_above_longest_text() -> None:
    assert event_texts("x" * LONGEST_TEXT) == ["x" * LONGEST_TEXT]
    assert len(event_texts("x" * (LONGEST_TEXT + 1))) == 2
    assert len(event_texts("\U0001f600" * (LONGEST_TEXT // 2))) == 1
    assert len(event_texts("\U0001f600" * (LONGEST_TEXT // 2 + 1))) == 2


def test_handler_with_long_text_writes_numbered_parts(
    sim: SimulatedSCM, log: logging.Logger
) -> None:
    lines = [f"line {number} " + "." * 80 for number in range(1000)]
    log.error("\n".join(lines), extra={"event_id": 3})
    entries = written(sim)
    count = len(entries)
    assert 3 <= count <= 5
    joined = ""
    for number, (kind, event_id, text) in enumerate(entries, 1):
        assert (kind, event_id) == (EventType.ERROR, 3)
        head, _, rest = text.partition("\n")
        assert head == f"[part {number} of {count}]"
        assert rest.endswith("\n") or number == count  # cut between lines
        joined += rest
    assert joined.split("\n") == lines


def test_handler_with_huge_text_omits_its_middle(sim: SimulatedSCM, log: logging.Logger) -> None:
    log.error("%s", "begin " + "\U0001f600 x\n" * 1_000_000 + "end")
    texts = [text for _, _, text in written(sim)]
    assert len(texts) <= 2 * MOST_PARTS
    assert "begin" in texts[0]
    assert texts[-1].endswith("end")
    assert sum("characters omitted ...]" in text for text in texts) == 1


def length(text: str) -> int:
    """Return the length of the text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def sent(text: str) -> str:
    """Return the text of all events for this text, without their numbers."""
    parts = event_texts(text)
    for part in parts:
        assert length(part) <= LONGEST_TEXT
        assert "\0" not in part
        assert "%1" not in part
    if len(parts) > 1:
        heads = [part.partition("\n")[0] for part in parts]
        assert heads == [f"[part {number} of {len(parts)}]" for number in range(1, len(parts) + 1)]
        parts = [part.partition("\n")[2] for part in parts]
    return "".join(parts)


@example("11111111\0\U0001f600%1\U0001f600", 1579)  # too long in units, not in characters
@given(  # nothing is left out: no character becomes more than 4 units
    st.text(alphabet="ab\n\0%1\U0001f600\ud800", max_size=40), st.integers(1, 1800)
)
def test_event_texts_of_text_without_omission_keep_content(unit: str, times: int) -> None:
    joined = sent(unit * times).replace("%\u200b", "%")
    assert joined == (unit * times).replace("\0", r"\x00")


@pytest.mark.parametrize(
    "unit", ["a", "\n", "ab\n", "\0", "%1", "\U0001f600", "a\U0001f600", "a\ud800"]
)
def test_event_texts_of_too_long_text_keep_both_ends(unit: str) -> None:
    text = unit * (MOST_PARTS * LONGEST_TEXT // len(unit) + 1)
    begin, end = sent(text).split(" characters omitted ...]\n")
    begin, _, left_out = begin.rpartition("\n[... ")
    written = text.replace("\0", r"\x00").replace("%1", "%\u200b1")
    assert min(len(begin), len(end)) > LONGEST_TEXT
    assert begin == written[: len(begin)]
    assert end == written[-len(end) :]
    assert len(begin) + int(left_out) + len(end) == len(written)


@given(
    st.text(alphabet="a\U0001f600", min_size=1, max_size=30),
    st.integers(200, 1000),
    st.integers(1, 200),
)
def test_without_middle_keeps_both_ends_and_counts_omitted_characters(
    unit: str, limit: int, times: int
) -> None:
    text = unit * (limit // len(unit) + times)  # longer than the limit
    short = without_middle(text, limit)
    assert length(short) <= limit
    begin, _, rest = short.partition("\n[... ")
    end = rest.partition(" ...]\n")[2]
    assert begin
    assert text.startswith(begin)
    assert end
    assert text.endswith(end)
    left_out = int(rest.split()[0])
    assert len(begin) + left_out + len(end) == len(text)


@given(st.text(alphabet="a\U0001f600", max_size=200))
def test_without_middle_returns_text_within_limit_unchanged(text: str) -> None:
    assert without_middle(text, length(text)) == text
    assert without_middle(text, length(text) + 1) == text


# ------------------------------------------------------------------------------------ sources


def test_register_source_is_idempotent_and_remove_source_deletes_it(sim: SimulatedSCM) -> None:
    assert source_problem("Tick") is not None
    assert register_source("Tick")
    assert sim.event_sources["Tick"] == (MESSAGE_FILE, 7)
    assert source_problem("tick") is None
    calls = len(sim.called("RegCreateKeyExW"))
    assert register_source("TICK")
    assert len(sim.called("RegCreateKeyExW")) == calls, "it was there"
    assert remove_source("tick")
    assert "Tick" not in sim.event_sources
    assert not remove_source("tick")


def test_source_of_other_program_is_kept_unless_replaced(sim: SimulatedSCM) -> None:
    sim.event_sources["theirs"] = OTHERS, 7
    assert not register_source("Theirs")
    assert not remove_source("Theirs")
    assert sim.event_sources["theirs"] == (OTHERS, 7)
    assert OTHERS in (source_problem("theirs") or "")
    assert register_source("Theirs", replace=True)
    assert sim.event_sources["theirs"] == (MESSAGE_FILE, 7)
    assert remove_source("theirs")


@pytest.mark.parametrize("source", [("", 0), ("", 7), (MESSAGE_FILE, 0)])
def test_register_source_completes_incomplete_source(
    sim: SimulatedSCM, source: tuple[str, int]
) -> None:
    sim.event_sources["half"] = source
    assert register_source("half")
    assert sim.event_sources["half"] == (MESSAGE_FILE, 7)


def test_source_with_full_path_of_message_file_is_recognized(sim: SimulatedSCM) -> None:
    sim.event_sources["long"] = r"c:\windows\system32\EVENTCREATE.EXE", 7
    assert source_problem("long") is None
    assert remove_source("long")


@pytest.mark.parametrize("name", ["Application", "SYSTEM", "security", "service control MANAGER"])
def test_register_source_with_name_of_event_log_is_refused(sim: SimulatedSCM, name: str) -> None:
    with pytest.raises(ValidationError, match="event log"):
        register_source(name)
    assert "event log" in (source_problem(name) or "")
    assert not remove_source(name)
    assert set(sim.event_sources) == {"beat"}


@pytest.mark.parametrize("name", ["", "a\\b", "a\0b", "x" * 256])
def test_source_functions_with_invalid_name_raise_argument_error(
    sim: SimulatedSCM, name: str
) -> None:
    for call in (register_source, remove_source):
        with pytest.raises(ValidationError, match="source: "):
            call(name)
    assert "invalid name for an event source" in (source_problem(name) or "")


def test_source_changes_by_ordinary_user_raise_access_denied(sim: SimulatedSCM) -> None:
    with sim.run_as(CallerIdentity.user()):
        assert source_problem("beat") is None  # without access to the key of the Security log
        with pytest.raises(AccessDeniedError, match="RegCreateKeyExW failed for 'tick'"):
            register_source("tick")
        with pytest.raises(AccessDeniedError, match="RegDeleteKeyW failed for 'beat'"):
            remove_source("beat")


def test_source_problem_with_registry_error_raises_it(sim: SimulatedSCM) -> None:
    sim.faults.fail("RegOpenKeyExW", 1450)
    with pytest.raises(Win32Error, match="RegOpenKeyExW"):
        source_problem("beat")


def test_handler_with_unregistered_source_still_writes(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("unknown")
    handler.handle(record("text"))
    handler.close()
    assert sim.event_log[0].source == "unknown"
    assert sim.event_log[0].text.startswith("The description for Event ID 1 from source unknown")
    assert sim.event_log[0].text.endswith("\n\ntext")


def test_simulated_event_log_calls_check_arguments_and_handles(sim: SimulatedSCM) -> None:
    with pytest.raises(AccessDeniedError):
        sim.register_event_source("Security")
    handle = sim.register_event_source("beat")
    with pytest.raises(ValidationError, match=r"strings\[1\]"):
        sim.report_event(handle, 4, 0, 1, ["a", "b\0"], b"")
    assert not sim.called("ReportEventW")
    for strings, data in ((["x" * 31_701], b""), ([], bytes(61_441))):
        assert code_of(sim.report_event, handle, 4, 0, 1, strings, data) == 1734
    sim.clock.advance(5)
    sim.report_event(handle, 99, 3, 5000, [], b"\1\2")
    sim.deregister_event_source(handle)
    assert code_of(sim.deregister_event_source, handle) == 6
    assert code_of(sim.report_event, handle, 4, 0, 1, [], b"") == 6
    (entry,) = sim.event_log
    assert (entry.type, entry.category, entry.event_id, entry.data) == (99, 3, 5000, b"\1\2")
    assert entry.time > 5
    assert sim.enum_event_logs() == ["Application", "Security", "System"]
    assert sim.read_event_source("x", "No such log") is None


def test_event_source_write_inside_write_does_not_deadlock(sim: SimulatedSCM) -> None:
    source = EventSource("beat", sim)
    real = sim.report_event
    inner = iter(["inner"])

    def interrupted(*arguments: object) -> None:
        for text in inner:
            source.write(EventType.INFORMATION, 1, text)
        real(*arguments)  # type: ignore[arg-type]

    sim.report_event = interrupted  # type: ignore[method-assign,assignment]
    thread = threading.Thread(
        target=source.write, args=(EventType.INFORMATION, 1, "outer"), daemon=True
    )
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), "it waits for itself"
    source.close()
    assert [entry.strings for entry in sim.event_log] == [("inner",), ("outer",)]


def test_check_source_refuses_invalid_name_without_registry_call(sim: SimulatedSCM) -> None:
    before = len(sim.called("RegCreateKeyExW"))
    for name in ("n" * 256, "a\\b", "Application"):
        with pytest.raises(ValidationError, match="source"):
            check_source(name)
    assert len(sim.called("RegCreateKeyExW")) == before


def test_check_source_of_free_name_changes_nothing(sim: SimulatedSCM) -> None:
    before = dict(sim.event_sources)
    check_source("tick")
    assert sim.event_sources == before
    assert register_source("tick")  # which refuses the same names
