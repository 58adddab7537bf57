"""A service's settings as the simulated database stores them."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from winsvc._util.durations import milliseconds
from winsvc._values.account import Account
from winsvc._values.config import FailureActions, Unchanged
from winsvc.enums import (
    ConfigLevel,
    ErrorControl,
    LaunchProtection,
    ServiceType,
    SidType,
    StartType,
)
from winsvc.errors import ArgumentError
from winsvc.security import SecurityDescriptor
from winsvc.testing.access import DEFAULT_SERVICE_SECURITY
from winsvc.testing.seed import Seed
from winsvc.testing.services import SimulatedService

__all__ = ["record_of"]

T = TypeVar("T")
D = TypeVar("D")


def record_of(seed: Seed) -> SimulatedService:
    """What is stored of a service; its settings are taken as they are, however odd."""
    spec = seed.spec
    service = SimulatedService(
        name=spec.name,
        service_type=int(_given(spec.service_type, ServiceType.OWN_PROCESS)),
        start_type=int(_given(spec.start_type, StartType.MANUAL)),
        error_control=int(_given(spec.error_control, ErrorControl.NORMAL)),
        binary_path=_given(spec.binary_path, rf"C:\simulated\{spec.name}.exe"),
        load_order_group=_given(spec.load_order_group, "") or "",
        tag=seed.tag,
        dependencies=tuple(map(str, _given(spec.dependencies or (), ()))),
        display_name=_given(spec.display_name, "") or spec.name,
        description=_given(spec.description, None) or None,
        failure_actions=(_given(spec.failure_actions, None) or FailureActions()).to_row(),
        required_privileges=tuple(_given(spec.required_privileges or (), ())),
        triggers=tuple(one.to_row() for one in _given(spec.triggers or (), ())),
        preferred_node=_given(spec.preferred_node, None),
        exit_code=seed.exit_code,
        service_exit_code=seed.service_exit_code,
    )
    if service.service_type & ServiceType.DRIVER:
        service.account = ""
    account = _given(spec.account, service.account)
    service.account = _account(account) if account else ""
    service.numbers |= {
        ConfigLevel.DELAYED_AUTO_START_INFO: int(_given(spec.delayed_auto_start, False)),
        ConfigLevel.FAILURE_ACTIONS_FLAG: int(_given(spec.failure_actions_on_error, False)),
        ConfigLevel.SERVICE_SID_INFO: int(_given(spec.sid_type, SidType.NONE)),
        ConfigLevel.LAUNCH_PROTECTED: int(_given(spec.launch_protection, LaunchProtection.NONE)),
    }
    if not isinstance(spec.preshutdown_timeout, Unchanged):
        timeout = milliseconds(spec.preshutdown_timeout, "preshutdown_timeout")
        service.numbers[ConfigLevel.PRESHUTDOWN_INFO] = timeout
    if not isinstance(spec.security, Unchanged):
        whole = SecurityDescriptor.coerce(spec.security)
        # What is not given is as with a new service.
        service.security = replace(
            whole,
            owner=whole.owner or DEFAULT_SERVICE_SECURITY.owner,
            group=whole.group or DEFAULT_SERVICE_SECURITY.group,
        )
    return service


def _given(value: T | Unchanged, default: D) -> T | D:
    return default if isinstance(value, Unchanged) else value


def _account(text: str) -> str:
    """As Windows spells it, where it is one that can be spelled in several ways."""
    try:
        return Account(text).name
    except ArgumentError:
        return text
