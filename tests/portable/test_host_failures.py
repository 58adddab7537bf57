"""Test the reports of a failed service, and the handling of errors in the reports."""

from __future__ import annotations

import io
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from winsvc._values.account import Secret
from winsvc.enums import EventType
from winsvc.host import failures
from winsvc.host.eventlog import EventLogHandler, register_source
from winsvc.host.failures import FILE_LIMIT, FailureReport
from winsvc.testing import SimulatedSCM

Captured: TypeAlias = pytest.CaptureFixture[str]


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    register_source("beat", backend=sim)
    yield sim
    assert not sim.open_handles


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there yet" / "beat.log"


def raised(error: BaseException) -> BaseException:
    """Return the exception with a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


def read(file: Path) -> str:
    return file.read_text("utf-8")


def test_failure_is_written_to_event_log_and_file(
    sim: SimulatedSCM, file: Path, capsys: Captured
) -> None:
    FailureReport(sim, file).failed("beat", "main()", raised(ValueError("no päper 😀")))
    (entry,) = sim.event_log
    assert (entry.source, entry.type, entry.event_id) == ("beat", EventType.ERROR, 1)
    head, _, rest = entry.text.partition("\n\n")
    assert head == "beat: main() failed: ValueError: no päper 😀"
    assert rest.startswith("Traceback (most recent call last):\n")
    assert rest.endswith("ValueError: no päper 😀\n")
    time, _, text = read(file).partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time)
    assert text == entry.text + "\n"
    assert not capsys.readouterr().err


def test_failure_file_is_appended_by_later_reports(sim: SimulatedSCM, file: Path) -> None:
    report = FailureReport(sim, file)
    report.failed("beat", "main()", ValueError("one"))
    FailureReport(sim, file).failed("beat", "on_pause()", KeyError("two"))
    lines = [line for line in read(file).splitlines() if " failed: " in line]
    assert [line.split(" ", 1)[1] for line in lines] == [
        "beat: main() failed: ValueError: one",
        "beat: on_pause() failed: KeyError: 'two'",
    ]
    assert len(sim.event_log) == 2


def test_failure_without_file_is_written_to_event_log_only(
    sim: SimulatedSCM, capsys: Captured
) -> None:
    FailureReport(sim).failed("beat", "main()", ValueError("x"))
    assert len(sim.event_log) == 1
    assert not capsys.readouterr().err


@pytest.mark.parametrize("function", ["RegisterEventSourceW", "ReportEventW"])
def test_failure_with_failing_event_log_is_written_to_file(
    sim: SimulatedSCM, file: Path, capsys: Captured, function: str
) -> None:
    sim.faults.fail(function, 5, times=9)
    FailureReport(sim, file).failed("beat", "main()", ValueError("x"))
    assert not sim.event_log
    assert "beat: main() failed: ValueError: x" in read(file)
    assert not capsys.readouterr().err


def test_failure_with_unwritable_file_is_written_to_event_log(
    sim: SimulatedSCM, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").write_text("")
    for impossible in (tmp_path, tmp_path / "file" / "below a file", Path("a\0b")):
        FailureReport(sim, impossible).failed("beat", "main()", ValueError("x"))
    assert len(sim.event_log) == 3
    assert not capsys.readouterr().err


def test_failure_with_no_log_available_is_printed_to_stderr(
    sim: SimulatedSCM, tmp_path: Path, capsys: Captured
) -> None:
    sim.faults.fail("RegisterEventSourceW", 5, times=9)
    FailureReport(sim, tmp_path).failed("beat", "main()", ValueError("x"))
    assert capsys.readouterr().err.startswith("beat: main() failed: ValueError: x\n\n")


def test_failure_with_invalid_source_name_is_printed_to_stderr(
    sim: SimulatedSCM, capsys: Captured
) -> None:
    FailureReport(sim).failed("", "main()", ValueError("x"))
    assert "main() failed" in capsys.readouterr().err


class ClosedStream(io.StringIO):
    """A closed stream that keeps what was to be written."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.close()

    def write(self, text: str) -> int:
        self.refused.append(text)
        return super().write(text)


