"""Which connections serve again, and which must not (SECURITY S4 S6 Q8)."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from requite.errors import ConnectionReset
from requite.transport.pools import Pool
from tests.servers import Authority, RawServer
from tests.wire.hops import CHUNKED, OK, Pieces, always, once, send, states

Start = Callable[..., RawServer]


@pytest.mark.parametrize(
    'answer',
    [
        OK,
        CHUNKED + b'2\r\nok\r\n0\r\n\r\n',
        CHUNKED + b'2\r\nok\r\n0\r\nX-T: 1\r\n\r\n',
        b'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok',
        b'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
        b'HTTP/1.1 103 Early Hints\r\n\r\n' + OK,
    ],
)
def test_a_connection_serves_again_when_its_answer_is_whole(raw_server: Start, answer: bytes) -> None:
    server = raw_server(always(answer))
    pool = Pool()
    for _ in range(3):
        assert send(server, pool=pool).collect() == b'ok'
        assert states(pool) == (0, 1)
    assert server.connections == 1


def test_an_answer_that_streams_gives_its_connection_back_at_its_end(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> bool:
        sock.sendall(CHUNKED + b'1\r\na\r\n')
        time.sleep(0.05)
        sock.sendall(b'1\r\nb\r\n0\r\n\r\n')
        return True

    server = raw_server(handler)
    pool = Pool()
    reply = send(server, pool=pool)
    assert states(pool) == (1, 0)
    assert list(iter(reply.read, b'')) == [b'a', b'b']
    assert states(pool) == (0, 1)
    send(server, pool=pool).drain()
    assert server.connections == 1


@pytest.mark.parametrize(
    'answer',
    [
        b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
        b'HTTP/1.1 200 OK\r\nConnection: Foo, CLOSE\r\nContent-Length: 2\r\n\r\nok',
        b'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
        OK + b'EXTRA',
        OK + OK,
        CHUNKED + b'2\r\nok\r\n0\r\n\r\nEXTRA',
        b'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
)
def test_a_connection_does_not_serve_again(raw_server: Start, answer: bytes) -> None:
    """S4, S6, RFC 9112 9.3."""
    server = raw_server(always(answer))
    pool = Pool()
    for number in (1, 2):
        assert send(server, pool=pool).collect() == b'ok'
        assert states(pool) == (0, 0)
        assert server.connections == number


@pytest.mark.parametrize('status', [b'204 No Content', b'304 Not Modified', b'200 OK'])
def test_a_body_where_there_is_none_answers_no_other_request(raw_server: Start, status: bytes) -> None:
    """S4."""
    evil = b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'
    server = raw_server(always(b'HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n' % (status, len(evil)) + evil))
    pool = Pool()
    for number in (1, 2):
        assert send(server, 'HEAD', pool=pool).collect() == b''
        assert server.connections == number


def test_a_caller_who_says_close_gets_no_second_exchange_on_that_connection(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool()
    for number in (1, 2):
        send(server, pool=pool, fields=[('Connection', 'close')])
        assert server.connections == number


def test_a_pool_without_keep_alive_and_no_pool_at_all_close_each_connection(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool(keep_alive=False)
    send(server, pool=pool)
    send(server, pool=pool)
    send(server)
    send(server)
    assert server.connections == 4
    assert states(pool) == (0, 0)


@pytest.mark.parametrize('secure', [False, True])
def test_bytes_that_come_between_two_requests_end_the_connection(
    raw_server: Start, authority: Authority, secure: bool
) -> None:
    """S4: a second answer, some time after the first and before the next request."""
    late = threading.Event()

    def handler(sock: socket.socket, head: bytes) -> bool:
        sock.sendall(OK)
        if not late.is_set():
            time.sleep(0.02)
            sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL')
            late.set()
        return True

    from requite.routes import TLS

    server = raw_server(handler, tls=authority.context() if secure else None)
    pool = Pool()
    tls = TLS(ca=(authority.path,)) if secure else None
    assert send(server, pool=pool, tls=tls).collect() == b'ok'
    late.wait(5)
    time.sleep(0.02)
    assert send(server, pool=pool, tls=tls).collect() == b'ok'
    assert server.connections == 2


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_unnoticed(raw_server: Start) -> None:
    server = raw_server(once(OK))
    pool = Pool()
    for method in ('GET', 'POST', 'PATCH'):
        assert send(server, method, pool=pool, body=b'x').collect() == b'ok'
        time.sleep(0.02)
    assert server.connections == 3


def closes_on_reuse(how: str) -> Callable[[socket.socket, bytes], bool]:
    served: set[socket.socket] = set()  # kept: an id may come again

    def handler(sock: socket.socket, head: bytes) -> bool:
        if sock in served:
            if how == 'reset':
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            if how == 'half':
                sock.sendall(b'HTTP/1.1 20')
            return False
        served.add(sock)
        sock.sendall(OK[:-2] if head.startswith(b'HEAD') else OK)
        return True

    return handler


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
@pytest.mark.parametrize('how', ['close', 'reset'])
def test_an_idempotent_request_on_a_dead_connection_is_sent_once_more(raw_server: Start, method: str, how: str) -> None:
    """Q8, RFC 9110 9.2.2."""
    server = raw_server(closes_on_reuse(how))
    pool = Pool()
    send(server, pool=pool)
    assert send(server, method, pool=pool).status == 200
    assert server.connections == 2
    assert len(server.heads) == 3
    assert states(pool) == (0, 1)


@pytest.mark.parametrize('method', ['POST', 'PATCH', 'LOCK', 'get'])
@pytest.mark.parametrize('how', ['close', 'reset'])
def test_a_request_that_may_have_been_processed_is_never_sent_twice(raw_server: Start, method: str, how: str) -> None:
    """Q8."""
    server = raw_server(closes_on_reuse(how))
    pool = Pool()
    send(server, pool=pool)
    with pytest.raises(ConnectionReset) as caught:
        send(server, method, pool=pool, body=b'x')
    assert caught.value.code == 'ECONNRESET'
    assert len(server.heads) == 2
    assert states(pool) == (0, 0)


def test_nothing_is_sent_twice_after_a_byte_of_the_answer(raw_server: Start) -> None:
    """Q8."""
    server = raw_server(closes_on_reuse('half'))
    pool = Pool()
    send(server, pool=pool)
    with pytest.raises(ConnectionReset, match='socket hang up'):
        send(server, pool=pool)
    assert len(server.heads) == 2


def test_a_new_connection_that_is_closed_is_an_error_at_once(raw_server: Start) -> None:
    """Q8: only a connection that had served before is replaced."""
    server = raw_server(lambda sock, head: None)
    with pytest.raises(ConnectionReset, match='socket hang up'):
        send(server, pool=Pool())
    assert server.connections == 1


def test_a_stream_is_sent_again_only_if_it_can_be(raw_server: Start) -> None:
    """Q8, R14."""
    for replayable, asked in ((True, 2), (False, 1)):
        server = raw_server(closes_on_reuse('close'))
        pool = Pool()
        send(server, pool=pool)
        body = Pieces([b'abc'], 3, replayable=replayable)
        if replayable:
            assert send(server, 'PUT', pool=pool, body=body).collect() == b'ok'
        else:
            with pytest.raises(ConnectionReset):
                send(server, 'PUT', pool=pool, body=body)
        assert body.asked == asked


def test_a_short_rest_is_drained_and_a_long_one_given_up(raw_server: Start) -> None:
    """R12."""

    def handler(sock: socket.socket, head: bytes) -> bool:
        size = 1000 if b'/short' in head else 10_000_000
        sock.sendall(b'HTTP/1.1 302 Found\r\nContent-Length: %d\r\n\r\n' % size)
        sock.sendall(b'x' * size)
        return True

    server = raw_server(handler)
    pool = Pool()
    send(server, 'GET', '/short', pool=pool).drain()
    assert states(pool) == (0, 1)
    send(server, 'GET', '/long', pool=pool).drain()
    assert states(pool) == (0, 0)
    assert server.connections == 1


def test_draining_does_not_wait_for_a_server_that_stalls(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 302 Found\r\nContent-Length: 10\r\n\r\nabc')
        sock.recv(1)

    pool = Pool()
    reply = send(raw_server(handler), pool=pool, read=60.0)
    began = time.monotonic()
    reply.drain()
    assert time.monotonic() - began < 5
    assert states(pool) == (0, 0)


def test_a_reply_that_nobody_reads_gives_its_slot_back(raw_server: Start) -> None:
    server = raw_server(always(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'))
    pool = Pool(1)
    for _ in range(3):
        reply = send(server, pool=pool, deadline=5)
        assert states(pool) == (1, 0)
        del reply
        assert states(pool) == (0, 0)
    reply = send(server, pool=pool, deadline=5)
    reply.abort()
    reply.abort()
    assert states(pool) == (0, 0)


def test_closing_a_pool_closes_what_is_idle_now_and_the_rest_later(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> bool:
        sock.sendall(OK[:-1])
        if b'/slow' in head:
            sock.recv(1)
        sock.sendall(OK[-1:])
        return True

    server = raw_server(handler)
    pool = Pool()
    slow = send(server, 'GET', '/slow', pool=pool)
    send(server, pool=pool).drain()
    lane = pool.lane(slow._hop.route)
    assert (lane.busy(), lane.idle()) == (1, 1)
    pool.close()
    assert (lane.busy(), lane.idle()) == (1, 0)
    slow._feed._link.sock.send(b'.')  # type: ignore[union-attr]
    assert slow.collect() == b'ok'
    assert (lane.busy(), lane.idle()) == (0, 0)
    assert send(server, pool=pool).collect() == b'ok'


def test_no_more_connections_stay_open_than_may_be_free(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> bool:
        sock.sendall(OK[:-1])
        sock.recv(1)
        sock.sendall(OK[-1:])
        return True

    server = raw_server(handler)
    pool = Pool(5, max_free_sockets=2)
    replies = [send(server, pool=pool) for _ in range(4)]
    for reply in replies:
        reply._feed._link.sock.send(b'.')  # type: ignore[union-attr]
        reply.drain()
    assert states(pool) == (0, 2)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork here')
@pytest.mark.filterwarnings('ignore:.*multi-threaded.*:DeprecationWarning')
@pytest.mark.parametrize('secure', [False, True])
def test_a_forked_child_leaves_the_connections_of_its_parent_alone(
    raw_server: Start, authority: Authority, secure: bool
) -> None:
    from requite.routes import TLS

    tls = TLS(ca=(authority.path,)) if secure else None
    server = raw_server(always(OK), tls=authority.context() if secure else None)
    pool = Pool()
    send(server, pool=pool, tls=tls)
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if send(server, pool=pool, tls=tls, deadline=5).collect() == b'ok' else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert server.connections == 2
    assert send(server, pool=pool, tls=tls).collect() == b'ok'
    assert server.connections == 2
