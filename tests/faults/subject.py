"""requite as the client under test, through its public names only."""

from __future__ import annotations

from typing import Any

from requite import RequestError, request

from .child import Answer

MAX_BODY = 64 * 1024 * 1024
DEADLINE_SLACK = 2.5  # seconds over the idle timeout that a whole exchange may take


class Requite:
    """One ``defaults()``: one pool, one jar."""

    errors: tuple[type[Exception], ...] = (RequestError,)

    def __init__(self, options: dict[str, Any]) -> None:
        self.request = request.defaults(**settings(options))

    def step(self, step: dict[str, Any], body: Any, limit: int | None) -> Answer:
        wanted: dict[str, Any] = {'method': step.get('method', 'GET')}
        if step.get('headers'):
            wanted['headers'] = step['headers']
        if body is not None:
            wanted['body'] = body
        pending = self.request(step['url'], **wanted)
        if limit is None:
            response = pending.end()
            data = response.body
        else:
            with pending as response:
                data = _at_most(response, limit)
        if not isinstance(data, bytes):
            raise TypeError(f'encoding=None promises bytes, the body is {type(data).__name__}')
        return Answer(response.status_code, _plain(response.headers), data)


def settings(options: dict[str, Any]) -> dict[str, Any]:
    """The case's options in requite's words."""
    made: dict[str, Any] = {
        'timeout': int(options['timeout'] * 1000),
        'deadline': int((options['timeout'] + DEADLINE_SLACK) * 1000),
        'max_body': MAX_BODY,
        'pool': {'max_sockets': 4},
        'encoding': None,
        'gzip': True,
        'proxy': options.get('proxy_url'),
    }
    if options.get('ca_file'):
        made['ca'] = options['ca_file']
    if options.get('jar'):
        made['jar'] = request.jar()
    if options.get('follow_all'):
        made['follow_all_redirects'] = True
    if options.get('auth'):
        made['auth'] = {'user': 'user', 'pass': 'password', 'sendImmediately': options['auth'] == 'basic'}
    return made


def _at_most(response: Any, limit: int) -> bytes:
    data = b''
    while len(data) < limit:
        part = response.read(limit - len(data))
        if not part:
            break
        data += part
    return data


def _plain(headers: Any) -> dict[str, str]:
    return {
        name.lower(): ', '.join(value) if isinstance(value, list) else str(value) for name, value in headers.items()
    }
