"""Awaited: the exchange runs in a worker, listeners on the thread of the loop, and being cancelled frees the socket at once."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import importlib.util
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import AbortError, ConnectionRefused, Pool, ReadTimeout, RequestError, RequestStateError, apipe, request
from requite import workers as workers_module
from requite.background import CROWD
from requite.transport import pools
from tests.servers import HttpServer, RawServer, Seen, closed_port, json_reply, redirect, reply


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    """Whatever a test leaves in the default pool is closed behind it."""
    yield
    for pool in list(pools._every_pool):
        pool.close()


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    """Runs a coroutine function; hangs are errors."""

    async def bounded() -> Any:
        return await asyncio.wait_for(main(), 30)

    return asyncio.run(bounded())


def until(reached: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def silent(gone: list[bytes]) -> Callable[[socket.socket, bytes], None]:
    """A server that never answers, and notes when a client has closed its connection."""

    def handler(sock: socket.socket, head: bytes) -> None:
        try:
            gone.append(sock.recv(1))
        except OSError:
            gone.append(b'')

    return handler


# -- what is given


def test_awaiting_gives_the_response_with_its_body_read(server: HttpServer) -> None:
    async def main() -> None:
        response = await request.post(server.url + '/a', json={'b': 1})
        assert (response.status_code, response.body['target'], response.body['body']) == (200, '/a', '{"b":1}')
        assert response._content is not None

    run(main)


def test_a_wrapper_is_awaited_like_request_itself(server: HttpServer) -> None:
    api = request.defaults(base_url=server.url, json=True, headers={'x-token': 't'})

    async def main() -> None:
        told = (await api.get('/users/1')).body
        assert (told['target'], dict(told['headers'])['x-token']) == ('/users/1', 't')

    run(main)


def test_awaiting_again_gives_the_same_response(server: HttpServer) -> None:
    async def main() -> None:
        handle = request(server.url)
        first = await handle
        assert await handle is first
        assert handle.response is first
        assert len(server.requests) == 1

    run(main)


def test_awaiting_again_raises_the_same_error() -> None:
    async def main() -> None:
        handle = request(f'http://127.0.0.1:{closed_port()}/')
        with pytest.raises(ConnectionRefused) as first:
            await handle
        with pytest.raises(ConnectionRefused) as second:
            await handle
        assert first.value is second.value
        assert first.value.request is handle

    run(main)


def test_several_tasks_that_await_one_request_get_one_response(server: HttpServer) -> None:
    async def main() -> None:
        handle = request(server.url)
        responses = await asyncio.gather(*[_awaited(handle) for _ in range(10)])
        assert {id(response) for response in responses} == {id(handle.response)}
        assert len(server.requests) == 1

    run(main)


async def _awaited(handle: Any) -> Any:
    return await handle


def test_awaiting_a_request_that_was_started_waits_for_it(server: HttpServer) -> None:
    async def main() -> None:
        server.routes['/slow'] = slow
        handle = request(server.url + '/slow').start()
        assert (await handle).body == 'slow'
        assert len(server.requests) == 1

    run(main)


def slow(seen: Seen) -> Any:
    time.sleep(0.05)
    return reply('slow')


def test_gather_takes_requests_as_they_are(server: HttpServer) -> None:
    async def main() -> None:
        responses = await asyncio.gather(*[request(f'{server.url}/{number}', json=True) for number in range(20)])
        assert [response.body['target'] for response in responses] == [f'/{number}' for number in range(20)]

    run(main)


def test_what_a_coroutine_let_go_before_is_sent_before(server: HttpServer) -> None:
    async def main() -> None:
        for number in range(5):
            request(f'{server.url}/{number}')
        await request(server.url + '/last')
        assert [seen.target for seen in server.requests] == ['/0', '/1', '/2', '/3', '/4', '/last']

    run(main)


def test_errors_are_those_of_the_blocking_face(server: HttpServer) -> None:
    async def main() -> None:
        server.routes['/die'] = b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf'
        with pytest.raises(RequestError) as caught:
            await request(server.url + '/die')
        assert caught.value.code == 'ECONNRESET'
        server.routes['/slow'] = slow
        with pytest.raises(ReadTimeout):
            await request(server.url + '/slow', timeout=10)

    run(main)


def test_a_listener_that_raises_raises_out_of_the_await(server: HttpServer) -> None:
    async def main() -> None:
        def listener(*_: Any) -> None:
            raise LookupError('mine')

        with pytest.raises(LookupError, match='mine'):
            await request(server.url).on('response', listener)

    run(main)


# -- streams


def test_async_for_gives_the_body_in_pieces(server: HttpServer) -> None:
    content = bytes(range(256)) * 20000
    server.routes['/big'] = reply(content)

    async def main() -> None:
        pieces = [piece async for piece in request(server.url + '/big')]
        assert b''.join(pieces) == content
        assert len(pieces) > 1
        assert max(map(len, pieces)) <= 262144

    run(main)


def test_async_with_gives_the_head_and_closes_behind_itself() -> None:
    gone: list[bytes] = []

    def endless(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n')
            while True:
                sock.sendall(b'x' * 65536)
        except OSError:
            gone.append(b'')

    async def main(url: str) -> None:
        async with request(url) as response:
            assert response.status_code == 200
            async for piece in response:
                assert piece[:1] == b'x'
                break

    with RawServer(endless) as server:
        run(lambda: main(server.url))
        assert until(lambda: bool(gone))


def test_pieces_come_as_soon_as_they_are_there() -> None:
    go_on = threading.Event()

    def in_two(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n')
        assert go_on.wait(10)
        sock.sendall(b'1\r\nb\r\n0\r\n\r\n')

    async def main(url: str) -> None:
        seen = []
        async for piece in request(url):
            seen.append(piece)
            go_on.set()
        assert seen == [b'a', b'b']

    with RawServer(in_two) as server:
        run(lambda: main(server.url))


def test_gzip_is_undone_in_pieces(server: HttpServer) -> None:
    import gzip

    packed = gzip.compress(b'text' * 1000000)
    server.routes['/z'] = reply(packed, content_encoding='gzip')  # type: ignore[arg-type]

    async def main() -> None:
        size = 0
        async for piece in request(server.url + '/z', gzip=True):
            size += len(piece)
        assert size == 4000000

    run(main)


def test_the_loop_goes_on_while_a_body_is_read(server: HttpServer) -> None:
    server.routes['/slow'] = slow

    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.002)
                ticks += 1

        ticking = asyncio.create_task(tick())
        await request(server.url + '/slow')
        ticking.cancel()
        assert ticks >= 5

    run(main)


# -- threads and contexts


def test_listeners_run_on_the_thread_of_the_loop_with_its_context(server: HttpServer) -> None:
    variable = contextvars.ContextVar('variable', default='none')
    server.routes['/old'] = redirect('/new')

    async def main() -> None:
        variable.set('mine')
        here = threading.current_thread()
        seen = []
        handle = request(server.url + '/old')
        for event in ('request', 'socket', 'redirect', 'response', 'data', 'end', 'complete'):
            handle.on(event, lambda *_, event=event: seen.append((event, threading.current_thread(), variable.get())))
        await handle
        assert [event for event, _, _ in seen] == [
            'request',
            'socket',
            'redirect',
            'request',
            'socket',
            'response',
            'data',
            'end',
            'complete',
        ]
        assert {(thread, value) for _, thread, value in seen} == {(here, 'mine')}

    run(main)


def test_context_variables_reach_what_runs_in_the_worker(server: HttpServer) -> None:
    variable = contextvars.ContextVar('variable', default='none')
    server.routes['/old'] = redirect('/new')
    seen: list[tuple[str, bool]] = []

    async def main() -> None:
        variable.set('mine')
        here = threading.current_thread()

        def follow(response: Any) -> bool:
            seen.append((variable.get(), threading.current_thread() is here))
            return True

        await request(server.url + '/old', follow_redirect=follow)

    run(main)
    assert seen == [('mine', False)]


def test_a_listener_may_ask_for_the_response_that_is_there(server: HttpServer) -> None:
    async def main() -> None:
        seen: list[Any] = []
        handle = request(server.url)
        handle.on('response', lambda response: seen.append(handle.response is response))
        handle.on('complete', lambda *_: seen.append(handle.end().body[:1]))
        await handle
        assert seen == [True, '{']

    run(main)


@pytest.mark.parametrize('ask', [lambda handle: handle.end(), lambda handle: handle.response.content])
def test_a_listener_that_asks_for_what_is_still_to_come_gets_an_error_instead_of_waiting_for_itself(
    server: HttpServer, ask: Any
) -> None:
    server.routes['/big'] = reply(b'x' * 2000000)

    async def main() -> None:
        handle = request(server.url + '/big')
        with pytest.raises(RequestStateError):
            await handle.on('data', lambda *_: ask(handle))

    run(main)


def test_asking_on_the_thread_of_the_loop_while_a_task_awaits_is_an_error_where_listeners_would_have_to_run_there(
    server: HttpServer,
) -> None:
    server.routes['/slow'] = slow

    async def main() -> None:
        handle = request(server.url + '/slow').on('response', lambda *_: None)
        task = asyncio.ensure_future(_awaited(handle))
        assert await asyncio.to_thread(until, lambda: bool(server.requests))
        with pytest.raises(RequestStateError):
            handle.end()
        assert (await task).body == 'slow'

    run(main)


# -- cancelling


def test_cancelling_closes_the_socket_at_once_and_leaves_no_warning() -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        handle = request(url)
        began = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_awaited(handle), 0.1)
        assert time.monotonic() - began < 1
        assert await asyncio.to_thread(until, lambda: gone == [b''], 1)
        with pytest.raises(AbortError):
            await handle

    with RawServer(silent(gone)) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        run(lambda: main(server.url))
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_cancelling_a_stream_closes_its_socket() -> None:
    gone: list[bytes] = []

    def begins(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab')
        gone.append(sock.recv(1))

    async def main(url: str) -> None:
        async def read() -> None:
            async for _ in request(url):
                pass

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read(), 0.1)
        assert await asyncio.to_thread(until, lambda: gone == [b''], 1)

    with RawServer(begins) as server:
        run(lambda: main(server.url))


def test_a_request_goes_on_while_somebody_else_awaits_it(server: HttpServer) -> None:
    server.routes['/slow'] = slow

    async def main() -> None:
        handle = request(server.url + '/slow')
        one, other = asyncio.ensure_future(_awaited(handle)), asyncio.ensure_future(_awaited(handle))
        await asyncio.sleep(0.01)
        one.cancel()
        assert (await other).body == 'slow'
        assert one.cancelled()

    run(main)


def test_a_task_that_is_cancelled_before_it_began_sends_nothing(server: HttpServer) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(_awaited(request(server.url)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    gc.collect()
    assert len(server.requests) <= 1


@pytest.mark.filterwarnings('error')
def test_five_hundred_cancelled_awaits_leave_no_thread_no_socket_and_no_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CROWD.workers, '_idle_seconds', 0.2)
    gone: list[bytes] = []
    before = threading.active_count()
    pool = Pool()

    async def main(url: str) -> None:
        tasks = [asyncio.ensure_future(_awaited(request(url, pool=pool))) for _ in range(500)]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(result) for result in results} == {asyncio.CancelledError}

    with RawServer(silent(gone)) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        run(lambda: main(server.url))
        assert until(lambda: len(gone) == server.connections, 10)
        assert until(lambda: CROWD.workers._threads == 0, 10)
        assert all(busy == 0 for busy, _ in pool.status().values())
        gc.collect()
    assert until(lambda: threading.active_count() <= before, 10)
    assert [str(warning.message) for warning in caught] == []


# -- how many at once


@pytest.mark.timing
def test_a_hundred_awaits_take_little_longer_than_one(server: HttpServer) -> None:
    server.routes['/slow'] = slow

    async def main() -> float:
        await asyncio.gather(*[request(server.url + '/slow') for _ in range(100)])
        began = time.perf_counter()
        await asyncio.gather(*[request(server.url + '/slow') for _ in range(100)])
        return time.perf_counter() - began

    # Twice in a row, where the machine was busy; the slow way (asyncio's own executor) takes more than 0.5 s.
    assert min(run(main), run(main)) < 0.4


SLOW_SERVER = """
import asyncio

