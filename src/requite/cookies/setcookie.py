"""Reads the text of a Set-Cookie header, by the algorithm of RFC 6265bis 5.6, and what tough-cookie wrote as JSON.

Everything is cut at the first ``;`` and ``=``, once and from the left; no pattern goes back (SECURITY C5, P1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requite import checks
from requite.cookies import dates
from requite.cookies.cookie import LARGEST_MAX_AGE, Cookie
from requite.cookies.domains import canonical
from requite.cookies.errors import CookieError
from requite.cookies.rules import PREFIXES
from requite.errors import InvalidOptionType

BLANKS = ' \t'

LONGEST_ATTRIBUTE = 1024
"""Characters of an attribute's value; a longer one is passed over (RFC 6265bis 5.6)."""

_ENDS = ('\0', '\r', '\n')


def parse(text: str, loose: bool = True) -> Cookie | None:
    """The cookie that a Set-Cookie header describes, before any jar has looked at it.

    With ``loose`` (the default, and what Node's ``request`` does) a pair without ``=``, or with nothing before it, is a cookie without a name, as in
    RFC 6265bis, but ``=a=b`` is the cookie a, as tough-cookie reads it; what is not a cookie for a jar is still given: jars refuse control characters and a cookie without name and value. Without
    ``loose`` the text is read as RFC 6265 of 2011 was by the browsers of its day: such pairs are no cookies (None), and NUL, CR and LF end
    the text. Raises InvalidOptionType for anything but a str (Node: "The cookie function only accepts STRING as param").
    """
    if not isinstance(text, str):
        raise InvalidOptionType(f'a cookie is read from a str, not from {checks.kind(text)}')
    if not loose:
        for end in _ENDS:
            text = text.partition(end)[0]
    pair, _, rest = text.partition(';')
    name, equals, value = pair.partition('=')
    if not equals:
        name, value = '', name
    name, value = name.strip(BLANKS), value.strip(BLANKS)
    if not (name or loose):
        return None
    if not name and value.find('=') > 0 and not value.lower().startswith(PREFIXES):
        # It will be sent as `a=b`, so it has to pass for what it is then: http could hide a Secure cookie behind one without a name.
        name, _, value = value.partition('=')
        name, value = name.rstrip(BLANKS), value.lstrip(BLANKS)
    return Cookie(name, value, **attributes(rest))


def attributes(text: str) -> dict[str, Any]:
    """What follows the pair: the fields of a :class:`Cookie`. The last attribute of a name wins; what cannot be read is passed over.

    An empty Domain is passed over too, as RFC 6265 5.2.3 asks (RFC 6265bis makes the cookie host-only: that would keep cookies meant for elsewhere).
    """
    fields: dict[str, Any] = {}
    extensions: dict[str, None] = {}
    room = 4 * LONGEST_ATTRIBUTE
    for part in text.split(';') if text else ():
        name, _, value = part.partition('=')
        value = value.strip(BLANKS)
        if len(value) > LONGEST_ATTRIBUTE:
            continue
        read = _READERS.get(name.strip(BLANKS).lower())
        if read is not None:
            read(fields, value)
            continue
        kept = part.strip(BLANKS)
        if kept and len(kept) < room:
            room -= 0 if kept in extensions else len(kept)
            extensions[kept] = None
    if extensions:
        fields['extensions'] = tuple(extensions)
    return fields


def _expires(fields: dict[str, Any], value: str) -> None:
    when = dates.parse(value)
    if when is not None:
        fields['expires'] = dates.moment(when)


def _max_age(fields: dict[str, Any], value: str) -> None:
    digits = value.removeprefix('-')
    if digits.isascii() and digits.isdecimal():
        fields['max_age'] = max(-LARGEST_MAX_AGE, min(LARGEST_MAX_AGE, int(value)))


def _domain(fields: dict[str, Any], value: str) -> None:
    if value.removeprefix('.'):
        # What can be no host is kept as it came: no host will match it.
        fields['domain'] = canonical(value) or value


def _path(fields: dict[str, Any], value: str) -> None:
    fields['path'] = value if value.startswith('/') else None


def _secure(fields: dict[str, Any], value: str) -> None:
    fields['secure'] = True


def _http_only(fields: dict[str, Any], value: str) -> None:
    fields['http_only'] = True


_READERS = {
    'expires': _expires,
    'max-age': _max_age,
    'domain': _domain,
    'path': _path,
    'secure': _secure,
    'httponly': _http_only,
}

_JSON_NAMES = {
    'maxAge': 'max_age',
    'domain': 'domain',
    'path': 'path',
    'secure': 'secure',
    'httpOnly': 'http_only',
    'extensions': 'extensions',
    'hostOnly': 'host_only',
    'pathIsDefault': 'path_is_default',
}
_JSON_DATES = {'expires': 'expires', 'creation': 'creation', 'lastAccessed': 'last_accessed', 'expiry': 'expiry'}


def from_json(data: Any) -> Cookie:
    """The cookie that ``Cookie.to_json`` or tough-cookie wrote.

    Keys that nobody knows are passed over, ``__proto__`` and ``__class__`` are such keys (SECURITY C6). Raises CookieError for data that is no cookie.
    """
    key = data.get('key', data.get('name', '')) if isinstance(data, Mapping) else None
    if not isinstance(key, str):
        raise CookieError(f'a stored cookie must be an object with a "key", not {checks.kind(data)}')
    fields: dict[str, Any] = {name: data[key] for key, name in _JSON_NAMES.items() if data.get(key) is not None}
    if fields.get('max_age') in ('Infinity', '-Infinity'):  # tough-cookie's words where JSON has none
        fields['max_age'] = LARGEST_MAX_AGE if fields['max_age'] == 'Infinity' else -1
    for word, name in _JSON_DATES.items():
        when = _moment(word, data.get(word))
        if when is not None:
            fields[name] = dates.moment(when) if name == 'expires' else when
    if isinstance(data.get('sameSite'), str):  # tough-cookie 4 and later keep it apart
        fields['extensions'] = [*fields.get('extensions', ()), f'SameSite={data["sameSite"]}']
    try:
        return Cookie(key, data.get('value') or '', **fields)
    except InvalidOptionType as reason:
        raise CookieError(f'a stored cookie cannot be read: {reason}') from None


def _moment(key: str, value: Any) -> float | None:
    if value is None or value == 'Infinity':
        return None
    when = dates.parse_iso(value) if isinstance(value, str) else None
    if when is None and isinstance(value, str):
        when = dates.parse(value)
    if when is None:
        raise CookieError(f'a stored cookie cannot be read: "{key}" must be a date like 2015-10-21T07:28:00.000Z')
    return when
