"""Hawk as values: what is signed, what is refused, and what an answer may prove."""

from __future__ import annotations

import hashlib
import logging
import random
from typing import Any

import pytest

from requite import InvalidBody, MalformedResponse, OptionsError, UnknownOption
from requite.auth.hawk import Hawk, signer
from requite.auth.hawkcontent import PayloadHash, held_to
from requite.headers import Headers
from requite.message import AbortSignal, BytesBody, Carry, Draft, Hop, Reply
from requite.options import EMPTY
from requite.routes import Limits, Route
from requite.wire.uri import parse

KEY = 'werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn'
CREDENTIALS = {'id': 'dh37fgj492je', 'key': KEY, 'algorithm': 'sha256'}


class Frozen:
    """A clock that stands still."""

    def __init__(self, now: float = 1353832234.9) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def nonce(self, size: int) -> str:
        return 'j4h3g2'


class Once(BytesBody):
    """Content that can be read only once."""

    replayable = False


def draft(address: str = 'http://example.com:8000/resource/1?b=1&a=2', method: str = 'GET', **given: Any) -> Draft:
    uri = parse(address)
    made = Draft(EMPTY, Carry(method, uri, given.get('body')))
    made.set('host', given.get('host', uri.host_field))
    if 'kind' in given:
        made.set('content-type', given['kind'])
    return made


def signed(made: Draft | None = None, clock: Any = None, **keys: Any) -> str:
    made = made or draft()
    signer({'credentials': CREDENTIALS, **keys}).sign(made, clock or Frozen())
    return made.get('authorization') or ''


def signed_by(hawk: Hawk, made: Draft) -> str:
    hawk.sign(made, Frozen())
    return made.get('authorization') or ''


def mac(**keys: Any) -> str:
    return signed(**keys).partition(' mac="')[2].partition('"')[0]


# ---------------------------------------------------------------- signing


def test_the_header_is_nodes() -> None:
    assert signed(ext='some-app-ext-data') == (
        'Hawk id="dh37fgj492je", ts="1353832234", nonce="j4h3g2", ext="some-app-ext-data", mac="6R4rV5iE+NPoym+WwjeHzjAGXUtLNIxmo1vpMofpLAE="'
    )


def test_what_is_said_beside_it_has_nodes_order() -> None:
    header = signed(ext='e', app='a', dlg='d', hash='aGFzaA==')
    names = [part.partition('=')[0] for part in header.removeprefix('Hawk ').split(', ')]
    assert names == ['id', 'ts', 'nonce', 'hash', 'ext', 'mac', 'app', 'dlg']


def test_quotes_in_ext_are_escaped_in_the_header_and_every_backslash_in_the_mac() -> None:
    header = signed(ext='a "b" \\c\\d')
    assert 'ext="a \\"b\\" \\\\c\\\\d"' in header


def test_q7_the_nonce_and_the_time_come_from_the_clock_and_differ_each_time() -> None:
    from requite.auth.clock import SYSTEM

    random.seed(7)
    nonces = {signed(clock=SYSTEM).partition('nonce="')[2].partition('"')[0] for _ in range(50)}
    random.seed(7)
    again = {signed(clock=SYSTEM).partition('nonce="')[2].partition('"')[0] for _ in range(50)}
    assert len(nonces | again) == 100
    assert all(len(nonce) == 12 for nonce in nonces)


def test_a_time_and_a_nonce_of_the_callers_own_are_kept() -> None:
    header = signed(timestamp=1353832234, nonce='abcdef', clock=Frozen(1))
    assert 'ts="1353832234", nonce="abcdef"' in header
    assert 'ts="1353832234"' in signed(timestamp='1353832234', clock=Frozen(1))


def test_an_offset_of_the_callers_own_moves_the_clock() -> None:
    assert 'ts="1353832229"' in signed(localtime_offset_msec=-5000, clock=Frozen(1353832234.0))


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ('http://h/a;b', 'http://h/a'),
        ('http://h/a?', 'http://h/a'),
        ('http://h/a', 'https://h/a'),
        ('http://h/a', 'http://h:8080/a'),
        ('http://h/a?x', 'http://h/a?y'),
        ('http://h/a', 'http://i/a'),
    ],
)
def test_every_part_of_the_address_counts(one: str, other: str) -> None:
    assert mac(made=draft(one)) != mac(made=draft(other))


