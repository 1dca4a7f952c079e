"""The chunked transfer coding (RFC 9112 7.1), read strictly and in linear time."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from requite import errors
from requite.transport import head
from requite.transport.faults import cut_short, malformed, too_large

if TYPE_CHECKING:
    from requite.transport.framing import Feed

RECEIVE = 262144
MAX_CHUNK_LINE = 16384
MAX_TRAILERS = 65536

# RFC 9112 7.1: chunk-size [ chunk-ext ] CRLF, here together with the CRLF that ends the data of the chunk before
_CHUNK = re.compile(rb'\r\n([0-9A-Fa-f]{1,16})(?:[ \t]*(;[^\x00-\x08\x0a-\x1f\x7f]*))?\r\n')
_CHUNK_START = re.compile(rb'(?:\r(?:\n(?:[0-9A-Fa-f]{1,16}(?:[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?\r?)?)?)?)?')


class Chunked:
    """A chunked body; extensions and trailers are checked, bounded and forgotten (RFC 9112 7.1, SECURITY S7, S9).

    The buffer holds what was received, ``_at`` is where the unread part begins and ``_left`` how much of the current chunk is still to come. Each byte is looked
    at once, so that chunks of one byte cost linear time (B4).
    """

    __slots__ = ('_at', '_buffer', '_excess', '_feed', '_left', '_lines', '_trailing', 'done', 'surplus')

    left = None

    def __init__(self, feed: Feed, tail: bytes) -> None:
        self._feed = feed
        self._buffer = b'\r\n' + tail  # the first size line is then like every other: behind the CRLF of a chunk
        self._at = 0
        self._left = 0
        self._excess = 0
        self._lines = 1
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
            parts = self._buffered(RECEIVE)
            for part in parts:
                out.write(part)
            if limit is not None and out.tell() > limit:
                raise too_large(limit)
            if not parts and not self.done:
                self._refill(RECEIVE)
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
        self._lines += 1
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
        # the CRLF behind the data of a chunk does not yet begin a line that anybody is late with
        data = self._feed.recv(max(size, 4096), self._lines if len(rest) > 2 or self._trailing else 0)
        if not data:
            raise cut_short()
        self._buffer = rest + data
        self._at = 0


class _Nothing:
    def recv(self, size: int, line: int = 0) -> bytes:
        return b''

    def recv_into(self, view: memoryview) -> int:
        return 0


_nothing = _Nothing()


def dechunk(data: bytes) -> bytes | None:
    """The content of a chunked body that lies whole in ``data``; None when it does not end exactly there or is broken (reading it will say how)."""
    body = Chunked(_nothing, data)
    try:
        content = body.collect(None)
    except errors.RequestError:
        return None
    return None if body.surplus else content
