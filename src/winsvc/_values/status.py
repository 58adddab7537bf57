"""Statuses, entries of a listing, and the status of the database lock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat
from typing import Final, NamedTuple

from winsvc._public import publish
from winsvc._util.checks import check_type
from winsvc._util.text import name_key
from winsvc._values.rows import EnumPage, EnumRow, StatusRow
from winsvc.enums import (
    PENDING_STATES,
    AcceptedControls,
    ErrorCode,
    MemberCache,
    ServiceFlags,
    ServiceType,
    State,
)
from winsvc.errors import system_text

__all__ = ["LockStatus", "ServiceInfo", "ServiceStatus", "group_by_template", "template_of"]

_SERVICE_TYPES: Final = MemberCache(ServiceType)
_STATES: Final = MemberCache(State)
_CONTROLS: Final = MemberCache(AcceptedControls)
_FLAGS: Final = MemberCache(ServiceFlags)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The status of a service at the time of the query (``SERVICE_STATUS_PROCESS``).

    ``str(status)`` is the state with the process, the progress and the exit code, if there are any.

    Attributes:
        service_type: the kind of service; a running service may have more bits than configured.
        state: the state.
        controls_accepted: the controls that the service accepts in this state.
        exit_code: the Windows error code of the last run, unsigned; 1066 refers to
            ``service_exit_code``, 1077 means that the service has not been started since the
            system started.
        service_exit_code: the service-specific exit code, unsigned.
        check_point: increases while a pending operation makes progress.
        wait_hint: the estimated time until the next check point of a pending operation.
        pid: the process of the service; None if there is none.
        flags: whether the service runs in a system process that must not be terminated.
    """

    service_type: ServiceType
    state: State
    controls_accepted: AcceptedControls
    exit_code: int
    service_exit_code: int
    check_point: int
    wait_hint: timedelta
    pid: int | None
    flags: ServiceFlags

    @property
    def exit_text(self) -> str:
        """The exit code as a text, such as ``"never started since the last boot"``."""
        if self.exit_code == 0:
            return "no error"
        if self.exit_code == ErrorCode.SERVICE_NEVER_STARTED:
            return "never started since the last boot"
        if self.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            return f"service-specific exit code {self.service_exit_code}"
        return f"{system_text(self.exit_code).removesuffix('.')} (exit code {self.exit_code})"

    def __str__(self) -> str:
        parts = [str(self.state)]
        if self.pid is not None:
            parts.append(f"process {self.pid}")
        if self.state in PENDING_STATES:
            hint = f"wait hint {self.wait_hint.total_seconds():g} s"
            parts.append(f"check point {self.check_point}, {hint}")
        if self.exit_code:
            parts.append(self.exit_text)
        return ", ".join(parts)

    @classmethod
    def from_row(cls, row: StatusRow) -> ServiceStatus:
        """Return the status from the fields of a ``SERVICE_STATUS_PROCESS``."""
        # Most services have one of a few statuses; immutable values can be shared.
        known = _STATUSES.get(row)
        if known is None:
            kind, state, accepted, exit_code, own_exit_code, check_point, hint, pid, flags = row
            known = cls(
                _SERVICE_TYPES[kind],
                _STATES[state],
                _CONTROLS[accepted],
                int(exit_code),
                int(own_exit_code),
                check_point,
                timedelta(milliseconds=hint),
                pid or None,
                _FLAGS[flags],
            )
            if len(_STATUSES) >= _MOST_STATUSES:
                _STATUSES.clear()
            _STATUSES[row] = known
        return known


_STATUSES: Final[dict[StatusRow, ServiceStatus]] = {}
_MOST_STATUSES: Final = 1024


def template_of(name: str, service_type: ServiceType) -> str | None:
    """Return the key name of the template of a per-user service instance, else None."""
    if ServiceType.USER_SERVICE_INSTANCE not in service_type:
        return None
    return name.rpartition("_")[0] or None


class ServiceInfo(NamedTuple):
    """One service of a listing (``ENUM_SERVICE_STATUS_PROCESS``).

    A named tuple: about ten times cheaper to create than a dataclass.

    Attributes:
        name: the key name, by which the service is opened.
        display_name: the name that user interfaces display; the key name if there is none.
        status: the status.
    """

    name: str
    display_name: str
    status: ServiceStatus

    @property
    def template(self) -> str | None:
        """The key name of the template of a per-user service instance; None for other services."""
        return template_of(self.name, self.status.service_type)

    @classmethod
    def from_row(cls, row: EnumRow) -> ServiceInfo:
        """Return the entry from the fields of an ``ENUM_SERVICE_STATUS_PROCESS``."""
        name, display_name, status = row
        # Windows always returns a display name; Wine returns NULL for "same as the name".
        return cls(name, display_name or name, ServiceStatus.from_row(status))

    @classmethod
    def from_rows(cls, rows: Sequence[EnumRow]) -> Iterator[ServiceInfo]:
        """Return the entries of a page as an iterator that runs no Python code per entry."""
        page = EnumPage.of(rows)
        shown = page.display_names
        if page.blank:
            shown = list(shown)
            for index in page.blank:
                shown[index] = page.names[index]
        different = list(map(ServiceStatus.from_row, page.statuses))
        statuses = map(different.__getitem__, page.which)
        return map(tuple.__new__, repeat(cls), zip(page.names, shown, statuses, strict=True))


def collect_states(state: State | Collection[State]) -> frozenset[State]:
    """Check the type of a state or of several states."""
    if not isinstance(state, Collection):
        check_type(state, State, "state")
    states = frozenset((state,) if isinstance(state, State) else state)
    for item in states:
        check_type(item, State, "state")
    return states


def group_by_template(services: Iterable[ServiceInfo]) -> dict[str | None, list[ServiceInfo]]:
    """Group a listing by the templates of per-user services.

    Args:
        services: the entries of a listing.

    Returns:
        The instances of each template by its key name, and under None the services that are not
        instances, templates included. The order of the listing is kept.
    """
    groups: dict[str | None, list[ServiceInfo]] = {}
    templates: dict[str, str] = {}
    for info in services:
        template = info.template
        if template is not None:
            template = templates.setdefault(name_key(template), template)
        groups.setdefault(template, []).append(info)
    return groups


@dataclass(frozen=True, slots=True)
class LockStatus:
    """The status of the lock of the service database (``QUERY_SERVICE_LOCK_STATUS``).

    Attributes:
        owner: the user that holds the lock; None if the database is not locked.
        duration: the time since the database was locked.
    """

    owner: str | None
    duration: timedelta


publish(__name__)
