"""What an OAuth 1.0a signature covers, and how it is made of that (RFC 5849 3.4). Pure: texts in, texts out.

Names and values are worked on percent-encoded (RFC 5849 3.6), so that octets which are no UTF-8 survive too.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from requite.wire.qs import encode_component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Pair = tuple[str, str]

HASHES = {'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256'}
"""The signature methods that are keyed with the two secrets, by the hash they use. HMAC-SHA256 is as in Node; RFC 5849 leaves it to the parties."""

RSA = 'RSA-SHA1'
PLAINTEXT = 'PLAINTEXT'
METHODS = (*HASHES, RSA, PLAINTEXT)
SIGNATURE = 'oauth_signature'
DEFAULT_PORTS = {'http': ':80', 'https': ':443'}

_changes = re.compile(
    rb'[^A-Za-z0-9\-._~%]|%(?!(?:[01][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]|[89A-F][0-9A-F]))'
).search
"""Finds what decoding and encoding would change; nothing in the form that requite itself gives to queries and forms."""

_is_plain_address = re.compile(r'[A-Za-z0-9\-._~:/%]*').fullmatch


def pairs(text: str | bytes) -> list[Pair]:
    """The parameters of a query or of an urlencoded form, in order, percent-encoded anew (RFC 5849 3.4.1.3.1).

    A signature that is among them is left out. (Node reads nested names such as ``a[0]`` as one list and signs other names than it sends: mended.)
    """
    found = []
    for piece in (text.encode('ascii') if isinstance(text, str) else text).split(b'&'):
        if piece:
            name, _, value = piece.partition(b'=')
            pair = _encoded_anew(name), _encoded_anew(value)
            if pair[0] != SIGNATURE:
                found.append(pair)
    return found


def _encoded_anew(text: bytes) -> str:
    if _changes(text) is None:
        return text.decode('ascii')
    return encode_component(unquote_to_bytes(text.replace(b'+', b' ')))


def normalized(parameters: Iterable[Pair]) -> str:
    """Encoded parameters in the order of their names, and of their values where names are equal (RFC 5849 3.4.1.3.2)."""
    return '&'.join([f'{name}={value}' for name, value in sorted(parameters)])


def base_uri(scheme: str, host: str, path: str) -> str:
    """The address that is signed: ``host`` is what Host says, without the scheme's own port (RFC 5849 3.4.1.2; Node keeps that: mended)."""
    return f'{scheme}://{host.lower().removesuffix(DEFAULT_PORTS[scheme])}{path}'


def base_string(method: str, address: str, parameters: Iterable[Pair]) -> str:
    """The signature base string (RFC 5849 3.4.1.1) of a method, an address without query, and parameters that are encoded already."""
    # What is encoded already holds no other reserved characters than these three.
    text = normalized(parameters).replace('%', '%25').replace('&', '%26').replace('=', '%3D')
    return f'{encode_component(method.upper())}&{_encoded_address(address)}&{text}'


def _encoded_address(address: str) -> str:
    if _is_plain_address(address):
        return address.replace('%', '%25').replace(':', '%3A').replace('/', '%2F')
    return encode_component(address)


def secrets_key(consumer_secret: str, token_secret: str) -> str:
    """Both secrets, encoded, as the HMAC methods are keyed with them and PLAINTEXT sends them (RFC 5849 3.4.2, 3.4.4)."""
    return f'{encode_component(consumer_secret)}&{encode_component(token_secret)}'


def keyed(method: str, key: str) -> Callable[[str], str]:
    """What makes a signature of a base string with the HMAC of ``method``."""
    octets, name = key.encode('ascii'), HASHES[method]
    return lambda text: b64encode(hmac.digest(octets, text.encode('ascii'), name)).decode('ascii')


def rsa(sign: Callable[[bytes], bytes]) -> Callable[[str], str]:
    """What makes a signature of a base string with what signs bytes as RSASSA-PKCS1-v1_5 with SHA-1 (RFC 5849 3.4.3)."""
    return lambda text: b64encode(sign(text.encode('ascii'))).decode('ascii')


def plain(key: str) -> Callable[[str], str]:
    """PLAINTEXT: the secrets themselves, whatever is sent."""
    return lambda _: key


def body_hash(chunks: Iterable[bytes]) -> str:
    """The value of ``oauth_body_hash`` for the pieces of a content (OAuth Request Body Hash draft)."""
    import hashlib

    hashing = hashlib.new('sha1', usedforsecurity=False)
    for chunk in chunks:
        hashing.update(chunk)
    return b64encode(hashing.digest()).decode('ascii')
