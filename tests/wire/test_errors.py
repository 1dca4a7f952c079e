"""Every error of the table, each from a real socket, with Node's code and Python's builtin."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest

from requite import errors
from requite.routes import Route
from requite.transport.pooled import DEFAULT
from requite.transport.pools import Pool
from tests.servers import RawServer
from tests.wire.hops import CHUNKED, always, hop_to, once, send, states

Start = Callable[..., RawServer]


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(('127.0.0.1', 0))
        yield held.getsockname()[1]


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue is full: further connections hang."""
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(0)
    waiting = []
    for _ in range(8):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    time.sleep(0.05)
    yield listener.getsockname()[1]
    for sock in [*waiting, listener]:
        sock.close()


def test_a_refused_connection(raw_server: Start, nobody: int) -> None:
    pool = Pool()
    hop = hop_to(raw_server(always(b'')), pool=pool)
    hop = hop._replace(route=Route('http', '127.0.0.1', nobody))
    seen: list[socket.socket] = []
    for each in (hop, hop._replace(pool=None), hop._replace(notice=seen.append)):
        with pytest.raises(errors.ConnectionRefused) as caught:
            DEFAULT.send(each)
        assert caught.value.code == 'ECONNREFUSED'
        assert isinstance(caught.value, ConnectionRefusedError)
        assert caught.value.__cause__ is None
    assert states(pool) == (0, 0)
    assert len(seen) == 1  # Node's socket event comes before the error


def test_a_connection_that_hangs(raw_server: Start, full: int) -> None:
    hop = hop_to(raw_server(always(b'')), connect=0.2)._replace(route=Route('http', '127.0.0.1', full))
    began = time.monotonic()
    with pytest.raises(errors.ConnectTimeout) as caught:
        DEFAULT.send(hop)
    assert 0.1 < time.monotonic() - began < 3
    assert (caught.value.code, caught.value.connect) == ('ETIMEDOUT', True)
    assert isinstance(caught.value, TimeoutError)


def test_the_clock_of_connecting_runs_over_all_addresses(
    raw_server: Start, full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D1: two addresses that hang take no longer than one."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, '', ('127.0.0.1', full))
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_: [address, address, address])
    began = time.monotonic()
    with pytest.raises(errors.ConnectTimeout):
        DEFAULT.send(hop_to(raw_server(always(b'')), connect=0.3, host='three.example'))
    assert time.monotonic() - began < 2


def test_the_next_address_is_tried_when_one_refuses(
    raw_server: Start, nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = raw_server(always(b'HTTP/1.1 204 No\r\n\r\n'))
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, '', ('127.0.0.1', port)) for port in (nobody, server.port)]
    monkeypatch.setattr(socket, 'getaddrinfo', lambda *_: found)
    assert send(server, host='two.example').status == 204


