"""TLS inside TLS: an https origin through the tunnel of an https proxy. ``ssl`` wraps descriptors only; this wraps a socket that is one already."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from requite.transport.tunnel import left

if TYPE_CHECKING:
    from typing_extensions import Buffer

PIECE = 65536
_FULL = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Layered:
    """As much of a socket as a connection needs, over another TLS socket; blocking or not, as that one is.

    What was encrypted and could not be sent yet is owed: it goes out before anything else does, and before anything is waited for.
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
            self._outer.settimeout(left(expires))
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._pay()
                self._fill()
            else:
                self._pay()
                return

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes, ``b''`` after the peer's close_notify. Raises ``SSLEOFError`` for an end without it (SECURITY S2)."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLZeroReturnError:
                return b''
            except ssl.SSLWantReadError:
                self._pay()
                self._fill()

    def recv_into(self, buffer: Buffer, size: int = 0) -> int:
        """Like ``recv``, into a buffer; the number of bytes."""
        view = memoryview(buffer).cast('B')
        while True:
            try:
                return int(self._tls.read(size or len(view), view))
            except ssl.SSLZeroReturnError:
                return 0
            except ssl.SSLWantReadError:
                self._pay()
                self._fill()

    def send(self, data: Buffer) -> int:
        """Takes some of ``data``; how much. Raises as a socket does that does not block, before it takes anything."""
        self._pay()
        count = self._tls.write(memoryview(data).cast('B')[:PIECE])
        try:
            self._pay()
        except _FULL:
            pass  # taken all the same: it is owed
        return count

    def sendall(self, data: Buffer) -> None:
        """Sends all of it; for blocking sockets."""
        view = memoryview(data).cast('B')
        while view:
            view = view[self.send(view) :]

    def _pay(self) -> None:
        self._owed += self._outgoing.read()
        while self._owed:
            self._owed = self._owed[self._outer.send(self._owed) :]

    def _fill(self) -> None:
        data = self._outer.recv(PIECE)
        if not data:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, 'the tunnel ended without close_notify')
        self._incoming.write(data)

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
        # all that is a matter of the connection itself: settimeout, setsockopt, fileno, shutdown, getpeername, close, ...
        return getattr(self._outer, name)
