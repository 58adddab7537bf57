"""Reading and writing the security descriptor of a service on a scripted backend."""

from __future__ import annotations

import pytest
from recorder import Recorder, opened

from winsvc import SecurityDescriptor, SecurityInformation, ServiceAccess, ValidationError

READ = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
READ_SACL = ServiceAccess.READ_CONTROL | ServiceAccess.ACCESS_SYSTEM_SECURITY
SDDL = "O:SYG:SYD:(A;;GA;;;SY)S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)"


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (SecurityInformation.DACL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.LABEL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.SACL, READ_SACL),
        (SecurityInformation.BACKUP, READ_SACL),
    ],
)
def test_security_read_requests_needed_right(
    parts: SecurityInformation, right: ServiceAccess
) -> None:
    recorder = Recorder(query_service_object_security=SecurityDescriptor.from_sddl(SDDL).to_bytes())
    with opened(recorder) as service:
        service.security(parts)
    assert recorder.called("open_service")[-1].access == READ | right
    (call,) = recorder.called("query_service_object_security")
    assert call.information == parts


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
def test_set_security_writes_only_named_parts(
    parts: SecurityInformation, right: ServiceAccess, written: str
) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.set_security(SDDL, parts)
    assert recorder.called("open_service")[-1].access == READ | right
    (call,) = recorder.called("set_service_object_security")
    assert call.information == parts
    assert SecurityDescriptor.from_bytes(call.descriptor).to_sddl() == written


def test_configure_security_writes_only_dacl() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(security=SDDL)
    (call,) = recorder.called("set_service_object_security")
    assert call.information == SecurityInformation.DACL
    assert SecurityDescriptor.from_bytes(call.descriptor).to_sddl() == "D:(A;;GA;;;SY)"


def test_missing_security_part_raises_argument_error() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(ValidationError, match="has no DACL"):
            service.configure(security="O:SY")
        with pytest.raises(ValidationError, match="has no SACL"):
            service.set_security("D:(A;;GA;;;SY)", SecurityInformation.SACL)
    assert not recorder.called("set_service_object_security")


def test_security_argument_of_wrong_type_raises_type_error() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(TypeError, match=r"^parts: "):
            service.security("DACL")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="SecurityDescriptor"):
            service.set_security(5)  # type: ignore[arg-type]
    assert not recorder.called("query_service_object_security", "set_service_object_security")
