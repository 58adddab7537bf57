"""Time, threads and events as they are: what a backend has that simulates none of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

__all__ = ["RealTime"]

T = TypeVar("T")


class RealTime:
    """The part of a backend in which things go on, and wait."""

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        # A daemon: what hangs must not keep the process of a stopped service.
        threading.Thread(target=target, name=name, daemon=True).start()

    def new_event(self) -> threading.Event:
        return threading.Event()

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        import asyncio  # which takes longer to load than a listing does

        return asyncio.run(coroutine)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
