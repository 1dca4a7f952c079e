"""HTTP message signatures (RFC 9421): judged by the package's own verifier, by hand, and by the RFC's examples."""

from __future__ import annotations

import base64
import hmac
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from requite.errors import InvalidBody, InvalidOptionType, OptionsError, UnknownOption
from requite.message import Draft

from .drafts import NOW, Frozen, Once, draft
from .keyring import PASSPHRASE, key, short_key, written

package = pytest.importorskip('http_message_signatures', reason='RFC 9421 takes the extra requite[rfc9421]')

from requite.auth import rfc9421  # noqa: E402

HMAC = {'key_id': 'k', 'key': 'secret', 'algorithm': 'hmac-sha256'}
KEYS: list[tuple[str, str | None, str]] = [
    ('rsa', None, 'rsa-pss-sha512'),
    ('rsa', 'rsa-pss-sha512', 'rsa-pss-sha512'),
    ('rsa', 'rsa-v1_5-sha256', 'rsa-v1_5-sha256'),
    ('ecdsa', None, 'ecdsa-p256-sha256'),
    ('ecdsa-384', None, 'ecdsa-p384-sha384'),
    ('ed25519', None, 'ed25519'),
]


def signed(given: dict[str, Any], unsigned: Draft | None = None) -> Draft:
    unsigned = unsigned or draft()
    rfc9421.signer(given).sign(unsigned, Frozen())
    return unsigned


def parameters(of: Draft, label: str = 'sig1') -> str:
    value = of.get('signature-input') or ''
    assert value.startswith(f'{label}=')
    return value.removeprefix(f'{label}=')


def signature(of: Draft, label: str = 'sig1') -> bytes:
    value = of.get('signature') or ''
    assert value.startswith(f'{label}=:')
    assert value.endswith(':')
    return base64.b64decode(value[len(label) + 2 : -1])


def base(of: Draft, *lines: str) -> bytes:
    """The signature base by hand (RFC 9421 2.5)."""
    return '\n'.join([*lines, f'"@signature-params": {parameters(of)}']).encode()


class Received:
    """The request as its server sees it."""

    def __init__(self, of: Draft) -> None:
        self.method = of.method
        self.url = f'{of.uri.scheme}://{of.get("host")}{of.target}'
        self.headers = {name: of.get(name) for name in of.fields}


def verify(of: Draft, public: Any, algorithm: str, **more: Any) -> Any:
    """What the package's own verifier finds covered; raises where it refuses."""
    verifier = package.HTTPMessageVerifier(
        signature_algorithm=getattr(package.algorithms, rfc9421.ALGORITHMS[algorithm][1]),
        key_resolver=package.MappingKeyResolver(public_keys={'k': public}, private_keys={}),
    )
    return verifier.verify(Received(of), max_age=None, **more)[0]


# -- What is signed


def test_method_authority_and_target_are_signed_where_nothing_is_listed() -> None:
    made = signed(HMAC)
    assert parameters(made) == f'("@method" "@authority" "@target-uri");created={NOW};keyid="k";alg="hmac-sha256"'
    lines = (
        '"@method": GET',
        '"@authority": example.com',
        '"@target-uri": http://example.com/foo?param=value&pet=dog',
    )
    assert signature(made) == hmac.new(b'secret', base(made, *lines), 'sha256').digest()


def test_content_is_signed_through_its_digest_where_nothing_is_listed() -> None:
    made = signed(HMAC, draft(method='POST', body=b'{"hello": "world"}'))
    digest = 'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:'
    assert made.get('content-digest') == digest
    lines = (
        '"@method": POST',
        '"@authority": example.com',
        '"@target-uri": http://example.com/foo?param=value&pet=dog',
        f'"content-digest": {digest}',
    )
    assert signature(made) == hmac.new(b'secret', base(made, *lines), 'sha256').digest()


def test_a_content_digest_of_the_callers_is_kept() -> None:
    told = f'sha-512=:{base64.b64encode(bytes(64)).decode()}:'
    made = signed(HMAC, draft(method='POST', body=Once(), headers=[('content-digest', told)]))
    assert made.get('content-digest') == told
    assert '"content-digest"' in parameters(made)


