"""Where a connection is made to, and how it is found: UNIX sockets, local addresses, families, look-ups of the caller's, and the race between addresses."""

from __future__ import annotations

import contextlib
import contextvars
import ipaddress
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from requite import (
    AbortError,
    ConnectionFailed,
    ConnectionRefused,
    ConnectTimeout,
    DeadlineExceeded,
    InvalidURI,
    NameNotFound,
    NameTemporarilyUnknown,
    OptionsError,
    Pool,
    request,
)
from requite.transport import names
from tests.servers import HttpServer, RawServer, closed_port, redirect

Servers = Callable[..., HttpServer]
Start = Callable[..., RawServer]
pytestmark = pytest.mark.timing
linux = pytest.mark.skipif(
    not sys.platform.startswith('linux'), reason='Linux has all of 127/8 on its loopback interface'
)


# -- UNIX sockets


@contextlib.contextmanager
def listening(place: str | bytes) -> Iterator[list[bytes]]:
    """A server at a UNIX socket that answers each request with the same; the heads that came."""
    heads: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    while head := sock.recv(65536):
                        heads.append(head)
                        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heads
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


unix = pytest.mark.skipif(not hasattr(socket, 'AF_UNIX'), reason='there are no UNIX sockets here')


@unix
@pytest.mark.timeout(20)
def test_a_unix_socket_is_reached_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / 'a sock'
    pool = Pool()
    with listening(str(path)) as heads:
        for _ in range(2):
            response = request.get(f'http://unix:{path}:/target?q=1', pool=pool, time=True).end()
            assert response.body == 'ok'
        assert response.timings is not None
        pool.close()
    assert [head.split(b'\r\n')[0] for head in heads] == [b'GET /target?q=1 HTTP/1.1'] * 2
    assert b'\r\nhost: localhost\r\n' in heads[0].lower()


@linux
@pytest.mark.timeout(20)
@pytest.mark.parametrize('name', ['requite-{}', '/tmp/.requite/{}'])
def test_an_abstract_socket_has_no_file(name: str) -> None:
    name = name.format(os.getpid())
    pool = Pool()
    with listening('\0' + name) as heads:
        assert request.get(f'http://unix:@{name}:/target', pool=pool).end().body == 'ok'
        pool.close()
    assert heads[0].startswith(b'GET /target HTTP/1.1\r\n')


@unix
def test_a_socket_that_cannot_be_reached_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectionFailed, match=r'ENOENT .*none: there is no socket; is its server running') as caught:
        request.get(f'http://unix:{tmp_path}/none:/').end()
    assert caught.value.code == 'ENOENT'
    with pytest.raises(ConnectionFailed, match=r'ENAMETOOLONG .* bytes at most') as caught:
        request.get(f'http://unix:/{"x" * 200}:/').end()
    assert caught.value.code == 'ENAMETOOLONG'
    nobody = tmp_path / 'nobody'
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(nobody))
    with pytest.raises(ConnectionRefused, match=r'connect ECONNREFUSED .*nobody: nobody listens.*http://unix:/path'):
        request.get(f'http://unix:{nobody}:/').end()
    with pytest.raises(ConnectionRefused, match=r'connect ECONNREFUSED .*: nobody listens there; is it a socket'):
        request.get(f'http://unix:{tmp_path}:/').end()
    with pytest.raises(ConnectionFailed, match=r'connect ENOTDIR .*nobody/x: nobody listens there') as caught:
        request.get(f'http://unix:{nobody}/x:/').end()
    assert caught.value.code == 'ENOTDIR'
    monkeypatch.delattr(socket, 'AF_UNIX')
    with pytest.raises(ConnectionFailed, match='has no sockets like') as caught:
        request.get(f'http://unix:{nobody}:/').end()
    assert caught.value.code == 'EAFNOSUPPORT'


def test_r7_no_redirect_leads_to_an_abstract_socket(server: HttpServer) -> None:
    """SECURITY R7."""
    for location in ('http://unix:@name:/', '//unix:@name:/', 'http://unix:@/tmp/x:/'):
        server.answers = lambda seen, location=location: redirect(location)  # type: ignore[misc]
        with pytest.raises(InvalidURI, match='may not lead to a UNIX socket'):
            request.get(server.url).end()


def test_a_user_called_unix_is_no_socket(server: HttpServer) -> None:
    request.get(f'http://unix:@{server.authority}/').end()
    assert server.requests[0].header('authorization') == 'Basic dW5peDo='


