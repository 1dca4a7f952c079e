"""Where a message body ends: content-length, chunked, or the end of the connection (RFC 9112 6 and 7).

No sockets here: a body takes its bytes from a ``Feed``. Every body has ``read`` (what is there), ``collect`` (all of it), ``done`` and ``surplus``
(bytes came after its end: the connection must not serve again, SECURITY S4). An end that comes too early is always ``ResponseAborted`` (S1).
"""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Protocol

from requite import errors
from requite.transport import head
from requite.transport.faults import cut_short, malformed

if TYPE_CHECKING:
    from requite.headers import Headers

SCRATCH = 262144
MAX_CHUNK_LINE = 16384
MAX_TRAILERS = 65536
MAX_LENGTH_DIGITS = 40

EMPTY = 0
UNTIL_CLOSE = -1
CHUNKED = -2

# RFC 9110 8.6: Content-Length = 1*DIGIT; more digits than any counter holds are an attack on int()
_LENGTH = re.compile(rf'[0-9]{{1,{MAX_LENGTH_DIGITS}}}')

# RFC 9112 7.1: chunk-size [ chunk-ext ] CRLF, here together with the CRLF that ends the data of the chunk before
_CHUNK = re.compile(rb'\r\n([0-9A-Fa-f]{1,16})(?:[ \t]*(;[^\x00-\x08\x0a-\x1f\x7f]*))?\r\n')
_CHUNK_START = re.compile(rb'(?:\r(?:\n(?:[0-9A-Fa-f]{1,16}(?:[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r?)?)?)?)?')

_local = threading.local()


class Feed(Protocol):
    """Where a body takes its bytes from; both calls block for at least one byte and give none at the end of the connection."""

    def recv(self, size: int, partial: bool = False) -> bytes: ...
    def recv_into(self, view: memoryview) -> int: ...


class Body(Protocol):
    """A response body that is still being received."""

    done: bool
    surplus: bool

    def read(self, size: int) -> bytes: ...
    def collect(self, limit: int | None) -> bytes: ...


def expect(method: str, status: int, fields: list[tuple[str, str]], headers: Headers) -> int:
    """What the head promises (RFC 9112 6.3): a number of bytes, or ``UNTIL_CLOSE``, or ``CHUNKED``. Raises ``MalformedResponse`` (SECURITY S5, S6)."""
    length = dict.get(headers, 'content-length')
    coding = dict.get(headers, 'transfer-encoding')
    if length is not None:
        length = _length(length, fields)
    if method == 'HEAD' or status == 204 or status == 304 or status < 200:
        return EMPTY
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


def dechunk(data: bytes) -> bytes | None:
    """The content of a chunked body that lies whole in ``data``; None when it does not end exactly there or is broken (reading it will say how)."""
    body = Chunked(_nothing, data)
    try:
        content = body.collect(None)
    except errors.RequestError:
        return None
    return None if body.surplus else content


def _length(first: object, fields: list[tuple[str, str]]) -> int:
    # equal repetitions are one (RFC 9110 8.6), also in a list; looked for in the raw fields since the joined headers keep only the first
    values = [value for name, value in fields if name.lower() == 'content-length']
    if len(values) > 1 or ',' in values[0]:
        distinct = {part.strip(' \t') for value in values for part in value.split(',')}
        if len(distinct) > 1:
            raise malformed('HPE_UNEXPECTED_CONTENT_LENGTH', 'Duplicate Content-Length')
        first = distinct.pop()
    if not isinstance(first, str) or _LENGTH.fullmatch(first) is None:
        raise malformed('HPE_INVALID_CONTENT_LENGTH', 'Invalid character in Content-Length')
    return int(first)


def _too_large(limit: int) -> errors.BodyTooLarge:
    return errors.BodyTooLarge(f'the body is larger than max_body, {limit} bytes')


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
                raise _too_large(limit)
            out.write(view[:count])
            if left is not None:
                left -= count
        return 0
    finally:
        view.release()
        _local.buffer = buffer


class _Nothing:
    def recv(self, size: int, partial: bool = False) -> bytes:
        return b''

    def recv_into(self, view: memoryview) -> int:
        return 0


_nothing = _Nothing()


class Sized:
    """A body of a known number of bytes."""

    __slots__ = ('_feed', '_left', '_tail', 'done', 'surplus')

    def __init__(self, feed: Feed, length: int, tail: bytes) -> None:
        self._feed = feed
        self._tail = tail[:length]
        self._left = length - len(self._tail)
        self.surplus = len(tail) > length
        self.done = length == 0

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
        if limit is not None and len(self._tail) + self._left > limit:
            raise _too_large(limit)
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
            raise _too_large(limit)
        if not self.done:
            _collect(self._feed, out, None, limit)
        self.done = True
        return out.getvalue()


