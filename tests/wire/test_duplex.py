"""Sending and receiving at once: an answer that begins early is taken at once, and reading it sends the rest of the body (SECURITY D4)."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from requite import errors, pipe, request
from requite.message import AbortSignal
from requite.transport.pools import Pool
from tests.servers import Authority, RawServer, redirect, reply
from tests.wire.hops import CHUNKED, OK, Pieces, read_exactly, send, states

Start = Callable[..., RawServer]

MIB = 1 << 20
BIG = 100 * 1000 * 1000
PATIENCE = 5.0
"""Seconds that an echo of 100 MB may take."""

RST = struct.pack('ii', 1, 0)


def length_of(head: bytes) -> int:
    return int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0])


def echo(sock: socket.socket, received: bytes) -> bool:
    """Gives the content of a request back while it arrives; chunked requests with their framing as it is."""
    head, _, rest = received.partition(b'\r\n\r\n')
    if b'content-length' in head.lower():
        left = length_of(head)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % left)
        while True:
            sock.sendall(rest)
            left -= len(rest)
            if not left:
                return True
            rest = sock.recv(MIB)
            if not rest:
                return False
    sock.sendall(CHUNKED)
    end = b''
    while rest or not end:
        sock.sendall(rest)
        end = (end + rest)[-5:]
        if end == b'0\r\n\r\n':
            return True
        rest = sock.recv(MIB)
    return False


def silent(seconds: float) -> Callable[[socket.socket, bytes], None]:
    """Begins to answer, and then neither reads nor sends."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(CHUNKED + b'1\r\nx\r\n')
        time.sleep(seconds)

    return handler


def blocks(size: int, of: int = 65536) -> Iterator[bytes]:
    piece = bytes(range(256)) * (of // 256)
    for start in range(0, size, of):
        yield piece[: min(of, size - start)]


def digest(pieces: Iterator[bytes]) -> str:
    seen = hashlib.sha256()
    for piece in pieces:
        seen.update(piece)
    return seen.hexdigest()


def endless() -> Iterator[bytes]:
    while True:
        yield b'x' * 65536


class Endless(Pieces):
    def chunks(self) -> Iterator[bytes]:
        return endless()


@pytest.fixture(params=['http', 'https'])
def tls(request: pytest.FixtureRequest) -> ssl.SSLContext | None:
    if request.param == 'http':
        return None
    authority: Authority = request.getfixturevalue('authority')
    return authority.context()


@pytest.fixture
def trust(tls: ssl.SSLContext | None, request: pytest.FixtureRequest) -> dict[str, Any]:
    return {} if tls is None else {'ca': request.getfixturevalue('authority').path}


@pytest.mark.timing
@pytest.mark.parametrize('framing', ['content-length', 'chunked'])
def test_a_hundred_megabytes_come_back_from_a_server_that_echoes_while_it_reads(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any], framing: str
) -> None:
    server = raw_server(echo, tls=tls)
    api = request.defaults(pool={'max_sockets': 1}, encoding=None, **trust)
    headers = {'content-length': str(BIG)} if framing == 'content-length' else {}
    began = time.monotonic()
    with api.post(server.url, body=blocks(BIG), headers=headers) as response:
        echoed = digest(iter(response))
    assert time.monotonic() - began < PATIENCE
    assert echoed == digest(blocks(BIG))
    # the connection serves on: all went out, and all was read
    assert api.post(server.url, body=blocks(MIB)).end().body == b''.join(blocks(MIB))
    assert server.connections == 1


def test_an_echo_is_collected_by_whoever_only_asks_for_the_body(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any]
) -> None:
    body = b''.join(blocks(30 * MIB))
    assert request.post(raw_server(echo, tls=tls).url, body=body, encoding=None, **trust).end().body == body
    assert request.post(raw_server(echo, tls=tls).url, body=blocks(30 * MIB), encoding=None, **trust).end().body == body


def test_the_answer_is_there_before_the_body_was_sent_and_its_pieces_come_while_it_is(raw_server: Start) -> None:
    given: list[int] = []

    def slow() -> Iterator[bytes]:
        for number in range(20):
            given.append(number)
            yield b'%2d' % number
            time.sleep(0.02)

    response = request.post(raw_server(echo).url, body=slow(), headers={'content-length': '40'}, encoding=None).response
    assert len(given) < 10
    told = b''
    for piece in response:
        told += piece
        # nobody waits for the end of the body to hear of its beginning
        assert len(given) < 20 or len(told) >= 36
    assert told == b''.join(b'%2d' % number for number in range(20))


