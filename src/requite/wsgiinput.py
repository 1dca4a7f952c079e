"""The content that a WSGI server received, read so that an answer can be listened for meanwhile where the server lets us.

PEP 3333 has only a ``read`` that waits until it has as much as was asked for. wsgiref and werkzeug hand out a file on the socket, which is as good as
``http.server``'s. gunicorn hands out a file of its own and the socket beside it: a thread reads that. Of other servers nothing more is known than that
``read``, and that it may not be called from another thread.
"""

from __future__ import annotations

import errno
from threading import Thread
from typing import TYPE_CHECKING, Any

from requite.handover import WrittenBody
from requite.transport import flowing, inbound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 0.05
"""Seconds that the thread which reads has to notice that it is not wanted any more; then the connection is shut for reading."""


def of(stream: Any, left: int | None, sock: Any) -> flowing.Pieces | Threaded:
    """The content in pieces; ``sock`` is the connection, where the server shows it."""
    if _is_gunicorns(stream) and inbound.is_plain(sock):
        # under TLS, one thread must not send while another receives
        return Threaded(stream, left, sock)
    flow = flowing.of(stream)
    return flowing.Pieces(flow, stream.read if flow is None else flow.read, left)


def _is_gunicorns(stream: Any) -> bool:
    return hasattr(stream, 'readline') and hasattr(stream, 'buf') and _ahead(stream) is not None


def _ahead(stream: Any) -> Any:
    """Where gunicorn keeps what it has received and not given out; None where it is of a kind that we do not know."""
    reader = getattr(stream, 'reader', None)
    ahead = getattr(reader, 'buf', None) or getattr(getattr(reader, 'unreader', None), 'buf', None)
    return ahead if hasattr(ahead, 'getbuffer') else None


def _read(stream: Any) -> bytes:
    """What is there, as soon as there is anything; none at the end. gunicorn's own ``read`` waits for more."""
    if held := _size(stream.buf):
        return stream.read(held)  # type: ignore[no-any-return]
    first: bytes = stream.readline(1)
    held = _size(_ahead(stream)) if first else 0
    return first + stream.reader.read(held) if held else first


def _size(buffer: Any) -> int:
    return buffer.getbuffer().nbytes  # type: ignore[no-any-return]


class Threaded:
    """Content in pieces, ``left`` bytes of it or, with None, to the end. A thread reads it, begun when somebody asks for the first time whether a piece is there."""

    __slots__ = ('_fed', '_feed', '_reader', '_sock', '_stream', 'left', 'live')

    def __init__(self, stream: Any, left: int | None, sock: Any) -> None:
        self._stream = stream
        self._sock = sock
        self._feed: WrittenBody | None = None
        self._fed: Iterator[bytes] | None = None
        self._reader: Thread | None = None
        self.left = left
        self.live = self

    def ready(self, signal: Callable[[], object]) -> bool:
        """Whether the next piece, or the end, can be had without waiting; if not, ``signal`` is called when it is worth asking again."""
        if self._feed is None:
            if self.left is not None and self.left <= _size(_ahead(self._stream)):
                return True  # all of it came with the head: no thread for that
            self._feed = WrittenBody(None, None, _nobody)
            self._fed = self._feed.chunks()
            self._reader = Thread(
                target=_read_all, args=(self._stream, self.left, self._feed), name='requite-receiving', daemon=True
            )
            self._reader.start()
        return self._feed.ready(signal)

    def take(self) -> bytes:
        """The next piece; none at the end. Waits for it."""
        if self.left == 0:
            return b''
        piece = _read(self._stream) if self._fed is None else next(self._fed, b'')
        if self.left is not None:
            self.left -= len(piece)
        return piece

    def over(self) -> None:
        """Nothing more is wanted. The thread is gone when this returns: what comes next on the connection is the server's to read."""
        feed, reader = self._feed, self._reader
        if feed is None or reader is None:
            return
        feed.stop()
        reader.join(PATIENCE)
        if reader.is_alive():
            inbound.shut_for_reading(self._sock)  # it waits for a client that pauses
            reader.join()
            # The rest may still come, and could be taken for another request (SECURITY X5): the server must not read on.
            self._stream.failed = True
            self._stream.reader = _Gone()
        self._reader = None


class _Gone:
    """Has gunicorn close the connection when it wants to pass over the rest of the content."""

    def read(self, size: int) -> bytes:
        raise ConnectionResetError(errno.ECONNRESET, 'the rest of the request was not waited for')


def _nobody() -> None:
    """Nobody waits for all to be sent."""


def _read_all(stream: Any, left: int | None, feed: WrittenBody) -> None:
    """Reads up to the end, or until nothing more is wanted."""
    try:
        while not feed.over and (left is None or left > 0):
            piece = _read(stream)
            if not piece:
                break
            if left is not None:
                left -= len(piece)
            feed.put(piece)
        feed.end()
    except BaseException as error:  # noqa: BLE001 - raised where the content is sent
        feed.fail(error)
