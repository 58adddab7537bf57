"""What may keep an installed service from starting, found before it is started.

Meant for services that :mod:`winsvc.host` runs; what makes sense for any is looked at for any.
"""

from __future__ import annotations

import glob
import ntpath
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from winsvc._scm.manager import ServiceManager
from winsvc._scm.service import Service
from winsvc._util.text import same_name
from winsvc._values.account import Account, AccountKind
from winsvc._values.commandline import is_unquoted_and_ambiguous, split
from winsvc._values.config import ServiceConfig
from winsvc.backend import FileBackend
from winsvc.enums import ErrorCode, SecurityInformation, ServiceType, SidType, StartType, State
from winsvc.errors import ArgumentError, ServiceError, ServiceNotFoundError, UnsupportedError
from winsvc.host._bootstrap import Options
from winsvc.host.eventlog import source_problem
from winsvc.host.filerights import (
    CHANGE_FILE,
    CHANGE_FOLDER,
    EVERY_USER,
    READ,
    READ_EXECUTE,
    WRITE,
    any_granted,
    granted,
    sid_of,
)
from winsvc.host.launch_command import options_of
from winsvc.host.logfile import folder_problem, in_default_folder
from winsvc.security import (
    NULL_ACL,
    Acl,
    InvalidSecurityError,
    SecurityDescriptor,
    Sid,
    service_sid,
)
from winsvc.security.aces import AclLike

__all__ = ["Finding", "Severity", "describe", "examine"]

CHECK_TIMEOUT: Final = 60.0  # seconds for the interpreter to look for the program


class Severity(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It may fail, or is not as it should be."""
    ERROR = "error"
    """It can't start like that."""
    UNKNOWN = "unknown"
    """That could not be found out here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: how bad it is.
        topic: what was looked at, in a word or two.
        text: what was found, and what to do about it.
    """

    severity: Severity
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.severity.value:8} {self.topic}: {self.text}"

    def to_json(self) -> dict[str, str]:
        """For :func:`json.dumps`."""
        return {"severity": self.severity.value, "topic": self.topic, "text": self.text}


def describe(name: str, findings: Sequence[Finding]) -> str:
    """Several lines for people: what is wrong, or that nothing is."""
    told = [one for one in findings if one.severity is not Severity.OK]
    good = [one.topic for one in findings if one.severity is Severity.OK]
    lines = [f"{name}: nothing found that keeps it from starting"]
    if any(one.severity is Severity.ERROR for one in told):
        lines = [f"{name}: it can't start like this"]
    lines += [f"  {one}" for one in told]
    if good:
        lines.append(f"  ok       {', '.join(dict.fromkeys(good))}")
    return "\n".join(lines)


def examine(scm: ServiceManager, name: str, *, hosted: bool = False) -> list[Finding]:
    """Look at an installed service, without starting it.

    Its files are looked at on this machine only, and its interpreter is started to see whether it
    finds the program; the program itself does not run.

    Args:
        scm: the service manager.
        name: the service's key name.
        hosted: whether it is known to be one of :mod:`winsvc.host`; its command line tells so by
            itself, unless its program is frozen.

    Raises:
        InvalidNameError: no service can have this name.
        MachineUnreachableError: the service manager does not answer.

    Right: ``ServiceAccess.QUERY_CONFIG``, ``QUERY_STATUS``; what can't be read is unknown.
    """
    try:
        with scm.open(name) as service:
            try:
                config = service.config()
            except ServiceError as error:
                return [Finding(Severity.UNKNOWN, "settings", str(error))]
            return list(_Examination(scm, service, config, hosted).findings())
    except ServiceNotFoundError as error:
        return [Finding(Severity.ERROR, "service", f"{error}")]


