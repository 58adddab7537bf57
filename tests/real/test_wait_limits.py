"""How fast a wait is, what it costs, and that it leaves nothing behind.

The states are Wine's to give: there a service handle with the right 0x8000 may report them, so that
the moment is known to the microsecond.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import (
    CancelToken,
    Service,
    ServiceAccess,
    ServiceError,
    ServiceManager,
    ServiceStartError,
    State,
    StatusChanged,
    WaitCancelledError,
    WaitTimeoutError,
)
from winsvc._native import NativeBackend
from winsvc._values.rows import StatusRow

backend = NativeBackend()
on_wine = pytest.mark.skipif(not lib.wine_version(), reason="Windows lets only services report")

NOTHING = (0, 0, 0)
SET_STATUS = 0x8000  # what Wine wants of a handle that reports
CYCLE = (State.START_PENDING, State.RUNNING, State.PAUSE_PENDING, State.PAUSED, State.STOP_PENDING)


class Puppet:
    """A service without a process, whose states are set by hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        manager = backend.open_sc_manager(None, None, 1)
        self._handle = backend.open_service(manager, name, ServiceAccess.ALL_ACCESS | SET_STATUS)
        backend.close_service_handle(manager)

    def report(self, state: State, exit_code: int = 0, check_point: int = 0) -> float:
        """Report a state; when that was done."""
        row = StatusRow(0x10, int(state), 0, exit_code, 0, check_point, 2000, 0, 0)
        backend.set_service_status(self._handle, row)
        return time.perf_counter()

    def close(self) -> None:
        backend.close_service_handle(self._handle)


@contextmanager
def puppets(scm: ServiceManager, program: str, names: list[str]) -> Iterator[list[Puppet]]:
    with ExitStack() as closing:
        made: list[Puppet] = []
        for name in names:
            service = closing.enter_context(scm.create(name, program))
            closing.callback(service.delete)
            puppet = Puppet(name)
            closing.callback(puppet.close)
            closing.callback(puppet.report, State.STOPPED)
            made.append(puppet)
        yield made


@pytest.fixture
def puppet(scm: ServiceManager, program: str, unique_name: Callable[[], str]) -> Iterator[Puppet]:
    with puppets(scm, program, [unique_name()]) as (puppet,):
        yield puppet


def counted() -> tuple[int, int, int]:
    """The waiters, registrations and threads of the compiled module."""
    numbers = [ffi.new("DWORD *") for _ in range(3)]
    lib.winsvc_count(*numbers)
    return numbers[0][0], numbers[1][0], numbers[2][0]


def until_armed(count: int = 1) -> None:
    """Until so many services tell, and nothing is on its way."""
    deadline = time.monotonic() + 20
    while counted()[1] < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(0.025)


def show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n    {text}")


# ------------------------------------------------------------------- how fast


@on_wine
def test_the_time_from_a_report_to_the_return(
    scm: ServiceManager, puppet: Puppet, capsys: pytest.CaptureFixture[str]
) -> None:
    """99 of 100 within 10 ms on a machine that has time; what a busy one does is its own affair."""
    times = sorted(transitions(scm, puppet))
    half, most, worst = (times[at] * 1000 for at in (100, 197, 199))
    show(capsys, f"report -> return: p50 {half:.2f}, p99 {most:.2f}, worst {worst:.2f} ms")
    assert half <= 10


def transitions(scm: ServiceManager, puppet: Puppet) -> list[float]:
    """How long it takes from a report until the wait has returned, 200 times."""
    returned: list[float] = []
    times: list[float] = []
    turn, done = threading.Semaphore(0), threading.Semaphore(0)
    wanted: list[State] = []

    def waits() -> None:
        with scm.open(puppet.name) as service:
            while True:
                turn.acquire()
                if not wanted:
                    return
                service.wait(wanted[0], timeout=30)
                returned.append(time.perf_counter())
                done.release()

    thread = threading.Thread(target=waits)
    thread.start()
    try:
        for number in range(200):
            wanted[:] = [CYCLE[number % len(CYCLE)]]
            turn.release()
            until_armed()
            reported = puppet.report(wanted[0])
            assert done.acquire(timeout=30)
            times.append(returned[-1] - reported)
    finally:
        wanted.clear()
        turn.release()
        thread.join(30)
    return times


