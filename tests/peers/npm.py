"""Peers from npm: pinned packages installed once a machine, and Node programs that use them as servers and verifiers."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .daemons import free_port, running

INSTALLING = 120.0
"""Seconds that npm may take for one list of packages."""

NODE = shutil.which('node')
NPM = shutil.which('npm')


def npm_folder(*packages: str) -> Path:
    """The folder whose node_modules holds these packages (`'name@1.2.3'`); skips the test, saying why, where they cannot be had.

    It stays in the machine's folder for temporary files, for the next run and for every worker of this one.
    """
    folder = _installed(packages)
    if isinstance(folder, str):
        pytest.skip(folder)
    return folder


def node(folder: Path, script: str, *arguments: str, given: bytes = b'', timeout: float = 30) -> str:
    """What a Node program printed: it may `require` what `folder` holds, has its arguments from `process.argv[2]` on, and reads `given` from its input."""
    done = subprocess.run(
        [NODE or 'node', str(_saved(folder, script)), *arguments],
        input=given,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors='replace')
    return done.stdout.decode()


@contextlib.contextmanager
def node_server(folder: Path, script: str, *arguments: str) -> Iterator[str]:
    """Runs a Node program that listens on 127.0.0.1 at the port `process.argv[2]` (its `arguments` follow); gives its address, `http://127.0.0.1:port`."""
    port = free_port()
    with running([NODE or 'node', str(_saved(folder, script)), str(port), *arguments], port) as address:
        yield address


def _saved(folder: Path, script: str) -> Path:
    """The program as a file beside the packages, which is where Node looks for them."""
    path = folder / f'peer-{hashlib.sha256(script.encode()).hexdigest()[:16]}.js'
    if not path.exists():
        written = path.with_suffix(f'.{os.getpid()}')
        written.write_text(script, encoding='utf-8')
        written.replace(path)
    return path


@functools.cache
def _installed(packages: tuple[str, ...]) -> Path | str:
    """The folder, or why there is none; asked for once a process."""
    if sys.platform == 'win32':
        return 'the peers from npm are only installed where files can be locked with flock'
    if NODE is None or NPM is None:
        return 'node and npm are not installed'
    kept = Path(tempfile.gettempdir()) / f'requite-npm-{os.getuid()}'
    kept.mkdir(mode=0o700, exist_ok=True)
    if kept.is_symlink() or kept.stat().st_uid != os.getuid():
        return f'{kept} belongs to somebody else'
    folder = kept / hashlib.sha256('\n'.join(sorted(packages)).encode()).hexdigest()[:16]
    import fcntl

    with Path(f'{folder}.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait here for the first one
        if not (folder / 'complete').exists():
            failure = _install(NPM, folder, packages)
            if failure is not None:
                return failure
    return folder


def _install(npm: str, folder: Path, packages: tuple[str, ...]) -> str | None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    (folder / 'package.json').write_text('{"private": true}\n', encoding='utf-8')
    options = '--no-audit --no-fund --ignore-scripts --no-save --fetch-retries=1 --fetch-timeout=20000'.split()
    try:
        done = subprocess.run(
            [npm, 'install', *options, *packages],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=INSTALLING,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f'npm did not install {" ".join(packages)} within {INSTALLING:.0f} s'
    if done.returncode != 0:
        last = done.stderr.decode(errors='replace').strip().splitlines()[-1:]
        return f'npm could not install {" ".join(packages)}: {"".join(last)[:200]}'
    (folder / 'complete').touch()
    return None
