"""The cookie jar: what servers set, kept by the rules of RFC 6265bis, and the Cookie header for each request."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requite.cookies import archive, domains, forks, rules, setcookie, stores
from requite.cookies.cookie import JAR_ALIASES, Cookie, touch
from requite.cookies.errors import CookieError, ignored, tell, tell_of_waiting
from requite.cookies.stores.memory import MemoryStore
from requite.wire.uri import Uri, coerce

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from typing_extensions import Self

    from requite.cookies.stores import Store


class CookieJar(forks.Locked):
    """Keeps cookies and says which of them a request sends; threads may share it.

    ``store`` is where they are kept, in memory by default. ``loose=False`` reads cookies as RFC 6265 of 2011 did, without those that have no name
    (Node's ``request`` is loose). ``now`` gives the seconds since 1970. ``most`` and ``most_of_a_domain`` bound the number of cookies; the longest
    unused make room. No Cookie header grows over 8 KB; the oldest are left out of it.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        loose: bool = True,
        now: Callable[[], float] = time.time,
        most: int = rules.MOST,
        most_of_a_domain: int = rules.MOST_OF_A_DOMAIN,
    ) -> None:
        self.store: Store = MemoryStore() if store is None else stores.checked(store)
        self._loose = loose
        self._now = now
        self._most = most
        self._most_of_a_domain = most_of_a_domain
        self._unbound: list[Cookie] = []
        self._youngest = 0.0
        self._grown = False
        self._secure: dict[str, list[Cookie]] | None = None
        self._lock = threading.RLock()
        forks.renew_lock(self)

    def __getattr__(self, name: str) -> Any:
        if name in JAR_ALIASES:
            return getattr(self, JAR_ALIASES[name])
        raise AttributeError(f'a cookie jar has no {name!r}')

    def __repr__(self) -> str:
        return f'<CookieJar with {len(self)} cookies in {type(self.store).__name__}>'

    def __len__(self) -> int:
        with self._lock:
            return len(self.store) + len(self._unbound)

    def __bool__(self) -> bool:
        return True  # an empty jar is a jar: `jar=CookieJar()` means "keep cookies"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the store, where it has something to close."""
        with self._lock:
            tell_of_waiting(0 if isinstance(self.store, MemoryStore) else len(self._unbound))
            if hasattr(self.store, 'close'):
                self.store.close()

    def set_cookie(
        self, cookie: Cookie | str, url: Any, *given: bool | Mapping[str, Any] | None, **options: Any
    ) -> Cookie | None:
        """Keeps a cookie as if ``url`` had sent it, and returns it as it is kept; one that has expired removes its like.

        Takes a :class:`Cookie` or the text of a Set-Cookie header. Raises CookieError for a cookie that this URL may not set or nobody may; with
        ``ignore_error=True`` it is dropped instead, with a line at DEBUG, and None is returned; after the URL True will do, and so will Node's mapping,
        ``{'ignoreError': True}``. Raises InvalidURI for a URL that is none.
        """
        uri, silent = coerce(url), ignored(given, options)
        with self._changing():
            return self._offer(cookie, uri) if silent else self._take(self._read(cookie), uri)

    def remember(self, uri: Uri, set_cookie_values: Iterable[str]) -> None:
        """Keeps what a response from this URI sets, in the order of its headers: a later deletion wins (SECURITY C7). What may not be kept is dropped."""
        with self._changing():
            for text in set_cookie_values:
                self._offer(text, uri)

    def add(self, cookie: Cookie | str) -> None:
        """Keeps a cookie without saying where it comes from.

        One that names no domain belongs to the first host that the jar is used for (in 2013 it went to every host: mended). Its path is ``/`` where
        it names none. Until then it waits in the jar: ``to_json`` and JSON files hold it, stores and ``cookies.txt`` do not, which leave a line at
        DEBUG. Raises CookieError for one that nobody may set.
        """
        read = self._read(cookie)
        read = read.replace(path=read.path or '/')
        with self._changing():
            if not read.domain:
                rules.check(read.replace(host_only=True))
                self._wait(rules.begin(read, self._moment()))
            else:
                self._keep(rules.settle_alone(read, self._moment()))

    def header(self, uri: Uri) -> str:
        """The value of the Cookie header for a request, as it goes on the wire; '' for none."""
        chosen = self._chosen(uri)
        if not chosen:
            return ''
        text = '; '.join([cookie.cookie_string() for cookie in chosen])
        if text.isascii() and len(text) <= rules.LONGEST_HEADER:
            return text
        return '; '.join([rules.wire(cookie.cookie_string()) for cookie in rules.fit(chosen, rules.LONGEST_HEADER)])

    def get_cookies(self, url: Any) -> list[Cookie]:
        """The cookies that a request to ``url`` would send, in their order: longer paths first, then the older ones."""
        return rules.fit(self._chosen(coerce(url)), rules.LONGEST_HEADER)

    def get_cookie_string(self, url: Any) -> str:
        """The same as one text, ``a=1; b=2``; '' for none."""
        return '; '.join([cookie.cookie_string() for cookie in self.get_cookies(url)])

    def to_json(self) -> dict[str, Any]:
        """The jar as tough-cookie serialises one: plain data for ``json.dumps``."""
        with self._lock:
            return archive.describe(self.store.all(), self._unbound, type(self.store).__name__)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | str, store: Store | None = None) -> Self:
        """A jar from what :meth:`to_json` or tough-cookie's ``toJSON`` gave, as data or as text.

        Cookies that may not be kept are left out. Raises CookieError for data that is no jar.
        """
        jar = cls(store)
        return jar._load(archive.understand(data, jar._now()))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes all cookies to a file that only its owner may read: JSON as :meth:`to_json` gives it, or for a name ending in ``.txt`` Netscape's format.

        The file is replaced as a whole or not at all. Raises CookieStoreError where it cannot be written.
        """
        with self._lock:
            archive.write(path, self.store.all(), self._unbound, type(self.store).__name__)

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Adds the cookies of a file to the jar, and returns the jar.

        Reads what :meth:`save`, curl, wget, tough-cookie and tough-cookie-file-store write. Raises CookieStoreError for a file that is missing or
        damaged; the jar is as it was then.
        """
        return self._load(archive.read(path, self._now()))

    def _load(self, cookies: Iterable[Cookie]) -> Self:
        with self._changing():
            now = self._now()
            for cookie in cookies:
                if not cookie.domain:
                    self._wait(cookie)
                elif cookie.expiry > now:
                    self._youngest = max(self._youngest, min(cookie.creation or 0.0, now))
                    self._keep(cookie)
        return self

    def _read(self, cookie: Cookie | str) -> Cookie:
        if isinstance(cookie, Cookie):
            return rules.with_canonical_domain(cookie)
        read = setcookie.parse(cookie, self._loose)
        if self._loose:
            rules.refuse_controls(cookie)
        if read is None:
            raise CookieError('a cookie without a name is no cookie for a jar with loose=False; give it a name')
        return read

    def _offer(self, cookie: Cookie | str, uri: Uri) -> Cookie | None:
        """Takes a cookie where it may be kept, and drops it where not."""
        try:
            return self._take(self._read(cookie), uri)
        except CookieError as reason:
            tell(reason, uri.host)
            return None

    def _take(self, cookie: Cookie, uri: Uri) -> Cookie:
        """Settles a cookie that comes from a URI and keeps it, or removes its like."""
        settled = rules.settle(cookie, uri, self._moment())
        if uri.scheme != 'https':
            host = domains.host_of(uri)
            near = self._around(host) if settled.host_only else self._secure_ones(settled.key)
            if rules.shadows(near, settled):
                raise CookieError(
                    f'the cookie {settled.key[:60]!r} comes from http, and would hide a Secure one; give an https URL, or another name'
                )
        return self._keep(settled)

    def _keep(self, cookie: Cookie) -> Cookie:
        store, now = self.store, self._now()
        known = rules.identity(cookie)
        here = store.find(cookie.domain or '')
        old = next((other for other in here if rules.identity(other) == known), None)
        if cookie.expiry <= now:
            if old is not None:
                store.remove(old)
            return cookie
        if old is not None:
            cookie = cookie.replace(creation=old.creation)  # keeps its place in the header (RFC 6265bis 5.7 step 20)
        store.put(cookie)
        if old is None:
            self._grown = True
            if len(here) >= self._most_of_a_domain:
                self._drop(rules.surplus([*here, cookie], self._most_of_a_domain, now))
        if cookie.secure and self._secure is not None:
            self._secure.setdefault(cookie.key, []).append(cookie)
        return cookie

    def _drop(self, cookies: Iterable[Cookie]) -> None:
        for cookie in cookies:
            self.store.remove(cookie)

    def _secure_ones(self, key: str) -> Iterable[Cookie]:
        """The Secure cookies of one name on every domain, from a store that knows them or looked up once a change: a response may hold a thousand cookies."""
        named: Callable[[str], Iterable[Cookie]] | None = getattr(self.store, 'secure_named', None)
        if named is not None:
            return named(key)
        if self._secure is None:
            self._secure = rules.secure_by_key(self.store.all())
        return self._secure.get(key, [])

    def _around(self, host: str) -> Iterator[Cookie]:
        for domain in domains.above(host):
            yield from self.store.find(domain)

    def _chosen(self, uri: Uri) -> list[Cookie]:
        """The cookies for a request, in order; the expired ones that are met on the way are removed (RFC 6265bis 5.8.3)."""
        now = self._now()
        expired = []
        with self._lock:
            if self._unbound:
                self._bind(uri)
            host = domains.host_of(uri)
            chosen = []
            paths = domains.spellings(uri.pathname)
            for cookie in self._around(host):
                if cookie.expiry <= now:
                    expired.append(cookie)
                elif rules.goes_to(cookie, host, paths, uri.scheme == 'https'):
                    touch(cookie, now)
                    chosen.append(cookie)
            if expired:
                with self._changing():
                    self._drop(expired)
        if len(chosen) > 1:
            chosen.sort(key=rules.order)
        return chosen

    def _wait(self, cookie: Cookie) -> None:
        """Puts a cookie without a domain aside until the jar is used for a host."""
        others = [other for other in self._unbound if (other.key, other.path) != (cookie.key, cookie.path)]
        self._unbound = [*others, cookie][-self._most_of_a_domain :]

    def _bind(self, uri: Uri) -> None:
        """Gives the cookies that were added without a domain to the first host that is asked for."""
        waiting, self._unbound = self._unbound, []
        with self._changing():
            for cookie in waiting:
                self._offer(rules.still_alive(cookie, self._now()), uri)

    def _moment(self) -> float:
        """Now, but later than every cookie that is there: two of one response must keep their order."""
        self._youngest = max(self._now(), self._youngest + rules.STEP)
        return self._youngest

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change: the lock is held, at its end there is room again and the store is told."""
        with self._lock:
            try:
                yield
                if self._grown and len(self.store) > self._most:
                    self._drop(rules.surplus_of_all(self.store.all(), self._most, self._now()))
                self._grown = False
            finally:
                self._secure = None
                commit = getattr(self.store, 'commit', None)
                if commit is not None:
                    commit()


GLOBAL = CookieJar()
"""The jar of ``jar=True``: one for the process, made when this module is first needed."""
