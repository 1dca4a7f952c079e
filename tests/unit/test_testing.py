"""The mock in place of the network, and HAR logs that are recorded once and replayed."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

import requite
from _requite_pytest import requite_mock
from requite import (
    ConnectTimeout,
    OptionsError,
    ReadTimeout,
    RequestError,
    ResponseAborted,
    TransportError,
    request,
    testing,
)
from requite.testing import Mock, UnmockedRequest
from requite.transport.pooled import PooledTransport
from tests.servers import Answer, HttpServer, json_reply, redirect, reply

__all__ = ['requite_mock']
BEFORE = request.defaults(base_url='https://api.example.com', json=True)
SOURCE = Path(requite.__file__).parent.parent


def never(call: Any) -> bool:
    return False


def test_a_wrapper_that_was_made_before_is_answered_too(requite_mock: Mock) -> None:
    route = requite_mock.get('https://api.example.com/users/1', json={'name': 'Ada'})
    assert BEFORE.get('/users/1').end().body == {'name': 'Ada'}
    assert request('https://api.example.com/users/1').response.text == '{"name":"Ada"}'
    [first, second] = requite_mock.calls
    assert (first.method, str(first.uri), first.headers['Accept']) == (
        'GET',
        'https://api.example.com/users/1',
        'application/json',
    )
    assert route.calls == [first, second]
    assert 'accept' not in second.headers
    requite_mock.assert_all_called()


@pytest.mark.parametrize(
    ('where', 'address', 'taken'),
    [
        ('http://h/a', 'http://h/a', True),
        ('http://h/a', 'http://h:80/a?x=1#f', True),
        ('http://h/a', 'http://user:word@h/a', True),
        ('http://H/a', 'http://h/a', True),
        ('http://h', 'http://h/', True),
        ('http://h/a', 'http://h/a/', False),
        ('http://h/a', 'https://h/a', False),
        ('http://h/a', 'http://h:81/a', False),
        ('http://h/a?x=1&y=2', 'http://h/a?y=2&x=1', True),
        ('http://h/a?x=1', 'http://h/a', False),
        ('http://h/a?x=1', 'http://h/a?x=1&x=1', False),
        ('http://h/a?', 'http://h/a?x=1', False),
        ('http://h/a?x=', 'http://h/a?x=', True),
        ('/a', 'https://anywhere:1/a?x=1', True),
        ('/a?x=1', 'http://h/a?x=1', True),
        ('/a', 'http://h/ab', False),
        (re.compile('/users/[0-9]+$'), 'http://h/users/12', True),
        (re.compile('/users/[0-9]+$'), 'http://h/users/x', False),
        (re.compile('word'), 'http://user:word@h/', False),
        (lambda call: call.query == {'q': 'x y'}, 'http://h/?q=x+y', True),
        (lambda call: False, 'http://h/', False),
        (None, 'http://h/', True),
    ],
)
def test_where_a_route_answers(where: Any, address: str, taken: bool) -> None:
    with testing.mock(strict=False) as mock:
        mock.get(where, 'ok')
        made = request.get(address)
        if taken:
            assert made.end().body == 'ok'
        else:
            with pytest.raises(UnmockedRequest):
                made.end()


@pytest.mark.parametrize(
    ('given', 'wanted'),
    [
        ({}, (200, '', {'content-length': '0'})),
        ({'reply': 404}, (404, '', {'content-length': '0'})),
        ({'status': 503, 'body': 'busy', 'headers': {'retry-after': 3}}, (503, 'busy', {'retry-after': '3', 'content-type': 'text/plain; charset=utf-8'})),
        ({'reply': 'text'}, (200, 'text', {'content-length': '4', 'content-type': 'text/plain; charset=utf-8'})),
        ({'reply': b'\xc3\xa4'}, (200, 'ä', {'content-length': '2'})),
        ({'reply': {'a': 1}}, (200, '{"a":1}', {'content-type': 'application/json'})),
        ({'json': [None]}, (200, '[null]', {'content-type': 'application/json'})),
        ({'json': None, 'headers': {'content-type': 'application/problem+json'}}, (200, 'null', {'content-type': 'application/problem+json'})),
        ({'reply': (201, [('x-a', '1'), ('x-a', '2')], 'made')}, (201, 'made', {'x-a': '1, 2'})),
        ({'body': ['a', b'b']}, (200, 'ab', {'content-length': '2'})),
        ({'headers': {'set-cookie': ['a=1', 'b=2']}}, (200, '', {'set-cookie': ['a=1', 'b=2']})),
        ({'reply': lambda call: (202, {}, call.method + call.uri.path)}, (202, 'GET/x', {})),
        ({'reply': lambda call: None, 'status': 418}, (418, '', {})),
        ({'status': 299}, (299, '', {})),
    ],
)  # fmt: skip
def test_what_a_reply_may_be(requite_mock: Mock, given: dict[str, Any], wanted: Any) -> None:
    requite_mock.get('http://h/x', given.pop('reply', None), **given)
    for _ in range(2):
        response = request.get('http://h/x').end()
        status, body, headers = wanted
        assert (response.status_code, response.body) == (status, body)
        assert headers.items() <= response.headers.items()


@pytest.mark.parametrize('error', [ConnectTimeout, ReadTimeout, requite.CertificateError, requite.NameNotFound])
def test_errors_are_given_by_class(requite_mock: Mock, error: Any) -> None:
    requite_mock.get('http://h/', error)
    with pytest.raises(error, match=f'{error.__name__} of the mock: GET http://h/') as caught:
        request.get('http://h/').end()
    assert caught.value.code == error.code
    told: list[Any] = []
    request.get('http://h/', lambda *arguments: told.append(arguments))
    assert isinstance(told[0][0], error)


def test_an_error_that_is_given_as_it_is_may_be_raised_again_and_again(requite_mock: Mock) -> None:
    given = ConnectTimeout('too late', 'EMINE')
    requite_mock.get('http://h/', given)
    for _ in range(2):
        with pytest.raises(ConnectTimeout, match='too late') as caught:
            request.get('http://h/').end()
        assert caught.value is not given
        assert caught.value.code == 'EMINE'


def test_a_callable_may_raise(requite_mock: Mock) -> None:
    def fail(call: Any) -> None:
        raise ReadTimeout(f'no answer to {call.json()}')

    requite_mock.post('/x', fail)
    with pytest.raises(ReadTimeout, match=r"no answer to \{'a': 1\}"):
        request.post('http://h/x', json={'a': 1}).end()


def test_a_body_may_break_off(requite_mock: Mock) -> None:
    requite_mock.get('http://h/', body=['first', ResponseAborted])
    response = request.get('http://h/').response
    assert next(iter(response)) == b'first'
    with pytest.raises(ResponseAborted):
        response.read(1)


def test_a_list_is_one_reply_a_call_and_the_last_goes_on(requite_mock: Mock) -> None:
    requite_mock.get('http://h/', [503, ConnectTimeout, 'ok'])
    assert request.get('http://h/').end().status_code == 503
    with pytest.raises(ConnectTimeout):
        request.get('http://h/').end()
    assert [request.get('http://h/').end().body for _ in range(3)] == ['ok'] * 3


def test_retries_and_redirects_and_cookies_work_as_ever(requite_mock: Mock) -> None:
    requite_mock.get('http://h/', [503, 302], headers={'location': '/next', 'set-cookie': 'a=1'})
    requite_mock.get('http://h/next', gzip.compress(b'there'), headers={'content-encoding': 'gzip'})
    response = request.get(
        'http://h/', retry={'limit': 2, 'backoff': 0}, jar=request.jar(), gzip=True, auth=('u', 'p'), time=True
    ).end()
    assert response.body == 'there'
    assert [call.headers.get('cookie') for call in requite_mock.calls] == [None, None, 'a=1']
    assert len(response.redirects) == 1
    assert response.elapsed_time is not None


def test_times_bounds_how_often_a_route_answers(requite_mock: Mock) -> None:
    requite_mock.get('http://h/', 'once', times=1)
    requite_mock.get('http://h/', 'then')
    assert [request.get('http://h/').end().body for _ in range(3)] == ['once', 'then', 'then']


def test_a_method_may_be_any_and_in_any_case(requite_mock: Mock) -> None:
    requite_mock.add(None, '/any', 'any')
    requite_mock.add('purge', '/one', 'one')
    for name in ('head', 'put', 'patch', 'delete'):
        getattr(requite_mock, name)('/' + name, name)
    assert request('http://h/any', method='LINK').end().body == 'any'
    assert request('http://h/one', method='PURGE').end().body == 'one'
    assert request.head('http://h/head').end().body == ''
    assert [getattr(request, name)('http://h/' + name).end().body for name in ('put', 'patch', 'delete')] == [
        'put',
        'patch',
        'delete',
    ]


def test_every_way_of_sending_is_answered(requite_mock: Mock, tmp_path: Path) -> None:
    requite_mock.add(None, re.compile('http://h/'), lambda call: call.text or call.uri.path)
    told: list[Any] = []
    request.get('http://h/callback', lambda error, response, body: told.append(body))
    assert told == ['/callback']
    assert request.get('http://h/started').start().end().body == '/started'
    request.get('http://h/let-go')
    assert request.flush(5000)
    assert requite_mock.calls[-1].uri.path == '/let-go'
    request.get('http://h/pipe').pipe(tmp_path / 'file')
    assert (tmp_path / 'file').read_text() == '/pipe'
    writing = request.post('http://h/write')
    writing.write('a')
    assert writing.end('b').body == 'ab'
    assert request.post('http://h/', body=iter([b'x', b'y'])).end().body == 'xy'

    async def main() -> list[Any]:
        bodies = [response.body for response in await asyncio.gather(*(request.get(f'http://h/{n}') for n in range(5)))]
        return [*bodies, b''.join([piece async for piece in request.get('http://h/pieces')])]

    assert asyncio.run(main()) == ['/0', '/1', '/2', '/3', '/4', b'/pieces']
    many = [threading.Thread(target=lambda n=n: request.get(f'http://h/{n}').end()) for n in range(10)]
    for thread in many:
        thread.start()
    for thread in many:
        thread.join()
    assert len(requite_mock.calls) == 22


def test_a_call_shows_what_would_have_gone_out(requite_mock: Mock) -> None:
    requite_mock.post(None)
    request.post('http://user:hunter2@h/p?a=1&b=', form={'x': '1 2', 'y': 'ä'}, headers={'X-Mine': 'yes'}).end()
    call = requite_mock.calls[0]
    assert call.form == {'x': '1 2', 'y': 'ä'}
    assert call.query == {'a': '1', 'b': ''}
    assert call.body == b'x=1%202&y=%C3%A4'
    assert call.headers['x-MINE'] == 'yes'
    assert repr(call) == '<Call POST http://***@h/p?a=1&b=>'
    with pytest.raises(ValueError, match=r'JSON|Expecting'):
        call.json()


def test_a_request_that_no_route_takes_names_those_there_are() -> None:
    with testing.mock(strict=False) as mock:
        mock.get('https://api.example.com/users/1', times=2)
        mock.post(re.compile('/users$'))
        mock.add(None, never)
        mock.add(None, lambda call: False)
        with pytest.raises(UnmockedRequest) as caught:
            request.get('https://me:hunter2@api.example.com/users/2').end()
    assert str(caught.value).splitlines() == [
        'the mock has no reply for GET https://***@api.example.com/users/2; it has:',
        '  GET https://api.example.com/users/1 (used 0 of 2 times)',
        "  POST re '/users$'",
        '  any method never',
        '  any method test_a_request_that_no_route_takes_names_those_there_are.<locals>.<lambda>',
    ]
    assert isinstance(caught.value, RequestError)
    with testing.mock(strict=False), pytest.raises(UnmockedRequest, match='it has: nothing'):
        request.get('http://h/').end()


def test_the_end_of_the_mock_tells_of_a_request_that_nobody_saw_fail(caplog: Any) -> None:
    with pytest.raises(AssertionError, match='no reply for GET http://h/lost'), testing.mock():
        request.get('http://h/lost', lambda error, response, body: None)
    with pytest.raises(AssertionError, match='no reply for GET http://h/let-go'), testing.mock():
        request.get('http://h/let-go')
    with pytest.raises(KeyError), testing.mock():
        request.get('http://h/other', lambda error, response, body: None)
        raise KeyError


def test_what_was_let_go_is_answered_before_the_mock_ends() -> None:
    with testing.mock() as mock:
        mock.get('/x')
        for _ in range(20):
            request.get('http://h.invalid/x')
    assert len(mock.calls) == 20


def test_assert_all_called_names_what_nobody_asked_for(requite_mock: Mock) -> None:
    requite_mock.get('http://h/asked')
    requite_mock.get('http://h/forgotten')
    request.get('http://h/asked').end()
    with pytest.raises(AssertionError, match=r'nobody asked for:\n  GET http://h/forgotten$'):
        requite_mock.assert_all_called()


def test_some_requests_may_go_out_all_the_same(requite_mock: Mock, server: HttpServer) -> None:
    requite_mock.pass_through(re.compile(re.escape(server.url)))
    requite_mock.get(None, 'mocked')
    assert request.post(server.url + '/real', body=iter([b'once'])).end().status_code == 200
    assert request.get('http://h/').end().body == 'mocked'
    assert server.requests[0].body == b'once'
    requite_mock.assert_all_called()


def test_mocks_may_stand_in_one_another_and_leave_everything_as_it_was(server: HttpServer) -> None:
    real = PooledTransport.send
    with testing.mock() as outer:
        outer.get(None, 'outer')
        with testing.mock() as inner:
            inner.get(None, 'inner')
            assert request.get('http://h/').end().body == 'inner'
        assert request.get('http://h/').end().body == 'outer'
    assert PooledTransport.send is real
    assert request.get(server.url).end().status_code == 200


def test_an_aborted_request_is_not_answered(requite_mock: Mock) -> None:
    requite_mock.get(None, lambda call: call.hop.signal.abort())
    made = request.get('http://h/').on('response', lambda response: None)
    with pytest.raises(requite.AbortError):
        made.end()


@pytest.mark.parametrize(
    ('make', 'complaint'),
    [
        (lambda mock: mock.get('http://h/', stauts=1), "no 'stauts'; it has status, headers, body and json"),
        (lambda mock: mock.get('http://h/', body='x', json=1), 'either body or json'),
        (lambda mock: mock.get(17), 'str, a pattern or a callable, not an int'),
        (lambda mock: mock.get('no address'), 'Invalid URI'),
    ],
)
def test_a_route_that_cannot_be_meant_is_refused_at_once(requite_mock: Mock, make: Any, complaint: str) -> None:
    with pytest.raises((TypeError, ValueError), match=complaint):
        make(requite_mock)


def test_a_reply_that_is_none_is_refused(requite_mock: Mock) -> None:
    requite_mock.get('/a', lambda call: [1])
    requite_mock.get('/b', body=7)
    with pytest.raises(TypeError, match='not a list; give other JSON as json='):
        request.get('http://h/a').end()
    with pytest.raises(TypeError, match='not an int'):
        request.get('http://h/b').end()


# -- the fixture


def pytest_in(folder: Path, test: str, *flags: str) -> subprocess.CompletedProcess[str]:
    (folder / 'test_it.py').write_text(textwrap.dedent(test))
    command = [
        sys.executable,
        '-m',
        'pytest',
        '-q',
        '-p',
        'no:cacheprovider',
        '--rootdir',
        str(folder),
        *flags,
        str(folder),
    ]
    env = {**os.environ, 'PYTHONPATH': str(SOURCE)}
    env.pop('PYTEST_ADDOPTS', None)
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_the_fixture_ends_with_its_test_and_fails_it_where_a_request_was_lost(tmp_path: Path) -> None:
    test = """
        from requite import request
        def test_good(requite_mock):
            requite_mock.get('http://h/', 'ok')
            assert request.get('http://h/').end().body == 'ok'
        def test_lost(requite_mock):
            request.get('http://h/lost', lambda *arguments: None)
    """
    done = pytest_in(tmp_path, test, '-p', '_requite_pytest')
    assert done.returncode == 1
    assert '2 passed, 1 error' in done.stdout
    assert 'the mock has no reply for GET http://h/lost' in done.stdout


def test_a_test_run_that_does_not_use_the_fixture_does_not_load_requite(tmp_path: Path) -> None:
    test = """
        import sys
        def test_nothing_is_loaded():
            assert '_requite_pytest' in sys.modules
            assert 'requite' not in sys.modules
            assert 'urllib3' not in sys.modules
    """
    done = pytest_in(tmp_path, test, '-p', '_requite_pytest', '-p', 'no:hypothesispytest', '-p', 'no:anyio')
    assert done.returncode == 0, done.stdout


def test_a_fixture_of_that_name_of_ones_own_wins(tmp_path: Path) -> None:
    test = """
        import pytest
        @pytest.fixture
        def requite_mock():
            return 'mine'
        def test_mine(requite_mock):
            assert requite_mock == 'mine'
    """
    assert pytest_in(tmp_path, test, '-p', '_requite_pytest').returncode == 0


# -- HAR


def test_what_was_recorded_is_replayed_without_a_server(http_server: Any, tmp_path: Path) -> None:
    server = http_server()
    answers = iter(['first', 'second'])
    server.routes['/n'] = lambda seen: reply(next(answers))
    server.routes['/old'] = redirect('/json')
    server.routes['/json'] = json_reply({'a': 'ä'}, set_cookie='sid=hunter2')
    server.routes['/packed'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(b'plain'))
    server.routes['/bytes'] = reply(b'\xff\x00\xfe')
    server.routes['/empty'] = reply('', 204)
    url, path = server.url, tmp_path / 'session.har'

    def session() -> list[Any]:
        jar = request.jar()
        return [
            request.get(url + '/n').end().body,
            request.get(url + '/n').end().body,
            request.get(url + '/old', json=True, jar=jar).end().body,
            request.get(url + '/packed', gzip=True).end().body,
            request.get(url + '/bytes', encoding=None).end().body,
            request.get(url + '/empty').end().status_code,
            request.post(url + '/json', json={'x': 1}, auth=('me', 'hunter2')).end().status_code,
            request.get(url.replace('//', '//me:hunter2@') + '/json?token=hunter2').end().text,
        ]

    with testing.record(path):
        recorded = session()
    assert recorded[:5] == ['first', 'second', {'a': 'ä'}, 'plain', b'\xff\x00\xfe']
    assert 'hunter2' not in path.read_text()
    server.close()
    with testing.replay(path) as mock:
        assert session() == recorded
        assert request.get(url + '/n').end().body == 'second'
        mock.get('/more', 'more')
        assert request.get('http://h/more').end().body == 'more'
        assert len(mock.calls) == 11


def test_recording_again_begins_anew_and_spares_other_files(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'session.har'
    for _ in range(2):
        with testing.record(path) as log:
            request.get(server.url).end()
        assert len(log.to_json()['log']['entries']) == 1
    other = tmp_path / 'diary.txt'
    other.write_text('dear diary')
    with pytest.raises(OptionsError, match=r'diary\.txt'), testing.record(other):
        pass
    assert other.read_text() == 'dear diary'


def test_a_replay_does_not_answer_what_was_not_recorded(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'session.har'
    with testing.record(path):
        request.get(server.url + '/a?x=1').end()
    with (
        pytest.raises(AssertionError, match=r'GET http://.*/a\?x=2; it has:\n  GET http://.*/a\?x=1'),
        testing.replay(path),
    ):
        with pytest.raises(UnmockedRequest):
            request.get(server.url + '/a?x=2').end()


def test_an_exchange_that_failed_fails_again(tmp_path: Path) -> None:
    path = tmp_path / 'session.har'
    with testing.record(path), pytest.raises(RequestError):
        request.get('http://127.0.0.1:1/').end()
    with testing.replay(path), pytest.raises(TransportError, match='ECONNREFUSED'):
        request.get('http://127.0.0.1:1/').end()


@pytest.mark.parametrize(
    'text', ['', 'nothing', '{}', '[]', '{"log": {"entries": [{}]}}', '{"log": {"entries": 1}}', '{"log": {"entries": [{"request": {"method": "GET", "url": "x"}, "response": {"status": 1}}]}}'],
)  # fmt: skip
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'session.har'
    path.write_text(text)
    with pytest.raises(OptionsError, match=r'session\.har.* is no HAR 1\.2 log'), testing.replay(path):
        pass


def test_a_log_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match='record one first'), testing.replay(tmp_path / 'none.har'):
        pass


def test_the_log_of_a_browser_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / 'browser.har'
    response = {
        'status': 200, 'headers': [{'name': ':status', 'value': '200'}, {'name': 'Content-Type', 'value': 'text/html'}, {'name': 'content-encoding', 'value': 'br'}],
        'content': {'size': 5, 'mimeType': 'text/html', 'text': 'aGVsbG8=', 'encoding': 'base64'},
    }  # fmt: skip
    big = {'status': 200, 'headers': [], 'content': {'size': 5_000_000, 'mimeType': ''}}
    entries = [
        {'request': {'method': 'GET', 'url': 'https://h/'}, 'response': response},
        {'request': {'method': 'GET', 'url': 'https://h/big'}, 'response': big},
    ]
    path.write_text(json.dumps({'log': {'entries': entries}}))
    with testing.replay(path):
        answer = request.get('https://h/', gzip=True).end()
        assert (answer.body, answer.headers['content-type']) == ('hello', 'text/html')
        with pytest.raises(requite.RequestStateError, match='too large to be recorded'):
            request.get('https://h/big').end()
