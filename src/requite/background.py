"""Requests that nobody waits for: started ones, and those that were let go.

Each thread's let-go requests form a lane and are sent one after the other. A finalizer only appends to its thread's lane and puts the lane on a
``SimpleQueue``: no lock, nothing that could wait. One sender thread hands lanes to workers; whoever asks for a request first finishes the lane of
the thread it runs in.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from queue import Empty, SimpleQueue
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.request import Request

IDLE_SECONDS = 10.0
"""How long a worker without work lives on."""
MAX_WORKERS = 128

UNSENT: dict[int, Any] = {}
"""Weak references to the requests that were not sent yet, by ``id``, oldest first. Taking one's own out is the right to send it: ``dict.pop`` is atomic."""

_LET_GO: SimpleQueue[Any] = SimpleQueue()
_LANES: dict[int, Lane] = {}
_STOP = object()


class Lane:
    """The let-go requests of one thread, in order; ``turn`` belongs to whoever sends them."""

    __slots__ = ('busy', 'queue', 'turn')

    def __init__(self) -> None:
        self.queue: deque[Request] = deque()
        self.busy = False
        self.turn = threading.RLock()

    def finish(self) -> None:
        """Sends what waits in this lane, after what another thread may be sending of it."""
        with self.turn:
            outermost, self.busy = not self.busy, True
            try:
                while self.queue:
                    self.queue.popleft().send_let_go()
            finally:
                if outermost:
                    self.busy = False


class Workers:
    """Daemon threads, made as they are needed and gone when they have been idle for a while."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Any] = SimpleQueue()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._open = 0

    def submit(self, task: Callable[[], None]) -> None:
        """Has ``task`` run by a worker; at interpreter exit, when no thread can be made, in this thread."""
        with self._changed:
            self._open += 1
            spawn = self._idle <= self._tasks.qsize() and self._threads < MAX_WORKERS
            if spawn:
                self._threads += 1
            self._tasks.put(task)
        if not spawn:
            return
        try:
            threading.Thread(target=self._work, name='requite-worker', daemon=True).start()
        except RuntimeError:
            with self._changed:
                self._threads -= 1
            self._run_all()

    def wait(self, until: float | None) -> bool:
        """Waits until every task is done, or for the moment ``until``; tells whether all are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, None if until is None else max(0.0, until - monotonic()))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
            try:
                task = self._tasks.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._changed:
                    self._idle -= 1
                    if self._tasks.empty():
                        self._threads -= 1
                        return
                continue
            with self._changed:
                self._idle -= 1
            self._run(task)

    def _run_all(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                return
            self._run(task)

    def _run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Exception:
            logging.getLogger('requite').exception('a listener of a request in the background raised')
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()


WORKERS = Workers()
_sender: threading.Thread | None = None
_making = threading.Lock()


def hold(request: Request) -> None:
    """Keeps track of a request that is not sent yet, so that it is sent at exit at the latest."""
    UNSENT[id(request)] = ref(request)
    if _sender is None:
        _start_sender()


def claim(request: Request) -> bool:
    """Whether the caller may send the request: True once in its life."""
    return UNSENT.pop(id(request), None) is not None


def let_go(request: Request) -> None:
    """Called by the finalizer of a request that was never sent; may run in any thread at any moment, so it never waits."""
    ident = get_ident()
    lane = _LANES.get(ident)
    if lane is None:
        lane = _LANES.setdefault(ident, Lane())
    lane.queue.append(request)
    _LET_GO.put(lane)


def settle() -> None:
    """Waits for what this thread has let go before."""
    if _LANES:
        lane = _LANES.get(get_ident())
        if lane is not None and (lane.queue or lane.busy):
            lane.finish()


def flush(until: float | None = None) -> bool:
    """Waits for everything that was started or let go, up to the moment ``until`` of ``time.monotonic()``; tells whether it is all done."""
    for lane in list(_LANES.values()):
        if not _finish_by(lane, until):
            return False
    return WORKERS.wait(until)


def _finish_by(lane: Lane, until: float | None) -> bool:
    if until is None:
        lane.finish()
        return True
    done = threading.Event()
    WORKERS.submit(lambda: (lane.finish(), done.set())[-1])
    return done.wait(max(0.0, until - monotonic()))


def report(request: Request, error: BaseException) -> None:
    """Tells the ``requite`` logger of a failure that nobody listens to, with the line that made the request."""
    logging.getLogger('requite').error('%r, made at %s, failed and nobody listens: %s: %s', request, request.made_at, type(error).__name__, error)


def _start_sender() -> None:
    global _sender
    with _making:
        if _sender is not None:
            return
        thread = threading.Thread(target=_send_lanes, name='requite-sender', daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # the interpreter is shutting down: the flush at exit sends in its own thread
        _sender = thread


def _send_lanes() -> None:
    while True:
        lane = _LET_GO.get()
        if lane is _STOP:
            return
        if lane.queue:
            WORKERS.submit(lane.finish)


def _at_exit() -> None:
    for reference in list(UNSENT.values()):
        request = reference()
        if request is not None:
            request.send_at_exit()
    request = reference = None
    flush()


def _before_fork() -> None:
    """Ends the sender, so that a process that only ever asked forks with one thread; it is made again when needed."""
    global _sender
    thread, _sender = _sender, None
    if thread is not None and thread is not threading.current_thread():
        _LET_GO.put(_STOP)
        thread.join()


def _in_child() -> None:
    """Leaves the parent's requests to the parent: they are sent here only when they are asked for."""
    global WORKERS, _LET_GO, _making, _sender
    _sender = None
    _making = threading.Lock()
    WORKERS = Workers()
    _LET_GO = SimpleQueue()
    _LANES.clear()
    for reference in list(UNSENT.values()):
        request = reference()
        if request is not None:
            request.leave_to_parent()


atexit.register(_at_exit)
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)
