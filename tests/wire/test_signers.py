"""The caller's own signers over real connections: order, origins, fields, errors, answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from requite import MalformedResponse, OptionsError, RequestError, request
from requite.auth.sessions import SESSIONS
from tests.servers import Answer, HttpServer, RawServer, closed_port, redirect, reply

Servers = Callable[..., HttpServer]
HAWK = {'credentials': {'id': 'i', 'key': 'k', 'algorithm': 'sha256'}}


class Sets:
    """Sets one field."""

    def __init__(self, name: str, value: Any = 'yes', field: str | None = None) -> None:
        self.name = name
        self.value = value
        if field is not None:
            self.field = field

    def sign(self, draft: Any, clock: Any) -> None:
        draft.set(self.name, self.value(draft, clock) if callable(self.value) else self.value)


def test_signers_run_in_their_order_after_those_in_the_box(server: HttpServer) -> None:
    seen: list[Any] = []
    one = Sets('x-one', lambda draft, clock: seen.append(draft.get('authorization')) or '1')
    two = Sets('x-two', lambda draft, clock: seen.append(draft.get('x-one')) or '2')
    request.get(server.url, signers=[one, two], hawk=HAWK).end()
    assert seen[0].startswith('Hawk ')
    assert seen[1] == '1'
    assert server.requests[0].header('x-two') == '2'


def test_a_signer_sees_what_is_sent(server: HttpServer) -> None:
    def look(draft: Any, clock: Any) -> str:
        content = b''.join(draft.body.chunks()).decode()
        parts = [draft.method, draft.target, draft.get('Content-Type'), draft.get('content-length'), content]
        return '|'.join([*parts, draft.get('x-missing') or '-', draft.uri.hostname])

    request.post(server.url + '/%7ea b;c?', form={'a': '1'}, signers=[Sets('x-seen', look)]).end()
    got = server.requests[0]
    kind = got.header('content-type')
    assert got.header('x-seen') == f'POST|{got.target}|{kind}|3|a=1|-|127.0.0.1'


def test_a_signer_has_a_clock(server: HttpServer) -> None:
    import time

    def told(draft: Any, clock: Any) -> str:
        return f'{clock.now():.0f} {clock.nonce(8)}'

    request.get(server.url, signers=[Sets('x-told', told)]).end()
    now, nonce = (server.requests[0].header('x-told') or '').split(' ')
    assert abs(int(now) - time.time()) < 10
    assert len(nonce) == 8
    assert int(nonce, 16) >= 0


def test_every_request_of_defaults_is_signed_anew(server: HttpServer) -> None:
    numbers = iter(range(10))
    client = request.defaults(signers=[Sets('x-n', lambda draft, clock: str(next(numbers)))])
    for _ in range(3):
        client.get(server.url + '/same').end()
    client.get(server.url + '/same', signers=None).end()
    assert [one.header('x-n') for one in server.requests] == ['0', '1', '2', None]
    request.get(server.url + '/same').end()
    assert server.requests[-1].header('x-n') is None


def test_a_field_of_the_callers_own_is_kept(server: HttpServer) -> None:
    signers = [Sets('x-seal', 'signed', field='x-seal')]
    request.get(server.url, signers=signers, headers={'X-Seal': 'mine'}).end()
    assert server.requests[0].header('x-seal') == 'mine'


IN_THE_BOX: dict[str, dict[str, Any]] = {
    'hawk': HAWK,
    'oauth': {'consumer_key': 'ck', 'consumer_secret': 's3cret'},
    'aws': {'key': 'AKID', 'secret': 's3cret'},
    'aws4': {'key': 'AKID', 'secret': 's3cret', 'sign_version': 4, 'service': 's', 'region': 'r'},
    'http_signature': {
        'keyId': 'k',
        'key': 's3cret',
        'algorithm': 'hmac-sha256',
        'headers': ['(request-target)', 'date'],
    },
}


def signed_with(name: str) -> dict[str, Any]:
    """The options that sign in this way."""
    return {name.removesuffix('4'): IN_THE_BOX[name]}


@pytest.mark.parametrize('name', IN_THE_BOX)
def test_every_signer_in_the_box_sets_authorization_anew_for_each_request(server: HttpServer, name: str) -> None:
    client = request.defaults(signed_with(name))
    for path in ('/one', '/two'):
        client.get(server.url + path).end()
    one, two = (seen.header('authorization') for seen in server.requests)
    assert one
    assert two
    assert one != two


@pytest.mark.parametrize('name', IN_THE_BOX)
@pytest.mark.parametrize('spelling', ['authorization', 'AUTHORIZATION'])
def test_an_authorization_of_the_callers_own_wins_over_any_signer(server: HttpServer, name: str, spelling: str) -> None:
    request.get(server.url, signed_with(name), headers={spelling: 'mine'}).end()
    assert server.requests[0].header('authorization') == 'mine'
    request.get(server.url, signed_with(name)).set_header(spelling, 'mine').end()
    assert server.requests[1].header('authorization') == 'mine'


def test_an_authorization_of_the_callers_own_wins_over_auth_too(server: HttpServer) -> None:
    challenge = {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth", Basic realm="r"'}
    server.answers = Answer(401, challenge, 'out')
    for auth in (('u', 'p'), {'bearer': 't'}, {'user': 'u', 'pass': 'p', 'sendImmediately': False}):
        assert request.get(server.url, auth=auth, headers={'authorization': 'mine'}).end().status_code == 401
    assert [seen.header('authorization') for seen in server.requests] == ['mine'] * 3


SECRET, SESSION = 's3cret-k3y-of-many-letters', 's3ssion-t0ken'
OAUTH = {'consumer_key': 'ck', 'consumer_secret': SECRET, 'token': SESSION, 'token_secret': SECRET}
AWS4 = {'key': 'AKID', 'secret': SECRET, 'session': SESSION, 'sign_version': 4, 'service': 's3', 'region': 'r'}
SIGNATURE = {'keyId': 'k', 'key': SECRET, 'algorithm': 'hmac-sha256'}
SHOWN: dict[str, dict[str, Any]] = {
    'basic': {'auth': ('ann', SECRET)},
    'bearer': {'auth': {'bearer': SESSION}},
    'hawk': {'hawk': {'credentials': {'id': 'i', 'key': SECRET, 'algorithm': 'sha256'}}},
    'oauth': {'oauth': OAUTH},
    'oauth in the query': {'oauth': {**OAUTH, 'transport_method': 'query'}},
    'aws': {'aws': {'key': 'AKID', 'secret': SECRET, 'session': SESSION}},
    'aws4': {'aws': AWS4},
    'aws4 in the query': {'aws': {**AWS4, 'sign_query': True}},
    'http_signature': {'http_signature': SIGNATURE},
    'http_signature elsewhere': {'http_signature': {**SIGNATURE, 'authorizationHeaderName': 'X-Proof'}},
    'http_message_signature': {
        'http_message_signature': {'key_id': 'k', 'key': SECRET, 'algorithm': 'hmac-sha256'},
    },
}
PROOF = re.compile(
    r'(?:mac|signature|Signature)="([^"]+)"|Signature=([0-9a-f]{64})|_signature="?([^",&]+)|sig1=:([^:]+):|AWS AKID:(\S+)'
)
"""What of a request proves who asks."""


def proofs(seen: Any) -> list[str]:
    """What proved a request as it arrived, in every spelling that it may be shown in."""
    text = '\n'.join([seen.target, *(f'{name}: {value}' for name, value in seen.headers)])
    found = [next(filter(None, groups)) for groups in PROOF.findall(text)]
    found += [seen.header('authorization').partition(' ')[2]] if seen.header('authorization') else []
    return found + [unquote(proof) for proof in found]


@pytest.mark.parametrize('name', SHOWN)
def test_q9_no_error_log_or_repr_shows_a_secret_or_a_proof(
    server: HttpServer, name: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(0)
    server.answers = reply('no', 404)
    log = tmp_path / 'log.har'
    made = request.get(server.url + '/p?x=1', SHOWN[name], har_log=log)
    response = made.end()
    with pytest.raises(RequestError) as caught:
        response.raise_for_status()
    request.get(closed_url(), SHOWN[name])  # let go, and nobody listens
    request.flush(5000)
    texts = {
        'repr': f'{made!r} {made._options!r} {response!r} {response.request!r} {made.hop!r} {made.uri!r}',
        'error': f'{caught.value!r} {caught.value} {caught.value.__dict__}',
        'curl': made.to_curl(),
        'log': caplog.text,
        'har': log.read_text(),
        'pickle': repr(response.__reduce_ex__(4)) if 'query' not in name else '',
    }
    proved = proofs(server.requests[0])
    assert proved
    assert 'failed and nobody listens' in caplog.text
    told = [(where, secret) for where, text in texts.items() for secret in (SECRET, SESSION, *proved) if secret in text]
    assert told == []


@pytest.mark.parametrize('name', SHOWN)
def test_to_json_shows_what_was_sent_and_never_the_key_it_was_made_with(server: HttpServer, name: str) -> None:
    made = request.get(server.url + '/p?x=1', SHOWN[name])
    response = made.end()
    sent = server.requests[0]
    for told in (made.to_json(), response.to_json()['request']):
        assert SECRET not in json.dumps(told)
        assert told['uri']['path'] == sent.target
        assert told['headers'].get('authorization', told['headers'].get('Authorization')) == sent.header(
            'authorization'
        )


def closed_url() -> str:
    return f'http://127.0.0.1:{closed_port()}/p?x=1'


# ---------------------------------------------------------------- origins


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
@pytest.mark.parametrize('name', IN_THE_BOX)
def test_r4_no_signer_in_the_box_signs_for_an_origin_that_was_not_named(
    http_server: Servers, name: str, status: int
) -> None:
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(other.url + '/', status)
    other.answers = lambda seen: redirect(first.url + '/back', status)
    request.get(first.url + '/start', signed_with(name)).end()
    before, after = first.requests
    assert before.header('authorization') is not None
    assert [after.header('authorization'), other.requests[0].header('authorization')] == [None, None]
    added = {field.lower() for field in before.names} - {'authorization', 'host', 'user-agent', 'referer'}
    assert [field for field in added if after.header(field) or other.requests[0].header(field)] == []


def test_r4_the_callers_signers_sign_for_no_origin_that_was_not_named(http_server: Servers) -> None:
    other, first = http_server(), http_server()
    first.routes['/start'] = redirect(other.url + '/')
    other.answers = lambda seen: redirect(first.url + '/back')
    asked: list[Any] = []

    class Asked(Sets):
        def answer(self, hop: Any, got: Any) -> None:
            asked.append((hop.target, got.status))

    request.get(first.url + '/start', signers=[Asked('x-seal')]).end()
    assert [one.header('x-seal') for one in first.requests] == ['yes', None]
    assert other.requests[0].header('x-seal') is None
    assert asked == [('/start', 302)]


def test_a_redirect_within_the_origin_is_signed_anew(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    request.get(server.url + '/old', signers=[Sets('x-for', lambda draft, clock: draft.target)]).end()
    assert [one.header('x-for') for one in server.requests] == ['/old', '/new']


# ---------------------------------------------------------------- what may be set


@pytest.mark.parametrize('value', ['a\r\nx-smuggled: 1', 'a\nb', 'a\rb', 'a\0b', '\u20ac'])
def test_q1_a_line_break_that_a_signer_sets_is_refused_before_a_byte_is_sent(server: HttpServer, value: str) -> None:
    with pytest.raises(OptionsError, match='x-seal'):
        request.get(server.url, signers=[Sets('x-seal', value)]).end()
    assert server.requests == []


@pytest.mark.parametrize('name', ['x seal', 'x\r\ny', '', 'x:y'])
def test_q1_a_name_that_is_no_token_is_refused(server: HttpServer, name: str) -> None:
    with pytest.raises(OptionsError):
        request.get(server.url, signers=[Sets(name)]).end()
    assert server.requests == []


@pytest.mark.parametrize('value', [None, {}, object()])
def test_a_value_of_another_type_is_refused(server: HttpServer, value: Any) -> None:
    with pytest.raises(TypeError, match='x-seal'):
        request.get(server.url, signers=[Sets('x-seal', value)]).end()
    assert server.requests == []


@pytest.mark.parametrize(('value', 'wire'), [(5, '5'), (b'x', 'x'), (['a', 'b'], 'a, b')])
def test_a_value_may_be_what_it_may_be_in_the_option_headers(server: HttpServer, value: Any, wire: str) -> None:
    request.get(server.url, signers=[Sets('x-seal', value)]).end()
    assert server.requests[0].header('x-seal') == wire


@pytest.mark.parametrize(('name', 'value'), [('content-length', '1'), ('Transfer-Encoding', 'chunked')])
def test_a_signer_cannot_change_where_the_message_ends(server: HttpServer, name: str, value: str) -> None:
    with pytest.raises(OptionsError, match='frames'):
        request.post(server.url, body='text', signers=[Sets(name, value)]).end()
    assert server.requests == []


def test_what_a_signer_raises_comes_out_as_it_was_raised(server: HttpServer) -> None:
    class Fails:
        def sign(self, draft: Any, clock: Any) -> None:
            raise KeyError('mine')

    made = request.get(server.url, signers=[Fails()])
    with pytest.raises(KeyError, match='mine'):
        made.end()
    assert server.requests == []


def test_settle_is_called_with_the_request_and_may_refuse_it(server: HttpServer) -> None:
    class Strict(Sets):
        def settle(self, options: Any, body: Any) -> None:
            if body is None:
                raise OptionsError('something to sign, please')

    with pytest.raises(OptionsError, match='something to sign'):
        request.get(server.url, signers=[Strict('x-seal')])
    request.post(server.url, body='x', signers=[Strict('x-seal')]).end()
    assert len(server.requests) == 1


# ---------------------------------------------------------------- answers


class Salted:
    """Signs with the salt that a 401 tells it."""

    def __init__(self, salt: str = 'none') -> None:
        self.salt = salt

    def sign(self, draft: Any, clock: Any) -> None:
        draft.set('x-salted', self.salt)

    def answer(self, hop: Any, got: Any) -> Any:
        return Salted(got.headers['x-salt']) if got.status == 401 else None


def test_an_answer_signs_the_request_once_more(server: HttpServer) -> None:
    server.answers = lambda one: (
        reply('in') if one.header('x-salted') == 'sea' else Answer(401, {'x-salt': 'sea'}, 'out')
    )
    response = request.put(server.url, body='text', signers=[Salted(), Sets('x-more')]).end()
    assert (response.body, [entry.status_code for entry in response.redirects]) == ('in', [401])
    assert [(one.header('x-salted'), one.header('x-more'), one.body) for one in server.requests] == [
        ('none', 'yes', b'text'),
        ('sea', 'yes', b'text'),
    ]


@pytest.mark.parametrize('order', ['salt first', 'digest first'])
def test_a_signers_answer_and_a_digest_do_not_shut_each_other_out(server: HttpServer, order: str) -> None:
    SESSIONS.clear()
    salt = Answer(401, {'x-salt': 'sea'}, 'out')
    challenge = Answer(401, {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth"'}, 'out')

    class Asked(Salted):
        def answer(self, hop: Any, got: Any) -> Any:
            return Asked(got.headers['x-salt']) if 'x-salt' in got.headers else None

    def guard(seen: Any) -> Answer:
        wanted = [
            (seen.header('x-salted') == 'sea', salt),
            ((seen.header('authorization') or '')[:6] == 'Digest', challenge),
        ]
        for met, refusal in wanted if order == 'salt first' else reversed(wanted):
            if not met:
                return refusal
        return reply('in')

    server.answers = guard
    auth = {'user': 'ann', 'pass': 'x', 'digest': True}
    assert request.get(server.url, auth=auth, signers=[Asked()]).end().body == 'in'
    counts = [re.findall('nc=(\\w+)', seen.header('authorization') or '') for seen in server.requests]
    assert len(server.requests) == 3
    used = [count for found in counts for count in found]
    assert len(set(used)) == len(used), 'a nonce was counted twice'


def test_a_server_that_always_says_no_is_asked_twice(server: HttpServer) -> None:
    server.answers = Answer(401, {'x-salt': 'sea'}, 'out')
    assert request.get(server.url, signers=[Salted()]).end().body == 'out'
    assert len(server.requests) == 2


def test_a_reply_that_a_signer_does_not_believe_is_an_error_and_its_connection_given_up(server: HttpServer) -> None:
    class Doubts(Sets):
        def answer(self, hop: Any, got: Any) -> None:
            raise MalformedResponse('no seal on it')

    pool = request.Pool()
    made = request.get(server.url, signers=[Doubts('x-seal')], pool=pool)
    with pytest.raises(MalformedResponse, match='no seal'):
        made.end()
    assert request.get(server.url, pool=pool).end().status_code == 200


def test_a_reply_may_be_replaced_by_one_that_watches_its_content(server: HttpServer) -> None:
    class Watched:
        def __init__(self, inner: Any, told: list[bytes]) -> None:
            self._inner = inner
            self._told = told

        def collect(self, limit: int | None = None) -> bytes:
            data: bytes = self._inner.collect(limit)
            self._told.append(data)
            return data

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    told: list[bytes] = []

    class Watches(Sets):
        def answer(self, hop: Any, got: Any) -> Any:
            return Watched(got, told)

    server.answers = lambda seen: reply('content')
    assert request.get(server.url, signers=[Watches('x-seal')]).end().body == 'content'
    assert told == [b'content']


def test_no_error_of_a_signed_request_tells_the_key() -> None:
    with pytest.raises(RequestError) as caught:
        request.get('http://127.0.0.1:1/', hawk={**HAWK, 'credentials': {**HAWK['credentials'], 'key': 's3cret'}}).end()
    assert 's3cret' not in f'{caught.value!r} {caught.value.__dict__}'


# ---------------------------------------------------------------- once more on another connection


def one_reply_each(raw_server: Callable[..., RawServer], first: bytes = b'') -> RawServer:
    """A server that answers a connection's requests but the last of the first connection, which it hears and hangs up on."""
    count = 2 if first else 1

    def answer(sock: Any, head: bytes) -> bool:
        if server.connections == 1 and len(server.heads) > count:
            return False
        asked = first and b'authorization' not in head.lower()
        sock.sendall(first if asked else b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
        return True

    server: RawServer = raw_server(answer)
    return server


@pytest.mark.parametrize('more', [{}, {'time': True}, {'har': True}, {'retry': 1}], ids=str)
@pytest.mark.parametrize('name', ['oauth', 'oauth in the query', 'hawk'])
def test_q7_what_is_sent_once_more_on_another_connection_is_signed_anew(
    raw_server: Callable[..., RawServer], name: str, more: dict[str, Any], tmp_path: Path
) -> None:
    server = one_reply_each(raw_server)
    if 'har' in more:
        more = {'har_log': tmp_path / 'log.har'}
    get = request.defaults(SHOWN[name], pool=request.Pool(), **more).get
    assert [get(server.url).end().body for _ in range(2)] == ['ok'] * 2
    nonces = [re.findall(rb'nonce="?([^",& ]+)', head)[0] for head in server.heads]
    assert len(nonces) == 3
    assert len(set(nonces)) == 3


def test_q7_a_digest_that_is_sent_once_more_on_another_connection_is_counted_on(
    raw_server: Callable[..., RawServer],
) -> None:
    SESSIONS.clear()
    challenge = (
        b'HTTP/1.1 401 No\r\nwww-authenticate: Digest realm="r", nonce="n", qop="auth"\r\ncontent-length: 0\r\n\r\n'
    )
    server = one_reply_each(raw_server, challenge)
    get = request.defaults(auth={'user': 'ann', 'pass': 'x', 'digest': True}, pool=request.Pool()).get
    assert [get(server.url).end().body for _ in range(2)] == ['ok'] * 2
    assert [re.findall(rb'nc=(\w+)', head) for head in server.heads] == [
        [],
        [b'00000001'],
        [b'00000002'],
        [b'00000003'],
    ]


def test_an_abort_while_it_is_signed_anew_leaves_the_place_in_the_pool(raw_server: Callable[..., RawServer]) -> None:
    server = one_reply_each(raw_server)

    class Tires(Sets):
        made = 0

        def sign(self, draft: Any, clock: Any) -> None:
            self.made += 1
            if self.made == 3:
                raise ValueError('tired')

    pool = request.Pool(max_sockets=1)
    get = request.defaults(signers=[Tires('x-seal')], pool=pool).get
    assert get(server.url).end().body == 'ok'
    with pytest.raises(ValueError, match='tired'):
        get(server.url).end()
    assert request.get(server.url, pool=pool, timeout=5000).end().body == 'ok'


def test_credentials_of_defaults_do_not_change_when_the_callers_do(server: HttpServer) -> None:
    credentials = {'id': 'i', 'key': 'k', 'algorithm': 'sha256'}
    headers = ['date']
    hawk = request.defaults(hawk={'credentials': credentials}).get
    signature = request.defaults(http_signature={**SIGNATURE, 'headers': headers}).get
    credentials['id'] = 'other'
    headers.append('x-none')
    hawk(server.url).end()
    signature(server.url).end()
    assert 'id="i"' in (server.requests[0].header('authorization') or '')
    assert 'headers="date"' in (server.requests[1].header('authorization') or '')


def test_every_way_of_signing_has_a_method_of_its_name(server: HttpServer) -> None:
    given = {'key_id': 'k', 'key': SECRET, 'algorithm': 'hmac-sha256'}
    request.get(server.url).http_message_signature(given).end()
    request.get(server.url).httpMessageSignature(given).end()
    assert all((seen.header('signature') or '').startswith('sig1=:') for seen in server.requests)
