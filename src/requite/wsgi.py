"""WSGI applications as ends of a pipe: ``Incoming(environ)`` is a source, ``Outgoing(start_response)`` a destination (PEP 3333).

::

    def app(environ, start_response):
        return pipe(wsgi.Incoming(environ), request('http://mysite.com/doodle.png')).pipe(wsgi.Outgoing(start_response))
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from requite import hopbyhop, wsgiinput
from requite.errors import InvalidBody, RequestStateError
from requite.inflow import Inbound, Source
from requite.transport import inbound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


_SPELLED_WITH_UNDERSCORES = frozenset(('HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH'))
"""Not these fields, which have keys of their own, but ``Content_Length`` of somebody who wants a server to mistake it (RFC 3875 4.1.18)."""


class Incoming:
    """The request that a WSGI server received: ``method``, ``headers`` as (name, value) pairs, ``url`` (path and query), and its content as a source."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ.get('REQUEST_METHOD', 'GET')
        self.headers = [
            (key[5:].replace('_', '-').lower(), str(value))
            for key, value in environ.items()
            if key.startswith('HTTP_') and key not in _SPELLED_WITH_UNDERSCORES
        ]
        for key in ('CONTENT_TYPE', 'CONTENT_LENGTH'):
            if environ.get(key):
                self.headers.append((key.replace('_', '-').lower(), str(environ[key])))

    @property
    def url(self) -> str:
        """Path and query as the server was asked for them, percent-encoded; it always begins with a slash."""
        environ = self._environ
        path = environ.get('SCRIPT_NAME', '') + environ.get('PATH_INFO', '')
        path = '/' + quote(path, safe="/:@!$&'()*+,;=~", encoding='latin-1').lstrip('/')
        query = environ.get('QUERY_STRING', '')
        return f'{path}?{query}' if query else path

    def piped_out(self) -> Source:
        """What a pipe takes from here; raises ``InvalidBody`` or ``OptionsError`` for a request that could be read in two ways."""
        length = hopbyhop.content_length(self.headers)
        kept = hopbyhop.end_to_end(self.headers, hopbyhop.FRAMING | hopbyhop.NOT_OF_REQUESTS)
        stream = self._environ.get('wsgi.input')
        if length is None and not self._environ.get('wsgi.input_terminated'):
            raise InvalidBody(
                'the incoming request is chunked and this WSGI server does not undo that (wsgi.input_terminated): answer 411'
            )
        if length == 0 or stream is None:
            # wsgiref invents a content-type where the client gave none.
            kept = [field for field in kept if field[0] != 'content-type']
            return Source(None, kept, _nothing, None, self.method)
        pieces = wsgiinput.of(stream, length, self._environ.get('gunicorn.socket'))
        announced = None if length is None else str(length)
        return Source(Inbound(pieces, length), kept, pieces.over, announced, self.method)


def _nothing() -> None:
    """The server closes its input itself."""


class Outgoing:
    """The answer of a WSGI application: return it, and the server streams what was piped into it.

    ``status_code``, ``status_message`` and ``headers`` (pairs) are there when ``request.pipefilter`` is called, and may be changed by it. The server
    closes the answer when the client leaves, which gives the connection to the origin up. An origin that dies raises within the server, which then
    breaks the connection off; under wsgiref, which frames by closing, it is reset.
    """

    def __init__(self, start_response: Callable[..., Any]) -> None:
        self._start_response = start_response
        self._source: Source | None = None
        self.status_code = 200
        self.status_message = 'OK'
        self.headers: list[tuple[str, str]] = []

    def piped_into(self) -> Outgoing:
        """Gets ready for one pipe; raises ``RequestStateError`` for a second one."""
        if self._source is not None:
            raise RequestStateError('something was piped into this answer already: make an Outgoing for each request')
        return self

    def begin(self, source: Source) -> None:
        """Takes status and fields over."""
        self._source = source
        response = source.response
        if response is not None:
            self.status_code = response.status_code
            self.status_message = response.status_message or _phrase(response.status_code)
        # gunicorn adds its own Date and Server without looking whether they are there.
        theirs = (
            ('date', 'server') if hasattr(getattr(self._start_response, '__self__', None), 'default_headers') else ()
        )
        self.headers = [field for field in source.fields if field[0].lower() not in theirs]
        if source.announced is not None:
            self.headers.append(('content-length', source.announced))

    def start(self) -> None:
        """Tells the server."""
        self._start_response(f'{self.status_code} {self.status_message}', self.headers)

    lazy = True
    """Nothing is copied by the pipe: the server does it."""

    def __iter__(self) -> Iterator[bytes]:
        source = self._source
        if source is None:
            raise RequestStateError(
                'nothing was piped into this answer: return pipe(..., wsgi.Outgoing(start_response))'
            )
        try:
            yield from source.chunks()
        except Exception:
            if source.announced is None:
                inbound.reset(_connection(self._start_response))
            raise
        finally:
            source.over()

    def close(self) -> None:
        """Called by the server at the end, and when the client has left."""
        if self._source is not None:
            self._source.over()

    def discard(self) -> None:
        """The pipe failed before the server had anything."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return 'Unknown'


def _connection(start_response: Any) -> Any:
    """The socket of the client where the server shows it: wsgiref's handler and gunicorn's response do."""
    server = getattr(start_response, '__self__', None)
    return getattr(getattr(server, 'request_handler', None), 'connection', None) or getattr(server, 'sock', None)
