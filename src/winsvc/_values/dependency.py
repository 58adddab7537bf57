"""Dependencies of services, on other services and on load-order groups.

In a list of dependencies a load-order group is told from a service by a leading ``+``. Here both
are types, and every refusal says which argument was wrong, and why.
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
    """A service that has to run first.

    The name is checked only as far as the list needs it: what a system has stored can be read.
    """

    name: str

    def __post_init__(self) -> None:
        check_text(self.name, "dependency", empty=False)
        if self.name.startswith(_GROUP_MARK):
            raise ValidationError(
                "dependency", f"{self.name!r} would be read as a group: use GroupDependency"
            )

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class GroupDependency:
    """A load-order group of which at least one member has to run first."""

    name: str

    def __post_init__(self) -> None:
        check_text(self.name, "dependency")

    def __str__(self) -> str:
        return _GROUP_MARK + self.name


Dependency = ServiceDependency | GroupDependency


def parse_dependency(text: str, argument: str = "dependency") -> Dependency:
    """Read one dependency: ``"name"`` is a service, ``"+name"`` a group.

    Args:
        text: the dependency as Windows writes it.
        argument: how to call it in an error.

    Returns:
        The dependency; its ``str()`` is the text again.

    Raises:
        TypeError: it is not a str.
        ValidationError: it is empty or has a NUL.
    """
    check_text(text, argument, empty=False)
    if text.startswith(_GROUP_MARK):
        return GroupDependency(text[1:])
    return ServiceDependency(text)


def parse_dependencies(
    items: Iterable[str | Dependency], argument: str = "dependencies"
) -> tuple[Dependency, ...]:
    """Read a list of dependencies, each a text or already typed.

    Args:
        items: the dependencies. A single str is refused: ``"abc"`` would be read as a, b and c.
        argument: how to call the list in an error.

    Returns:
        The dependencies, in order.

    Raises:
        TypeError: the list is a str or no list, or an element is neither a str nor a dependency.
        ValidationError: an element is empty or has a NUL.
    """
    check_list(items, argument)
    return tuple(
        item
        if isinstance(item, (ServiceDependency, GroupDependency))
        else parse_dependency(item, f"{argument}[{index}]")
        for index, item in enumerate(items)
    )


publish(__name__)
