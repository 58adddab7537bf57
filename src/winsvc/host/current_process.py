"""The process that was connected before the user's program calls ``run()``, if there is one."""

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


def set_current(launched: ConnectedProcess | None) -> None:
    """It is this one, or none, from now on."""
    _current[:] = [] if launched is None else [launched]


def get_current() -> ConnectedProcess | None:
    """The one of this process; None where nothing is connected yet."""
    return _current[-1] if _current else None
