"""The commands of a service's program at a terminal: install, start, stop, doctor and others."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from winsvc._scm.manager import ServiceManager
from winsvc._util.text import same_name
from winsvc._values.commandline import split
from winsvc._values.names import check_service_name
from winsvc.backend import default_backend
from winsvc.enums import ErrorCode, StartType, State
from winsvc.errors import (
    ServiceAlreadyRunningError,
    ServiceExistsError,
    ServiceNotActiveError,
    ServiceNotFoundError,
    UnsupportedError,
    ValidationError,
    Win32Error,
)
from winsvc.host.definition import ServiceBase
from winsvc.host.launch_command import log_file_of, options_of
from winsvc.host.program import (
    COMMANDS,
    Program,
    ProgramKind,
    default_log_file,
    is_command,
    this_program,
)

if TYPE_CHECKING:
    from winsvc._values.settings import CreateKeywords

__all__ = ["Commands"]

TIMEOUT: Final = 60.0  # seconds, for a service to start, stop or go


class _CommandError(Exception):
    """A command that failed; the text says why."""


class Commands:
    """The commands of a program with these services."""

    def __init__(
        self, services: Sequence[type[ServiceBase]], log_file: str | os.PathLike[str] | None
    ) -> None:
        self._services = services
        self._log_file = log_file
        self._prog = _prog()
        self.parser = self._make_parser()

    def run(self, arguments: Sequence[str]) -> int:
        """Run a command; its exit code."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A name that the console's code page lacks must not end it.
            sys.stdout.reconfigure(errors="backslashreplace")
        # What follows "--" is the service's, even if it looks like an option.
        own = list(arguments)
        rest: list[str] = []
        if "--" in own:
            at = own.index("--")
            own, rest = own[:at], own[at + 1 :]
        try:
            chosen = self.parser.parse_args(own)
            chosen.arguments = [*chosen.plain, *rest]
            command: Callable[[argparse.Namespace], int | None] = chosen.command
            return command(chosen) or 0
        except SystemExit as ends:
            return ends.code if isinstance(ends.code, int) else int(bool(ends.code))
        except (Win32Error, ValidationError, _CommandError, OSError) as error:
            if isinstance(error, UnsupportedError) and not _has_system():
                error.hint = (
                    f"On this system, use: {self._prog} debug. For tests, use a simulated SCM "
                    "(winsvc.testing.SimulatedSCM)."
                )
            print(f"{self._prog}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130

    def explain(self, arguments: Sequence[str]) -> None:
        """Print the usage to stderr, after arguments that are no command."""
        if not arguments or arguments[0].startswith("-"):
            self.parser.print_help(sys.stderr)
            return
        self.parser.print_usage(sys.stderr)
        close = difflib.get_close_matches(arguments[0].lower(), COMMANDS, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        print(
            f"{self._prog}: unknown command {arguments[0]!r}.{meant} The commands are: "
            f"{', '.join(COMMANDS)}.",
            file=sys.stderr,
        )

    def _make_parser(self) -> argparse.ArgumentParser:
        names = ", ".join(kind.name for kind in self._services)
        parser = argparse.ArgumentParser(
            prog=self._prog,
            description=f"Manage the Windows service{'s' * self._several} {names}.",
            epilog="Without a command, the program runs as the service; only the service control "
            "manager can start it in this way.",
        )
        commands = parser.add_subparsers(required=True, metavar="COMMAND", prog=self._prog)
        install = self._add(commands, "install", "install the service", self._install)
        install.add_argument(
            "--start",
            choices=("auto", "delayed", "manual", "disabled"),
            help="the start type (default: the one in the program, otherwise manual)",
        )
        install.add_argument("--account", help="the account to run as (default: LocalSystem)")
        install.add_argument(
            "--password-prompt", action="store_true", help="prompt for the account's password"
        )
        install.add_argument("--log", metavar="FILE", help="the log file for failures")
        install.add_argument(
            "--update", action="store_true", help="reconfigure the service if it exists"
        )
        install.epilog = 'Arguments after "--" are passed to the program in sys.argv at each start.'
        remove = self._add(commands, "remove", "stop and delete the service", self._remove)
        start = self._add(
            commands, "start", "start the service", self._start, takes="start arguments"
        )
        stop = self._add(commands, "stop", "stop the service", self._stop)
        restart = self._add(
            commands,
            "restart",
            "stop the service and start it again",
            self._restart,
            takes="start arguments",
        )
        for slow in (remove, start, stop, restart):
            slow.add_argument(
                "--timeout",
                type=float,
                default=TIMEOUT,
                metavar="SECONDS",
                help=f"the timeout (default: {TIMEOUT:g})",
            )
        self._add(commands, "status", "show the state and the configuration", self._status)
        self._add(
            commands,
            "debug",
            "run the service in this console; Ctrl-C stops it",
            self._debug,
            takes="start arguments",
        )
        self._add(commands, "doctor", "find reasons why the service cannot start", self._doctor)
        return parser

    @property
    def _several(self) -> bool:
        return len(self._services) > 1

    def _add(
        self,
        commands: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        what: str,
        command: Callable[[argparse.Namespace], int | None],
        *,
        takes: str = "",
    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
        parser.set_defaults(command=command, names=[], name=None, plain=[])
        if self._several:
            of = "the services (default: all)"
            if takes:
                of += f'; arguments after "--" are the {takes} of each service'
            parser.add_argument("names", nargs="*", metavar="NAME", help=of)
            return parser
        if name != "debug":
            parser.add_argument("--name", help="the name under which the service is installed")
        if takes:
            text = f'{takes}; after "--" if an argument begins with "-"'
            parser.add_argument("plain", nargs="*", metavar="ARG", help=text)
        return parser

    # ------------------------------------------------------------------- which ones

    def _kinds(self, chosen: argparse.Namespace) -> list[type[ServiceBase]]:
        """Return the chosen classes, in the program's order."""
        for name in chosen.names:
            if not any(same_name(name, kind.name) for kind in self._services):
                known = ", ".join(kind.name for kind in self._services)
                raise _CommandError(f"unknown service {name!r}; this program contains {known}")
        return [
            kind
            for kind in self._services
            if not chosen.names or any(same_name(name, kind.name) for name in chosen.names)
        ]

    def _chosen_names(self, chosen: argparse.Namespace) -> list[str]:
        if chosen.name is not None:
            return [check_service_name(chosen.name)]
        return [kind.name for kind in self._kinds(chosen)]

    # ------------------------------------------------------------------- the commands

    def _install(self, chosen: argparse.Namespace) -> int:
        from winsvc.host.installing import install

        kinds = self._kinds(chosen)
        program = this_program()
        if program.kind is ProgramKind.FROZEN:
            if chosen.log is not None:
                raise _CommandError(
                    "--log: not supported for a frozen program; use run(..., log_file=...)"
                )
            if chosen.arguments and is_command(chosen.arguments[0]):
                raise _CommandError(
                    "the first argument of the program must not be a command: "
                    f"{chosen.arguments[0]}"
                )
        try:
            done = install(
                *kinds,
                name=chosen.name,
                program=program,
                arguments=chosen.arguments,
                log_file=chosen.log or self._log_file or self._frozen_log(program),
                update=chosen.update,
                **self._settings(chosen, kinds),
            )
        except ServiceExistsError as error:
            error.hint = error.hint or "Use install --update to reconfigure it."
            raise
        for item in done:
            print(f"{item.name}: {'reconfigured' if item.updated else 'installed'}")
            print(f"  command line: {item.command_line}")
            print(f"  account:      {item.account}")
            print(f"  log file:     {item.log_file} (failures)")
            source = (
                "registered"
                if item.source_registered
                else "belongs to another program, not changed"
            )
            print(f"  event source: {item.name}, {source}")
        self._examine([item.name for item in done])
        return 0  # it is installed, whatever was found

    def _frozen_log(self, program: Program) -> str | None:
        """Return the log file of a frozen program, under any name: see :func:`winsvc.host.run`."""
        if program.kind is not ProgramKind.FROZEN:
            return None
        return default_log_file(self._services[0].name)

    def _settings(
        self, chosen: argparse.Namespace, kinds: Sequence[type[ServiceBase]]
    ) -> CreateKeywords:
        settings: CreateKeywords = {}
        if chosen.start is not None:
            settings["start_type"] = _START_TYPES[chosen.start]
            if chosen.start == "delayed":
                settings["delayed_auto_start"] = True
            elif any(kind.settings.delayed_auto_start is True for kind in kinds) or any(
                map(_is_delayed, self._chosen_names(chosen))
            ):
                settings["delayed_auto_start"] = False
        if chosen.account is not None:
            settings["account"] = chosen.account
        if chosen.password_prompt:
            from getpass import getpass

            settings["password"] = getpass(f"Password of {chosen.account or 'its account'}: ")
        return settings

    def _remove(self, chosen: argparse.Namespace) -> None:
        from winsvc.host.installing import remove

        names = self._chosen_names(chosen)
        removed = remove(*names, timeout=chosen.timeout)
        for name in removed:
            print(f"{name}: removed")
        if missing := [name for name in names if name not in removed]:
            raise _CommandError(f"not installed: {', '.join(missing)}")

    def _start(self, chosen: argparse.Namespace) -> None:
        with ServiceManager() as scm:
            for name in self._chosen_names(chosen):
                self._start_one(scm, name, chosen.arguments, chosen.timeout)

    def _start_one(
        self,
        scm: ServiceManager,
        name: str,
        arguments: Sequence[str],
        timeout: float,
        *,
        again: bool = False,
    ) -> None:
        with scm.open(name) as service:
            log = self._log_of(split(service.config().binary_path), name)
            before = _size(log)
            try:
                (service.restart if again else service.start)(*arguments, timeout=timeout)
            except ServiceAlreadyRunningError:
                print(f"{name}: is already running")
                return
            except Win32Error as error:
                added = _added(log, before)
                details = f"\n\nNew in {log}:\n\n{added}" if added else f"\nNothing new in {log}."
                raise _CommandError(f"{error}{details}") from error
            print(f"{name}: started, process {service.status().pid}")

    def _log_of(self, command: Sequence[str], name: str) -> Path:
        """Return the file that a service's process writes failures to."""
        if options_of(command) is not None:
            return Path(log_file_of(command, name))
        # Without the launcher it is the log file given to run(), or the first class's.
        return Path(self._log_file or default_log_file(self._services[0].name))

    def _stop(self, chosen: argparse.Namespace) -> None:
        with ServiceManager() as scm:
            for name in reversed(self._chosen_names(chosen)):
                with scm.open(name) as service:
                    try:
                        service.stop(timeout=chosen.timeout)
                    except ServiceNotActiveError:
                        print(f"{name}: is not running")
                    else:
                        print(f"{name}: stopped")

    def _restart(self, chosen: argparse.Namespace) -> None:
        names = self._chosen_names(chosen)
        alone = len(names) == 1  # then with those that need it
        if not alone:
            self._stop(chosen)
        with ServiceManager() as scm:
            for name in names:
                self._start_one(scm, name, chosen.arguments, chosen.timeout, again=alone)

    def _status(self, chosen: argparse.Namespace) -> int:
        missing = 0
        with ServiceManager() as scm:
            for name in self._chosen_names(chosen):
                try:
                    print(f"{name}: {_standing(scm, name)}")
                except ServiceNotFoundError:
                    print(f"{name}: not installed")
                    missing = 1
        return missing

    def _debug(self, chosen: argparse.Namespace) -> int:
        from winsvc.host.console import debug

        return debug(self._kinds(chosen), chosen.arguments)

    def _doctor(self, chosen: argparse.Namespace) -> int:
        return self._examine(self._chosen_names(chosen))

    def _examine(self, names: Sequence[str]) -> int:
        """Print what may keep the services from starting; return 1 if something does."""
        from winsvc.host.doctor import Severity, describe, examine

        bad = 0
        with ServiceManager() as scm:
            for name in names:
                findings = examine(scm, name, hosted=True)
                bad |= any(finding.severity is Severity.ERROR for finding in findings)
                print(describe(name, findings))
        return int(bad)


_START_TYPES: Final = {
    "auto": StartType.AUTOMATIC,
    "delayed": StartType.AUTOMATIC,
    "manual": StartType.MANUAL,
    "disabled": StartType.DISABLED,
}


def _prog() -> str:
    """Return the command that started the program, for its help."""
    try:
        return this_program().describe()
    except ValidationError:
        return os.path.basename(sys.argv[0]) or "service"


def _has_system() -> bool:
    """Return whether a service control manager exists here, even a simulated one."""
    try:
        default_backend()
    except UnsupportedError:
        return False
    return True


def _is_delayed(name: str) -> bool:
    """Return whether the service exists and its start is delayed."""
    try:
        with ServiceManager() as scm, scm.open(name) as service:
            return service.delayed_auto_start()
    except Win32Error:
        return False  # among others on systems without delayed starts


def _standing(scm: ServiceManager, name: str) -> str:
    """Describe the state of a service in a line."""
    with scm.open(name) as service:
        status, config = service.status(), service.config()
    text = status.state.name.lower().replace("_", " ")
    if status.pid:
        text += f", process {status.pid}"
    if status.state is State.STOPPED and status.service_exit_code:
        text += f", service-specific exit code {status.service_exit_code}"
    elif status.exit_code and status.exit_code != ErrorCode.SERVICE_NEVER_STARTED:
        text += f", exit code {status.exit_code}"
    start = config.start_type.name.lower().replace("_", " ")
    return f"{text}; start type {start}, account {config.account or 'LocalSystem'}"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _added(file: Path, before: int) -> str:
    """Return the text appended to the file since it had this length."""
    try:
        content = file.read_bytes()
    except OSError:
        return ""
    new = content[before:] if len(content) >= before else content
    return new.decode("utf-8", "replace").strip()