def test_a_stream_is_an_error_where_its_hash_is_needed() -> None:
    with pytest.raises(InvalidBody, match='http_message_signature wants its hash for the field Content-Digest'):
        signed(HMAC, draft(method='POST', body=Once()))
    made = signed({**HMAC, 'components': ['@method']}, draft(method='POST', body=Once()))
    assert made.get('content-digest') is None


def test_each_derived_component_of_a_request_can_be_signed() -> None:
    listed = [*sorted(rfc9421.DERIVED - {'@query-param'}), '"@query-param";name="pet"', 'X-A']
    made = signed(
        {**HMAC, 'components': listed},
        draft('https://Example.com:443/a?pet=dog&x=%20', headers=[('x-a', ('1', ' 2 '))]),
    )
    lines = (
        '"@authority": example.com',
        '"@method": GET',
        '"@path": /a',
        '"@query": ?pet=dog&x=%20',
        '"@request-target": /a?pet=dog&x=%20',
        '"@scheme": https',
        '"@target-uri": https://example.com/a?pet=dog&x=%20',
        '"@query-param";name="pet": dog',
        '"x-a": 1, 2',
    )
    assert signature(made) == hmac.new(b'secret', base(made, *lines), 'sha256').digest()


@pytest.mark.parametrize('target', ['/p?filter[x]=1', '/p?%', '/p?a%zz', '/a[1]/%', '/p?', '/p%20q?a=%2f'])
@pytest.mark.parametrize('method', ['GET', 'foo!', 'patch'])
def test_every_method_and_target_that_is_sent_can_be_signed_as_it_is_sent(target: str, method: str) -> None:
    listed = ['@method', '@target-uri', '@request-target', '@path', '@query']
    unsigned = draft('http://example.com' + target, method)
    path, _, query = unsigned.target.partition('?')
    made = signed({**HMAC, 'components': listed}, unsigned)
    lines = (
        f'"@method": {method}',
        f'"@target-uri": http://example.com{unsigned.target}',
        f'"@request-target": {unsigned.target}',
        f'"@path": {path}',
        f'"@query": ?{query}',
    )
    assert signature(made) == hmac.new(b'secret', base(made, *lines), 'sha256').digest()


def test_a_parameter_of_a_query_in_brackets_is_found_by_its_name() -> None:
    listed = '"@query-param";name="filter%5Bx%5D"'
    made = signed({**HMAC, 'components': [listed]}, draft('http://example.com/p?filter[x]=a%20b'))
    assert signature(made) == hmac.new(b'secret', base(made, f'{listed}: a%20b'), 'sha256').digest()


def test_an_expiry_beyond_all_calendars_is_an_error_of_the_option() -> None:
    with pytest.raises(OptionsError, match='http_message_signature'):
        signed({**HMAC, 'expires_in': 10**20})


def test_the_authority_is_that_of_the_host_header() -> None:
    made = signed({**HMAC, 'components': ['@authority']}, draft(headers=[('Host', 'Other.example:8080')]))
    assert signature(made) == hmac.new(b'secret', base(made, '"@authority": other.example:8080'), 'sha256').digest()


def test_a_listed_header_that_is_missing_is_an_error() -> None:
    with pytest.raises(OptionsError, match='"x-missing" not found'):
        signed({**HMAC, 'components': ['x-missing']})


def test_a_header_beyond_ascii_is_signed_only_as_bytes() -> None:
    headers = [('x-a', 'caf\xe9')]
    with pytest.raises(OptionsError, match='non-ASCII'):
        signed({**HMAC, 'components': ['x-a']}, draft(headers=headers))
    made = signed({**HMAC, 'components': ['"x-a";bs']}, draft(headers=headers))
    assert signature(made) == hmac.new(b'secret', base(made, '"x-a";bs: :Y2Fm6Q==:'), 'sha256').digest()


def test_a_signature_input_of_the_callers_is_not_replaced() -> None:
    with pytest.raises(OptionsError, match='would replace the header Signature-Input'):
        signed(HMAC, draft(headers=[('signature-input', 'mine=()')]))


# -- Parameters


