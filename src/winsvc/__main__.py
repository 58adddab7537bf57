"""``python -m winsvc``."""

import sys

from winsvc.cli import main

sys.exit(main())
