"""Responses that are let go before they were read to their end: the connection is free at once, with no help of the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requite import Pool, RequestStateError, Response, request
from tests.servers import HttpServer, RawServer, reply
from tests.wire.hops import states

Start = Callable[..., RawServer]
TEXT = b'data: some text\n\n' * 20_000


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nothing is collected that is not let go."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.fixture
def plain(raw_server: Start) -> RawServer:
    """A server whose bodies stop half-way."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n' + TEXT)
        sock.recv(1)

    return raw_server(handler)


@pytest.fixture
def packed(raw_server: Start) -> RawServer:
    """The same with a content coding."""
    coder = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = coder.compress(random.Random(1).randbytes(200_000)) + coder.flush()

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 999999\r\n\r\n' + body[:100_000])
        sock.recv(1)

    return raw_server(handler)


def read(response: Response) -> None:
    assert len(response.read(10)) == 10


def first(response: Response) -> None:
    assert next(iter(response))


def loop(response: Response) -> None:
    for piece in response:
        assert piece
        break


def loop_and_read_on(response: Response) -> None:
    loop(response)
    read(response)


def line(response: Response) -> None:
    assert next(response.lines()) == 'data: some text'


def event(response: Response) -> None:
    events = response.events()
    assert next(events).data == 'some text'
    assert events.last_id == ''


def nothing(response: Response) -> None:
    assert response.status_code == 200


@pytest.mark.usefixtures('uncollected')
@pytest.mark.parametrize('use', [nothing, read, first, loop, loop_and_read_on, line, event])
@pytest.mark.parametrize(
    'options',
    [{}, {'gzip': True}, {'time': True}, {'retry': 1}, {'encoding': 'latin-1'}, {'max_body': 9_000_000}],
    ids=str,
)
def test_a_half_read_response_that_is_let_go_frees_its_connection(
    plain: RawServer, options: dict[str, Any], use: Callable[[Response], None]
) -> None:
    pool = Pool(1)
    for _ in range(2):
        response = request.get(plain.url, options, pool=pool, timeout={'pool': 5000}).response
        use(response)
        assert states(pool) == (1, 0)
        del response
        assert states(pool) == (0, 0)


@pytest.mark.usefixtures('uncollected')
@pytest.mark.parametrize('use', [read, first, loop, loop_and_read_on])
def test_so_does_one_with_a_content_coding(packed: RawServer, use: Callable[[Response], None]) -> None:
    pool = Pool(1)
    for _ in range(2):
        response = request.get(packed.url, pool=pool, gzip=True, timeout={'pool': 5000}).response
        use(response)
        assert states(pool) == (1, 0)
        del response
        assert states(pool) == (0, 0)


@pytest.mark.usefixtures('uncollected')
def test_a_loop_over_a_request_that_is_left_frees_its_connection(plain: RawServer) -> None:
    pool = Pool(1)
    for _ in range(2):
        for piece in request.get(plain.url, pool=pool, timeout={'pool': 5000}):
            assert piece
            break
        assert states(pool) == (0, 0)


@pytest.mark.usefixtures('uncollected')
@pytest.mark.parametrize('way', ['request', 'response', 'lines', 'events', 'head'])
def test_so_does_an_async_loop_that_is_left(plain: RawServer, way: str) -> None:
    pool = Pool(1)

    async def use() -> None:
        made = request.get(plain.url, pool=pool, timeout={'pool': 5000})
        pieces: Any = made
        if way != 'request':
            response = await made.__aenter__()
            pieces = {'response': response, 'head': response}.get(way) or getattr(response, way)()
        if way != 'head':
            async for piece in pieces:
                assert piece
                break

    async def main() -> None:
        for _ in range(2):
            await use()
            for _ in range(500):
                if states(pool) == (0, 0):
                    break
                await asyncio.sleep(0.01)  # the worker lets go of what it ran
            assert states(pool) == (0, 0)

    asyncio.run(main())


@pytest.mark.usefixtures('uncollected')
def test_threads_that_read_half_and_let_go_do_not_wait_for_one_another_for_ever(server: HttpServer) -> None:
    server.routes['/'] = reply(b'x' * 300_000)
    pool = Pool(3)
    done: list[int] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(8):
            made = request.get(server.url, pool=pool)
            if chance.random() < 0.5:
                read(made.response)
            else:
                assert len(made.end().content) == 300_000
        done.append(seed)

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 16
    assert states(pool)[0] == 0


@pytest.mark.usefixtures('uncollected')
# in a circle of garbage a socket may come before its connection
@pytest.mark.filterwarnings('ignore:unclosed:ResourceWarning')
def test_who_waits_for_a_response_in_a_circle_of_garbage_gets_its_connection(plain: RawServer) -> None:
    pool = Pool(1)
    circle: list[Any] = [request.get(plain.url, pool=pool).response]
    circle.append(circle)
    del circle
    assert states(pool) == (1, 0)
    began = time.monotonic()
    assert request.get(plain.url, pool=pool, timeout={'pool': 20_000}).response.status_code == 200
    assert time.monotonic() - began < 15


def test_a_listener_cannot_read_the_piece_that_it_is_told_of_and_reading_goes_on_after_it(server: HttpServer) -> None:
    server.routes['/'] = reply(b'x' * 600_000)
    made = request.get(server.url)
    response = made.response
    refused: list[str] = []

    def asks(piece: bytes) -> None:
        with pytest.raises(RequestStateError) as caught:
            response.read(1)
        refused.append(str(caught.value))

    made.on('data', asks)
    assert response.read(10) + b''.join(response) == b'x' * 600_000
    assert len(refused) > 1
    assert 'being told this very moment' in refused[0]
    assert response.read(10) == b''


def test_an_interrupted_read_does_not_look_like_the_end_of_the_body(server: HttpServer) -> None:
    server.routes['/'] = reply(b'x' * 900_000)
    made = request.get(server.url)
    response = made.response

    def interrupts(piece: bytes) -> None:
        raise KeyboardInterrupt

    made.on('data', interrupts)
    with pytest.raises(KeyboardInterrupt):
        response.read(10)
    made.off('data', interrupts)
    assert response.read(10)
    response.close()
