"""The response as people see it: Node's names, a body that streams or is collected, and the request that was really sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from requite.errors import BodyTooLarge, RequestError, RequestStateError
from requite.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from requite.emitter import Emitter
    from requite.message import Hop, Reply
    from requite.options import Options
    from requite.timings import Timings
    from requite.wire.uri import Uri

ALIASES = {
    'statusCode': 'status_code',
    'statusMessage': 'status_message',
    'httpVersion': 'http_version',
    'rawHeaders': 'raw_headers',
    'raiseForStatus': 'raise_for_status',
    'elapsedTime': 'elapsed_time',
    'responseStartTime': 'response_start_time',
    'timingStart': 'timing_start',
    'timingPhases': 'timing_phases',
    'toJSON': 'to_json',
}
"""Node's spelling of what a response has."""
PIECE = 262144


class SentRequest:
    """What was really sent last: the request behind a response, after all redirects."""

    __slots__ = ('_hop',)

    def __init__(self, hop: Hop) -> None:
        self._hop = hop

    @property
    def method(self) -> str:
        """The method of the last hop."""
        return self._hop.method

    @property
    def uri(self) -> Uri:
        """The address of the last hop; ``str()`` is its href."""
        return self._hop.uri

    @property
    def href(self) -> str:
        """The address of the last hop as a str."""
        return self._hop.uri.href

    @property
    def headers(self) -> dict[str, Any]:
        """The header fields that were sent, names as on the wire; repeated ones as a list."""
        fields: dict[str, Any] = {}
        for name, value in self._hop.fields:
            if name in fields:
                before = fields[name]
                fields[name] = [*(before if isinstance(before, list) else [before]), value]
            else:
                fields[name] = value
        return fields

    def to_json(self) -> dict[str, Any]:
        """Node's ``request.toJSON()``: uri, method, headers; a Host that requite itself set is left out."""
        headers = self.headers
        if headers.get('host') == self._hop.uri.host_field:
            del headers['host']
        length = headers.get('content-length')
        if isinstance(length, str) and length.isdigit():
            headers['content-length'] = int(length)
        return {'uri': self._hop.uri.to_json(), 'method': self.method, 'headers': headers}

    def __getattr__(self, name: str) -> Any:
        if name == 'toJSON':
            return self.to_json
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def __repr__(self) -> str:
        return f'<SentRequest {self.method} {self.uri.redacted()}>'


