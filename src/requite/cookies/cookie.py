"""One cookie: a value that does not change, with the names of tough-cookie, the jar of Node's ``request``."""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import Any, NoReturn

from requite import checks
from requite.cookies import dates
from requite.errors import InvalidOptionType, UnknownOption

_DEFAULTS: dict[str, Any] = {
    'expires': None,
    'max_age': None,
    'domain': None,
    'path': None,
    'secure': False,
    'http_only': False,
    'extensions': (),
    'host_only': None,
    'path_is_default': None,
    'creation': None,
    'last_accessed': None,
    'expiry': inf,
}

ALIASES = {
    'name': 'key',
    'maxAge': 'max_age',
    'httpOnly': 'http_only',
    'hostOnly': 'host_only',
    'pathIsDefault': 'path_is_default',
    'lastAccessed': 'last_accessed',
    'sameSite': 'same_site',
    'toString': '__str__',
    'cookieString': 'cookie_string',
    'toJSON': 'to_json',
}
"""Other spellings of what a cookie has: Node's, and the ``name`` of 2013."""

JAR_ALIASES = {
    'setCookie': 'set_cookie',
    'getCookies': 'get_cookies',
    'getCookieString': 'get_cookie_string',
    'toJSON': 'to_json',
    'fromJSON': 'from_json',
}
"""Node's spelling of what a jar has."""

LARGEST_MAX_AGE = 2**53 - 1
"""Seconds of a Max-Age that a number of JSON holds exactly; a larger one counts as this."""

_put = object.__setattr__


class Cookie:
    """A cookie: ``Cookie('sid', '42', domain='example.com', path='/', secure=True)``.

    ``key`` (also ``name``) and ``value``; ``expires`` a datetime or None (until the jar is gone); ``max_age`` seconds or None; ``domain`` without its
    dot; ``path``; ``secure``, ``http_only``; ``extensions`` a tuple of the attributes that nothing here acts upon, ``SameSite`` and ``Partitioned``
    among them; ``host_only`` and ``path_is_default`` are what a jar made of them (None before); ``creation`` and ``last_accessed`` seconds since 1970;
    ``expiry`` the second in which the jar drops it, infinite for a cookie of the session.

    A cookie does not change: :meth:`replace` makes another. ``str()`` is its Set-Cookie form; ``repr()`` holds no value.
    """

    __slots__ = ('_pair', 'key', 'value', *_DEFAULTS)

    key: str
    value: str
    expires: datetime | None
    max_age: int | None
    domain: str | None
    path: str | None
    secure: bool
    http_only: bool
    extensions: tuple[str, ...]
    host_only: bool | None
    path_is_default: bool | None
    creation: float | None
    last_accessed: float | None
    expiry: float
    _pair: str

    def __init__(self, key: str, value: str = '', /, **fields: Any) -> None:
        _put(self, 'key', _text('key', key))
        _put(self, 'value', _text('value', value))
        _put(self, '_pair', f'{key}={value}' if key else value)
        for name, default in _DEFAULTS.items():
            given = fields.pop(name, default)
            _put(self, name, default if given is None else _KINDS[name](name, given))
        if fields:
            name = next(iter(fields))
            near = checks.nearest(name, [known for known in _DEFAULTS if known != 'expiry'])
            raise UnknownOption(f'a cookie has no {name!r}' + (f'; did you mean {near!r}?' if near else ''))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f'a cookie does not change (set {name!r}): make another with .replace({name}=...)')

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f'a cookie does not change (delete {name!r}): make another with .replace({name}=None)')

    def __getattr__(self, name: str) -> Any:
        if name in ALIASES:
            return getattr(self, ALIASES[name])
        raise AttributeError(f'a cookie has no {name!r}')

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.key, self.value, self._fields())

    def __str__(self) -> str:
        return '; '.join([self._pair, *self._attributes()])

    def __repr__(self) -> str:
        return f'<Cookie {self.key[:60]!r} for {self.domain}{self.path or ""}>'

    @property
    def same_site(self) -> str | None:
        """``'strict'``, ``'lax'`` or ``'none'``, or None where the cookie says nothing of the kind. It is kept, never acted upon: a client has no sites."""
        for extension in reversed(self.extensions):
            name, _, value = extension.partition('=')
            if name.strip().lower() == 'samesite':
                word = value.strip().lower()
                return word if word in ('strict', 'lax', 'none') else None
        return None

    @property
    def partitioned(self) -> bool:
        """Whether the cookie says Partitioned. Kept, never acted upon."""
        return any(extension.partition('=')[0].strip().lower() == 'partitioned' for extension in self.extensions)

    def cookie_string(self) -> str:
        """The cookie as a Cookie header has it: ``key=value``, or the value alone where it has no name."""
        return self._pair

    def replace(self, key: str | None = None, value: str | None = None, /, **fields: Any) -> Cookie:
        """The same cookie with another key, value or attributes."""
        return Cookie(
            self.key if key is None else key, self.value if value is None else value, **{**self._fields(), **fields}
        )

    def to_json(self) -> dict[str, Any]:
        """The cookie as tough-cookie serialises it: plain data for ``json.dumps``, what is not set left out.

        Where the lifetime comes from Max-Age, ``maxAge`` is counted from ``creation``, as tough-cookie reads it. Where a jar has cut the date of
        ``Expires`` to 400 days, ``expiry``, which tough-cookie passes over, is the end that it has then.
        """
        shown: dict[str, Any] = {'key': self.key, 'value': self.value}
        if self.expires is not None:
            shown['expires'] = dates.write_iso(dates.seconds(self.expires))
            if self.max_age is None and self.expiry < dates.seconds(self.expires):
                shown['expiry'] = dates.write_iso(self.expiry)
        if self.max_age is not None:
            lasting = self.max_age > 0 and self.creation is not None and self.expiry < inf
            shown['maxAge'] = round(self.expiry - self.creation) if lasting else self.max_age  # type: ignore[operator]
        shown |= {name: value for name, value in (('domain', self.domain), ('path', self.path)) if value is not None}
        shown |= {name: True for name, value in (('secure', self.secure), ('httpOnly', self.http_only)) if value}
        if self.extensions:
            shown['extensions'] = list(self.extensions)
        for name, value in (('hostOnly', self.host_only), ('pathIsDefault', self.path_is_default)):
            if value is not None and (value or name == 'hostOnly'):
                shown[name] = value
        for name, when in (('creation', self.creation), ('lastAccessed', self.last_accessed)):
            if when is not None:
                shown[name] = dates.write_iso(when)
        return shown

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _DEFAULTS}

    def _attributes(self) -> list[str]:
        """What follows the pair in a Set-Cookie header, in tough-cookie's order."""
        shown = []
        if self.expires is not None:
            shown.append(f'Expires={dates.write(dates.seconds(self.expires))}')
        if self.max_age is not None:
            shown.append(f'Max-Age={self.max_age}')
        if self.domain and not self.host_only:
            shown.append(f'Domain={self.domain}')
        if self.path:
            shown.append(f'Path={self.path}')
        shown += [word for word, on in (('Secure', self.secure), ('HttpOnly', self.http_only)) if on]
        return [*shown, *self.extensions]


