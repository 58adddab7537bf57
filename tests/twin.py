"""Counterpart of tests/service/testservice.c for the simulated service control manager."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from winsvc import AcceptedControls, Control, ErrorCode
from winsvc.testing import ProgramBehavior

__all__ = ["twin"]


def twin(argv: Sequence[str]) -> ProgramBehavior:
    """Return a run of the test service with these arguments, its name first."""
    exit_code = own_code = 0
    slow = slow_stop = 0.0
    runs: float | None = None
    ends = dies = False
    accepts = (
        AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE | AcceptedControls.PARAM_CHANGE
    )
    log: Path | None = None
    for argument in argv[1:]:
        name, _, value = argument.partition("=")
        if name == "exit":
            exit_code, ends = int(value, 0), True
        elif name == "specific":
            exit_code, own_code, ends = ErrorCode.SERVICE_SPECIFIC_ERROR, int(value, 0), True
        elif name == "die":
            dies = True
        elif name == "slow":
            slow = int(value, 0) / 1000
        elif name == "slow-stop":
            slow_stop = int(value, 0) / 1000
        elif name == "runs":
            runs = int(value, 0) / 1000
        elif name == "no-pause":
            accepts &= ~AcceptedControls.PAUSE_CONTINUE
        elif name == "log":
            log = Path(value)
    if log is not None:
        with log.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in argv)

    def note(control: Control) -> None:
        if log is not None:
            with log.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"control {int(control)}\n")

    return ProgramBehavior(
        accepts=accepts,
        start_takes=slow,
        stop_takes=slow_stop,
        wait_hint=2,
        check_point_every=0.1,
        ends_after=0 if dies else slow + (runs or 0) if ends or runs is not None else None,
        crashes=dies,
        exit_code=exit_code,
        service_exit_code=own_code,
        on_control=note,
    )
