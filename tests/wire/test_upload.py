"""Sending bodies: exactly as long as declared, never half and taken for whole, and with an ear for the answer (SECURITY Q3 Q4 D1)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest

from requite import errors, request
from requite.transport.pools import Pool
from tests.servers import HttpServer, RawServer
from tests.wire.hops import OK, Pieces, read_exactly, send, states

Start = Callable[..., RawServer]


class Collector:
    """Reads to the end of the connection and keeps how that ended."""

    def __init__(self) -> None:
        self.got = b''
        self.ended = ''

    def __call__(self, sock: socket.socket, head: bytes) -> None:
        self.got = head
        try:
            while data := sock.recv(65536):
                self.got += data
            self.ended = 'closed'
        except ConnectionResetError:
            self.ended = 'reset'

    def wait(self) -> Collector:
        end = time.monotonic() + 5
        while not self.ended and time.monotonic() < end:
            time.sleep(0.005)
        return self


@pytest.mark.parametrize(
    ('pieces', 'length'), [([b'12345'], 10), ([b'12345', b'67890', b'1'], 10), ([], 1), ([b'x' * 100_000], 99_999)]
)
def test_a_body_of_another_length_than_declared_is_an_error(
    raw_server: Start, pieces: list[bytes], length: int
) -> None:
    """Q3."""
    collector = Collector()
    pool = Pool()
    with pytest.raises(errors.InvalidBody) as caught:
        send(raw_server(collector), 'POST', pool=pool, body=Pieces(pieces, length))
    assert str(length) in str(caught.value)
    assert isinstance(caught.value, TypeError)
    assert collector.wait().ended == 'reset'
    assert len(collector.got.partition(b'\r\n\r\n')[2]) < max(length, 1)
    assert states(pool) == (0, 0)


@pytest.mark.parametrize('length', [None, 10, 100])
@pytest.mark.parametrize(
    'raised',
    [ZeroDivisionError('mine'), ConnectionResetError('mine'), errors.ResponseAborted('mine'), TimeoutError('mine')],
)
def test_what_the_iterator_raises_comes_through_and_leaves_nothing_whole(
    raw_server: Start, length: int | None, raised: Exception
) -> None:
    """Q4."""
    collector = Collector()
    pool = Pool()
    body = Pieces([b'0123456789', raised], length, replayable=True)
    with pytest.raises(type(raised)) as caught:
        send(raw_server(collector), 'PUT', pool=pool, body=body)
    assert caught.value is raised
    assert str(raised) == 'mine'
    assert body.asked == 1
    assert collector.wait().ended == 'reset'
    content = collector.got.partition(b'\r\n\r\n')[2]
    if length is None:
        assert not content.endswith(b'0\r\n\r\n')
    else:
        assert len(content) < length
    assert states(pool) == (0, 0)


def test_an_iterator_that_raises_before_its_first_byte_sends_nothing_even_when_nothing_was_announced(
    raw_server: Start,
) -> None:
    """Q4: a head that announces no content is a whole request by itself."""
    collector = Collector()
    with pytest.raises(ZeroDivisionError):
        send(raw_server(collector), 'PUT', body=Pieces([ZeroDivisionError()], 0))
    assert collector.wait().got == b''


def test_the_deadline_holds_while_a_slow_body_is_sent_and_after_it(server: HttpServer) -> None:
    """D2: the time that the body's own iterator takes counts too."""

    def slow() -> Iterator[bytes]:
        for _ in range(20):
            time.sleep(0.1)
            yield b'x'

    began = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        request.post(server.url, body=slow(), deadline=500).end()
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize('piece', ['text', 5, None, ['a'], object()])
def test_only_bytes_can_be_sent(raw_server: Start, piece: object) -> None:
    """Q5."""
    collector = Collector()
    with pytest.raises(errors.InvalidBody, match=type(piece).__name__):
        send(raw_server(collector), 'POST', body=Pieces([b'ab', piece]))
    assert collector.wait().ended == 'reset'


