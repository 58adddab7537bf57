"""Real time, threads and events, for backends that do not simulate them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

__all__ = ["RealTime"]

T = TypeVar("T")


class RealTime:
    """The time, threads and events of a backend."""

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        # A daemon, because a thread that hangs must not keep the process alive.
        threading.Thread(target=target, name=name, daemon=True).start()

    def new_event(self) -> threading.Event:
        return threading.Event()

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        import asyncio  # loading asyncio takes longer than a listing

        return asyncio.run(coroutine)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
