"""Account names, and the passwords that go with them."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import traceback

import pytest

from winsvc import ServiceManager, ServiceSnapshot
from winsvc._util.jsonable import jsonable
from winsvc._values.account import (
    LOCAL_SERVICE,
    LOCAL_SYSTEM,
    NETWORK_SERVICE,
    Account,
    AccountKind,
    Secret,
    check_interactive,
    password_for,
)
from winsvc.enums import ServiceType
from winsvc.errors import ValidationError
from winsvc.testing import SimulatedSCM


@pytest.mark.parametrize(
    "text",
    [
        "LocalSystem",
        "localsystem",
        r".\LocalSystem",
        r".\localsystem",
        "SYSTEM",
        r".\SYSTEM",
        r"NT AUTHORITY\SYSTEM",
        r"nt authority\system",
        r"BUILD07\LocalSystem",
        "S-1-5-18",
        "s-1-5-18",
    ],
)
def test_account_with_any_local_system_spelling_equals_local_system(text: str) -> None:
    account = Account(text)
    assert account == LOCAL_SYSTEM
    assert hash(account) == hash(LOCAL_SYSTEM)
    assert account.name == "LocalSystem"
    assert str(account) == f"{account}" == text
    assert type(str(account)) is str
    assert account.kind is AccountKind.LOCAL_SYSTEM


@pytest.mark.parametrize(
    ("base", "sid", "account"),
    [("Local", "S-1-5-19", LOCAL_SERVICE), ("Network", "S-1-5-20", NETWORK_SERVICE)],
)
def test_account_with_any_service_account_spelling_equals_built_in(
    base: str, sid: str, account: Account
) -> None:
    for text in (
        f"{base}Service",
        f"{base} Service",
        f"NT AUTHORITY\\{base}Service",
        f"NT Authority\\{base} service",
        sid,
    ):
        assert Account(text) == account
    assert account.name == f"NT AUTHORITY\\{base}Service"
    assert account.kind.built_in


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("bob", r".\bob", AccountKind.USER),
        (r".\bob", r".\bob", AccountKind.USER),
        (r"CORP\bob", r"CORP\bob", AccountKind.USER),
        ("bob@corp.example", "bob@corp.example", AccountKind.USER),
        (r"nt service\MySvc", r"NT SERVICE\MySvc", AccountKind.VIRTUAL),
        (r"CORP\gmsa$", r"CORP\gmsa$", AccountKind.MANAGED),
        ("gmsa$@corp.example", "gmsa$@corp.example", AccountKind.MANAGED),
        ("odd$", r".\odd$", AccountKind.USER),
        (r"CORP\LocalService", r"CORP\LocalService", AccountKind.USER),
        (r"CORP\a@b", r"CORP\a@b", AccountKind.USER),
    ],
)
def test_account_normalizes_name_and_detects_kind(text: str, name: str, kind: AccountKind) -> None:
    account = Account(text)
    assert (account.name, account.kind) == (name, kind)
    assert Account(account.name) == account


def test_account_comparison_ignores_case_but_name_keeps_it() -> None:
    assert Account(r"CORP\Bob") == Account(r"corp\bob")
    assert hash(Account(r"CORP\Bob")) == hash(Account(r"corp\bob"))
    assert Account(r"CORP\Bob").name == r"CORP\Bob"
    assert Account(r"CORP\Bob") != Account(r".\Bob")
    assert "Bob" in repr(Account("Bob"))
    copied = pickle.loads(pickle.dumps(Account("Bob")))
    assert (type(copied), str(copied), copied.kind) == (Account, "Bob", AccountKind.USER)
    assert copy.deepcopy(copied) == Account("bob")


def test_account_equals_strings_that_name_the_same_account() -> None:
    assert Account("LocalSystem") == "localsystem"
    assert Account("LocalSystem") == r"NT AUTHORITY\SYSTEM"
    assert r".\BOB" == Account("bob")  # noqa: SIM300  # the operand order is tested
    assert Account("bob") != "alice"
    assert not Account("bob") != r".\bob"  # noqa: SIM202  # the operator is tested
    assert Account("bob") in ("alice", r".\Bob")
    assert Account("bob") != 5
    assert {Account("bob"): 1}[Account(r".\BOB")] == 1


def test_account_is_str_with_json_form() -> None:
    account = Account(r"nt service\x")
    assert account.partition("\\")[2] == "x"
    assert json.dumps([account]) == json.dumps([r"nt service\x"])
    assert type(jsonable(account)) is str


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("", "", AccountKind.DRIVER_OBJECT),
        (r"\Driver\x", r"\Driver\x", AccountKind.DRIVER_OBJECT),
        (r"a\b\c", r"a\b\c", AccountKind.USER),
        ("S-1-5-21-1", "S-1-5-21-1", AccountKind.USER),
        ("system", "LocalSystem", AccountKind.LOCAL_SYSTEM),
    ],
)
def test_stored_account_accepts_every_text(text: str, name: str, kind: AccountKind) -> None:
    account = Account.stored(text)
    assert (str(account), account.name, account.kind) == (text, name, kind)
    assert pickle.loads(pickle.dumps(account)) == account


def test_account_of_config_is_accepted_by_configure() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm:
        with scm.create("x", "x.exe", account=Account(r"nt authority\networkservice")) as service:
            account = service.config().account
            assert isinstance(account, Account)
            assert account.kind is AccountKind.NETWORK_SERVICE
            service.configure(account="LocalSystem")
            assert service.config().account == LOCAL_SYSTEM
            service.configure(account=account)
            assert service.config().account == account
            snapshot = service.snapshot()
    assert ServiceSnapshot.from_json(json.loads(json.dumps(snapshot.to_json()))) == snapshot


@pytest.mark.parametrize(
    "text",
    ["", "a\0b", "\\bob", "CORP\\", r"a\b\c", "@corp", "bob@", "S-1-5-21-1-2-3-1001", "\\"],
)
def test_account_with_invalid_name_raises_argument_error(text: str) -> None:
    with pytest.raises(ValidationError, match=r"^account: "):
        Account(text)


def test_account_from_non_string_raises_type_error() -> None:
    with pytest.raises(TypeError, match=r"^account: expected str"):
        Account(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, "", Secret("")])
def test_password_for_account_without_password_returns_empty_or_none(
    given: Secret | str | None,
) -> None:
    for account in (LOCAL_SYSTEM, LOCAL_SERVICE, NETWORK_SERVICE):
        assert password_for(account, given) == Secret("")
    for text in (r"NT SERVICE\MySvc", r"CORP\gmsa$"):
        assert password_for(Account(text), given) is None


def test_password_for_user_account_returns_given_password() -> None:
    bob = Account("bob")
    assert password_for(bob, "hunter2") == Secret("hunter2")
    assert password_for(bob, Secret("hunter2")) == Secret("hunter2")
    assert password_for(bob, "") == Secret("")
    assert password_for(bob, None) is None


@pytest.mark.parametrize("text", ["LocalSystem", "LocalService", r"NT SERVICE\x", r"CORP\gmsa$"])
@pytest.mark.parametrize("password", ["hunter2", Secret("hunter2")])
def test_password_for_account_that_takes_none_is_refused_and_hidden(
    text: str, password: Secret | str
) -> None:
    with pytest.raises(ValidationError, match=r"^password: .*has no password") as caught:
        password_for(Account(text), password)
    assert "hunter2" not in own_frames(caught.value)


@pytest.mark.parametrize("password", ["hunter2\0", Secret("hunter2\0")])
def test_password_with_nul_is_refused_and_hidden(password: Secret | str) -> None:
    with pytest.raises(ValidationError, match=r"^password: .*NUL") as caught:
        password_for(Account("bob"), password)
    assert "hunter2" not in own_frames(caught.value)


def own_frames(error: ValidationError) -> str:
    """Return the traceback of the error, with the local variables of the package's frames."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    own = [str(frame.locals) for frame in report.stack if frame.filename != __file__]
    assert own
    return f"{error} {error!r} {own}"


