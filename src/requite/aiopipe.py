"""Pipes in a coroutine: the copying is done by a worker, and what only the loop can do is done by the task that awaits it.

A worker that needs a message of an ASGI server, or has one for it, waits until the task has awaited that. So no side runs ahead of the other, and there is
nothing between them that could fill up.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from requite import aio, background
from requite.body.source import IterableBody
from requite.errors import AbortError, ConnectionReset, RequestStateError
from requite.inflow import Source
from requite.intent import Intent
from requite.piping import pipe
from requite.response import Response

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Task
    from collections.abc import Awaitable, Callable, Iterator

LEFT = 'the client left before the exchange was over'

_here = threading.local()


async def apipe(source: Any, destination: Any, end: Any = True, ok_only: bool = False) -> Any:
    """``pipe(source, destination, end, ok_only)`` without blocking the loop: a worker copies, with constant memory. Returns the destination.

    Besides the ends of ``pipe`` there are ``asgi.Incoming`` and asynchronous iterables of bytes as sources, ``asgi.Outgoing`` and objects whose
    ``write`` is a coroutine function as destinations. Being cancelled closes the connections on both sides. When the client of an ASGI server leaves, the
    exchange with the origin is broken off and ``ConnectionReset`` is raised; every other error is that of ``pipe``.
    """
    loop = aio.running('apipe')
    requests = [side for side in (source, destination) if isinstance(side, Intent)]
    for handle in requests:
        aio.attend(handle)  # type: ignore[arg-type]
    client = getattr(source, 'client', None)
    client = client if isinstance(client, Client) else None
    crossing = Crossing(loop, _stoppers(source, destination), client)
    thread = threading.get_ident()

    def work() -> None:
        background.settle(thread)
        _here.crossing = crossing
        try:
            pipe(_flowing(source), _absorbing(destination, end), end, ok_only)
        finally:
            _here.crossing = None

    await crossing.carry(work, *(aio.place(requests[-1]) if requests else (None, 0)))  # type: ignore[arg-type]
    if client is not None and isinstance(destination, Intent):
        # Whoever pipes the answer on has to know when the client leaves.
        destination.client = destination.response.client = client  # type: ignore[attr-defined]
    return destination


def _stoppers(*sides: Any) -> list[Callable[[], Any]]:
    """What stops the exchanges behind the ends of a pipe."""
    found: list[Callable[[], Any]] = []
    for side in sides:
        if isinstance(side, Intent):
            found.append(partial(_abort, side))
        elif isinstance(side, Response):
            found.append(side._hop.signal.abort)
    return found


def _abort(handle: Any) -> None:
    handle._told = True  # whoever cancels knows
    handle.abort()


def current() -> Crossing:
    """The crossing for which this worker works; raises ``RequestStateError`` outside of ``apipe``."""
    crossing: Crossing | None = getattr(_here, 'crossing', None)
    if crossing is None:
        raise RequestStateError(
            'this end of a pipe belongs to an asyncio loop: await apipe(source, destination) instead of pipe() or asking for the response'
        )
    return crossing


class Client:
    """Who sent the request that a server received. ``heard`` is True once the request is whole; from then on only its leaving is waited for."""

    __slots__ = ('heard', 'leaving', 'left')

    def __init__(self, leaving: Callable[[], Awaitable[bool]]) -> None:
        self.leaving = leaving
        self.heard = False
        self.left = False


class Crossing:
    """The task that awaits a pipe, as the worker sees it that does the copying. ``answered`` is True when the client has all that it was to get."""

    def __init__(self, loop: AbstractEventLoop, stoppers: list[Callable[[], Any]], client: Client | None) -> None:
        self._loop = loop
        self._stoppers = stoppers
        self._client = client
        self._errand: tuple[aio.Errand, Callable[[], Awaitable[Any]]] | None = None
        self._bell: Future[None] | None = None
        self._watching: Task[None] | None = None
        self._over = False
        self.answered = False

    # -- in the worker

    def call(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """Has the task await ``make()``; gives its result, raises its error."""
        errand = aio.Errand(self._refuse)
        self.soon(partial(self._post, errand, make))
        return errand.wait(self._loop)

    def soon(self, task: Callable[[], Any]) -> None:
        """Has ``task`` called on the thread of the loop, without waiting for it."""
        try:
            self._loop.call_soon_threadsafe(task)
        except RuntimeError:
            raise AbortError('the loop that awaited this pipe is closed') from None

    # -- on the thread of the loop

    def _refuse(self) -> None:
        raise ConnectionReset(LEFT) if self._gone() else AbortError('the pipe was cancelled')

    def _gone(self) -> bool:
        return self._client is not None and self._client.left

    def _post(self, errand: aio.Errand, make: Callable[[], Awaitable[Any]]) -> None:
        if self._over or self._gone():
            errand.run()  # which refuses
        else:
            self._errand = errand, make
            self._ring()

    def _ring(self, *_: Any) -> None:
        if self._bell is not None and not self._bell.done():
            self._bell.set_result(None)

    async def carry(self, work: Callable[[], Any], place: Any, most: int) -> None:
        """Has a worker do ``work``, and does meanwhile what that asks for; raises what it raises."""
        done = aio.begin(work, place, most)
        done.add_done_callback(self._ring)
        try:
            await self._serve(done)
        except BaseException:
            self._over = True
            self._stop()
            raise
        finally:
            if self._watching is not None:
                self._watching.cancel()
        _, error = done.result()
        try:
            if isinstance(error, AbortError) and self._gone():
                raise ConnectionReset(LEFT) from None
            if error is not None:
                raise error
        finally:
            del error  # its traceback knows this frame

    async def _serve(self, done: Future[Any]) -> None:
        while True:
            self._watch()
            errand, self._errand = self._errand, None
            if errand is not None:
                await _grant(*errand)
            elif done.done():
                break
            else:
                self._bell = self._loop.create_future()
                await self._bell
        if self._watching is not None:
            from asyncio import wait

            self._watching.cancel()
            await wait((self._watching,))

    def _watch(self) -> None:
        """Waits for the client to leave, as soon as there is nothing else to come from it."""
        client = self._client
        if client is not None and client.heard and not client.left and self._watching is None:
            self._watching = self._loop.create_task(self._see_off(client))

    async def _see_off(self, client: Client) -> None:
        left = True
        with suppress(Exception):  # a server that cannot tell any more has lost the client
            left = await client.leaving()
        if left and not self.answered:
            client.left = True
            self._stop()

    def _stop(self) -> None:
        """Ends the exchanges behind both ends; the worker finds out."""
        for stop in self._stoppers:
            stop()
        if self._errand is not None:
            self._errand[0].run()
            self._errand = None


async def _grant(errand: aio.Errand, make: Callable[[], Awaitable[Any]]) -> None:
    if not errand.claim():
        return
    try:
        value = await make()
    except Exception as error:  # noqa: BLE001 - raised again in the worker
        errand.settle(None, error)
    except BaseException:
        errand.settle(None, AbortError('the pipe was cancelled'))
        raise
    else:
        errand.settle(value, None)


class _Flowing:
    """An asynchronous iterable of bytes as a source."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = aiter(pieces)

    def piped_out(self) -> Source:
        return Source(IterableBody(self._take(), None, True), [], self._over)

    def _take(self) -> Iterator[Any]:
        while (piece := current().call(self._next)) is not None:
            yield piece

    async def _next(self) -> Any:
        try:
            return await self._pieces.__anext__()
        except StopAsyncIteration:
            return None

    def _over(self) -> None:
        close = getattr(self._pieces, 'aclose', None)
        if close is not None:
            current().call(close)


class _Absorbing:
    """An object whose ``write`` is a coroutine function, as a destination."""

    def __init__(self, sink: Any, end: bool) -> None:
        self._sink = sink
        self._end = end

    def piped_into(self) -> _Absorbing:
        return self

    def begin(self, source: Source) -> None:
        """Gets ready."""

    def write(self, piece: bytes) -> None:
        current().call(partial(self._sink.write, piece))

    def keep(self) -> None:
        close = getattr(self._sink, 'close', None)
        if self._end and close is not None:
            current().call(partial(_maybe, close))

    discard = keep


async def _maybe(close: Callable[[], Any]) -> None:
    """Closes, whether or not that has to be awaited."""
    closing = close()
    if closing is not None and hasattr(closing, '__await__'):
        await closing


def _flowing(source: Any) -> Any:
    if hasattr(source, '__aiter__') and not isinstance(source, (Intent, Response)):
        return _Flowing(source)
    return source


def _absorbing(destination: Any, end: Any) -> Any:
    if iscoroutinefunction(getattr(destination, 'write', None)) and not isinstance(destination, Intent):
        return _Absorbing(destination, bool(end.get('end', True) if isinstance(end, Mapping) else end))
    return destination
