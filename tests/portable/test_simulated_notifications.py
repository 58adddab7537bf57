"""Test the recipients, times and number of notifications on a simulated machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from simulated import change, code_of, control, create, manager, number, opened, start

from winsvc import Control, ServiceAccess, ServiceType, State
from winsvc._values.rows import NotificationRow
from winsvc.enums import ConfigLevel, Notify
from winsvc.testing import ProgramBehavior, SimulatedSCM

N, S = Notify, State
EVERY_STATE = int(N(0x7F))
LISTED = int(N.CREATED | N.DELETED)
SLOW = ProgramBehavior(start_takes=3, stop_takes=3)


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("beat")
    return sim


class Watcher:
    """A separate waiter, and the notifications that it has received so far."""

    def __init__(self, sim: SimulatedSCM) -> None:
        self._sim = sim
        self.waiter = sim.open_waiter()
        self._rows: list[NotificationRow] = []

    @property
    def rows(self) -> list[NotificationRow]:
        self._rows += [row for _, row in self._sim.wait_notified(self.waiter, 0)]
        return self._rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> NotificationRow:
        return self.rows[index]


def watch(sim: SimulatedSCM, handle: int, mask: int, watcher: Watcher) -> None:
    sim.arm(watcher.waiter, handle, int(mask))


def triggered(watcher: Watcher) -> list[int]:
    return [row.triggered for row in watcher.rows]


# ------------------------------------------------------------------- states


def test_notify_reports_current_state_once_per_registration(sim: SimulatedSCM) -> None:
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.STOPPED | N.RUNNING, watcher)
    (row,) = watcher.rows
    assert (row.notification_status, row.triggered) == (0, N.STOPPED)
    assert row.status.current_state == S.STOPPED
    assert row.service_names is None
    start(sim, "beat")
    assert len(watcher) == 1  # it was for once
    watch(sim, handle, N.STOPPED | N.RUNNING, watcher)
    assert triggered(watcher) == [N.STOPPED, N.RUNNING]
    assert watcher[1].status.process_id == sim["beat"].pid
    watch(sim, handle, N.STOPPED | N.RUNNING, watcher)
    assert len(watcher) == 2  # not again of the same
    control(sim, "beat", Control.STOP)
    assert triggered(watcher) == [N.STOPPED, N.RUNNING, N.STOPPED]


def test_notify_reports_each_check_point_at_its_time(sim: SimulatedSCM) -> None:
    sim["beat"].program = SLOW
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    seen: list[tuple[float, int, int]] = []
    watch(sim, handle, EVERY_STATE, watcher)
    start(sim, "beat")
    while news := sim.wait_notified(watcher.waiter, 10 - sim.clock.now):
        for _, row in news:
            seen.append((sim.clock.now, row.status.current_state, row.status.check_point))
        watch(sim, handle, EVERY_STATE, watcher)
    assert seen == [
        (0, S.STOPPED, 0),
        (0, S.START_PENDING, 1),  # the first report by the service
        (1, S.START_PENDING, 2),
        (2, S.START_PENDING, 3),
        (3, S.RUNNING, 0),
    ]
    assert sim.clock.now == 10


def test_notify_ignores_repeated_identical_report(sim: SimulatedSCM) -> None:
    start(sim, "beat")
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.RUNNING, watcher)
    assert len(watcher) == 1
    watch(sim, handle, N.RUNNING, watcher)
    sim.local.report("beat", S.RUNNING)
    assert len(watcher) == 1
    sim.local.report("beat", S.STOP_PENDING, check_point=1)
    watch(sim, handle, N.STOP_PENDING, watcher)
    assert len(watcher) == 2
    watch(sim, handle, N.STOP_PENDING, watcher)
    sim.local.report("beat", S.STOP_PENDING, check_point=1)
    assert len(watcher) == 2
    sim.local.report("beat", S.STOP_PENDING, check_point=2)
    assert [row.status.check_point for row in watcher.rows] == [0, 1, 2]


def test_notify_reports_state_entered_again(sim: SimulatedSCM) -> None:
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.STOPPED, watcher)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    watch(sim, handle, N.STOPPED, watcher)
    assert triggered(watcher) == [N.STOPPED] * 2


def test_notify_reports_only_states_in_mask(sim: SimulatedSCM) -> None:
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.PAUSED, watcher)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    assert watcher.rows == []
    watch(sim, handle, 0, watcher)
    start(sim, "beat")
    assert watcher.rows == []


def test_notify_reports_every_state_of_a_run(sim: SimulatedSCM) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=3, stop_takes=3, check_point_every=9)
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: start(sim, "beat"),
        lambda: sim.clock.advance(3),
        lambda: control(sim, "beat", Control.STOP),
        lambda: sim.clock.advance(3),
    ]
    for count, step in enumerate(steps, 1):
        watch(sim, handle, EVERY_STATE, watcher)
        step()
        assert len(watcher) == count
    assert triggered(watcher) == [N.STOPPED, N.START_PENDING, N.RUNNING, N.STOP_PENDING, N.STOPPED]


def test_notify_reports_start_pending_of_instant_start(sim: SimulatedSCM) -> None:
    watcher = Watcher(sim)
    watch(sim, opened(sim, "beat"), N.START_PENDING, watcher)
    start(sim, "beat")
    assert triggered(watcher) == [N.START_PENDING]
    assert watcher[0].status.wait_hint == 2000


def test_notify_reports_next_check_point_per_registration(sim: SimulatedSCM) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=10)
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    start(sim, "beat")
    for _ in range(3):
        watch(sim, handle, N.START_PENDING, watcher)
        sim.clock.advance(1)
    # At first of the state that is; then of the next check point after each registration.
    assert [row.status.check_point for row in watcher.rows] == [1, 3, 4]
    watch(sim, handle, N.START_PENDING, watcher)
    assert len(watcher) == 3


def test_second_registration_on_handle_replaces_first(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    first = Watcher(sim)
    second = Watcher(sim)
    watch(sim, handle, N.RUNNING, first)
    watch(sim, handle, N.STOPPED | N.RUNNING, second)
    assert (len(first), len(second)) == (0, 1)
    watch(sim, handle, N.RUNNING, second)
    start(sim, "beat")
    assert (len(first), len(second)) == (0, 2)


def test_notify_reports_to_each_registered_handle(sim: SimulatedSCM) -> None:
    watchers = [Watcher(sim), Watcher(sim), Watcher(sim)]
    for watcher in watchers:
        watch(sim, opened(sim, "beat", ServiceAccess.QUERY_STATUS), N.RUNNING, watcher)
    start(sim, "beat")
    assert [triggered(watcher) for watcher in watchers] == [[N.RUNNING]] * 3


def test_notify_on_closed_handle_reports_nothing(sim: SimulatedSCM) -> None:
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.RUNNING, watcher)
    sim.close_service_handle(handle)
    start(sim, "beat")
    assert watcher.rows == []
    assert code_of(watch, sim, handle, 1, watcher) == 6


def test_closing_handle_drops_notification_in_flight(sim: SimulatedSCM) -> None:
    sim.faults.lag = 2
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.STOPPED, watcher)
    sim.close_service_handle(handle)
    sim.clock.advance(5)
    assert watcher.rows == []


def test_disarm_drops_notification_not_yet_taken(sim: SimulatedSCM) -> None:
    first, second, watcher = opened(sim, "beat"), opened(sim, "beat"), Watcher(sim)
    watch(sim, first, N.RUNNING, watcher)
    watch(sim, second, N.RUNNING, watcher)
    start(sim, "beat")
    sim.disarm(watcher.waiter, first)
    assert [handle for handle, _ in sim.wait_notified(watcher.waiter, 0)] == [second]
    assert code_of(sim.query_service_status_ex, first) == 6


def test_notify_on_lost_connection_reports_nothing(sim: SimulatedSCM) -> None:
    watcher = Watcher(sim)
    watch(sim, opened(sim, "beat"), N.RUNNING, watcher)
    sim.local.disconnect()
    sim.local.reconnect()
    start(sim, "beat")
    assert watcher.rows == []


def test_notify_without_right_is_refused(sim: SimulatedSCM) -> None:
    watcher = Watcher(sim)
    assert code_of(watch, sim, opened(sim, "beat", ServiceAccess.START), 1, watcher) == 5
    assert code_of(watch, sim, manager(sim, 1), LISTED, watcher) == 5
    assert code_of(watch, sim, 0, 1, watcher) == 6


def test_notify_for_driver_is_refused(sim: SimulatedSCM) -> None:
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER)
    assert code_of(watch, sim, opened(sim, "disk"), 1, Watcher(sim)) == 87


def test_notify_reports_changes_caused_by_program(sim: SimulatedSCM) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=2, ends_after=5, crashes=True)
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    start(sim, "beat")
    watch(sim, handle, N.RUNNING, watcher)
    sim.clock.advance(2)
    assert triggered(watcher) == [N.RUNNING]
    watch(sim, handle, N.STOPPED, watcher)
    sim.sleep(3)
    assert watcher[1].status.win32_exit_code == 1067
    watch(sim, handle, N.RUNNING, watcher)
    sim["beat"].program = ProgramBehavior()
    start(sim, "beat")
    watch(sim, handle, N.PAUSED, watcher)
    sim.local.report("beat", S.PAUSED)
    assert triggered(watcher) == [N.RUNNING, N.STOPPED, N.RUNNING, N.PAUSED]


# ------------------------------------------------------------------- services created and deleted


def test_manager_notify_reports_created_and_deleted_services(sim: SimulatedSCM) -> None:
    scm, watcher = manager(sim), Watcher(sim)
    watch(sim, scm, LISTED, watcher)
    assert watcher.rows == []
    service, _ = create(sim, scm, "New")
    (row,) = watcher.rows
    assert (row.notification_status, row.triggered) == (0, N.CREATED)
    assert row.service_names == ("/New",)
    watch(sim, scm, LISTED, watcher)
    sim.delete_service(service)
    assert len(watcher) == 1
    sim.close_service_handle(service)
    assert (watcher[1].triggered, watcher[1].service_names) == (N.DELETED, ("New",))


def test_manager_notify_reports_missed_changes_on_registration(sim: SimulatedSCM) -> None:
    scm, watcher = manager(sim), Watcher(sim)
    before, _ = create(sim, scm, "before")
    watch(sim, scm, LISTED, watcher)
    create(sim, scm, "one")
    create(sim, scm, "two")
    sim.delete_service(before)
    sim.close_service_handle(before)
    assert [row.service_names for row in watcher.rows] == [("/one",)]
    watch(sim, scm, LISTED, watcher)
    assert watcher[1].service_names == ("/two", "before")
    assert watcher[1].triggered == LISTED
    watch(sim, scm, LISTED, watcher)
    assert len(watcher) == 2


def test_manager_notify_reports_only_kind_in_mask(sim: SimulatedSCM) -> None:
    scm, other = manager(sim), manager(sim)
    created = Watcher(sim)
    deleted = Watcher(sim)
    watch(sim, scm, N.CREATED, created)
    watch(sim, other, N.DELETED, deleted)
    service, _ = create(sim, scm, "new")
    sim.delete_service(service)
    sim.close_service_handle(service)
    assert [row.service_names for row in (*created.rows, *deleted.rows)] == [("/new",), ("new",)]


def test_notify_reports_delete_pending_then_refuses_registration(sim: SimulatedSCM) -> None:
    handle, other = opened(sim, "beat"), opened(sim, "beat")
    watcher = Watcher(sim)
    watch(sim, handle, N.DELETE_PENDING | N.RUNNING, watcher)
    sim.delete_service(other)
    (row,) = watcher.rows
    assert (row.notification_status, row.triggered) == (1072, N.DELETE_PENDING)
    assert row.status.current_state == S.STOPPED
    assert code_of(watch, sim, handle, EVERY_STATE, watcher) == 1072
    assert code_of(watch, sim, other, EVERY_STATE, watcher) == 1072
    assert len(watcher) == 1


# ------------------------------------------------------------------- late, lagging, from threads


def test_delayed_notification_carries_earlier_status(sim: SimulatedSCM) -> None:
    sim.faults.lag = 2
    handle, watcher = opened(sim, "beat"), Watcher(sim)
    watch(sim, handle, N.RUNNING, watcher)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    sim.clock.advance(1.9)
    assert watcher.rows == []
    sim.clock.advance(0.1)
    assert watcher[0].status.current_state == S.RUNNING  # as it was then


def test_notify_after_client_lagging_works_on_new_handle(sim: SimulatedSCM) -> None:
    sim.faults.fail("NotifyServiceStatusChangeW", 1294)
    scm, watcher = manager(sim), Watcher(sim)
    assert code_of(watch, sim, scm, LISTED, watcher) == 1294
    sim.close_service_handle(scm)
    scm = manager(sim)
    watch(sim, scm, LISTED, watcher)
    create(sim, scm, "new")
    assert len(watcher) == 1


def test_notify_delivers_only_after_running_call(sim: SimulatedSCM) -> None:
    watcher = Watcher(sim)
    seen: list[int] = []

    def on_control(code: Control) -> None:
        sim.local.report("beat", S.PAUSED)  # happens within the call
        sim.clock.advance(1)
        opened(sim, "beat")
        seen.append(len(watcher))

    sim["beat"].program = ProgramBehavior(on_control=on_control)
    start(sim, "beat")
    watch(sim, opened(sim, "beat"), N.PAUSED, watcher)
    control(sim, "beat", 128)
    assert (seen, len(watcher)) == ([0], 1)


# ------------------------------------------------------------------- waiting


def test_wait_notified_advances_time_until_notification(sim: SimulatedSCM) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=3, check_point_every=9)
    handle, waiter = opened(sim, "beat"), sim.open_waiter()
    start(sim, "beat")
    sim.arm(waiter, handle, int(N.RUNNING))
    ((notified, row),) = sim.wait_notified(waiter, 60)
    assert (notified, row.triggered, sim.clock.now) == (handle, N.RUNNING, 3)
    assert sim.wait_notified(waiter, 60) == []
    assert sim.clock.now == 63
    sim.arm(waiter, handle, int(N.STOPPED))
    assert sim.wait_notified(waiter, 0) == []
    assert sim.clock.now == 63


def test_wake_ends_wait_notified_without_advancing_time(sim: SimulatedSCM) -> None:
    waiter = sim.open_waiter()
    sim.wake(waiter)
    assert sim.wait_notified(waiter, 60) == []
    assert sim.clock.now == 0


@contextmanager
def once_waiting(sim: SimulatedSCM, action: Callable[[], object]) -> Iterator[None]:
    """Run an action on another thread as soon as a wait has begun."""
    begun = threading.Event()
    run_next = sim.clock.run_next

    def hooked(end: float) -> bool:
        begun.set()
        return run_next(end)

    def act() -> None:
        begun.wait()
        action()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    with mock.patch.object(sim.clock, "run_next", hooked):
        yield
    assert begun.is_set()
    thread.join()


def test_wake_from_other_thread_ends_running_wait(sim: SimulatedSCM) -> None:
    waiter = sim.open_waiter()
    with once_waiting(sim, lambda: sim.wake(waiter)):
        assert sim.wait_notified(waiter, None) == []  # nothing is due in simulated time
    assert sim.clock.now == 0


def test_wait_notified_receives_change_by_other_thread(sim: SimulatedSCM) -> None:
    handle, waiter = opened(sim, "beat"), sim.open_waiter()
    sim.arm(waiter, handle, int(N.RUNNING))
    with once_waiting(sim, lambda: start(sim, "beat")):
        ((notified, row),) = sim.wait_notified(waiter, None)
    assert (notified, row.triggered) == (handle, N.RUNNING)


def test_subscribe_reports_config_changes_once_until_taken(sim: SimulatedSCM) -> None:
    handle, waiter = opened(sim, "beat"), sim.open_waiter()
    assert code_of(sim.subscribe, waiter, opened(sim, "beat", ServiceAccess.START)) == 5
    sim.subscribe(waiter, handle)
    assert sim.wait_notified(waiter, 0) == []
    sim.change_description(handle, "one")
    number(sim, "beat", ConfigLevel.FAILURE_ACTIONS_FLAG, 1)
    ((notified, row),) = sim.wait_notified(waiter, 0)  # once, as long as it is not taken
    assert (notified, row.notification_status, row.triggered) == (handle, 0, 0)
    change(sim, handle, start=4)
    assert len(sim.wait_notified(waiter, 0)) == 1
    assert code_of(change, sim, opened(sim, "beat", ServiceAccess.START)) == 5
    assert sim.wait_notified(waiter, 0) == []
    sim.disarm(waiter, handle)
    number(sim, "beat", ConfigLevel.FAILURE_ACTIONS_FLAG, 0)
    assert sim.wait_notified(waiter, 0) == []


def test_open_waiter_counts_as_open_handle(sim: SimulatedSCM) -> None:
    before = sim.open_handles
    waiter = sim.open_waiter()
    assert sim.open_handles == before + 1
    sim.close_waiter(waiter)
    assert sim.open_handles == before


def test_concurrent_threads_receive_each_notification_once() -> None:
    """Run eight threads while time passes: no exception, lost handle or duplicate."""
    sim = SimulatedSCM()
    errors: list[BaseException] = []
    watcher = Watcher(sim)

    def work(number: int) -> None:
        try:
            scm = manager(sim)
            for turn in range(12):
                service, _ = create(sim, scm, f"s{number}-{turn}")
                watch(sim, service, N.RUNNING, watcher)
                sim.start_service(service, ())
                sim.query_service_status_ex(service)
                sim.enum_services_status_ex(scm, 0x30, 3, None, 0)
                sim.clock.advance(0.5)
                sim.local.report(f"s{number}-{turn}", S.PAUSED)
                sim.control_service(service, Control.STOP)
                sim.delete_service(service)
                sim.close_service_handle(service)
            sim.close_service_handle(scm)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert not any(thread.is_alive() for thread in threads)
    assert sim.open_handles == 1  # the waiter
    assert list(sim) == []
    assert triggered(watcher) == [N.RUNNING] * 8 * 12