@pytest.mark.parametrize(
    ('one', 'other'),
    [
        ({'address': 'http://h/'}, {'address': 'http://other:81/', 'host': 'H:80'}),
        ({'address': 'https://h/'}, {'address': 'https://h/', 'host': 'h:443'}),
        ({'address': 'http://[::1]/'}, {'address': 'http://[::1]/', 'host': '[::1]:80'}),
        ({'address': 'http://h/', 'method': 'get'}, {'address': 'http://h/', 'method': 'GET'}),
    ],
)
def test_host_and_port_are_what_the_server_reads_from_host(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert mac(made=draft(**one)) == mac(made=draft(**other))


def test_credentials_are_copied() -> None:
    credentials = dict(CREDENTIALS)
    hawk = signer({'credentials': credentials})
    credentials['key'] = 'another'
    made = draft()
    hawk.sign(made, Frozen())
    assert made.get('authorization') == signed()
    assert credentials == {**CREDENTIALS, 'key': 'another'}


# ---------------------------------------------------------------- content


def expected(kind: str, content: bytes, algorithm: str = 'sha256') -> str:
    import base64

    text = b'hawk.1.payload\n' + kind.encode() + b'\n' + content + b'\n'
    return base64.b64encode(hashlib.new(algorithm, text).digest()).decode()


def test_payload_true_hashes_what_is_sent_with_the_type_that_is_sent() -> None:
    made = draft(method='POST', body=BytesBody(b'{"a":1}'), kind='Application/JSON; charset=utf-8')
    assert f'hash="{expected("application/json", b"""{"a":1}""")}"' in signed(made, payload=True)


def test_payload_true_without_content_hashes_nothing_at_all() -> None:
    assert f'hash="{expected("", b"")}"' in signed(payload=True)


@pytest.mark.parametrize(('payload', 'content'), [('', b''), ('t\xe9xt', 't\xe9xt'.encode()), (b'\xff', b'\xff')])
def test_a_payload_is_hashed_as_it_is_given(payload: Any, content: bytes) -> None:
    made = draft(method='POST', body=BytesBody(b'other'), kind='text/html')
    header = signed(made, payload=payload, content_type='text/plain; x=y')
    assert f'hash="{expected("text/plain", content)}"' in header
    assert f'hash="{expected("", content)}"' in signed(payload=payload)


def test_a_hash_of_the_callers_own_wins_over_a_payload_as_in_node() -> None:
    assert 'hash="aGFzaA=="' in signed(hash='aGFzaA==', payload='text')


def test_no_payload_means_no_hash() -> None:
    assert 'hash=' not in signed(payload=False) + signed(payload=None) + signed(draft(body=BytesBody(b'x')))


def test_a_stream_that_can_be_read_once_cannot_be_hashed() -> None:
    with pytest.raises(InvalidBody, match='give bytes, a file or a list as the body'):
        signed(draft(body=Once(b'x')), payload=True)
    assert 'hash="aA=="' in signed(draft(body=Once(b'x')), hash='aA==', payload=True)


def test_a_million_bytes_are_hashed_piece_by_piece_and_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = draft('http://h/?token=s3cret', body=BytesBody(b's3cret' * 200_000))
    signed(made, payload=True, ext='s3cret')
    assert 's3cret' not in caplog.text
    assert KEY not in caplog.text


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ('keys', 'error', 'says'),
    [
        ({}, OptionsError, 'credentials are missing'),
        ({'credentials': None}, OptionsError, 'credentials are missing'),
        ({'credentials': 'k3y'}, TypeError, 'mapping'),
        ({'credentials': {}}, OptionsError, 'id and key and algorithm must be given'),
        ({'credentials': {**CREDENTIALS, 'key': ''}}, OptionsError, 'Invalid credentials: key'),
        ({'credentials': {**CREDENTIALS, 'key': 5}}, TypeError, 'str or bytes'),
        ({'credentials': {**CREDENTIALS, 'id': 5}}, TypeError, 'id'),
        ({'credentials': {**CREDENTIALS, 'id': 'a"b'}}, OptionsError, 'id'),
        (
            {'credentials': {**CREDENTIALS, 'algorithm': 'md5'}},
            OptionsError,
            "Unknown algorithm 'md5'; Hawk has sha256",
        ),
        ({'credentials': {**CREDENTIALS, 'algorithm': ['sha256']}}, OptionsError, 'Unknown algorithm'),
        ({'credentials': {**CREDENTIALS, 'Key': 'x'}}, UnknownOption, "did you mean 'key'"),
        ({'credentials': {**CREDENTIALS, 'user': 'x'}}, UnknownOption, 'it takes id, key, algorithm'),
        ({'payloads': 'x'}, UnknownOption, "did you mean 'payload'"),
        ({'dlg': 'me'}, OptionsError, 'app'),
        ({'ext': 'a\r\nb'}, OptionsError, 'ext'),
        ({'ext': '\xe9'}, OptionsError, 'ext'),
        ({'app': 'a"b'}, OptionsError, 'quotes'),
        ({'nonce': 'a\\b'}, OptionsError, 'nonce'),
        ({'hash': b'x'}, TypeError, 'hash'),
        ({'payload': {'a': 1}}, TypeError, 'payload must be True'),
        ({'timestamp': 'now'}, OptionsError, 'whole number of seconds'),
        ({'timestamp': True}, TypeError, 'an int'),
        ({'timestamp': 1.5}, OptionsError, 'timestamp'),
        ({'timestamp': 10**400}, OptionsError, 'timestamp'),
        ({'localtime_offset_msec': 'x'}, OptionsError, 'localtimeOffsetMsec'),
        ({'verify': 1}, TypeError, 'verify'),
        ({'content_type': 5}, TypeError, 'content_type'),
    ],
)
def test_keys_that_cannot_be_used_are_an_error(keys: dict[str, Any], error: type[Exception], says: str) -> None:
    given = keys if not keys or 'credentials' in keys else {'credentials': CREDENTIALS, **keys}
    with pytest.raises(error, match=says) as caught:
        signer(given)
    assert KEY not in repr(caught.value) + str(caught.value)


