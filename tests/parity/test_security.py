"""pywin32 and winsvc accept each other's security descriptors."""

from __future__ import annotations

import pywintypes
import win32security
import win32service
from differences import on_wine

from winsvc import SecurityDescriptor, SecurityInformation, Service, ServiceAccess, ServiceManager

SDDL = "O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSW;;;IU)"


def test_pywin32_descriptor_is_accepted(installed: Service) -> None:
    theirs = pywintypes.SECURITY_DESCRIPTOR(SecurityDescriptor.from_sddl(SDDL).to_bytes())
    assert SecurityDescriptor.coerce(theirs).to_sddl() == SDDL
    before = installed.security()
    installed.configure(security=theirs)
    after = installed.security()
    if on_wine():  # it drops what is written
        assert after == before
    else:
        assert after.to_sddl() == SDDL


def test_pywin32_reads_winsvc_descriptor() -> None:
    ours = SecurityDescriptor.from_sddl(SDDL)
    theirs = pywintypes.SECURITY_DESCRIPTOR(ours.to_bytes())
    assert theirs.IsValid()
    dacl = theirs.GetSecurityDescriptorDacl()
    masks = [dacl.GetAce(index)[1] for index in range(dacl.GetAceCount())]
    assert masks == [int(ace.access) for ace in ours.dacl or ()]  # type: ignore[union-attr]
    sid = win32security.ConvertSidToStringSid(theirs.GetSecurityDescriptorOwner())
    assert sid == str(ours.owner)


def test_service_descriptor_equals_pywin32(scm: ServiceManager) -> None:
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    handle = win32service.OpenService(manager, "Eventlog", ServiceAccess.READ_CONTROL)
    theirs = win32service.QueryServiceObjectSecurity(handle, SecurityInformation.DACL)
    with scm.open("Eventlog") as service:
        ours = service.security(SecurityInformation.DACL)
    assert SecurityDescriptor.coerce(theirs) == ours
