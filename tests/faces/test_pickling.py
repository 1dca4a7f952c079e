"""Wrappers, jars, responses and errors go to other processes; a request does not, and says what to send instead."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import requite
from requite import Pool, RequestError, RequestStateError, cookies, errors, request
from requite.testing import Mock
from requite.transport.pools import DEFAULT
from tests.servers import HttpServer, closed_port, json_reply, redirect, reply

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


def again(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


def older(value: Any) -> str:
    """A reviver's or signer's function has to be importable, like every function that is pickled."""
    return str(value)


class Stamp:
    """A signer of the caller's."""

    def sign(self, draft: Any, clock: Any) -> None:
        draft.set('x-stamp', 'yes')


# -- wrappers


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_a_wrapper_sends_the_same_after_pickling(server: HttpServer, protocol: int) -> None:
    api = request.defaults(
        base_url=server.url, json=True, auth=('user', 'word'), headers={'X-Token': 't', 'accept': 'a/b'}, qs={'a': 1}, timeout=5000,
        signers=[Stamp()], oauth={'consumer_key': 'k', 'consumer_secret': 's', 'signature_method': 'PLAINTEXT'} if protocol == 2 else None,
        retry={'limit': 2}, jar=True, sensitive_headers=['x-token'], max_body=10_000,
    )  # fmt: skip
    if protocol == 2:
        api = api.defaults(auth=None)
    other = again(api, protocol)
    for made in (api, other):
        assert made.post('/p', body={'b': 2}).end().status_code == 200
    first, second = server.requests
    hide = {'authorization'} if protocol == 2 else set()  # holds a nonce
    assert [field for field in first.headers if field[0].lower() not in hide] == [
        field for field in second.headers if field[0].lower() not in hide
    ]
    assert (first.target, first.body, second.header('x-stamp')) == (second.target, second.body, 'yes')
    assert second.header('authorization')
    assert repr(other) == repr(api)


def test_a_request_without_defaults_is_pickled_too(server: HttpServer) -> None:
    assert again(request).get(server.url).end().status_code == 200


def test_a_pickle_holds_the_credentials_and_the_repr_does_not() -> None:
    """SECURITY Q9: the pickle must work elsewhere; what is shown must not give it away."""
    api = request.defaults(
        auth=('user', 'hunter2'), headers={'x-token': 'hunter2'}, base_url='https://me:hunter2@api.example.com/v1?key=hunter2',
        proxy='http://p:hunter2@127.0.0.1:1', oauth={'consumer_key': 'hunter2', 'consumer_secret': 'hunter2'}, body='hunter2',
    )  # fmt: skip
    assert b'hunter2' in pickle.dumps(api)
    for shown in (repr(api), str(api), repr(again(api))):
        assert 'hunter2' not in shown
    assert "base_url='https://***@api.example.com/v1?***'" in repr(api)
    assert 'headers=(x-token)' in repr(api)


def test_what_comes_out_of_a_pickle_shares_the_connections_of_its_configuration(server: HttpServer) -> None:
    mine = Pool(2)
    cases = [
        {},
        {'pool': mine},
        {'pool': {'max_sockets': 3}},
        {'agent_options': {'keepAlive': True, 'maxSockets': 4}},
        {'forever': True},
    ]
    for options in cases:
        api = request.defaults(base_url=server.url, **options)
        copies = [again(api), again(api), again(again(api))]
        pools = {id(made._defaults.connections or DEFAULT) for made in (api, *copies)}
        assert len(pools) == 1, options
    alone = again(request.defaults(pool=False))
    assert alone._defaults.connections is False
    api = request.defaults(base_url=server.url, pool=mine)
    for made in (api, again(api), again(api)):
        assert made.get('/').end().status_code == 200
    [(busy, idle)] = mine.status().values()
    assert (busy, idle) == (0, 1)


def test_a_pool_is_one_in_a_process_however_often_it_is_pickled() -> None:
    pool = Pool(7, keep_alive=False, max_free_sockets=2, name='mine', keep_alive_msecs=1500)
    assert again(pool) is pool
    assert copy.copy(pool) is copy.deepcopy(pool) is pool
    assert again(DEFAULT) is DEFAULT
    text = pickle.dumps(pool)
    del pool
    made, other = pickle.loads(text), pickle.loads(text)
    assert made is other
    assert (made.max_sockets, made.keep_alive, made.max_free_sockets, made.name, made.probe_after) == (
        7,
        False,
        2,
        'mine',
        1.5,
    )


