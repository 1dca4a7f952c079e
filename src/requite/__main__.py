"""``python -m requite``: the command line, see ``requite.cli``."""

from __future__ import annotations

import sys

from requite.cli import main

if __name__ == '__main__':
    sys.exit(main())
