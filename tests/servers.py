"""Real servers on loopback for the tests: one that takes every connection apart by hand, and one that answers HTTP.

`RawServer` gives each head that arrives to a function with the bare socket: for everything that a real server would not do.
`HttpServer` reads whole requests, keeps them, and answers what the test says, by default the request itself as JSON.
Both speak TLS with a certificate of a throw-away authority (`Authority`), and both tell what went wrong in their threads
when they are closed. The fixtures `server`, `raw_server`, `authority` and `tls_server` are in conftest.py::

    def test_a_header_goes_out(server):
        request.get(server.url + '/here', headers={'x-a': '1'}).end()
        assert server.requests[0].header('x-a') == '1'

    def test_a_connection_closed_before_the_head_is_an_error(raw_server):
        server = raw_server(lambda sock, head: None)     # returning closes the connection
        with pytest.raises(ConnectionReset):
            request.get(server.url).end()
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

# Longer than any test waits; a forgotten connection still ends with the run.
IDLE_SECONDS = 60.0
JSON = 'application/json'


class Seen(NamedTuple):
    """One request as it arrived: the fields in the order and spelling of the wire, the body without its framing."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    raw_head: bytes = b''

    def header(self, name: str) -> str | None:
        """The value of a field in any spelling, repeated fields joined with commas; None when it is not there."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ', '.join(values) if values else None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition('?')[0]

    @property
    def names(self) -> list[str]:
        """The names of the fields, in order, as they were spelled."""
        return [name for name, _ in self.headers]

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Answer(NamedTuple):
    """What the server answers; content-length is added unless a framing field is among the headers."""

    status: int = 200
    headers: Mapping[str, str] | list[tuple[str, str]] = {}
    body: bytes | str = b''
    reason: str = 'OK'

    def wire(self, method: str = 'GET') -> bytes:
        """The bytes to send; the body of an answer to HEAD, of 1xx, 204 and 304 stays at home."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        fields = list(self.headers.items()) if isinstance(self.headers, Mapping) else list(self.headers)
        bodiless = self.status < 200 or self.status in (204, 304)
        if not bodiless and not {'content-length', 'transfer-encoding'} & {name.lower() for name, _ in fields}:
            fields.append(('content-length', str(len(body))))
        lines = [f'HTTP/1.1 {self.status} {self.reason}', *(f'{name}: {value}' for name, value in fields), '', '']
        return '\r\n'.join(lines).encode('latin-1') + (b'' if bodiless or method == 'HEAD' else body)


Handler = Callable[[socket.socket, bytes], Any]
Replies = Callable[[Seen], 'Answer | bytes | None']


def reply(body: bytes | str = b'', status: int = 200, **headers: str) -> Answer:
    """An answer in one line; underscores in the names of fields stand for hyphens: `reply('{}', content_type='text/plain')`."""
    return Answer(status, {name.replace('_', '-'): value for name, value in headers.items()}, body)