def test_failure_with_closed_stderr_raises_nothing(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.faults.fail("RegisterEventSourceW", 5)
    stream = ClosedStream()
    monkeypatch.setattr(sys, "stderr", stream)
    FailureReport(sim).failed("beat", "main()", ValueError("x"))
    assert [text.partition("\n")[0] for text in stream.refused] == [
        "beat: main() failed: ValueError: x"
    ]
    assert not sim.event_log


def test_failure_without_stderr_raises_nothing(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim.faults.fail("RegisterEventSourceW", 5)
    monkeypatch.setattr(sys, "stderr", None)
    FailureReport(sim).failed("beat", "main()", ValueError("x"))
    assert [call.error for call in sim.called("RegisterEventSourceW")] == [5]
    assert not sim.event_log


class UnprintableError(Exception):
    """Fail when it is converted to text."""

    def __init__(self, with_this: type[BaseException]) -> None:
        super().__init__()
        self.with_this = with_this

    def __str__(self) -> str:
        raise self.with_this("no")

    __repr__ = __str__


@pytest.mark.parametrize("kind", [ValueError, RecursionError, KeyboardInterrupt, SystemExit])
def test_failure_with_unprintable_exception_is_still_written(
    sim: SimulatedSCM, file: Path, kind: type[BaseException]
) -> None:
    FailureReport(sim, file).failed("beat", "main()", raised(UnprintableError(kind)))
    (entry,) = sim.event_log
    assert entry.text.startswith("beat: main() failed: UnprintableError: <")
    assert entry.text.rstrip("\n") in read(file)


def test_failure_head_contains_first_line_of_message_only(sim: SimulatedSCM) -> None:
    FailureReport(sim).failed("beat", "main()", ValueError("\none\ntwo\n"))
    FailureReport(sim).failed("beat", "main()", ValueError())
    assert sim.event_log[0].text.startswith("beat: main() failed: ValueError: one\n\n")
    assert "two" in sim.event_log[0].text
    assert sim.event_log[1].text.startswith("beat: main() failed: ValueError\n\n")


def test_failure_text_includes_cause_of_exception(sim: SimulatedSCM) -> None:
    error = ValueError("outer")
    error.__cause__ = raised(KeyError("inner"))
    FailureReport(sim).failed("beat", "main()", raised(error))
    assert "KeyError: 'inner'" in sim.event_log[0].text
    assert "direct cause" in sim.event_log[0].text


def test_failure_traceback_omits_library_frames_unless_library_failed(sim: SimulatedSCM) -> None:
    space: dict[str, object] = {"__name__": "winsvc.host._run", "raised": _raises}
    exec(compile("def live(): raised()", "ours.py", "exec"), space)
    live = space["live"]
    assert callable(live)
    try:
        live()
    except ValueError as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        FailureReport(sim).failed("beat", "main()", error)
    assert "ours.py" not in sim.event_log[0].text
    assert "in _raises" in sim.event_log[0].text

    space["raised"] = 1  # now it is this library that fails: all is shown
    try:
        live()
    except TypeError as error:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
        FailureReport(sim).failed("beat", "main()", error)
    assert "ours.py" in sim.event_log[1].text


def _raises() -> None:
    raise ValueError("mine")


def test_failure_message_with_special_characters_is_written_whole(
    sim: SimulatedSCM, file: Path
) -> None:
    FailureReport(sim, file).failed("beat", "main()", ValueError("100 %1 \0 \ud800 end"))
    assert sim.event_log[0].text.partition("\n")[0].endswith("100 %\u200b1 \\x00 \ud800 end")
    assert "100 %1 \0 \\ud800 end" in read(file)


def test_failure_text_hides_secret_password(sim: SimulatedSCM, file: Path) -> None:
    def log_on(password: Secret) -> None:
        raise ValueError(f"not with {password}", password)

    try:
        log_on(Secret("hunter" + "2"))
    except ValueError as error:
        FailureReport(sim, file).failed("beat", "main()", error)
    assert "hunter2" not in sim.event_log[0].text + read(file)


def test_failure_with_log_handler_on_same_source_is_written_once(sim: SimulatedSCM) -> None:
    handler = EventLogHandler("beat", backend=sim)
    logging.getLogger("winsvc.host").addHandler(handler)
    try:
        FailureReport(sim).failed("beat", "main()", ValueError("x"))
    finally:
        logging.getLogger("winsvc.host").removeHandler(handler)
        handler.close()
    assert len(sim.event_log) == 1


# ------------------------------------------------------------------------- the end of the file


def test_failure_file_over_limit_drops_oldest_entries(
    sim: SimulatedSCM, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "FILE_LIMIT", 4000)
    report = FailureReport(sim, file)
    sizes = []
    for number in range(200):
        report.failed("beat", "main()", ValueError(f"number {number}"))
        sizes.append(file.stat().st_size)
    assert max(sizes) <= 4000
    assert max(sizes) > 3500
    text = read(file)
    assert text.startswith("[older entries were removed]\n")
    numbers = [int(found) for found in re.findall(r"failed: ValueError: number (\d+)", text)]
    assert numbers == list(range(numbers[0], 200))
    assert len(numbers) > 10


def test_failure_file_with_foreign_content_is_cut_to_limit(sim: SimulatedSCM, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff" * (FILE_LIMIT * 3))
    FailureReport(sim, file).failed("beat", "main()", ValueError("x"))
    content = file.read_bytes()
    assert len(content) <= FILE_LIMIT
    assert b"failed: ValueError: x" in content


def test_failure_larger_than_file_limit_loses_its_middle(sim: SimulatedSCM, file: Path) -> None:
    report = FailureReport(sim, file)
    for _ in range(20):
        report.failed("beat", "main()", raised(ValueError("語" * 2 * FILE_LIMIT + "the end")))
        assert file.stat().st_size <= FILE_LIMIT
    assert "characters omitted" in read(file)
    assert read(file).rstrip().endswith("the end")
    assert sim.event_log[-1].text.rstrip().endswith("end")  # the last part may be short


def run_threads(threads: Iterable[threading.Thread]) -> None:
    """Start the threads, and assert that all of them end."""
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(30)
    assert not any(thread.is_alive() for thread in started)


def test_failure_file_shared_by_threads_keeps_entries_whole(sim: SimulatedSCM, file: Path) -> None:
    report = FailureReport(sim, file)
    ready = threading.Barrier(8, timeout=30)

    def fail(name: str) -> None:
        ready.wait()
        for number in range(10):
            report.failed("beat", name, ValueError(f"number {number}"))

    run_threads(threading.Thread(target=fail, args=(f"t{i}",), daemon=True) for i in range(8))
    assert len(sim.event_log) == 80
    heads = re.findall(r"^\S+ beat: (t\d failed: ValueError: number \d+)$", read(file), re.M)
    assert sorted(heads) == sorted(
        f"t{i} failed: ValueError: number {n}" for i in range(8) for n in range(10)
    )


class ObservedLock:
    """A lock that knows its owner, and counts the threads that have come for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.comers = threading.Semaphore(0)
        self.owner: int | None = None

    def __enter__(self) -> None:
        self.comers.release()
        self._lock.acquire()
        self.owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self.owner = None
        self._lock.release()


def test_failure_file_is_cut_by_one_thread_at_a_time(
    sim: SimulatedSCM, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hold the lock during the cut, because concurrent writes would be lost."""
    monkeypatch.setattr(failures, "FILE_LIMIT", 10)
    report = FailureReport(sim, file)
    lock = ObservedLock()
    monkeypatch.setattr(report, "_lock", lock)
    inside: list[int] = []
    cuts: list[tuple[int, bool]] = []

    def cut(_: object) -> None:
        inside.append(threading.get_ident())
        if not cuts:  # the first thread: wait until the other thread requests the lock
            for _ in range(2):
                assert lock.comers.acquire(timeout=10)
        cuts.append((len(inside), lock.owner == threading.get_ident()))
        inside.pop()

    monkeypatch.setattr(failures, "_cut_older_half", cut)
    run_threads(
        threading.Thread(
            target=report.failed, args=("beat", "main()", ValueError("x")), daemon=True
        )
        for _ in range(2)
    )
    assert cuts == [(1, True), (1, True)]
