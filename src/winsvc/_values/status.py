"""Where services stand: statuses, entries of a listing, the lock of the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat
from typing import Final, NamedTuple

from winsvc._public import publish
from winsvc._values.rows import EnumPage, EnumRow, StatusRow
from winsvc.enums import AcceptedControls, MemberCache, ServiceFlags, ServiceType, State

__all__ = ["LockStatus", "ServiceInfo", "ServiceStatus"]

_SERVICE_TYPES: Final = MemberCache(ServiceType)
_STATES: Final = MemberCache(State)
_CONTROLS: Final = MemberCache(AcceptedControls)
_FLAGS: Final = MemberCache(ServiceFlags)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Where a service stands, at the moment it was asked (``SERVICE_STATUS_PROCESS``).

    Attributes:
        service_type: the kind of service; a running one may show more bits than it was made with.
        state: where it stands.
        controls_accepted: the controls that it handles in this state.
        exit_code: the Windows error code it last ended with, unsigned; 1066 points to
            ``service_exit_code``, 1077 says it has not run since the system started.
        service_exit_code: the service's own error code, unsigned.
        check_point: counts up while a pending operation makes progress.
        wait_hint: how long the pending operation expects to need until the next check point.
        pid: the process that runs it; None where there is none.
        flags: whether it runs in a system process that must not be ended.
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

    @classmethod
    def from_row(cls, row: StatusRow) -> ServiceStatus:
        """From the numbers of a ``SERVICE_STATUS_PROCESS``, in its order."""
        # Nearly always the same few: what does not change may be shared.
        known = _STATUSES.get(row)
        if known is None:
            kind, state, accepted, exit_code, own_exit_code, check_point, hint, pid, flags = row
            known = cls(
                _SERVICE_TYPES[kind],
                _STATES[state],
                _CONTROLS[accepted],
                exit_code,
                own_exit_code,
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


class ServiceInfo(NamedTuple):
    """One service of a listing (``ENUM_SERVICE_STATUS_PROCESS``).

    A named tuple, of which a thousand are made in the time that a hundred dataclasses take.

    Attributes:
        name: the key name, which opens the service.
        display_name: the name for people; the key name where none was given.
        status: where it stands.
    """

    name: str
    display_name: str
    status: ServiceStatus

    @property
    def template(self) -> str | None:
        """The key name of the template that a per-user service is an instance of; or None."""
        if not self.status.service_type & ServiceType.USER_SERVICE_INSTANCE:
            return None
        return self.name.rpartition("_")[0] or None

    @classmethod
    def from_row(cls, row: EnumRow) -> ServiceInfo:
        """From the fields of an ``ENUM_SERVICE_STATUS_PROCESS``."""
        name, display_name, status = row
        # Windows always gives a display name; Wine gives NULL for "same as the name".
        return cls(name, display_name or name, ServiceStatus.from_row(status))

    @classmethod
    def from_rows(cls, rows: Sequence[EnumRow]) -> Iterator[ServiceInfo]:
        """From all rows of a page, made as they are taken, without a step of Python's for each."""
        page = EnumPage.of(rows)
        shown = page.display_names
        if page.blank:
            shown = list(shown)
            for index in page.blank:
                shown[index] = page.names[index]
        different = list(map(ServiceStatus.from_row, page.statuses))
        statuses = map(different.__getitem__, page.which)
        return map(tuple.__new__, repeat(cls), zip(page.names, shown, statuses, strict=True))


@dataclass(frozen=True, slots=True)
class LockStatus:
    """Who holds the lock of the service database (``QUERY_SERVICE_LOCK_STATUS``).

    Attributes:
        owner: who holds it; None when it is not locked.
        duration: for how long.
    """

    owner: str | None
    duration: timedelta


publish(__name__)