def test_nothing_that_is_shown_holds_the_key() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    assert KEY not in repr(hawk) + repr(hawk.credentials) + str(hawk.credentials)


# ---------------------------------------------------------------- the server's clock


def hop(hawk: Hawk, address: str = 'http://h/a', method: str = 'GET') -> Hop:
    made = draft(address, method)
    hawk.sign(made, hawk._clock or Frozen())
    fields = tuple(made.fields.values())
    uri = made.uri
    return Hop(method, uri, uri.target, fields, None, Route('http', 'h', 80), None, Limits(1, 1), AbortSignal())


class Came(Reply):
    """A reply whose content lies in memory, in pieces."""

    def __init__(self, status: int, fields: dict[str, str], pieces: tuple[bytes, ...] = ()) -> None:
        self.status = status
        self.fields = list(fields.items())
        self.headers = Headers(fields)
        self.pieces = list(pieces)
        self.complete = not pieces
        self.aborted = False

    def read(self, size: int = 262144) -> bytes:
        data = self.pieces.pop(0) if self.pieces else b''
        self.complete = not self.pieces
        return data

    def collect(self, limit: int | None = None) -> bytes:
        return b''.join(self.pieces)

    def abort(self) -> None:
        self.aborted = True


def stale(ts: str = '1353835834', key: str = KEY, more: str = '') -> dict[str, str]:
    from mohawk.util import calculate_ts_mac

    tsm = calculate_ts_mac(ts, {'key': key, 'algorithm': 'sha256'}).decode()
    return {'www-authenticate': f'Hawk ts="{ts}", tsm="{tsm}", error="Stale timestamp"{more}'}


def test_a_clock_that_goes_wrong_is_answered_by_the_servers_time() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    sent = hop(hawk)
    again = hawk.answer(sent, Came(401, stale()))
    assert isinstance(again, Hawk)
    assert 'ts="1353835834"' in dict(hop(again).fields)['authorization']
    assert 'ts="1353835834"' in dict(hop(hawk).fields)['authorization']