# -- from where


@linux
def test_connections_from_different_addresses_are_not_shared(server: HttpServer) -> None:
    """SECURITY A6."""
    pool = Pool()
    for address in ('127.0.0.2', '127.0.0.3', '127.0.0.2'):
        seen: list[Any] = []
        made = request.get(server.url, local_address=address, pool=pool)
        made.on('socket', lambda sock, seen=seen: seen.append(sock.getsockname()[0]))  # type: ignore[misc]
        made.end()
        assert seen == [address]
    assert server.connections == 2


def test_an_address_that_is_not_local_is_named(server: HttpServer) -> None:
    for address in ('192.0.2.1', '2001:db8::1'):
        with pytest.raises(ConnectionFailed, match=f"'local_address'.*{address}.*leave it out") as caught:
            request.get(server.url, local_address=address).end()
        assert caught.value.code == 'EADDRNOTAVAIL'
    assert server.connections == 0
    with pytest.raises(OptionsError, match="'local_address' must be the IP address of an interface"):
        request.get(server.url, local_address='eth0')


@linux
def test_only_addresses_of_the_same_family_are_tried_from_a_local_address(server: HttpServer) -> None:
    both = request.defaults(lookup=lambda host, options: ['::1', '127.0.0.1'])
    assert both.get(f'http://h.example:{server.port}/', local_address='127.0.0.4').end().ok


# -- where to


def test_a_family_is_kept_to(http_server: Servers) -> None:
    four = http_server()
    url = f'http://localhost:{four.port}/'
    assert request.get(url, family=4).end().ok
    with pytest.raises((ConnectionRefused, NameNotFound, ConnectionFailed)):
        request.get(url, family=6).end()
    with pytest.raises(NameNotFound, match="'family' is 6, and this is an address of IPv4; leave 'family' out"):
        request.get(four.url, family=6).end()
    with pytest.raises(NameNotFound, match="'family' is 4, and this is an address of IPv6"):
        request.get('http://[::1]:1/', family=4).end()
    with pytest.raises(NameNotFound):
        request.get(url, family=6, lookup=lambda host, options: '127.0.0.1').end()


ANSWERS: dict[str, Any] = {
    'a text': '127.0.0.1',
    'a list': ['127.0.0.1'],
    'a tuple': ('127.0.0.1', '127.0.0.1'),
    'a set': {'127.0.0.1'},
    'an ipaddress': ipaddress.ip_address('127.0.0.1'),
    'a list of them': [ipaddress.ip_address('127.0.0.1')],
    'with its family': ('127.0.0.1', 4),
    'a list with families': [('127.0.0.1', 4)],
    "Node's": {'address': '127.0.0.1', 'family': 4},
    "a list of Node's": [{'address': '127.0.0.1', 'family': 4}],
    'what getaddrinfo gives': socket.getaddrinfo('127.0.0.1', 80, type=socket.SOCK_STREAM),
}


@pytest.mark.parametrize('form', ANSWERS)
def test_a_lookup_may_answer_in_many_forms(form: str, server: HttpServer) -> None:
    asked: list[Any] = []

    def lookup(host: str, options: Any) -> Any:
        asked.append((host, options))
        return ANSWERS[form]

    response = request.get(f'http://api.example.test:{server.port}/a', lookup=lookup).end()
    assert response.ok
    assert server.requests[0].header('host') == f'api.example.test:{server.port}'
    assert asked == [('api.example.test', {'family': 0, 'all': True})]


def test_a_lookup_may_be_a_generator(server: HttpServer) -> None:
    def lookup(host: str, options: Any) -> Iterator[str]:
        yield '127.0.0.1'

    assert request.get(f'http://api.example.test:{server.port}/', lookup=lookup).end().ok


@pytest.mark.parametrize(
    'answer', [None, '', 'localhost', 5, [5], [None], {'addr': '127.0.0.1'}, b'127.0.0.1', [[]], '127.1']
)
def test_a_lookup_that_gives_no_address_is_an_error_that_says_so(answer: Any) -> None:
    with pytest.raises(OptionsError, match=r"'lookup' returned .*, which is no IP address; let it return one as str"):
        request.get('http://api.example.test/', lookup=lambda host, options: answer).end()


