"""One exchange as an entry of a HAR 1.2 log. Pure: values in, JSON values out; credentials are hidden unless they are asked for."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime, timezone
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from requite.errors import RequestError
from requite.timings import EPOCH

if TYPE_CHECKING:
    from requite.message import Hop, Reply
    from requite.protocols import Body
    from requite.redaction import Shown

MOST_CONTENT = 4194304
"""Bytes of a body that a log keeps; of a longer one it tells the size."""
SMALL = 65536
"""Bytes up to which content that does not lie in memory is read for a log."""
FORM_TYPE = 'application/x-www-form-urlencoded'
OMITTED = '_omitted'
"""Marks content that was sent and is not in the log. Names that begin with an underscore are everybody's own (HAR 1.2)."""
ENCODING = '_encoding'

_CHARSET = re.compile(r';\s*charset="?([^\s";]+)', re.IGNORECASE)


class Seen(NamedTuple):
    """What happened: ``posted`` is the content of the request, None where it is not kept; ``start`` and ``end`` are moments of
    ``time.perf_counter()``, the marks of the hop lie between them; ``body`` is what was read of the answer as it was on the wire, None where that was not kept, ``size`` how much it was, None where nobody knows;
    ``whole`` tells that it was read to its end.
    """

    hop: Hop
    posted: bytes | None
    reply: Reply | None
    error: Exception | None
    start: float
    end: float
    body: bytes | None = b''
    size: int | None = 0
    whole: bool = True


def entry(seen: Seen, shown: Shown) -> dict[str, Any]:
    """The entry for ``seen``, without what ``shown`` hides."""
    started = datetime.fromtimestamp(EPOCH + seen.start, timezone.utc)
    made: dict[str, Any] = {
        'startedDateTime': started.isoformat(timespec='milliseconds').replace('+00:00', 'Z'),
        'time': _ms(seen.start, seen.end),
        'request': _request(seen.hop, seen.posted, shown),
        'response': _no_response() if seen.reply is None else _response(seen, seen.reply, shown),
        'cache': {},
        'timings': _timings(seen),
    }
    if seen.error is not None:
        made['_error'] = seen.error.message if isinstance(seen.error, RequestError) else type(seen.error).__name__
    return made


def _request(hop: Hop, posted: bytes | None, shown: Shown) -> dict[str, Any]:
    query = shown.form(hop.uri.query or '')
    made: dict[str, Any] = {
        'method': str(hop.method),
        'url': shown.address(hop.uri),
        'httpVersion': 'HTTP/1.1',
        'cookies': _cookies([value for name, value in hop.fields if name.lower() == 'cookie'], shown),
        'headers': _pairs(hop.fields, shown),
        'queryString': [{'name': name, 'value': value} for name, value in parse_qsl(query, keep_blank_values=True)],
        'headersSize': -1,
        'bodySize': 0 if hop.body is None else -1 if hop.body.length is None else hop.body.length,
    }
    if hop.body is not None and hop.body.length != 0:
        kind = next((value for name, value in hop.fields if name.lower() == 'content-type'), '')
        made['postData'] = {'mimeType': kind, **_post(hop.body.length, posted, kind, shown)}
    return made


def content_of(body: Body | None) -> bytes | None:
    """The content of a request as a log keeps it: None for a stream, and for what is too large. What is small and can be read twice is read."""
    if body is None:
        return b''
    # a body that tells of its progress has data that may be None: reading it would tell
    data = getattr(body, 'data', body)
    if data is body and body.replayable and body.length is not None and body.length <= SMALL:
        data = b''.join(bytes(chunk) for chunk in body.chunks())
    return data if isinstance(data, bytes) and len(data) <= MOST_CONTENT else None


def _post(length: int | None, data: bytes | None, kind: str, shown: Shown) -> dict[str, Any]:
    """The content of a request; HAR 1.2 has no word for what is no text, hence the underscores."""
    if data is None:
        large = length is not None and length > MOST_CONTENT
        comment = 'too large to be kept' if large else 'a stream, which is not kept'
        return {'text': '', OMITTED: True, 'comment': comment}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {'text': b64encode(data).decode('ascii'), ENCODING: 'base64'}
    return {'text': shown.form(text) if kind.lower().startswith(FORM_TYPE) else text}


