"""What the keys of ``hawk`` must be: each check gives the value as it is signed with, and names the key where it cannot be used, never a secret."""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Any, NamedTuple

from requite import checks
from requite.errors import InvalidOptionType, OptionsError

ALGORITHMS = ('sha256', 'sha1')


class Credentials(NamedTuple):
    """Who signs; the repr shows nothing of the key."""

    id: str
    key: bytes
    algorithm: str

    def __repr__(self) -> str:
        return f'<Credentials id={self.id!r}>'

    def mac(self, text: str) -> str:
        """The MAC of a normalised text, in base64."""
        return b64encode(hmac.digest(self.key, text.encode('utf-8'), self.algorithm)).decode('ascii')


def credentials(value: Any) -> Credentials:
    if value is None:
        raise OptionsError(
            "option 'hawk': credentials are missing; give {'id': ..., 'key': ..., 'algorithm': 'sha256'}"
        )
    keys = checks.nested("hawk['credentials']", value, {'id': 'id', 'key': 'key', 'algorithm': 'algorithm'})
    id, key, algorithm = keys.get('id'), keys.get('key'), keys.get('algorithm')
    if not isinstance(key, (str, bytes, type(None))):
        raise checks.wrong_type("hawk['credentials']['key']", key, 'a str or bytes')
    missing = [name for name, item in (('id', id), ('key', key), ('algorithm', algorithm)) if not item]
    if missing:
        raise OptionsError(f"option 'hawk': Invalid credentials: {' and '.join(missing)} must be given, and not empty")
    if algorithm not in ALGORITHMS:
        raise OptionsError(
            f"option 'hawk': Unknown algorithm {checks.shown(algorithm)}; Hawk has {' and '.join(ALGORITHMS)}"
        )
    shown = visible("credentials['id']", id)
    assert shown is not None
    return Credentials(
        shown, key.encode('utf-8', 'surrogatepass') if isinstance(key, str) else bytes(key or b''), algorithm
    )


def visible(name: str, value: Any, quotes: bool = False) -> str | None:
    """A value that a quoted parameter can hold: visible ASCII and blanks; quotes and backslashes only where Hawk escapes them."""
    text = checks.text(f'hawk[{name!r}]', value)
    if text is None or text == '':
        return None
    if not (text.isascii() and text.isprintable()) or (not quotes and ('"' in text or '\\' in text)):
        more = '' if quotes else ', quotes and backslashes'
        raise OptionsError(
            f"option 'hawk': {name} may hold visible ASCII only; take line breaks, foreign letters{more} out"
        )
    return text


def payload(value: Any) -> bytes | bool | None:
    """The bytes to hash, True for the content as it is sent, None for nothing."""
    if value is None or value is False:
        return None
    if value is True or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode('utf-8', 'surrogatepass')
    raise InvalidOptionType(
        f"option 'hawk': payload must be True (for the content as it is sent), a str or bytes, not {checks.kind(value)}"
    )


def whole(name: str, value: Any, signed: bool = False) -> str | None:
    """A whole number as text: seconds since 1970, or milliseconds."""
    if value is None or isinstance(value, bool):
        if value is None:
            return None
        raise checks.wrong_type(f'hawk[{name!r}]', value, 'an int')
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    digits = str(value) if isinstance(value, (int, str)) and len(str(value)) <= 15 else ''
    if not digits.removeprefix('-' if signed else '').isdigit() or not digits.isascii():
        raise OptionsError(
            f"option 'hawk': {name} must be a whole number{'' if signed else ' of seconds since 1970'}, not {checks.kind(value)} that is none"
        )
    return digits
