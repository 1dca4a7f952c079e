"""Private keys as people have them (PEM, DER, OpenSSH; encrypted or not), and what can be signed with each kind of key.

Nothing of a key or a passphrase ever stands in an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.errors import InvalidOptionType, OptionsError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = {'rsa': 'an RSA key', 'ecdsa': 'an elliptic curve key', 'ed25519': 'an Ed25519 key'}
"""What kinds of keys sign, by the names that algorithms begin with."""
CURVES = {'secp256r1': 'sha256', 'secp384r1': 'sha384', 'secp521r1': 'sha512'}
"""The curves that sign, and the hash that fits the size of each."""
FORMS = 'PEM (PKCS 1, PKCS 8 or SEC 1), DER, or an OpenSSH private key'

_BLOCK = re.compile(rb'-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----', re.DOTALL)
_PUBLIC = re.compile(rb'\s*(-----BEGIN [A-Z0-9 ]*(PUBLIC KEY|CERTIFICATE)-----|(ssh-|ecdsa-sha2-)[a-z0-9-]+ )')


def private_key(option: str, value: Any, passphrase: Any = None) -> Any:
    """The private key that the caller gave as text, bytes, or as an object of the ``cryptography`` package.

    ``option`` is what errors call it. ``passphrase`` (str, in UTF-8, or bytes) opens an encrypted key; one that is not encrypted does without, as
    in OpenSSL. Text around the key and indentation do not matter. Raises ``OptionsError`` for what is no private key, and for a passphrase that is
    missing or wrong.
    """
    if value is None or value in ('', b''):
        raise OptionsError(f'option {option!r} is missing: give the private key as {FORMS}')
    if callable(getattr(value, 'sign', None)) and callable(getattr(value, 'private_bytes', None)):
        return value
    if isinstance(value, str):
        data = value.encode('utf-8', 'surrogateescape')
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
    else:
        raise _wrong_type(option, value)
    return _opened(option, data, _secret(option, passphrase))


def shared_secret(option: str, value: Any, passphrase: Any, algorithm: str) -> bytes:
    """A shared secret (HMAC) as bytes: text in UTF-8, as in Node.

    Raises ``OptionsError`` for one that is missing, and for a private key, which ``algorithm`` does not take.
    """
    if value is None or value in ('', b''):
        raise OptionsError(f'option {option!r} is missing: give the shared secret as str or bytes')
    if isinstance(value, str):
        secret = value.encode('utf-8', 'surrogatepass')
    elif isinstance(value, (bytes, bytearray, memoryview)):
        secret = bytes(value)
    else:
        raise InvalidOptionType(f'option {option!r} must be str or bytes for {algorithm}, not {checks.kind(value)}')
    if b'PRIVATE KEY-----' in secret:
        raise OptionsError(
            f'option {option!r} is a private key, and algorithm {algorithm!r} needs a shared secret; leave algorithm out to sign with the key'
        )
    if passphrase is not None:
        raise OptionsError(
            f'option {option!r} has a passphrase, which opens private keys, and {algorithm!r} needs none: take it out'
        )
    return secret


def kind_of(option: str, key: Any) -> str:
    """What kind of key it is, one of ``KINDS``; raises ``OptionsError`` for a kind that no algorithm here signs with."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        return 'rsa'
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return 'ed25519'
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name in CURVES:
            return 'ecdsa'
        raise OptionsError(f'option {option!r} lies on the curve {key.curve.name}; use P-256, P-384 or P-521')
    name = type(key).__name__.removesuffix('PrivateKey')
    raise OptionsError(f'option {option!r}: {name} keys are not supported; use an RSA, elliptic curve or Ed25519 key')


