"""The one-line proxies of the documentation under real servers: ``http.server``, wsgiref, gunicorn and uvicorn, in front of a real origin."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest

import requite
from requite import RequestError, ResponseAborted, pipe, request, wsgi
from requite.transport import pools
from tests.servers import Answer, HttpServer, RawServer, Seen, closed_port, echo, receive_head, redirect, reply

HTTP = ('http.server 1.0', 'http.server 1.1')
WSGI = ('wsgiref', 'gunicorn sync', 'gunicorn gthread')
ASGI = ('uvicorn h11', 'uvicorn httptools')

GUNICORN_APP = """
import os
from requite import pipe, request, wsgi

def app(environ, start_response):
    incoming = wsgi.Incoming(environ)
    return pipe(incoming, request(os.environ['ORIGIN'] + incoming.url)).pipe(wsgi.Outgoing(start_response))
"""


UVICORN_APP = """
import os
from requite import apipe, asgi, request

async def app(scope, receive, send):
    incoming = asgi.Incoming(scope, receive)
    await apipe(await apipe(incoming, request(os.environ['ORIGIN'] + incoming.url)), asgi.Outgoing(send))
"""


class Quiet(WSGIRequestHandler):
    """wsgiref's handler without its log."""

    def log_message(self, *_: Any) -> None:
        pass


class ThreadingWSGIServer(ThreadingMixIn, WSGIServer):
    """wsgiref's server, a thread a connection."""

    daemon_threads = True


class ThreadingProxy(ThreadingHTTPServer):
    """A server whose failures are kept instead of printed."""

    daemon_threads = True

    def __init__(self, handler: Any) -> None:
        self.failures: list[BaseException | None] = []
        super().__init__(('127.0.0.1', 0), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.failures.append(sys.exc_info()[1])


def handler_for(origin: str, version: str) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        protocol_version = f'HTTP/{version}'

        def do_GET(self) -> None:
            pipe(self, request(origin + self.path)).pipe(self)

        do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Proxy


def in_a_thread(server: Any) -> Iterator[str]:
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_address[1]}'
    server.shutdown()
    server.server_close()


def wsgiref_proxy(origin: str) -> Iterator[str]:
    def app(environ: Any, start_response: Any) -> Any:
        incoming = wsgi.Incoming(environ)
        return pipe(incoming, request(origin + incoming.url)).pipe(wsgi.Outgoing(start_response))

    server = ThreadingWSGIServer(('127.0.0.1', 0), Quiet)
    server.set_app(app)
    yield from in_a_thread(server)


def gunicorn_proxy(origin: str, worker: str, folder: Path) -> Iterator[str]:
    if importlib.util.find_spec('gunicorn') is None or sys.platform == 'win32':
        pytest.skip('gunicorn is not installed: pip install gunicorn')
    config = importlib.import_module('gunicorn.config')
    # Newer ones would leave a socket in the home directory.
    quiet = ['--no-control-socket'] if hasattr(config, 'ControlSocketDisable') else []
    options = ['-k', worker, '--threads', '8', '--log-level', 'critical', *quiet]
    yield from in_a_process(
        lambda port: ['gunicorn', '-b', f'127.0.0.1:{port}', *options], GUNICORN_APP, origin, folder
    )


def uvicorn_proxy(origin: str, parser: str, folder: Path) -> Iterator[str]:
    for package in ('uvicorn', parser):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f'{package} is not installed: pip install {package}')
    options = ['--http', parser, '--log-level', 'critical', '--timeout-graceful-shutdown', '1']
    yield from in_a_process(lambda port: ['uvicorn', '--port', str(port), *options], UVICORN_APP, origin, folder)


