"""List the window stations of this session, their desktops, and the windows on them."""

from __future__ import annotations

from collections.abc import Iterator

from winsvc import AccessDeniedError, Desktop, WindowStation, WindowStationAccess

READ = WindowStationAccess.ENUM_DESKTOPS | WindowStationAccess.READ_ATTRIBUTES


def describe(name: str) -> Iterator[str]:
    """Yield a line for the window station, for each desktop and for each window."""
    try:
        station = WindowStation.open(name, READ)
    except AccessDeniedError as error:
        yield f"{name}: {error.strerror}"
        return
    with station:
        visible = "visible" if station.visible() else "invisible"
        current = ", current" if name == WindowStation.current().name() else ""
        yield f"{name}: {visible}{current}"
        for desktop_name in station.desktop_names():
            yield f"  {desktop_name}"
            # A desktop is opened in the window station of the process.
            with station.process_window_station():
                lines = windows(desktop_name)
            yield from lines


def windows(name: str) -> list[str]:
    """Return a line for each window of the desktop that has a title."""
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