def test_secret_is_hidden_in_str_repr_and_format() -> None:
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r}",
        f"{[secret]}",
    ):
        assert "hunter2" not in text
        assert "*" in text
    assert not hasattr(secret, "__dict__")


def test_secret_refuses_pickle_json_and_bytes() -> None:
    secret = Secret("hunter2")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        json.dumps({"password": secret})
    with pytest.raises(TypeError, match="not bytes"):
        Secret(b"hunter2")  # type: ignore[arg-type]


def test_secret_compares_and_hashes_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a")
    assert not Secret("")
    assert copy.deepcopy([Secret("a")]) == [copy.copy(Secret("a"))]


def test_secret_in_dataclass_is_hidden_in_repr() -> None:
    @dataclasses.dataclass(frozen=True)
    class Spec:
        password: Secret

    spec = Spec(Secret("hunter2"))
    assert dataclasses.asdict(spec) == {"password": Secret("hunter2")}
    assert "hunter2" not in repr(spec)


INTERACTIVE = ServiceType.OWN_PROCESS | ServiceType.INTERACTIVE_PROCESS


@pytest.mark.parametrize("account", ["NetworkService", "LocalService", "bob", r"NT SERVICE\x"])
def test_check_interactive_refuses_other_accounts(account: str) -> None:
    with pytest.raises(ValidationError, match=r"^service_type: .*LocalSystem"):
        check_interactive(INTERACTIVE, Account(account))


@pytest.mark.parametrize(
    ("service_type", "account"),
    [(INTERACTIVE, r".\localsystem"), (ServiceType.OWN_PROCESS, "NetworkService")],
)
def test_create_with_service_type_that_account_permits_keeps_both(
    service_type: ServiceType, account: str
) -> None:
    check_interactive(service_type, Account(account))
    sim = SimulatedSCM()
    with ServiceManager(backend=sim) as scm:
        with scm.create("x", r"C:\x.exe", service_type=service_type, account=account):
            assert sim["x"].service_type == service_type
            assert sim["x"].account == Account(account).name
