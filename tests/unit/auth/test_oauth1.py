"""OAuth 1.0a: what is covered, what is sent and where, and what is refused at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from requite import request
from requite.auth import oauth1signature as signatures
from requite.auth.clock import SYSTEM
from requite.auth.oauth1 import signer
from requite.auth.oauth1keys import read
from requite.claims import claim
from requite.errors import InvalidBody, InvalidOptionType, OptionsError, UnknownOption
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire import uri as uris

FORM = 'application/x-www-form-urlencoded'
KEYS = {'consumer_key': 'ck', 'consumer_secret': 'c&s', 'token': 'tk', 'token_secret': 't0k s'}
NONCE = '0123456789abcdef0123456789abcdef'
SECRETS = ('c&s', 't0k s', 'c%26s', 't0k%20s')


class Frozen:
    """A clock that stands still and throws the same dice for ever."""

    def now(self) -> float:
        return 1191242096.9

    def nonce(self, size: int) -> str:
        return NONCE[:size]


class Once:
    """A body that can be read only once."""

    length = None
    replayable = False
    headers = ()

    def chunks(self) -> Iterator[bytes]:
        raise AssertionError('nobody may read this')


class Pieces(Once):
    """A body of unknown length that can be read again."""

    replayable = True

    def chunks(self) -> Iterator[bytes]:
        yield from (b'a=', b'1')


def drafted(
    url: str = 'http://h.test/p', method: str = 'GET', body: Any = None, content_type: str | None = None
) -> Draft:
    uri = uris.parse(url)
    draft = Draft(EMPTY, Carry(method, uri, BytesBody(body) if isinstance(body, bytes) else body))
    draft.fields['host'] = ('host', uri.host_field)
    if content_type is not None:
        draft.fields['content-type'] = ('content-type', content_type)
    return draft


def signed(draft: Draft, **keys: Any) -> Draft:
    signer({**KEYS, **keys}).sign(draft, Frozen())
    return draft


def parameters(draft: Draft) -> dict[str, str]:
    """The parameters of an Authorization, still encoded."""
    scheme, _, rest = (draft.get('authorization') or '').partition(' ')
    assert scheme == 'OAuth'
    return {name: value.strip('"') for name, _, value in (piece.partition('=') for piece in rest.split(','))}


def signature(base: str) -> str:
    return signatures.keyed('HMAC-SHA1', 'c%26s&t0k%20s')(base)


# -- what is covered


def test_the_base_string_is_that_of_rfc_5849_3_4_1() -> None:
    query = signatures.pairs('b5=%3D%253D&a3=a&c%40=&a2=r%20b')
    form = signatures.pairs(b'c2&a3=2+q')
    own = [('oauth_consumer_key', '9djdj82h48djs9d2'), ('oauth_nonce', '7d8f3e4a')]
    assert signatures.base_string('post', 'http://example.com/request', [*query, *form, *own]) == (
        'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26'
        'oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a'
    )


def test_parameters_are_sorted_by_name_and_then_by_value_as_they_are_encoded() -> None:
    assert signatures.normalized(signatures.pairs('a=2&a=10&a-b=1&%C3%A4=1&A=1&a=')) == '%C3%A4=1&A=1&a=&a=10&a=2&a-b=1'


def test_nested_names_are_signed_as_they_are_sent() -> None:
    assert signatures.pairs('a%5B0%5D=1&a%5Bb%5D=2') == [('a%5B0%5D', '1'), ('a%5Bb%5D', '2')]


def test_octets_that_are_no_utf_8_and_empty_pieces_are_taken_as_they_come() -> None:
    assert signatures.pairs('&a=%ff%zz&&=v&b=1=2&') == [('a', '%FF%25zz'), ('', 'v'), ('b', '1%3D2')]


def test_every_octet_is_encoded_in_one_way_however_it_came() -> None:
    for octet in range(256):
        expected = signatures.encode_component(bytes([octet]))
        assert signatures.pairs(f'%{octet:02x}') == signatures.pairs(f'%{octet:02X}') == [(expected, '')]
    assert signatures.base_string('GET', 'http://h/a%20b/c;d@', []) == 'GET&http%3A%2F%2Fh%2Fa%2520b%2Fc%3Bd%40&'
    assert signatures.base_string('GET', 'http://h/a%20b', []) == 'GET&http%3A%2F%2Fh%2Fa%2520b&'


def test_a_signature_that_is_there_already_is_not_covered() -> None:
    assert signatures.pairs('oauth_signature=x&a=1') == [('a', '1')]


@pytest.mark.parametrize(
    ('scheme', 'host', 'signed_as'),
    [
        ('http', 'EXAMPLE.com:80', 'http://example.com/r'),
        ('https', 'example.com:443', 'https://example.com/r'),
        ('https', 'example.com:80', 'https://example.com:80/r'),
        ('http', '[::1]:8080', 'http://[::1]:8080/r'),
    ],
)
def test_the_address_is_signed_without_the_port_of_its_scheme(scheme: str, host: str, signed_as: str) -> None:
    assert signatures.base_uri(scheme, host, '/r') == signed_as


def test_query_and_form_are_covered_and_other_content_is_not() -> None:
    base = signatures.base_string(
        'POST',
        'http://h.test/p',
        [
            ('q', '1'),
            ('f', '2'),
            ('oauth_consumer_key', 'ck'),
            ('oauth_nonce', NONCE),
            ('oauth_signature_method', 'HMAC-SHA1'),
            ('oauth_timestamp', '1191242096'),
            ('oauth_token', 'tk'),
            ('oauth_version', '1.0'),
        ],
    )
    form = signed(drafted('http://h.test/p?q=1', 'POST', b'f=2', FORM + '; charset=UTF-8'))
    assert parameters(form)['oauth_signature'] == signatures.encode_component(signature(base))
    plain = signed(drafted('http://h.test/p?q=1&f=2', 'POST', b'f=3', 'text/plain'))
    assert parameters(plain)['oauth_signature'] == signatures.encode_component(signature(base))


def test_a_host_header_of_the_callers_is_what_is_signed() -> None:
    draft = drafted()
    draft.set('Host', 'virtual.test')
    named = signed(drafted('http://virtual.test/p'))
    assert signed(draft).get('authorization') == named.get('authorization')


# -- what is sent


def test_the_header_has_nodes_order_with_the_realm_first_and_the_signature_last() -> None:
    draft = signed(drafted(), realm='a "b"', callback='oob', session_handle='x y')
    assert list(parameters(draft)) == [
        'realm',
        'oauth_callback',
        'oauth_consumer_key',
        'oauth_nonce',
        'oauth_session_handle',
        'oauth_signature_method',
        'oauth_timestamp',
        'oauth_token',
        'oauth_version',
        'oauth_signature',
    ]
    assert parameters(draft)['realm'] == 'a%20%22b%22'
    assert parameters(draft)['oauth_session_handle'] == 'x%20y'
    assert draft.fields['authorization'][0] == 'Authorization'


def test_time_and_nonce_come_from_the_clock_unless_they_are_given() -> None:
    made = parameters(signed(drafted()))
    assert (made['oauth_timestamp'], made['oauth_nonce']) == ('1191242096', NONCE)
    given = parameters(signed(drafted(), timestamp=137131201, nonce='n/1', version='1.0a'))
    assert (given['oauth_timestamp'], given['oauth_nonce'], given['oauth_version']) == ('137131201', 'n%2F1', '1.0a')
    empty = parameters(signed(drafted(), timestamp='', nonce=''))
    assert (empty['oauth_timestamp'], empty['oauth_nonce']) == ('1191242096', NONCE)


def test_q7_a_nonce_cannot_be_foreseen_by_who_knows_the_seed_of_random() -> None:
    nonces = set()
    for _ in range(3):
        random.seed(7)
        draft = drafted()
        signer(KEYS).sign(draft, SYSTEM)
        nonces.add(parameters(draft)['oauth_nonce'])
    assert len(nonces) == 3
    assert {len(nonce) for nonce in nonces} == {32}


def test_the_query_takes_the_proof_behind_its_own_parameters() -> None:
    draft = signed(drafted('http://h.test/p?b=2&a=1#frag'), transport_method='query')
    assert draft.get('authorization') is None
    target, _, proof = draft.target.partition('&oauth_consumer_key=')
    assert target == '/p?b=2&a=1'
    assert proof.startswith('ck&oauth_nonce=')
    assert '&oauth_signature=' in proof
    assert draft.uri.hash == '#frag'


def test_a_proof_of_before_in_the_query_is_replaced() -> None:
    first = signed(drafted('http://h.test/p?a=1'), transport_method='query')
    again = signed(drafted(first.uri.href), transport_method='query')
    assert again.target == first.target


@pytest.mark.parametrize('transport', ['query', 'body'])
def test_a_realm_outside_the_header_is_signed_like_any_parameter(transport: str) -> None:
    draft = signed(drafted('http://h.test/p', 'POST', b'', FORM), transport_method=transport, realm='r s')
    sent = draft.uri.query if transport == 'query' else b''.join(draft.body.chunks()).decode()  # type: ignore[union-attr]
    assert sent is not None
    assert sent.startswith('realm=r%20s&oauth_consumer_key=ck&')
    proof = dict(piece.split('=') for piece in sent.split('&'))['oauth_signature']
    base = signatures.base_string('POST', 'http://h.test/p', signatures.pairs(sent))
    assert proof == signatures.encode_component(signature(base))


@pytest.mark.parametrize('body', [b'a=1', Pieces(), b'', None])
def test_the_content_takes_the_proof_and_its_length_counts_it(body: Any) -> None:
    draft = drafted('http://h.test/p', 'POST', body, FORM)
    draft.fields['transfer-encoding'] = ('transfer-encoding', 'chunked')
    signed(draft, transport_method='body')
    assert draft.body is not None
    sent = b''.join(draft.body.chunks())
    assert sent.startswith(b'a=1&oauth_consumer_key=ck&' if body else b'oauth_consumer_key=ck&')
    assert draft.get('content-length') == str(len(sent)) == str(draft.body.length)
    assert draft.get('transfer-encoding') is None
    assert draft.get('authorization') is None


def test_the_content_is_hashed_where_it_is_no_form() -> None:
    assert parameters(signed(drafted(method='POST', body=b'Hello World!'), body_hash=True))['oauth_body_hash'] == (
        'Lve95gjOVATpfV8EL5X4nxwjKHE%3D'
    )
    assert parameters(signed(drafted(), body_hash=True))['oauth_body_hash'] == '2jmj7l5rSw0yVb%2FvlWAYkK%2FYBwk%3D'
    form = signed(drafted(method='POST', body=b'a=1', content_type=FORM), body_hash=True)
    assert 'oauth_body_hash' not in parameters(form)
    assert 'oauth_body_hash' not in parameters(signed(drafted(), body_hash=False))
    assert parameters(signed(drafted(), body_hash='given='))['oauth_body_hash'] == 'given%3D'


def test_plaintext_sends_the_secrets_encoded_twice() -> None:
    assert parameters(signed(drafted(), signature_method='PLAINTEXT'))['oauth_signature'] == 'c%2526s%26t0k%2520s'


def test_rsa_signs_without_the_secret_of_the_token() -> None:
    pem = key_pem(rsa.generate_private_key(65537, 2048))
    given = {'consumer_key': 'ck', 'private_key': pem, 'signature_method': 'RSA-SHA1', 'token': 't'}
    sent = []
    for more in ({}, {'token_secret': 'x'}):
        draft = drafted()
        signer({**given, **more}).sign(draft, Frozen())
        sent.append(parameters(draft)['oauth_signature'])
    assert sent[0] == sent[1]


def key_pem(key: Any, passphrase: bytes | None = None) -> str:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode('ascii'))


def test_an_encrypted_key_is_opened_by_its_passphrase_which_is_not_sent() -> None:
    pem = key_pem(rsa.generate_private_key(65537, 2048), b'open sesame')
    given = {'consumer_key': 'ck', 'private_key': pem, 'signature_method': 'RSA-SHA1'}
    draft = drafted()
    signer({**given, 'passphrase': 'open sesame'}).sign(draft, Frozen())
    assert 'sesame' not in str(draft.fields)
    for wrong in ({}, {'passphrase': 'wrong'}):
        with pytest.raises(OptionsError, match=r'oauth\.private_key.*passphrase'):
            signer({**given, **wrong})


# -- what is refused at once


@pytest.mark.parametrize(
    ('given', 'text'),
    [
        ({}, 'consumer_key is missing'),
        ({'consumer_key': ''}, 'consumer_key is missing'),
        ({'consumer_key': 'k'}, r"consumer_secret is missing.*or ''"),
        ({'consumer_key': 'k', 'consumer_secret': None}, 'consumer_secret is missing'),
        ({'consumer_key': 'k', 'signature_method': 'RSA-SHA1'}, 'private_key is missing.*PEM'),
        ({**KEYS, 'signature_method': 'RSA-SHA1', 'private_key': 'PEM!'}, 'leave consumer_secret out'),
        ({**KEYS, 'private_key': 'PEM!'}, 'leave private_key out'),
        ({'consumer_key': 'k', 'consumer_secret': 's', 'token_secret': 'PEM!'}, 'give token too'),
        ({**KEYS, 'signature_method': 'HMAC-SHA512'}, "Signature method not supported: 'HMAC-SHA512'"),
        ({**KEYS, 'signature_method': 'hmac_sha256'}, "did you mean 'HMAC-SHA256'"),
        ({**KEYS, 'signature_method': 5}, 'Signature method not supported: 5'),
        ({**KEYS, 'transport_method': 'headers'}, "transport_method invalid: 'headers'; did you mean 'header'"),
        ({**KEYS, 'body_hash': True, 'signature_method': 'PLAINTEXT'}, 'PLAINTEXT signature_method not supported with'),
        ({**KEYS, 'body_hash': True, 'signature_method': 'HMAC-SHA256'}, 'not supported with body_hash signing'),
        ({**KEYS, 'body_hash': 5}, 'body_hash must be True or'),
        ({**KEYS, 'signature_method': 'PLAINTEXT', 'transport_method': 'query'}, 'addresses are logged'),
        ({**KEYS, 'timestamp': 'now'}, 'timestamp must be whole seconds'),
        ({**KEYS, 'timestamp': -1}, 'timestamp must be whole seconds'),
        ({**KEYS, 'timestamp': 1.5}, 'timestamp must be a str or an int, not a float'),
        ({**KEYS, 'consumer_secret': b'c&s'}, 'consumer_secret must be a str, not a bytes'),
        ({**KEYS, 'verifier': True}, 'verifier must be a str or an int'),
        ({**KEYS, 'realm': ['r']}, 'realm must be a str or an int'),
        ({**KEYS, 'callback': '\ud800'}, 'callback holds a lone surrogate'),
        ({**KEYS, 'consumer_secret': 'c&s\ud800'}, 'consumer_secret holds a lone surrogate'),
    ],
)
def test_keys_that_cannot_be_signed_with_are_an_error_that_tells_no_secret(given: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionsError, match=text) as caught:
        signer(given)
    assert not [secret for secret in (*SECRETS, 'PEM!') if secret in str(caught.value)]


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        ('consumerkey', "did you mean 'consumer_key'"),
        ('token_secrets', "did you mean 'token_secret'"),
        ('signaturemethod', "did you mean 'signature_method'"),
        ('client_secret', "did you mean 'consumer_secret'"),
        ('resource_owner_key', "did you mean 'token'"),
        ('oauth_token', "did you mean 'token'"),
        ('signature', 'it is made'),
        ('shared_secret', 'looks like a secret'),
        ('a b', 'can be no parameter'),
        ('a"', 'can be no parameter'),
    ],
)
def test_a_key_that_is_a_slip_or_would_give_a_secret_away_is_an_error(name: str, text: str) -> None:
    with pytest.raises(UnknownOption, match=text) as caught:
        signer({**KEYS, name: 'hush'})
    assert 'hush' not in str(caught.value)


def test_a_key_that_nobody_documented_is_sent_along_as_in_node() -> None:
    assert parameters(signed(drafted(), session_handle='s', xoauth_requestor_id='u'))['oauth_session_handle'] == 's'


@pytest.mark.parametrize(
    ('key', 'text'),
    [
        ('no key at all', 'no private key'),
        ('-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----', 'cannot be read'),
        (5, 'must be a private key'),
        (key_pem(ec.generate_private_key(ec.SECP256R1())), 'no RSA key'),
        ('', 'is missing'),
    ],
)
def test_a_key_that_does_not_parse_is_an_error_at_the_call(key: Any, text: str) -> None:
    with pytest.raises(OptionsError, match=text) as caught:
        request.get('http://h.test/', oauth={'consumer_key': 'k', 'private_key': key, 'signature_method': 'RSA-SHA1'})
    assert 'AAAA' not in str(caught.value)
    assert 'no key at all' not in str(caught.value)


@pytest.mark.parametrize(
    ('draft', 'given'),
    [
        (lambda: drafted(method='POST', body=Once(), content_type=FORM), {}),
        (lambda: drafted(method='POST', body=Once(), content_type=FORM), {'transport_method': 'body'}),
        (lambda: drafted(method='PUT', body=Once()), {'body_hash': True}),
    ],
)
def test_a_stream_that_would_be_used_up_is_an_error_that_names_the_fix(draft: Any, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidBody, match='give bytes, a file or a list'):
        signed(draft(), **given)


def test_a_stream_that_is_not_covered_is_not_read() -> None:
    assert parameters(signed(drafted(method='PUT', body=Once(), content_type='text/plain')))


@pytest.mark.parametrize(
    'draft',
    [
        drafted(),
        drafted(method='PUT', body=b'a=1', content_type=FORM),
        drafted(method='POST', body=b'{}', content_type='application/json'),
        drafted(method='POST', body=b'a=1'),
    ],
)
def test_a_proof_in_the_content_wants_a_form_that_is_posted(draft: Draft) -> None:
    with pytest.raises(OptionsError, match=f'oauth: transport_method of body requires POST and content-type {FORM}'):
        signed(draft, transport_method='body')


@pytest.mark.parametrize(
    ('method', 'given', 'error'),
    [
        ('GET', {'oauth': {**KEYS, 'transport_method': 'body'}}, OptionsError),
        ('POST', {'oauth': {**KEYS, 'body_hash': True}, 'body': iter([b'x'])}, InvalidBody),
        ('POST', {'oauth': KEYS, 'body': iter([b'x']), 'headers': {'Content-Type': FORM}}, InvalidBody),
        ('GET', {'oauth': KEYS, 'auth': ('ann', 'x')}, OptionsError),
        ('GET', {'oauth': {**KEYS, 'transport_method': 'query'}, 'auth': {'user': 'a', 'digest': True}}, OptionsError),
        ('GET', {'oauth': 'ck'}, InvalidOptionType),
    ],
)
def test_what_cannot_be_signed_is_an_error_at_the_call(method: str, given: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        request('http://h.test/', method=method, **given)


# -- what is shown


def test_no_secret_is_shown_by_anything_that_holds_one() -> None:
    made = signer(KEYS)
    shown = [repr(made), str(made), repr(read(KEYS)), repr(claim('oauth', KEYS)), repr(signed(drafted()))]
    assert not [text for text in shown for secret in SECRETS if secret in text]