class _Examination:
    """What is looked at in one service."""

    def __init__(
        self, scm: ServiceManager, service: Service, config: ServiceConfig, hosted: bool
    ) -> None:
        self._hosted = hosted
        self._scm = scm
        self._service = service
        self._config = config
        self._looked_at: set[str] = set()
        backend = scm._backend
        self._files: FileBackend | None = None
        if scm.machine is None and isinstance(backend, FileBackend):
            self._files = backend

    def findings(self) -> Iterator[Finding]:
        yield from self._settings()
        yield from self._last_end()
        line = self._config.binary_path
        try:
            command = split(os.path.expandvars(line) if self._files is not None else line)
        except ArgumentError as error:
            yield Finding(Severity.ERROR, "command line", str(error))
            return
        if not command or not command[0]:
            yield Finding(Severity.ERROR, "command line", "there is none")
            return
        yield from self._command_line(line)
        found = options_of(command)
        options = None if found is None else found[1]
        if options is not None:
            yield from self._names(options)
        if options is not None or self._hosted:
            yield from self._event_source()
        if self._files is None:
            yield Finding(
                Severity.UNKNOWN, "files", "they are looked at on the machine that they are on"
            )
            return
        yield from self._program(command[0])
        if found is not None:
            yield from self._python(self._files, *found)

    # ------------------------------------------------------------------- the service

    def _settings(self) -> Iterator[Finding]:
        kind = self._config.service_type
        if not kind & ServiceType.WIN32:
            yield Finding(Severity.ERROR, "type", "it is a driver, which no program can be")
        if self._config.start_type == StartType.DISABLED:
            yield Finding(Severity.ERROR, "start type", "it is disabled; that has to be changed")
        else:
            yield Finding(Severity.OK, "start type", self._config.start_type.name.lower())

    def _last_end(self) -> Iterator[Finding]:
        try:
            status = self._service.status()
        except ServiceError as error:
            yield Finding(Severity.UNKNOWN, "state", str(error))
            return
        code = status.exit_code
        if status.state is State.STOPPED and code not in (0, ErrorCode.SERVICE_NEVER_STARTED):
            own = f" (its own: {status.service_exit_code})" if status.service_exit_code else ""
            text = f"it ended with exit code {code}{own}; the event log and its log file say why"
            yield Finding(Severity.WARNING, "last run", text)

    def _command_line(self, line: str) -> Iterator[Finding]:
        if is_unquoted_and_ambiguous(line):
            yield Finding(
                Severity.ERROR,
                "command line",
                f"the program's path has a blank and is not in quotes, so that Windows may start "
                f"another program: {line}",
            )
        elif re.search(r"%[^%]+%", line):
            yield Finding(
                Severity.WARNING,
                "command line",
                f"what stands between two % is a variable's name to the system: {line}",
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
                f"its process has several services ({', '.join(options.services)}), but its type "
                "is that of one with a process of its own: install it again",
            )
        name = self._service.name
        known = any(same_name(name, one) for one in options.services)
        # The only service of a process of its own may have any name.
        if not known and (several or shared):
            yield Finding(
                Severity.ERROR,
                "command line",
                f"its process has {', '.join(options.services)}, and not {name!r}: install it again"
                + ("" if several else ", or give it a process of its own"),
            )

    def _event_source(self) -> Iterator[Finding]:
        if self._scm.machine is not None:
            return
        name = self._service.name
        try:
            problem = source_problem(name, backend=self._scm._backend)
        except (ServiceError, ArgumentError) as error:
            yield Finding(Severity.UNKNOWN, "event source", str(error))
            return
        yield Finding(
            Severity.WARNING if problem else Severity.OK, "event source", problem or "registered"
        )

    # ------------------------------------------------------------------- its program

    def _program(self, program: str) -> Iterator[Finding]:
        if not os.path.isabs(program):
            yield Finding(
                Severity.WARNING,
                "program",
                f"{program} has no full path: the system looks for it in its own folders",
            )
            return
        if not os.path.isfile(program):
            yield Finding(Severity.ERROR, "program", f"there is no {program}")
            return
        if not program.lower().endswith(".exe"):
            yield Finding(
                Severity.ERROR,
                "program",
                f"{program} is no .exe, which is all that the system starts; install a script by "
                "its own command install",
            )
            return
        yield Finding(Severity.OK, "program", program)
        if "\\windowsapps\\" in program.lower():
            yield Finding(
                Severity.ERROR,
                "program",
                f"{program} is of the Microsoft Store, which services can't start: install Python "
                "from python.org",
            )
        yield from self._place("program", program)
        yield from self._access("program", program, READ_EXECUTE)
        yield from self._who_changes("program", os.path.dirname(program))

    def _python(
        self, files: FileBackend, interpreter: Sequence[str], options: Options
    ) -> Iterator[Finding]:
        launcher = interpreter[-1]
        reachable = os.path.isfile(interpreter[0])
        targets = [("winsvc", launcher)]
        if options.script is not None:
            targets.append(("script", options.script))
        if options.path is not None:
            targets.append(("module", options.path))
        if options.venv is not None:
            targets.append(("virtual environment", os.path.join(options.venv, "pyvenv.cfg")))
        for topic, path in targets:
            if not os.path.exists(path):
                yield Finding(Severity.ERROR, topic, f"there is no {path}")
                reachable = False
                continue
            yield Finding(Severity.OK, topic, path)
            yield from self._place(topic, path)
            yield from self._access(topic, path, READ)
        for topic, path in _folders_of(interpreter, options):
            yield from self._who_changes(topic, path)
        if options.venv is not None:
            yield from _venv_home(options.venv, interpreter[0])
        if reachable:
            yield self._run_check(interpreter, options)
        if options.log is not None:
            yield from self._log(files, options.log)

    def _run_check(self, interpreter: Sequence[str], options: Options) -> Finding:
        """Start the interpreter as the service does, to look whether it finds everything."""
        *start, launcher = interpreter
        told = Options(
            options.services, options.module, options.script, None, options.venv, options.path
        ).to_arguments()
        # A service has the system's variables, not those of who looks, and no user's packages.
        own = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
        root = own.get("SYSTEMROOT", os.sep)
        folder = os.path.join(root, "System32") if sys.platform == "win32" else root
        what = options.program
        try:
            done = subprocess.run(
                [*start, "-s", launcher, *told, "--check"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=own,
                timeout=CHECK_TIMEOUT,
            )
        except OSError as error:
            code = getattr(error, "winerror", 0)
            certain = isinstance(error, (FileNotFoundError, PermissionError)) or code in _NO_PROGRAM
            severity = Severity.ERROR if certain else Severity.UNKNOWN
            return Finding(severity, "interpreter", f"{start[0]} does not start: {error}")
        except subprocess.TimeoutExpired:
            text = f"{start[0]} has not found {what} within {CHECK_TIMEOUT:g} seconds"
            return Finding(Severity.WARNING, "interpreter", text)
        if not done.returncode:
            found = done.stdout.decode("utf-8", "replace").strip()
            return Finding(Severity.OK, "interpreter", f"{found} finds {what}")
        why = done.stderr.decode("utf-8", "replace").strip()
        # A DLL that is missing ends it before it can say anything.
        why = why or f"it ended with {done.returncode & 0xFFFFFFFF:#x}, without a word"
        return Finding(Severity.ERROR, "interpreter", f"{start[0]} can't run {what}: {why}")

    # ------------------------------------------------------------------- its files

    def _place(self, topic: str, path: str) -> Iterator[Finding]:
        """Whether a file is where a service finds it."""
        assert self._files is not None
        drive = ntpath.splitdrive(path)[0]
        local_form = drive.startswith(("\\\\?\\", "\\\\.\\"))
        if drive.startswith("\\\\") and not local_form:
            yield Finding(
                Severity.WARNING,
                topic,
                f"{path} is on another machine, where LocalSystem is this machine's account and "
                "LocalService nobody; and it is not there before the network is",
            )
        elif drive and self._files.is_remote_drive(drive + "\\"):
            yield Finding(
                Severity.ERROR,
                topic,
                f"{path}: {drive} is a drive of the network, which only the user has who has "
                "connected it. Put it on a drive of this machine",
            )
        elif _in_a_profile(path):
            yield Finding(
                Severity.WARNING,
                topic,
                f"{path} lies in a user's profile: other accounts may have no access, and it goes "
                r"with the user. A folder in C:\Program Files is safe from both",
            )

    def _access(self, topic: str, path: str, wanted: int) -> Iterator[Finding]:
        """Whether the service's account has these rights to a file, and nobody may change it."""
        sids = self._sids()
        if sids is None:
            text = f"whether {self._config.account} may read {path} can't be told from here"
            yield Finding(Severity.UNKNOWN, topic, text)
        elif (right := self._may(path, wanted, sids)) is None:
            yield Finding(Severity.UNKNOWN, topic, f"who may read {path} can't be read")
        elif not right:
            what = "read and execute" if wanted == READ_EXECUTE else "read"
            yield Finding(
                Severity.ERROR,
                topic,
                f"{self._config.account or 'LocalSystem'} may not {what} {path}: grant "
                "it that (icacls), or give the service another account",
            )
        yield from self._who_changes(topic, path)

    def _who_changes(self, topic: str, path: str) -> Iterator[Finding]:
        """Whether every user may have a file, or what is loaded from a folder, be another."""
        if path in self._looked_at:
            return
        self._looked_at.add(path)
        if self._every_user_may_change(path):
            yield Finding(
                Severity.WARNING,
                topic,
                f"every user may change {path}, and so do what "
                f"{self._config.account or 'LocalSystem'} may: let only administrators write there",
            )

    def _every_user_may_change(self, path: str) -> bool:
        wanted = CHANGE_FOLDER if os.path.isdir(path) else CHANGE_FILE
        dacl = self._dacl(path)
        return dacl is NULL_ACL or (isinstance(dacl, Acl) and any_granted(dacl, EVERY_USER, wanted))

    def _log(self, files: FileBackend, log: str) -> Iterator[Finding]:
        file = Path(log)
        there = next((one for one in (file, *file.parents) if one.exists()), None)
        if there is None:
            yield Finding(Severity.WARNING, "log file", f"there is no drive for {log}")
            return
        yield from self._log_folder(files, file.parent)
        sids = self._sids()
        may = None if sids is None else self._may(str(there), WRITE, sids)
        if may is False:
            yield Finding(
                Severity.WARNING,
                "log file",
                f"{self._config.account} may not write to {there}: failures are in the event log "
                "alone",
            )
        elif may:
            yield Finding(Severity.OK, "log file", log)
        else:
            yield Finding(Severity.UNKNOWN, "log file", f"whether {log} can be written to")

    def _log_folder(self, files: FileBackend, folder: Path) -> Iterator[Finding]:
        """Whether somebody else may lead the service to another file."""
        problem: str | None = None
        if not folder.is_dir():
            if in_default_folder(str(folder / "x")):
                problem = f"there is no {folder}, and any user may make it: install it again"
        elif in_default_folder(str(folder / "x")):
            try:
                problem = folder_problem(files, str(folder))
            except (ServiceError, ArgumentError) as error:
                yield Finding(Severity.UNKNOWN, "log file", str(error))
        elif self._every_user_may_change(str(folder)):
            problem = f"every user may write to {folder}"
        if problem is not None:
            yield Finding(
                Severity.WARNING,
                "log file",
                f"{problem}; who does may have {self._config.account or 'LocalSystem'} write to "
                "other files, by a link",
            )

    def _may(self, path: str, wanted: int, sids: frozenset[Sid]) -> bool | None:
        """Whether a file's DACL gives rights to one with these SIDs; None if it can't be read."""
        dacl = self._dacl(path)
        if dacl is NULL_ACL:
            return True
        return granted(dacl, sids, wanted) if isinstance(dacl, Acl) else None

    def _dacl(self, path: str) -> AclLike | None:
        assert self._files is not None
        try:
            data = self._files.get_file_security(path, int(SecurityInformation.DACL))
            return SecurityDescriptor.from_bytes(data).dacl
        except (ServiceError, InvalidSecurityError):
            return None

    def _sids(self) -> frozenset[Sid] | None:
        """The account, and the groups that are in its token; None where only a domain knows."""
        try:
            account = Account(self._config.account or "LocalSystem")
        except ArgumentError:
            return None
        own = sid_of(account)
        if own is None:
            return None
        sids = {own, *_EVERY_SERVICE, *_ALSO_IN.get(account.kind, ())}
        if self._has_service_sid():
            sids |= {service_sid(self._service.name), _ALL_SERVICES}
        return frozenset(sids)

    def _has_service_sid(self) -> bool:
        try:
            return self._service.sid_type != SidType.NONE
        except (ServiceError, UnsupportedError):
            return False


# ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH, ERROR_SXS_CANT_GEN_ACTCTX
_NO_PROGRAM: Final = frozenset({193, 216, 14001})

# In the token of every service: Everyone, Authenticated Users, SERVICE, LOCAL, Users.
_EVERY_SERVICE: Final = tuple(
    map(Sid.parse, ("S-1-1-0", "S-1-5-11", "S-1-5-6", "S-1-2-0", "S-1-5-32-545"))
)
_ALL_SERVICES: Final = Sid.parse("S-1-5-80-0")
_ALSO_IN: Final = {
    AccountKind.LOCAL_SYSTEM: (Sid.parse("S-1-5-32-544"),),  # Administrators
    AccountKind.VIRTUAL: (_ALL_SERVICES,),
}


def _folders_of(interpreter: Sequence[str], options: Options) -> Iterator[tuple[str, str]]:
    """The folders out of which the process may load any file, if it is there; with what they are.

    The system looks for DLLs beside the interpreter, and Python for modules beside the script.
    """
    package = os.path.dirname(os.path.dirname(interpreter[-1]))
    yield "interpreter", os.path.dirname(interpreter[0])
    yield "winsvc", os.path.dirname(interpreter[-1])
    yield "winsvc", package
    yield "winsvc", os.path.dirname(package)  # as a rule site-packages
    if options.script is not None and not os.path.isdir(options.script):
        yield "script", os.path.dirname(options.script)
    if options.venv is not None:
        yield "virtual environment", options.venv
        for packages in (
            os.path.join(options.venv, "Lib", "site-packages"),
            *glob.glob(os.path.join(glob.escape(options.venv), "lib", "python*", "site-packages")),
        ):
            if os.path.isdir(packages):
                yield "virtual environment", packages


def _in_a_profile(path: str) -> bool:
    public = os.environ.get("PUBLIC", r"C:\Users\Public")
    users = ntpath.normcase(ntpath.dirname(public)).rstrip("\\") + "\\"
    own = ntpath.normcase(public).rstrip("\\") + "\\"
    given = ntpath.normcase(path)
    return given.startswith(users) and not given.startswith(own)


def _venv_home(folder: str, interpreter: str) -> Iterator[Finding]:
    """Whether a virtual environment's base is there, and is the one that is started."""
    topic = "virtual environment"
    try:
        text = Path(folder, "pyvenv.cfg").read_text("utf-8")
    except OSError:
        return  # that it is missing was told
    settings = dict(re.findall(r"(?m)^\s*([\w-]+)\s*=\s*(.*?)\s*$", text))
    home = settings.get("home")
    if home is None:
        yield Finding(Severity.ERROR, topic, f"its pyvenv.cfg names no home: {folder}")
    elif not os.path.isdir(home):
        yield Finding(Severity.ERROR, topic, f"the Python that it was made from is gone: {home}")
    elif not _same_folder(home, os.path.dirname(interpreter)):
        yield Finding(
            Severity.WARNING,
            topic,
            f"it was made from the Python in {home}, but the service is started with "
            f"{interpreter}: install it again",
        )


def _same_folder(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.normcase(one) == os.path.normcase(other)
