"""The handle that ``request()`` returns: configured, not yet sent, and sent exactly once.

Who may send it is decided by ``background.claim``; whoever does not get it waits for the outcome.
"""

from __future__ import annotations

import sys
import threading
import warnings
from threading import get_ident
from typing import TYPE_CHECKING, Any

from requite import background
from requite.errors import (
    AbortError,
    ConnectTimeout,
    DeadlineExceeded,
    ReadTimeout,
    RequestError,
    RequestNotSentWarning,
    RequestStateError,
)
from requite.exchange import perform
from requite.message import AbortSignal
from requite.watched import DONE, FAILED, NEW, RUNNING, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from requite.message import Carry
    from requite.options import Options
    from requite.protocols import Transport
    from requite.response import Response

_LOCK = threading.Lock()


class Request(Watched):
    """One request. Configure it, then ask for it (``.response``, ``.end()``, iteration, ``with``), give it a callback, or ``.start()`` it;
    when it is simply let go, it is sent in the background. ``repr()`` never sends.
    """

    _owner: int | None = None
    _waiter: threading.Event | None = None
    _started = False
    _told = False
    _inherited = False

    def __init__(self, options: Options, carry: Carry, transport: Transport) -> None:
        self._options = options
        self._carry = carry
        self._transport = transport
        self.signal = AbortSignal()
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals.get('__name__', '').partition('.')[0] == 'requite':
            frame = frame.f_back
        self._made = (frame.f_code.co_filename, frame.f_lineno)
        background.hold(self)

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
        if self._state is not DONE:
            self._ask(True)
        response: Response = self._response  # type: ignore[assignment]
        if response._content is None and response._streaming is None:
            response._collect()
        elif response._fault is not None:
            raise response._fault
        return response

    def give(self, callback: Callable[..., Any]) -> None:
        """Sends the request now and calls ``callback(error, response, body)`` exactly once, before returning."""
        self._finish_writing()
        self._take_callback()
        if background.claim(self):
            background.settle()
            self._run(True)
        else:
            self._wait()
        self._call_back(callback)

    def start(self, callback: Callable[..., Any] | None = None) -> Request:
        """Sends the request in the background and returns at once; ``.end()`` then waits for it."""
        self._finish_writing()
        if callback is not None:
            self._take_callback()
        if not background.claim(self):
            raise RequestStateError('the request was sent already; make another one, or ask for .response')
        self._state = RUNNING
        self._started = True
        background.settle()
        background.WORKERS.submit(lambda: self._run_alone(callback))
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def __enter__(self) -> Response:
        return self.response

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._response is not None:
            self._response.close()

    # -- sending

    def _ask(self, whole: bool) -> None:
        """Makes sure that there is a response, by sending or by waiting; raises what came instead."""
        if background.claim(self):
            self._state = RUNNING
            background.settle()
            self._run(whole)
        elif self._state not in (DONE, FAILED):
            self._wait()
        if self._error is not None:
            self._told = True
            raise self._error

    def _run(self, whole: bool) -> None:
        """Performs the exchange in this thread; its outcome ends up in ``_response`` or ``_error``. Other exceptions than ours propagate."""
        self._state = RUNNING
        self._owner = get_ident()
        try:
            response = perform(self._options, self._carry, self._transport, self)
            if self._emitter is not None or whole:
                self._response = response
                self._deliver(response, whole)
        except RequestError as error:
            self._fail(error)
        except BaseException as error:
            self.signal.abort()
            self._finish(None, AbortError(f'the request was broken off by {type(error).__name__}'))
            raise
        else:
            self._finish(response, None)

    def _deliver(self, response: Response, whole: bool) -> None:
        if self._emitter is not None:
            response._emitter = self._emitter
            response._with_body = self._has_callback
            self._emitter.emit('response', response)
            self.signal.check()
        if whole and response._streaming is None:
            response._collect()
        if self._emitter is not None:
            response._watch = self._body_failed

    def _fail(self, error: RequestError) -> None:
        error.request = self
        self._finish(None, error)
        self._body_failed(error)

    def _body_failed(self, error: RequestError) -> None:
        """Tells the listeners of a failure; as in Node a clock that ran out also aborts. An abort of the caller's own is no error."""
        if self._emitter is None or isinstance(error, AbortError):
            return
        if isinstance(error, (ReadTimeout, ConnectTimeout, DeadlineExceeded)):
            self._emitter.emit('abort')
        self._told = self._emitter.emit('error', error) or self._told

    def _finish(self, response: Response | None, error: RequestError | None) -> None:
        with _LOCK:
            self._owner = None
            self._response, self._error = response, error
            self._state = DONE if error is None else FAILED
            waiter = self._waiter
        if waiter is not None:
            waiter.set()

    def _wait(self) -> None:
        """Waits for the thread that sends."""
        if self._owner == get_ident():
            raise RequestStateError('the request is being sent by this very thread: a listener cannot ask for what is still to come')
        with _LOCK:
            if self._state in (DONE, FAILED):
                return
            if self._waiter is None:
                self._waiter = threading.Event()
            waiter = self._waiter
        waiter.wait()

    # -- telling

    def _take_callback(self) -> None:
        if self._has_callback:
            raise RequestStateError('the request has a callback already; add a listener with .on() instead')
        self._has_callback = True

    def _call_back(self, callback: Callable[..., Any]) -> None:
        error = self._error
        self._told = True
        if isinstance(error, AbortError):
            return
        if error is not None:
            callback(error, None, None)
        else:
            callback(None, self._response, self._response.body)  # type: ignore[union-attr]

    def _run_alone(self, callback: Callable[..., Any] | None = None) -> None:
        """Performs the exchange in a worker, with nobody waiting."""
        self._run(True)
        if callback is not None:
            self._call_back(callback)

    # -- being let go

    @property
    def made_at(self) -> str:
        """The file and line that made the request."""
        return f'{self._made[0]}:{self._made[1]}'

    def send_let_go(self) -> None:
        """Sends a request that nobody holds any more; a failure goes to its listeners, else to the ``requite`` logger."""
        try:
            self._run_alone()
        except Exception as error:
            background.report(self, error)
            return
        if self._error is not None and not self._told:
            self._told = True
            background.report(self, self._error)

    def send_at_exit(self) -> None:
        """Sends a request that is still held when the interpreter ends."""
        if self._inherited or self._unsendable():
            return
        if background.claim(self):
            self.send_let_go()

    def leave_to_parent(self) -> None:
        """Marks, after a fork, that sending it unasked is the parent's business."""
        self._inherited = True

    def _unsendable(self) -> bool:
        """Whether the body is still open, which is worth a warning."""
        if self._written is None:
            return False
        self._warn('its body was still open: call end() after the last write()')
        return True

    def _warn(self, reason: str) -> None:
        message = f'{self!r} was let go and is not sent, {reason}'
        warnings.warn_explicit(RequestNotSentWarning(message), None, *self._made)

    def __del__(self) -> None:
        if self._state is NEW:
            if background is not None and background.UNSENT.pop(id(self), None) is not None and not self._inherited and not self._unsendable():
                background.let_go(self)
        elif self._state is FAILED and not self._told:
            self._left(self._error)

    def _left(self, error: RequestError | None) -> None:
        if self._started and not isinstance(error, AbortError) and error is not None:
            background.report(self, error)
        elif isinstance(error, AbortError) and self.hop is None and not self._started:
            self._warn('it had been aborted')

    def __repr__(self) -> str:
        if self._state is DONE and self._response is not None:
            state = str(self._response.status_code)
        else:
            state = ('not sent', 'being sent', 'sent', 'failed')[self._state]
            state = f'({"aborted" if self.signal.aborted else state})'
        return f'<Request {self.method} {self.uri.redacted()} {state}>'
