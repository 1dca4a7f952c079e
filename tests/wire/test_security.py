"""Security properties that only whole exchanges show, on real sockets; docs/explanation/security.md lists them with their tests."""

from __future__ import annotations

import gzip
import itertools
import logging
import pickle
import random
import socket
import time
import traceback
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from requite import (
    BodyTooLarge,
    CertificateError,
    InvalidProtocol,
    InvalidURI,
    MalformedResponse,
    OptionsError,
    RedirectRefused,
    RequestError,
    TooManyRedirects,
    request,
)
from tests.servers import Answer, Authority, HttpServer, RawServer, Seen, closed_port, redirect, reply

Starts = Callable[..., HttpServer]
StartsRaw = Callable[..., RawServer]

REDIRECTS = [301, 302, 303, 307, 308]
SECRETS = {'Authorization': 'Basic c2VjcmV0', 'Cookie': 'id=secret', 'Proxy-Authorization': 'Basic c2VjcmV0'}
SHOWN = 2  # of these: Proxy-Authorization is for a proxy, and there is none on the way


def secrets_in(one: Seen) -> list[str]:
    """The names of the fields that no other origin may see."""
    return [name for name in one.names if name.lower() in ('authorization', 'cookie', 'proxy-authorization')]


def leads_to(url: str, status: int = 302) -> Callable[[Seen], Answer]:
    """Sends every request there."""
    return lambda one: redirect(url, status)


# ---------------------------------------------------------------- credentials and redirects


@pytest.mark.parametrize('status', REDIRECTS)
def test_r1_nothing_secret_goes_to_another_port(http_server: Starts, status: int) -> None:
    other = http_server()
    first = http_server(leads_to(other.url + '/', status))
    request.get(first.url, headers=SECRETS).end()
    assert (len(secrets_in(first.requests[0])), secrets_in(other.requests[0])) == (SHOWN, [])


@pytest.mark.parametrize('status', REDIRECTS)
def test_r1_nothing_secret_goes_to_another_host(http_server: Starts, status: int) -> None:
    other = http_server()
    first = http_server(leads_to(f'http://localhost:{other.port}/', status))
    request.post(first.url, body='x', headers=SECRETS, auth=('user', 'secret'), follow_all_redirects=True).end()
    assert secrets_in(other.requests[0]) == []


@pytest.mark.parametrize('status', REDIRECTS)
@pytest.mark.parametrize('down', [True, False])
def test_r1_nothing_secret_goes_to_another_scheme(
    http_server: Starts, tls_server: HttpServer, authority: Authority, status: int, down: bool
) -> None:
    plain = http_server()
    first, other = (tls_server, plain) if down else (plain, tls_server)
    first.answers = leads_to(other.url + '/', status)
    request.get(first.url, headers=SECRETS, auth=('user', 'secret'), ca=authority.path).end()
    assert (len(secrets_in(first.requests[0])), secrets_in(other.requests[0])) == (SHOWN, [])


def test_r2_every_occurrence_in_every_spelling_is_dropped(http_server: Starts) -> None:
    other = http_server()
    first = http_server(leads_to(other.url))
    pairs = [('COOKIE', 'a=1'), ('x-mine', '1'), ('cookie', 'b=2'), ('authorization', 'one'), ('AUTHORIZATION', 'two')]
    request.get(first.url, headers=pairs).end()
    assert len(secrets_in(first.requests[0])) == 4
    assert (secrets_in(other.requests[0]), other.requests[0].header('x-mine')) == ([], '1')


@pytest.mark.parametrize('how', ['auth', 'userinfo', 'header', 'bearer'])
def test_r3_what_was_dropped_once_does_not_come_back(http_server: Starts, how: str) -> None:
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(other.url + '/')
    other.answers = leads_to(first.url + '/back')
    address = f'http://user:secret@{first.authority}/start' if how == 'userinfo' else first.url + '/start'
    forms: dict[str, dict[str, Any]] = {
        'auth': {'auth': ('user', 'secret')},
        'userinfo': {},
        'header': {'headers': SECRETS},
        'bearer': {'auth': {'bearer': lambda: 'secret'}},
    }
    request.get(address, forms[how]).end()
    assert [one.path for one in first.requests] == ['/start', '/back']
    assert secrets_in(first.requests[0]) != []
    assert (secrets_in(other.requests[0]), secrets_in(first.requests[1])) == ([], [])


def test_r3_userinfo_that_a_foreign_redirect_brings_is_not_used(http_server: Starts) -> None:
    other = http_server()
    first = http_server(leads_to(f'http://planted:secret@{other.authority}/'))
    request.get(first.url).end()
    assert secrets_in(other.requests[0]) == []