def test_a_name_that_does_not_exist(raw_server: Start) -> None:
    seen: list[socket.socket] = []
    server = raw_server(always(b''))
    with pytest.raises((errors.NameNotFound, errors.NameTemporarilyUnknown)) as caught:
        send(server, host='nowhere.invalid', notice=seen.append)
    assert caught.value.code in ('ENOTFOUND', 'EAI_AGAIN')
    assert isinstance(caught.value, OSError)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ('number', 'kind'), [(socket.EAI_NONAME, errors.NameNotFound), (socket.EAI_AGAIN, errors.NameTemporarilyUnknown)]
)
def test_what_the_resolver_says(
    raw_server: Start, number: int, kind: type[errors.RequestError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise socket.gaierror(number, 'the resolver says no')

    monkeypatch.setattr(socket, 'getaddrinfo', refuse)
    with pytest.raises(kind):
        send(raw_server(always(b'')), host='some.example')


@pytest.mark.parametrize('host', ['a' * 64 + '.example', 'a..b', '\ud800.example'])
def test_a_name_that_cannot_be_one(raw_server: Start, host: str) -> None:
    with pytest.raises(errors.NameNotFound):
        send(raw_server(always(b'')), host=host)


def test_an_address_that_is_not_ours(raw_server: Start) -> None:
    hop = hop_to(raw_server(always(b'')))
    with pytest.raises(errors.ConnectionFailed) as caught:
        DEFAULT.send(hop._replace(route=hop.route._replace(local_address='192.0.2.1')))
    assert caught.value.code == 'EADDRNOTAVAIL'


def test_a_unix_socket_that_is_not_there(raw_server: Start, tmp_path: object) -> None:
    hop = hop_to(raw_server(always(b'')))
    with pytest.raises(errors.ConnectionFailed) as caught:
        DEFAULT.send(hop._replace(route=hop.route._replace(socket_path=f'{tmp_path}/none')))
    assert caught.value.code == 'ENOENT'


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


@pytest.mark.parametrize(
    'sent', [b'', b'HTTP', b'HTTP/1.1 20', b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b', b'HTTP/1.1 200 OK\r\n\r']
)
def test_a_connection_closed_before_the_head_is_whole(raw_server: Start, sent: bytes) -> None:
    """S3."""
    pool = Pool()
    with pytest.raises(errors.ConnectionReset, match='socket hang up') as caught:
        send(raw_server(once(sent)), pool=pool)
    assert caught.value.code == 'ECONNRESET'
    assert not isinstance(caught.value, errors.ResponseAborted)
    assert isinstance(caught.value, ConnectionResetError)
    assert states(pool) == (0, 0)


def test_a_connection_reset_before_the_head(raw_server: Start) -> None:
    with pytest.raises(errors.ConnectionReset) as caught:
        send(raw_server(lambda sock, head: reset(sock)))
    assert caught.value.code == 'ECONNRESET'


CUT = [
    b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nright',
    b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n',
    CHUNKED + b'a\r\nright',
    CHUNKED + b'5\r\nright\r\n',
    CHUNKED + b'5\r\nright\r\n0\r\n',
    CHUNKED,
]


@pytest.mark.parametrize('sent', CUT)
@pytest.mark.parametrize('how', ['close', 'reset'])
def test_a_connection_closed_within_the_body(raw_server: Start, sent: bytes, how: str) -> None:
    """S1."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(sent)
        time.sleep(0.05)
        if how == 'reset':
            reset(sock)

    pool = Pool()
    server = raw_server(handler)
    for collect in (True, False):
        reply = send(server, pool=pool)
        with pytest.raises(errors.ResponseAborted, match='aborted') as caught:
            if collect:
                reply.collect()
            else:
                while reply.read():
                    pass
        assert caught.value.code == 'ECONNRESET'
        assert not reply.complete
        with pytest.raises(errors.ResponseAborted):
            reply.read()
        assert states(pool) == (0, 0)


@pytest.mark.parametrize(
    ('sent', 'code'),
    [
        (b'NONSENSE\r\n\r\n', 'HPE_INVALID_CONSTANT'),
        (b'<html>hello</html>', 'HPE_INVALID_CONSTANT'),
        (b'\x00\x00\x12\x04\x00\x00\x00\x00\x00', 'HPE_INVALID_CONSTANT'),
        (b'\r\n\r\n', 'HPE_INVALID_CONSTANT'),
        (b'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n', 'HPE_INVALID_VERSION'),
        (b'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n', 'HPE_INVALID_STATUS'),
        (b'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'HPE_CR_EXPECTED'),
        (b'HTTP/1.1 200 OK\r\nbad name: x\r\nContent-Length: 2\r\n\r\nok', 'HPE_INVALID_HEADER_TOKEN'),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok', 'HPE_UNEXPECTED_CONTENT_LENGTH'),
        (b'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok', 'HPE_INVALID_CONTENT_LENGTH'),
        (CHUNKED[:-2] + b'Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'HPE_INVALID_TRANSFER_ENCODING'),
        (b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 'HPE_PAUSED_UPGRADE'),
        (CHUNKED + b'zz\r\n', 'HPE_INVALID_CHUNK_SIZE'),
        (CHUNKED + b'2\r\nokXX0\r\n\r\n', 'HPE_LF_EXPECTED'),
    ],
)
def test_what_is_not_http(raw_server: Start, sent: bytes, code: str) -> None:
    """S5 to S8, S10, S12."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(sent)
        sock.recv(1)

    pool = Pool()
    with pytest.raises(errors.MalformedResponse, match='Parse Error: ') as caught:
        send(raw_server(handler), pool=pool).collect()
    assert caught.value.code == code
    assert states(pool) == (0, 0)


def test_a_body_over_the_limit_gives_its_connection_up(raw_server: Start) -> None:
    pool = Pool()
    for answer in (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n' + b'x' * 99, CHUNKED + b'3e8\r\n' + b'x' * 1000):
        with pytest.raises(errors.BodyTooLarge) as caught:
            send(raw_server(always(answer)), pool=pool).collect(50)
        assert caught.value.code == 'EMSGSIZE'
    with pytest.raises(errors.BodyTooLarge):
        send(raw_server(always(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))).collect(1)
    assert states(pool) == (0, 0)


def test_texts_name_method_and_host_but_no_secret(raw_server: Start) -> None:
    """Q9."""
    server = raw_server(once(b''))
    with pytest.raises(errors.RequestError) as caught:
        send(
            server, 'DELETE', '/path?token=secret', fields=[('Authorization', 'Basic secret'), ('Cookie', 'id=secret')]
        )
    text = f'{caught.value} {caught.value!r} {caught.value.__dict__}'
    assert 'secret' not in text
    assert f'DELETE 127.0.0.1:{server.port}' in text
