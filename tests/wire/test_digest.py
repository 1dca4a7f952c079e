"""Digest over real connections, against a server that checks every response by its own arithmetic."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requite import InvalidBody, MalformedResponse, OptionsError, RedirectRefused, request
from requite.auth.sessions import SESSIONS
from tests.servers import Answer, HttpServer, RawServer, Seen, redirect, reply

Servers = Callable[..., HttpServer]
AUTH = {'user': 'ann', 'pass': 's3cret', 'sendImmediately': False}
PAIR = re.compile(r'(\w+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]*))')


@pytest.fixture(autouse=True)
def no_sessions() -> Iterator[None]:
    """Nothing is remembered of other tests."""
    SESSIONS.clear()
    yield
    SESSIONS.clear()


class Guard:
    """Asks for Digest and lets in who answers right; each nonce takes a count only once, and serves `uses` times."""

    def __init__(self, more: str = 'qop="auth", algorithm=MD5', uses: int = 1000) -> None:
        self.more = more
        self.uses = uses
        self.left: dict[str, int] = {}
        self.counts: set[tuple[str, str]] = set()
        self.numbers = itertools.count(1)
        self.info: Callable[[dict[str, str], str], str] | None = None
        self.refused = 0
        self._lock = threading.Lock()

    def __call__(self, seen: Seen) -> Answer:
        with self._lock:
            return self._answer(seen)

    def _answer(self, seen: Seen) -> Answer:
        scheme, _, rest = (seen.header('authorization') or '').partition(' ')
        given = {name: quoted or bare for name, quoted, bare in PAIR.findall(rest)}
        nonce = given.get('nonce', '')
        if scheme != 'Digest' or nonce not in self.left:
            return self.challenge()
        response = self.response(given, seen.method, seen.body)
        if given['uri'] != seen.target or given['response'] != response:
            return self.challenge()
        if 'qop' in given:
            assert (nonce, given['nc']) not in self.counts, 'a count came twice'
            self.counts.add((nonce, given['nc']))
        self.left[nonce] -= 1
        if self.left[nonce] < 0:
            return self.challenge(', stale=true')
        headers = {}
        if self.info is not None:
            headers['authentication-info'] = self.info(given, self.response(given, '', b''))
        return Answer(200, headers, 'in')

    def challenge(self, more: str = '') -> Answer:
        self.refused += 1
        return Answer(401, {'www-authenticate': f'Digest realm="r", nonce="{self.nonce()}", {self.more}{more}'}, 'out')

    def nonce(self) -> str:
        nonce = f'nonce{next(self.numbers)}'
        self.left[nonce] = self.uses
        return nonce

    def response(self, given: dict[str, str], method: str, body: bytes) -> str:
        name = given.get('algorithm', 'MD5').lower()
        kind = {'md5': 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512_256'}[name.removesuffix('-sess')]

        def h(text: bytes | str) -> str:
            return hashlib.new(kind, text if isinstance(text, bytes) else text.encode()).hexdigest()

        key = h('ann:r:s3cret')
        if name.endswith('-sess'):
            key = h(f'{key}:{given["nonce"]}:{given["cnonce"]}')
        target = f'{method}:{given["uri"]}' + (f':{h(body)}' if given.get('qop') == 'auth-int' else '')
        counted = f'{given["nc"]}:{given["cnonce"]}:{given["qop"]}:' if 'qop' in given else ''
        return h(f'{key}:{given["nonce"]}:{counted}{h(target)}')


def digest_of(seen: Seen) -> dict[str, str]:
    return {name: quoted or bare for name, quoted, bare in PAIR.findall(seen.header('authorization') or '')}


# -- round trips


@pytest.mark.parametrize('algorithm', ['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess'])
@pytest.mark.parametrize('qop', ['qop="auth"', 'qop="auth-int"', 'opaque="o"'])
def test_every_algorithm_and_protection_is_accepted_and_its_nonce_goes_on(
    http_server: Servers, algorithm: str, qop: str
) -> None:
    server = http_server(Guard(f'algorithm={algorithm}, {qop}'))
    for number in range(3):
        response = request.post(f'{server.url}/a/{number}?b=%20c', body='content', auth=AUTH).end()
        assert (response.status_code, response.body) == (200, 'in')
    assert len(server.requests) == 4
    assert [seen.body for seen in server.requests] == [b'content'] * 4
    if 'qop' in qop:
        assert [digest_of(seen)['nc'] for seen in server.requests[1:]] == ['00000001', '00000002', '00000003']


def test_a_warm_nonce_costs_no_round_trip_whoever_asks(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    wrapper = request.defaults(auth=AUTH)
    assert wrapper.get(server.url + '/other').end().body == 'in'
    assert wrapper.head(server.url).end().status_code == 200
    assert len(server.requests) == 4
    assert request.get(server.url).end().status_code == 401, 'nobody else profits'


def test_threads_share_a_nonce_and_never_a_count(http_server: Servers) -> None:
    guard = Guard()
    server = http_server(guard)
    wrapper = request.defaults(auth=AUTH)
    wrapper.get(server.url).end()
    bodies: list[str] = []

    def ask() -> None:
        bodies.extend(wrapper.get(server.url).end().body for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == ['in'] * 80
    assert guard.refused == 1
    assert guard.counts == {('nonce1', f'{count:08x}') for count in range(1, 82)}


def test_threads_that_are_asked_at_once_with_one_nonce_count_it_together(http_server: Servers) -> None:
    every = threading.Barrier(6)

    def answers(seen: Seen) -> Answer:
        if seen.header('authorization') is None:
            every.wait(10)
            return Answer(401, {'www-authenticate': 'Digest realm="r", nonce="one", qop="auth"'}, 'out')
        return reply('in')

    server = http_server(answers)
    threads = [threading.Thread(target=lambda: request.get(server.url, auth=AUTH).end()) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = [digest_of(seen)['nc'] for seen in server.requests if seen.header('authorization')]
    assert sorted(counts) == [f'{number:08x}' for number in range(1, 7)]


def test_looking_at_a_request_uses_up_no_count(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    pending = request.get(server.url, auth=AUTH)
    assert 'authorization' not in pending.headers
    pending.to_json()
    pending.end()
    assert digest_of(server.requests[-1])['nc'] == '00000002'


def test_a_stale_nonce_is_renewed_once_more(http_server: Servers) -> None:
    server = http_server(Guard(uses=2))
    assert [request.get(server.url, auth=AUTH).end().body for _ in range(4)] == ['in'] * 4
    assert len(server.requests) == 6


def test_a_nextnonce_is_used_from_the_next_request_on(http_server: Servers) -> None:
    guard = Guard(uses=1)
    guard.info = lambda given, proof: f'nextnonce="{guard.nonce()}", rspauth="{proof}"'
    server = http_server(guard)
    assert [request.get(server.url, auth=AUTH).end().body for _ in range(3)] == ['in'] * 3
    assert [digest_of(seen).get('nonce') for seen in server.requests] == [None, 'nonce1', 'nonce2', 'nonce3']
    assert {digest_of(seen)['nc'] for seen in server.requests[1:]} == {'00000001'}


def test_threads_never_use_a_nonce_twice_while_the_server_names_new_ones(http_server: Servers) -> None:
    guard = Guard()
    current = ['']

    def rotating(given: dict[str, str], proof: str) -> str:
        if len(guard.counts) % 3 == 0:
            current[0] = guard.nonce()
        return f'nextnonce="{current[0]}"' if current[0] else ''

    guard.info = rotating
    held = threading.Event()

    def answers(seen: Seen) -> Answer:
        answer = guard(seen)
        if len(guard.counts) % 4 == 1:
            held.wait(0.005)  # some replies are late
        return answer

    server = http_server(answers)
    request.get(server.url, auth=AUTH).end()

    def work() -> None:
        for _ in range(15):
            request.get(server.url, auth=AUTH).end()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = [(given['nonce'], given['nc']) for seen in server.requests if 'nc' in (given := digest_of(seen))]
    assert len(used) == len(set(used)) >= 91


def test_a_late_request_with_a_challenge_that_others_had_too_repeats_no_count(http_server: Servers) -> None:
    nonces, held = itertools.count(1), threading.Event()

    def answers(seen: Seen) -> Answer:
        if seen.header('authorization'):
            return Answer(200, {'authentication-info': f'nextnonce="x{next(nonces)}"'}, 'in')
        if seen.path == '/late':
            held.wait(10)
        return Answer(401, {'www-authenticate': 'Digest realm="a", nonce="same", qop="auth"'}, '')

    server = http_server(answers)
    late = request.get(server.url + '/late', auth=AUTH).start()
    for _ in range(2):
        assert request.get(server.url + '/early', auth=AUTH).end().body == 'in'
    held.set()
    assert late.response.body == 'in'
    used = [(given['nonce'], given['nc']) for seen in server.requests if 'nc' in (given := digest_of(seen))]
    assert len(used) == len(set(used)) == 3


def test_a_server_without_the_password_is_found_out(http_server: Servers) -> None:
    guard = Guard()
    guard.info = lambda given, proof: 'rspauth="00000000000000000000000000000000"'
    server = http_server(guard)
    with pytest.raises(MalformedResponse, match='did not prove') as caught:
        request.get(server.url, auth=AUTH).end()
    assert 's3cret' not in str(caught.value) + repr(caught.value)
    server.routes['/'] = reply('well')
    assert request.get(server.url).end().body == 'well'


@pytest.mark.parametrize('read', ['end', 'stream', 'head'])
def test_a_rspauth_that_covers_the_content_is_held_to_the_content(http_server: Servers, read: str) -> None:
    """auth-int: what was signed is ``content``; where that is not what came, the end of it is never given."""
    content = b'' if read == 'head' else b'in'
    guard = Guard('qop="auth-int", algorithm=MD5')

    def information(given: dict[str, str], _: str) -> str:
        key = md5(f'ann:{given["realm"]}:s3cret')
        hashed = md5(f':{given["uri"]}:{hashlib.md5(content).hexdigest()}')
        proof = md5(f'{key}:{given["nonce"]}:{given["nc"]}:{given["cnonce"]}:auth-int:{hashed}')
        return f'rspauth="{proof}", qop=auth-int, cnonce="{given["cnonce"]}", nc={given["nc"]}'

    def asked() -> Any:
        verb = request.head if read == 'head' else request.get
        if read == 'stream':
            return b''.join(verb(server.url, auth=AUTH))
        return verb(server.url, auth=AUTH).end().status_code

    guard.info = information
    server = http_server(guard)
    assert asked() == (b'in' if read == 'stream' else 200)
    content = b'out'
    with pytest.raises(MalformedResponse, match='did not prove') as caught:
        asked()
    assert 's3cret' not in repr(caught.value)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_two_realms_of_one_server_each_keep_their_nonce(http_server: Servers) -> None:
    def answers(seen: Seen) -> Answer:
        realm = seen.target[1]
        if digest_of(seen).get('realm') == realm:
            return reply(realm)
        return Answer(401, {'www-authenticate': f'Digest realm="{realm}", nonce="{realm}", qop="auth"'}, 'out')

    server = http_server(answers)
    paths = ['/a/1', '/b/1', '/a/2', '/b/2', '/a/3']
    assert [request.get(server.url + path, auth=AUTH).end().body for path in paths] == list('ababa')
    # Two 401s to get to know the realms, the second of them to an answer for the first.
    assert len(server.requests) == 7


# -- what is never sent


def test_r4_a_challenge_of_an_origin_that_was_not_named_is_not_answered(http_server: Servers) -> None:
    other = http_server(Guard())
    server = http_server(lambda seen: redirect(f'{other.url}/x'))
    assert request.get(server.url, auth=AUTH).end().status_code == 401
    assert [seen.header('authorization') for seen in other.requests] == [None]


def test_r4_a_session_is_not_used_where_a_redirect_leads_though_it_was_made_there(http_server: Servers) -> None:
    other = http_server(Guard())
    request.get(other.url, auth=AUTH).end()
    server = http_server(lambda seen: redirect(f'{other.url}/x'))
    assert request.get(server.url, auth=AUTH).end().status_code == 401
    assert other.requests[-1].header('authorization') is None


def test_r3_once_dropped_a_session_stays_dropped_on_the_way_back(http_server: Servers) -> None:
    server = http_server(Guard())
    other = http_server(lambda seen: redirect(f'{server.url}/back'))
    request.get(server.url, auth=AUTH).end()
    server.routes['/out'] = redirect(f'{other.url}/')
    assert request.get(server.url + '/out', auth=AUTH).end().status_code == 401
    assert [bool(seen.header('authorization')) for seen in server.requests] == [False, True, True, False]


def test_a_redirect_within_the_origin_is_answered_at_once(http_server: Servers) -> None:
    guard = Guard()
    server = http_server(guard)
    server.routes['/old'] = lambda seen: redirect('/new') if digest_of(seen) else guard(seen)
    assert request.get(server.url + '/old', auth=AUTH).end().body == 'in'
    assert [seen.target for seen in server.requests] == ['/old', '/old', '/new']


def test_a4_who_waits_for_digest_never_sends_basic_beside_it(http_server: Servers) -> None:
    for challenge in ('Basic realm="b", Digest realm="r", nonce="n", algorithm=ROT13', 'Basic realm="b", Digest'):
        server = http_server(lambda seen, text=challenge: Answer(401, {'www-authenticate': text}, 'out'))
        assert request.get(server.url, auth=AUTH).end().status_code == 401
        assert [seen.header('authorization') for seen in server.requests] == [None]


def test_a4_digest_true_refuses_basic_altogether(http_server: Servers) -> None:
    server = http_server(lambda seen: Answer(401, {'www-authenticate': 'Basic realm="b"'}, 'out'))
    assert request.get(server.url, auth={'user': 'ann', 'pass': 's3cret', 'digest': True}).end().status_code == 401
    assert [seen.header('authorization') for seen in server.requests] == [None]
    request.get(server.url, auth=AUTH).end()
    assert (server.requests[-1].header('authorization') or '').startswith('Basic ')


@pytest.mark.parametrize('more', [(), (True,), (False,)])
def test_a4_digest_true_outlives_another_user_of_the_chain(http_server: Servers, more: tuple[bool, ...]) -> None:
    server = http_server(lambda seen: Answer(401, {'www-authenticate': 'Basic realm="b"'}, 'out'))
    auth = {'user': 'ann', 'pass': 's3cret', 'digest': True}
    for made in (request.defaults(auth=auth).get(server.url), request.get(server.url, auth=auth)):
        assert made.auth('bob', 's3cret', *more).end().status_code == 401
    assert [seen.header('authorization') for seen in server.requests] == [None, None]
    bearer = request.defaults(auth=auth).get(server.url).auth(bearer='t')
    bearer.end()
    assert server.requests[-1].header('authorization') == 'Bearer t'


def test_digest_true_answers_digest(http_server: Servers) -> None:
    server = http_server(Guard('qop="auth", algorithm=SHA-256'))
    assert request.get(server.url, auth={'user': 'ann', 'pass': 's3cret', 'digest': True}).end().body == 'in'


def test_a4_a_server_that_turns_to_basic_gets_none(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    server.routes['/'] = Answer(401, {'www-authenticate': 'Basic realm="r"'}, 'out')
    assert request.get(server.url, auth=AUTH).end().status_code == 401
    assert not any((seen.header('authorization') or '').startswith('Basic') for seen in server.requests)


# -- ends


@pytest.mark.parametrize(('stale', 'requests'), [(', stale=true', 3), ('', 2)])
def test_a3_a_server_that_always_says_no_is_asked_a_bounded_number_of_times(
    http_server: Servers, stale: str, requests: int
) -> None:
    guard = Guard()
    server = http_server(lambda seen: guard.challenge(stale))
    response = request.get(server.url, auth=AUTH).end()
    assert (response.status_code, response.body) == (401, 'out')
    assert len(server.requests) == requests


def test_a3_not_even_with_a_session_that_worked_before(http_server: Servers) -> None:
    guard = Guard()
    server = http_server(guard)
    request.get(server.url, auth=AUTH).end()
    server.routes['/'] = lambda seen: guard.challenge(', stale=true')
    before = len(server.requests)
    assert request.get(server.url, auth=AUTH).end().status_code == 401
    assert len(server.requests) - before == 3


@pytest.mark.parametrize(
    'challenge',
    [
        'Digest',
        'Digest realm="r"',
        'Digest realm="r, nonce=\x80, qop=",,,=,"auth',
        'Digest realm="r", nonce="n", algorithm=ROT13',
        'Digest ' + 'a="' * 9000,
    ],
)
def test_a1_a_challenge_that_nobody_can_meet_gives_the_401_and_leaves_the_connection_in_order(
    http_server: Servers, challenge: str
) -> None:
    server = http_server(lambda seen: Answer(401, {'www-authenticate': challenge}, 'out'))
    server.routes['/fine'] = reply('fine')
    wrapper = request.defaults(auth=AUTH, pool={'max_sockets': 1})
    response = wrapper.get(server.url).end()
    assert (response.status_code, response.body) == (401, 'out')
    assert wrapper.get(server.url + '/fine').end().body == 'fine'
    assert server.connections == 1


def test_a2_a_realm_that_tries_to_add_parameters_is_only_a_realm(http_server: Servers) -> None:
    text = r'Digest realm="r\", uri=\"/evil", nonce="n\"x", opaque="o\", username=\"root", qop="auth"'
    server = http_server(lambda seen: Answer(401, {'www-authenticate': text}, 'out'))
    request.get(server.url, auth=AUTH).end()
    sent = server.requests[1].header('authorization') or ''
    assert r'realm="r\", uri=\"/evil", nonce="n\"x", uri="/", ' in sent
    assert sent.endswith(r'opaque="o\", username=\"root"')


# -- bodies


def test_r14_a_stream_that_was_used_up_is_no_answer_to_a_401(http_server: Servers) -> None:
    server = http_server(Guard())
    with pytest.raises(RedirectRefused, match='used up') as caught:
        request.post(server.url, body=iter([b'once']), auth=AUTH).end()
    assert 'at once' not in str(caught.value)  # no Digest can be sent at once
    server.answers = Answer(401, {'www-authenticate': 'Basic realm="b"'}, 'out')
    with pytest.raises(RedirectRefused, match=r'send credentials at once \(sendImmediately\)'):
        request.post(server.url, body=iter([b'once']), auth=AUTH).end()
    assert len(server.requests) == 2


def test_a_stream_goes_out_once_where_the_nonce_is_warm(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    assert request.post(server.url, body=iter([b'on', b'ce']), auth=AUTH).end().body == 'in'
    assert server.requests[-1].body == b'once'


def test_a_stream_under_auth_int_is_an_error_before_a_byte_is_sent(http_server: Servers) -> None:
    server = http_server(Guard('qop="auth-int"'))
    request.get(server.url, auth=AUTH).end()
    with pytest.raises(InvalidBody, match='auth-int'):
        request.post(server.url, body=iter([b'once']), auth=AUTH).end()
    assert len(server.requests) == 2


def test_files_and_lists_are_hashed_and_sent_again(http_server: Servers, tmp_path: Any) -> None:
    server = http_server(Guard('qop="auth-int"'))
    path = tmp_path / 'content'
    path.write_bytes(b'from a file')
    with path.open('rb') as file:
        assert request.put(server.url, body=file, auth=AUTH).end().body == 'in'
    assert request.put(server.url, body=[b'from ', 'a list'], auth=AUTH).end().body == 'in'
    assert [seen.body for seen in server.requests] == [b'from a file'] * 2 + [b'from a list']


def test_r12_the_body_of_the_401_is_not_read_without_bound(raw_server: Callable[..., RawServer]) -> None:
    head = b'HTTP/1.1 401 No\r\nwww-authenticate: Digest realm="r", nonce="n", qop="auth"\r\ncontent-length: 100000000000\r\n\r\n'

    def answers(sock: Any, received: bytes) -> bool:
        if b'\r\nauthorization: Digest ' in received:
            sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nin')
        else:
            sock.sendall(head + b'x' * 1000)
        return True

    server = raw_server(answers)
    assert request.get(server.url, auth=AUTH).end().body == 'in'
    assert server.connections == 2


# -- the option


@pytest.mark.parametrize(
    ('given', 'text'),
    [
        ({'digest': True, 'bearer': 't'}, 'user and pass, not bearer'),
        ({'user': 'u', 'digest': True, 'sendImmediately': True}, 'sendImmediately=True does not'),
        ({'user': 'u', 'digest': 'yes'}, 'digest must be True or False'),
    ],
)
def test_credentials_that_contradict_each_other_are_an_error_at_the_call(given: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionsError, match=text):
        request.get('http://some.test/', auth=given)


def test_a_wrapper_may_ask_for_digest_and_the_call_say_who(http_server: Servers) -> None:
    server = http_server(Guard())
    wrapper = request.defaults(auth={'digest': True})
    assert wrapper.get(server.url, auth=('ann', 's3cret')).end().body == 'in'


def test_an_authorization_written_by_hand_wins_and_no_challenge_is_answered_beside_it(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    response = request.get(server.url, auth=AUTH, headers={'Authorization': 'Own one'}).end()
    assert response.status_code == 401
    assert [(seen.header('authorization') or '-').split()[0] for seen in server.requests] == ['-', 'Digest', 'Own']


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')
def test_a_forked_child_begins_its_own_sessions(http_server: Servers) -> None:
    server = http_server(Guard())
    request.get(server.url, auth=AUTH).end()
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of forking beside threads; the child does next to nothing.
        warnings.simplefilter('ignore', DeprecationWarning)
        child = os.fork()
    if not child:
        os.write(write, repr(SESSIONS).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b'<Sessions of 0 users>'
    assert repr(SESSIONS) == '<Sessions of 1 users>'
    os.close(read)
    os.close(write)
