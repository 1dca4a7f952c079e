"""TLS inside TLS: an https origin through the tunnel of an https proxy. ``ssl`` wraps descriptors only; this wraps a socket that is one already."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from requite.transport.tunnel import left

if TYPE_CHECKING:
    from typing_extensions import Buffer

PIECE = 16384
"""RFC 8446 5.1: what fits into one record."""
RECEIVE = 65536
_FULL = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Layered:
    """As much of a socket as a connection needs, over another TLS socket; blocking or not, as that one is.

    What was encrypted and could not be sent yet is owed: it goes out before anything else does. Waiting for something to come in never waits for that,
    since the other end may read on only when it was read from (SECURITY D4). A call takes no longer than the timeout, however the bytes drip (D1).
    """

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext, server_hostname: str) -> None:
        self._outer = outer
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._owed = b''

    def do_handshake(self, expires: float | None) -> None:
        """Shakes hands until ``expires``, a moment of ``time.monotonic()``; raises as ``ssl`` does."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._come(expires)
            except ssl.SSLError:
                # what the origin is told is wrong with it; nobody waits for that
                self._outer.settimeout(0)
                with contextlib.suppress(OSError):
                    self._pay(None)
                raise
            else:
                self._outer.settimeout(left(expires))
                self._pay(expires)
                return

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes, ``b''`` after the peer's close_notify. Raises ``SSLEOFError`` for an end without it (SECURITY S2)."""
        expires = self._expires()
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLZeroReturnError:
                return b''
            except ssl.SSLWantReadError:
                self._come(expires)

    def recv_into(self, buffer: Buffer, size: int = 0) -> int:
        """Like ``recv``, into a buffer; the number of bytes."""
        view = memoryview(buffer).cast('B')
        expires = self._expires()
        while True:
            try:
                return int(self._tls.read(size or len(view), view))
            except ssl.SSLZeroReturnError:
                return 0
            except ssl.SSLWantReadError:
                self._come(expires)

    def send(self, data: Buffer) -> int:
        """Takes some of ``data``; how much. Raises as a socket does that does not block, before it takes anything."""
        expires = self._expires()
        self._pay(expires)
        count = self._tls.write(memoryview(data).cast('B')[:PIECE])
        try:
            self._pay(expires)
        except _FULL:
            pass  # taken all the same: it is owed
        return count

    def sendall(self, data: Buffer) -> None:
        """Sends all of it; for blocking sockets."""
        view = memoryview(data).cast('B')
        while view:
            view = view[self.send(view) :]

    def _expires(self) -> float | None:
        timeout = self._outer.gettimeout()
        return time.monotonic() + timeout if timeout else None

    def _pay(self, expires: float | None) -> None:
        """Sends what is owed; raises one of ``_FULL`` where a socket that does not block takes no more, else ``TimeoutError`` after ``expires``."""
        self._owed += self._outgoing.read()
        while self._owed:
            left(expires)
            self._owed = self._owed[self._outer.send(self._owed) :]

    def _come(self, expires: float | None) -> None:
        """Takes in what comes until ``expires``, sending what is owed meanwhile; raises one of ``_FULL`` if the socket does not block and there is nothing."""
        outer = self._outer
        timeout = outer.gettimeout()
        outer.settimeout(0)
        try:
            while True:
                try:
                    self._pay(None)
                except _FULL:
                    pass
                try:
                    self._fill()
                except _FULL as error:
                    if timeout == 0:
                        raise
                    _wait(outer, bool(self._owed) or isinstance(error, ssl.SSLWantWriteError), left(expires))
                else:
                    return
        finally:
            outer.settimeout(timeout)

    def _fill(self) -> None:
        data = self._outer.recv(RECEIVE)
        if not data:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, 'the tunnel ended without close_notify')
        self._incoming.write(data)

    def shutdown(self, how: int) -> None:
        """Ends the connection beneath both; safe from another thread, which would find the outer TLS gone otherwise."""
        socket.socket.shutdown(self._outer, how)

    def pending(self) -> int:
        """How many bytes have arrived and were not read yet, encrypted ones included."""
        return self._tls.pending() + self._incoming.pending + self._outer.pending()

    def getpeercert(self, binary_form: bool = False) -> Any:
        """The certificate of the origin."""
        return self._tls.getpeercert(binary_form)

    def version(self) -> str | None:
        """The version of TLS that is spoken to the origin."""
        return self._tls.version()

    def cipher(self) -> Any:
        """The cipher that is used with the origin."""
        return self._tls.cipher()

    def __getattr__(self, name: str) -> Any:
        # all that is a matter of the connection itself: settimeout, setsockopt, fileno, getpeername, close, ...
        return getattr(self._outer, name)


def _wait(sock: ssl.SSLSocket, writing: bool, seconds: float | None) -> None:
    if not hasattr(select, 'poll'):
        ready: Any = any(select.select([sock], [sock] if writing else [], [], seconds))
    else:
        poller = select.poll()
        poller.register(sock, select.POLLIN | (select.POLLOUT if writing else 0))
        ready = poller.poll(None if seconds is None else seconds * 1000)
    if not ready:
        raise TimeoutError
