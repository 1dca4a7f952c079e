"""Pools as requests use them: who waits and for how long, what the error tells, and that nothing stays behind."""

from __future__ import annotations

import pickle
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import (
    AbortError,
    BodyTooLarge,
    CertificateError,
    ConnectTimeout,
    DeadlineExceeded,
    MalformedResponse,
    OptionsError,
    Pool,
    PoolTimeout,
    ReadTimeout,
    RequestError,
    ResponseAborted,
    TooManyRedirects,
    request,
)
from requite.transport import pools
from tests.servers import Authority, HttpServer, RawServer, closed_port, redirect, reply
from tests.wire.hops import OK, always, states

Start = Callable[..., RawServer]
FILE = __file__


def holding(pool: Pool, url: str) -> Any:
    """A response whose body nobody reads."""
    return request.get(url, pool=pool).response


@pytest.fixture
def slow(raw_server: Start) -> RawServer:
    """A server that promises more than it sends."""

    def handler(sock: socket.socket, head: bytes) -> None:
        sock.sendall(OK[:-1])
        sock.recv(1)

    return raw_server(handler)


def test_who_waits_too_long_is_told_who_holds_the_connections(slow: RawServer) -> None:
    pool = Pool(3, name='shop')
    made = request.get(slow.url, pool=pool)
    held = [holding(pool, slow.url), holding(pool, slow.url), made.response]
    began = time.monotonic()
    with pytest.raises(PoolTimeout) as caught:
        request.get(slow.url, pool=pool, timeout={'pool': 150}).end()
    assert 0.1 < time.monotonic() - began < 1
    text = str(caught.value)
    line = made._made[0].co_firstlineno
    assert f'GET {slow.authority} waited for one of the 3 connections of the pool shop for 150 ms' in text
    assert f'they are held by {FILE}:{holding.__code__.co_firstlineno + 2} (2), {FILE}:{line + 2} (1)' in text
    assert 'read or close the responses that hold them, or give the pool more max_sockets' in text
    assert (caught.value.code, isinstance(caught.value, TimeoutError)) == ('ETIMEDOUT', True)
    for response in held:
        response.close()
    assert states(pool) == (0, 0)
    assert slow.connections == 3


def test_waiting_has_its_own_clock_or_none(slow: RawServer) -> None:
    """As in Node a timeout that is a number counts from the connection on; the deadline counts always."""
    pool = Pool(1)
    held = holding(pool, slow.url)
    began = time.monotonic()
    with pytest.raises(
        DeadlineExceeded, match=r'waited for one of the 1 connections .* until its deadline; they are held'
    ):
        request.get(slow.url, pool=pool, timeout=50, deadline=300).end()
    assert 0.25 < time.monotonic() - began < 1
    with pytest.raises(DeadlineExceeded):
        request.get(slow.url, pool=pool, timeout={'pool': 200, 'connect': 100, 'read': 100}, deadline=200).end()
    threading.Timer(0.2, held.close).start()
    with pytest.raises(ReadTimeout):
        request.get(slow.url, pool=pool, timeout={'pool': 5000, 'read': 50}).end()
    assert states(pool) == (0, 0)


