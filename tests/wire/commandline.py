"""The command line as a process of its own, with a pseudo-terminal where it matters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, '-W', 'error', '-m', 'requite']
posix = pytest.mark.skipif(os.name != 'posix', reason='pseudo-terminals and signals are POSIX')


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """The finished process."""
    return fed(b'', *arguments, env=env)


def fed(
    given: bytes, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The finished process, which gets something on standard input."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        check=False,
    )


def only_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line on standard error."""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1, done.stderr.decode()
    assert lines[0].startswith('requite: ')
    return lines[0]


def on_terminal(*arguments: str, stdout: int | None = subprocess.DEVNULL, **env: str) -> tuple[int, str]:
    """Exit status and what a terminal shows that is the standard error of the process, and its standard output unless given."""
    return _on_terminal([*COMMAND, *arguments], stdout, **env)


def bare(*arguments: str, stdout: int | None = subprocess.DEVNULL, **env: str) -> tuple[int, str]:
    """The same where neither rich nor tqdm is installed."""
    program = (
        'import sys; sys.modules["rich"] = sys.modules["tqdm"] = None; from requite.cli import main; sys.exit(main())'
    )
    return _on_terminal([sys.executable, '-W', 'error', '-c', program, *arguments], stdout, **env)


def _on_terminal(command: list[str], stdout: int | None, **env: str) -> tuple[int, str]:
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=slave if stdout is None else stdout,
        stderr=slave,
        env={**os.environ, 'TERM': 'xterm', **env},
    )
    os.close(slave)
    shown = b''
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux says EIO when the last one has closed the other end
            data = b''
        if not data:
            break
        shown += data
    os.close(master)
    return process.wait(60), shown.decode()
