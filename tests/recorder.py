"""A backend that answers from a script: for what no real SCM does at will."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from winsvc import Service, ServiceManager
from winsvc._values.rows import (
    ConfigRow,
    FailureActionsRow,
    LockRow,
    PreferredNodeRow,
    StatusRow,
    UserObjectFlagsRow,
)
from winsvc.backend import Backend, Capabilities
from winsvc.errors import win32_error

STOPPED = StatusRow(0x10, 1, 0, 0, 0, 0, 0, 0, 0)
CONFIG = ConfigRow(0x10, 3, 1, r"C:\x.exe", "", 0, (), "LocalSystem", "X")


@dataclass(frozen=True)
class Call:
    """A recorded call of a backend method.

    Each argument is an attribute with the name of its parameter in :class:`Backend`.
    """

    method: str
    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(f"{self.method} has no parameter {name!r}") from None


class Recorder:
    """Every method of :class:`Backend`; ``answers`` overrides what one returns or raises.

    An answer is a value, an exception, or a function of the call's arguments.
    """

    def capabilities(self, machine: str | None) -> Capabilities:
        return Capabilities(notifies=machine is None, concurrency=1)

    def query_configs(self, manager: int, names: Sequence[str]) -> list[ConfigRow | None]:
        return [None] * len(names)

    def __init__(self, **answers: object) -> None:
        self.calls: list[Call] = []
        self.now = 0.0
        self.open: set[int] = set()
        self._next = 0x100
        self.answers: dict[str, object] = {
            "close_service_handle": self.open.discard,
            "open_sc_manager": self._handle,
            "open_service": self._handle,
            "create_service": lambda *arguments: (self._handle(), None),
            "query_service_status_ex": STOPPED,
            "query_service_config": CONFIG,
            "query_failure_actions": FailureActionsRow(0, None, None, ()),
            "query_preferred_node": PreferredNodeRow(0, True),
            "query_service_lock_status": LockRow(0, "", 0),
            "query_triggers": (),
            "query_config_number": 0,
            "enum_dependent_services": [],
            "control_service": STOPPED,
            "control_service_ex": STOPPED,
            "monotonic": lambda: self.now,
            "sleep": self._sleep,
            "open_waiter": self._handle,
            "close_waiter": self.open.discard,
            "arm": win32_error(120, "NotifyServiceStatusChangeW"),
            "subscribe": win32_error(120, "SubscribeServiceChangeNotifications"),
            "disarm": lambda waiter, handle: self.open.discard(handle),
            "wait_notified": self._wait_notified,
            "open_window_station": self._handle,
            "create_window_station": self._handle,
            "close_window_station": self.open.discard,
            "get_process_window_station": 0x44,
            "open_desktop": self._handle,
            "open_input_desktop": self._handle,
            "create_desktop": self._handle,
            "close_desktop": self.open.discard,
            "get_current_thread_id": 7,
            "get_thread_desktop": 0x48,
            "enum_desktop_windows": [],
            "query_user_object_flags": UserObjectFlagsRow(0, 0, 0),
            "query_user_object_text": "Desktop",
            **answers,
        }

    def _handle(self, *arguments: object) -> int:
        self._next += 1
        self.open.add(self._next)
        return self._next

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _wait_notified(self, waiter: int, timeout: float) -> list[object]:
        self.now += timeout
        return []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not hasattr(Backend, name):
            raise AttributeError(name)
        signature = inspect.signature(getattr(Backend, name))

        def method(*arguments: object) -> object:
            _, *values = signature.bind(self, *arguments).arguments.items()
            self.calls.append(Call(name, dict(values)))
            answer = self.answers.get(name)
            if isinstance(answer, BaseException):
                raise answer
            return answer(*arguments) if callable(answer) else answer

        return method

    @property
    def backend(self) -> Backend:
        return cast(Backend, self)

    def called(self, *names: str) -> list[Call]:
        """Return the calls of these methods, in order."""
        return [call for call in self.calls if call.method in names]

    @property
    def changes(self) -> list[Call]:
        """The calls that change a setting."""
        return [call for call in self.calls if call.method.startswith("change_")]


def refuse_without(needed: int, function: str) -> Callable[..., int]:
    """Return an ``open`` that refuses all rights but these, like a security descriptor."""

    def opener(*arguments: object) -> int:
        access = arguments[-1]
        assert isinstance(access, int)
        if access & ~needed:
            raise win32_error(5, function)
        return 0x77

    return opener


def opened(recorder: Recorder) -> Service:
    """Open the service ``x``."""
    with ServiceManager(backend=recorder.backend) as scm:
        return scm.open("x")
