"""From a host to its addresses: the system's look-up, or the caller's own.

Either runs in the calling thread and cannot be interrupted by anybody: its time counts, and an abort during it is only noticed when it returns.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import faults

if TYPE_CHECKING:
    from requite.message import Hop

    Address = tuple[int, Any]

FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


def check_abort(hop: Hop) -> None:
    """Raises ``AbortError`` once the exchange was aborted."""
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')


def look_up(hop: Hop, host: str, port: int) -> list[Address]:
    """The addresses of a host, families in turn (RFC 8305 4); those that the caller's ``lookup`` gives if there is one. Raises ``gaierror`` where there is none.

    The caller's is asked for what is an address already, too (Node does not ask then): a function that decides where requests may go sees every place.
    """
    route = hop.route
    host = host.strip('[]')
    if route.lookup is None:
        found = _resolved(host, port, FAMILIES[route.family])
    else:
        found = [each for text in _told(hop, host) for each in _resolved(text, port, 0, socket.AI_NUMERICHOST)]
        found = [each for each in dict.fromkeys(found) if FAMILIES[route.family] in (socket.AF_UNSPEC, each[0])]
    if hop.marks is not None:
        hop.marks['lookup'] = time.perf_counter()
    check_abort(hop)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, 'no address')
    return _in_turn(found if route.local_address is None else _from_here(found, route.local_address))


def _resolved(host: str, port: int, family: int, flags: int = 0) -> list[Address]:
    known = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
    return [(int(family), address) for family, _, _, _, address in known]


def _told(hop: Hop, host: str) -> list[str]:
    """The addresses that the caller's ``lookup`` gives. What it raises comes through as it is, but for a ``gaierror``: that is a name which nobody knows."""
    asked: Any = hop.route.lookup
    try:
        answer = asked(host, {'family': hop.route.family or 0, 'all': True})
        single = isinstance(answer, (str, dict)) or not hasattr(answer, '__iter__')
        items = [answer] if single or _is_pair(answer) else list(answer)
    except (socket.gaierror, errors.RequestError):
        raise
    except (OSError, UnicodeError) as error:
        raise faults.CallersError(error) from error  # else it would be explained as one of the connection's own
    return [_address(item) for item in items]


def _is_pair(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], int)


def _address(item: Any) -> str:
    """One address of what a ``lookup`` said: a text or an ``ipaddress``, ``(address, family)``, Node's ``{'address': ...}``, or what ``getaddrinfo`` gives."""
    text = item
    if isinstance(item, dict):
        text = item.get('address')
    elif _is_pair(item):
        text = item[0]
    elif isinstance(item, tuple) and len(item) == 5 and isinstance(item[4], tuple):
        text = item[4][0]
    from ipaddress import ip_address

    try:
        return str(ip_address(text if isinstance(text, str) else str(text) if hasattr(text, 'packed') else ''))
    except ValueError:
        raise errors.OptionsError(
            f"option 'lookup' returned {item!r}, which is no IP address; let it return one as str, or a list of them"
        ) from None


def _from_here(found: list[Address], local: str) -> list[Address]:
    """Those addresses that can be reached from ``local_address``, which is of one family."""
    family = socket.AF_INET6 if ':' in local else socket.AF_INET
    fitting = [each for each in found if each[0] == family]
    if not fitting:
        raise errors.ConnectionFailed(
            f"option 'local_address': {local} cannot reach {found[0][1][0]}, which is of the other version of IP; leave it out, or give one of each",
            'EADDRNOTAVAIL',
        )
    return fitting


def _in_turn(found: list[Address]) -> list[Address]:
    first = [item for item in found if item[0] == found[0][0]]
    others = [item for item in found if item[0] != found[0][0]]
    ordered: list[Address] = []
    for index in range(max(len(first), len(others))):
        ordered += first[index : index + 1] + others[index : index + 1]
    return ordered
