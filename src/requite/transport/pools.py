"""Connections kept for the next request: a bounded number for each route, shared by whoever names the same pool."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from requite import errors
from requite.transport.lanes import Lane

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop
    from requite.routes import Route
    from requite.transport.link import Link

MAX_SOCKETS = 100
MOST = 65536
LONGEST = 2**31 - 1
"""Milliseconds; what Node's clocks take."""
MAX_LANES = 256
REST = 30.0
"""Seconds between two looks for unused connections: one that is seen unused twice is closed."""

_every_pool: weakref.WeakSet[Pool] = weakref.WeakSet()
_named: weakref.WeakValueDictionary[str, Pool] = weakref.WeakValueDictionary()
"""Pools that were pickled, or came out of a pickle, by their tokens."""
_kept: deque[Pool] = deque(maxlen=64)
"""The last ones that came out of a pickle: a task that brings its wrapper along finds the connections of the task before."""
_naming = threading.Lock()
_next_rest = 0.0
_resting = threading.Lock()


class Pool:
    """Connections that are kept and shared: at most ``max_sockets`` to each origin, after which requests wait for their turn.

    Give the same pool to the requests that are to share connections. ``keep_alive`` False closes each connection after its answer; ``keep_alive_msecs`` is the silence
    after which the system asks a peer whether it is still there (a minute unless given); ``max_free_sockets`` bounds
    how many unused connections to one origin stay open (None: as many as there may be); those that nobody used for a minute are closed, when the next
    request of any pool comes along. Connections with different TLS settings are never shared. Waiting for a
    connection does not count for ``timeout`` as a number, as in Node; ``deadline``, ``abort()`` and ``timeout={'pool': milliseconds}`` end it.
    """

    def __init__(
        self,
        max_sockets: int = MAX_SOCKETS,
        keep_alive: bool = True,
        max_free_sockets: int | None = None,
        name: str | None = None,
        keep_alive_msecs: int | None = None,
    ) -> None:
        self.max_sockets = _positive('max_sockets', max_sockets)
        self.max_free_sockets = None if max_free_sockets is None else _positive('max_free_sockets', max_free_sockets, 0)
        if not isinstance(keep_alive, bool):
            raise errors.InvalidOptionType(f'keep_alive has to be True or False, not {keep_alive!r}')
        self.keep_alive = keep_alive
        self.probe_after = (
            None if keep_alive_msecs is None else _positive('keep_alive_msecs', keep_alive_msecs, most=LONGEST) / 1000
        )
        self.name = name
        self._token = ''
        self._lanes: dict[Route, Lane] = {}
        _every_pool.add(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its settings and a token: in one process the same pool always comes back as one, and so do copies of it."""
        with _naming:
            if not self._token:
                self._token = os.urandom(16).hex()
            _named[self._token] = self
        probing = None if self.probe_after is None else round(self.probe_after * 1000)
        settings = (self.max_sockets, self.keep_alive, self.max_free_sockets, self.name, probing)
        return _of_token, (self._token, settings)

    def __repr__(self) -> str:
        label = f' {self.name}' if self.name else ''
        return f'<Pool{label} max_sockets={self.max_sockets}>'

    def lane(self, route: Route) -> Lane:
        """The connections along ``route``."""
        return self._lanes.get(route) or self._add(route)

    def take(self, hop: Hop) -> tuple[Lane, Link | None]:
        """A slot for ``hop``: its lane, and an idle connection if there is one."""
        lane = self._lanes.get(hop.route) or self._add(hop.route)
        if time.monotonic() > _next_rest:
            _rest_all()
        return lane, lane.take(hop)

    def close(self) -> None:
        """Closes unused connections now and those in use when their answer has been read. The pool may be used again afterwards."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.closed = True
            lane.close_idle()

    def status(self) -> dict[Route, tuple[int, int]]:
        """How many connections are (in use, unused), by where they lead."""
        return {route: (lane.busy(), lane.idle()) for route, lane in list(self._lanes.items())}

    def _add(self, route: Route) -> Lane:
        if len(self._lanes) >= MAX_LANES:
            self._shrink()
        lane = Lane(route, self.max_sockets, self.max_free_sockets, self.keep_alive, self.name or 'of no name')
        return self._lanes.setdefault(route, lane)

    def _shrink(self) -> None:
        # whoever visits thousands of hosts does not come back to the first ones: their unused connections go
        for route, lane in list(self._lanes.items())[: MAX_LANES // 2]:
            lane.close_idle()
            if not lane.busy():
                lane.closed = True
                self._lanes.pop(route, None)

    def _forget(self) -> None:
        """In a forked child: drops the parent's connections without a word to their peers."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.closed = True
            lane.close_idle()


class Share(Pool):
    """The connections of another pool, which bounds them, kept on terms of its own."""

    def __init__(
        self,
        whole: Pool,
        keep_alive: bool = True,
        max_free_sockets: int | None = None,
        keep_alive_msecs: int | None = None,
    ) -> None:
        super().__init__(whole.max_sockets, keep_alive, max_free_sockets, whole.name, keep_alive_msecs)
        self._whole = whole

    def __reduce__(self) -> tuple[Any, ...]:
        probing = None if self.probe_after is None else round(self.probe_after * 1000)
        return Share, (self._whole, self.keep_alive, self.max_free_sockets, probing)

    def lane(self, route: Route) -> Lane:
        whole = self._whole.lane(route)
        lane = self._lanes.get(route)
        if lane is None or lane.whole is not whole:
            if len(self._lanes) >= MAX_LANES:
                self._lanes.clear()  # they hold nothing themselves
            name = self.name or 'of no name'
            lane = Lane(route, self.max_sockets, self.max_free_sockets, self.keep_alive, name, whole)
            self._lanes[route] = lane
        return lane

    def take(self, hop: Hop) -> tuple[Lane, Link | None]:
        self.lane(hop.route)
        return super().take(hop)


def _of_token(token: str, settings: tuple[Any, ...]) -> Pool:
    """The pool of this process that a token stands for."""
    with _naming:
        pool = _named.get(token)
        if pool is None:
            pool = _named[token] = Pool(*settings)
            pool._token = token
        if pool in _kept:
            _kept.remove(pool)
        _kept.append(pool)
        return pool


def _rest_all() -> None:
    """Has every pool of the process close what was unused for a while; there is no thread that would do it otherwise."""
    global _next_rest
    if not _resting.acquire(blocking=False):
        return  # another thread is at it: a connection that it has just looked at is not to be looked at twice
    try:
        _next_rest = time.monotonic() + REST
        for pool in _pools():
            for lane in list(pool._lanes.values()):
                if lane.whole is None:  # what is shared is looked at once
                    lane.rest()
    finally:
        _resting.release()


def _pools() -> list[Pool]:
    """Every pool that there is; other threads make some meanwhile."""
    while True:
        try:
            return list(_every_pool)
        except RuntimeError:
            continue


def _positive(name: str, value: object, least: int = 1, most: int = MOST) -> int:
    if value == float('inf'):
        return most  # Node's way to say that there is no bound; there always is one
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.InvalidOptionType(f'{name} has to be an int, not {value!r}')
    if value < least:
        raise errors.OptionsError(f'{name} is {value}: it has to be at least {least}')
    return min(value, most)


def _after_fork() -> None:
    global _naming, _resting
    _naming, _resting = threading.Lock(), threading.Lock()
    for pool in _pools():
        pool._forget()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)

DEFAULT = Pool(name='default')
DEFAULT._token = 'default'
_named['default'] = DEFAULT
"""The pool of all requests that name none; it holds nothing until one of them is sent."""