async def answer(reader, writer):
    try:
        while True:
            await reader.readuntil(b'\\r\\n\\r\\n')
            await asyncio.sleep(0.05)
            writer.write(b'HTTP/1.1 200 OK\\r\\ncontent-length: 5\\r\\n\\r\\nhello')
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(answer, '127.0.0.1', 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@pytest.mark.timing
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_a_hundred_awaits_take_at_most_twice_as_long_as_in_aiohttp() -> None:
    aiohttp = pytest.importorskip('aiohttp', reason='aiohttp is not installed')

    async def main(url: str) -> tuple[float, float]:
        async with aiohttp.ClientSession() as session:

            async def one() -> None:
                async with session.get(url) as response:
                    await response.read()

            theirs, ours = [], []
            for _ in range(6):
                began = time.perf_counter()
                await asyncio.gather(*[one() for _ in range(100)])
                theirs.append(time.perf_counter() - began)
                began = time.perf_counter()
                await asyncio.gather(*[request(url) for _ in range(100)])
                ours.append(time.perf_counter() - began)
            return min(theirs), min(ours)

    with subprocess.Popen([sys.executable, '-c', SLOW_SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            theirs, ours = run(lambda: main(f'http://127.0.0.1:{port}/'))
        finally:
            server.terminate()
    print(f'aiohttp {theirs * 1000:.0f} ms, requite {ours * 1000:.0f} ms')
    assert ours <= 2 * theirs


def test_hundreds_at_once_share_the_connections_of_the_pool(server: HttpServer) -> None:
    async def main() -> None:
        pool = Pool(max_sockets=5)
        responses = await asyncio.gather(*[request(f'{server.url}/{n}', pool=pool) for n in range(300)])
        assert {response.status_code for response in responses} == {200}
        assert server.connections <= 5

    run(main)


def test_a_slow_place_holds_up_no_other(server: HttpServer) -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        waiting = [asyncio.ensure_future(_awaited(request(url))) for _ in range(300)]
        await asyncio.sleep(0.1)
        assert (await asyncio.wait_for(_awaited(request(server.url)), 5)).status_code == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    with RawServer(silent(gone)) as other:
        run(lambda: main(other.url))


def test_reading_never_waits_for_those_who_send(server: HttpServer) -> None:
    """One connection, held by a response that is still read: whoever waits for it must not keep the reader from reading."""
    server.routes['/big'] = reply(b'x' * 3000000)

    async def main() -> None:
        pool = Pool(max_sockets=1)
        async with request(server.url + '/big', pool=pool) as response:
            second = asyncio.ensure_future(_awaited(request(server.url, pool=pool)))
            await asyncio.sleep(0.05)
            size = 0
            async for piece in response:
                size += len(piece)
            assert size == 3000000
            assert (await second).status_code == 200

    run(main)


def test_the_executor_of_asyncio_is_not_used(server: HttpServer) -> None:
    async def main() -> None:
        await request(server.url)
        assert asyncio.get_running_loop()._default_executor is None  # type: ignore[attr-defined]

    run(main)


def test_idle_threads_end(server: HttpServer) -> None:
    assert workers_module.AWAITED_IDLE_SECONDS <= 10

    async def main() -> None:
        await asyncio.gather(*[request(server.url) for _ in range(10)])

    run(main)
    assert until(lambda: CROWD.workers._threads == 0, workers_module.AWAITED_IDLE_SECONDS + 5)


# -- loops


def test_a_loop_that_ends_with_awaits_in_flight_ends_at_once() -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        tasks.append(asyncio.ensure_future(_awaited(request(url).on('response', lambda *_: None))))
        await asyncio.sleep(0.1)

    tasks: list[Any] = []
    with RawServer(silent(gone)) as server:
        began = time.monotonic()
        asyncio.run(main(server.url))
        assert time.monotonic() - began < 2
        assert tasks[0].cancelled()
        assert until(lambda: gone == [b''])


def test_an_interpreter_that_ends_with_a_loop_left_behind_does_not_hang() -> None:
    program = """
import asyncio, sys
from requite import request
async def asking():
    await request(sys.argv[1]).on('response', print)
loop = asyncio.new_event_loop()
task = loop.create_task(asking())
loop.run_until_complete(asyncio.sleep(0.2))
print('over')
"""
    with RawServer(silent([])) as server:
        ended = subprocess.run(
            [sys.executable, '-c', program, server.url], capture_output=True, text=True, timeout=20, check=True
        )
    assert ended.stdout == 'over\n'


def test_asyncio_is_not_imported_by_who_does_not_await(server: HttpServer) -> None:
    program = """
import sys
from requite import request
request(sys.argv[1]).end()
print('asyncio' in sys.modules, 'requite.aio' in sys.modules)
"""
    ended = subprocess.run([sys.executable, '-c', program, server.url], capture_output=True, text=True, check=True)
    assert ended.stdout == 'False False\n'


def test_awaiting_without_asyncio_names_the_fix(server: HttpServer) -> None:
    handle = request(server.url)
    with pytest.raises(RequestStateError, match=r'needs a running asyncio loop.*to_thread'):
        handle.__await__().send(None)
    del handle
    gc.collect()
    request.flush(5000)
    assert server.requests == []


def test_under_trio_the_error_names_the_fix(server: HttpServer) -> None:
    trio = pytest.importorskip('trio', reason='trio is not installed')
    with pytest.raises(RequestStateError, match='trio'):
        trio.run(_awaited, request(server.url))

    async def in_a_thread() -> Any:
        return await trio.to_thread.run_sync(request(server.url).end)

    assert trio.run(in_a_thread).status_code == 200


def test_under_anyio_on_asyncio_with_its_cancel_scopes(server: HttpServer) -> None:
    anyio = pytest.importorskip('anyio', reason='anyio is not installed')
    gone: list[bytes] = []

    async def main(url: str) -> None:
        assert (await request(server.url)).status_code == 200
        with anyio.move_on_after(0.1) as scope:
            await request(url)
        assert scope.cancelled_caught
        responses = []
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(_keep, responses, server.url)
        assert len(responses) == 5

    with RawServer(silent(gone)) as other:
        anyio.run(main, other.url, backend='asyncio')
        assert until(lambda: gone == [b''])


async def _keep(responses: list[Any], url: str) -> None:
    responses.append(await request(url))


@pytest.mark.skipif(importlib.util.find_spec('uvloop') is None, reason='uvloop is not installed')
def test_under_uvloop(server: HttpServer) -> None:
    import uvloop

    gone: list[bytes] = []

    async def main(url: str) -> None:
        here = threading.current_thread()
        seen = []
        response = await request(server.url).on('data', lambda _: seen.append(threading.current_thread() is here))
        assert (response.status_code, seen) == (200, [True])
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_awaited(request(url)), 0.1)
        assert b''.join([piece async for piece in request(server.url)])

    with RawServer(silent(gone)) as other:
        loop = uvloop.new_event_loop()
        loop.run_until_complete(main(other.url))
        loop.close()
        assert until(lambda: gone == [b''])


# -- apipe


def test_apipe_copies_without_blocking_the_loop(server: HttpServer, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10000
    server.routes['/big'] = reply(content)

    async def main() -> None:
        place = tmp_path / 'big'
        assert await apipe(request(server.url + '/big'), place) is place
        assert place.read_bytes() == content
        put = await apipe(request(server.url + '/big'), request.put(server.url + '/up'))
        assert (await put).status_code == 200
        assert server.requests[-1].body == content

    run(main)


def test_apipe_takes_what_is_made_asynchronously(server: HttpServer) -> None:
    async def rows() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield f'{number}\n'.encode()

    class Kept:
        def __init__(self) -> None:
            self.content = b''
            self.closed_by: Any = None

        async def write(self, piece: bytes) -> None:
            await asyncio.sleep(0)
            self.content += piece

        async def close(self) -> None:
            self.closed_by = threading.current_thread()

    async def main() -> None:
        post = await apipe(rows(), request.post(server.url))
        assert (server.requests[0].text, server.requests[0].header('transfer-encoding')) == ('0\n1\n2\n', 'chunked')
        kept = Kept()
        assert await apipe(post, kept) is kept
        assert b'0\\n1\\n2' in kept.content
        assert kept.closed_by is threading.current_thread()

    run(main)


def test_an_iterable_that_raises_ends_the_pipe_and_the_request(server: HttpServer) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'half'
        raise LookupError('mine')

    async def main() -> None:
        with pytest.raises(LookupError, match='mine'):
            await apipe(broken(), request.post(server.url))

    run(main)
    assert server.requests == []


def test_a_cancelled_apipe_closes_the_connection_and_leaves_no_half_file(tmp_path: Path) -> None:
    gone: list[bytes] = []

    def begins(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab')
        gone.append(sock.recv(1))

    async def main(url: str) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(apipe(request(url), tmp_path / 'half'), 0.1)
        assert await asyncio.to_thread(until, lambda: gone == [b''], 1)
        assert await asyncio.to_thread(until, lambda: not list(tmp_path.iterdir()), 1)

    with RawServer(begins) as server:
        run(lambda: main(server.url))


def test_a_cancelled_apipe_ends_what_it_takes_from_and_leaves_no_worker(tmp_path: Path) -> None:
    ended = []

    async def rows() -> AsyncIterator[bytes]:
        try:
            yield b'one'
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(apipe(rows(), tmp_path / 'half'), 0.1)
        assert await asyncio.to_thread(until, lambda: ended == [True] and not list(tmp_path.iterdir()), 2)
        assert await asyncio.to_thread(until, lambda: CROWD.workers._idle == CROWD.workers._threads, 2)

    run(main)


def test_an_answer_is_read_while_an_asynchronous_body_waits_for_it() -> None:
    def echo(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\ngo!\r\n')
        received = head
        while b'0\r\n\r\n' not in received:
            received += sock.recv(65536)
        sock.sendall(b'4\r\ndone\r\n0\r\n\r\n')

    async def main(url: str) -> None:
        heard = asyncio.Event()

        async def rows() -> AsyncIterator[bytes]:
            yield b'one'
            await heard.wait()
            yield b'two'

        pieces = []
        async for piece in await apipe(rows(), request.post(url)):
            pieces.append(piece)
            heard.set()
        assert b''.join(pieces) == b'go!done'

    with RawServer(echo) as server:
        run(lambda: main(server.url))


def test_wrong_ends_of_apipe_are_errors_and_nothing_is_sent(server: HttpServer) -> None:
    async def main() -> None:
        handle = request.put(server.url)
        for source, destination in (('text', handle), (b'bytes', 5), (handle, handle)):
            with pytest.raises((ValueError, TypeError)):
                await apipe(source, destination)

    run(main)
    gc.collect()
    request.flush(5000)
    assert server.requests == []


def test_json_of_a_wrapper_is_parsed(server: HttpServer) -> None:
    server.routes['/j'] = json_reply({'a': [1]})

    async def main() -> None:
        assert (await request.defaults(json=True)(server.url + '/j')).body == {'a': [1]}

    run(main)
