"""What `import requite` costs beside `import urllib3`, and whether it loads a module that it must not load."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .children import environment

FORBIDDEN = ('asyncio', 'cryptography', 'requests')
IMPORTED = ('urllib3', 'requite')

_PROGRAM = """\
import sys, time
sys.path[:0] = {homes!r}
start = time.process_time()
import {name}
spent = time.process_time() - start
import json
print(json.dumps([spent, [each for each in {forbidden!r} if each in sys.modules]]))
"""


class ImportCost(NamedTuple):
    """Median milliseconds of CPU by module name, and which forbidden modules `import requite` loaded."""

    milliseconds: dict[str, float]
    forbidden: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def _home(name: str) -> str | None:
    """The folder on the path in which a package lies; None when it is not there."""
    spec = importlib.util.find_spec(name)
    return str(Path(spec.origin).parents[1]) if spec is not None and spec.origin else None


def _import_once(name: str, homes: list[str]) -> tuple[float, list[str]]:
    program = _PROGRAM.format(homes=homes, name=name, forbidden=FORBIDDEN)
    # Isolated mode ignores PYTHONPATH and the current folder, hence the explicit homes.
    run = subprocess.run(
        [sys.executable, '-I', '-c', program], env=environment(), capture_output=True, text=True, check=True
    )
    spent, loaded = json.loads(run.stdout)
    return spent, loaded


def measure_imports(runs: int) -> ImportCost:
    """Import each module so many times, interleaved, in a fresh isolated interpreter each time."""
    homes = {name: home for name in IMPORTED if (home := _home(name)) is not None}
    paths = sorted(set(homes.values()))
    spent: dict[str, list[float]] = {name: [] for name in homes}
    loaded: set[str] = set()
    for run in range(runs + 1):
        for name in homes:
            seconds, forbidden = _import_once(name, paths)
            if run:  # the first one may still have had to compile
                spent[name].append(seconds * 1000)
            if name == 'requite':
                loaded.update(forbidden)
    missing = tuple(name for name in IMPORTED if name not in homes)
    return ImportCost({name: median(each) for name, each in spent.items()}, tuple(sorted(loaded)), missing)
