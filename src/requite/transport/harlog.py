"""Where the entries of a HAR 1.2 log are kept: in memory, or in a file that is whole JSON after each of them."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite._version import __version__
from requite.debugging import LOG
from requite.errors import OptionsError

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGINNING = b'{"log": {"version": "1.2", "creator": {"name": "requite"'
TAIL = b'\n]}}\n'


class HarLog:
    """A HAR 1.2 log: ``entries`` in memory, or a file that is whole after each entry.

    Credentials are hidden unless ``secrets`` is True. A file that is there already must be a log that was written here: it is added to, any other is left
    as it is and refused (``OptionsError``). Only its owner may read a new one. Any number of threads, and of processes where files can be locked, may add to it.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, secrets: bool = False) -> None:
        self.path = None if path is None else str(Path(path).absolute())
        self.secrets = secrets
        self._kept: list[dict[str, Any]] = []
        self._file: _File | None = None
        if self.path is not None:
            _begin(self.path)
            self._file = _files.setdefault(self.path, _File(self.path))

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries, oldest first; of a log with a file those that are in it."""
        return list(self._kept) if self.path is None else list(self.to_json()['log']['entries'])

    def to_json(self) -> dict[str, Any]:
        """The log as JSON values; of one with a file what the file holds."""
        if self.path is not None:
            return json.loads(Path(self.path).read_text(encoding='utf-8'))  # type: ignore[no-any-return]
        return {'log': {**_head(), 'entries': list(self._kept)}}

    def add(self, entry: dict[str, Any], late: bool = False) -> None:
        """Adds an entry. A file that cannot be written any more costs the entry, not the request: the ``requite`` logger tells of it at ERROR.

        ``late`` is for finalizers, which may run in the middle of this very function: they wait for nobody.
        """
        if self._file is None:
            self._kept.append(entry)
        else:
            self._file.add(entry, late)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is None:
            raise TypeError('a HarLog in memory cannot be pickled: give it a path')
        return HarLog, (self.path, self.secrets)

    def __repr__(self) -> str:
        return f'<HarLog {self.path or f"of {len(self._kept)} entries"}>'


class _File:
    """The one door to a file, whoever writes to it."""

    def __init__(self, path: str) -> None:
        self.lock = threading.Lock()
        self._path = path
        self._waiting: deque[dict[str, Any]] = deque()

    def add(self, entry: dict[str, Any], late: bool) -> None:
        self._waiting.append(entry)
        # who finds the lock taken may go: its holder looks once more after giving it back
        while self._waiting and self.lock.acquire(blocking=not late):
            try:
                self._write()
            finally:
                self.lock.release()

    def _write(self) -> None:
        texts = []
        with contextlib.suppress(IndexError):
            while True:
                texts.append(json.dumps(self._waiting.popleft()))
        if not texts:
            return
        try:
            with open(self._path, 'r+b', buffering=0) as file, _alone(file):
                _append(file, ',\n'.join(texts))
        except (OSError, ValueError) as error:
            LOG.error('the HAR log %s was not added to: %s', self._path, error)


@contextlib.contextmanager
def _alone(file: Any) -> Iterator[None]:
    """Keeps other processes out, where that can be done."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _append(file: Any, text: str) -> None:
    size = file.seek(0, os.SEEK_END)
    place = size - len(TAIL)
    if size < len(BEGINNING) + len(TAIL):
        raise ValueError('somebody else has changed it')
    file.seek(place - 1)
    before = file.read(1 + len(TAIL))
    if before[1:] != TAIL:
        raise ValueError('somebody else has changed it')
    data = ('\n' if before[:1] == b'[' else ',\n').encode() + text.encode() + TAIL
    file.seek(place)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:  # a full disk: what was there before fits
        file.seek(place)
        file.write(TAIL)
        file.truncate()
        raise


def _begin(path: str) -> None:
    """Makes the file, or makes sure that it is a log; raises ``OptionsError`` where it is neither."""
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            descriptor = os.open(path, os.O_RDWR)
        with open(descriptor, 'r+b') as file, _alone(file):
            whole = file.read(len(BEGINNING))
            if not whole:
                file.write(json.dumps({'log': _head()})[:-2].encode() + b', "entries": [' + TAIL)
            elif whole != BEGINNING or not file.seek(-len(TAIL), os.SEEK_END) or file.read() != TAIL:
                raise OptionsError(f"option 'har_log': {path!r} is no log that was written here; name another file")
    except OptionsError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or 'no name of a file'
        raise OptionsError(f"option 'har_log': {path!r} cannot be written ({reason}); name another file") from None


def _head() -> dict[str, Any]:
    return {'version': '1.2', 'creator': {'name': 'requite', 'version': __version__}}


_files: dict[str, _File] = {}
_logs: dict[str, HarLog] = {}


def log_of(value: Any) -> HarLog:
    """The log that an option names: a path, or a log itself."""
    if hasattr(value, 'add'):
        return value  # type: ignore[no-any-return]
    path = str(Path(value).absolute())
    found = _logs.get(path)
    if found is None or not Path(path).exists():
        found = _logs[path] = HarLog(path)
    return found


def _after_fork() -> None:
    # whoever held a lock stayed behind in the parent
    for file in list(_files.values()):
        file.lock = threading.Lock()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
