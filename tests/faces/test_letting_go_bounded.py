"""What waits for requests that were let go before keeps its deadline, and can be aborted."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from requite import AbortError, DeadlineExceeded, apipe, request
from tests.servers import HttpServer, RawServer


@pytest.fixture
def stuck(raw_server: Callable[..., RawServer]) -> Iterator[RawServer]:
    """A server that answers only when the test is over."""
    over = threading.Event()

    def handler(sock: socket.socket, head: bytes) -> None:
        over.wait(20)
        sock.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')

    yield raw_server(handler)
    over.set()
    assert request.flush(10_000)


@pytest.fixture
def behind(stuck: RawServer) -> RawServer:
    """One request to it is let go by this thread."""
    request.get(stuck.url)
    return stuck


@pytest.mark.usefixtures('behind')
@pytest.mark.parametrize('way', ['end', 'response', 'callback'])
def test_a_deadline_begins_when_the_request_is_asked_for_whatever_was_let_go_before(
    server: HttpServer, way: str
) -> None:
    began = time.monotonic()
    made = request.get(server.url, deadline=300)
    if way == 'callback':
        errors: list[object] = []
        made.end(lambda error, response, body: errors.append(error))
        assert isinstance(errors[0], DeadlineExceeded)
    else:
        with pytest.raises(DeadlineExceeded, match=f'GET {server.url}/ waited until its deadline for what its thread'):
            made.end() if way == 'end' else made.response
    assert 0.2 < time.monotonic() - began < 5
    assert server.requests == []


@pytest.mark.usefixtures('behind')
def test_an_abort_wakes_what_waits_for_a_request_that_was_let_go_before(server: HttpServer) -> None:
    made = request.get(server.url)
    began = time.monotonic()
    threading.Timer(0.2, made.abort).start()
    with pytest.raises(AbortError):
        made.end()
    assert time.monotonic() - began < 5
    assert server.requests == []


@pytest.mark.usefixtures('behind')
@pytest.mark.parametrize('way', ['await', 'apipe'])
def test_so_does_the_deadline_of_what_is_awaited(server: HttpServer, way: str) -> None:
    async def main() -> None:
        made = request.get(server.url, deadline=300)
        if way == 'await':
            await made
        else:
            await apipe(made, io.BytesIO())

    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        asyncio.run(main())
    assert time.monotonic() - began < 5
    assert server.requests == []


def test_what_was_let_go_goes_first_where_the_deadline_leaves_the_time(server: HttpServer) -> None:
    for count in range(5):
        request.get(f'{server.url}/{count}')
        assert request.get(f'{server.url}/asked', deadline=20_000).end().status_code == 200
        assert [seen.path for seen in server.requests] == [f'/{count}', '/asked']
        server.requests.clear()
