"""One exchange over a real socket: what goes out, what comes back, and where the body ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from requite.errors import OptionsError
from requite.transport.pools import Pool
from tests.servers import HttpServer, RawServer
from tests.wire.hops import CHUNKED, OK, Pieces, always, hop_to, once, send

Start = Callable[..., RawServer]


def test_the_request_arrives_byte_for_byte(raw_server: Start) -> None:
    server = raw_server(always(OK))
    send(server, 'GET', '/p%7e/./[1]?a=%20', fields=[('X-A', 'caf\xe9'), ('x-b', '')])
    assert server.heads == [
        b'GET /p%%7e/./[1]?a=%%20 HTTP/1.1\r\nhost: %b\r\nX-A: caf\xe9\r\nx-b: \r\n\r\n' % server.authority.encode()
    ]


def test_the_reply_has_status_fields_and_body(raw_server: Start) -> None:
    server = raw_server(always(b'HTTP/1.1 201 Made It\r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 3\r\n\r\nabc'))
    reply = send(server)
    assert (reply.status, reply.reason, reply.version) == (201, 'Made It', '1.1')
    assert reply.fields == [('X-A', '1'), ('X-a', '2'), ('Content-Length', '3')]
    assert reply.headers['X-A'] == '1, 2'
    assert reply.complete
    assert reply.collect() == b'abc'
    assert reply.read() == b''


@pytest.mark.parametrize('size', [1, 1000, 65536, 65537, 3_000_000])
def test_a_body_of_any_size_arrives_whole(server: HttpServer, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    reply = send(server, 'POST', body=data[:size])
    assert reply.status == 200
    reply.drain()
    assert server.requests[0].body == data[:size]
    assert server.requests[0].header('content-length') == str(size)


def test_an_empty_body_is_announced_and_sent_as_nothing(server: HttpServer) -> None:
    send(server, 'POST', body=b'').drain()
    assert server.requests[0].header('content-length') == '0'
    assert server.requests[0].body == b''


@pytest.mark.parametrize('length', [None, 100_010])
def test_a_body_in_pieces_is_streamed(server: HttpServer, length: int | None) -> None:
    pieces = [b'abcde', bytearray(b'fghij'), b'', memoryview(b'k' * 100_000)]
    send(server, 'PUT', body=Pieces(pieces, length)).drain()
    assert server.requests[0].body == b'abcdefghij' + b'k' * 100_000
    assert server.requests[0].header('transfer-encoding') == (None if length else 'chunked')


def test_head_and_small_body_go_out_in_one_packet(raw_server: Start) -> None:
    server = raw_server(always(OK))
    send(server, 'POST', body=b'small')
    assert server.heads[0].endswith(b'\r\n\r\nsmall')


BODIES = [
    (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nright-body', b'right-body'),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', b''),
    (CHUNKED + b'6\r\nright-\r\n4;x=y\r\nbody\r\n0\r\nX-T: 1\r\n\r\n', b'right-body'),
    (b'HTTP/1.1 200 OK\r\n\r\nright-body', b'right-body'),
    (b'HTTP/1.0 200 OK\r\n\r\nright-body', b'right-body'),
    (b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', b'ok'),
    (b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n' * 20 + OK, b'ok'),
    (b'HTTP/1.1 199 Whatever\r\n\r\n' + OK, b'ok'),
    (b'HTTP/1.1 204 No Content\r\n\r\n', b''),
    (b'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n', b''),
    (b'HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok', b'ok'),
]


@pytest.mark.parametrize(('answer', 'body'), BODIES)
@pytest.mark.parametrize('split', [0, 1, 17, -1, -2])
def test_the_body_ends_where_its_framing_says(raw_server: Start, answer: bytes, body: bytes, split: int) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(answer[:split])
        time.sleep(0.02)
        sock.sendall(answer[split:])

    reply = send(raw_server(handler))
    assert reply.collect() == body
    assert reply.complete


@pytest.mark.parametrize('field', ['Content-Length: 500', 'Transfer-Encoding: chunked', 'X-A: b'])
def test_an_answer_to_head_has_no_body(raw_server: Start, field: str) -> None:
    pool = Pool()
    server = raw_server(always(f'HTTP/1.1 200 OK\r\n{field}\r\n\r\n'.encode()))
    for _ in range(2):
        reply = send(server, 'HEAD', pool=pool)
        assert reply.complete
        assert reply.collect() == b''
    assert server.connections == 1


def test_a_body_is_read_as_it_comes(raw_server: Start) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
        for piece in (b'abc', b'def'):
            sock.sendall(piece)
            sock.recv(1)

    reply = send(raw_server(handler))
    sock = reply._feed._link.sock  # type: ignore[union-attr]
    assert reply.read() == b'abc'
    sock.send(b'.')
    assert reply.read(2) == b'de'
    assert [reply.complete, reply.read(2), reply.complete, reply.read()] == [False, b'f', True, b'']


def test_marks_and_notice_tell_of_the_connection(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool()
    marks: dict[str, float] = {}
    sockets: list[socket.socket] = []
    began = time.perf_counter()
    send(server, pool=pool, marks=marks, notice=sockets.append)
    assert list(marks) == ['socket', 'lookup', 'connect', 'response']
    assert began < marks['socket'] <= marks['lookup'] <= marks['connect'] <= marks['response'] <= time.perf_counter()
    again: dict[str, float] = {}
    send(server, pool=pool, marks=again, notice=sockets.append)
    assert again['socket'] == again['lookup'] == again['connect'] < again['response']
    assert sockets[0] is sockets[1]
    assert sockets[0].getpeername()[1] == server.port


def test_what_a_listener_raises_comes_through_and_costs_no_slot(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool(1)

    def listener(sock: socket.socket) -> None:
        raise ConnectionResetError('mine')

    for _ in range(2):
        with pytest.raises(ConnectionResetError, match='mine') as caught:
            send(server, pool=pool, notice=listener)
        assert type(caught.value) is ConnectionResetError
        send(server, pool=pool, deadline=5).drain()


def test_a_unix_socket_serves_as_well(raw_server: Start, tmp_path: object) -> None:
    path = f'{tmp_path}/s'
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    server = raw_server(always(OK))
    hop = hop_to(server)
    import threading

    def serve() -> None:
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.sendall(OK)
        sock.close()

    thread = threading.Thread(target=serve)
    thread.start()
    from requite.transport.pooled import DEFAULT

    assert DEFAULT.send(hop._replace(route=hop.route._replace(socket_path=path))).collect() == b'ok'
    thread.join(5)
    listener.close()
    assert server.connections == 0


def test_the_local_address_is_the_callers(raw_server: Start) -> None:
    seen: list[str] = []

    def handler(sock: socket.socket, head: bytes) -> None:
        seen.append(sock.getpeername()[0])
        sock.sendall(OK)

    server = raw_server(handler)
    hop = hop_to(server)
    from requite.transport.pooled import DEFAULT

    DEFAULT.send(hop._replace(route=hop.route._replace(local_address='127.0.0.9')))
    assert seen == ['127.0.0.9']


@pytest.mark.parametrize('host', ['[::1]', '::1'])
def test_an_ipv6_address_may_have_its_brackets(raw_server: Start, host: str) -> None:
    try:
        server = raw_server(always(OK), host='::1')
    except OSError:
        pytest.skip('no IPv6 on this machine')
    assert send(server, host=host).collect() == b'ok'


@pytest.mark.parametrize(
    'fields',
    [
        [('content-length', '4')],
        [('content-length', '5'), ('content-length', '5')],
        [('Content-Length', '5'), ('Transfer-Encoding', 'chunked')],
        [],
        [('transfer-encoding', 'chunked')],
    ],
)
def test_fields_that_do_not_describe_the_body_are_refused(raw_server: Start, fields: list[tuple[str, str]]) -> None:
    """Q3."""
    server = raw_server(always(OK))
    hop = hop_to(server, 'POST', body=b'12345')
    from requite.transport.pooled import DEFAULT

    with pytest.raises(OptionsError, match='content-length'):
        DEFAULT.send(hop._replace(fields=(('host', 'a'), *fields)))
    assert server.connections == 0


@pytest.mark.parametrize('field', [('Content-Length', '5'), ('content-length', ''), ('Transfer-Encoding', 'chunked')])
def test_a_body_that_is_not_there_is_not_announced(raw_server: Start, field: tuple[str, str]) -> None:
    """Q3."""
    server = raw_server(always(OK))
    with pytest.raises(OptionsError, match='content-length'):
        send(server, fields=[field])
    assert server.connections == 0
    send(server, 'POST', fields=[('Content-Length', '0'), ('Content-Type', 'text/plain')])


@pytest.mark.parametrize(
    ('method', 'target', 'field'),
    [
        ('GET\r\nX: y', '/', ('a', 'b')),
        ('GET', '/\r\nX: y', ('a', 'b')),
        ('GET', '/', ('a\r\nX', 'b')),
        ('GET', '/', ('a', 'b\r\nX: y')),
        ('GET', '/', ('a', 'b\x00')),
    ],
)
def test_nothing_is_sent_when_a_line_break_is_smuggled_in(
    raw_server: Start, method: str, target: str, field: tuple[str, str]
) -> None:
    """Q1."""
    server = raw_server(always(OK))
    with pytest.raises(OptionsError):
        send(server, method, target, fields=[field])
    assert server.connections == 0


def test_memory_grows_by_what_arrives_not_by_what_is_announced(raw_server: Start) -> None:
    """S11."""
    import tracemalloc

    server = raw_server(once(b'HTTP/1.1 200 OK\r\nContent-Length: 8589934592\r\n\r\n0123456789'))
    reply = send(server)
    tracemalloc.start()
    try:
        with pytest.raises(ConnectionResetError):
            reply.collect()
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
