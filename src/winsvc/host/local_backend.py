"""Access to a machine's event sources and files through a service manager's backend."""

from __future__ import annotations

from winsvc._scm.manager import ServiceManager
from winsvc.backend import EventSourceBackend, FileBackend

__all__ = ["event_sources_of", "files_of"]


def event_sources_of(scm: ServiceManager) -> EventSourceBackend | None:
    """Return the event sources of the machine; None stands for those of this machine."""
    return scm.backend.capabilities(scm.machine).event_sources


def files_of(scm: ServiceManager) -> FileBackend | None:
    """Return the files of the machine; None if they are not accessible."""
    return scm.backend.capabilities(scm.machine).files
