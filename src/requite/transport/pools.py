"""Connections kept for the next request: a bounded number for each route, and a fair queue for those who have to wait.

A lane is two deques and no lock. ``_slots`` holds as many entries as connections are allowed: a live idle connection, or None for one that may be opened.
Who takes an entry puts one back. ``_waiting`` holds those who found none, first come first served. deque operations are atomic, and ``_match`` may run in
any thread, in a finalizer and inside itself, so nothing here can deadlock.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from requite import errors
from requite.transport import connections, faults

if TYPE_CHECKING:
    from requite.message import Hop, Route
    from requite.transport.link import Link

MAX_SOCKETS = 100
MOST = 65536
MAX_LANES = 256

_every_pool: weakref.WeakSet[Pool] = weakref.WeakSet()


class _Turn:
    """Somebody who waits for a slot. An abort wakes it through ``shutdown``, as it would a socket."""

    __slots__ = ('_lock', 'given', 'link')

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self.given = False
        self.link: Link | None = None

    def give(self, link: Link | None) -> None:
        self.link = link
        self.given = True
        self.shutdown(0)

    def shutdown(self, how: int) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            pass  # already awake

    def wait(self, seconds: float | None) -> None:
        self._lock.acquire(timeout=-1 if seconds is None else min(max(seconds, 0), threading.TIMEOUT_MAX))


class Lane:
    """The connections of one route."""

    __slots__ = ('__weakref__', '_max_idle', '_size', '_slots', '_waiting', 'closed', 'factory', 'keep_alive')

    def __init__(self, route: Route, size: int, max_idle: int | None, keep_alive: bool) -> None:
        self.factory = connections.factory(route)
        self.keep_alive = keep_alive
        self.closed = False
        self._size = size
        self._max_idle = max_idle
        self._slots: deque[Link | None] = deque([None] * size)
        self._waiting: deque[_Turn] = deque()
        weakref.finalize(self, _close_kept, self._slots).atexit = False

    def take(self, hop: Hop) -> Link | None:
        """An idle connection, or None: the caller may open one. Waits while all are busy, at most until the deadline. Each take needs one ``put``."""
        if not self._waiting:
            try:
                return self._slots.pop()
            except IndexError:
                pass
        return self._wait(hop)

    def put(self, link: Link | None) -> None:
        """Gives a slot back: with a connection that can serve again, or with None for one that is closed."""
        if link is None:
            self._slots.appendleft(None)
        elif self.closed or (self._max_idle is not None and self.idle() >= self._max_idle):
            link.close()
            self._slots.appendleft(None)
        else:
            self._slots.append(link)
        if self._waiting:
            self._match()

    def idle(self) -> int:
        """How many connections are open and unused."""
        return sum(link is not None for link in list(self._slots))

    def busy(self) -> int:
        """How many connections are in use or being opened."""
        return self._size - len(self._slots)

    def close_idle(self) -> None:
        """Closes what is unused; what is in use is closed when it comes back, if the lane is ``closed``."""
        for _ in range(len(self._slots)):
            try:
                link = self._slots.popleft()
            except IndexError:
                return
            if link is not None:
                link.close()
            self._slots.append(None)
        if self._waiting:
            self._match()

    def _match(self) -> None:
        while self._waiting:
            try:
                link = self._slots.pop()
            except IndexError:
                return
            try:
                turn = self._waiting.popleft()
            except IndexError:
                self._slots.append(link)
                continue
            turn.give(link)

    def _wait(self, hop: Hop) -> Link | None:
        turn = _Turn()
        hop.signal.watch(turn)  # type: ignore[arg-type]
        self._waiting.append(turn)
        self._match()
        deadline = hop.limits.deadline
        try:
            turn.wait(None if deadline is None else deadline - time.monotonic())
            if turn.given and not hop.signal.aborted:
                return turn.link
            raise self._gave_up(hop)
        except BaseException:
            self._leave(turn)
            raise
        finally:
            hop.signal.watch(None)

    def _gave_up(self, hop: Hop) -> errors.RequestError:
        if hop.signal.aborted:
            return errors.AbortError(f'aborted: {faults.place(hop)}')
        return errors.DeadlineExceeded(
            f'ETIMEDOUT: {faults.place(hop)} waited for one of {self._size} connections until its deadline'
        )

    def _leave(self, turn: _Turn) -> None:
        try:
            self._waiting.remove(turn)
        except ValueError:
            while not turn.given:  # somebody took it off the queue and is about to give
                time.sleep(0)
            self.put(turn.link)


class Pool:
    """Connections that are kept and shared: at most ``max_sockets`` to each origin, after which requests wait for their turn.

    Give the same pool to the requests that are to share connections. ``keep_alive`` False closes each connection after its answer; ``max_free_sockets`` bounds
    how many unused connections to one origin stay open (None: as many as there may be). Connections with different TLS settings are never shared. Waiting for a
    connection does not count for ``timeout``, as in Node; ``deadline`` and ``abort()`` end it.
    """

    def __init__(
        self,
        max_sockets: int = MAX_SOCKETS,
        keep_alive: bool = True,
        max_free_sockets: int | None = None,
        name: str | None = None,
    ) -> None:
        self.max_sockets = _positive('max_sockets', max_sockets)
        self.max_free_sockets = None if max_free_sockets is None else _positive('max_free_sockets', max_free_sockets, 0)
        if not isinstance(keep_alive, bool):
            raise errors.InvalidOptionType(f'keep_alive has to be True or False, not {keep_alive!r}')
        self.keep_alive = keep_alive
        self.name = name
        self._lanes: dict[Route, Lane] = {}
        _every_pool.add(self)

    def __repr__(self) -> str:
        label = f' {self.name}' if self.name else ''
        return f'<Pool{label} max_sockets={self.max_sockets}>'

    def lane(self, route: Route) -> Lane:
        """The connections along ``route``."""
        return self._lanes.get(route) or self._add(route)

    def take(self, hop: Hop) -> tuple[Lane, Link | None]:
        """A slot for ``hop``: its lane, and an idle connection if there is one."""
        lane = self._lanes.get(hop.route) or self._add(hop.route)
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
        return self._lanes.setdefault(route, Lane(route, self.max_sockets, self.max_free_sockets, self.keep_alive))

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


def _close_kept(slots: deque[Link | None]) -> None:
    # The lane is gone. In a circle of garbage the sockets' own finalizers might come before their links', and would warn; held by this one, they cannot.
    while slots:
        link = slots.pop()
        if link is not None:
            link.close()


def _positive(name: str, value: object, least: int = 1) -> int:
    if value == float('inf'):
        return MOST  # Node's way to say that there is no bound; there always is one
    if isinstance(value, bool) or not isinstance(value, int):
        raise errors.InvalidOptionType(f'{name} has to be an int, not {value!r}')
    if value < least:
        raise errors.OptionsError(f'{name} is {value}: it has to be at least {least}')
    return min(value, MOST)


def _after_fork() -> None:
    for pool in list(_every_pool):
        pool._forget()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)

DEFAULT = Pool(name='default')
"""The pool of all requests that name none; it holds nothing until one of them is sent."""