def test_pools_out_of_pickles_are_kept_up_to_a_number() -> None:
    from requite.transport import pools

    for _ in range(200):
        text = pickle.dumps(Pool(1))
        pickle.loads(text)
    assert len(pools._kept) <= 64


def test_copies_of_a_wrapper_are_itself() -> None:
    jar = request.jar()
    api = request.defaults(jar=jar, headers={'a': 'b'})
    assert copy.copy(api) is api
    assert copy.deepcopy({'api': api})['api'] is api


def ask(api: Any, path: str) -> tuple[int, Any]:
    """Runs in another process; the wrapper has come out of a pickle there, each time anew."""
    from requite.transport import pools

    response = api.get(path).end()
    busy = [sum(counts) for pool in list(pools._every_pool) for counts in pool.status().values()]
    return sum(busy), response


@pytest.mark.parametrize('method', ['fork', 'spawn', 'forkserver'])
def test_wrappers_go_into_processes_and_responses_come_back_over_one_connection_a_process(
    server: HttpServer, method: str
) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f'there is no {method} here')
    api = request.defaults(base_url=server.url, json=True, pool={'max_sockets': 5}, headers={'x': 'y'})
    api.get('/before').end()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
        results = [executor.submit(ask, api, f'/{n}').result(60) for n in range(4)]
    assert [count for count, _ in results] == [1, 1, 1, 1]
    assert [response.body['target'] for _, response in results] == ['/0', '/1', '/2', '/3']


def refuse(port: int) -> None:
    request.get(f'http://user:hunter2@127.0.0.1:{port}/x').end()


def test_an_error_of_another_process_arrives_as_itself() -> None:
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        error = executor.submit(refuse, closed_port()).exception(60)
    assert isinstance(error, requite.ConnectionRefused)
    assert isinstance(error, ConnectionRefusedError)
    assert (error.code, error.request) == ('ECONNREFUSED', None)  # type: ignore[union-attr]
    assert 'hunter2' not in str(error)


# -- jars


def test_a_jar_is_pickled_with_its_cookies(server: HttpServer) -> None:
    jar = request.jar()
    server.routes['/set'] = reply('', set_cookie='a=1; Path=/')
    request.get(server.url + '/set', jar=jar).end()
    jar.add('late=1')
    other, third = again(jar), copy.deepcopy(jar)
    for made in (other, third):
        assert made.get_cookie_string(server.url) == jar.get_cookie_string(server.url) == 'a=1; late=1'
    other.set_cookie('b=2', server.url)
    assert 'b=2' not in jar.get_cookie_string(server.url)
    with pytest.raises(AttributeError):
        _ = other.nothing


def test_a_wrapper_and_its_jar_stay_together_in_one_pickle(server: HttpServer) -> None:
    jar = request.jar()
    api, kept = again((request.defaults(jar=jar), jar))
    server.routes['/set'] = reply('', set_cookie='a=1')
    api.get(server.url + '/set').end()
    assert kept.get_cookie_string(server.url) == 'a=1'


@pytest.mark.parametrize('kind', ['JSONFileStore', 'NetscapeFileStore', 'SQLiteStore'])
def test_a_jar_in_a_file_is_pickled_as_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    jar = request.jar(getattr(cookies, kind)('cookies'))
    jar.set_cookie('a=1; Max-Age=1000', 'http://h/')
    text = pickle.dumps(jar)
    monkeypatch.chdir('/')
    other = pickle.loads(text)
    assert other.get_cookie_string('http://h/') == 'a=1'
    other.set_cookie('b=2; Max-Age=1000', 'http://h/')
    monkeypatch.chdir(tmp_path)
    assert sorted(jar.get_cookie_string('http://h/').split('; ')) == ['a=1', 'b=2']
    jar.close()
    other.close()


# -- responses


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_a_response_is_pickled_with_its_body_and_without_credentials(server: HttpServer, protocol: int) -> None:
    server.routes['/old'] = redirect('/new')
    server.routes['/new'] = json_reply({'n': [1, 2]}, 201, set_cookie='a=b', x_a='1')
    address = server.url.replace('http://', 'http://me:hunter2@')
    response = request.get(
        address + '/old?q=1', json=True, time=True, headers={'cookie': 'hunter2', 'authorization': 'Bearer hunter2', 'x-mine': 'yes'},
        qs={'a': 'b'}, oauth=None,
    ).end()  # fmt: skip
    text = pickle.dumps(response, protocol)
    other = pickle.loads(text)
    assert b'hunter2' not in text
    assert type(other) is type(response)
    for name in ('status_code', 'status_message', 'http_version', 'headers', 'raw_headers', 'content', 'text', 'body', 'ok', 'redirects', 'attempts', 'elapsed_time'):  # fmt: skip
        assert getattr(other, name) == getattr(response, name), name
    assert other.timings == pytest.approx(response.timings, abs=0.01)
    assert other.timing_phases == pytest.approx(response.timing_phases, abs=0.01)
    assert abs(other.timing_start - response.timing_start) <= 2
    assert other.json() == {'n': [1, 2]}
    assert other.headers['Set-Cookie'] == ['a=b']
    assert other.request.headers['x-mine'] == 'yes'
    assert other.request.method == 'GET'
    assert other.request.uri.path == '/new'
    assert repr(other) == repr(response).replace('***@', '')
    assert json.dumps(other.to_json())
    assert list(other.lines())
    other.close()
    assert again(other).body == response.body


