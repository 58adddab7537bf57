"""Security identifiers, in text and in bytes."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winsvc.security.sids import InvalidSecurityError, Sid, service_sid

sids = st.builds(
    Sid,
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), max_size=15).map(tuple),
)

# Alias and SID, from [MS-DTYP] 2.4.2.4 and the SID strings of the Windows SDK.
ALIASES = {
    "AA": "S-1-5-32-579",
    "AC": "S-1-15-2-1",
    "AN": "S-1-5-7",
    "AO": "S-1-5-32-548",
    "AS": "S-1-18-1",
    "AU": "S-1-5-11",
    "BA": "S-1-5-32-544",
    "BG": "S-1-5-32-546",
    "BO": "S-1-5-32-551",
    "BU": "S-1-5-32-545",
    "CD": "S-1-5-32-574",
    "CG": "S-1-3-1",
    "CO": "S-1-3-0",
    "CY": "S-1-5-32-569",
    "ED": "S-1-5-9",
    "ER": "S-1-5-32-573",
    "ES": "S-1-5-32-576",
    "HA": "S-1-5-32-578",
    "HI": "S-1-16-12288",
    "HO": "S-1-5-32-584",
    "IS": "S-1-5-32-568",
    "IU": "S-1-5-4",
    "LS": "S-1-5-19",
    "LU": "S-1-5-32-559",
    "LW": "S-1-16-4096",
    "ME": "S-1-16-8192",
    "MP": "S-1-16-8448",
    "MS": "S-1-5-32-577",
    "MU": "S-1-5-32-558",
    "NO": "S-1-5-32-556",
    "NS": "S-1-5-20",
    "NU": "S-1-5-2",
    "OW": "S-1-3-4",
    "PO": "S-1-5-32-550",
    "PS": "S-1-5-10",
    "PU": "S-1-5-32-547",
    "RA": "S-1-5-32-575",
    "RC": "S-1-5-12",
    "RD": "S-1-5-32-555",
    "RE": "S-1-5-32-552",
    "RM": "S-1-5-32-580",
    "RU": "S-1-5-32-554",
    "SH": "S-1-5-32-585",
    "SI": "S-1-16-16384",
    "SO": "S-1-5-32-549",
    "SS": "S-1-18-2",
    "SU": "S-1-5-6",
    "SY": "S-1-5-18",
    "UD": "S-1-5-84-0-0-0-0-0",
    "WD": "S-1-1-0",
    "WR": "S-1-5-33",
}
DOMAIN_ALIASES = [
    *("AP", "CA", "CN", "DA", "DC", "DD", "DG", "DU"),
    *("EA", "EK", "KA", "LA", "LG", "PA", "RO", "RS", "SA"),
]


@pytest.mark.parametrize(("alias", "text"), ALIASES.items())
def test_parse_alias_returns_well_known_sid(alias: str, text: str) -> None:
    sid = Sid.parse(alias)
    assert str(sid) == text
    assert Sid.parse(text) == Sid.parse(alias.lower()) == sid
    assert sid.alias == alias
    assert sid.name


@pytest.mark.parametrize("alias", DOMAIN_ALIASES)
def test_parse_domain_alias_raises_with_reason(alias: str) -> None:
    with pytest.raises(InvalidSecurityError, match=rf"{alias} .*depends on the machine.*S-1-5-21-"):
        Sid.parse(alias)


def test_sid_bytes_match_windows_layout() -> None:
    administrators = bytes.fromhex("0102000000000005 20000000 20020000")
    assert Sid.from_bytes(administrators) == Sid(5, (32, 544))
    assert bytes(Sid.parse("BA")) == administrators
    assert Sid.from_bytes(memoryview(administrators)) == Sid.parse("BA")
    assert bytes(Sid.parse("S-1-0x123456789ABC-1")) == bytes.fromhex("0101123456789abc01000000")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("S-1-5", "S-1-5"),
        ("s-1-5-18", "S-1-5-18"),
        ("S-1-0x5-0x12", "S-1-5-18"),
        ("S-1-4294967295-1", "S-1-4294967295-1"),
        ("S-1-5000000000-30-40", "S-1-0x12A05F200-30-40"),
        ("S-1-21474836480-32-579", "S-1-0x500000000-32-579"),
        ("S-1-0x00012a05f200-1", "S-1-0x12A05F200-1"),
    ],
)
def test_sid_str_matches_windows_format(text: str, printed: str) -> None:
    assert str(Sid.parse(text)) == printed
    assert Sid.parse(printed) == Sid.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S",
        "S-1",
        "S-1-",
        "S-2-5-18",
        "S-1-5-",
        "S-1-5--18",
        "S-1-5-x",
        "S-1-5-18 ",
        " SY",
        "S-1-5-4294967296",
        "S-1-281474976710656-1",
        "S-1-5-" + "9" * 5000,
        "S-1-5" + "-1" * 16,
        "S-1-5-\u0661",
        "\xdf",
        "XX",
    ],
)
def test_parse_malformed_text_raises(text: str) -> None:
    with pytest.raises(InvalidSecurityError):
        Sid.parse(text)
    with pytest.raises(InvalidSecurityError):
        Sid.coerce(text)


@pytest.mark.parametrize(
    "data", ["", "01", "01010000000000", "0101000000000005", "0201000000000005 12000000",
             "0110000000000005" + "00" * 64, "0101000000000005 12000000 00"]
)  # fmt: skip
def test_from_bytes_malformed_data_raises(data: str) -> None:
    with pytest.raises(InvalidSecurityError):
        Sid.from_bytes(bytes.fromhex(data))


def test_sid_with_invalid_field_raises() -> None:
    with pytest.raises(InvalidSecurityError):
        Sid(2**48, ())
    with pytest.raises(InvalidSecurityError):
        Sid(5, (-1,))
    with pytest.raises(InvalidSecurityError):
        Sid(5, (1,) * 16)
    for authority, subs in (("5", ()), (5, [18]), (5, ("18",)), (5, None)):
        with pytest.raises(TypeError):
            Sid(authority, subs)  # type: ignore[arg-type]
    for wrong in (None, 5, 1.0):
        with pytest.raises(TypeError):
            Sid.coerce(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            Sid.parse(wrong)  # type: ignore[arg-type]


@given(sids)
def test_sid_round_trips_as_bytes_text_and_pickle(sid: Sid) -> None:
    assert Sid.from_bytes(sid.to_bytes()) == sid
    assert Sid.parse(str(sid)) == sid
    assert pickle.loads(pickle.dumps(sid)) == copy.deepcopy(sid) == sid


def is_sid(data: bytes) -> bool:
    """Return whether data has the form of [MS-DTYP] 2.4.2.2."""
    return len(data) >= 8 and data[0] == 1 and data[1] <= 15 and len(data) == 8 + 4 * data[1]


sid_like = st.builds(
    lambda revision, count, body: bytes([revision, count]) + body,
    st.integers(0, 2),
    st.integers(0, 16),
    st.integers(0, 17).flatmap(lambda n: st.binary(min_size=6 + 4 * n, max_size=7 + 4 * n)),
)


@given(sids.map(Sid.to_bytes))
@example(bytes.fromhex("0100000000000005"))
def test_bytes_of_valid_sid_round_trip(data: bytes) -> None:
    assert is_sid(data)
    assert Sid.from_bytes(data).to_bytes() == data


@given((st.binary(max_size=80) | sid_like).filter(lambda data: not is_sid(data)))
@example(bytes.fromhex("010f000000000005"))
@example(bytes.fromhex("0110000000000005") + bytes(64))
def test_bytes_of_invalid_sid_raise_invalid_security(data: bytes) -> None:
    with pytest.raises(InvalidSecurityError):
        Sid.from_bytes(data)


def test_coerce_accepts_sid_bytes_text_and_names() -> None:
    system = Sid(5, (18,))
    for value in (system, bytes(system), bytearray(bytes(system)), "S-1-5-18", "SY",
                  "NT AUTHORITY\\SYSTEM", "nt authority\\system"):  # fmt: skip
        assert Sid.coerce(value) == system
    assert Sid.coerce("everyone") == Sid.parse("WD")
    assert Sid.coerce("nt service\\Spooler") == service_sid("Spooler")
    assert Sid.coerce("NT SERVICE\\ALL SERVICES") == Sid(5, (80, 0))
    with pytest.raises(InvalidSecurityError, match="well-known"):
        Sid.coerce("CORP\\alice")


def test_sid_name_and_repr_show_well_known_name() -> None:
    assert Sid.parse("SY").name == "NT AUTHORITY\\SYSTEM"
    assert repr(Sid.parse("SY")) == "<Sid S-1-5-18 NT AUTHORITY\\SYSTEM>"
    stranger = Sid.parse("S-1-5-21-1-2-3-1001")
    assert stranger.name is None
    assert stranger.alias is None
    assert repr(stranger) == "<Sid S-1-5-21-1-2-3-1001>"
    assert service_sid("TrustedInstaller").name == "NT SERVICE\\TrustedInstaller"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "TrustedInstaller",
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        ),
        (
            "WdiServiceHost",
            "S-1-5-80-3139157870-2983391045-3678747466-658725712-1809340420",
        ),
        (
            "MSSQLSERVER",
            "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003",
        ),
    ],
)
def test_service_sid_matches_known_sids(name: str, text: str) -> None:
    assert str(service_sid(name)) == text
    assert service_sid(name.lower()) == service_sid(name.upper()) == Sid.parse(text)


@pytest.mark.parametrize(
    ("name", "other"),
    [("\xe9t\xe9", "\xc9T\xc9"), ("\xff", "\u0178"), ("\u1f80", "\u1f88"), ("\u03c3", "\u03a3")],
)
def test_service_sid_ignores_case(name: str, other: str) -> None:
    assert service_sid(name) == service_sid(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("\xdf", "SS"),  # one character stays one
        ("\u0131", "I"),
        ("\u017f", "S"),
        ("\xb5", "\u039c"),
        ("\u03c2", "\u03a3"),
        ("\U00010428", "\U00010400"),  # surrogates have no case
    ],
)
def test_service_sid_maps_case_no_further_than_windows(name: str, other: str) -> None:
    assert service_sid(name) != service_sid(other)


def test_service_sid_invalid_name_raises() -> None:
    assert service_sid("\ud800").sub_authorities[0] == 80  # Windows takes any UTF-16 units
    with pytest.raises(InvalidSecurityError):
        service_sid("")
    with pytest.raises(TypeError):
        service_sid(b"Spooler")  # type: ignore[arg-type]
