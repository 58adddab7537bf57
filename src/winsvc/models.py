"""What the service control manager tells, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from winsvc.enums import (
    AcceptedControls,
    ErrorControl,
    ServiceFlags,
    ServiceType,
    StartType,
    State,
)
from winsvc.rows import StatusRow

__all__ = ["ServiceConfig", "ServiceInfo", "ServiceStatus"]


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
        kind, state, accepted, exit_code, own_exit_code, check_point, hint, pid, flags = row
        return cls(
            ServiceType(kind),
            State(state),
            AcceptedControls(accepted),
            exit_code,
            own_exit_code,
            check_point,
            timedelta(milliseconds=hint),
            pid or None,
            ServiceFlags(flags),
        )


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """One service of a listing (``ENUM_SERVICE_STATUS_PROCESS``).

    Attributes:
        name: the key name, which opens the service.
        display_name: the name for people; the key name where none was given.
        status: where it stands.
    """

    name: str
    display_name: str
    status: ServiceStatus


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """How a service is set up (``QUERY_SERVICE_CONFIG``).

    Attributes:
        service_type: the kind of service.
        start_type: when it is started.
        error_control: what happens when it fails to start while the system boots.
        binary_path: the command line of its process, or the driver's file, as stored.
        load_order_group: the group that it belongs to; "" for none.
        tag: its place within the group; 0 for none.
        dependencies: key names of services, and groups with a ``+`` before their names, that
            must run first.
        account: the account that it runs as, or the driver's object name.
        display_name: the name for people.
    """

    service_type: ServiceType
    start_type: StartType
    error_control: ErrorControl
    binary_path: str
    load_order_group: str
    tag: int
    dependencies: tuple[str, ...]
    account: str
    display_name: str
