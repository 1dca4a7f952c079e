"""abort() stops a request from any thread, at once: nothing is sent, or the connection is closed; no callback is called."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from requite import AbortError, request
from tests.servers import HttpServer, RawServer


class Stalled:
    """A server that says nothing, or only the beginning of a body, and notices when the client leaves."""

    def __init__(self, raw_server: Callable[..., RawServer], said: bytes = b'') -> None:
        self.arrived = threading.Event()
        self.left = threading.Event()
        self.said = said
        self.url = raw_server(self.handle).url

    def handle(self, sock: Any, head: bytes) -> None:
        if self.said:
            sock.sendall(self.said)
        self.arrived.set()
        try:
            if sock.recv(1) == b'':
                self.left.set()
        except OSError:
            self.left.set()


STREAM = b'HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n' + b'x' * 1000


def test_a_request_that_is_aborted_before_it_is_sent_never_is(server: HttpServer) -> None:
    events: list[str] = []
    made = (
        request.get(server.url)
        .on('abort', lambda: events.append('abort'))
        .on('error', lambda error: events.append('error'))
    )
    made.abort()
    for ask in (made.end, made.__enter__, made.__iter__):
        with pytest.raises(AbortError):
            ask()
    calls: list[Any] = []
    made.end(lambda *arguments: calls.append(arguments))
    assert calls == []
    assert events == ['abort']
    assert repr(made).endswith('(aborted)>')
    del made
    request.flush()
    assert server.requests == []


def test_an_abort_while_the_head_is_awaited_ends_the_asking_promptly(raw_server: Any) -> None:
    server = Stalled(raw_server)
    made = request.get(server.url)
    events: list[str] = []
    made.on('abort', lambda: events.append('abort')).on('error', lambda error: events.append('error'))
    threading.Thread(target=lambda: (server.arrived.wait(10), made.abort())).start()
    began = time.monotonic()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - began < 5
    assert server.left.wait(10)
    time.sleep(0.05)
    assert events == ['abort']


@pytest.mark.parametrize('said', [b'', STREAM], ids=['head', 'body'])
def test_an_abort_calls_no_callback(raw_server: Any, said: bytes) -> None:
    server = Stalled(raw_server, said)
    calls: list[Any] = []
    made = request.get(server.url)
    threading.Thread(target=lambda: (server.arrived.wait(10), time.sleep(0.05), made.abort())).start()
    assert made.end(lambda *arguments: calls.append(arguments)) is made
    assert calls == []
    assert server.left.wait(10)


def test_an_abort_of_a_started_request_returns_at_once_and_is_not_logged(
    raw_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = Stalled(raw_server)
    calls: list[Any] = []
    made = request.get(server.url).start(lambda *arguments: calls.append(arguments))
    assert server.arrived.wait(10)
    made.abort()
    with pytest.raises(AbortError):
        made.end()
    assert request.flush(10_000)
    del made
    request.flush()
    assert calls == []
    assert caplog.records == []


def test_everybody_who_waits_gets_the_abort(raw_server: Any) -> None:
    server = Stalled(raw_server)
    made = request.get(server.url)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            made.end()
        except AbortError as error:
            caught.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert server.arrived.wait(10)
    made.abort()
    for thread in threads:
        thread.join(10)
    assert len(caught) == 4


def test_an_abort_while_the_body_streams_ends_the_reading(raw_server: Any) -> None:
    server = Stalled(raw_server, STREAM)
    made = request.get(server.url)
    pieces = iter(made)
    assert next(pieces)
    threading.Thread(target=lambda: (time.sleep(0.1), made.abort())).start()
    began = time.monotonic()
    with pytest.raises(AbortError):
        list(pieces)
    assert time.monotonic() - began < 5
    assert server.left.wait(10)


def test_an_abort_of_an_unread_response_closes_its_connection(raw_server: Any) -> None:
    server = Stalled(raw_server, STREAM)
    made = request.get(server.url)
    response = made.response
    made.abort()
    assert server.left.wait(10)
    with pytest.raises(AbortError):
        response.read()


def test_an_abort_inside_a_listener_of_response_is_an_abort_for_who_asked(raw_server: Any) -> None:
    server = Stalled(raw_server, STREAM)
    made = request.get(server.url)
    events: list[str] = []
    for event in ('response', 'data', 'end', 'complete', 'error', 'abort'):
        made.on(event, lambda *_, event=event: events.append(event))
    made.on('response', lambda response: made.abort())
    with pytest.raises(AbortError):
        made.end()
    assert events == ['response', 'abort']
    assert server.left.wait(10)


def test_an_abort_inside_a_listener_of_data_stops_the_body(raw_server: Any) -> None:
    server = Stalled(raw_server, STREAM)
    made = request.get(server.url)
    made.on('data', lambda piece: made.abort())
    with pytest.raises(AbortError):
        made.end()
    assert server.left.wait(10)


def test_aborting_twice_or_afterwards_does_no_harm(server: HttpServer) -> None:
    events: list[str] = []
    made = request.get(server.url + '/a').on('abort', lambda: events.append('abort'))
    response = made.end()
    made.abort()
    made.abort()
    assert made.end() is response
    assert made.response.body == response.body
    assert events == ['abort', 'abort']  # one for each call, as in Node
    assert request.get(server.url + '/b').end().status_code == 200


def test_aborting_twice_while_it_runs_is_one_abort_for_who_asked(raw_server: Any) -> None:
    server = Stalled(raw_server)
    made = request.get(server.url).start()
    assert server.arrived.wait(10)
    made.abort()
    made.abort()
    with pytest.raises(AbortError):
        made.end()


def test_a_late_abort_listener_is_called_at_once(server: HttpServer) -> None:
    made = request.get(server.url)
    made.abort()
    events: list[str] = []
    made.on('abort', lambda: events.append('abort'))
    assert events == ['abort']
    with pytest.raises(AbortError):
        made.end()


def test_many_aborts_at_any_moment_never_hang_and_never_harm_the_next_request(server: HttpServer) -> None:
    for number in range(60):
        made = request.get(f'{server.url}/{number}').start()
        time.sleep(number * 0.00005)
        made.abort()
        try:
            assert made.end().status_code == 200
        except AbortError:
            pass
        assert request.get(server.url + '/next').end().status_code == 200
