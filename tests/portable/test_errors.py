"""Error classes: selection, messages and pickling."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from winsvc import errors
from winsvc.enums import ErrorCode
from winsvc.errors import Win32Error, win32_error

CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Win32Error)
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_class_is_an_oserror_and_survives_pickling(kind: type[Win32Error]) -> None:
    error = kind(5, "OpenServiceW", "Access is denied.", object_name="beat", machine="build07")
    error.hint = "a hint"
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)
        assert (twin.winerror, twin.errno, twin.strerror) == (5, error.errno, "Access is denied.")
    assert isinstance(error, OSError)
    assert kind.__doc__


@pytest.mark.parametrize(
    ("code", "kind", "builtin"),
    [
        (5, errors.AccessDeniedError, PermissionError),
        (1314, errors.AccessDeniedError, PermissionError),
        (2, errors.NotFoundError, LookupError),
        (1060, errors.ServiceNotFoundError, LookupError),
        (1065, errors.DatabaseNotFoundError, LookupError),
        (1073, errors.ServiceExistsError, FileExistsError),
        (1078, errors.ServiceExistsError, FileExistsError),
        (183, errors.AlreadyExistsError, FileExistsError),
        (1722, errors.MachineUnreachableError, ConnectionError),
        (6, errors.HandleClosedError, ValueError),
        (87, errors.InvalidParameterError, ValueError),
        (123, errors.InvalidNameError, ValueError),
        (124, errors.UnsupportedError, NotImplementedError),
        (1460, errors.WaitTimeoutError, TimeoutError),
        (1051, errors.DependentServicesRunningError, OSError),
        (1052, errors.ControlRefusedError, OSError),
        (1061, errors.ControlRefusedError, OSError),
        (1053, errors.ServiceStartError, OSError),
        (1067, errors.ServiceStartError, OSError),
        (1055, errors.DatabaseLockedError, OSError),
        (1056, errors.ServiceAlreadyRunningError, OSError),
        (1058, errors.ServiceDisabledError, OSError),
        (1062, errors.ServiceNotActiveError, OSError),
        (1072, errors.MarkedForDeleteError, OSError),
        (4711, Win32Error, OSError),
    ],
)
def test_service_error_picks_class_by_error_code(
    code: int, kind: type[Win32Error], builtin: type[BaseException]
) -> None:
    error = win32_error(code, "SomeCallW")
    assert type(error) is kind
    assert isinstance(error, builtin)
    assert error.winerror == code


def test_error_message_names_call_service_machine_and_code() -> None:
    error = win32_error(1060, "OpenServiceW", "No such service.", object_name="x", machine="m")
    assert str(error) == (
        "OpenServiceW failed for 'x' on m: No such service (error 1060). "
        "Services are opened by key name, not by display name."
    )
    assert "on this machine" in str(win32_error(5, "OpenSCManagerW"))


def test_locate_fills_missing_context_only() -> None:
    error = win32_error(5, "OpenServiceW")
    error.add_context(object_name="inner", hint="first")
    error.add_context(object_name="outer", machine="m", hint="second")
    assert (error.object_name, error.machine, error.hint) == ("inner", "m", "first")


def test_error_without_text_uses_name_of_code() -> None:
    assert win32_error(1060, "f").strerror == "Service does not exist"
    assert win32_error(9999, "f").strerror == "Unknown 0x270f"


def test_error_codes_are_sorted_by_value() -> None:
    assert list(ErrorCode) == sorted(ErrorCode)
