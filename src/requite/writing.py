"""The half of the handle that is written to: the first piece sends the request, and each goes out while the next is still to come.

A thread of its own carries the exchange. It knows the request by a weak reference only: whoever drops a request whose body is open ends it.
"""

from __future__ import annotations

from threading import Thread, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import ref

from requite import background, configure
from requite.body.source import DeclaredBody, as_bytes
from requite.errors import RequestError, RequestStateError
from requite.handover import WrittenBody
from requite.sending import layered
from requite.unattended import Unattended
from requite.watched import FAILED, RUNNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.message import AbortSignal, Carry, Hop
    from requite.options import Options
    from requite.protocols import Transport
    from requite.response import Response


class Writing(Unattended):
    """A request whose body is written while it is sent."""

    _feed: WrittenBody | None = None
    _writer: int | None = None

    def write(self, chunk: Any) -> bool:
        """Sends a piece of the body, which then is open until ``end()``. The first one sends the request: with your ``content-length``, or else chunked.

        ``chunk`` is bytes, or str to be sent as UTF-8. False tells to pause: 64 KiB or more wait to be sent, and ``drain`` follows when they are. Who writes on
        is held while more than 1 MiB waits, but never a listener on the thread that sends. False also comes back once the server has answered: nothing
        more is sent then, ``end()`` gives the answer. Raises ``InvalidBody`` for what is no piece of a body, the error of an exchange that has failed,
        and ``RequestStateError`` after ``end()`` and in a forked child. Node: ``request.write``, which holds nobody and buffers without bound.
        """
        feed = self._feed
        if feed is None:
            options = self._writable()
            self.refused = True
            piece = as_bytes(chunk)
            feed = self._begin(options)
        else:
            self._check_open(feed)
            piece = as_bytes(chunk)
        self._writer = get_ident()
        room = feed.put(piece, self._owner != self._writer)
        if feed.over:
            self.signal.check()
            if self._state is FAILED:
                self._raise_failure()
        return room

    def _write_last(self, chunk: Any) -> None:
        if self._feed is None:
            super()._write_last(chunk)  # a body of one piece: its length is known
        else:
            self.write(chunk)

    def _unsent(self, method: str, option: str) -> Options:
        if self._feed is not None:
            raise RequestStateError(
                f'the request has a body already, begun with write(), and was sent with it: .{method}() can have no effect any more; '
                f'call .{method}() before the first write(), or make another request'
            )
        return super()._unsent(method, option)

    def _check_open(self, feed: WrittenBody) -> None:
        if self._home is not background.home:
            raise RequestStateError(
                'the body of this request was open when this process was forked: only the parent can write on, make another request here'
            )
        if feed.ended:
            raise RequestStateError('write() after end(): the body is complete; make another request')

    def _begin(self, options: Options) -> WrittenBody:
        """Sends the request, its body still to be written, in a thread of its own: it may take long, and must not keep a worker from others."""
        itself = ref(self)
        until = None if options.deadline is None else monotonic() + options.deadline
        feed = WrittenBody(self._carry.body, until, lambda: _drained(itself))
        self._become(configure.replaced(options, body=DeclaredBody(feed, None)))
        background.settle(self.signal, options.deadline)
        if not background.claim(self):
            raise RequestStateError('the request was sent or aborted already; make another one')
        self._home = background.home
        self._state = RUNNING
        self._feed = feed
        if options.progress:
            self._show_progress()
        background.UNTOLD[id(self)] = itself
        watch = Afar(itself, self.signal)
        carrier = Thread(
            target=_carry_out,
            args=(watch, self._options, self._carry, self._transport, feed),
            name='requite-writing',
            daemon=True,
        )
        try:
            carrier.start()
        except RuntimeError as error:
            feed.stop()
            self._told = True
            self._finish(None, RequestStateError(f'no thread can be started to send what is written: {error}'))
        return feed

    def _finish_writing(self, asked: bool = True) -> None:
        """The body is whole. Somebody who only asks for the response (``asked`` False) says so only if it was he who wrote: others wait for the writer."""
        feed = self._feed
        if feed is None:
            super()._finish_writing()
        elif not feed.ended and self._home is background.home and (asked or self._writer == get_ident()):
            feed.end()

    def _outlasted(self, callback: Callable[..., Any] | None = None) -> bool:
        """True where a listener of the thread that sends has ended the body: a worker waits for the outcome then, since that thread cannot."""
        if self._feed is None or self._owner != get_ident():
            return False
        if callback is not None:
            self._take_callback(callback)
        background.start(self._wait_alone)
        return True

    def _wait_alone(self) -> None:
        """Waits in a worker for what comes of the request, with nobody waiting, and reads its body."""
        self._alone(self._outlast)

    def _outlast(self) -> None:
        self._wait()
        response = self._response
        if response is not None and response._content is None and response._streaming is None:
            self._call_back_first()
            try:
                response._collect()
            except RequestError as error:
                if self._emitter is not None and self._emitter.raised is error:
                    raise
                self._finish(None, error)
                self._body_failed(error)
        self._call_back()

    def _arrived(self, response: Response | None, failure: BaseException | None) -> None:
        """What came of the exchange, in the thread that carried it: the response up to its head, or what failed."""

        def outcome() -> Response:
            if failure is not None:
                raise failure
            return response  # type: ignore[return-value]

        background.UNTOLD.pop(id(self), None)
        self._alone(lambda: self._run(False, outcome))

    def abort(self) -> None:
        if self._feed is None or self._home is background.home:
            super().abort()  # a forked child would close the parent's connection

    def _stop_writing(self) -> None:
        if self._feed is not None:
            self._feed.stop()

    def _abandon(self) -> None:
        """Ends a request whose body is open and that nobody can end any more: the connection is closed before the server could take the part for the whole.

        Called by the finalizer too, so it takes no lock.
        """
        feed = self._feed
        if feed is None or feed.ended or feed.over or self.signal.aborted or self._home is not background.home:
            return
        self.signal.abort()
        feed.stop()
        if self.refused:
            return  # an exception has told of it
        self._warn('its body was still open: call end() after the last write() or append()')


