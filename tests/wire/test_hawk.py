"""Hawk over real connections: what is sent, to whom, and which answers are believed."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import io
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from requite import InvalidBody, MalformedResponse, OptionsError, UnknownOption, request
from requite.auth.hawk import Artifacts, signer
from tests.servers import Answer, HttpServer, RawServer, Seen, redirect, reply

Servers = Callable[..., HttpServer]
KEY = 's3cret-k3y'
CREDENTIALS = {'id': 'ann', 'key': KEY, 'algorithm': 'sha256'}
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def mac(text: str) -> str:
    return base64.b64encode(hmac.digest(KEY.encode(), text.encode(), 'sha256')).decode()


def said(seen: Seen) -> dict[str, str]:
    """The parameters of a request's Authorization."""
    return dict(PAIR.findall(seen.header('authorization') or ''))


def is_right(seen: Seen) -> bool:
    """Whether the MAC of a request is what the key makes of it, by our own arithmetic."""
    given = said(seen)
    host, _, port = (seen.header('host') or '').partition(':')
    lines = [given.get(name, '') for name in ('ts', 'nonce')]
    lines += [seen.method, seen.target, host, port or '80', given.get('hash', ''), given.get('ext', ''), '']
    return given.get('mac') == mac('hawk.1.header\n' + '\n'.join(lines))


def proof(seen: Seen, content: bytes | None = None, kind: str = '') -> str:
    """A Server-Authorization that proves the key, over this content where there is some."""
    given = said(seen)
    hash = None
    if content is not None:
        digest = hashlib.sha256(b'hawk.1.payload\n' + kind.encode() + b'\n' + content + b'\n').digest()
        hash = base64.b64encode(digest).decode()
    host, _, port = (seen.header('host') or '').partition(':')
    made = Artifacts(given['ts'], given['nonce'], seen.method, seen.target, host, port or '80', '', None, None)
    hawk = signer({'credentials': CREDENTIALS})
    text = f'Hawk mac="{hawk.credentials.mac(made.normalised("response", hash))}"'
    return text if hash is None else f'{text}, hash="{hash}"'


class Skewed:
    """Runs an hour ahead, and says so."""

    def __init__(self, ahead: int = 3600) -> None:
        self.ahead = ahead

    def __call__(self, seen: Seen) -> Answer:
        now = int(time.time()) + self.ahead
        if abs(int(said(seen)['ts']) - now) <= 60 and is_right(seen):
            return reply('in')
        tsm = mac(f'hawk.1.ts\n{now}\n')
        return Answer(401, {'www-authenticate': f'Hawk ts="{now}", tsm="{tsm}", error="Stale timestamp"'}, 'stale')


def ask(address: str, more: dict[str, Any] | None = None, **options: Any) -> Any:
    return request(address, hawk={'credentials': CREDENTIALS, **(more or {})}, **options).end()


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize('target', ['/', '/a;b?', '/a?b=1&a=2', '/%7e/../x?[1]'])
def test_what_is_signed_is_what_is_sent(server: HttpServer, target: str) -> None:
    ask(server.url + target, qs={'more': ['1', '2']})
    assert is_right(server.requests[0])


def test_the_method_of_the_same_name_signs_too(server: HttpServer) -> None:
    request.get(server.url).hawk({'credentials': CREDENTIALS}).end()
    assert is_right(server.requests[0])


def test_defaults_sign_every_request_anew(server: HttpServer) -> None:
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    for _ in range(3):
        client.get(server.url + '/same').end()
    assert all(is_right(one) for one in server.requests)
    assert len({said(one)['nonce'] for one in server.requests}) == 3


