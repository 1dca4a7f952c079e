"""Bodies that are read as they are sent: files, iterables, responses."""

from __future__ import annotations

import codecs
import io
import itertools
import os
import stat
from time import sleep
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import InvalidBody, RequestStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 131072
"""How much is read from a file at a time, in bytes."""
FIRST_PAUSE = 0.0005
LAST_PAUSE = 0.02
"""Between two looks at a file that does not block, in seconds."""
BODY = "option 'body'"
"""Where content was given, unless somebody says otherwise."""
_PACKED = frozenset('gzip bz2 lzma _compression compression zstandard pyzstd lz4 isal zlib_ng'.split())
"""Packages whose files give something else than the file that they are named after,"""
_UNPACKS = _PACKED | {'zipfile'}
"""and those whose files must be read to their end to know how much they give."""
_END = object()


class FileBody:
    """An open binary file, from where it stands to its end; may be sent again when it can be rewound.

    Its end is where it was when this was made: what a file grows by later is not sent. One whose size says nothing, as those below /proc, has no length, and
    neither has one that unpacks another (``gzip.open``): how much it gives is known at its end. ``place`` says in errors where the file was given.
    """

    __slots__ = ('_file', '_grows', '_place', '_start', 'headers', 'length', 'replayable')

    def __init__(self, file: Any, place: str = BODY) -> None:
        check_readable(file, place)
        self._file = file
        self._place = place
        self.headers: tuple[tuple[str, str], ...] = ()
        self._grows = type(_innermost(file)) in (io.FileIO, io.BytesIO)
        self._start, self.length = _extent(file)
        if self.length == 0 and file.read(1):
            file.seek(self._start)
            self.length = None
        self.replayable = self._start is not None

    def check(self) -> None:
        """Raises ``InvalidBody`` once the file was closed: asked again right before it is sent."""
        if getattr(self._file, 'closed', False) is True:
            raise InvalidBody(
                f"{self._place}: the file was closed before the request was sent; keep it open until then (within its 'with' block)"
            )

    def chunks(self) -> Iterator[bytes]:
        self.check()
        if self._start is not None:
            self._file.seek(self._start)
        left = self.length
        patience = Patience(self._file)
        while True:
            data = self._file.read(PIECE if left is None else min(PIECE, left))
            if data is None:
                if patience.wait():
                    continue
                raise InvalidBody(
                    f"{self._place}: the file's read() gave None, which only one that does not block may; its end is b''"
                )
            patience.over()
            if not data:
                break
            if isinstance(data, str):
                raise InvalidBody(f"{self._place}: the file gives text; open it with mode 'rb'")
            if left is not None:
                left -= len(data)
            yield data
        if left == 0 and not self._grows and self._file.read(1):
            # it said where it ends, and gives more than that: what it reads from may have said so
            raise InvalidBody(
                f'{self._place}: the file gives more than the {self.length} bytes that it said; give its pieces as an iterable'
            )


class IterableBody:
    """Pieces of bytes from an iterable, begun when they are needed; one that is an iterator, or always gives the same one, goes out only once (SECURITY R14)."""

    __slots__ = ('_following', '_last', '_once', '_pieces', '_place', '_sent', 'headers', 'length')

    def __init__(self, pieces: Iterable[Any], length: int | None = None, once: bool = False, place: str = BODY) -> None:
        self._pieces = pieces
        self._place = place
        self._sent = 0
        self.length = length
        self.headers: tuple[tuple[str, str], ...] = ()
        self._once = once or hasattr(pieces, '__next__')
        self._last: Iterator[Any] | None = None
        self._following: Iterator[Any] | None = None

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again. Of an iterable that may or may not begin anew this is believed until it was sent, and tried then."""
        if not self._once and self._last is not None and self._following is None:
            self._following = self._begun_anew()
            self._once = self._following is None
        return not self._once

    def chunks(self) -> Iterator[bytes]:
        if self._last is None:
            pieces = self._last = iter(self._pieces)
        elif self.replayable and self._following is not None:
            pieces, self._following = self._following, None
        else:
            raise RequestStateError(
                'the body is an iterator and was used up by the first attempt; give bytes, a file or a list to allow another'
            )
        size = 0
        for piece in pieces:
            data = as_bytes(piece, self._place)
            size += len(data)
            self._sent = max(self._sent, size)
            yield data
        if size < self._sent:
            # an earlier attempt has read what its iterators share: half a body must not pass for a whole one
            raise RequestStateError(
                'the body gave fewer bytes than the first time, as if it were used up; give bytes, a file or a list to allow another attempt'
            )

    def _begun_anew(self) -> Iterator[Any] | None:
        """The pieces once more; None where the iterable gives the same iterator as before, an error, or nothing where it gave something."""
        try:
            anew = iter(self._pieces)
            if anew is self._last:
                return None
            first = next(anew, _END)
        except Exception:  # noqa: BLE001 - the iterable's own way to say that it can be read only once
            return None
        self._last = anew
        if first is not _END:
            return itertools.chain((first,), anew)
        return None if self._sent else anew


class DeclaredBody:
    """Another body with the length that the caller stated: the transport holds it to that, None sends it chunked."""

    __slots__ = ('_body', 'bind', 'headers', 'length', 'live')

    def __init__(self, body: Any, length: int | None) -> None:
        self._body = body
        self.length = length
        self.headers = body.headers
        self.live, self.bind = getattr(body, 'live', None), getattr(body, 'bind', None)

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again: as the other body says."""
        return self._body.replayable  # type: ignore[no-any-return]

    def check(self) -> None:
        """Raises ``InvalidBody`` where the other body cannot be sent any more."""
        check(self._body)

    def chunks(self) -> Iterator[bytes]:
        return self._body.chunks()  # type: ignore[no-any-return]


