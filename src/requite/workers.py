"""The threads of the background, and the list of what they have not done yet."""

from __future__ import annotations

import sys
import threading
from collections import deque
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import AbortSignal

IDLE_SECONDS = 10.0
"""How long a thread without work lives on."""
MAX_WORKERS = 128
MAX_AWAITED = 4096
"""How many threads awaited requests may come to; what bounds them in practice are the pools."""
AWAITED_IDLE_SECONDS = 2.0


class Job:
    """Something to do once, that forgets how as soon as it is done: with the task goes the last reference to a request that nobody holds."""

    __slots__ = ('task',)

    def __init__(self, task: Callable[[], None]) -> None:
        self.task: Callable[[], None] | None = task


class Workers:
    """Daemon threads, made as they are needed and gone when they have been idle for a while; and the list of what is not done yet."""

    def __init__(self, most: int = MAX_WORKERS, idle_seconds: float = IDLE_SECONDS) -> None:
        lock = threading.RLock()
        self._most = most
        self._idle_seconds = idle_seconds
        self._work = threading.Condition(lock)
        self._done = threading.Condition(lock)
        self._tasks: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._idle = 0
        self._open: set[Job] = set()
        self._waiting: set[Job] = set()
        self._doing: dict[int, list[Job]] = {}

    def expect(self, task: Callable[[], None]) -> Job:
        """A job that will be performed, so that ``wait`` waits for it from now on."""
        job = Job(task)
        with self._done:
            self._open.add(job)
        return job

    def perform(self, job: Job) -> None:
        """Does a job in this thread and takes it off the list."""
        mine = self._doing.setdefault(get_ident(), [])
        mine.append(job)
        try:
            job.task()  # type: ignore[misc]
        finally:
            job.task = None  # before it counts as done: a request that dies here may still have to tell of its failure
            mine.pop()
            if not mine:
                self._doing.pop(get_ident(), None)
            with self._done:
                self._open.discard(job)
                self._done.notify_all()

    def submit(self, task: Callable[[], None]) -> None:
        """Has ``task`` run by a worker; when no thread can be made, as at interpreter exit, in this thread."""
        with self._work:
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._work.notify()
                return
            if self._threads >= self._most:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name='requite-worker', daemon=True).start()
        except RuntimeError:
            with self._work:
                self._threads -= 1
                if not self._tasks:
                    return  # a worker has taken it
                task = self._tasks.popleft()
            task()

    def idle(self) -> bool:
        """Whether there is nothing on the list."""
        return not self._open

    def wait(self, until: float | None) -> bool:
        """Waits until all that is on the list now is done, or for the moment ``until``; tells whether it is. Whoever is at it himself does not wait for that."""
        with self._done:
            mine = tuple(self._doing.get(get_ident(), ()))
            awaited = self._open.difference(mine)
            self._waiting.update(mine)  # two jobs that wait for all would wait for each other
            self._done.notify_all()
            excused: set[Job] = self._waiting if mine else set()
            try:
                return self._done.wait_for(
                    lambda: awaited & self._open <= excused, None if until is None else max(0.0, until - monotonic())
                )
            finally:
                self._waiting.difference_update(mine)

    def _serve(self) -> None:
        while True:
            with self._work:
                while not self._tasks:
                    self._idle += 1
                    called = self._work.wait(self._idle_seconds)
                    self._idle -= 1
                    if not called and not self._tasks:
                        self._threads -= 1
                        return
                task = self._tasks.popleft()
            try:
                task()
            except BaseException:  # noqa: BLE001 - there is nobody above to raise it to
                sys.excepthook(*sys.exc_info())  # a SystemExit of a callback ends no worker
            del task  # an idle worker keeps nothing alive


class Line:
    """The tasks that lead to one place: how many run, and who waits for one of them to end."""

    __slots__ = ('running', 'waiting')

    def __init__(self) -> None:
        self.running = 0
        self.waiting: deque[Callable[[], None]] = deque()


class Crowd:
    """Tasks that are awaited: for each place as many at once as connections may be open to it, so that a slow place holds up no other.

    Tasks must not raise. Those that lead nowhere in particular (who reads has a connection already) never wait for others.
    """

    def __init__(self) -> None:
        self.workers = Workers(MAX_AWAITED, AWAITED_IDLE_SECONDS)
        self._lock = threading.Lock()
        self._lines: dict[Any, Line] = {}

    def submit(self, task: Callable[[], None], place: Any = None, most: int = 0) -> None:
        """Has ``task`` run by a worker, when fewer than ``most`` run that lead to ``place``; at once where that is None."""
        if place is None:
            self.workers.submit(task)
            return
        with self._lock:
            line = self._lines.get(place)
            if line is None:
                line = self._lines[place] = Line()
            line.waiting.append(task)
            if line.running >= most:
                return
            line.running += 1
        self.workers.submit(lambda: self._go_on(place, line))

    def _go_on(self, place: Any, line: Line) -> None:
        """Runs tasks of a line until none waits."""
        while True:
            with self._lock:
                if not line.waiting:
                    line.running -= 1
                    if not line.running:
                        del self._lines[place]
                    return
                task = line.waiting.popleft()
            task()
            del task


class Wake:
    """Somebody who waits for a task in another thread. An abort wakes it through ``shutdown``, as it would a socket."""

    __slots__ = ('_lock',)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def elsewhere(self, crowd: Crowd, task: Callable[[], None], signal: AbortSignal) -> None:
        """Has the crowd do ``task``, and waits for it: at most until ``signal.until``, or until the signal aborts. The task goes on then."""

        def run() -> None:
            try:
                task()
            finally:
                self.shutdown(0)

        signal.watch(self)  # type: ignore[arg-type]
        try:
            crowd.submit(run)
            left = -1.0 if signal.until is None else max(signal.until - monotonic(), 0.0)
            self._lock.acquire(timeout=min(left, threading.TIMEOUT_MAX))
        finally:
            signal.watch(None)

    def shutdown(self, how: int) -> None:
        try:
            self._lock.release()
        except RuntimeError:
            pass  # already awake
