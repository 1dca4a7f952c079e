"""The way through a SOCKS proxy: version 5 (RFC 1928, RFC 1929) and version 4 with its extension 4a.

socks5h and socks4a leave the look-up of the name to the proxy, socks5 and socks4 do it here. Each byte is waited for within the clock of connecting
(SECURITY X4, D1).
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport.names import look_up
from requite.transport.tunnel import left

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.routes import Proxy
    from requite.transport.names import Address

LONGEST = 255
"""The length of a name is one byte."""
NO_AUTHENTICATION, PASSWORD, NONE_ACCEPTABLE = 0, 2, 255
GRANTED = 90

REFUSALS5 = {
    1: 'general failure',
    2: 'not allowed by its rules',
    3: 'network unreachable',
    4: 'host unreachable',
    5: 'connection refused',
    6: 'time to live expired',
    7: 'command not supported',
    8: 'address type not supported',
}
"""RFC 1928 6."""
REFUSALS4 = {91: 'request rejected or failed', 92: 'no identd there', 93: 'identd says otherwise'}


def ask(sock: socket.socket, hop: Hop, proxy: Proxy, expires: float | None) -> None:
    """Has the proxy that ``sock`` is connected to connect it to the origin.

    Raises ``ProxyError`` where it does not, and ``NameNotFound`` for a name that is too long to be asked for: it is never looked up here instead (CVE-2023-38545).
    """
    wire = _Wire(sock, expires)
    remote = proxy.scheme in ('socks5h', 'socks4a')
    host, port = hop.route.host, hop.route.port
    if remote and len(host.encode('latin-1', 'replace')) > LONGEST:
        raise errors.NameNotFound(f'getaddrinfo ENOTFOUND: a SOCKS proxy takes names of {LONGEST} bytes at most')
    if proxy.scheme.startswith('socks5'):
        _authenticate(wire, proxy)
        _connect5(wire, _address5(wire, hop, host, remote), port)
    else:
        _connect4(wire, hop, proxy, remote)


class _Wire:
    """The socket, and how long it may take altogether."""

    def __init__(self, sock: Any, expires: float | None) -> None:
        self._sock = sock
        self._expires = expires

    def say(self, data: bytes) -> None:
        self._sock.settimeout(left(self._expires))
        self._sock.sendall(data)

    def hear(self, count: int) -> bytes:
        """Exactly ``count`` bytes: what comes after them is the origin's."""
        data = b''
        while len(data) < count:
            self._sock.settimeout(left(self._expires))
            piece = self._sock.recv(count - len(data))
            if not piece:
                raise errors.ProxyError('the SOCKS proxy closed the connection in the middle of its answer')
            data += piece
        return data

    def find(self, hop: Hop, host: str) -> list[Address]:
        """The addresses of the origin; an abort wakes who waits for them, and afterwards who waits for the proxy again."""
        try:
            return look_up(hop, host, hop.route.port, self._expires)
        finally:
            hop.signal.watch(self._sock)


def _authenticate(wire: _Wire, proxy: Proxy) -> None:
    known = proxy.user is not None
    wire.say(b'\x05\x02\x00\x02' if known else b'\x05\x01\x00')
    version, method = wire.hear(2)
    if version != 5:
        raise _nonsense()
    if method == PASSWORD and known:
        user, password = (proxy.user or '').encode(), (proxy.password or '').encode()
        wire.say(b'\x01' + bytes([len(user)]) + user + bytes([len(password)]) + password)
        version, status = wire.hear(2)
        if version != 1:
            raise _nonsense()
        if status != 0:
            raise errors.ProxyRefused('the SOCKS proxy refused user and password')
    elif method in (NONE_ACCEPTABLE, PASSWORD):
        raise errors.ProxyRefused(
            'the SOCKS proxy wants to know who we are: give it as socks5h://user:password@host:port'
        )
    elif method != NO_AUTHENTICATION:
        raise _nonsense()


def _address5(wire: _Wire, hop: Hop, host: str, remote: bool) -> bytes:
    """The address as RFC 1928 5 writes it: a name only where the proxy is to look it up."""
    for family, kind in ((socket.AF_INET, b'\x01'), (socket.AF_INET6, b'\x04')):
        try:
            return kind + socket.inet_pton(family, host)
        except OSError:
            continue
    if remote:
        name = host.encode('ascii')
        return b'\x03' + bytes([len(name)]) + name
    addresses = wire.find(hop, host)
    # nothing is known of what the proxy can reach; where it can reach anything, it is this
    found, address = next((item for item in addresses if item[0] == socket.AF_INET), addresses[0])
    return (b'\x01' if found == socket.AF_INET else b'\x04') + socket.inet_pton(found, str(address[0]))


def _connect5(wire: _Wire, address: bytes, port: int) -> None:
    wire.say(b'\x05\x01\x00' + address + struct.pack('>H', port))
    version, status, _, kind = wire.hear(4)
    if version != 5:
        raise _nonsense()
    if status != 0:
        raise errors.ProxyRefused(f'the SOCKS proxy did not connect: {REFUSALS5.get(status, f"code {status}")}')
    if kind not in (1, 3, 4):
        raise _nonsense()
    length = {1: 4, 4: 16}.get(kind) or wire.hear(1)[0]
    wire.hear(length + 2)  # the address that it connected from is of no use to anybody


def _connect4(wire: _Wire, hop: Hop, proxy: Proxy, remote: bool) -> None:
    name, host, port = b'', hop.route.host, hop.route.port
    try:
        address = socket.inet_pton(socket.AF_INET, host)
    except OSError:
        if ':' in host:
            raise errors.ProxyError('SOCKS 4 knows no IPv6 addresses: use a socks5h:// proxy') from None
        if remote:
            address, name = b'\x00\x00\x00\x01', host.encode('ascii') + b'\x00'
        else:
            of_4 = hop._replace(route=hop.route._replace(family=4))
            address = socket.inet_aton(str(wire.find(of_4, host)[0][1][0]))
    user = (proxy.user or '').encode()
    wire.say(b'\x04\x01' + struct.pack('>H', port) + address + user + b'\x00' + name)
    version, status = wire.hear(8)[:2]
    if version != 0:
        raise _nonsense()
    if status != GRANTED:
        raise errors.ProxyRefused(f'the SOCKS proxy did not connect: {REFUSALS4.get(status, f"code {status}")}')


def _nonsense() -> errors.ProxyError:
    return errors.ProxyError('the SOCKS proxy does not speak SOCKS, or not this version of it')
