"""Everything about one service as one value: for comparing, storing and showing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from winsvc._util.jsonable import JSON, Reader, Writer, from_jsonable, json_object, jsonable
from winsvc._values.config import FailureActions, ServiceConfig
from winsvc._values.dependency import Dependency, parse_dependency
from winsvc._values.status import ServiceStatus
from winsvc.enums import ErrorCode, LaunchProtection, ServiceAccess, SidType
from winsvc.errors import ArgumentError, ServiceError, service_error
from winsvc.security import InvalidSecurityError, SecurityDescriptor
from winsvc.triggers import Trigger

__all__ = ["FORMAT", "READERS", "ServiceSnapshot", "unreadable"]

FORMAT: Final = 1
"""The version of a document with snapshots, as ``winsvc export`` writes it."""

EVERYTHING: Final = (
    ServiceAccess.QUERY_STATUS
    | ServiceAccess.QUERY_CONFIG
    | ServiceAccess.ENUMERATE_DEPENDENTS
    | ServiceAccess.READ_CONTROL
)
"""The rights that a whole snapshot takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSnapshot:
    """All that a service tells; None for what could not be read.

    Attributes:
        name: the key name.
        machine: the machine that it is on; None for this one.
        status: where it stands.
        config: how it is set up.
        dependents: the key names of the services that depend on it.
        errors: for each field that could not be read, why.

    The other fields are those of :class:`winsvc.Settings`, as they are read.
    """

    name: str
    machine: str | None
    status: ServiceStatus | None
    config: ServiceConfig | None
    description: str | None
    failure_actions: FailureActions | None
    failure_actions_on_error: bool | None
    delayed_auto_start: bool | None
    sid_type: SidType | None
    required_privileges: tuple[str, ...] | None
    preshutdown_timeout: timedelta | None
    triggers: tuple[Trigger, ...] | None
    preferred_node: int | None
    launch_protection: LaunchProtection | None
    dependents: tuple[str, ...] | None
    security: SecurityDescriptor | None
    errors: dict[str, ServiceError] = field(compare=False)

    def to_json(self) -> dict[str, JSON]:
        """As :func:`json.dumps` takes it, for :meth:`from_json`; not a byte is lost."""
        return json_object(self, {**_WRITERS, ServiceError: self._error_json})

    @classmethod
    def from_json(cls, data: Mapping[str, object], argument: str = "snapshot") -> ServiceSnapshot:
        """Read what :meth:`to_json` gave.

        Args:
            data: the plain dict.
            argument: how to call it in an error.

        Raises:
            TypeError: a part of it is of a wrong type.
            ArgumentError: a part is missing, not known, or not what it should be.
        """
        snapshot = from_jsonable(cls, data, argument, READERS)
        for error in snapshot.errors.values():
            error.locate(service=snapshot.name, machine=snapshot.machine)
        return snapshot

    def _error_json(self, error: ServiceError) -> JSON:
        told: dict[str, JSON] = {
            "winerror": error.winerror,
            "function": error.function,
            "message": error.strerror,
        }
        # The rest only where reading it back would not give the same.
        usual = service_error(error.winerror, error.function)
        if error.hint != usual.hint:
            told["hint"] = error.hint
        if error.service is not None and error.service != self.name:
            told["service"] = error.service
        if error.machine is not None and error.machine != self.machine:
            told["machine"] = error.machine
        return told

    def describe(self) -> str:
        """As text for people, one line a fact."""
        width = max(len(label) for label, _ in self._facts())
        return "\n".join(f"{label:<{width}}  {text}".rstrip() for label, text in self._facts())

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "service", self.name
        if self.machine is not None:
            yield "machine", self.machine
        if self.status is not None:
            yield "state", _state(self.status)
        if self.config is not None:
            yield "display name", self.config.display_name
            yield "type", _flags(self.config.service_type)
            yield "start", _start(self)
            yield "command", self.config.binary_path
            yield "account", self.config.account
            if self.config.load_order_group:
                yield "group", f"{self.config.load_order_group}, tag {self.config.tag}"
            if self.config.dependencies:
                yield "depends on", ", ".join(map(str, self.config.dependencies))
        if self.dependents:
            yield "needed by", ", ".join(self.dependents)
        if self.description:
            yield "description", self.description
        if self.failure_actions is not None and self.failure_actions.actions:
            yield "on failure", _failure(self.failure_actions)
        if self.failure_actions_on_error:
            yield "", "also when it stops with an error code"
        if self.sid_type:
            yield "service SID", self.sid_type.name.lower()
        if self.required_privileges:
            yield "privileges", ", ".join(self.required_privileges)
        if self.preshutdown_timeout is not None:
            yield "preshutdown", f"{self.preshutdown_timeout.total_seconds():g} s"
        for trigger in self.triggers or ():
            yield "trigger", trigger.describe()
        if self.preferred_node is not None:
            yield "NUMA node", str(self.preferred_node)
        if self.launch_protection:
            yield "protection", self.launch_protection.name.lower()
        if self.security is not None:
            for line in self.security.describe().splitlines():
                yield "security", line
        for name, error in self.errors.items():
            yield "not readable", f"{name}: {error.strerror} (error {error.winerror})"


