"""Waits for a real service: how they end, and that they release everything."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest
from _winsvc_cffi import ffi, lib
from puppets import NOTHING, Puppet, counted, on_wine, puppets, settled, until_armed

from winsvc import (
    CancelToken,
    Service,
    ServiceManager,
    ServiceStartError,
    State,
    StatusChanged,
    WaitCancelledError,
    WaitTimeoutError,
    Win32Error,
)
from winsvc.errors import WaitError


@pytest.fixture
def puppet(scm: ServiceManager, program: str, unique_name: Callable[[], str]) -> Iterator[Puppet]:
    with puppets(scm, program, [unique_name()]) as (puppet,):
        yield puppet


def test_start_of_exiting_service_raises_within_100_ms(installed: Service) -> None:
    with pytest.raises(ServiceStartError) as caught:
        installed.start("slow=300", "exit=1234", timeout=30)
    assert caught.value.status is not None
    assert caught.value.status.exit_code == 1234
    assert caught.value.waited is not None


@on_wine
def test_wait_when_start_falls_back_to_stopped_raises_start_error(
    scm: ServiceManager, puppet: Puppet
) -> None:
    ended: list[Win32Error] = []

    def waits() -> None:
        with scm.open(puppet.name) as service:
            try:
                service.wait(State.RUNNING, timeout=30)
            except Win32Error as error:
                ended.append(error)

    for _ in range(5):
        puppet.report(State.START_PENDING, check_point=7)
        thread = threading.Thread(target=waits)
        thread.start()
        until_armed()
        puppet.report(State.STOPPED, exit_code=1234)
        thread.join(30)
        error = ended.pop()
        assert isinstance(error, ServiceStartError)
        assert error.status is not None
        assert error.status.exit_code == 1234
        assert error.last_progress is not None
        assert error.last_progress.check_point == 7


@on_wine
def test_wait_when_stop_falls_back_to_running_raises_wait_error(
    scm: ServiceManager, puppet: Puppet
) -> None:
    puppet.report(State.STOP_PENDING, check_point=3)

    def fall_back() -> None:
        until_armed()
        puppet.report(State.RUNNING)

    thread = threading.Thread(target=fall_back)
    thread.start()
    with scm.open(puppet.name) as service:
        with pytest.raises(WaitError, match="returned to its previous state") as caught:
            service.wait(State.STOPPED, timeout=30)
    thread.join(30)
    assert caught.value.status is not None
    assert caught.value.status.state is State.RUNNING


@on_wine
def test_64_waits_share_single_native_thread(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    """64 waits for different services use one thread of the compiled module."""
    names = [unique_name() for _ in range(64)]
    arrived: SimpleQueue[str] = SimpleQueue()

    def waits(name: str) -> None:
        with scm.open(name) as service:
            assert service.wait(State.RUNNING, timeout=60).state is State.RUNNING
        arrived.put(name)

    with puppets(scm, program, names) as created:
        threads = [threading.Thread(target=waits, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        until_armed(64)
        assert counted() == (64, 64, 1)
        for puppet in created:
            puppet.report(State.RUNNING)
            assert arrived.get(timeout=20) == puppet.name
        for thread in threads:
            thread.join(30)
    assert settled(counted, NOTHING) == NOTHING


# ------------------------------------------------------------------- what is left


_CREATED_ONCE = 8  # handles


class Held:
    """The handles and threads of this process, for a later comparison."""

    def __init__(self) -> None:
        assert settled(counted, NOTHING) == NOTHING
        gc.collect()
        self.threads = threads_of_this_process()
        self.handles = handles_of_this_process()

    def no_more_than(self, before: Held) -> bool:
        """Return whether nothing was added; threads of earlier tests may have ended.

        The system creates a few handles once, when threads first overlap in a certain way. They
        are far fewer than the operations of a test, each of which would leave a handle.
        """
        if self.threads > before.threads:
            return False
        if isinstance(self.handles, int) or isinstance(before.handles, int):
            return self.handles <= before.handles + _CREATED_ONCE  # type: ignore[operator]
        last = max(self.handles)
        used = {handle for handle in before.handles if handle <= last} - self.handles
        return len(used) <= _CREATED_ONCE


def handles_of_this_process() -> int | set[int]:
    """Count the handles; on Wine, which does not count, return the lowest free numbers."""
    if not lib.wine_version():
        count = ffi.new("DWORD *")
        assert lib.GetProcessHandleCount(lib.GetCurrentProcess(), count)
        return int(count[0])
    kernel = ctypes.CDLL("kernel32")
    free = [kernel.CreateEventW(None, 0, 0, None) for _ in range(64)]
    for handle in free:
        kernel.CloseHandle(handle)
    return set(free)


class ThreadEntry(ctypes.Structure):
    """The structure ``THREADENTRY32``."""

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


@on_wine
def test_thousand_waits_leave_no_handles_or_threads(scm: ServiceManager, puppet: Puppet) -> None:
    """A third of the waits return, a third time out, and a third are cancelled."""
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
        for turn in range(12):  # create what is created once only
            wait(service, turn)
        before = Held()
        for turn in range(1000):
            wait(service, turn)
        assert settled(lambda: Held().no_more_than(before), True)
    assert wanted == 1012


@on_wine
def test_hundred_watches_leave_no_handles_or_threads(scm: ServiceManager, puppet: Puppet) -> None:
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
    before = Held()
    for _ in range(100):
        watch()
    assert settled(lambda: Held().no_more_than(before), True)


@on_wine
def test_unclosed_watch_warns_and_closes(scm: ServiceManager, puppet: Puppet) -> None:
    """The watch warns in any order of destruction, and closes its parts."""
    with pytest.warns(ResourceWarning, match="unclosed"):
        events = scm.watch(puppet.name, interval=30)
        events.itself = events  # type: ignore[attr-defined]
        del events
        gc.collect()
    assert settled(counted, NOTHING) == NOTHING


# ------------------------------------------------------------------- Ctrl-C


@pytest.mark.usefixtures("interruptible")
def test_wait_on_ctrl_c_raises_keyboard_interrupt(installed: Service) -> None:
    """On the main thread; everything is released."""

    def press() -> None:
        until_armed()
        signal.raise_signal(signal.SIGINT)

    for _ in range(5):
        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            installed.wait(State.RUNNING)
        thread.join()
        assert settled(counted, NOTHING) == NOTHING
