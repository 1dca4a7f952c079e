"""A response without its connection: what of it is pickled, and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite import redaction
from requite.errors import RequestStateError
from requite.flow import Flow
from requite.headers import join
from requite.message import AbortSignal, Hop, Reply
from requite.options import Options
from requite.routes import Limits, Route

if TYPE_CHECKING:
    from requite.response import Response

_KEPT = ('encoding', 'json', 'gzip', 'max_body', 'qs', 'time')
"""The options that a response still needs once it is there."""


class KeptReply(Reply):
    """The head of an answer whose connection is gone; its body was read, or is gone too."""

    __slots__ = ()

    def __init__(self, status: int, reason: str, version: str, fields: list[tuple[str, str]]) -> None:
        self.status = status
        self.reason = reason
        self.version = version
        self.fields = fields
        self.headers = join(fields)
        self.complete = True

    def read(self, size: int = 262144) -> bytes:
        """Nothing is left to read."""
        return b''

    def drain(self, limit: int = 65536) -> None:
        """Nothing is left to read."""

    def abort(self) -> None:
        """There is no connection."""


def state_of(response: Response) -> dict[str, Any]:
    """What is pickled of a response, its body read now if it was not yet. A body that was read in pieces to its end is gone; one in the middle is an error."""
    if response._fault is not None:
        raise response._fault
    if response._content is None and response._streaming is not None and not response._ended:
        raise RequestStateError(
            'the body of this response is being read in pieces: pickle it when they were all read, or ask for .body before anything else'
        )
    content = None if response._ended and response._content is None else response.content
    options = {name: value for name, value in response._options.__dict__.items() if name in _KEPT}
    if options.get('json') is not None:
        options['json'] = options['json'] is not False  # a value was what was sent
    if options.get('qs') is not None:
        options['qs'] = {'': ''} if options['qs'] else {}
    reply, hop = response._reply, response._hop
    return {
        'head': (reply.status, reply.reason, reply.version, list(reply.fields)),
        'sent': (
            hop.method,
            hop.uri.without_userinfo(),
            tuple(redaction.Shown(False, response._options.hidden).fields(hop.fields)),
        ),
        'options': options,
        'content': content,
        # what a reviver made cannot be made again without it
        'value': response.body if content is not None and response._options.json_reviver is not None else None,
        'redirects': response.redirects,
        'timings': response._timings,
        'attempts': response.attempts,
    }


def restored(kind: type[Response], state: dict[str, Any]) -> Response:
    """The response of ``state_of``."""
    method, uri, fields = state['sent']
    tls = None
    route = Route(uri.scheme, uri.hostname, uri.port or 0, tls, uri.socket_path)
    hop = Hop(method, uri, uri.target, fields, None, route, None, Limits(None, None), AbortSignal())
    options = Options()
    options.__dict__.update(state['options'])
    response = kind(KeptReply(*state['head']), hop, options, state['redirects'])
    response._content = state['content']
    response._streaming = () if response._content is not None else Flow(pieces=iter(()))
    response._ended = True
    response._value = state['value']
    response._timings = state['timings']
    response.attempts = state['attempts']
    return response
