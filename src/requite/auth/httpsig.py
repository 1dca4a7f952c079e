"""HTTP Signature as Node's ``http-signature`` makes it (draft-cavage-http-signatures, the older drafts' ``request-line`` too).

The text to sign is laid out by httpsig-cffi; its signers cannot use RSA with today's cryptography and know no other keys, its template breaks on ``%`` in
a keyId, and its verifier lets the message choose the algorithm: none of those is used.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from requite import checks, fields
from requite.auth import contentdigest, keys
from requite.auth.challenges import quoted
from requite.errors import OptionsError
from requite.headers import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requite.message import Draft
    from requite.options import Options
    from requite.protocols import Body, Clock

ALGORITHMS = {
    **{f'{kind}-{name}': (kind, name) for kind in ('rsa', 'hmac') for name in ('sha1', 'sha256', 'sha512')},
    **{f'ecdsa-{name}': ('ecdsa', name) for name in ('sha1', 'sha256', 'sha384', 'sha512')},
    'ed25519': ('ed25519', 'sha512'),
    'ed25519-sha512': ('ed25519', 'sha512'),
}
"""What may be asked for: the kind of key, and the hash by its name in ``hashlib``."""

TAKES = {
    name: name
    for name in (
        'key_id key passphrase key_passphrase headers algorithm authorization_header_name opaque expires_in http_version strict'
    ).split()
}
TARGET, LINE, CREATED, EXPIRES = '(request-target)', 'request-line', '(created)', '(expires)'
COMPUTED = frozenset((TARGET, LINE, CREATED, EXPIRES, '(opaque)', '(keyid)', '(algorithm)'))
"""What ``headers`` may list beside header fields."""
FRAMING = frozenset(('host', 'content-length', 'transfer-encoding', 'connection'))
EXPIRES_IN = 60
"""Seconds until ``(expires)`` where ``expires_in`` does not say, as in Node."""


def signer(given: Mapping[str, Any]) -> HttpSignature:
    """The signer for the keys of the option ``http_signature``; raises ``OptionsError`` for what cannot be signed with."""
    said = checks.nested('http_signature', {key: item for key, item in given.items() if item is not None}, TAKES)
    name, sign = _key(said)
    return HttpSignature(said, name, sign)


class HttpSignature:
    """Signs what ``headers`` lists of each request; the key was read once. ``field`` is the header that it sets.

    As in Node, a Date is added where there is none. Unlike in Node, a listed digest that the caller did not give is computed.
    """

    __slots__ = (
        '_before',
        '_expires_in',
        '_known',
        '_listed',
        '_name',
        '_names',
        '_opaque',
        '_sign',
        '_version',
        'field',
    )

    def __init__(self, said: Mapping[str, Any], algorithm: str, sign: Callable[[bytes], bytes]) -> None:
        key_id, opaque = _plain('key_id', said.get('key_id')), _plain('opaque', said.get('opaque'))
        if not key_id:
            raise OptionsError(
                "option 'http_signature' is missing key_id: the name under which the server knows the key"
            )
        self._name = fields.header_name(
            'http_signature.authorization_header_name', said.get('authorization_header_name', 'Authorization')
        )
        self.field = self._name.lower()
        if self.field in FRAMING:
            raise OptionsError(f"option 'http_signature': a signature cannot stand in the header {self._name!r}")
        self._sign = sign
        self._names = _names(said, self.field)
        self._version = _version(said.get('http_version', '1.1'))
        self._expires_in = _seconds(said.get('expires_in', EXPIRES_IN))
        self._opaque = f',opaque={quoted(opaque)}' if opaque else ''
        if '(opaque)' in self._names and not opaque:
            raise OptionsError("option 'http_signature': headers lists (opaque), and opaque is not given")
        # In a field named Signature the scheme is the name (draft 4.1); http-signature has it so from 1.3 on.
        scheme = '' if self.field == 'signature' else 'Signature '
        self._before = f'{scheme}keyId={quoted(key_id)},algorithm="{algorithm}"'
        self._listed = f',headers="{" ".join(self._names)}"'
        self._known = {'(keyid)': key_id, '(algorithm)': algorithm, '(opaque)': opaque}

    def settle(self, options: Options, body: Body | None) -> None:
        """Raises ``InvalidBody`` at the call for a stream whose digest would have to be computed."""
        for name in self._names:
            if name in contentdigest.FIELDS:
                contentdigest.settle(options, body, name, 'http_signature')

    def sign(self, draft: Draft, clock: Clock) -> None:
        """Sets the field of the signature, and Date and digests where they are wanted; raises ``OptionsError`` for a listed header that there is not."""
        now = clock.now()
        self._complete(draft, now)
        values = {
            name: self._known[name] if name in self._known else self._value(draft, name, now) for name in self._names
        }
        signature = b64encode(self._sign(self._text(draft, values))).decode('ascii')
        times = ''.join(f',{name[1:-1]}={values[name]}' for name in (CREATED, EXPIRES) if name in values)
        draft.set(self._name, f'{self._before}{times}{self._opaque}{self._listed},signature="{signature}"')

    def _complete(self, draft: Draft, now: float) -> None:
        # None in the caller's headers means that there shall be no Date
        if 'date' not in draft.fields and 'date' not in draft.options.headers:
            from email.utils import formatdate

            draft.set('Date', formatdate(int(now), usegmt=True))
        for name in self._names:
            if name in contentdigest.FIELDS:
                contentdigest.complete(draft, name, 'http_signature')

    def _value(self, draft: Draft, name: str, now: float) -> str:
        if name == CREATED:
            return str(int(now))
        if name == EXPIRES:
            return str(int(now) + self._expires_in)
        if name == LINE:
            return f'{draft.method} {draft.target} HTTP/{self._version}'
        if name == TARGET:
            return ''  # laid out from method and target
        value = draft.get(name)
        if not value:
            raise OptionsError(
                f"option 'http_signature': {name} was not in the request, and headers lists it; give that header, or take it out of the list"
            )
        if not value.isascii():
            raise OptionsError(
                f"option 'http_signature': the header {name!r} holds characters beyond ASCII, of which servers read different bytes; take it out of headers"
            )
        return value.strip(' \t')

    def _text(self, draft: Draft, values: dict[str, str]) -> bytes:
        from httpsig_cffi.utils import generate_message

        text: bytes = generate_message(self._names, values, method=draft.method, path=draft.target)
        if LINE in values:
            # the one line without a name; no value holds a line break
            text = b'\n'.join(line.removeprefix(b'request-line: ') for line in text.split(b'\n'))
        return text


def _key(said: Mapping[str, Any]) -> tuple[str, Callable[[bytes], bytes]]:
    """The name of the algorithm, and the function that signs with it and the key."""
    name, key = said.get('algorithm'), said.get('key')
    if name is not None:
        name = _algorithm(name)
    if {'passphrase', 'key_passphrase'} <= said.keys():
        raise OptionsError("option 'http_signature' has passphrase and key_passphrase, which are one; keep one of them")
    passphrase = said.get('passphrase', said.get('key_passphrase'))
    if name is not None and ALGORITHMS[name][0] == 'hmac':
        secret, hashed = keys.shared_secret('http_signature.key', key, passphrase, name), ALGORITHMS[name][1]
        return name, lambda data: hmac.digest(secret, data, hashed)
    made = keys.private_key('http_signature.key', key, passphrase)
    kind = keys.kind_of('http_signature.key', made)
    if name is None:
        name = _default(kind, made)
    elif ALGORITHMS[name][0] != kind:
        raise OptionsError(
            f"option 'http_signature': algorithm {name!r} needs {keys.KINDS[ALGORITHMS[name][0]]}, and the key is {keys.KINDS[kind]}: use {_default(kind, made)!r}"
        )
    return name, keys.signing('http_signature.key', made, ALGORITHMS[name][1])


def _default(kind: str, key: Any) -> str:
    """The algorithm of a key where none is named, as in Node."""
    if kind == 'ecdsa':
        return f'ecdsa-{keys.CURVES[key.curve.name]}'
    return 'rsa-sha256' if kind == 'rsa' else 'ed25519-sha512'


def _algorithm(name: Any) -> str:
    if not isinstance(name, str):
        raise checks.wrong_type('http_signature.algorithm', name, 'a str')
    lowered = name.lower()
    if lowered not in ALGORITHMS:
        near = checks.nearest(name, ALGORITHMS)
        fix = f'did you mean {near!r}?' if near else f'use one of {", ".join(ALGORITHMS)}'
        raise OptionsError(f"option 'http_signature' knows no algorithm {checks.shown(name)}; {fix}")
    return lowered


def _names(said: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """What is signed, in lower case and in the caller's order."""
    listed = said.get('headers', ('date',))
    if isinstance(listed, (str, bytes)) or not isinstance(listed, (list, tuple)):
        raise checks.wrong_type('http_signature.headers', listed, "a list of names, like ['date', '(request-target)']")
    names: list[str] = []
    for name in listed:
        lowered = name.lower() if isinstance(name, str) else ''
        if lowered not in COMPUTED and TOKEN.fullmatch(lowered) is None:
            near = checks.nearest(lowered, COMPUTED) if lowered else None
            raise OptionsError(
                f"option 'http_signature': headers lists {checks.shown(name)}, which is no header; "
                + (f'did you mean {near!r}?' if near else 'list names as str')
            )
        if lowered == field:
            raise OptionsError(
                f"option 'http_signature': headers lists {name!r}, the header that the signature itself is in"
            )
        names.append(lowered)
    if not names:
        raise OptionsError(
            "option 'http_signature': headers is empty, so that nothing would be signed; leave it out to sign the date"
        )
    strict = checks.boolean('http_signature.strict', said.get('strict'))
    if strict and LINE in names:
        raise OptionsError(
            "option 'http_signature': headers lists request-line, which strict forbids; list (request-target)"
        )
    return tuple(names)


def _plain(name: str, value: Any) -> str:
    """A text that may stand between quotes in a header."""
    if value is None:
        return ''
    if not isinstance(value, str):
        raise checks.wrong_type(f'http_signature.{name}', value, 'a str')
    if not value.isascii() or not value.isprintable():
        raise OptionsError(f"option 'http_signature': {name} must be printable ASCII")
    return value


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise checks.wrong_type('http_signature.expires_in', value, 'an int of seconds')
    if value <= 0:
        raise OptionsError(
            f"option 'http_signature': expires_in must be more than 0 seconds, not {checks.shown(value)}"
        )
    return value


def _version(value: Any) -> str:
    if (
        isinstance(value, str)
        and len(value) == 3
        and value[0].isdecimal()
        and value[1] == '.'
        and value[2].isdecimal()
        and value.isascii()
    ):
        return value
    raise OptionsError("option 'http_signature': http_version must be like '1.1'")
