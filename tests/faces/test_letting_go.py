"""Let go: a request that nobody holds any more is sent in the background, in the order of its thread, and its failure is reported."""

from __future__ import annotations

import concurrent.futures
import gc
import logging
import threading
import time
from typing import Any

import pytest

from requite import RequestNotSentWarning, request
from tests.servers import HttpServer, closed_port, reply


def targets(server: HttpServer) -> list[str]:
    return [seen.target for seen in server.requests]


def refused() -> str:
    return f'http://127.0.0.1:{closed_port()}/'


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    yield
    gc.collect()
    assert request.flush(20_000)


def test_a_request_that_is_made_and_dropped_is_sent_once(server: HttpServer) -> None:
    request.post(server.url + '/a', body='one')
    assert request.flush(10_000) is True
    assert [(seen.target, seen.body) for seen in server.requests] == [('/a', b'one')]


def test_a_request_is_let_go_when_its_function_returns(server: HttpServer) -> None:
    def work() -> None:
        made = request.get(server.url + '/a')
        made.set_header('x-a', '1')
        assert server.requests == []

    work()
    request.flush()
    assert [seen.header('x-a') for seen in server.requests] == ['1']


def test_wrappers_lambdas_and_chains_let_go_too(server: HttpServer) -> None:
    api = request.defaults(base_url=server.url)
    leave = lambda: api.get('/lambda')  # noqa: E731 - a lambda is the subject
    leave()
    api.post('/chain').form({'a': 'b'}).auth('u', 'p')
    request.flush()
    assert sorted(targets(server)) == ['/chain', '/lambda']


def test_a_thousand_requests_let_go_in_a_loop_arrive_in_order(server: HttpServer) -> None:
    for number in range(1000):
        request.get(f'{server.url}/{number}')
    assert request.flush(60_000)
    assert targets(server) == [f'/{number}' for number in range(1000)]


def test_the_next_request_that_the_thread_asks_for_waits_for_what_it_let_go(server: HttpServer) -> None:
    server.routes['/slow'] = lambda seen: (time.sleep(0.2), reply('slow'))[1]
    request.get(server.url + '/slow')
    request.get(server.url + '/second')
    request.get(server.url + '/asked').end()
    assert targets(server) == ['/slow', '/second', '/asked']


def test_a_callback_also_waits_for_what_its_thread_let_go(server: HttpServer) -> None:
    server.routes['/slow'] = lambda seen: (time.sleep(0.2), reply('slow'))[1]
    request.get(server.url + '/slow')
    request.get(server.url + '/called', lambda *_: None)
    assert targets(server) == ['/slow', '/called']


def test_another_thread_does_not_wait(raw_server: Any) -> None:
    release = threading.Event()

    def stall(sock: Any, head: bytes) -> None:
        if b'/slow' in head:
            release.wait(10)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')

    server = raw_server(stall)
    request.get(server.url + '/slow')
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: request.get(server.url + '/other').end().body).result(10) == 'ok'
    release.set()


