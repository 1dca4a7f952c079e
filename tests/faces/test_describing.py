"""Looking at a request never sends it, and shows no secret."""

from __future__ import annotations

import copy
import inspect
import logging
import pickle
import pprint
from typing import Any

import pytest

from requite import request
from tests.servers import HttpServer, closed_port


def test_repr_tells_what_and_whether_it_was_sent(server: HttpServer) -> None:
    made = request.post('http://h/p')
    assert repr(made) == str(made) == f'{made}' == '<Request POST http://h/p (not sent)>'
    made.abort()
    assert repr(made) == '<Request POST http://h/p (aborted)>'
    with pytest.raises(Exception, match='abort'):
        made.end()
    asked = request.get(server.url + '/a')
    asked.end()
    size = len(asked.response.content)
    assert repr(asked) == f'<Request GET {server.url}/a 200 application/json {size} B>'
    failing = request.get(f'http://127.0.0.1:{closed_port()}/')
    with pytest.raises(ConnectionRefusedError):
        failing.end()
    assert repr(failing).endswith('(failed)>')


def test_no_secret_of_address_or_headers_is_shown(server: HttpServer) -> None:
    """SECURITY Q9."""
    address = server.url.replace('http://', 'http://user:hunter2@')
    made = request.get(
        address + '/a', headers={'authorization': 'hunter2', 'cookie': 'hunter2'}, auth=('user', 'hunter2')
    )
    shown = [repr(made), str(made), repr(made.uri.redacted())]
    made.end()
    shown += [repr(made), repr(made.response), repr(made.hop), repr(made.response.request)]
    assert 'hunter2' not in ''.join(shown)


def look(made: Any) -> None:
    logging.getLogger('tests').warning('%s %r', made, made)
    pprint.pformat([made, {'a': made}])
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match='request'):
            attempt(made)
    assert made == made
    assert made != 1
    assert made
    assert hash(made)
    for name in dir(made):
        getattr(made, name)
    inspect.getmembers(made)
    made.uri, made.method, made.headers, made.to_json(), made.made_at, made.has_header('x'), made.get_header('x')
    assert not hasattr(made, 'no_such_attribute')


def test_loggers_copies_pickles_and_debuggers_do_not_send(server: HttpServer) -> None:
    made = request.post(server.url + '/a', body='x', headers={'x': '1'})
    look(made)
    assert server.requests == []
    assert made.end().status_code == 200
    look(made)
    assert len(server.requests) == 1


def test_the_response_is_shown_to_debuggers_once_it_is_there(server: HttpServer) -> None:
    made = request.get(server.url)
    assert 'response' not in dir(made)
    assert 'end' in dir(made)
    made.end()
    assert 'response' in dir(made)


def test_the_line_that_made_the_request_is_known(server: HttpServer) -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    made = request.defaults(json=True).post(server.url)
    assert made.made_at == f'{__file__}:{line}'
    made.end()
