"""JSON: the file of tough-cookie-file-store, ``{domain: {path: {key: cookie}}}``, and a whole jar as tough-cookie writes one."""

from __future__ import annotations

import json
import logging
import time
from math import inf
from typing import TYPE_CHECKING, Any

from requite.cookies import rules, setcookie
from requite.cookies.errors import CookieError
from requite.cookies.stores.files import FileStore

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from requite.cookies.cookie import Cookie

_log = logging.getLogger('requite')


class JSONFileStore(FileStore):
    """Cookies in a JSON file that tough-cookie-file-store reads and writes too: ``request.jar(JSONFileStore('cookies.json'))``.

    Raises CookieStoreError for a damaged file, which is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(path, read, write)


def read(text: str | bytes, now: float | None = None, written: float = inf) -> list[Cookie]:
    """The cookies of a text in either form, read at ``now`` (seconds since 1970); those that do not say when they were made, were when it was ``written``. Raises CookieError where it is damaged; cookies that may not be kept are left out."""
    if not text.strip():
        return []
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise CookieError(f'it is not JSON ({reason})') from None
    return cookies_of(data, now, written)


def cookies_of(data: Any, now: float | None = None, written: float = inf) -> list[Cookie]:
    """The same of parsed JSON."""
    if isinstance(data, dict) and isinstance(data.get('cookies'), list):
        found = data['cookies'] + (data['unbound'] if isinstance(data.get('unbound'), list) else [])
    elif isinstance(data, list):
        found = data
    elif isinstance(data, dict):
        found = list(_entries(data))
    else:
        raise CookieError('it is JSON, but neither a jar nor {domain: {path: {key: cookie}}}')
    now = time.time() if now is None else now
    first = rules.first_of(len(found), min(now, written))
    return [
        cookie for at, entry in enumerate(found) if (cookie := kept(entry, now, first + at * rules.STEP)) is not None
    ]


def _entries(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The cookies of tough-cookie-file-store's three levels; what is named by the levels need not stand in the cookie again."""
    for domain, paths in data.items():
        for path, keys in _level(paths, domain):
            for key, cookie in _level(keys, domain):
                if not isinstance(cookie, dict):
                    raise CookieError(f'what it holds for the domain {domain[:60]!r} is no cookie')
                yield {'domain': domain, 'path': path, 'key': key, **cookie}


def _level(value: Any, domain: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise CookieError(f'it is JSON, but what it holds for {domain[:60]!r} is neither paths nor keys')
    return value.items()


def kept(entry: Any, now: float, made: float) -> Cookie | None:
    """A stored cookie that a jar may keep, or None with a line at DEBUG. Raises CookieError for what is no cookie at all.

    One that does not say when it was made, was at ``made``; none lives longer than 400 days from ``now`` on.
    """
    cookie = setcookie.from_json(entry)
    creation = made if cookie.creation is None else cookie.creation
    return permitted(
        cookie.replace(
            path=cookie.path if cookie.path and cookie.path.startswith('/') else '/',
            host_only=bool(cookie.host_only) if cookie.domain else None,
            expiry=min(rules.ends(cookie, creation, now), cookie.expiry),
            creation=creation,
        )
    )


def from_text(text: str | bytes) -> Cookie | None:
    """The same for one cookie as JSON text."""
    try:
        return kept(json.loads(text), now := time.time(), now)
    except (ValueError, RecursionError) as reason:
        raise CookieError(f'a stored cookie is not JSON ({reason})') from None


def permitted(cookie: Cookie) -> Cookie | None:
    """A cookie from a store, after the checks that what a server sends has to pass (SECURITY C6); None where it fails them."""
    try:
        cookie = rules.with_canonical_domain(cookie)
        rules.check(cookie if cookie.domain else cookie.replace(host_only=True))
    except CookieError as reason:
        _log.debug('a stored cookie was dropped: %s', reason)
        return None
    return cookie


def write(cookies: Iterable[Cookie]) -> str:
    """The text of tough-cookie-file-store's file.

    Where a host's own cookie and one for its subdomains share path and name, the latter stands under ``.domain``: tough-cookie holds one of the two only.
    """
    data: dict[str, dict[str, dict[str, Any]]] = {}
    for cookie in sorted(cookies, key=lambda one: (not one.host_only, one.creation or 0.0)):
        domain, path = cookie.domain or '', cookie.path or '/'
        if cookie.key in data.get(domain, {}).get(path, {}):
            domain = '.' + domain
        data.setdefault(domain, {}).setdefault(path, {})[cookie.key] = cookie.to_json()
    return json.dumps(data, indent=1)
