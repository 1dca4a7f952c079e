"""ASGI ends of a pipe, driven by hand as a server would drive them; with real servers they are in tests/wire and tests/peers."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import (
    ConnectionReset,
    InvalidBody,
    OptionsError,
    RequestError,
    RequestStateError,
    ResponseAborted,
    apipe,
    asgi,
    pipe,
    request,
)
from requite.background import CROWD
from requite.transport import pools
from tests.servers import Answer, HttpServer, RawServer, reply


@pytest.fixture(autouse=True)
def no_connection_is_left() -> Iterator[None]:
    yield
    for pool in list(pools._every_pool):
        pool.close()


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(main(), 30)

    return asyncio.run(bounded())


def until(reached: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Exchange:
    """One request as a server has it: messages that are given to the application, and those that it sends."""

    def __init__(self, *pieces: bytes, method: str = 'GET', path: str = '/', headers: Any = (), **scope: Any) -> None:
        self.scope = {
            'type': 'http',
            'http_version': '1.1',
            'method': method,
            'path': path,
            'raw_path': path.encode(),
            'query_string': b'',
            'headers': list(headers),
            **scope,
        }
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number, piece in enumerate(pieces or (b'',)):
            self.messages.put_nowait({'type': 'http.request', 'body': piece, 'more_body': number < len(pieces) - 1})
        self.sent: list[dict[str, Any]] = []
        self.threads: set[threading.Thread] = set()

    async def receive(self) -> dict[str, Any]:
        self.threads.add(threading.current_thread())
        return await self.messages.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.threads.add(threading.current_thread())
        await asyncio.sleep(0)
        self.sent.append(message)

    def leave(self) -> None:
        self.messages.put_nowait({'type': 'http.disconnect'})

    async def proxy(self, url: str, **options: Any) -> None:
        incoming = asgi.Incoming(self.scope, self.receive)
        await apipe(await apipe(incoming, request(url + incoming.url, **options)), asgi.Outgoing(self.send))

    @property
    def body(self) -> bytes:
        return b''.join(message.get('body', b'') for message in self.sent[1:])

    @property
    def whole(self) -> bool:
        return bool(self.sent) and self.sent[-1].get('more_body') is False


def test_a_small_exchange_is_one_head_and_one_last_piece(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange(path='/a')
        server.routes['/a'] = reply('hello', x_up='1')  # type: ignore[arg-type]
        await exchange.proxy(server.url)
        assert exchange.sent == [
            {'type': 'http.response.start', 'status': 200, 'headers': [(b'x-up', b'1'), (b'content-length', b'5')]},
            {'type': 'http.response.body', 'body': b'hello', 'more_body': False},
        ]
        assert exchange.threads == {threading.current_thread()}

    run(main)


def test_send_is_awaited_by_the_task_of_the_application_and_receive_with_its_context(server: HttpServer) -> None:
    """Middleware may count on it."""
    variable = contextvars.ContextVar('variable', default='none')
    seen: set[Any] = set()

    class Noting(Exchange):
        async def receive(self) -> dict[str, Any]:
            seen.add(variable.get())
            return await super().receive()

        async def send(self, message: dict[str, Any]) -> None:
            seen.add(asyncio.current_task())
            await super().send(message)

    async def main() -> None:
        variable.set('mine')
        exchange = Noting(b'ab', b'cd', method='PUT', headers=[(b'content-length', b'4')])
        await exchange.proxy(server.url)
        assert server.requests[0].body == b'abcd'
        assert seen == {'mine', asyncio.current_task()}

    run(main)


def test_both_directions_flow_at_once() -> None:
    """A client that waits for the answer to its first piece before it sends the next one."""

    def echo(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
        received = head.partition(b'\r\n\r\n')[2]
        while not received.endswith(b'0\r\n\r\n'):
            while received.count(b'\r\n') >= 2 and not received.startswith(b'0\r\n'):
                size, _, rest = received.partition(b'\r\n')
                piece, received = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
                sock.sendall(b'%x\r\n%b\r\n' % (len(piece), piece))
            if not received.endswith(b'0\r\n\r\n'):
                received += sock.recv(65536)
        sock.sendall(b'0\r\n\r\n')

    class Patient(Exchange):
        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            if message.get('body'):
                count = len(self.sent) - 1
                piece = b'' if count == 5 else b'%d' % count
                self.messages.put_nowait({'type': 'http.request', 'body': piece, 'more_body': count < 5})

    async def main(url: str) -> None:
        exchange = Patient(b'0', method='POST', headers=[(b'transfer-encoding', b'chunked')])
        first = exchange.messages.get_nowait()
        exchange.messages.put_nowait({**first, 'more_body': True})
        await exchange.proxy(url)
        assert (exchange.body, exchange.whole) == (b'01234', True)
        assert len(asyncio.all_tasks()) <= 2

    with RawServer(echo) as origin:
        run(lambda: main(origin.url))


def test_an_early_refusal_reaches_a_client_that_has_stopped_sending() -> None:
    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno')
        time.sleep(1)

    async def main(url: str) -> None:
        exchange = Exchange(b'x' * 1000, b'never', method='PUT', headers=[(b'content-length', b'1000000')])
        first = exchange.messages.get_nowait()
        exchange.messages.get_nowait()
        exchange.messages.put_nowait(first)
        await asyncio.wait_for(exchange.proxy(url), 5)
        assert (exchange.sent[0]['status'], exchange.body, exchange.whole) == (413, b'no', True)

    with RawServer(refuse) as origin:
        run(lambda: main(origin.url))


def test_a_chunked_request_is_chunked_to_the_origin(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange(b'ab', b'', b'cd', method='POST', headers=[(b'transfer-encoding', b'chunked')])
        await exchange.proxy(server.url)
        (seen,) = server.requests
        assert (seen.method, seen.body, seen.header('content-length')) == ('POST', b'abcd', None)

    run(main)


@pytest.mark.parametrize(('pieces', 'framing'), [((b'',), ('0', None)), ((b'ab', b'c'), (None, 'chunked'))])
def test_content_of_http_2_needs_no_field_that_announces_it(server: HttpServer, pieces: Any, framing: Any) -> None:
    async def main() -> None:
        await Exchange(*pieces, method='POST', http_version='2').proxy(server.url)
        (seen,) = server.requests
        assert seen.body == b''.join(pieces)
        assert (seen.header('content-length'), seen.header('transfer-encoding')) == framing

    run(main)


def test_fields_of_the_connection_host_and_expect_stay(server: HttpServer) -> None:
    """SECURITY X5."""
    fields = [
        (b'host', b'mine.example'),
        (b'connection', b'keep-alive, x-mine'),
        (b'x-mine', b'1'),
        (b'te', b'trailers'),
        (b'upgrade', b'websocket'),
        (b'proxy-authorization', b'Basic x'),
        (b'expect', b'100-continue'),
        (b'content-length', b'1'),
        (b'x-through', b'\xe9'),
    ]

    async def main() -> None:
        await Exchange(b'x', method='PUT', headers=fields).proxy(server.url)
        (seen,) = server.requests
        assert {name.lower() for name in seen.names} - {'user-agent'} == {'x-through', 'host', 'content-length'}
        assert (seen.header('host'), seen.header('x-through')) == (server.authority, '\xe9')

    run(main)


@pytest.mark.parametrize(
    'headers',
    [
        [(b'content-length', b'3'), (b'transfer-encoding', b'chunked')],
        [(b'content-length', b'3'), (b'content-length', b'5')],
        [(b'transfer-encoding', b'gzip, chunked')],
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(server: HttpServer, headers: Any) -> None:
    async def main() -> None:
        with pytest.raises(InvalidBody, match='answer 400'):
            await Exchange(b'abc', method='POST', headers=headers).proxy(server.url)
        assert server.requests == []

    run(main)


def test_a_line_break_in_a_value_is_refused_both_ways(server: HttpServer) -> None:
    async def main() -> None:
        with pytest.raises(OptionsError):
            await Exchange(headers=[(b'x-a', b'1\r\nx-b: 2')]).proxy(server.url)
        gc.collect()
        assert server.requests == []
        exchange = Exchange()
        handle = request(server.url)
        handle.pipefilter = lambda response, outgoing: outgoing.headers.append(('x-a', '1\r\nx-b: 2'))
        with pytest.raises(OptionsError):
            await apipe(handle, asgi.Outgoing(exchange.send))
        assert exchange.sent == []

    run(main)


def test_the_filter_may_change_status_and_headers(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange()
        handle = request(server.url)

        def change(response: Any, outgoing: asgi.Outgoing) -> None:
            outgoing.status_code = 299
            outgoing.headers = [('X-Only', 'this'), *((n, v) for n, v in outgoing.headers if n == 'content-length')]

        handle.pipefilter = change
        await apipe(handle, asgi.Outgoing(exchange.send))
        assert exchange.sent[0]['status'] == 299
        assert [name for name, _ in exchange.sent[0]['headers']] == [b'x-only', b'content-length']

    run(main)


def test_head_gives_the_fields_of_the_content_and_none_of_it(server: HttpServer) -> None:
    async def main() -> None:
        server.routes['/a'] = reply('hello')
        exchange = Exchange(method='HEAD', path='/a')
        await exchange.proxy(server.url)
        assert (b'content-length', b'5') in exchange.sent[0]['headers']
        assert (exchange.body, exchange.whole) == (b'', True)

    run(main)


@pytest.mark.parametrize('status', [204, 304])
def test_an_answer_that_has_no_content_announces_none(server: HttpServer, status: int) -> None:
    async def main() -> None:
        server.routes['/a'] = Answer(status, {'content-length': '7'} if status == 304 else {}, b'')
        exchange = Exchange(path='/a')
        await exchange.proxy(server.url)
        assert (exchange.sent[0]['status'], exchange.sent[0]['headers'], exchange.whole) == (status, [], True)

    run(main)


def test_path_and_query_are_those_that_were_asked_for() -> None:
    def url(**scope: Any) -> str:
        return asgi.Incoming({'type': 'http', 'headers': [], **scope}, _never).url

    assert url(path='/a b', raw_path=b'/a%20b', query_string=b'x=%20&y=[1]') == '/a%20b?x=%20&y=[1]'
    assert url(path='/a b?', query_string=b'') == '/a%20b%3F'
    assert url(path='//evil.example/x', raw_path=b'//evil.example/x') == '/evil.example/x'
    assert url(path='', raw_path=b'') == '/'


async def _never() -> dict[str, Any]:
    raise AssertionError('nothing was to be received')


def test_bytes_and_files_are_answers_too(tmp_path: Any) -> None:
    (tmp_path / 'a.json').write_bytes(b'{}')

    async def main() -> None:
        exchange = Exchange()
        await apipe((tmp_path / 'a.json').open('rb'), asgi.Outgoing(exchange.send))
        assert dict(exchange.sent[0]['headers']) == {b'content-type': b'application/json', b'content-length': b'2'}
        assert (exchange.body, exchange.whole) == (b'{}', True)

    run(main)


# -- what ends an exchange


def quiet(gone: list[bytes], head: bytes = b'') -> Callable[[socket.socket, bytes], None]:
    """An origin that says ``head`` and no more, and notes when the proxy has closed its connection."""

    def handler(sock: socket.socket, received: bytes) -> None:
        sock.sendall(head)
        try:
            while sock.recv(65536):
                pass
        except OSError:
            pass
        gone.append(b'')

    return handler


@pytest.mark.parametrize('head', [b'', b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab'])
def test_a_client_that_leaves_while_the_origin_is_silent_ends_the_exchange_with_it(head: bytes) -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        exchange = Exchange()
        asyncio.get_running_loop().call_later(0.1, exchange.leave)
        began = time.monotonic()
        with pytest.raises(ConnectionReset, match='the client left'):
            await exchange.proxy(url)
        assert time.monotonic() - began < 2
        assert await asyncio.to_thread(until, lambda: bool(gone))
        assert not exchange.whole

    with RawServer(quiet(gone, head)) as origin:
        run(lambda: main(origin.url))


def test_a_client_that_leaves_within_its_request_never_completes_it() -> None:
    received: list[bytes] = []

    def origin_of(sock: socket.socket, head: bytes) -> None:
        try:
            while piece := sock.recv(65536):
                received.append(piece)
        except OSError:
            received.append(b'gone')

    async def main(url: str) -> None:
        exchange = Exchange(b'ab', b'cd', method='PUT', headers=[(b'transfer-encoding', b'chunked')])
        message = exchange.messages.get_nowait()
        exchange.messages.get_nowait()
        exchange.messages.put_nowait(message)
        exchange.leave()
        with pytest.raises(ConnectionReset, match='the client left within its request'):
            await exchange.proxy(url)

    with RawServer(origin_of) as origin:
        run(lambda: main(origin.url))
        assert until(lambda: b'gone' in received)
    assert b'0\r\n\r\n' not in b''.join(received)


def test_a_server_that_never_says_that_the_client_left_is_not_asked_for_ever(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange()
        asked = []

        async def receive() -> dict[str, Any]:
            asked.append(1)
            return {'type': 'http.request', 'body': b'', 'more_body': False}

        await apipe(
            await apipe(asgi.Incoming(exchange.scope, receive), request(server.url)), asgi.Outgoing(exchange.send)
        )
        assert exchange.whole
        assert len(asked) <= 4

    run(main)


@pytest.mark.parametrize('framing', ['content-length: 1000', 'transfer-encoding: chunked'])
def test_an_origin_that_dies_half_way_raises_and_the_answer_stays_incomplete(server: HttpServer, framing: str) -> None:
    half = b'64\r\n' + b'x' * 100 + b'\r\n' if 'chunked' in framing else b'x' * 100
    server.routes['/a'] = f'HTTP/1.1 200 OK\r\n{framing}\r\nconnection: close\r\n\r\n'.encode() + half

    async def main() -> None:
        exchange = Exchange(path='/a')
        with pytest.raises(ResponseAborted):
            await exchange.proxy(server.url)
        assert exchange.sent[0]['status'] == 200
        assert not exchange.whole

    run(main)


def test_a_server_that_says_at_send_that_the_client_left_ends_the_pipe(server: HttpServer) -> None:
    """ASGI 2.4: send raises OSError."""
    server.routes['/a'] = reply(b'x' * 3000000)

    async def send(message: dict[str, Any]) -> None:
        if message['type'] == 'http.response.body':
            raise OSError('gone')

    async def main() -> None:
        with pytest.raises(ConnectionReset, match='the client left'):
            await apipe(request(server.url + '/a'), asgi.Outgoing(send))

    run(main)


def test_an_application_that_is_cancelled_closes_the_connection_to_the_origin() -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(Exchange().proxy(url), 0.1)
        assert await asyncio.to_thread(until, lambda: bool(gone), 1)

    with RawServer(quiet(gone)) as origin:
        run(lambda: main(origin.url))


def test_an_application_that_is_cancelled_while_the_client_hesitates_leaves_no_worker_and_no_file(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        exchange = Exchange(b'x', b'never', method='PUT', headers=[(b'content-length', b'10')])
        first = exchange.messages.get_nowait()
        exchange.messages.get_nowait()
        exchange.messages.put_nowait(first)
        incoming = asgi.Incoming(exchange.scope, exchange.receive)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(apipe(incoming, tmp_path / 'half'), 0.1)
        assert await asyncio.to_thread(until, lambda: not list(tmp_path.iterdir()), 2)
        assert await asyncio.to_thread(until, lambda: CROWD.workers._idle == CROWD.workers._threads, 2)

    run(main)


def test_a_client_that_reads_slowly_slows_the_origin_down() -> None:
    """Constant memory: what the client has not taken is not fetched."""
    sent = [0]

    def endless(sock: socket.socket, head: bytes) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
            while True:
                sock.sendall(b'10000\r\n' + b'x' * 65536 + b'\r\n')
                sent[0] += 65536
        except OSError:
            pass

    async def main(url: str) -> None:
        stuck = asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            if message['type'] == 'http.response.body':
                await stuck.wait()

        piping = asyncio.ensure_future(apipe(request(url), asgi.Outgoing(send)))
        await asyncio.sleep(0.3)
        first = sent[0]
        await asyncio.sleep(0.3)
        assert sent[0] == first < 32 << 20
        piping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await piping

    with RawServer(endless) as origin:
        run(lambda: main(origin.url))


def test_an_origin_that_does_not_read_slows_the_client_down() -> None:
    async def main(url: str) -> None:
        taken = 0

        async def receive() -> dict[str, Any]:
            nonlocal taken
            taken += 65536
            return {'type': 'http.request', 'body': b'x' * 65536, 'more_body': True}

        scope = Exchange(method='PUT', headers=[(b'transfer-encoding', b'chunked')]).scope
        piping = asyncio.ensure_future(apipe(asgi.Incoming(scope, receive), request(url)))
        await asyncio.sleep(0.5)
        first = taken
        await asyncio.sleep(0.3)
        assert 0 < taken == first < 64 << 20
        piping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await piping

    done = threading.Event()
    with RawServer(lambda sock, head: done.wait(10)) as origin:
        run(lambda: main(origin.url))
        done.set()


def test_expect_is_the_servers_to_answer_when_the_content_is_asked_for() -> None:
    """Nothing is received before the origin can be reached: a server answers 100-continue at the first ``receive``."""
    asked = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return {'type': 'http.request', 'body': b'x', 'more_body': False}

    async def main() -> None:
        scope = Exchange(method='PUT', headers=[(b'content-length', b'1'), (b'expect', b'100-continue')]).scope
        with socket.socket() as sock:
            sock.bind(('127.0.0.1', 0))
            url = f'http://127.0.0.1:{sock.getsockname()[1]}/'
        with pytest.raises(ConnectionRefusedError):
            await apipe(asgi.Incoming(scope, receive), request(url))
        assert asked == []

    run(main)


# -- wrong use


@pytest.mark.parametrize('kind', ['lifespan', 'websocket', None])
def test_a_scope_that_is_no_request_is_refused(kind: Any) -> None:
    with pytest.raises(OptionsError, match='scope'):
        asgi.Incoming({'type': kind}, _never)


def test_the_blocking_pipe_says_that_it_is_the_wrong_one(server: HttpServer) -> None:
    with pytest.raises(RequestStateError, match='apipe'):
        pipe(asgi.Incoming(Exchange().scope, _never), request(server.url))
    with pytest.raises(RequestStateError, match='apipe'):
        pipe(b'x', asgi.Outgoing(Exchange().send))
    gc.collect()
    request.flush(5000)
    assert server.requests == []


def test_each_end_serves_for_one_pipe(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange()
        incoming, outgoing = asgi.Incoming(exchange.scope, exchange.receive), asgi.Outgoing(exchange.send)
        await apipe(await apipe(incoming, request(server.url)), outgoing)
        with pytest.raises(RequestStateError, match='only once'):
            await apipe(incoming, request(server.url))
        with pytest.raises(RequestStateError, match='an Outgoing for each'):
            await apipe(b'x', outgoing)

    run(main)


def test_content_that_the_server_cut_short_is_not_sent_as_whole(server: HttpServer) -> None:
    async def main() -> None:
        exchange = Exchange(b'ab', method='PUT', headers=[(b'content-length', b'5')])
        with pytest.raises(InvalidBody):
            await exchange.proxy(server.url)

    run(main)
    assert server.requests == []


def test_what_receive_raises_comes_through(server: HttpServer) -> None:
    async def receive() -> dict[str, Any]:
        raise LookupError('mine')

    async def main() -> None:
        scope = Exchange(method='PUT', headers=[(b'content-length', b'1')]).scope
        with pytest.raises(LookupError, match='mine'):
            await apipe(asgi.Incoming(scope, receive), request(server.url))

    run(main)
    assert server.requests == []


def test_a_redirect_with_a_content_that_came_once_is_an_error_that_says_so(server: HttpServer) -> None:
    server.routes['/old'] = Answer(307, {'location': '/new'}, b'')

    async def main() -> None:
        exchange = Exchange(b'ab', method='PUT', path='/old', headers=[(b'content-length', b'2')])
        with pytest.raises(RequestError, match='needs the body again'):
            await exchange.proxy(server.url, follow_all_redirects=True)
        assert [seen.target for seen in server.requests] == ['/old']

    run(main)


def test_many_exchanges_at_once_do_not_hold_each_other_up(server: HttpServer) -> None:
    """More than there are connections: whoever reads goes on while others wait for their turn."""
    server.routes['/a'] = reply(b'x' * 600000)

    async def main() -> None:
        exchanges = [Exchange(path='/a') for _ in range(60)]
        pool = request.Pool(max_sockets=5)
        await asyncio.gather(*[exchange.proxy(server.url, pool=pool) for exchange in exchanges])
        assert {len(exchange.body) for exchange in exchanges} == {600000}

    run(main)


def test_the_head_goes_out_before_the_content_is_there() -> None:
    go_on = threading.Event()

    def late(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
        assert go_on.wait(10)
        sock.sendall(b'1\r\na\r\n0\r\n\r\n')

    async def main(url: str) -> None:
        exchange = Exchange()

        class Noting(Exchange):
            async def send(self, message: dict[str, Any]) -> None:
                await super().send(message)
                go_on.set()

        exchange = Noting()
        await exchange.proxy(url)
        assert (exchange.body, exchange.whole) == (b'a', True)

    with RawServer(late) as origin:
        run(lambda: main(origin.url))


def test_a_response_can_be_piped_on_by_itself(server: HttpServer) -> None:
    gone: list[bytes] = []

    async def main(url: str) -> None:
        exchange = Exchange()
        incoming = asgi.Incoming(exchange.scope, exchange.receive)
        sent = await apipe(incoming, request(url))
        asyncio.get_running_loop().call_later(0.1, exchange.leave)
        with pytest.raises(ConnectionReset):
            await apipe(sent.response, asgi.Outgoing(exchange.send))
        assert await asyncio.to_thread(until, lambda: bool(gone))

    with RawServer(quiet(gone, b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab')) as origin:
        run(lambda: main(origin.url))
