r"""Read the services of a simulated system from a document.

A document is the output of ``winsvc export``, or a shorter one written by hand: the settings of a
service under their names in :class:`winsvc.Settings`, and its state::

    {"services": {"beat": {"binary_path": "C:\\beat.exe", "state": "running"}}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from winsvc._util.checks import check_type, did_you_mean
from winsvc._util.jsonable import Reader, from_jsonable, mapping
from winsvc._util.text import name_key
from winsvc._values.account import Secret
from winsvc._values.names import check_service_name
from winsvc._values.setting_table import SETTINGS
from winsvc._values.settings import ServiceSpec
from winsvc._values.snapshot import FORMAT, READERS, is_placeholder
from winsvc.enums import (
    AcceptedControls,
    ErrorCode,
    State,
)
from winsvc.errors import ValidationError
from winsvc.security import SecurityDescriptor

__all__ = ["ServiceFixture", "read_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFixture:
    """A service to add to the simulated system.

    Attributes:
        spec: the name and the settings; omitted settings have their defaults.
        state: the state.
        controls_accepted: the controls that the running service accepts; None for the default.
        exit_code: the exit code of the last run; 1077 (never started) is valid for a stopped
            service only.
        service_exit_code: the service-specific exit code.
        pid: the process of the service; None for any process, or none.
        tag: the tag within the load-order group; 0 for none.
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


# The fields of a service in a document, and their types.
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
# Fields of a snapshot that the simulated system determines itself.
_IGNORED: Final = {"machine", "dependents", "errors"}
_DOCUMENT: Final = ("winsvc", "machine", "services")
_STATUS_IGNORED: Final = {"check_point", "wait_hint", "flags"}
_SETTLED: Final = (State.RUNNING, State.PAUSED)


def _read_secret(value: object, argument: str) -> Secret:
    return Secret(from_jsonable(str, value, argument))


_READERS: Final[Mapping[object, Reader]] = {**READERS, Secret: _read_secret}


def read_document(
    source: str | os.PathLike[str] | Mapping[str, object],
) -> tuple[str | None, list[ServiceFixture]]:
    """Read the machine and the services of a document.

    Args:
        source: the path of a JSON file, or the result of :func:`json.load`, which may also contain
            Python objects (enumeration members, triggers and others). ``"services"`` is a list of
            mappings with a ``"name"``, or a mapping of names to mappings.

    Returns:
        The machine, None for the local one; and the services.

    Raises:
        OSError: the file cannot be read.
        TypeError: a value is of the wrong type; the message contains its path.
        ValidationError: the document or a value is invalid; ``argument`` is its path.
    """
    document = source if isinstance(source, Mapping) else _load(source)
    document = mapping(document, "the document")
    for key in document:
        if key not in _DOCUMENT:
            raise ValidationError(key, f"unknown field of a document{did_you_mean(key, _DOCUMENT)}")
    if (version := document.get("winsvc", FORMAT)) != FORMAT:
        raise ValidationError("winsvc", f"expected version {FORMAT} of a document, not {version!r}")
    machine = from_jsonable(str | None, document.get("machine"), "machine")
    if "services" not in document:
        raise ValidationError("services", "is missing")
    seeds: dict[str, ServiceFixture] = {}
    for name, given, where in _services(document["services"]):
        check_service_name(name, f"{where}.name")
        if name_key(name) in seeds:
            raise ValidationError(f"{where}.name", f"{name!r} is a duplicate name")
        seeds[name_key(name)] = _seed(name, given, where)
    return machine, list(seeds.values())


def _load(path: str | os.PathLike[str]) -> object:
    content = Path(path).read_bytes()
    try:
        # Bytes, because a shell may redirect output as UTF-16.
        return json.loads(content)
    except RecursionError:
        raise ValidationError(os.fspath(path), "is nested too deeply") from None
    except ValueError as error:
        raise ValidationError(os.fspath(path), f"is not JSON: {error}") from None


def _services(value: object) -> Iterator[tuple[str, Mapping[str, object], str]]:
    """Return the name, the fields and the path of each service."""
    if isinstance(value, Mapping):
        for name, item in mapping(value, "services").items():
            where = f"services[{json.dumps(name)}]"
            given = mapping(item, where)
            if given.get("name", name) != name:
                raise ValidationError(f"{where}.name", f"{given['name']!r} is not the key {name!r}")
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
            raise ValidationError(place, f"unknown setting{did_you_mean(key, _KINDS)}")
        values[key] = from_jsonable(_KINDS[key], value, place, _READERS)
    settings = {key: value for key, value in values.items() if key in _SETTINGS}
    rest = {key: value for key, value in values.items() if key in _STATE}
    return ServiceFixture(spec=ServiceSpec(name=name, **settings), **rest)


def _flat(given: Mapping[str, object], where: str) -> Iterator[tuple[str, object, str]]:
    """Return the names, values and paths of the settings of a service or a snapshot."""
    snapshot = "config" in given or "status" in given
    has_config = given.get("config") is not None
    for key, value in given.items():
        place = f"{where}.{key}"
        if key == "name" or (snapshot and (value is None or key in _IGNORED)):
            continue  # None: the value could not be read, or it is the default
        if snapshot and key == "config":
            parts = mapping(value, place).items()
            yield from ((part, item, f"{place}.{part}") for part, item in parts)
        elif snapshot and key == "status":
            yield from _status(mapping(value, place), place, has_config)
        elif snapshot and key == "security":
            descriptor = from_jsonable(SecurityDescriptor, value, place, _READERS)
            if not is_placeholder(descriptor):
                yield key, descriptor, place
        else:
            yield key, value, place


def _status(
    status: Mapping[str, object], where: str, has_config: bool
) -> Iterator[tuple[str, object, str]]:
    state = from_jsonable(State, status.get("state", State.STOPPED), f"{where}.state")
    for key, value in status.items():
        if key == "controls_accepted" and state not in _SETTLED:
            continue  # the service accepts no controls in this state
        if key == "service_type" and has_config:
            continue  # a running service may have more bits than configured
        if key not in _STATUS_IGNORED:
            yield key, value, f"{where}.{key}"
