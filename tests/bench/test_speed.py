"""The plain Python parts are as fast as they were, in proportion to a loop of plain Python."""

from __future__ import annotations

import pytest
from support import Effort

from bench.pure import LIMITS, Work, gain, jobs, page, ratio
from winsvc import ServiceInfo

JOBS = jobs()


@pytest.mark.parametrize("name", LIMITS)
def test_pure_python_job_stays_within_ratio_limit(name: str, effort: Effort) -> None:
    assert ratio(JOBS[name], rounds=effort.count(1, 7)) <= effort.limit(LIMITS[name])


@pytest.mark.parametrize("different", [1, 50])
def test_from_rows_cost_per_service_is_constant(different: int, effort: Effort) -> None:
    def listing(count: int) -> Work:
        rows = page(count, different)
        return lambda: [list(ServiceInfo.from_rows(rows)) for _ in range(5000 // count)]

    short, long = listing(50), listing(5000)
    assert ratio(long, short, rounds=effort.count(3, 7)) < effort.limit(2)


def test_configs_with_concurrency_takes_less_than_a_third(effort: Effort) -> None:
    """Require that 8 concurrent calls of 20 ms take less than a third of the sequential time."""
    slow, fast = gain(services=effort.count(16, 40), seconds=0.020, concurrency=8)
    assert fast < slow / (3 if effort.full else 1.5)
