"""The refusal of a call by the simulated system."""

from __future__ import annotations

from winsvc._values.rows import StatusRow

__all__ = ["RefusalError"]


class RefusalError(Exception):
    """An error code, on its way to the call that it belongs to.

    The call turns it into the typed error with its own name. ``status`` is the status that
    the system returns with some refused controls.
    """

    def __init__(self, code: int, status: StatusRow | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