def check(body: Any) -> None:
    """Raises ``InvalidBody`` for a body that has something to say against being sent now."""
    asked = getattr(body, 'check', None)
    if asked is not None:
        asked()


def as_bytes(piece: Any, place: str = BODY) -> bytes:
    """One piece of a body as bytes: str is sent as UTF-8; anything else is an error and never its repr (SECURITY Q5)."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        try:
            return piece.encode('utf-8')
        except UnicodeEncodeError:
            raise InvalidBody(
                f'{place}: it holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry: replace it'
            ) from None
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    said = 'Argument error, options.body. ' if place == BODY else ''  # Node's words
    raise InvalidBody(f'{place}: {said}A piece must be bytes or str, not {checks.kind(piece)}')


def check_readable(file: Any, place: str = BODY) -> None:
    """Raises ``InvalidBody`` for a file that is closed, opened as text, or only open for writing."""
    if getattr(file, 'closed', False) is True:
        raise InvalidBody(
            f"{place} is a closed file; open it again with mode 'rb', and keep it open until the request was sent"
        )
    if is_text(file):
        raise InvalidBody(f"{place} is a file opened as text; open it with mode 'rb'")
    asks = getattr(file, 'readable', None)
    if callable(asks) and not asks():
        raise InvalidBody(f"{place} is a file that is not open for reading; open it with mode 'rb'")


def is_text(file: Any) -> bool:
    """Whether a file gives or takes str: those of ``open`` and ``tempfile``, and those of ``codecs`` unless their codec is one between bytes."""
    if any(
        isinstance(each, io.TextIOBase) for each in (file, getattr(file, 'file', None), getattr(file, '_file', None))
    ):
        return True
    reader = getattr(file, 'reader', file) if isinstance(file, codecs.StreamReaderWriter) else file
    return isinstance(reader, (codecs.StreamReader, codecs.StreamWriter)) and (
        getattr(reader, 'charbuffertype', str) is str
    )


class Patience:
    """Waits for a file that does not block, each time a little longer; ``over`` once it has moved."""

    __slots__ = ('_file', '_pause')

    def __init__(self, file: Any) -> None:
        self._file = file
        self._pause = 0.0

    def wait(self) -> bool:
        """Waits a little; False for a file that would block instead of asking for patience."""
        if not self._pause and not _does_not_block(self._file):
            return False
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LAST_PAUSE)
        sleep(self._pause)
        return True

    def over(self) -> None:
        """It has moved."""
        self._pause = 0.0


def _does_not_block(file: Any) -> bool:
    asked = getattr(os, 'get_blocking', None)  # not on Windows before Python 3.12
    return asked is not None and _has_descriptor(file) and not asked(file.fileno())


def tells_its_kind(file: Any) -> bool:
    """Whether the name of a file says what it gives: that of one which unpacks another is the name of the packed one."""
    inner = _innermost(file)
    return not _is_of(inner, _PACKED) and (
        _is_of(inner, _UNPACKS) or type(inner) is io.FileIO or not _has_descriptor(inner)
    )


def _innermost(file: Any) -> Any:
    """What the files of ``tempfile`` and those with a buffer read from."""
    if type(file).__module__ == 'tempfile':
        file = getattr(file, 'file', getattr(file, '_file', file))
    while type(file) in (io.BufferedReader, io.BufferedRandom):
        file = file.raw
    return file


def _is_of(file: Any, packages: frozenset[str]) -> bool:
    return any(kind.__module__.partition('.')[0] in packages for kind in type(file).__mro__)


def _has_descriptor(file: Any) -> bool:
    try:
        return isinstance(file.fileno(), int)
    except (AttributeError, OSError, ValueError):
        return False


def _extent(file: Any) -> tuple[int | None, int | None]:
    """Where the file stands and how many bytes are left, each None where it cannot tell.

    A descriptor only tells of a file that gives what is behind it; of others the end is looked for where that does not mean to read all.
    """
    inner = _innermost(file)
    try:
        if not getattr(file, 'seekable', inner.seekable)():
            return None, None
        start = file.tell()
    except (AttributeError, OSError, ValueError):
        return None, None
    if type(inner) is io.FileIO:
        status = os.fstat(inner.fileno())
        if stat.S_ISREG(status.st_mode):
            return start, max(0, status.st_size - start)
    elif _is_of(inner, _UNPACKS) or (_has_descriptor(inner) and not isinstance(inner, (io.FileIO, io.BufferedReader))):
        return start, None
    try:
        end = file.seek(0, 2)
        file.seek(start)
    except (OSError, ValueError):
        return start, None
    return start, max(0, end - start)
