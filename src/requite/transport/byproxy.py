"""Connections that go through a proxy: to the proxy, through it, and TLS with the origin inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import faults, tls
from requite.transport.dial import dial
from requite.transport.names import check_abort
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
        try:
            return dial(hop, host, port, expires)
        except errors.TransportError as error:
            # it is asked for the whole address, and so is the host of the route
            raise error if proxy is None or isinstance(error, errors.AbortError) else _at(proxy, error) from None
    try:
        sock = _to_proxy(hop, proxy, expires)
    except errors.ConnectTimeout as error:
        raise _at(proxy, error) from None
    except (errors.DeadlineExceeded, errors.AbortError, errors.TLSError):
        raise
    except errors.TransportError as error:
        raise _through(proxy, _worded(error)) from None
    try:
        _ask(sock, hop, proxy, expires)
    except BaseException as error:
        sock.close()
        explained = faults.explain(error, hop, faults.CONNECT)
        if isinstance(explained, errors.TransportError):
            explained = _through(proxy, explained if isinstance(explained, AS_THEY_ARE) else _worded(explained))
        if explained is error:
            raise
        raise explained from None
    return sock


def _ask(sock: socket.socket, hop: Hop, proxy: Proxy, expires: float | None) -> None:
    if proxy.socks:
        from requite.transport import socks

        socks.ask(sock, hop, proxy, expires)
    else:
        from requite.transport import tunnel

        tunnel.ask(sock, hop, expires)


def _worded(error: errors.TransportError) -> errors.ProxyError:
    return errors.ProxyError(f'tunneling socket could not be established, cause={error.message}')


def _through(proxy: Proxy, error: errors.TransportError) -> errors.TransportError:
    """The error with the name of the proxy, never with its password."""
    if f'{proxy.host}:{proxy.port}' not in error.message and proxy.place not in error.message:
        _say(error, f' through the proxy {proxy.scheme}://{proxy.place}{_named(proxy)}')
    elif _named(proxy) not in error.message:
        _say(error, _named(proxy))
    return error


def _at(proxy: Proxy, error: errors.TransportError) -> errors.TransportError:
    """The error of a connection that leads to the proxy and no further."""
    return _say(error, f'; that is the proxy {proxy.scheme}://{proxy.place}{_named(proxy)}')


def _say(error: errors.TransportError, more: str) -> errors.TransportError:
    error.message += more
    error.args = (error.message,)
    return error


def _named(proxy: Proxy) -> str:
    from requite.proxyaddress import variable

    name = variable(proxy)
    return '' if name is None else f' of the environment variable {name}'


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
        context = tls.context(hop.route.proxy_tls)
        sock = context.wrap_socket(sock, server_hostname=proxy.host, suppress_ragged_eofs=False)
        hop.signal.watch(sock)
        check_abort(hop)
    except BaseException as error:
        sock.close()
        explained = faults.explain(error, at_proxy, faults.TLS)
        if explained is error:
            raise
        raise explained from None
    finally:
        alarm.close()
    return sock


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
