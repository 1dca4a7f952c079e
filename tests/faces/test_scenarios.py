"""One table of scenarios through every way to have a request sent: the same bytes on the wire, the same results, the same errors."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from requite import Request, RequestError, apipe, request
from requite.transport import pools
from tests.servers import Answer, HttpServer, Replies, Seen, closed_port, redirect, reply

Routes = dict[str, 'Answer | bytes | Replies']
Make = Callable[..., Request]


class Scenario(NamedTuple):
    """What is asked, and what the server answers. ``make`` gets the address of the server, and options that a face adds."""

    make: Callable[..., Request]
    routes: Routes = {}
    outcome: Any = (200, b'hello')
    requests: int = 1


def slowly(seen: Seen) -> Answer:
    time.sleep(0.4)
    return reply('late')


def members(seen: Seen) -> Answer:
    if seen.header('authorization') != 'Basic dTpw':
        return Answer(401, {'www-authenticate': 'Basic realm="x"'}, 'who?', 'Unauthorized')
    return reply('hello')


def forgetful(seen: Seen) -> Answer:
    if seen.path == '/a':
        return Answer(302, {'location': '/b', 'set-cookie': 'a=1'}, b'', 'Found')
    return reply(seen.header('cookie') or 'none')


HELLO: Routes = {'/a': reply('hello')}
PACKED = gzip.compress(b'hello' * 100)
GZIP = b'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n'


def rows() -> Iterator[bytes]:
    yield b'one\n'
    yield b'two\n'


SCENARIOS: dict[str, Scenario] = {
    'get': Scenario(lambda url, **more: request(url + '/a', **more), HELLO),
    'empty': Scenario(lambda url, **more: request(url + '/a', **more), {'/a': Answer(204)}, (204, b'')),
    'head': Scenario(lambda url, **more: request.head(url + '/a', **more), HELLO, (200, b'')),
    'not found': Scenario(lambda url, **more: request(url + '/a', **more), {'/a': reply('no', 404)}, (404, b'no')),
    'query and headers': Scenario(
        lambda url, **more: request(url + '/a?x=1', qs={'b': [1, 2]}, headers={'X-Own': 'v', 'accept': '*/*'}, **more),
        HELLO,
    ),
    'form': Scenario(lambda url, **more: request.post(url + '/a', form={'a': 'ä b'}, **more), HELLO),
    'json': Scenario(lambda url, **more: request.put(url + '/a', json={'a': [1]}, **more), HELLO),
    'generator': Scenario(lambda url, **more: request.post(url + '/a', body=rows(), **more), HELLO),
    'file': Scenario(lambda url, **more: request.put(url + '/a', body=io.BytesIO(b'content' * 9000), **more), HELLO),
    'basic': Scenario(lambda url, **more: request(url + '/a', auth=('u', 'p'), **more), {'/a': members}),
    'challenge': Scenario(
        lambda url, **more: request(url + '/a', auth={'user': 'u', 'pass': 'p', 'sendImmediately': False}, **more),
        {'/a': members},
        requests=2,
    ),
    'redirect': Scenario(
        lambda url, **more: request(url + '/old', **more), {'/old': redirect('/a'), **HELLO}, requests=2
    ),
    'cookies': Scenario(
        lambda url, **more: request(url + '/a', jar=request.jar(), **more),
        {'/a': forgetful, '/b': forgetful},
        (200, b'a=1'),
        2,
    ),
    'chunked': Scenario(
        lambda url, **more: request(url + '/a', **more),
        {'/a': b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'},
    ),
    'large': Scenario(
        lambda url, **more: request(url + '/a', **more), {'/a': reply(b'x' * 2000000)}, (200, b'x' * 2000000)
    ),
    'gzip': Scenario(
        lambda url, **more: request(url + '/a', gzip=True, **more),
        {'/a': GZIP % len(PACKED) + PACKED},
        (200, b'hello' * 100),
    ),
    'gzip cut': Scenario(
        lambda url, **more: request(url + '/a', gzip=True, **more),
        {'/a': GZIP % (len(PACKED) - 9) + PACKED[:-9]},
        ('ResponseAborted', 'Z_BUF_ERROR'),
    ),
    'gzip broken': Scenario(
        lambda url, **more: request(url + '/a', gzip=True, **more),
        {'/a': GZIP % 12 + b'not packed..'},
        ('DecodeError', 'Z_DATA_ERROR'),
    ),
    'cut': Scenario(
        lambda url, **more: request(url + '/a', **more),
        {'/a': b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nhalf'},
        ('ResponseAborted', 'ECONNRESET'),
    ),
    'chunks cut': Scenario(
        lambda url, **more: request(url + '/a', **more),
        {'/a': b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\nhalf\r\n'},
        ('ResponseAborted', 'ECONNRESET'),
    ),
    'no answer': Scenario(
        lambda url, **more: request.post(url + '/a', **more),
        {'/a': lambda seen: None},
        ('ConnectionReset', 'ECONNRESET'),
    ),
    'nonsense': Scenario(
        lambda url, **more: request(url + '/a', **more),
        {'/a': b'hello\r\n\r\n'},
        ('MalformedResponse', 'HPE_INVALID_CONSTANT'),
    ),
    'refused': Scenario(
        lambda url, **more: request(f'http://127.0.0.1:{REFUSING}/', **more),
        {},
        ('ConnectionRefused', 'ECONNREFUSED'),
        0,
    ),
    'too late': Scenario(
        lambda url, **more: request(url + '/a', timeout=100, **more), {'/a': slowly}, ('ReadTimeout', 'ESOCKETTIMEDOUT')
    ),
    'over the deadline': Scenario(
        lambda url, **more: request(url + '/a', deadline=100, **more), {'/a': slowly}, ('DeadlineExceeded', 'ETIMEDOUT')
    ),
    'round and round': Scenario(
        lambda url, **more: request(url + '/a', max_redirects=2, **more),
        {'/a': redirect('/a')},
        ('TooManyRedirects', None),
        3,
    ),
}
REFUSING = closed_port()


# Each face takes what makes the request and gives status and content; what it raises is the outcome too.


def by_callback(make: Make) -> Any:
    told: list[Any] = []
    make(callback=lambda error, response, body: told.append((error, response)))
    ((error, response),) = told
    if error is not None:
        raise error
    return response.status_code, response.content


def by_asking(make: Make) -> Any:
    response = make().response
    return response.status_code, response.content


def by_end(make: Make) -> Any:
    response = make().end()
    return response.status_code, response.content


def by_iterating(make: Make) -> Any:
    handle = make()
    content = b''.join(handle)
    return handle.response.status_code, content


def by_with(make: Make) -> Any:
    with make() as response:
        return response.status_code, response.read()


def by_events(make: Make) -> Any:
    pieces: list[bytes] = []
    told: list[Any] = []
    handle = make().on('data', pieces.append).on('error', told.append)
    try:
        handle.end()
    except RequestError as error:
        assert told == [error]
        raise
    return handle.response.status_code, b''.join(pieces)


def by_pipe(make: Make) -> Any:
    handle = make()
    return handle.response.status_code, handle.pipe(io.BytesIO()).getvalue()


def by_start(make: Make) -> Any:
    response = make().start().end()
    return response.status_code, response.content


async def by_await(make: Make) -> Any:
    response = await make()
    return response.status_code, response.content


async def by_async_for(make: Make) -> Any:
    handle = make()
    content = b''.join([piece async for piece in handle])
    return handle.response.status_code, content


async def by_async_with(make: Make) -> Any:
    async with make() as response:
        return response.status_code, b''.join([piece async for piece in response])


async def by_await_with_events(make: Make) -> Any:
    pieces: list[bytes] = []
    told: list[Any] = []
    handle = make().on('data', pieces.append).on('error', told.append)
    try:
        await handle
    except RequestError as error:
        assert told == [error]
        raise
    return handle.response.status_code, b''.join(pieces)


async def by_apipe(make: Make) -> Any:
    handle = make()
    kept = io.BytesIO()
    await apipe(handle, kept)
    return handle.response.status_code, kept.getvalue()


FACES = [
    by_callback,
    by_asking,
    by_end,
    by_iterating,
    by_with,
    by_events,
    by_pipe,
    by_start,
    by_await,
    by_async_for,
    by_async_with,
    by_await_with_events,
    by_apipe,
]


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    yield
    for pool in list(pools._every_pool):
        pool.close()


def outcome(face: Callable[[Make], Any], make: Make) -> Any:
    try:
        given = face(make)
        return asyncio.run(asyncio.wait_for(given, 30)) if asyncio.iscoroutine(given) else given
    except RequestError as error:
        return type(error).__name__, error.code


def wire(server: HttpServer) -> list[bytes]:
    """What the server has received, and forgets."""
    sent = [seen.raw_head + seen.body for seen in server.requests]
    server.requests.clear()
    return sent


@pytest.mark.parametrize('name', SCENARIOS)
def test_every_face_sends_the_same_bytes_and_comes_to_the_same(
    server: HttpServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    scenario = SCENARIOS[name]
    server.routes.update(scenario.routes)

    def make(**more: Any) -> Request:
        return scenario.make(server.url, **more)

    sent: dict[str, list[bytes]] = {}
    for face in FACES:
        assert (face.__name__, outcome(face, make)) == (face.__name__, scenario.outcome)
        sent[face.__name__] = wire(server)
    first = sent['by_end']
    assert len(first) == scenario.requests
    assert {face: bytes_ for face, bytes_ in sent.items() if bytes_ != first} == {}
    # Let go: nobody is told but the log, the bytes are the same.
    with caplog.at_level(logging.ERROR, 'requite'):
        make()
        gc.collect()
        request.flush(10000)
    assert wire(server) == first
    failed = isinstance(scenario.outcome[0], str)
    assert [scenario.outcome[0] in record.getMessage() for record in caplog.records] == [True] * failed
