"""Clocks and bounds: nothing waits longer or takes more than it should (SECURITY D1 D2 S9 S10)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from requite import errors
from requite.transport.pools import Pool
from tests.servers import RawServer
from tests.wire.hops import CHUNKED, OK, always, send, states

Start = Callable[..., RawServer]


def stalls_after(sent: bytes) -> Callable[[socket.socket, bytes], None]:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(sent)
        while sock.recv(65536):
            pass

    return handler


def drips(start: bytes, drop: bytes, every: float = 0.05) -> Callable[[socket.socket, bytes], None]:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(start)
        while True:
            sock.sendall(drop)
            time.sleep(every)

    return handler


@pytest.mark.parametrize(
    'sent',
    [
        b'',
        b'HTTP/1.1 2',
        OK[:-2],
        OK[:-1],
        CHUNKED + b'a\r\n12345',
        CHUNKED + b'1\r\na\r\n0\r\n',
        b'HTTP/1.1 200 OK\r\n\r\nab',
    ],
)
@pytest.mark.parametrize('how', ['read', 'collect'])
def test_a_server_that_stalls_is_a_read_timeout(raw_server: Start, sent: bytes, how: str) -> None:
    """D1."""
    pool = Pool()
    server = raw_server(stalls_after(sent))
    began = time.monotonic()
    with pytest.raises(errors.ReadTimeout, match='stood still for 200 ms') as caught:
        reply = send(server, pool=pool, read=0.2)
        if how == 'collect':
            reply.collect()
        else:
            while reply.read():
                pass
    assert 0.15 < time.monotonic() - began < 2
    assert (caught.value.code, caught.value.connect) == ('ESOCKETTIMEDOUT', False)
    assert isinstance(caught.value, TimeoutError)
    assert states(pool) == (0, 0)


DRIPS = [
    (b'', b'H'),
    (b'HTTP/1.1 200 OK\r\nX-A: ', b'v'),
    (b'HTTP/1.1 200 OK\r\n', b'X-A: b\r\n'),
    (b'', b'HTTP/1.1 100 Continue\r\n\r\n'),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n', b'z'),
    (CHUNKED, b'1\r\nz\r\n'),
    (CHUNKED, b'0'),
    (CHUNKED + b'2;', b'x'),
    (CHUNKED + b'0\r\n', b'X-A: b\r\n'),
    (b'HTTP/1.1 200 OK\r\n\r\n', b'z'),
]


@pytest.mark.parametrize(('start', 'drop'), DRIPS)
def test_nothing_outlives_the_deadline(raw_server: Start, start: bytes, drop: bytes) -> None:
    """D2."""
    pool = Pool()
    server = raw_server(drips(start, drop))
    began = time.monotonic()
    with pytest.raises((errors.DeadlineExceeded, errors.MalformedResponse)) as caught:
        send(server, pool=pool, read=5.0, deadline=0.4).collect()
    assert time.monotonic() - began < 3
    if start or drop != b'H':
        assert isinstance(caught.value, errors.DeadlineExceeded)
        assert caught.value.code == 'ETIMEDOUT'
    assert states(pool) == (0, 0)


@pytest.mark.parametrize(
    ('start', 'drop'),
    [
        (b'HTTP/1.1 200 OK\r\nX-A: ', b'v'),
        (b'HTTP/1.1 200 OK\r\n', b'X-A: b\r\n'),
        (CHUNKED, b'0'),
        (CHUNKED + b'0\r\n', b'X-A: b\r\n'),
    ],
)
def test_a_head_or_a_line_that_drips_is_bounded_in_time_without_a_deadline(
    raw_server: Start, start: bytes, drop: bytes
) -> None:
    """D1: once begun, each has `timeout` to be whole."""
    began = time.monotonic()
    with pytest.raises((errors.ReadTimeout, errors.MalformedResponse)):
        send(raw_server(drips(start, drop)), read=0.3).collect()
    assert time.monotonic() - began < 3


def test_a_slow_stream_is_no_timeout(raw_server: Start) -> None:
    """Many small chunks may take longer than `timeout` together; only standing still counts."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(CHUNKED)
        for _ in range(8):
            time.sleep(0.1)
            sock.sendall(b'1\r\nz\r\n')
        sock.sendall(b'0\r\n\r\n')

    assert send(raw_server(handler), read=0.4).collect() == b'z' * 8


def test_the_deadline_covers_connecting_too(raw_server: Start) -> None:
    with pytest.raises(errors.DeadlineExceeded):
        send(raw_server(always(OK)), deadline=0)


def test_a_connection_keeps_no_clock_of_the_exchange_before(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> bool:
        if b'/slow' in head:
            time.sleep(0.3)
        sock.sendall(OK)
        return True

    server = raw_server(handler)
    pool = Pool()
    send(server, pool=pool, read=0.1)
    assert send(server, 'GET', '/slow', pool=pool, read=5.0).collect() == b'ok'
    send(server, pool=pool, read=5.0, deadline=0.1)
    assert send(server, 'GET', '/slow', pool=pool, read=None, connect=None).collect() == b'ok'
    with pytest.raises(errors.ReadTimeout):
        send(server, 'GET', '/slow', pool=pool, read=0.1)
    assert server.connections == 1


@pytest.mark.parametrize('code', [b'100 Continue', b'102 Processing', b'103 Early Hints', b'199 Odd'])
def test_interim_answers_without_end_are_an_error(raw_server: Start, code: bytes) -> None:
    """S10."""
    server = raw_server(drips(b'', b'HTTP/1.1 %b\r\n\r\n' % code * 1000, 0))
    with pytest.raises(errors.MalformedResponse, match='Too many interim responses'):
        send(server)


def test_thirty_two_interim_answers_are_passed_over_and_no_more(raw_server: Start) -> None:
    """S10."""
    interim = b'HTTP/1.1 103 Early Hints\r\n\r\n'
    assert send(raw_server(always(interim * 32 + OK))).collect() == b'ok'
    with pytest.raises(errors.MalformedResponse):
        send(raw_server(always(interim * 33 + OK)))


@pytest.mark.parametrize(
    ('start', 'more'),
    [
        (b'HTTP/1.1 200 OK\r\nX-A: ', b'v' * 65536),
        (b'HTTP/1.1 200 ', b'r' * 65536),
        (b'HTTP/1.1 200 OK\r\n', b'X-A: 1\r\n' * 1000),
        (CHUNKED, b'0' * 65536),
        (CHUNKED + b'2;', b'x' * 65536),
        (CHUNKED + b'0\r\n', b'X-A: 1\r\n' * 1000),
    ],
    ids=['line', 'reason', 'fields', 'size', 'extension', 'trailers'],
)
def test_lines_and_fields_without_end_are_an_error(raw_server: Start, start: bytes, more: bytes) -> None:
    """S7, S9."""
    with pytest.raises(errors.MalformedResponse):
        send(raw_server(drips(start, more, 0))).collect()


def test_a_body_without_end_ends_at_the_limit(raw_server: Start) -> None:
    for start, more in ((CHUNKED, b'10000\r\n' + b'z' * 65536 + b'\r\n'), (b'HTTP/1.1 200 OK\r\n\r\n', b'z' * 65536)):
        with pytest.raises(errors.BodyTooLarge):
            send(raw_server(drips(start, more, 0))).collect(1_000_000)