def test_a_head_that_comes_in_two_halves_with_the_body_between_is_waited_for(raw_server: Start) -> None:
    size = 20 * MIB

    def handler(sock: socket.socket, received: bytes) -> bool:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-')
        read_exactly(sock, size, received.partition(b'\r\n\r\n')[2])
        sock.sendall(b'length: 2\r\n\r\nok')
        return True

    pool = Pool()
    assert send(raw_server(handler), 'PUT', pool=pool, body=b'x' * size).collect() == b'ok'
    assert states(pool) == (0, 1)


def test_an_answer_that_only_the_close_ends_does_not_stop_the_body(raw_server: Start) -> None:
    """HTTP/1.0 has no other way to stream an answer."""
    size = 20 * MIB

    def handler(sock: socket.socket, received: bytes) -> None:
        sock.sendall(b'HTTP/1.0 200 OK\r\nconnection: close\r\n\r\n')
        left = size
        rest = received.partition(b'\r\n\r\n')[2]
        while left:
            sock.sendall(rest)
            left -= len(rest)
            rest = sock.recv(MIB) if left else b''

    pool = Pool()
    body = b''.join(blocks(size))
    assert send(raw_server(handler), 'PUT', pool=pool, body=body).collect() == body
    assert states(pool) == (0, 0)


def test_an_answer_that_never_pauses_does_not_keep_the_body_waiting(raw_server: Start) -> None:
    size = 20 * MIB
    arrived: list[int] = []

    def handler(sock: socket.socket, received: bytes) -> None:
        sock.sendall(CHUNKED)
        got = threading.Event()

        def read() -> None:
            arrived.append(len(read_exactly(sock, size, received.partition(b'\r\n\r\n')[2])))
            got.set()

        reader = threading.Thread(target=read)
        reader.start()
        chunk = b'10000\r\n' + b'y' * 65536 + b'\r\n'
        while not got.is_set():
            sock.sendall(chunk)
        reader.join()
        sock.sendall(b'0\r\n\r\n')

    answer = send(raw_server(handler), 'PUT', body=b'x' * size)
    while answer.read():
        pass
    assert arrived == [size]


@pytest.mark.timing
@pytest.mark.parametrize('manner', ['closing with RST', 'lingering', 'never reading'])
def test_an_early_413_is_given_at_once(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any], manner: str
) -> None:
    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Content Too Large\r\ncontent-length: 7\r\nconnection: close\r\n\r\ntoo big')
        if manner == 'closing with RST':
            time.sleep(0.05)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        elif manner == 'lingering':
            sock.settimeout(1)
            while sock.recv(65536):
                pass
        else:
            time.sleep(1)

    server = raw_server(handler, tls=tls)
    for body in (b'x' * 50_000_000, endless()):
        began = time.monotonic()
        response = request.post(server.url, body=body, timeout=10_000, **trust).end()
        assert (response.status_code, response.body) == (413, 'too big')
        assert time.monotonic() - began < 0.5


def test_an_early_answer_that_is_whole_is_given_and_the_rest_of_the_body_is_not_sent(raw_server: Start) -> None:
    ended: list[bool] = []

    def body() -> Iterator[bytes]:
        try:
            yield from endless()
        finally:
            ended.append(True)

    class Told(Pieces):
        def chunks(self) -> Iterator[bytes]:
            return body()

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(OK)
        time.sleep(0.3)

    pool = Pool()
    server = raw_server(handler)
    for _ in range(2):
        assert send(server, 'POST', pool=pool, body=Told([])).collect() == b'ok'
        assert states(pool) == (0, 0)
    assert ended == [True, True]
    assert server.connections == 2


class Ending:
    """Answers at once, reads to the end of the connection, and keeps what came and how it ended."""

    def __init__(self) -> None:
        self.got = b''
        self.ended = ''

    def __call__(self, sock: socket.socket, received: bytes) -> None:
        self.got = received.partition(b'\r\n\r\n')[2]
        sock.sendall(CHUNKED + b'2\r\nhi\r\n')
        try:
            while data := sock.recv(65536):
                self.got += data
            self.ended = 'closed'
        except OSError:
            self.ended = 'reset'

    def wait(self) -> Ending:
        end = time.monotonic() + 5
        while not self.ended and time.monotonic() < end:
            time.sleep(0.005)
        return self


