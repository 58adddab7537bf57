"""Queries about the calling process."""

from __future__ import annotations

from winsvc._public import publish
from winsvc.backend import default_backend

__all__ = ["is_elevated"]


def is_elevated() -> bool:
    """Return whether this process runs with administrator rights (an elevated token).

    Services that run as LocalSystem are elevated. With a simulated SCM in use, return whether the
    simulated caller is an administrator or LocalSystem.

    Raises:
        UnsupportedError: this is not Windows, where the question has no meaning.
        Win32Error: the query failed (``GetTokenInformation``).
    """
    return default_backend().is_elevated()


publish(__name__)
