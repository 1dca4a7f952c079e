"""Sending a body while listening: an answer that comes early is taken, a server that stops reading does not hold us for ever.

The socket does not block meanwhile; one poll waits for either direction, for as long as ``limits.read`` allows the connection to stand still.
"""

from __future__ import annotations

import select
import ssl
import time
from typing import TYPE_CHECKING

from requite import errors
from requite.transport import faults, head
from requite.transport.faults import CallersError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from requite.message import Hop
    from requite.protocols import Body
    from requite.transport.link import Link

PIECE = 262144

_WAIT_ERRORS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Upload:
    """One request on its way out."""

    __slots__ = ('_deaf', '_early', '_head_at', '_hop', '_link', '_searched', 'refused')

    def __init__(self, hop: Hop, link: Link) -> None:
        self._hop = hop
        self._link = link
        self._deaf = False
        self._early = bytearray()
        self._head_at = 0
        self._searched = 0
        self.refused = False

    def run(self, start: bytes, body: Body) -> bytes:
        """Sends ``start`` (the head) and ``body``; gives what the server has said so far.

        ``refused`` is true afterwards if it answered (status 300 or more) or left before it had everything: sending stopped there. Raises ``InvalidBody`` for a body of
        another length than it declared, an error of the transport, or ``CallersError`` with what the body's iterator raised; the connection is then reset, so that
        no server can take the part for the whole (SECURITY Q3, Q4).
        """
        link = self._link
        done = False
        link.blocking(False)
        try:
            if body.length == 0:
                start = b''.join(
                    (start, *self._framed(body))
                )  # the head alone is all of it: first see that nothing comes
            self._push(start)
            for piece in () if body.length == 0 else self._framed(body):
                self._push(piece)
                if self.refused:
                    break
            done = True
        finally:
            if done:
                link.blocking(True)
            else:
                link.reset()
        return bytes(self._early)

    def _framed(self, body: Body) -> Iterator[bytes | memoryview]:
        """The pieces as they go out. The one that completes a declared length waits until the body has ended well: before that, no server can take what it has for
        the whole.
        """
        length = body.length
        sent = 0
        last: memoryview | None = None
        for piece in _pieces(body):
            sent += len(piece)
            if length is None:
                yield b''.join((b'%x\r\n' % len(piece), piece, b'\r\n'))
                continue
            if sent > length:
                raise errors.InvalidBody(
                    f'the body is longer than declared: {length} bytes were announced, at least {sent} came'
                )
            if sent == length:
                last = piece
            else:
                yield piece
        if length is None:
            yield b'0\r\n\r\n'
        elif last is not None:
            yield last
        elif sent != length and not self.refused:
            raise errors.InvalidBody(f'the body is shorter than declared: {length} bytes were announced, {sent} came')

    def _push(self, data: bytes | memoryview) -> None:
        deadline = self._hop.limits.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise faults.timed_out(self._hop, faults.SEND)
        view = memoryview(data)
        send = self._link.send
        try:
            while view and not self.refused:
                if not self._deaf and self._link.poll(0):
                    self._listen()
                    continue
                try:
                    view = view[send(view) :]
                except _WAIT_ERRORS:
                    self._wait()
        except OSError as error:
            self._stopped(error)

    def _wait(self) -> None:
        hop = self._hop
        limits = hop.limits
        seconds = limits.read
        if limits.deadline is not None:
            left = max(0.0, limits.deadline - time.monotonic())
            seconds = left if seconds is None else min(seconds, left)
        if hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(hop)}')
        if not _wait_for(self._link, not self._deaf, seconds):
            raise faults.timed_out(hop, faults.SEND)
        if hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(hop)}')

    def _listen(self) -> None:
        """Something came in while we are sending."""
        try:
            data = self._link.recv(head.MAX_LINE)
        except _WAIT_ERRORS:
            return  # TLS spoke to itself
        self._early += data
        answer = self._first_digit()
        if not data or len(self._early) > head.MAX_HEAD:
            self.refused = True
        elif answer:
            # 2xx: the server answers while it reads, so it wants the rest; what more it says waits in the socket
            self._deaf = True
            self.refused = answer != b'2'

    def _first_digit(self) -> bytes:
        """The first digit of the final status, empty while there is none; interim heads are passed over, each byte looked at once."""
        early = self._early
        while (digit := bytes(early[self._head_at + 9 : self._head_at + 10])) == b'1':
            end = early.find(head.END, max(self._head_at, self._searched))
            if end < 0:
                self._searched = max(0, len(early) - 3)
                return b''
            self._head_at = end + 4
        return digit

    def _stopped(self, error: OSError) -> None:
        if isinstance(error, errors.RequestError) or self._hop.signal.aborted:
            raise faults.explain(error, self._hop, faults.SEND) from None
        # a server that answers and closes resets what we still send; its answer may have arrived before that
        try:
            self._link.blocking(False)
            self._early += self._link.recv(head.MAX_LINE)
        except OSError:
            pass
        if not self._early:
            raise faults.explain(error, self._hop, faults.SEND) from None
        self.refused = True


def _pieces(body: Body) -> Iterator[memoryview]:
    """The body in pieces of bounded size, none of them empty."""
    for chunk in _chunks(body):
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise errors.InvalidBody(f'the body gave {type(chunk).__name__}, only bytes can be sent: encode it first')
        view = memoryview(chunk).cast('B')
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]


_end: Any = object()


def _chunks(body: Body) -> Iterator[Any]:
    try:
        chunks = iter(body.chunks())
        while True:
            chunk = next(chunks, _end)
            if chunk is _end:
                return
            yield chunk
    except GeneratorExit:
        raise
    except BaseException as error:
        raise CallersError(error) from error


def _wait_for(link: Link, listening: bool, seconds: float | None) -> bool:
    if not hasattr(select, 'poll'):
        reads, writes, _ = select.select([link.sock] if listening else [], [link.sock], [], seconds)
        return bool(reads or writes)
    poller = select.poll()
    poller.register(link.sock, select.POLLOUT | (select.POLLIN if listening else 0))
    return bool(poller.poll(None if seconds is None else seconds * 1000))
