"""The machine as the recordings assume it: which names resolve, what the clock says, which variables are set, and a clean library."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLACKHOLE = 'blackhole.test'


class _Blackhole:
    """A loopback port where a connection attempt is never answered: it listens, but its queue is full.

    The kernel drops the SYN of whoever comes once the queue holds more than the backlog.
    """

    def __init__(self) -> None:
        self.listener = socket.socket()
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen(0)
        self.address = self.listener.getsockname()
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(OSError):
                filler.connect(self.address)
            self.fillers.append(filler)

    def close(self) -> None:
        for filler in (*self.fillers, self.listener):
            filler.close()


class _Names:
    """``socket.getaddrinfo`` of the recordings: ``*.test`` and ``localhost`` are 127.0.0.1, nothing else but addresses exists."""

    def __init__(self) -> None:
        self.asked = socket.getaddrinfo
        self.blackhole: _Blackhole | None = None

    def __call__(self, host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = (host.decode('ascii') if isinstance(host, bytes) else host or '').lower().rstrip('.')
        if name == _BLACKHOLE:
            self.blackhole = self.blackhole or _Blackhole()
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, '', self.blackhole.address)]
        if name == 'localhost' or name.endswith('.test'):
            return self.asked('127.0.0.1', port, *rest, **more)
        if not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
        return self.asked(host, port, *rest, **more)


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, name.strip('[]').partition('%')[0])
            return True
    return False


@contextlib.contextmanager
def names() -> Iterator[None]:
    """The names of the recordings, in place of the machine's."""
    resolver = _Names()
    socket.getaddrinfo = resolver
    try:
        yield
    finally:
        socket.getaddrinfo = resolver.asked
        if resolver.blackhole:
            resolver.blackhole.close()


@contextlib.contextmanager
def environment(given: dict[str, str] | None) -> Iterator[None]:
    """Only the proxy variables that the case sets, whatever the machine has."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.lower().endswith('_proxy')]:
        del os.environ[name]
    os.environ.update(given or {})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def clock(fake_now: int | None) -> Iterator[None]:
    """``time.time`` stands at ``fake_now`` (milliseconds since the epoch) where the case has one."""
    if fake_now is None:
        yield
        return
    real = time.time
    time.time = lambda: fake_now / 1000
    try:
        yield
    finally:
        time.time = real


def fresh() -> None:
    """The library as after its import: nothing left to send, no idle connection, an empty global jar, no digest session.

    The one place that knows how: ``request.flush`` for what was let go, ``SESSIONS.clear``, the default pool's ``close``, and ``requite.api.reset`` where the
    library has it.
    """
    import requite.api
    from requite import request
    from requite.auth.sessions import SESSIONS
    from requite.cookies import jar as jars
    from requite.transport import pools

    request.flush(2000)
    SESSIONS.clear()
    jars.GLOBAL = jars.CookieJar()
    pools.DEFAULT.close()
    reset = getattr(requite.api, 'reset', None)
    if reset is not None:
        reset()
