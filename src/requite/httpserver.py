"""Handlers of Python's own ``http.server`` as ends of a pipe: what they received is a source, what they answer a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import hopbyhop
from requite.errors import ConnectionReset, InvalidBody, MalformedResponse
from requite.inflow import Inbound, Source
from requite.transport import flowing, inbound
from requite.transport.chunked import Chunked

if TYPE_CHECKING:
    from collections.abc import Callable


def received(handler: Any) -> Source:
    """The request that a ``BaseHTTPRequestHandler`` is at: its method, its end-to-end fields, its content (chunked is undone: ``http.server`` does not).

    Raises ``InvalidBody`` or ``OptionsError`` for a request that could be read in two ways. ``expect: 100-continue`` is answered here where ``http.server``
    has not done it: it does only for handlers of HTTP/1.1.
    """
    handler.close_connection, closing = True, handler.close_connection  # holds if anything is wrong with the request
    _check_head(handler.headers)
    pairs = list(handler.headers.items())
    length = hopbyhop.content_length(pairs)
    kept = hopbyhop.end_to_end(pairs, hopbyhop.FRAMING | hopbyhop.NOT_OF_REQUESTS)
    handler.close_connection = closing
    if length == 0:
        return Source(None, kept, _nothing_left, None, handler.command)
    _continue(handler)
    flow = flowing.of(handler.rfile)
    dechunked = Chunked(_Feed(handler.rfile if flow is None else flow), b'') if length is None else None
    read = handler.rfile.read1 if flow is None else flow.read
    body = Inbound(flowing.Pieces(flow, read if dechunked is None else _reading(dechunked), length), length)

    def over() -> None:
        # What is left unread would be taken for the next request.
        if not body.done or (dechunked is not None and dechunked.surplus):
            handler.close_connection = True

    return Source(body, kept, over, None if length is None else str(length), handler.command)


def _nothing_left() -> None:
    """There was no content."""


def _check_head(headers: Any) -> None:
    """Raises ``InvalidBody`` for a head with a line that is no field: Python's parser stops there, and whoever passed the request on to us may have read
    the fields behind it, those that frame the content among them (SECURITY X5).
    """
    payload = headers.get_payload()
    odd = any(type(defect).__name__ not in _OF_CONTENT for defect in headers.defects)
    if odd or headers.get_unixfrom() is not None or (isinstance(payload, str) and payload):
        raise InvalidBody(
            'the head of the incoming request has a line that is no header field (a space within or behind a name, for one): it is refused, answer 400'
        )


_OF_CONTENT = frozenset(
    (
        'CloseBoundaryNotFoundDefect',
        'InvalidMultipartContentTransferEncodingDefect',
        'MultipartInvariantViolationDefect',
        'NoBoundaryInMultipartDefect',
        'StartBoundaryNotFoundDefect',
    )
)
"""What the parser, made for mail, finds wrong with a multipart message whose content it was not given."""


def _continue(handler: Any) -> None:
    """Has a client send that waits for 100 (RFC 9110 10.1.1), unless ``http.server`` did: its handlers speak HTTP/1.0 unless told otherwise."""
    if handler.protocol_version >= 'HTTP/1.1' or handler.request_version < 'HTTP/1.1':
        return
    if handler.headers.get('expect', '').strip().lower() == '100-continue':
        handler.wfile.write(b'HTTP/1.1 100 Continue\r\n\r\n')
        handler.wfile.flush()


class _Feed:
    """What the chunked coding is read from."""

    def __init__(self, file: Any) -> None:
        self._read: Callable[[int], bytes] = getattr(file, 'read1', None) or file.read
        self._read_into: Callable[[memoryview], int] = getattr(file, 'readinto1', None) or file.read_into

    def recv(self, size: int, line: int = 0) -> bytes:
        return self._read(size)

    def recv_into(self, view: memoryview) -> int:
        return self._read_into(view)


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
