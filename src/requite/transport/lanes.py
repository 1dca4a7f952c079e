"""The connections of one route, and a fair queue for those who have to wait for one.

A lane is two deques and no lock. ``_slots`` holds as many entries as connections are allowed: a live idle connection, or None for one that may be opened.
Who takes an entry puts one back. ``_waiting`` holds those who found none, first come first served. deque operations are atomic, and ``_match`` may run in
any thread, in a finalizer and inside itself, so nothing here can deadlock.
"""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from requite import errors
from requite.transport import connections, faults

if TYPE_CHECKING:
    from typing import Any

    from requite.message import Hop
    from requite.routes import Route
    from requite.transport.link import Link

MOST_SHOWN = 5

PATIENCE = 0.5
"""Seconds for which somebody waits before garbage is collected: a response in a circle of the caller's own objects holds its connection until then."""
PAUSE = 20
"""Between two collections lies this many times what the last one took."""

_collected = (-1.0, 0.0)
"""When garbage was last collected for somebody who waits, and from when on it may be again, in seconds of ``time.monotonic()``."""


class _Turn:
    """Somebody who waits for a slot. An abort wakes it through ``shutdown``, as it would a socket."""

    __slots__ = ('_lock', 'given', 'link', 'thread')

    def __init__(self) -> None:
        self.thread = threading.get_ident()
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

    def wait(self, seconds: float) -> bool:
        """Whether it was woken within that time."""
        return self._lock.acquire(timeout=min(max(seconds, 0), threading.TIMEOUT_MAX))


class Lane:
    """The connections of one route; with a ``whole``, the same ones as that lane's, put back on other terms."""

    __slots__ = (
        '__weakref__',
        '_max_idle',
        '_size',
        '_slots',
        '_waiting',
        'closed',
        'factory',
        'keep_alive',
        'links',
        'pool',
        'whole',
    )

    def __init__(
        self,
        route: Route,
        size: int,
        max_idle: int | None,
        keep_alive: bool,
        pool: str = 'of no name',
        whole: Lane | None = None,
    ) -> None:
        self.factory = connections.factory(route)
        self.keep_alive = keep_alive and not route.once
        self.closed = False
        self.pool = pool
        self._max_idle = max_idle
        self.whole = whole
        self._size: int = size if whole is None else whole._size
        self.links: weakref.WeakSet[Link] = weakref.WeakSet() if whole is None else whole.links
        self._slots: deque[Link | None] = deque([None] * size) if whole is None else whole._slots
        self._waiting: deque[_Turn] = deque() if whole is None else whole._waiting
        if whole is None:
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
            link.rested = False
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
        bind = getattr(hop.body, 'bind', None)
        if bind is not None:  # responses within the body are read by this thread only, which waits here
            bind(threading.get_ident())
        hop.signal.watch(turn)  # type: ignore[arg-type]
        self._waiting.append(turn)
        self._match()
        deadline = hop.limits.deadline
        seconds = None if deadline is None else deadline - time.monotonic()
        if hop.limits.pool is not None:
            seconds = hop.limits.pool if seconds is None else min(seconds, hop.limits.pool)
        try:
            if not turn.given and self._stuck():
                raise self._for_itself(hop)
            _outwait(turn, seconds)
            if turn.given and not hop.signal.aborted:
                return turn.link
            raise self._gave_up(hop)
        except BaseException:
            self._leave(turn)
            raise
        finally:
            hop.signal.watch(None)
            if bind is not None:
                bind(None)

    def _gave_up(self, hop: Hop) -> errors.RequestError:
        if hop.signal.aborted:
            return errors.AbortError(f'aborted: {faults.place(hop)}')
        held = f'{faults.place(hop)} waited for one of the {self._size} connections of the pool {self.pool}'
        deadline = hop.limits.deadline
        if deadline is not None and time.monotonic() >= deadline:
            return errors.DeadlineExceeded(f'ETIMEDOUT: {held} until its deadline{self._holders()}')
        return errors.PoolTimeout(
            f'ETIMEDOUT: {held} for {(hop.limits.pool or 0) * 1000:.0f} ms{self._holders()}; '
            'read or close the responses that hold them, or give the pool more max_sockets'
        )

    def _stuck(self) -> bool:
        """Whether each connection waits for a thread that waits here: nobody would ever give one back."""
        waiting = {turn.thread for turn in list(self._waiting)}
        bound = [link.user.bound for link in self._opened() if link.lane is not None and link.user is not None]
        return len(bound) >= self._size and waiting.issuperset(bound)

    def _for_itself(self, hop: Hop) -> errors.RequestStateError:
        return errors.RequestStateError(
            f'{faults.place(hop)} would wait for ever: the content of one request comes from another, both want one of the {self._size} connections '
            f'of the pool {self.pool}, and all of these are held by such pairs{self._holders()}; give the pool more max_sockets, or one of the two another pool'
        )

    def _holders(self) -> str:
        """The lines of the requests that have the connections, the most frequent first."""
        lines: dict[str, int] = {}
        for link in self._opened():
            made = link.user.made if link.lane is not None and link.user is not None else None
            if made is not None:
                line = _line(made)
                lines[line] = lines.get(line, 0) + 1
        shown = sorted(lines.items(), key=lambda item: -item[1])[:MOST_SHOWN]
        return '; they are held by ' + ', '.join(f'{line} ({count})' for line, count in shown) if shown else ''

    def _opened(self) -> list[Link]:
        while True:
            try:
                return list(self.links)
            except RuntimeError:  # another thread opened one meanwhile
                continue

    def rest(self) -> None:
        """Closes what was not used since this was called last. For one thread at a time."""
        for _ in range(len(self._slots)):
            try:
                link = self._slots.popleft()
            except IndexError:
                return
            if link is not None:
                if link.rested:
                    link.close()
                    link = None
                else:
                    link.rested = True
            # what goes in at the end comes out of ``take`` first: who was there before stays in order
            self._slots.append(link)
        if self._waiting:
            self._match()

    def _leave(self, turn: _Turn) -> None:
        try:
            self._waiting.remove(turn)
        except ValueError:
            while not turn.given:  # somebody took it off the queue and is about to give
                time.sleep(0)
            self.put(turn.link)


def _outwait(turn: _Turn, seconds: float | None) -> None:
    """Waits for a turn, and looks for garbage that holds connections after a while, then less and less often."""
    now = time.monotonic()
    ends = now + (threading.TIMEOUT_MAX if seconds is None else max(seconds, 0))
    patience = min(PATIENCE, (ends - now) / 2)
    while not turn.wait(min(patience, ends - now)):
        now = time.monotonic()
        if now >= ends:
            return
        _collect(now, now - patience)
        patience *= 2
        now = time.monotonic()


def _collect(now: float, since: float) -> None:
    """Collects garbage, unless somebody has since then, or it would take too large a part of the time."""
    global _collected
    last, again = _collected
    if last < since and again <= now:
        _collected = now, now + PATIENCE  # others who wait leave it to this thread
        gc.collect()
        done = time.monotonic()
        _collected = now, done + PAUSE * (done - now)


def _line(made: tuple[Any, int]) -> str:
    code, offset = made
    line = next((line for start, end, line in code.co_lines() if start <= offset < end and line), code.co_firstlineno)
    return f'{code.co_filename}:{line}'


def _close_kept(slots: deque[Link | None]) -> None:
    # The lane is gone. In a circle of garbage the sockets' own finalizers might come before their links', and would warn; held by this one, they cannot.
    while slots:
        link = slots.pop()
        if link is not None:
            link.close()
