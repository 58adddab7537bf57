"""The process that is connected before the user's program calls ``run()``, if there is one."""

from __future__ import annotations

from dataclasses import dataclass

from winsvc.host.process import HostProcess

__all__ = ["ConnectedProcess", "get_current", "set_current"]


@dataclass
class ConnectedProcess:
    """A process that was connected before its program was loaded.

    Attributes:
        process: the process.
        by_launcher: whether the launcher did that, not the program itself.
        served: whether ``run()`` has come as far as to serve the classes; what fails before that
            is a failure to load.
    """

    process: HostProcess
    by_launcher: bool = True
    served: bool = False


_current: list[ConnectedProcess] = []


def set_current(process: ConnectedProcess | None) -> None:
    """Set the connected process; None for none."""
    _current[:] = [] if process is None else [process]


def get_current() -> ConnectedProcess | None:
    """Return the connected process; None if the program connects in ``run()``."""
    return _current[-1] if _current else None