@pytest.mark.parametrize('length', [None, 1000])
@pytest.mark.parametrize(
    'raised',
    [ZeroDivisionError('mine'), ConnectionResetError('mine'), errors.ResponseAborted('mine'), TimeoutError('mine')],
)
def test_what_the_iterator_raises_while_the_answer_is_read_comes_through(
    raw_server: Start, length: int | None, raised: Exception
) -> None:
    """Q4."""
    ending = Ending()
    pool = Pool()
    answer = send(raw_server(ending), 'PUT', pool=pool, body=_AfterTheAnswer(raised, length))
    assert answer.read(2) == b'hi'
    with pytest.raises(type(raised)) as caught:
        answer.read()
    assert caught.value is raised
    assert str(raised) == 'mine'
    assert ending.wait().ended == 'reset'
    assert not ending.got.endswith(b'0\r\n\r\n')
    assert length is None or len(ending.got) < length
    assert states(pool) == (0, 0)
    with pytest.raises(errors.ResponseAborted):
        answer.read()


class _AfterTheAnswer(Pieces):
    """A body that fails when the answer has begun."""

    def __init__(self, raised: BaseException, length: int | None) -> None:
        super().__init__([], length)
        self.raised = raised

    def chunks(self) -> Iterator[bytes]:
        yield b'0123456789'
        # the answer is on its way, and is noticed before the next piece is sent
        time.sleep(0.2)
        yield b'0123456789'
        yield b'0123456789'
        raise self.raised


def test_what_the_iterator_raises_reaches_whoever_reads_the_response(raw_server: Start) -> None:
    def body() -> Iterator[bytes]:
        yield b'a'
        time.sleep(0.2)
        yield b'b'
        raise ZeroDivisionError('mine')

    response = request.post(raw_server(Ending()).url, body=body(), encoding=None).response
    with pytest.raises(ZeroDivisionError, match='mine'):
        response.read()
    for read in (response.read, lambda: response.read(10), lambda: response.body, lambda: list(response)):
        # never less than the whole, as if that were all
        with pytest.raises(errors.RequestStateError):
            read()
    with pytest.raises(ZeroDivisionError, match='mine'):
        request.post(raw_server(Ending()).url, body=body()).end()


@pytest.mark.parametrize(('count', 'length'), [(3, 100), (3, 25)])
def test_a_body_of_another_length_than_declared_is_an_error_while_the_answer_is_read(
    raw_server: Start, count: int, length: int
) -> None:
    """Q3."""
    ending = Ending()

    class Wrong(Pieces):
        def chunks(self) -> Iterator[bytes]:
            for _ in range(count):
                yield b'0123456789'
                time.sleep(0.1)

    answer = send(raw_server(ending), 'PUT', body=Wrong([], length))
    with pytest.raises(errors.InvalidBody, match=str(length)):
        answer.collect()
    assert ending.wait().ended == 'reset'
    assert len(ending.got) < length


def test_a_connection_that_stands_still_in_both_directions_is_a_read_timeout(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any]
) -> None:
    """D1."""
    server = raw_server(silent(1.5), tls=tls)
    response = request.post(server.url, body=endless(), timeout=300, **trust).response
    assert response.read(1) == b'x'
    began = time.monotonic()
    with pytest.raises(errors.ReadTimeout) as caught:
        response.read()
    assert caught.value.code == 'ESOCKETTIMEDOUT'
    assert time.monotonic() - began < 1


def test_the_deadline_holds_while_the_body_goes_out_and_the_answer_comes_in(raw_server: Start) -> None:
    """D2."""

    def handler(sock: socket.socket, received: bytes) -> None:
        sock.sendall(CHUNKED)
        while data := sock.recv(1000):
            sock.sendall(b'%x\r\n%b\r\n' % (len(data), data))
            time.sleep(0.01)

    began = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded):
        request.post(raw_server(handler).url, body=endless(), deadline=400).end()
    assert time.monotonic() - began < 2


def test_an_abort_from_another_thread_ends_it_at_once(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any]
) -> None:
    asked = request.post(raw_server(silent(3), tls=tls).url, body=endless(), **trust)
    threading.Timer(0.2, asked.abort).start()
    began = time.monotonic()
    with pytest.raises(errors.AbortError):
        asked.end()
    assert time.monotonic() - began < 2


def test_an_answer_that_is_dropped_unread_gives_its_connection_back_and_lets_go_of_the_body(raw_server: Start) -> None:
    ended: list[bool] = []

    def body() -> Iterator[bytes]:
        try:
            yield from endless()
        finally:
            ended.append(True)

    class Told(Pieces):
        def chunks(self) -> Iterator[bytes]:
            return body()

    ending = Ending()
    pool = Pool(max_sockets=1)
    answer = send(raw_server(ending), 'POST', pool=pool, body=Told([]), signal=AbortSignal())
    assert states(pool) == (1, 0)
    del answer
    gc.collect()
    assert states(pool) == (0, 0)
    assert ended == [True]
    assert ending.wait().ended
    assert not ending.got.endswith(b'0\r\n\r\n')