def test_every_parameter_is_told_and_signed() -> None:
    made = signed(
        {**HMAC, 'label': 'mine', 'nonce': 'n"1', 'tag': 'app', 'created': 7, 'expires': 9, 'components': ['@path']}
    )
    assert (
        parameters(made, 'mine') == '("@path");created=7;keyid="k";alg="hmac-sha256";expires=9;nonce="n\\"1";tag="app"'
    )


def test_moments_may_be_datetimes_and_expiry_seconds_from_now() -> None:
    moment = datetime(2021, 4, 20, 2, 7, 53, tzinfo=timezone.utc)
    made = signed({**HMAC, 'created': moment, 'expires': moment + timedelta(seconds=300)})
    assert ';created=1618884473;' in parameters(made)
    assert ';expires=1618884773' in parameters(made)
    assert f';expires={NOW + 30}' in parameters(signed({**HMAC, 'expires_in': 30}))


def test_a_nonce_is_made_anew_for_each_request_when_asked_for() -> None:
    assert ';nonce="0123456789abcdef0123456789abcdef"' in parameters(signed({**HMAC, 'nonce': True}))


def test_the_algorithm_need_not_be_told() -> None:
    assert 'alg=' not in parameters(signed({**HMAC, 'include_alg': False}))


# -- Keys and algorithms


@pytest.mark.parametrize(('kind', 'given', 'algorithm'), KEYS)
def test_every_kind_of_key_is_accepted_by_the_verifier(kind: str, given: str | None, algorithm: str) -> None:
    made = signed({'key_id': 'k', 'key': written(kind), 'algorithm': given}, draft(method='POST', body=b'x'))
    assert f'alg="{algorithm}"' in parameters(made)
    found = verify(made, key(kind).public_key(), algorithm, body=b'x')
    assert set(found.covered_components) >= {'"@method"', '"@authority"', '"@target-uri"', '"content-digest"'}


@pytest.mark.parametrize(('kind', 'given', 'algorithm'), KEYS)
def test_a_request_that_was_changed_is_refused_by_the_verifier(kind: str, given: str | None, algorithm: str) -> None:
    made = signed({'key_id': 'k', 'key': written(kind), 'algorithm': given})
    made.fields['host'] = ('host', 'evil.example')
    with pytest.raises(package.InvalidSignature):
        verify(made, key(kind).public_key(), algorithm)


def test_content_that_was_changed_is_refused_by_the_verifier() -> None:
    made = signed(HMAC, draft(method='POST', body=b'x'))
    assert verify(made, b'secret', 'hmac-sha256', body=b'x')
    with pytest.raises(package.InvalidSignature):
        verify(made, b'secret', 'hmac-sha256', body=b'y')


def test_signatures_are_those_of_the_standard() -> None:
    """RFC 9421 3.3.1, 3.3.2, 3.3.4, checked without the package."""
    line = '"@method": GET'
    made = signed({'key_id': 'k', 'key': written('rsa'), 'components': ['@method']})
    pss = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
    key('rsa').public_key().verify(signature(made), base(made, line), pss, hashes.SHA512())
    made = signed({'key_id': 'k', 'key': written('rsa'), 'algorithm': 'rsa-v1_5-sha256', 'components': ['@method']})
    key('rsa').public_key().verify(signature(made), base(made, line), padding.PKCS1v15(), hashes.SHA256())
    made = signed({'key_id': 'k', 'key': written('ecdsa'), 'components': ['@method']})
    raw = signature(made)
    assert len(raw) == 64
    pair = encode_dss_signature(int.from_bytes(raw[:32], 'big'), int.from_bytes(raw[32:], 'big'))
    key('ecdsa').public_key().verify(pair, base(made, line), ec.ECDSA(hashes.SHA256()))


def test_an_encrypted_key_is_opened() -> None:
    hidden = written('ed25519', 'pkcs8', encrypted=True)
    made = signed({'key_id': 'k', 'key': hidden, 'passphrase': PASSPHRASE})
    assert verify(made, key('ed25519').public_key(), 'ed25519')


# -- The RFC's examples

