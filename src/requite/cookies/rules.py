"""What a jar keeps, sends and throws away: the storage model of RFC 6265bis 5.7 and 5.8 as functions of values (SECURITY C1 to C4, C8)."""

from __future__ import annotations

import re
from heapq import nsmallest
from math import inf
from typing import TYPE_CHECKING, Any

from requite.cookies import dates, domains
from requite.cookies.errors import CookieError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from requite.cookies.cookie import Cookie
    from requite.wire.uri import Uri

LARGEST = 4096
"""Bytes of a cookie's name and value together."""

MOST_OF_A_DOMAIN = 180
MOST = 3000
"""Cookies that a jar holds, of one domain and in all."""

LONGEST_HEADER = 8192 - len('cookie: \r\n')
"""Bytes of a Cookie header's value: with its name and line end the field has 8 KB."""

STEP = 2e-6
"""Seconds between two cookies that came in one go: times are written in whole microseconds, and of two that are one apart a float may make the same."""

PREFIXES = ('__host-', '__secure-')
"""What a name may begin with to promise something, in lower case."""

LONGEST_LIFE = 400 * 86400
"""Seconds that a cookie lives at most, whatever it says of itself (RFC 6265bis 5.5, "SHOULD be 400 days")."""

_control = re.compile('[\0-\x08\x0a-\x1f\x7f\ud800-\udfff]').search
_beyond = re.compile('[^\0-\xff]').search


def refuse_controls(text: str) -> None:
    """Raises CookieError for the text of a cookie with control characters in it, the tab excepted (RFC 6265bis 5.6, SECURITY C3)."""
    found = _control(text)
    if found:
        raise CookieError(
            f'the cookie {_shown(text.partition("=")[0])} holds U+{ord(found[0]):04X}, a control character or half a pair; take it out'
        )


def check(cookie: Cookie) -> None:
    """Raises CookieError for a cookie that no jar may keep, whoever set it: what stores load passes here too (SECURITY C6)."""
    texts = (cookie.key, cookie.value, cookie.domain or '', cookie.path or '', *cookie.extensions)
    for text in texts:
        refuse_controls(text)
    if not cookie.key and not cookie.value:
        raise CookieError('a cookie without name and value is no cookie; give it one of the two')
    if ';' in cookie.key or ';' in cookie.value or '=' in cookie.key or (not cookie.key and cookie.value.find('=') > 0):
        raise CookieError(
            f'the cookie {_shown(cookie.key)} would be read as another: no ";" in name and value, no "=" in the name or without one'
        )
    if _size(cookie) > LARGEST:
        raise CookieError(f'the cookie {_shown(cookie.key)} is larger than {LARGEST} bytes; shorten its name or value')
    _check_prefix(cookie)
    if cookie.domain and not cookie.host_only and domains.is_public_suffix(cookie.domain):
        raise CookieError(
            f'the cookie {_shown(cookie.key)} is for {_shown(cookie.domain)}, where names belong to different people (a public suffix); name the host, or leave its Domain out'
        )


def _size(cookie: Cookie) -> int:
    return sum(map(len, wire_parts(cookie)))


def _check_prefix(cookie: Cookie) -> None:
    name = (cookie.key or cookie.value)[:9].lower()
    if not name.startswith(PREFIXES):
        return
    if not cookie.key:
        raise CookieError(
            'a cookie without a name may not look like one with a prefix (RFC 6265bis 5.7); give it a name'
        )
    if not cookie.secure:
        raise CookieError(f'the cookie {_shown(cookie.key)} must say Secure, as its prefix promises')
    host_wide = cookie.path == '/' and not cookie.path_is_default and cookie.host_only is not False
    if name.startswith('__host-') and not host_wide:
        raise CookieError(f'the cookie {_shown(cookie.key)} must say Path=/ and no Domain, as its prefix promises')