def test_pickling_reads_a_body_that_was_not_read_yet(server: HttpServer) -> None:
    server.routes['/'] = reply('later')
    assert again(request.get(server.url).response).body == 'later'


def test_a_value_that_a_function_made_of_json_stays(server: HttpServer) -> None:
    server.routes['/'] = json_reply({'n': 1})
    response = request.get(server.url, json=True, json_reviver=lambda key, value: 'seen' if key == 'n' else value).end()
    assert again(response).body == response.body == {'n': 'seen'}


def test_bytes_and_other_encodings_stay_what_they_are(server: HttpServer) -> None:
    server.routes['/'] = reply(b'\xe4')
    assert again(request.get(server.url, encoding=None).end()).body == b'\xe4'
    assert again(request.get(server.url, encoding='latin1').end()).body == 'ä'


def test_a_response_in_the_middle_of_its_pieces_is_not_pickled(server: HttpServer) -> None:
    server.routes['/'] = reply(b'x' * 1_000_000)
    response = request.get(server.url).response
    response.read(10)
    with pytest.raises(RequestStateError, match='in pieces'):
        pickle.dumps(response)
    for _ in response:
        pass
    other = again(response)
    assert other.status_code == 200
    with pytest.raises(RequestStateError, match='in pieces'):
        _ = other.body


def test_a_response_whose_body_broke_off_raises_that_again(raw_server: Any) -> None:
    def answer(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort')

    response = request.get(raw_server(answer).url).response
    for _ in range(2):
        with pytest.raises(requite.ResponseAborted):
            pickle.dumps(response)


# -- errors


def kinds(root: type) -> list[type]:
    return [
        root,
        *(kind for below in root.__subclasses__() for kind in kinds(below) if kind.__module__.startswith('requite')),
    ]


@pytest.mark.parametrize('kind', sorted(set(kinds(RequestError)), key=lambda kind: kind.__name__))
def test_every_error_is_pickled_and_copied(kind: type[RequestError]) -> None:
    error = kind.__new__(kind)
    RequestError.__init__(error, 'what happened', 'ECODE')
    error.timings = {'response': 1.5}
    error.request = request.get('http://h/')
    error.request.abort()
    for other in (again(error), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is kind
        assert (str(other), other.message, other.code, other.timings, other.request) == (
            'what happened', 'what happened', 'ECODE', {'response': 1.5}, None,
        )  # fmt: skip
        assert repr(other) == repr(error)
        assert other.connect == error.connect
    with pytest.warns(errors.RequestNotSentWarning):
        error.request = None


# -- requests


def test_a_request_says_to_pickle_the_wrapper_whatever_state_it_is_in(server: HttpServer) -> None:
    import threading

    go, seen = threading.Event(), threading.Event()

    def slow(_: Any) -> Any:
        seen.set()
        assert go.wait(10)
        return reply('ok')

    server.routes['/slow'] = slow
    unsent = request.get(server.url)
    sending = request.get(server.url + '/slow').start()
    assert seen.wait(10)
    for made in (unsent, sending):
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r'pickle the wrapper that makes it \(request.defaults'):
                attempt(made)
    assert len(server.requests) == 1
    go.set()
    assert sending.end().body == 'ok'
    with pytest.raises(TypeError, match='pickle the wrapper'):
        pickle.dumps(sending)
    assert unsent.end().status_code == 200


def test_a_log_is_pickled_by_its_path_only(tmp_path: Path) -> None:
    log = requite.HarLog(tmp_path / 'log.har')
    assert again(log).path == log.path
    with pytest.raises(TypeError, match='give it a path'):
        pickle.dumps(requite.HarLog())


def test_a_mock_is_not_part_of_a_wrapper() -> None:
    with Mock() as mock:
        mock.get('/x', 'mocked')
        assert again(request.defaults(base_url='http://h')).get('/x').end().body == 'mocked'
