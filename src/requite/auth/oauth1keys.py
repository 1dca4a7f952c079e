"""The keys of the ``oauth`` option: what each may be, and what they come to together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks
from requite.auth import oauth1signature as signatures
from requite.claims import OAUTH, snake
from requite.errors import InvalidOptionType, OptionsError, UnknownOption
from requite.wire.qs import encode_component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPTION = 'oauth'
TRANSPORTS = ('header', 'query', 'body')
HASHED = ('HMAC-SHA1', signatures.RSA)
"""The methods that a body hash is computed for; the draft of it speaks of SHA-1 only, as does Node."""

SECRETS = frozenset(('consumer_secret', 'token_secret', 'private_key', 'passphrase'))
SETTINGS = SECRETS | {'realm', 'transport_method', 'body_hash'}
"""Keys that are no protocol parameters by themselves; every other becomes ``oauth_`` and its name."""

KEYS = OAUTH
"""The documented keys. Any other is sent along, as Node does, unless it is so near to one of these that it must be a slip."""

FOREIGN = {
    'client_key': 'consumer_key',
    'client_secret': 'consumer_secret',
    'api_key': 'consumer_key',
    'api_secret': 'consumer_secret',
    'resource_owner_key': 'token',
    'resource_owner_secret': 'token_secret',
    'access_token': 'token',
    'access_token_secret': 'token_secret',
    'access_secret': 'token_secret',
    'rsa_key': 'private_key',
    'callback_uri': 'callback',
    'signature_type': 'transport_method',
}
"""What other libraries call a key."""

_is_secret = re.compile('secret|private|password').search
_is_name = re.compile(r'[A-Za-z0-9_.~-]+').fullmatch
_is_time = re.compile(r'[0-9]+').fullmatch


class Settings(NamedTuple):
    """What the keys come to: ``fixed`` are the parameters that each request has, encoded; ``signature`` makes one of a base string. The repr shows no key."""

    method: str
    transport: str
    fixed: tuple[tuple[str, str], ...]
    hashes: bool
    realm: str
    signature: Callable[[str], str]

    def __repr__(self) -> str:
        return f'<Settings {self.method} {self.transport}>'


def read(given: Mapping[str, Any]) -> Settings:
    """The keys (in snake_case) checked; raises ``OptionsError`` where one is missing, unknown, or contradicts another."""
    keys = {name: value for name, value in given.items() if value is not None}
    for name in keys:
        _check_name(name)
    method = _one_of(keys, 'signature_method', signatures.METHODS, 'Signature method not supported')
    transport = _one_of(keys, 'transport_method', TRANSPORTS, 'transport_method invalid')
    hashed = _hashing(keys, method)
    if method == signatures.PLAINTEXT and transport == 'query':
        raise OptionsError(
            f"option {OPTION!r}: the signature of PLAINTEXT is the secrets themselves, and addresses are logged; give transport_method as 'header' or 'body'"
        )
    parameters = {name: _text(name, value) for name, value in keys.items() if name not in SETTINGS}
    if not parameters.get('consumer_key'):
        raise OptionsError(f'option {OPTION!r}: consumer_key is missing; give the key that the provider knows you by')
    if not _is_time(parameters.get('timestamp') or '0'):
        raise OptionsError(
            f'option {OPTION!r}: timestamp must be whole seconds since 1970; leave it out to have it made'
        )
    # An empty one is made, as in Node.
    fixed = {name: value for name, value in parameters.items() if value or name not in ('nonce', 'timestamp')}
    fixed['signature_method'] = method
    fixed['version'] = fixed.get('version') or '1.0'
    if isinstance(hashed, str):
        fixed['body_hash'] = hashed
    encoded = tuple((f'oauth_{name}', _encoded(name, value)) for name, value in fixed.items())
    return Settings(method, transport, encoded, hashed is True, _encoded('realm', _realm(keys)), _signing(keys, method))


def _check_name(name: str) -> None:
    """Raises ``UnknownOption`` for what can be no parameter, or is nearly one of the documented keys."""
    if name in KEYS:
        return
    plain = snake(name)
    meant = plain.removeprefix('oauth_')
    if meant != plain or plain == 'signature':
        hint = (
            f'did you mean {meant!r}? oauth_ is put before each key'
            if meant in KEYS
            else 'it is made, or named without oauth_'
        )
        raise UnknownOption(f'option {OPTION!r} takes no key {checks.shown(name)}; {hint}')
    near = FOREIGN.get(plain) or _slip(plain)
    if near is not None:
        raise UnknownOption(f'option {OPTION!r} has no key {checks.shown(name)}; did you mean {near!r}?')
    if _is_secret(plain) or not _is_name(name):
        hint = (
            'an unknown key is sent along, and this looks like a secret'
            if _is_secret(plain)
            else 'it can be no parameter'
        )
        raise UnknownOption(f'option {OPTION!r} has no key {checks.shown(name)}; {hint}: it takes {", ".join(KEYS)}')


def _slip(name: str) -> str | None:
    from difflib import get_close_matches

    bare = {key.replace('_', ''): key for key in KEYS}
    close = get_close_matches(name.replace('_', ''), bare, 1, 0.8)
    return bare[close[0]] if close else None


def _one_of(keys: Mapping[str, Any], name: str, known: tuple[str, ...], wrong: str) -> str:
    value = keys.get(name) or known[0]
    if value in known:
        return str(value)
    near = checks.nearest(value, known) if isinstance(value, str) else None
    hint = f'did you mean {near!r}?' if near else f'give one of {", ".join(known)}'
    raise OptionsError(f'option {OPTION!r}: {wrong}: {checks.shown(value)}; {hint}')


def _hashing(keys: Mapping[str, Any], method: str) -> bool | str:
    """Whether the content is hashed, or what its hash was said to be. (Node takes False for True: mended.)"""
    value = keys.get('body_hash', False)
    if not isinstance(value, (bool, str)):
        raise InvalidOptionType(
            f'option {OPTION!r}: body_hash must be True or the hash in base64, not {checks.kind(value)}'
        )
    if value is True and method not in HASHED:
        raise OptionsError(
            f'option {OPTION!r}: {method} signature_method not supported with body_hash signing; use {" or ".join(HASHED)}, or give the hash as a str'
        )
    return value


def _signing(keys: Mapping[str, Any], method: str) -> Callable[[str], str]:
    """What makes a signature of a base string; raises ``OptionsError`` for secrets that are missing or do not go with the method."""
    if 'token_secret' in keys and 'token' not in keys:
        raise OptionsError(f'option {OPTION!r}: token_secret is the secret of a token; give token too, or leave it out')
    wanted, other = (
        ('private_key', 'consumer_secret') if method == signatures.RSA else ('consumer_secret', 'private_key')
    )
    if keys.get(other):
        raise OptionsError(
            f'option {OPTION!r}: {method} is made with {wanted}, not with {other}; leave {other} out, or choose another signature_method'
        )
    if wanted not in keys:
        empty = ", or '' if the provider gave you none" if wanted == 'consumer_secret' else ' in PEM'
        raise OptionsError(f'option {OPTION!r}: {wanted} is missing, which {method} is made with; give it{empty}')
    if method == signatures.RSA:
        # token_secret has no part in it (RFC 5849 3.4.3)
        return signatures.rsa(_rsa_signing(keys))
    secret = [_secret(keys, name) for name in ('consumer_secret', 'token_secret')]
    key = signatures.secrets_key(*secret)
    return signatures.plain(key) if method == signatures.PLAINTEXT else signatures.keyed(method, key)


def _rsa_signing(keys: Mapping[str, Any]) -> Callable[[bytes], bytes]:
    from requite.auth import keys as reading

    name = f'{OPTION}.private_key'
    key = reading.private_key(name, keys['private_key'], keys.get('passphrase'))
    if reading.kind_of(name, key) != 'rsa':
        raise OptionsError(f'option {name!r} is no RSA key, which {signatures.RSA} is made with')
    return reading.signing(name, key, 'sha1')


def _secret(keys: Mapping[str, Any], name: str) -> str:
    value = keys.get(name, '')
    if not isinstance(value, str):
        raise InvalidOptionType(f'option {OPTION!r}: {name} must be a str, not {checks.kind(value)}')
    _encoded(name, value)
    return value


def _text(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InvalidOptionType(f'option {OPTION!r}: {name} must be a str or an int, not {checks.kind(value)}')
    return value


def _realm(keys: Mapping[str, Any]) -> str:
    return _text('realm', keys.get('realm', ''))


def _encoded(name: str, value: str) -> str:
    try:
        return encode_component(value)
    except OptionsError:
        raise OptionsError(
            f'option {OPTION!r}: {name} holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry; replace it'
        ) from None
