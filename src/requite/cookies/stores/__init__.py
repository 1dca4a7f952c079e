"""Where jars keep their cookies: the protocol, and one module for each kind of store.

A jar asks its store under a lock of its own, so that a store that only one jar has need not think of threads. What a store gives has passed the
same checks as what a server sends (SECURITY C6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from requite import checks
from requite.errors import InvalidOptionType

if TYPE_CHECKING:
    from collections.abc import Collection

    from requite.cookies.cookie import Cookie


class Store(Protocol):
    """What a store must do; two cookies with one domain, host-only flag, path and key are the same cookie.

    ``find`` gives the cookies of exactly this domain, ``put`` adds one or replaces it, ``remove`` forgets one if it is there, ``all`` gives every
    one in the order of their creation, ``len()`` counts them. More are called where they are there: ``commit()`` after each change of the
    jar, which may be many cookies at once, and ``close()``; and ``secure_named(key)``, the Secure cookies of one name on every domain, spares a
    jar the look through ``all()`` when a cookie with a Domain comes over http. Raise :class:`CookieStoreError` for what goes wrong.
    """

    def find(self, domain: str, /) -> Collection[Cookie]: ...
    def put(self, cookie: Cookie, /) -> None: ...
    def remove(self, cookie: Cookie, /) -> None: ...
    def all(self) -> Collection[Cookie]: ...
    def __len__(self) -> int: ...


def checked(store: Any) -> Store:
    """A store that has what the protocol asks for. Raises InvalidOptionType for anything else."""
    missing = [name for name in ('find', 'put', 'remove', 'all', '__len__') if not callable(getattr(store, name, None))]
    if missing:
        raise InvalidOptionType(
            f'the store of a jar must have find, put, remove, all and len(): {checks.kind(store)} lacks {", ".join(missing)}; '
            "for a file give JSONFileStore('cookies.json') of requite.cookies, or one of its kin"
        )
    found: Store = store
    return found
