"""Read the configurations and snapshots of all services of a listing."""

from __future__ import annotations

import pytest

from winsvc import (
    Service,
    ServiceConfig,
    ServiceManager,
    ServiceType,
    State,
)
from winsvc.errors import GroupNotFoundError


@pytest.mark.parametrize("concurrency", [None, 1, 3])
def test_configs_of_all_services_equal_individual_queries(
    scm: ServiceManager, installed: Service, concurrency: int | None
) -> None:
    configs = dict(scm.configs(service_type=ServiceType.ALL, concurrency=concurrency))
    assert [info.name for info in configs] == [
        info.name for info in scm.services(service_type=ServiceType.ALL)
    ]
    for info, config in configs.items():
        assert isinstance(config, ServiceConfig)
        with scm.open(info.name) as service:
            assert config == service.config()
    assert installed.name in {info.name for info in configs}


def test_bulk_queries_with_filters_return_matching_services(
    scm: ServiceManager, installed: Service
) -> None:
    running = {info.name for info, _ in scm.configs(state=State.RUNNING)}
    assert installed.name not in running
    assert running
    with pytest.raises(GroupNotFoundError):
        list(scm.configs(group="no such group"))
    assert {snapshot.name for snapshot in scm.snapshots(state=State.RUNNING)} == running


def test_snapshots_of_all_services_equal_individual_snapshot(
    scm: ServiceManager, installed: Service
) -> None:
    installed.configure(description="One of them")
    (found,) = (snapshot for snapshot in scm.snapshots() if snapshot.name == installed.name)
    alone = installed.snapshot()
    assert found == alone
    assert found.description == "One of them"
    assert set(found.errors) == set(alone.errors)
