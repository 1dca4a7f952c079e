"""Proxies of the tests' own: one that opens tunnels, one that speaks SOCKS. Both keep what they were told, and pass bytes on in both directions at once."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from tests.servers import RawServer

ESTABLISHED = b'HTTP/1.1 200 Connection established\r\n\r\n'
PIECE = 65536
MOST_HELD = 1 << 20
_NOTHING = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Tunnels(RawServer):
    """An HTTP proxy that knows CONNECT only.

    `judge(head)` may refuse with the bytes that it returns; None opens the tunnel to what was asked for, or where `led` leads that port to on loopback.
    `heads` holds what the proxy was told, `opened` the authorities of the tunnels, `passed` what came from the client through them (with `listening`).
    """

    def __init__(
        self,
        judge: Callable[[bytes], bytes | None] = lambda head: None,
        *,
        tls: ssl.SSLContext | None = None,
        led: Callable[[int], int] | None = None,
        listening: bool = False,
        host: str = '127.0.0.1',
    ) -> None:
        self.judge = judge
        self.led = led
        self.opened: list[str] = []
        self.passed: bytearray | None = bytearray() if listening else None
        super().__init__(self._one, tls=tls, host=host)

    def _one(self, sock: socket.socket, head: bytes) -> bool:
        refusal = self.judge(head)
        if refusal is not None:
            sock.sendall(refusal)
            return True
        authority = head.split(b' ')[1].decode()
        self.opened.append(authority)
        host, _, port = authority.rpartition(':')
        place = (host.strip('[]'), int(port)) if self.led is None else ('127.0.0.1', self.led(int(port)))
        with socket.create_connection(place, 10) as origin:
            sock.sendall(ESTABLISHED)
            relay(sock, origin, self.passed)
        return False


class Socks(RawServer):
    """A SOCKS proxy of the versions 4, 4a and 5 which connects to `origin` whatever it is asked for.

    `asked` holds what that was: (version, host, port), `logins` who wanted it. With `login` (user and password as bytes) it lets in nobody else. `says`, when
    given, is what it answers instead of opening the connection.
    """

    def __init__(
        self,
        origin: tuple[str, int],
        login: tuple[bytes, bytes] | None = None,
        says: bytes | None = None,
        host: str = '127.0.0.1',
    ) -> None:
        self.origin = origin
        self.login = login
        self.says = says
        self.asked: list[tuple[str, Any, int]] = []
        self.logins: list[Any] = []
        self.greetings: list[bytes] = []
        super().__init__(lambda sock, head: None, host=host)

    def serve(self, sock: socket.socket) -> None:
        version = exactly(sock, 1)
        granted = self._five(sock) if version == b'\x05' else self._four(sock)
        if granted is None:
            return
        if self.says is not None:
            sock.sendall(self.says)
            return
        with socket.create_connection(self.origin, 10) as origin:
            sock.sendall(granted)
            relay(sock, origin)

    def _five(self, sock: socket.socket) -> bytes | None:
        offered = exactly(sock, exactly(sock, 1)[0])
        self.greetings.append(offered)
        if self.login is None:
            sock.sendall(b'\x05\x00')
        elif 2 not in offered:
            sock.sendall(b'\x05\xff')
            return None
        else:
            sock.sendall(b'\x05\x02')
            assert exactly(sock, 1) == b'\x01'
            login = exactly(sock, exactly(sock, 1)[0]), exactly(sock, exactly(sock, 1)[0])
            self.logins.append(login)
            sock.sendall(b'\x01' + (b'\x00' if login == self.login else b'\x01'))
            if login != self.login:
                return None
        assert exactly(sock, 3) == b'\x05\x01\x00'
        kind = exactly(sock, 1)[0]
        host: Any
        if kind == 1:
            host = socket.inet_ntop(socket.AF_INET, exactly(sock, 4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, exactly(sock, 16))
        else:
            host = exactly(sock, exactly(sock, 1)[0])
        self.asked.append((f'5:{kind}', host, struct.unpack('>H', exactly(sock, 2))[0]))
        return b'\x05\x00\x00\x03\x04name\x00\x50'

    def _four(self, sock: socket.socket) -> bytes:
        assert exactly(sock, 1) == b'\x01'
        port = struct.unpack('>H', exactly(sock, 2))[0]
        address = exactly(sock, 4)
        self.logins.append(until_nul(sock))
        host: Any = socket.inet_ntop(socket.AF_INET, address)
        if address[:3] == b'\x00\x00\x00':
            host = until_nul(sock)
        self.asked.append(('4', host, port))
        return b'\x00\x5a\x00\x00\x00\x00\x00\x00'


def exactly(sock: socket.socket, count: int) -> bytes:
    """That many bytes, no more."""
    data = b''
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionResetError('the client left')
        data += more
    return data


def until_nul(sock: socket.socket) -> bytes:
    """Everything before the next NUL."""
    data = b''
    while (char := exactly(sock, 1)) != b'\x00':
        data += char
    return data


def relay(client: socket.socket, origin: socket.socket, passed: bytearray | None = None) -> None:
    """Passes bytes on until either end closes; one thread, since TLS wants no two at once."""
    waiting = {client: b'', origin: b''}  # what is to be sent to each
    over = False
    for sock in waiting:
        sock.settimeout(0)
    while not over or any(waiting.values()):
        _ready(client, origin, waiting, over)
        for source, sink in ((client, origin), (origin, client)):
            over = _pass(source, sink, waiting, passed if source is client else None, over) or over
            with contextlib.suppress(*_NOTHING):
                while waiting[sink]:
                    waiting[sink] = waiting[sink][sink.send(waiting[sink]) :]


def _ready(client: socket.socket, origin: socket.socket, waiting: dict[socket.socket, bytes], over: bool) -> None:
    if getattr(client, 'pending', int)():
        return
    readers = [
        source for source, sink in ((client, origin), (origin, client)) if not over and len(waiting[sink]) < MOST_HELD
    ]
    writers = [sock for sock in waiting if waiting[sock]]
    found = select.select(readers, writers, [], 60)
    if not any(found):
        raise TimeoutError


def _pass(
    source: socket.socket,
    sink: socket.socket,
    waiting: dict[socket.socket, bytes],
    passed: bytearray | None,
    over: bool,
) -> bool:
    """Whether `source` came to its end."""
    if over or len(waiting[sink]) >= MOST_HELD:
        return False
    try:
        data = source.recv(PIECE)
    except _NOTHING:
        return False
    waiting[sink] += data
    if passed is not None:
        passed += data
    return not data
