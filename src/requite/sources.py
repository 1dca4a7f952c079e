"""Where a pipe begins: responses, files, bytes, iterables and what a server received, all of one shape."""

from __future__ import annotations

from typing import Any

from requite import hopbyhop
from requite.body import pick
from requite.body.source import FileBody, IterableBody, tells_its_kind
from requite.errors import InvalidBody, OptionsError, RequestError, RequestStateError
from requite.inflow import Source, close
from requite.intent import Intent
from requite.response import Response

DESCRIBES = frozenset('content-type content-language content-encoding'.split())
"""What travels from an answer into a request: what says how the content is to be read."""


def of(source: Any, ok_only: bool = False) -> Source:
    """Anything that can be piped; a request is asked for its response. Raises ``InvalidBody`` for what is no source.

    With ``ok_only`` an answer of 400 or more is a ``RequestError``.
    """
    if isinstance(source, Intent):
        source = source.response
    if isinstance(source, Response):
        return _answered(source, ok_only)
    if ok_only:
        raise OptionsError('ok_only asks for the status of a response, and the source is none: leave it out')
    opened = getattr(source, 'piped_out', None)
    if opened is not None:
        return opened()  # type: ignore[no-any-return]
    if hasattr(source, 'rfile') and hasattr(source, 'command'):
        from requite import httpserver

        return httpserver.received(source)
    return _plain(source)


def _plain(source: Any) -> Source:
    if isinstance(source, str):
        raise InvalidBody("a str is no source of a pipe: open the file with mode 'rb', or encode the text")
    body = pick.of(source, 'the source of the pipe')
    if not isinstance(body, FileBody):
        return Source(body, [], _nothing, None if body is None or body.length is None else str(body.length))
    # As in Node, only a file on disk says by its name what is in it.
    name = getattr(source, 'name', None) if tells_its_kind(source) else None
    fields = []
    if isinstance(name, str):
        from requite.wire import mime

        type_ = mime.guess(name)
        if type_ is not None:
            fields.append(('content-type', type_))
    announced = None if body.length is None else str(body.length)
    return Source(body, fields, lambda: close(source), announced)


def _answered(response: Response, ok_only: bool) -> Source:
    if response._content is not None or response._streaming is not None:
        raise RequestStateError(
            'the body of this response was read or piped already: pipe first, and once; for several sinks listen to "data", '
            'or write response.content yourself'
        )
    if ok_only:
        try:
            response.raise_for_status()
        except RequestError:
            response.close()
            raise
    try:
        decoded = response._decoder() is not None
        response._stream()  # from here on it is this pipe's
        kept = hopbyhop.end_to_end(
            response.raw_headers, hopbyhop.OF_CODED_CONTENT | hopbyhop.FRAMING if decoded else hopbyhop.FRAMING
        )
    except BaseException:
        response.close()
        raise
    length = None if decoded or response.status_code == 204 else response.headers.get('content-length')
    announced = None if length is None else str(int(str(length)))
    bodiless = response._hop.method == 'HEAD' or response.status_code in (204, 304)
    body = IterableBody(iter(response), None if announced is None or bodiless else int(announced))
    return Source(body, kept, response.close, announced, None, response)


def passed(source: Source, same_origin: bool) -> list[tuple[str, str]]:
    """The fields that a request takes over from ``source``.

    Of an answer that is what describes the content, and within one origin its extension fields, never anything about cookies, credentials or caching
    (Node takes all of it over, and what the source itself had sent: mended).
    """
    if source.response is None:
        return source.fields
    return [
        (name, value)
        for name, value in source.fields
        if (lowered := name.lower()) in DESCRIBES or (same_origin and lowered.startswith('x-'))
    ]


def _nothing() -> None:
    """There is nothing to close."""
