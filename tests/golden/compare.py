"""Where an outcome differs from what Node's request did, as short lines of text; no line means that it does not.

Rules that hold for every case (what differs for single cases is in ``decided``):

* Requests: the recorder's own ``diff_requests``. A ``user-agent: requite/VERSION`` and the codings ``br`` and ``zstd`` after ``gzip, deflate`` in
  accept-encoding are taken out before, wherever a caller cannot have written them; the Host of a request to a unix socket, localhost here and the
  path of the socket in Node (which servers refuse), is taken for Node's (``normalise``).
* Errors: the code where it is one of ``SYSTEM_CODES``, ``connect`` where the recording has it; otherwise it is enough that an error of the family
  came. Node throws some and hands others to the callback, requite raises at the call whatever is wrong in the call: both count.
* Events: runs of data count once; ``socket`` is Node's, ``close`` is not in the recordings: both are left out. Without an error the rest must be the
  same list. With an error, or an abort, the events up to it must come in Node's order, none that Node did not have, and it must be among them: what
  follows a broken body depends on the version of Node. When a callback stood in the call, listeners could only be added afterwards: they must name
  events that Node had, response and complete among them.
* ``request`` and ``response`` as JSON: the uri fields that API.md names, method, header fields without regard to case, order, framing, Host and
  Connection. A secret may be blotted out.
* A fragment that Node loses (qs and base_url do) is kept here, and not compared where Node has none.
* A body that is ``undefined`` in Node is None in Python, and so is JSON's null. Without a callback Node does not collect the body and requite's
  ``.end()`` does: the collected one is then not compared, the streamed one is.
"""

from __future__ import annotations

import json
import re
from typing import Any

SYSTEM_CODES = frozenset(
    [
        'ECONNREFUSED',
        'ECONNRESET',
        'ENOTFOUND',
        'ENOENT',
        'ETIMEDOUT',
        'ESOCKETTIMEDOUT',
        'EADDRNOTAVAIL',
        'EAI_AGAIN',
        'EPIPE',
    ]
)
URI_FIELDS = ('href', 'protocol', 'auth', 'host', 'hostname', 'port', 'pathname', 'path', 'search', 'query', 'hash')
FRAMING = frozenset(('content-length', 'transfer-encoding', 'connection', 'host'))
SECRET = frozenset(('authorization', 'proxy-authorization', 'cookie'))
COOKIE_FIELDS = ('key', 'value', 'domain', 'path', 'hostOnly', 'secure', 'httpOnly', 'expires', 'maxAge')
HOP_BY_HOP = frozenset(('connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer'))
FAILED = ('error', 'threw', 'uncaught')

_OURS = re.compile(r'^requite/')
_CODINGS = re.compile(r'^gzip, deflate(, (br|zstd))*$')
_USERINFO = re.compile(r'(?<=://)[^/@]*@')


