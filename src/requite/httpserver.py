"""Handlers of Python's own ``http.server`` as ends of a pipe: what they received is a source, what they answer a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import hopbyhop
from requite.errors import ConnectionReset, InvalidBody, MalformedResponse
from requite.inflow import Inbound, Source
from requite.transport import inbound
from requite.transport.chunked import Chunked

if TYPE_CHECKING:
    from collections.abc import Callable


def received(handler: Any) -> Source:
    """The request that a ``BaseHTTPRequestHandler`` is at: its method, its end-to-end fields, its content (chunked is undone: ``http.server`` does not).

    Raises ``InvalidBody`` or ``OptionsError`` for a request that could be read in two ways. ``expect: 100-continue`` was answered by ``http.server``.
    """
    pairs = list(handler.headers.items())
    handler.close_connection, closing = True, handler.close_connection  # holds if anything is wrong with the request
    length = hopbyhop.content_length(pairs)
    kept = hopbyhop.end_to_end(pairs, hopbyhop.FRAMING | hopbyhop.NOT_OF_REQUESTS)
    handler.close_connection = closing
    if length == 0:
        return Source(None, kept, _nothing_left, None, handler.command)
    dechunked = Chunked(_Feed(handler.rfile), b'') if length is None else None
    body = Inbound(handler.rfile.read1 if dechunked is None else _reading(dechunked), length)

    def over() -> None:
        # What is left unread would be taken for the next request.
        if not body.done or (dechunked is not None and dechunked.surplus):
            handler.close_connection = True

    return Source(body, kept, over, None if length is None else str(length), handler.command)


def _nothing_left() -> None:
    """There was no content."""


class _Feed:
    """What the chunked coding is read from."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def recv(self, size: int, line: int = 0) -> bytes:
        return self._file.read1(size)  # type: ignore[no-any-return]

    def recv_into(self, view: memoryview) -> int:
        return self._file.readinto1(view)  # type: ignore[no-any-return]


def _reading(body: Chunked) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            return body.read(size)
        except ConnectionReset:
            raise ConnectionReset('the client left within its request, whose chunks have no end') from None
        except MalformedResponse as error:
            raise InvalidBody(f'the content of the incoming request is not chunked as it says: {error}') from None

    return read


class Answering:
    """The answer of a handler: status and end-to-end fields of a response, its content framed anew.

    The length is told where it is known; else the content goes out chunked to whoever speaks HTTP/1.1, and until the close of the connection otherwise. An
    answer that breaks off ends in RST: no client can take it for whole.
    """

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._chunked = False
        self._begun = False
        self._silent = False

    def begin(self, source: Source) -> None:
        handler, response = self._handler, source.response
        status = 200 if response is None else response.status_code
        inbound.undelayed(handler.connection)
        handler.log_request(status)
        # send_response() would add a Server and a Date to those of the origin.
        handler.send_response_only(status, (None if response is None else response.status_message) or None)
        for name, value in source.fields:
            handler.send_header(name, value)
        if response is None:
            handler.send_header('Date', handler.date_time_string())
        self._frame(source, status)

    def _frame(self, source: Source, status: int) -> None:
        handler = self._handler
        headless = source.response is not None and source.response._hop.method == 'HEAD'
        self._silent = handler.command == 'HEAD' or status in (204, 304)
        announced = '0' if headless and not self._silent else source.announced
        if announced is not None:
            handler.send_header('Content-Length', announced)
        elif not self._silent:
            self._chunked = handler.protocol_version >= 'HTTP/1.1' and handler.request_version >= 'HTTP/1.1'
            if self._chunked:
                handler.send_header('Transfer-Encoding', 'chunked')
            else:
                handler.close_connection = True
        if handler.close_connection:
            handler.send_header('Connection', 'close')

    def start(self) -> None:
        """Sends the head."""
        self._begun = True
        self._handler.end_headers()

    def write(self, piece: bytes) -> None:
        if self._silent or not piece:
            return
        if self._chunked:
            piece = b'%x\r\n%b\r\n' % (len(piece), piece)
        self._handler.wfile.write(piece)

    def keep(self) -> None:
        if self._chunked:
            self._handler.wfile.write(b'0\r\n\r\n')
        self._handler.wfile.flush()

    def discard(self) -> None:
        self._handler.close_connection = True
        if self._begun:
            inbound.reset(self._handler.connection)