def test_each_origin_has_a_clock_of_its_own() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    hawk.answer(hop(hawk), Came(401, stale()))
    assert 'ts="1353832234"' in signed_by(hawk, draft('http://elsewhere.test/'))


def test_who_signs_again_holds_the_clock_that_it_was_told_whatever_others_learn() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    sent = hop(hawk)
    again = hawk.answer(sent, Came(401, stale()))
    hawk.answer(sent, Came(401, stale('1353836834')))
    assert isinstance(again, Hawk)
    assert 'ts="1353835834"' in dict(hop(again).fields)['authorization']


def test_the_clocks_of_servers_are_remembered_within_bounds() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    sent = hop(hawk)
    for port in range(1, 200):
        hawk.answer(sent._replace(uri=parse(f'http://h:{port}/')), Came(401, stale()))
    assert len(hawk._learned) <= 64


def test_answers_that_come_at_once_do_not_add_up() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    one, two = hop(hawk), hop(hawk)
    hawk.answer(one, Came(401, stale()))
    hawk.answer(two, Came(401, stale()))
    assert 'ts="1353835834"' in dict(hop(hawk).fields)['authorization']


@pytest.mark.parametrize(
    'fields',
    [
        {},
        {'www-authenticate': 'Hawk'},
        {'www-authenticate': 'Hawk error="Bad mac"'},
        {'www-authenticate': 'Hawk ts="1353835834"'},
        {'www-authenticate': 'Hawk ts="1353835834", tsm="AAAA"'},
        {'www-authenticate': 'Hawk ts="1353835834", tsm="\xe9"'},
        {'www-authenticate': 'Hawk ts="", tsm=""'},
        {'www-authenticate': 'Basic realm="x"'},
        stale(key='other'),
        stale(ts='-5'),
        stale(ts='9' * 40),
        stale(ts='\xb2'),
        stale(more=', ts="1"'),
        stale(more=', "'),
        {'www-authenticate': stale()['www-authenticate'] + ', ' + stale('1')['www-authenticate']},
    ],
    ids=lambda fields: fields.get('www-authenticate', 'none')[:40],
)
def test_a_time_that_is_not_proved_is_not_believed(fields: dict[str, str]) -> None:
    hawk = signer({'credentials': CREDENTIALS})
    assert hawk.answer(hop(hawk), Came(401, fields)) is None
    assert 'ts="1353832234"' in dict(hop(hawk).fields)['authorization']


def test_a_time_of_the_callers_own_is_not_corrected() -> None:
    hawk = signer({'credentials': CREDENTIALS, 'timestamp': 1353832234})
    assert hawk.answer(hop(hawk), Came(401, stale())) is None


def test_only_a_401_tells_the_time() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    assert hawk.answer(hop(hawk), Came(200, stale())) is None


# ---------------------------------------------------------------- the server's own proof


def proof(hawk: Hawk, sent: Hop, content: bytes | None = None, kind: str = '', ext: str = '') -> str:
    """The Server-Authorization of a server that knows the key."""
    from requite.auth.challenges import parse as read
    from requite.auth.challenges import quoted
    from requite.auth.hawk import Artifacts

    said = read(dict(sent.fields)['authorization'])[0].parameters
    made = Artifacts(said['ts'], said['nonce'], sent.method, sent.target, 'h', '80', ext, hawk.app, hawk.dlg)
    hash = None if content is None else expected(kind, content)
    parts = [f'mac="{hawk.credentials.mac(made.normalised("response", hash))}"']
    parts += [f'hash="{hash}"'] if hash else []
    parts += [f'ext={quoted(ext)}'] if ext else []
    return 'Hawk ' + ', '.join(parts)


@pytest.mark.parametrize('ext', ['', 'a "b" \\c\\'])
def test_a_proof_without_content_is_believed(ext: str) -> None:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True, 'app': 'a', 'dlg': 'd'})
    sent = hop(hawk)
    assert hawk.answer(sent, Came(200, {'server-authorization': proof(hawk, sent, ext=ext)})) is None


