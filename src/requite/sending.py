"""The half of the handle that sends: one exchange in the thread that runs it, and what others get to know of it."""

from __future__ import annotations

import threading
from logging import DEBUG
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

from requite import background
from requite.debugging import LOG
from requite.errors import AbortError, RequestError, RequestStateError
from requite.exchange import perform
from requite.watched import DONE, FAILED, RUNNING, Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import Carry
    from requite.options import Options
    from requite.protocols import Transport, Watch
    from requite.response import Response


class Sending(Watched):
    """A request on its way. It is sent by one thread; others wait for the outcome."""

    _transport: Transport
    _owner: Any = None
    _home: object = None
    _waiter: threading.Event | None = None

    def _run(self, whole: bool, outcome: Callable[[], Response] | None = None) -> None:
        """Performs the exchange in this thread, or takes the ``outcome`` of one that was; it ends up in ``_response`` or ``_error``.

        What the caller's own code raised on the way (a listener, a callback, the iterator of a body) propagates, and so does an interrupt.
        """
        self._home = background.home
        self._owner = get_ident() if self._stage is None else self._stage.here()
        self._state = RUNNING
        if self._options.progress:
            self._show_progress()
        response = None
        try:
            options = self._options
            if outcome is not None:
                response = outcome()
            elif options.retry is None and options.har_log is None and not LOG.isEnabledFor(DEBUG):
                response = perform(options, self._carry, self._transport, self)
            else:
                response = layered(options, self._carry, self._transport, self)
            if whole or self._emitter is not None:
                self._deliver(response, whole)
        except RequestError as error:
            if self._emitter is not None and self._emitter.raised is error:
                self._break_off(response, error)
                raise
            failure = (
                error
                if isinstance(error, AbortError) or not self.signal.aborted
                else AbortError('the request was aborted')
            )
            if self.hop is not None and self.hop.marks is not None:
                self._time(failure)
        except BaseException as error:
            self._break_off(response, error)
            raise
        else:
            self._finish(response, None)
            return
        if response is not None:
            response._reply.abort()
        self._finish(None, failure)
        self._body_failed(failure)

    def _time(self, error: RequestError) -> None:
        """Tells the error how far its hop came, and when."""
        from requite.timings import so_far

        if error.timings is None:
            error.timings = so_far(self.hop.marks)  # type: ignore[union-attr, arg-type]

    def _deliver(self, response: Response, whole: bool) -> None:
        """Tells of the response, and reads its body if that is wanted ``whole``."""
        told = self._response is response
        self._response = response
        emitter = self._emitter
        if emitter is not None and not told:
            response._emitter = emitter
            response._bar = self._bar
            response._with_body = self._has_callback
            self._call_back_first()
            emitter.emit('response', response)
            self.signal.check()
        if whole and response._streaming is None:
            response._collect()

    def _break_off(self, response: Response | None, error: BaseException) -> None:
        """Ends a run into which ``error`` came from outside; a response that was whole by then stays."""
        if response is not None and response._content is not None:
            self._finish(response, None)
            return
        if response is not None:
            response._reply.abort()
        if self._bar is not None:
            self._bar.end()
        self._finish(
            None,
            error
            if isinstance(error, Exception)
            else AbortError(f'the request was broken off by {type(error).__name__}'),
        )

    def _finish(self, response: Response | None, error: Exception | None) -> None:
        self._response = response
        self._error = error
        self._state = DONE if error is None else FAILED
        self._owner = None
        if self._waiter is not None:
            self._waiter.set()
        if self._emitter is not None and response is not None:
            self._attach(response)

    def _wait(self) -> None:
        """Waits for the thread that sends."""
        if self._state in (DONE, FAILED):
            return
        if self._owner == get_ident():
            raise RequestStateError(
                'the request is being sent by this very thread: a listener cannot ask for what is still to come, listen to "complete" instead'
            )
        if self._home not in (None, background.home):
            raise RequestStateError(
                'the request was being sent when this process was forked: only the parent gets its response, make another one here'
            )
        waiter = self.__dict__.setdefault('_waiter', threading.Event())
        if self._state not in (DONE, FAILED):
            waiter.wait()

    def _raise_failure(self) -> NoReturn:
        """Raises what came instead of a response, which is told thereby."""
        error = self._error
        assert error is not None
        self._told = True
        if isinstance(error, RequestError):
            error.request = self
        raise error

    # -- telling

    def _take_callback(self, callback: Callable[..., Any]) -> None:
        if self._has_callback:
            raise RequestStateError('the request has a callback already; add a listener with .on() instead')
        self._has_callback = True
        self._callback = callback
        if self._response is not None:
            self._response._with_body = True

    def _call_back(self, failure: RequestError | None = None) -> None:
        """Calls the callback, if it is still to be called and the request was not aborted."""
        callback, self._callback = self._callback, None
        if callback is None:
            return
        error, response = failure or self._error, self._response
        self._told = True
        if self.signal.aborted or isinstance(error, AbortError):
            return
        if error is None:
            callback(None, response, response.body)  # type: ignore[union-attr]
            return
        if isinstance(error, RequestError):
            error.request = self
        callback(error, None, None)

    def _collect_late(self) -> None:
        """Reads the body for a callback that came after the head; a failure is the callback's."""
        response = self._response
        if response is None or response._content is not None or response._streaming is not None:
            return
        self._call_back_first()
        try:
            response._collect()
        except RequestError as error:
            if self._emitter is not None and self._emitter.raised is error:
                raise
            self._call_back(error)

    def _call_back_first(self) -> None:
        """Node's order: its callback is the first listener of ``complete``."""
        if self._emitter is not None and self._callback is not None:
            self._emitter.put_first('complete', lambda *_: self._call_back())


def layered(options: Options, carry: Carry, transport: Transport, watch: Watch) -> Response:
    """The exchange, by the transports that the options want around the transport."""
    from requite.transport.layers import around

    outer = around(options, transport, watch)
    response = perform(options, carry, outer, watch)
    response.attempts = getattr(outer, 'attempts', 1)
    return response
