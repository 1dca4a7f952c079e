"""From a host to its addresses: the system's look-up, or the caller's own.

Neither can be interrupted by anybody, so that a thread of its own runs it while the one that asks waits: until it is answered, the time is up, or an abort
wakes it. Addresses and ``localhost`` are asked of no nameserver, and need no thread.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.transport import faults
from requite.transport.tunnel import left

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import Hop
    from requite.routes import Route

    Address = tuple[int, Any]

FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
MOST = 128
"""Look-ups at a time; those that nobody waits for any more count until the system gives them up. What comes then has to wait for one of them."""

_questions: deque[_Question] = deque()
_threads = 0
_books = threading.RLock()


def check_abort(hop: Hop) -> None:
    """Raises ``AbortError`` once the exchange was aborted."""
    if hop.signal.aborted:
        raise errors.AbortError(f'aborted: {faults.place(hop)}')


class _Question:
    """A look-up that another thread does, and somebody who waits for it; an abort wakes him through ``shutdown``, as it would a socket."""

    __slots__ = ('_awake', '_error', '_work', 'answer', 'answered', 'forgotten')

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._awake = threading.Lock()
        self._awake.acquire()
        self._error: BaseException | None = None
        self.answer: Any = None
        self.answered = False
        self.forgotten = False

    def shutdown(self, how: int) -> None:
        try:
            self._awake.release()
        except RuntimeError:
            pass  # already awake

    def work(self) -> None:
        try:
            self.answer = self._work()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
            self._error = error
        self.answered = True
        self.shutdown(0)

    def wait(self, seconds: float | None) -> Any:
        """The answer, or what was raised instead; TimeoutError where there is none yet."""
        self._awake.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        if not self.answered:
            raise TimeoutError
        error, self._error = self._error, None
        if error is None:
            return self.answer
        try:
            raise error
        finally:
            del error  # its traceback knows this frame


def _ask(hop: Hop, work: Callable[[], Any], expires: float | None) -> Any:
    """What ``work`` returns or raises, done by another thread. Raises TimeoutError at ``expires`` and ``AbortError`` at once, whatever becomes of the work."""
    check_abort(hop)
    question = _Question(work)
    hop.signal.watch(question)  # type: ignore[arg-type]
    try:
        seconds = left(expires)
        _pass_on(question)
        return question.wait(seconds)
    finally:
        question.forgotten = True
        hop.signal.watch(None)


def _pass_on(question: _Question) -> None:
    global _threads
    with _books:
        _questions.append(question)
        if _threads >= MOST:
            return
        _threads += 1
    try:
        threading.Thread(target=_serve, name='requite-lookup', daemon=True).start()
    except RuntimeError:  # there can be none, as at interpreter exit
        _serve()


def _serve() -> None:
    """Answers what is asked, until nothing is."""
    global _threads
    while True:
        with _books:
            if not _questions:
                _threads -= 1
                return
            question = _questions.popleft()
        if not question.forgotten:
            question.work()
        del question  # with it goes what the answer holds


def look_up(hop: Hop, host: str, port: int, expires: float | None) -> list[Address]:
    """The addresses of a host, families in turn (RFC 8305 4); those that the caller's ``lookup`` gives if there is one.

    The caller's is asked for what is an address already, too (Node does not ask then): a function that decides where requests may go sees every place.
    It runs in another thread, in a copy of this one's context (``contextvars``). Raises ``gaierror`` where there is no address, TimeoutError at ``expires``, a
    moment of ``time.monotonic()``, ``AbortError``, and what the caller's raises.
    """
    route = hop.route
    host = host.strip('[]')
    if route.lookup is not None:
        from contextvars import copy_context

        told = _ask(hop, partial(copy_context().run, _told, route, host), expires)
        found = [each for text in told for each in _resolved(text, port, 0, socket.AI_NUMERICHOST)]
        found = [each for each in dict.fromkeys(found) if FAMILIES[route.family] in (socket.AF_UNSPEC, each[0])]
    elif _is_here(host):
        found = _resolved(host, port, 0 if host != 'localhost' else FAMILIES[route.family])
        _check_family(route, host, found)
    else:
        found = _ask(hop, partial(_resolved, host, port, FAMILIES[route.family]), expires)
    if hop.marks is not None:
        hop.marks['lookup'] = time.perf_counter()
    check_abort(hop)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, 'no address')
    return _in_turn(found if route.local_address is None else _from_here(found, route.local_address))


def _is_here(host: str) -> bool:
    """Whether no nameserver is asked: as RFC 3986 3.2.2 writes addresses, which is how they come out of a URI; and this machine (RFC 6761 6.3)."""
    if ':' in host or host == 'localhost':
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


def _check_family(route: Route, host: str, found: list[Address]) -> None:
    if route.family is not None and all(family != FAMILIES[route.family] for family, _ in found):
        raise errors.NameNotFound(
            f"getaddrinfo ENOTFOUND {host}: option 'family' is {route.family}, and this is an address of IPv{10 - route.family}; leave 'family' out"
        )


def _resolved(host: str, port: int, family: int, flags: int = 0) -> list[Address]:
    known = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, flags)
    return [(int(family), address) for family, _, _, _, address in known]


def _told(route: Route, host: str) -> list[str]:
    """The addresses that the caller's ``lookup`` gives. What it raises comes through as it is, but for a ``gaierror``: that is a name which nobody knows."""
    asked: Any = route.lookup
    try:
        answer = asked(host, {'family': route.family or 0, 'all': True})
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


def _after_fork() -> None:
    global _threads, _books
    # the threads stayed with the parent, and those who asked them did as well
    _threads, _books = 0, threading.RLock()
    _questions.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)