def test_a_redirect_within_the_origin_is_signed_anew(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new?x=1')
    ask(server.url + '/old')
    assert [is_right(one) for one in server.requests] == [True, True]
    assert len({said(one)['nonce'] for one in server.requests}) == 2


def test_r4_hawk_signs_for_no_origin_that_was_not_named_and_does_not_come_back(http_server: Servers) -> None:
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(other.url + '/')
    other.answers = lambda seen: redirect(first.url + '/back')
    ask(first.url + '/start')
    assert [one.header('authorization') is None for one in (*first.requests, *other.requests)] == [False, True, True]


def test_r4_a_skewed_clock_of_another_origin_is_not_answered(http_server: Servers) -> None:
    tsm = mac('hawk.1.ts\n5\n')
    other = http_server(lambda seen: Answer(401, {'www-authenticate': f'Hawk ts="5", tsm="{tsm}"'}))
    first = http_server(lambda seen: redirect(other.url))
    assert ask(first.url).status_code == 401
    assert [one.header('authorization') for one in other.requests] == [None]


def test_an_authorization_of_the_callers_own_wins(server: HttpServer) -> None:
    ask(server.url, {'verify': True}, headers={'AUTHORIZATION': 'mine'})
    assert server.requests[0].header('authorization') == 'mine'


# ---------------------------------------------------------------- errors at the call


@pytest.mark.parametrize(
    ('options', 'error'),
    [
        ({'hawk': {}}, OptionsError),
        ({'hawk': {'credentials': {**CREDENTIALS, 'algorithm': 'md5'}}}, OptionsError),
        ({'hawk': {'credentials': CREDENTIALS, 'extt': 'x'}}, UnknownOption),
        ({'hawk': {'credentials': CREDENTIALS}, 'auth': ('a', 'b')}, OptionsError),
        ({'hawk': {'credentials': CREDENTIALS, 'payload': True}, 'body': iter([b'x']), 'method': 'PUT'}, InvalidBody),
        ({'hawk': 'credentials'}, TypeError),
    ],
)
def test_wrong_keys_are_an_error_of_the_call_and_nothing_is_sent(
    server: HttpServer, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        request(server.url, options)
    assert server.requests == []
    assert KEY not in str(caught.value)


def test_hawk_of_the_call_goes_over_that_of_the_defaults_key_by_key(server: HttpServer) -> None:
    client = request.defaults(hawk={'credentials': CREDENTIALS, 'ext': 'outer'})
    client.get(server.url, hawk={'ext': 'inner'}).end()
    client.get(server.url, hawk=None).end()
    assert said(server.requests[0])['ext'] == 'inner'
    assert server.requests[1].header('authorization') is None


def test_the_key_is_nowhere_to_be_seen(server: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    made = request.get(server.url, hawk={'credentials': CREDENTIALS})
    response = made.end()
    shown = f'{made!r} {response!r} {made.to_json()} {response.to_json()} {response.request!r} {made._options!r}'
    assert KEY not in shown + caplog.text


# ---------------------------------------------------------------- the server's clock


def test_a_skewed_clock_costs_one_request_and_then_none(server: HttpServer) -> None:
    server.answers = Skewed()
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    assert [client.get(server.url).end().body for _ in range(3)] == ['in'] * 3
    assert len(server.requests) == 4


def test_threads_that_learn_the_time_together_agree(server: HttpServer) -> None:
    server.answers = Skewed(-7200)
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    bodies: list[Any] = []
    threads = [threading.Thread(target=lambda: bodies.append(client.get(server.url).end().body)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == ['in'] * 8
    assert client.get(server.url).end().redirects == ()


def test_two_servers_with_clocks_of_their_own_do_not_disturb_each_other(http_server: Servers) -> None:
    servers = [http_server(Skewed(3600)), http_server(Skewed(-3600))]
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    bodies = [client.get(server.url).end().body for _ in range(3) for server in servers]
    assert bodies == ['in'] * 6
    assert [len(server.requests) for server in servers] == [4, 4]


def test_content_is_sent_once_more_where_that_can_be(server: HttpServer) -> None:
    server.answers = Skewed()
    assert ask(server.url, {'payload': True}, method='POST', body='text').body == 'in'
    assert [one.body for one in server.requests] == [b'text', b'text']


def test_a_stream_is_not_sent_once_more_and_its_401_is_the_answer(server: HttpServer) -> None:
    server.answers = Skewed()
    client = request.defaults(hawk={'credentials': CREDENTIALS})
    assert client.post(server.url, body=iter([b'text'])).end().status_code == 401
    assert client.post(server.url, body=iter([b'text'])).end().status_code == 200


def test_a_server_that_always_says_stale_is_asked_twice(server: HttpServer) -> None:
    tsm = mac('hawk.1.ts\n5\n')
    server.answers = lambda seen: Answer(401, {'www-authenticate': f'Hawk ts="5", tsm="{tsm}"'})
    assert ask(server.url).status_code == 401
    assert len(server.requests) == 2


@pytest.mark.parametrize('challenge', ['Hawk ts="5", tsm="AAAA"', 'Hawk ts=5', 'Hawk', 'Hawk ts="5', ''])
def test_a_malformed_challenge_gives_the_401_and_leaves_the_pool_and_the_next_request_alone(
    server: HttpServer, challenge: str
) -> None:
    server.routes['/bad'] = Answer(401, {'www-authenticate': challenge} if challenge else {}, 'no')
    pool = request.Pool()
    client = request.defaults(hawk={'credentials': CREDENTIALS}, pool=pool)
    assert client.get(server.url + '/bad').end().body == 'no'
    assert client.get(server.url + '/good').end().status_code == 200
    assert abs(int(said(server.requests[-1])['ts']) - time.time()) < 10
    assert len(server.requests) == 2


# ---------------------------------------------------------------- the server's own proof


def proving(content: bytes, signed: bytes | None = None, **fields: str) -> Callable[[Seen], Answer]:
    """Answers this content with a proof over it, or over other content."""

    def answer(seen: Seen) -> Answer:
        kind = fields.get('content_type', '')
        headers = {name.replace('_', '-'): value for name, value in fields.items()}
        headers['server-authorization'] = proof(seen, content if signed is None else signed, kind)
        return Answer(200, headers, content)

    return answer


def test_a_proof_is_verified_and_so_is_the_content(server: HttpServer) -> None:
    server.answers = proving(b'{"a": 1}', content_type='application/json')
    response = ask(server.url, {'verify': True}, json=True)
    assert response.body == {'a': 1}
    server.answers = proving(gzip.compress(b'packed' * 1000), content_encoding='gzip')
    assert ask(server.url, {'verify': True}, gzip=True).body == 'packed' * 1000


def test_a_proof_is_verified_through_a_proxy_that_is_told_the_whole_address(server: HttpServer) -> None:
    prove = proving(b'hello', content_type='text/plain')
    server.answers = lambda seen: prove(seen._replace(target=seen.target.removeprefix('http://origin.test')))
    response = request.get(
        'http://origin.test/a?b=1', proxy=server.url, hawk={'credentials': CREDENTIALS, 'verify': True}
    ).end()
    assert response.body == 'hello'
    assert server.requests[0].target == 'http://origin.test/a?b=1'


@pytest.mark.parametrize('how', ['collect', 'iterate', 'gzip', 'callback', 'pipe'])
@pytest.mark.parametrize('framing', ['length', 'chunked', 'close'])
def test_content_that_was_changed_is_an_error_however_it_is_read(raw: Raw, how: str, framing: str) -> None:
    content = gzip.compress(b'x' * 300_000, 0) if how == 'gzip' else b'x' * 300_000
    address = raw(content, framing)
    options: dict[str, Any] = {'hawk': {'credentials': CREDENTIALS, 'verify': True}, 'gzip': how == 'gzip'}
    if how == 'callback':
        told: list[Any] = []
        request(address, lambda error, response, body: told.append((error, body)), **options)
        assert isinstance(told[0][0], MalformedResponse)
        assert told[0][1] is None
        return
    with pytest.raises(MalformedResponse, match='content is not what'):
        if how == 'iterate':
            for _ in request(address, options):
                pass
        elif how == 'pipe':
            request(address, options).pipe(io.BytesIO())
        else:
            request(address, options).end()


Raw = Callable[[bytes, str], str]


@pytest.fixture
def raw(raw_server: Callable[..., RawServer]) -> Raw:
    """A server that proves other content than it sends, framed in any way."""

    def start(content: bytes, framing: str) -> str:
        def handler(sock: Any, head: bytes) -> None:
            lines = head.decode('latin-1').split('\r\n')
            method, target, _ = lines[0].split(' ')
            pairs = [tuple(line.split(': ', 1)) for line in lines[1:] if line]
            seen = Seen(method, target, '1.1', pairs, b'')  # type: ignore[arg-type]
            packed = 'content-encoding: gzip\r\n' if content[:2] == b'\x1f\x8b' else ''
            frame = {
                'length': f'content-length: {len(content)}\r\n',
                'chunked': 'transfer-encoding: chunked\r\n',
                'close': 'connection: close\r\n',
            }[framing]
            text = f'HTTP/1.1 200 OK\r\n{frame}{packed}server-authorization: {proof(seen, b"other")}\r\n\r\n'
            body = b'%x\r\n%b\r\n0\r\n\r\n' % (len(content), content) if framing == 'chunked' else content
            sock.sendall(text.encode() + body)

        return raw_server(handler).url

    return start


def test_an_answer_without_proof_is_an_error_and_its_connection_given_up(http_server: Servers) -> None:
    server = http_server(lambda seen: Answer(200, {'set-cookie': 'planted=1'}, 'x' * 10))
    jar, pool = request.jar(), request.Pool()
    for _ in range(2):
        with pytest.raises(MalformedResponse, match='did not prove'):
            ask(server.url, {'verify': True}, jar=jar, pool=pool)
    assert jar.get_cookie_string(server.url) == ''


def test_a_redirect_without_proof_is_not_followed(http_server: Servers) -> None:
    other = http_server()
    first = http_server(lambda seen: redirect(other.url))
    with pytest.raises(MalformedResponse):
        ask(first.url, {'verify': True})
    assert other.requests == []


def test_a_redirect_that_is_proved_is_followed_and_the_stranger_need_not_prove_anything(http_server: Servers) -> None:
    other = http_server(lambda seen: reply('plain'))
    first = http_server(
        lambda seen: Answer(302, {'location': other.url, 'server-authorization': proof(seen)}, 'elsewhere')
    )
    assert ask(first.url, {'verify': True}).body == 'plain'
