"""Write the JSON Schema of the export to `docs/schemas/`.

python tools/schemagen.py            write it
python tools/schemagen.py --check    fail when it is out of date
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from winsvc._values.export_schema import export_schema  # noqa: E402  # after the path
from winsvc._values.snapshot import FORMAT  # noqa: E402

PATH = ROOT / "docs" / "schemas" / f"export-{FORMAT}.schema.json"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the JSON Schema of the export.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(argv)
    text = json.dumps(export_schema(), indent=2) + "\n"
    name = PATH.relative_to(ROOT).as_posix()
    if PATH.exists() and PATH.read_text("utf-8") == text:
        return 0
    if options.check:
        print(f"{name} is out of date: run python tools/schemagen.py", file=sys.stderr)
        return 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text, encoding="utf-8", newline="\n")
    print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
