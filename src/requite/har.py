"""A request of a HAR 1.2 file as options (http://www.softwareishard.com/blog/har-12-spec/). Pure, except that a file which the HAR names is opened.

Node's reading, mended: an entry of a log is taken for its ``request``, each header is sent, text of a form is the form, three values of one name are a list of
three, what a browser wrote twice (the query, the content of a form) is sent once, what a log of ours has hidden is not sent, and what is no HAR is an
error (Node's validator throws into the void).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from requite import checks, redaction
from requite.errors import InvalidOptionType, OptionsError
from requite.harfile import HarFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    Pairs = list[tuple[str, str]]

JSON_TYPES = ('application/json', 'text/json', 'text/x-json', 'application/x-json')
FORM_TYPE = 'application/x-www-form-urlencoded'
MULTIPART_TYPES = ('multipart/form-data', 'multipart/mixed', 'multipart/related', 'multipart/alternative')
FRAMING = frozenset(('content-length', 'transfer-encoding'))
"""Headers that a browser wrote of its own request's content: they are made anew."""
KNOWN = ('url', 'method', 'headers', 'queryString', 'cookies', 'postData')


def options_of(value: Any, content: bool = True) -> dict[str, Any]:
    """The options that a HAR request stands for; raises ``OptionsError`` for what is none. A whole log stands for its first entry.

    Without ``content`` those that say what is sent, and of which type, are left out.
    """
    request = _request(value)
    made: dict[str, Any] = {}
    address = _text(request, 'url')
    if address:
        made['url'] = address
    if request.get('method'):
        made['method'] = _text(request, 'method')
    query = _not_in(address, _pairs(request, 'queryString'))
    if query:
        made['qs'] = _values(query)
    headers = _headers(request, address, content)
    if headers:
        made['headers'] = headers
    return {**made, **_content(request.get('postData'))} if content else made


def _request(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidOptionType(
            f"option 'har' must be a HAR request as a mapping, not {checks.kind(value)}; read a file of it with json.load"
        )
    if 'log' in value:
        log = value['log']
        entries = log.get('entries') if isinstance(log, Mapping) else None
        if not isinstance(entries, (list, tuple)) or not entries or not isinstance(entries[0], Mapping):
            raise OptionsError("option 'har': its log has no entries; give one request of it")
        value = entries[0]
    request: Mapping[str, Any] = value['request'] if isinstance(value.get('request'), Mapping) else value
    if not any(name in request for name in KNOWN):
        raise OptionsError(f"option 'har' is no HAR request: it has none of {', '.join(KNOWN)}")
    return request


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name) or ''
    if not isinstance(value, str):
        raise OptionsError(f"option 'har': its {name} must be a str, not {checks.kind(value)}")
    return value


def _list(holder: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    items = holder.get(name) or []
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, Mapping) for item in items):
        raise OptionsError(f"option 'har': its {name} must be a list of objects with name and value")
    for item in items:
        if not isinstance(item.get('name'), str):
            raise OptionsError(f"option 'har': an item of its {name} has no name")
    return items


def _value(name: str, item: Mapping[str, Any]) -> str:
    value = item.get('value')
    if value is None:
        return ''
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        raise OptionsError(
            f"option 'har': in its {name} the value of {checks.shown(item['name'])} must be a str, not {checks.kind(value)}"
        )
    return str(value)


def _pairs(holder: Mapping[str, Any], name: str) -> Pairs:
    return [(item['name'], _value(name, item)) for item in _list(holder, name)]