def test_a_place_that_comes_free_in_time_is_taken(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool(1)
    api = request.defaults(pool=pool, timeout={'pool': 10000})
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                assert api.get(server.url).end().body == 'ok'
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert problems == []
    assert server.connections == 1


def test_each_key_of_timeout_counts_for_itself(slow: RawServer) -> None:
    api = request.defaults(timeout=60000)
    began = time.monotonic()
    with pytest.raises(ReadTimeout):
        api.get(slow.url, timeout={'read': 100}, pool=False).end()
    assert time.monotonic() - began < 2
    given = request.defaults(timeout=7000)
    assert given.defaults(timeout={'pool': 5})._defaults.limits == (7.0, 7.0, None, 0.005)
    assert given.defaults(timeout={'read': 5}).defaults(timeout={'connect': None})._defaults.limits[:2] == (None, 0.005)
    assert given.defaults(timeout=3)._defaults.limits == (0.003, 0.003, None, None)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        ({'timeout': 1000, 'deadline': 500}, r"'deadline' \(500 ms\) is shorter than option 'timeout' \(1000 ms\)"),
        (
            {'timeout': {'read': 600}, 'deadline': 500},
            r"shorter than option 'timeout'\['read'\] \(600 ms\), which so never",
        ),
        (
            {'timeout': {'pool': 600}, 'deadline': 500},
            r"'timeout'\['pool'\] \(600 ms\).*raise the one, or lower or leave out",
        ),
        ({'timeout': {'conect': 600}}, "no key 'conect'; did you mean 'connect'"),
        ({'timeout': {'connect': 1.5}}, 'counts milliseconds.*write 1500'),
        ({'timeout': {'pool': 0}}, 'must be more than 0 milliseconds'),
    ],
)
def test_clocks_that_contradict_one_another_are_an_error_of_the_call(options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionsError, match=text):
        request.get('http://nowhere.invalid/', options)
    with pytest.raises(OptionsError, match=text):
        request.defaults(options)


def test_a_deadline_may_be_shorter_than_a_timeout_of_the_defaults(slow: RawServer) -> None:
    api = request.defaults(timeout=60000)
    with pytest.raises(DeadlineExceeded):
        api.get(slow.url, deadline=100).end()
    with pytest.raises(DeadlineExceeded):
        request.defaults(deadline=100).get(slow.url, timeout=60000).end()
    with pytest.raises(DeadlineExceeded):
        request.get(slow.url, timeout=100, deadline=100).end()


# -- agent_options: each key does what it says


def test_the_options_of_agents_count(server: HttpServer) -> None:
    def ask(turns: int, **agent: Any) -> int:
        before = server.connections
        mine: dict[str, Any] = {}
        for _ in range(turns):
            request.get(server.url, pool=mine, agent_options=agent).end()
        return server.connections - before

    assert ask(3) == 1
    assert ask(3, keepAlive=False) == 3
    assert ask(3, maxFreeSockets=0) == 3
    assert ask(3, maxSockets=1) == 1
    mine: dict[str, Any] = {}
    held = request.get(server.url, pool=mine, agent_options={'maxSockets': 1}).end()
    assert held.ok
    assert [pool.max_sockets for pool in mine['agents'].values()] == [1]


AGENTS: list[dict[str, Any]] = [
    {},
    {'forever': True},
    {'agent_options': {'keepAlive': True}},
    {'agent_options': {'keepAlive': False}},
    {'agent_options': {'maxSockets': 9}},
    {'agent_options': {'maxFreeSockets': 1}},
    {'agent_options': {'keepAliveMsecs': 5000}},
]


@pytest.mark.parametrize('spelled', ['max_sockets', 'maxSockets'])
def test_the_size_of_a_mapping_bounds_all_of_its_requests_whatever_their_agents_are_like(
    spelled: str, slow: RawServer
) -> None:
    mine: dict[str, Any] = {spelled: 2}
    held = [request.get(slow.url, pool=mine, **agent).response for agent in AGENTS[3:5]]
    assert slow.connections == 2
    for agent in AGENTS:
        with pytest.raises(PoolTimeout, match='waited for one of the 2 connections'):
            request.get(slow.url, pool=mine, timeout={'pool': 50}, **agent).end()
    assert slow.connections == 2
    for response in held:
        response.close()
    assert {counts for pool in mine['agents'].values() for counts in pool.status().values()} == {(0, 0)}