REQUEST = [
    ('Host', 'example.com'),
    ('Date', 'Tue, 20 Apr 2021 02:07:55 GMT'),
    ('Content-Type', 'application/json'),
    ('Content-Length', '18'),
]
SECRET = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=='
ED25519 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ('given', 'wanted'),
    [
        (
            {
                'key_id': 'test-shared-secret',
                'key': base64.b64decode(SECRET),
                'algorithm': 'hmac-sha256',
                'label': 'sig-b25',
                'components': ['date', '@authority', 'content-type'],
            },
            'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=',
        ),
        (
            {
                'key_id': 'test-key-ed25519',
                'key': ED25519,
                'label': 'sig-b26',
                'components': ['date', '@method', '@path', '@authority', 'content-type', 'content-length'],
            },
            'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
        ),
    ],
    ids=['B.2.5', 'B.2.6'],
)
def test_the_examples_of_the_rfc_are_reproduced(given: dict[str, Any], wanted: str) -> None:
    unsigned = draft('http://example.com/foo?param=Value&Pet=dog', 'POST', b'{"hello": "world"}', list(REQUEST))
    made = signed({**given, 'created': 1618884473, 'include_alg': False}, unsigned)
    assert made.get('signature') == f'{given["label"]}=:{wanted}:'


# -- What cannot be meant


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({'key_id': None}, 'is missing key_id'),
        ({'key': None}, 'give the shared secret'),
        ({'algorithm': None}, 'with a shared secret, name its hmac algorithm'),
        ({'algorithm': 'hmac-sha255'}, "did you mean 'hmac-sha256'"),
        ({'algorithm': 'none'}, 'use one of hmac-sha256'),
        (
            {'algorithm': 'ed25519', 'key': written('rsa')},
            "does not fit the key, which is an RSA key: use 'rsa-pss-sha512'",
        ),
        ({'algorithm': 'ecdsa-p256-sha256', 'key': written('ecdsa-384')}, "use 'ecdsa-p384-sha384'"),
        ({'algorithm': None, 'key': written('ecdsa-521')}, 'no algorithm for the curve secp521r1'),
        ({'key': written('rsa')}, 'needs a shared secret'),
        ({'algorithm': None, 'key': short_key()}, 'too short for rsa-pss-sha512'),
        ({'components': ['@status']}, 'which a request does not have'),
        ({'components': ['@target_uri']}, "did you mean '@target-uri'"),
        ({'components': ['a b']}, 'which is no header'),
        ({'components': []}, 'components is empty, so that nothing would be signed'),
        ({'created': 10**20}, 'created must be seconds since 1970 up to the year 9999'),
        ({'created': -1}, 'created must be seconds since 1970'),
        ({'expires': 10**12}, 'expires must be seconds since 1970 up to the year 9999'),
        ({'label': 'Sig 1'}, 'lower-case letters'),
        ({'key_id': 'caf\xe9'}, 'key_id must be printable ASCII'),
        ({'nonce': 'a\n'}, 'nonce must be printable ASCII'),
        ({'expires_in': 0}, 'more than 0 seconds'),
        ({'expires': 5, 'expires_in': 5}, 'keep one of them'),
        ({'created': 5, 'expires': 5}, 'expires must be after created'),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_tells_the_fix(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match='http_message_signature.*' + said):
        rfc9421.signer({**HMAC, **given})


@pytest.mark.parametrize(
    'given',
    [{'key_id': 7}, {'tag': 7}, {'components': '@method'}, {'components': [7]}, {'created': 'now'}, {'expires': 1.5}, {'expires_in': True}, {'include_alg': 1}],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionType, match=next(iter(given))):
        rfc9421.signer({**HMAC, **given})


def test_a_key_with_a_typo_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownOption, match="did you mean 'components'"):
        rfc9421.signer({**HMAC, 'componets': ['@method']})


def test_the_signer_shows_no_secret() -> None:
    """SECURITY Q9."""
    assert 'secret' not in repr(rfc9421.signer(HMAC))


def test_without_its_package_the_option_is_an_error_of_the_call_that_names_the_extra() -> None:
    program = (
        'import sys; sys.modules["http_message_signatures"] = None\n'
        'from requite import OptionsError, request\n'
        'try: request("http://127.0.0.1:1/", http_message_signature={"key_id": "k", "key": "s", "algorithm": "hmac-sha256"})\n'
        'except OptionsError as error: print(error)'
    )
    said = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True, check=True).stdout
    assert "pip install 'requite[rfc9421]'" in said
