"""OAuth 1.0a against the published vectors, read where they lie beside the repository."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from requite.auth import oauth1signature as signatures
from requite.auth.oauth1 import signer
from requite.message import BytesBody, Carry, Draft
from requite.options import EMPTY
from requite.wire import uri as uris

VECTORS = Path(__file__).parents[3] / 'shared' / 'vectors' / 'oauth1.json'
GIVEN: dict[str, Any] = json.loads(VECTORS.read_text(encoding='utf-8')) if VECTORS.is_file() else {}
KEYED: list[dict[str, Any]] = GIVEN.get('hmac', [])
RSA: list[dict[str, Any]] = GIVEN.get('rsa', [])
FORM = 'application/x-www-form-urlencoded'

pytestmark = pytest.mark.skipif(not GIVEN, reason='../shared/vectors/oauth1.json is not beside this repository')


class Never:
    """A clock that nobody asks: time and nonce are the vector's."""

    def now(self) -> float:
        raise AssertionError('the time is given')

    def nonce(self, size: int) -> str:
        raise AssertionError('the nonce is given')


def private_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    numbers = {name: int(str(value), 0) for name, value in GIVEN['rsa_private_key']['pem_from_rsa_numbers'].items()}
    p, q, d, e = (numbers[name] for name in 'pqde')
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public).private_key()


def encoded(parameters: list[list[str]]) -> list[tuple[str, str]]:
    return [(signatures.encode_component(name), signatures.encode_component(value)) for name, value in parameters]


def proof_of(case: dict[str, Any], secrets: dict[str, Any]) -> str:
    """The signature of a real draft: the protocol's parameters as options, half of the others in the query and half in a form."""
    own = {name.removeprefix('oauth_'): value for name, value in case['params'] if name.startswith('oauth_')}
    others = [f'{name}={value}' for name, value in encoded(case['params']) if not name.startswith('oauth_')]
    half = len(others) if case['method'] == 'GET' else len(others) // 2
    query, form = '&'.join(others[:half]), '&'.join(others[half:])
    uri = uris.parse(case['base_uri'] + ('?' + query if query else ''))
    draft = Draft(EMPTY, Carry(case['method'], uri, BytesBody(form.encode()) if form else None))
    draft.fields['host'] = ('host', uri.host_field)
    if form:
        draft.fields['content-type'] = ('content-type', FORM)
    signer({**own, **secrets}).sign(draft, Never())
    sent = (draft.get('authorization') or '').rpartition('oauth_signature="')[2].removesuffix('"')
    return signatures.unquote_to_bytes(sent).decode()


@pytest.mark.parametrize('case', KEYED or [{}], ids=[case['name'] for case in KEYED] or ['none'])
def test_a_published_hmac_vector_is_reproduced(case: dict[str, Any]) -> None:
    base = signatures.base_string(case['method'], case['base_uri'], encoded(case['params']))
    assert base == case['base_string']
    key = signatures.secrets_key(case['consumer_secret'], case['token_secret'])
    assert signatures.keyed(case['signature_method'], key)(base) == case['signature']
    names = dict(case['params'])
    if 'oauth_version' in names:  # without one, Node and requite send 1.0
        secrets = {'consumer_secret': case['consumer_secret']}
        if 'oauth_token' in names:
            secrets['token_secret'] = case['token_secret']
        assert proof_of(case, secrets) == case['signature']


@pytest.mark.parametrize('case', RSA or [{}], ids=[case['name'] for case in RSA] or ['none'])
def test_a_published_rsa_vector_is_reproduced(case: dict[str, Any]) -> None:
    assert signatures.base_string(case['method'], case['base_uri'], encoded(case['params'])) == case['base_string']
    assert proof_of(case, {'private_key': private_key()}) == case['signature']


def test_a_published_plaintext_vector_is_reproduced() -> None:
    for case in GIVEN['plaintext']:
        key = signatures.secrets_key(case['consumer_secret'], case['token_secret'])
        assert signatures.plain(key)('whatever') == case['signature']


def test_a_published_body_hash_is_reproduced() -> None:
    for case in GIVEN['body_hash']:
        assert signatures.body_hash([base64.b64decode(case['body_b64'])]) == case['oauth_body_hash']
