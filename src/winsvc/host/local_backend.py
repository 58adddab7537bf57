"""What a service manager's backend has beside services: event sources and files."""

from __future__ import annotations

from winsvc._scm.manager import ServiceManager
from winsvc.backend import Backend, FileBackend

__all__ = ["backend_of", "files_of"]


def backend_of(scm: ServiceManager) -> Backend:
    """Return the backend of a service manager."""
    return scm._backend


def files_of(scm: ServiceManager) -> FileBackend | None:
    """Return the files of a service manager's machine; None where they are not accessible."""
    backend = backend_of(scm)
    return backend if scm.machine is None and isinstance(backend, FileBackend) else None