@pytest.mark.parametrize(
    'auth', [{'user': 'u', 'pass': 'p', 'sendImmediately': False}, {'bearer': 't', 'sendImmediately': False}]
)
@pytest.mark.parametrize('challenge', ['Basic realm="x"', 'Bearer', 'Digest realm="x", nonce="n", qop="auth"'])
def test_r4_the_challenge_of_another_origin_is_not_answered(http_server: Starts, auth: Any, challenge: str) -> None:
    other = http_server(lambda one: Answer(401, {'www-authenticate': challenge}))
    first = http_server(leads_to(other.url))
    assert request.get(first.url, auth=auth).end().status_code == 401
    assert (len(other.requests), secrets_in(other.requests[0])) == (1, [])


def test_r5_referer_holds_no_userinfo_and_is_not_sent_in_the_clear(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    plain = http_server()
    plain.routes['/old'] = redirect('/new')
    request.get(f'http://user:secret@{plain.authority}/old?q=1#part').end()
    assert plain.requests[1].header('referer') == plain.url + '/old?q=1'
    tls_server.answers = leads_to(plain.url + '/clear')
    request.get(tls_server.url + '/private', ca=authority.path).end()
    assert plain.requests[2].header('referer') is None


@pytest.mark.parametrize(
    'target',
    [
        'file:///etc/passwd',
        'ftp://127.0.0.1/',
        'data:,x',
        'javascript:alert(1)',
        'gopher://127.0.0.1/',
        'ws://127.0.0.1/',
    ],
)
def test_r6_a_redirect_reaches_http_and_https_only(server: HttpServer, target: str) -> None:
    server.routes['/old'] = redirect(target)
    with pytest.raises((InvalidURI, InvalidProtocol)):
        request.get(server.url + '/old').end()
    assert len(server.requests) == 1


def test_r7_a_redirect_reaches_no_unix_socket(server: HttpServer, tmp_path: Any) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / 's'))
        listener.listen(1)
        listener.settimeout(0.2)
        server.routes['/old'] = redirect(f'http://unix:{tmp_path}/s:/secret')
        with pytest.raises(RequestError):
            request.get(server.url + '/old').end()
        with pytest.raises(TimeoutError):
            listener.accept()


def test_r8_the_pool_of_the_caller_serves_every_hop_whatever_the_scheme(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    """CVE-2023-28155. A pool that keeps nothing alive shows whose connections were used."""
    first = http_server(leads_to(tls_server.url))
    for _ in range(2):
        request.get(first.url, pool=request.Pool(keep_alive=False), ca=authority.path).end()
    assert (first.connections, tls_server.connections) == (2, 2)


def test_r8_follow_redirect_sees_every_redirect_and_may_forbid_it(
    http_server: Starts, tls_server: HttpServer, authority: Authority
) -> None:
    plain = http_server()
    tls_server.routes['/old'] = redirect('/down')
    tls_server.routes['/down'] = redirect(plain.url)

    def securely(response: Any) -> bool:
        return not str(response.headers['location']).startswith('http:')

    response = request.get(tls_server.url + '/old', follow_redirect=securely, ca=authority.path).end()
    assert (response.status_code, response.request.uri.path, plain.requests) == (302, '/down', [])


@pytest.mark.parametrize('growing', [True, False])
def test_r9_redirects_are_bounded_also_by_defaults(server: HttpServer, growing: bool) -> None:
    numbers = itertools.count()
    server.answers = lambda one: redirect(f'/{next(numbers) if growing else ""}')
    with pytest.raises(TooManyRedirects):
        request.get(server.url).end()
    assert len(server.requests) == 11
    with pytest.raises(TooManyRedirects):
        request.defaults(max_redirects=3).get(server.url).end()
    assert len(server.requests) == 15


def test_r9_a_loop_through_401_ends(server: HttpServer) -> None:
    def turn(one: Seen) -> Answer:
        if len(server.requests) % 2:
            return Answer(401, {'www-authenticate': 'Basic realm="x"'})
        return redirect('/again')

    server.answers = turn
    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    try:
        status = request.get(server.url, auth=auth).end().status_code
    except TooManyRedirects:
        status = 0
    assert status in (0, 401)
    assert len(server.requests) < 30


@pytest.mark.parametrize(
    ('location', 'target'),
    [('/a b', '/a%20b'), ('/a%0d%0ab', '/a%0d%0ab'), ('/caf\u00e9', '/caf%C3%A9'), ('/a#part', '/a'), ('a/../b', '/b')],
)
def test_r10_a_location_is_written_as_rfc_3986_says(server: HttpServer, location: str, target: str) -> None:
    server.routes['/old'] = f'HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n'.encode()
    request.get(server.url + '/old').end()
    assert server.requests[1].target == target


@pytest.mark.parametrize('bad', ['/a\rb', '/a\x00b', '/a\x0bb'])
def test_r10_control_characters_in_a_location_are_refused(server: HttpServer, bad: str) -> None:
    server.routes['/old'] = f'HTTP/1.1 302 Found\r\nlocation: {bad}\r\ncontent-length: 0\r\n\r\n'.encode('latin-1')
    with pytest.raises((MalformedResponse, InvalidURI)):
        request.get(server.url + '/old').end()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    'location', ['http://[::1/', 'http://127.0.0.1:99999/', 'http:///path', 'http://127.1/', 'http://a\\@127.0.0.1/']
)
def test_r11_a_location_that_does_not_parse_is_an_error(server: HttpServer, location: str) -> None:
    server.routes['/old'] = redirect(location)
    with pytest.raises(InvalidURI):
        request.get(server.url + '/old').end()
    assert len(server.requests) == 1


