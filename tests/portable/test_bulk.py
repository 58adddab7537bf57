"""Test reads of many services: order, errors as data, and cleanup after an early close."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from winsvc import (
    AccessDeniedError,
    HandleClosedError,
    MachineUnreachableError,
    ServiceAccess,
    ServiceConfig,
    ServiceManager,
    ValidationError,
    Win32Error,
)
from winsvc._values.rows import ConfigRow, EnumPage, EnumRow, StatusRow
from winsvc.backend import Backend
from winsvc.testing import SimulatedSCM


@pytest.fixture
def many() -> SimulatedSCM:
    simulated = SimulatedSCM()
    for index in range(40):
        simulated.add(f"service-{index:02}", display_name=f"Service {index}")
    return simulated


def names(scm: ServiceManager) -> list[str]:
    return [info.name for info in scm.services()]


@pytest.mark.parametrize("concurrency", [None, 1, 2, 7, 256])
def test_configs_and_snapshots_keep_listing_order(
    many: SimulatedSCM, concurrency: int | None
) -> None:
    with ServiceManager(backend=many) as scm:
        results = list(scm.configs(concurrency=concurrency))
        assert [info.name for info, _ in results] == names(scm)
        for info, config in results:
            assert isinstance(config, ServiceConfig)
            assert config.display_name == info.display_name
        snapshots = list(scm.snapshots(concurrency=concurrency))
        assert [item.name for item in snapshots] == names(scm)
        assert scm.graph(concurrency=concurrency) == scm.graph()
    assert many.open_handles == 0


@pytest.mark.parametrize("concurrency", [1, 4])
def test_bulk_query_with_refused_service_still_returns_the_others(
    many: SimulatedSCM, concurrency: int
) -> None:
    many.faults.fail("QueryServiceConfigW", 5, service="service-07", times=9)
    many.faults.fail("OpenServiceW", 1060, service="service-08", times=9)
    with ServiceManager(backend=many) as scm:
        results = {info.name: config for info, config in scm.configs(concurrency=concurrency)}
        error = results["service-07"]
        assert isinstance(error, AccessDeniedError)
        assert (error.object_name, error.function) == ("service-07", "QueryServiceConfigW")
        assert "service-08" not in results  # deleted in the meantime
        assert sum(isinstance(item, Win32Error) for item in results.values()) == 1
        found = {item.name: item for item in scm.snapshots(concurrency=concurrency)}
        assert set(found["service-07"].errors) == {"config"}
        assert found["service-07"].status is not None
        assert "service-08" not in found


@pytest.mark.parametrize("concurrency", [1, 4])
def test_configs_on_unreachable_machine_raises_and_closes_handles(
    many: SimulatedSCM, concurrency: int
) -> None:
    many.faults.fail("OpenServiceW", 1722, service="service-20")
    with ServiceManager(backend=many) as scm:
        with pytest.raises(MachineUnreachableError):
            list(scm.configs(concurrency=concurrency))
    assert many.open_handles == 0


@pytest.mark.parametrize("concurrency", [1, 4])
def test_snapshots_after_manager_close_raises_handle_closed(
    many: SimulatedSCM, concurrency: int
) -> None:
    with ServiceManager(backend=many) as scm:
        results = iter(scm.snapshots(concurrency=concurrency))
        next(results)
        scm.close()
        with pytest.raises(HandleClosedError):
            list(results)
    assert many.open_handles == 0


def test_configs_closed_early_leaves_no_threads_or_handles(many: SimulatedSCM) -> None:
    before = set(threading.enumerate())
    with ServiceManager(backend=many) as scm:
        results = scm.configs(concurrency=4)
        assert next(results)[0].name == names(scm)[0]
        assert set(threading.enumerate()) - before  # the readers
        results.close()  # type: ignore[attr-defined]
        assert not set(threading.enumerate()) - before
        queries = [call for call in many.calls if call.function == "QueryServiceConfigW"]
        assert len(queries) < 40
    assert many.open_handles == 0


@pytest.mark.parametrize(
    ("concurrency", "error"), [(0, ValidationError), (257, ValidationError), ("4", TypeError)]
)
def test_bulk_query_with_invalid_concurrency_raises(
    many: SimulatedSCM, concurrency: int, error: type[Exception]
) -> None:
    with ServiceManager(backend=many) as scm:
        for method in (scm.configs, scm.snapshots):
            with pytest.raises(error, match="concurrency"):
                method(concurrency=concurrency)


def test_snapshots_opens_each_service_once(many: SimulatedSCM) -> None:
    with ServiceManager(backend=many) as scm:
        many.calls.clear()
        count = len(list(scm.snapshots()))
    opened = [call for call in many.calls if call.function == "OpenServiceW"]
    assert len(opened) == count


def test_snapshot_without_read_control_reports_security_error_only(many: SimulatedSCM) -> None:
    many.faults.deny(ServiceAccess.READ_CONTROL, "service-03")
    with ServiceManager(backend=many) as scm:
        (found,) = (item for item in scm.snapshots() if item.name == "service-03")
    assert set(found.errors) == {"security"}
    assert found.config is not None


class InOneGo:
    """A backend that also answers for many at once."""

    def __init__(self, backend: Backend, answer: Callable[[str], ConfigRow | None]) -> None:
        self._backend = backend
        self._answer = answer
        self.batches: list[Sequence[str]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def query_configs(self, manager: int, names: Sequence[str]) -> list[ConfigRow | None]:
        self.batches.append(names)
        return [self._answer(name) for name in names]


def test_configs_missing_from_batch_query_are_queried_individually(many: SimulatedSCM) -> None:
    row = ConfigRow(0x10, 3, 1, "all.exe", None, 0, None, None, None)
    backend = InOneGo(many, lambda name: None if name == "service-05" else row)
    many.faults.fail("QueryServiceConfigW", 5, service="service-05")
    with ServiceManager(backend=cast(Backend, backend)) as scm:
        results = dict(scm.configs())
        assert [info.name for info in results] == names(scm)
    assert sum(map(len, backend.batches)) == len(results)
    for info, config in results.items():
        if info.name == "service-05":
            assert isinstance(config, AccessDeniedError)
        else:
            assert isinstance(config, ServiceConfig)
            assert (config.binary_path, config.display_name) == ("all.exe", info.name)


def test_enum_page_behaves_as_sequence_of_rows() -> None:
    stopped, running = StatusRow(*range(9)), StatusRow(*range(1, 10))
    page = EnumPage(["a", "b", "c"], ["A", None, ""], [stopped, running], [0, 1, 0], [1, 2])
    rows = [EnumRow("a", "A", stopped), EnumRow("b", None, running), EnumRow("c", "", stopped)]
    assert list(page) == rows
    assert page[1] == rows[1]
    assert page[-1] == rows[-1]
    assert page[1:] == rows[1:]
    assert len(page) == 3
    again = EnumPage.of(rows)
    assert list(again) == rows
    assert again.blank == [1, 2]
    assert EnumPage.of(page) is page
