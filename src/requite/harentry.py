"""One exchange as an entry of a HAR 1.2 log. Pure: values in, JSON values out; credentials are hidden unless they are asked for."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from requite import redaction
from requite.errors import DecodeError, RequestError
from requite.timings import EPOCH

if TYPE_CHECKING:
    from requite.message import Hop, Reply

MOST_CONTENT = 4194304
"""Bytes of a body that a log keeps; of a longer one it tells the size."""


class Seen(NamedTuple):
    """What happened: ``start`` and ``end`` are moments of ``time.perf_counter()``, ``marks`` the transport's moments between them,
    ``body`` what was read of the answer as it was on the wire, None where that was too much to keep, ``size`` how much it was.
    """

    hop: Hop
    reply: Reply | None
    error: Exception | None
    start: float
    end: float
    marks: dict[str, float]
    body: bytes | None
    size: int


def entry(seen: Seen, secrets: bool = False) -> dict[str, Any]:
    """The entry for ``seen``."""
    started = datetime.fromtimestamp(EPOCH + seen.start, timezone.utc)
    made: dict[str, Any] = {
        'startedDateTime': started.isoformat(timespec='milliseconds').replace('+00:00', 'Z'),
        'time': round((seen.end - seen.start) * 1000, 3),
        'request': _request(seen.hop, secrets),
        'response': _no_response() if seen.reply is None else _response(seen, seen.reply, secrets),
        'cache': {},
        'timings': _timings(seen),
    }
    if seen.error is not None:
        # the names that begin with an underscore are everybody's own (HAR 1.2)
        made['_error'] = seen.error.message if isinstance(seen.error, RequestError) else type(seen.error).__name__
    return made


def _request(hop: Hop, secrets: bool) -> dict[str, Any]:
    uri = hop.uri.without_userinfo().without_fragment()
    made: dict[str, Any] = {
        'method': hop.method,
        'url': uri.href,
        'httpVersion': 'HTTP/1.1',
        'cookies': _cookies([value for name, value in hop.fields if name.lower() == 'cookie'], secrets),
        'headers': _pairs(hop.fields, secrets),
        'queryString': [
            {'name': name, 'value': value} for name, value in parse_qsl(uri.query or '', keep_blank_values=True)
        ],
        'headersSize': -1,
        'bodySize': 0 if hop.body is None else -1 if hop.body.length is None else hop.body.length,
    }
    data = getattr(hop.body, 'data', None)
    if isinstance(data, bytes) and data:
        kind = next((value for name, value in hop.fields if name.lower() == 'content-type'), '')
        made['postData'] = {'mimeType': kind, 'text': data[:MOST_CONTENT].decode('utf-8', 'replace')}
    return made


def _response(seen: Seen, reply: Reply, secrets: bool) -> dict[str, Any]:
    location = reply.headers.get('location')
    return {
        'status': reply.status,
        'statusText': reply.reason,
        'httpVersion': f'HTTP/{reply.version}',
        'cookies': _set_cookies(reply.headers.get('set-cookie'), secrets),
        'headers': _pairs(reply.fields, secrets),
        'content': _content(seen, reply),
        'redirectURL': location if isinstance(location, str) else '',
        'headersSize': -1,
        'bodySize': seen.size,
    }


def _no_response() -> dict[str, Any]:
    """An exchange without an answer, as browsers write it: status 0."""
    return {
        'status': 0,
        'statusText': '',
        'httpVersion': '',
        'cookies': [],
        'headers': [],
        'content': {'size': 0, 'mimeType': ''},
        'redirectURL': '',
        'headersSize': -1,
        'bodySize': -1,
    }


def _content(seen: Seen, reply: Reply) -> dict[str, Any]:
    kind = reply.headers.get('content-type')
    made: dict[str, Any] = {'size': seen.size, 'mimeType': kind if isinstance(kind, str) else ''}
    if seen.body is None:
        made['comment'] = 'too large to be kept'
        return made
    plain = _decoded(seen.body, reply)
    if len(plain) != seen.size:
        made['size'], made['compression'] = len(plain), len(plain) - seen.size
    try:
        made['text'] = plain.decode()
    except UnicodeDecodeError:
        made['text'], made['encoding'] = b64encode(plain).decode('ascii'), 'base64'
    return made


def _decoded(data: bytes, reply: Reply) -> bytes:
    coding = reply.headers.get('content-encoding')
    if not isinstance(coding, str) or not data:
        return data
    from requite.wire import decode

    try:
        decoder = decode.decoder_for(coding)
        return data if decoder is None else decoder.decode(data, MOST_CONTENT)
    except DecodeError:
        return data


def _pairs(fields: Any, secrets: bool) -> list[dict[str, str]]:
    shown = fields if secrets else redaction.fields(fields)
    return [{'name': name, 'value': value} for name, value in shown]


def _cookies(values: list[str], secrets: bool) -> list[dict[str, str]]:
    found = []
    for value in values:
        for pair in value.split(';'):
            name, _, content = pair.strip().partition('=')
            found.append({'name': name, 'value': content if secrets else redaction.HIDDEN})
    return found


def _set_cookies(values: Any, secrets: bool) -> list[dict[str, str]]:
    texts = values if isinstance(values, list) else [values] if isinstance(values, str) else []
    return _cookies([text.partition(';')[0] for text in texts], secrets)


def _timings(seen: Seen) -> dict[str, float]:
    """HAR's phases in milliseconds; -1 for what did not happen, as on a connection that was kept."""
    marks, start = seen.marks, seen.start
    response = marks.get('response', seen.end)
    ready = max(marks.get('tls', 0), marks.get('connect', 0), marks.get('socket', 0)) or start
    made = {'blocked': -1.0, 'dns': -1.0, 'connect': -1.0, 'ssl': -1.0, 'send': 0.0}
    if 'socket' in marks:
        made['blocked'] = _ms(start, marks['socket'])
    if 'connect' in marks:
        began = marks.get('lookup', marks.get('socket', start))
        made['dns'] = _ms(marks.get('socket', start), began)
        made['connect'] = _ms(began, ready)
    if 'tls' in marks and 'connect' in marks:
        made['ssl'] = _ms(marks['connect'], marks['tls'])
    made['wait'] = _ms(ready, response)
    made['receive'] = _ms(response, seen.end)
    return made


def _ms(start: float, end: float) -> float:
    return round(max(0.0, end - start) * 1000, 3)
