"""Given a consumer: a callback is called once, before the call returns, and what it raises comes out of the call."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from requite import ConnectionRefused, InvalidOptionType, RequestError, RequestStateError, ResponseAborted, request
from tests.servers import HttpServer, closed_port


def refused() -> str:
    return f'http://127.0.0.1:{closed_port()}/'


def test_a_callback_is_called_once_before_the_call_returns_in_the_same_thread(server: HttpServer) -> None:
    calls: list[Any] = []
    made = request.get(server.url + '/a', lambda *arguments: calls.append((threading.get_ident(), arguments)))
    ((thread, (error, response, body)),) = calls
    assert thread == threading.get_ident()
    assert error is None
    assert response is made.response
    assert body == response.body
    made.end()
    del made
    assert len(calls) == len(server.requests) == 1


def test_a_failure_is_the_callbacks_first_argument() -> None:
    calls: list[Any] = []
    made = request.get(refused(), lambda *arguments: calls.append(arguments))
    ((error, response, body),) = calls
    assert isinstance(error, ConnectionRefused)
    assert (response, body) == (None, None)
    assert error.request is made


def test_a_body_that_breaks_off_is_the_callbacks_failure(server: HttpServer) -> None:
    server.routes['/cut'] = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc'
    calls: list[Any] = []
    request.get(server.url + '/cut', lambda *arguments: calls.append(arguments))
    assert [(type(error), response) for error, response, _ in calls] == [(ResponseAborted, None)]


@pytest.mark.parametrize('listening', [False, True])
def test_end_with_a_callback_sends_now_and_returns_the_request(server: HttpServer, listening: bool) -> None:
    calls: list[Any] = []
    made = request.get(server.url + '/a')
    if listening:
        made.on('response', lambda response: None)
    assert made.end(lambda error, response, body: calls.append(response)) is made
    assert calls == [made.response]


def test_end_with_a_callback_after_the_response_calls_it_with_that_response(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    response = made.response
    calls: list[Any] = []
    made.end(lambda *arguments: calls.append(arguments))
    assert calls == [(None, response, response.body)]
    assert len(server.requests) == 1


@pytest.mark.parametrize('listening', [False, True])
def test_a_body_that_breaks_off_after_the_response_is_the_late_callbacks_failure(
    server: HttpServer, listening: bool
) -> None:
    server.routes['/cut'] = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc'
    made = request.get(server.url + '/cut')
    heard: list[Any] = []
    if listening:
        made.on('error', heard.append)
    assert made.response.status_code == 200
    calls: list[Any] = []
    made.end(lambda *arguments: calls.append(arguments))
    assert [(type(error), response) for error, response, _ in calls] == [(ResponseAborted, None)]
    assert len(heard) == listening


def test_a_second_callback_is_refused(server: HttpServer) -> None:
    made = request.get(server.url, lambda *_: None)
    with pytest.raises(RequestStateError, match='callback'):
        made.end(lambda *_: None)


@pytest.mark.parametrize('listening', [False, True])
@pytest.mark.parametrize('kind', [LookupError, RequestError, ConnectionRefused, KeyboardInterrupt])
def test_what_a_callback_raises_comes_out_of_the_call_and_not_back_as_error(
    server: HttpServer, kind: type[BaseException], listening: bool
) -> None:
    calls: list[Any] = []
    heard: list[Any] = []
    problem = kind('mine')

    def callback(error: Any, response: Any, body: Any) -> None:
        calls.append((error, response))
        raise problem

    made = request.get(server.url + '/a')
    if listening:
        made.on('error', heard.append)
    with pytest.raises(kind) as raised:
        made.end(callback)
    assert raised.value is problem
    assert [error for error, _ in calls] == [None]
    assert heard == []
    assert made.end() is calls[0][1]


@pytest.mark.parametrize('kind', [LookupError, ConnectionRefused])
def test_what_a_callback_raises_about_a_failure_comes_out_of_the_call(kind: type[Exception]) -> None:
    calls: list[Any] = []

    def callback(*arguments: Any) -> None:
        calls.append(arguments)
        raise kind('mine')

    with pytest.raises(kind, match='mine'):
        request.get(refused(), callback)
    assert len(calls) == 1


def test_a_request_asked_inside_a_callback_is_sent(server: HttpServer) -> None:
    inner: list[Any] = []
    request.get(server.url + '/outer', lambda *_: inner.append(request.get(server.url + '/inner').end()))
    assert inner[0].status_code == 200
    assert [seen.target for seen in server.requests] == ['/outer', '/inner']


def test_the_callback_comes_before_the_listeners_of_complete_and_error(server: HttpServer) -> None:
    order: list[str] = []
    made = request.get(server.url + '/a')
    made.on('end', lambda: order.append('end')).on('complete', lambda *_: order.append('complete')).on(
        'close', lambda: order.append('close')
    )
    made.end(lambda *_: order.append('callback'))
    assert order == ['end', 'callback', 'complete', 'close']
    failing = request.get(refused()).on('error', lambda error: order.append('error'))
    failing.end(lambda *_: order.append('failed'))
    assert order[4:] == ['failed', 'error']


def test_start_with_something_that_cannot_be_called_is_refused_and_sends_nothing(server: HttpServer) -> None:
    made = request.get(server.url)
    with pytest.raises(InvalidOptionType, match='callback'):
        made.start(5)  # type: ignore[arg-type]
    made.abort()
    with pytest.raises(RequestError):
        made.end()
    assert server.requests == []


def test_start_sends_in_the_background_and_end_waits(raw_server: Any) -> None:
    release = threading.Event()

    def stall(sock: Any, head: bytes) -> None:
        release.wait(10)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')

    made = request.get(raw_server(stall).url)
    assert made.start() is made
    assert repr(made).endswith('(being sent)>')
    release.set()
    assert made.end().body == 'ok'


def test_start_does_not_wait_for_what_was_let_go_before(raw_server: Any) -> None:
    release = threading.Event()

    def stall(sock: Any, head: bytes) -> None:
        if b'/slow' in head:
            release.wait(10)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')

    server = raw_server(stall)
    request.get(server.url + '/slow')
    made = request.get(server.url + '/fast').start()
    assert not release.is_set()
    release.set()
    assert made.end().body == 'ok'


def test_the_callback_of_start_is_called_once_on_the_thread_that_sends(server: HttpServer) -> None:
    calls: list[Any] = []
    made = request.get(server.url).start(
        lambda error, response, body: calls.append((threading.get_ident(), error, response))
    )
    assert request.flush(10_000)
    ((thread, error, response),) = calls
    assert thread != threading.get_ident()
    assert error is None
    assert response is made.response


def test_many_started_requests_run_at_the_same_time(raw_server: Any) -> None:
    together = threading.Barrier(20)

    def meet(sock: Any, head: bytes) -> None:
        together.wait(20)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')

    server = raw_server(meet)
    made = [request.get(server.url).start() for _ in range(20)]
    assert [each.end().body for each in made] == ['ok'] * 20