def test_fifty_threads_let_go_each_in_its_own_order(server: HttpServer) -> None:
    gate = threading.Barrier(50)

    def work(name: int) -> None:
        gate.wait(20)
        for number in range(10):
            request.get(f'{server.url}/{name}/{number}')

    threads = [threading.Thread(target=work, args=(name,)) for name in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert request.flush(60_000)
    assert len(server.requests) == 500
    for name in range(50):
        assert [target for target in targets(server) if target.startswith(f'/{name}/')] == [
            f'/{name}/{number}' for number in range(10)
        ]


def test_a_request_in_a_garbage_cycle_is_sent_when_it_is_collected(server: HttpServer) -> None:
    cycle: dict[str, Any] = {'request': request.get(server.url + '/cycle')}
    cycle['self'] = cycle
    del cycle
    gc.collect()
    request.flush()
    assert targets(server) == ['/cycle']


def test_a_request_whose_listener_refers_to_it_is_sent_when_it_is_collected(server: HttpServer) -> None:
    made = request.get(server.url + '/cycle')
    made.on('response', lambda response: made.uri)  # noqa: F821
    del made
    gc.collect()
    request.flush()
    assert targets(server) == ['/cycle']


def test_a_request_may_be_let_go_inside_a_finalizer(server: HttpServer) -> None:
    class Leaving:
        def __del__(self) -> None:
            request.get(server.url + '/from-a-finalizer')

    Leaving()
    request.flush()
    assert targets(server) == ['/from-a-finalizer']


def test_a_request_may_be_asked_inside_a_finalizer_of_a_collection(server: HttpServer) -> None:
    class Leaving:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            request.get(server.url + '/asked').end()

    request.get(server.url + '/before')
    Leaving()
    gc.collect()
    assert targets(server) == ['/before', '/asked']


def test_a_collection_in_another_thread_lets_go(server: HttpServer) -> None:
    cycle: list[Any] = [request.get(server.url + '/cycle')]
    cycle.append(cycle)
    del cycle
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(gc.collect).result(10)
    request.flush()
    assert targets(server) == ['/cycle']


def test_letting_go_under_constant_collection_loses_nothing(server: HttpServer) -> None:
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for number in range(60):
            cycle: list[Any] = [request.get(f'{server.url}/{number}')]
            cycle.append(cycle)
            del cycle
            if number % 7 == 0:
                request.get(f'{server.url}/asked/{number}').end()
    finally:
        gc.set_threshold(*before)
    gc.collect()
    request.flush()
    assert sorted(targets(server)) == sorted([f'/{n}' for n in range(60)] + [f'/asked/{n}' for n in range(0, 60, 7)])


def test_a_listener_of_a_let_go_request_may_ask_another_one(server: HttpServer) -> None:
    asked: list[Any] = []
    request.get(server.url + '/outer').on(
        'complete', lambda response: asked.append(request.get(server.url + '/inner').end().status_code)
    )
    request.flush()
    assert asked == [200]
    assert targets(server) == ['/outer', '/inner']


def test_listeners_that_let_go_and_ask_in_turns_do_not_block_one_another(server: HttpServer) -> None:
    left = iter(range(40))

    def crawl(response: Any) -> None:
        if next(left, None) is not None:
            request.get(server.url + '/more').on('response', crawl)
            request.get(server.url + '/asked').end()

    for _ in range(6):
        threading.Thread(target=lambda: request.get(server.url + '/start').on('response', crawl)).start()
    time.sleep(0.2)
    while next(left, None) is not None:
        assert request.flush(20_000)
    assert request.flush(20_000)


def test_a_listener_of_a_let_go_request_may_ask_for_the_request_that_waits_for_it(server: HttpServer) -> None:
    later = request.get(server.url + '/later')
    seen: list[Any] = []
    request.get(server.url + '/first').on('complete', lambda response: seen.append(later.end().status_code))
    assert later.end().status_code == 200
    request.flush()
    assert seen == [200]
    assert targets(server) == ['/first', '/later']


def test_flush_inside_a_listener_does_not_wait_for_itself(server: HttpServer) -> None:
    done: list[bool] = []
    request.get(server.url + '/a').on('complete', lambda response: done.append(request.flush(10_000)))
    request.get(server.url + '/b').on('complete', lambda response: done.append(request.flush(10_000)))
    assert request.flush(10_000)
    assert done == [True, True]


def test_flush_gives_up_after_its_timeout_and_tells(raw_server: Any) -> None:
    release = threading.Event()

    def stall(sock: Any, head: bytes) -> None:
        release.wait(10)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')

    server = raw_server(stall)
    request.get(server.url)
    began = time.monotonic()
    assert request.flush(100) is False
    assert time.monotonic() - began < 5
    release.set()
    assert request.flush() is True


def test_flush_waits_for_started_requests_too(server: HttpServer) -> None:
    server.routes['/slow'] = lambda seen: (time.sleep(0.2), reply('slow'))[1]
    made = request.get(server.url + '/slow').start()
    assert request.flush() is True
    assert made.response.body == 'slow'


# -- failures with nobody to tell


def reported(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if record.name == 'requite' and record.levelno == logging.ERROR
    ]


def here() -> int:
    import sys

    return sys._getframe(1).f_lineno


def test_a_failure_of_a_let_go_request_is_logged_once_with_the_line_that_made_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = here() + 1
    request.get(refused())
    request.flush()
    gc.collect()
    (message,) = reported(caplog)
    assert f'{__file__}:{line}' in message
    assert 'ECONNREFUSED' in message


@pytest.mark.parametrize('verb', ['get', 'post', 'del_', '__call__'])
def test_the_line_is_the_callers_through_verbs_and_wrappers(caplog: pytest.LogCaptureFixture, verb: str) -> None:
    api = request.defaults(headers={'x-a': '1'}).defaults({'headers': {'x-b': '1'}})
    make = getattr(api, verb)
    line = here() + 1
    make(refused())
    request.flush()
    (message,) = reported(caplog)
    assert f'{__file__}:{line},' in message


def test_a_failure_with_an_error_listener_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []
    request.get(refused()).on('error', heard.append)
    request.flush()
    assert [error.code for error in heard] == ['ECONNREFUSED']
    assert reported(caplog) == []


def test_a_started_request_whose_error_is_asked_later_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    made = request.get(refused()).start()
    request.flush()
    with pytest.raises(ConnectionRefusedError):
        made.end()
    del made
    gc.collect()
    request.flush()
    assert reported(caplog) == []


def test_a_started_request_that_failed_is_logged_when_it_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    line = here() + 1
    made = request.get(refused()).start()
    request.flush()
    assert reported(caplog) == []
    del made
    request.flush()
    (message,) = reported(caplog)
    assert f'{__file__}:{line}' in message


def test_a_started_request_that_is_dropped_before_it_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    request.get(refused()).start()
    request.flush()
    time.sleep(0.05)
    request.flush()
    assert len(reported(caplog)) == 1


def test_a_started_request_whose_callback_got_the_error_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []
    request.get(refused()).start(lambda error, response, body: heard.append(error.code))
    request.flush()
    request.flush()
    assert heard == ['ECONNREFUSED']
    assert reported(caplog) == []


def test_what_a_listener_of_a_let_go_request_raises_is_logged_with_its_traceback(
    server: HttpServer, caplog: pytest.LogCaptureFixture
) -> None:
    def careless(response: Any) -> None:
        raise LookupError('mine')

    request.get(server.url).on('response', careless)
    request.flush()
    (message,) = reported(caplog)
    assert 'LookupError: mine' in message
    assert 'careless' in caplog.text


@pytest.mark.parametrize('kind', [LookupError, SystemExit])
def test_what_the_callback_of_a_started_request_raises_is_told_and_ends_no_worker(
    server: HttpServer, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], kind: type[BaseException]
) -> None:
    def careless(error: Any, response: Any, body: Any) -> None:
        raise kind('mine')

    request.get(server.url).start(careless)
    assert request.flush(10_000)
    time.sleep(0.05)
    assert 'mine' in ''.join(reported(caplog)) + capsys.readouterr().err
    assert request.get(server.url).start().end().status_code == 200


