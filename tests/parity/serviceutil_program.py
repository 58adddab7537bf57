"""A service on pywin32's ``win32serviceutil``, and a program that performs all operations on it.

``drive NAME MODULE`` prints the result of each step as JSON; the SCM starts ``host NAME MODULE``.
The module is "dropin" or "pywin32".
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any

ACTION, NAME, DROPIN = sys.argv[1], sys.argv[2], sys.argv[3] == "dropin"

if ACTION == "host":
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # a service has none
if DROPIN:
    import winsvc.win32service

    winsvc.win32service.install()

import servicemanager  # noqa: E402
import win32event  # noqa: E402
import win32service  # noqa: E402
import win32serviceutil  # noqa: E402


class Hosted(win32serviceutil.ServiceFramework):  # type: ignore[misc]
    """Waits for STOP; pauses and continues."""

    _svc_name_ = NAME
    _svc_display_name_ = f"{NAME} hosted"
    _svc_description_ = "hosted by pywin32"
    _svc_deps_ = ("RpcSs",)
    _exe_name_ = sys.executable
    _exe_args_ = f'"{os.path.abspath(__file__)}" host {NAME} {sys.argv[3]}'

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.stopping = win32event.CreateEvent(None, False, False, None)

    def SvcStop(self) -> None:
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING)
        win32event.SetEvent(self.stopping)

    def SvcPause(self) -> None:
        self.ReportServiceStatus(win32service.SERVICE_PAUSED)

    def SvcContinue(self) -> None:
        self.ReportServiceStatus(win32service.SERVICE_RUNNING)

    def SvcDoRun(self) -> None:
        win32event.WaitForSingleObject(self.stopping, win32event.INFINITE)


def host() -> None:
    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(Hosted)
    servicemanager.StartServiceCtrlDispatcher()


def until_deleted() -> None:
    """Wait until a deleted service is removed, after its process has ended."""
    deadline = time.monotonic() + 20
    with contextlib.suppress(win32service.error):
        while time.monotonic() < deadline:
            win32serviceutil.QueryServiceStatus(NAME)


def drive() -> list[object]:
    """Return the result, the output or the exception of every step."""
    steps: list[object] = []

    def step(what: str, do: Callable[[], object]) -> None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                given: object = do()
            except win32service.error as failed:
                given = ["error", list(failed.args)]
            except (RuntimeError, TypeError, SystemExit) as failed:
                given = [type(failed).__name__, str(failed)]
        output = re.sub(r"^.*[\\/]", "", printed.getvalue(), flags=re.MULTILINE)
        steps.append([what, given, output])

    u, w = win32serviceutil, win32service
    program = os.environ["WINSVC_TEST_SERVICE"]
    other = f"{NAME}-other"
    install: dict[str, Any] = {"exeName": program, "startType": w.SERVICE_DEMAND_START}
    try:
        # With the test program as the service.
        step("install", lambda: u.InstallService("m.C", NAME, "shown", description="d", **install))
        step("install again", lambda: u.InstallService("m.C", NAME, "shown", **install))
        step("status", lambda: u.QueryServiceStatus(NAME))
        step("status by display name", lambda: u.QueryServiceStatus("shown"))
        step("change", lambda: u.ChangeServiceConfig("m.C", NAME, displayName="other", **install))
        step("config", lambda: config(NAME))
        step("option", lambda: u.SetServiceCustomOption(NAME, "speed", 7))
        step("option of text", lambda: u.SetServiceCustomOption(NAME, "way", "up"))
        step("read option", lambda: u.GetServiceCustomOption(NAME, "speed"))
        step("read no option", lambda: u.GetServiceCustomOption(NAME, "none", "default"))
        step("start", lambda: u.StartService(NAME, ["a", "b"]))
        step("wait", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_RUNNING, 20))
        step("start again", lambda: u.StartService(NAME))
        step("restart", lambda: u.RestartService(NAME, None, 20))
        step("wait again", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_RUNNING, 20))
        step("pause", lambda: u.ControlService(NAME, w.SERVICE_CONTROL_PAUSE))
        step("wait in vain", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_STOPPED, 1))
        step("continue", lambda: u.ControlService(NAME, w.SERVICE_CONTROL_CONTINUE))
        step(
            "install a dependent",
            lambda: u.InstallService("m.C", other, "dep", serviceDeps=[NAME], **install),
        )
        step("start the dependent", lambda: u.StartService(other))
        step("stop both", lambda: u.StopServiceWithDeps(NAME, waitSecs=20))
        step("the dependent is stopped", lambda: u.QueryServiceStatus(other)[1])
        step("stopped", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_STOPPED, 20))
        step("stop a stopped one", lambda: u.StopService(NAME))
        step("remove the dependent", lambda: u.RemoveService(other))
        step("remove", lambda: u.RemoveService(NAME))
        until_deleted()
        step("remove again", lambda: u.RemoveService(NAME))
        step("status of none", lambda: u.QueryServiceStatus(NAME))

        # With a service in Python, through its command line.
        step("hosted: install", lambda: command("install"))
        step("hosted: update", lambda: command("--startup", "manual", "update"))
        step("hosted: config", lambda: config(NAME))
        step("hosted: start", lambda: command("--wait", "20", "start", "one", "two"))
        step("hosted: status", lambda: u.QueryServiceStatus(NAME))
        step("hosted: pause", lambda: u.ControlService(NAME, w.SERVICE_CONTROL_PAUSE))
        step("hosted: paused", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_PAUSED, 20))
        step("hosted: continue", lambda: u.ControlService(NAME, w.SERVICE_CONTROL_CONTINUE))
        step("hosted: continues", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_RUNNING, 20))
        step("hosted: restart", lambda: command("--wait", "20", "restart"))
        step("hosted: runs", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_RUNNING, 20))
        step("hosted: stop", lambda: command("stop"))
        step("hosted: stopped", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_STOPPED, 20))
        step("hosted: start only", lambda: command("start"))
        step("hosted: runs again", lambda: u.WaitForServiceStatus(NAME, w.SERVICE_RUNNING, 20))
        step("hosted: start a running one", lambda: command("start"))
        step("hosted: wait for the stop", lambda: command("--wait", "20", "stop"))
        step("hosted: is stopped", lambda: u.QueryServiceStatus(NAME))
        step("hosted: remove", lambda: command("remove"))
        until_deleted()
        step("hosted: remove again", lambda: command("remove"))
        step("no command", lambda: command("nonsense"))
    finally:
        for name in (NAME, other):
            with contextlib.suppress(w.error):
                u.StopService(name)
            with contextlib.suppress(w.error):
                u.RemoveService(name)
    return steps


def command(*arguments: str) -> object:
    return win32serviceutil.HandleCommandLine(Hosted, argv=["x", *arguments])


def config(name: str) -> object:
    w = win32service
    manager = w.OpenSCManager(None, None, w.SC_MANAGER_CONNECT)
    service = w.OpenService(manager, name, w.SERVICE_QUERY_CONFIG)
    found = [w.QueryServiceConfig(service), w.QueryServiceConfig2(service, 1)]
    w.CloseServiceHandle(service)
    w.CloseServiceHandle(manager)
    return found


if ACTION == "host":
    host()
else:
    report = {
        "win32service": win32serviceutil.win32service.__name__,
        "win32serviceutil": win32serviceutil.__file__,
        "steps": drive(),
    }
    print(json.dumps(report))
