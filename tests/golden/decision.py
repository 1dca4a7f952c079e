"""What a decision is, and how it turns Node's expectation into requite's."""

from __future__ import annotations

import copy
import re
from typing import Any, NamedTuple

PLAIN = ['request', 'response', 'data', 'end', 'complete']
SERVER = '127.0.0.1:{{port}}'


class Decision(NamedTuple):
    """Why a case goes otherwise than Node's, and what then happens, so that it is checked and not skipped.

    ``error``: instead of an answer an error of that class (or of one of those), of that ``code`` where given, after the first ``sent`` requests.
    ``changes``: parts of the expectation by path. ``requests.1.body`` and ``outcomes.0.response.body`` name parts as they stand, None removes one.
    ``headers.1.referer`` is that field of the request on the wire and, for the last request, of the response's request. ``target.0`` is the target,
    and for the last request also its uri. ``uri`` is the text of the uri at the end. A compiled pattern must be found in what came. With neither
    error nor changes it is Node's own result that is expected, for the reason given.
    """

    reason: str
    error: str | tuple[str, ...] | None = None
    code: str | None = None
    sent: int = 0
    changes: dict[str, Any] = {}


class Unlike(Exception):
    """What came has not the form that a decision asks for."""


def apply(decision: Decision, want: dict[str, Any], got: dict[str, Any]) -> dict[str, Any]:
    """The expectation that the decision makes of Node's; raises ``Unlike`` where a pattern is not found in ``got``."""
    want = copy.deepcopy(want)
    if decision.error is not None:
        classes = [decision.error] if isinstance(decision.error, str) else list(decision.error)
        error = {'message': '', 'class': classes, 'code': decision.code}
        return {
            **want,
            'requests': want['requests'][: decision.sent],
            'outcomes': [*want['outcomes'][:-1], {'error': error}],
        }
    for path, value in decision.changes.items():
        first, _, rest = path.partition('.')
        if first == 'headers':
            _set_header(want, got, int(rest.partition('.')[0]), rest.partition('.')[2], value)
        elif first == 'target':
            _set_target(want, int(rest), value)
        elif first == 'uri':
            _final_uri(want)['href'] = value
            _final_uri(want).update(_parts(value))
        else:
            _set(want, got, path.split('.'), value)
    return want


def _set(want: Any, got: Any, path: list[str], value: Any) -> None:
    for step in path[:-1]:
        want, got = _at(want, step), _at(got, step)
    last = path[-1]
    if isinstance(value, re.Pattern):
        value = _found(value, _at(got, last))
    if isinstance(want, list):
        index = int(last)
        want[index : index + 1] = [] if value is None else [value]
    elif value is None:
        want.pop(last, None)
    else:
        want[last] = value


def _at(value: Any, step: str) -> Any:
    if isinstance(value, list):
        return value[int(step)] if int(step) < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _found(pattern: re.Pattern[str], came: Any) -> Any:
    if not pattern.search(str(came)):
        raise Unlike(f'{came!r:.200} has not the form {pattern.pattern!r}')
    return came


def _set_header(want: dict[str, Any], got: dict[str, Any], index: int, name: str, value: Any) -> None:
    fields = want['requests'][index]['headers']
    if isinstance(value, re.Pattern):
        came = got['requests'][index]['headers'] if index < len(got['requests']) else []
        value = _found(value, next((text for field, text in came if field.lower() == name.lower()), None))
    fields[:] = [pair for pair in fields if pair[0].lower() != name.lower()]
    if value is not None:
        fields.append([name, value])
    if index == len(want['requests']) - 1 and want['outcomes'][-1].get('response'):
        shown = want['outcomes'][-1]['response']['request']['headers']
        for key in [key for key in shown if key.lower() == name.lower()]:
            del shown[key]
        if value is not None and name.lower() != 'host':
            shown[name] = value


def _set_target(want: dict[str, Any], index: int, target: str) -> None:
    want['requests'][index]['target'] = target
    if index == len(want['requests']) - 1:
        uri = _final_uri(want)
        hash_ = uri.get('hash') or ''
        uri['href'] = uri['href'].partition('#')[0].split('/', 3)[0] + '//' + uri['host'] + target + hash_
        uri.update(_parts(uri['href']))


def _final_uri(want: dict[str, Any]) -> dict[str, Any]:
    uri: dict[str, Any] = want['outcomes'][-1]['response']['request']['uri']
    return uri


def _parts(href: str) -> dict[str, Any]:
    """The fields of a uri that follow its host."""
    bare, mark, fragment = href.partition('#')
    path = '/' + bare.split('/', 3)[3]
    pathname, question, query = path.partition('?')
    return {
        'path': path,
        'pathname': pathname,
        'search': '?' + query if question else None,
        'query': query if question else None,
        'hash': '#' + fragment if mark else None,
    }


def answered(
    method: str = 'GET', target: str = '/', *, fields: list[list[str]] | None = None, **parts: Any
) -> dict[str, Any]:
    """Changes that make of an expected failure one request and its answer: ``ok`` with the default fields, unless ``parts`` says otherwise.

    ``body`` is what is sent; ``status``, ``headers`` and ``came`` (typed) are the answer's; ``server`` is the host that is asked.
    """
    server = parts.get('server', SERVER)
    request: dict[str, Any] = {'method': method, 'target': target, 'headers': [*(fields or []), ['host', server]]}
    if 'body' in parts:
        request['body'] = parts['body']
    shown = {
        'method': method,
        'uri': {'href': f'http://{server}{target}'},
        'headers': dict(fields or []),
    }
    response = {
        'statusCode': parts.get('status', 200),
        'headers': parts.get('headers', {'content-type': 'text/plain', 'content-length': '2'}),
        'body': parts.get('came', {'type': 'string', 'value': 'ok'}),
        'request': shown,
    }
    return {'requests': [request], 'outcomes': [{'calls': 1, 'events': PLAIN, 'response': response}]}