def test_a_server_that_dies_while_it_echoes_is_an_error(
    raw_server: Start, tls: ssl.SSLContext | None, trust: dict[str, Any]
) -> None:
    """S1."""

    def handler(sock: socket.socket, received: bytes) -> None:
        sock.sendall(CHUNKED)
        for _ in range(20):
            data = sock.recv(10_000)
            sock.sendall(b'%x\r\n%b\r\n' % (len(data), data))

    with pytest.raises(errors.ResponseAborted) as caught:
        request.post(raw_server(handler, tls=tls).url, body=endless(), **trust).end()
    assert caught.value.code == 'ECONNRESET'


CHILD = """
import resource, sys, time
from requite import pipe, request

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

class Sink:
    size = 0
    def write(self, piece):
        self.size += len(piece)

def run(size):
    sink = Sink()
    pipe((b'x' * 65536 for _ in range(size // 65536)), request.post(sys.argv[1])).pipe(sink, end=False)
    assert sink.size == size, sink.size
    with request.post(sys.argv[1], body=(b'x' * 65536 for _ in range(size // 65536))) as response:
        time.sleep(0.3)  # whoever is slow to read holds nothing either
        assert sum(map(len, response)) == size

run(1 << 20)
before = peak()
run(100 << 20)
print(peak() - before)
"""


def test_memory_stays_where_it_is_while_a_body_goes_out_and_comes_back(raw_server: Start) -> None:
    run = subprocess.run(
        [sys.executable, '-c', CHILD, raw_server(echo).url], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) < 8 * MIB


def test_a_file_that_is_piped_is_closed_when_it_was_sent_and_not_before(raw_server: Start, tmp_path: Path) -> None:
    (tmp_path / 'in').write_bytes(b''.join(blocks(20 * MIB)))
    server = raw_server(echo)
    with (tmp_path / 'in').open('rb') as file:
        piped = pipe(file, request.put(server.url, encoding=None))
        assert not file.closed
        piped.pipe(tmp_path / 'out')
        assert file.closed
    assert (tmp_path / 'out').read_bytes() == b''.join(blocks(20 * MIB))
    file = (tmp_path / 'in').open('rb')
    piped = pipe(file, request.put(server.url))
    piped.response.close()
    assert file.closed


