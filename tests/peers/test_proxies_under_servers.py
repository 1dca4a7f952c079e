"""The one-line proxies under servers that others wrote, between clients that others wrote and an origin of ``http.server``.

What is large here is 64 MiB; ``REQUITE_PEER_BYTES`` makes it larger, for a trial by hand.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import requite
from requite import request
from requite.transport import pools
from tests.peers.daemons import folder, free_port, program, running

LARGE = int(os.environ.get('REQUITE_PEER_BYTES', 64 << 20))
PIECE = bytes(range(256)) * 4096
GROWTH = 24 << 20
"""How much a proxy may grow while something large goes through, in bytes."""

HANDLER = """
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from requite import pipe, request

class Proxy(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self): pipe(self, request(os.environ['ORIGIN'] + self.path)).pipe(self)
    do_HEAD = do_PUT = do_POST = do_GET
    def log_message(self, *_): pass

ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Proxy).serve_forever()
"""
WSGI = """
import os
from requite import pipe, request, wsgi

def app(environ, start_response):
    incoming = wsgi.Incoming(environ)
    return pipe(incoming, request(os.environ['ORIGIN'] + incoming.url)).pipe(wsgi.Outgoing(start_response))
"""
ASGI = """
import os
from requite import apipe, asgi, request

async def app(scope, receive, send):
    incoming = asgi.Incoming(scope, receive)
    await apipe(await apipe(incoming, request(os.environ['ORIGIN'] + incoming.url)), asgi.Outgoing(send))
"""


class Origin(BaseHTTPRequestHandler):
    """An origin that tells what it got, sends a lot, and dies on demand."""

    protocol_version = 'HTTP/1.1'
    # It writes head and content one after the other; the second would wait for the acknowledgement of the first.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        what = self.path.partition('?')[0]
        if what == '/moved':
            self.answer(302, b'', location='/small')
        elif what in ('/large', '/endless', '/dies', '/dies-chunked'):
            self.pour(what)
        else:
            self.answer(200, b'small')

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        digest, size = hashlib.sha256(), 0
        for piece in self.content():
            digest.update(piece)
            size += len(piece)
        self.answer(200, f'{size} {digest.hexdigest()}'.encode())

    do_POST = do_PUT  # noqa: N815

    def content(self) -> Iterator[bytes]:
        if 'chunked' in self.headers.get('transfer-encoding', ''):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get('content-length', 0))
        while left:
            piece = self.rfile.read(min(left, 262144))
            if not piece:
                raise ConnectionResetError
            left -= len(piece)
            yield piece

    def pour(self, what: str) -> None:
        self.send_response(200)
        chunked = what in ('/endless', '/dies-chunked')
        name, value = ('transfer-encoding', 'chunked') if chunked else ('content-length', str(LARGE))
        self.send_header(name, value)
        self.end_headers()
        self.close_connection = what != '/large'
        if self.command == 'HEAD':
            return
        count = {'/large': LARGE // len(PIECE), '/endless': 1 << 40}.get(what, 3)
        try:
            for _ in range(count):
                self.wfile.write(b'%x\r\n%b\r\n' % (len(PIECE), PIECE) if chunked else PIECE)
        except OSError:
            self.server.gone.set()  # type: ignore[attr-defined]

    def answer(self, status: int, content: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in {'content-length': str(len(content)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class OriginServer(ThreadingHTTPServer):
    """Notes when somebody left who was being sent something; says nothing about it."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        self.gone = threading.Event()
        super().__init__(('127.0.0.1', 0), Origin)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class Proxy(NamedTuple):
    """A proxy that runs: its address, its kind, and the process that does the work."""

    url: str
    kind: str
    pid: int


@pytest.fixture(scope='module')
def origin() -> Iterator[OriginServer]:
    server = OriginServer()
    threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
    for pool in list(pools._every_pool):
        pool.close()


