"""AWS signatures: what the ``aws`` option may hold, and which version of them signs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import checks
from requite.errors import InvalidOptionType, OptionsError, UnknownOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requite.protocols import Clock, Signer

KEYS = 'key secret session bucket sign_version service region sign_query expires'.split()
"""The keys of ``aws``. ``bucket`` is of version 2 alone, as in Node: in version 4 it says nothing, the host or the path names the bucket."""

OF_VERSION_4 = ('service', 'region', 'sign_query', 'expires')

FOREIGN = {
    'access_key': 'key',
    'access_key_id': 'key',
    'aws_access_key_id': 'key',
    'secret_key': 'secret',
    'secret_access_key': 'secret',
    'aws_secret_access_key': 'secret',
    'session_token': 'session',
    'aws_session_token': 'session',
    'security_token': 'session',
    'token': 'session',
    'version': 'sign_version',
    'region_name': 'region',
    'presign': 'sign_query',
    'expires_in': 'expires',
}
"""What others call these keys."""

LIFETIME = 3600
LONGEST_LIFETIME = 604800
"""Seconds that a presigned address is good for where nothing is said, and at most (seven days, AWS's bound)."""

_TOKEN = re.compile(r'[\x21-\x2b\x2d-\x7e]+')
_NAME = re.compile(r'[A-Za-z0-9_.-]+')


class Identity(NamedTuple):
    """Who signs: the access key that everybody may see, the secret that belongs to it, and the token of a session or None. The repr shows none of them."""

    key: str
    secret: str
    session: str | None = None

    def __repr__(self) -> str:
        return '<aws Identity>'


def signer(given: Mapping[str, Any]) -> Signer:
    """What signs with the keys of ``aws`` by their snake_case names: version 2 unless ``sign_version`` is 4.

    Raises ``UnknownOption``, ``InvalidOptionType`` and other ``OptionsError`` for keys that are missing, unknown, or of the other version.
    """
    known = _known(given)
    who = Identity(_token(known, 'key'), _secret(known), _token(known, 'session') if 'session' in known else None)
    if _version(known) == 4:
        from requite.auth.aws4 import Version4

        return Version4(who, _name(known, 'service'), _name(known, 'region'), _lifetime(known))
    for key in OF_VERSION_4:
        if key in known:
            raise OptionsError(
                f"option 'aws': {key} belongs to version 4; add 'sign_version': 4 (2 is the default), or leave {key} out"
            )
    from requite.auth.aws2 import Version2

    return Version2(who, _bucket(known))


def presigned(
    uri: str,
    aws: Mapping[str, Any],
    method: str = 'GET',
    headers: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> str:
    """An address that others may use for a while without knowing the secret; nothing is sent.

    ``aws`` holds what the option does; ``sign_version`` is 4, ``expires`` is in seconds (an hour unless given, seven days at most). ``headers`` are the
    fields that whoever uses the address must send just so, besides Host. The payload is not signed for S3, and empty elsewhere. Raises ``OptionsError``.
    """
    from requite.auth.aws4 import Version4
    from requite.auth.clock import SYSTEM
    from requite.claims import claim
    from requite.fields import header_name, header_value
    from requite.wire.uri import parse

    claimed = claim('aws', aws)
    made = signer({'sign_version': 4, **(claimed.given if claimed is not None else {}), 'sign_query': True})
    assert isinstance(made, Version4)  # sign_query is refused for any other
    fields = {
        header_name('headers', name).lower(): header_value('headers', name, value)
        for name, value in (headers or {}).items()
    }
    return made.presigned(method, parse(uri).without_userinfo(), fields, clock or SYSTEM).href


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that say something; None takes one of the defaults' back."""
    for key in given:
        if key not in KEYS:
            meant = FOREIGN.get(key) or checks.nearest(key, KEYS)
            hint = f'did you mean {meant!r}?' if meant else f'it takes {", ".join(KEYS)}'
            raise UnknownOption(f"option 'aws' has no key {checks.shown(key)}; {hint}")
    return {key: value for key, value in given.items() if value is not None}


def _version(known: Mapping[str, Any]) -> int:
    value = known.get('sign_version', 2)
    if isinstance(value, str) and value in ('2', '4'):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in (2, 4):
        return value
    shown = checks.shown(value) if isinstance(value, (int, float)) else checks.kind(value)
    raise OptionsError(f"option 'aws': sign_version must be 2 or 4, not {shown}")


def _required(known: Mapping[str, Any], key: str) -> str:
    """A text that must be there; its value never stands in an error."""
    value = known.get(key)
    if value is None or value == '':
        raise OptionsError(
            f"option 'aws': {key} is {'empty' if value == '' else 'missing'}; give 'key' (the access key ID) and 'secret' (the secret access key)"
            if key in ('key', 'secret')
            else f"option 'aws': {key} is empty; leave it out, or give it"
        )
    if not isinstance(value, str):
        raise InvalidOptionType(f"option 'aws': {key} must be a str, not {checks.kind(value)}")
    return value


def _token(known: Mapping[str, Any], key: str) -> str:
    value = _required(known, key)
    if _TOKEN.fullmatch(value) is None:
        raise OptionsError(
            f"option 'aws': {key} must be visible ASCII without blanks and commas; take the blank, line break or foreign letter out"
        )
    return value


def _secret(known: Mapping[str, Any]) -> str:
    value = _required(known, 'secret')
    if value.strip() != value or any(
        ord(char) < 32 or ord(char) == 127 or '\ud800' <= char <= '\udfff' for char in value
    ):
        raise OptionsError(
            "option 'aws': secret has a blank or line break at an end, or a control character; take it out"
        )
    return value


def _name(known: Mapping[str, Any], key: str) -> str | None:
    """A service or region, which become a part of the scope that is signed for."""
    if key not in known:
        return None
    value = _required(known, key)
    if _NAME.fullmatch(value) is None:
        raise OptionsError(f"option 'aws': {key} may hold letters, digits, '-', '_' and '.' only, such as {_LIKE[key]}")
    return value


_LIKE = {'service': "'s3'", 'region': "'eu-west-1'"}


def _bucket(known: Mapping[str, Any]) -> str | None:
    if 'bucket' not in known:
        return None
    value = _required(known, 'bucket')
    if _TOKEN.fullmatch(value) is None or '/' in value or '?' in value:
        raise OptionsError("option 'aws': bucket must be the name alone: visible ASCII without '/' and '?'")
    return value


def _lifetime(known: Mapping[str, Any]) -> int | None:
    """Seconds for which the query is signed, None where the Authorization field is."""
    wanted = known.get('sign_query', False)
    if not isinstance(wanted, bool):
        raise InvalidOptionType(f"option 'aws': sign_query must be True or False, not {checks.shown(wanted)}")
    if not wanted:
        if 'expires' in known:
            raise OptionsError(
                "option 'aws': expires belongs to a signature in the query; add 'sign_query': True, or leave it out"
            )
        return None
    value = known.get('expires', LIFETIME)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidOptionType(f"option 'aws': expires must be an int of seconds, not {checks.shown(value)}")
    if not 1 <= value <= LONGEST_LIFETIME:
        raise OptionsError(
            f"option 'aws': expires must be from 1 to {LONGEST_LIFETIME} seconds (seven days), not {checks.shown(value)}"
        )
    return value