def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """SECURITY Q9."""
    address = refused().replace('http://', 'http://user:hunter2@')
    request.get(address, headers={'authorization': 'Bearer hunter2', 'cookie': 'a=hunter2'})
    request.flush()
    assert len(reported(caplog)) == 1
    assert 'hunter2' not in caplog.text


# -- what is not sent


def test_a_request_whose_body_is_open_is_not_sent_and_its_line_is_named(server: HttpServer) -> None:
    def leave() -> None:
        made = request.post(server.url)
        made.write('half')

    line = here() - 3
    with pytest.warns(RequestNotSentWarning, match='end\\(\\)') as caught:
        leave()
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]
    request.flush()
    assert server.requests == []


def test_an_aborted_request_is_not_sent_and_its_line_is_named(server: HttpServer) -> None:
    def leave() -> None:
        made = request.post(server.url)
        made.abort()

    line = here() - 3
    with pytest.warns(RequestNotSentWarning, match='aborted') as caught:
        leave()
    assert [(warning.filename, warning.lineno) for warning in caught] == [(__file__, line)]
    request.flush()
    assert server.requests == []


def test_the_pieces_that_were_written_are_sent_together_by_end(server: HttpServer) -> None:
    made = request.post(server.url)
    assert made.write('one ') is True
    made.write(b'two ')
    assert made.end('three').status_code == 200
    assert [seen.body for seen in server.requests] == [b'one two three']
