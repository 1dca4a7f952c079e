"""ASGI applications as ends of a pipe: ``Incoming(scope, receive)`` is a source, ``Outgoing(send)`` a destination, both for ``apipe`` (ASGI 3.0, HTTP).

::

    async def app(scope, receive, send):
        await apipe(await apipe(asgi.Incoming(scope, receive), request('http://mysite.com')), asgi.Outgoing(send))
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from requite import fields, hopbyhop
from requite.aiopipe import Awaited
from requite.crossing import Client, current
from requite.errors import ConnectionReset, OptionsError, RequestStateError
from requite.inflow import Source
from requite.transport import inbound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_PATH = "%/:@!$&'()*+,;=~"


class Incoming:
    """The request that an ASGI server received: ``method``, ``headers`` as (name, value) pairs, ``url`` (path and query), and its content as a source.

    Raises ``OptionsError`` for a scope that is no HTTP request (a server asks for ``lifespan`` first, and takes the error for an answer), and
    ``InvalidBody`` for a request that could be read in two ways. ``expect: 100-continue`` is answered by the server when the content is first asked for.
    """

    def __init__(self, scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]]) -> None:
        if scope.get('type') != 'http':
            raise OptionsError(f'only a scope of type "http" is a request, this one is {scope.get("type")!r}')
        self._scope = scope
        self._receive = receive
        self.method: str = scope.get('method', 'GET')
        self.headers = [(name.decode('latin-1'), value.decode('latin-1')) for name, value in scope.get('headers', ())]
        self.client = Client(self._leaving)
        """What tells ``apipe`` that the client left."""
        self._length = hopbyhop.content_length(self.headers)
        # From HTTP/2 on, content may come without a field that says so.
        self._silent = self._length == 0 and not str(scope.get('http_version', '1.1')).startswith('1')
        if self._silent:
            self._silent = not any(name.lower() == 'content-length' for name, _ in self.headers)
        self.client.heard = self._length == 0 and not self._silent
        self._used = False

    @property
    def url(self) -> str:
        """Path and query as the server was asked for them, percent-encoded; it always begins with a slash."""
        raw = self._scope.get('raw_path')
        path = quote(self._scope.get('path', '/'), safe=_PATH[1:]) if raw is None else quote(raw, safe=_PATH)
        query = quote(self._scope.get('query_string', b''), safe=_PATH + '?[]')
        return '/' + path.partition('?')[0].lstrip('/') + (f'?{query}' if query else '')

    def piped_out(self) -> Source:
        """What a pipe takes from here; raises ``RequestStateError`` outside of ``apipe``, and for a second pipe."""
        crossing = current()
        if self._used:
            raise RequestStateError('this incoming request was piped already: its content comes only once')
        self._used = True
        self._loop = crossing.loop
        kept = hopbyhop.end_to_end(self.headers, hopbyhop.FRAMING | hopbyhop.NOT_OF_REQUESTS)
        length = self._length
        first = crossing.call(self._take) if self._silent else b''
        if self._silent:
            length = 0 if first is None else None
        if length == 0:
            return Source(None, kept, _nothing, None, self.method)
        body = Awaited(crossing.loop, self._take, length, first)
        crossing.when_stopped(body.stop)
        return Source(body, kept, body.over, None if length is None else str(length), self.method)

    async def _take(self) -> bytes | None:
        """The next piece of the content, None at its end."""
        client = self.client
        while not client.heard:
            message = await self._receive()
            if message['type'] == 'http.disconnect':
                client.left = True
                raise ConnectionReset('the client left within its request')
            client.heard = not message.get('more_body', False)
            if client.heard:
                client.watch(self._loop)
            piece: bytes = message.get('body', b'')
            if piece:
                return piece
        return None

    async def _leaving(self) -> bool:
        """Waits until the client has left; False when the server does not tell."""
        for _ in range(2):  # the first may be the end of a request without content
            if (await self._receive())['type'] == 'http.disconnect':
                return True
        return False


def _nothing() -> None:
    """The server drops what was not received."""


class Outgoing:
    """The answer of an ASGI application.

    ``status_code`` and ``headers`` (pairs) are there when ``request.pipefilter`` is called, and may be changed by it. An origin that dies half way raises out of
    ``apipe``, and the server cuts the connection: no client can take the half for the whole.
    """

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[Any]]) -> None:
        self._send = send
        self._begun = False
        self._told = False
        self._done = False
        self._left: int | None = None
        self._at_once = True
        self.status_code = 200
        self.headers: list[tuple[str, str]] = []

    def piped_into(self) -> Outgoing:
        """Gets ready for one pipe; raises ``RequestStateError`` for a second one, and outside of ``apipe``."""
        current()
        if self._begun:
            raise RequestStateError('something was piped into this answer already: make an Outgoing for each request')
        self._begun = True
        return self

    def begin(self, source: Source) -> None:
        """Takes status and fields over."""
        response = source.response
        if response is not None:
            self.status_code = response.status_code
            self._at_once = not response._reply.complete
        added = getattr(getattr(self._send, '__self__', None), 'default_headers', None)
        # uvicorn adds its own Date and Server without looking whether they are there.
        theirs = {name.lower().decode('latin-1') for name, _ in added} if isinstance(added, list) else ()
        self.headers = [(name, value) for name, value in source.fields if name.lower() not in theirs]
        if source.announced is not None and self.status_code not in (204, 304):
            self.headers.append(('content-length', source.announced))
            if response is None or response._hop.method != 'HEAD':
                self._left = int(source.announced)

    def start(self) -> None:
        """Sends the head, unless the content is here to go with it."""
        if self._at_once:
            current().call(partial(self._tell, self._head()))

    def write(self, piece: bytes) -> None:
        """Sends a piece; the one that completes the announced length is the last."""
        if self._left is not None:
            self._left -= len(piece)
        if piece:
            self._pass(piece, self._left == 0)

    def keep(self) -> None:
        """The content is whole."""
        if not self._done:
            self._pass(b'', True)

    def discard(self) -> None:
        """It never will be. Where only the end of the connection would tell, it is reset."""
        transport = getattr(getattr(self._send, '__self__', None), 'transport', None)
        if self._told and not self._done and self._left is None and transport is not None:
            current().soon(partial(_reset, transport))

    def _head(self) -> dict[str, Any]:
        self._told = True
        pairs = []
        for name, value in self.headers:
            line = fields.header_value('headers', fields.header_name('headers', name), value)
            pairs.append((name.lower().encode('latin-1'), str(line).encode('latin-1')))
        return {'type': 'http.response.start', 'status': self.status_code, 'headers': pairs}

    def _pass(self, piece: bytes, last: bool) -> None:
        crossing = current()
        messages = [] if self._told else [self._head()]
        messages.append({'type': 'http.response.body', 'body': piece, 'more_body': not last})
        self._done = crossing.answered = last
        crossing.call(partial(self._tell, *messages))

    async def _tell(self, *messages: dict[str, Any]) -> None:
        try:
            for message in messages:
                await self._send(message)
        except OSError:
            raise ConnectionReset('the client left before it had the whole answer') from None


def _reset(transport: Any) -> None:
    inbound.unlingering(transport.get_extra_info('socket'))
    transport.abort()
