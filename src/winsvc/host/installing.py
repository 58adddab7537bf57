"""Install and remove services on this machine."""

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
from winsvc._values.account import LOCAL_SYSTEM
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
    """The result of the installation of one service.

    Attributes:
        name: the key name.
        command_line: the command line of the process.
        account: the account, as the system has stored it.
        log_file: the log file for failures; they are also written to the event log.
        updated: whether the service existed and was reconfigured.
        source_registered: whether the event log source was registered; False if another program
            owns a source of this name, which was not changed.
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
    r"""Install the services of a program on this machine, all of them in one process.

    Each service is created with the settings of its class (:meth:`winsvc.host.ServiceBase.spec`),
    and an event log source is registered under its name. If a step fails, the services and sources
    created before are removed.

    Args:
        *services: the classes; the first class runs its ``main()`` on the main thread.
        name: a different name, if there is a single service.
        program: the program to start; None for the running program.
        arguments: arguments that the program receives in ``sys.argv`` at each start.
        log_file: the log file for failures; None for ``%ProgramData%\winsvc\NAME.log``, with the
            name of the first class if the program is frozen.
        update: reconfigure services that exist. Their other settings are unchanged, and changes
            are not rolled back if a step fails.
        scm: a connection to the service control manager; None opens one to this machine.
        **settings: settings that override those of the classes; see :class:`winsvc.Settings`.

    Returns:
        One result for each service, in order.

    Raises:
        ValidationError: a class has no name, two classes have the same name, a name is invalid for
            an event source, ``scm`` is connected to another machine, the running program cannot be
            started as a service, a setting is invalid, or users can write to the default log
            folder.
        ServiceExistsError: the service exists, and ``update`` is False.
        AccessDeniedError: the caller is not an administrator.
        Win32Error: a Windows call failed; see :meth:`winsvc.ServiceManager.create`.
        OSError: the log file could not be created.
    """
    names = checked_names(services, name)
    program = program if program is not None else this_program()
    # A frozen program finds its file without arguments, and knows no other name.
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
    created: list[str] = []
    try:
        for spec in specs:
            updated = False
            try:
                with scm.create(spec) as service:
                    created.append(spec.name)
                    account = service.config().account
            except ServiceExistsError:
                if not update or not scm.exists(spec.name):  # not the name, but the display name
                    raise
                with scm.open(spec.name) as service:
                    service.configure(**cast("SettingsKeywords", spec.given()))
                    account = service.config().account
                updated = True
            registered = register_source(spec.name, backend=sources)
            account = account or LOCAL_SYSTEM
            line = str(spec.binary_path)
            done.append(Installed(spec.name, line, account, log, updated, registered))
        if capabilities.files is not None:
            make_log_file(capabilities.files, log, {item.name: item.account for item in done})
    except BaseException as error:
        for name in reversed(created):
            _undo(scm, sources, name, error)
        raise
    return done


def _undo(
    scm: ServiceManager, sources: EventSourceBackend | None, name: str, error: BaseException
) -> None:
    """Remove a service and its source; add failures to the hint of the first error."""
    for step in (scm.delete, partial(remove_source, backend=sources)):
        try:
            step(name)
        except Exception as second:
            if isinstance(error, Win32Error):
                hint = f"{error.hint} " if error.hint else ""
                error.hint = f"{hint}Service {name!r} could not be removed completely: {second}"


def remove(*names: str, timeout: Duration = 60, scm: ServiceManager | None = None) -> list[str]:
    """Stop and delete services, wait until they are removed, and remove their event sources.

    The services are removed one after another, the last one first. Services that do not exist are
    skipped, but their event sources are removed. The log file is kept.

    Args:
        *names: the key names.
        timeout: how long each service may take to stop, and then to be removed.
        scm: a connection to the service control manager; None opens one to this machine.

    Returns:
        The names of the services that existed.

    Raises:
        DependentServicesRunningError: running services depend on the service.
        WaitTimeoutError: the service did not stop, or another program has it open.
        AccessDeniedError: the caller is not an administrator.
        Win32Error: a Windows call failed.
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
        pass  # it has stopped since


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
        # Specified in any case: an update may turn an own process into a shared one, or back.
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
            f"a Python program can be installed on this machine only, not on {scm.machine}",
        )
    yield scm
