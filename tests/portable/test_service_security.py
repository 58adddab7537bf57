"""Reading and writing the security descriptor of a service on a scripted backend."""

from __future__ import annotations

import pytest
from recorder import Recorder, opened

from winsvc import ArgumentError, SecurityDescriptor, SecurityInformation, ServiceAccess

SDDL = "O:SYG:SYD:(A;;GA;;;SY)S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)"


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (SecurityInformation.DACL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.LABEL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.SACL, ServiceAccess.ACCESS_SYSTEM_SECURITY),
        (SecurityInformation.BACKUP, ServiceAccess.ACCESS_SYSTEM_SECURITY),
    ],
)
def test_reading_security_asks_for_its_right(
    parts: SecurityInformation, right: ServiceAccess
) -> None:
    recorder = Recorder(query_service_object_security=SecurityDescriptor.from_sddl(SDDL).to_bytes())
    with opened(recorder) as service:
        service.security(parts)
    asked = ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]
    assert right in asked
    system = ServiceAccess.ACCESS_SYSTEM_SECURITY
    assert (system in asked) == (right == system)


@pytest.mark.parametrize(
    ("parts", "right", "written"),
    [
        (SecurityInformation.DACL, ServiceAccess.WRITE_DAC, "D:(A;;GA;;;SY)"),
        (SecurityInformation.OWNER, ServiceAccess.WRITE_OWNER, "O:SY"),
        (SecurityInformation.LABEL, ServiceAccess.WRITE_OWNER, "S:(ML;;NW;;;HI)"),
        (
            SecurityInformation.SACL,
            ServiceAccess.ACCESS_SYSTEM_SECURITY,
            "S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)",
        ),
    ],
)
def test_writing_security_writes_what_is_named(
    parts: SecurityInformation, right: ServiceAccess, written: str
) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.set_security(SDDL, parts)
    asked = ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]
    writing = (
        ServiceAccess.WRITE_DAC | ServiceAccess.WRITE_OWNER | ServiceAccess.ACCESS_SYSTEM_SECURITY
    )
    assert asked & writing == right
    ((_, information, content),) = recorder.called("set_service_object_security")
    assert information == parts
    assert isinstance(content, bytes)
    assert SecurityDescriptor.from_bytes(content).to_sddl() == written


def test_configuring_security_leaves_the_owner_alone() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(security=SDDL)
        with pytest.raises(ArgumentError, match="has no DACL"):
            service.configure(security="O:SY")
        with pytest.raises(ArgumentError, match="has no SACL"):
            service.set_security("D:(A;;GA;;;SY)", SecurityInformation.SACL)
    assert [call[1] for call in recorder.called("set_service_object_security")] == [4]
