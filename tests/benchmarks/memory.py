"""How far collecting a big body in memory raises the peak of the process. Run as a module, it is the measured child."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .children import run_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .server import Target

LIMIT = 120
"""Seconds that one big body may take."""

ROOM = 3
"""Free memory that has to be there, as a multiple of the body: some clients hold it twice."""


class MemoryCost(NamedTuple):
    """Growth of the peak resident set over the size of the body, or why it was not measured."""

    client: str
    ratio: float | None
    trouble: str | None = None


def _fetch_requite(url: str) -> bytes:
    body: bytes = importlib.import_module('requite').request(url, encoding=None).end().body
    return body


def _fetch_urllib3(url: str) -> bytes:
    body: bytes = importlib.import_module('urllib3').PoolManager().request('GET', url).data
    return body


def _fetch_httpx(url: str) -> bytes:
    body: bytes = importlib.import_module('httpx').Client().get(url).content
    return body


def _fetch_requests(url: str) -> bytes:
    body: bytes = importlib.import_module('requests').Session().get(url).content
    return body


FETCHERS: dict[str, Callable[[str], bytes]] = {
    'requite': _fetch_requite,
    'urllib3': _fetch_urllib3,
    'httpx': _fetch_httpx,
    'requests': _fetch_requests,
}


def resident(field: str) -> int:
    """A memory figure of this process in bytes: VmRSS (now) or VmHWM (peak)."""
    # Not ru_maxrss: that one outlives exec on Linux, so a child starts with its parent's peak.
    status = Path('/proc/self/status').read_text()
    found = re.search(rf'^{field}:\s+(\d+) kB$', status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def _available() -> int:
    found = re.search(r'^MemAvailable:\s+(\d+) kB$', Path('/proc/meminfo').read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def measure_memory(target: Target, size: int, clients: Iterable[str] = tuple(FETCHERS)) -> list[MemoryCost]:
    """Fetch `/big`, which has `size` bytes, with each client in a child of its own."""
    if _available() < ROOM * size:
        trouble = f'fewer than {ROOM * size >> 20} MiB of memory are free'
        return [MemoryCost(client, None, trouble) for client in clients]
    return [_measure_one(client, target, size) for client in clients]


def _measure_one(client: str, target: Target, size: int) -> MemoryCost:
    process = run_module('memory', [client, target.plain, str(size)])
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return MemoryCost(client, None, f'not done within {LIMIT} s')
    if not said:
        return MemoryCost(client, None, f'the child ended with exit code {process.returncode}')
    words: dict[str, Any] = json.loads(said)
    return MemoryCost(client, words.get('ratio'), words.get('trouble'))


def _grow(client: str, base: str, size: int) -> float:
    fetch = FETCHERS[client]
    fetch(base + '/small')
    before = resident('VmRSS')
    body = fetch(base + '/big')
    if len(body) != size:
        raise ValueError(f'the body has {len(body)} bytes, expected {size}')
    return (resident('VmHWM') - before) / size


def main() -> None:
    """Fetch the big body and print how much the peak grew, in bodies."""
    client, base, size = sys.argv[1:]
    try:
        said: dict[str, Any] = {'ratio': _grow(client, base, int(size))}
    except Exception as error:
        said = {'trouble': f'{type(error).__name__}: {error}'}
    print(json.dumps(said))


if __name__ == '__main__':
    main()
