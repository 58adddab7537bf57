"""Who is told what on a simulated machine, when, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from simulated import code_of, control, create, manager, opened, start, state_of

from winsvc import Control, Notify, ServiceAccess, ServiceType, State
from winsvc.rows import NotificationRow
from winsvc.testing import Behaviour, SimulatedSCM

N, S = Notify, State
EVERY_STATE = int(N(0x7F))
LISTED = int(N.CREATED | N.DELETED)
SLOW = Behaviour(start_takes=3, stop_takes=3)


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("beat")
    return sim


def watch(sim: SimulatedSCM, handle: int, mask: int, told: list[NotificationRow]) -> None:
    sim.notify_service_status_change(handle, int(mask), told.append)


def triggered(told: list[NotificationRow]) -> list[int]:
    return [row.triggered for row in told]


# ------------------------------------------------------------------- states


def test_told_once_of_the_state_that_is(sim: SimulatedSCM) -> None:
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.STOPPED | N.RUNNING, told)
    (row,) = told
    assert (row.notification_status, row.triggered) == (0, N.STOPPED)
    assert row.status.current_state == S.STOPPED
    assert row.service_names is None
    start(sim, "beat")
    assert len(told) == 1  # it was for once
    watch(sim, handle, N.STOPPED | N.RUNNING, told)
    assert triggered(told) == [N.STOPPED, N.RUNNING]
    assert told[1].status.process_id == sim["beat"].pid
    watch(sim, handle, N.STOPPED | N.RUNNING, told)
    assert len(told) == 2  # not again of the same
    control(sim, "beat", Control.STOP)
    assert triggered(told) == [N.STOPPED, N.RUNNING, N.STOPPED]


def test_what_happens_on_the_way_is_told_at_its_own_time(sim: SimulatedSCM) -> None:
    sim["beat"].program = SLOW
    handle, told = opened(sim, "beat"), list[tuple[float, int, int]]()

    def tell(row: NotificationRow) -> None:
        told.append((sim.clock.now, row.status.current_state, row.status.check_point))
        sim.notify_service_status_change(handle, EVERY_STATE, tell)

    sim.notify_service_status_change(handle, EVERY_STATE, tell)
    start(sim, "beat")
    sim.clock.advance(10)
    assert told == [
        (0, S.STOPPED, 0),
        (0, S.START_PENDING, 0),
        (1, S.START_PENDING, 2),
        (2, S.START_PENDING, 3),
        (3, S.RUNNING, 0),
    ]
    assert sim.clock.now == 10


def test_a_report_of_the_same_is_no_change(sim: SimulatedSCM) -> None:
    start(sim, "beat")
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.RUNNING, told)
    watch(sim, handle, N.RUNNING, told)
    sim.local.report("beat", S.RUNNING)
    assert len(told) == 1
    sim.local.report("beat", S.STOP_PENDING, check_point=1)
    watch(sim, handle, N.STOP_PENDING, told)
    watch(sim, handle, N.STOP_PENDING, told)
    sim.local.report("beat", S.STOP_PENDING, check_point=1)
    assert len(told) == 2
    sim.local.report("beat", S.STOP_PENDING, check_point=2)
    assert [row.status.check_point for row in told] == [0, 1, 2]


def test_a_state_that_came_back_is_a_change(sim: SimulatedSCM) -> None:
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.STOPPED, told)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    watch(sim, handle, N.STOPPED, told)
    assert triggered(told) == [N.STOPPED] * 2


def test_only_of_the_mask(sim: SimulatedSCM) -> None:
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.PAUSED, told)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    assert told == []
    watch(sim, handle, 0, told)
    start(sim, "beat")
    assert told == []


def test_every_state(sim: SimulatedSCM) -> None:
    sim["beat"].program = Behaviour(start_takes=3, stop_takes=3, check_point_every=9)
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    again: list[int] = []

    def deliver(row: NotificationRow) -> None:
        told.append(row)
        again.append(handle)
        sim.notify_service_status_change(handle, EVERY_STATE, deliver)

    sim.notify_service_status_change(handle, EVERY_STATE, deliver)
    start(sim, "beat")
    sim.clock.advance(3)
    control(sim, "beat", Control.STOP)
    sim.clock.advance(3)
    assert triggered(told) == [N.STOPPED, N.START_PENDING, N.RUNNING, N.STOP_PENDING, N.STOPPED]


def test_a_start_is_pending_at_first_even_if_it_takes_no_time(sim: SimulatedSCM) -> None:
    told: list[NotificationRow] = []
    watch(sim, opened(sim, "beat"), N.START_PENDING, told)
    start(sim, "beat")
    assert triggered(told) == [N.START_PENDING]
    assert told[0].status.wait_hint == 2000


def test_check_points(sim: SimulatedSCM) -> None:
    sim["beat"].program = Behaviour(start_takes=10)
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    start(sim, "beat")
    for _ in range(3):
        watch(sim, handle, N.START_PENDING, told)
        sim.clock.advance(1)
    # At first of the state that is; then of the next check point after each registration.
    assert [row.status.check_point for row in told] == [1, 3, 4]
    watch(sim, handle, N.START_PENDING, told)
    assert len(told) == 3


def test_the_second_registration_takes_the_place_of_the_first(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    first: list[NotificationRow] = []
    second: list[NotificationRow] = []
    watch(sim, handle, N.RUNNING, first)
    watch(sim, handle, N.STOPPED | N.RUNNING, second)
    assert (len(first), len(second)) == (0, 1)
    watch(sim, handle, N.RUNNING, second)
    start(sim, "beat")
    assert (len(first), len(second)) == (0, 2)


def test_each_handle_is_told(sim: SimulatedSCM) -> None:
    told: list[list[NotificationRow]] = [[], [], []]
    for one in told:
        watch(sim, opened(sim, "beat", ServiceAccess.QUERY_STATUS), N.RUNNING, one)
    start(sim, "beat")
    assert [triggered(one) for one in told] == [[N.RUNNING]] * 3


def test_a_closed_handle_is_never_told(sim: SimulatedSCM) -> None:
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.RUNNING, told)
    sim.close_service_handle(handle)
    start(sim, "beat")
    assert told == []
    assert code_of(watch, sim, handle, 1, told) == 6


def test_nor_when_it_closes_while_the_news_are_on_their_way(sim: SimulatedSCM) -> None:
    sim.faults.lag = 2
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.STOPPED, told)
    sim.close_service_handle(handle)
    sim.clock.advance(5)
    assert told == []


def test_nor_when_another_is_told_first_and_closes_it(sim: SimulatedSCM) -> None:
    one, two = opened(sim, "beat"), opened(sim, "beat")
    told: list[int] = []

    def closing(mine: int, other: int) -> Callable[[NotificationRow], None]:
        def deliver(_: NotificationRow) -> None:
            told.append(mine)
            sim.close_service_handle(other)

        return deliver

    sim.notify_service_status_change(one, int(N.RUNNING), closing(one, two))
    sim.notify_service_status_change(two, int(N.RUNNING), closing(two, one))
    start(sim, "beat")
    assert len(told) == 1


def test_a_lost_connection_is_silent(sim: SimulatedSCM) -> None:
    told: list[NotificationRow] = []
    watch(sim, opened(sim, "beat"), N.RUNNING, told)
    sim.local.disconnect()
    sim.local.reconnect()
    start(sim, "beat")
    assert told == []


def test_rights(sim: SimulatedSCM) -> None:
    told: list[NotificationRow] = []
    assert code_of(watch, sim, opened(sim, "beat", ServiceAccess.START), 1, told) == 5
    assert code_of(watch, sim, manager(sim, 1), LISTED, told) == 5
    assert code_of(watch, sim, 0, 1, told) == 6


def test_drivers_tell_nothing(sim: SimulatedSCM) -> None:
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER)
    assert code_of(watch, sim, opened(sim, "disk"), 1, []) == 87


def test_what_happens_by_itself(sim: SimulatedSCM) -> None:
    sim["beat"].program = Behaviour(start_takes=2, ends_after=5, crashes=True)
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    start(sim, "beat")
    watch(sim, handle, N.RUNNING, told)
    sim.clock.advance(2)
    assert triggered(told) == [N.RUNNING]
    watch(sim, handle, N.STOPPED, told)
    sim.sleep(3)
    assert told[1].status.win32_exit_code == 1067
    watch(sim, handle, N.RUNNING, told)
    sim["beat"].program = Behaviour()
    start(sim, "beat")
    watch(sim, handle, N.PAUSED, told)
    sim.local.report("beat", S.PAUSED)
    assert triggered(told) == [N.RUNNING, N.STOPPED, N.RUNNING, N.PAUSED]


# ------------------------------------------------------------------- services made and gone


def test_services_made_and_gone(sim: SimulatedSCM) -> None:
    scm, told = manager(sim), list[NotificationRow]()
    watch(sim, scm, LISTED, told)
    assert told == []
    service, _ = create(sim, scm, "New")
    (row,) = told
    assert (row.notification_status, row.triggered) == (0, N.CREATED)
    assert row.service_names == ("/New",)
    watch(sim, scm, LISTED, told)
    sim.delete_service(service)
    assert len(told) == 1
    sim.close_service_handle(service)
    assert (told[1].triggered, told[1].service_names) == (N.DELETED, ("New",))


def test_what_was_missed_is_told_at_once(sim: SimulatedSCM) -> None:
    scm, told = manager(sim), list[NotificationRow]()
    before, _ = create(sim, scm, "before")
    watch(sim, scm, LISTED, told)
    create(sim, scm, "one")
    create(sim, scm, "two")
    sim.delete_service(before)
    sim.close_service_handle(before)
    assert [row.service_names for row in told] == [("/one",)]
    watch(sim, scm, LISTED, told)
    assert told[1].service_names == ("/two", "before")
    assert told[1].triggered == LISTED
    watch(sim, scm, LISTED, told)
    assert len(told) == 2


def test_only_made_or_only_gone(sim: SimulatedSCM) -> None:
    scm, other = manager(sim), manager(sim)
    made: list[NotificationRow] = []
    gone: list[NotificationRow] = []
    watch(sim, scm, N.CREATED, made)
    watch(sim, other, N.DELETED, gone)
    service, _ = create(sim, scm, "new")
    sim.delete_service(service)
    sim.close_service_handle(service)
    assert [row.service_names for row in (*made, *gone)] == [("/new",), ("new",)]


def test_a_service_that_is_going(sim: SimulatedSCM) -> None:
    handle, other = opened(sim, "beat"), opened(sim, "beat")
    told: list[NotificationRow] = []
    watch(sim, handle, N.DELETE_PENDING | N.RUNNING, told)
    sim.delete_service(other)
    (row,) = told
    assert (row.notification_status, row.triggered) == (1072, N.DELETE_PENDING)
    assert row.status.current_state == S.STOPPED
    assert code_of(watch, sim, handle, EVERY_STATE, told) == 1072
    assert code_of(watch, sim, other, EVERY_STATE, told) == 1072
    assert len(told) == 1


# ------------------------------------------------------------------- late, lagging, from threads


def test_news_that_come_late(sim: SimulatedSCM) -> None:
    sim.faults.lag = 2
    handle, told = opened(sim, "beat"), list[NotificationRow]()
    watch(sim, handle, N.RUNNING, told)
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    sim.clock.advance(1.9)
    assert told == []
    sim.clock.advance(0.1)
    assert told[0].status.current_state == S.RUNNING  # as it was then


def test_a_client_that_lags(sim: SimulatedSCM) -> None:
    sim.faults.fail("NotifyServiceStatusChangeW", 1294)
    scm, told = manager(sim), list[NotificationRow]()
    assert code_of(watch, sim, scm, LISTED, told) == 1294
    sim.close_service_handle(scm)
    scm = manager(sim)
    watch(sim, scm, LISTED, told)
    create(sim, scm, "new")
    assert len(told) == 1


def test_who_is_told_may_call_back(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    free: list[bool] = []

    def deliver(row: NotificationRow) -> None:
        def other() -> None:
            free.append(code_of(sim.query_service_status_ex, handle) == 0)

        thread = threading.Thread(target=other)  # no lock is held, so it gets through
        thread.start()
        thread.join(5)
        assert not thread.is_alive()
        if row.triggered == N.RUNNING:
            assert control(sim, "beat", Control.STOP) == 0
            sim.notify_service_status_change(handle, int(N.STOPPED), deliver)

    sim.notify_service_status_change(handle, int(N.RUNNING), deliver)
    start(sim, "beat")
    assert state_of(sim, "beat") is S.STOPPED
    assert free == [True, True]


def test_nobody_is_told_in_the_middle_of_a_call(sim: SimulatedSCM) -> None:
    told: list[NotificationRow] = []
    seen: list[int] = []

    def on_control(code: Control) -> None:
        sim.local.report("beat", S.PAUSED)  # happens within the call
        sim.clock.advance(1)
        opened(sim, "beat")
        seen.append(len(told))

    sim["beat"].program = Behaviour(on_control=on_control)
    start(sim, "beat")
    watch(sim, opened(sim, "beat"), N.PAUSED, told)
    control(sim, "beat", 128)
    assert (seen, len(told)) == ([0], 1)


def test_threads() -> None:
    """Eight at once, and time passing: no exception, no handle lost, nobody told twice."""
    sim = SimulatedSCM()
    errors: list[BaseException] = []
    told: list[NotificationRow] = []

    def work(number: int) -> None:
        try:
            scm = manager(sim)
            for turn in range(12):
                service, _ = create(sim, scm, f"s{number}-{turn}")
                watch(sim, service, N.RUNNING, told)
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
    assert sim.open_handles == 0
    assert list(sim) == []
    assert triggered(told) == [N.RUNNING] * 8 * 12
