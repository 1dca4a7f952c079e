"""Where a connection leads and on what terms: TLS settings, the proxy on the way, the clocks. All of them values that may be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class TLS(NamedTuple):
    """TLS settings of a connection; equal settings may share a connection, different ones never do (RFC 8446 has no say in that: SECURITY A6).

    ``verify`` False accepts any certificate. ``ca`` holds PEM text, DER bytes or paths of certificates to trust instead of the system's; ``cert``, ``key``
    and ``pfx`` are the same for who we are. ``fingerprint`` is the SHA-256 of the one certificate that is accepted, in lower-case hexadecimal digits.
    """

    verify: bool = True
    ca: tuple[str | bytes, ...] = ()
    server_hostname: str | None = None
    min_version: str | None = None
    ciphers: str | None = None
    cert: str | bytes | None = None
    key: str | bytes | None = None
    pfx: str | bytes | None = None
    passphrase: str | None = None
    fingerprint: str | None = None
    max_version: str | None = None
    secure_options: int = 0

    @property
    def halved(self) -> bool:
        """Whether there is a private key whose certificate is still to come, or a passphrase without what it opens."""
        return (self.key or self.passphrase) is not None and self.cert is None and self.pfx is None

    def __repr__(self) -> str:
        named = ' '.join(name for name, value in zip(self._fields, self, strict=True) if value)
        return f'<TLS {named}>'


class Proxy(NamedTuple):
    """A proxy: ``scheme`` is http, https, socks4, socks4a, socks5 or socks5h. The repr shows no password."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = None

    @property
    def socks(self) -> bool:
        """Whether it speaks SOCKS, and not HTTP."""
        return self.scheme.startswith('socks')

    @property
    def place(self) -> str:
        """Host and port, as in an address."""
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    def __repr__(self) -> str:
        return f'<Proxy {self.scheme}://{"***@" if self.user is not None else ""}{self.place}>'


class Route(NamedTuple):
    """Where a connection leads, and so which connections may be shared: the key of the pool.

    ``proxy`` is on the way there, or is where it leads if that is where host and port point; ``proxy_tls`` is how it is spoken to, None without TLS;
    ``told`` are fields of the caller's that only the proxy sees; ``family`` (4 or 6) and ``lookup`` say how the address is found.
    """

    scheme: str
    host: str
    port: int
    tls: TLS | None = None
    socket_path: str | None = None
    local_address: str | None = None
    proxy: Proxy | None = None
    proxy_tls: TLS | None = None
    told: tuple[tuple[str, Any], ...] = ()
    family: int | None = None
    lookup: Callable[[str, Any], Any] | None = None

    @property
    def once(self) -> bool:
        """Whether a connection serves one request only: a tunnel without TLS inside, as in Node. (One with TLS is worth keeping; Node keeps none.)"""
        proxy = self.proxy
        return (
            proxy is not None
            and self.tls is None
            and not proxy.socks
            and (self.host, self.port) != (proxy.host, proxy.port)
        )

    def __repr__(self) -> str:
        return f'<Route {self.scheme}://{self.host}:{self.port}{f" by {self.proxy!r}" if self.proxy else ""}>'


class Limits(NamedTuple):
    """Clocks of a hop, in seconds; None is no limit.

    ``connect`` is wall clock from name look-up to the end of the TLS handshake, ``read`` is how long the connection may stand still in
    either direction, ``deadline`` is the moment of ``time.monotonic()`` that nothing may outlive.
    ``pool`` is how long a request may wait for a free connection.
    """

    connect: float | None
    read: float | None
    deadline: float | None = None
    pool: float | None = None
