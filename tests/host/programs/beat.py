"""Program of a service for test_launching.py, which writes what it finds to a specified file."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from winsvc.host import ServiceBase, run


def importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


class Beat(ServiceBase):
    name, display_name = "winsvc-test-beat", "Test of a program"

    def main(self) -> None:
        print("lost")
        facts = {
            "argv": sys.argv,
            "path": sys.path,
            "prefix": sys.prefix,
            "base_prefix": sys.base_prefix,
            "executable": sys.executable,
            "cwd": os.getcwd(),
            "main": sys.modules["__main__"].__name__,
            "arguments": self.arguments,
            "main thread": threading.current_thread() is threading.main_thread(),
            "beside": importable("beside_it"),
            "only in the environment": importable("only_here"),
        }
        Path(sys.argv[1]).write_text(json.dumps(facts), "utf-8")
        self.report_running()
        self.stop_requested.wait()


if __name__ == "__main__":
    run(Beat)
