"""Connections that go through a proxy: to the proxy, through it, and TLS with the origin inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import faults, tls
from requite.transport.dial import check_abort, dial
from requite.transport.tunnel import left

if TYPE_CHECKING:
    import socket

    from requite.message import Hop
    from requite.routes import TLS, Proxy

AS_THEY_ARE = (
    errors.ConnectTimeout,
    errors.DeadlineExceeded,
    errors.ProxyError,
    errors.NameNotFound,
    errors.NameTemporarilyUnknown,
)
"""Errors on the way through a proxy that say all there is to say; others get Node's words around them."""


def reach(hop: Hop, host: str, port: int, expires: float | None) -> socket.socket:
    """A socket on which the other end of the route can be spoken to, through a proxy if there is one on the way."""
    proxy = hop.route.proxy
    if proxy is None or (hop.connect is None and not proxy.socks):
        return dial(hop, host, port, expires)
    try:
        sock = _to_proxy(hop, proxy, expires)
    except (errors.ConnectTimeout, errors.DeadlineExceeded, errors.AbortError, errors.TLSError):
        raise
    except errors.TransportError as error:
        raise errors.ProxyError(f'tunneling socket could not be established, cause={error.message}') from None
    try:
        if proxy.socks:
            from requite.transport import socks

            socks.ask(sock, hop, proxy, expires)
        else:
            from requite.transport import tunnel

            tunnel.ask(sock, hop, expires)
    except BaseException as error:
        sock.close()
        explained = faults.explain(error, hop, faults.CONNECT)
        if isinstance(explained, errors.TransportError) and not isinstance(explained, AS_THEY_ARE):
            explained = errors.ProxyError(f'tunneling socket could not be established, cause={explained.message}')
        if explained is error:
            raise
        raise explained from None
    return sock


def _to_proxy(hop: Hop, proxy: Proxy, expires: float | None) -> socket.socket:
    """A connection to the proxy itself, its certificate checked where it has one (SECURITY T3)."""
    at_proxy = hop._replace(route=hop.route._replace(scheme=proxy.scheme, host=proxy.host, port=proxy.port, proxy=None))
    sock = dial(at_proxy, proxy.host, proxy.port, expires)
    if hop.route.proxy_tls is None:
        return sock
    # the handshake takes the descriptor away from ``sock``: an abort needs one of its own to shut down
    alarm = sock.dup()
    try:
        hop.signal.watch(alarm)
        sock.settimeout(left(expires))
        wrapped = tls.context(hop.route.proxy_tls).wrap_socket(
            sock, server_hostname=proxy.host, suppress_ragged_eofs=False
        )
        hop.signal.watch(wrapped)
        check_abort(hop)
    except BaseException as error:
        sock.close()
        explained = faults.explain(error, at_proxy, faults.TLS)
        if explained is error:
            raise
        raise explained from None
    finally:
        alarm.close()
    return wrapped


def in_tunnel(hop: Hop, settings: TLS, expires: float | None) -> Any:
    """TLS with the origin inside the TLS of its proxy."""
    from requite.transport.layered import Layered

    outer = reach(hop, hop.route.host, hop.route.port, expires)
    try:
        sock = Layered(outer, tls.context(settings), settings.server_hostname or hop.route.host)  # type: ignore[arg-type]
        sock.do_handshake(expires)
    except BaseException:
        outer.close()
        raise
    return sock
