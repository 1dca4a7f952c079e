"""A request of a HAR 1.2 file as options (http://www.softwareishard.com/blog/har-12-spec/). Pure, except that a file which the HAR names is opened.

Node's reading, mended: an entry of a log is taken for its ``request``, each header is sent, text of a form is the form, three values of one name are a list of
three, and what is no HAR is an error (Node's validator throws into the void).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requite import checks
from requite.errors import InvalidOptionType, OptionsError

JSON_TYPES = ('application/json', 'text/json', 'text/x-json', 'application/x-json')
FORM_TYPE = 'application/x-www-form-urlencoded'
MULTIPART_TYPES = ('multipart/form-data', 'multipart/mixed', 'multipart/related', 'multipart/alternative')
FRAMING = frozenset(('content-length', 'transfer-encoding'))
"""Headers that a browser wrote of its own request's content: they are made anew."""


def options_of(value: Any) -> dict[str, Any]:
    """The options that a HAR request stands for; raises ``OptionsError`` for what is none. A whole log stands for its first entry."""
    request = _request(value)
    made: dict[str, Any] = {}
    if request.get('url'):
        made['url'] = _text(request, 'url')
    if request.get('method'):
        made['method'] = _text(request, 'method')
    query = _values(request, 'queryString')
    if query:
        made['qs'] = query
    headers = [
        (name, value) for name, value in _pairs(request, 'headers') if name.lower() not in FRAMING and name[:1] != ':'
    ]
    cookies = '; '.join(f'{name}={value}' for name, value in _pairs(request, 'cookies'))
    if cookies:
        headers = [*((name, value) for name, value in headers if name.lower() != 'cookie'), ('cookie', cookies)]
    if headers:
        made['headers'] = headers
    return {**made, **_content(request.get('postData'), headers)}


def _request(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidOptionType(f"option 'har' must be a HAR request as a mapping, not {checks.kind(value)}")
    if 'log' in value:
        log = value['log']
        entries = log.get('entries') if isinstance(log, Mapping) else None
        if not isinstance(entries, (list, tuple)) or not entries or not isinstance(entries[0], Mapping):
            raise OptionsError("option 'har': its log has no entries; give one request of it")
        value = entries[0]
    request: Mapping[str, Any] = value['request'] if isinstance(value.get('request'), Mapping) else value
    known = ('url', 'method', 'headers', 'queryString', 'cookies', 'postData')
    if not any(name in request for name in known):
        raise OptionsError(f"option 'har' is no HAR request: it has none of {', '.join(known)}")
    return request


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder[name]
    if not isinstance(value, str):
        raise OptionsError(f"option 'har': its {name} must be a str, not {checks.kind(value)}")
    return value


def _list(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    items = holder.get(name) or []
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, Mapping) for item in items):
        raise OptionsError(f"option 'har': its {name} must be a list of objects with name and value")
    for item in items:
        if not isinstance(item.get('name'), str):
            raise OptionsError(f"option 'har': an item of its {name} has no name")
    return list(items)


def _pairs(holder: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    return [(item['name'], str(item.get('value', ''))) for item in _list(holder, name)]


def _values(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Names with their values, a list of them where a name comes more than once."""
    found: dict[str, list[str]] = {}
    for key, value in _pairs(holder, name):
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _content(data: Any, headers: list[tuple[str, str]]) -> dict[str, Any]:
    """The options for ``postData``: its type decides, as in Node."""
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise OptionsError(f"option 'har': its postData must be an object, not {checks.kind(data)}")
    kind = str(data.get('mimeType') or 'application/octet-stream').lower()
    text = data.get('text')
    if text is not None and not isinstance(text, str):
        raise OptionsError(f"option 'har': the text of its postData must be a str, not {checks.kind(text)}")
    if kind.startswith(FORM_TYPE):
        form = _values(data, 'params') or text
        return {'form': form} if form else {}
    if kind.startswith(JSON_TYPES):
        return _json(text)
    if kind.startswith(MULTIPART_TYPES):
        return {'form_data': _parts(data)}
    return {'body': text} if text else {}


def _json(text: str | None) -> dict[str, Any]:
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
    value, name = item.get('value'), item.get('fileName')
    if not name:
        return '' if value is None else str(value)
    if not value:
        try:
            return open(name, 'rb')
        except (OSError, ValueError, TypeError):
            raise OptionsError(
                f"option 'har': there is no file {checks.shown(name)} to send; give the param a value"
            ) from None
    options = {'filename': name, 'contentType': item['contentType']} if item.get('contentType') else {'filename': name}
    return {'value': str(value), 'options': options}
