"""The half of the handle that is watched and stopped: listeners, what is over already, and ``abort()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import background
from requite.emitter import EVENTS, Emitter
from requite.errors import AbortError, RequestError, RequestStateError
from requite.intent import Intent

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from requite.message import AbortSignal
    from requite.response import Response

NEW, RUNNING, DONE, FAILED = range(4)


class Watched(Intent):
    """Listeners of one request, and its state as they see it."""

    signal: AbortSignal
    _state = NEW
    _response: Response | None = None
    _error: RequestError | None = None
    _emitter: Emitter | None = None
    _redirecting: Response | None = None
    _has_callback = False

    def on(self, event: str, listener: Callable[..., Any], once: bool = False) -> Self:
        """Has ``listener`` called on an event of Node's, with Node's arguments; at once if the event is over. Returns the request."""
        if event not in EVENTS:
            raise RequestStateError(f'there is no event {event!r}; there are {", ".join(sorted(EVENTS))}')
        past = self._past(event)
        if past is not None:
            listener(*past)
            if once:
                return self
        if self._emitter is None:
            self._emitter = Emitter()
            if self._response is not None:
                self._response._emitter = self._emitter
                self._response._watch = self._body_failed
        self._emitter.add(event, listener, once)
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

    def event(self, name: str, *arguments: Any) -> None:
        """Tells the listeners of an event."""
        if self._emitter is None:
            return
        if name == 'redirect':
            self._redirecting = arguments[0]
            arguments = ()
        self._emitter.emit(name, *arguments)

    def _past(self, event: str) -> tuple[Any, ...] | None:
        """The arguments of an event that is over, None when it is still to come."""
        response, error = self._response, self._error
        if event == 'request':
            return None if self.hop is None else (self.hop,)
        if event == 'error':
            return None if error is None or isinstance(error, AbortError) else (error,)
        if event == 'abort':
            return () if self.signal.aborted else None
        if response is None:
            return None
        if event == 'response':
            return (response,)
        if response._content is None:
            return None
        if event == 'data':
            return (response._content,) if response._content else None
        return {'end': (), 'close': (), 'complete': (response, response.body) if self._has_callback else (response,)}.get(event)

    # -- stopping

    def abort(self) -> None:
        """Stops the request at once, from any thread: before it is sent it never will be, after that its connection is closed. No callback is called."""
        if self._state is DONE and self._response is not None and self._response._reply.complete:
            return
        self.signal.abort()
        if background.claim(self):
            self._finish(None, AbortError('the request was aborted before it was sent'))
        elif self._state is DONE and self._response is not None:
            self._response._reply.abort()
        self.event('abort')
