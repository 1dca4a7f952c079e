"""Pipes in a coroutine: the copying is done by a worker, and what only the loop can do is done by the task that awaits it.

A worker that needs a message of an ASGI server, or has one for it, waits until the task has awaited that. So no side runs ahead of the other, and there is
nothing between them that could fill up.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from inspect import iscoroutinefunction
from threading import get_ident
from typing import TYPE_CHECKING, Any

from requite import aio, background
from requite.body.source import as_bytes
from requite.crossing import Client, Crossing, current
from requite.errors import AbortError, OptionsError, RequestStateError
from requite.inflow import Source
from requite.intent import Intent
from requite.piping import ends, pipe
from requite.response import Response

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task
    from collections.abc import Awaitable, Callable, Iterator


async def apipe(source: Any, destination: Any, end: Any = True, ok_only: bool = False) -> Any:
    """``pipe(source, destination, end, ok_only)`` without blocking the loop: a worker copies, with constant memory. Returns the destination.

    Besides the ends of ``pipe`` there are ``asgi.Incoming`` and asynchronous iterables of bytes as sources, ``asgi.Outgoing`` and objects whose
    ``write`` is a coroutine function as destinations. Being cancelled closes the connections on both sides. When the client of an ASGI server leaves, the
    exchange with the origin is broken off and ``ConnectionReset`` is raised; every other error is that of ``pipe``.
    """
    loop = aio.running('apipe')
    if isinstance(destination, Intent) and not ends(end):
        destination.refused = True
        raise OptionsError(
            'end=False leaves a request open to be written to, which waits: in a coroutine pipe an asynchronous iterable of all that is to be sent'
        )
    requests = [side for side in (source, destination) if isinstance(side, Intent)]
    for handle in requests:
        aio.attend(handle)  # type: ignore[arg-type]
    client = getattr(source, 'client', None)
    client = client if isinstance(client, Client) else None
    crossing = Crossing(loop, _stoppers(source, destination), client)
    onward = isinstance(destination, Intent)
    thread = get_ident()

    def work() -> None:
        for handle in requests:
            background.settle(handle.signal, handle._options.deadline, thread)
        if not requests:
            background.settle(thread=thread)
        with crossing:
            pipe(_flowing(source, loop), _absorbing(destination, end), end, ok_only)

    place, most = aio.place(requests[-1]) if requests else (None, 0)  # type: ignore[arg-type]
    await crossing.carry(work, place, most, onward)
    if client is not None and onward:
        # Whoever pipes the answer on has to know when the client leaves.
        destination.client = destination.response.client = client
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


class Awaited:
    """A body whose pieces are awaited one by one, each when the one before was sent: ``take`` gives the next one, None at the end.

    Who sends may ask first whether a piece is there, and receive an answer meanwhile (see ``requite.handover``).
    """

    __slots__ = ('_errand', '_first', '_loop', '_take', '_task', '_used', 'headers', 'length', 'live', 'replayable')

    def __init__(
        self,
        loop: AbstractEventLoop,
        take: Callable[[], Awaitable[bytes | None]],
        length: int | None = None,
        first: bytes = b'',
    ) -> None:
        self._loop = loop
        self._take = take
        self._first = first
        self._errand: aio.Errand | None = None
        self._task: Task[None] | None = None
        self._used = False
        self.headers: tuple[tuple[str, str], ...] = ()
        self.length = length
        self.live = self
        self.replayable = False

    def chunks(self) -> Iterator[bytes]:
        if self._used:
            raise RequestStateError('the body is awaited piece by piece and was used up; it cannot be sent again')
        self._used = True
        if self._first:
            yield self._first
            self._first = b''
        while (piece := self._next()) is not None:
            if piece:
                yield as_bytes(piece)

    def ready(self, signal: Callable[[], object]) -> bool:
        """Whether the next piece, or the end, can be had without waiting; if not, ``signal`` is called when it is worth asking again."""
        if self._first and not self._used:
            return True
        errand = self._errand
        if errand is None:
            errand = self._ask(signal)
        else:
            errand.then = signal
        return errand.done  # looked at last: who was done before knew nobody to tell

    def _next(self) -> bytes | None:
        errand = self._errand or self._ask(None)
        try:
            return errand.wait(self._loop)  # type: ignore[no-any-return]
        finally:
            self._errand = None

    def _ask(self, then: Callable[[], object] | None) -> aio.Errand:
        self._errand = errand = aio.Errand(_cancelled)
        errand.then = then
        try:
            self._loop.call_soon_threadsafe(self._begin, errand)
        except RuntimeError:
            errand.run()
        return errand

    def _begin(self, errand: aio.Errand) -> None:
        self._task = self._loop.create_task(aio.settle(errand, self._take))

    def over(self) -> None:
        """Nothing more is wanted; called in any thread, and never waits."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.stop)

    def stop(self) -> None:
        """The same on the thread of the loop; whoever waits for a piece is told."""
        if self._task is not None:
            self._task.cancel()
        errand = self._errand
        if errand is not None:
            errand.run()


def _cancelled() -> None:
    raise AbortError('the pipe was cancelled')


class _Flowing:
    """An asynchronous iterable of bytes as a source."""

    def __init__(self, pieces: Any, loop: AbstractEventLoop) -> None:
        self._pieces = aiter(pieces)
        self._body = Awaited(loop, self._next)
        current().when_stopped(self._body.stop)
        self._loop = loop
        self._closing: Task[None] | None = None

    def piped_out(self) -> Source:
        return Source(self._body, [], self._over)

    async def _next(self) -> Any:
        try:
            return await self._pieces.__anext__()
        except StopAsyncIteration:
            return None

    def _over(self) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._begin_to_close)

    def _begin_to_close(self) -> None:
        self._closing = self._loop.create_task(self._close())

    async def _close(self) -> None:
        from asyncio import wait

        task = self._body._task
        if task is not None:
            task.cancel()
            await wait((task,))
        close = getattr(self._pieces, 'aclose', None)
        if close is not None:
            await close()


class _Absorbing:
    """An object whose ``write`` is a coroutine function, as a destination."""

    stays_open = True
    """It may, with ``end=False``."""

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


def _flowing(source: Any, loop: AbstractEventLoop) -> Any:
    if hasattr(source, '__aiter__') and not isinstance(source, (Intent, Response)):
        return _Flowing(source, loop)
    return source


def _absorbing(destination: Any, end: Any) -> Any:
    if iscoroutinefunction(getattr(destination, 'write', None)) and not isinstance(destination, Intent):
        return _Absorbing(destination, ends(end))
    return destination
