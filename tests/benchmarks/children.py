"""Child processes: the surroundings that each gets, the core that all share, and the pipe to a worker."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .server import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .server import Target

ROOT = Path(__file__).resolve().parents[2]
ANSWER_LIMIT = 120
"""Seconds after which a worker that says nothing counts as hung."""

_STEERING = {
    'http_proxy',
    'https_proxy',
    'all_proxy',
    'no_proxy',
    'requests_ca_bundle',
    'curl_ca_bundle',
    'ssl_cert_file',
    'ssl_cert_dir',
}


def environment() -> dict[str, str]:
    """This process's environment without the variables that would send a client elsewhere or make it trust others."""
    return {name: value for name, value in os.environ.items() if name.lower() not in _STEERING}


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Run this process, and every child started within the block, on one core; afterwards as before."""
    if sys.platform != 'linux':
        raise Unavailable('the benchmarks bind processes to a core and read /proc, which only Linux has')
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run_module(name: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a module of this package in a child with pipes for input and output."""
    return subprocess.Popen(
        [sys.executable, '-m', f'tests.benchmarks.{name}', *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Worker:
    """One client in a child of its own; `trouble` says why it cannot be measured, or is None."""

    def __init__(self, client: str, scenario: str, target: Target) -> None:
        self.client = client
        self._process = run_module('worker', [client, scenario, *target])
        said = self._listen()
        self.trouble: str | None = said.get('missing') or said.get('failed')

    def run(self, count: int) -> tuple[float, float] | None:
        """Make so many requests; the seconds of CPU and of wall time of one of them, or None, and `trouble` says why."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f'{count}\n')
            self._process.stdin.flush()
        said = self._listen()
        self.trouble = said.get('failed')
        return None if self.trouble else (said['cpu'] / count, said['wall'] / count)

    def _listen(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], ANSWER_LIMIT)
        if not readable:
            self._process.kill()
            return {'failed': f'no answer within {ANSWER_LIMIT} s'}
        line = self._process.stdout.readline()
        return json.loads(line) if line else {'failed': f'the child ended with exit code {self._process.wait()}'}

    def close(self) -> None:
        """End the child by closing its input; it is killed if that is not enough."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
