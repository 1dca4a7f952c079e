"""Netscape's ``cookies.txt``, as curl, wget, browsers' exports and ``http.cookiejar`` read and write it.

A line has seven fields with tabs between: domain, whether subdomains too, path, whether Secure, the second of its end (0: with the session), name, value.
``#HttpOnly_`` before the domain is curl's way to keep that attribute; other lines that begin with ``#`` are comments.
"""

from __future__ import annotations

import logging
import time
from math import inf, isnan
from typing import TYPE_CHECKING

from requite.cookies import dates, domains, rules
from requite.cookies.cookie import Cookie
from requite.cookies.errors import CookieError
from requite.cookies.stores.files import FileStore
from requite.cookies.stores.jsonfile import permitted

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

HEAD = '# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n# Written by requite.\n\n'
HTTP_ONLY = '#HttpOnly_'

_log = logging.getLogger('requite')


class NetscapeFileStore(FileStore):
    """Cookies in a ``cookies.txt`` that curl and wget read and write too: ``request.jar(NetscapeFileStore('cookies.txt'))``.

    The format has no place for SameSite and other extensions, nor for the time of creation; order stands for it. Raises CookieStoreError for a
    damaged file, which is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, read, write)


def read(text: bytes, now: float | None = None, written: float = inf) -> list[Cookie]:
    """The cookies of a file in the order of its lines, read at ``now`` (seconds since 1970).

    Lines do not say when a cookie was made: the last counts as made when the file was ``written``, and each one before it a moment earlier. Bytes are kept as they are, so that they are sent as they came. Raises CookieError, which names the line, where the file is damaged.
    """
    now = time.time() if now is None else now
    lines = text.decode('latin-1').split('\n')
    first = rules.first_of(len(lines), min(now, written))
    cookies = []
    for number, line in enumerate(lines, 1):
        line = line.removesuffix('\r')
        if line.strip() and (line.startswith(HTTP_ONLY) or not line.startswith('#')):
            cookie = permitted(_cookie(line, number, first + number * rules.STEP, now + rules.LONGEST_LIFE))
            if cookie is not None:
                cookies.append(cookie)
    return cookies


def _cookie(line: str, number: int, creation: float, last: float) -> Cookie:
    fields = line.removeprefix(HTTP_ONLY).split('\t', 6)
    if len(fields) < 6:
        raise CookieError(f'line {number} has {len(fields)} fields, not seven with tabs between')
    domain, tail, path, secure, end, name = fields[:6]
    when = _end(end, number)
    host, _, port = domain.removeprefix('.').partition(':')
    domain = (
        host if port.isdecimal() else domain.removeprefix('.')
    )  # wget writes the port that is not the default; cookies have none
    return Cookie(
        name,
        fields[6] if len(fields) > 6 else '',
        domain=domain,
        host_only=domains.is_address(domain) or tail.upper() != 'TRUE',
        path=path if path.startswith('/') else '/',
        secure=secure.upper() == 'TRUE',
        http_only=line.startswith(HTTP_ONLY),
        expires=None if when == inf else dates.moment(when),
        expiry=when if when == inf else min(when, last),
        creation=creation,
    )


def _end(text: str, number: int) -> float:
    if len(text) > 40:
        raise CookieError(f'line {number} ends in no second')
    try:
        when = float(text or '0')
    except ValueError:
        raise CookieError(f'line {number} ends in {text!r}, which is no number of seconds') from None
    if isnan(when):
        raise CookieError(f'line {number} ends in {text!r}, which is no number of seconds')
    return inf if when == 0 else when


def write(cookies: Iterable[Cookie]) -> str:
    """The text of a file; a cookie with a tab in its name, domain or path, or without a domain yet, has no place there and is left out, with a line at DEBUG."""
    lines = [HEAD]
    for cookie in cookies:
        if not cookie.domain or '\t' in f'{cookie.key}{cookie.domain}{cookie.path}':
            _log.debug(
                'the cookie %r has no place in cookies.txt: %s',
                cookie.key[:60],
                'a tab is in its name, domain or path'
                if cookie.domain
                else 'it waits for its first host; save the jar as JSON to keep it',
            )
            continue
        lines.append(_line(cookie))
    return ''.join(lines)


def _line(cookie: Cookie) -> str:
    wide = not cookie.host_only and not domains.is_address(cookie.domain or '')
    fields = (
        ('.' if wide else '') + (cookie.domain or ''),
        'TRUE' if wide else 'FALSE',
        rules.wire(cookie.path or '/'),
        'TRUE' if cookie.secure else 'FALSE',
        '0' if cookie.expiry == inf else str(int(cookie.expiry)),
        *rules.wire_parts(cookie),
    )
    return (HTTP_ONLY if cookie.http_only else '') + '\t'.join(fields) + '\n'