def json_reply(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON body."""
    return reply(json.dumps(value), status, **{'content_type': JSON, **headers})


def redirect(location: str, status: int = 302) -> Answer:
    """An answer that sends the client elsewhere."""
    return Answer(status, {'location': location}, b'elsewhere', 'Found')


def echo(seen: Seen) -> Answer:
    """The request itself, as JSON: method, target, headers (a list of pairs), body (as text)."""
    told = {
        'method': seen.method,
        'target': seen.target,
        'headers': seen.headers,
        'body': seen.body.decode('utf-8', 'replace'),
    }
    return json_reply(told)


class Authority:
    """A throw-away certificate authority: `pem` and `path` for the client's `ca`, `context()` for a server."""

    def __init__(self, folder: Any) -> None:
        import trustme

        self._ca = trustme.CA()
        self.pem: bytes = self._ca.cert_pem.bytes()
        self.path = str(folder / 'ca.pem')
        self._ca.cert_pem.write_to_path(self.path)

    def context(self, *names: str) -> ssl.SSLContext:
        """The TLS context of a server that has those names (default: localhost, 127.0.0.1 and ::1)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*(names or ('localhost', '127.0.0.1', '::1'))).configure_cert(context)
        return context


class RawServer:
    """A listener on loopback that hands each head it receives, with the socket it came from, to a function.

    `handler(sock, received)` gets all bytes up to the blank line and whatever came in the same packets. It may send and read
    as it likes. When it returns True the next head on that connection is waited for, otherwise the connection is closed.
    `heads` keeps what was received, `connections` counts, `failures` are exceptions of the handler (broken connections are
    none: clients are expected to leave). `tls` is a server's SSLContext or None; `host` is the address to listen on.
    """

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = '127.0.0.1') -> None:
        self.handler = handler
        self.tls = tls
        self.heads: list[bytes] = []
        self.connections = 0
        self.failures: list[BaseException] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(1024)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name=f'server:{self.port}', daemon=True).start()

    @property
    def authority(self) -> str:
        """Host and port, as in a URL."""
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    @property
    def url(self) -> str:
        """The address of the server, without a slash at the end."""
        return f'{"https" if self.tls else "http"}://{self.authority}'

    def close(self) -> None:
        """Stop listening and break every connection."""
        self._closed = True
        with self._lock:
            left = [self._listener, *self._open]
        for sock in left:
            # A blocked accept() or recv() is woken by shutdown, not by close. Each connection is closed by its own thread: closed
            # here, its number could be another socket's before TLS in that thread has noticed.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self.failures:
            raise self.failures[0]

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(sock)
            threading.Thread(target=self._connection, args=(sock,), name=f'connection:{self.port}', daemon=True).start()

    def _connection(self, plain: socket.socket) -> None:
        sock = plain
        try:
            plain.settimeout(IDLE_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open = {sock if each is plain else each for each in self._open}
            self.serve(sock)
        except OSError:
            pass
        except BaseException as problem:
            self.failures.append(problem)
        finally:
            with self._lock:
                self._open.discard(sock)
                self._open.discard(plain)
            sock.close()

    def serve(self, sock: socket.socket) -> None:
        """One connection, from its first head to its end."""
        while received := receive_head(sock):
            self.heads.append(received)
            if self.handler(sock, received) is not True:
                return


class HttpServer(RawServer):
    """A server that reads whole requests, keeps them in `requests`, and answers over connections that stay open.

    `answers` decides: a function from `Seen` to an `Answer`, to bytes that are sent as they are, or to None, which closes the
    connection. `routes` goes before it: a path, or a method and a path (`'POST /upload'`), and an `Answer` or such a function.
    The default answer is the request as JSON (`echo`). After an answer with `connection: close` the connection is closed.
    """

    def __init__(self, answers: Replies = echo, *, tls: ssl.SSLContext | None = None, host: str = '127.0.0.1') -> None:
        self.answers = answers
        self.routes: dict[str, Answer | bytes | Replies] = {}
        self.requests: list[Seen] = []
        super().__init__(self._one, tls=tls, host=host)

    def _one(self, sock: socket.socket, received: bytes) -> bool:
        more = True
        while received and more:
            seen, received = receive_request(sock, received)
            self.requests.append(seen)
            more = self._answer(sock, seen)
        return more

    def _answer(self, sock: socket.socket, seen: Seen) -> bool:
        found = self.routes.get(f'{seen.method} {seen.path}', self.routes.get(seen.path, self.answers))
        given = found(seen) if callable(found) else found
        if given is None:
            return False
        wire = given.wire(seen.method) if isinstance(given, Answer) else given
        sock.sendall(wire)
        closing = b'\r\nconnection: close\r\n' in wire.partition(b'\r\n\r\n')[0].lower() + b'\r\n'
        return not closing and (seen.header('connection') or '').lower() != 'close'


def receive_head(sock: socket.socket, received: bytes = b'') -> bytes:
    """Everything up to the blank line and what came with it; empty when the peer closed before it began a head."""
    while b'\r\n\r\n' not in received:
        data = sock.recv(65536)
        if not data:
            return b''
        received += data
    return received


def receive_request(sock: socket.socket, received: bytes = b'') -> tuple[Seen, bytes]:
    """One whole request, and the bytes that came after it. `expect: 100-continue` is answered."""
    received = receive_head(sock, received)
    head, _, rest = received.partition(b'\r\n\r\n')
    line, *fields = head.decode('latin-1').split('\r\n')
    method, target, version = line.split(' ')
    headers = [(name, value.strip()) for name, _, value in (field.partition(':') for field in fields)]
    seen = Seen(method, target, version, headers, b'', head + b'\r\n\r\n')
    if (seen.header('expect') or '').lower() == '100-continue':
        sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
    if 'chunked' in (seen.header('transfer-encoding') or '').lower():
        body, rest = _receive_chunks(sock, rest)
    else:
        body, rest = _receive_exactly(sock, rest, int(seen.header('content-length') or 0))
    return seen._replace(body=body), rest


def _receive_exactly(sock: socket.socket, received: bytes, size: int) -> tuple[bytes, bytes]:
    parts, have = [received], len(received)
    while have < size:
        data = sock.recv(262144)
        if not data:
            raise ConnectionResetError(f'the client closed after {have} of {size} bytes')
        parts.append(data)
        have += len(data)
    whole = b''.join(parts)
    return whole[:size], whole[size:]


def _receive_chunks(sock: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    body = []
    while True:
        line, received = _receive_line(sock, received)
        size = int(line.partition(b';')[0], 16)
        if size == 0:
            break
        chunk, received = _receive_exactly(sock, received, size + 2)
        body.append(chunk[:-2])
    while line:
        line, received = _receive_line(sock, received)
    return b''.join(body), received


def _receive_line(sock: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    while b'\r\n' not in received:
        data = sock.recv(65536)
        if not data:
            raise ConnectionResetError('the client closed within a chunk')
        received += data
    line, _, rest = received.partition(b'\r\n')
    return line, rest


def closed_port() -> int:
    """A port of 127.0.0.1 at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        port: int = sock.getsockname()[1]
        return port
