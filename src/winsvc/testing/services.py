"""One simulated service: what is stored of it, and what its program is doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from winsvc._values.account import Account, Secret
from winsvc._values.rows import ConfigRow, EnumRow, FailureActionsRow, StatusRow, TriggerRow
from winsvc._values.setting_table import NUMBER_LEVELS
from winsvc._values.status import ServiceStatus
from winsvc.enums import (
    AcceptedControls,
    Control,
    ErrorCode,
    ErrorControl,
    ServiceType,
    StartReason,
    StartType,
    State,
)
from winsvc.security import SecurityDescriptor
from winsvc.testing.access import DEFAULT_SERVICE_SECURITY
from winsvc.testing.behavior import Program, ProgramBehavior
from winsvc.testing.clock import Timer

if TYPE_CHECKING:
    from winsvc.testing.hosted.processes import HostedRun

__all__ = ["SimulatedService", "stored_account"]

NO_FAILURE_ACTIONS: Final = FailureActionsRow(0, None, None, ())
NO_CONTROLS: Final = AcceptedControls(0)
USUAL: Final = ProgramBehavior()

# What Windows 10 and later answer where nothing was set.
DEFAULT_NUMBERS: Final[dict[int, int]] = {
    level: setting.encode(None) for level, setting in NUMBER_LEVELS.items()
}


def stored_account(text: str) -> str:
    """Return an account as Windows spells it, if it can be spelled in several ways."""
    return Account.stored(text).name


@dataclass(slots=True, eq=False)
class SimulatedService:
    """A service of a simulated machine, for tests to look at.

    Change it through the API under test, or by :class:`winsvc.testing.SimulatedMachine`, whose
    ``crash`` and ``report`` simulate actions of its program.

    Attributes:
        name: the key name.
        program: what its program does; None for what the machine says of its path.
        arguments: what it was last started with.
        controls: the controls that have reached it since.
        starts: how often it was started.
        failures: how many failures count towards its failure actions.
        marked_for_deletion: whether it goes once it has stopped and its handles are closed.
        hosted: the run that is on, where its program is in Python; with its process.
    """

    name: str
    number: int = 0  # its position in a listing
    service_type: int = int(ServiceType.OWN_PROCESS)
    start_type: int = int(StartType.MANUAL)
    error_control: int = int(ErrorControl.NORMAL)
    binary_path: str = ""
    load_order_group: str = ""
    tag: int = 0
    dependencies: tuple[str, ...] = ()
    account: str = "LocalSystem"
    display_name: str = ""
    description: str | None = None
    failure_actions: FailureActionsRow = NO_FAILURE_ACTIONS
    numbers: dict[int, int] = field(default_factory=lambda: dict(DEFAULT_NUMBERS))
    required_privileges: tuple[str, ...] = ()
    triggers: tuple[TriggerRow, ...] = ()
    preferred_node: int | None = None
    security: SecurityDescriptor = DEFAULT_SERVICE_SECURITY

    state: State = State.STOPPED
    controls_accepted: AcceptedControls = NO_CONTROLS
    exit_code: int = int(ErrorCode.SERVICE_NEVER_STARTED)
    service_exit_code: int = 0
    check_point: int = 0
    wait_hint: int = 0
    pid: int = 0
    changes: int = 0  # of its state
    start_reason: StartReason = StartReason.DEMAND

    program: Program | None = None
    behavior: ProgramBehavior = USUAL  # of the run that is on
    hosted: HostedRun | None = None
    arguments: Sequence[str] = ()
    controls: list[Control] = field(default_factory=list)
    starts: int = 0
    failures: int = 0
    last_failure: float = 0.0
    marked_for_deletion: bool = False
    handles: int = 0  # that are open
    password: Secret | None = None
    timers: list[Timer] = field(default_factory=list)  # of the state that it is in
    end: Timer | None = None  # of the whole run

    def __repr__(self) -> str:
        return f"<SimulatedService {self.name!r}: {self.state.name}>"

    @property
    def is_driver(self) -> bool:
        """True for a driver, which has no process."""
        return bool(self.service_type & ServiceType.DRIVER)

    @property
    def status(self) -> ServiceStatus:
        """The current status."""
        return ServiceStatus.from_row(self.status_row())

    def status_row(self) -> StatusRow:
        return StatusRow(
            self.service_type,
            int(self.state),
            int(self.controls_accepted),
            self.exit_code,
            self.service_exit_code,
            self.check_point,
            self.wait_hint,
            self.pid,
            0,
        )

    def brief_status_row(self) -> StatusRow:
        """``SERVICE_STATUS``, which has neither process nor flags."""
        return self.status_row()._replace(process_id=0, service_flags=0)

    def brief_enum_row(self) -> EnumRow:
        return EnumRow(self.name, self.display_name, self.brief_status_row())

    def config_row(self) -> ConfigRow:
        return ConfigRow(
            self.service_type,
            self.start_type,
            self.error_control,
            self.binary_path,
            self.load_order_group,
            self.tag,
            self.dependencies,
            self.account,
            self.display_name,
        )

    def group_dependencies(self) -> list[str]:
        """Return the load-order groups of which a member has to run first."""
        return [name[1:] for name in self.dependencies if name.startswith("+")]

    def service_dependencies(self) -> list[str]:
        """Return the names of the services that have to run first."""
        return [name for name in self.dependencies if not name.startswith("+")]
