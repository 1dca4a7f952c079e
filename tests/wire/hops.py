"""Hops to the test servers, and the few ways in which they answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from requite.message import AbortSignal, BytesBody, Hop
from requite.routes import TLS, Limits, Route
from requite.transport.pooled import DEFAULT
from requite.transport.pools import Pool
from requite.transport.replies import PooledReply
from tests.servers import RawServer

OK = b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
CHUNKED = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'


class Pieces:
    """A body given piece by piece; an exception among the pieces is raised when its turn comes."""

    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self, pieces: Iterable[Any], length: int | None = None, *, replayable: bool = False) -> None:
        self.pieces = list(pieces)
        self.length = length
        self.replayable = replayable
        self.asked = 0

    def chunks(self) -> Iterator[Any]:
        self.asked += 1
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece


def hop_to(server: RawServer, method: str = 'GET', target: str = '/', **given: Any) -> Hop:
    """A hop to `server`; `read`, `connect` and `deadline` are in seconds from now, everything else is a field of Hop."""
    tls = given.pop('tls', TLS() if server.tls else None)
    route = given.pop('route', Route('https' if tls else 'http', given.pop('host', server.host), server.port, tls))
    deadline = given.pop('deadline', None)
    limits = Limits(
        given.pop('connect', 5.0),
        given.pop('read', 5.0),
        None if deadline is None else time.monotonic() + deadline,
    )
    body = given.pop('body', None)
    if isinstance(body, bytes):
        body = BytesBody(body)
    fields = [('host', server.authority), *given.pop('fields', ())]
    if body is not None:
        fields.append(('transfer-encoding', 'chunked') if body.length is None else ('content-length', str(body.length)))
    uri: Any = None  # the transport sends `target` to `route` and asks nothing else
    pool = given.pop('pool', None)
    signal = given.pop('signal', None) or AbortSignal()
    return Hop(method, uri, target, tuple(fields), body, route, pool, limits, signal, **given)


def send(server: RawServer, method: str = 'GET', target: str = '/', **given: Any) -> PooledReply:
    """Sends a hop to `server`."""
    return DEFAULT.send(hop_to(server, method, target, **given))


def always(data: bytes) -> Callable[[socket.socket, bytes], bool]:
    """A handler that answers every request with the same bytes and keeps the connection."""

    def handler(sock: socket.socket, head: bytes) -> bool:
        sock.sendall(data)
        return True

    return handler


def once(data: bytes) -> Callable[[socket.socket, bytes], None]:
    """A handler that answers with these bytes and closes the connection."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(data)

    return handler


def read_exactly(sock: socket.socket, size: int, already: bytes = b'') -> bytes:
    """`size` bytes from `sock`, those counted that are here already."""
    while len(already) < size:
        more = sock.recv(65536)
        if not more:
            raise OSError('the client left')
        already += more
    return already


def states(pool: Pool) -> tuple[int, int]:
    """How many connections of `pool` are (in use, unused), over all origins."""
    counts = list(pool.status().values())
    return sum(busy for busy, _ in counts), sum(idle for _, idle in counts)
