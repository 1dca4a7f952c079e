"""The other end of big bodies, as a child process: GET /n sends n bytes, PUT is read and thrown away, POST comes back while it arrives.

Run as a module it prints its two ports (plain, TLS) as JSON, and serves until its input ends. `origin()` does that for a block.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING

from .children import run_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 1 << 18
ZEROS = memoryview(bytes(1 << 20))
LAST = b'0\r\n\r\n'


def _head(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b''
    while b'\r\n\r\n' not in data:
        piece = sock.recv(65_536)
        if not piece:
            return b'', b''
        data += piece
    head, _, rest = data.partition(b'\r\n\r\n')
    return head, rest


def _body(sock: socket.socket, head: bytes, rest: bytes, take: Callable[[memoryview], object]) -> None:
    """Hands the content on as it is on the wire, a chunked one with its framing."""
    fields = head.lower()
    sized = b'content-length:' in fields
    left = int(fields.partition(b'content-length:')[2].split(b'\r\n')[0]) if sized else None
    if b'100-continue' in fields:
        sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
    buffer = memoryview(bytearray(PIECE))
    take(memoryview(rest))
    left = None if left is None else left - len(rest)
    end = rest[-len(LAST) :]
    while left if left is not None else end != LAST:
        count = sock.recv_into(buffer)
        if not count:
            raise OSError('the client left')
        take(buffer[:count])
        if left is not None:
            left -= count
        else:
            end = (end + bytes(buffer[max(0, count - len(LAST)) : count]))[-len(LAST) :]


def _serve(plain: socket.socket, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = context.wrap_socket(plain, server_side=True) if context else plain
        while (got := _head(sock)) != (b'', b''):
            head, rest = got
            if head.startswith(b'GET'):
                _send(sock, int(head.split(b' ')[1][1:]))
                continue
            if not head.startswith(b'POST'):
                _body(sock, head, rest, lambda piece: None)
                sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
                continue
            line = next((line for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:')), None)
            sock.sendall(b'HTTP/1.1 200 OK\r\n' + (line or b'Transfer-Encoding: chunked') + b'\r\n\r\n')
            _body(sock, head, rest, sock.sendall)
    plain.close()


def _send(sock: socket.socket, size: int) -> None:
    """So many bytes out of one buffer, which stays in the processor's cache: as little of the time as possible is the server's."""
    sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
    while size:
        piece = ZEROS[:size]
        sock.sendall(piece)
        size -= len(piece)


def _listen(context: ssl.SSLContext | None) -> int:
    listener = socket.create_server(('127.0.0.1', 0))

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=_serve, args=(sock, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


@contextlib.contextmanager
def origin(certificate: str) -> Iterator[tuple[str, str]]:
    """The child for as long as the block runs, as the two addresses where it listens."""
    process = run_module('origin', [certificate])
    try:
        assert process.stdout is not None
        plain, secure = json.loads(process.stdout.readline())
        yield f'http://127.0.0.1:{plain}', f'https://127.0.0.1:{secure}'
    finally:
        process.kill()
        process.communicate()


def _move_away() -> None:
    """To the cores that the parent did not choose, where there are any: the server's work is not to push the client's out of the cache."""
    others = set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0)
    with contextlib.suppress(OSError, ValueError):
        os.sched_setaffinity(0, others)


def main() -> None:
    """Serve until the input ends."""
    _move_away()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    print(json.dumps([_listen(None), _listen(context)]), flush=True)
    sys.stdin.read()


if __name__ == '__main__':
    main()
