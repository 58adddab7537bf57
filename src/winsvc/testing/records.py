"""A service's settings as the simulated database stores them."""

from __future__ import annotations

from dataclasses import replace

from winsvc._values.rows import FailureActionsRow, PreferredNodeRow
from winsvc._values.setting_table import NUMBER_LEVELS, SETTINGS
from winsvc.testing.access import DEFAULT_SERVICE_SECURITY
from winsvc.testing.service_fixture import ServiceFixture
from winsvc.testing.services import SimulatedService, stored_account

__all__ = ["record_of"]


def record_of(seed: ServiceFixture) -> SimulatedService:
    """Return what is stored of a service; its settings are not checked."""
    spec, given = seed.spec, seed.spec.given()
    stored = {
        name: setting.encode(given.get(name))
        for name, setting in SETTINGS.items()
        if name != "security"
    }
    node: PreferredNodeRow = stored["preferred_node"]
    actions: FailureActionsRow = stored["failure_actions"]
    service = SimulatedService(
        name=spec.name,
        service_type=stored["service_type"],
        start_type=stored["start_type"],
        error_control=stored["error_control"],
        binary_path=stored["binary_path"]
        if "binary_path" in given
        else rf"C:\simulated\{spec.name}.exe",
        load_order_group=stored["load_order_group"],
        tag=seed.tag,
        dependencies=tuple(stored["dependencies"]),
        display_name=stored["display_name"] or spec.name,
        description=stored["description"] or None,
        failure_actions=actions._replace(
            reboot_message=actions.reboot_message or None, command=actions.command or None
        ),
        numbers={level: stored[setting.name] for level, setting in NUMBER_LEVELS.items()},
        required_privileges=tuple(stored["required_privileges"]),
        triggers=tuple(stored["triggers"]),
        preferred_node=None if node.delete else node.preferred_node,
        exit_code=seed.exit_code,
        service_exit_code=seed.service_exit_code,
    )
    if service.is_driver and "account" not in given:
        service.account = ""
    else:
        service.account = stored_account(stored["account"])
    if "security" in given:
        whole = SETTINGS["security"].encode(given["security"])
        # The owner and the group of a new service are used if there are none.
        service.security = replace(
            whole,
            owner=whole.owner or DEFAULT_SERVICE_SECURITY.owner,
            group=whole.group or DEFAULT_SERVICE_SECURITY.group,
        )
    return service