def _values(pairs: Pairs) -> dict[str, Any]:
    """Names with their values, a list of them where a name comes more than once."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _read(text: str) -> tuple[Pairs, Pairs]:
    """The pairs of a query or a form, unescaped and as they stand there: exporters write either."""
    split = [pair.partition('=') for pair in text.split('&') if pair]
    return parse_qsl(text, keep_blank_values=True), [(name, value) for name, _, value in split]


def _not_in(address: str, pairs: Pairs) -> Pairs:
    """The pairs that the address does not have in its query already."""
    try:
        query = urlsplit(address).query
    except ValueError:
        return pairs  # the address is looked at where every address is
    return min((_without(pairs, there) for there in _read(query)), key=len)


def _without(pairs: Pairs, others: Pairs) -> Pairs:
    """The pairs that are left when each of the others has taken one like it away."""
    left = Counter(others)
    missing = []
    for pair in pairs:
        if left[pair]:
            left[pair] -= 1
        else:
            missing.append(pair)
    return missing


def _headers(request: Mapping[str, Any], address: str, content: bool) -> Pairs:
    """The headers but those that are made anew, those that HTTP/2 made up (``:path``), and those that were hidden in a log."""
    pairs = _pairs(request, 'headers')
    cookies = [pair for pair in _pairs(request, 'cookies') if pair[1] != redaction.HIDDEN]
    joined = '; '.join(f'{name}={value}' for name, value in cookies)
    if joined and [value for name, value in pairs if name.lower() == 'cookie'] != [joined]:
        pairs = [pair for pair in pairs if pair[0].lower() != 'cookie']
        pairs.append(('cookie', joined))
    return [
        (name, value)
        for name, value in pairs
        if name[:1] != ':'
        and name.lower() not in FRAMING
        and not redaction.is_hidden(name, value)
        and (content or name.lower() != 'content-type')
        and not (name.lower() == 'host' and _says(address, value))
    ]


def _says(address: str, host: str) -> bool:
    """Whether the address says ``host`` itself: then it need not be sent in place of an address that is given beside the HAR."""
    try:
        return urlsplit(address).netloc.rpartition('@')[2].lower() == host.lower()
    except ValueError:
        return False


def _content(data: Any) -> dict[str, Any]:
    """The options for ``postData``: its type decides, as in Node."""
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise OptionsError(f"option 'har': its postData must be an object, not {checks.kind(data)}")
    if data.get('_omitted'):
        raise OptionsError(
            "option 'har': the log did not keep the content of this request; give it beside, as body=..."
        )
    kind = (_text(data, 'mimeType') or 'application/octet-stream').lower()
    text = _text(data, 'text')
    if 'base64' in (data.get('encoding'), data.get('_encoding')):
        return _unpacked(text)
    if kind.startswith(FORM_TYPE):
        params = _pairs(data, 'params')
        form = text if params in ([], *_read(text)) else _values(params)
        return {'form': form} if form else {}
    if kind.startswith(JSON_TYPES):
        return _json(text)
    if kind.startswith(MULTIPART_TYPES) and (data.get('params') or not text):
        return {'form_data': _parts(data)}
    return {'body': text} if text else {}


def _unpacked(text: str) -> dict[str, Any]:
    from base64 import b64decode

    try:
        return {'body': b64decode(text, validate=True)}
    except ValueError:
        raise OptionsError("option 'har': the text of its postData is no base64, as its encoding says") from None


def _json(text: str) -> dict[str, Any]:
    if not text:
        return {}
    from requite.wire import jsondoc

    try:
        return {'body': jsondoc.loads(text), 'json': True}
    except ValueError:
        return {'body': text}  # as in Node: what is no JSON is sent as it is


def _parts(data: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, list[Any]] = {}
    for item in _list(data, 'params'):
        parts.setdefault(item['name'], []).append(_part(item))
    return {name: values[0] if len(values) == 1 else values for name, values in parts.items()}


def _part(item: Mapping[str, Any]) -> Any:
    name, kind = _text(item, 'fileName'), _text(item, 'contentType')
    value = _value('params', item)
    if not name:
        return value
    if value:
        return {'value': value, 'options': {'filename': name, 'contentType': kind} if kind else {'filename': name}}
    file = HarFile(name)
    return {'value': file, 'options': {'contentType': kind}} if kind else file
