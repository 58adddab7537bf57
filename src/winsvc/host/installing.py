"""Putting services on this machine, and taking them away again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Unpack, cast

from winsvc._scm.manager import ServiceManager
from winsvc._util.durations import Duration
from winsvc._values.config import UNCHANGED
from winsvc._values.settings import ServiceSpec
from winsvc.enums import ServiceType, State
from winsvc.errors import (
    ServiceExistsError,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ValidationError,
    Win32Error,
)
from winsvc.host.definition import ServiceBase, checked_names
from winsvc.host.eventlog import check_source, register_source, remove_source
from winsvc.host.launch_command import launch_command
from winsvc.host.logfile import make_log_file
from winsvc.host.program import Program, ProgramKind, default_log_file, this_program

if TYPE_CHECKING:
    from winsvc._scm.service import Service as OpenService
    from winsvc._values.settings import CreateKeywords, SettingsKeywords
    from winsvc.backend import EventSourceBackend

__all__ = ["Installed", "install", "remove"]


@dataclass(frozen=True, slots=True)
class Installed:
    """What was done for one service.

    Attributes:
        name: its key name.
        command_line: how its process is started.
        account: the account that it runs as, as the system has it.
        log_file: where failures are written to, beside the event log.
        updated: whether it was there before, and was configured anew.
        source_registered: whether the event log shows its texts as they are; False where another
            program has a source of this name, which was left alone.
    """

    name: str
    command_line: str
    account: str
    log_file: str
    updated: bool
    source_registered: bool


def install(
    *services: type[ServiceBase],
    name: str | None = None,
    program: Program | None = None,
    arguments: Sequence[str] = (),
    log_file: str | os.PathLike[str] | None = None,
    update: bool = False,
    scm: ServiceManager | None = None,
    **settings: Unpack[CreateKeywords],
) -> list[Installed]:
    r"""Install services of a program on this machine, all of them in one process.

    Each with what its class says (:meth:`winsvc.host.ServiceBase.spec`), and a source of the event log
    that has its name. All or nothing: when something is refused, the services and sources that
    were made are taken away again.

    Args:
        *services: the classes; the first of several has its ``main()`` on the main thread.
        name: another name for a single one.
        program: how it is started; None for the running program.
        arguments: what the program gets in ``sys.argv``, each time.
        log_file: where failures are written to; None for ``%ProgramData%\winsvc\NAME.log``, with
            the first class's name if the program is frozen.
        update: configure those anew that are there already. Their other settings stay, and so
            does what was done when something is refused.
        scm: the service manager; None connects to this machine's.
        **settings: instead of what the classes say; see :class:`winsvc.Settings`.

    Returns:
        What was done, in the order of the services.

    Raises:
        ValidationError: a class has no name, two have the same, no event source can have one, the
            service manager is another machine's, the running program can't be started as a
            service, a setting can't be, or the default folder for failures is not the
            administrators'.
        ServiceExistsError: there is a service of this name, and ``update`` was not asked for.
        AccessDeniedError: only administrators may.
        Win32Error: the system refused; see :meth:`winsvc.ServiceManager.create`.
        OSError: the file for failures could not be made.
    """
    names = checked_names(services, name)
    program = program if program is not None else this_program()
    # A frozen program finds its file by itself, and knows no other name.
    frozen = program.kind is ProgramKind.FROZEN
    log = os.path.abspath(log_file or default_log_file((frozen and services[0].name) or names[0]))
    line = launch_command(program, names, log, arguments)
    specs = [
        _spec(kind, own, line, shared=len(services) > 1, settings=settings)
        for kind, own in zip(services, names, strict=True)
    ]
    with _manager(scm) as manager:
        return _install(manager, specs, log, update)


def _install(
    scm: ServiceManager, specs: Sequence[ServiceSpec], log: str, update: bool
) -> list[Installed]:
    capabilities = scm.backend.capabilities(scm.machine)
    sources = capabilities.event_sources
    for spec in specs:
        check_source(spec.name, backend=sources)
    done: list[Installed] = []
    made: list[str] = []
    try:
        for spec in specs:
            updated = False
            try:
                with scm.create(spec) as service:
                    made.append(spec.name)
                    account = service.config().account
            except ServiceExistsError:
                if not update or not scm.exists(spec.name):  # not the name, but the display name
                    raise
                with scm.open(spec.name) as service:
                    service.configure(**cast("SettingsKeywords", spec.given()))
                    account = service.config().account
                updated = True
            registered = register_source(spec.name, backend=sources)
            account = account or "LocalSystem"
            line = str(spec.binary_path)
            done.append(Installed(spec.name, line, account, log, updated, registered))
        if capabilities.files is not None:
            make_log_file(capabilities.files, log, {one.name: one.account for one in done})
    except BaseException as error:
        for name in reversed(made):
            _undo(scm, sources, name, error)
        raise
    return done


def _undo(
    scm: ServiceManager, sources: EventSourceBackend | None, name: str, error: BaseException
) -> None:
    """Take one away again, as far as that can be done; what failed first is what is told."""
    for step in (scm.delete, partial(remove_source, backend=sources)):
        try:
            step(name)
        except Exception as second:
            if isinstance(error, Win32Error):
                told = f"{error.hint} " if error.hint else ""
                error.hint = f"{told}Not all of {name!r} could be taken away again: {second}"


def remove(*names: str, timeout: Duration = 60, scm: ServiceManager | None = None) -> list[str]:
    """Stop services, delete them, and wait until they are gone; their event sources, too.

    One after the other, the last one first. What is not there is passed over, but for its source.
    The file for failures stays.

    Args:
        *names: their key names.
        timeout: how long each may take to stop, and then to go.
        scm: the service manager; None connects to this machine's.

    Returns:
        The names of those that were there.

    Raises:
        DependentServicesRunningError: others that run need it.
        WaitTimeoutError: it has not stopped, or somebody has it open.
        AccessDeniedError: only administrators may.
        Win32Error: the system refused.
    """
    removed = []
    with _manager(scm) as manager:
        sources = manager.backend.capabilities(manager.machine).event_sources
        for name in reversed(names):
            try:
                with manager.open(name) as service:
                    _stop(service, timeout)
                    service.delete(wait=True, timeout=timeout)
                removed.append(name)
            except ServiceNotFoundError:
                pass
            remove_source(name, backend=sources)
    return removed


def _stop(service: OpenService, timeout: Duration) -> None:
    if service.status().state is State.STOPPED:
        return
    try:
        service.stop(timeout=timeout)
    except ServiceNotActiveError:
        pass  # it has stopped by itself meanwhile


def _spec(
    kind: type[ServiceBase],
    name: str,
    line: str,
    *,
    shared: bool,
    settings: CreateKeywords,
) -> ServiceSpec:
    spec = kind.spec(line)
    if name != kind.name:
        # Before Windows 10 1709 no two services may have one display name.
        display = f"{kind.display_name} ({name})" if kind.display_name else name
        spec = dataclasses.replace(spec, name=name, display_name=display)
    if spec.service_type is UNCHANGED:
        # Said in any case: an update may make several one, and one several.
        kind_of = ServiceType.SHARE_PROCESS if shared else ServiceType.OWN_PROCESS
        spec = dataclasses.replace(spec, service_type=kind_of)
    return dataclasses.replace(spec, **settings)


@contextmanager
def _manager(scm: ServiceManager | None) -> Iterator[ServiceManager]:
    if scm is None:
        with ServiceManager() as manager:
            yield manager
        return
    if scm.machine is not None:
        raise ValidationError(
            "scm",
            f"a Python program is installed on the machine that it is on, not on {scm.machine}",
        )
    yield scm
