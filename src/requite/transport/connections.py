"""Making connections: urllib3's connection classes with our clock, our abort and our marks.

Name look-up, TCP and TLS together may take ``limits.connect`` seconds of wall clock. ``getaddrinfo`` runs in the calling thread and cannot be interrupted by
anybody: its time counts, and is only noticed when it returns.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING

import urllib3
import urllib3.connection
import urllib3.connectionpool

from requite import errors
from requite.transport import faults, tls
from requite.transport.link import Link

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop, Route

URLLIB3_PRIVATE = (
    'connection.HTTPConnection._new_conn',
    'connection.HTTPConnection._dns_host',
    'connectionpool.HTTPConnectionPool._new_conn',
)
"""Every private name of urllib3 that this package relies on."""


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
    """What makes connections along ``route``. Raises ``NameNotFound`` for a host that is no name, ``OptionsError`` for TLS settings that cannot be used."""
    host = route.host or 'localhost'
    settings = route.tls
    try:
        if settings is None:
            return PlainPool(host, route.port)
        return SecurePool(
            host,
            route.port,
            ssl_context=tls.context(settings),
            server_hostname=settings.server_hostname,
            assert_hostname=None if settings.verify else False,
        )
    except urllib3.exceptions.LocationParseError:
        raise errors.NameNotFound(f'getaddrinfo ENOTFOUND {host!r}: that is no host name') from None


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
        try:
            hop.notice(link.sock)
        except BaseException:
            link.close()
            raise
    return link


def _ready(sock: socket.socket, hop: Hop) -> Link:
    if isinstance(sock, ssl.SSLSocket):
        # a bare FIN raises instead of looking like close_notify (SECURITY S2)
        sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        if hop.marks is not None:
            hop.marks['tls'] = time.perf_counter()
    hop.signal.watch(sock)
    _check_abort(hop)
    return Link(sock)


def _check_abort(hop: Hop) -> None:
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')


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
    _check_abort(hop)
    return found


def _bind(sock: socket.socket, address: str) -> None:
    try:
        sock.bind((address, 0))
    except socket.gaierror:
        # it would read as if the host of the request had no address
        raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL)) from None


def _attempt(hop: Hop, family: int, proto: int, address: Any, seconds: float | None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM, proto)
    try:
        if family != getattr(socket, 'AF_UNIX', None):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hop.route.local_address is not None and hop.route.socket_path is None:
            _bind(sock, hop.route.local_address)
        sock.settimeout(seconds)
        hop.signal.watch(sock)
        # an abort that came before the connection begins has nothing to shut down
        _check_abort(hop)
        sock.connect(address)
        _check_abort(hop)
    except BaseException:
        sock.close()
        raise
    if hop.marks is not None:
        hop.marks['connect'] = time.perf_counter()
    return sock
