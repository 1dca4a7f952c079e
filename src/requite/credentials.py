"""The ``auth`` option as a value: who the caller is, and when to say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from requite import checks
from requite.errors import InvalidOptionType, OptionsError

SPELLINGS = {
    'user': 'user',
    'username': 'username',
    'pass': 'pass',
    'password': 'password',
    'sendImmediately': 'send_immediately',
    'send_immediately': 'send_immediately',
    'bearer': 'bearer',
    'digest': 'digest',
}
"""The keys of ``auth``, in each spelling. ``user`` and ``username``, ``pass`` and ``password`` are two keys each, as in Node: the longer one wins."""


class Credentials(NamedTuple):
    """A user and password, or a bearer token (a str, or a callable that gives one each time it is needed).

    ``send_immediately`` False waits for the server's 401, which then chooses the scheme; ``digest`` True waits too, and never answers with Basic.
    ``said`` names what the caller gave; defaults fill in the rest. The repr shows the user only.
    """

    user: str | None = None
    password: str | None = None
    send_immediately: bool = True
    bearer: Any = None
    has_bearer: bool = False
    said: frozenset[str] = frozenset()
    digest: bool = False

    @property
    def complete(self) -> bool:
        """Whether there is somebody to be: a user or a token."""
        return self.has_bearer or self.user is not None

    def __repr__(self) -> str:
        return '<Credentials bearer>' if self.has_bearer else f'<Credentials user={self.user!r}>'


def credentials(name: str, value: Any) -> Credentials | None:
    """What ``auth`` was given as, checked. It may be a part only (``{'sendImmediately': False}``) for defaults to complete; see ``required``."""
    if value is None or isinstance(value, Credentials):
        return value
    if type(value) is tuple and len(value) == 2:
        user, password = value
        if type(user) is type(password) is str and user.isprintable() and password.isprintable() and ':' not in user:
            return Credentials(user, password, True, None, False, _BOTH)
    return _of(name, keys(name, value))


_BOTH = frozenset(('user', 'password'))


def keys(name: str, value: Any) -> dict[str, Any]:
    """The keys that ``auth`` gives, by one name each; ``username`` and ``password`` win over ``user`` and ``pass`` as in Node."""
    if isinstance(value, Credentials):
        return {key: getattr(value, key) for key in value.said}
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise InvalidOptionType(f'option {name!r} as a tuple must be (user, password), not {len(value)} items')
        return {'user': value[0], 'password': value[1]}
    if not isinstance(value, Mapping):
        raise checks.wrong_type(name, value, 'a mapping or (user, password)')
    given = checks.nested(name, value, SPELLINGS)
    for short, long in (('user', 'username'), ('pass', 'password')):
        if short in given:
            given.setdefault(long, given[short])
            del given[short]
    if 'username' in given:
        given['user'] = given.pop('username')
    return given


def over(name: str, outer: Any, inner: Any) -> Credentials | None:
    """``inner`` laid over the ``outer`` of the defaults, key by key; either may be anything that ``auth`` can be."""
    if outer is None or inner is None:
        return credentials(name, inner)
    return _of(name, over_keys(keys(name, outer), keys(name, inner)))


def over_keys(outer: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """The keys of two levels as one; a user takes the token of an outer level back (Node keeps the token, which then wins: mended)."""
    merged = {**outer, **inner}
    if 'user' in inner and 'bearer' not in inner:
        merged.pop('bearer', None)
    if 'bearer' in inner and 'digest' not in inner:
        merged.pop('digest', None)
    return merged


def required(name: str, made: Credentials) -> Credentials:
    """The credentials if they are complete; raises Node's error otherwise."""
    if not made.complete:
        raise OptionsError(f'option {name!r}: no auth mechanism defined; give user and pass, or bearer')
    return made


def make(name: str, user: Any, password: Any, send_immediately: Any = True) -> Credentials:
    """Checked basic (or, after a 401, digest) credentials."""
    if not isinstance(user, str):
        raise InvalidOptionType(
            f'option {name!r}: auth() received invalid user or password; user must be a str, not {checks.kind(user)}'
        )
    return _of(name, {'user': user, 'password': password, 'send_immediately': send_immediately})


def make_bearer(name: str, token: Any, send_immediately: Any = True) -> Credentials:
    """Checked bearer credentials; a callable is asked each time the header is made."""
    return _of(name, {'bearer': token, 'send_immediately': send_immediately})


def _of(name: str, given: dict[str, Any]) -> Credentials:
    """Credentials of canonical keys; a bearer, even None, wins over user and password, as in Node."""
    user, password, token = given.get('user'), given.get('password'), given.get('bearer')
    _check_user(name, user, password)
    _check_token(name, token)
    # None, as in Node, is as good as False here.
    flag = given.get('send_immediately', True)
    if not (flag is None or isinstance(flag, bool)):
        raise InvalidOptionType(f'option {name!r}: sendImmediately must be True or False, not {checks.kind(flag)}')
    wanted = _digest(name, given)
    said = frozenset(key for key, value in given.items() if value is not None or key in ('bearer', 'send_immediately'))
    return Credentials(user, password, bool(flag) and not wanted, token, 'bearer' in given, said, wanted)


def _digest(name: str, given: dict[str, Any]) -> bool:
    """Whether only Digest will do; it cannot go together with a token, nor be sent before the server asked."""
    wanted = given.get('digest')
    if not (wanted is None or isinstance(wanted, bool)):
        raise InvalidOptionType(f'option {name!r}: digest must be True or False, not {checks.kind(wanted)}')
    if wanted and 'bearer' in given:
        raise OptionsError(f'option {name!r}: digest=True wants user and pass, not bearer; leave one of them out')
    if wanted and given.get('send_immediately') is True:
        raise OptionsError(
            f'option {name!r}: digest=True waits for what the server asks, sendImmediately=True does not; leave one of them out'
        )
    return bool(wanted)


def _check_user(name: str, user: Any, password: Any) -> None:
    for part, what in ((user, 'user'), (password, 'password')):
        if part is None:
            continue
        if not isinstance(part, str):
            raise InvalidOptionType(
                f'option {name!r}: auth() received invalid user or password; {what} must be a str, not {checks.kind(part)}'
            )
        if _unsafe(part):
            raise OptionsError(
                f'option {name!r}: {what} may not hold control characters or lone surrogates (RFC 7617 2); take them out'
            )
    if user is not None and ':' in user:
        raise OptionsError(f'option {name!r}: user may not hold a colon, which ends it (RFC 7617 2); take it out')


def _check_token(name: str, token: Any) -> None:
    if not (token is None or isinstance(token, str) or callable(token)):
        raise InvalidOptionType(
            f'option {name!r}: bearer must be a str or a callable that returns one, not {checks.kind(token)}'
        )
    if isinstance(token, str) and not (token.isascii() and token.isprintable()):
        raise OptionsError(
            f'option {name!r}: bearer must be visible ASCII (RFC 6750 2.1); take the line break or foreign letter out'
        )


def _unsafe(text: str) -> bool:
    return not text.isprintable() and any(
        ord(char) < 32 or ord(char) == 127 or '\ud800' <= char <= '\udfff' for char in text
    )
