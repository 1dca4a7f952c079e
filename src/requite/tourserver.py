"""The server of the tour: it plays every host that the examples name, on loopback, in this process."""

from __future__ import annotations

import base64
import gzip
import json
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = '<title>Hello</title>'
IMAGE = bytes(range(256)) * 4
LONG = 'All work and no play. ' * 1000
USER = {'id': 1, 'name': 'Ada'}
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 0.05


class Asked(NamedTuple):
    """A request as the server got it."""

    method: str
    host: str
    path: str
    authorization: str
    body: bytes


class Played(NamedTuple):
    """What the server answers; a body in pieces is sent chunked, as the pieces come."""

    status: int
    headers: dict[str, str]
    body: bytes | Iterator[bytes]


def answer(asked: Asked) -> Played:
    """What the host that was asked would say."""
    play = PLAYS.get((asked.host, asked.path)) or PLAYS.get((asked.host, ''), _missing)
    return play(asked)


def _html(text: str, status: int = 200, **headers: str) -> Played:
    return Played(status, {'content-type': 'text/html', **_named(headers)}, text.encode())


def _json(value: Any) -> Played:
    return Played(200, {'content-type': 'application/json'}, json.dumps(value).encode())


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace('_', '-'): value for name, value in headers.items()}


def _missing(asked: Asked) -> Played:
    return _html('<title>Not here</title>', 404)


def _upload(asked: Asked) -> Played:
    return _json({'received': dict(parse_qsl(asked.body.decode()))})


def _kept(asked: Asked) -> Played:
    return _json({'kept': asked.path, 'bytes': len(asked.body)})


def _members(asked: Asked) -> Played:
    scheme, _, proof = asked.authorization.partition(' ')
    if scheme.lower() != 'basic':
        return _html('Who are you?', 401, www_authenticate='Basic realm="members"')
    name = base64.b64decode(proof).decode().partition(':')[0]
    return Played(200, {'content-type': 'text/plain'}, f'Welcome, {name}!'.encode())


def _packed(asked: Asked) -> Played:
    return Played(200, {'content-type': 'text/plain', 'content-encoding': 'gzip'}, gzip.compress(LONG.encode()))


def _lines(asked: Asked) -> Played:
    def slowly() -> Iterator[bytes]:
        for line in (b'one\n', b'two\n', b'three\n'):
            yield line
            time.sleep(PAUSE_SECONDS)

    return Played(200, {'content-type': 'text/plain'}, slowly())


def _slow(asked: Asked) -> Played:
    time.sleep(SLOW_SECONDS)
    return _html('At last')


PLAYS: dict[tuple[str, str], Callable[[Asked], Played]] = {
    ('www.google.com', ''): lambda _: _html(PAGE),
    ('google.com', ''): lambda _: Played(200, {'content-type': 'image/png'}, IMAGE),
    ('mysite.com', ''): _kept,
    ('service.com', '/upload'): _upload,
    ('some.server.com', ''): _members,
    ('api.example.com', '/users/1'): lambda _: _json(USER),
    ('www.example.com', '/old'): lambda _: _html('Moved', 301, location='/new'),
    ('www.example.com', '/new'): lambda _: _html('<title>New</title>'),
    ('www.example.com', '/packed'): _packed,
    ('www.example.com', '/lines'): _lines,
    ('www.example.com', '/slow'): _slow,
    ('127.0.0.1', '/small'): lambda _: _html(PAGE),
}
"""Who says what: by host and path, by host alone where the path is empty."""


class Player(BaseHTTPRequestHandler):
    """Reads a request, writes what ``answer`` says, keeps the connection."""

    protocol_version = 'HTTP/1.1'
    server_version = 'tour'
    sys_version = ''
    # The head and the body in one packet: two would wait for one another on a kept connection.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers, whatever the method."""
        host = self.headers.get('host', '').partition(':')[0]
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        asked = Asked(self.command, host, self.path.partition('?')[0], self.headers.get('authorization', ''), body)
        self._write(answer(asked))

    do_POST = do_PUT = do_GET  # noqa: N815 - http.server looks for this name

    def _write(self, played: Played) -> None:
        self.send_response(played.status)
        for name, value in played.headers.items():
            self.send_header(name, value)
        if isinstance(played.body, bytes):
            self.send_header('content-length', str(len(played.body)))
            self.end_headers()
            self.wfile.write(played.body)
            return
        self.send_header('transfer-encoding', 'chunked')
        self.end_headers()
        for piece in chain(played.body, (b'',)):
            self.wfile.write(b'%x\r\n%b\r\n' % (len(piece), piece))
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Keeps quiet: the tour tells what happens."""


class TourServer(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1; ``with TourServer() as server: server.port``. ``failures`` are exceptions in its threads."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Player)
        self.port: int = self.server_address[1]
        self.failures: list[BaseException] = []
        threading.Thread(
            target=self.serve_forever, kwargs={'poll_interval': 0.02}, name='tour-server', daemon=True
        ).start()

    def server_bind(self) -> None:
        """Binds without asking a name service who 127.0.0.1 is, as ``HTTPServer`` would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = '127.0.0.1', self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps what went wrong; a client that leaves in the middle is part of the tour."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.failures.append(error)

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
