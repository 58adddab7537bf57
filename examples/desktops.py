"""List the window stations of this session, their desktops, and the windows on them."""

from __future__ import annotations

from collections.abc import Iterator

from winsvc import AccessDeniedError, Desktop, WindowStation, WindowStationAccess

READ = WindowStationAccess.ENUM_DESKTOPS | WindowStationAccess.READ_ATTRIBUTES


def describe(name: str) -> Iterator[str]:
    """A window station: a line for itself, for each desktop and for each window."""
    try:
        station = WindowStation.open(name, READ)
    except AccessDeniedError as error:
        yield f"{name}: {error.strerror}"
        return
    with station:
        seen = "visible" if station.flags.flags else "invisible"
        here = ", this process's own" if name == WindowStation.current().name else ""
        yield f"{name}: {seen}{here}"
        for desktop_name in station.desktops():
            yield f"  {desktop_name}"
            # A desktop is opened in the window station that the process is on.
            with station.as_process_station():
                lines = windows(desktop_name)
            yield from lines


def windows(name: str) -> list[str]:
    try:
        with Desktop.open(name) as desktop:
            found = [window for window in desktop.windows() if window.title]
    except AccessDeniedError as error:
        return [f"    {error.strerror}"]
    return [f"    {window.handle:#x} {window.class_name}: {window.title}" for window in found]


def main() -> None:
    for name in WindowStation.names():
        for line in describe(name):
            print(line)


if __name__ == "__main__":
    main()