class Chunked:
    """A chunked body; extensions and trailers are checked, bounded and forgotten (RFC 9112 7.1, SECURITY S7, S9).

    The buffer holds what was received, ``_at`` is where the unread part begins and ``_left`` how much of the current chunk is still to come. Each byte is looked
    at once, so that chunks of one byte cost linear time (B4).
    """

    __slots__ = ('_at', '_buffer', '_excess', '_feed', '_left', '_trailing', 'done', 'surplus')

    def __init__(self, feed: Feed, tail: bytes) -> None:
        self._feed = feed
        self._buffer = b'\r\n' + tail  # the first size line is then like every other: behind the CRLF of a chunk
        self._at = 0
        self._left = 0
        self._excess = 0
        self._trailing = False
        self.done = False
        self.surplus = False

    def read(self, size: int) -> bytes:
        while not self.done:
            parts = self._buffered(size)
            if parts:
                return parts[0] if len(parts) == 1 else b''.join(parts)
            if not self.done:
                self._refill(size)
        return b''

    def collect(self, limit: int | None) -> bytes:
        out = io.BytesIO()
        while not self.done:
            parts = self._buffered(SCRATCH)
            for part in parts:
                out.write(part)
            if limit is not None and out.tell() > limit:
                raise _too_large(limit)
            if not parts and not self.done:
                self._refill(SCRATCH)
        return out.getvalue()

    def _buffered(self, size: int) -> list[bytes]:
        """Up to ``size`` bytes of data that can be had without receiving."""
        parts: list[bytes] = []
        buffer = self._buffer
        while size > 0:
            if not self._left and not self._next():
                break
            at = self._at
            piece = buffer[at : at + min(self._left, size)]
            if not piece:
                break
            taken = len(piece)
            parts.append(piece)
            self._at = at + taken
            self._left -= taken
            size -= taken
        return parts

    def _next(self) -> bool:
        """Passes over the next size line; False when it is not whole yet or the body has ended."""
        if self._trailing:
            return self._trailers()
        found = _CHUNK.match(self._buffer, self._at)
        if found is None:
            self._check_partial()
            return False
        size, extension = found.groups()
        self._at = found.end()
        self._left = int(size, 16)
        if extension is not None:
            self._bound_extension(len(extension))
        if self._left:
            return True
        self._trailing = True
        self._at -= 2  # the CRLF of the last chunk's line: the trailer section is then CRLF ... CRLF CRLF
        return self._trailers()

    def _bound_extension(self, size: int) -> None:
        # a server that sends much more extension than data wants something else than to send data
        self._excess = max(0, self._excess + size - self._left)
        if size > MAX_CHUNK_LINE or self._excess > MAX_CHUNK_LINE:
            raise malformed('HPE_CHUNK_EXTENSIONS_OVERFLOW', 'Chunk extensions overflow')

    def _check_partial(self) -> None:
        rest = len(self._buffer) - self._at
        if rest > MAX_CHUNK_LINE:
            raise malformed('HPE_HEADER_OVERFLOW', 'Chunk size line overflow')
        start = _CHUNK_START.match(self._buffer, self._at)
        if start is None or start.end() - start.start() != rest:
            after = self._buffer[self._at : self._at + 2]
            if after != b'\r\n'[: len(after)]:
                raise malformed('HPE_LF_EXPECTED', 'Expected CRLF after chunk data')
            raise malformed('HPE_INVALID_CHUNK_SIZE', 'Invalid character in chunk size')

    def _trailers(self) -> bool:
        end = self._buffer.find(head.END, self._at)
        rest = (len(self._buffer) if end < 0 else end) - self._at
        if rest > MAX_TRAILERS:
            raise head.overflow()
        if end >= 0:
            self._check_trailers(self._buffer[self._at + 2 : end])
            self._at = end + 4
            self.surplus = self._at < len(self._buffer)
            self._buffer = b''
            self.done = True
        return False

    def _check_trailers(self, block: bytes) -> None:
        lines = block.decode('latin-1').split('\r\n') if block else []
        if len(lines) > head.MAX_FIELDS:
            raise head.overflow()
        for line in lines:
            head.check_field(line)

    def _refill(self, size: int) -> None:
        rest = self._buffer[self._at :]
        data = self._feed.recv(max(size, 4096), bool(rest) or self._trailing)
        if not data:
            raise cut_short()
        self._buffer = rest + data
        self._at = 0
