"""A service that watches a folder: each new file is counted, and moved to "done" beside it.

Usage: python inbox.py install|start [FOLDER]|stop|remove|status|debug [FOLDER]
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from winsvc import State
from winsvc.host import CustomControl, ServiceBase, run

log = logging.getLogger("inbox")


class Inbox(ServiceBase):
    """Takes what comes into a folder: every second, and at once at control 128; can be paused."""

    name, display_name = "inbox", "Inbox"
    description = "Takes the files that come into a folder."

    def __init__(self) -> None:
        self.folder = Path(self.arguments[0] if self.arguments else "inbox").resolve()
        self.done = self.folder / "done"
        self.taken = 0
        self._taking = threading.Lock()

    def main(self) -> None:
        with self.pending_operation("taking the files that have arrived", hint=60):
            self.done.mkdir(parents=True, exist_ok=True)
            self.take()
        self.report_running()
        while not self.stop_requested.wait(1):
            self.take_if_running()
        log.info("took %d files", self.taken)

    def take_if_running(self) -> None:
        """Take the files that are there, unless the service is paused, or about to be."""
        with self._taking:
            if self.state is State.RUNNING:
                self.take()

    def take(self) -> None:
        """Take the files that are there."""
        for path in sorted(self.folder.iterdir()):
            if path.is_file():
                path.replace(self.done / path.name)
                self.taken += 1
                log.info("took %s", path.name)

    def on_pause(self) -> None:
        with self._taking:  # PAUSED is reported when this is through: nothing is taken any more
            log.info("paused")

    def on_continue(self) -> None:
        log.info("continued")

    def on_custom(self, event: CustomControl) -> None:
        if event.code == 128:
            self.take_if_running()


if __name__ == "__main__":
    run(Inbox)
