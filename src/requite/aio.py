"""asyncio's face of the one blocking engine: what is awaited runs in a worker of requite's own, its listeners on the thread of the loop.

Nothing here knows HTTP. Whoever is cancelled shuts the socket down, which wakes the worker; nobody waits for it to find its way out.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

from requite import background
from requite.errors import AbortError, RequestStateError
from requite.watched import DONE, NEW

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Awaitable, Callable, Iterator

    from requite.message import AbortSignal
    from requite.request import Request
    from requite.response import Response

PATIENCE = 0.5
"""Seconds after which a worker that waits for a loop looks whether that still runs."""

NO_LOOP = (
    '{what} needs a running asyncio loop, and there is none here: under trio or curio run this part on asyncio '
    "(anyio.run(main, backend='asyncio')), or hand the blocking call to a thread, as in await trio.to_thread.run_sync(request.end)"
)


async def whole(handle: Request) -> Response:
    """What ``await request`` gives: the response with its body read."""
    response = handle._response
    if handle._state is DONE and response is not None and response._content is not None:
        return handle.end()  # type: ignore[no-any-return]
    return await _asked(handle, handle.end)  # type: ignore[no-any-return]


async def head(handle: Request) -> Response:
    """The response as soon as its head is here; its body streams."""
    if handle._state is DONE:
        return handle.response
    return await _asked(handle, lambda: handle.response)  # type: ignore[no-any-return]


async def _asked(handle: Request, ask: Callable[[], Any]) -> Any:
    """Asks in a worker; when the last one who awaits the request is cancelled, it is aborted."""
    from asyncio import CancelledError

    attend(handle)
    handle._finish_writing(False)  # here, where it may have been written: a worker would wait for the writer
    thread = get_ident()

    def work() -> Any:
        background.settle(handle.signal, handle._options.deadline, thread)
        return ask()

    handle.awaiting += 1
    try:
        return await hop(work, *place(handle))
    except CancelledError:
        if handle.awaiting == 1:
            handle._told = True  # whoever cancels knows
            handle.abort()
        raise
    finally:
        handle.awaiting -= 1


def running(what: str) -> AbstractEventLoop:
    """The loop that runs here; raises ``RequestStateError`` under anything else than asyncio."""
    from asyncio import get_running_loop

    try:
        return get_running_loop()
    except RuntimeError:
        raise RequestStateError(NO_LOOP.format(what=what)) from None


def attend(handle: Request) -> None:
    """Has the listeners of a request that is still to be sent called on the thread of this loop."""
    try:
        loop = running('await')
    except RequestStateError:
        handle.refused = True  # what could not be awaited is not sent by being let go either
        raise
    if handle._state is NEW:
        handle._stage = stage = LoopStage(loop, handle.signal)
        if handle._emitter is not None:
            handle._emitter.stage = stage


def place(handle: Request) -> tuple[Any, int]:
    """Where a request that is still to be sent leads, and how many may be on their way there: as many as its pool has connections."""
    pool = handle._options.connections
    if pool is None:
        pool = handle._transport.pool
    most = getattr(pool, 'max_sockets', None)
    if handle._state is not NEW or most is None:
        return None, 0
    return (pool, handle._carry.uri.origin), most


async def hop(task: Callable[[], Any], where: Any = None, most: int = 0) -> Any:
    """Runs ``task`` in a worker, with the context variables of the caller; gives what it returns and raises what it raises."""
    value, error = await begin(task, where, most)
    try:
        if error is not None:
            raise error
        return value
    finally:
        del error  # its traceback knows this frame


def begin(task: Callable[[], Any], where: Any = None, most: int = 0) -> Future[tuple[Any, BaseException | None]]:
    """Has ``task`` run in a worker, with the context variables of the caller; gives the future of what it returns or raises."""
    loop = running('await')
    future: Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = copy_context()

    def run() -> None:
        if future.cancelled():
            return
        try:
            outcome: tuple[Any, BaseException | None] = (context.run(task), None)
        except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
            outcome = None, error
        try:
            loop.call_soon_threadsafe(_arrive, future, outcome)
        except RuntimeError:
            pass  # the loop is closed, nobody awaits any more

    background.CROWD.submit(run, where, most)
    return future


def _arrive(future: Future[Any], outcome: Any) -> None:
    if not future.done():
        future.set_result(outcome)


class Errand:
    """Something that a worker has done on the thread of the loop, and waits for. ``then``, where it is set, is called as soon as it is ``done``."""

    __slots__ = ('_done', '_mine', '_task', 'done', 'error', 'then', 'value')

    def __init__(self, task: Callable[[], Any]) -> None:
        self._task = task
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = False
        self.then: Callable[[], Any] | None = None
        self._mine: list[None] = [None]
        self._done = Lock()
        self._done.acquire()

    def _claim(self) -> bool:
        """Whether the caller is the one to do it: True once."""
        try:
            self._mine.pop()
        except IndexError:
            return False
        return True

    def run(self) -> None:
        """Does it, unless somebody else has."""
        if self._claim():
            try:
                self.value = self._task()
            except BaseException as error:  # noqa: BLE001 - raised again in the worker
                self.error = error
            self._over()

    def settle(self, value: Any, error: BaseException | None) -> None:
        """It came to this: lets the worker go on."""
        if self._claim():
            self.value, self.error = value, error
            self._over()

    def _over(self) -> None:
        self.done = True
        self._done.release()
        if self.then is not None:
            self.then()

    def wait(self, loop: AbstractEventLoop) -> Any:
        """Waits until it is done; when the loop has stopped meanwhile, this thread does it."""
        while not self._done.acquire(timeout=PATIENCE):
            if not loop.is_running():
                self.run()
        try:
            if self.error is not None:
                raise self.error
            return self.value
        finally:
            self.error = None


async def settle(errand: Errand, make: Callable[[], Awaitable[Any]]) -> None:
    """Awaits ``make()``, which is what an errand is about, and lets the worker go on with the outcome."""
    try:
        value = await make()
    except Exception as error:  # noqa: BLE001 - raised again in the worker
        errand.settle(None, error)
    except BaseException:
        errand.settle(None, AbortError('what was awaited was cancelled'))
        raise
    else:
        errand.settle(value, None)


class LoopStage:
    """Calls listeners on the thread of the loop that awaits their request, while the worker waits; none once the request was aborted."""

    __slots__ = ('_loop', '_signal', '_thread')

    def __init__(self, loop: AbstractEventLoop, signal: AbortSignal) -> None:
        self._loop = loop
        self._signal = signal
        self._thread = get_ident()

    def call(self, listener: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if get_ident() == self._thread:
            listener(*arguments)
            return
        errand = Errand(partial(self._call, listener, arguments))
        try:
            self._loop.call_soon_threadsafe(errand.run)
        except RuntimeError:
            errand.run()  # the loop is closed, but here is somebody who still reads
        errand.wait(self._loop)

    def _call(self, listener: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if self._signal.aborted:
            raise AbortError('the request was aborted')
        listener(*arguments)

    def here(self) -> Any:
        return Both(get_ident(), self._thread)


class Both:
    """Two threads that count as one: while the worker sends, the other one must not wait for it, since the worker calls its listeners there."""

    __slots__ = ('_threads',)

    def __init__(self, *threads: int) -> None:
        self._threads = frozenset(threads)

    def __eq__(self, other: object) -> bool:
        return not self._threads.isdisjoint(other._threads if isinstance(other, Both) else (other,))

    def __hash__(self) -> int:
        return hash(self._threads)


class Pieces:
    """The body of a response, piece by piece, each read in a worker; a request is asked for its response first. ``items`` are what else is made of its pieces."""

    def __init__(
        self, handle: Request | None, response: Response | None = None, items: Iterator[Any] | None = None
    ) -> None:
        self._handle = handle
        self._response = response
        self._pieces: Iterator[Any] | None = items

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> Any:
        response = self._response
        if response is None:
            response = self._response = await head(self._handle)  # type: ignore[arg-type]
        if self._pieces is None:
            self._pieces = iter(response)
        if response._reply.complete:
            piece = next(self._pieces, None)  # it is here: nobody has to wait
        else:
            piece = await self._read(response, self._pieces)
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def _read(self, response: Response, pieces: Iterator[Any]) -> Any:
        from asyncio import CancelledError

        try:
            piece = await hop(partial(next, pieces, None))
        except CancelledError:
            response._hop.signal.abort()
            raise
        return piece
