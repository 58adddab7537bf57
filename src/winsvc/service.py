"""One service: where it stands, how it is set up, and what can be done to it."""

from __future__ import annotations

from types import TracebackType

from winsvc.backend import Backend
from winsvc.enums import (
    Control,
    ErrorControl,
    ServiceAccess,
    ServiceType,
    StartType,
)
from winsvc.grants import Grants
from winsvc.models import ServiceConfig, ServiceStatus

__all__ = ["Service"]


class Service:
    """An open service, made by :meth:`ServiceManager.open` and :meth:`ServiceManager.create`.

    Use it as a context manager, or call :meth:`close`. It outlives its manager's connection as
    long as no operation needs a right that it was not opened with. May be shared between threads.
    """

    def __init__(self, name: str, grants: Grants[ServiceAccess], backend: Backend) -> None:
        self.name = name
        self._grants = grants
        self._backend = backend

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the service's handles. A second call does nothing.

        Windows call: ``CloseServiceHandle``.
        """
        self._grants.close()

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._grants.closed

    def __repr__(self) -> str:
        return f"<Service {self.name!r}: {'closed' if self.closed else 'open'}>"

    def status(self) -> ServiceStatus:
        """Where the service stands now.

        Right: ``ServiceAccess.QUERY_STATUS``. Windows call: ``QueryServiceStatusEx``.
        """
        row = self._grants.call(ServiceAccess.QUERY_STATUS, self._backend.query_service_status_ex)
        return ServiceStatus.from_row(row)

    def config(self) -> ServiceConfig:
        """How the service is set up.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfigW``.
        """
        row = self._grants.call(ServiceAccess.QUERY_CONFIG, self._backend.query_service_config)
        return ServiceConfig(
            ServiceType(row.service_type),
            StartType(row.start_type),
            ErrorControl(row.error_control),
            row.binary_path_name or "",
            row.load_order_group or "",
            row.tag_id,
            tuple(row.dependencies or ()),
            row.service_start_name or "",
            # Windows always gives a display name; Wine gives "" for "same as the name".
            row.display_name or self.name,
        )

    def start(self, *arguments: str) -> None:
        """Start the service; ``arguments`` reach its main function after its name.

        Returns once the service's process has connected and reported its first state, which is
        often ``START_PENDING``.

        Raises:
            ServiceAlreadyRunningError: it is running, or on its way.
            ServiceDisabledError: its start type is disabled.
            ServiceStartError: its process did not start, did not connect or ended at once.
            NotFoundError: its program does not exist.

        Right: ``ServiceAccess.START``. Windows call: ``StartServiceW``.
        """
        self._grants.call(ServiceAccess.START, self._backend.start_service, arguments)

    def stop(self) -> ServiceStatus:
        """Ask the service to stop; it may still be stopping in the status that is returned.

        Raises:
            ServiceNotActiveError: it is not running.
            DependentServicesRunningError: running services depend on it.
            ControlRefusedError: it does not take this control, or not in this state.

        Right: ``ServiceAccess.STOP``. Windows call: ``ControlService``.
        """
        row = self._grants.call(
            ServiceAccess.STOP, self._backend.control_service, int(Control.STOP)
        )
        return ServiceStatus.from_row(row)

    def delete(self) -> None:
        """Mark the service for deletion: it goes when it has stopped and all handles are closed.

        Raises:
            MarkedForDeleteError: that was done before.

        Right: ``ServiceAccess.DELETE``. Windows call: ``DeleteService``.
        """
        self._grants.call(ServiceAccess.DELETE, self._backend.delete_service)
