"""An abort from another thread ends the exchange at once, wherever it waits."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requite import request
from requite.errors import AbortError
from requite.message import AbortSignal
from requite.routes import TLS
from requite.transport.pools import Pool
from tests.servers import Authority, RawServer
from tests.wire.hops import CHUNKED, OK, Pieces, always, hop_to, send, states

Start = Callable[..., RawServer]


def silent(sock: socket.socket, head: bytes) -> None:
    while sock.recv(65536):
        pass


def answers(data: bytes) -> Callable[[socket.socket, bytes], None]:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(data)
        silent(sock, head)

    return handler


def aborting(after: float = 0.1) -> AbortSignal:
    signal = AbortSignal()
    threading.Timer(after, signal.abort).start()
    return signal


PLACES = {
    'the head': b'',
    'half a head': b'HTTP/1.1 200 O',
    'a sized body': OK[:-1],
    'a chunk': CHUNKED + b'5\r\nab',
    'a body until close': b'HTTP/1.1 200 OK\r\n\r\nab',
}


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('secure', [False, True])
def test_waiting_ends_at_once(raw_server: Start, authority: Authority, place: str, secure: bool) -> None:
    tls = TLS(ca=(authority.path,)) if secure else None
    server = raw_server(answers(PLACES[place]), tls=authority.context() if secure else None)
    pool = Pool()
    began = time.monotonic()
    with pytest.raises(AbortError):
        send(server, pool=pool, tls=tls, read=30.0, signal=aborting()).collect()
    assert time.monotonic() - began < 3
    assert states(pool) == (0, 0)


def test_connecting_ends_at_once(raw_server: Start) -> None:
    from requite.routes import Route
    from requite.transport.pooled import DEFAULT

    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(8)]
    for sock in waiting:
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
    time.sleep(0.05)
    hop = hop_to(raw_server(silent), connect=30.0, signal=aborting())
    began = time.monotonic()
    with pytest.raises(AbortError):
        DEFAULT.send(hop._replace(route=Route('http', '127.0.0.1', listener.getsockname()[1])))
    assert time.monotonic() - began < 3
    for sock in [*waiting, listener]:
        sock.close()


def test_a_tls_handshake_ends_at_once(raw_server: Start) -> None:
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    from requite.routes import Route
    from requite.transport.pooled import DEFAULT

    hop = hop_to(raw_server(silent), connect=30.0, signal=aborting())
    began = time.monotonic()
    with pytest.raises(AbortError):
        DEFAULT.send(hop._replace(route=Route('https', '127.0.0.1', listener.getsockname()[1], TLS())))
    assert time.monotonic() - began < 3
    listener.close()


def test_an_upload_ends_at_once(raw_server: Start) -> None:
    def deaf(sock: socket.socket, head: bytes) -> None:
        time.sleep(0.5)

    began = time.monotonic()
    with pytest.raises(AbortError):
        send(raw_server(deaf), 'POST', body=Pieces([b'x' * 65536] * 1000), read=30.0, signal=aborting())
    assert time.monotonic() - began < 3


def test_an_aborted_request_sends_nothing(raw_server: Start) -> None:
    server = raw_server(always(OK))
    signal = AbortSignal()
    signal.abort()
    with pytest.raises(AbortError):
        send(server, signal=signal)
    assert server.connections == 0


def test_an_abort_from_a_listener_ends_the_exchange(raw_server: Start) -> None:
    signal = AbortSignal()
    with pytest.raises(AbortError):
        send(raw_server(silent), signal=signal, notice=lambda sock: signal.abort())


def test_an_abort_after_the_end_harms_no_other_exchange(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool()
    signal = AbortSignal()
    assert send(server, pool=pool, signal=signal).collect() == b'ok'
    signal.abort()
    signal.abort()
    assert send(server, pool=pool).collect() == b'ok'
    assert server.connections == 1


def test_who_waits_for_a_connection_is_woken(raw_server: Start) -> None:
    server = raw_server(answers(OK[:-1]))
    pool = Pool(1)
    holder = send(server, pool=pool)
    with pytest.raises(AbortError):
        send(server, pool=pool, signal=aborting())
    assert states(pool) == (1, 0)
    holder.abort()
    assert states(pool) == (0, 0)


def test_an_abort_just_at_the_end_does_not_hand_on_a_dead_connection(raw_server: Start) -> None:
    """The flag is looked at after the socket is let go of: whoever aborts between the two shuts down a connection that nobody gets."""
    server = raw_server(always(OK))
    pool = Pool()

    class Late(AbortSignal):
        __slots__ = ()

        def watch(self, sock: socket.socket | None) -> None:
            if sock is None:
                self.abort()
            super().watch(sock)

    assert send(server, pool=pool, signal=Late()).collect() == b'ok'
    assert states(pool) == (0, 0)
    assert send(server, 'POST', pool=pool, body=b'x').collect() == b'ok'


# -- the same by the handle's own abort(), on every way that an exchange goes


@contextlib.contextmanager
def swallowing() -> Iterator[int]:
    """A port of loopback that neither takes connections nor refuses them."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        time.sleep(0.05)
        try:
            yield listener.getsockname()[1]
        finally:
            for sock in waiting:
                sock.close()