def normalise(case: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the deviations that are meant everywhere: our user-agent, more codings than gzip and deflate, the Host on a unix socket."""
    text = json.dumps(case).lower()
    entry = json.loads(json.dumps(entry))
    for request in entry['requests']:
        if request.get('on') == 'unix':
            request['headers'] = [
                [name, '{{unix}}'] if (name.lower(), value) == ('host', 'localhost') else [name, value]
                for name, value in request['headers']
            ]
        request['headers'] = [
            pair for name, value in request['headers'] if (pair := _field(name, value, text)) is not None
        ]
    for outcome in entry['outcomes']:
        for shown in (outcome.get('request'), (outcome.get('response') or {}).get('request')):
            if shown and isinstance(shown.get('headers'), dict):
                pairs = [_field(name, value, text) for name, value in shown['headers'].items()]
                shown['headers'] = {pair[0]: pair[1] for pair in pairs if pair is not None}
    return entry


def _field(name: str, value: Any, text: str) -> list[Any] | None:
    if name.lower() == 'user-agent' and _OURS.match(str(value)) and 'requite/' not in text:
        return None
    if name.lower() == 'accept-encoding' and _CODINGS.match(str(value)) and 'accept-encoding' not in text:
        return [name, 'gzip, deflate']
    return [name, value]


def differences(
    case: dict[str, Any], want: dict[str, Any], got: dict[str, Any], diff_requests: Any, level: str
) -> list[str]:
    """Every difference between a normalised result and the expectation of a case; ``level`` is the recorder's, semantic or wire."""
    lines = [line for outcome in got['outcomes'] for line in undefined(outcome)]
    lines += diff_requests(want['requests'], got['requests'], level)
    if len(want['outcomes']) != len(got['outcomes']):
        lines.append(f'number of outcomes: {len(got["outcomes"])}, wanted {len(want["outcomes"])}')
    steps = case.get('seq') or [case]
    for index, (wanted, came) in enumerate(zip(want['outcomes'], got['outcomes'], strict=False)):
        step = steps[index] if index < len(steps) else {}
        found = outcome(
            wanted, came, collected=step.get('callback', True) is not False, specific=bool(case.get('node_specific'))
        )
        lines += [f'step {index}: {line}' for line in found] if len(steps) > 1 else found
    return lines


def outcome(want: dict[str, Any], got: dict[str, Any], *, collected: bool = True, specific: bool = False) -> list[str]:
    """The differences of one outcome; ``collected`` tells that a callback took the body, ``specific`` that the error is worded by Node."""
    if got.get('no_outcome') or want.get('no_outcome'):
        return undefined(got)
    if 'cookie_probe' in want or 'jar_errors' in want or 'cookie' in want:
        return _cookies(want, got)
    if any(key in want for key in FAILED):
        return _failed(want, got, specific)
    if 'error' in got:
        return _crash(got) or [f'error {_told(got["error"])}, wanted none']
    lines = _calls(want, got)
    if 'response' in want:
        lines += response(want['response'], got.get('response'), collected)
    elif got.get('response') and 'abort' not in want.get('events', []):
        lines.append(f'a response with status {got["response"]["statusCode"]}, wanted none')
    lines += events(want.get('events', []), got)
    for key in ('redirects', 'timing'):
        if key in want and want[key] != got.get(key):
            lines.append(f'{key}: {_short(got.get(key))}, wanted {_short(want[key])}')
    return lines + _streams(want, got)


def _failed(want: dict[str, Any], got: dict[str, Any], specific: bool) -> list[str]:
    wanted = next(want[key] for key in ('error', 'threw', 'uncaught') if key in want)
    if 'error' not in got:
        came = f'status {got["response"]["statusCode"]}' if got.get('response') else 'nothing'
        return [f'no error but {came}, wanted {wanted.get("code") or wanted.get("class") or wanted["message"]!r}']
    error = got['error']
    lines = _crash(got)
    code = wanted.get('code')
    if not specific and code in SYSTEM_CODES and error.get('code') != code:
        lines.append(f'code {error.get("code")!r}, wanted {code!r} ({_told(error)})')
    if wanted.get('class') and not set(wanted['class']) & set(error['family']):
        lines.append(f'error {_told(error)}, wanted {" or ".join(wanted["class"])}')
    if wanted.get('class') and code and code not in SYSTEM_CODES and error.get('code') != code:
        lines.append(f'code {error.get("code")!r}, wanted {code!r}')
    if 'connect' in wanted and error.get('connect') != wanted['connect']:
        lines.append(f'connect {error.get("connect")!r}, wanted {wanted["connect"]!r}')
    if got.get('calls', 0) > 1:
        lines.append(f'the callback was called {got["calls"]} times')
    if 'events' in want:
        lines += events(want['events'], got)
    return lines + _streams(want, got)


def undefined(got: dict[str, Any]) -> list[str]:
    """What no outcome may be: a hang, or an error outside the family."""
    return ['no outcome within the limit (hang)'] if got.get('no_outcome') else _crash(got)


def _crash(got: dict[str, Any]) -> list[str]:
    """An error that is none of the library's family is a defect, but for Python's own TypeError of a call that does not fit the signature."""
    error = got.get('error')
    if error is None or 'RequestError' in error['family'] or (error['name'] == 'TypeError' and not error['depth']):
        return []
    return [f'an error outside the family: {_told(error)} at {error.get("place")}']


def _told(error: dict[str, Any]) -> str:
    code = f' [{error["code"]}]' if error.get('code') else ''
    return f'{error["name"]}{code} {error["message"]!r:.160}'


def _calls(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    if 'calls' in want and 'calls' in got and want['calls'] != got['calls']:
        return [f'the callback was called {got["calls"]} times, wanted {want["calls"]}']
    return []


def events(want: list[str], got: dict[str, Any]) -> list[str]:
    """Differences of the events, by the rule at the top of this module."""
    wanted = [event for event in want if event not in ('socket', 'close')]
    if 'late_events' in got:
        needed = [] if 'error' in wanted else ['response', 'complete']
        strange = [event for event in got['late_events'] if event not in wanted and event != 'error']
        missing = [event for event in needed if event in wanted and event not in got['late_events']]
        return [f'late listeners: {got["late_events"]}, wanted {wanted}'] if strange or missing else []
    came = [event for event in got.get('events', []) if event not in ('socket', 'close')]
    stops = [event for event in ('error', 'abort') if event in wanted]
    if not stops:
        return [] if came == wanted else [f'events {came}, wanted {wanted}']
    if got.get('raised') and not came:
        return []
    stop = 'error' if 'error' in stops else 'abort'
    if stop not in came:
        return [f'events {came}, wanted {stop} among them']
    before, allowed = came[: came.index(stop) + 1], wanted[: wanted.index(stop) + 1]
    return [] if _is_subsequence(before, allowed) else [f'events {came}, wanted {wanted}']


def _is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(event in rest for event in part)


def response(want: dict[str, Any], got: dict[str, Any] | None, collected: bool = True) -> list[str]:
    """Differences of a response: status, header fields, body and the request that it belongs to."""
    if got is None:
        return [f'no response, wanted status {want["statusCode"]}']
    lines = []
    for key in ('statusCode', 'statusMessage', 'httpVersion'):
        if key in want and want[key] != got.get(key):
            lines.append(f'{key} {got.get(key)!r}, wanted {want[key]!r}')
    if want['headers'] != got['headers']:
        lines.append(f'response headers {_unlike(want["headers"], got["headers"])}')
    if collected and not _same_body(want.get('body'), got.get('body')):
        lines.append(f'body {_short(got.get("body"))}, wanted {_short(want.get("body"))}')
    if 'request' in want:
        lines += request(want['request'], got.get('request'))
    return lines


def _same_body(want: dict[str, Any] | None, got: dict[str, Any] | None) -> bool:
    nothing = ({'type': 'undefined'}, {'type': 'json', 'value': None}, None)
    return want == got or (want in nothing and got in nothing)


def request(want: dict[str, Any], got: dict[str, Any] | None) -> list[str]:
    """Differences of a request as JSON: uri, method, header fields."""
    if got is None:
        return ['no request in the response']
    lines = []
    if want.get('method') != got.get('method'):
        lines.append(f'request.method {got.get("method")!r}, wanted {want.get("method")!r}')
    lines += _uri(want.get('uri'), got.get('uri'))
    wanted, came = _request_headers(want), _request_headers(got)
    for name in SECRET & wanted.keys() & came.keys():
        if 'redacted' in str(came[name]).lower() or set(str(came[name])) <= {'*'}:
            came[name] = wanted[name]
    if wanted != came:
        lines.append(f'request headers {_unlike(wanted, came)}')
    return lines


def _uri(want: Any, got: Any) -> list[str]:
    if not isinstance(want, dict):
        want = {'href': want}
    if not isinstance(got, dict):
        return [f'request.uri {got!r}, wanted {want.get("href")!r}']
    if want.get('auth') and not got.get('auth'):
        want = {**want, 'auth': got.get('auth'), 'href': _USERINFO.sub('', want['href'])}
        got = {**got, 'href': _USERINFO.sub('', got.get('href') or '')}
    if not want.get('hash') and got.get('hash') and '#' not in want['href']:
        got = {**got, 'hash': want.get('hash'), 'href': str(got.get('href')).partition('#')[0]}
    for field in URI_FIELDS:
        if field in want and want[field] != got.get(field):
            if field == 'port' and str(want[field]) == str(got.get(field)):
                continue
            return [f'request.uri.{field} {got.get(field)!r}, wanted {want[field]!r}']
    return []


def _request_headers(shown: dict[str, Any]) -> dict[str, Any]:
    out = {}
    for name, value in (shown.get('headers') or {}).items():
        if name.lower() not in FRAMING and value is not None:
            out[name.lower()] = [_text(part) for part in value] if isinstance(value, list) else _text(value)
    return out


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _streams(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    lines = []
    if 'piped' in want:
        wanted, came = want['piped'], got.get('piped') or {}
        if wanted.get('body') != came.get('body') or wanted.get('statusCode') != came.get('statusCode'):
            lines.append(f'piped {_short(came)}, wanted {_short(wanted)}')
        if 'statusCode' in wanted and _piped_headers(wanted.get('headers')) != _piped_headers(came.get('headers')):
            lines.append(
                f'piped headers {_unlike(_piped_headers(wanted["headers"]), _piped_headers(came.get("headers")))}'
            )
    elif 'stream_body' in want and want['stream_body'] != got.get('stream_body'):
        lines.append(f'streamed body {_short(got.get("stream_body"))}, wanted {_short(want["stream_body"])}')
    return lines


def _piped_headers(given: Any) -> dict[str, Any]:
    pairs = given.items() if isinstance(given, dict) else given or ()
    return {name.lower(): value for name, value in pairs if name.lower() not in HOP_BY_HOP}


def _cookies(want: dict[str, Any], got: dict[str, Any]) -> list[str]:
    if 'cookie' in want:
        return [] if want['cookie'] == got.get('cookie', '') else [f'cookie {_short(got)}, wanted {want["cookie"]!r}']
    if 'jar_errors' in want:
        wanted, came = (
            [(error['jar'], error['cookie']) for error in side.get('jar_errors', ())] for side in (want, got)
        )
        return [] if wanted == came else [f'refused cookies {came}, wanted {wanted}']
    lines = []
    for wanted, came in zip(want['cookie_probe'], got.get('cookie_probe', ()), strict=False):
        if wanted['string'] != came['string']:
            lines.append(f'cookies for {wanted["url"]}: {came["string"]!r}, wanted {wanted["string"]!r}')
        elif [_cookie(one) for one in wanted['cookies']] != [_cookie(one) for one in came['cookies']]:
            lines.append(f'cookies for {wanted["url"]}: {_short(came["cookies"])}, wanted {_short(wanted["cookies"])}')
    if len(want['cookie_probe']) != len(got.get('cookie_probe', ())):
        lines.append('no answer to the cookie probe')
    return lines


def _cookie(shown: dict[str, Any]) -> dict[str, Any]:
    return {field: shown[field] for field in COOKIE_FIELDS if shown.get(field) not in (None, False)}


def _unlike(want: dict[str, Any], got: dict[str, Any]) -> str:
    parts = [
        f'{name}: {got.get(name)!r:.120}, wanted {want.get(name)!r:.120}'
        for name in {**want, **got}
        if want.get(name) != got.get(name)
    ]
    return '; '.join(parts)


def _short(value: Any) -> str:
    return f'{json.dumps(value, ensure_ascii=False):.200}'
