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
from winsvc.testing.refusal import RefusalError

__all__ = ["AccountCalls", "known_accounts"]

_SERVICE_DOMAIN: Final = "NT SERVICE"
_FIRST_RID: Final = 5001  # of the accounts that tests add


def known_accounts() -> dict[Sid, str]:
    """Return the accounts of a new simulation: the well-known ones and those of callers."""
    return {**WELL_KNOWN_NAMES, **SIMULATED_ACCOUNTS}


class AccountCalls(ServiceHandles):
    """The calls of :class:`winsvc.backend.AccountBackend`.

    Attributes:
        accounts: the names of accounts and groups by SID; each machine has them, and in addition
            the accounts of its services.
    """

    accounts: dict[Sid, str]

    def add_account(self, name: str, sid: SidLike | None = None) -> Sid:
        r"""Add an account or group that names and SIDs can be translated to.

        Args:
            name: the name with its domain, such as ``r"CORP\alice"``.
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
        rid = _FIRST_RID + len(self.accounts)
        added = Sid(5, (21, 1000, 2000, 3000, rid)) if sid is None else Sid.coerce(sid)
        if any(same_name(name, other) for other in self.accounts.values()):
            raise ValidationError("name", f"there is already an account {name!r}")
        if added in self.accounts:
            raise ValidationError("sid", f"{self.accounts[added]} already has the SID {added}")
        self.accounts[added] = name
        return added

    @windows_call("LookupAccountNameW")
    def lookup_account_name(self, machine: str | None, name: str) -> bytes:
        accounts = self._of_machine(self._machine_called(machine))
        key = name_key(name)
        for sid, full in accounts.items():
            if key in (name_key(full), name_key(full.rpartition("\\")[2])):
                return sid.to_bytes()
        raise RefusalError(ErrorCode.NONE_MAPPED)

    @windows_call("LookupAccountSidW")
    def lookup_account_sid(self, machine: str | None, sid: bytes) -> tuple[str, str]:
        accounts = self._of_machine(self._machine_called(machine))
        full = accounts.get(Sid.from_bytes(sid))
        if full is None:
            raise RefusalError(ErrorCode.NONE_MAPPED)
        domain, _, name = full.rpartition("\\")
        return domain, name

    def _of_machine(self, machine: SimulatedMachine) -> dict[Sid, str]:
        if machine.error:
            raise RefusalError(machine.error)
        services = {
            service_sid(service.name): f"{_SERVICE_DOMAIN}\\{service.name}"
            for service in machine.services
        }
        return {**self.accounts, **services}
