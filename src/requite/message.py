"""What passes between the floors: one hop out, one reply back, and what a hop inherits from the one before.

``Hop`` and ``Carry`` are frozen: a hop is built once from what the caller meant and a small ``Carry``, and never patched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from requite.errors import AbortError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any

    from requite.auth.digest import Answer
    from requite.headers import Headers
    from requite.options import Options
    from requite.protocols import Body, Signer
    from requite.routes import Limits, Proxy, Route
    from requite.wire.uri import Uri


SHUT_RDWR = 2


class AbortSignal:
    """Lets another thread stop an exchange at once, wherever it waits. ``made`` tells which line asked for it: code and offset, None where that is not known.

    ``bound`` is the thread (``get_ident()``) that alone can bring the exchange to its end, None where any may: one that is sending a body, or that is about to
    send the answer on as the content of another request. ``until`` is the moment of ``time.monotonic()`` at which the deadline is over, where that began before
    the exchange.
    """

    __slots__ = ('_socket', 'aborted', 'bound', 'made', 'until')

    def __init__(self) -> None:
        self.aborted = False
        self.made: tuple[Any, int] | None = None
        self.bound: int | None = None
        self.until: float | None = None
        self._socket: socket.socket | None = None

    def watch(self, sock: socket.socket | None) -> None:
        """Names the socket that ``abort`` has to shut down from now on; None when there is none any more."""
        self._socket = sock
        if self.aborted and sock is not None:
            self.abort()

    def check(self) -> None:
        """Raises ``AbortError`` once the exchange was aborted."""
        if self.aborted:
            raise AbortError('the request was aborted')

    def abort(self) -> None:
        """Marks the exchange as aborted and wakes whoever reads or writes its socket."""
        self.aborted = True
        sock = self._socket
        if sock is not None:
            try:
                _shut(sock)  # close() would not wake a blocked reader
            except (OSError, ValueError):
                pass


def _shut(sock: Any) -> None:
    # the method of the innermost class, not the one that SSLSocket puts over it: that forgets its TLS first, and what another thread sends in that moment
    # would go out in the clear
    base = next(kind for kind in reversed(type(sock).__mro__) if 'shutdown' in kind.__dict__)
    base.__dict__['shutdown'](sock, SHUT_RDWR)


class Carry(NamedTuple):
    """What a hop inherits from the one before; the first one is made from the options alone.

    ``trusted`` is False from the first hop on whose origin (scheme, host, port) the caller did not name, for good: nothing that proves who the caller
    is goes there, nor anywhere after. ``referer`` is what the hop says about where it comes from. ``answered`` is the Authorization that answers a 401,
    or what makes it of the request as it is sent; ``answers`` counts the 401s that were answered at this address, none for an answer that was not waited for.
    ``bodiless`` tells that a redirect took the content away, and with it the fields that describe it. ``rerouted`` tells that a Host header of the
    caller's does not apply any more. ``signers`` sign in place of those of the options, because of what the server said.
    ``proxy_answered`` answers a 407 of the proxy, ``proxy_answers`` counts those that were answered; ``resigned`` counts how often signers answered at this address.
    """

    method: str
    uri: Uri
    body: Body | None
    trusted: bool = True
    referer: str | None = None
    answered: str | Answer | None = None
    bodiless: bool = False
    rerouted: bool = False
    answers: int = 0
    signers: tuple[Signer, ...] | None = None
    proxy_answered: Answer | None = None
    proxy_answers: int = 0
    resigned: int = 0

    def again(self) -> Carry:
        """The same for another try: what answers a Digest uses its nonce the next time, since no two requests may be one use of it."""
        return self._replace(answered=_next_use(self.answered), proxy_answered=_next_use(self.proxy_answered))

    def __repr__(self) -> str:
        return f'<Carry {self.method} {self.uri.redacted()}>'


def _next_use(answered: Any) -> Any:
    session = getattr(answered, 'session', None)
    return answered if session is None else session.answer() or answered


class Draft:
    """One hop under construction, local to ``prepare.build``; what a ``Signer`` sees of it is final but for what signers add.

    ``fields`` maps lower-cased names to ``(name, value)`` in wire order, ``body`` is the content or None, ``uri`` the address (its ``target`` is what is sent);
    ``proxy`` is on the way, and ``connect`` are the fields of its CONNECT where a tunnel leads through it.
    """

    __slots__ = ('body', 'carry', 'connect', 'fields', 'options', 'proxy', 'uri')

    def __init__(self, options: Options, carry: Carry) -> None:
        self.options = options
        self.carry = carry
        self.uri = carry.uri
        self.body = carry.body
        self.fields: dict[str, tuple[str, Any]] = {}
        self.proxy: Proxy | None = None
        self.connect: dict[str, tuple[str, Any]] | None = None

    @property
    def method(self) -> str:
        """The method, as it is sent."""
        return self.carry.method

    @property
    def target(self) -> str:
        """The request target, as it is sent."""
        return self.uri.target

    def get(self, name: str) -> str | None:
        """The value of a field by its name in any case, several of one name joined with commas; None where there is none."""
        value = self.fields.get(name.lower(), (name, None))[1]
        return value if value is None or isinstance(value, str) else ', '.join(value)

    def set(self, name: str, value: str) -> None:
        """Sets a field; one that is there keeps its place and spelling. ``value`` must be what a header field may hold."""
        lowered = name.lower()
        self.fields[lowered] = (self.fields.get(lowered, (name,))[0], value)

    def default(self, name: str, value: str) -> None:
        """Sets a field that neither the caller nor an earlier stage has set; ``name`` in lower case."""
        if name not in self.fields:
            self.fields[name] = (name, value)

    def __repr__(self) -> str:
        return f'<Draft {self.method} {self.uri.redacted()}>'


class Hop(NamedTuple):
    """Exactly what is sent in one go: one request to one origin.

    ``fields`` are the header fields in wire order, Host, Content-Length and Transfer-Encoding included. ``pool`` is where the connection comes
    from, None for one of its own. ``marks``, when given, is filled with moments of ``time.perf_counter()``: socket, lookup, connect, tls, response.
    ``notice``, when given, is called with the socket as soon as there is one.
    ``connect`` are the fields of the CONNECT that opens a tunnel through the route's proxy. ``anew``, when given, makes the hop once more, with signatures of
    that moment, for whoever sends it again.
    """

    method: str
    uri: Uri
    target: str
    fields: tuple[tuple[str, str], ...]
    body: Body | None
    route: Route
    pool: Any
    limits: Limits
    signal: AbortSignal
    marks: dict[str, float] | None = None
    notice: Callable[[socket.socket], None] | None = None
    connect: tuple[tuple[str, str], ...] | None = None
    anew: Callable[[], Hop] | None = None

    def __repr__(self) -> str:
        return f'<Hop {self.method} {self.uri.redacted()}>'


class Reply:
    """The answer as the transport gives it: the head parsed, the body still on the wire.

    ``fields`` are the received ``(name, value)`` pairs, ``headers`` the same by lower-cased name. This class describes and documents; transports
    return their own subclass or look-alike.
    """

    __slots__ = ('complete', 'fields', 'headers', 'reason', 'status', 'version')

    status: int
    reason: str
    version: str
    fields: list[tuple[str, str]]
    headers: Headers
    complete: bool
    """True once the last byte of the body was received (at once for an answer without content)."""

    def read(self, size: int = 262144) -> bytes:
        """At most ``size`` bytes of the body as it is on the wire, content codings still on; ``b''`` at its end. Blocks for the first byte only."""
        raise NotImplementedError

    def collect(self, limit: int | None = None) -> bytes:
        """The rest of the body; more than ``limit`` bytes is ``BodyTooLarge``. Memory grows with what arrives, never with what was promised."""
        raise NotImplementedError

    def drain(self, limit: int = 65536) -> None:
        """Reads and forgets the rest so that the connection can serve again; gives the connection up instead when over ``limit`` bytes are left."""
        raise NotImplementedError

    def abort(self) -> None:
        """Closes the connection without reading on; harmless when the body is complete."""
        raise NotImplementedError

    def when_sent(self, task: Callable[[], object]) -> None:
        """Calls ``task`` as soon as nothing more of the request's body will be asked for: at once, unless this is an early answer whose reading sends the rest."""
        task()


class BytesBody:
    """A body that lies in memory: sent together with the head where it is small, and as often as needed."""

    __slots__ = ('data', 'headers')

    replayable = True

    def __init__(self, data: bytes, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.data = data
        self.headers = headers

    @property
    def length(self) -> int:
        return len(self.data)

    def chunks(self) -> Iterator[bytes]:
        yield self.data
