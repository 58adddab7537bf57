"""The calls below waiting: registrations, the thread that receives, and what it hands on."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

import pytest
from puppets import NOTHING, backend, counted, settled

from winsvc import (
    CancelToken,
    ErrorCode,
    Notify,
    Service,
    ServiceAccess,
    ServiceError,
    ServiceManager,
    State,
    WaitCancelledError,
    WaitTimeoutError,
)

EVERY = 0x7F
QUERY = int(ServiceAccess.QUERY_STATUS)


@pytest.fixture
def waiter() -> Iterator[int]:
    waiter = backend.open_waiter()
    yield waiter
    backend.close_waiter(waiter)
    assert settled(counted, NOTHING) == NOTHING  # the thread ends by itself


def opened(name: str, access: int = QUERY) -> int:
    manager = backend.open_sc_manager(None, None, 1)
    try:
        return backend.open_service(manager, name, access)
    finally:
        backend.close_service_handle(manager)


def code_of(call: Callable[..., object], *arguments: object) -> int:
    try:
        call(*arguments)
    except ServiceError as error:
        assert error.function in ("NotifyServiceStatusChangeW", "CloseServiceHandle")
        return error.winerror
    return 0


def test_a_whole_registration(waiter: int, installed: Service) -> None:
    handle = opened(installed.name)
    assert counted() == (1, 0, 0)
    backend.arm(waiter, handle, EVERY)
    assert counted() == (1, 1, 1)
    ((told, row),) = backend.wait_notified(waiter, 20)  # of the state that is
    assert (told, row.notification_status, row.triggered) == (handle, 0, Notify.STOPPED)
    assert row.status == backend.query_service_status_ex(handle)
    assert row.service_names is None
    assert backend.wait_notified(waiter, 0) == []
    backend.arm(waiter, handle, EVERY)
    assert backend.wait_notified(waiter, 0.05) == []  # nothing new
    installed.start("slow=200")
    ((_, row),) = backend.wait_notified(waiter, 20)
    assert row.status.current_state in (State.START_PENDING, State.RUNNING)
    backend.disarm(waiter, handle)
    assert counted() == (1, 0, 1)
    installed.wait(State.RUNNING, timeout=30)
    assert backend.wait_notified(waiter, 0.05) == []


def test_what_is_refused(waiter: int, installed: Service) -> None:
    handle = opened(installed.name)
    backend.arm(waiter, handle, int(Notify.PAUSED))
    assert code_of(backend.arm, waiter, handle, EVERY) == ErrorCode.ALREADY_REGISTERED
    deaf = opened(installed.name, int(ServiceAccess.START))
    assert code_of(backend.arm, waiter, deaf, EVERY) == 5
    backend.disarm(waiter, deaf)
    assert code_of(backend.arm, waiter, 0, EVERY) == 6
    assert counted() == (1, 1, 1)
    backend.disarm(waiter, handle)


def test_two_handles_and_two_waiters(waiter: int, installed: Service) -> None:
    other = backend.open_waiter()
    handles = [opened(installed.name) for _ in range(3)]
    for one, handle in zip((waiter, waiter, other), handles, strict=True):
        backend.arm(one, handle, int(Notify.RUNNING))
    installed.start(timeout=30)
    told: list[int] = []
    while len(told) < 2:
        told += [handle for handle, _ in backend.wait_notified(waiter, 20)]
    assert sorted(told) == sorted(handles[:2])
    assert [handle for handle, _ in backend.wait_notified(other, 20)] == handles[2:]
    backend.close_waiter(other)  # which closes the handle, too
    for handle in handles[:2]:
        backend.disarm(waiter, handle)


def test_time_and_waking(waiter: int) -> None:
    assert backend.wait_notified(waiter, 0.12) == []
    backend.wake(waiter)
    assert backend.wait_notified(waiter, None) == []
    timer = threading.Timer(0.05, backend.wake, [waiter])
    timer.start()
    assert backend.wait_notified(waiter, None) == []
    timer.join()
    assert counted() == (1, 0, 0)  # no thread without a registration


def test_a_waiter_closes_what_is_armed(
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
    assert name not in scm  # no handle keeps it


def test_threads_at_random(scm: ServiceManager, installed: Service, waiter: int) -> None:
    """Sixteen wait, give up and are cancelled while the service lives on."""
    installed.start(timeout=30)
    stop, errors, ends = threading.Event(), list[BaseException](), list[str]()

    def lives() -> None:
        while not stop.is_set():
            installed.pause()
            installed.resume()

    def waits(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with scm.open(installed.name) as service:
                for _ in range(25):
                    wanted = chance.choice([State.PAUSED, State.RUNNING, State.CONTINUE_PENDING])
                    token = CancelToken()
                    timer = threading.Timer(chance.uniform(0, 0.02), token.cancel)
                    timer.start()
                    try:
                        service.wait(wanted, chance.uniform(0, 0.02), cancel=token)
                        ends.append("arrived")
                    except WaitTimeoutError:
                        ends.append("timeout")
                    except WaitCancelledError:
                        ends.append("cancelled")
                    timer.join()
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
    assert len(ends) == 16 * 25
    assert {"arrived", "timeout", "cancelled"} <= set(ends)
    assert counted()[:2] == (1, 0)
