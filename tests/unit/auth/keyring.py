"""Throw-away private keys, made once a process, and every form that people keep them in."""

from __future__ import annotations

import functools
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PASSPHRASE = 'p\xe4ssphrase'
KINDS = ('rsa', 'ecdsa', 'ecdsa-384', 'ecdsa-521', 'ed25519')
FORMS = {
    'traditional': (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL),
    'pkcs8': (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8),
    'openssh': (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH),
    'der': (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8),
    'traditional-der': (serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL),
}


@functools.cache
def key(kind: str) -> Any:
    """The private key of that kind, the same one each time."""
    if kind == 'rsa':
        return rsa.generate_private_key(65537, 2048)
    if kind == 'ed25519':
        return ed25519.Ed25519PrivateKey.generate()
    curves = {'ecdsa': ec.SECP256R1, 'ecdsa-384': ec.SECP384R1, 'ecdsa-521': ec.SECP521R1, 'secp256k1': ec.SECP256K1}
    return ec.generate_private_key(curves[kind]())


@functools.cache
def written(kind: str, form: str = 'pkcs8', *, encrypted: bool = False) -> bytes:
    """That key as it stands in a file. Raises ``ValueError`` for a form that there is not, ``UnsupportedAlgorithm`` where its package is missing."""
    encoding, layout = FORMS[form]
    hidden: Any = serialization.NoEncryption()
    if encrypted:
        hidden = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    data: bytes = key(kind).private_bytes(encoding, layout, hidden)
    return data


def public(kind: str) -> bytes:
    """The public half in PEM."""
    data: bytes = (
        key(kind).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return data


def forms(kind: str, *, encrypted: bool = False) -> list[str]:
    """The forms that a key of this kind can be kept in."""
    found = []
    for form in FORMS:
        if form == 'openssh' and encrypted:
            continue  # takes a package of its own, and a test of its own
        try:
            written(kind, form, encrypted=encrypted)
        except (ValueError, TypeError):
            continue
        found.append(form)
    return found


def rsa_from(p: int, q: int, exponent: int = 65537) -> Any:
    """The RSA key of two primes."""
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(exponent, p * q)
    )
    return numbers.private_key()


def short_key() -> Any:
    """An RSA key of 512 bits, which nobody makes any more but some have: of the two largest primes of 256 bits."""
    return rsa_from(2**256 - 189, 2**256 - 357)
