"""Cookies: the jar of ``request.jar()``, its cookies and its stores, by RFC 6265bis and the public suffix list.

Nothing here is loaded before a jar or a cookie is asked for. ``jar.header(uri)`` and ``jar.remember(uri, values)`` are all that an exchange needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requite.cookies.cookie import Cookie
    from requite.cookies.errors import CookieError, CookieStoreError
    from requite.cookies.jar import CookieJar
    from requite.cookies.stores.jsonfile import JSONFileStore
    from requite.cookies.stores.memory import MemoryStore
    from requite.cookies.stores.netscape import NetscapeFileStore
    from requite.cookies.stores.redis import RedisStore
    from requite.cookies.stores.sqlite import SQLiteStore

__all__ = [
    'CookieJar',
    'Cookie',
    'CookieError',
    'CookieStoreError',
    'MemoryStore',
    'JSONFileStore',
    'NetscapeFileStore',
    'SQLiteStore',
    'RedisStore',
]

_HOMES = {
    'CookieJar': 'jar',
    'Cookie': 'cookie',
    'CookieError': 'errors',
    'CookieStoreError': 'errors',
    'MemoryStore': 'stores.memory',
    'JSONFileStore': 'stores.jsonfile',
    'NetscapeFileStore': 'stores.netscape',
    'SQLiteStore': 'stores.sqlite',
    'RedisStore': 'stores.redis',
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(f'{__name__}.{_HOMES[name]}'), name)
