"""The ``auth`` option as a value: who the caller is, and when to say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from requite.errors import InvalidOptionType, OptionsError

_NAMES = {
    'user': 'user',
    'username': 'user',
    'pass': 'password',
    'password': 'password',
    'sendImmediately': 'send_immediately',
    'send_immediately': 'send_immediately',
    'bearer': 'bearer',
}


class Credentials(NamedTuple):
    """A user and password, or a bearer token (a str, or a callable that gives one each time it is needed).

    ``send_immediately`` False waits for the server's 401, which then chooses the scheme. The repr shows the user only.
    """

    user: str | None = None
    password: str | None = None
    send_immediately: bool = True
    bearer: Any = None
    has_bearer: bool = False

    def __repr__(self) -> str:
        return '<Credentials bearer>' if self.has_bearer else f'<Credentials user={self.user!r}>'


def credentials(name: str, value: Any) -> Credentials | None:
    """What ``auth`` was given as, checked; ``username`` and ``password`` win over ``user`` and ``pass`` as in Node."""
    if value is None or isinstance(value, Credentials):
        return value
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise InvalidOptionType(f'option {name!r} as a tuple must be (user, password), not {len(value)} items')
        return make(name, value[0], value[1])
    if not isinstance(value, Mapping):
        raise InvalidOptionType(f'option {name!r} must be a mapping or (user, password), not a {type(value).__name__}')
    given: dict[str, Any] = {}
    for key, item in value.items():
        canonical = _NAMES.get(key)
        if canonical is None:
            raise OptionsError(f'option {name!r} has no key {key!r}; it takes user, pass, sendImmediately and bearer')
        if canonical not in given or key in ('username', 'password', 'send_immediately'):
            given[canonical] = item
    if 'bearer' in given:
        return make_bearer(name, given['bearer'], given.get('send_immediately', True))
    if given.get('user') is None:
        raise OptionsError(f'option {name!r}: no auth mechanism defined; give user and pass, or bearer')
    return make(name, given['user'], given.get('password'), given.get('send_immediately', True))


def make(name: str, user: Any, password: Any, send_immediately: Any = True) -> Credentials:
    """Checked basic (or, after a 401, digest) credentials."""
    if not isinstance(user, str) or not (password is None or isinstance(password, str)):
        raise InvalidOptionType(f'option {name!r}: auth() received invalid user or password; both must be str')
    if ':' in user:
        raise OptionsError(f'option {name!r}: the user may not hold a colon, which ends it (RFC 7617 2)')
    if _unsafe(user) or _unsafe(password or ''):
        raise OptionsError(f'option {name!r}: user and password may not hold control characters (RFC 7617 2)')
    return Credentials(user, password, _flag(name, send_immediately))


def make_bearer(name: str, token: Any, send_immediately: Any = True) -> Credentials:
    """Checked bearer credentials; a callable is asked each time the header is made."""
    if not (token is None or isinstance(token, str) or callable(token)):
        raise InvalidOptionType(f'option {name!r}: bearer must be a str or a callable that returns one, not a {type(token).__name__}')
    if isinstance(token, str) and (_unsafe(token) or not token.isascii()):
        raise OptionsError(f'option {name!r}: bearer must be visible ASCII (RFC 6750 2.1); take the line break or foreign letter out')
    return Credentials(None, None, _flag(name, send_immediately), token, True)


def _flag(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise InvalidOptionType(f'option {name!r}: sendImmediately must be True or False, not a {type(value).__name__}')


def _unsafe(text: str) -> bool:
    return not text.isprintable() and any(ord(char) < 32 or ord(char) == 127 for char in text)
