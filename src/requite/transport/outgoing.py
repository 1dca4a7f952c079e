"""The content of a request as it goes out: framed as announced, in pieces of bounded size, and held to its length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite import errors
from requite.message import BytesBody
from requite.transport import faults, head
from requite.transport.faults import CallersError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from requite.message import Hop
    from requite.protocols import Body

PIECE = 262144
"""The largest piece that is handed to a connection at a time, in bytes."""
SMALL_BODY = 65536
"""The largest content that goes out together with the head."""
CONNECTION = b'\r\nconnection:'


def encoded(hop: Hop) -> tuple[bytes, Body | None, bool]:
    """What goes out in one piece, what is sent behind it, and whether the hop asks to close the connection."""
    payload = head.encode(hop.method, hop.target, hop.fields)
    closing = CONNECTION in payload.lower() and asks_to_close(hop)
    body = hop.body
    if body is not None or b'ontent-' in payload or b'ransfer-' in payload:
        check_framing(hop, body)
    if type(body) is BytesBody and len(body.data) <= SMALL_BODY:
        payload += body.data
        body = None
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')
    return payload, body, closing


def asks_to_close(hop: Hop) -> bool:
    """Whether the request says that the connection ends with it (RFC 9112 9.6); the options of Connection are a list and ignore case."""
    return any(
        option.strip().lower() == 'close'
        for name, value in hop.fields
        if name.lower() == 'connection'
        for option in value.split(',')
    )


def check_framing(hop: Hop, body: Body | None) -> None:
    """Raises ``OptionsError`` unless the fields announce exactly what ``body`` is (SECURITY Q3), and where it cannot be sent any more."""
    checking = getattr(body, 'check', None)
    if checking is not None:
        checking()
    lengths = [value for name, value in hop.fields if name.lower() == 'content-length']
    codings = [value.lower() for name, value in hop.fields if name.lower() == 'transfer-encoding']
    length = 0 if body is None else body.length
    wanted = ([], ['chunked']) if length is None else ([str(length)], [])
    if (lengths, codings) != wanted and (length != 0 or lengths or codings):
        raise errors.OptionsError(
            f'content-length {lengths} and transfer-encoding {codings} do not describe the body, whose length is {length}: '
            'leave both to the library'
        )


def framed(body: Body) -> Iterator[tuple[bytes | memoryview, bool]]:
    """The pieces as they go out, each with whether it is the last.

    The one that completes a declared length waits until the body has ended well: before that, no server can take what it has for the whole. Raises
    ``InvalidBody`` for a body of another length than it declared (SECURITY Q3), and ``CallersError`` with what its iterator raised.
    """
    length = body.length
    sent = 0
    last: memoryview | None = None
    for piece in _pieces(body):
        sent += len(piece)
        if length is None:
            yield b''.join((b'%x\r\n' % len(piece), piece, b'\r\n')), False
        elif sent > length:
            raise errors.InvalidBody(
                f'the body is longer than declared: {length} bytes were announced, at least {sent} came'
            )
        elif sent == length:
            last = piece
        else:
            yield piece, False
    if length is None:
        yield b'0\r\n\r\n', True
    elif last is not None:
        yield last, True
    elif sent != length:
        raise errors.InvalidBody(f'the body is shorter than declared: {length} bytes were announced, {sent} came')


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
