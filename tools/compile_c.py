"""Compile a C program for Windows, on Windows, into ``build/``: ``python -m tools.compile_c FILE``.

setuptools finds the compiler, as it does for the extension module.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(source: str) -> None:
    importlib.import_module("setuptools")  # provides distutils, which Python 3.12 lacks
    compiler = importlib.import_module("distutils.ccompiler").new_compiler()
    objects = compiler.compile([source], output_dir="build/temp")
    name = Path(source).stem
    compiler.link_executable(objects, name, output_dir="build", libraries=["advapi32"])


if __name__ == "__main__":
    main(sys.argv[1])
