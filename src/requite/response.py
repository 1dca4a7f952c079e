"""The response as people see it: Node's names, a body that streams or is collected, and the request that was really sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

from requite.content import PIECE, Content
from requite.errors import BodyTooLarge, RequestError
from requite.sent import SentRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from requite.headers import Headers
    from requite.linestreams import Events, Stream
    from requite.message import Hop, Reply
    from requite.options import Options
    from requite.timings import Timings
    from requite.waterfall import Moments

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


class Response(Content):
    """An answer: its head is here, its body is read as it is asked for.

    ``body`` is str, bytes (``encoding=None``) or the parsed JSON (``json=``); iterate or ``read(n)`` for bytes as they come. A 4xx or 5xx is
    an answer like any other; ``raise_for_status()`` makes an error of it.
    """

    _shown: Callable[..., Any]
    """What tells notebooks what to show; comes from the floor of the prompt."""
    _piped: Callable[..., Any]
    """What copies; the floor of the pipes puts it here."""
    _awaited: Callable[..., Any]
    """What reads in a worker; comes from the same floor."""
    _lines: Any = None
    _events: Any = None

    attempts: int = 1
    """How often the last hop was sent; more than once under ``retry`` only."""

    def __init__(self, reply: Reply, hop: Hop, options: Options, redirects: tuple[Any, ...] = ()) -> None:
        self.status_code: int = reply.status
        self.headers: Headers = reply.headers
        self.redirects = redirects
        self._reply = reply
        self._hop = hop
        self._options = options

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
        # Node forgets the default port where the option qs rewrote the address
        known = not self._options.qs or bool(self.redirects) or self._hop.uri.socket_path is not None
        return SentRequest(self._hop, known)

    def raise_for_status(self) -> Response:
        """Returns the response, or raises ``RequestError`` for a status of 400 or more."""
        if self.status_code < 400:
            return self
        message = f'{self._hop.method} {self._hop.uri.redacted()} was answered {self.status_code} {self.status_message}'
        raise RequestError(message.rstrip())

    def close(self) -> None:
        """Ends the reading: closes the connection, unless the body was read to its end."""
        if self._content is None and not self._reply.complete:
            self._reply.abort()
        if self._bar is not None:
            self._bar.end()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come, each read in a worker: ``async for piece in response``."""
        return self._awaited()  # type: ignore[no-any-return]

    def lines(self) -> Stream[str]:
        """The body as lines of text, each as soon as it is complete, without its line break (LF or CRLF); the last one even without a break.

        For ``for`` and ``async for``; called again it goes on where it was. A line over ``max_body`` bytes is ``BodyTooLarge``.
        """
        from requite.linestreams import Stream, lines

        if self._lines is None:
            pieces, check = self._apart()
            self._lines = lines(pieces, self._options.encoding or 'utf-8', check)
        return Stream(self._lines, self._awaited)

    def events(self) -> Events:
        """The body as server-sent events (``text/event-stream``), each as soon as its blank line is there: ``event``, ``data``, ``id``, ``retry``, ``json()``.

        For ``for`` and ``async for``; called again it goes on where it was. An event over ``max_body`` bytes is ``BodyTooLarge``.
        """
        from requite.linestreams import Events, Parser

        if self._events is None:
            pieces, check = self._apart()
            parser = Parser(check)
            self._events = parser.events(pieces), parser
        found, parser = self._events
        return Events(found, self._awaited, parser)

    def _apart(self) -> tuple[Iterator[bytes], Callable[[int], object] | None]:
        """The body and the check of its lines' size, for what this response keeps. Without a way back, or it would outlive who let it go half-read."""
        held = ref(self)
        limit = self._options.max_body

        def check(size: int) -> None:
            if size > limit:  # type: ignore[operator]
                held()._too_long(limit)  # type: ignore[union-attr, arg-type]

        pieces = iter(lambda: held().read(PIECE), b'')  # type: ignore[union-attr]
        return pieces, None if limit is None else check

    def _too_long(self, limit: int) -> None:
        self._reply.abort()
        self._failed(BodyTooLarge(f'a line or an event of the body is larger than max_body={limit} bytes'))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- times

    _measured: Timings | None = None

    @property
    def _timings(self) -> Timings | None:
        """What was measured, once the body is read; worked out when somebody asks."""
        if self._measured is None and self._clock is not None and self._stopped is not None:
            from requite.timings import Timings

            self._measured = Timings(*self._clock, self._stopped)
        return self._measured

    @_timings.setter
    def _timings(self, measured: Timings | None) -> None:
        self._measured = measured

    @property
    def elapsed_time(self) -> int | None:
        """Milliseconds over all hops, with ``time=True`` and once the body is read; else None."""
        return None if self._timings is None else self._timings.elapsed

    @property
    def timings(self) -> Moments | None:
        """Milliseconds since the last hop began: socket, lookup, connect, tls, response, end; None without ``time=True``.

        A dict; ``print(response.timings)`` draws it (``timings.waterfall()``), and so does a notebook.
        """
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

    def pipe(self, sink: Any, end: Any = True) -> Any:
        """Copies the body to ``sink`` now, and returns the sink: the same as ``requite.pipe(self, sink, end)``."""
        return self._piped(sink, end)

    def to_json(self) -> dict[str, Any]:
        """Node's ``response.toJSON()``: statusCode, body, headers, request."""
        body = self.body if self._content is not None else None
        return {
            'statusCode': self.status_code,
            'body': body,
            'headers': dict(self.headers),
            'request': self.request.to_json(),
        }

    def __getattr__(self, name: str) -> Any:
        if name in ALIASES:
            return getattr(self, ALIASES[name])
        raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What IPython and notebooks show."""
        return self._shown()  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its body read, but without the credentials of the request that it answers."""
        from requite import kept

        return kept.restored, (type(self), kept.state_of(self))

    def __repr__(self) -> str:
        return f'<Response {self.summary()}>'

    def summary(self) -> str:
        """What ``repr()`` says, in one line: method, address without credentials, status, type, size, and with ``time=True`` how long it took."""
        value = self.headers.get('content-type')
        kind = value.partition(';')[0].strip()[:80] if isinstance(value, str) else ''
        told = [self._hop.method, self._hop.uri.redacted(), str(self.status_code)]
        if kind.isprintable() and kind:
            told.append(kind)
        told.append('(body not read)' if self._content is None else f'{len(self._content)} B')
        if self._timings is not None:
            told.append(f'{self._timings.elapsed} ms')
        return ' '.join(told)