@pytest.mark.parametrize('status', [302, 401])
def test_r12_the_body_of_a_redirect_or_401_is_neither_decoded_nor_read_without_bound(
    raw_server: StartsRaw, status: int
) -> None:
    sent = 0

    def handler(sock: Any, head: bytes) -> bool:
        nonlocal sent
        if b'GET /new' in head or b'authorization' in head:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
            return True
        sock.sendall(
            b'HTTP/1.1 %d X\r\nlocation: /new\r\nwww-authenticate: Basic\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n'
            % status
        )
        for _ in range(2000):
            sock.sendall(b'10000\r\n' + b'x' * 65536 + b'\r\n')
            sent += 65536
        return False

    server = raw_server(handler)
    auth = {'user': 'u', 'pass': 'p', 'sendImmediately': False}
    assert request.get(server.url + '/old', auth=auth, gzip=True).end().body == 'ok'
    assert sent < 2000 * 65536


@pytest.mark.parametrize('status', [301, 302, 303])
def test_r13_a_redirect_to_get_drops_the_content_and_what_describes_it(server: HttpServer, status: int) -> None:
    server.routes['/old'] = redirect('/new', status)
    described = dict.fromkeys(('content-type', 'content-encoding', 'content-language', 'digest'), 'gzip')
    request.post(
        server.url + '/old', body='data', headers={**described, 'x-mine': '1'}, follow_all_redirects=True
    ).end()
    last = server.requests[1]
    assert (last.method, last.body, last.header('x-mine')) == ('GET', b'', '1')
    assert [name for name in last.names if name.startswith(('content-', 'transfer-', 'digest'))] == []


@pytest.mark.parametrize('status', [307, 308])
def test_r14_content_is_sent_again_whole_or_not_at_all(server: HttpServer, status: int) -> None:
    server.routes['/old'] = redirect('/new', status)
    request.post(server.url + '/old', body=['in ', 'parts'], follow_all_redirects=True).end()
    assert [one.body for one in server.requests] == [b'in parts', b'in parts']
    with pytest.raises(RedirectRefused):
        request.post(server.url + '/old', body=(piece for piece in (b'a', b'b')), follow_all_redirects=True).end()
    assert [one.body for one in server.requests[2:]] == [b'ab']


@pytest.mark.parametrize('escape', ['http://other.test/', '//other.test/', 'HTTP://other.test/', 'https://other.test'])
def test_r15_a_base_url_cannot_be_escaped(server: HttpServer, escape: str) -> None:
    with pytest.raises(OptionsError):
        request.defaults(base_url=server.url + '/api').get(escape)


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize('body', [5, 0, True, {'a': 1}, object(), 1.5, {1, 2}])
def test_q5_no_repr_and_no_memory_is_sent(server: HttpServer, body: Any) -> None:
    with pytest.raises(TypeError):
        request.post(server.url, body=body)
    with pytest.raises(TypeError):
        request.post(server.url, body=[b'ok', body])
    with pytest.raises(TypeError):
        request.post(server.url, body=iter([b'ok', body]), timeout=2000).end()


