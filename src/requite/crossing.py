"""Between a worker that copies and the task that awaits the copying: what only the loop can do is done there, while the worker waits.

So no side runs ahead of the other, and there is nothing between them that could fill up.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from requite import aio
from requite.errors import AbortError, ConnectionReset, RequestStateError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Task
    from collections.abc import Awaitable, Callable

LEFT = 'the client left before the exchange was over'

_here = threading.local()


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

    __slots__ = ('_leaving', '_watching', 'crossing', 'heard', 'left')

    def __init__(self, leaving: Callable[[], Awaitable[bool]]) -> None:
        self._leaving = leaving
        self._watching: Task[None] | None = None
        self.crossing: Crossing | None = None
        self.heard = False
        self.left = False

    def watch(self, loop: AbstractEventLoop) -> None:
        """Waits for the client to leave, as soon as there is nothing else to come from it."""
        if self.heard and not self.left and self._watching is None:
            self._watching = loop.create_task(self._see_off())

    async def _see_off(self) -> None:
        left = True
        with suppress(Exception):  # a server that cannot tell any more has lost the client
            left = await self._leaving()
        if left and (self.crossing is None or not self.crossing.answered):
            self.gone()

    def gone(self) -> None:
        """It has left: ends what is going on for it."""
        self.left = True
        if self.crossing is not None:
            self.crossing.stop()

    async def forget(self) -> None:
        """Nobody wants to know any more whether it leaves."""
        from asyncio import wait

        if self._watching is not None:
            self._watching.cancel()
            await wait((self._watching,))


class Crossing:
    """The task that awaits a pipe, as the worker sees it that does the copying. ``answered`` is True when the client has all that it was to get."""

    def __init__(self, loop: AbstractEventLoop, stoppers: list[Callable[[], Any]], client: Client | None) -> None:
        self.loop = loop
        self._stoppers = stoppers
        self._client = client
        self._errand: tuple[aio.Errand, Callable[[], Awaitable[Any]]] | None = None
        self._bell: Future[None] | None = None
        self._over = False
        self.answered = False

    def when_stopped(self, stop: Callable[[], Any]) -> None:
        """Has ``stop`` called when the pipe is cancelled or the client leaves."""
        self._stoppers.append(stop)

    # -- in the worker

    def __enter__(self) -> None:
        _here.crossing = self

    def __exit__(self, *_: object) -> None:
        _here.crossing = None

    def call(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """Has the task await ``make()``; gives its result, raises its error."""
        errand = aio.Errand(self._refuse)
        self.soon(partial(self._post, errand, make))
        return errand.wait(self.loop)

    def soon(self, task: Callable[[], Any]) -> None:
        """Has ``task`` called on the thread of the loop, without waiting for it."""
        try:
            self.loop.call_soon_threadsafe(task)
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

    async def carry(self, work: Callable[[], Any], place: Any, most: int, onward: bool) -> None:
        """Has a worker do ``work``, and does meanwhile what that asks for; raises what it raises. The client goes on being watched only ``onward``."""
        client = self._client
        done = aio.begin(work, place, most)
        done.add_done_callback(self._ring)
        if client is not None:
            client.crossing = self
            client.watch(self.loop)
        try:
            await self._serve(done)
        except BaseException:
            self._over = True
            self.stop()
            raise
        finally:
            if client is not None:
                client.crossing = None
        _, error = done.result()
        try:
            if client is not None and (error is not None or not onward):
                await client.forget()
            if isinstance(error, AbortError) and self._gone():
                raise ConnectionReset(LEFT) from None
            if error is not None:
                raise error
        finally:
            del error  # its traceback knows this frame

    async def _serve(self, done: Future[Any]) -> None:
        while True:
            wish, self._errand = self._errand, None
            if wish is not None:
                errand, make = wish
                await aio.settle(errand, make)
            elif done.done():
                return
            else:
                self._bell = self.loop.create_future()
                await self._bell

    def stop(self) -> None:
        """Ends the exchanges behind both ends; the worker finds out."""
        for stop in self._stoppers:
            stop()
        if self._errand is not None:
            self._errand[0].run()
            self._errand = None
