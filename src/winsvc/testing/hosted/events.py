"""Events whose waits take simulated time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from winsvc.testing.hosted.scheduler import SHORTEST, CooperativeScheduler, Pause

__all__ = ["SimulatedEvent", "WaitUntil"]


WaitUntil: TypeAlias = Callable[[Callable[[], bool], threading.Event, float | None, bool], object]
"""The wait of a thread that takes no turns; see ``Simulation.wait_until``."""


class SimulatedEvent:
    """A :class:`winsvc.backend.HostEvent`: its waits take simulated time.

    Threads that a service has started with :mod:`threading` wait for others to let time pass, and
    run beside them; the threads of tests let it pass.
    """

    def __init__(self, scheduler: CooperativeScheduler, wait_until: WaitUntil) -> None:
        self._scheduler = scheduler
        self._wait_until = wait_until
        self._of_process = scheduler.owner() is not None
        self._event = threading.Event()
        self._pauses: list[Pause] = []

    def set(self) -> None:
        with self._scheduler.lock:
            if not self._event.is_set():
                self._event.set()
                for pause in self._pauses:
                    self._scheduler.clock.after(0, pause.resume)

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        self._scheduler.check()
        if self._scheduler.is_hosted():
            with self._scheduler.lock:
                if not self._event.is_set():
                    self._wait_for_turn(timeout)
        else:
            # A service's own threads leave it to those of the test.
            drives = not self._of_process or (threading.current_thread() is threading.main_thread())
            self._wait_until(self._event.is_set, self._event, timeout, drives)
        return self._event.is_set()

    def _wait_for_turn(self, timeout: float | None) -> None:
        pause = self._scheduler.pause()
        self._pauses.append(pause)
        try:
            self._scheduler.wait(pause, None if timeout is None else max(timeout, SHORTEST))
        finally:
            self._pauses.remove(pause)
