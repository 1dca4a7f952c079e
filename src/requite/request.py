"""The handle that ``request()`` returns: configured, not yet sent, and sent exactly once.

Who may send it is decided by ``background.claim``; whoever does not get it waits for the outcome.
"""

from __future__ import annotations

import logging
import sys
import warnings
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import ref

from requite import background
from requite.background import UNSENT, UNTOLD
from requite.errors import AbortError, InvalidOptionType, RequestError, RequestNotSentWarning, RequestStateError
from requite.message import AbortSignal
from requite.response import Response
from requite.sending import Sending
from requite.watched import DONE, FAILED, NEW, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from requite.message import Carry
    from requite.options import Options
    from requite.protocols import Transport

_OURS = (lambda: None).__code__.co_filename.removesuffix('request.py')
"""Where the code of this package lies: whoever calls from elsewhere made the request."""


class Request(Sending):
    """One request. Configure it, then ask for it (``.response``, ``.end()``, iteration, ``with``), give it a callback, or ``.start()`` it;
    when it is simply let go, it is sent in the background. ``repr()`` never sends.
    """

    pipefilter: Callable[[Response, Any], Any] | None = None
    """Called with the response and the destination of a pipe, after status and headers went over and before the first byte does."""

    inherited = False
    """True in a forked child for what the parent had not sent yet: unasked, that is the parent's to send."""

    def __init__(self, options: Options, carry: Carry, transport: Transport, depth: int = 1) -> None:
        self._options = options
        self._carry = carry
        self._transport = transport
        self.signal = AbortSignal()
        # depth: how many calls of ours lie between here and the caller's line, where that is known.
        frame = sys._getframe(depth)
        while (code := frame.f_code).co_filename.startswith(_OURS) and frame.f_back is not None:
            frame = frame.f_back
        self._made = (code, frame.f_lasti)  # the line is looked up when somebody wants to know
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

        A callable is a callback, called before this returns (which is then the request itself); bytes or str are the last piece of the body.
        """
        if callable(chunk_or_callback):
            self.give(chunk_or_callback)
            return self
        if chunk_or_callback is not None:
            self.write(chunk_or_callback)
        self._finish_writing()
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
        background.settle()
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
        self._finish_writing()
        if not background.claim(self):
            raise RequestStateError('the request was sent or aborted already; make another one, or ask for .response')
        self._home = background.home
        self._state = RUNNING
        if callback is not None:
            self._take_callback(callback)
        background.start(self._run_alone)
        return self

    def pipe(self, sink: Any, end: Any = True) -> Any:
        """Copies the body of the response to ``sink`` now, and returns the sink: the same as ``requite.pipe(self, sink, end)``."""
        from requite.piping import pipe

        return pipe(self, sink, end)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def __await__(self) -> NoReturn:
        self._not_here_yet('await')

    def __aiter__(self) -> NoReturn:
        self._not_here_yet('async for')

    async def __aenter__(self) -> NoReturn:
        self._not_here_yet('async with')

    async def __aexit__(self, *error: object) -> None:
        """There for ``async with`` to reach ``__aenter__``, which says that it is not available yet."""

    def _not_here_yet(self, what: str) -> NoReturn:
        self.refused = True
        raise NotImplementedError(
            f'{what} is not available in this version of requite; ask for .end() in a worker thread'
        )

    def __enter__(self) -> Response:
        return self.response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._response is not None:
            self._response.close()

    def _ask(self, whole: bool) -> None:
        """Makes sure that there is a response, by sending or by waiting; raises what came instead."""
        background.settle()  # before the claim: whoever we wait for here may ask for this very request
        if UNSENT.pop(id(self), None) is not None:
            self._run(whole)
        else:
            self._wait()
        error = self._error
        if error is not None:
            self._told = True
            if isinstance(error, RequestError):
                error.request = self
            raise error

    # -- in the background

    def _run_alone(self) -> None:
        """Performs the exchange in a worker, with nobody waiting; a failure is kept for whoever asks."""
        try:
            self._run(True)
            self._call_back()
        except Exception as error:  # noqa: BLE001 - kept for whoever asks, or logged
            if error is not self._error:
                self._report(error)
        failure = self._error
        if failure is not None and not self._told and not isinstance(failure, AbortError):
            if isinstance(failure, RequestError):
                failure.__traceback__ = failure.__context__ = None  # its frames would keep the request alive
            UNTOLD[id(self)] = ref(self)

    @property
    def made_at(self) -> str:
        """The file and line that made the request."""
        return '{}:{}'.format(*self._place())

    def _place(self) -> tuple[str, int]:
        code, offset = self._made
        line = next(
            (line for start, end, line in code.co_lines() if start <= offset < end and line), code.co_firstlineno
        )
        return code.co_filename, line

    def send_let_go(self) -> None:
        """Sends a request that nobody holds any more, or tells of its failure if it was sent; that goes to its listeners, else to the ``requite`` logger."""
        if self._state is NEW:
            try:
                self._run(True)
            except BaseException as error:
                self._report(error)
                if not isinstance(error, Exception):
                    raise
                return
        if self._error is not None and not self._told and not isinstance(self._error, AbortError):
            self._report(self._error)

    def send_at_exit(self) -> None:
        """Sends a request that is still held when the interpreter ends."""
        if background.claim(self) and not self.refused:
            if self._written is not None:
                self._warn('its body is still open: call end() after the last write() or append()')
            else:
                self.send_let_go()

    def tell(self) -> None:
        """Tells, once, that nothing came of the request and nobody knows."""
        if UNTOLD.pop(id(self), None) is None or self._told:
            return
        if isinstance(self._error, AbortError):
            self._warn('it had been aborted')
        elif self._error is not None:
            background.let_go(self)

    def _report(self, error: BaseException) -> None:
        self._told = True
        trace = (
            None if isinstance(error, RequestError) else error
        )  # the caller's own code wants its line, an error of ours has a text
        text = '%r, made at %s, failed and nobody listens: %s: %s'
        logging.getLogger('requite').error(text, self, self.made_at, type(error).__name__, error, exc_info=trace)

    def _warn(self, reason: str) -> None:
        warnings.warn_explicit(
            RequestNotSentWarning(f'{self!r} was let go and is not sent, {reason}'), None, *self._place()
        )

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
        elif state is FAILED:
            self.tell()

    # -- describing

    def __dir__(self) -> list[str]:
        """Without ``response`` until it is there: whoever looks at every attribute, as debuggers do, must not send."""
        return [name for name in object.__dir__(self) if name != 'response' or self._state is DONE]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            'a request cannot be copied or pickled, it is sent once: make another one with the same options, or keep its response.body'
        )

    def __repr__(self) -> str:
        if self._state is DONE and self._response is not None:
            state = str(self._response.status_code)
        else:
            state = ('not sent', 'being sent', 'sent', 'failed')[self._state]
            state = f'({"aborted" if self.signal.aborted else state})'
        return f'<Request {self.method} {self.uri.redacted()} {state}>'


def _piped(response: Response, sink: Any, end: Any) -> Any:
    from requite.piping import pipe

    return pipe(response, sink, end)


# A response lies floors below the pipes: it is handed what copies instead of importing it.
Response._piped = _piped
