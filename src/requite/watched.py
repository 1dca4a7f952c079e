"""The half of the handle that is watched and stopped: listeners, what is over already, and ``abort()``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from weakref import ref

from requite import background, checks
from requite.emitter import EVENTS, Emitter
from requite.errors import (
    AbortError,
    ConnectTimeout,
    DeadlineExceeded,
    InvalidOptionType,
    OptionsError,
    ReadTimeout,
    RequestError,
)
from requite.intent import Intent

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from requite.message import AbortSignal
    from requite.protocols import Stage
    from requite.response import Response

NEW, RUNNING, DONE, FAILED = range(4)

CLOCKS = (ReadTimeout, ConnectTimeout, DeadlineExceeded)
"""Errors before which Node emits ``abort``: it stops the request itself when a clock has run out."""


class Watched(Intent):
    """Listeners of one request, and its state as they see it.

    Other threads may add listeners while the request runs. Whoever runs it stores first what happened and looks for listeners then; whoever listens makes
    himself known first and looks then at what happened.
    """

    signal: AbortSignal
    _state = NEW
    _response: Response | None = None
    _error: Exception | None = None
    _emitter: Emitter | None = None
    _stage: Stage | None = None
    _redirecting: Response | None = None
    _socket: Any = None
    _callback: Callable[..., Any] | None = None
    _has_callback = False
    _announced: Exception | None = None
    _told = False
    _bar: Any = None
    awaiting = 0
    """How many tasks await it; when the last of them is cancelled, it is aborted."""

    def on(self, event: str, listener: Callable[..., Any], once: bool = False) -> Self:
        """Has ``listener`` called on an event of Node's, with Node's arguments; at once if the event is over. Returns the request.

        Raises ``OptionsError`` for an event that does not exist, ``InvalidOptionType`` for what cannot be called, or would have to be awaited. A ``socket`` listener that comes after the connection went on to others gets None.
        """
        if event not in EVENTS or checks.deferred(listener) or not callable(listener):
            self.refused = True
        if event not in EVENTS:
            raise OptionsError(f'there is no event {event!r}; there are {", ".join(sorted(EVENTS))}')
        if not callable(listener):
            raise InvalidOptionType(f'the listener of {event!r} must be callable, not {listener!r}')
        if checks.deferred(listener):
            raise InvalidOptionType(
                f'the listener of {event!r} is an async function or a generator, whose answer nobody awaits; give a plain function, '
                'which may call asyncio.ensure_future'
            )
        emitter = self._emitter
        if emitter is None:
            emitter = self.__dict__.setdefault('_emitter', Emitter(self._stage))
            if self._response is not None:
                self._attach(self._response)
        emitter.add(event, listener, once, self._past)
        return self

    def once(self, event: str, listener: Callable[..., Any]) -> Self:
        """Like ``on``, for the first time only."""
        return self.on(event, listener, True)

    def off(self, event: str, listener: Callable[..., Any]) -> Self:
        """Takes a listener away again."""
        if self._emitter is not None:
            self._emitter.remove(event, listener)
        return self

    @property
    def listening(self) -> bool:
        """Whether anybody listens to events."""
        return self._emitter is not None

    @property
    def counting(self) -> bool:
        """Whether anybody listens to ``progress``."""
        return self._emitter is not None and self._emitter.has('progress')

    def _show_progress(self) -> None:
        """Has a bar drawn on a terminal, as ``progress=True`` asks; elsewhere nothing is shown."""
        stream = sys.stderr
        if self._bar is None and stream is not None and stream.isatty():
            from requite.progressbar import Bar

            self._bar = Bar(stream)
            self.on('progress', self._bar)

    def event(self, name: str, *arguments: Any) -> None:
        """Tells the listeners of an event."""
        if name == 'redirect':
            self._redirecting = arguments[0]
            arguments = ()
        elif name == 'socket':
            self._socket = arguments[0]
        if self._emitter is not None:
            self._emitter.emit(name, *arguments)

    def _attach(self, response: Response) -> None:
        """Has the response tell the listeners of its body."""
        response._emitter = self._emitter
        response._bar = self._bar
        response._with_body = self._has_callback
        response._watch = self._body_failed

    def _past(self, event: str) -> tuple[Any, ...] | None:
        """The arguments of an event that is over, None when it is still to come."""
        response, error = self._response, self._error
        if event in ('hop', 'request'):
            return None if self.hop is None else (self.hop,)
        if event == 'abort':
            return () if self.signal.aborted or isinstance(error, CLOCKS) else None
        if event == 'error':
            fault = error if response is None else response._fault
            return (fault,) if isinstance(fault, RequestError) and not isinstance(fault, AbortError) else None
        if event == 'socket' and (self._socket is not None or response is not None):
            return (self._socket or self.signal._socket,)
        if response is None:
            return None
        if event == 'response':
            return (response,)
        if event == 'redirect':
            return () if response.redirects else None
        return self._past_body(event, response)

    def _past_body(self, event: str, response: Response) -> tuple[Any, ...] | None:
        if event == 'data':
            if not response._content:
                return None
            options = response._options
            return (response.text if options.given('encoding') and options.encoding is not None else response._content,)
        if response._content is None and not response._ended:
            return None
        if event == 'complete':
            return (response, response.body) if self._has_callback else (response,)
        return () if event in ('end', 'close') else None

    def _body_failed(self, error: RequestError) -> None:
        """Tells callback and listeners of a failure, once; as in Node a clock that ran out also aborts. An abort of the caller's own is no error."""
        if error is self._announced:
            return
        self._announced = error
        if self._bar is not None:
            self._bar.end()
        emitter = self._emitter
        if emitter is not None and isinstance(error, CLOCKS):
            emitter.emit('abort')
        self._call_back(error)
        if (
            emitter is not None
            and not isinstance(error, AbortError)
            and emitter.has('error')
            and error is not emitter.raised
        ):
            self._told = True
            error.request = self
            emitter.emit('error', error)

    def _call_back(self, failure: RequestError | None = None) -> None:
        raise NotImplementedError

    def _finish(self, response: Response | None, error: Exception | None) -> None:
        raise NotImplementedError

    # -- stopping

    def _stop_writing(self) -> None:
        """Wakes whoever writes the body or waits for what is written."""

    def abort(self) -> None:
        """Stops the request at once, from any thread: before it is sent it never will be, after that its connection is closed. No callback is called.

        As in Node, each call is an ``abort`` event, and aborting a request that is over does no harm.
        """
        response = self._response
        if self._state is not FAILED and not (
            self._state is DONE and response is not None and response._reply.complete
        ):
            self.signal.abort()
            self._stop_writing()
            if background.UNSENT.pop(id(self), None) is not None:
                self._finish(None, AbortError('the request was aborted before it was sent'))
                background.UNTOLD[id(self)] = ref(self)
            elif self._state is DONE and response is not None and not _is_read(response):
                response._reply.abort()
        if self._emitter is not None:
            self._emitter.emit('abort')


def _is_read(response: Response) -> bool:
    """Whether a thread is reading the body this very moment: it is woken by the signal, and gives the connection up itself."""
    streaming = response._streaming
    if streaming == ():
        return response._content is None and response._fault is None
    return streaming is not None and streaming.running
