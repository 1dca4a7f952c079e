"""The way through an HTTP proxy: CONNECT (RFC 9110 9.3.6). What comes out is a socket on which the origin can be spoken to.

Everything here belongs to connecting: the clock of ``limits.connect`` and the deadline run through it, however slowly a proxy drips (SECURITY X3, D1).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import head

if TYPE_CHECKING:
    from requite.message import Hop

RECEIVE = 65536
MOST_INTERIM = 32


def left(expires: float | None) -> float | None:
    """The seconds that are left until ``expires``, a moment of ``time.monotonic()``; raises TimeoutError when there are none."""
    if expires is None:
        return None
    seconds = expires - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def authority(hop: Hop) -> str:
    """Host and port of the origin as CONNECT names them."""
    host, port = hop.route.host, hop.route.port
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


def ask(sock: Any, hop: Hop, expires: float | None) -> None:
    """Has an HTTP proxy open a tunnel on ``sock``. Raises ``ProxyRefused`` where it does not, and ``MalformedResponse`` for an answer that is none."""
    place = authority(hop)
    payload = head.encode('CONNECT', place, (*(hop.connect or ()), ('host', place)))
    sock.settimeout(left(expires))
    sock.sendall(payload)
    status, fields = _answer(sock, expires)
    if 200 <= status < 300:
        return
    unknown = status == 407 and all(name.lower() != 'proxy-authorization' for name, _ in hop.connect or ())
    fix = '; the proxy wants to know who we are: give it as http://user:password@host:port' if unknown else ''
    refusal = errors.ProxyRefused(f'tunneling socket could not be established, statusCode={status}{fix}')
    refusal.status_code = status
    refusal.fields = tuple(fields)
    raise refusal


def _answer(sock: Any, expires: float | None) -> tuple[int, list[tuple[str, str]]]:
    data = bytearray()
    for _ in range(MOST_INTERIM):
        searched = 0
        while (end := data.find(head.END, max(0, searched - 3))) < 0:
            head.check_partial(data, max(0, searched - 1))
            searched = len(data)
            sock.settimeout(left(expires))
            piece = sock.recv(RECEIVE)
            if not piece:
                raise errors.ProxyError('the proxy closed the connection instead of answering CONNECT')
            data += piece
        _, status, _, fields, _ = head.parse(bytes(data), end)
        del data[: end + 4]
        if status >= 200:
            if data and status < 300:
                # whatever it is, it did not come from the origin, which was not spoken to yet
                raise errors.ProxyError('the proxy sent something before the tunnel was used')
            return status, fields
    raise head.overflow()
