"""Pipes over real connections: whole bodies, broken ones, and memory that stays where it is."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import ResponseAborted, pipe, request
from tests.servers import HttpServer, RawServer, redirect, reply

Raw = Callable[..., RawServer]

MIB = 1 << 20
GROWTH = 8 * MIB
"""How much a process may grow while 200 MB pass through it, four times over."""

CHILD = """
import resource, sys
from requite import pipe, request

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

origin, folder = sys.argv[1:]
def run(size):
    source = f'{origin}/{size}'
    request.get(source).pipe(folder + '/out')
    request.get(source).pipe(request.put(origin + '/up')).end()
    pipe(open(folder + '/out', 'rb'), request.put(origin + '/up')).end()
    pipe((b'x' * 65536 for _ in range(size // 65536)), request.put(origin + '/up')).end()

run(1 << 20)
before = peak()
run(200 << 20)
print(peak() - before)
"""


def pump(sock: socket.socket, received: bytes) -> bool:
    """Answers GET /n with n bytes, and anything else after it has thrown its content away."""
    head, _, rest = received.partition(b'\r\n\r\n')
    if head.startswith(b'GET'):
        size = int(head.split(b' ')[1][1:])
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % size)
        piece = bytes(MIB)
        for _ in range(size // MIB):
            sock.sendall(piece)
        return True
    if b'content-length' in head.lower():
        size = int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0])
        left = size - len(rest)
        while left:
            left -= len(sock.recv(min(left, MIB)))
    else:
        while not rest.endswith(b'\r\n0\r\n\r\n'):
            rest = rest[-16:] + sock.recv(MIB)
    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    return True


@pytest.mark.skipif(sys.platform == 'win32', reason='the resource module is missing there')
def test_memory_stays_where_it_is_while_200_mb_pass(raw_server: Raw, tmp_path: Path) -> None:
    server = raw_server(pump)
    command = [sys.executable, '-c', CHILD, server.url, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < GROWTH, done.stdout


def test_one_server_flows_into_another(server: HttpServer) -> None:
    server.routes['/img'] = reply(b'\x00\xff' * 100000, content_type='image/png')
    put = request.get(server.url + '/img').pipe(request.put(server.url + '/copy'))
    assert put.response.status_code == 200
    seen = server.requests[-1]
    assert (seen.method, seen.path, seen.body) == ('PUT', '/copy', b'\x00\xff' * 100000)
    assert (seen.header('content-type'), seen.header('content-length')) == ('image/png', '200000')


def test_a_pipe_goes_on_through_several_requests(server: HttpServer) -> None:
    server.routes['/a'] = reply('one')
    server.routes['/b'] = lambda seen: reply(seen.body + b' two')
    server.routes['/c'] = lambda seen: reply(seen.body + b' three')
    last = request(server.url + '/a').pipe(request.post(server.url + '/b')).pipe(request.post(server.url + '/c'))
    assert last.end().body == 'one two three'


def test_only_the_last_answer_of_a_redirect_is_piped(server: HttpServer, tmp_path: Path) -> None:
    server.routes.update({'/old': redirect('/new'), '/new': reply('new')})
    assert request(server.url + '/old').pipe(tmp_path / 'out').read_text() == 'new'


def test_a_connection_serves_again_behind_a_pipe(server: HttpServer, tmp_path: Path) -> None:
    for _ in range(3):
        request(server.url).pipe(tmp_path / 'out')
    assert server.connections == 1


def test_a_source_that_dies_half_way_never_makes_a_whole_request(raw_server: Raw, server: HttpServer) -> None:
    for framing, half in (('content-length: 100', b'half'), ('transfer-encoding: chunked', b'4\r\nhalf\r\n')):
        head = f'HTTP/1.1 200 OK\r\n{framing}\r\n\r\n'.encode()
        dying = raw_server(lambda sock, _, data=head + half: sock.sendall(data))
        put = request.put(server.url + '/copy')
        with pytest.raises(ResponseAborted):
            request.get(dying.url).pipe(put)
    assert server.requests == []


def test_a_sink_that_raises_closes_the_connection_to_the_source(raw_server: Raw) -> None:
    gone = threading.Event()

    def endless(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            gone.set()

    class Full:
        def write(self, piece: bytes) -> None:
            raise ZeroDivisionError('no room')

    with pytest.raises(ZeroDivisionError):
        request(raw_server(endless).url).pipe(Full())
    assert gone.wait(10)


def test_a_generator_that_raises_ends_the_request(server: HttpServer) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'one'
        raise ZeroDivisionError('no more')

    with pytest.raises(ZeroDivisionError):
        pipe(pieces(), request.put(server.url))
    assert server.requests == []


def test_an_early_refusal_is_the_answer_and_gives_the_source_up(raw_server: Raw) -> None:
    gone = threading.Event()

    def endless(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            gone.set()

    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        sock.settimeout(0.5)
        try:
            while sock.recv(MIB):
                pass
        except OSError:
            pass

    put = request.get(raw_server(endless).url).pipe(request.put(raw_server(refuse).url))
    assert (put.response.status_code, put.response.body) == (413, 'no')
    assert gone.wait(10)


def test_pieces_are_written_as_they_come(raw_server: Raw) -> None:
    go_on = threading.Event()

    def slow(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none')
        assert go_on.wait(10)
        sock.sendall(b'two')

    class Sink:
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def write(self, piece: bytes) -> None:
            self.pieces.append(piece)
            go_on.set()

    assert request(raw_server(slow).url).pipe(Sink()).pieces == [b'one', b'two']


def test_an_upload_is_sent_as_it_comes(raw_server: Raw) -> None:
    arrived = threading.Event()

    def listen(sock: socket.socket, received: bytes) -> None:
        while b'3\r\none\r\n' not in received:
            received += sock.recv(65536)
        arrived.set()
        while not received.endswith(b'0\r\n\r\n'):
            received += sock.recv(65536)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')

    def pieces() -> Iterator[bytes]:
        yield b'one'
        assert arrived.wait(10)
        yield b'two'

    assert pipe(pieces(), request.put(raw_server(listen).url)).response.ok


def test_tls_on_both_sides(tls_server: Any, authority: Any) -> None:
    tls_server.routes['/img'] = reply(b'x' * 300000, content_type='image/png')
    secure = request.defaults(ca=authority.pem)
    put = secure.get(tls_server.url + '/img').pipe(secure.put(tls_server.url + '/copy'))
    assert put.end().status_code == 200
    assert tls_server.requests[-1].body == b'x' * 300000
