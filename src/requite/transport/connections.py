"""Making connections: urllib3's connection classes with our clock, our abort and our marks; and ``Link``, a connected socket ready for exchanges.

Name look-up, TCP and TLS together may take ``limits.connect`` seconds of wall clock. ``getaddrinfo`` runs in the calling thread and cannot be interrupted by
anybody: its time counts, and is only noticed when it returns.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import sys
import time
from typing import TYPE_CHECKING

import urllib3
import urllib3.connection
import urllib3.connectionpool

from requite import errors
from requite.transport import faults, tls

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop, Route

URLLIB3_PRIVATE = (
    'connection.HTTPConnection._new_conn',
    'connection.HTTPConnection._dns_host',
    'connectionpool.HTTPConnectionPool._new_conn',
)
"""Every private name of urllib3 that this package relies on."""

if not re.match(r'2\.(?:[89]|\d\d+)', urllib3.__version__) or hasattr(urllib3, 'AsyncPoolManager'):
    raise ImportError(
        f'requite needs urllib3 >=2.8,<3, but the module urllib3 is {urllib3.__version__}: urllib3-future (which niquests installs) takes the same '
        'place; install requite into an environment of its own, or run `pip install --force-reinstall "urllib3>=2.8,<3"`'
    )

# On 64-bit Linux the kernel keeps the clock of a blocking socket (SO_RCVTIMEO, SO_SNDTIMEO): Python's settimeout would poll before every call. Not
# under TLS, where Python's own loop would begin a new wait each time the kernel's is over.
KERNEL_CLOCK = sys.platform == 'linux' and struct.calcsize('l') == 8
_TIMEVAL = struct.Struct('ll')
_LINGER_RST = struct.pack('ii', 1, 0)


class Plain(urllib3.connection.HTTPConnection):
    """A TCP (or UNIX) connection made for one hop."""

    hop: Hop
    expires: float | None = None
    alarm: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        return _dial(self.hop, self._dns_host, self.port or 80, self.expires)


class Secure(urllib3.connection.HTTPSConnection):
    """A TLS connection made for one hop."""

    hop: Hop
    expires: float | None = None
    alarm: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        hop = self.hop
        sock = _dial(hop, self._dns_host, self.port or 443, self.expires)
        # the handshake takes the descriptor away from ``sock``: an abort needs one of its own to shut down
        self.alarm = sock.dup()
        hop.signal.watch(self.alarm)
        # counts for the handshake as a whole: OpenSSL's loop is given one end, however slowly the bytes drip in
        sock.settimeout(_left(self.expires))
        return sock


class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
    """urllib3's pool as the maker of connections to one origin; the waiting and keeping is done by ``pools.Lane``."""

    ConnectionCls = Plain


class SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = Secure


def factory(route: Route) -> PlainPool | SecurePool:
    """What makes connections along ``route``."""
    host = route.host or 'localhost'
    if route.tls is None:
        return PlainPool(host, route.port)
    settings = route.tls
    return SecurePool(
        host,
        route.port,
        ssl_context=tls.context(settings),
        server_hostname=settings.server_hostname,
        assert_hostname=None if settings.verify else False,
    )


