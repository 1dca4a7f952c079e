"""The handle that ``request()`` returns: configured, not yet sent, and sent exactly once.

Who may send it is decided by ``background.claim``; whoever does not get it waits for the outcome.
"""

from __future__ import annotations

import sys
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ref

from requite import background
from requite.background import UNSENT
from requite.errors import InvalidOptionType, RequestStateError
from requite.message import AbortSignal
from requite.response import Response
from requite.watched import DONE, FAILED, NEW, RUNNING
from requite.writing import Writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from types import TracebackType

    from requite.message import Carry
    from requite.options import Options
    from requite.protocols import Transport

_OURS = (lambda: None).__code__.co_filename.removesuffix('request.py')
"""Where the code of this package lies: whoever calls from elsewhere made the request."""
_UNLISTED = frozenset(
    'awaiting counting event give hop inherited listening refused send_at_exit send_let_go signal tell'.split()
)
"""What the package calls from other modules: no business of completion."""


class Request(Writing):
    """One request. Configure it, then ask for it (``.response``, ``.end()``, iteration, ``with``), give it a callback, or ``.start()`` it;
    when it is simply let go, it is sent in the background. ``repr()`` never sends.
    """

    pipefilter: Callable[[Response, Any], Any] | None = None
    """Called with the response and the destination of a pipe, after status and headers went over and before the first byte does."""

    def __init__(self, options: Options, carry: Carry, transport: Transport, depth: int = 1) -> None:
        self._options = options
        self._carry = carry
        self._transport = transport
        self.signal = AbortSignal()
        # depth: how many calls of ours lie between here and the caller's line, where that is known.
        frame = sys._getframe(depth)
        while (code := frame.f_code).co_filename.startswith(_OURS) and frame.f_back is not None:
            frame = frame.f_back
        self._made = self.signal.made = (code, frame.f_lasti)  # the line is looked up when somebody wants to know
        UNSENT[id(self)] = ref(self)

    # -- asking

    @property
    def response(self) -> Response:
        """The response as soon as its head has arrived; its body streams. Sends the request if it was not sent yet; raises ``RequestError``."""
        if self._state is not DONE:
            if self._owner == get_ident() and (seen := self._response or self._redirecting) is not None:
                return seen
            self._ask(False)
        return self._response  # type: ignore[return-value]

    def end(self, chunk_or_callback: Any = None) -> Any:
        """Sends the request and reads the whole body; returns the ``Response``.

        A callable is a callback, called before this returns (which is then the request itself); bytes or str are the last piece of the body. In a listener of
        a request that is being written it only ends the body and returns the request: the thread that sends cannot wait for itself.
        """
        if callable(chunk_or_callback):
            self.give(chunk_or_callback)
            return self
        if chunk_or_callback is not None:
            self._write_last(chunk_or_callback)
        if self._feed is not None or self._written is not None:
            self._finish_writing()
            if self._outlasted():
                return self
        response = self._response
        if self._state is not DONE and not (
            self._owner == get_ident() and response is not None and response._content is not None
        ):
            self._ask(True)
            response = self._response
        if response._content is None and response._streaming in (None, ()):  # type: ignore[union-attr]
            response._collect()  # type: ignore[union-attr]
        elif response._fault is not None:  # type: ignore[union-attr]
            raise response._fault  # type: ignore[union-attr]
        return response

    def give(self, callback: Callable[..., Any]) -> None:
        """Sends the request now and calls ``callback(error, response, body)`` exactly once, before returning."""
        self._finish_writing()
        if self._outlasted(callback):
            return
        background.settle(self.signal, self._options.deadline)
        if background.claim(self):
            self._take_callback(callback)
            self._run(True)
        else:
            self._wait()
            self._take_callback(callback)
            self._collect_late()
        self._call_back()

    def start(self, callback: Callable[..., Any] | None = None) -> Request:
        """Sends the request in the background and returns at once; ``.end()`` then waits for it. ``callback`` is called on the thread that sends."""
        if callback is not None and not callable(callback):
            raise InvalidOptionType(f'the callback must be callable, not {callback!r}')
        if self._feed is not None and not self._feed.ended:
            task = self._wait_alone
        else:
            self._finish_writing()
            if not background.claim(self):
                raise RequestStateError(
                    'the request was sent or aborted already; make another one, or ask for .response'
                )
            self._home = background.home
            self._state = RUNNING
            task = self._run_alone
        if callback is not None:
            self._take_callback(callback)
        self._finish_writing()
        background.start(task)
        return self

    def pipe(self, sink: Any, end: Any = True) -> Any:
        """Copies the body of the response to ``sink`` now, and returns the sink: the same as ``requite.pipe(self, sink, end)``."""
        from requite.piping import pipe

        return pipe(self, sink, end)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def __await__(self) -> Generator[Any, None, Response]:
        """``await request``: the response with its body read, by a worker; being cancelled aborts the request."""
        from requite import aio

        return (yield from aio.whole(self).__await__())

    def __aiter__(self) -> AsyncIterator[bytes]:
        from requite import aio

        return aio.Pieces(self)

    async def __aenter__(self) -> Response:
        from requite import aio

        return await aio.head(self)

    async def __aexit__(self, *error: object) -> None:
        if self._response is not None:
            self._response.close()

    def __enter__(self) -> Response:
        return self.response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()

    def _ask(self, whole: bool) -> None:
        """Makes sure that there is a response, by sending or by waiting; raises what came instead."""
        if self._feed is not None or self._written is not None:
            self._finish_writing(False)
        # before the claim: whoever we wait for here may ask for this very request
        background.settle(self.signal, self._options.deadline)
        if UNSENT.pop(id(self), None) is not None:
            self._run(whole)
        else:
            self._wait()
        if self._error is not None:
            self._raise_failure()

    # -- let go

    def __del__(self) -> None:
        state = self._state
        if state is DONE:
            return
        if state is NEW:
            if UNSENT.pop(id(self), None) is None or self.inherited or self.refused:
                return
            if self._written is not None:
                self._warn('its body was still open: call end() after the last write() or append()')
            elif sys.is_finalizing():
                self._warn('the interpreter was ending')
            else:
                background.let_go(self)
        elif self._feed is not None or state is FAILED:
            self.tell()

    # -- describing

    def __dir__(self) -> list[str]:
        """Without ``response`` until it is there: whoever looks at every attribute, as debuggers do, must not send."""
        hidden = _UNLISTED if self._state is DONE else _UNLISTED | {'response'}
        return [name for name in object.__dir__(self) if name not in hidden]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            'a request cannot be copied or pickled, it is sent once: pickle the wrapper that makes it (request.defaults(...)) '
            'and the options of the call, or, once it was sent, request.response'
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What IPython and notebooks show: the response, for which the request is sent."""
        from requite.shown import bundle_of_request

        return bundle_of_request(self)

    def __repr__(self) -> str:
        if self._state is DONE and self._response is not None:
            return f'<Request {self._response.summary()}>'
        state = ('not sent', 'being sent', 'sent', 'failed')[self._state]
        return f'<Request {self.method} {self.uri.redacted()} ({"aborted" if self.signal.aborted else state})>'


def _shown(response: Response) -> dict[str, Any]:
    from requite.shown import bundle

    return bundle(response)


def _piped(response: Response, sink: Any, end: Any) -> Any:
    from requite.piping import pipe

    return pipe(response, sink, end)


def _awaited(response: Response, items: Iterator[Any] | None = None) -> AsyncIterator[Any]:
    from requite import aio

    return aio.Pieces(None, response, items)


# A response lies floors below the pipes and asyncio: it is handed what copies and awaits instead of importing it.
Response._piped = _piped
Response._shown = _shown
Response._awaited = _awaited