def test_a_lookup_that_knows_no_address_is_a_name_that_there_is_not() -> None:
    with pytest.raises(NameNotFound) as caught:
        request.get('http://api.example.test/', lookup=lambda host, options: []).end()
    assert caught.value.code == 'ENOTFOUND'


@pytest.mark.parametrize(
    ('error', 'kind'),
    [
        (socket.gaierror(socket.EAI_NONAME, 'unknown'), NameNotFound),
        (socket.gaierror(socket.EAI_AGAIN, 'later'), NameTemporarilyUnknown),
    ],
)
def test_what_getaddrinfo_raises_in_a_lookup_is_what_it_is_elsewhere(error: Exception, kind: type[Exception]) -> None:
    def lookup(host: str, options: Any) -> Any:
        raise error

    with pytest.raises(kind):
        request.get('http://api.example.test/', lookup=lookup).end()


@pytest.mark.parametrize('error', [PermissionError('not there'), KeyError('x'), UnicodeError('y'), OSError(5, 'z')])
def test_what_else_a_lookup_raises_comes_through_as_it_is(error: Exception) -> None:
    pool = Pool(1)

    def lookup(host: str, options: Any) -> Any:
        raise error

    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            request.get('http://api.example.test/', lookup=lookup, pool=pool).end()
        assert caught.value is error
    assert set(pool.status().values()) == {(0, 0)}


def test_r8_a_lookup_decides_about_every_place_that_a_request_goes_to(server: HttpServer, http_server: Servers) -> None:
    """SECURITY R8: redirects and written addresses too, so that one function can guard a network."""
    inner = http_server(host='127.0.0.1')

    def public(host: str, options: Any) -> list[str]:
        found = ['127.0.0.1'] if host == 'public.example' else [host]
        if host != 'public.example' and ipaddress.ip_address(host).is_private:
            raise PermissionError(f'{host} is none of your business')
        return found

    api = request.defaults(lookup=public)
    server.answers = lambda seen: redirect(inner.url)
    with pytest.raises(PermissionError, match=r'127\.0\.0\.1 is none of your business'):
        api.get(f'http://public.example:{server.port}/').end()
    with pytest.raises(PermissionError):
        api.get('http://[::1]/').end()
    assert (len(server.requests), inner.connections) == (1, 0)


CLOCKS = [
    ({'deadline': 500}, DeadlineExceeded),
    ({'timeout': 500}, ConnectTimeout),
    ({'timeout': {'connect': 500}, 'deadline': 5000}, ConnectTimeout),
]


@contextlib.contextmanager
def sleeping(monkeypatch: pytest.MonkeyPatch, whose: str) -> Iterator[dict[str, Any]]:
    """The options of a request whose look-up does not return, the system's or the caller's."""
    awake = threading.Event()

    def lookup(host: str, *_: Any, **options: Any) -> Any:
        awake.wait(20)
        return '127.0.0.1'

    if whose == "the caller's":
        options = {'lookup': lookup}
    else:
        monkeypatch.setattr(socket, 'getaddrinfo', lookup)
        options = {}
    try:
        yield options
    finally:
        awake.set()


