"""Query and change the settings of an open service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from winsvc._scm.handle_pool import ScmObject
from winsvc._scm.open_service import OpenService
from winsvc._util.checks import check_dword
from winsvc._values.config import FailureActions
from winsvc.enums import OWNER_GROUP_DACL, SecurityInformation, ServiceAccess

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
        """Change settings; a setting that is omitted, or ``UNCHANGED``, keeps its value.

        All settings are checked before the first one is changed. If Windows then refuses a setting,
        the error's hint lists the settings that were changed before it.

        Args:
            assign_tag: whether a driver gets a new tag in its load-order group.
            allow_unquoted_path: accept a command line whose program has a blank in its path and is
                not in quotes, to restore an existing one. Windows may start another program.
            **settings: the settings; :class:`winsvc.Settings` describes them.

        Returns:
            The new tag with ``assign_tag``; otherwise None.

        Raises:
            ValidationError: a setting is invalid.
            InvalidParameterError: Windows does not accept a setting, or a combination of settings.
            ServiceExistsError: another service has this display name.
            MarkedForDeleteError: the service is being deleted.
            AccessDeniedError: a right below is not granted.

        Right: ``ServiceAccess.CHANGE_CONFIG``; for RESTART actions also ``START``, for a security
        descriptor ``WRITE_DAC`` instead.
        Windows calls: ``ChangeServiceConfigW``, ``ChangeServiceConfig2W``,
        ``SetServiceObjectSecurity``: one for each group of settings that is given.
        """
        # Security, triggers and accounts are not loaded for what only reads.
        from winsvc._scm.apply_settings import apply
        from winsvc._values.changes import changes_for
        from winsvc._values.settings import Settings, hide_password

        hide_password(settings)
        changes = changes_for(
            Settings(**settings), assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path
        )
        tag = apply(changes, self._service).get("configuration")
        return tag if isinstance(tag, int) else None

    def security(self, parts: SecurityInformation = OWNER_GROUP_DACL) -> SecurityDescriptor:
        """Read the service's security descriptor.

        Args:
            parts: the parts to read. The SACL needs further rights.

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
        """Write the selected parts of the service's security descriptor.

        Args:
            descriptor: a :class:`winsvc.SecurityDescriptor`, SDDL, or bytes.
            parts: the parts to write; the others are unchanged.

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