def _response(seen: Seen, reply: Reply, shown: Shown) -> dict[str, Any]:
    location = reply.headers.get('location')
    return {
        'status': reply.status,
        'statusText': reply.reason,
        'httpVersion': f'HTTP/{reply.version}',
        'cookies': _set_cookies(reply.headers.get('set-cookie'), shown),
        'headers': _pairs(reply.fields, shown),
        'content': _content(seen, reply),
        'redirectURL': shown.link(location) if isinstance(location, str) else '',
        'headersSize': -1,
        'bodySize': -1 if seen.size is None else seen.size,
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
    given = reply.headers.get('content-type')
    kind = given if isinstance(given, str) else ''
    made: dict[str, Any] = {'size': seen.size or 0, 'mimeType': kind}
    if seen.body is None:
        made['comment'] = 'not kept' if seen.size is None else 'too large to be kept'
        return made
    plain = _decoded(seen.body, reply)
    if plain is None:
        made['comment'] = 'too large to be kept'
        return made
    if plain is not seen.body:
        made['size'], made['compression'] = len(plain), len(plain) - len(seen.body)
    if not seen.whole:
        made['comment'] = 'not read to its end'
    text = _text(plain, kind)
    if text is None:
        made['text'], made['encoding'] = b64encode(plain).decode('ascii'), 'base64'
    else:
        made['text'] = text
    return made


def _text(data: bytes, kind: str) -> str | None:
    charset = _CHARSET.search(kind)
    if charset is not None and charset[1].lower() not in ('utf-8', 'utf8', 'us-ascii'):
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _decoded(data: bytes, reply: Reply) -> bytes | None:
    """The content with its codings undone, as far as they can be; None where it is too large then."""
    coding = reply.headers.get('content-encoding')
    if not isinstance(coding, str) or not data:
        return data
    from requite.wire import decode

    plain = bytearray()
    try:
        decoder = decode.decoder_for(coding)
        if decoder is None:
            return data
        for piece in decode.pieces(BytesIO(data).read, decoder, 262144):
            plain += piece
            if len(plain) > MOST_CONTENT:
                return None
    except RequestError:
        return bytes(plain) or data
    return bytes(plain)


def _pairs(fields: Any, shown: Shown) -> list[dict[str, str]]:
    return [{'name': name, 'value': value} for name, value in shown.fields(fields)]


def _cookies(values: list[str], shown: Shown) -> list[dict[str, str]]:
    found = []
    for value in values:
        for pair in value.split(';'):
            name, mark, content = pair.strip().partition('=')
            if mark:
                found.append({'name': name, 'value': shown.value(content)})
    return found


def _set_cookies(values: Any, shown: Shown) -> list[dict[str, str]]:
    texts = values if isinstance(values, list) else [values] if isinstance(values, str) else []
    return _cookies([text.partition(';')[0] for text in texts], shown)


def _timings(seen: Seen) -> dict[str, float]:
    """HAR's phases in milliseconds, which add up to the whole time (``ssl`` is a part of ``connect``); -1 for what did not happen, as on a connection that was kept."""
    marks, start = seen.hop.marks or {}, seen.start
    made = {'blocked': -1.0, 'dns': -1.0, 'connect': -1.0, 'ssl': -1.0, 'send': 0.0}
    socket = marks.get('socket', start)
    found = marks.get('lookup', socket)
    if 'socket' in marks:
        made['blocked'] = _ms(start, socket)
    ready = max(socket, found)
    if marks.get('connect', socket) != socket:
        ready = max(marks['connect'], marks.get('tls', 0.0))
        made['dns'], made['connect'] = _ms(socket, found), _ms(found, ready)
        if 'tls' in marks:
            made['ssl'] = _ms(marks['connect'], ready)
    response = marks.get('response', seen.end)
    made['wait'] = _ms(ready, response)
    made['receive'] = _ms(response, seen.end)
    return made


def _ms(start: float, end: float) -> float:
    return round(max(0.0, end - start) * 1000, 3)
