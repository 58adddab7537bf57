"""The native backend: the only package that uses the compiled module's ``ffi`` and ``lib``."""

from winsvc._native.backend import NativeBackend

__all__ = ["NativeBackend"]