def test_q9_no_secret_in_errors_logs_reprs_and_history(server: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    server.routes['/old'] = redirect(f'http://127.0.0.1:{closed_port()}/')
    server.routes['/missing'] = reply('', 404)
    address = f'http://user:secret@{server.authority}'
    options: Any = {'headers': {'Cookie': 'secret', 'X-Authorization': 'a'}, 'auth': ('user', 'secret')}
    told = []
    with caplog.at_level(logging.DEBUG):
        for path in ('/old', '/missing'):
            call = request.get(address + path, options)
            try:
                call.end().raise_for_status()
            except RequestError as error:
                told += [
                    str(error),
                    repr(error),
                    ''.join(traceback.format_exception_only(type(error), error)),
                    str(error.__dict__),
                ]
                told.append(str(pickle.dumps(error)))
            told.append(repr(call))
        request.get(f'http://user:secret@127.0.0.1:{closed_port()}/')
        assert request.flush(10_000)
    response = request.get(address + '/', options).end()
    told += [repr(response), repr(response.request), str(response.redirects), caplog.text]
    assert 'nobody listens' in caplog.text
    assert [text for text in told if 'secret' in text or 'c2VjcmV0' in text] == []


# ---------------------------------------------------------------- answers


def test_b1_a_bomb_stops_at_max_body(server: HttpServer) -> None:
    server.routes['/'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(bytes(64_000_000)))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        request.get(server.url, gzip=True, max_body=100_000).end()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_b1_a_piece_of_a_bomb_is_as_large_as_was_asked_for(server: HttpServer) -> None:
    server.routes['/'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(bytes(64_000_000)))
    with request.get(server.url, gzip=True) as response:
        assert len(response.read(1000)) == 1000
        assert max(len(piece) for piece in itertools.islice(response, 20)) <= 262144


def test_p2_whatever_a_server_says_every_failure_is_a_request_error(raw_server: StartsRaw) -> None:
    """Random damage to a good answer: an answer or a `RequestError`, soon, and nothing else."""
    body = gzip.compress(b'{"a": [1, 2, 3]}' * 50)
    good = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n'
    good += b'%x\r\n%b\r\n0\r\n\r\n' % (len(body), body)
    chance = random.Random(2616)

    def damaged() -> bytes:
        wire = bytearray(good)
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(len(wire))
            wire[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        return bytes(wire)

    server = raw_server(lambda sock, head: sock.sendall(damaged()))
    outcomes = set()
    for _ in range(150):
        try:
            response = request.get(
                server.url,
                gzip=True,
                json=True,
                timeout=2000,
                deadline=4000,
                max_body=10_000_000,
                follow_redirect=False,
            ).end()
            outcomes.add(str(response.status_code)[0])
        except RequestError as error:
            outcomes.add(type(error).__name__)
    assert len(outcomes) > 2


def test_p3_what_an_answer_holds_is_written_into_nothing_shared(server: HttpServer) -> None:
    server.routes['/'] = reply('{"__class__": {"a": 1}, "__proto__": {"b": 2}, "headers": {"c": "3"}}')
    value = request.get(server.url, json=True).end().body
    value['more'] = 1
    assert request.get(server.url, json=True).end().body == {
        '__class__': {'a': 1},
        '__proto__': {'b': 2},
        'headers': {'c': '3'},
    }
    server.routes['/'] = reply('[' * 100_000)
    assert request.get(server.url, json=True).end().body == '[' * 100_000


# ---------------------------------------------------------------- TLS, time, environment


def test_t1_and_t2_what_one_request_accepts_no_other_one_inherits(tls_server: HttpServer, authority: Authority) -> None:
    pool: dict[str, Any] = {}
    assert request.get(tls_server.url, strict_ssl=False, pool=pool).end().status_code == 200
    with pytest.raises(CertificateError):
        request.get(tls_server.url, pool=pool).end()
    assert request.get(tls_server.url, ca=authority.path, pool=pool).end().status_code == 200
    with pytest.raises(CertificateError):
        request.get(tls_server.url, pool=pool).end()


def test_d2_the_deadline_covers_all_redirects_together(server: HttpServer) -> None:
    def slowly(one: Seen) -> Answer:
        time.sleep(0.15)
        return redirect('/again')

    server.answers = slowly
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        request.get(server.url, deadline=400, max_redirects=100).end()
    assert time.monotonic() - began < 2


def test_a5_no_netrc_is_read(server: HttpServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / '.netrc').write_text(
        'machine 127.0.0.1 login user password secret\ndefault login user password secret\n'
    )
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('NETRC', str(tmp_path / '.netrc'))
    request.get(server.url).end()
    assert secrets_in(server.requests[0]) == []


def test_q3_a_content_length_that_is_right_is_sent_once(server: HttpServer) -> None:
    """SECURITY Q3: what the caller states is checked, and stands alone."""
    request.post(server.url, body=b'abc', headers={'Content-Length': '3'}).end()
    request.post(server.url, body=iter([b'ab', b'c']), headers={'Content-Length': '3'}).end()
    for seen in server.requests:
        assert [value for name, value in seen.headers if name.lower() == 'content-length'] == ['3']
        assert seen.header('transfer-encoding') is None
        assert seen.body == b'abc'
