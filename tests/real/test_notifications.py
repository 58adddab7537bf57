"""The calls that waits use: registrations, the worker thread, and its notifications."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import (
    CancelToken,
    ErrorCode,
    Service,
    ServiceAccess,
    ServiceManager,
    State,
    WaitCancelledError,
    WaitTimeoutError,
    Win32Error,
)
from winsvc._native import NativeBackend
from winsvc.enums import Notify

backend = NativeBackend()
EVERY = 0x7F
QUERY = int(ServiceAccess.QUERY_STATUS)


def counted() -> tuple[int, int, int]:
    numbers = [ffi.new("DWORD *") for _ in range(3)]
    lib.winsvc_count(*numbers)
    return numbers[0][0], numbers[1][0], numbers[2][0]


@pytest.fixture
def waiter() -> Iterator[int]:
    waiter = backend.open_waiter()
    yield waiter
    backend.close_waiter(waiter)
    deadline = time.monotonic() + 10
    while counted() != (0, 0, 0):  # the thread ends a moment later
        assert time.monotonic() < deadline
        time.sleep(0.001)


def opened(name: str, access: int = QUERY) -> int:
    manager = backend.open_sc_manager(None, None, 1)
    try:
        return backend.open_service(manager, name, access)
    finally:
        backend.close_service_handle(manager)


def code_of(call: Callable[..., object], *arguments: object) -> int:
    try:
        call(*arguments)
    except Win32Error as error:
        assert error.function in ("NotifyServiceStatusChangeW", "CloseServiceHandle")
        return error.winerror
    return 0


def test_armed_registration_reports_status_until_disarmed(waiter: int, installed: Service) -> None:
    handle = opened(installed.name)
    assert counted() == (1, 0, 0)
    backend.arm(waiter, handle, EVERY)
    assert counted() == (1, 1, 1)
    ((notified, row),) = backend.wait_notified(waiter, 20)  # of the current state
    assert (notified, row.notification_status, row.triggered) == (handle, 0, Notify.STOPPED)
    assert row.status == backend.query_service_status_ex(handle)
    assert row.service_names is None
    assert backend.wait_notified(waiter, 0) == []
    backend.arm(waiter, handle, EVERY)
    installed.start("slow=200", wait=False)
    ((_, row),) = backend.wait_notified(waiter, 20)  # the first: the old state does not come again
    assert row.status.current_state in (State.START_PENDING, State.RUNNING)
    backend.arm(waiter, handle, int(Notify.PAUSED))
    other = opened(installed.name)
    backend.arm(waiter, other, int(Notify.PAUSED))
    backend.disarm(waiter, handle)
    assert counted() == (1, 1, 1)
    installed.wait(State.RUNNING, timeout=30)
    installed.pause()
    assert [notified for notified, _ in backend.wait_notified(waiter, 20)] == [other]
    backend.disarm(waiter, other)
    assert counted() == (1, 0, 1)
    assert backend.wait_notified(waiter, 0) == []


def test_arm_of_duplicate_or_invalid_handle_raises_service_error(
    waiter: int, installed: Service
) -> None:
    handle = opened(installed.name)
    backend.arm(waiter, handle, int(Notify.PAUSED))
    assert code_of(backend.arm, waiter, handle, EVERY) == ErrorCode.ALREADY_REGISTERED
    deaf = opened(installed.name, int(ServiceAccess.START))
    assert code_of(backend.arm, waiter, deaf, EVERY) == 5
    backend.disarm(waiter, deaf)
    assert code_of(backend.arm, waiter, 0, EVERY) == 6
    assert counted() == (1, 1, 1)
    backend.disarm(waiter, handle)


def test_two_waiters_receive_only_their_own_notifications(waiter: int, installed: Service) -> None:
    other = backend.open_waiter()
    handles = [opened(installed.name) for _ in range(3)]
    for owner, handle in zip((waiter, waiter, other), handles, strict=True):
        backend.arm(owner, handle, int(Notify.RUNNING))
    installed.start(timeout=30)
    notified: list[int] = []
    while len(notified) < 2:
        notified += [handle for handle, _ in backend.wait_notified(waiter, 20)]
    assert sorted(notified) == sorted(handles[:2])
    assert [handle for handle, _ in backend.wait_notified(other, 20)] == handles[2:]
    backend.close_waiter(other)  # this closes the handle as well
    for handle in handles[:2]:
        backend.disarm(waiter, handle)


def test_wait_notified_ends_on_timeout_or_wake(waiter: int) -> None:
    assert backend.wait_notified(waiter, 0.12) == []
    notified: list[object] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        notified.append(backend.wait_notified(waiter, None))

    for woken_before in (True, False):
        thread = threading.Thread(target=wait, daemon=True)
        if woken_before:
            backend.wake(waiter)
        waiting.clear()
        thread.start()
        assert waiting.wait(30)
        if not woken_before:
            backend.wake(waiter)
        thread.join(30)
        assert not thread.is_alive()
    assert notified == [[], []]
    assert counted() == (1, 0, 0)  # the thread starts with a registration


def test_close_waiter_closes_armed_handles(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    scm.create(name, program).close()
    waiter = backend.open_waiter()
    for _ in range(5):
        backend.arm(waiter, opened(name), int(Notify.PAUSED))
    assert counted() == (1, 5, 1)
    backend.close_waiter(waiter)
    assert counted()[:2] == (0, 0)
    scm.delete(name)
    assert not scm.exists(name)  # no handle keeps it


def test_random_waits_in_16_threads_leave_no_registrations(
    scm: ServiceManager, installed: Service, waiter: int
) -> None:
    """Sixteen threads wait, time out and are cancelled in any order, while states change."""
    installed.start(timeout=30)
    stop, errors = threading.Event(), list[BaseException]()
    ends = list[tuple[str, str]]()

    def lives() -> None:
        try:
            while not stop.is_set():
                installed.pause()
                installed.resume()
        except BaseException as error:
            errors.append(error)

    def wait(service: Service, end: str, chance: random.Random) -> None:
        if end == "arrived":
            service.wait(chance.choice([State.PAUSED, State.RUNNING]), 60)
            return
        token = CancelToken()
        timer = threading.Timer(chance.uniform(0, 0.02), token.cancel)
        if end == "cancelled":
            timer.start()
        try:
            timeout = chance.uniform(0, 0.02) if end == "timeout" else 60
            service.wait(State.STOPPED, timeout, cancel=token)
        finally:
            if end == "cancelled":
                timer.join()

    def waits(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with scm.open(installed.name) as service:
                for end in chance.sample(["arrived", "timeout", "cancelled"], 25, counts=[9, 8, 8]):
                    try:
                        wait(service, end, chance)
                        ends.append((end, "arrived"))
                    except WaitTimeoutError:
                        ends.append((end, "timeout"))
                    except WaitCancelledError:
                        ends.append((end, "cancelled"))
        except BaseException as error:
            errors.append(error)

    living = threading.Thread(target=lives)
    living.start()
    threads = [threading.Thread(target=waits, args=[seed]) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    stop.set()
    living.join(30)
    assert not errors
    assert Counter(ends) == {
        ("arrived", "arrived"): 16 * 9,
        ("timeout", "timeout"): 16 * 8,
        ("cancelled", "cancelled"): 16 * 8,
    }
    assert counted()[:2] == (1, 0)
