r"""Triggers: events on the machine that start or stop a service.

A trigger has a type, usually a subtype (a GUID), and up to 64 data items. Windows stores the items
as bytes, and :class:`TriggerData` keeps them unchanged, including items that this version cannot
interpret. The constructors create the documented forms and refuse an item that is too large; the
plain classes accept every value, and :func:`check_triggers` checks all limits before a write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from uuid import UUID

from winsvc._public import publish
from winsvc._util.checks import check_dword, check_type
from winsvc._util.jsonable import JSON, from_jsonable, json_object
from winsvc._util.text import check_text, pack_multi_string
from winsvc._values.rows import TriggerRow
from winsvc.enums import TriggerAction, TriggerDataType, TriggerType
from winsvc.errors import ValidationError

__all__ = [
    "CUSTOM_SYSTEM_STATE_CHANGE_EVENT_GUID",
    "DOMAIN_JOIN_GUID",
    "DOMAIN_LEAVE_GUID",
    "FIREWALL_PORT_CLOSE_GUID",
    "FIREWALL_PORT_OPEN_GUID",
    "MACHINE_POLICY_PRESENT_GUID",
    "NAMED_PIPE_EVENT_GUID",
    "NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID",
    "NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID",
    "RPC_INTERFACE_EVENT_GUID",
    "SUBTYPES",
    "USER_POLICY_PRESENT_GUID",
    "Trigger",
    "TriggerData",
    "check_triggers",
    "subtype_name",
]

NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID: Final = UUID("4f27f2de-14e2-430b-a549-7cd48cbc8245")
NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID: Final = UUID("cc4ba62a-162e-4648-847a-b6bdf993e335")
DOMAIN_JOIN_GUID: Final = UUID("1ce20aba-9851-4421-9430-1ddeb766e809")
DOMAIN_LEAVE_GUID: Final = UUID("ddaf516e-58c2-4866-9574-c3b615d42ea1")
FIREWALL_PORT_OPEN_GUID: Final = UUID("b7569e07-8421-4ee0-ad10-86915afdad09")
FIREWALL_PORT_CLOSE_GUID: Final = UUID("a144ed38-8e12-4de4-9d96-e64740b1a524")
MACHINE_POLICY_PRESENT_GUID: Final = UUID("659fcae6-5bdb-4da9-b1ff-ca2a178d46e0")
USER_POLICY_PRESENT_GUID: Final = UUID("54fb46c8-f089-464c-b1fd-59d1b62c3b50")
RPC_INTERFACE_EVENT_GUID: Final = UUID("bc90d167-9470-4139-a9ba-be0bbbf5b74d")
NAMED_PIPE_EVENT_GUID: Final = UUID("1f81d131-3fac-4537-9e0c-7e7b0c2f4b55")
CUSTOM_SYSTEM_STATE_CHANGE_EVENT_GUID: Final = UUID("2d7a2816-0c5e-45fc-9ce7-570e5ecde9c9")

SUBTYPES: Final[Mapping[str, UUID]] = MappingProxyType(
    {
        name: value
        for name, value in list(globals().items())
        if name.endswith("_GUID") and isinstance(value, UUID)
    }
)
"""The subtypes that Windows defines, by their Windows names (``"DOMAIN_JOIN_GUID"``)."""

# Limits of the protocol ([MS-SCMR] 2.2.52 to 2.2.54); RPC refuses a call that exceeds them.
MAX_TRIGGERS: Final = 64
MAX_ITEMS: Final = 64
MAX_DATA_SIZE: Final = 1024

_PIPE_PREFIX: Final = "\\\\.\\pipe\\"
_KEYWORDS: Final = (TriggerDataType.KEYWORD_ANY, TriggerDataType.KEYWORD_ALL)
_START: Final = TriggerAction.SERVICE_START
_STOP: Final = TriggerAction.SERVICE_STOP


def subtype_name(subtype: UUID) -> str | None:
    """Return the Windows name of a trigger subtype (``"DOMAIN_JOIN_GUID"``), or None."""
    return next((name for name, value in SUBTYPES.items() if value == subtype), None)


@dataclass(frozen=True, slots=True)
class TriggerData:
    """One data item of a trigger: bytes and their format.

    Attributes:
        type: the format of the bytes.
        raw: the bytes as Windows stores them.
    """

    type: TriggerDataType
    raw: bytes

    def __post_init__(self) -> None:
        check_dword(self.type, "type")
        check_type(self.raw, bytes, "raw")  # a bytearray could change later

    @classmethod
    def from_bytes(cls, raw: bytes) -> TriggerData:
        """Return a binary item.

        Raises:
            ValidationError: there are more than 1024 bytes.
        """
        return cls._checked(TriggerDataType.BINARY, raw, "raw")

    @classmethod
    def from_text(cls, text: str) -> TriggerData:
        """Return a string item: UTF-16 with a NUL at its end.

        Raises:
            TypeError: *text* is not a str.
            ValidationError: *text* contains a NUL or has more than 511 characters.
        """
        return cls._checked(TriggerDataType.STRING, _utf16(check_text(text, "text") + "\0"), "text")

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> TriggerData:
        """Return a string item with several strings: each with a NUL, and a NUL at the end.

        Raises:
            TypeError: *texts* is a single str, or an element is not a str.
            ValidationError: a string is empty or contains a NUL, or the item exceeds 1024 bytes.
        """
        packed = pack_multi_string(texts, "texts") + "\0"
        return cls._checked(TriggerDataType.STRING, _utf16(packed), "texts")

    @classmethod
    def from_level(cls, level: int) -> TriggerData:
        """Return an item with the highest level of the ETW events of the trigger: one byte.

        Raises:
            ValidationError: the level is not between 0 and 255.
        """
        return cls(TriggerDataType.LEVEL, _number(level, 1, "level"))

    @classmethod
    def from_keyword_any(cls, keyword: int) -> TriggerData:
        """Return an item with keywords, of which an ETW event must have at least one: 64 bits.

        Raises:
            ValidationError: the mask has more than 64 bits or is negative.
        """
        return cls(TriggerDataType.KEYWORD_ANY, _number(keyword, 8, "keyword"))

    @classmethod
    def from_keyword_all(cls, keyword: int) -> TriggerData:
        """Return an item with keywords, all of which an ETW event must have: 64 bits.

        Raises:
            ValidationError: the mask has more than 64 bits or is negative.
        """
        return cls(TriggerDataType.KEYWORD_ALL, _number(keyword, 8, "keyword"))

    @classmethod
    def _checked(cls, kind: TriggerDataType, raw: bytes, argument: str) -> TriggerData:
        _check_size(raw, argument)
        return cls(kind, raw)

    @property
    def texts(self) -> tuple[str, ...]:
        """The strings of a string item without the NULs at its end; () for other items."""
        if self.type != TriggerDataType.STRING:
            return ()
        # An odd last byte is not a character; raw contains it.
        units = self.raw[: len(self.raw) // 2 * 2]
        text = units.decode("utf-16-le", "surrogatepass").rstrip("\0")
        return tuple(text.split("\0")) if text else ()

    @property
    def text(self) -> str | None:
        """The string of a string item; None for other items, and if there are several strings."""
        if self.type != TriggerDataType.STRING or len(self.texts) > 1:
            return None
        return "".join(self.texts)

    @property
    def level(self) -> int | None:
        """The level of a level item; None for other items."""
        if self.type != TriggerDataType.LEVEL or len(self.raw) != 1:
            return None
        return self.raw[0]

    @property
    def keyword(self) -> int | None:
        """The mask of a keyword item; None for other items."""
        if self.type not in _KEYWORDS or len(self.raw) != 8:
            return None
        return int.from_bytes(self.raw, "little")

    def describe(self) -> str:
        """Return a description of the item in one line."""
        if self.texts:
            return ", ".join(map(repr, self.texts))
        if self.level is not None:
            return f"level {self.level}"
        if self.keyword is not None:
            which = "any" if self.type == TriggerDataType.KEYWORD_ANY else "all"
            return f"{which} of keywords {self.keyword:#x}"
        return f"{self.type.name.lower()} {self.raw.hex() or '(no bytes)'}"

    def to_json(self) -> dict[str, JSON]:
        """Return the item as :func:`json.dumps` accepts it, for :meth:`from_json`."""
        return json_object(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object], argument: str = "data") -> Self:
        """Read what :meth:`to_json` returned, as :meth:`Trigger.from_json` does."""
        return from_jsonable(cls, data, argument)


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that starts or stops a service.

    Attributes:
        type: the kind of event.
        action: whether the event starts or stops the service.
        subtype: the event of this kind, or its provider; None if there is none.
        data: the conditions of the event.
    """

    type: TriggerType
    action: TriggerAction
    subtype: UUID | None = None
    data: tuple[TriggerData, ...] = ()

    def __post_init__(self) -> None:
        check_dword(self.type, "type")
        check_dword(self.action, "action")
        check_type(self.subtype, (UUID, type(None)), "subtype")
        check_type(self.data, tuple, "data")
        for index, item in enumerate(self.data):
            check_type(item, TriggerData, f"data[{index}]")

    @classmethod
    def from_row(cls, row: TriggerRow) -> Trigger:
        """Create a trigger from the fields of a ``SERVICE_TRIGGER``."""
        return cls(
            TriggerType(row.trigger_type),
            TriggerAction(row.action),
            None if row.subtype is None else UUID(bytes_le=row.subtype),
            tuple(TriggerData(TriggerDataType(kind), raw) for kind, raw in row.data_items),
        )

    def to_row(self) -> TriggerRow:
        """Return the fields of a ``SERVICE_TRIGGER``."""
        return TriggerRow(
            int(self.type),
            int(self.action),
            None if self.subtype is None else self.subtype.bytes_le,
            tuple((int(item.type), item.raw) for item in self.data),
        )

    @classmethod
    def on_ip_available(cls, *, action: TriggerAction = _START) -> Trigger:
        """Return a trigger for the first IP address of the machine."""
        subtype = NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID
        return cls(TriggerType.IP_ADDRESS_AVAILABILITY, action, subtype)

    @classmethod
    def on_ip_lost(cls, *, action: TriggerAction = _STOP) -> Trigger:
        """Return a trigger for the removal of the last IP address of the machine."""
        subtype = NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID
        return cls(TriggerType.IP_ADDRESS_AVAILABILITY, action, subtype)

    @classmethod
    def on_domain_join(cls, *, action: TriggerAction = _START) -> Trigger:
        """Return a trigger for joining a domain, and for each boot of a domain member."""
        return cls(TriggerType.DOMAIN_JOIN, action, DOMAIN_JOIN_GUID)

    @classmethod
    def on_domain_leave(cls, *, action: TriggerAction = _STOP) -> Trigger:
        """Return a trigger for leaving the domain."""
        return cls(TriggerType.DOMAIN_JOIN, action, DOMAIN_LEAVE_GUID)

    @classmethod
    def on_group_policy(cls, *, machine: bool = True, action: TriggerAction = _START) -> Trigger:
        """Return a trigger for changes of the group policy.

        Args:
            machine: the policy of the machine; with False, the policy of a user.
            action: start or stop.
        """
        subtype = MACHINE_POLICY_PRESENT_GUID if machine else USER_POLICY_PRESENT_GUID
        return cls(TriggerType.GROUP_POLICY, action, subtype)

    @classmethod
    def on_firewall_port(
        cls,
        port: int | str,
        protocol: str,
        *,
        program: str | None = None,
        service: str | None = None,
        action: TriggerAction = _START,
    ) -> Trigger:
        """Return a trigger for the opening of a firewall port.

        Args:
            port: 1 to 65535, or a name that Windows defines, such as ``"RPC"``.
            protocol: ``"TCP"`` or ``"UDP"``.
            program: the path of the listening program, ``"system"`` for the kernel; None for any.
            service: the service in the program, or the user as a name or SID; None for any.
            action: start or stop.

        Raises:
            ValidationError: the port is out of range, an argument is empty, or there is a service
                without a program.
        """
        item = _firewall_item(port, protocol, program, service)
        return cls(TriggerType.FIREWALL_PORT_EVENT, action, FIREWALL_PORT_OPEN_GUID, (item,))

    @classmethod
    def on_firewall_port_closed(
        cls,
        port: int | str,
        protocol: str,
        *,
        program: str | None = None,
        service: str | None = None,
        action: TriggerAction = _STOP,
    ) -> Trigger:
        """Return a trigger for the closing of a firewall port, about 60 seconds later.

        The arguments are those of :meth:`on_firewall_port`.
        """
        item = _firewall_item(port, protocol, program, service)
        return cls(TriggerType.FIREWALL_PORT_EVENT, action, FIREWALL_PORT_CLOSE_GUID, (item,))

    @classmethod
    def on_named_pipe(cls, name: str) -> Trigger:
        r"""Return a trigger for the opening of a named pipe (Windows 8 and later).

        This trigger can start a service only.

        Args:
            name: the name of the pipe, with or without ``\\.\pipe\``, which is not stored.

        Raises:
            ValidationError: the name is empty or too long, or contains a NUL.
        """
        check_text(name, "name", empty=False)
        if name.lower().startswith(_PIPE_PREFIX):
            name = check_text(name[len(_PIPE_PREFIX) :], "name", empty=False)
        data = (TriggerData.from_text(name),)
        return cls(TriggerType.NETWORK_ENDPOINT, _START, NAMED_PIPE_EVENT_GUID, data)

    @classmethod
    def on_rpc_interface(cls, interface: UUID | str) -> Trigger:
        """Return a trigger for the call of an RPC interface (Windows 8 and later).

        This trigger can start a service only.

        Args:
            interface: the UUID of the interface.

        Raises:
            ValidationError: *interface* is not a UUID.
        """
        data = (TriggerData.from_text(str(from_jsonable(UUID, interface, "interface"))),)
        return cls(TriggerType.NETWORK_ENDPOINT, _START, RPC_INTERFACE_EVENT_GUID, data)

    @classmethod
    def on_device_arrival(
        cls, interface: UUID | str, *hardware_ids: str, action: TriggerAction = _START
    ) -> Trigger:
        r"""Return a trigger for the arrival of a device, or its presence when the system starts.

        Args:
            interface: the GUID of the device interface class.
            *hardware_ids: hardware or compatible IDs, such as ``USBSTOR\GenDisk``, of which the
                device must have at least one; without IDs, any device of the class.
            action: start or stop.

        Raises:
            ValidationError: *interface* is not a GUID, or an ID is empty or too long, or contains
                a NUL.
        """
        for index, hardware_id in enumerate(hardware_ids):
            check_text(hardware_id, f"hardware_ids[{index}]", empty=False)
        data = tuple(map(TriggerData.from_text, hardware_ids))
        subtype = from_jsonable(UUID, interface, "interface")
        return cls(TriggerType.DEVICE_INTERFACE_ARRIVAL, action, subtype, data)

    @classmethod
    def on_etw_event(
        cls, provider: UUID | str, *data: TriggerData, action: TriggerAction = _START
    ) -> Trigger:
        """Return a trigger for an event of a provider of Event Tracing for Windows.

        Args:
            provider: the GUID of the provider.
            *data: the conditions of the event: level, keywords, or data that the provider defines.
            action: start or stop.

        Raises:
            ValidationError: *provider* is not a GUID.
        """
        return cls(TriggerType.CUSTOM, action, from_jsonable(UUID, provider, "provider"), data)

    def describe(self) -> str:
        """Return a description of the trigger in one line."""
        verb = {_START: "start", _STOP: "stop"}.get(self.action, f"action {self.action:#x}")
        event = _EVENTS.get(self.subtype) or _EVENTS_OF_ANY_SUBTYPE.get(self.type)
        if event is None:
            event = f"on {self.type.name.lower()}"
        if self.subtype is not None and self.subtype not in _EVENTS:
            event += f" {self.subtype}"
        items = "; ".join(item.describe() for item in self.data)
        return f"{verb} {event}: {items}" if items else f"{verb} {event}"

    def to_json(self) -> dict[str, JSON]:
        """Return the trigger as :func:`json.dumps` accepts it, for :meth:`from_json`."""
        return json_object(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object], argument: str = "trigger") -> Self:
        """Read what :meth:`to_json` returned.

        Args:
            data: the plain dict.
            argument: the name of the argument in an error.

        Raises:
            TypeError: a part of *data* is of the wrong type.
            ValidationError: a part is invalid, missing or unknown.
        """
        return from_jsonable(cls, data, argument)


