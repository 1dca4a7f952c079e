"""Requests that nobody waits for: started ones, and those that were let go.

A finalizer may run at any moment, in any thread, inside any lock. So it only appends to a deque, rings a bell, and starts the sending thread if there is
none: nothing of that takes a lock or runs other Python code. What one thread let go forms a lane, whose requests are sent one after the other; whoever asks
for a request first finishes the lane of the thread it runs in.

A process that only ever asks has no thread at all.
"""

from __future__ import annotations

import _thread
import atexit
import os
import sys
import threading
from collections import deque
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

from requite.workers import IDLE_SECONDS, Crowd, Job, Wake, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import AbortSignal
    from requite.request import Request

MAX_GENERATIONS = 100
"""At exit, requests made by the listeners of requests are sent too, and so on; up to here."""

IMPORTED_LATE = (
    'encodings.idna',
    'requite.auth.order',
    'requite.progress',
    'requite.redirects',
    'requite.sinks',
    'requite.sources',
    'requite.timings',
    'requite.transport.duplex',
    'requite.transport.meanwhile',
    'requite.wire.decode',
    'requite.wire.jsondoc',
    'requite.wire.text',
    'requite.wire.urijoin',
)
"""Modules that an exchange imports when it first needs them."""

UNSENT: dict[int, Any] = {}
"""Weak references to the requests that were not sent yet, by ``id``, oldest first. Taking one's own out is the right to send it: ``dict.pop`` is atomic."""
UNTOLD: dict[int, Any] = {}
"""The same for requests that came to nothing without anybody having been told."""

home = object()
"""Stands for this process; a forked child has another one."""

_let_go: deque[tuple[int, Request]] = deque()
_bell: SimpleQueue[None] = SimpleQueue()
_asleep: deque[None] = deque((None,))
"""Holds one entry while there is no sending thread; who takes it starts one."""
_lanes: dict[int, Lane] = {}
"""Lanes that have, or had a moment ago, something to send."""
_sending: dict[int, int] = {}
"""Threads that send a lane, by the key of that lane: what they let go meanwhile belongs to it, so that no two lanes ever wait for one another."""
_books = threading.RLock()
_exited = False


class Lane:
    """The let-go requests of one thread, in order; ``turn`` belongs to whoever sends them."""

    __slots__ = ('busy', 'key', 'queue', 'scheduled', 'turn')

    def __init__(self, key: int) -> None:
        self.key = key
        self.queue: deque[Job] = deque()
        self.busy = 0
        self.scheduled = False
        self.turn = threading.RLock()

    def run(self) -> None:
        """Sends what waits in this lane, unless somebody is at it."""
        self.scheduled = False
        self.finish(False)

    def finish(self, wait: bool = True) -> None:
        """Sends what waits in this lane, with ``wait`` after what another thread is sending of it."""
        while self.turn.acquire(wait):
            try:
                self._drain()
            except BaseException:
                _ring()  # somebody else has to go on
                raise
            finally:
                self.turn.release()
            if not self.queue:  # looked at after the release: who came meanwhile and found the lane taken has gone away
                return

    def _drain(self) -> None:
        thread = get_ident()
        outer = _sending.get(thread)
        _sending[thread] = self.key
        self.busy += 1
        try:
            while self.queue:
                WORKERS.perform(self.queue.popleft())
        finally:
            self.busy -= 1
            if outer is None:
                del _sending[thread]
            else:
                _sending[thread] = outer


WORKERS = Workers()
CROWD = Crowd()
"""Whoever runs what is awaited. Nothing at exit waits for them: who awaited has gone by then."""


def claim(request: object) -> bool:
    """Whether the caller may send the request: True once in its life."""
    return UNSENT.pop(id(request), None) is not None


def start(task: Callable[[], None]) -> None:
    """Has ``task``, which sends a request, run by a worker."""
    job = WORKERS.expect(task)
    WORKERS.submit(lambda: WORKERS.perform(job))


def let_go(request: Any) -> None:
    """Called by finalizers only: has ``request.send_let_go()`` called in the background, in the order of this thread."""
    if _exited:
        request.send_let_go()  # nobody comes after us to do it
        return
    thread = get_ident()
    _let_go.append((_sending.get(thread, thread), request))
    _ring()


def _ring() -> None:
    """Wakes the sending thread, or starts it if there is none: not through ``threading``, whose locks the interrupted code may hold."""
    _bell.put(None)
    try:
        _asleep.pop()
    except IndexError:
        return
    try:
        _thread.start_new_thread(_send_lanes, (_bell,))
    except RuntimeError:
        _asleep.append(None)  # no more threads: settle, flush and the exit look at what was let go as well


