"""Pinned versions and hashes that are not in ``tools/requirements``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WINE_PACKAGES: Final = ("wine", "wine64")
COMPILER_PACKAGES: Final = ("gcc-mingw-w64-x86-64-win32", "binutils-mingw-w64-x86-64")
COMPILER: Final = "x86_64-w64-mingw32-gcc"
DLLTOOL: Final = "x86_64-w64-mingw32-dlltool"
WINDRES: Final = "x86_64-w64-mingw32-windres"


@dataclass(frozen=True)
class SourceArchive:
    """A CPython source archive of Debian, with the standard library and the headers."""

    path: str  # below the mirror's root
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class WindowsPython:
    """A CPython for Windows: binaries from a wheel, the library from a source archive."""

    version: str
    source: SourceArchive

    @property
    def digits(self) -> str:
        return self.version.replace(".", "")


# The extension's headers come from 3.11: the same abi3 module is used on every Python.
PYTHONS: Final = {
    "3.11": WindowsPython(
        "3.11",
        SourceArchive(
            "pool/main/p/python3.11/python3.11_3.11.2.orig.tar.gz",
            "2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849",
        ),
    ),
    "3.13": WindowsPython(
        "3.13",
        SourceArchive(
            "pool/main/p/python3.13/python3.13_3.13.5.orig.tar.xz",
            "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
        ),
    ),
}
ABI_SOURCE: Final = PYTHONS["3.11"].source
