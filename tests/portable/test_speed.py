"""The plain Python parts are as quick as they were, beside a loop of plain Python."""

from __future__ import annotations

import pytest

from bench.pure import LIMITS, Work, gain, jobs, page, ratio, took
from winsvc import ServiceInfo

JOBS = jobs()


@pytest.mark.parametrize("name", LIMITS)
def test_a_part_keeps_to_its_limit(name: str) -> None:
    # A glance is nearly always enough. A neighbour on the machine may spoil it, but not all.
    found: list[float] = []
    for rounds in (1, 3, 5):
        found.append(ratio(JOBS[name], rounds=rounds))
        if found[-1] <= LIMITS[name]:
            return
    pytest.fail(f"{name}: {found} times the loop of plain Python; {LIMITS[name]} is the most")


def test_every_part_has_a_limit() -> None:
    assert set(JOBS) == set(LIMITS)


@pytest.mark.parametrize("different", [1, 50])
def test_a_service_costs_the_same_in_a_long_list(different: int) -> None:
    def listing(count: int) -> Work:
        rows = page(count, different)
        return lambda: [list(ServiceInfo.from_rows(rows)) for _ in range(5000 // count)]

    short, long = listing(50), listing(5000)
    assert any(ratio(long, short, rounds=rounds) < 2 for rounds in (1, 3, 5))


def test_several_services_are_asked_at_a_time() -> None:
    """Where a call is a round trip of 4 ms, 8 at a time take less than a third of the time."""
    slow, fast = gain(services=16, seconds=0.004, concurrency=8)
    assert slow > 16 * 3 * 0.004
    assert fast < slow / 3


def test_the_time_of_a_job_is_its_own() -> None:
    assert took(lambda: None) >= 0
