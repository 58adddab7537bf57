"""The functions about a service's configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, SupportsIndex, cast, overload
from uuid import UUID

from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, TriggerRow
from winsvc.enums import ErrorCode
from winsvc.errors import win32_error
from winsvc.win32service import conversions as c
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import ServiceCall
from winsvc.win32service.shapes import (
    QUERY_SERVICE_CONFIG,
    SERVICE_FAILURE_ACTIONS,
    SERVICE_PREFERRED_NODE,
    SERVICE_TRIGGER,
    Config2,
    FailureActionsToSet,
    HandleArgument,
    TriggerToSet,
)


def QueryServiceConfig(hService: HandleArgument) -> QUERY_SERVICE_CONFIG:
    """Query the configuration of a service.

    Args:
        hService: The service.

    Returns:
        Type, start type, error control, path, load-order group, tag, dependencies, account and
        display name.

    Raises:
        error: 5: The handle lacks the right.

    Right: ``SERVICE_QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
    """
    with ServiceCall("QueryServiceConfig", hService) as (backend, service):
        row = backend.query_service_config(service)
    dependencies = None if row.dependencies is None else list(row.dependencies)
    return cast(
        QUERY_SERVICE_CONFIG,
        (
            signed(row.service_type),
            signed(row.start_type),
            signed(row.error_control),
            row.binary_path_name,
            row.load_order_group,
            signed(row.tag_id),
            dependencies,
            row.service_start_name,
            row.display_name,
        ),
    )


@overload
def ChangeServiceConfig(
    hService: HandleArgument,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str | None,
    loadOrderGroup: str | None,
    bFetchTag: Literal[False, 0],
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
    displayName: str | None,
) -> None: ...
@overload
def ChangeServiceConfig(
    hService: HandleArgument,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str | None,
    loadOrderGroup: str | None,
    bFetchTag: Literal[True, 1],
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
    displayName: str | None,
) -> int: ...
@overload
def ChangeServiceConfig(
    hService: HandleArgument,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str | None,
    loadOrderGroup: str | None,
    bFetchTag: SupportsIndex,
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
    displayName: str | None,
) -> int | None: ...
def ChangeServiceConfig(
    hService: HandleArgument,
    serviceType: SupportsIndex,
    startType: SupportsIndex,
    errorControl: SupportsIndex,
    binaryFile: str | None,
    loadOrderGroup: str | None,
    bFetchTag: SupportsIndex,
    serviceDeps: Iterable[str] | None,
    acctName: str | None,
    password: str | None,
    displayName: str | None,
) -> int | None:
    """Change the configuration of a service. ``SERVICE_NO_CHANGE`` and None keep a value.

    Args:
        hService: The service.
        serviceType: A type such as ``SERVICE_WIN32_OWN_PROCESS``.
        startType: A start type such as ``SERVICE_DEMAND_START``.
        errorControl: An error control such as ``SERVICE_ERROR_NORMAL``.
        binaryFile: The command line of the program.
        loadOrderGroup: The load-order group; "" for none.
        bFetchTag: True to assign a new tag.
        serviceDeps: The services on which it depends, and "+" and the name for a group; [] for
            none.
        acctName: The account.
        password: The password of the account.
        displayName: The name that users see.

    Returns:
        With ``bFetchTag`` the tag, otherwise None.

    Raises:
        error: 5: The handle lacks the right. 1078: Another service has the display name. 87: The
            values do not fit together.

    Right: ``SERVICE_CHANGE_CONFIG``. Windows call: ``ChangeServiceConfigW``.
    """
    assign_tag = bool(c.dword(bFetchTag))
    with ServiceCall("ChangeServiceConfig", hService) as (backend, service):
        tag = backend.change_service_config(
            service,
            c.dword(serviceType),
            c.dword(startType),
            c.dword(errorControl),
            c.text_or_null(binaryFile),
            c.text_or_null(loadOrderGroup),
            assign_tag,
            c.texts_or_null(serviceDeps),
            c.text_or_null(acctName),
            c.secret(password),
            c.text_or_null(displayName),
        )
    return signed(tag or 0) if assign_tag else None


# ----------------------------------------------------------------------------------- by level


@overload
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: Literal[1]) -> str | None: ...
@overload
def QueryServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[2]
) -> SERVICE_FAILURE_ACTIONS: ...
@overload
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: Literal[3, 4]) -> bool: ...
@overload
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: Literal[5, 7, 12]) -> int: ...
@overload
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: Literal[6]) -> list[str] | None: ...
@overload
def QueryServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[8]
) -> tuple[SERVICE_TRIGGER, ...]: ...
@overload
def QueryServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[9]
) -> SERVICE_PREFERRED_NODE: ...
@overload
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: SupportsIndex) -> Config2: ...
def QueryServiceConfig2(hService: HandleArgument, InfoLevel: SupportsIndex) -> Config2:
    """Query one level of the configuration of a service.

    Args:
        hService: The service.
        InfoLevel: The level, ``SERVICE_CONFIG_*``.

    Returns:
        A value in the form that :func:`ChangeServiceConfig2` accepts.

    Raises:
        error: 124: This system does not have the level. 5: The handle lacks the right.

    Right: ``SERVICE_QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
    """
    level = c.dword(InfoLevel)
    with ServiceCall("QueryServiceConfig2", hService) as (backend, service):
        if level == 1:
            return backend.query_description(service)
        if level == 2:
            return _failure_actions(backend.query_failure_actions(service))
        if level in (3, 4):
            return bool(backend.query_config_number(service, level))
        if level in (5, 7, 12):
            return backend.query_config_number(service, level)
        if level == 6:
            privileges = backend.query_required_privileges(service)
            return None if privileges is None else list(privileges)
        if level == 8:
            return tuple(_trigger(row) for row in backend.query_triggers(service))
        if level == 9:
            node = backend.query_preferred_node(service)
            return {"PreferredNode": node.preferred_node, "Delete": node.delete}
        raise win32_error(ErrorCode.INVALID_LEVEL, "QueryServiceConfig2W")


@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[1], info: str | None
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument,
    InfoLevel: Literal[2],
    info: FailureActionsToSet | SERVICE_FAILURE_ACTIONS,
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[3, 4], info: object
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[5, 7, 12], info: SupportsIndex
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[6], info: Iterable[str] | None
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument,
    InfoLevel: Literal[8],
    info: Iterable[TriggerToSet | SERVICE_TRIGGER],
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: Literal[9], info: SERVICE_PREFERRED_NODE
) -> None: ...
@overload
def ChangeServiceConfig2(
    hService: HandleArgument, InfoLevel: SupportsIndex, info: object
) -> None: ...
def ChangeServiceConfig2(hService: HandleArgument, InfoLevel: SupportsIndex, info: Any) -> None:
    """Change one level of the configuration of a service.

    Args:
        hService: The service.
        InfoLevel: The level, ``SERVICE_CONFIG_*``.
        info: The value, by level: 1 the description, None to keep it, "" to remove it; 2 a dict
            with ``ResetPeriod``, ``RebootMsg``, ``Command`` and ``Actions``, tuples of a type and a
            delay; 3 and 4 a truth value; 5, 7 and 12 a number; 6 the privileges; 8 the triggers,
            dicts with ``TriggerType``, ``Action``, ``TriggerSubtype`` and ``DataItems``; 9 a dict
            with ``PreferredNode`` and ``Delete``.

    Raises:
        ValueError: The level is unknown.
        TypeError: The value does not have the type of the level.
        error: 5: The handle lacks the right. 87: The system refused the value.

    Right: ``SERVICE_CHANGE_CONFIG``; ``SERVICE_START`` too, for a restart action. Windows call:
    ``ChangeServiceConfig2W``.
    """
    level = c.dword(InfoLevel)
    with ServiceCall("ChangeServiceConfig2", hService) as (backend, service):
        if level == 1:
            backend.change_description(service, c.text_or_null(info))
        elif level == 2:
            backend.change_failure_actions(service, _failure_actions_row(info))
        elif level in (3, 4):
            backend.change_config_number(service, level, int(bool(info)))
        elif level in (5, 7, 12):
            backend.change_config_number(service, level, c.dword(info))
        elif level == 6:
            backend.change_required_privileges(service, c.texts_or_null(info) or ())
        elif level == 8:
            backend.change_triggers(service, list(map(_trigger_row, info)))
        elif level == 9:
            backend.change_preferred_node(service, _preferred_node_row(info))
        else:
            raise ValueError(f"Info type {signed(level)} is not supported")


# ----------------------------------------------------------------------------------- level 2

_ACTIONS_REFUSAL = (
    "SERVICE_FAILURE_ACTIONS must be a dictionary containing "
    "{'ResetPeriod':int,'RebootMsg':str,'Command':str,'Actions':sequence of 2 tuples(int,int)}"
)


def _failure_actions(row: FailureActionsRow) -> SERVICE_FAILURE_ACTIONS:
    return {
        "ResetPeriod": signed(row.reset_period),
        "RebootMsg": row.reboot_message,
        "Command": row.command,
        "Actions": tuple((signed(kind), delay) for kind, delay in row.actions or ()),
    }


def _failure_actions_row(info: object) -> FailureActionsRow:
    keys = ("ResetPeriod", "RebootMsg", "Command", "Actions")
    period, message, command, actions = c.fields(info, keys, _ACTIONS_REFUSAL)
    try:
        reset = c.dword(period)
    except (TypeError, OverflowError):
        raise TypeError(_ACTIONS_REFUSAL) from None
    return FailureActionsRow(
        reset,
        c.text_or_null(message),
        c.text_or_null(command),
        None if actions is None else tuple(map(_action, actions)),
    )


def _action(action: object) -> tuple[int, int]:
    if not isinstance(action, tuple) or len(action) != 2:
        raise TypeError("SC_ACTION must be a tuple of 2 ints (Type, Delay)")
    return c.dword(action[0]), c.dword(action[1])


# ----------------------------------------------------------------------------------- levels 8, 9


def _trigger(row: TriggerRow) -> SERVICE_TRIGGER:
    subtype = row.subtype
    return {
        "TriggerType": row.trigger_type,
        "Action": row.action,
        "TriggerSubtype": None if subtype is None else f"{{{UUID(bytes_le=subtype)}}}".upper(),
        "DataItems": row.data_items,
    }


def _trigger_row(info: object) -> TriggerRow:
    keys = ("TriggerType", "Action", "TriggerSubtype", "DataItems")
    refusal = "SERVICE_TRIGGER must be a dictionary containing " + ", ".join(keys)
    kind, action, subtype, items = c.fields(info, keys, refusal)
    return TriggerRow(
        c.dword(kind),
        c.dword(action),
        None if subtype is None else UUID(str(subtype)).bytes_le,  # also of pywin32's PyIID
        tuple(map(_data_item, items)),
    )


def _data_item(item: object) -> tuple[int, bytes]:
    if not isinstance(item, tuple) or len(item) != 2 or not isinstance(item[1], bytes):
        raise TypeError("a data item must be a tuple of an int and bytes (DataType, Data)")
    return c.dword(item[0]), item[1]


def _preferred_node_row(info: object) -> PreferredNodeRow:
    keys = ("PreferredNode", "Delete")
    refusal = "SERVICE_PREFERRED_NODE must be a dictionary containing " + ", ".join(keys)
    node, delete = c.fields(info, keys, refusal)
    return PreferredNodeRow(c.dword(node), bool(delete))