def test_an_answer_that_comes_early_is_taken(raw_server: Start) -> None:
    """D4: the server says 413 and does not read on."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big')
        time.sleep(0.5)

    def endless() -> Iterator[bytes]:
        while True:
            yield b'x' * 65536

    class Endless(Pieces):
        def chunks(self) -> Iterator[bytes]:
            return endless()

    pool = Pool()
    began = time.monotonic()
    reply = send(raw_server(handler), 'POST', pool=pool, body=Endless([]), read=10.0)
    assert time.monotonic() - began < 3
    assert (reply.status, reply.collect()) == (413, b'too big')
    assert states(pool) == (0, 0)


def test_an_answer_before_a_close_is_taken(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy')
        sock.shutdown(socket.SHUT_WR)
        time.sleep(0.2)

    reply = send(raw_server(handler), 'POST', body=Pieces([b'x' * 65536] * 200))
    assert (reply.status, reply.collect()) == (503, b'busy')


def test_interim_answers_do_not_stop_an_upload(raw_server: Start) -> None:
    size = 2_000_000

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        read_exactly(sock, size, head.partition(b'\r\n\r\n')[2])
        sock.sendall(OK)

    reply = send(raw_server(handler), 'PUT', body=b'x' * size, fields=[('Expect', '100-continue')])
    assert reply.collect() == b'ok'


def test_an_interim_answer_in_drops_costs_linear_time(raw_server: Start) -> None:
    size = 3_000_000

    def handler(sock: socket.socket, head: bytes) -> None:
        for _ in range(3):
            for byte in b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n':
                sock.sendall(bytes([byte]))
                sock.recv(1000)
        while data := sock.recv(65536):
            if data.endswith(b'.'):
                break
        sock.sendall(OK)

    reply = send(raw_server(handler), 'PUT', body=Pieces([b'x' * size, b'.'], size + 1))
    assert reply.collect() == b'ok'


def test_a_server_that_answers_while_it_reads_gets_the_rest(raw_server: Start) -> None:
    size = 2_000_000
    arrived: list[int] = []

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n')
        arrived.append(len(read_exactly(sock, size, head.partition(b'\r\n\r\n')[2])))
        sock.sendall(b'ok')

    assert send(raw_server(handler), 'PUT', body=b'x' * size).collect() == b'ok'
    assert arrived == [size]


def test_a_server_that_stops_reading_is_a_read_timeout(raw_server: Start) -> None:
    """D1."""

    def handler(sock: socket.socket, head: bytes) -> None:
        time.sleep(1.5)

    began = time.monotonic()
    with pytest.raises(errors.ReadTimeout) as caught:
        send(raw_server(handler), 'POST', body=b'x' * 50_000_000, read=0.2)
    assert caught.value.code == 'ESOCKETTIMEDOUT'
    assert time.monotonic() - began < 1.4


def test_a_server_that_reads_slowly_is_ended_by_the_deadline(raw_server: Start) -> None:
    """D2."""

    def handler(sock: socket.socket, head: bytes) -> None:
        while sock.recv(1000):
            time.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        send(raw_server(handler), 'POST', body=Pieces([b'x' * 65536] * 1000), read=5.0, deadline=0.4)
    assert time.monotonic() - began < 3


def test_a_server_that_leaves_in_the_middle_is_an_error_and_nothing_is_sent_twice(raw_server: Start) -> None:
    """Q8."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.recv(10_000)

    server = raw_server(handler)
    with pytest.raises((errors.ConnectionReset, errors.ConnectionBroken)) as caught:
        send(server, 'POST', pool=Pool(), body=b'x' * 20_000_000)
    assert caught.value.code in ('ECONNRESET', 'EPIPE')
    assert server.connections == 1


def test_a_connection_serves_again_after_an_upload(raw_server: Start) -> None:
    size = 1_000_000

    def handler(sock: socket.socket, head: bytes) -> bool:
        if head.startswith(b'PUT'):
            read_exactly(sock, size, head.partition(b'\r\n\r\n')[2])
        sock.sendall(OK)
        return True

    server = raw_server(handler)
    pool = Pool()
    for method, body in (('PUT', b'x' * size), ('GET', None), ('PUT', b'x' * size)):
        assert send(server, method, pool=pool, body=body).collect() == b'ok'
    assert server.connections == 1
