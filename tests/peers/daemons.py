"""Real servers in the foreground on ports of their own, for as long as a test needs them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

STARTING = 15.0
"""Seconds that a server may take until it listens."""


def program(name: str) -> str | None:
    """The path of an installed program, also where only the administrator looks for it."""
    return shutil.which(
        name, path=os.pathsep.join([os.environ.get('PATH', os.defpath), '/usr/sbin', '/usr/local/sbin'])
    )


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """An empty folder that servers which give up their rights can still read."""
    with tempfile.TemporaryDirectory(prefix='requite-peer-', ignore_cleanup_errors=True) as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@contextlib.contextmanager
def running(command: list[str], port: int, log: Callable[[], str] = str) -> Iterator[str]:
    """Runs a server until the block is left; gives its address once it listens. `log` tells what it wrote, for the error if it does not."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, log)
        yield f'http://127.0.0.1:{port}'
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait(process: subprocess.Popen[bytes], port: int, log: Callable[[], str]) -> None:
    until = time.monotonic() + STARTING
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        time.sleep(0.05)
    said = b''
    if process.poll() is not None and process.stdout is not None:
        said = process.stdout.read()
    raise RuntimeError(f'{process.args!r} does not listen: {said.decode(errors="replace")} {log()}')
