"""Runs a script in an interpreter of its own: for what only its end, or a fork, can show."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import requite

SOURCE = str(Path(requite.__file__).parent.parent)
START = 'import sys\nfrom requite import request\nURL = sys.argv[1]\n'
START_LINES = START.count('\n')


def run(folder: Path, url: str, script: str, *flags: str, begin: str = START) -> subprocess.CompletedProcess[str]:
    """The script's end: `returncode`, `stdout`, `stderr`. It has `request`, `sys` and `URL`, and is called script.py."""
    path = folder / 'script.py'
    path.write_text(begin + textwrap.dedent(script))
    environment = {**os.environ, 'PYTHONPATH': SOURCE}
    return subprocess.run(
        [sys.executable, *flags, str(path), url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def line_of(script: str, text: str) -> int:
    """The line of script.py on which `text` stands."""
    lines = (START + textwrap.dedent(script)).splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
