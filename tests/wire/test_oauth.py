"""OAuth 1.0a over real connections: every proof is checked by arithmetic of the test's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest

from requite import InvalidBody, OptionsError, UnknownOption, pipe, request
from tests.servers import Answer, HttpServer, Seen, redirect, reply

Servers = Callable[..., HttpServer]
SECRET, TOKEN_SECRET = 'c0nsumer&', 't0ken s3cret'
KEYS = {'consumer_key': 'ck', 'consumer_secret': SECRET, 'token': 'tk', 'token_secret': TOKEN_SECRET}
FORM = 'application/x-www-form-urlencoded'
HUSHED = tuple(part for secret in (SECRET, TOKEN_SECRET) for part in (secret, quote(secret, safe='')))


def own_parameters(seen: Seen) -> list[tuple[str, str]]:
    """What Authorization says, decoded, without the realm."""
    scheme, _, rest = (seen.header('authorization') or '').partition(' ')
    pieces = [piece.partition('=') for piece in rest.split(',')] if scheme == 'OAuth' else []
    return [(name, unquote(value.strip('"'))) for name, _, value in pieces if name != 'realm']


def parameters(seen: Seen) -> list[tuple[str, str]]:
    """All that the signature covers, and the signature."""
    form = seen.text if (seen.header('content-type') or '').startswith(FORM) else ''
    query = seen.target.partition('?')[2]
    return own_parameters(seen) + [pair for text in (query, form) for pair in parse_qsl(text, keep_blank_values=True)]


def is_proved(seen: Seen) -> bool:
    """Whether the signature is right, and no parameter of the protocol comes twice (RFC 5849 3.2)."""
    came = parameters(seen)
    given = [name for name, _ in came if name.startswith('oauth_')]
    if not given or len(given) != len(set(given)):
        return False
    covered = sorted(
        (quote(name, safe='~'), quote(value, safe='~')) for name, value in came if name != 'oauth_signature'
    )
    address = f'http://{seen.header("host")}{seen.path}'
    text = '&'.join(f'{name}={value}' for name, value in covered)
    base = '&'.join(quote(part, safe='~') for part in (seen.method.upper(), address, text))
    key = f'{quote(SECRET, safe="~")}&{quote(TOKEN_SECRET, safe="~")}'
    proof = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
    return dict(came)['oauth_signature'] == proof


def guard(seen: Seen) -> Answer:
    return reply('in') if is_proved(seen) else reply('out', 401)


@pytest.mark.parametrize('transport', ['header', 'query', 'body'])
def test_each_transport_proves_what_is_sent(http_server: Servers, transport: str) -> None:
    server = http_server(guard)
    response = request.post(
        server.url + '/p?q=a+b&q=a',
        form={'f': ["it's", '\xe4 &='], 'e': ''},
        oauth={**KEYS, 'transport_method': transport},
    ).end()
    assert (response.status_code, response.body) == (200, 'in')
    (seen,) = server.requests
    assert bool(seen.header('authorization')) is (transport == 'header')
    assert ('oauth_signature=' in seen.target) is (transport == 'query')
    assert ('oauth_signature=' in seen.text) is (transport == 'body')
    assert seen.header('content-length') == str(len(seen.body))


def test_the_address_of_a_signed_query_is_the_responses(http_server: Servers) -> None:
    server = http_server(guard)
    response = request.get(server.url + '/p?a=1', oauth={**KEYS, 'transport_method': 'query'}).end()
    assert response.body == 'in'
    assert response.request.uri.path == server.requests[0].target


def test_a_chain_call_and_the_keys_of_a_wrapper_sign_too(http_server: Servers) -> None:
    server = http_server(guard)
    assert request.get(server.url).oauth(KEYS).end().body == 'in'
    consumer = {name: KEYS[name] for name in ('consumer_key', 'consumer_secret')}
    user = {'token': 'tk', 'tokenSecret': TOKEN_SECRET}
    wrapper = request.defaults(oauth=consumer)
    assert [wrapper.get(server.url, oauth=user).end().body for _ in range(2)] == ['in', 'in']
    nonces = [dict(parameters(seen))['oauth_nonce'] for seen in server.requests]
    assert len(set(nonces)) == 3
    assert {len(nonce) for nonce in nonces} == {32}


def test_an_authorization_written_by_hand_wins(http_server: Servers) -> None:
    server = http_server()
    keys = {**KEYS, 'body_hash': True}
    request.put(server.url, oauth=keys, headers={'Authorization': 'Own one'}, body=chunks()).end()
    assert server.requests[0].header('authorization') == 'Own one'
    assert server.requests[0].body == b'a=1'


def test_a_file_is_hashed_and_sent(http_server: Servers, tmp_path: Path) -> None:
    server = http_server(guard)
    path = tmp_path / 'data.bin'
    path.write_bytes(b'Hello World!')
    with path.open('rb') as file:
        assert request.put(server.url, body=file, oauth={**KEYS, 'body_hash': True}).end().body == 'in'
    (seen,) = server.requests
    assert seen.body == b'Hello World!'
    assert dict(own_parameters(seen))['oauth_body_hash'] == 'Lve95gjOVATpfV8EL5X4nxwjKHE='


# -- redirects


def test_a_redirect_within_the_origin_is_signed_anew(http_server: Servers) -> None:
    server = http_server(guard)
    server.routes['/old'] = redirect('/new?x=1')
    assert request.get(server.url + '/old', oauth=KEYS).end().body == 'in'
    first, second = (dict(own_parameters(seen)) for seen in server.requests)
    assert first['oauth_nonce'] != second['oauth_nonce']


def test_a_nonce_that_was_given_stays_whatever_is_asked(http_server: Servers) -> None:
    server = http_server(guard)
    server.routes['/old'] = redirect('/new')
    request.get(server.url + '/old', oauth={**KEYS, 'nonce': 'n1', 'timestamp': '137131201'}).end()
    assert [dict(own_parameters(seen))['oauth_nonce'] for seen in server.requests] == ['n1', 'n1']


@pytest.mark.parametrize('transport', ['header', 'query', 'body'])
def test_a_form_that_is_sent_again_has_one_proof(http_server: Servers, transport: str) -> None:
    server = http_server(guard)
    # As servers do that only add a slash: all of the query comes back.
    server.routes['/old'] = lambda seen: redirect(seen.target.replace('/old', '/old/', 1), 307)
    oauth = {**KEYS, 'transport_method': transport}
    response = request.post(server.url + '/old?a=1', form={'f': '1'}, oauth=oauth, follow_all_redirects=True).end()
    assert (response.status_code, response.body) == (200, 'in')
    assert [seen.path for seen in server.requests] == ['/old', '/old/']
    proofs = [dict(parameters(seen))['oauth_signature'] for seen in server.requests]
    assert proofs[0] != proofs[1]


def test_the_proof_of_a_query_is_in_no_referer(http_server: Servers) -> None:
    server = http_server(guard)
    server.routes['/old'] = redirect('/new')
    request.get(server.url + '/old?a=1', oauth={**KEYS, 'transport_method': 'query'}).end()
    assert server.requests[1].header('referer') == server.url + '/old?a=1'


@pytest.mark.parametrize('transport', ['header', 'query'])
def test_r4_no_other_origin_is_signed_for(http_server: Servers, transport: str) -> None:
    other = http_server()
    server = http_server(guard)
    server.routes['/out'] = redirect(f'{other.url}/x')
    request.get(server.url + '/out', oauth={**KEYS, 'transport_method': transport}).end()
    assert [parameters(seen) for seen in other.requests] == [[]]


@pytest.mark.parametrize('transport', ['header', 'query', 'body'])
def test_r4_once_dropped_the_signature_stays_dropped_on_the_way_back(http_server: Servers, transport: str) -> None:
    server = http_server(guard)
    other = http_server(lambda seen: redirect(f'{server.url}/back', 307))
    server.routes['/out'] = redirect(f'{other.url}/x', 307)
    oauth = {**KEYS, 'transport_method': transport}
    response = request.post(server.url + '/out', form={'f': '1'}, oauth=oauth, follow_all_redirects=True).end()
    assert response.status_code == 401
    assert [is_proved(seen) for seen in server.requests] == [True, False]
    assert [parameters(seen) for seen in (*other.requests, server.requests[1])] == [[('f', '1')], [('f', '1')]]


def test_a_redirect_that_takes_the_form_away_is_proved_in_the_header(http_server: Servers) -> None:
    server = http_server(guard)
    server.routes['/old'] = redirect('/new', 303)
    oauth = {**KEYS, 'transport_method': 'body', 'realm': 'photos'}
    response = request.post(server.url + '/old', form={'f': '1'}, oauth=oauth, follow_all_redirects=True).end()
    assert response.body == 'in'
    assert [(seen.method, seen.target, seen.header('authorization') is None) for seen in server.requests] == [
        ('POST', '/old', True),
        ('GET', '/new', False),
    ]


def test_a_key_that_the_provider_has_of_its_own_keeps_the_callers_spelling(server: HttpServer) -> None:
    keys = {'consumerKey': 'ck', 'consumerSecret': SECRET, 'sessionHandle': 'h', 'xauth_mode': 'm'}
    request.get(server.url, oauth=keys).end()
    sent = dict(own_parameters(server.requests[0]))
    assert (sent['oauth_consumer_key'], sent['oauth_sessionHandle'], sent['oauth_xauth_mode']) == ('ck', 'h', 'm')


@pytest.mark.parametrize('slip', ['clientSecret', 'tokenSecrett', 'oauthToken', 'somePassword', 'ConsumerKey2'])
def test_a_slip_in_nodes_spelling_is_an_error_too(server: HttpServer, slip: str) -> None:
    with pytest.raises(UnknownOption, match=slip):
        request.get(server.url, oauth={**KEYS, slip: 'x'})
    assert server.requests == []


def test_a_key_that_cannot_be_read_is_told_of_no_shared_secret(server: HttpServer) -> None:
    keys = {'consumer_key': 'ck', 'signature_method': 'RSA-SHA1', 'private_key': 'no key'}
    with pytest.raises(OptionsError, match=r'oauth\.private_key') as caught:
        request.get(server.url, oauth=keys)
    assert 'hmac' not in str(caught.value)


# -- what cannot be signed is not sent


def chunks() -> Iterator[bytes]:
    yield b'a=1'


@pytest.mark.parametrize(
    'given',
    [
        {'body': chunks(), 'oauth': {**KEYS, 'body_hash': True}},
        {'body': chunks(), 'headers': {'content-type': FORM}, 'oauth': KEYS},
        {'body': b'a=1', 'oauth': {**KEYS, 'transport_method': 'body'}},
        {'json': {'a': 1}, 'oauth': {**KEYS, 'transport_method': 'body'}},
        {'body': b'x', 'oauth': {**KEYS, 'body_hash': True, 'signature_method': 'PLAINTEXT'}},
        {'oauth': {'consumer_key': 'ck'}},
    ],
)
def test_what_cannot_be_signed_is_an_error_and_nothing_is_sent(server: HttpServer, given: dict[str, Any]) -> None:
    with pytest.raises(OptionsError) as caught:
        request.post(server.url, **given).end()
    assert server.requests == []
    assert not [secret for secret in HUSHED if secret in str(caught.value) + repr(caught.value)]


def test_a_stream_that_is_piped_in_cannot_be_hashed(server: HttpServer) -> None:
    with pytest.raises(InvalidBody, match='give bytes, a file or a list'):
        pipe(iter([b'x']), request.post(server.url, oauth={**KEYS, 'body_hash': True}))
    assert server.requests == []


def test_a_file_that_is_piped_in_is_signed_beside(http_server: Servers) -> None:
    server = http_server(guard)
    assert pipe(io.BytesIO(b'a=1'), request.post(server.url, oauth=KEYS)).end().body == 'in'


def test_no_secret_is_shown_by_request_response_or_error(http_server: Servers) -> None:
    server = http_server(guard)
    server.routes['/gone'] = lambda seen: None
    for transport in ('header', 'query', 'body'):
        oauth = {**KEYS, 'transport_method': transport}
        pending = request.post(server.url, form={'f': '1'}, oauth=oauth)
        shown = [repr(pending), str(pending.to_json()), str(pending.headers), repr(pending._options.oauth)]
        response = pending.end()
        shown += [repr(response), str(response.to_json()), repr(response.request), str(response.request.to_json())]
        with pytest.raises(ConnectionResetError) as caught:
            request.post(server.url + '/gone', form={'f': '1'}, oauth=oauth).end()
        shown += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
        assert not [text for text in shown for secret in HUSHED if secret in text]


def test_both_spellings_of_a_key_are_one(http_server: Servers) -> None:
    server = http_server(guard)
    keys = {'consumerKey': 'ck', 'consumerSecret': SECRET, 'token': 'tk', 'tokenSecret': TOKEN_SECRET}
    assert request.get(server.url, oauth={**keys, 'transportMethod': 'query'}).end().body == 'in'
    assert 'oauth_signature=' in server.requests[0].target
