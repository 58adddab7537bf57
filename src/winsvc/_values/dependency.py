"""Dependencies of services, on other services and on load-order groups.

In a stored list of dependencies, a load-order group has a leading ``+``. Here, services and groups
have separate types.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from winsvc._public import publish
from winsvc._util.text import check_list, check_text
from winsvc.errors import ValidationError

__all__ = [
    "Dependency",
    "GroupDependency",
    "ServiceDependency",
    "parse_dependencies",
    "parse_dependency",
]

_GROUP_MARK: Final = "+"  # SC_GROUP_IDENTIFIER


@dataclass(frozen=True, slots=True)
class ServiceDependency:
    """A service that must run first.

    The name is only checked for what would break the list, so that every stored list can be read.
    """

    name: str

    def __post_init__(self) -> None:
        check_text(self.name, "dependency", empty=False)
        if self.name.startswith(_GROUP_MARK):
            raise ValidationError(
                "dependency", f"{self.name!r} has the prefix of a group; use GroupDependency"
            )

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GroupDependency:
    """A load-order group of which at least one member must run first."""

    name: str

    def __post_init__(self) -> None:
        check_text(self.name, "dependency")

    def __str__(self) -> str:
        return _GROUP_MARK + self.name


Dependency = ServiceDependency | GroupDependency


def parse_dependency(text: str, argument: str = "dependency") -> Dependency:
    """Parse one dependency: ``"name"`` is a service, ``"+name"`` a group.

    Args:
        text: the dependency as Windows stores it.
        argument: the name of the argument in an error.

    Returns:
        The dependency; its ``str()`` is *text*.

    Raises:
        TypeError: *text* is not a str.
        ValidationError: *text* is empty or contains a NUL.
    """
    check_text(text, argument, empty=False)
    if text.startswith(_GROUP_MARK):
        return GroupDependency(text[1:])
    return ServiceDependency(text)


def parse_dependencies(
    items: Iterable[str | Dependency], argument: str = "dependencies"
) -> tuple[Dependency, ...]:
    """Parse a list of dependencies; elements may be texts or dependencies.

    Args:
        items: the dependencies. A single str is refused, because ``"abc"`` would be a, b and c.
        argument: the name of the list in an error.

    Returns:
        The dependencies, in order.

    Raises:
        TypeError: *items* is a str or not iterable, or an element is neither a str nor a
            dependency.
        ValidationError: an element is empty or contains a NUL.
    """
    check_list(items, argument)
    return tuple(
        item
        if isinstance(item, (ServiceDependency, GroupDependency))
        else parse_dependency(item, f"{argument}[{index}]")
        for index, item in enumerate(items)
    )


publish(__name__)
