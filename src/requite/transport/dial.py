"""From a host and a port to a connected socket: name look-up and TCP, or a UNIX socket, within the clock of connecting.

Where a name has several addresses they are tried in a race (RFC 8305): one after the other with a small head start each, without threads, and the
first that answers wins.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
import time
from typing import TYPE_CHECKING

import urllib3

from requite import errors
from requite.transport import faults
from requite.transport.names import check_abort, look_up
from requite.transport.tunnel import left

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.transport.names import Address

HEAD_START = 0.25
"""RFC 8305 5: seconds that an attempt has for itself before the next one joins in."""
PROBE_AFTER = 60
"""Seconds of silence after which the system asks a peer whether it is still there (TCP keep-alive)."""
LONGEST_PROBE = 32767
"""Seconds; Linux takes no more."""
LONGEST_PATH = 107 if sys.platform == 'linux' else 103
"""Bytes that the path of a UNIX socket may have."""
_STARTED = frozenset((0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY))


def expiry(hop: Hop) -> float | None:
    """The moment of ``time.monotonic()`` by which a connection has to be made."""
    limits = hop.limits
    if limits.connect is None:
        return limits.deadline
    ends = time.monotonic() + limits.connect
    return ends if limits.deadline is None else min(ends, limits.deadline)


def dial(hop: Hop, host: str, port: int, expires: float | None) -> socket.socket:
    """A socket that is connected to ``host``. Raises the errors of this library, the last address's where none answers."""
    try:
        if hop.route.socket_path is not None:
            return _to_socket(hop, hop.route.socket_path, expires)
        found = look_up(hop, host, port, expires)
        return _connected(hop, found[0], expires) if len(found) == 1 else _Race(hop, found, expires).run()
    except (OSError, UnicodeError, urllib3.exceptions.HTTPError) as error:
        raise faults.explain(error, hop, faults.CONNECT) from None


def _to_socket(hop: Hop, path: str, expires: float | None) -> socket.socket:
    try:
        return _connected(hop, _place(path), expires)
    except FileNotFoundError:
        raise errors.ConnectionFailed(
            f'connect ENOENT {path}: there is no socket; is its server running, and the uri http://unix:/path/to.sock:/target?',
            'ENOENT',
        ) from None
    except (ConnectionRefusedError, NotADirectoryError) as error:
        kind, code = (
            (errors.ConnectionRefused, 'ECONNREFUSED')
            if isinstance(error, ConnectionRefusedError)
            else (errors.ConnectionFailed, 'ENOTDIR')
        )
        raise kind(
            f'connect {code} {path}: nobody listens there; is it a socket whose server is running, and the uri http://unix:/path/to.sock:/target?',
            code,
        ) from None


def _place(path: str) -> Address:
    """Where a UNIX socket is; on Linux ``@name`` is one without a file (abstract), as curl and ss write it. Raises ``ConnectionFailed`` where none is."""
    family = getattr(socket, 'AF_UNIX', None)
    abstract = path.startswith('@')
    if family is None or (abstract and sys.platform != 'linux'):
        raise errors.ConnectionFailed(f'connect EAFNOSUPPORT: this system has no sockets like {path}', 'EAFNOSUPPORT')
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise errors.ConnectionFailed(
            f'connect ENAMETOOLONG {path}: the path of a socket has {LONGEST_PATH} bytes at most', 'ENAMETOOLONG'
        )
    return int(family), '\0' + path[1:] if abstract else path