def settle(cookie: Cookie, uri: Uri, now: float) -> Cookie:
    """The cookie as a jar keeps it when it comes from this URI: domain, path and lifetime settled.

    Raises CookieError for one that the URI may not set. ``now`` is in seconds since 1970; ``creation`` is set to it.
    """
    host = domains.host_of(uri)
    own, domain = _whose(cookie, host)
    default = cookie.path is None or not cookie.path.startswith('/')
    settled = cookie.replace(
        domain=domain,
        host_only=own,
        path=domains.default_path(uri.pathname) if default else cookie.path,
        path_is_default=True if default else cookie.path_is_default,
        creation=now,
        last_accessed=now,
        expiry=ends(cookie, now, now),
    )
    check(settled)
    if settled.key[:2] == '__' and uri.scheme != 'https' and settled.key[:9].lower().startswith(PREFIXES):
        raise CookieError(
            f'the cookie {_shown(cookie.key)} comes from http: its prefix promises https (RFC 6265bis 5.7); give an https URL'
        )
    return settled


def settle_alone(cookie: Cookie, now: float) -> Cookie:
    """The cookie as a jar keeps it that was added with a domain of its own and comes from no URI. Raises CookieError for one that nobody may set."""
    settled = begin(cookie, now).replace(host_only=bool(cookie.host_only), last_accessed=now)
    check(settled)
    return settled


def begin(cookie: Cookie, now: float) -> Cookie:
    """A cookie that was made now, and whose life is counted from here."""
    return cookie.replace(creation=now, expiry=ends(cookie, now, now))


def with_canonical_domain(cookie: Cookie) -> Cookie:
    """A cookie that somebody made by hand, its domain written as hosts are: lower case, ASCII, no leading dot."""
    if not cookie.domain:
        return cookie
    domain = domains.canonical(cookie.domain)
    if domain is None:
        raise CookieError(
            f'the cookie {_shown(cookie.key)} is for {_shown(cookie.domain)}, which can be no host; correct its Domain'
        )
    return cookie if domain == cookie.domain else cookie.replace(domain=domain)


def ends(cookie: Cookie, since: float | None, seen: float | None) -> float:
    """The second in which a cookie ends: by its Max-Age, counted from ``since``, else by its Expires, but 400 days after it was seen at the latest.

    Infinite for a cookie of the session, and for one whose Max-Age has nothing to count from.
    """
    if cookie.max_age is not None:
        if cookie.max_age <= 0:
            return -inf
        declared = inf if since is None else since + cookie.max_age
    else:
        declared = inf if cookie.expires is None else dates.seconds(cookie.expires)
    return declared if declared == inf or seen is None else min(declared, seen + LONGEST_LIFE)


def still_alive(cookie: Cookie, now: float) -> Cookie:
    """A cookie that waited for its host, with as much of its Max-Age as is left."""
    if cookie.max_age is None or cookie.creation is None or abs(cookie.expiry) == inf:
        return cookie
    return cookie.replace(max_age=round(cookie.expiry - now))


def first_of(count: int, now: float) -> float:
    """The time of creation for the first of so many cookies that are read at ``now`` in order of their age: none of them is from the future."""
    return now - count * STEP


def _whose(cookie: Cookie, host: str) -> tuple[bool, str]:
    """Whether a cookie is for its host alone, and for which domain (RFC 6265bis 5.7 steps 9 and 10)."""
    domain = cookie.domain
    if not domain:
        return True, host
    if cookie.host_only:
        if domain != host:
            raise CookieError(
                f'the cookie {_shown(cookie.key)} is for {_shown(domain)} alone, not for {host}; give its own URL'
            )
        return True, host
    if not domains.domain_match(host, domain):
        raise CookieError(
            f'the cookie {_shown(cookie.key)} is for {_shown(domain)}, which is not {host} or above it; leave its Domain out, or give its own URL'
        )
    if host == domain and domains.is_public_suffix(domain):
        return True, host
    return False, domain


def shadows(existing: Iterable[Cookie], cookie: Cookie) -> bool:
    """Whether a cookie that comes over http would replace or hide a Secure one (RFC 6265bis 5.7 step 12, SECURITY C8).

    ``existing`` are the cookies of the domains above and below. Secure cookies themselves are taken from http, as tough-cookie takes them, but no
    such cookie may change one that is there.
    """
    return any(
        other.secure
        and other.key == cookie.key
        and domains.path_match(cookie.path or '/', other.path or '/')
        and _related(cookie, other)
        for other in existing
    )


