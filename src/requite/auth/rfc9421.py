"""HTTP message signatures (RFC 9421), made by the package http-message-signatures of the extra ``requite[rfc9421]``; Content-Digest as in RFC 9530."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.auth import contentdigest, keys
from requite.auth.rfc9421message import Message, resolver
from requite.errors import OptionsError
from requite.headers import TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.message import Draft
    from requite.options import Options
    from requite.protocols import Body, Clock

OPTION = 'http_message_signature'
ALGORITHMS = {
    'hmac-sha256': ('hmac', 'HMAC_SHA256'),
    'rsa-pss-sha512': ('rsa', 'RSA_PSS_SHA512'),
    'rsa-v1_5-sha256': ('rsa', 'RSA_V1_5_SHA256'),
    'ecdsa-p256-sha256': ('ecdsa', 'ECDSA_P256_SHA256'),
    'ecdsa-p384-sha384': ('ecdsa', 'ECDSA_P384_SHA384'),
    'ed25519': ('ed25519', 'ED25519'),
}
"""The names of RFC 9421 6.2: the kind of key, and the class that signs."""
CURVES = {'secp256r1': 'ecdsa-p256-sha256', 'secp384r1': 'ecdsa-p384-sha384'}
DERIVED = frozenset('@method @authority @target-uri @scheme @request-target @path @query @query-param'.split())
"""RFC 9421 2.2, as far as it is about requests."""
COMPONENTS = ('@method', '@authority', '@target-uri')
"""What is signed where ``components`` does not say, and ``content-digest`` where there is content."""
DIGEST = 'content-digest'
TAKES = {
    name: name
    for name in 'key_id key passphrase algorithm components label created expires expires_in nonce tag include_alg'.split()
}
NONCE = 32
"""Hexadecimal digits of a nonce that is made here."""
LAST_MOMENT = 253402300799
"""The last second of the year 9999."""
SHORTEST_PSS = 1040
"""Bits of an RSA key that hold a SHA-512, a salt of the same size and two bytes (RFC 8017 9.1.1)."""

_LABEL = re.compile(r'[a-z*][a-z0-9_.*-]*')
_ITEM = re.compile(r'"([^"\\]+)"(;.*)?')


def signer(given: Mapping[str, Any]) -> MessageSignature:
    """The signer for the keys of the option; raises ``OptionsError`` for what cannot be signed with, and where the extra is not installed."""
    said = checks.nested(OPTION, {key: item for key, item in given.items() if item is not None}, TAKES)
    try:
        import http_message_signatures as package
    except ImportError:
        raise OptionsError(
            f"option {OPTION!r} needs the package http-message-signatures: pip install 'requite[rfc9421]'"
        ) from None
    name, key = _key(said)
    return MessageSignature(package, said, name, key)


class MessageSignature:
    """Signs the components of each request into Signature-Input and Signature; the key was read once."""

    __slots__ = (
        '_components',
        '_created',
        '_expires',
        '_expires_in',
        '_fixed',
        '_key_id',
        '_nonce',
        '_package',
        '_signer',
    )

    field = 'signature'

    def __init__(self, package: Any, said: Mapping[str, Any], algorithm: str, key: Any) -> None:
        self._key_id = _text('key_id', said.get('key_id', ''))
        if not self._key_id:
            raise OptionsError(f'option {OPTION!r} is missing key_id: the name under which the server knows the key')
        self._package = package
        self._components = _components(said.get('components'))
        self._created = _moment('created', said.get('created'))
        self._expires = _moment('expires', said.get('expires'))
        self._expires_in = _seconds(said.get('expires_in'))
        if self._expires is not None and self._expires_in is not None:
            raise OptionsError(
                f'option {OPTION!r} has expires, a moment, and expires_in, seconds from now; keep one of them'
            )
        if None not in (self._created, self._expires) and self._expires <= self._created:  # type: ignore[operator]
            raise OptionsError(f'option {OPTION!r}: expires must be after created')
        self._nonce = said.get('nonce')
        told = checks.boolean(f'{OPTION}.include_alg', said.get('include_alg', True))
        self._fixed: dict[str, Any] = {'label': _label(said.get('label', 'sig1')), 'include_alg': told}
        if 'tag' in said:
            self._fixed['tag'] = _text('tag', said['tag'])
        if self._nonce is not True and self._nonce is not None:
            self._fixed['nonce'] = _text('nonce', self._nonce)
        self._signer = package.HTTPMessageSigner(
            signature_algorithm=getattr(package.algorithms, ALGORITHMS[algorithm][1]),
            key_resolver=package.MappingKeyResolver(public_keys={}, private_keys={self._key_id: key}),
            component_resolver_class=resolver(package),
        )

    def settle(self, options: Options, body: Body | None) -> None:
        """Raises ``InvalidBody`` at the call for a stream whose digest would have to be computed."""
        if body is not None and _has_digest(self._listed(body)):
            contentdigest.settle(options, body, DIGEST, OPTION)

    def _listed(self, body: Body | None) -> tuple[str, ...]:
        if self._components is not None:
            return self._components
        return COMPONENTS if body is None or body.length == 0 else (*COMPONENTS, DIGEST)

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets Signature-Input and Signature, and Content-Digest where it is signed; raises ``OptionsError`` for a component that there is not."""
        if 'signature-input' in draft.fields:
            raise OptionsError(
                f'option {OPTION!r} would replace the header Signature-Input; give Signature with it to sign by hand, or neither'
            )
        components = self._listed(draft.body)
        if _has_digest(components):
            contentdigest.complete(draft, DIGEST, OPTION)
        created = int(clock.now()) if self._created is None else self._created
        expires = created + self._expires_in if self._expires_in is not None else self._expires
        more = self._fixed if self._nonce is not True else {**self._fixed, 'nonce': clock.nonce(NONCE)}
        message = Message(draft)
        try:
            self._signer.sign(
                message,
                key_id=self._key_id,
                created=_utc(created),
                expires=None if expires is None else _utc(expires),
                covered_component_ids=components,
                use_existing_digest=DIGEST in draft.fields,
                **more,
            )
        except (self._package.HTTPMessageSignaturesException, ValueError, TypeError, OverflowError) as error:
            raise OptionsError(f'option {OPTION!r}: {error}; see that components lists what the request has') from None
        for name, value in message.headers.made.items():
            draft.set(name, value)