class Response:
    """An answer: its head is here, its body is read as it is asked for.

    ``body`` is str, bytes (``encoding=None``) or the parsed JSON (``json=``); iterate or ``read(n)`` for bytes as they come. A 4xx or 5xx is
    an answer like any other; ``raise_for_status()`` makes an error of it.
    """

    def __init__(self, reply: Reply, hop: Hop, options: Options, redirects: tuple[Any, ...] = ()) -> None:
        self.status_code: int = reply.status
        self.headers: Headers = reply.headers
        self.redirects = redirects
        self._reply = reply
        self._hop = hop
        self._options = options

    _content: bytes | None = None
    _emitter: Emitter | None = None
    _streaming: Any = None
    _value: Any = None
    _clock: Any = None
    _timings: Timings | None = None
    _with_body = False
    _watch: Any = None
    _fault: RequestError | None = None
    _left = b''

    # -- the head

    @property
    def status_message(self) -> str:
        """The reason phrase as it was received."""
        return self._reply.reason

    @property
    def http_version(self) -> str:
        """``'1.1'`` or ``'1.0'``."""
        return self._reply.version

    @property
    def raw_headers(self) -> list[tuple[str, str]]:
        """The header fields as received: (name, value) pairs in their order and case."""
        return list(self._reply.fields)

    @property
    def caseless(self) -> Headers:
        """The headers again, by Node's name for a look-up that ignores case: ``.get(name)``, ``.has(name)``."""
        return self.headers

    @property
    def ok(self) -> bool:
        """True for a status below 400."""
        return self.status_code < 400

    @property
    def request(self) -> SentRequest:
        """The request that was sent last; ``response.request.uri.href`` is where all redirects ended."""
        return SentRequest(self._hop)

    def raise_for_status(self) -> Response:
        """Returns the response, or raises ``RequestError`` for a status of 400 or more."""
        if self.status_code < 400:
            return self
        message = f'{self._hop.method} {self._hop.uri.redacted()} was answered {self.status_code} {self.status_message}'
        raise RequestError(message.rstrip())

    # -- the body

    @property
    def content(self) -> bytes:
        """The whole body as bytes, content codings undone; read now if it was not yet."""
        if self._content is None:
            self._collect()
        return self._content  # type: ignore[return-value]

    @property
    def text(self) -> str:
        """The whole body as text in ``encoding`` (UTF-8 where that is None)."""
        from requite.wire import text

        return text.decode(self.content, self._options.encoding or 'utf-8')

    @property
    def body(self) -> Any:
        """The whole body as the options ask for it: parsed JSON, text, or bytes. JSON that does not parse stays text; without content it is None."""
        value = self._value
        if value is None:
            value = self._value = self._as_asked()
        return value

    def json(self, reviver: Any = None) -> Any:
        """The whole body parsed as JSON, whatever the options say; raises ``ValueError`` when it is none."""
        from requite.body import jsondoc

        return jsondoc.loads(self.content, reviver or self._options.json_reviver)

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes of the body as they come, all of the rest with -1; ``b''`` at the end."""
        if size is None or size < 0:
            if self._streaming is None:
                return self.content
            return b''.join(self)
        stream = self._stream()
        if self._left:
            data, self._left = self._left[:size], self._left[size:]
            return data
        data = next(stream, b'')
        data, self._left = data[:size], data[size:]
        return data

    def __iter__(self) -> Iterator[bytes]:
        """The body in pieces as they come, content codings undone."""
        if self._left:
            data, self._left = self._left, b''
            yield data
        yield from self._stream()

    def close(self) -> None:
        """Ends the reading: a short rest is read so that the connection can serve again, otherwise the connection is closed."""
        if self._content is None and not self._reply.complete:
            self._reply.abort()

    def __enter__(self) -> Response:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _as_asked(self) -> Any:
        options = self._options
        content = self.content
        if options.json is not None and options.json is not False:
            if not content:
                return None
            try:
                return self.json()
            except ValueError:
                pass  # as in Node: what does not parse stays text
        if options.encoding is None:
            return content
        if options.encoding == 'utf-8' and content[:3] != b'\xef\xbb\xbf':
            return content.decode('utf-8', 'replace')
        from requite.wire import text

        return text.decode(content, options.encoding)

    def _collect(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._streaming is not None:
            raise RequestStateError('the body was read in pieces already; ask for .body instead of iterating, or join the pieces yourself')
        self._streaming = ()
        decoder = self._decoder()
        limit = self._options.max_body
        if decoder is None and self._emitter is None:
            try:
                content = self._reply.collect(limit)
            except RequestError as error:
                self._failed(error)
            self._content = content
            if self._clock is not None:
                self._finish()
            return
        pieces: list[bytes] = []
        size = 0
        for piece in self._pieces(decoder):
            size += len(piece)
            if limit is not None and size > limit:
                self._reply.abort()
                self._failed(BodyTooLarge(f'the body is larger than max_body={limit} bytes'))
            pieces.append(piece)
        self._content = b''.join(pieces)
        self._finish()

    def _stream(self) -> Iterator[bytes]:
        if self._fault is not None:
            raise self._fault
        if self._streaming is None:
            self._streaming = self._flow()
        elif self._content is not None:
            self._streaming = iter((self._content,) if self._content else ())
        return self._streaming  # type: ignore[no-any-return]

    def _flow(self) -> Iterator[bytes]:
        yield from self._pieces(self._decoder())
        self._finish()

    def _decoder(self) -> Any:
        coding = self.headers.get('content-encoding') if self._options.gzip else None
        if not coding or self._hop.method == 'HEAD' or self.status_code in (204, 304):
            return None
        from requite.wire import decode

        return decode.decoder_for(str(coding))

    def _pieces(self, decoder: Any) -> Iterator[bytes]:
        """The body in decoded pieces, each announced as a ``data`` event."""
        try:
            for piece in _decoded(self._reply, decoder):
                if self._emitter is not None:
                    self._announce(piece)
                yield piece
        except RequestError as error:
            self._reply.abort()
            self._failed(error)

    # -- events

    def _announce(self, piece: bytes) -> None:
        if not self._emitter.has('data'):  # type: ignore[union-attr]
            return
        if self._options.given('encoding') and self._options.encoding is not None:
            from requite.wire import text

            if self._value is None:
                self._value = text.Incremental(self._options.encoding)
            self._emitter.emit('data', self._value.feed(piece))  # type: ignore[union-attr]
        else:
            self._emitter.emit('data', piece)  # type: ignore[union-attr]

    def _finish(self) -> None:
        if self._clock is not None:
            self._timings = self._clock()
        incremental, self._value = self._value, None
        emitter = self._emitter
        if emitter is None:
            return
        if incremental is not None and (rest := incremental.end()):
            emitter.emit('data', rest)
        emitter.emit('end')
        if self._with_body:
            emitter.emit('complete', self, self.body)
        else:
            emitter.emit('complete', self)
        emitter.emit('close')

    def _failed(self, error: RequestError) -> NoReturn:
        self._fault = error
        if self._watch is not None:
            self._watch(error)
        raise error

    # -- times

    @property
    def elapsed_time(self) -> int | None:
        """Milliseconds over all hops, with ``time=True`` and once the body is read; else None."""
        return None if self._timings is None else self._timings.elapsed

    @property
    def timings(self) -> dict[str, float] | None:
        """Milliseconds since the last hop began: socket, lookup, connect, response, end; None without ``time=True``."""
        return None if self._timings is None else self._timings.timings()

    @property
    def timing_phases(self) -> dict[str, float] | None:
        """How long each phase of the last hop took, in milliseconds: wait, dns, tcp, firstByte, download, total."""
        return None if self._timings is None else self._timings.phases()

    @property
    def timing_start(self) -> int | None:
        """When the last hop began, in milliseconds since 1970."""
        if self._timings is None:
            return None
        from requite.timings import epoch_ms

        return epoch_ms(self._timings.start)

    @property
    def response_start_time(self) -> int | None:
        """When the first byte of the answer came, in milliseconds since 1970."""
        return None if self._timings is None else self._timings.response_start()

    # -- descriptions

    def to_json(self) -> dict[str, Any]:
        """Node's ``response.toJSON()``: statusCode, body, headers, request."""
        body = self.body if self._content is not None else None
        return {'statusCode': self.status_code, 'body': body, 'headers': dict(self.headers), 'request': self.request.to_json()}

    def __getattr__(self, name: str) -> Any:
        if name in ALIASES:
            return getattr(self, ALIASES[name])
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def __repr__(self) -> str:
        size = f' {len(self._content)} B' if self._content is not None else ' (body not read)'
        kind = self.headers.get('content-type')
        return f'<Response {self._hop.method} {self._hop.uri.redacted()} {self.status_code}{f" {kind}" if kind else ""}{size}>'


def _decoded(reply: Reply, decoder: Any) -> Iterator[bytes]:
    if decoder is None:
        while piece := reply.read(PIECE):
            yield piece
        return
    received = False
    while piece := reply.read(65536):
        received = True
        data = decoder.decode(piece, PIECE)
        while data or decoder.pending:
            if data:
                yield data
            data = decoder.decode(b'', PIECE)
    if received:
        decoder.finish()