def signing(option: str, key: Any, hashed: str) -> Callable[[bytes], bytes]:
    """The function that signs bytes with a key: RSASSA-PKCS1-v1_5 and ECDSA (in DER) over the hash named ``hashed`` (``sha256``); Ed25519 has its own.

    Raises ``OptionsError`` for an RSA key that is too short for the hash.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    kind = kind_of(option, key)
    if kind == 'ed25519':
        sign: Callable[[bytes], bytes] = key.sign
        return sign
    algorithm = getattr(hashes, hashed.upper())()
    if kind == 'ecdsa':
        curve = ec.ECDSA(algorithm)
        return lambda data: bytes(key.sign(data, curve))
    # RFC 8017 9.2: the hash, the 19 bytes (15 of SHA-1) that name it, and 11 bytes of padding at least
    if key.key_size // 8 < algorithm.digest_size + (15 if hashed == 'sha1' else 19) + 11:
        raise OptionsError(f'option {option!r} is an RSA key of {key.key_size} bits, too short to sign {hashed}')
    padded = padding.PKCS1v15()
    return lambda data: bytes(key.sign(data, padded, algorithm))


def _opened(option: str, data: bytes, passphrase: bytes | None) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    load, data = _reader(data)
    try:
        try:
            return load(data, None)
        except TypeError:  # how the package says that the key is encrypted
            pass
        except ValueError as error:  # before version 45 it says so of OpenSSH keys in this way
            if 'password-protected' not in str(error):
                raise
        if passphrase is None:
            raise OptionsError(f'option {option!r} is encrypted: give its passphrase too')
        try:
            return load(data, passphrase)
        except ValueError:
            raise OptionsError(f'option {option!r}: the passphrase does not open the key') from None
    except UnsupportedAlgorithm as error:
        if 'bcrypt' in str(error):
            raise OptionsError(
                f"option {option!r} is an encrypted OpenSSH key, and the package that opens those is missing: pip install 'requite[ssh]'"
            ) from None
        raise OptionsError(f'option {option!r} is of a kind or encrypted in a way that is not supported') from None
    except OptionsError:
        raise
    except (ValueError, TypeError):
        raise _unreadable(option, data) from None


def _reader(data: bytes) -> tuple[Callable[[bytes, bytes | None], Any], bytes]:
    """Which function reads this form of key, and the part of the data that is the key."""
    from cryptography.hazmat.primitives import serialization

    found = _BLOCK.search(data)
    if found is None:
        return serialization.load_der_private_key, data
    block = b'\n'.join(line.strip() for line in found[0].splitlines()) + b'\n'
    if found[1] == b'OPENSSH PRIVATE KEY':
        return serialization.load_ssh_private_key, block
    return serialization.load_pem_private_key, block


def _secret(option: str, passphrase: Any) -> bytes | None:
    if passphrase is None or isinstance(passphrase, bytes):
        return passphrase
    if isinstance(passphrase, str):
        return passphrase.encode('utf-8', 'surrogateescape')
    raise InvalidOptionType(f'option {option!r}: its passphrase must be str or bytes, not {checks.kind(passphrase)}')


def _wrong_type(option: str, value: Any) -> InvalidOptionType:
    fix = '; give what the file holds: path.read_bytes()' if hasattr(value, '__fspath__') else ''
    return InvalidOptionType(f'option {option!r} must be a private key as str or bytes, not {checks.kind(value)}{fix}')


def _unreadable(option: str, data: bytes) -> OptionsError:
    if _PUBLIC.match(data):
        return OptionsError(f'option {option!r} is a public key or a certificate; signing needs the private key')
    if data.startswith(b'PuTTY-User-Key-File'):
        return OptionsError(
            f'option {option!r} is a PuTTY key; export it as an OpenSSH key (puttygen -O private-openssh)'
        )
    if b'-----BEGIN' in data and b'\\n' in data:
        return OptionsError(
            f"option {option!r}: its line breaks are written as \\n; put real ones in: key.replace('\\\\n', '\\n')"
        )
    # an option that is called so takes no secret of another kind
    shared = '' if option.endswith('private_key') else '; with a shared secret, name its hmac algorithm too'
    if b'-----' not in data and not data.startswith(b'\x30'):
        return OptionsError(
            f'option {option!r} is no private key; give {FORMS}: of a path, what the file there holds{shared}'
        )
    return OptionsError(f'option {option!r} cannot be read as a private key; give {FORMS}')