def _key(said: Mapping[str, Any]) -> tuple[str, Any]:
    """The name of the algorithm, and the key as the package takes it."""
    name, key, option = said.get('algorithm'), said.get('key'), f'{OPTION}.key'
    if name is not None and (not isinstance(name, str) or name not in ALGORITHMS):
        near = checks.nearest(name, ALGORITHMS) if isinstance(name, str) else None
        fix = f'did you mean {near!r}?' if near else f'use one of {", ".join(ALGORITHMS)}'
        raise OptionsError(f'option {OPTION!r} knows no algorithm {checks.shown(name)}; {fix}')
    if name == 'hmac-sha256':
        return name, keys.shared_secret(option, key, said.get('passphrase'), name)
    made = keys.private_key(option, key, said.get('passphrase'))
    kind = keys.kind_of(option, made)
    default = _default(kind, made)
    if name is None:
        name = default
    elif ALGORITHMS[name][0] != kind or (kind == 'ecdsa' and name != default):
        raise OptionsError(
            f'option {OPTION!r}: algorithm {name!r} does not fit the key, which is {keys.KINDS[kind]}: use {default!r}'
        )
    if name == 'rsa-pss-sha512' and made.key_size < SHORTEST_PSS:
        raise OptionsError(f'option {option!r} is an RSA key of {made.key_size} bits, too short for {name}')
    return name, made


def _default(kind: str, key: Any) -> str:
    if kind == 'ecdsa':
        if key.curve.name not in CURVES:
            raise OptionsError(
                f'option {OPTION!r}: RFC 9421 has no algorithm for the curve {key.curve.name}; use P-256 or P-384'
            )
        return CURVES[key.curve.name]
    return 'rsa-pss-sha512' if kind == 'rsa' else 'ed25519'


def _components(listed: Any) -> tuple[str, ...] | None:
    if listed is None:
        return None
    if not isinstance(listed, (list, tuple)):
        raise checks.wrong_type(f'{OPTION}.components', listed, "a list of names, like ['@method', '@target-uri']")
    if not listed:
        raise OptionsError(
            f'option {OPTION!r}: components is empty, so that nothing would be signed; leave it out to sign {", ".join(COMPONENTS)}'
        )
    return tuple(_component(name) for name in listed)


def _component(given: Any) -> str:
    """A name in lower case, or with parameters as RFC 9421 2 writes it: ``"@query-param";name="id"``."""
    if not isinstance(given, str):
        raise checks.wrong_type(f'{OPTION}.components', given, 'a list of str')
    item = _ITEM.fullmatch(given)
    name = item[1] if item else given.lower()
    if name.startswith('@') and name not in DERIVED:
        near = checks.nearest(name, DERIVED)
        fix = f'did you mean {near!r}?' if near else f'use one of {", ".join(sorted(DERIVED))}'
        raise OptionsError(
            f'option {OPTION!r}: components lists {checks.shown(given)}, which a request does not have; {fix}'
        )
    if not name.startswith('@') and TOKEN.fullmatch(name) is None:
        raise OptionsError(
            f'option {OPTION!r}: components lists {checks.shown(given)}, which is no header; list names as str'
        )
    return given if item else name


def _has_digest(components: tuple[str, ...]) -> bool:
    return any(name == DIGEST or name.startswith(f'"{DIGEST}"') for name in components)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise checks.wrong_type(f'{OPTION}.{name}', value, 'a str')
    if not value.isascii() or not value.isprintable():
        raise OptionsError(f'option {OPTION!r}: {name} must be printable ASCII')
    return value


def _label(value: Any) -> str:
    if not isinstance(value, str) or _LABEL.fullmatch(value) is None:
        raise OptionsError(
            f"option {OPTION!r}: label must be lower-case letters, digits and _-.* like 'sig1', not {checks.shown(value)}"
        )
    return value


def _moment(name: str, value: Any) -> int | None:
    """A moment as seconds since 1970."""
    if isinstance(value, datetime):
        value = int(value.timestamp())
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= LAST_MOMENT:
            return value
        raise OptionsError(f'option {OPTION!r}: {name} must be seconds since 1970 up to the year 9999')
    raise checks.wrong_type(f'{OPTION}.{name}', value, 'an int of seconds since 1970, or a datetime')


def _seconds(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise checks.wrong_type(f'{OPTION}.expires_in', value, 'an int of seconds')
    if value <= 0:
        raise OptionsError(f'option {OPTION!r}: expires_in must be more than 0 seconds, not {checks.shown(value)}')
    return value


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
