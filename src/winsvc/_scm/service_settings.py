"""Query and change the settings of an open service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from winsvc._scm.handle_pool import ScmObject
from winsvc._scm.open_service import OpenService
from winsvc._util.checks import check_dword
from winsvc._values.config import FailureActions
from winsvc._values.status import template_of
from winsvc.enums import OWNER_GROUP_DACL, SecurityInformation, ServiceAccess
from winsvc.errors import Win32Error

if TYPE_CHECKING:
    from datetime import timedelta

    from winsvc._values.settings import SettingsKeywords
    from winsvc.enums import LaunchProtection, SidType
    from winsvc.security import SecurityDescriptor
    from winsvc.triggers import Trigger

__all__ = ["ServiceSettings"]


class ServiceSettings(ScmObject[ServiceAccess]):
    """The part of :class:`winsvc.Service` that queries and changes settings."""

    def __init__(self, service: OpenService) -> None:
        super().__init__(service)
        self._service = service

    def configure(
        self,
        *,
        assign_tag: bool = False,
        allow_unquoted_path: bool = False,
        **settings: Unpack[SettingsKeywords],
    ) -> int | None:
        """Change settings; settings that are omitted or ``UNCHANGED`` keep their values.

        All settings are checked before the first change. If Windows refuses a change, the hint of
        the error names the changes applied before it.

        Args:
            assign_tag: whether a driver gets a new tag in its load-order group.
            allow_unquoted_path: accept a command line whose program has a blank in its path and is
                not quoted, to write a stored value back. Windows may start another program.
            **settings: the settings; see :class:`winsvc.Settings`.

        Returns:
            The new tag with *assign_tag*, else None.

        Raises:
            TypeError: a setting is unknown or of the wrong type.
            ValidationError: a setting is invalid.
            InvalidParameterError: Windows does not accept a setting or a combination of settings.
            ServiceExistsError: another service has this display name.
            MarkedForDeleteError: the service is marked for deletion.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.CHANGE_CONFIG``; for RESTART actions also ``START``, for a security
        descriptor ``WRITE_DAC`` instead.
        Windows calls: ``ChangeServiceConfigW``, ``ChangeServiceConfig2W``,
        ``SetServiceObjectSecurity``: one for each group of settings.
        """
        # Security and triggers are not loaded by programs that only read.
        from winsvc._scm.apply_settings import apply
        from winsvc._values.changes import changes_for
        from winsvc._values.settings import Settings, check_keywords

        check_keywords(settings)
        changes = changes_for(
            Settings(**settings), assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path
        )
        try:
            tag = apply(changes, self._service).get("configuration")
        except Win32Error as error:
            self._add_template_hint(error)
            raise
        return tag if isinstance(tag, int) else None

    def _add_template_hint(self, error: Win32Error) -> None:
        name = self._service.name
        if "_" not in name:
            return  # not an instance of a per-user service
        try:
            template = template_of(name, self._service.status().service_type)
        except Win32Error:
            return  # the error of the change is reported
        if template is not None:
            hint = f"{name} is an instance of a per-user service: configure {template} instead."
            error.hint = f"{error.hint} {hint}" if error.hint else hint

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the security descriptor of the service.

        Args:
            parts: the parts to read. The SACL needs another right than the other parts.

        Raises:
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.READ_CONTROL``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the
        privilege ``SeSecurityPrivilege``. Windows call: ``QueryServiceObjectSecurity``.
        """
        return self._service.security(SecurityInformation(check_dword(parts, "parts")))

    def set_security(
        self,
        descriptor: SecurityDescriptor | str | bytes,
        parts: SecurityInformation = SecurityInformation.DACL,
    ) -> None:
        """Write the selected parts of the security descriptor of the service.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL or bytes; a descriptor of pywin32
                is accepted too.
            parts: the parts to write.

        Raises:
            InvalidSecurityError: the descriptor is malformed.
            ValidationError: the descriptor lacks one of the parts.
            AccessDeniedError: a right below is not granted.

        Right: for the DACL ``ServiceAccess.WRITE_DAC``; for owner, group and label
        ``WRITE_OWNER``; for the SACL ``ACCESS_SYSTEM_SECURITY`` and the privilege
        ``SeSecurityPrivilege``. Windows call: ``SetServiceObjectSecurity``.
        """
        from winsvc._scm.apply_settings import apply
        from winsvc._values.setting_table import change_security
        from winsvc.security import SecurityDescriptor

        info = SecurityInformation(check_dword(parts, "parts"))
        change = change_security(SecurityDescriptor.coerce(descriptor), info)
        apply([change], self._service)

    def _query(self, name: str) -> Any:
        from winsvc._values.setting_table import SETTINGS

        return self._service.query_setting(SETTINGS[name])

    # Generated by tools/settingsgen.py.

    def description(self) -> str:
        """Query the text that describes the service; "" for none or for a missing resource.

        To set: ``configure(description=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: str = self._query("description")
        return value

    def delayed_auto_start(self) -> bool:
        """Query whether an automatic start waits until the other automatic starts are done.

        To set: ``configure(delayed_auto_start=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: bool = self._query("delayed_auto_start")
        return value

    def failure_actions(self) -> FailureActions:
        """Query the actions of the SCM when the service fails.

        To set: ``configure(failure_actions=...)``. RESTART actions also need the right ``START``,
        REBOOT actions the privilege ``SeShutdownPrivilege``. To change a part:
        ``dataclasses.replace(service.failure_actions(), ...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: FailureActions = self._query("failure_actions")
        return value

    def failure_actions_on_error(self) -> bool:
        """Query whether the failure actions also apply when the service stops with an error code.

        To set: ``configure(failure_actions_on_error=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: bool = self._query("failure_actions_on_error")
        return value

    def sid_type(self) -> SidType:
        """Query whether the service's own SID is in its process token.

        To set: ``configure(sid_type=...)``. The SID: :func:`winsvc.service_sid`.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: SidType = self._query("sid_type")
        return value

    def required_privileges(self) -> tuple[str, ...]:
        """Query the privileges that the process keeps; () for all privileges of its account.

        To set: ``configure(required_privileges=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: tuple[str, ...] = self._query("required_privileges")
        return value

    def preshutdown_timeout(self) -> timedelta:
        """Query the time that the service may take before a shutdown.

        To set: ``configure(preshutdown_timeout=...)``. A timedelta or seconds, up to 49.7 days.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: timedelta = self._query("preshutdown_timeout")
        return value

    def triggers(self) -> tuple[Trigger, ...]:
        """Query the events that start or stop the service.

        To set: ``configure(triggers=...)``. All triggers are replaced.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: tuple[Trigger, ...] = self._query("triggers")
        return value

    def preferred_node(self) -> int | None:
        """Query the preferred NUMA node of the process; None for any, and if there is only one.

        To set: ``configure(preferred_node=...)``.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: int | None = self._query("preferred_node")
        return value

    def launch_protection(self) -> LaunchProtection:
        """Query the kind of protected process that the service runs in.

        To set: ``configure(launch_protection=...)``. Windows accepts a change only from a protected
        program, and never removes the protection.

        Right: ``ServiceAccess.QUERY_CONFIG``. Windows call: ``QueryServiceConfig2W``.
        """
        value: LaunchProtection = self._query("launch_protection")
        return value

    # End of the generated part.