def in_a_process(command: Any, app: str, origin: str, folder: Path) -> Iterator[str]:
    (folder / 'proxyapp.py').write_text(app, encoding='utf-8')
    port = closed_port()
    source = str(Path(str(requite.__file__)).parent.parent)
    env = {**os.environ, 'ORIGIN': origin, 'PYTHONPATH': os.pathsep.join([source, os.environ.get('PYTHONPATH', '')])}
    with (folder / 'log').open('wb') as log:
        server = subprocess.Popen(
            [sys.executable, '-m', *command(port), 'proxyapp:app'], cwd=folder, env=env, stdout=log, stderr=log
        )
        try:
            await_port(port, server, folder / 'log')
            yield f'http://127.0.0.1:{port}'
        finally:
            server.terminate()
            server.wait(20)


def proxy_of(name: str, origin: str, folder: Path) -> Iterator[str]:
    """The address of a proxy of that kind, for as long as it runs."""
    kind, _, which = name.partition(' ')
    if kind == 'wsgiref':
        return wsgiref_proxy(origin)
    if kind == 'gunicorn':
        return gunicorn_proxy(origin, which, folder)
    if kind == 'uvicorn':
        return uvicorn_proxy(origin, which, folder)
    return in_a_thread(ThreadingProxy(handler_for(origin, which)))


