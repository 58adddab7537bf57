"""The event log: ``advapi32.dll``, and the registry keys of the event sources."""

from __future__ import annotations

import winreg
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import check, handle_of, handle_value, wide
from winsvc._util.text import check_text
from winsvc.errors import NotFoundError, win32_error

# Any: the type checker knows the module's content on Windows only.
_registry: Any = winreg
_MACHINE: Final = _registry.HKEY_LOCAL_MACHINE

_LOGS: Final = r"SYSTEM\CurrentControlSet\Services\EventLog"
_APPLICATION: Final = rf"{_LOGS}\Application"


class EventLog:
    """The part of the backend that writes to the event log."""

    def register_event_source(self, source: str) -> int:
        handle = lib.RegisterEventSourceW(ffi.NULL, wide(source, "source"))
        return handle_value(handle, "RegisterEventSourceW")

    def deregister_event_source(self, handle: int) -> None:
        check(lib.DeregisterEventSource(handle_of(handle)), "DeregisterEventSource")

    def report_event(
        self,
        handle: int,
        event_type: int,
        category: int,
        event_id: int,
        strings: Sequence[str],
        data: bytes,
    ) -> None:
        texts = [wide(text, f"strings[{index}]") for index, text in enumerate(strings)]
        done = lib.ReportEventW(
            handle_of(handle),
            event_type,
            category,
            event_id,
            ffi.NULL,
            len(texts),
            len(data),
            ffi.new("LPCWSTR[]", texts) if texts else ffi.NULL,
            ffi.new("BYTE[]", data) if data else ffi.NULL,
        )
        check(done, "ReportEventW")

    # ------------------------------------------------------------------- the sources

    def write_event_source(self, source: str, message_file: str, types: int) -> None:
        check_text(message_file, "message_file")
        path = _source_key("Application", source)
        with _registry_errors("RegCreateKeyExW", source):
            key = _registry.CreateKeyEx(_MACHINE, path, 0, _registry.KEY_SET_VALUE)
        with key, _registry_errors("RegSetValueExW", source):
            _registry.SetValueEx(key, "EventMessageFile", 0, _registry.REG_EXPAND_SZ, message_file)
            _registry.SetValueEx(key, "TypesSupported", 0, _registry.REG_DWORD, types)

    def read_event_source(self, source: str, log: str = "Application") -> tuple[str, int] | None:
        path = _source_key(log, source)
        try:
            with _registry_errors("RegOpenKeyExW", source):
                key = _registry.OpenKeyEx(_MACHINE, path)
        except NotFoundError:
            return None
        values: dict[str, object] = {}
        with key:
            for name in ("EventMessageFile", "TypesSupported"):
                try:
                    with _registry_errors("RegQueryValueExW", source):
                        values[name] = _registry.QueryValueEx(key, name)[0]
                except NotFoundError:
                    pass  # the source does not have this value
        file, types = values.get("EventMessageFile"), values.get("TypesSupported")
        # Other programs may have written values of another type.
        return file if isinstance(file, str) else "", types if isinstance(types, int) else 0

    def delete_event_source(self, source: str) -> None:
        _source_key("Application", source)
        try:
            with _registry_errors("RegOpenKeyExW", source):
                key = _registry.OpenKeyEx(_MACHINE, _APPLICATION)
            with key, _registry_errors("RegDeleteKeyW", source):
                _registry.DeleteKey(key, source)
        except NotFoundError:
            pass

    def enum_event_logs(self) -> list[str]:
        try:
            with _registry_errors("RegOpenKeyExW"):
                key = _registry.OpenKeyEx(_MACHINE, _LOGS)
        except NotFoundError:
            return []
        names: list[str] = []
        with key, _registry_errors("RegEnumKeyExW"):
            while True:
                try:
                    names.append(_registry.EnumKey(key, len(names)))
                except OSError as error:
                    if _code(error) != lib.ERROR_NO_MORE_ITEMS:
                        raise
                    return names


def _source_key(log: str, source: str) -> str:
    """Return the path of a source's key; refuse NULs, which would truncate the path."""
    return rf"{_LOGS}\{check_text(log, 'log')}\{check_text(source, 'source')}"


@contextmanager
def _registry_errors(function: str, source: str | None = None) -> Iterator[None]:
    """Convert errors of the registry functions into errors of this library."""
    try:
        yield
    except OSError as error:
        raise win32_error(_code(error), function, error.strerror, object_name=source) from None


def _code(error: Any) -> int:
    """Return the Windows error code of an OSError; the attribute exists on Windows only."""
    return int(error.winerror)
