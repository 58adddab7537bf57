"""The JSON Schema of the document that ``winsvc export`` writes."""

from __future__ import annotations

from typing import Final

from winsvc._util.jsonable import JSON, schema
from winsvc._values.account import Account
from winsvc._values.dependency import Dependency
from winsvc._values.snapshot import FORMAT, ErrorParts, ServiceSnapshot
from winsvc.errors import Win32Error
from winsvc.security import SecurityDescriptor

__all__ = ["export_schema"]

_DEPENDENCY: Final[dict[str, JSON]] = {
    "type": "string",
    "minLength": 1,
    "description": "the key name of a service, or '+' and the name of a load-order group",
}
_SECURITY: Final[dict[str, JSON]] = {
    "anyOf": [
        {"type": "string", "description": "SDDL"},
        {
            "type": "object",
            "properties": {"bytes": schema(bytes, {}, {})},
            "required": ["bytes"],
            "additionalProperties": False,
        },
    ]
}


def export_schema() -> dict[str, JSON]:
    """Return the JSON Schema (2020-12) of a document with snapshots."""
    definitions: dict[str, JSON] = {}
    text: dict[str, JSON] = {"type": "string"}
    error = schema(ErrorParts, definitions, {})
    special = {
        Account: text,
        Dependency: _DEPENDENCY,
        SecurityDescriptor: _SECURITY,
        Win32Error: error,
    }
    snapshot = schema(ServiceSnapshot, definitions, special)
    parts = definitions[ErrorParts.__name__]
    assert isinstance(parts, dict)
    # Context that is the same as that of the snapshot is omitted.
    parts["required"] = ["winerror", "function", "message"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"winsvc export, version {FORMAT}",
        "type": "object",
        "properties": {
            "winsvc": {"const": FORMAT, "description": "the version of the document"},
            "machine": schema(str | None, definitions, special),
            "services": {"type": "array", "items": snapshot},
        },
        "required": ["winsvc", "machine", "services"],
        "additionalProperties": False,
        "$defs": definitions,
    }
