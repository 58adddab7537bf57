"""A service that writes a line every few seconds.

Usage: python heartbeat.py install|start|stop|remove|status|debug
"""

from __future__ import annotations

import logging

from winsvc import Settings, StartType
from winsvc.host import ServiceBase, run

log = logging.getLogger("heartbeat")


class Heartbeat(ServiceBase):
    """Beats until it is stopped, faster if it is started with a number of seconds."""

    name, display_name = "heartbeat", "Heartbeat"
    description = "Writes a line to the event log every few seconds."
    settings = Settings(start_type=StartType.AUTOMATIC)

    def main(self) -> None:
        every = float(self.arguments[0]) if self.arguments else 5.0
        self.report_running()
        while not self.stop_requested.wait(every):
            log.info("beat")


if __name__ == "__main__":
    run(Heartbeat)