@pytest.mark.parametrize('status', [200, 302, 404, 500])
@pytest.mark.parametrize(
    'text',
    [None, '', 'Hawk', 'Basic x', 'Hawk mac="AAAA"', 'Hawk mac="\xe9"', 'Hawk mac="a", mac="a"', 'Hawk hash="x"'],
)
def test_a_proof_that_is_missing_or_wrong_is_an_error(status: int, text: str | None) -> None:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True})
    fields = {} if text is None else {'server-authorization': text}
    with pytest.raises(MalformedResponse, match='did not prove that it knows the key'):
        hawk.answer(hop(hawk), Came(status, fields))


@pytest.mark.parametrize('change', ['nonce', 'target', 'method'])
def test_the_proof_of_another_request_proves_nothing(change: str) -> None:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True})
    sent = hop(hawk)
    text = proof(hawk, sent)
    other = sent._replace(uri=parse('http://h/b')) if change == 'target' else sent._replace(method='PUT')
    if change == 'nonce':
        fields = dict(sent.fields)
        fields['authorization'] = fields['authorization'].replace('j4h3g2', 'other1')
        other = sent._replace(fields=tuple(fields.items()))
    with pytest.raises(MalformedResponse):
        hawk.answer(other, Came(200, {'server-authorization': text}))


def test_a_401_needs_no_proof_but_what_it_proves_must_be_right() -> None:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True})
    sent = hop(hawk)
    assert hawk.answer(sent, Came(401, {})) is None
    with pytest.raises(MalformedResponse):
        hawk.answer(sent, Came(401, {'server-authorization': 'Hawk mac="AAAA"'}))


def test_without_verify_nobody_looks_at_a_proof() -> None:
    hawk = signer({'credentials': CREDENTIALS})
    assert hawk.answer(hop(hawk), Came(200, {'server-authorization': 'Hawk mac="AAAA"'})) is None


@pytest.mark.parametrize(('method', 'status'), [('HEAD', 200), ('GET', 304), ('GET', 204)])
def test_an_answer_without_content_is_not_compared_with_a_hash(method: str, status: int) -> None:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True})
    sent = hop(hawk, method=method)
    assert hawk.answer(sent, Came(status, {'server-authorization': proof(hawk, sent, b'what GET gives')})) is None


def wrapped(content: bytes, pieces: tuple[bytes, ...]) -> tuple[Any, Came]:
    hawk = signer({'credentials': CREDENTIALS, 'verify': True})
    sent = hop(hawk)
    fields = {'server-authorization': proof(hawk, sent, content, 'text/plain'), 'content-type': 'Text/Plain; x=y'}
    came = Came(200, fields, pieces)
    return hawk.answer(sent, came), came


def drained(reply: Any, size: int = 262144) -> bytes:
    return b''.join(iter(lambda: reply.read(size), b''))


@pytest.mark.parametrize('pieces', [(b'hello',), (b'he', b'llo'), (b'h', b'e', b'l', b'l', b'o'), ()])
def test_content_that_is_right_comes_through(pieces: tuple[bytes, ...]) -> None:
    content = b''.join(pieces)
    for size in (1, 3, 262144):
        assert drained(wrapped(content, pieces)[0], size) == content
    reply, _ = wrapped(content, pieces)
    assert (reply.collect(), reply.collect(), reply.status) == (content, content, 200)


def test_the_end_of_content_that_was_changed_is_never_given() -> None:
    reply, came = wrapped(b'hello', (b'he', b'llO'))
    given = [reply.read()]
    for _ in range(2):
        with pytest.raises(MalformedResponse, match='content is not what'):
            given.append(reply.read())
    assert (given, came.aborted) == ([b'he'], True)
    with pytest.raises(MalformedResponse):
        wrapped(b'hello', (b'hell',))[0].collect()
    with pytest.raises(MalformedResponse):
        wrapped(b'hello', ())[0].read()


def test_a_read_of_nothing_is_not_the_end() -> None:
    reply, _ = wrapped(b'hello', (b'hello',))
    assert (reply.read(0), drained(reply)) == (b'', b'hello')


def test_what_a_wrapped_reply_does_not_know_is_the_replys() -> None:
    came = Came(200, {}, (b'x',))
    reply = held_to(came, PayloadHash('sha256', ''), '')
    reply.abort()
    assert (came.aborted, reply.status, reply.complete) == (True, 200, False)
