"""The store that a jar has when it is given none: two dicts, gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite.cookies.rules import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requite.cookies.cookie import Cookie


class MemoryStore:
    """Cookies in memory, indexed by domain: what other sites have set costs a look-up nothing. The Secure ones can be found by their names too."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._domains: dict[str, dict[tuple[str, bool, str, str], Cookie]] = {}
        self._secure: dict[str, dict[tuple[str, bool, str, str], Cookie]] = {}
        self._count = 0
        for cookie in cookies:
            self.put(cookie)

    def find(self, domain: str) -> list[Cookie]:
        """The cookies of exactly this domain."""
        found = self._domains.get(domain)
        return [] if found is None else list(found.values())

    def put(self, cookie: Cookie) -> None:
        """Adds a cookie, or replaces the one that has its domain, path and key."""
        here = self._domains.setdefault(cookie.domain or '', {})
        before = len(here)
        known = identity(cookie)
        here[known] = cookie
        self._count += len(here) - before
        if cookie.secure:
            self._secure.setdefault(cookie.key, {})[known] = cookie
        else:
            self._forget_secure(known)

    def remove(self, cookie: Cookie) -> None:
        """Forgets a cookie; one that is not there is no error."""
        known = identity(cookie)
        here = self._domains.get(cookie.domain or '')
        if here is not None and here.pop(known, None) is not None:
            self._count -= 1
            self._forget_secure(known)
            if not here:
                del self._domains[cookie.domain or '']

    def secure_named(self, key: str) -> list[Cookie]:
        """The Secure cookies of one name, on every domain."""
        return list(self._secure.get(key, {}).values())

    def _forget_secure(self, known: tuple[str, bool, str, str]) -> None:
        here = self._secure.get(known[3])
        if here is not None and here.pop(known, None) is not None and not here:
            del self._secure[known[3]]

    def all(self) -> list[Cookie]:
        """Every cookie, the oldest first."""
        cookies = [cookie for here in self._domains.values() for cookie in here.values()]
        return sorted(cookies, key=lambda cookie: cookie.creation or 0.0)

    def __len__(self) -> int:
        return self._count
