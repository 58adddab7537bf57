"""``QueryServiceConfig2W`` and ``ChangeServiceConfig2W``: one call each, a structure per level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from _winsvc_cffi import lib

from winsvc._native import structs
from winsvc._native.memory import call_with_growing_buffer, check, sc_handle
from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, TriggerRow

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, Array

    from winsvc._native.structs import Encoded


class ConfigLevels:
    """The part of the backend that reads and writes a service's configuration by level."""

    def query_description(self, service: int) -> str | None:
        return structs.decode_description(_query(service, lib.SERVICE_CONFIG_DESCRIPTION))

    def change_description(self, service: int, description: str | None) -> None:
        info = structs.encode_description(description)
        _change(service, lib.SERVICE_CONFIG_DESCRIPTION, info)

    def query_failure_actions(self, service: int) -> FailureActionsRow:
        return structs.decode_failure_actions(_query(service, lib.SERVICE_CONFIG_FAILURE_ACTIONS))

    def change_failure_actions(self, service: int, row: FailureActionsRow) -> None:
        info = structs.encode_failure_actions(row)
        _change(service, lib.SERVICE_CONFIG_FAILURE_ACTIONS, info)

    def query_config_number(self, service: int, level: int) -> int:
        structs.check_number_level(level)  # before the call
        return structs.decode_number(level, _query(service, level))

    def change_config_number(self, service: int, level: int, number: int) -> None:
        _change(service, level, structs.encode_number(level, number))

    def query_required_privileges(self, service: int) -> tuple[str, ...] | None:
        info = _query(service, lib.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO)
        return structs.decode_required_privileges(info)

    def change_required_privileges(self, service: int, privileges: Sequence[str]) -> None:
        info = structs.encode_required_privileges(privileges)
        _change(service, lib.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, info)

    def query_triggers(self, service: int) -> tuple[TriggerRow, ...]:
        return structs.decode_triggers(_query(service, lib.SERVICE_CONFIG_TRIGGER_INFO))

    def change_triggers(self, service: int, triggers: Sequence[TriggerRow]) -> None:
        _change(service, lib.SERVICE_CONFIG_TRIGGER_INFO, structs.encode_triggers(triggers))

    def query_preferred_node(self, service: int) -> PreferredNodeRow:
        return structs.decode_preferred_node(_query(service, lib.SERVICE_CONFIG_PREFERRED_NODE))

    def change_preferred_node(self, service: int, row: PreferredNodeRow) -> None:
        _change(service, lib.SERVICE_CONFIG_PREFERRED_NODE, structs.encode_preferred_node(row))


def _query(service: int, level: int) -> Array[BYTE]:
    """Query the structure of a level; the buffer includes the data that it points to."""
    handle = sc_handle(service)
    return call_with_growing_buffer(
        "QueryServiceConfig2W",
        lambda buffer, size, needed: lib.QueryServiceConfig2W(handle, level, buffer, size, needed),
    )


def _change(service: int, level: int, encoded: Encoded) -> None:
    info, _referenced = encoded  # the reference keeps the data alive during the call
    done = lib.ChangeServiceConfig2W(sc_handle(service), level, info)
    check(done, "ChangeServiceConfig2W")