def _made(hop: Hop, family: int) -> socket.socket:
    """A socket of the family, bound to the caller's ``local_address``."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family != getattr(socket, 'AF_UNIX', None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(sock, getattr(hop.pool, 'probe_after', None) or PROBE_AFTER)
            if hop.route.local_address is not None:
                _bind(sock, hop.route.local_address)
    except BaseException:
        sock.close()
        raise
    return sock


def _keep_alive(sock: socket.socket, seconds: float) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    option = getattr(
        socket, 'TCP_KEEPIDLE', getattr(socket, 'TCP_KEEPALIVE', None)
    )  # the latter is what macOS calls it
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, min(LONGEST_PROBE, max(1, round(seconds))))


def _bind(sock: socket.socket, address: str) -> None:
    try:
        sock.bind((address, 0))
    except OSError:
        raise errors.ConnectionFailed(
            f"option 'local_address': bind EADDRNOTAVAIL {address}: no interface of this machine has it; leave it out to let the system choose",
            'EADDRNOTAVAIL',
        ) from None


def _connected(hop: Hop, address: Address, expires: float | None) -> socket.socket:
    sock = _made(hop, address[0])
    try:
        sock.settimeout(left(expires))
        hop.signal.watch(sock)
        # an abort that came before the connection begins has nothing to shut down
        check_abort(hop)
        sock.connect(address[1])
        check_abort(hop)
    except BaseException:
        sock.close()
        raise
    if hop.marks is not None:
        hop.marks['connect'] = time.perf_counter()
    return sock


class _Race:
    """Attempts to connect that overlap. An abort shuts all of them down, as it would one socket."""

    def __init__(self, hop: Hop, addresses: list[Address], expires: float | None) -> None:
        self._hop = hop
        self._waiting = addresses
        self._expires = expires
        self._running: dict[int, socket.socket] = {}
        self._failure: OSError = TimeoutError()

    def shutdown(self, how: int) -> None:
        for sock in list(self._running.values()):
            try:
                sock.shutdown(how)
            except OSError:
                pass

    def run(self) -> socket.socket:
        """The first socket that is connected; raises what the last failure was."""
        self._hop.signal.watch(self)  # type: ignore[arg-type]
        try:
            while self._waiting or self._running:
                check_abort(self._hop)
                if self._waiting:
                    self._start(self._waiting.pop(0))
                winner = self._wait()
                if winner is not None:
                    return self._won(winner)
            raise self._failure
        finally:
            for sock in self._running.values():
                sock.close()
            self._running.clear()

    def _won(self, winner: socket.socket) -> socket.socket:
        self._hop.signal.watch(winner)
        if self._hop.signal.aborted:
            winner.close()
        check_abort(self._hop)
        if self._hop.marks is not None:
            self._hop.marks['connect'] = time.perf_counter()
        return winner

    def _start(self, address: Address) -> None:
        try:
            sock = _made(self._hop, address[0])
        except OSError as error:
            self._failure = error
            return
        sock.setblocking(False)
        code = sock.connect_ex(address[1])
        if code in _STARTED:
            self._running[sock.fileno()] = sock
            check_abort(self._hop)  # whoever aborted before this line did not know of the socket
        else:
            sock.close()
            self._failure = OSError(code, os.strerror(code))

    def _wait(self) -> socket.socket | None:
        """Waits for news, as long as the head start lasts if others are waiting; a connected socket, None for none."""
        until = time.monotonic() + HEAD_START if self._waiting else None
        while self._running:
            seconds = left(self._expires)
            if until is not None:
                seconds = min(until - time.monotonic(), HEAD_START if seconds is None else seconds)
                if seconds <= 0:
                    return None
            for descriptor in _writable(self._running, seconds):
                sock = self._running.pop(descriptor)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0 and not self._hop.signal.aborted:
                    sock.setblocking(True)
                    return sock
                sock.close()
                self._failure = OSError(code, os.strerror(code))
                until = 0.0 if self._waiting else None  # RFC 8305 5: a failure lets the next one start at once
            check_abort(self._hop)
        return None


def _writable(running: dict[int, socket.socket], seconds: float | None) -> list[int]:
    if not hasattr(select, 'poll'):
        _, ready, failed = select.select([], list(running), list(running), seconds)
        return list({*ready, *failed})
    poller = select.poll()
    for descriptor in running:
        poller.register(descriptor, select.POLLOUT)
    return [descriptor for descriptor, _ in poller.poll(None if seconds is None else max(0, seconds * 1000))]