class Afar:
    """Sees an exchange happen for a request that it does not keep alive."""

    __slots__ = ('itself', 'signal')

    def __init__(self, itself: ref[Any], signal: AbortSignal) -> None:
        self.itself = itself
        self.signal = signal

    @property
    def listening(self) -> bool:
        request = self.itself()
        return request is not None and request.listening

    @property
    def counting(self) -> bool:
        request = self.itself()
        return request is not None and request.counting

    @property
    def hop(self) -> Hop | None:
        return getattr(self.itself(), 'hop', None)

    @hop.setter
    def hop(self, hop: Hop) -> None:
        request = self.itself()
        if request is not None:
            request.hop = hop

    def answered(self, response: Response) -> None:
        request = self.itself()
        if request is not None:
            request._deliver(response, False)

    def event(self, name: str, *arguments: Any) -> None:
        request = self.itself()
        if request is not None:
            request.event(name, *arguments)


def _drained(itself: ref[Writing]) -> None:
    request = itself()
    if request is not None:
        request.event('drain')


def _carry_out(watch: Afar, options: Options, carry: Carry, transport: Transport, feed: WrittenBody) -> None:
    """The exchange of a request that is being written, in a thread that holds the request only to tell it something."""
    request = watch.itself()
    if request is not None:
        request._owner = get_ident()
    request = None
    response = failure = None
    try:
        response = layered(options, carry, transport, watch)
        if not feed.over and not response._reply.complete:
            # The server answers while it still listens: whoever reads sends on, and nobody else may be there to read.
            watch.answered(response)
            response._collect()
    except BaseException as error:  # noqa: BLE001 - handed to the request, if there still is one
        failure = error
    feed.stop()
    request = watch.itself()
    if response is not None and (request is None or failure is not None):
        response._reply.abort()
    if request is not None:
        request._arrived(response, failure)