def touch(cookie: Cookie, now: float) -> None:
    """Notes that a cookie was sent: the one thing about it that changes, for the jar that holds it."""
    _put(cookie, 'last_accessed', now)


def _make(key: str, value: str, fields: dict[str, Any]) -> Cookie:
    return Cookie(key, value, **fields)


def _text(name: str, value: Any) -> str:
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise InvalidOptionType(f'the {name} of a cookie must be a str, not {checks.kind(value)}')
    return str(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidOptionType(f'the {name} of a cookie must be True or False, not {checks.kind(value)}')
    return value


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidOptionType(f'the {name} of a cookie must be a whole number of seconds, not {checks.kind(value)}')
    return max(-LARGEST_MAX_AGE, min(LARGEST_MAX_AGE, value))


def _seconds(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidOptionType(
            f'the {name} of a cookie must be a number of seconds since 1970, not {checks.kind(value)}'
        )
    if value != value or (isinstance(value, int) and abs(value) > LARGEST_MAX_AGE):  # noqa: PLR0124 - NaN
        raise InvalidOptionType(
            f'the {name} of a cookie must be a number of seconds since 1970, not NaN or one beyond all dates'
        )
    return value


def _date(name: str, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise InvalidOptionType(f'the {name} of a cookie must be a datetime, not {checks.kind(value)}')
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise InvalidOptionType(f'the {name} of a cookie must be a list of str, not {checks.kind(value)}')
    return tuple(_text(name, one) for one in value)


_KINDS: dict[str, Any] = {
    'expires': _date,
    'max_age': _whole,
    'domain': _text,
    'path': _text,
    'secure': _flag,
    'http_only': _flag,
    'extensions': _texts,
    'host_only': _flag,
    'path_is_default': _flag,
    'creation': _seconds,
    'last_accessed': _seconds,
    'expiry': _seconds,
}
