"""What simulated services are made of, read from a document.

A document is what ``winsvc export`` writes, or a shorter one by hand: a service's settings under
their names in :class:`winsvc.Settings`, and where it stands::

    {"services": {"beat": {"binary_path": "C:\\\\beat.exe", "state": "running"}}}
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from winsvc._util.checks import check_type
from winsvc._util.jsonable import Reader, from_jsonable, mapping
from winsvc._util.text import name_key
from winsvc._values.account import Secret
from winsvc._values.names import check_service_name
from winsvc._values.setting_table import SETTINGS
from winsvc._values.settings import ServiceSpec
from winsvc._values.snapshot import FORMAT, READERS
from winsvc.enums import (
    AcceptedControls,
    ErrorCode,
    State,
)
from winsvc.errors import ValidationError
from winsvc.security import Acl, ControlFlags, SecurityDescriptor

__all__ = ["ServiceFixture", "read_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFixture:
    """A service that the simulated system is to have.

    Attributes:
        spec: its name and settings; those that are left out take their defaults.
        state: where it stands.
        controls_accepted: the controls that it handles while it runs; None for the usual ones.
        exit_code: what it last ended with; 1077, not run yet, is only for a stopped one.
        service_exit_code: its own exit code.
        pid: the process that runs it; None for any, or for none.
        tag: its place within its load-order group; 0 for none.
    """

    spec: ServiceSpec
    state: State = State.STOPPED
    controls_accepted: AcceptedControls | None = None
    exit_code: int = int(ErrorCode.SERVICE_NEVER_STARTED)
    service_exit_code: int = 0
    pid: int | None = None
    tag: int = 0

    def __post_init__(self) -> None:
        check_type(self.state, State, "state")
        never = self.exit_code == ErrorCode.SERVICE_NEVER_STARTED
        if never and self.state != State.STOPPED:
            object.__setattr__(self, "exit_code", 0)  # frozen


# What a service may have in a document, as which type.
_SETTINGS: Final = {name: setting.document_type for name, setting in SETTINGS.items()}
_STATE: Final[Mapping[str, object]] = {
    "state": State,
    "controls_accepted": AcceptedControls | None,
    "exit_code": int,
    "service_exit_code": int,
    "pid": int | None,
    "tag": int,
}
_KINDS: Final = {**_SETTINGS, **_STATE}
# What a snapshot tells beside these, and a simulated service finds out by itself.
_IGNORED: Final = {"machine", "dependents", "errors"}
_STATUS_IGNORED: Final = {"check_point", "wait_hint", "flags"}
_SETTLED: Final = (State.RUNNING, State.PAUSED)


def _read_secret(value: object, argument: str) -> Secret:
    return Secret(from_jsonable(str, value, argument))


_READERS: Final[Mapping[object, Reader]] = {**READERS, Secret: _read_secret}


def read_document(
    source: str | os.PathLike[str] | Mapping[str, object],
) -> tuple[str | None, list[ServiceFixture]]:
    """The services of a document, and the machine that they were on.

    Args:
        source: the path of a JSON file, or what :func:`json.load` gives, in which enum members,
            triggers and the like may also stand as Python objects. Its ``"services"`` are a list
            of mappings with a ``"name"``, or a mapping from the names to the rest.

    Returns:
        The machine, None for the own one; and the services.

    Raises:
        OSError: the file can't be read.
        TypeError: a value is of a wrong type; the message says where.
        ValidationError: it is no such document, or a value can't be; ``argument`` says where.
    """
    document = source if isinstance(source, Mapping) else _load(source)
    document = mapping(document, "the document")
    for key in document:
        if key not in ("winsvc", "machine", "services"):
            raise ValidationError(
                key, "is not a key of this document; expected winsvc, machine or services"
            )
    if (version := document.get("winsvc", FORMAT)) != FORMAT:
        raise ValidationError("winsvc", f"expected a document of version {FORMAT}, not {version!r}")
    machine = from_jsonable(str | None, document.get("machine"), "machine")
    if "services" not in document:
        raise ValidationError("services", "is missing")
    seeds: dict[str, ServiceFixture] = {}
    for name, given, where in _services(document["services"]):
        check_service_name(name, f"{where}.name")
        if name_key(name) in seeds:
            raise ValidationError(f"{where}.name", f"{name!r} is specified twice")
        seeds[name_key(name)] = _seed(name, given, where)
    return machine, list(seeds.values())


def _load(path: str | os.PathLike[str]) -> object:
    content = Path(path).read_bytes()
    try:
        # As bytes, since what a shell has redirected may also be UTF-16.
        return json.loads(content)
    except RecursionError:
        raise ValidationError(os.fspath(path), "is nested too deeply") from None
    except ValueError as error:
        raise ValidationError(os.fspath(path), f"is not valid JSON: {error}") from None


def _services(value: object) -> Iterator[tuple[str, Mapping[str, object], str]]:
    """Each service's name, what is given of it, and how to call it in an error."""
    if isinstance(value, Mapping):
        for name, item in mapping(value, "services").items():
            where = f"services[{json.dumps(name)}]"
            given = mapping(item, where)
            if given.get("name", name) != name:
                raise ValidationError(
                    f"{where}.name", f"{given['name']!r} differs from the key {name!r}"
                )
            yield name, given, where
        return
    for index, item in enumerate(from_jsonable(tuple[object, ...], value, "services")):
        given = mapping(item, f"services[{index}]")
        if "name" not in given:
            raise ValidationError(f"services[{index}].name", "is missing")
        name = from_jsonable(str, given["name"], f"services[{index}].name")
        yield name, given, f"services[{json.dumps(name)}]"