def secure_by_key(cookies: Iterable[Cookie]) -> dict[str, list[Cookie]]:
    """The Secure ones of some cookies, by their names."""
    found: dict[str, list[Cookie]] = {}
    for cookie in cookies:
        if cookie.secure:
            found.setdefault(cookie.key, []).append(cookie)
    return found


def _related(one: Cookie, other: Cookie) -> bool:
    mine, theirs = one.domain or '', other.domain or ''
    return domains.domain_match(mine, theirs) or domains.domain_match(theirs, mine)


def goes_to(cookie: Cookie, host: str, paths: tuple[str, ...], secure: bool) -> bool:
    """Whether a cookie of a host, or of a domain above it, is sent with a request for one of these spellings of its path (RFC 6265bis 5.8.3)."""
    if (cookie.host_only and cookie.domain != host) or (cookie.secure and not secure):
        return False
    own = cookie.path or '/'
    return domains.path_match(paths[0], own) or (len(paths) > 1 and domains.path_match(paths[1], own))


def identity(cookie: Cookie) -> tuple[str, bool, str, str]:
    """What makes two cookies the same one: domain, host-only flag, path and name (RFC 6265bis 5.7 step 20; tough-cookie leaves the flag out)."""
    return cookie.domain or '', bool(cookie.host_only), cookie.path or '/', cookie.key


def surplus(cookies: Collection[Cookie], most: int, now: float) -> list[Cookie]:
    """The cookies of one domain that have to go so that ``most`` are left: expired ones, then those that are not Secure, then the longest unused."""
    return nsmallest(
        len(cookies) - most, cookies, key=lambda cookie: (cookie.expiry > now, cookie.secure, _age(cookie))
    )


def surplus_of_all(cookies: Collection[Cookie], most: int, now: float) -> list[Cookie]:
    """The same for the whole jar, where Secure does not count (RFC 6265bis 5.7: a site could fill the jar with Secure cookies)."""
    return nsmallest(len(cookies) - most, cookies, key=lambda cookie: (cookie.expiry > now, _age(cookie)))


def _age(cookie: Cookie) -> tuple[float, float]:
    return cookie.last_accessed or 0.0, cookie.creation or 0.0


def fit(cookies: list[Cookie], longest: int) -> list[Cookie]:
    """The cookies that a header of so many bytes has room for, in their order; the oldest are left out (SECURITY C4)."""
    size = sum(len(wire(cookie.cookie_string())) + 2 for cookie in cookies) - 2
    if size <= longest:
        return cookies
    left_out: set[int] = set()
    for cookie in sorted(cookies, key=_born):
        if size <= longest:
            break
        size -= len(wire(cookie.cookie_string())) + 2
        left_out.add(id(cookie))
    return [cookie for cookie in cookies if id(cookie) not in left_out]


def _born(cookie: Cookie) -> float:
    return cookie.creation or 0.0


def order(cookie: Cookie) -> tuple[Any, ...]:
    """Sorts cookies for a header: longer paths first, of equal ones the older (RFC 6265bis 5.8.3)."""
    return -len(cookie.path or ''), cookie.creation or 0.0


def wire(text: str) -> str:
    """Text as header fields carry it, one character a byte: what does not fit into a byte goes out as UTF-8 (SECURITY C3).

    What a server sent is such text already and goes back byte for byte.
    """
    if text.isascii() or not _beyond(text):
        return text
    return _as_utf8(text)


def wire_parts(cookie: Cookie) -> tuple[str, str]:
    """Key and value as the wire has them: both in UTF-8 where one of them needs it, as in a header."""
    if cookie.cookie_string().isascii() or not _beyond(cookie.cookie_string()):
        return cookie.key, cookie.value
    return _as_utf8(cookie.key), _as_utf8(cookie.value)


def _as_utf8(text: str) -> str:
    return text.encode('utf-8', 'replace').decode('latin-1')


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else repr(text[:57]) + '...'
