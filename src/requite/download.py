"""A response written to a file or to standard output, with progress for whoever watches."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, TextIO

    from requite.response import Response

INTERVAL = 0.1
"""Seconds between two drawings of the progress line."""
SCALES = ((1e3, 'kB'), (1e6, 'MB'), (1e9, 'GB'))


class UsageError(Exception):
    """The output that was asked for cannot be one, which is plain before anything is sent."""


class OutputError(Exception):
    """The output cannot be written (RequestError is an OSError in places: this is how the two are told apart)."""


class Stream:
    """An output that takes what comes: standard output, a device, a named pipe."""

    takes_errors = True

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    @property
    def on_terminal(self) -> bool:
        """Whether people would see the body itself."""
        return self._file is not None and self._file.isatty()

    def open(self) -> None:
        """Gets ready to be written to."""
        if self._path is not None:
            self._file = self._attempt(open, self._path, 'wb')
        elif sys.stdout is None:
            raise OutputError('standard output is closed')
        else:
            self._file = sys.stdout.buffer

    def write(self, data: bytes) -> None:
        """Writes and lets go of ``data``: the body may be one that comes slowly. Raises ``BrokenPipeError`` when nobody reads any more."""
        self._attempt(self._file.write, data)  # type: ignore[union-attr]
        self._attempt(self._file.flush)  # type: ignore[union-attr]

    def keep(self) -> None:
        """The body is whole."""
        self.discard()

    def discard(self) -> None:
        """Closes what was opened here."""
        if self._path is not None and self._file is not None:
            self._attempt(self._file.close)

    def _attempt(self, action: Any, *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f'cannot write {self._path or "standard output"}: {error.strerror}') from None


class WholeFile(Stream):
    """A file that is written beside its place and put there when it is whole; what is there before stays until then."""

    takes_errors = False
    on_terminal = False

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._place = Path(path).resolve()  # a symbolic link stays one
        self._beside = self._place.with_name(f'.requite-{os.getpid()}-{os.urandom(4).hex()}.part')

    def open(self) -> None:
        self._file = self._attempt(open, self._beside, 'xb')

    def keep(self) -> None:
        self._attempt(self._file.close)  # type: ignore[union-attr]
        self._attempt(self._move)

    def discard(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what could not be written is thrown away
        self._beside.unlink(missing_ok=True)  # missing: it is in its place

    def _move(self) -> None:
        if self._place.exists():
            self._beside.chmod(stat.S_IMODE(self._place.stat().st_mode))
        self._beside.replace(self._place)


def target(path: str | None) -> Stream:
    """Where the body goes; None and ``'-'`` are standard output. Raises ``UsageError`` for what can never be written."""
    if path is None or path == '-':
        return Stream(None)
    file = Path(path)
    if file.is_dir() or path.endswith(os.sep) or not path:
        raise UsageError(f'{path!r} is a folder; name a file: -o {file / "FILE"}')
    if not file.resolve().parent.is_dir():
        raise UsageError(f'there is no folder {file.parent} to put {file.name} into')
    if file.exists() and not file.is_file():
        return Stream(path)  # a device or a named pipe must be written to, never be replaced
    return WholeFile(path)


def copy(response: Response, output: Stream) -> None:
    """Writes the body piece by piece; raises ``RequestError`` when it breaks off (a file then stays as it was), ``OutputError``, ``BrokenPipeError``."""
    output.open()
    progress = None
    if sys.stderr is not None and sys.stderr.isatty() and not output.on_terminal:
        progress = Progress(sys.stderr, announced(response))
    try:
        for piece in response:
            output.write(piece)
            if progress is not None:
                progress.add(len(piece))
        output.keep()
    finally:
        if progress is not None:
            progress.end()
        output.discard()


def announced(response: Response) -> int | None:
    """The size of the body as it will be written, None where it is not known: the length of a compressed one says nothing about it."""
    length = response.headers.get('content-length')
    if length is None or response.headers.get('content-encoding') is not None:
        return None
    return int(str(length))


class Progress:
    """One line that is drawn over itself: how much is here, of how much, how fast."""

    def __init__(self, stream: TextIO, total: int | None) -> None:
        self._stream = stream
        self._total = total
        self._size = 0
        # Nothing is drawn for what is over in a moment, and no rate is told before there is one.
        self._began = self._drawn = monotonic()
        self._width = 0

    def add(self, size: int) -> None:
        """Counts ``size`` more bytes."""
        self._size += size
        now = monotonic()
        if now - self._drawn >= INTERVAL:
            self._drawn = now
            self._draw(now)

    def end(self) -> None:
        """Draws for the last time and leaves the line."""
        self._draw(monotonic())
        self._stream.write('\n')
        self._stream.flush()

    def _draw(self, now: float) -> None:
        text = describe(self._size, self._total, now - self._began)
        self._stream.write('\r' + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)


def describe(size: int, total: int | None, seconds: float) -> str:
    """The progress as text: ``' 42%  1.2 MB of 2.9 MB  3.4 MB/s'``."""
    rate = f'{amount(size / seconds)}/s' if seconds > 0 else ''
    if not total:
        return f'{amount(size)}  {rate}'.rstrip()
    return f'{100 * size // total:3}%  {amount(size)} of {amount(total)}  {rate}'.rstrip()


def amount(size: float) -> str:
    """A number of bytes for people, in powers of 1000."""
    if size < 1000:
        return f'{size:.0f} B'
    # 999.95 is the first that would be shown as 1000.0.
    scale, unit = next((entry for entry in SCALES if size < 999.95 * entry[0]), SCALES[-1])
    return f'{size / scale:.1f} {unit}'


def _leave(number: int, frame: Any) -> None:
    sys.exit(128 + number)


@contextmanager
def cleaning_up_when_terminated() -> Iterator[None]:
    """Has SIGTERM and SIGHUP end the program as an exception would, so that no half file is left behind; ignored ones stay ignored."""
    numbers = [
        number for number in (getattr(signal, name, None) for name in ('SIGTERM', 'SIGHUP')) if number is not None
    ]
    changed = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