class Proxy(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    origin = ''

    def do_POST(self) -> None:
        pipe(self, request(self.origin)).pipe(self)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_a_one_line_proxy_passes_both_directions_at_once(raw_server: Start) -> None:
    server = ThreadingHTTPServer(('127.0.0.1', 0), type('Here', (Proxy,), {'origin': raw_server(echo).url}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f'http://127.0.0.1:{server.server_address[1]}/'
        for body in (blocks(20 * MIB), b''.join(blocks(20 * MIB))):
            with request.post(address, body=body, timeout=10_000) as response:
                assert digest(iter(response)) == digest(blocks(20 * MIB))
            # and the connection to the proxy serves on
            assert request.post(address, body=b'again').end().body == 'again'
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize('status', [307, 308])
def test_a_generator_that_was_used_up_is_never_sent_again_empty_or_short(http_server: Any, status: int) -> None:
    """R14 (the case redirect_307_generator)."""
    server = http_server(lambda seen: redirect('/there', status) if seen.path == '/' else reply('got it'))
    with pytest.raises(errors.RedirectRefused, match='stream that was used up'):
        request.post(server.url, body=blocks(1000), follow_all_redirects=True).end()
    assert [seen.path for seen in server.requests] == ['/']
    once = blocks(1000)
    assert request.post(server.url + '/there', body=once).end().body == 'got it'
    with pytest.raises(errors.RequestError):
        request.post(server.url + '/there', body=once, headers={'content-length': '1000'}).end()


# ---------------------------------------------------------------- bodies that come when they come


def a_pipe() -> tuple[Any, Any]:
    read, write = os.pipe()
    return os.fdopen(read, 'rb'), os.fdopen(write, 'wb', buffering=0)


def a_raw_pipe() -> tuple[Any, Any]:
    read, write = os.pipe()
    return os.fdopen(read, 'rb', buffering=0), os.fdopen(write, 'wb', buffering=0)


def a_socket() -> tuple[Any, Any]:
    ours, theirs = socket.socketpair()
    files = ours.makefile('rb'), theirs.makefile('wb', buffering=0)
    ours.close()
    theirs.close()
    return files


needs_poll = pytest.mark.skipif(sys.platform == 'win32', reason='its pipes wake no select')
flowing = pytest.mark.parametrize('ends', [a_pipe, a_raw_pipe, a_socket])


@needs_poll
@flowing
def test_what_comes_out_of_a_pipe_is_passed_on_as_it_comes_and_its_echo_read_meanwhile(
    raw_server: Start, ends: Callable[[], tuple[Any, Any]]
) -> None:
    """D4: who writes the next piece only after the echo of the last one."""
    source, feed = ends()
    with source, feed:
        feed.write(b'0')
        response = request.post(raw_server(echo).url, body=source, encoding=None, timeout=5000).response
        told = b''
        for number, piece in enumerate(response, 1):
            told += piece
            if number < 5:
                feed.write(b'%d' % number)
            elif number == 5:
                feed.close()
        assert told == b'01234'


@needs_poll
@flowing
def test_a_pipe_that_is_silent_keeps_nobody_from_an_early_answer(
    raw_server: Start, ends: Callable[[], tuple[Any, Any]]
) -> None:
    """D4."""

    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        time.sleep(0.5)

    source, feed = ends()
    with source, feed:
        feed.write(b'first')
        assert request.post(raw_server(refuse).url, body=source, timeout=5000).end().status_code == 413


@needs_poll
@flowing
def test_deadline_and_abort_hold_while_a_pipe_is_silent(raw_server: Start, ends: Callable[[], tuple[Any, Any]]) -> None:
    """D2, and API.md 4: at once."""

    def wait(sock: socket.socket, head: bytes) -> None:
        while sock.recv(1000):
            pass

    server = raw_server(wait)
    for options, error in (({'deadline': 300}, errors.DeadlineExceeded), ({}, errors.AbortError)):
        source, feed = ends()
        with source, feed:
            began = time.monotonic()
            asked = request.post(server.url, body=source, timeout=100, **options)
            if not options:
                threading.Timer(0.3, asked.abort).start()
            with pytest.raises(error):
                asked.end()
            # whoever writes may take his time: the timeout is the connection's
            assert 0.25 < time.monotonic() - began < 2


@needs_poll
def test_what_was_read_ahead_from_a_pipe_is_sent_though_nothing_more_comes(raw_server: Start) -> None:
    source, feed = a_pipe()
    with source, feed:
        feed.write(b'a line\nand more')
        assert source.readline() == b'a line\n'
        response = request.post(raw_server(echo).url, body=source, encoding=None, timeout=5000).response
        assert response.read(8) == b'and more'
        assert os.get_blocking(source.fileno())
        feed.close()
        assert response.read() == b''


@needs_poll
def test_the_output_of_a_program_is_a_body(raw_server: Start) -> None:
    program = "import sys; [sys.stdout.write('x' * 1000) for _ in range(2000)]"
    with subprocess.Popen([sys.executable, '-c', program], stdout=subprocess.PIPE) as process:
        answer = request.post(raw_server(echo).url, body=process.stdout, encoding=None).end()
    assert answer.body == b'x' * 2_000_000


def test_what_a_silent_peer_of_a_socket_with_a_timeout_raises_comes_through(raw_server: Start) -> None:
    def wait(sock: socket.socket, head: bytes) -> None:
        while sock.recv(1000):
            pass

    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile('rb') as source:
        ours.settimeout(0.2)
        with pytest.raises(TimeoutError) as caught:
            request.post(raw_server(wait).url, body=source, timeout=5000).end()
    assert not isinstance(caught.value, errors.RequestError)


def test_a_regular_file_and_a_stream_in_memory_are_read_as_ever(raw_server: Start, tmp_path: Path) -> None:
    (tmp_path / 'f').write_bytes(b'x' * 300_000)
    server = raw_server(echo)
    with (tmp_path / 'f').open('rb') as file:
        assert request.post(server.url, body=file).end().body == 'x' * 300_000
    assert request.post(server.url, body=io.BytesIO(b'abc')).end().body == 'abc'


def test_a_generator_runs_in_the_thread_that_asks(raw_server: Start) -> None:
    """Whatever it keeps for its thread and its context is there."""
    seen: set[int] = set()

    def body() -> Iterator[bytes]:
        for _ in range(5):
            seen.add(threading.get_ident())
            yield b'x' * 1000
            time.sleep(0.02)

    assert request.post(raw_server(echo).url, body=body()).end().body == 'x' * 5000
    assert seen == {threading.get_ident()}
