"""Asked: `.response`, `.end()`, iteration and `with` send in the asking thread, once, and raise there."""

from __future__ import annotations

import concurrent.futures
import signal
import threading
import time
from typing import Any

import pytest

from requite import AbortError, ConnectionRefused, RequestStateError, ResponseAborted, request
from tests.servers import HttpServer, closed_port, reply


def targets(server: HttpServer) -> list[str]:
    return [seen.target for seen in server.requests]


def test_nothing_is_sent_before_somebody_asks(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    time.sleep(0.05)
    assert server.requests == []
    assert made.response.status_code == 200
    assert targets(server) == ['/a']


def test_asking_again_gives_the_same_response_without_sending_again(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    first = made.response
    assert made.response is first
    assert made.end() is first
    assert made.end().body == first.body
    assert list(made) == [first.content]
    with made as response:
        assert response is first
    assert targets(server) == ['/a']


def test_asking_again_raises_the_same_error() -> None:
    made = request.get(f'http://127.0.0.1:{closed_port()}/')
    caught = []
    for ask in (lambda: made.response, made.end, lambda: list(made), made.__enter__):
        with pytest.raises(ConnectionRefused) as raised:
            ask()
        caught.append(raised.value)
    assert all(error is caught[0] for error in caught)
    assert caught[0].request is made


def test_a_body_that_breaks_off_raises_the_same_error_again(server: HttpServer) -> None:
    server.routes['/cut'] = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc'
    made = request.get(server.url + '/cut')
    with pytest.raises(ResponseAborted) as first:
        made.end()
    with pytest.raises(ResponseAborted) as second:
        made.end()
    assert first.value is second.value
    assert targets(server) == ['/cut']


def test_the_response_streams_while_its_body_is_still_to_come(raw_server: Any) -> None:
    more = threading.Event()

    def slowly(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc')
        more.wait(10)
        sock.sendall(b'def')

    made = request.get(raw_server(slowly).url)
    assert made.response.status_code == 200
    pieces = iter(made)
    assert next(pieces) == b'abc'
    more.set()
    assert b''.join(pieces) == b'def'


def test_a_with_block_gives_the_connection_up_when_the_body_was_not_read(server: HttpServer) -> None:
    server.routes['/big'] = reply(b'x' * 3_000_000)
    with request.get(server.url + '/big') as response:
        assert response.read(10) == b'x' * 10
    assert response._reply.complete is False
    assert request.get(server.url + '/after').end().status_code == 200


def test_two_threads_that_ask_at_once_get_one_response(server: HttpServer) -> None:
    gate = threading.Barrier(8)
    made = request.get(server.url + '/once')

    def ask() -> Any:
        gate.wait(10)
        return made.end()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        responses = [future.result(30) for future in [pool.submit(ask) for _ in range(8)]]
    assert len({id(response) for response in responses}) == 1
    assert targets(server) == ['/once']


def test_two_threads_that_ask_at_once_get_one_error() -> None:
    gate = threading.Barrier(4)
    made = request.get(f'http://127.0.0.1:{closed_port()}/')

    def ask() -> BaseException | None:
        gate.wait(10)
        try:
            made.end()
        except ConnectionRefused as error:
            return error
        return None

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        errors = [future.result(30) for future in [pool.submit(ask) for _ in range(4)]]
    assert errors[0] is not None
    assert all(error is errors[0] for error in errors)


def test_threads_that_ask_for_the_body_of_one_response_get_the_same_body(raw_server: Any) -> None:
    heads = []

    def slowly(sock: Any, head: bytes) -> None:
        heads.append(head)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc')
        time.sleep(0.1)
        sock.sendall(b'def')

    made = request.get(raw_server(slowly).url)
    gate = threading.Barrier(4)

    def ask() -> Any:
        gate.wait(10)
        return made.response.body

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert [future.result(30) for future in [pool.submit(ask) for _ in range(4)]] == ['abcdef'] * 4
    assert len(heads) == 1


def in_function(url: str) -> Any:
    return request.get(url + '/function').end()


def wrapped(url: str) -> Any:
    return request.defaults(headers={'x-a': '1'}).get(url + '/wrapper').end()


@pytest.mark.parametrize(
    'way',
    [
        pytest.param(in_function, id='function'),
        pytest.param(wrapped, id='wrapper'),
        pytest.param(lambda url: request.get(url + '/lambda').end(), id='lambda'),
        pytest.param(lambda url: [request.get(url + '/loop').end() for _ in range(3)][-1], id='loop'),
    ],
)
def test_asking_works_the_same_wherever_it_is_written(server: HttpServer, way: Any) -> None:
    assert way(server.url).status_code == 200
    assert len(server.requests) in (1, 3)


def test_asking_works_in_an_executor(server: HttpServer) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda n: request.get(f'{server.url}/{n}').end().status_code, range(40)))
    assert codes == [200] * 40
    assert sorted(targets(server)) == sorted(f'/{n}' for n in range(40))


def test_the_exception_of_a_body_iterator_reaches_whoever_asks_each_time(server: HttpServer) -> None:
    def pieces() -> Any:
        yield b'abc'
        raise LookupError('no more')

    made = request.post(server.url + '/up', body=pieces())
    with pytest.raises(LookupError) as first:
        made.end()
    with pytest.raises(LookupError) as second:
        made.end()
    assert first.value is second.value


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason='signals arrive in the main thread'
)
def test_an_interrupt_while_the_server_stalls_ends_the_request(raw_server: Any) -> None:
    release = threading.Event()

    def stall(sock: Any, head: bytes) -> None:
        release.wait(10)

    def interrupt() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    made = request.get(raw_server(stall).url)
    threading.Thread(target=interrupt, daemon=True).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        made.end()
    assert time.monotonic() - began < 5
    with pytest.raises(AbortError, match='KeyboardInterrupt'):
        made.end()
    release.set()


@pytest.mark.parametrize(
    ('method', 'arguments', 'option'),
    [
        ('auth', ('u', 'p'), 'auth='),
        ('form', ({'a': 'b'},), 'form='),
        ('json', ({'a': 'b'},), 'json='),
        ('qs', ({'a': 'b'},), 'qs='),
        ('set_header', ('x-a', '1'), 'headers='),
        ('remove_header', ('x-a',), 'headers='),
        ('multipart', ([],), 'multipart='),
        ('oauth', ({},), 'oauth='),
        ('hawk', ({},), 'hawk='),
        ('aws', ({},), 'aws='),
        ('http_signature', ({},), 'http_signature='),
        ('jar', (True,), 'jar='),
        ('write', (b'x',), 'body='),
        ('end', (b'x',), 'body='),
    ],
)
def test_configuring_after_sending_is_refused_with_the_fix(
    server: HttpServer, method: str, arguments: Any, option: str
) -> None:
    made = request.get(server.url + '/a')
    made.end()
    with pytest.raises(RequestStateError) as raised:
        getattr(made, method)(*arguments)
    assert option in str(raised.value)
    assert len(server.requests) == 1


def test_starting_after_asking_is_refused(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    made.end()
    with pytest.raises(RequestStateError, match='another'):
        made.start()
