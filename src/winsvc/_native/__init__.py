"""The fence: the only package that sees the compiled module's ``ffi`` and ``lib``."""

from winsvc._native.backend import NativeBackend

__all__ = ["NativeBackend"]