def _seed(name: str, given: Mapping[str, object], where: str) -> ServiceFixture:
    values: dict[str, Any] = {}
    for key, value, place in _flat(given, where):
        if key not in _KINDS:
            near = difflib.get_close_matches(key, _KINDS, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise ValidationError(place, f"unknown setting{meant}")
        values[key] = from_jsonable(_KINDS[key], value, place, _READERS)
    settings = {key: value for key, value in values.items() if key in _SETTINGS}
    rest = {key: value for key, value in values.items() if key in _STATE}
    return ServiceFixture(spec=ServiceSpec(name=name, **settings), **rest)


def _flat(given: Mapping[str, object], where: str) -> Iterator[tuple[str, object, str]]:
    """The settings in one row, of a service or of a snapshot, and how to call them in an error."""
    snapshot = "config" in given or "status" in given
    has_config = given.get("config") is not None
    for key, value in given.items():
        place = f"{where}.{key}"
        if key == "name" or (snapshot and (value is None or key in _IGNORED)):
            continue  # None: it could not be read, or it is the default
        if snapshot and key == "config":
            parts = mapping(value, place).items()
            yield from ((part, item, f"{place}.{part}") for part, item in parts)
        elif snapshot and key == "status":
            yield from _status(mapping(value, place), place, has_config)
        elif snapshot and key == "security":
            descriptor = from_jsonable(SecurityDescriptor, value, place, _READERS)
            if not _is_placeholder(descriptor):
                yield key, descriptor, place
        else:
            yield key, value, place


def _is_placeholder(descriptor: SecurityDescriptor) -> bool:
    """Whether it is what Wine shows for any service, and does not mean: nothing to anyone."""
    made_up = bool(descriptor.control & ControlFlags.DACL_DEFAULTED)
    return made_up and descriptor.owner is None and descriptor.dacl == Acl()


def _status(
    status: Mapping[str, object], where: str, has_config: bool
) -> Iterator[tuple[str, object, str]]:
    state = from_jsonable(State, status.get("state", State.STOPPED), f"{where}.state")
    for key, value in status.items():
        if key == "controls_accepted" and state not in _SETTLED:
            continue  # it accepts nothing now, whatever it will
        if key == "service_type" and has_config:
            continue  # while it runs there may be more bits than it was made with
        if key not in _STATUS_IGNORED:
            yield key, value, f"{where}.{key}"
