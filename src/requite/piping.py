"""Pipes: from a source to a destination in one line, with constant memory."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

from requite import configure
from requite.body.source import DeclaredBody
from requite.errors import OptionsError, RequestStateError
from requite.intent import Intent

if TYPE_CHECKING:
    from requite.inflow import Source


_HAS_BODY = 'the request that is piped into has a body already: leave body, form and json values out, or do not pipe'


def pipe(source: Any, destination: Any, end: Any = True, ok_only: bool = False) -> Any:
    """Copies ``source`` to ``destination`` now, piece by piece, and returns the destination.

    Sources are requests (asked for their response), responses, binary files, bytes, iterables of bytes, an ``http.server`` handler and
    ``wsgi.Incoming``; destinations are requests (sent up to the head of their response, which is still to be read), anything with ``write(bytes)``, a
    path (written beside it and put there when it is whole), a handler, and ``wsgi.Outgoing``. ``end=False`` (or Node's ``{'end': False}``) leaves
    the sink open, a request to be written to or ended; ``ok_only`` makes a status of 400 or more an error before the first byte is written.

    An error of either side ends both, and is raised: the caller's own exceptions as they are, else ``RequestError``. Wrong arguments are errors before
    anything is sent; ``RequestStateError`` for a response that was read and a request that was sent. As in Node, files are closed at their end.
    """
    for side in (source, destination):
        if isinstance(side, Intent):
            side.refused = True  # what cannot be piped as it was meant is not sent by being let go either
    onward = isinstance(destination, Intent)
    try:
        if source is destination:
            raise OptionsError('a pipe needs two ends: source and destination are the same object')
        ending, filter_ = ends(end), _filter(source)
        target = _unsent(destination) if onward else _sink(destination, ending)
        origin = _opened(source, ok_only, None if onward else target)
    except BaseException:
        _keep_unread(source)
        raise
    if not onward:
        _copy(origin, target, destination, filter_)
    elif ending:
        _into_request(source, origin, destination, target, filter_)
    else:
        _written(source, origin, destination, target, filter_)
    return destination


def ends(end: Any) -> bool:
    """Whether the destination ends with the pipe: True, False, or Node's ``{'end': False}``."""
    return bool(end.get('end', True) if isinstance(end, Mapping) else end)


def _filter(source: Any) -> Any:
    """What is called before the first byte goes over: ``pipefilter`` of a request, set on it or given as an option."""
    return (source.pipefilter or source._options.pipefilter) if isinstance(source, Intent) else None


def _sink(destination: Any, end: bool) -> Any:
    from requite import sinks

    return sinks.of(destination, end)


def _unsent(request: Any) -> Any:
    """The options of a request that can still be piped into."""
    options = request._unsent('pipe', 'body')
    if request._carry.body is not None or request._written is not None or options.form is not None:
        raise RequestStateError(_HAS_BODY)
    return options


def _opened(source: Any, ok_only: bool, sink: Any) -> Source:
    from requite import sources

    try:
        return sources.of(source, ok_only)
    except BaseException:
        if sink is not None:
            _quietly(sink.discard)
        raise


def _keep_unread(source: Any) -> None:
    """Has a handler close its connection whose request nobody took: its content would be read as the next request (SECURITY X5)."""
    if hasattr(source, 'rfile') and hasattr(source, 'command'):
        source.close_connection = True


def _copy(origin: Source, sink: Any, destination: Any, filter_: Any) -> None:
    """Moves everything; on an error both sides are closed before it is raised."""
    try:
        sink.begin(origin)
        if filter_ is not None and origin.response is not None:
            filter_(origin.response, destination)
        start = getattr(sink, 'start', None)
        if start is not None:
            start()
        if getattr(sink, 'lazy', False):
            return
        for piece in origin.chunks():
            sink.write(piece)
        sink.keep()
    except BaseException:
        _quietly(origin.over)
        _quietly(sink.discard)
        raise
    origin.over()


def _into_request(source: Any, origin: Source, request: Any, options: Any, filter_: Any) -> None:
    """Sends ``request`` with what ``source`` brings along, up to the head of the answer."""
    response = origin.response
    try:
        request.event('pipe', source)
        body = None if origin.body is None else DeclaredBody(origin.body, origin.body.length)
        request._become(configure.adopted(options, origin.method, _passed(origin, request), body))
        if filter_ is not None and response is not None:
            filter_(response, request)
        if response is not None:
            response._hop.signal.bound = get_ident()
        reply = request.response._reply
    except BaseException:
        _quietly(origin.over)
        raise
    finally:
        if response is not None:
            response._hop.signal.bound = (
                None  # what is left to send goes out in the thread that reads, whichever that is
            )
    reply.when_sent(partial(_quietly, origin.over))


def _written(source: Any, origin: Source, request: Any, options: Any, filter_: Any) -> None:
    """Writes what ``source`` brings along to ``request``, which stays open: ``write()`` adds to it, ``end()`` ends it."""
    try:
        request.event('pipe', source)
        request._become(configure.adopted(options, origin.method, _passed(origin, request), None))
        if filter_ is not None and origin.response is not None:
            filter_(origin.response, request)
        request.write(b'')
        for piece in origin.chunks():
            if not request.write(piece) and request._feed.over:
                break  # answered already: nothing more is sent, so nothing more is read
    except BaseException:
        _quietly(request.abort)  # what was sent of it must not pass for the whole
        _quietly(origin.over)
        raise
    origin.over()


def _passed(origin: Source, request: Any) -> list[tuple[str, str]]:
    from requite import sources

    response = origin.response
    return sources.passed(origin, response is not None and response._hop.uri.origin == request._carry.uri.origin)


def _quietly(task: Any) -> None:
    """Cleans up behind an error, which is what will be raised."""
    with suppress(Exception):
        task()
