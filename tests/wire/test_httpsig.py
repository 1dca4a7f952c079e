"""HTTP Signature and RFC 9421 over real connections: what a server can verify of what arrives, and whom nobody signs for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import pickle
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import InvalidBody, OptionsError, pipe, request
from tests.servers import HttpServer, Seen, redirect
from tests.unit.auth.keyring import PASSPHRASE, key, written

Servers = Callable[..., HttpServer]
SECRET = 'a-shared-s3cret'
HMAC = {'keyId': 'me', 'key': SECRET, 'algorithm': 'hmac-sha256', 'headers': ['(request-target)', 'host', 'date']}
MESSAGE = {'key_id': 'me', 'key': SECRET, 'algorithm': 'hmac-sha256'}
PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def is_signed(seen: Seen, field: str = 'authorization') -> bool:
    """Whether the request that arrived carries a signature, which then must be right for what arrived."""
    value = seen.header(field)
    if value is None:
        return False
    found = dict(PARAMETER.findall(value))
    lines = []
    for name in found['headers'].split(' '):
        text = f'{seen.method.lower()} {seen.target}' if name == '(request-target)' else seen.header(name)
        lines.append(f'{name}: {text}')
    wanted = hmac.new(SECRET.encode(), '\n'.join(lines).encode(), 'sha256').digest()
    assert base64.b64decode(found['signature']) == wanted
    return True


def verified(seen: Seen, origin: str) -> Any:
    """What the verifier of http-message-signatures says is covered of a request as it arrived."""
    package = pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')

    class Received:
        method = seen.method
        url = origin + seen.target
        headers = dict(seen.headers)

    verifier = package.HTTPMessageVerifier(
        signature_algorithm=package.algorithms.HMAC_SHA256,
        key_resolver=package.MappingKeyResolver(public_keys={'me': SECRET.encode()}, private_keys={}),
    )
    return verifier.verify(Received(), body=seen.body)[0].covered_components


def test_what_is_signed_is_what_arrives(server: HttpServer) -> None:
    names = ['(request-target)', 'host', 'date', 'digest', 'content-type', 'content-length', 'cookie', 'x-a']
    request.post(
        server.url + '/a b/é?q=[1]&z=%7e',
        json={'a': 'é'},
        headers={'X-A': '1', 'cookie': 'a=b'},
        http_signature={**HMAC, 'headers': names},
    ).end()
    seen = server.requests[0]
    assert is_signed(seen)
    assert seen.header('digest') == 'SHA-256=' + base64.b64encode(hashlib.sha256(seen.body).digest()).decode()


@pytest.mark.parametrize('content', [{}, {'form': {'a': '1'}}, {'stream': True}, {'form_data': {'a': b'1'}}], ids=str)
def test_every_field_that_is_sent_can_be_signed(server: HttpServer, content: dict[str, Any]) -> None:
    def send(**options: Any) -> Seen:
        more = {'body': iter([b'a', b'b'])} if 'stream' in content else content
        request({'uri': server.url, 'method': 'POST', 'gzip': True, 'jar': True, **more, **options}).end()
        return server.requests[-1]

    names = [name.lower() for name in send().names]
    assert {'host', 'user-agent', 'accept-encoding'} < set(names)
    assert 'transfer-encoding' in names or 'content-length' in names
    assert is_signed(send(http_signature={**HMAC, 'headers': [*names, 'date']}))


def test_a_file_is_hashed_and_then_sent_whole(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / 'body.bin'
    path.write_bytes(bytes(range(256)) * 4000)
    with path.open('rb') as file:
        request.put(server.url, body=file, http_signature={**HMAC, 'headers': ['digest']}).end()
    assert server.requests[0].body == path.read_bytes()
    assert is_signed(server.requests[0])
    digest = base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()
    assert server.requests[0].header('digest') == f'SHA-256={digest}'


def test_the_chain_method_signs_as_the_option_does(server: HttpServer) -> None:
    request(server.url).http_signature(HMAC).end()
    request(server.url).httpSignature(HMAC).end()
    assert [is_signed(seen) for seen in server.requests] == [True, True]


def test_a_private_key_is_read_once_for_all_requests_of_a_wrapper(server: HttpServer) -> None:
    class Text(str):
        __slots__ = ()
        read = 0

        def encode(self, *arguments: Any) -> bytes:
            Text.read += 1
            return super().encode(*arguments)

    hidden = Text(written('rsa', 'pkcs8', encrypted=True).decode())
    api = request.defaults(http_signature={'keyId': 'me', 'key': hidden, 'passphrase': PASSPHRASE})
    for _ in range(3):
        api.get(server.url).end()
    assert Text.read == 1
    assert all('algorithm="rsa-sha256"' in (seen.header('authorization') or '') for seen in server.requests)


def test_many_threads_share_one_signer(server: HttpServer) -> None:
    api = request.defaults(http_signature={**HMAC, 'headers': ['(request-target)', 'x-n', 'date']})
    threads = [
        threading.Thread(target=lambda n=n: api.get(f'{server.url}/{n}', headers={'x-n': str(n)}).end())
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.requests) == 16
    assert all(is_signed(seen) for seen in server.requests)


def test_defaults_give_the_keys_and_a_call_its_own(server: HttpServer) -> None:
    api = request.defaults(http_signature=HMAC)
    api.get(server.url, http_signature={'headers': ['host']}).end()
    api.get(server.url, http_signature=None).end()
    assert is_signed(server.requests[0])
    assert 'headers="host"' in (server.requests[0].header('authorization') or '')
    assert not is_signed(server.requests[1])


def test_a_header_written_by_hand_wins_over_the_signer(server: HttpServer) -> None:
    request(server.url, headers={'Authorization': 'mine'}, http_signature=HMAC).end()
    elsewhere = {**HMAC, 'authorizationHeaderName': 'X-Sig'}
    request(server.url, headers={'x-sig': 'mine'}, http_signature=elsewhere).end()
    request(server.url, headers={'Authorization': 'mine'}, http_signature=elsewhere).end()
    first, second, third = server.requests
    assert first.header('authorization') == 'mine'
    assert second.header('x-sig') == 'mine'
    assert (third.header('authorization'), is_signed(third, 'x-sig')) == ('mine', True)


# -- Redirects


def test_a_redirect_within_the_origin_is_signed_anew(server: HttpServer) -> None:
    server.routes['/start'] = redirect('/end?x=1')
    request(server.url + '/start', http_signature=HMAC).end()
    assert [seen.target for seen in server.requests] == ['/start', '/end?x=1']
    assert [is_signed(seen) for seen in server.requests] == [True, True]
    first, second = (seen.header('authorization') for seen in server.requests)
    assert first != second


def test_a_digest_describes_the_content_of_its_own_hop(server: HttpServer) -> None:
    server.routes['/start'] = redirect('/end', 303)
    given = {**HMAC, 'headers': ['(request-target)', 'digest']}
    request.post(server.url + '/start', body=b'data', follow_all_redirects=True, http_signature=given).end()
    assert [seen.method for seen in server.requests] == ['POST', 'GET']
    for seen in server.requests:
        assert is_signed(seen)
        assert seen.header('digest') == 'SHA-256=' + base64.b64encode(hashlib.sha256(seen.body).digest()).decode()


@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
@pytest.mark.parametrize('name', ['Authorization', 'Signature', 'X-Sig'])
def test_r4_no_other_origin_is_signed_for(http_server: Servers, status: int, name: str) -> None:
    """SECURITY R4."""
    named, other = http_server(), http_server()
    named.routes['/start'] = redirect(f'{other.url}/there', status)
    request(named.url + '/start', http_signature={**HMAC, 'authorizationHeaderName': name}).end()
    assert is_signed(named.requests[0], name)
    assert other.requests[0].target == '/there'
    assert not is_signed(other.requests[0], name)
    assert 'ignature' not in str(other.requests[0].headers)


def test_r4_once_dropped_the_signature_stays_dropped_on_the_way_back(http_server: Servers) -> None:
    """SECURITY R3, R4: A to B to A."""
    named, other = http_server(), http_server()
    named.routes['/start'] = redirect(f'{other.url}/there')
    other.routes['/there'] = redirect(f'{named.url}/back')
    request(named.url + '/start', http_signature=HMAC).end()
    assert [seen.target for seen in named.requests] == ['/start', '/back']
    assert [is_signed(seen) for seen in (*named.requests, *other.requests)] == [True, False, False]


def test_r4_no_message_signature_goes_to_another_origin(http_server: Servers) -> None:
    """SECURITY R3, R4 for RFC 9421."""
    named, other = http_server(), http_server()
    named.routes['/start'] = redirect(f'{other.url}/there')
    other.routes['/there'] = redirect(f'{named.url}/back')
    pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')
    request(named.url + '/start', http_message_signature=MESSAGE).end()
    assert verified(named.requests[0], named.url)
    for seen in (*other.requests, *named.requests[1:]):
        assert seen.header('signature') is None
        assert seen.header('signature-input') is None


# -- RFC 9421


def test_a_message_signature_is_verified_by_its_package(server: HttpServer) -> None:
    server.routes['/start'] = redirect('/end', 307)
    pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')
    given = {**MESSAGE, 'nonce': True, 'expires_in': 60, 'tag': 'app'}
    request.post(
        server.url + '/start?a=b c', body='data', follow_all_redirects=True, http_message_signature=given
    ).end()
    assert [seen.target for seen in server.requests] == ['/start?a=b%20c', '/end']
    for seen in server.requests:
        assert seen.body == b'data'
        assert list(verified(seen, server.url))[:4] == [
            '"@method"',
            '"@authority"',
            '"@target-uri"',
            '"content-digest"',
        ]
    nonces = {re.search('nonce="(.+?)"', seen.header('signature-input') or '')[1] for seen in server.requests}  # type: ignore[index]
    assert len(nonces) == 2


def test_both_ways_can_sign_one_request(server: HttpServer) -> None:
    pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')
    message = {**MESSAGE, 'components': ['@method', 'authorization']}
    request(server.url, http_signature=HMAC, http_message_signature=message).end()
    assert is_signed(server.requests[0])
    assert '"authorization"' in verified(server.requests[0], server.url)
    with pytest.raises(OptionsError, match="each set the field 'signature'"):
        request(
            server.url, http_signature={**HMAC, 'authorizationHeaderName': 'Signature'}, http_message_signature=message
        )


# -- Nothing goes out unsigned


@pytest.mark.parametrize(
    'given',
    [
        {},
        {'keyId': 'me'},
        {**HMAC, 'algorithm': 'hmac-md5'},
        {**HMAC, 'algorithm': 'rsa-sha256'},
        {**HMAC, 'kee': 'x'},
        {'keyId': 'me', 'key': 'not a key'},
        {'keyId': 'me', 'key': written('rsa', 'pkcs8', encrypted=True), 'passphrase': 'wr0ng'},
        {'keyId': 'me', 'key': written('rsa'), 'algorithm': 'ecdsa-sha256'},
    ],
)
def test_keys_that_cannot_sign_are_an_error_of_the_call(server: HttpServer, given: dict[str, Any]) -> None:
    with pytest.raises(OptionsError, match='http_signature'):
        request(server.url, http_signature=given)
    with pytest.raises(OptionsError, match='http_signature'):
        request(server.url).http_signature(given)
    assert server.requests == []


@pytest.mark.parametrize('option', ['http_signature', 'http_message_signature'])
def test_a_stream_whose_hash_is_needed_is_an_error_of_the_call(server: HttpServer, option: str) -> None:
    if option == 'http_message_signature':
        pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')
    given = {**HMAC, 'headers': ['digest']} if option == 'http_signature' else MESSAGE
    with pytest.raises(InvalidBody, match='stream that can be read only once'):
        request.put(server.url, body=iter([b'x']), **{option: given})
    assert server.requests == []
    headers = {'digest': 'SHA-256=x', 'content-digest': f'sha-256=:{base64.b64encode(bytes(32)).decode()}:'}
    request.put(server.url, body=iter([b'x']), headers=headers, **{option: given}).end()
    assert server.requests[0].body == b'x'


def test_a_stream_that_is_piped_in_cannot_be_hashed(server: HttpServer) -> None:
    with pytest.raises(InvalidBody, match='stream that can be read only once'):
        pipe(iter([b'x']), request.put(server.url, http_signature={**HMAC, 'headers': ['digest']}))
    assert server.requests == []


def test_what_can_only_be_known_later_is_an_error_before_any_byte_is_sent(server: HttpServer) -> None:
    heard: list[Any] = []
    request(server.url, lambda *told: heard.append(told), http_signature={**HMAC, 'headers': ['x-missing']})
    assert [(type(error), response, body) for error, response, body in heard] == [(OptionsError, None, None)]
    assert 'x-missing was not in the request' in str(heard[0][0])
    assert server.requests == []


def test_q9_no_secret_is_shown(server: HttpServer, caplog: pytest.LogCaptureFixture) -> None:
    """SECURITY Q9: keys and passphrases stay out of repr, JSON, curl commands, logs and errors."""
    caplog.set_level(logging.DEBUG)
    hidden = written('ecdsa', 'pkcs8', encrypted=True).decode()
    private = {'keyId': 'me', 'key': hidden, 'passphrase': PASSPHRASE}
    shown = []
    for given in (HMAC, private):
        sent = request(server.url, http_signature=given)
        shown += [repr(sent), str(sent)]
        response = sent.end()
        shown += [str(sent.to_json()), repr(response)]
        for broken in (
            {**given, 'headers': ['x-missing']},
            {**given, 'algorithm': 'x'},
            {**given, 'passphrase': 'wr0ng!'},
        ):
            with pytest.raises(OptionsError) as caught:
                request(server.url, http_signature=broken).end()
            shown += [str(caught.value), repr(caught.value), repr(pickle.dumps(caught.value))]
    told = '\n'.join(shown) + caplog.text
    lines = [line for line in hidden.splitlines() if '-----' not in line]
    for secret in (SECRET, PASSPHRASE, 'wr0ng!', *lines):
        assert secret not in told


def test_the_key_object_of_cryptography_signs_too(server: HttpServer) -> None:
    request(server.url, http_signature={'keyId': 'me', 'key': key('ed25519')}).end()
    found = dict(PARAMETER.findall(server.requests[0].header('authorization') or ''))
    text = f'date: {server.requests[0].header("date")}'.encode()
    key('ed25519').public_key().verify(base64.b64decode(found['signature']), text)