class Link:
    """A connected socket with its methods at hand and the poll object that tells whether it is still quiet."""

    __slots__ = ('poll', 'recv', 'recv_into', 'secure', 'send', 'sock', 'timeout', 'used')

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.secure = isinstance(sock, ssl.SSLSocket)
        self.send = sock.send
        self.recv = sock.recv
        self.recv_into = sock.recv_into
        self.used = False
        self.poll = _poll_of(sock)
        self.timeout: float | None = -1.0
        if KERNEL_CLOCK and not self.secure:
            sock.settimeout(None)

    def tune(self, seconds: float | None) -> None:
        """Sets how long a call may block; costs a system call only when that changes."""
        if seconds == self.timeout:
            return
        self.timeout = seconds
        if not KERNEL_CLOCK or self.secure:
            self.sock.settimeout(seconds)
            return
        micros = 0 if seconds is None else max(1, int(seconds * 1000000))
        value = _TIMEVAL.pack(*divmod(micros, 1000000))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    def blocking(self, flag: bool) -> None:
        """Whether calls wait at all; ``tune`` holds on either way."""
        if not flag:
            self.sock.settimeout(0.0)
        elif KERNEL_CLOCK and not self.secure:
            self.sock.settimeout(None)
        else:
            self.sock.settimeout(self.timeout)

    def quiet(self) -> bool:
        """True when nothing has come in since the last exchange: no end, no error, no surplus byte (SECURITY S4)."""
        return not self.poll(0) and not (self.secure and self.sock.pending())  # type: ignore[attr-defined]

    def close(self) -> None:
        """Closes the socket; never waits, never raises."""
        try:
            self.sock.close()
        except OSError:
            pass

    def reset(self) -> None:
        """Closes with RST, so that the peer cannot take what was sent so far for a whole message (SECURITY Q4)."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RST)
        except OSError:
            pass
        self.close()


def _poll_of(sock: socket.socket) -> Any:
    if hasattr(select, 'poll'):
        poller = select.poll()
        poller.register(sock, select.POLLIN | select.POLLPRI)
        return poller.poll

    def poll(timeout: float) -> list[Any]:
        return select.select([sock], [], [], timeout / 1000)[0]

    return poll


def connect(made_by: PlainPool | SecurePool, hop: Hop) -> Link:
    """A new connection for ``hop`` within its limits. Raises the errors of this library."""
    connection: Any = made_by._new_conn()
    connection.hop = hop
    connection.expires = _expiry(hop)
    try:
        connection.connect()
        link = _ready(connection.sock, hop)
    except BaseException as error:
        if connection.sock is not None:
            connection.sock.close()
        if hop.notice is not None and isinstance(error, Exception):
            _notice_of_failure(hop.notice)
        explained = faults.explain(error, hop, faults.TLS)
        if explained is error:
            raise
        raise explained from None
    finally:
        connection.sock = None
        if connection.alarm is not None:
            connection.alarm.close()
    if hop.notice is not None:
        hop.notice(link.sock)
    return link


def _ready(sock: socket.socket, hop: Hop) -> Link:
    if isinstance(sock, ssl.SSLSocket):
        # a bare FIN raises instead of looking like close_notify (SECURITY S2)
        sock.suppress_ragged_eofs = False
        if hop.marks is not None:
            hop.marks['tls'] = time.perf_counter()
    hop.signal.watch(sock)
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')
    return Link(sock)


def _notice_of_failure(notice: Any) -> None:
    # Node makes the socket before it looks up the name, and so tells of one even when nothing comes of it
    with socket.socket() as never_connected:
        notice(never_connected)


def _expiry(hop: Hop) -> float | None:
    limits = hop.limits
    if limits.connect is None:
        return limits.deadline
    ends = time.monotonic() + limits.connect
    return ends if limits.deadline is None else min(ends, limits.deadline)


def _left(expires: float | None) -> float | None:
    if expires is None:
        return None
    left = expires - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _dial(hop: Hop, host: str, port: int, expires: float | None) -> socket.socket:
    """Name look-up and TCP over all addresses, each of which gets an equal share of the time that is left."""
    try:
        if hop.route.socket_path is not None:
            return _attempt(hop, socket.AF_UNIX, 0, hop.route.socket_path, _left(expires))
        found = _look_up(hop, host, port)
        for index, (family, _, proto, _, address) in enumerate(found):
            left = _left(expires)
            share = None if left is None else left / (len(found) - index)
            try:
                return _attempt(hop, family, proto, address, share)
            except OSError:
                if index == len(found) - 1 or hop.signal.aborted:
                    raise
        raise OSError('getaddrinfo gave no address')
    except (OSError, UnicodeError, urllib3.exceptions.HTTPError) as error:
        raise faults.explain(error, hop, faults.CONNECT) from None


def _look_up(hop: Hop, host: str, port: int) -> list[Any]:
    found = socket.getaddrinfo(host.strip('[]'), port, 0, socket.SOCK_STREAM)
    if hop.marks is not None:
        hop.marks['lookup'] = time.perf_counter()
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')
    return found


def _attempt(hop: Hop, family: int, proto: int, address: Any, seconds: float | None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM, proto)
    try:
        if family != getattr(socket, 'AF_UNIX', None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hop.route.local_address is not None and hop.route.socket_path is None:
            sock.bind((hop.route.local_address, 0))
        sock.settimeout(seconds)
        hop.signal.watch(sock)
        sock.connect(address)
        if hop.signal.aborted:
            raise errors.AbortError(f'aborted: {faults.place(hop)}')
    except BaseException:
        sock.close()
        raise
    if hop.marks is not None:
        hop.marks['connect'] = time.perf_counter()
    return sock
