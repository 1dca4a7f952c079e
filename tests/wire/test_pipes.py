"""Pipes over real connections: whole bodies, broken ones, and memory that stays where it is."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import AbortError, OptionsError, RequestError, RequestStateError, ResponseAborted, apipe, pipe, request
from tests.servers import HttpServer, RawServer, redirect, reply

Raw = Callable[..., RawServer]

MIB = 1 << 20
GROWTH = 8 * MIB
"""How much a process may grow while 200 MB pass through it, four times over."""

CHILD = """
import resource, sys
from requite import pipe, request

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

origin, folder = sys.argv[1:]
def run(size):
    source = f'{origin}/{size}'
    request.get(source).pipe(folder + '/out')
    request.get(source).pipe(request.put(origin + '/up')).end()
    pipe(open(folder + '/out', 'rb'), request.put(origin + '/up')).end()
    pipe((b'x' * 65536 for _ in range(size // 65536)), request.put(origin + '/up')).end()

run(1 << 20)
before = peak()
run(200 << 20)
print(peak() - before)
"""


def pump(sock: socket.socket, received: bytes) -> bool:
    """Answers GET /n with n bytes, and anything else after it has thrown its content away."""
    head, _, rest = received.partition(b'\r\n\r\n')
    if head.startswith(b'GET'):
        size = int(head.split(b' ')[1][1:])
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % size)
        piece = bytes(MIB)
        for _ in range(size // MIB):
            sock.sendall(piece)
        return True
    if b'content-length' in head.lower():
        size = int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0])
        left = size - len(rest)
        while left:
            left -= len(sock.recv(min(left, MIB)))
    else:
        while not rest.endswith(b'\r\n0\r\n\r\n'):
            rest = rest[-16:] + sock.recv(MIB)
    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    return True


@pytest.mark.skipif(sys.platform == 'win32', reason='the resource module is missing there')
def test_memory_stays_where_it_is_while_200_mb_pass(raw_server: Raw, tmp_path: Path) -> None:
    server = raw_server(pump)
    command = [sys.executable, '-c', CHILD, server.url, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < GROWTH, done.stdout


def test_one_server_flows_into_another(server: HttpServer) -> None:
    server.routes['/img'] = reply(b'\x00\xff' * 100000, content_type='image/png')
    put = request.get(server.url + '/img').pipe(request.put(server.url + '/copy'))
    assert put.response.status_code == 200
    seen = server.requests[-1]
    assert (seen.method, seen.path, seen.body) == ('PUT', '/copy', b'\x00\xff' * 100000)
    assert (seen.header('content-type'), seen.header('content-length')) == ('image/png', '200000')


def test_a_pipe_goes_on_through_several_requests(server: HttpServer) -> None:
    server.routes['/a'] = reply('one')
    server.routes['/b'] = lambda seen: reply(seen.body + b' two')
    server.routes['/c'] = lambda seen: reply(seen.body + b' three')
    last = request(server.url + '/a').pipe(request.post(server.url + '/b')).pipe(request.post(server.url + '/c'))
    assert last.end().body == 'one two three'


def test_only_the_last_answer_of_a_redirect_is_piped(server: HttpServer, tmp_path: Path) -> None:
    server.routes.update({'/old': redirect('/new'), '/new': reply('new')})
    assert request(server.url + '/old').pipe(tmp_path / 'out').read_text() == 'new'


def test_a_connection_serves_again_behind_a_pipe(server: HttpServer, tmp_path: Path) -> None:
    for _ in range(3):
        request(server.url).pipe(tmp_path / 'out')
    assert server.connections == 1


def test_a_source_that_dies_half_way_never_makes_a_whole_request(raw_server: Raw, server: HttpServer) -> None:
    for framing, half in (('content-length: 100', b'half'), ('transfer-encoding: chunked', b'4\r\nhalf\r\n')):
        head = f'HTTP/1.1 200 OK\r\n{framing}\r\n\r\n'.encode()
        dying = raw_server(lambda sock, _, data=head + half: sock.sendall(data))
        put = request.put(server.url + '/copy')
        with pytest.raises(ResponseAborted):
            request.get(dying.url).pipe(put)
    assert server.requests == []


def test_a_sink_that_raises_closes_the_connection_to_the_source(raw_server: Raw) -> None:
    gone = threading.Event()

    def endless(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            gone.set()

    class Full:
        def write(self, piece: bytes) -> None:
            raise ZeroDivisionError('no room')

    with pytest.raises(ZeroDivisionError):
        request(raw_server(endless).url).pipe(Full())
    assert gone.wait(10)


def test_a_generator_that_raises_ends_the_request(server: HttpServer) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'one'
        raise ZeroDivisionError('no more')

    with pytest.raises(ZeroDivisionError):
        pipe(pieces(), request.put(server.url))
    assert server.requests == []


def test_an_early_refusal_is_the_answer_and_gives_the_source_up(raw_server: Raw) -> None:
    gone = threading.Event()

    def endless(sock: socket.socket, head: bytes) -> None:
        try:
            sock.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
            while True:
                sock.sendall(bytes(65536))
        except OSError:
            gone.set()

    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        sock.settimeout(0.5)
        try:
            while sock.recv(MIB):
                pass
        except OSError:
            pass

    put = request.get(raw_server(endless).url).pipe(request.put(raw_server(refuse).url))
    assert (put.response.status_code, put.response.body) == (413, 'no')
    assert gone.wait(10)


def test_pieces_are_written_as_they_come(raw_server: Raw) -> None:
    go_on = threading.Event()

    def slow(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none')
        assert go_on.wait(10)
        sock.sendall(b'two')

    class Sink:
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def write(self, piece: bytes) -> None:
            self.pieces.append(piece)
            go_on.set()

    assert request(raw_server(slow).url).pipe(Sink()).pieces == [b'one', b'two']


def test_an_upload_is_sent_as_it_comes(raw_server: Raw) -> None:
    arrived = threading.Event()

    def listen(sock: socket.socket, received: bytes) -> None:
        while b'3\r\none\r\n' not in received:
            received += sock.recv(65536)
        arrived.set()
        while not received.endswith(b'0\r\n\r\n'):
            received += sock.recv(65536)
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')

    def pieces() -> Iterator[bytes]:
        yield b'one'
        assert arrived.wait(10)
        yield b'two'

    assert pipe(pieces(), request.put(raw_server(listen).url)).response.ok


def test_tls_on_both_sides(tls_server: Any, authority: Any) -> None:
    tls_server.routes['/img'] = reply(b'x' * 300000, content_type='image/png')
    secure = request.defaults(ca=authority.pem)
    put = secure.get(tls_server.url + '/img').pipe(secure.put(tls_server.url + '/copy'))
    assert put.end().status_code == 200
    assert tls_server.requests[-1].body == b'x' * 300000


# -- a destination that stays open


@pytest.mark.parametrize('end', [False, {'end': False}])
def test_a_request_that_stays_open_is_written_to_and_ended_by_who_piped(server: HttpServer, end: Any) -> None:
    server.answers = lambda seen: reply('begin ', content_type='text/x-source')
    made = request.put(server.url)
    assert pipe(request.get(server.url), made, end=end) is made
    made.write('middle ')
    assert made.end('end').status_code == 200
    sent = server.requests[-1]
    assert sent.body == b'begin middle end'
    fields = {name.lower(): value for name, value in sent.headers}
    assert (fields['content-type'], fields['transfer-encoding']) == ('text/x-source', 'chunked')


def test_a_request_that_stays_open_after_nothing_is_ended_too(server: HttpServer) -> None:
    made = pipe(iter(()), request.post(server.url), end=False)
    made.end()
    assert [seen.body for seen in server.requests] == [b'']


def test_a_source_that_breaks_off_breaks_the_request_off_that_stays_open(
    raw_server: Callable[..., RawServer], server: HttpServer
) -> None:
    def cut(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')

    made = request.put(server.url)
    with pytest.raises(ResponseAborted):
        pipe(request.get(raw_server(cut).url), made, end=False)
    assert made.signal.aborted
    with pytest.raises(AbortError):
        made.end()
    assert server.requests == []


def test_a_request_with_a_body_cannot_be_piped_into_and_stay_open(server: HttpServer) -> None:
    for made in (request.post(server.url, body='x'), request.post(server.url, form={'a': 1})):
        with pytest.raises(RequestStateError, match='has a body already'):
            pipe(b'abc', made, end=False)
    del made
    request.flush()
    assert server.requests == []


def test_in_a_coroutine_a_request_cannot_stay_open(server: HttpServer) -> None:
    async def main() -> None:
        with pytest.raises(OptionsError, match='end=False'):
            await apipe(b'abc', request.post(server.url), end=False)

    asyncio.run(main())
    request.flush()
    assert server.requests == []


# ---------------------------------------------------------------- both ends on one pool


def send_in_a_form(api: Any, url: str, field: Any) -> Any:
    try:
        return api.post(url, form_data={'file': field}).end()
    finally:
        field.response.close()


def gives_pairs(raw_server: Raw) -> str:
    return raw_server(pump).url


@pytest.mark.parametrize(
    'send',
    [
        lambda api, url: pipe(api.get(f'{url}/{MIB}'), api.put(url)).end(),
        lambda api, url: pipe(api.get(f'{url}/{MIB}').response, api.put(url)).end(),
        lambda api, url: send_in_a_form(api, url, api.get(f'{url}/{MIB}')),
        lambda api, url: api.post(url, body=api.get(f'{url}/{MIB}')).end(),
        lambda api, url: api.post(url, body=(api.get(f'{url}/{MIB}').end().content for _ in range(2))).end(),
    ],
    ids=['pipe', 'pipe a response', 'form_data', 'body', 'generator'],
)
def test_two_ends_on_a_pool_of_one_are_an_error_and_not_a_wait_for_ever(raw_server: Raw, send: Any) -> None:
    url = gives_pairs(raw_server)
    with pytest.raises(RequestStateError, match='max_sockets'):
        send(request.defaults(pool={'max_sockets': 1}, encoding=None), url)
    answer = send(request.defaults(pool={'max_sockets': 2}, encoding=None), url)
    assert answer.status_code == 200


def test_pairs_that_hold_all_of_a_pool_do_not_wait_for_one_another_for_ever(raw_server: Raw) -> None:
    api = request.defaults(pool={'max_sockets': 2}, encoding=None)
    url = gives_pairs(raw_server)
    both = threading.Barrier(2)
    outcomes: list[object] = []

    def pair() -> None:
        source = api.get(f'{url}/{MIB}').response
        both.wait(10)
        try:
            outcomes.append(pipe(source, api.put(url)).end().status_code)
        except RequestStateError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=pair, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(outcomes) == 2
    assert sum(isinstance(outcome, RequestStateError) for outcome in outcomes) >= 1
    assert api.put(url, body=b'free again').end().status_code == 200


def test_a_connection_that_another_thread_will_give_back_is_waited_for(raw_server: Raw) -> None:
    api = request.defaults(pool={'max_sockets': 1}, encoding=None)
    url = gives_pairs(raw_server)
    held = api.get(f'{url}/{MIB}').response
    reading = threading.Timer(0.2, held.read)
    reading.start()
    assert api.put(url, body=b'x').end().status_code == 200
    reading.join()


# ---------------------------------------------------------------- where waiting ends, it is not refused


def late(sock: socket.socket, received: bytes) -> bool:
    """Answers at once, and ends the answer when the request has ended."""
    sock.sendall(b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    head, _, rest = received.partition(b'\r\n\r\n')
    left = int(head.lower().partition(b'content-length:')[2].split(b'\r\n')[0]) - len(rest)
    while left:
        piece = sock.recv(min(left, MIB))
        if not piece:
            return False
        left -= len(piece)
    sock.sendall(b'0\r\n\r\n')
    return True


def waits_until(api: Any, url: str, task: Callable[[], object]) -> None:
    """Another thread does ``task`` in a moment; the connection that becomes free by it is waited for until then."""
    doing = threading.Timer(0.3, task)
    doing.start()
    assert api.put(url, body=b'x', deadline=10000).end().status_code == 200
    doing.join()


def one_at_a_time() -> Any:
    return request.defaults(pool={'max_sockets': 1}, encoding=None)


def test_a_pipe_that_another_thread_reads_to_its_end_is_waited_for(raw_server: Raw) -> None:
    api, url, echo = one_at_a_time(), raw_server(pump).url, raw_server(late).url
    onward = pipe(api.get(f'{url}/{20 * MIB}'), request.put(echo))
    waits_until(api, url, onward.end)
    assert onward.response.status_code == 200


def test_a_form_that_failed_leaves_its_response_to_any_thread(raw_server: Raw) -> None:
    api, url = one_at_a_time(), raw_server(pump).url
    inner = api.get(f'{url}/{20 * MIB}').response
    with pytest.raises(RequestError):
        request.post('http://127.0.0.1:1', form_data={'file': inner}).end()
    waits_until(api, url, inner.close)


def test_a_form_whose_length_was_asked_here_may_be_sent_there(raw_server: Raw) -> None:
    api, url = one_at_a_time(), raw_server(pump).url
    made = request.post(url, encoding=None)
    form = made.form().append('file', api.get(f'{url}/{20 * MIB}').response)
    assert form.get_length() > 20 * MIB
    waits_until(api, url, made.end)
    assert made.response.status_code == 200


def test_a_thread_that_has_the_number_of_one_that_ended_waits_for_what_that_one_left(raw_server: Raw) -> None:
    api, url, echo = one_at_a_time(), raw_server(pump).url, raw_server(late).url
    kept: list[Any] = []
    outcomes: list[Any] = []

    def leaves() -> None:
        kept.append(pipe(api.get(f'{url}/{20 * MIB}'), request.put(echo)))

    def asks() -> None:
        try:
            outcomes.append(api.put(url, body=b'x', deadline=10000).end().status_code)
        except RequestError as error:
            outcomes.append(error)

    for task in (leaves, asks):
        thread = threading.Thread(target=task)
        thread.start()
        if task is asks:
            thread.join(0.3)
            kept[0].abort()
        thread.join(10)
    assert outcomes == [200]


@pytest.mark.parametrize('option', ['form_data', 'multipart'])
def test_two_parts_on_a_pool_of_one_are_an_error_and_not_a_wait_for_ever(raw_server: Raw, option: str) -> None:
    api, url = one_at_a_time(), raw_server(pump).url
    held = api.get(f'{url}/{20 * MIB}').response
    fields: Any = {'a': held, 'b': api.get(f'{url}/{MIB}')} if option == 'form_data' else [{'body': held}]
    with pytest.raises(RequestStateError, match='max_sockets'):
        api.post(url, **{option: fields}).end()
    held.close()


def test_an_early_refusal_ends_a_pipe_that_leaves_the_request_open(raw_server: Raw) -> None:
    def refuse(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno')
        sock.recv(MIB)

    began = time.monotonic()
    given = 0

    def pieces() -> Iterator[bytes]:
        nonlocal given
        while time.monotonic() - began < 5:
            given += 1
            yield bytes(65536)

    upload = pipe(pieces(), request.put(raw_server(refuse).url), end=False)
    assert upload.response.status_code == 413
    assert time.monotonic() - began < 4
    source = request.get(f'{raw_server(pump).url}/{200 * MIB}', encoding=None)
    upload = pipe(source, request.put(raw_server(refuse).url), end=False)
    assert upload.response.status_code == 413
    with pytest.raises(RequestError):
        source.response.read()
