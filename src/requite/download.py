"""A response written to a file or to standard output."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requite.sinks import WholeFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.response import Response

INTERVAL = 0.1
"""Seconds between two drawings of the progress line."""
SCALES = ((1e3, 'kB'), (1e6, 'MB'), (1e9, 'GB'))


class OutputError(Exception):
    """The output cannot be written (RequestError is an OSError in places: this is how the two are told apart)."""


class StandardOutput:
    """Takes what comes, and lets go of it at once: the body may be one that comes slowly."""

    replaces = False

    def begin(self, source: Any = None) -> None:
        """Gets ready."""
        if sys.stdout is None:
            raise OutputError('standard output is closed')

    def write(self, data: bytes) -> None:
        """Writes ``data``."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def keep(self) -> None:
        """The body is whole."""

    def discard(self) -> None:
        """It never will be."""


class Output:
    """A sink of a command line; what goes wrong with it is ``OutputError``, and ``BrokenPipeError`` when nobody reads any more."""

    def __init__(self, sink: Any, name: str) -> None:
        self._sink = sink
        self._name = name

    @property
    def takes_errors(self) -> bool:
        """Whether the page of an error goes there too: it never replaces a file."""
        return not self._sink.replaces

    def open(self) -> None:
        """Gets ready to be written to."""
        self._attempt(self._sink.begin, None)

    def write(self, data: bytes) -> None:
        """Writes ``data``."""
        self._attempt(self._sink.write, data)

    def keep(self) -> None:
        """The body is whole."""
        self._attempt(self._sink.keep)

    def discard(self) -> None:
        """Closes what was opened, and forgets it unless it was kept."""
        self._sink.discard()

    def _attempt(self, action: Any, *arguments: Any) -> None:
        try:
            action(*arguments)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f'cannot write {self._name}: {error.strerror}') from None


def target(path: str | None) -> Output:
    """Where the body goes; None and ``'-'`` are standard output. Raises ``OptionsError`` for what can never be written."""
    if path is None or path == '-':
        return Output(StandardOutput(), 'standard output')
    return Output(WholeFile(path), path)


def announced(response: Response) -> int | None:
    """The size of the body as it will be written, None where it is not known: the length of a compressed one says nothing about it."""
    length = response.headers.get('content-length')
    if length is None or response.headers.get('content-encoding') is not None:
        return None
    return int(str(length))


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
