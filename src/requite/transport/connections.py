"""Making connections: urllib3's connection classes with our clock, our abort and our marks.

Name look-up, TCP and TLS together may take ``limits.connect`` seconds of wall clock.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import urllib3
import urllib3.connection
import urllib3.connectionpool

from requite import errors
from requite.transport import faults, tls
from requite.transport.byproxy import in_tunnel, reach
from requite.transport.dial import expiry
from requite.transport.faults import CallersError
from requite.transport.link import Link
from requite.transport.names import check_abort
from requite.transport.tunnel import left

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop
    from requite.routes import Route

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
        return reach(self.hop, self._dns_host, self.port or 80, self.expires)


class Secure(urllib3.connection.HTTPSConnection):
    """A TLS connection made for one hop."""

    hop: Hop
    expires: float | None = None
    alarm: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        hop = self.hop
        sock = reach(hop, self._dns_host, self.port or 443, self.expires)
        try:
            # the handshake takes the descriptor away from ``sock``: an abort needs one of its own to shut down
            self.alarm = sock.dup()
            hop.signal.watch(self.alarm)
            # counts for the handshake as a whole: OpenSSL's loop is given one end, however slowly the bytes drip in
            sock.settimeout(left(self.expires))
        except BaseException:
            sock.close()
            raise
        return sock


class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
    """urllib3's pool as the maker of connections to one origin; the waiting and keeping is done by ``lanes.Lane``."""

    ConnectionCls = Plain


class SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
    """The same over TLS."""

    ConnectionCls = Secure


def factory(route: Route) -> PlainPool | SecurePool:
    """What makes connections along ``route``. Raises ``NameNotFound`` for a host that is no name, ``OptionsError`` for TLS settings that cannot be used."""
    host = 'localhost' if route.socket_path is not None else route.host or 'localhost'
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
    """A new connection for ``hop`` within its limits. Raises the errors of this library, and what a ``lookup`` of the caller's raised, as it was."""
    try:
        return _connect(made_by, hop)
    except CallersError as wrapped:
        theirs = wrapped.error
    try:
        raise theirs
    finally:
        del theirs  # its traceback knows this frame


def _connect(made_by: PlainPool | SecurePool, hop: Hop) -> Link:
    connection: Any = made_by._new_conn()
    connection.hop = hop
    connection.expires = expiry(hop)
    try:
        if hop.route.tls is not None:
            # asked for anew, because files may have been replaced since the pool was made
            connection.ssl_context = tls.context(hop.route.tls)
        if hop.route.proxy_tls is not None and hop.connect is not None and hop.route.tls is not None:
            connection.sock = in_tunnel(hop, hop.route.tls, connection.expires)
        else:
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
    if hasattr(sock, 'pending'):
        # a bare FIN raises instead of looking like close_notify (SECURITY S2)
        sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        if hop.route.tls is not None and hop.route.tls.fingerprint is not None:
            _check_pin(sock, hop.route.tls.fingerprint)
        if hop.marks is not None:
            hop.marks['tls'] = time.perf_counter()
    hop.signal.watch(sock)
    check_abort(hop)
    return Link(sock)


def _check_pin(sock: Any, fingerprint: str) -> None:
    from hashlib import sha256
    from hmac import compare_digest

    found = sha256(sock.getpeercert(True) or b'').hexdigest()
    if not compare_digest(found, fingerprint):
        raise errors.CertificateError(
            f"the certificate is not the one of option 'assert_fingerprint': its SHA-256 is {found}",
            'ERR_TLS_CERT_FINGERPRINT',
        )


def _notice_of_failure(notice: Any) -> None:
    # Node makes the socket before it looks up the name, and so tells of one even when nothing comes of it
    with socket.socket() as never_connected:
        notice(never_connected)