def _send_lanes(bell: SimpleQueue[None]) -> None:
    try:
        while True:
            bell.get(timeout=IDLE_SECONDS)
            _dispatch()
    except Empty:
        pass
    finally:
        _asleep.append(None)
    if not bell.empty():
        _ring()


def settle(signal: AbortSignal | None = None, deadline: float | None = None, thread: int | None = None) -> None:
    """Waits for what this thread, or ``thread``, has let go before; not beyond ``deadline`` seconds from now, which ``signal`` keeps, nor an abort."""
    if _let_go or _lanes:
        _dispatch(False)
        own = get_ident()
        key = own if thread is None else thread
        lane = _lanes.get(_sending.get(key, key))
        if lane is None:
            return
        if signal is None or own in _sending:
            lane.finish()  # in its turn, nobody else can
            return
        if deadline is not None and signal.until is None:
            signal.until = monotonic() + deadline
        # In another thread: whoever sent them here could neither be woken nor keep to a moment.
        Wake().elsewhere(CROWD, lane.finish, signal)


def flush(until: float | None = None) -> bool:
    """Waits for everything that was started or let go, up to the moment ``until`` of ``time.monotonic()``; tells whether it is all done."""
    _dispatch()
    own = _sending.get(get_ident())
    lane = None if own is None else _lanes.get(own)
    if lane is not None:
        lane.finish()  # this very thread is sending that lane: nobody else can
    return WORKERS.wait(until)


def _dispatch(schedule: bool = True) -> None:
    """Puts what was let go into the lanes, has workers send them, and forgets lanes that are done."""
    with _books:
        while _let_go:
            key, request = _let_go.popleft()
            lane = _lanes.get(key)
            if lane is None:
                lane = _lanes[key] = Lane(key)
            lane.queue.append(WORKERS.expect(request.send_let_go))
            del request
        due = []
        for lane in list(_lanes.values()):
            if not lane.queue and not lane.busy:
                del _lanes[lane.key]
            elif schedule and lane.queue and not lane.busy and not lane.scheduled:
                lane.scheduled = True
                due.append(lane)
    for lane in due:
        WORKERS.submit(lane.run)


def _at_exit() -> None:
    """Finishes everything: what was let go, what is still held unsent, what those made; then tells of what failed meanwhile."""
    global _exited
    for _ in range(MAX_GENERATIONS):
        flush()
        held = [
            request
            for reference in list(UNSENT.values())
            if (request := reference()) is not None and not request.inherited
        ]
        with _books:
            if not held and not _let_go and WORKERS.idle():
                break
        for request in held:
            _ending(request.send_at_exit)
    request = held = None  # type: ignore[assignment]
    _exited = True
    for reference in list(UNTOLD.values()):
        if (request := reference()) is not None:
            _ending(request.tell)


def _ending(task: Callable[[], None]) -> None:
    try:
        task()
    except Exception:  # noqa: BLE001 - told, as atexit does
        sys.excepthook(*sys.exc_info())  # what one request does must not keep the next one from being sent


def _before_fork() -> None:
    """Has no thread of ours be in the middle of an import: the child would wait for the lock of that module for ever."""
    _mind_celery()
    if threading.active_count() > 1:
        for name in IMPORTED_LATE:
            import_module(name)


def _in_child() -> None:
    """After a fork: leaves the parent's requests to the parent; they are sent here only when they are asked for."""
    global WORKERS, CROWD, _let_go, _bell, _asleep, _books, home
    home = object()
    CROWD = Crowd()
    WORKERS, _let_go, _bell, _asleep, _books = Workers(), deque(), SimpleQueue(), deque((None,)), threading.RLock()
    for lane in list(_lanes.values()):
        lane.queue.clear()
    _lanes.clear()
    _sending.clear()
    UNTOLD.clear()
    for reference in list(UNSENT.values()):
        if (request := reference()) is not None:
            request.inherited = True
    _mind_multiprocessing()


def _mind_multiprocessing() -> None:
    """Children of multiprocessing end without atexit, but with finalizers of their own, which are forgotten when they begin."""
    util = sys.modules.get('multiprocessing.util')
    if util is not None:
        util.register_after_fork(WORKERS, _finish_with)
        if sys.modules['multiprocessing.process'].parent_process() is not None:
            _finish_with(WORKERS)


def _mind_celery() -> None:
    """Celery's worker processes end by ``os._exit``, but with a signal of Celery's own. (Connecting again does nothing.)"""
    ending = getattr(sys.modules.get('celery.signals'), 'worker_process_shutdown', None)
    if ending is not None:
        ending.connect(_worker_ends, weak=False)


def _worker_ends(**_: Any) -> None:
    _at_exit()


def _finish_with(workers: Workers) -> None:
    sys.modules['multiprocessing.util'].Finalize(None, _at_exit, exitpriority=0)


atexit.register(_at_exit)
_mind_multiprocessing()
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)