def needs(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None or sys.platform == 'win32':
            pytest.skip(f'{package} is not installed: pip install {package}')


def gunicorn(worker: str) -> Callable[[int], list[str]]:
    needs('gunicorn')
    config = importlib.import_module('gunicorn.config')
    # Newer ones would leave a socket in the home directory.
    more = ['--no-control-socket'] if hasattr(config, 'ControlSocketDisable') else []
    options = ['-k', worker, '--threads', '16', '--timeout', '120', '--log-level', 'critical', *more]
    return lambda port: ['-m', 'gunicorn', '-b', f'127.0.0.1:{port}', *options, 'proxyapp:app']


def uvicorn(parser: str) -> Callable[[int], list[str]]:
    needs('uvicorn', parser)
    options = ['--http', parser, '--log-level', 'critical', '--timeout-graceful-shutdown', '1']
    return lambda port: ['-m', 'uvicorn', '--port', str(port), *options, 'proxyapp:app']


KINDS: dict[str, tuple[str, Callable[[], Callable[[int], list[str]]]]] = {
    'http.server': (HANDLER, lambda: lambda port: ['proxyapp.py', str(port)]),
    'gunicorn sync': (WSGI, lambda: gunicorn('sync')),
    'gunicorn gthread': (WSGI, lambda: gunicorn('gthread')),
    'uvicorn h11': (ASGI, lambda: uvicorn('h11')),
    'uvicorn httptools': (ASGI, lambda: uvicorn('httptools')),
}


@pytest.fixture(scope='module', params=KINDS)
def proxy(request: pytest.FixtureRequest, origin: OriginServer) -> Iterator[Proxy]:
    app, arguments_of = KINDS[request.param]
    port = free_port()
    arguments = arguments_of()(port)
    source = str(Path(str(requite.__file__)).parent.parent)
    path = os.pathsep.join([source, os.environ.get('PYTHONPATH', '')])
    origin_url = f'http://127.0.0.1:{origin.server_address[1]}'
    with folder() as place, pytest.MonkeyPatch.context() as patch:
        (place / 'proxyapp.py').write_text(app, encoding='utf-8')
        patch.chdir(place)
        patch.setenv('ORIGIN', origin_url)
        patch.setenv('PYTHONPATH', path)
        with running([sys.executable, *arguments], port) as url:
            patch.undo()
            with urllib.request.urlopen(url + '/small') as answer:
                assert answer.read() == b'small'
            yield Proxy(url, request.param, worker_of(port))


def worker_of(port: int) -> int:
    """The process that serves a port, under gunicorn the worker, which is younger than its master; 0 where that cannot be seen."""
    if not Path('/proc/net/tcp').exists():
        return 0
    lines = [line.split() for line in Path('/proc/net/tcp').read_text(encoding='ascii').splitlines()[1:]]
    inodes = {f'socket:[{line[9]}]' for line in lines if line[1].endswith(f':{port:04X}') and line[3] == '0A'}
    holders = [int(place.name) for place in Path('/proc').iterdir() if place.name.isdigit()]
    return max((pid for pid in holders if inodes & sockets(pid)), key=begun, default=0)


def begun(pid: int) -> int:
    """When a process began, in clock ticks since the machine did."""
    return int(Path(f'/proc/{pid}/stat').read_text(encoding='ascii').rpartition(')')[2].split()[19])


def sockets(pid: int) -> set[str]:
    """The sockets that a process has open."""
    found = set()
    try:
        for entry in Path(f'/proc/{pid}/fd').iterdir():
            target = str(entry.readlink())
            if target.startswith('socket:'):
                found.add(target)
    except OSError:
        pass
    return found


def peak(proxy: Proxy) -> int:
    """The most memory that a proxy has held so far, in bytes."""
    if not proxy.pid:
        return 0
    text = Path(f'/proc/{proxy.pid}/status').read_text(encoding='ascii')
    return int(re.findall(r'VmHWM:\s+(\d+) kB', text)[0]) << 10


def curl(*arguments: str, code: int | None = 0, **options: Any) -> bytes:
    """What curl prints; ``code`` is how it has to end, None: with any failure."""
    where = program('curl')
    if where is None:
        pytest.skip('curl is not installed')
    ended = subprocess.run([where, '-sS', *arguments], capture_output=True, timeout=110, check=False, **options)
    assert ended.returncode != 0 if code is None else ended.returncode == code, ended
    return ended.stdout


@pytest.fixture(scope='module')
def large_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A large file and its digest."""
    place = tmp_path_factory.mktemp('large') / 'large.bin'
    digest = hashlib.sha256()
    with place.open('wb') as file:
        for _ in range(LARGE // len(PIECE)):
            file.write(PIECE)
            digest.update(PIECE)
    return place, digest.hexdigest()


def test_get_and_head_by_curl_urllib_and_requite(proxy: Proxy) -> None:
    assert curl(proxy.url + '/small?a=%20b') == b'small'
    with urllib.request.urlopen(proxy.url + '/small') as answer:
        assert answer.read() == b'small'
    assert request(proxy.url + '/small').response.body == 'small'
    head = curl('-I', proxy.url + '/small').lower()
    assert b' 200 ' in head.splitlines()[0]
    assert head.count(b'content-length: 5') == 1
    assert head.count(b'\r\ndate:') == 1


def test_a_redirect_is_followed_by_the_proxy(proxy: Proxy) -> None:
    assert curl('-w', '%{http_code}', proxy.url + '/moved') == b'small200'


def test_a_large_put_with_expect_arrives_whole_with_little_memory(proxy: Proxy, large_file: tuple[Path, str]) -> None:
    before, began = peak(proxy), time.monotonic()
    told = curl('-T', str(large_file[0]), '-H', 'expect: 100-continue', proxy.url + '/up')
    print(
        f'{proxy.kind}: PUT {LARGE >> 20} MiB in {time.monotonic() - began:.1f} s, grew {peak(proxy) - before >> 10} KiB'
    )
    assert told.decode() == f'{LARGE} {large_file[1]}'
    assert peak(proxy) - before < GROWTH


def test_a_large_chunked_put_arrives_whole_with_little_memory(proxy: Proxy, large_file: tuple[Path, str]) -> None:
    before = peak(proxy)
    with large_file[0].open('rb') as file:
        told = curl('-T', '-', proxy.url + '/up', stdin=file)
    assert told.decode() == f'{LARGE} {large_file[1]}'
    assert peak(proxy) - before < GROWTH


def test_a_large_get_arrives_whole_with_little_memory(
    proxy: Proxy, large_file: tuple[Path, str], tmp_path: Path
) -> None:
    before, began = peak(proxy), time.monotonic()
    curl('-o', str(tmp_path / 'got'), proxy.url + '/large')
    print(
        f'{proxy.kind}: GET {LARGE >> 20} MiB in {time.monotonic() - began:.1f} s, grew {peak(proxy) - before >> 10} KiB'
    )
    digest = hashlib.sha256()
    with (tmp_path / 'got').open('rb') as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    assert digest.hexdigest() == large_file[1]
    assert peak(proxy) - before < GROWTH


def test_a_client_that_leaves_half_way_ends_the_answer_of_the_origin(proxy: Proxy, origin: OriginServer) -> None:
    origin.gone.clear()
    curl('--limit-rate', '1M', '--max-time', '0.5', '-o', os.devnull, proxy.url + '/endless', code=28)
    assert origin.gone.wait(10)


@pytest.mark.parametrize('version', ['--http1.1', '--http1.0'])
@pytest.mark.parametrize('path', ['/dies', '/dies-chunked'])
def test_an_origin_that_dies_half_way_never_looks_whole(proxy: Proxy, path: str, version: str) -> None:
    curl(version, '-o', os.devnull, proxy.url + path, code=None)


@pytest.mark.timing
@pytest.mark.skipif(program('wrk') is None, reason='wrk is not installed')
def test_a_thousand_requests_one_after_another_and_two_hundred_at_once_lose_nothing(proxy: Proxy) -> None:
    if proxy.kind == 'gunicorn sync' or proxy.kind == 'http.server':
        pytest.skip('serves one connection at a time, or makes a thread for each')
    before = len(sockets(proxy.pid))
    done = 0
    for _ in range(15):
        done += wrk(proxy.url, 1, 1)
        if done >= 1000:
            break
    assert done >= 1000
    assert wrk(proxy.url, 200, 3) >= 200
    # What stays open are kept connections to the origin, at most as many as the pool allows and as were in use at once.
    at_most = before + (16 if 'gunicorn' in proxy.kind else 100) + 4
    end = time.monotonic() + 60
    while len(sockets(proxy.pid)) > at_most and time.monotonic() < end:
        time.sleep(0.1)
    assert len(sockets(proxy.pid)) <= at_most
    assert curl(proxy.url + '/small') == b'small'


def wrk(url: str, connections: int, seconds: int) -> int:
    """How many requests were answered; any that was not, or with another status than 200, is an error."""
    where = str(program('wrk'))
    command = [where, '-t1', f'-c{connections}', f'-d{seconds}s', '--timeout', '20s', url + '/small']
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert 'Socket errors' not in said, said
    assert 'Non-2xx' not in said, said
    print(said)
    return int(re.findall(r'(\d+) requests in', said)[0])
