"""Where a message body ends: content-length, chunked, or the end of the connection (RFC 9112 6).

No sockets here: a body takes its bytes from a ``Feed``. An end that comes too early is always ``ResponseAborted`` (SECURITY S1).
"""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Protocol

from requite.transport.chunked import Chunked
from requite.transport.faults import cut_short, malformed, too_large

if TYPE_CHECKING:
    from requite.headers import Headers

SCRATCH = 262144
MAX_LENGTH_DIGITS = 40

EMPTY = 0
UNTIL_CLOSE = -1
CHUNKED = -2

# RFC 9110 8.6: Content-Length = 1*DIGIT; more digits than any counter holds are an attack on int()
_LENGTH = re.compile(rf'[0-9]{{1,{MAX_LENGTH_DIGITS}}}')

_local = threading.local()


class Feed(Protocol):
    """Where a body takes its bytes from; both calls block for at least one byte and give none at the end of the connection.

    ``line`` is the number of the line that has begun but is not whole yet: a line has ``limits.read`` from its first byte on, however it drips. 0 is none.
    """

    def recv(self, size: int, line: int = 0) -> bytes: ...
    def recv_into(self, view: memoryview) -> int: ...


class Body(Protocol):
    """A response body that is still being received.

    ``done`` is true when all of it has been handed out, ``surplus`` when the connection cannot serve again behind it (bytes came after its end, SECURITY S4, or the
    connection's end is its end), ``left`` is how much is still to come, None where only the end will tell.
    """

    done: bool
    surplus: bool

    @property
    def left(self) -> int | None: ...
    def read(self, size: int) -> bytes: ...
    def collect(self, limit: int | None) -> bytes: ...


def expect(method: str, status: int, fields: list[tuple[str, str]], headers: Headers) -> int:
    """What the head promises (RFC 9112 6.3): a number of bytes, or ``UNTIL_CLOSE``, or ``CHUNKED``. Raises ``MalformedResponse`` (SECURITY S5, S6)."""
    text = dict.get(headers, 'content-length')
    length = None
    if text is not None:
        # one plain number is the usual case; isdigit alone knows digits of other scripts, and int() signs, blanks and underscores
        plain = len(headers) == len(fields) and text.isascii() and text.isdigit() and len(text) < 20  # type: ignore[union-attr]
        length = int(text) if plain else _length(fields)  # type: ignore[arg-type]
    if method == 'HEAD' or status == 204 or status == 304 or status < 200:
        return EMPTY
    coding = dict.get(headers, 'transfer-encoding')
    if coding is None:
        return UNTIL_CLOSE if length is None else length
    if length is not None:
        # RFC 9112 6.1 leaves the choice between chunked and an error; an error is what Node's parser makes of it
        raise malformed('HPE_INVALID_TRANSFER_ENCODING', "Transfer-Encoding can't be present with Content-Length")
    if coding.lower() != 'chunked':  # type: ignore[union-attr]
        raise malformed('HPE_INVALID_TRANSFER_ENCODING', 'Transfer-Encoding is not exactly "chunked"')
    return CHUNKED


def body_of(expected: int, feed: Feed, tail: bytes) -> Body:
    """The body that ``expect`` foresaw, ``tail`` being what has been received of it."""
    if expected == CHUNKED:
        return Chunked(feed, tail)
    if expected == UNTIL_CLOSE:
        return UntilClose(feed, tail)
    return Sized(feed, expected, tail)


def _length(fields: list[tuple[str, str]]) -> int:
    # equal repetitions are one (RFC 9110 8.6), also in a list; looked for in the raw fields since the joined headers keep only the first
    values = {
        part.strip(' \t') for name, value in fields if name.lower() == 'content-length' for part in value.split(',')
    }
    if len(values) > 1:
        raise malformed('HPE_UNEXPECTED_CONTENT_LENGTH', 'Duplicate Content-Length')
    text = values.pop()
    if _LENGTH.fullmatch(text) is None:
        raise malformed('HPE_INVALID_CONTENT_LENGTH', 'Invalid character in Content-Length')
    return int(text)


def _take_scratch() -> bytearray:
    # taken out while in use: a signal handler or a finalizer may run another request in this very thread
    buffer: bytearray | None = getattr(_local, 'buffer', None)
    _local.buffer = None
    return buffer if buffer is not None else bytearray(SCRATCH)


def _collect(feed: Feed, out: io.BytesIO, left: int | None, limit: int | None) -> int:
    """Moves ``left`` bytes (None: all there are) into ``out``; gives what is still missing. Memory grows by what arrived (SECURITY S11)."""
    buffer = _take_scratch()
    view = memoryview(buffer)
    size = out.tell()
    try:
        while left is None or left > 0:
            count = feed.recv_into(view if left is None or left >= SCRATCH else view[:left])
            if not count:
                return left or 0
            size += count
            if limit is not None and size > limit:
                raise too_large(limit)
            out.write(view[:count])
            if left is not None:
                left -= count
        return 0
    finally:
        view.release()
        _local.buffer = buffer


class Sized:
    """A body of a known number of bytes."""

    __slots__ = ('_feed', '_left', '_tail', 'done', 'surplus')

    def __init__(self, feed: Feed, length: int, tail: bytes) -> None:
        self._feed = feed
        self._tail = tail[:length]
        self._left = length - len(self._tail)
        self.surplus = len(tail) > length
        self.done = length == 0

    @property
    def left(self) -> int:
        return len(self._tail) + self._left

    def read(self, size: int) -> bytes:
        tail = self._tail
        if tail:
            self._tail = tail[size:]
            data = tail[:size]
        elif self._left:
            data = self._feed.recv(min(size, self._left))
            if not data:
                raise cut_short()
            self._left -= len(data)
        else:
            data = b''
        self.done = not self._left and not self._tail
        return data

    def collect(self, limit: int | None) -> bytes:
        if limit is not None and self.left > limit:
            raise too_large(limit)
        out = io.BytesIO()
        out.write(self._tail)
        self._tail = b''
        self._left = _collect(self._feed, out, self._left, limit)
        if self._left:
            raise cut_short()
        self.done = True
        return out.getvalue()


class UntilClose:
    """A body that ends with the connection; over TLS only a close_notify is an end (SECURITY S2: the feed raises for anything else)."""

    __slots__ = ('_feed', '_tail', 'done', 'surplus')

    left = None

    def __init__(self, feed: Feed, tail: bytes) -> None:
        self._feed = feed
        self._tail = tail
        self.surplus = True
        self.done = False

    def read(self, size: int) -> bytes:
        tail = self._tail
        if tail:
            self._tail = tail[size:]
            return tail[:size]
        data = b'' if self.done else self._feed.recv(size)
        self.done = not data
        return data

    def collect(self, limit: int | None) -> bytes:
        out = io.BytesIO()
        out.write(self._tail)
        self._tail = b''
        if limit is not None and out.tell() > limit:
            raise too_large(limit)
        if not self.done:
            _collect(self._feed, out, None, limit)
        self.done = True
        return out.getvalue()


def persistent(version: str, headers: Headers) -> bool:
    """Whether the server means to go on with the connection (RFC 9112 9.3)."""
    said = dict.get(headers, 'connection')
    if said is None or said == 'keep-alive':
        return version == '1.1' or said is not None
    options = [option.strip() for option in str(said).lower().split(',')]
    return 'close' not in options and (version == '1.1' or 'keep-alive' in options)