_EVENTS: Final[Mapping[UUID | None, str]] = {
    NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID: "when the first IP address is available",
    NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID: "when the last IP address is removed",
    DOMAIN_JOIN_GUID: "when the machine joins a domain",
    DOMAIN_LEAVE_GUID: "when the machine leaves its domain",
    FIREWALL_PORT_OPEN_GUID: "when a firewall port is opened",
    FIREWALL_PORT_CLOSE_GUID: "when a firewall port is closed",
    MACHINE_POLICY_PRESENT_GUID: "when the machine's group policy changes",
    USER_POLICY_PRESENT_GUID: "when a user's group policy changes",
    RPC_INTERFACE_EVENT_GUID: "when an RPC interface is called",
    NAMED_PIPE_EVENT_GUID: "when a named pipe is opened",
    CUSTOM_SYSTEM_STATE_CHANGE_EVENT_GUID: "when a system state changes",
}

_EVENTS_OF_ANY_SUBTYPE: Final[Mapping[TriggerType, str]] = {
    TriggerType.DEVICE_INTERFACE_ARRIVAL: "when a device arrives of class",
    TriggerType.CUSTOM: "on an event of ETW provider",
    TriggerType.AGGREGATE: "on the aggregate event",
}


def check_triggers(triggers: Iterable[Trigger], argument: str = "triggers") -> tuple[Trigger, ...]:
    """Check triggers against the limits of Windows before they are written.

    Args:
        triggers: the triggers of one service.
        argument: the name of the argument in an error.

    Returns:
        The triggers.

    Raises:
        ValidationError: there are more than 64 triggers, a trigger has more than 64 data items, or
            an item has more than 1024 bytes.
    """
    checked = tuple(triggers)
    if len(checked) > MAX_TRIGGERS:
        raise ValidationError(
            argument, f"must have at most {MAX_TRIGGERS} triggers, not {len(checked)}"
        )
    for index, trigger in enumerate(checked):
        where = f"{argument}[{index}].data"
        if len(trigger.data) > MAX_ITEMS:
            raise ValidationError(
                where, f"must have at most {MAX_ITEMS} items, not {len(trigger.data)}"
            )
        for number, item in enumerate(trigger.data):
            _check_size(item.raw, f"{where}[{number}]")
    return checked


def _check_size(raw: bytes, argument: str) -> None:
    if len(raw) > MAX_DATA_SIZE:
        raise ValidationError(argument, f"must have at most {MAX_DATA_SIZE} bytes, not {len(raw)}")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _number(value: int, size: int, argument: str) -> bytes:
    try:
        return value.to_bytes(size, "little")
    except OverflowError:
        raise ValidationError(
            argument, f"must be from 0 to {(1 << 8 * size) - 1:#x}, not {value:#x}"
        ) from None


def _firewall_item(
    port: int | str, protocol: str, program: str | None, service: str | None
) -> TriggerData:
    if isinstance(port, int) and not 1 <= port <= 65535:
        raise ValidationError("port", f"must be from 1 to 65535, not {port}")
    if service is not None and program is None:
        # Only the order distinguishes the strings.
        raise ValidationError("service", "must not be specified without a program")
    strings = {"port": str(port), "protocol": protocol, "program": program, "service": service}
    return TriggerData.from_texts(
        check_text(text, name, empty=False) for name, text in strings.items() if text is not None
    )


publish(__name__)