@contextlib.contextmanager
def mute() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        yield int(listener.getsockname()[1])


def aborted(pool: Pool, uri: str, **options: Any) -> float:
    """The seconds from the abort, after 150 ms and from another thread, until who asked is told."""
    moments: list[float] = []
    made = request.get(uri, {'timeout': 30000, 'pool': pool, **options})

    def stop() -> None:
        moments.append(time.monotonic())
        made.abort()

    threading.Timer(0.15, stop).start()
    with pytest.raises(AbortError):
        made.end()
    assert [busy for busy, _ in pool.status().values()] in ([0], [])
    assert made.signal.aborted
    return time.monotonic() - moments[0]


WAYS = {
    'a connect': (swallowing, 'http://127.0.0.1:{}/', {}),
    'a race of connects': (swallowing, 'http://h.example:{}/', {'lookup': lambda host, options: ['127.0.0.1'] * 2}),
    'a TLS handshake': (mute, 'https://127.0.0.1:{}/', {}),
    'a head': (mute, 'http://127.0.0.1:{}/', {}),
    'a connect to a proxy': (swallowing, 'https://h.example/', {'proxy': 'http://127.0.0.1:{}'}),
    'the answer of a proxy to CONNECT': (mute, 'https://h.example/', {'proxy': 'http://127.0.0.1:{}'}),
    'the answer of a proxy': (mute, 'http://h.example/', {'proxy': 'http://127.0.0.1:{}'}),
    'the handshake of a proxy': (mute, 'https://h.example/', {'proxy': 'https://127.0.0.1:{}'}),
    'the handshake of a SOCKS 5 proxy': (mute, 'http://h.example/', {'proxy': 'socks5h://127.0.0.1:{}'}),
    'the handshake of a SOCKS 4 proxy': (mute, 'http://h.example/', {'proxy': 'socks4a://127.0.0.1:{}'}),
    'a connect to a SOCKS proxy': (swallowing, 'http://h.example/', {'proxy': 'socks5h://127.0.0.1:{}'}),
}


@pytest.mark.parametrize('way', WAYS)
def test_abort_ends_the_waiting_for(way: str) -> None:
    there, uri, options = WAYS[way]
    with there() as port:
        filled = {name: value.format(port) if isinstance(value, str) else value for name, value in options.items()}
        assert aborted(Pool(), uri.format(port), **filled) < 1


def test_abort_ends_the_waiting_for_tls_through_a_proxy(raw_server: Start) -> None:
    def proxy(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        silent(sock, head)

    assert aborted(Pool(), 'https://h.example/', proxy=raw_server(proxy).url) < 1


def test_abort_ends_the_waiting_for_tls_within_the_tls_of_a_proxy(raw_server: Start, authority: Authority) -> None:
    def proxy(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
        silent(sock, head)

    server = raw_server(proxy, tls=authority.context())
    assert aborted(Pool(), 'https://h.example/', proxy=server.url, ca=authority.pem) < 1


def test_abort_ends_the_waiting_for_a_place_in_the_pool(raw_server: Start) -> None:
    server = raw_server(answers(OK[:-1]))
    pool = Pool(1)
    held = request.get(server.url, pool=pool).response
    made = request.get(server.url, pool=pool, timeout={'pool': 30000})
    threading.Timer(0.15, made.abort).start()
    began = time.monotonic()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - began < 2
    assert states(pool) == (1, 0)
    held.close()
    assert states(pool) == (0, 0)


def test_an_abort_during_a_lookup_is_heard_at_once(raw_server: Start) -> None:
    """Nobody can interrupt getaddrinfo, nor what the caller wrote; but nobody waits for it, and nothing is connected to afterwards."""
    server = raw_server(silent)
    returned = threading.Event()

    def lookup(host: str, options: Any) -> str:
        made.abort()
        returned.wait(20)
        return '127.0.0.1'

    made = request.get(f'http://h.example:{server.port}/', lookup=lookup, pool=False)
    began = time.monotonic()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - began < 2
    returned.set()
    assert server.connections == 0


def test_an_abort_between_two_attempts_of_a_race_is_heard(raw_server: Start) -> None:
    server = raw_server(silent)
    places = ['127.0.0.1'] * 50
    for after in (0.0, 0.0005, 0.001, 0.002):
        made = request.get(f'http://h.example:{server.port}/', lookup=lambda host, options: places, pool=False)
        threading.Timer(after, made.abort).start()
        began = time.monotonic()
        with pytest.raises(AbortError):
            made.end()
        assert time.monotonic() - began < 2
