"""The simulated translation between names of accounts and SIDs."""

from __future__ import annotations

from typing import Final

from winsvc._util.text import check_text, name_key, same_name
from winsvc.enums import ErrorCode
from winsvc.errors import ValidationError
from winsvc.security import Sid, SidLike, service_sid
from winsvc.security.sids import WELL_KNOWN_NAMES
from winsvc.testing.access import SIMULATED_ACCOUNTS
from winsvc.testing.calls import windows_call
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.open_handles import ServiceHandles
from winsvc.testing.refusal import Refusal

__all__ = ["AccountCalls"]

_SERVICE_DOMAIN: Final = "NT SERVICE"
_FIRST_RID: Final = 5001  # of the accounts that tests add


class AccountCalls(ServiceHandles):
    """The calls of :class:`winsvc.backend.AccountBackend`.

    Every machine has the same accounts, and the accounts of its services.
    """

    def __init__(self) -> None:
        super().__init__()
        self._accounts: dict[Sid, str] = {**WELL_KNOWN_NAMES, **SIMULATED_ACCOUNTS}

    def add_account(self, name: str, sid: SidLike | None = None) -> Sid:
        r"""Add an account or group that names and SIDs can be translated to.

        Args:
            name: the name with its domain, such as ``r"CORP\\alice"``.
            sid: the SID; None for a new one.

        Returns:
            The SID.

        Raises:
            ValidationError: the name has no domain, or the name or the SID is already used.
        """
        check_text(name, "name")
        domain, separator, account = name.partition("\\")
        if not (domain and separator and account) or "\\" in account:
            raise ValidationError("name", "must have a domain, as in CORP\\alice")
        rid = _FIRST_RID + len(self._accounts)
        added = Sid(5, (21, 1000, 2000, 3000, rid)) if sid is None else Sid.coerce(sid)
        if any(same_name(name, other) for other in self._accounts.values()):
            raise ValidationError("name", f"there is already an account {name!r}")
        if added in self._accounts:
            raise ValidationError("sid", f"{self._accounts[added]} already has the SID {added}")
        self._accounts[added] = name
        return added

    @windows_call("LookupAccountNameW")
    def lookup_account_name(self, machine: str | None, name: str) -> bytes:
        accounts = self._accounts_of(self._machine_called(machine))
        key = name_key(name)
        for sid, full in accounts.items():
            if key in (name_key(full), name_key(full.rpartition("\\")[2])):
                return sid.to_bytes()
        raise Refusal(ErrorCode.NONE_MAPPED)

    @windows_call("LookupAccountSidW")
    def lookup_account_sid(self, machine: str | None, sid: bytes) -> tuple[str, str]:
        accounts = self._accounts_of(self._machine_called(machine))
        full = accounts.get(Sid.from_bytes(sid))
        if full is None:
            raise Refusal(ErrorCode.NONE_MAPPED)
        domain, _, name = full.rpartition("\\")
        return domain, name

    def _accounts_of(self, machine: SimulatedMachine) -> dict[Sid, str]:
        if machine.error:
            raise Refusal(machine.error)
        services = {
            service_sid(service.name): f"{_SERVICE_DOMAIN}\\{service.name}"
            for service in machine.services
        }
        return {**self._accounts, **services}