def test_the_requests_of_a_mapping_keep_connections_on_terms_of_their_own(server: HttpServer) -> None:
    def ask(**agent: Any) -> int:
        before = server.connections
        request.get(server.url, pool=mine, agent_options=agent).end()
        return server.connections - before

    mine: dict[str, Any] = {'max_sockets': 1}
    assert [ask(), ask(), ask(keepAlive=True)] == [1, 0, 0]
    assert [ask(keepAlive=False), ask(keepAlive=False), ask()] == [0, 1, 1]
    copy = pickle.loads(pickle.dumps(mine))
    request.get(server.url, pool=copy, agent_options={'keepAlive': False}).end()
    assert {counts for pool in mine['agents'].values() for counts in pool.status().values()} == {(0, 0)}


def test_connections_that_several_agents_share_rest_as_long_as_others(
    server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine: dict[str, Any] = {'max_sockets': 1}
    for agent in AGENTS:
        request.get(server.url, pool=mine, **agent).end()
    before = server.connections
    request.get(server.url, pool=mine).end()
    pools._rest_all()
    request.get(server.url, pool=mine).end()
    assert server.connections <= before + 1
    [whole] = [pool for pool in mine['agents'].values() if type(pool) is Pool]
    assert states(whole) == (0, 1)


def test_a_mapping_whose_size_changes_is_refused(server: HttpServer) -> None:
    mine: dict[str, Any] = {'max_sockets': 1}
    request.get(server.url, pool=mine).end()
    mine['max_sockets'] = 2
    with pytest.raises(
        OptionsError, match=r"pool\['max_sockets'\] is 2, but .* when it was 1; set it before the first"
    ):
        request.get(server.url, pool=mine).end()


def test_the_timeout_of_an_agent_counts_unless_the_request_has_its_own(slow: RawServer) -> None:
    began = time.monotonic()
    with pytest.raises(ReadTimeout):
        request.get(slow.url, agent_options={'timeout': 100}).end()
    assert time.monotonic() - began < 2
    with pytest.raises(ReadTimeout):
        request.get(slow.url, timeout=100, agent_options={'timeout': 60000}).end()


# -- rest


def test_connections_that_nobody_used_for_a_while_are_closed(
    server: HttpServer, http_server: Callable[..., HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = http_server()
    pool, elsewhere = Pool(), Pool()
    request.get(server.url, pool=pool).end()
    monkeypatch.setattr(pools, 'REST', 0.05)
    monkeypatch.setattr(pools, '_next_rest', 0.0)
    assert states(pool) == (0, 1)
    for _ in range(4):
        time.sleep(0.06)
        request.get(other.url, pool=elsewhere).end()
    assert states(pool) == (0, 0)
    assert states(elsewhere) == (0, 1)
    assert other.connections == 1
    assert request.get(server.url, pool=pool).end().ok
    assert server.connections == 2


def test_rest_loses_no_connection_and_no_place_while_others_work(raw_server: Start) -> None:
    server = raw_server(always(OK))
    pool = Pool(4)
    ready = threading.Event()
    problems: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(150):
                assert request.get(server.url, pool=pool).end().body == 'ok'
        except BaseException as error:
            problems.append(error)

    def look() -> None:
        while not ready.is_set():
            pools._rest_all()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in (*lookers, *threads):
        thread.start()
    for thread in threads:
        thread.join(60)
    ready.set()
    for thread in lookers:
        thread.join(10)
    assert problems == []
    [lane] = pool._lanes.values()
    assert (lane.busy(), len(lane._slots), len(lane._waiting)) == (0, 4, 0)
    pools._rest_all()
    pools._rest_all()
    assert states(pool) == (0, 0)


# -- nothing stays behind


def descriptors() -> int:
    return len(list(Path('/proc/self/fd').iterdir()))


def outcomes(
    server: HttpServer, slow: RawServer, tls_server: HttpServer, raw_server: Start
) -> list[Callable[[Pool], Any]]:
    """Every way in which a request may end, each without a connection that can serve again."""
    server.routes |= {
        '/loop': redirect('/loop'),
        '/cut': b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx',
        '/closes': reply(b'ok', connection='close'),
        '/large': reply(b'x' * 300_000),
    }
    cut = raw_server(lambda sock, head: sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx'))
    odd = raw_server(lambda sock, head: sock.sendall(b'KLINGON\r\n\r\n'))

    def failing(kind: type[BaseException], url: str, **options: Any) -> Callable[[Pool], Any]:
        def run(pool: Pool) -> None:
            with pytest.raises(kind):
                request.get(url, {'pool': pool, **options}).end()

        return run

    def aborted(pool: Pool) -> None:
        made = request.get(slow.url, pool=pool)
        threading.Timer(0.02, made.abort).start()
        with pytest.raises(AbortError):
            made.end()

    def dropped(pool: Pool) -> None:
        assert request.get(slow.url, pool=pool).response.status_code == 200
        assert states(pool)[0] == 0

    def half_read(pool: Pool) -> None:
        assert request.get(f'{server.url}/large', pool=pool).response.read(1) == b'x'
        assert states(pool)[0] == 0

    def left(pool: Pool) -> None:
        with request.get(f'{server.url}/large', pool=pool) as response:
            assert response.read(1) == b'x'

    def broken(pool: Pool) -> None:
        def pieces() -> Any:
            yield b'x'
            raise KeyError('mine')

        with pytest.raises(KeyError):
            request.post(server.url, body=pieces(), pool=pool).end()

    def listener(pool: Pool) -> None:
        def raises(response: Any) -> None:
            raise KeyError('mine')

        with pytest.raises(KeyError):
            request.get(f'{server.url}/large', pool=pool).on('response', raises).end()

    nobody = closed_port()
    return [
        aborted,
        dropped,
        half_read,
        left,
        broken,
        listener,
        failing(ReadTimeout, slow.url, timeout=30),
        failing(DeadlineExceeded, slow.url, deadline=30),
        failing(ResponseAborted, cut.url),
        failing(MalformedResponse, odd.url),
        failing(TooManyRedirects, f'{server.url}/loop'),
        failing(BodyTooLarge, f'{server.url}/large', max_body=5),
        failing(CertificateError, tls_server.url),
        failing(CertificateError, tls_server.url, strict_ssl=False, assert_fingerprint='0' * 64),
        failing(RequestError, f'http://127.0.0.1:{nobody}/'),
        failing(RequestError, f'http://h.example:{nobody}/', lookup=_both),
        failing(ConnectTimeout, f'https://{server.authority}/', timeout=50),
        failing(RequestError, 'http://nowhere.invalid/', lookup=lambda host, options: []),
        failing(RequestError, server.url, local_address='192.0.2.1'),
        failing(RequestError, 'http://unix:/no/such:/'),
    ]


def _both(host: str, options: Any) -> list[str]:
    return ['127.0.0.1', '127.0.0.2']


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='the descriptors are counted in /proc')
def test_no_descriptor_and_no_place_stays_behind_however_a_request_ends(
    server: HttpServer, slow: RawServer, tls_server: HttpServer, raw_server: Start, authority: Authority
) -> None:
    pool = Pool(2)
    endings = outcomes(server, slow, tls_server, raw_server)

    def all_of_them() -> None:
        for ending in endings:
            ending(pool)
            assert states(pool)[0] == 0, ending

    all_of_them()  # what is opened once for all: files of certificates, modules
    deadline = time.monotonic() + 5
    before = _settled(deadline)
    for _ in range(3):
        all_of_them()
    assert states(pool)[0] == 0
    pool.close()
    assert _settled(time.monotonic() + 5, before) <= before


def _settled(deadline: float, at_most: int = 0) -> int:
    """The number of descriptors once the servers' threads have closed theirs."""
    last = descriptors()
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now = descriptors()
        if now == last and (not at_most or now <= at_most):
            return now
        last = now
    return last
