"""Private keys in every form that people have them, and what is said of those that cannot be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from requite.auth import keys
from requite.errors import InvalidOptionType, OptionsError

from .keyring import KINDS, PASSPHRASE, forms, key, public, short_key, written

PLAIN = [(kind, form) for kind in KINDS for form in forms(kind)]
ENCRYPTED = [(kind, form) for kind in KINDS for form in forms(kind, encrypted=True)]


def number(made: object) -> object:
    """What two keys that are the same have in common."""
    return made.public_key().public_numbers() if hasattr(made.public_key(), 'public_numbers') else made.public_key()  # type: ignore[attr-defined]


@pytest.mark.parametrize(('kind', 'form'), PLAIN)
def test_a_key_is_read_in_every_form(kind: str, form: str) -> None:
    made = keys.private_key('key', written(kind, form))
    assert number(made) == number(key(kind))
    assert keys.kind_of('key', made) == kind.partition('-')[0]


def test_every_form_was_among_them() -> None:
    assert {form for _, form in PLAIN} == {'traditional', 'pkcs8', 'openssh', 'der', 'traditional-der'}
    assert {form for _, form in ENCRYPTED} == {'traditional', 'pkcs8', 'der'}


@pytest.mark.parametrize(('kind', 'form'), ENCRYPTED)
@pytest.mark.parametrize('passphrase', [PASSPHRASE, PASSPHRASE.encode()], ids=['str', 'bytes'])
def test_an_encrypted_key_is_opened_with_its_passphrase(kind: str, form: str, passphrase: str | bytes) -> None:
    made = keys.private_key('key', written(kind, form, encrypted=True), passphrase)
    assert number(made) == number(key(kind))


def test_an_encrypted_openssh_key_is_opened_with_its_passphrase() -> None:
    pytest.importorskip('bcrypt', reason='encrypted OpenSSH keys take the extra requite[ssh]')
    hidden = written('ed25519', 'openssh', encrypted=True)
    assert number(keys.private_key('key', hidden, PASSPHRASE)) == number(key('ed25519'))
    with pytest.raises(OptionsError, match='passphrase does not open'):
        keys.private_key('key', hidden, 'wrong')
    with pytest.raises(OptionsError, match='give its passphrase'):
        keys.private_key('key', hidden)


def test_without_its_package_an_encrypted_openssh_key_is_an_error_that_names_the_extra(tmp_path: Path) -> None:
    pytest.importorskip('bcrypt', reason='the key itself is made with it')
    path = tmp_path / 'key'
    path.write_bytes(written('ed25519', 'openssh', encrypted=True))
    program = (
        'import sys; sys.modules["bcrypt"] = None\n'
        'from pathlib import Path\n'
        'from requite.auth.keys import private_key\n'
        'from requite import OptionsError\n'
        'try: private_key("key", Path(sys.argv[1]).read_bytes(), "x")\n'
        'except OptionsError as error: print(error)'
    )
    said = subprocess.run([sys.executable, '-c', program, str(path)], capture_output=True, text=True, check=True).stdout
    assert 'requite[ssh]' in said


@pytest.mark.parametrize('form', ['traditional', 'pkcs8', 'openssh'])
def test_text_around_the_key_and_indentation_do_not_matter(form: str) -> None:
    text = written('ecdsa', form).decode()
    made = keys.private_key('key', 'mine:\r\n' + text.replace('\n', '\r\n    ') + '\r\nthanks')
    assert number(made) == number(key('ecdsa'))


def test_the_parameters_that_openssl_writes_before_a_curve_key_do_not_matter() -> None:
    before = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
    made = keys.private_key('key', before + written('ecdsa', 'traditional').decode())
    assert number(made) == number(key('ecdsa'))


def test_an_object_of_the_cryptography_package_is_taken_as_it_is() -> None:
    assert keys.private_key('key', key('rsa')) is key('rsa')


def test_a_key_that_is_not_encrypted_needs_no_passphrase_and_forgives_one() -> None:
    assert number(keys.private_key('key', written('rsa'), 'not needed')) == number(key('rsa'))


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        (None, 'missing'),
        ('', 'missing'),
        (b'', 'missing'),
        ('secret', 'no private key'),
        ('/home/me/.ssh/id_rsa', 'of a path, what the file there holds'),
        (b'\x30\x03\x02\x01\x01', 'cannot be read'),
        ('-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----', 'cannot be read'),
        ('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----', 'cannot be read'),
        ('-----BEGIN RSA PRIVATE KEY-----\nAAAA', 'cannot be read'),
        ('-----BEGIN RSA PRIVATE KEY-----\\nAAAA\\n-----END RSA PRIVATE KEY-----', 'put real ones in'),
        ('PuTTY-User-Key-File-3: ssh-ed25519', 'puttygen'),
        ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here', 'public key'),
        ('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'public key or a certificate'),
    ],
)
def test_what_is_no_private_key_is_an_error_that_tells_the_fix(value: str | bytes | None, said: str) -> None:
    with pytest.raises(OptionsError, match="'http_signature.key'.*" + said) as caught:
        keys.private_key('http_signature.key', value)
    assert 'AAAA' not in str(caught.value)


def test_a_public_key_is_told_from_a_private_one() -> None:
    with pytest.raises(OptionsError, match='signing needs the private key'):
        keys.private_key('key', public('rsa'))


@pytest.mark.parametrize('value', [7, ['a'], Path('key.pem')], ids=['int', 'list', 'path'])
def test_a_key_of_another_type_is_an_error(value: object) -> None:
    with pytest.raises(InvalidOptionType, match='read_bytes' if isinstance(value, Path) else 'str or bytes'):
        keys.private_key('key', value)


@pytest.mark.parametrize(('kind', 'form'), ENCRYPTED)
def test_a_wrong_passphrase_and_none_are_different_errors(kind: str, form: str) -> None:
    hidden = written(kind, form, encrypted=True)
    with pytest.raises(OptionsError, match='passphrase does not open'):
        keys.private_key('key', hidden, 'wr0ng')
    with pytest.raises(OptionsError, match='give its passphrase'):
        keys.private_key('key', hidden)
    with pytest.raises(InvalidOptionType, match='passphrase must be str or bytes, not an int'):
        keys.private_key('key', hidden, 1234)


@pytest.mark.parametrize('passphrase', [None, 'wr0ng-passphrase', PASSPHRASE])
@pytest.mark.parametrize('form', ['traditional', 'pkcs8', 'der'])
def test_no_error_shows_the_key_or_the_passphrase(form: str, passphrase: str | None) -> None:
    """SECURITY Q9."""
    damaged = bytearray(written('ecdsa', form, encrypted=True))
    damaged[len(damaged) // 2] ^= 1
    try:
        keys.private_key('key', bytes(damaged), passphrase)
    except OptionsError as error:
        shown = repr(error) + str(error) + repr(error.__cause__)
        assert passphrase is None or passphrase not in shown
        lines = bytes(damaged).decode('latin-1').splitlines()
        assert not any(line[:20] in shown for line in lines if len(line) > 20 and '-----' not in line)
    else:
        pytest.fail('a damaged key was taken')


def test_a_curve_that_no_algorithm_knows_is_an_error() -> None:
    with pytest.raises(OptionsError, match='secp256k1; use P-256'):
        keys.kind_of('key', keys.private_key('key', written('secp256k1')))


def test_a_kind_of_key_that_no_algorithm_knows_is_an_error() -> None:
    from cryptography.hazmat.primitives.asymmetric import ed448, x25519

    for made in (ed448.Ed448PrivateKey.generate(), x25519.X25519PrivateKey.generate()):
        with pytest.raises(OptionsError, match='keys are not supported; use an RSA'):
            keys.kind_of('key', made)


@pytest.mark.parametrize('hashed', ['sha1', 'sha256', 'sha384', 'sha512'])
def test_rsa_and_curve_signatures_are_those_of_their_standards(hashed: str) -> None:
    algorithm = getattr(hashes, hashed.upper())()
    signed = keys.signing('key', key('rsa'), hashed)(b'data')
    key('rsa').public_key().verify(signed, b'data', padding.PKCS1v15(), algorithm)
    signed = keys.signing('key', key('ecdsa'), hashed)(b'data')
    key('ecdsa').public_key().verify(signed, b'data', ec.ECDSA(algorithm))


def test_an_ed25519_signature_needs_no_hash() -> None:
    key('ed25519').public_key().verify(keys.signing('key', key('ed25519'), 'sha512')(b'data'), b'data')


def test_an_rsa_key_too_short_for_the_hash_is_an_error_before_anything_is_signed() -> None:
    made = short_key()
    with pytest.raises(OptionsError, match='512 bits, too short to sign sha512'):
        keys.signing('key', made, 'sha512')
    signed = keys.signing('key', made, 'sha256')(b'data')
    made.public_key().verify(signed, b'data', padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    'value', ['s\xe9cret', b's\xc3\xa9cret', bytearray(b's\xc3\xa9cret')], ids=['str', 'bytes', 'bytearray']
)
def test_a_shared_secret_is_text_in_utf_8_or_bytes(value: str | bytes) -> None:
    assert keys.shared_secret('key', value, None, 'hmac-sha256') == b's\xc3\xa9cret'


def test_what_cannot_be_a_shared_secret_is_an_error() -> None:
    with pytest.raises(OptionsError, match='missing'):
        keys.shared_secret('key', None, None, 'hmac-sha256')
    with pytest.raises(OptionsError, match="is a private key, and algorithm 'hmac-sha256' needs a shared secret"):
        keys.shared_secret('key', written('rsa'), None, 'hmac-sha256')
    with pytest.raises(OptionsError, match='passphrase'):
        keys.shared_secret('key', 'secret', 'x', 'hmac-sha256')
    with pytest.raises(InvalidOptionType, match='str or bytes'):
        keys.shared_secret('key', 5, None, 'hmac-sha256')
