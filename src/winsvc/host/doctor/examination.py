"""Examine an installed service: its settings, its command line, and then its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from winsvc._scm.manager import ServiceManager
from winsvc._scm.service import Service
from winsvc._util.text import same_name
from winsvc._values.commandline import is_unquoted_and_ambiguous, split
from winsvc._values.config import ServiceConfig
from winsvc.enums import ErrorCode, ServiceType, StartType, State
from winsvc.errors import ServiceNotFoundError, ValidationError, Win32Error
from winsvc.host._bootstrap import Options
from winsvc.host.doctor.file_checks import FileChecks
from winsvc.host.doctor.findings import Finding, Severity
from winsvc.host.doctor.program_checks import check_program, check_python
from winsvc.host.eventlog import source_problem
from winsvc.host.launch_command import options_of

__all__ = ["examine"]


def examine(scm: ServiceManager, name: str, *, hosted: bool = False) -> list[Finding]:
    """Look at an installed service, without starting it.

    Its files are looked at on this machine only, and its interpreter is started to see whether it
    finds the program; the program itself does not run.

    Args:
        scm: the service manager.
        name: the service's key name.
        hosted: whether it is known to be one of :mod:`winsvc.host`; its command line shows this,
            unless its program is frozen.

    Raises:
        InvalidNameError: no service can have this name.
        MachineUnreachableError: the service manager does not answer.

    Right: ``ServiceAccess.QUERY_CONFIG``, ``QUERY_STATUS``; a part that cannot be read is unknown.
    """
    try:
        with scm.open(name) as service:
            try:
                config = service.config()
            except Win32Error as error:
                return [Finding(Severity.UNKNOWN, "settings", str(error))]
            return list(_Examination(scm, service, config, hosted).findings())
    except ServiceNotFoundError as error:
        return [Finding(Severity.ERROR, "service", f"{error}")]


class _Examination:
    """The examination of a service."""

    def __init__(
        self, scm: ServiceManager, service: Service, config: ServiceConfig, hosted: bool
    ) -> None:
        self._hosted = hosted
        self._scm = scm
        self._service = service
        self._config = config
        self._capabilities = scm.backend.capabilities(scm.machine)
        files = self._capabilities.files
        self._file_checks = None if files is None else FileChecks(files, service, config.account)

    def findings(self) -> Iterator[Finding]:
        yield from self._settings()
        yield from self._last_end()
        line = self._config.binary_path
        try:
            command = split(os.path.expandvars(line) if self._file_checks is not None else line)
        except ValidationError as error:
            yield Finding(Severity.ERROR, "command line", str(error))
            return
        if not command or not command[0]:
            yield Finding(Severity.ERROR, "command line", "it is empty")
            return
        yield from self._command_line(line)
        found = options_of(command)
        options = None if found is None else found[1]
        if options is not None:
            yield from self._names(options)
        if options is not None or self._hosted:
            yield from self._event_source()
        if self._file_checks is None:
            yield Finding(
                Severity.UNKNOWN, "files", "not checked: the files are on another machine"
            )
            return
        yield from check_program(self._file_checks, command[0])
        if found is not None:
            yield from check_python(self._file_checks, *found)

    # ------------------------------------------------------------------- the service

    def _settings(self) -> Iterator[Finding]:
        kind = self._config.service_type
        if not kind & ServiceType.WIN32:
            yield Finding(
                Severity.ERROR,
                "type",
                "it is a driver type; a program needs OWN_PROCESS or SHARE_PROCESS",
            )
        if self._config.start_type == StartType.DISABLED:
            yield Finding(
                Severity.ERROR,
                "start type",
                "the service is disabled; change its start type to start it",
            )
        else:
            yield Finding(Severity.OK, "start type", self._config.start_type.name.lower())

    def _last_end(self) -> Iterator[Finding]:
        try:
            status = self._service.status()
        except Win32Error as error:
            yield Finding(Severity.UNKNOWN, "state", str(error))
            return
        code = status.exit_code
        if status.state is State.STOPPED and code not in (0, ErrorCode.SERVICE_NEVER_STARTED):
            own = (
                f" (service-specific: {status.service_exit_code})"
                if status.service_exit_code
                else ""
            )
            text = (
                f"the service stopped with exit code {code}{own}; see the event log and "
                "its log file"
            )
            yield Finding(Severity.WARNING, "last run", text)

    def _command_line(self, line: str) -> Iterator[Finding]:
        if is_unquoted_and_ambiguous(line):
            yield Finding(
                Severity.ERROR,
                "command line",
                f"the path of the program contains a space and is not quoted, so Windows may "
                f"start another program: {line}",
            )
        elif re.search(r"%[^%]+%", line):
            yield Finding(
                Severity.WARNING,
                "command line",
                f"the system expands text between two percent signs as a variable: {line}",
            )
        else:
            yield Finding(Severity.OK, "command line", line)

    def _names(self, options: Options) -> Iterator[Finding]:
        several = len(options.services) > 1
        shared = bool(self._config.service_type & ServiceType.SHARE_PROCESS)
        if several and not shared:
            yield Finding(
                Severity.ERROR,
                "type",
                f"the process contains several services ({', '.join(options.services)}), but the "
                "type is OWN_PROCESS; install the service again",
            )
        name = self._service.name
        known = any(same_name(name, service) for service in options.services)
        # The only service of an unshared process may have any name.
        if not known and (several or shared):
            yield Finding(
                Severity.ERROR,
                "command line",
                f"the process contains {', '.join(options.services)}, not {name!r}; install the "
                "service again" + ("" if several else ", or change its type to OWN_PROCESS"),
            )

    def _event_source(self) -> Iterator[Finding]:
        if self._scm.machine is not None:
            return
        name = self._service.name
        try:
            problem = source_problem(name, backend=self._capabilities.event_sources)
        except (Win32Error, ValidationError) as error:
            yield Finding(Severity.UNKNOWN, "event source", str(error))
            return
        yield Finding(
            Severity.WARNING if problem else Severity.OK, "event source", problem or "registered"
        )