def test_a_service_that_dies_while_it_starts(
    installed: Service, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It is told within 100 ms, with its exit code."""
    late: list[float] = []
    for turn in range(5):
        log = tmp_path / f"log{turn}"
        with pytest.raises(ServiceStartError) as caught:
            installed.start("slow=300", "exit=1234", f"log={log}", timeout=30)
        assert caught.value.status is not None
        assert caught.value.status.exit_code == 1234
        assert caught.value.waited is not None
        # It notes its arguments and then sleeps three times 100 ms.
        late.append(time.time() - log.stat().st_mtime - 0.3)
    late.sort()
    show(capsys, f"its end -> return: p50 {late[2] * 1000:.1f} ms, worst {late[4] * 1000:.1f} ms")
    assert late[2] < 0.1


@on_wine
def test_one_that_falls_back(scm: ServiceManager, puppet: Puppet) -> None:
    ended: list[tuple[float, ServiceError]] = []

    def waits() -> None:
        with scm.open(puppet.name) as service:
            try:
                service.wait(State.RUNNING, timeout=30)
            except ServiceError as error:
                ended.append((time.perf_counter(), error))

    late: list[float] = []
    for _ in range(20):
        puppet.report(State.START_PENDING, check_point=7)
        thread = threading.Thread(target=waits)
        thread.start()
        until_armed()
        died = puppet.report(State.STOPPED, exit_code=1234)
        thread.join(30)
        at, error = ended.pop()
        late.append(at - died)
        assert isinstance(error, ServiceStartError)
        assert error.status is not None
        assert error.status.exit_code == 1234
        assert error.last_progress is not None
        assert error.last_progress.check_point == 7
    assert sorted(late)[10] < 0.1


# ------------------------------------------------------------------- what it costs


def processor_share(work: Callable[[], object]) -> float:
    """How much of one processor this process takes meanwhile."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return (time.process_time() - spent) / (time.perf_counter() - began)


def test_a_wait_takes_no_processor(installed: Service, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WaitTimeoutError):
        installed.wait(State.RUNNING, timeout=0.1)  # what is loaded once is loaded here

    def wait() -> None:
        with pytest.raises(WaitTimeoutError):
            installed.wait(State.RUNNING, timeout=4)

    share = processor_share(wait)
    show(capsys, f"processor while waiting on the main thread: {share:.2%}")
    assert share < 0.02


@on_wine
def test_many_waits_at_once(
    scm: ServiceManager,
    program: str,
    unique_name: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """64 on different services, in one process, on one thread of ours."""
    names = [unique_name() for _ in range(64)]
    arrived: dict[str, float] = {}

    def waits(name: str) -> None:
        with scm.open(name) as service:
            assert service.wait(State.RUNNING, timeout=60).state is State.RUNNING
        arrived[name] = time.perf_counter()

    with puppets(scm, program, names) as made:
        threads = [threading.Thread(target=waits, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        until_armed(64)
        assert counted() == (64, 64, 1)
        share = 1.0
        for _ in range(10):  # on a busy machine it takes its time until all of them wait
            if share >= 0.02:
                share = processor_share(lambda: time.sleep(1))
        late: list[float] = []
        for puppet in made:
            reported = puppet.report(State.RUNNING)
            while puppet.name not in arrived and time.perf_counter() - reported < 20:
                time.sleep(0)
            late.append(arrived[puppet.name] - reported)
        for thread in threads:
            thread.join(30)
        assert len(arrived) == 64
    late.sort()
    show(
        capsys,
        f"64 waits: {share:.2%} of a processor; p50 {late[32] * 1000:.2f} ms, "
        f"worst {late[-1] * 1000:.2f} ms",
    )
    assert share < 0.02
    assert settled(counted, NOTHING) == NOTHING


# ------------------------------------------------------------------- what is left


def free_handles() -> object:
    """How many handles the process has; on Wine, which does not count them, the next free ones."""
    gc.collect()
    if not lib.wine_version():
        count = ffi.new("DWORD *")
        assert lib.GetProcessHandleCount(lib.GetCurrentProcess(), count)
        return count[0]
    kernel = ctypes.CDLL("kernel32")
    free = [kernel.CreateEventW(None, 0, 0, None) for _ in range(64)]  # the lowest come first
    for handle in free:
        kernel.CloseHandle(handle)
    return free


class ThreadEntry(ctypes.Structure):
    """``THREADENTRY32``"""

    _fields_ = (
        ("size", ctypes.c_ulong),
        ("usage", ctypes.c_ulong),
        ("thread", ctypes.c_ulong),
        ("process", ctypes.c_ulong),
        ("base", ctypes.c_long),
        ("delta", ctypes.c_long),
        ("flags", ctypes.c_ulong),
    )


def threads_of_this_process() -> int:
    kernel = ctypes.CDLL("kernel32")
    kernel.CreateToolhelp32Snapshot.restype = ctypes.c_void_p
    snapshot = ctypes.c_void_p(kernel.CreateToolhelp32Snapshot(4, 0))
    entry = ThreadEntry(size=ctypes.sizeof(ThreadEntry))
    count, more = 0, kernel.Thread32First(snapshot, ctypes.byref(entry))
    while more:
        count += entry.process == os.getpid()
        more = kernel.Thread32Next(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)
    return count


def settled(measure: Callable[[], object], expected: object) -> object:
    """What is measured, once what ends by itself has had its time."""
    deadline = time.monotonic() + 10
    while (found := measure()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@on_wine
def test_a_thousand_waits_leave_nothing(scm: ServiceManager, puppet: Puppet) -> None:
    """A third arrive, a third time out, a third are cancelled."""
    wanted = 0

    def wait(service: Service, turn: int) -> None:
        nonlocal wanted
        if turn % 3 == 0:
            going = threading.Timer(0.002, puppet.report, [State.RUNNING])
            going.start()
            service.wait(State.RUNNING, timeout=30)
            going.join()
            puppet.report(State.PAUSED)
        elif turn % 3 == 1:
            with pytest.raises(WaitTimeoutError):
                service.wait(State.RUNNING, timeout=0.002)
        else:
            token = CancelToken()
            cancel = threading.Timer(0.002, token.cancel)
            cancel.start()
            with pytest.raises(WaitCancelledError):
                service.wait(State.RUNNING, timeout=30, cancel=token)
            cancel.join()
        wanted += 1

    puppet.report(State.PAUSED)
    with scm.open(puppet.name) as service:
        for turn in range(12):  # what is made once is made here
            wait(service, turn)
        time.sleep(0.5)
        handles, threads = free_handles(), threads_of_this_process()
        assert settled(counted, NOTHING) == NOTHING
        for turn in range(1000):
            wait(service, turn)
        assert settled(counted, NOTHING) == NOTHING
        assert settled(threads_of_this_process, threads) == threads
        assert settled(free_handles, handles) == handles
    assert wanted == 1012


@on_wine
def test_watches_leave_nothing(scm: ServiceManager, puppet: Puppet) -> None:
    def watch() -> None:
        with scm.watch(puppet.name, interval=30) as events:
            puppet.report(State.RUNNING)
            event = events.wait(30)
            assert isinstance(event, StatusChanged)
            assert (event.old.state, event.new.state) == (State.PAUSED, State.RUNNING)
            puppet.report(State.PAUSED)

    puppet.report(State.PAUSED)
    for _ in range(5):
        watch()
    time.sleep(0.5)
    handles, threads = free_handles(), threads_of_this_process()
    for _ in range(100):
        watch()
    assert settled(counted, NOTHING) == NOTHING
    assert settled(threads_of_this_process, threads) == threads
    assert settled(free_handles, handles) == handles


@on_wine
def test_a_watch_that_is_forgotten(scm: ServiceManager, puppet: Puppet) -> None:
    """It warns, in whatever order its parts go, and closes them."""
    with pytest.warns(ResourceWarning, match="unclosed"):
        events = scm.watch(puppet.name, interval=30)
        events.itself = events  # type: ignore[attr-defined]
        del events
        gc.collect()
    assert settled(counted, NOTHING) == NOTHING


# ------------------------------------------------------------------- Ctrl-C


def test_ctrl_c_ends_a_wait(installed: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Within 100 ms, on the main thread, with nothing left."""
    late: list[float] = []
    for _ in range(5):
        pressed: list[float] = []

        def press(at: list[float] = pressed) -> None:
            at.append(time.perf_counter())
            signal.raise_signal(signal.SIGINT)

        timer = threading.Timer(0.1, press)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            installed.wait(State.RUNNING, timeout=30)
        late.append(time.perf_counter() - pressed[0])
        timer.join()
        assert settled(counted, NOTHING) == NOTHING
    show(capsys, f"Ctrl-C -> KeyboardInterrupt: worst {max(late) * 1000:.0f} ms")
    assert sorted(late)[2] < 0.1
