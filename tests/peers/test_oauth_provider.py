"""OAuth 1.0a as a provider that nobody here wrote checks it: oauthlib's endpoints behind a server of the tests, all three legs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from requite import request
from tests.servers import Answer, HttpServer, Seen

oauth1 = pytest.importorskip('oauthlib.oauth1', reason='oauthlib is not installed')
pytest.importorskip('jwt', reason="PyJWT is not installed: pip install 'oauthlib[signedtoken]'")

Servers = Callable[..., HttpServer]
CONSUMER = 'consumerconsumerconsumer'
# oauthlib decodes what it finds in content twice: there, the secrets of PLAINTEXT must not hold anything to encode.
SIMPLE = 'simplesimplesimple12'
SECRETS = {CONSUMER: 'shh, & "quoted" \xe4', SIMPLE: 'simple'}
CALLBACK = 'http://client.test/ready?for=it'
KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PUBLIC = (
    KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)
WAYS = [
    (method, transport)
    for method in ('HMAC-SHA1', 'HMAC-SHA256', 'RSA-SHA1', 'PLAINTEXT')
    for transport in ('header', 'query', 'body')
    if (method, transport) != ('PLAINTEXT', 'query')  # refused: the secrets would stand in the address
]


class Book(oauth1.RequestValidator):  # type: ignore[misc]
    """What the provider knows: one consumer, the tokens it gave out, and the nonces it saw."""

    # 32 digits, as Node's; oauthlib's own default ends at 30.
    nonce_length = (20, 40)
    client_key_length = (20, 40)
    request_token_length = access_token_length = verifier_length = (20, 40)
    enforce_ssl = False
    dummy_client = dummy_request_token = dummy_access_token = 'nobody'

    def __init__(self) -> None:
        super().__init__()
        self.pending: dict[str, dict[str, str]] = {}
        self.granted: dict[str, str] = {}
        self.verifiers: dict[str, str] = {}
        self.nonces: set[tuple[Any, ...]] = set()

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key in SECRETS

    def validate_request_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.pending

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token in self.granted

    def validate_timestamp_and_nonce(
        self, client_key: str, timestamp: str, nonce: str, request: Any, **tokens: Any
    ) -> bool:
        seen = (client_key, timestamp, nonce, *tokens.values())
        new = seen not in self.nonces
        self.nonces.add(seen)
        return new

    def validate_redirect_uri(self, client_key: str, redirect_uri: str, request: Any) -> bool:
        return redirect_uri in (CALLBACK, 'oob')

    def validate_requested_realms(self, client_key: str, realms: list[str], request: Any) -> bool:
        return True

    def validate_realms(self, client_key: str, token: str, request: Any, uri: Any = None, realms: Any = None) -> bool:
        return True

    def validate_verifier(self, client_key: str, token: str, verifier: str, request: Any) -> bool:
        return self.verifiers.get(token) == verifier

    def verify_request_token(self, token: str, request: Any) -> bool:
        return token in self.pending

    def verify_realms(self, token: str, realms: list[str], request: Any) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return SECRETS[client_key]

    def get_rsa_key(self, client_key: str, request: Any) -> str:
        return PUBLIC

    def get_request_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.pending.get(token, {}).get('oauth_token_secret', 'none')

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self.granted.get(token, 'none')

    def get_default_realms(self, client_key: str, request: Any) -> list[str]:
        return []

    def get_realms(self, token: str, request: Any) -> list[str]:
        return []

    def get_redirect_uri(self, token: str, request: Any) -> str:
        return CALLBACK

    def save_request_token(self, token: dict[str, str], request: Any) -> None:
        self.pending[token['oauth_token']] = token

    def save_verifier(self, token: str, verifier: dict[str, str], request: Any) -> None:
        self.verifiers[token] = verifier['oauth_verifier']

    def save_access_token(self, token: dict[str, str], request: Any) -> None:
        self.granted[token['oauth_token']] = token['oauth_token_secret']

    def invalidate_request_token(self, client_key: str, request_token: str, request: Any) -> None:
        del self.pending[request_token]


class Provider:
    """The four addresses of a provider."""

    def __init__(self) -> None:
        self.book = Book()
        self.endpoints = oauth1.WebApplicationServer(self.book)

    def __call__(self, seen: Seen) -> Answer:
        asked = (
            f'http://{seen.header("host")}{seen.target}',
            seen.method,
            seen.body.decode('latin-1'),
            self.fields(seen),
        )
        if seen.path == '/resource':
            allowed, _ = self.endpoints.validate_protected_resource_request(*asked, realms=[])
            return Answer(200 if allowed else 401, {}, 'yours' if allowed else 'not yours')
        made = {
            '/request-token': self.endpoints.create_request_token_response,
            '/authorize': self.endpoints.create_authorization_response,
            '/access-token': self.endpoints.create_access_token_response,
        }[seen.path]
        fields, body, status = made(*asked)
        return Answer(status, {name.lower(): value for name, value in fields.items()}, body or '')

    def fields(self, seen: Seen) -> dict[str, str]:
        """The fields as oauthlib wants them."""
        return {name.title(): value for name, value in seen.headers}


@pytest.fixture
def provider(http_server: Servers) -> HttpServer:
    return http_server(Provider())


def keys(method: str, transport: str, **more: str) -> dict[str, str]:
    consumer = SIMPLE if (method, transport) == ('PLAINTEXT', 'body') else CONSUMER
    secret = {'private_key': PEM} if method == 'RSA-SHA1' else {'consumer_secret': SECRETS[consumer]}
    return {'consumer_key': consumer, 'signature_method': method, 'transport_method': transport, **secret, **more}


def tokens(body: Any) -> dict[str, str]:
    found = {name: values[0] for name, values in parse_qs(body).items()}
    return {'token': found['oauth_token'], 'token_secret': found['oauth_token_secret']}


def ask(provider: HttpServer, path: str, oauth: dict[str, str], **given: Any) -> Any:
    """A POST with a form, or without one where the proof does not want one."""
    form = {} if oauth['transport_method'] != 'body' else {'form': given.pop('form', {})}
    return request.post(provider.url + path, oauth=oauth, **form, **given).end()


@pytest.mark.parametrize(('method', 'transport'), WAYS)
def test_all_three_legs_are_accepted_and_lead_to_the_resource(
    provider: HttpServer, method: str, transport: str
) -> None:
    begun = ask(provider, '/request-token', keys(method, transport, callback=CALLBACK))
    assert begun.status_code == 200, begun.body
    pending = tokens(begun.body)

    there = request.post(provider.url + '/authorize', qs={'oauth_token': pending['token']}, follow_redirect=False).end()
    assert there.status_code == 302
    back = parse_qs(str(there.headers['location']).partition('?')[2])
    assert back['for'] == ['it']

    granted = ask(provider, '/access-token', keys(method, transport, **pending, verifier=back['oauth_verifier'][0]))
    assert granted.status_code == 200, granted.body
    access = keys(method, transport, **tokens(granted.body))

    for number in range(2):
        form = {'status': 'setting up \xe4 & \u79c1\u306e (ok)*!', 'n': [number, 2]}
        response = request.post(provider.url + '/resource?a=1&a=b+c&%C3%A4=', form=form, oauth=access).end()
        assert (response.status_code, response.body) == (200, 'yours')


@pytest.mark.parametrize(('method', 'transport'), WAYS)
def test_a_wrong_secret_is_refused(provider: HttpServer, method: str, transport: str) -> None:
    wrong = keys(method, transport, callback=CALLBACK)
    if method == 'RSA-SHA1':
        other = rsa.generate_private_key(65537, 2048)
        wrong['private_key'] = other.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    else:
        wrong['consumer_secret'] += 'x'
    assert ask(provider, '/request-token', wrong).status_code == 401


@pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE', 'PATCH'])
@pytest.mark.parametrize('given', [{}, {'json': {'a': 1}}, {'body': b'\xff\x00'}])
def test_requests_of_any_kind_are_accepted(provider: HttpServer, method: str, given: dict[str, Any]) -> None:
    begun = ask(provider, '/request-token', keys('HMAC-SHA1', 'header', callback='oob'))
    pending = tokens(begun.body)
    book = provider.answers.book  # type: ignore[attr-defined]
    book.granted[pending['token']] = pending['token_secret']
    access = {**keys('HMAC-SHA1', 'header', **pending), 'realm': 'Photos, "mine"'}
    if given and method != 'GET':
        access['body_hash'] = True  # type: ignore[assignment]
    response = request(provider.url + '/resource', method=method, oauth=access, **given).end()
    assert (response.status_code, response.body) == (200, 'yours')


def test_a_proof_cannot_be_used_twice(provider: HttpServer) -> None:
    fixed = keys('HMAC-SHA1', 'header', callback=CALLBACK, nonce='n' * 32)
    assert [ask(provider, '/request-token', fixed | {'timestamp': stamp}).status_code for stamp in now(2)] == [200, 401]


def now(times: int) -> list[str]:
    from time import time

    return [str(int(time()))] * times
