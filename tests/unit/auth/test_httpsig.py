"""HTTP Signature: what is signed, how the field is written, and which keys and options cannot be meant."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given
from hypothesis import strategies as st

from requite.auth import httpsig
from requite.errors import InvalidBody, InvalidOptionType, OptionsError, UnknownOption
from requite.message import Draft

from .drafts import DATE, NOW, Frozen, Once, draft
from .keyring import PASSPHRASE, key, public, short_key, written

HMAC = {'key_id': 'k', 'key': 'secret', 'algorithm': 'hmac-sha256'}
PARAMETER = re.compile(r'([a-zA-Z]+)=(?:"((?:[^"\\]|\\.)*)"|(\d+))(?:,|$)')


def signed(given: dict[str, Any], unsigned: Draft | None = None) -> dict[str, str]:
    """The parameters of the field that a signer sets; every one of them read back, nothing between them."""
    made = httpsig.signer(given)
    unsigned = unsigned or draft()
    made.sign(unsigned, Frozen())
    scheme, _, rest = unsigned.fields[made.field][1].partition(' ')
    assert scheme == 'Signature'
    found = {name: re.sub(r'\\(.)', r'\1', text) or number for name, text, number in PARAMETER.findall(rest)}
    assert PARAMETER.sub('', rest) == ''
    return found


def mac(text: str, secret: str = 'secret', name: str = 'sha256') -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), name).digest()).decode()


def covered(names: list[str], unsigned: Draft | None = None, **more: Any) -> tuple[str, dict[str, str]]:
    """The signature over these names, and all parameters."""
    found = signed({**HMAC, 'headers': names, **more}, unsigned)
    assert found['headers'] == ' '.join(names).lower()
    return found['signature'], found


# -- What is signed


def test_without_a_list_the_date_is_signed_and_added_where_it_is_missing() -> None:
    unsigned = draft()
    found = signed(HMAC, unsigned)
    assert unsigned.fields['date'] == ('Date', DATE)
    assert found == {'keyId': 'k', 'algorithm': 'hmac-sha256', 'headers': 'date', 'signature': mac(f'date: {DATE}')}


def test_the_field_is_written_as_node_writes_it() -> None:
    unsigned = draft()
    httpsig.signer(HMAC).sign(unsigned, Frozen())
    assert unsigned.fields['authorization'] == (
        'Authorization',
        f'Signature keyId="k",algorithm="hmac-sha256",headers="date",signature="{mac("date: " + DATE)}"',
    )


def test_a_date_of_the_callers_is_kept() -> None:
    signature, _ = covered(['date'], draft(headers=[('date', 'yesterday')]))
    assert signature == mac('date: yesterday')


def test_a_date_that_the_caller_took_away_stays_away() -> None:
    unsigned = draft()
    unsigned.options.__dict__['headers'] = {'date': ('date', None)}
    covered(['(request-target)'], unsigned)
    assert 'date' not in unsigned.fields
    with pytest.raises(OptionsError, match='date was not in the request'):
        covered(['date'], unsigned)


def test_the_request_target_is_method_and_target_as_they_are_sent() -> None:
    signature, _ = covered(
        ['(request-target)', 'host'], draft(method='DELETE', url='http://example.com:8080/a%20b?c=%7E')
    )
    assert signature == mac('(request-target): delete /a%20b?c=%7E\nhost: example.com:8080')


def test_any_header_can_be_signed_in_any_case_and_order() -> None:
    unsigned = draft(headers=[('X-B', ' two '), ('x-a', '1')])
    signature, found = covered(['X-A', 'x-b'], unsigned)
    assert found['headers'] == 'x-a x-b'
    assert signature == mac('x-a: 1\nx-b: two')


def test_several_lines_of_one_header_are_signed_as_one() -> None:
    signature, _ = covered(['x-a'], draft(headers=[('X-A', ('1', '2'))]))
    assert signature == mac('x-a: 1, 2')


def test_the_request_line_of_older_drafts_is_signed_as_it_is() -> None:
    signature, _ = covered(['request-line', 'host'])
    assert signature == mac('GET /foo?param=value&pet=dog HTTP/1.1\nhost: example.com')
    signature, _ = covered(['host', 'request-line'], http_version='1.0')
    assert signature == mac('host: example.com\nGET /foo?param=value&pet=dog HTTP/1.0')


def test_a_header_that_looks_like_the_request_line_is_none() -> None:
    signature, _ = covered(['x-a'], draft(headers=[('x-a', 'request-line: GET')]))
    assert signature == mac('x-a: request-line: GET')


def test_creation_and_expiry_are_signed_and_told() -> None:
    signature, found = covered(['(created)', '(expires)'])
    assert (found['created'], found['expires']) == (str(NOW), str(NOW + 60))
    assert signature == mac(f'(created): {NOW}\n(expires): {NOW + 60}')
    assert covered(['(expires)'], expires_in=5)[1]['expires'] == str(NOW + 5)


def test_key_algorithm_and_opaque_can_be_signed_too() -> None:
    signature, found = covered(['(keyid)', '(algorithm)', '(opaque)'], opaque='some "thing"')
    assert found['opaque'] == 'some "thing"'
    assert signature == mac('(keyid): k\n(algorithm): hmac-sha256\n(opaque): some "thing"')


def test_an_opaque_text_is_told_without_being_signed() -> None:
    assert covered(['date'], opaque='me')[1]['opaque'] == 'me'


@pytest.mark.parametrize(
    ('name', 'wanted'),
    [('digest', 'SHA-256={}'), ('content-digest', 'sha-256=:{}:')],
)
@pytest.mark.parametrize('body', [b'{"hello": "world"}', b'', None], ids=['some', 'empty', 'none'])
def test_a_digest_that_is_listed_and_not_given_is_computed(name: str, wanted: str, body: bytes | None) -> None:
    value = wanted.format(base64.b64encode(hashlib.sha256(body or b'').digest()).decode())
    unsigned = draft(method='POST', body=body)
    signature, _ = covered([name], unsigned)
    assert unsigned.get(name) == value
    assert signature == mac(f'{name}: {value}')


def test_a_digest_of_the_callers_is_kept() -> None:
    signature, _ = covered(['digest'], draft(body=Once(), headers=[('Digest', 'MD5=abc')]))
    assert signature == mac('digest: MD5=abc')


def test_the_digest_of_a_stream_is_an_error_before_any_byte_is_sent() -> None:
    with pytest.raises(InvalidBody, match='stream that can be read only once; give bytes, a file or a list'):
        covered(['digest'], draft(method='POST', body=Once()))


def test_a_listed_header_that_is_missing_or_empty_is_an_error() -> None:
    for headers in ([], [('x-missing', '')]):
        with pytest.raises(OptionsError, match=r'x-missing was not in the request.*take it out of the list'):
            covered(['date', 'x-missing'], draft(headers=headers))


def test_a_header_beyond_ascii_is_not_signed() -> None:
    with pytest.raises(OptionsError, match="'x-a' holds characters beyond ASCII"):
        covered(['x-a'], draft(headers=[('x-a', 'caf\xe9')]))


# -- How the field is written


@pytest.mark.parametrize(
    'key_id',
    [
        'a%sb%d%',
        'say "hi"',
        'back\\slash',
        '",algorithm="none',
        'end\\',
        '{0}',
        'https://example.com/users/me#main-key',
    ],
)
def test_nothing_in_a_key_id_breaks_out_of_its_quotes(key_id: str) -> None:
    found = signed({**HMAC, 'key_id': key_id})
    assert found['keyId'] == key_id
    assert found['algorithm'] == 'hmac-sha256'
    assert list(found) == ['keyId', 'algorithm', 'headers', 'signature']


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1), st.text('"\\\\,=', min_size=1))
def test_whatever_stands_in_a_parameter_is_read_back(key_id: str, opaque: str) -> None:
    found = signed({**HMAC, 'key_id': key_id, 'opaque': opaque})
    assert (found['keyId'], found['opaque']) == (key_id, opaque)
    assert list(found) == ['keyId', 'algorithm', 'opaque', 'headers', 'signature']


@pytest.mark.parametrize('value', ['a\r\nx: y', 'a\x00', 'caf\xe9', '\u20ac'])
@pytest.mark.parametrize('name', ['key_id', 'opaque'])
def test_a_text_that_a_header_cannot_hold_is_an_error(name: str, value: str) -> None:
    """SECURITY Q1."""
    with pytest.raises(OptionsError, match=f'{name} must be printable ASCII') as caught:
        httpsig.signer({**HMAC, name: value})
    assert value not in str(caught.value)


def test_the_signature_can_stand_in_another_header() -> None:
    made = httpsig.signer({**HMAC, 'authorization_header_name': 'X-Signature'})
    unsigned = draft(headers=[('authorization', 'mine')])
    made.sign(unsigned, Frozen())
    assert made.field == 'x-signature'
    assert unsigned.fields['x-signature'][0] == 'X-Signature'
    assert unsigned.fields['x-signature'][1].startswith('Signature keyId="k",')
    assert unsigned.get('authorization') == 'mine'


def test_in_a_header_named_signature_the_scheme_is_left_out() -> None:
    made = httpsig.signer({**HMAC, 'authorization_header_name': 'Signature', 'headers': ['authorization']})
    unsigned = draft(headers=[('authorization', 'Bearer t')])
    made.sign(unsigned, Frozen())
    assert unsigned.get('signature') == (
        f'keyId="k",algorithm="hmac-sha256",headers="authorization",signature="{mac("authorization: Bearer t")}"'
    )


# -- Keys and algorithms


@pytest.mark.parametrize('name', ['sha1', 'sha256', 'sha512'])
def test_hmac_and_rsa_sign_with_every_hash_of_node(name: str) -> None:
    assert signed({**HMAC, 'algorithm': f'HMAC-{name.upper()}'})['signature'] == mac(f'date: {DATE}', name=name)
    found = signed({'key_id': 'k', 'key': written('rsa'), 'algorithm': f'rsa-{name}'})
    assert found['algorithm'] == f'rsa-{name}'
    signature = base64.b64decode(found['signature'])
    key('rsa').public_key().verify(
        signature, f'date: {DATE}'.encode(), padding.PKCS1v15(), getattr(hashes, name.upper())()
    )


@pytest.mark.parametrize(
    ('kind', 'given', 'sent', 'hashed'),
    [
        ('ecdsa', None, 'ecdsa-sha256', hashes.SHA256()),
        ('ecdsa-384', None, 'ecdsa-sha384', hashes.SHA384()),
        ('ecdsa-521', None, 'ecdsa-sha512', hashes.SHA512()),
        ('ecdsa', 'ecdsa-sha512', 'ecdsa-sha512', hashes.SHA512()),
        ('ecdsa-384', 'ecdsa-sha256', 'ecdsa-sha256', hashes.SHA256()),
        ('ecdsa', 'ECDSA-SHA1', 'ecdsa-sha1', hashes.SHA1()),
    ],
)
def test_curve_keys_sign_with_the_hash_of_their_size_or_the_one_named(
    kind: str, given: str | None, sent: str, hashed: Any
) -> None:
    found = signed({'key_id': 'k', 'key': written(kind), 'algorithm': given})
    assert found['algorithm'] == sent
    key(kind).public_key().verify(base64.b64decode(found['signature']), f'date: {DATE}'.encode(), ec.ECDSA(hashed))


@pytest.mark.parametrize(('given', 'sent'), [(None, 'ed25519-sha512'), ('ed25519', 'ed25519')])
def test_an_ed25519_key_signs(given: str | None, sent: str) -> None:
    found = signed({'key_id': 'k', 'key': written('ed25519', 'openssh'), 'algorithm': given})
    assert found['algorithm'] == sent
    key('ed25519').public_key().verify(base64.b64decode(found['signature']), f'date: {DATE}'.encode())


def test_an_rsa_key_signs_with_sha_256_where_no_algorithm_is_named() -> None:
    assert signed({'key_id': 'k', 'key': written('rsa', 'openssh')})['algorithm'] == 'rsa-sha256'


@pytest.mark.parametrize('name', ['passphrase', 'key_passphrase'])
def test_a_passphrase_goes_under_both_its_names(name: str) -> None:
    hidden = written('ecdsa', 'pkcs8', encrypted=True)
    assert signed({'key_id': 'k', 'key': hidden, name: PASSPHRASE})['algorithm'] == 'ecdsa-sha256'


def test_a_shared_secret_may_hold_any_bytes() -> None:
    assert signed({**HMAC, 'key': b'\xff\x00'})['signature']
    assert signed({**HMAC, 'key': 's\xe9cret'})['signature'] == mac(f'date: {DATE}', 's\xe9cret')


# -- What cannot be meant


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        ({}, 'key.* is missing'),
        ({'key': 'secret', 'algorithm': 'hmac-sha256'}, 'is missing key_id'),
        ({'key_id': '', 'key': 'secret', 'algorithm': 'hmac-sha256'}, 'is missing key_id'),
        ({'key_id': 'k'}, 'key.* is missing'),
        ({'key_id': 'k', 'algorithm': 'hmac-sha256'}, 'give the shared secret'),
        ({'key_id': 'k', 'key': 'secret'}, 'with a shared secret, name its hmac algorithm'),
        ({**HMAC, 'algorithm': 'hmac-sha265'}, "did you mean 'hmac-sha256'"),
        ({**HMAC, 'algorithm': 'none'}, 'use one of rsa-sha1'),
        ({**HMAC, 'algorithm': ''}, 'knows no algorithm'),
        ({**HMAC, 'algorithm': 'dsa-sha1'}, 'knows no algorithm'),
        ({**HMAC, 'algorithm': 'rsa-sha256'}, 'no private key'),
        ({**HMAC, 'headers': []}, 'nothing would be signed'),
        ({**HMAC, 'headers': ['dat e']}, "lists 'dat e', which is no header"),
        ({**HMAC, 'headers': ['(request-traget)']}, r"did you mean '\(request-target\)'"),
        ({**HMAC, 'headers': [None]}, 'lists None'),
        ({**HMAC, 'headers': ['authorization']}, 'the header that the signature itself is in'),
        ({**HMAC, 'headers': ['x-s'], 'authorization_header_name': 'X-S'}, 'the signature itself is in'),
        ({**HMAC, 'headers': ['request-line'], 'strict': True}, 'strict forbids'),
        ({**HMAC, 'headers': ['(opaque)']}, 'opaque is not given'),
        ({**HMAC, 'authorization_header_name': 'a b'}, 'may not hold'),
        ({**HMAC, 'authorization_header_name': 'Content-Length'}, 'cannot stand in'),
        ({**HMAC, 'expires_in': 0}, 'more than 0 seconds'),
        ({**HMAC, 'http_version': '1'}, "like '1.1'"),
        ({**HMAC, 'passphrase': 'x'}, 'opens private keys'),
        ({**HMAC, 'passphrase': 'x', 'key_passphrase': 'y'}, 'keep one of them'),
    ],
)
def test_what_cannot_be_meant_is_an_error_that_tells_the_fix(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionsError, match='http_signature.*' + said):
        httpsig.signer(given)


@pytest.mark.parametrize(
    'given',
    [
        {'key_id': 7},
        {'key': 7},
        {'algorithm': 7},
        {'headers': 'date'},
        {'headers': {'date': 1}},
        {'opaque': 7},
        {'strict': 'yes'},
        {'expires_in': True},
        {'expires_in': 60.0},
        {'authorization_header_name': 7},
    ],
)
def test_a_value_of_the_wrong_type_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidOptionType, match=next(iter(given))):
        httpsig.signer({**HMAC, **given})


def test_a_key_with_a_typo_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(UnknownOption, match="did you mean 'algorithm'"):
        httpsig.signer({'key_id': 'k', 'key': 'secret', 'algoritm': 'hmac-sha256'})


@pytest.mark.parametrize(
    ('kind', 'algorithm', 'fix'),
    [('ecdsa', 'rsa-sha256', 'ecdsa-sha256'), ('rsa', 'ecdsa-sha256', 'rsa-sha256'), ('rsa', 'ed25519', 'rsa-sha256')],
)
def test_an_algorithm_that_does_not_fit_the_key_is_an_error(kind: str, algorithm: str, fix: str) -> None:
    with pytest.raises(OptionsError, match=f'{algorithm}.* needs an? .* and the key is an? .*: use .{fix}'):
        httpsig.signer({'key_id': 'k', 'key': written(kind), 'algorithm': algorithm})


def test_a_private_key_is_never_taken_for_a_shared_secret() -> None:
    with pytest.raises(OptionsError, match='needs a shared secret'):
        httpsig.signer({**HMAC, 'key': written('rsa')})


def test_a_public_key_cannot_sign() -> None:
    with pytest.raises(OptionsError, match='signing needs the private key'):
        httpsig.signer({'key_id': 'k', 'key': public('rsa')})


def test_a_key_too_short_for_its_hash_is_an_error_of_the_call() -> None:
    with pytest.raises(OptionsError, match='too short to sign sha512'):
        httpsig.signer({'key_id': 'k', 'key': short_key(), 'algorithm': 'rsa-sha512'})


def test_the_signer_shows_no_secret() -> None:
    """SECURITY Q9."""
    assert 'secret' not in repr(httpsig.signer(HMAC)) + str(httpsig.signer(HMAC))