def unreadable(
    name: str, machine: str | None, status: ServiceStatus | None, error: ServiceError
) -> ServiceSnapshot:
    """Of a service that could not be opened: what a listing told, and why there is no more."""
    told = {"name": name, "machine": machine, "status": status}
    rest = {item.name for item in fields(ServiceSnapshot)} - set(told) - {"errors"}
    missing = rest | ({"status"} if status is None else set())
    parts: dict[str, Any] = {**told, **dict.fromkeys(rest)}
    return ServiceSnapshot(**parts, errors=dict.fromkeys(sorted(missing), error))


def _security_json(descriptor: SecurityDescriptor) -> JSON:
    """SDDL, or the bytes in hexadecimal for what SDDL can't say."""
    try:
        text = descriptor.to_sddl()
        if SecurityDescriptor.from_sddl(text) == descriptor:
            return text
    except InvalidSecurityError:
        pass
    return {"bytes": descriptor.to_bytes().hex()}


def _read_security(value: object, argument: str) -> SecurityDescriptor:
    if isinstance(value, Mapping):
        value = from_jsonable(dict[str, bytes], value, argument)
        if set(value) != {"bytes"}:
            raise ArgumentError(argument, "expected SDDL, or bytes alone")
        value = value["bytes"]
    try:
        return SecurityDescriptor.coerce(value)
    except InvalidSecurityError as error:
        raise ArgumentError(argument, str(error)) from None
    except TypeError:
        name = type(value).__name__
        raise TypeError(f"{argument}: expected SDDL or bytes, not {name}") from None


@dataclass(frozen=True)
class _ErrorParts:
    """What :func:`winsvc.errors.service_error` takes."""

    winerror: int
    function: str
    message: str
    service: str | None = None
    machine: str | None = None
    hint: str | None = None


def _read_error(value: object, argument: str) -> ServiceError:
    parts = from_jsonable(_ErrorParts, value, argument)
    return service_error(**vars(parts))


READERS: Final[Mapping[object, Reader]] = MappingProxyType(
    {
        Dependency: parse_dependency,
        SecurityDescriptor: _read_security,
        ServiceError: _read_error,
    }
)
"""The parts of a snapshot that have a JSON form of their own, for ``from_jsonable``."""

_WRITERS: Final[Mapping[object, Writer]] = MappingProxyType(
    {Dependency: str, SecurityDescriptor: _security_json}
)


def _flags(value: object) -> str:
    names = jsonable(value)
    return ", ".join(map(str, names)).replace("_", " ") if isinstance(names, list) else str(names)


def _state(status: ServiceStatus) -> str:
    text = status.state.name.lower().replace("_", " ")
    if status.pid is not None:
        text += f", process {status.pid}"
    if status.exit_code == ErrorCode.SERVICE_NEVER_STARTED:
        text += ", not run since the system started"
    elif status.exit_code:
        text += f", exit code {status.exit_code}"
    if status.service_exit_code:
        text += f", its own {status.service_exit_code}"
    return text


def _start(snapshot: ServiceSnapshot) -> str:
    assert snapshot.config is not None
    text = snapshot.config.start_type.name.lower()
    if snapshot.delayed_auto_start:
        text += ", delayed"
    if snapshot.triggers:
        text += ", triggered"
    return text


def _failure(actions: FailureActions) -> str:
    steps = ", ".join(
        f"{action.type.name.lower().replace('_', ' ')} after {action.delay.total_seconds():g} s"
        for action in actions.actions
    )
    if actions.reset_after is None:
        return f"{steps}; never reset"
    return f"{steps}; reset after {actions.reset_after.total_seconds():g} s"
