"""Names of accounts and groups, and their SIDs."""

from __future__ import annotations

import pytest
from support import simulated_only

from winsvc import (
    MachineUnreachableError,
    NotFoundError,
    ServiceManager,
    ValidationError,
)
from winsvc.backend import default_backend
from winsvc.security import Sid, service_sid
from winsvc.testing import CallerIdentity, SimulatedSCM

ADMINISTRATORS, USERS = Sid.parse("BA"), Sid.parse("BU")


@pytest.mark.parametrize("name", ["Administrators", r"BUILTIN\Administrators", "ADMINISTRATORS"])
def test_lookup_finds_group_by_full_and_short_name_in_any_case(name: str) -> None:
    assert Sid.lookup(name) == ADMINISTRATORS


def test_account_name_of_known_sids_contains_domain() -> None:
    assert Sid.parse("WD").account_name() == "Everyone"
    assert Sid.parse("SY").account_name() == r"NT AUTHORITY\SYSTEM"
    assert USERS.account_name() == r"BUILTIN\Users"


@pytest.mark.parametrize("alias", ["WD", "SY", "LS", "NS", "BA", "BU", "AU", "IU"])
def test_account_name_looks_up_the_same_sid(alias: str) -> None:
    sid = Sid.parse(alias)
    name = sid.account_name()
    assert name is not None
    assert Sid.lookup(name) == sid


def test_lookup_of_unknown_name_raises_not_found_with_name_and_hint() -> None:
    with pytest.raises(NotFoundError) as caught:
        Sid.lookup(r"BUILTIN\winsvc-no-such-group")
    error = caught.value
    assert (error.winerror, error.function) == (1332, "LookupAccountNameW")
    assert error.object_name == r"BUILTIN\winsvc-no-such-group"
    assert (
        error.hint == r"Check the spelling; a full name contains the domain, as in BUILTIN\Users."
    )
    assert isinstance(error, LookupError)


def test_account_name_of_unknown_sid_is_none() -> None:
    assert Sid.parse("S-1-5-21-1-2-3-4").account_name() is None


def test_lookup_with_invalid_name_raises_before_any_call() -> None:
    with pytest.raises(TypeError, match="name"):
        Sid.lookup(None)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="NUL"):
        Sid.lookup("a\0b")


# ------------------------------------------------------------------------------- simulation


@simulated_only
def test_added_account_translates_both_ways(sim: SimulatedSCM) -> None:
    alice = sim.add_account(r"CORP\alice")
    given = sim.add_account(r"CORP\bob", "S-1-5-21-9-9-9-1001")
    assert Sid.lookup(r"corp\ALICE") == Sid.lookup("alice") == alice
    assert alice.account_name() == r"CORP\alice"
    assert str(given) == "S-1-5-21-9-9-9-1001"
    assert given.account_name() == r"CORP\bob"


@simulated_only
def test_added_account_that_exists_or_has_no_domain_raises_validation(sim: SimulatedSCM) -> None:
    sim.add_account(r"CORP\alice")
    for name in ("alice", r"CORP" + "\\", r"\alice", r"A\B\c", ""):
        with pytest.raises(ValidationError, match="must have a domain"):
            sim.add_account(name)
    with pytest.raises(ValidationError, match="already an account"):
        sim.add_account(r"corp\Alice")
    with pytest.raises(ValidationError, match="already has the SID S-1-5-18"):
        sim.add_account(r"CORP\system", "SY")


@simulated_only
def test_simulated_services_and_callers_have_accounts(sim: SimulatedSCM) -> None:
    spooler = sim.add("Spooler")
    assert Sid.lookup(r"NT SERVICE\spooler") == service_sid("Spooler")
    assert service_sid("SPOOLER").account_name() == r"NT SERVICE\Spooler"
    for caller in (
        CallerIdentity.administrator(),
        CallerIdentity.user(),
        CallerIdentity.local_system(),
    ):
        assert Sid.lookup(caller.name) in caller.sids
    with ServiceManager() as scm, scm.open("Spooler") as service:
        service.delete()
    assert spooler.name not in sim
    with pytest.raises(NotFoundError):
        Sid.lookup(r"NT SERVICE\spooler")


@simulated_only
def test_lookup_on_machine_that_does_not_answer_raises_unreachable(sim: SimulatedSCM) -> None:
    sim.add_machine("remote").add("Far")
    assert Sid.lookup(r"NT SERVICE\far", machine="remote") == service_sid("far")
    assert service_sid("far").account_name(machine="remote") == r"NT SERVICE\Far"
    assert service_sid("far").account_name() is None
    for call in (
        lambda: Sid.lookup("Users", machine="gone"),
        lambda: USERS.account_name(machine="gone"),
    ):
        with pytest.raises(MachineUnreachableError) as caught:
            call()
        assert caught.value.machine == "gone"


@simulated_only
def test_lookup_uses_given_backend(sim: SimulatedSCM) -> None:
    other = SimulatedSCM()
    sid = other.add_account(r"OTHER\carol")
    assert default_backend() is sim
    assert sid.account_name() is None
    assert sid.account_name(backend=other) == r"OTHER\carol"
    assert Sid.lookup("carol", backend=other) == sid