@pytest.mark.parametrize('whose', ["the caller's", "the system's"])
@pytest.mark.parametrize(('clocks', 'kind'), CLOCKS, ids=str)
def test_d2_a_look_up_that_does_not_return_is_over_when_a_clock_is(
    clocks: dict[str, Any], kind: type[Exception], whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SECURITY D1, D2."""
    pool = Pool(1)
    with sleeping(monkeypatch, whose) as options:
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(kind):
                request.get('http://h.example/', clocks, pool=pool, **options).end()
            assert 0.4 < time.monotonic() - began < 1.5
    assert set(pool.status().values()) == {(0, 0)}


@pytest.mark.parametrize('whose', ["the caller's", "the system's"])
def test_an_abort_ends_the_wait_for_a_look_up_at_once(whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with sleeping(monkeypatch, whose) as options:
        made = request.get('http://h.example/', **options)
        threading.Timer(0.3, made.abort).start()
        began = time.monotonic()
        with pytest.raises(AbortError):
            made.end()
        assert 0.2 < time.monotonic() - began < 1.3


def test_a_lookup_sees_the_context_variables_of_whoever_asked(server: HttpServer) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar('variable', default='nobody')
    seen: list[str] = []

    def lookup(host: str, options: Any) -> str:
        seen.append(variable.get())
        variable.set('lookup')
        return '127.0.0.1'

    variable.set('caller')
    assert request.get(f'http://h.example:{server.port}/', lookup=lookup).end().ok
    assert (seen, variable.get()) == (['caller'], 'caller')


def test_between_two_look_ups_there_is_no_thread_and_addresses_need_none(server: HttpServer) -> None:
    started: list[str] = []
    before = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        started.append(thread.name)
        before(thread)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, 'start', start)
        assert request.get(f'http://127.0.0.1:{server.port}/', pool=False).end().ok
        assert request.get(f'http://localhost:{server.port}/', pool=False).end().ok
        assert 'requite-lookup' not in started
        assert request.get(f'http://h.example:{server.port}/', lookup=of('127.0.0.1'), pool=False).end().ok
    assert 'requite-lookup' in started
    for _ in range(100):
        if 'requite-lookup' not in [thread.name for thread in threading.enumerate()]:
            break
        time.sleep(0.02)
    assert 'requite-lookup' not in [thread.name for thread in threading.enumerate()]


def test_more_look_ups_than_threads_wait_for_their_turn(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, 'MOST', 1)
    awake = threading.Event()

    def slow(host: str, options: Any) -> str:
        awake.wait(20)
        return '127.0.0.1'

    with pytest.raises(ConnectTimeout):
        request.get(f'http://h.example:{server.port}/', lookup=slow, timeout=200).end()
    with pytest.raises(ConnectTimeout):
        request.get(f'http://h.example:{server.port}/', lookup=of('127.0.0.1'), timeout=200).end()
    threading.Timer(0.2, awake.set).start()
    assert request.get(f'http://h.example:{server.port}/', lookup=of('127.0.0.1'), timeout=5000).end().ok


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork here')
def test_a_child_that_was_forked_during_a_look_up_looks_up_for_itself() -> None:
    """Even where every thread of the parent was busy."""
    program = (
        'import os, socket, threading, time, warnings\n'
        'from requite import request\n'
        'from requite.transport import names\n'
        'warnings.simplefilter("ignore")\n'
        'names.MOST = 1\n'
        'def slow(host, options): time.sleep(1); return []\n'
        'def ask(): \n'
        '    try: request.get("http://a.test/", lookup=slow).end()\n'
        '    except Exception: pass\n'
        'threading.Thread(target=ask).start()\n'
        'time.sleep(0.3)\n'
        'child = os.fork()\n'
        'if not child:\n'
        '    began = time.monotonic()\n'
        '    try: request.get("http://b.test/", lookup=lambda host, options: [], timeout=5000).end()\n'
        '    except Exception as error: os._exit(int(type(error).__name__ != "NameNotFound" or time.monotonic() - began > 0.5))\n'
        '    os._exit(2)\n'
        'raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n'
    )
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, '')


def test_the_interpreter_ends_without_waiting_for_a_look_up() -> None:
    program = (
        'import time\n'
        'from requite import request\n'
        'try: request.get("http://a.test/", lookup=lambda host, options: time.sleep(30), timeout=100).end()\n'
        'except TimeoutError: pass\n'
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, '')
    assert time.monotonic() - began < 10


def test_connections_that_were_found_by_different_lookups_are_not_shared(server: HttpServer) -> None:
    """SECURITY A6."""

    def one(host: str, options: Any) -> str:
        return '127.0.0.1'

    def other(host: str, options: Any) -> str:
        return '127.0.0.1'

    pool = Pool()
    for lookup in (one, other, one, None):
        request.get(server.url, lookup=lookup, pool=pool).end()
    assert server.connections == 3
    with pytest.raises(OptionsError, match='must be hashable: give a function'):
        request.get(server.url, lookup=Unhashable())


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self, host: str, options: Any) -> str:
        return '127.0.0.1'


# -- the race (RFC 8305)


@contextlib.contextmanager
def deaf(address: str = '127.0.0.2', port: int = 0) -> Iterator[int]:
    """A port that takes no connection and refuses none: its queue is full."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(0)
    waiting = []
    for _ in range(8):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    time.sleep(0.05)
    try:
        yield listener.getsockname()[1]
    finally:
        for sock in (*waiting, listener):
            sock.close()


def of(*addresses: str) -> Callable[[str, Any], list[str]]:
    return lambda host, options: list(addresses)


@linux
def test_an_address_that_does_not_answer_costs_a_quarter_of_a_second(server: HttpServer) -> None:
    with deaf(port=server.port):
        began = time.monotonic()
        made = request.get(f'http://h.example:{server.port}/', lookup=of('127.0.0.2', '127.0.0.1'), time=True)
        peers: list[Any] = []
        made.on('socket', lambda sock: peers.append((sock.getpeername()[0], sock.gettimeout() or 'blocks')))
        response = made.end()
        assert 0.2 < time.monotonic() - began < 0.9
    assert response.ok
    assert response.timings is not None
    assert 200 < response.timings['connect'] < 900
    assert peers == [('127.0.0.1', 'blocks')]
    assert threading.active_count() < 10


@linux
def test_addresses_that_refuse_cost_no_time_at_all(server: HttpServer) -> None:
    began = time.monotonic()
    refusing = [f'127.0.0.{number}' for number in range(2, 30)]
    request.get(f'http://h.example:{server.port}/', lookup=of('::1', *refusing, '127.0.0.1')).end()
    assert time.monotonic() - began < 1  # one after the other they would take seven seconds


@linux
def test_the_first_address_that_answers_wins_even_when_it_was_not_the_first_that_was_asked(server: HttpServer) -> None:
    with deaf(port=server.port), deaf('127.0.0.3', server.port):
        began = time.monotonic()
        places = of('127.0.0.2', '127.0.0.3', '127.0.0.1')
        assert request.get(f'http://h.example:{server.port}/', lookup=places).end().ok
        assert 0.4 < time.monotonic() - began < 1.5


@linux
def test_when_no_address_answers_the_last_refusal_is_the_error() -> None:
    port = closed_port()
    with pytest.raises(ConnectionRefused):
        request.get(f'http://h.example:{port}/', lookup=of('127.0.0.2', '127.0.0.3')).end()


@linux
@pytest.mark.parametrize(
    ('options', 'kind'), [({'timeout': 600}, ConnectTimeout), ({'deadline': 600}, DeadlineExceeded)]
)
def test_the_race_is_over_when_a_clock_is(options: dict[str, Any], kind: type[Exception]) -> None:
    """SECURITY D1, D2."""
    with deaf() as port, deaf('127.0.0.3', port):
        began = time.monotonic()
        with pytest.raises(kind):
            request.get(f'http://h.example:{port}/', options, lookup=of('127.0.0.2', '127.0.0.3')).end()
        assert 0.5 < time.monotonic() - began < 1.5


@linux
@pytest.mark.parametrize('after', [0.1, 0.4])
def test_an_abort_ends_the_race_at_once(after: float) -> None:
    with deaf() as port, deaf('127.0.0.3', port):
        made = request.get(f'http://h.example:{port}/', lookup=of('127.0.0.2', '127.0.0.3'), timeout=20000)
        threading.Timer(after, made.abort).start()
        began = time.monotonic()
        with pytest.raises(AbortError):
            made.end()
        assert after - 0.05 < time.monotonic() - began < after + 1


@linux
def test_the_race_leaves_no_descriptor_open(server: HttpServer) -> None:
    pool = Pool()
    with deaf(port=server.port):
        before = len(list(Path('/proc/self/fd').iterdir()))
        for _ in range(2):
            request.get(f'http://h.example:{server.port}/', lookup=of('127.0.0.2', '127.0.0.1'), pool=False).end()
        with pytest.raises(ConnectTimeout):
            request.get(
                f'http://h.example:{server.port}/', lookup=of('127.0.0.2', '127.0.0.2'), timeout=300, pool=pool
            ).end()
        time.sleep(0.1)
        # the server's ends of the two
        assert len(list(Path('/proc/self/fd').iterdir())) <= before + 2


# -- the socket itself


@pytest.mark.skipif(not hasattr(socket, 'TCP_KEEPIDLE'), reason='the option is called otherwise here')
def test_a_silent_peer_is_asked_whether_it_is_there(server: HttpServer) -> None:
    seen: list[Any] = []
    for options in ({}, {'agent_options': {'keepAliveMsecs': 5000}}, {'pool': Pool(keep_alive_msecs=10**9)}):
        made = request.get(server.url, options)
        made.on(
            'socket',
            lambda sock: seen.append(
                (
                    sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                    sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                    sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                )
            ),
        )
        made.end()
    assert seen == [(1, 60, 1), (1, 5, 1), (1, 32767, 1)]
