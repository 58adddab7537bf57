"""Security descriptors as text."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winsvc.enums import SecurityInformation, ServiceAccess
from winsvc.security import (
    NULL_ACL,
    Ace,
    AceFlags,
    AceType,
    Acl,
    ControlFlags,
    InvalidSddlError,
    InvalidSecurityError,
    SecurityDescriptor,
    Sid,
)

# As `sc sdshow` prints it for many services.
SERVICE = (
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
    "S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"
)
MANAGER = (
    "D:(A;;CC;;;AU)(A;;CCLCRPRC;;;IU)(A;;CCLCRPRC;;;SU)(A;;CCLCRPWPRC;;;SY)(A;;KA;;;BA)"
    "(A;;CC;;;AC)S:(AU;FA;KA;;;WD)(AU;OIIOFA;GA;;;WD)"
)
GUIDS = "f30e3bbe-9ff0-11d1-b603-0000f80367c1;bf967aa5-0de6-11d0-a285-00aa003049e2"


@pytest.mark.parametrize(
    "text",
    [
        SERVICE,
        "O:SYG:SY" + SERVICE,
        MANAGER,
        "",
        "O:BA",
        "D:",
        "D:P",
        "D:S:",
        "D:PS:",
        "O:S-1-2-512D:",
        "D:PARAI(A;;GA;;;SY)",
        "D:PNO_ACCESS_CONTROLS:PARAINO_ACCESS_CONTROL",
        "D:(A;;;;;BO)",
        "D:(A;;0x401200a0;;;BA)",
        "D:(A;;0x1200a9;;;AU)",
        "D:(A;;FA;;;WD)(A;;FR;;;WD)(A;;FW;;;WD)(A;;FX;;;WD)(A;;KR;;;WD)(A;;KW;;;WD)",
        "D:(A;;SDRCWDWOGAGXGWGR;;;WD)",
        "D:(D;OICINPIOID;GA;;;S-1-3-4294967295-3-4)",
        f"S:(OU;CIIDSA;WP;{GUIDS};WD)",
        f"D:(OA;;CR;{GUIDS[:36]};;ED)(OD;;CR;;{GUIDS[37:]};ED)",
        "S:(AL;SAFA;GA;;;WD)(AU;CRSA;CR;;;WD)",
        "S:(ML;;NW;;;HI)",
        "S:(ML;CI;NWNRNX;;;LW)",
        "S:(ML;;0x8;;;LW)",
        "S:(SP;;;;;S-1-17-1)(TL;;LC;;;S-1-19-512-4096)",
    ],
)
def test_sddl_canonical_text_round_trips(text: str) -> None:
    descriptor = SecurityDescriptor.from_sddl(text)
    assert descriptor.to_sddl() == text
    assert SecurityDescriptor.from_bytes(descriptor.to_bytes()) == descriptor


# Texts and their spelling by ConvertSecurityDescriptorToStringSecurityDescriptor.
@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("D:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)"),
        ("D:(A;;RPLCLORC;;;AU)", "D:(A;;LCRPLORC;;;AU)"),
        ("S:(AU;SA;WDWOWP;;;WD)", "S:(AU;SA;WPWDWO;;;WD)"),
        ("S:D:P", "D:PS:"),
        ("D:(A;;123456789;;;WD)", "D:(A;;0x75bcd15;;;WD)"),
        ("D:(A;;01234567;;;WD)", "D:(A;;0x53977;;;WD)"),
        ("D:(A;;16;;;WD)", "D:(A;;RP;;;WD)"),
        ("D:(A;;17;;;WD)", "D:(A;;CCRP;;;WD)"),
        ("D:(A;;0;;;WD)", "D:(A;;;;;WD)"),
        ("D:(A;;0XFF;;;WD)", "D:(A;;CCDCLCSWRPWPDTLO;;;WD)"),
        ("D:(A;;0xf01ff;;;WD)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"),
        ("D:(A;;0xe00f0000;;;WD)", "D:(A;;SDRCWDWOGXGWGR;;;WD)"),
        ("D:(A;;0x001f01ff;;;WD)", "D:(A;;FA;;;WD)"),
        ("D:(A;;FAGX;;;SY)", "D:(A;;0x201f01ff;;;SY)"),
        ("D:(A;;KX;;;SY)", "D:(A;;KR;;;SY)"),
        ("D:(A;;CCDCLCSWRPWPSDRCWDWO;;;BA)", "D:(A;;KA;;;BA)"),
        ("D:ARPAI(A;;GA;;;SY)", "D:PARAI(A;;GA;;;SY)"),
        ("D:PPPP(A;;GA;;;SY)", "D:P(A;;GA;;;SY)"),
        ("D:(A;;CC;;;S-1-21474836480-32-579)", "D:(A;;CC;;;S-1-0x500000000-32-579)"),
        ("D:(A;;GA;;;S-1-3-0x2-3-4)", "D:(A;;GA;;;S-1-3-2-3-4)"),
        ("D:(A;;GA;;;S-1-5-32-544)", "D:(A;;GA;;;BA)"),
        ("O:S-1-2-0x200D:", "O:S-1-2-512D:"),
        ("O:S-1-2-0x2D:(A;;GA;;;WD)", "O:S-1-2-2D:(A;;GA;;;WD)"),
        ("S:(ML;;NRNWNX;;;LW)", "S:(ML;;NWNRNX;;;LW)"),
        (f"S:(OU;SACI;WP;{GUIDS.upper()};WD)", f"S:(OU;CISA;WP;{GUIDS};WD)"),
        ("D:(OA;;GA;;;WD)", "D:(A;;GA;;;WD)"),
        ("D:(a;oi;ga;;;sy)", "D:(A;OI;GA;;;SY)"),
        ("G:SYO:BA", "O:BAG:SY"),
        (" O:AA G:WD ", "O:AAG:WD"),
        ("D: AI (A; ;GA;; ; SY )\n (D;;GX;;;AN)", "D:AI(A;;GA;;;SY)(D;;GX;;;AN)"),
    ],
)
def test_to_sddl_spells_text_as_windows_does(text: str, spelled: str) -> None:
    assert SecurityDescriptor.from_sddl(text).to_sddl() == spelled


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("SY", 0),
        ("Z:(A;;GA;;;SY)", 0),
        ("d:(A;;GA;;;SY)", 0),
        (":", 0),
        ("O::", 1),
        ("D:P:S:", 2),
        ("D :S:", 1),
        ("D:D:", 2),
        ("x D:", 0),
        ("O:", 2),
        ("O:XX", 2),
        ("O:S", 2),
        ("O:S-1", 2),
        ("O:S-1-", 2),
        ("O:SY(A;;GA;;;SY)", 2),
        ("O:DAD:", 2),
        ("D:X", 2),
        ("D:PX(A;;GA;;;SY)", 3),
        ("D:(A;;GA;;;SY)X", 14),
        ("D:(A;;GA;;;SY)X(A;;GA;;;SY)", 14),
        ("D:NO_ACCESS_CONTROL(A;;GA;;;SY)", 19),
        ("D:(A;;GA;;;SY", 2),
        ("D:(A;;GA;;;SY))", 14),
        ("D:((A;;GA;;;SY))", 3),
        ("D:(A;;GA;;)", 3),
        ("D:(A;;GA;;;;SY)", 3),
        ("D:()", 3),
        ("D:(Antlers;;GA;;;SY)", 3),
        ("D:(AU;SA;CR;;;BA)", 3),
        ("S:(A;;GA;;;SY)", 3),
        ("D:(A;X;GA;;;SY)", 5),
        ("D:(A;OIXX;GA;;;SY)", 7),
        ("D:(A;;GA ;;;XX)", 12),
        ("D:(A;;CCZZ;;;SY)", 8),
        ("D:(A;;RP LC;;;SY)", 8),
        ("D:(A;;CCD;;;SY)", 8),
        ("D:(A;;-1;;;SY)", 6),
        ("D:(A;;089;;;SY)", 6),
        ("D:(A;;0x;;;SY)", 6),
        ("D:(A;;0x123456789;;;SY)", 6),
        ("D:(A;;4294967296;;;SY)", 6),
        ("D:(A;;" + "9" * 5000 + ";;;SY)", 6),
        ("D:(A;;GA;;;LG)", 11),
        ("D:(A;;GA;;;)", 11),
        (f"D:(A;;GA;{GUIDS};WD)", 9),
        ("D:(OA;;GA;0123;;WD)", 10),
        ("D:(OA;;GA;;{f30e3bbe-9ff0-11d1-b603-0000f80367c1};WD)", 11),
        ("D:(A;;\u017fD;;;SY)", 6),
        ('D:(XA;;GA;;;WD;(@User.Title=="a)b;c"))', 3),
        ('S:(RA;;;;;WD;("Secrecy",TU,0,3))', 3),
    ],
)
def test_from_sddl_malformed_text_raises_with_position(text: str, position: int) -> None:
    with pytest.raises(InvalidSddlError) as caught:
        SecurityDescriptor.from_sddl(text)
    error = caught.value
    assert error.position == position
    assert error.sddl == text
    assert error.problem in str(error)
    assert repr(text) in str(error)
    assert isinstance(error, ValueError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.position) == (str(error), position)


def test_from_sddl_with_bytes_raises_type_error() -> None:
    with pytest.raises(TypeError):
        SecurityDescriptor.from_sddl(b"D:")  # type: ignore[arg-type]


def test_from_sddl_builds_equivalent_descriptor() -> None:
    descriptor = SecurityDescriptor.from_sddl("O:BAG:SYD:PAI(A;OI;CCRP;;;IU)S:AR(AU;FA;SD;;;WD)")
    assert descriptor == SecurityDescriptor(
        owner=Sid.parse("BA"),
        group=Sid.parse("SY"),
        dacl=Acl(
            (
                Ace(
                    type=AceType.ALLOWED,
                    access=ServiceAccess.QUERY_CONFIG | ServiceAccess.START,
                    trustee=Sid.parse("IU"),
                    flags=AceFlags.OBJECT_INHERIT,
                ),
            )
        ),
        sacl=Acl((Ace.audit("WD", ServiceAccess.DELETE),)),
        control=ControlFlags.DACL_PROTECTED
        | ControlFlags.DACL_AUTO_INHERITED
        | ControlFlags.SACL_AUTO_INHERIT_REQ,
    )


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("CC", ServiceAccess.QUERY_CONFIG),
        ("DC", ServiceAccess.CHANGE_CONFIG),
        ("LC", ServiceAccess.QUERY_STATUS),
        ("SW", ServiceAccess.ENUMERATE_DEPENDENTS),
        ("RP", ServiceAccess.START),
        ("WP", ServiceAccess.STOP),
        ("DT", ServiceAccess.PAUSE_CONTINUE),
        ("LO", ServiceAccess.INTERROGATE),
        ("CR", ServiceAccess.USER_DEFINED_CONTROL),
        ("SD", ServiceAccess.DELETE),
        ("RC", ServiceAccess.READ_CONTROL),
        ("WD", ServiceAccess.WRITE_DAC),
        ("WO", ServiceAccess.WRITE_OWNER),
        ("GA", ServiceAccess.GENERIC_ALL),
        ("GX", ServiceAccess.GENERIC_EXECUTE),
        ("GW", ServiceAccess.GENERIC_WRITE),
        ("GR", ServiceAccess.GENERIC_READ),
    ],
)
def test_sddl_right_code_maps_to_service_access(code: str, right: ServiceAccess) -> None:
    descriptor = SecurityDescriptor(dacl=Acl((Ace.allow("SY", right),)))
    assert descriptor.to_sddl() == f"D:(A;;{code};;;SY)"
    assert SecurityDescriptor.from_sddl(f"D:(A;;{code};;;SY)") == descriptor


def test_to_sddl_with_parts_writes_only_those_parts() -> None:
    text = "O:SYG:BAD:P(A;;GA;;;SY)S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)(SP;;;;;S-1-17-1)"
    descriptor = SecurityDescriptor.from_sddl(text)
    part = SecurityInformation
    assert descriptor.to_sddl(part.OWNER) == "O:SY"
    assert descriptor.to_sddl(part.GROUP | part.DACL) == "G:BAD:P(A;;GA;;;SY)"
    assert descriptor.to_sddl(part.SACL) == text[text.index("S:(") :]
    assert descriptor.to_sddl(part.LABEL) == "S:(ML;;NW;;;HI)"
    assert descriptor.to_sddl(part.SCOPE | part.LABEL) == "S:(ML;;NW;;;HI)(SP;;;;;S-1-17-1)"
    assert descriptor.to_sddl(part.ATTRIBUTE) == ""
    assert descriptor.to_sddl(part.BACKUP) == text
    assert descriptor.to_sddl(part(0)) == ""
    assert SecurityDescriptor(sacl=NULL_ACL).to_sddl(part.LABEL) == ""


SYSTEM = Sid.parse("SY")


@pytest.mark.parametrize(
    "ace",
    [
        Ace(type=AceType.ALLOWED_CALLBACK, trustee=SYSTEM, data=b"artx"),
        Ace(type=AceType.RESOURCE_ATTRIBUTE, trustee=SYSTEM, data=bytes(16)),
        Ace(type=AceType(0x77), data=b"body"),
        Ace(type=AceType.ALLOWED, trustee=SYSTEM, data=b"tail"),
        Ace(type=AceType.ALLOWED_OBJECT, trustee=SYSTEM, object_data=b"\4\0\0\0"),
    ],
)
def test_to_sddl_entry_without_spelling_raises(ace: Ace) -> None:
    descriptor = SecurityDescriptor(dacl=Acl((ace,)))
    with pytest.raises(InvalidSecurityError, match="SDDL"):
        descriptor.to_sddl()
    assert descriptor.describe()


def test_from_sddl_arbitrary_text_raises_or_round_trips() -> None:
    outcomes: Counter[bool] = Counter()

    @given(st.text(alphabet=' ()":;0123456789xABCDEFGILMNOPRSTUWXY-_\u017f', max_size=60))
    @example("SY")
    @example("A;;GA;;;SY")
    @example("OICI")
    @example("NW")
    @example("D:(")
    def check(text: str) -> None:
        attempts = (text, f"D:({text})", f"O:{text}", f"D:(A;{text};;;SY)", f"S:(ML;;{text};;;HI)")
        for attempt in attempts:
            try:
                descriptor = SecurityDescriptor.from_sddl(attempt)
            except InvalidSddlError:
                outcomes[False] += 1
            else:
                outcomes[True] += 1
                assert SecurityDescriptor.from_sddl(descriptor.to_sddl()) == descriptor

    check()
    # Each example but the last is a valid text in one of the attempts.
    assert outcomes[True] >= 4
    assert outcomes[False] >= 5


_SPELLED_TYPES = {
    "dacl": [AceType.ALLOWED, AceType.DENIED],
    "sacl": [AceType.AUDIT, AceType.ALARM, AceType.MANDATORY_LABEL, AceType.PROCESS_TRUST_LABEL],
}


def _acls(which: str) -> st.SearchStrategy[Acl]:
    ace = st.builds(
        Ace,
        type=st.sampled_from(_SPELLED_TYPES[which]),
        access=st.integers(0, 2**32 - 1).map(ServiceAccess),
        flags=st.integers(0, 255).map(AceFlags),
        trustee=st.builds(
            Sid,
            st.integers(0, 2**48 - 1),
            st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15).map(tuple),
        ),
    )
    return st.lists(ace, max_size=4).map(lambda aces: Acl(tuple(aces)))


@given(dacl=_acls("dacl"), sacl=_acls("sacl"), control=st.integers(0, 0x3F).map(lambda n: n << 8))
def test_sddl_of_generated_descriptor_round_trips(dacl: Acl, sacl: Acl, control: int) -> None:
    descriptor = SecurityDescriptor(dacl=dacl, sacl=sacl, control=ControlFlags(control))
    assert SecurityDescriptor.from_sddl(descriptor.to_sddl()) == descriptor
