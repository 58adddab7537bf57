"""The module name of the public classes: ``winsvc``, wherever a class is defined."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import Any, ForwardRef

__all__ = ["publish"]


def publish(module: str) -> None:
    """Set the module name of exported classes and functions to the module that exports them.

    Each module with names that ``winsvc`` exports, and each public package, calls this function
    at its end. So reprs, tracebacks and pickles never contain the path of a private module.

    Args:
        module: the ``__name__`` of the module.
    """
    namespace = vars(sys.modules[module])
    exported = vars(sys.modules["winsvc"])["_EXPORTS"].get(module, ())
    public = dict.fromkeys(namespace["__all__"] if "__path__" in namespace else (), module)
    for name, target in (public | dict.fromkeys(exported, "winsvc")).items():
        value = namespace[name]
        if isinstance(value, (type, FunctionType)) and value.__module__.startswith("winsvc."):
            if isinstance(value, type) and "__annotations__" in vars(value):
                _bind_annotations(value, value.__module__)
            value.__module__ = target


def _bind_annotations(kind: type, module: str) -> None:
    """Evaluate annotations in the module of the definition, as ``get_type_hints`` does.

    It would otherwise look the names up in the module that is named by ``__module__``.
    """
    annotations: dict[str, Any] = vars(kind)["__annotations__"]
    fields = getattr(kind, "__dataclass_fields__", {})
    for name, annotation in annotations.items():
        text = getattr(annotation, "__forward_arg__", annotation)
        if isinstance(text, str):
            annotations[name] = ForwardRef(text, module=module, is_class=True)
            if name in fields:
                fields[name].type = annotations[name]
