"""A transport around the transport that writes what passes into a HAR 1.2 log."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite import harentry
from requite._version import __version__
from requite.errors import OptionsError

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.protocols import Transport

TAIL = '\n]}}\n'


class HarLog:
    """A HAR 1.2 log: ``entries`` in memory, or a file that is whole after each entry.

    Credentials are hidden unless ``secrets`` is True. A file that is there already must be a log that was written here: it is added to.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, secrets: bool = False) -> None:
        self.path = None if path is None else str(Path(path).absolute())
        self.secrets = secrets
        self.entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        if self.path is not None:
            self._begin(self.path)

    def __repr__(self) -> str:
        return f'<HarLog {self.path or f"of {len(self.entries)} entries"}>'

    def to_json(self) -> dict[str, Any]:
        """The log as JSON values; of one with a file what the file holds."""
        if self.path is not None:
            with open(self.path, encoding='utf-8') as file:
                return json.load(file)  # type: ignore[no-any-return]
        return {'log': {**_head(), 'entries': list(self.entries)}}

    def add(self, entry: dict[str, Any]) -> None:
        """Adds an entry; any thread may."""
        with self._lock:
            if self.path is None:
                self.entries.append(entry)
                return
            with open(self.path, 'r+b') as file:
                self._append(file, json.dumps(entry))

    def _append(self, file: Any, text: str) -> None:
        place = file.seek(-len(TAIL), os.SEEK_END)
        if file.read() != TAIL.encode():
            raise OptionsError(f"option 'har_log': {self.path!r} was changed by somebody else; name another file")
        file.seek(place - 1)
        first = file.read(1) == b'['
        file.write((('\n' if first else ',\n') + text + TAIL).encode())

    def _begin(self, path: str) -> None:
        try:
            if Path(path).exists() and Path(path).stat().st_size:
                with open(path, 'rb') as file:
                    file.seek(-len(TAIL), os.SEEK_END)
                    whole = file.read() == TAIL.encode()
                if not whole:
                    raise OptionsError(f"option 'har_log': {path!r} is no log that was written here; name another file")
                return
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, 'w', encoding='utf-8') as file:
                file.write(json.dumps({'log': _head()})[:-2] + ', "entries": [' + TAIL)
        except OSError as error:
            raise OptionsError(
                f"option 'har_log': {path!r} cannot be written ({error.strerror}); name another file"
            ) from None


def _head() -> dict[str, Any]:
    return {'version': '1.2', 'creator': {'name': 'requite', 'version': __version__}}


_logs: dict[str, HarLog] = {}


def log_of(value: Any) -> HarLog:
    """The log that an option names: one object a path, so that requests of several threads do not write over one another."""
    if isinstance(value, HarLog):
        return value
    path = str(Path(value).absolute())
    found = _logs.get(path)
    if found is None or not Path(path).exists():
        found = _logs[path] = HarLog(path)
    return found


class Recording:
    """Sends hops by another transport; each becomes an entry when its answer was read, or given up."""

    def __init__(self, inner: Transport, log: HarLog) -> None:
        self.pool = inner.pool
        self._inner = inner
        self._log = log

    def send(self, hop: Hop) -> Any:
        """The answer of the other transport, which tells the log when it is over."""
        marks: dict[str, float] = {} if hop.marks is None else hop.marks
        if hop.marks is None:
            hop = hop._replace(marks=marks)
        start = time.perf_counter()
        try:
            reply = self._inner.send(hop)
        except Exception as error:
            self._log.add(
                harentry.entry(
                    harentry.Seen(hop, None, error, start, time.perf_counter(), marks, b'', 0), self._log.secrets
                )
            )
            raise
        recorded = Recorded(reply, hop, start, marks, self._log)
        if reply.complete:
            recorded.over()
        return recorded


class Recorded:
    """A reply like the one it wraps; what is read of it is kept for the log, up to a bound."""

    def __init__(self, reply: Reply, hop: Hop, start: float, marks: dict[str, float], log: HarLog) -> None:
        self._reply: Any = reply
        self._hop = hop
        self._start = start
        self._marks = marks
        self._log: HarLog | None = log
        self._kept: bytearray | None = bytearray()
        self._size = 0

    def read(self, size: int = 262144) -> bytes:
        """As ``Reply.read``."""
        return self._heard(lambda: self._reply.read(size))

    def collect(self, limit: int | None = None) -> bytes:
        """As ``Reply.collect``."""
        return self._heard(lambda: self._reply.collect(limit))

    def drain(self, *limits: Any) -> None:
        """As ``Reply.drain``: what is drained is not kept."""
        self._reply.drain(*limits)
        self.over()

    def abort(self) -> None:
        """As ``Reply.abort``."""
        self._reply.abort()
        self.over()

    def _heard(self, read: Any) -> bytes:
        try:
            data: bytes = read()
        except Exception as error:
            self.over(error)
            raise
        self._size += len(data)
        if self._kept is not None:
            self._kept += data
            if len(self._kept) > harentry.MOST_CONTENT:
                self._kept = None
        if self._reply.complete or not data:
            self.over()
        return data

    def over(self, error: Exception | None = None) -> None:
        """Writes the entry; only the first call counts."""
        log, self._log = self._log, None
        if log is not None:
            body = None if self._kept is None else bytes(self._kept)
            end = time.perf_counter()
            seen = harentry.Seen(self._hop, self._reply, error, self._start, end, self._marks, body, self._size)
            log.add(harentry.entry(seen, log.secrets))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reply, name)

    def __del__(self) -> None:
        # an answer that nobody read to its end happened all the same
        if self.__dict__.get('_log') is not None:
            self.over()
