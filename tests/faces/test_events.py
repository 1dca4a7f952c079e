"""Events come in Node's order with Node's arguments; who listens late is told at once; what a listener raises reaches who asked."""

from __future__ import annotations

import functools
import threading
import time
from typing import Any

import pytest

from requite import (
    AbortError,
    ConnectionRefused,
    InvalidOptionType,
    OptionsError,
    ReadTimeout,
    Request,
    RequestError,
    RequestStateError,
    ResponseAborted,
    request,
)
from requite.emitter import EVENTS
from tests.servers import HttpServer, closed_port, redirect, reply

ALL = ('request', 'socket', 'redirect', 'response', 'data', 'end', 'complete', 'close', 'error', 'abort')


def refused() -> str:
    return f'http://127.0.0.1:{closed_port()}/'


def heard(made: Request) -> list[tuple[str, tuple[Any, ...]]]:
    log: list[tuple[str, tuple[Any, ...]]] = []
    for event in ALL:
        made.on(event, lambda *arguments, event=event: log.append((event, arguments)))
    return log


def names(log: list[tuple[str, tuple[Any, ...]]]) -> list[str]:
    return [event for event, _ in log]


def test_the_events_of_a_request_come_in_nodes_order_with_nodes_arguments(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    log = heard(made)
    assert made.listening
    response = made.end()
    assert names(log) == ['request', 'socket', 'response', 'data', 'end', 'complete', 'close']
    arguments = dict(log)
    assert arguments['request'] == (made.hop,)
    assert arguments['socket'][0].getpeername()[1] == server.port
    assert arguments['response'] == arguments['complete'] == (response,)
    assert arguments['data'] == (response.content,)
    assert arguments['end'] == arguments['close'] == ()


def test_complete_has_the_body_when_there_is_a_callback(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    log = heard(made)
    made.end(lambda *_: None)
    assert dict(log)['complete'] == (made.response, made.response.body)


def test_each_hop_has_its_request_and_socket_and_response_comes_once(server: HttpServer) -> None:
    server.routes['/from'] = redirect('/to')
    made = request.get(server.url + '/from')
    log = heard(made)
    codes: list[int] = []
    made.on('redirect', lambda: codes.append(made.response.status_code))
    made.end()
    assert names(log)[:6] == ['request', 'socket', 'redirect', 'request', 'socket', 'response']
    assert dict(log)['redirect'] == ()
    assert codes == [302]
    assert made.response.status_code == 200


@pytest.mark.parametrize('way', ['end', 'iterate', 'body'])
def test_the_body_is_told_of_however_it_is_read(server: HttpServer, way: str) -> None:
    server.routes['/big'] = reply(b'x' * 1_000_000)
    made = request.get(server.url + '/big')
    log = heard(made)
    read = {
        'end': lambda: made.end().content,
        'iterate': lambda: b''.join(made),
        'body': lambda: made.response.content,
    }[way]
    assert len(read()) == 1_000_000
    assert sum(len(arguments[0]) for event, arguments in log if event == 'data') == 1_000_000
    assert [event for event in names(log) if event != 'data'] == [
        'request',
        'socket',
        'response',
        'end',
        'complete',
        'close',
    ]


def test_a_failure_is_an_error_event_once() -> None:
    made = request.get(refused())
    log = heard(made)
    for _ in range(2):
        with pytest.raises(ConnectionRefused):
            made.end()
    assert names(log).count('error') == 1
    (error,) = dict(log)['error']
    assert error.request is made
    assert 'response' not in names(log)


def test_a_timeout_emits_abort_before_error(raw_server: Any) -> None:
    release = threading.Event()
    server = raw_server(lambda sock, head: release.wait(10))
    made = request.get(server.url, timeout=100)
    log = heard(made)
    with pytest.raises(ReadTimeout):
        made.end()
    release.set()
    assert names(log) == ['request', 'socket', 'abort', 'error']


def test_a_body_that_breaks_off_while_it_streams_is_an_error_event_once(server: HttpServer) -> None:
    server.routes['/cut'] = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc'
    made = request.get(server.url + '/cut')
    log = heard(made)
    with pytest.raises(ResponseAborted):
        list(made.response)
    with pytest.raises(ResponseAborted):
        made.end()
    assert names(log).count('error') == 1
    assert 'complete' not in names(log)


# -- late listeners


def test_late_listeners_are_called_at_once_with_the_arguments_of_the_event(server: HttpServer) -> None:
    server.routes['/from'] = redirect('/to')
    made = request.get(server.url + '/from')
    response = made.end()
    log = heard(made)
    assert names(log) == ['request', 'socket', 'redirect', 'response', 'data', 'end', 'complete', 'close']
    arguments = dict(log)
    assert arguments['request'] == (made.hop,)
    assert arguments['response'] == arguments['complete'] == (response,)
    assert arguments['data'] == (response.content,)
    assert (arguments['redirect'], arguments['end'], arguments['close']) == ((), (), ())


def test_a_late_listener_of_error_gets_the_error() -> None:
    made = request.get(refused())
    with pytest.raises(ConnectionRefused) as raised:
        made.end()
    log = heard(made)
    assert [(event, arguments) for event, arguments in log if event == 'error'] == [('error', (raised.value,))]


def test_a_late_listener_of_abort_after_a_timeout_is_called(raw_server: Any) -> None:
    release = threading.Event()
    made = request.get(raw_server(lambda sock, head: release.wait(10)).url, timeout=100)
    with pytest.raises(ReadTimeout):
        made.end()
    release.set()
    assert 'abort' in names(heard(made))


def test_a_listener_that_comes_after_the_head_is_told_of_the_head_at_once_and_of_the_body_when_it_comes(
    server: HttpServer,
) -> None:
    made = request.get(server.url + '/a')
    response = made.response
    log = heard(made)
    assert names(log) == ['request', 'socket', 'response']
    assert response.body
    assert names(log)[3:] == ['data', 'end', 'complete', 'close']


def test_a_listener_of_end_that_comes_after_the_body_was_streamed_is_called(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    assert b''.join(made)
    log = heard(made)
    assert [event for event in names(log) if event in ('end', 'complete', 'close')] == ['end', 'complete', 'close']


def test_a_late_data_listener_gets_text_where_an_encoding_was_given(server: HttpServer) -> None:
    server.routes['/a'] = reply('äöü')
    made = request.get(server.url + '/a', encoding='utf-8')
    made.end()
    got: list[Any] = []
    made.on('data', got.append)
    assert got == ['äöü']


@pytest.mark.parametrize('attempt', range(30))
def test_listeners_added_while_a_worker_sends_are_called_exactly_once(server: HttpServer, attempt: int) -> None:
    made = request.get(server.url + '/a').start()
    time.sleep(attempt * 0.0001)
    log = heard(made)
    made.end()
    assert request.flush(10_000)
    counts = {event: names(log).count(event) for event in ('response', 'end', 'complete', 'close')}
    assert counts == {'response': 1, 'end': 1, 'complete': 1, 'close': 1}


def test_once_is_called_once_and_off_takes_away(server: HttpServer) -> None:
    server.routes['/from'] = redirect('/to')
    log: list[str] = []
    made = request.get(server.url + '/from')

    def gone(hop: Any) -> None:
        log.append('gone')

    made.once('request', lambda hop: log.append('once')).on('request', lambda hop: log.append('on')).on(
        'request', gone
    ).off('request', gone)
    made.end()
    assert log == ['once', 'on', 'on']
    made.once('response', lambda response: log.append('late'))
    assert log[3:] == ['late']


def test_an_event_that_does_not_exist_or_a_listener_that_cannot_be_called_is_refused(server: HttpServer) -> None:
    made = request.get(server.url)
    with pytest.raises(OptionsError, match='respnse'):
        made.on('respnse', print)
    with pytest.raises(TypeError, match='callable'):
        made.on('response', 5)  # type: ignore[arg-type]
    made.end()


# -- what listeners raise


@pytest.mark.parametrize('kind', [LookupError, ConnectionResetError, RequestError, ReadTimeout, KeyboardInterrupt])
@pytest.mark.parametrize('event', ['request', 'socket', 'redirect', 'response', 'data', 'end', 'complete', 'close'])
def test_what_a_listener_raises_reaches_who_asked_and_is_no_error_event(
    server: HttpServer, event: str, kind: type[BaseException]
) -> None:
    server.routes['/from'] = redirect('/to')
    problem = kind('mine')
    calls: list[str] = []
    errors: list[Any] = []

    def careless(*arguments: Any) -> None:
        calls.append(event)
        raise problem

    request.get(server.url + '/warm').end()
    made = request.get(server.url + '/from').on('error', errors.append).on(event, careless)
    with pytest.raises(kind) as raised:
        made.end()
    assert raised.value is problem
    assert calls == [event]
    assert errors == []
    assert request.get(server.url + '/after').end().status_code == 200


@pytest.mark.parametrize('kind', [LookupError, RequestError])
def test_what_a_listener_raises_is_not_given_to_the_callback(server: HttpServer, kind: type[Exception]) -> None:
    calls: list[Any] = []

    def careless(response: Any) -> None:
        raise kind('mine')

    with pytest.raises(kind, match='mine'):
        request.get(server.url).on('response', careless).end(lambda *arguments: calls.append(arguments))
    assert calls == []


def test_what_a_data_listener_raises_while_the_body_streams_reaches_the_reader(server: HttpServer) -> None:
    errors: list[Any] = []

    def careless(piece: Any) -> None:
        raise RequestError('mine')

    made = request.get(server.url).on('error', errors.append).on('data', careless)
    with pytest.raises(RequestError, match='mine'):
        list(made.response)
    assert errors == []


def test_an_error_listener_that_raises_replaces_the_error_for_who_asked() -> None:
    def careless(error: Any) -> None:
        raise LookupError('mine')

    made = request.get(refused()).on('error', careless)
    with pytest.raises(LookupError):
        made.end()
    with pytest.raises(ConnectionRefused):
        made.end()


# -- asking inside listeners


def test_a_listener_that_asks_its_own_request_for_what_is_to_come_is_refused(server: HttpServer) -> None:
    problems: list[BaseException] = []

    def ask(hop: Any) -> None:
        for way in (made.end, lambda: made.response, lambda: list(made)):
            try:
                way()
            except RequestStateError as error:
                problems.append(error)

    made = request.get(server.url).on('request', ask)
    assert made.end().status_code == 200
    assert len(problems) == 3
    assert 'complete' in str(problems[0])


def test_a_listener_may_ask_its_own_request_for_what_is_there(server: HttpServer) -> None:
    seen: list[Any] = []
    made = request.get(server.url)
    made.on('response', lambda response: seen.append(made.response is response))
    made.on('complete', lambda response: seen.append(made.end() is response))
    made.end()
    assert seen == [True, True]


@pytest.mark.parametrize('event', ['request', 'response', 'data', 'complete'])
def test_a_listener_may_ask_another_request(server: HttpServer, event: str) -> None:
    seen: list[Any] = []
    made = request.get(server.url + '/outer').on(
        event, lambda *_: seen.append(request.get(server.url + '/inner').end().status_code)
    )
    made.end()
    assert seen == [200]


def test_every_event_of_the_contract_can_be_listened_to(server: HttpServer) -> None:
    made = request.get(server.url)
    for event in EVENTS:
        made.on(event, lambda *_: None)
    assert made.end().status_code == 200


@pytest.mark.parametrize('event', ['redirect', 'hop'])
def test_after_an_abort_by_a_listener_no_request_is_announced(server: HttpServer, event: str) -> None:
    server.routes['/from'] = lambda _: redirect('/to')
    made = request.get(server.url + '/from')
    log = heard(made)
    seen = 0

    def stop(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if event == 'redirect' or seen == 2:
            made.abort()

    made.on(event, stop)
    with pytest.raises(AbortError):
        made.end()
    assert names(log) == ['request', 'socket', 'redirect', 'abort']


def test_an_abort_once_the_body_is_whole_stops_nothing(server: HttpServer) -> None:
    made = request.get(server.url + '/a')
    log = heard(made)
    made.on('end', lambda: made.abort())
    assert made.end().ok
    assert names(log)[-4:] == ['end', 'abort', 'complete', 'close']


async def asynchronous(*_: Any) -> None:
    raise NotImplementedError


class Called:
    async def method(self, *_: Any) -> None:
        raise NotImplementedError

    async def __call__(self, *_: Any) -> None:
        raise NotImplementedError


@pytest.mark.parametrize('listener', [asynchronous, Called().method, Called(), functools.partial(asynchronous, 1)])
def test_a_listener_that_would_have_to_be_awaited_is_refused(server: HttpServer, listener: Any) -> None:
    for add in ('on', 'once'):
        with pytest.raises(InvalidOptionType, match="the listener of 'response' is an async function"):
            getattr(request.get(server.url), add)('response', listener)
    assert server.requests == []


@pytest.mark.parametrize('name', ['accept-encoding', 'accept'])
def test_none_takes_a_field_away_that_an_option_sets(server: HttpServer, name: str) -> None:
    request.get(server.url, gzip=True, json=True, headers={name: None}).end()
    assert server.requests[0].header(name) is None


@pytest.mark.parametrize('option', ['callback', 'pipefilter'])
def test_a_callback_that_would_have_to_be_awaited_is_refused_and_nothing_is_sent(
    server: HttpServer, option: str
) -> None:
    with pytest.raises(InvalidOptionType, match=f'{option!r} is an async function'):
        request.get(server.url, {option: asynchronous})
    assert server.requests == []