def await_port(port: int, server: Any, log: Path) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise AssertionError(f'the server ended: {log.read_text(encoding="utf-8")}')
        with socket.socket() as sock:
            if sock.connect_ex(('127.0.0.1', port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError('the server did not come up')


@pytest.fixture(scope='module')
def origin() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server


@pytest.fixture(scope='module', params=HTTP + WSGI + ASGI)
def any_proxy(
    request: pytest.FixtureRequest, origin: HttpServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The address of a proxy and its kind."""
    name: str = request.param
    for url in proxy_of(name, origin.url, tmp_path_factory.mktemp('proxy')):
        yield url, name


@pytest.fixture
def proxy(any_proxy: tuple[str, str], origin: HttpServer) -> Iterator[str]:
    """The address of a proxy, in front of an origin that forgot everything."""
    origin.requests.clear()
    origin.routes.clear()
    yield any_proxy[0]
    for pool in list(pools._every_pool):
        pool.close()


@pytest.fixture
def kind(any_proxy: tuple[str, str]) -> str:
    return any_proxy[1]


def test_fields_that_come_once_come_once(proxy: str, origin: HttpServer) -> None:
    """Servers add their own Date and Server; the origin's stay where there are none, and never stand beside them."""
    origin.routes['/a'] = Answer(200, {'date': 'Thu, 01 Jan 1970 00:00:00 GMT', 'server': 'origin'}, 'x')
    answer = request.get(proxy + '/a').end()
    names = [name.lower() for name, _ in answer.raw_headers]
    assert (names.count('date'), names.count('server')) == (1, 1)


def digest(seen: Seen) -> Answer:
    return reply(f'{len(seen.body)} {hashlib.sha256(seen.body).hexdigest()}')


def test_a_get_goes_through_with_its_query_and_its_fields_and_without_those_of_the_connection(
    proxy: str, origin: HttpServer
) -> None:
    """SECURITY X5: both ways, and those that Connection names."""
    fields = [
        ('content-type', 'text/x'),
        ('set-cookie', 'a=1'),
        ('set-cookie', 'b=2'),
        ('connection', 'x-own'),
        ('x-own', '1'),
        ('x-up', '1'),
    ]
    origin.routes['/a'] = Answer(203, fields, 'the body', 'Fine')
    answer = request.get(
        proxy + '/a?b=%20c', headers={'x-a': '1', 'connection': 'x-mine', 'x-mine': '1', 'te': 'x'}
    ).end()
    assert (answer.status_code, answer.body) == (203, 'the body')
    assert (answer.headers['content-type'], answer.headers['set-cookie'], answer.headers['x-up']) == (
        'text/x',
        ['a=1', 'b=2'],
        '1',
    )
    assert answer.headers['content-length'] == '8'
    assert not {'x-own', 'transfer-encoding'} & answer.headers.keys()
    (seen,) = origin.requests
    assert (seen.method, seen.target, seen.header('x-a'), seen.header('host')) == (
        'GET',
        '/a?b=%20c',
        '1',
        origin.authority,
    )
    assert (
        seen.header('x-mine'),
        seen.header('te'),
        seen.header('content-length'),
        seen.header('transfer-encoding'),
    ) == (None,) * 4


def test_head_has_the_fields_and_no_body(proxy: str, origin: HttpServer) -> None:
    origin.routes['/a'] = reply('the body')
    answer = request.head(proxy + '/a').end()
    assert (answer.status_code, answer.headers['content-length'], answer.content) == (200, '8', b'')
    assert origin.requests[0].method == 'HEAD'


@pytest.mark.parametrize('status', [204, 304, 404, 500])
def test_the_status_is_passed_on(proxy: str, kind: str, origin: HttpServer, status: int) -> None:
    origin.routes['/a'] = Answer(status, {'etag': '"1"'}, b'' if status in (204, 304) else b'no', 'As It Says')
    answer = request.get(proxy + '/a').end()
    assert (answer.status_code, answer.headers['etag']) == (status, '"1"')
    if kind not in ASGI:  # which has no place for it
        assert answer.status_message == 'As It Says'
    assert answer.content == (b'' if status in (204, 304) else b'no')


def test_a_large_put_arrives_whole(proxy: str, origin: HttpServer) -> None:
    origin.routes['/up'] = digest
    content = os.urandom(1 << 20) * 20
    answer = request.put(proxy + '/up', body=content, headers={'content-type': 'x/y'}).end()
    assert answer.body == f'{len(content)} {hashlib.sha256(content).hexdigest()}'
    assert (origin.requests[0].header('content-length'), origin.requests[0].header('content-type')) == (
        str(len(content)),
        'x/y',
    )


def test_a_chunked_put_arrives_whole_where_the_server_takes_it(proxy: str, kind: str, origin: HttpServer) -> None:
    origin.routes['/up'] = digest
    pieces = [os.urandom(70000) for _ in range(20)]
    handle = request.put(proxy + '/up', body=iter(pieces))
    if kind == 'wsgiref':
        # It does not undo the chunks, and says so nowhere: the request is refused, and nothing is sent.
        assert handle.response.status_code == 500
        assert origin.requests == []
        return
    content = b''.join(pieces)
    assert handle.end().body == f'{len(content)} {hashlib.sha256(content).hexdigest()}'
    assert origin.requests[0].header('transfer-encoding') == 'chunked'
    assert origin.requests[0].header('content-length') is None


def test_a_chunked_answer_arrives_whole(proxy: str, origin: HttpServer) -> None:
    chunks = b''.join(b'%x\r\n%b\r\n' % (5000, b'x' * 5000) for _ in range(100))
    origin.routes['/a'] = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' + chunks + b'0\r\n\r\n'
    answer = request.get(proxy + '/a').end()
    assert answer.content == b'x' * 500000
    assert 'content-length' not in answer.headers


def test_a_redirect_is_followed_by_the_proxy(proxy: str, origin: HttpServer) -> None:
    origin.routes.update({'/old': redirect('/new'), '/new': reply('here')})
    answer = request.get(proxy + '/old', follow_redirect=False).end()
    assert (answer.status_code, answer.body) == (200, 'here')


def test_one_after_another_and_many_at_once(proxy: str, origin: HttpServer) -> None:
    def one(number: int) -> bool:
        answer = request.post(f'{proxy}/{number}', json={'n': number}).end()
        return bool(answer.body['target'] == f'/{number}' and answer.body['body'] == f'{{"n":{number}}}')

    origin.answers = echo
    assert all(one(number) for number in range(30))
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(one, range(60)))


@pytest.mark.parametrize('framing', ['content-length: 1000', 'transfer-encoding: chunked'])
def test_an_origin_that_dies_half_way_never_looks_whole(proxy: str, origin: HttpServer, framing: str) -> None:
    """Whatever the framing towards the client, it sees that something is missing."""
    half = b'64\r\n' + b'x' * 100 + b'\r\n' if 'chunked' in framing else b'x' * 100
    origin.routes['/a'] = f'HTTP/1.1 200 OK\r\n{framing}\r\nconnection: close\r\n\r\n'.encode() + half
    with pytest.raises(RequestError) as caught:
        request.get(proxy + '/a').end()
    assert isinstance(caught.value, (ResponseAborted, ConnectionResetError))


def endless(sock: socket.socket, gone: threading.Event) -> None:
    try:
        sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
        while True:
            sock.sendall(b'10000\r\n' + b'x' * 65536 + b'\r\n')
    except OSError:
        gone.set()


def test_a_client_that_leaves_half_way_ends_the_answer_of_the_origin(kind: str, tmp_path: Path) -> None:
    gone = threading.Event()
    with RawServer(lambda sock, head: endless(sock, gone)) as origin:
        for url in proxy_of(kind, origin.url, tmp_path):
            response = request.get(url + '/').response
            assert response.read(10) == b'x' * 10
            response.close()
            assert gone.wait(10)


def test_a_client_that_leaves_within_its_request_leaves_no_whole_request_behind(
    proxy: str, kind: str, origin: HttpServer
) -> None:
    with socket.create_connection(('127.0.0.1', int(proxy.rpartition(':')[2]))) as sock:
        sock.sendall(b'PUT /part HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nonly this')
        time.sleep(0.2)
    request.get(proxy + '/after').end()
    assert [seen.path for seen in origin.requests] == ['/after']


@pytest.mark.parametrize(
    'fields',
    [
        'content-length: 3\r\ntransfer-encoding: chunked',
        'content-length: 3\r\ncontent-length: 5',
        'transfer-encoding: gzip, chunked',
        'transfer-encoding: chunked\r\ntransfer-encoding: chunked',
    ],
)
def test_a_request_that_could_be_read_in_two_ways_does_not_reach_the_origin(
    proxy: str, kind: str, origin: HttpServer, fields: str
) -> None:
    """SECURITY X5: never both content-length and transfer-encoding; nothing that comes behind is taken for another request."""
    with socket.create_connection(('127.0.0.1', int(proxy.rpartition(':')[2]))) as sock:
        sock.settimeout(10)
        sock.sendall(
            f'POST /two HTTP/1.1\r\nhost: x\r\n{fields}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'.encode()
        )
        while True:
            try:
                if not sock.recv(65536):
                    break
            except ConnectionResetError:
                break
    assert [
        seen.path for seen in origin.requests if 'transfer-encoding' in seen.names and 'content-length' in seen.names
    ] == []
    assert '/smuggled' not in [seen.path for seen in origin.requests]
    if kind in HTTP:
        assert origin.requests == []


# ---------------------------------------------------------------- http.server alone


@pytest.fixture
def handler_proxy(origin: HttpServer) -> Iterator[str]:
    origin.requests.clear()
    origin.routes.clear()
    yield from in_a_thread(ThreadingProxy(handler_for(origin.url, '1.1')))
    for pool in list(pools._every_pool):
        pool.close()


def connection(url: str) -> socket.socket:
    sock = socket.create_connection(('127.0.0.1', int(url.rpartition(':')[2])))
    sock.settimeout(10)
    return sock


def test_expect_is_answered_by_the_server_and_not_passed_on(handler_proxy: str, origin: HttpServer) -> None:
    with connection(handler_proxy) as sock:
        sock.sendall(b'PUT /a HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n')
        assert receive_head(sock).startswith(b'HTTP/1.1 100 ')
        sock.sendall(b'body')
        assert receive_head(sock).startswith(b'HTTP/1.1 200 ')
    assert (origin.requests[0].body, origin.requests[0].header('expect')) == (b'body', None)


def test_a_request_whose_content_was_not_read_costs_the_connection() -> None:
    """What is left of it would be taken for the next request (SECURITY X5)."""

    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        time.sleep(0.5)

    with RawServer(refuse) as origin:
        for url in in_a_thread(ThreadingProxy(handler_for(origin.url, '1.1'))):
            with connection(url) as sock:
                sock.sendall(b'PUT /a HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n')
                threading.Thread(target=pour, args=(sock,), daemon=True).start()
                head = receive_head(sock).lower()
                assert head.startswith(b'http/1.1 413 ')
                assert b'\r\nconnection: close\r\n' in head


def nowhere(handler: Any) -> None:
    pipe(handler, '/no/such/folder/x')


def has_a_body(handler: Any) -> None:
    pipe(handler, request('http://127.0.0.1:1', body=b'mine'))


def has_a_body_and_stays_open(handler: Any) -> None:
    pipe(handler, request('http://127.0.0.1:1', body=b'mine'), end=False)


def is_no_sink(handler: Any) -> None:
    pipe(handler, 5)


def is_itself(handler: Any) -> None:
    pipe(handler, handler)


def asks_for_a_status(handler: Any) -> None:
    pipe(handler, request('http://127.0.0.1:1'), ok_only=True)


@pytest.mark.parametrize(
    'refused', [nowhere, has_a_body, has_a_body_and_stays_open, is_no_sink, is_itself, asks_for_a_status]
)
def test_the_content_of_a_request_whose_pipe_was_refused_is_not_the_next_request(refused: Any) -> None:
    """SECURITY X5: the handler catches the error, answers and keeps its connection alive."""
    served: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_GET(self) -> None:
            served.append(self.path)
            if self.path == '/a':
                with pytest.raises((RequestError, OSError)):
                    refused(self)
            self.send_response(500)
            self.send_header('Content-Length', '0')
            self.end_headers()

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    inner = b'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'
    for url in in_a_thread(ThreadingProxy(Handler)):
        with connection(url) as sock:
            sock.sendall(b'PUT /a HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n' % len(inner) + inner)
            assert receive_head(sock).startswith(b'HTTP/1.1 500 ')
            try:
                assert sock.recv(1000) == b''
            except ConnectionResetError:
                pass
    assert served == ['/a']


def pour(sock: socket.socket) -> None:
    try:
        for _ in range(500):
            sock.sendall(b'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'.ljust(100000, b'x'))
    except OSError:
        pass


def test_a_connection_serves_again_after_a_chunked_request_and_answer(handler_proxy: str, origin: HttpServer) -> None:
    origin.routes['/a'] = b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    with connection(handler_proxy) as sock:
        for _ in range(3):
            sock.sendall(
                b'PUT /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nx-t: 1\r\n\r\n'
            )
            received = b''
            while not received.endswith(b'0\r\n\r\n'):
                received += sock.recv(65536)
            assert received.endswith(b'\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
    assert [seen.body for seen in origin.requests] == [b'hi'] * 3


def test_nonsense_chunks_are_refused_and_cost_the_connection(handler_proxy: str, origin: HttpServer) -> None:
    with connection(handler_proxy) as sock:
        sock.sendall(
            b'PUT /a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhi\r\n0\r\n\r\nGET /b HTTP/1.1\r\nhost: x\r\n\r\n'
        )
        assert sock.recv(1000) == b''
    assert origin.requests == []


def test_an_answer_from_another_request_has_no_body_for_head(handler_proxy: str, origin: HttpServer) -> None:
    class Always(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def do_HEAD(self) -> None:
            request.get(origin.url + '/a').pipe(self)

        def do_GET(self) -> None:
            request.head(origin.url + '/a').pipe(self)

        def do_PUT(self) -> None:
            pipe(self, self)

        def do_POST(self) -> None:
            pipe(b'plain', self)

        def log_message(self, *_: Any) -> None:
            pass

    origin.routes['/a'] = reply('the body')
    for url in in_a_thread(ThreadingProxy(Always)):
        answer = request.head(url).end()
        assert (answer.headers['content-length'], answer.content) == ('8', b'')
        assert request.get(url).end().headers['content-length'] == '0'
        assert request.post(url).end().body == 'plain'


# ---------------------------------------------------------------- both directions at once


def echo_chunks(sock: socket.socket, head: bytes) -> None:
    """Gives each chunk back as soon as it is there."""
    sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    received = head.partition(b'\r\n\r\n')[2]
    if received:  # the first chunk came with the head
        sock.sendall(received)
    file = sock.makefile('rb')
    while size := int(file.readline(), 16):
        piece = file.read(size + 2)
        sock.sendall(b'%x\r\n%b' % (size, piece))
    file.readline()
    sock.sendall(b'0\r\n\r\n')


DUPLEX = (*HTTP, 'gunicorn sync', 'gunicorn gthread', *ASGI)
"""The servers that let an application read what there is."""


@pytest.mark.parametrize('kind', [kind for kind in DUPLEX if kind != 'http.server 1.0'])
def test_a_client_that_waits_for_the_echo_of_each_piece_gets_it(kind: str, tmp_path: Path) -> None:
    """SECURITY D4."""
    with RawServer(echo_chunks) as origin:
        for url in proxy_of(kind, origin.url, tmp_path):
            with connection(url) as sock:
                ping_pong(sock)


def ping_pong(sock: socket.socket) -> None:
    sock.sendall(b'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
    received = b''
    for number in range(5):
        sock.sendall(b'6\r\npiece%d\r\n' % number)
        while not received.endswith(b'piece%d\r\n' % number):
            received += sock.recv(65536)
    sock.sendall(b'0\r\n\r\n')
    while not received.endswith(b'0\r\n\r\n'):
        received += sock.recv(65536)
    assert received.lower().count(b'transfer-encoding: chunked') == 1


@pytest.mark.parametrize('kind', ['wsgiref', *DUPLEX])
def test_an_early_answer_reaches_a_client_that_pauses_within_its_request(kind: str, tmp_path: Path) -> None:
    """SECURITY D4: nobody waits for the rest of a request that is answered already."""

    def refuse(sock: socket.socket, head: bytes) -> None:
        time.sleep(0.05)
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        sock.settimeout(5)
        while sock.recv(65536):
            pass

    with RawServer(refuse) as origin:
        for url in proxy_of(kind, origin.url, tmp_path):
            for _ in range(2):
                with connection(url) as sock:
                    sock.sendall(b'PUT /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n0123456789')
                    answer = b''
                    while data := sock.recv(65536):
                        answer += data
                        if answer.endswith(b'no'):
                            break
                    assert b' 413 ' in answer.partition(b'\r\n')[0]
                    # what the client still sends is never taken for another request
                    sock.sendall(b'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'.ljust(990, b'x'))
                    sock.settimeout(0.3)
                    try:
                        assert sock.recv(65536) == b''
                    except (ConnectionResetError, TimeoutError):
                        pass
            assert origin.connections == 2


@pytest.mark.parametrize('kind', ['http.server 1.1', 'gunicorn sync', 'gunicorn gthread'])
def test_each_piece_is_passed_on_when_it_comes(kind: str, tmp_path: Path) -> None:
    came: list[bytes] = []

    def listen(sock: socket.socket, head: bytes) -> None:
        came.append(head)  # with the first piece, perhaps
        while not came[-1].endswith(b'0\r\n\r\n'):
            came.append(sock.recv(65536))
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')

    with RawServer(listen) as origin:
        for url in proxy_of(kind, origin.url, tmp_path):
            with connection(url) as sock:
                sock.sendall(b'PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n')
                for number in range(3):
                    # the second half of a piece, and the first half of the next
                    sock.sendall(b'4\r\nabc%d\r\n4' % number if number else b'4\r\nabc0\r\n4')
                    end = time.monotonic() + 5
                    while b'abc%d' % number not in b''.join(came):
                        assert time.monotonic() < end
                        time.sleep(0.005)
                    sock.sendall(b'\r\nrest\r\n')
                sock.sendall(b'0\r\n\r\n')
                assert receive_head(sock).split(b' ')[1] == b'200'


def test_a_client_that_is_silent_for_longer_than_the_handler_allows_is_late(origin: HttpServer) -> None:
    origin.requests.clear()

    class Impatient(handler_for(origin.url, '1.1')):  # type: ignore[misc]
        timeout = 0.2

    for url in in_a_thread(ThreadingProxy(Impatient)):
        with connection(url) as sock:
            sock.sendall(b'PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf')
            assert sock.recv(100) == b''
    assert origin.requests == []


def test_a_client_gets_the_echo_of_each_piece_under_tls_too(authority: Any) -> None:
    """SECURITY D4: what lies within TLS wakes no poll."""
    with RawServer(echo_chunks) as origin:
        server = ThreadingProxy(handler_for(origin.url, '1.1'))
        server.socket = authority.context().wrap_socket(server.socket, server_side=True)
        for url in in_a_thread(server):
            trusting = ssl.create_default_context(cafile=authority.path)
            with trusting.wrap_socket(connection(url), server_hostname='127.0.0.1') as sock:
                ping_pong(sock)


# ---------------------------------------------------------------- what a client must not get past us


@pytest.mark.parametrize(
    'line', ['Bad Header: 1', 'Transfer-Encoding : chunked', 'no colon', ': nameless', 'From here: 1']
)
@pytest.mark.parametrize('content_type', ['', 'content-type: multipart/form-data; boundary=x\r\n'])
def test_a_head_with_a_line_that_is_no_field_is_refused(
    handler_proxy: str, origin: HttpServer, line: str, content_type: str
) -> None:
    """SECURITY X5: the parser of ``http.server`` stops there, and loses the framing that stands behind."""
    with connection(handler_proxy) as sock:
        sock.sendall(
            f'POST /x HTTP/1.1\r\n{content_type}{line}\r\nhost: a\r\ncontent-length: 38\r\n\r\n'
            'GET /smuggled HTTP/1.1\r\nhost: aaaaaa\r\n\r\n'.encode()
        )
        assert sock.recv(1000) == b''
    assert origin.requests == []


def test_a_multipart_request_is_none_of_those(handler_proxy: str, origin: HttpServer) -> None:
    origin.routes['/up'] = digest
    for kind in ('multipart/form-data; boundary=x', 'multipart/mixed', 'message/rfc822'):
        answer = request.post(handler_proxy + '/up', body=b'--x--\r\n', headers={'content-type': kind}).end()
        assert answer.status_code == 200
        assert origin.requests[-1].header('content-type') == kind


def test_curl_does_not_wait_for_the_hundred_of_a_handler_of_http_1_0(origin: HttpServer, tmp_path: Path) -> None:
    """curl gives a server that says nothing one second."""
    curl = shutil.which('curl')
    if curl is None:
        pytest.skip('curl is not installed')
    origin.routes['/up'] = digest
    content = os.urandom(2_000_000)
    (tmp_path / 'two.bin').write_bytes(content)
    for url in in_a_thread(ThreadingProxy(handler_for(origin.url, '1.0'))):
        command = [curl, '-sv', '-H', 'expect: 100-continue', '-T', str(tmp_path / 'two.bin'), url + '/up']
        told = subprocess.run(command, capture_output=True, timeout=20, check=True)
    assert told.stdout.decode() == f'{len(content)} {hashlib.sha256(content).hexdigest()}'
    assert b'< HTTP/1.1 100 Continue' in told.stderr


def test_a_client_of_http_1_0_is_not_told_to_continue(origin: HttpServer) -> None:
    """RFC 9110 10.1.1."""
    origin.routes.clear()
    for url in in_a_thread(ThreadingProxy(handler_for(origin.url, '1.0'))):
        with connection(url) as sock:
            sock.sendall(b'PUT /a HTTP/1.0\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\nbody')
            assert receive_head(sock).split(b' ')[1] == b'200'
