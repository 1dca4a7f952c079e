"""Digest sessions that go on from one request to the next, so that a nonce that the server still takes costs no round trip.

They are found by origin (scheme, host, port) and user, then by the protection space that the server named or showed. Nothing in here is a secret: who wants
to use a session brings the password. One store serves the whole process, since the same user at the same server is the same session whoever asks.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from requite.errors import OptionsError
from requite.wire import uri as uris

if TYPE_CHECKING:
    from requite.auth.digest import Session
    from requite.wire.uri import Uri

MAX_USERS = 256
"""How many pairs of origin and user are remembered; the one that was heard of least lately goes."""
MAX_SPACES = 8
"""How many realms of one origin and user."""
MAX_PLACES = 16
"""How many folders are remembered to lie in one realm."""


class Sessions:
    """The sessions of a process; any thread may use it. Only asked for origins that the caller named (SECURITY R4)."""

    def __init__(self) -> None:
        self._users: dict[tuple[tuple[str, str, int], str], dict[str, _Space]] = {}
        self._begun: WeakValueDictionary[Any, Session] = WeakValueDictionary()
        self._lock = Lock()

    def find(self, uri: Uri, user: str) -> Session | None:
        """The session of the protection space that ``uri`` most likely lies in, None where there is none."""
        path = uri.target
        with self._lock:
            spaces = self._users.get((uri.origin, user))
            best, most = None, -1
            for space in spaces.values() if spaces else ():
                fit = space.fit(path)
                if fit >= most:
                    best, most = space, fit
            return best.session if best is not None and most >= 0 else None

    def begun(self, uri: Uri, user: str, session: Session, refused: str | None = None) -> Session:
        """The session that somebody else began already with the same challenge, else this one: threads that are asked at once count one nonce together.

        One that went on to a nextnonce since is used as it stands; only where that nonce was just ``refused`` does it count on with the challenge's own.
        """
        key = uri.origin, user, session.demand._replace(stale=False, domain=())
        with self._lock:
            known = self._begun.get(key)
            if known is not None:
                known.resume(refused)
                return known
            self._begun[key] = session
            return session

    def keep(self, uri: Uri, user: str, session: Session) -> None:
        """Remembers a session that the server took for ``uri``."""
        key, realm = (uri.origin, user), session.demand.realm
        with self._lock:
            spaces = self._users.pop(key, {})
            self._users[key] = spaces
            space = spaces.pop(realm, None)
            if space is None or space.session is not session:
                space = _Space(session, uri, space.places if space is not None else {})
            spaces[realm] = space
            space.add(uri.target)
            _trim(spaces, MAX_SPACES)
            _trim(self._users, MAX_USERS)

    def forget(self, uri: Uri, user: str, session: Session) -> None:
        """Forgets a session that the server does not take any more."""
        with self._lock:
            spaces = self._users.get((uri.origin, user), {})
            space = spaces.get(session.demand.realm)
            if space is not None and space.session is session:
                del spaces[session.demand.realm]

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._users.clear()
            self._begun.clear()

    def __repr__(self) -> str:
        return f'<Sessions of {len(self._users)} users>'


class _Space:
    """A session and where it applies: the prefixes of ``domain``, else the whole origin (RFC 7616 3.3), and folders that were seen in it."""

    __slots__ = ('places', 'session', 'whole')

    def __init__(self, session: Session, uri: Uri, places: dict[str, None]) -> None:
        self.session = session
        domain = session.demand.domain
        self.whole = not domain
        self.places = dict(places)
        for text in domain:
            self.add(_within(uri, text), False)

    def add(self, target: str | None, folder: bool = True) -> None:
        """Adds a prefix of paths, or the folder of one."""
        if target is None:
            return
        path = target.partition('?')[0]
        prefix = path[: path.rfind('/') + 1] if folder and self.whole else path
        self.places.pop(prefix, None)
        self.places[prefix] = None
        _trim(self.places, MAX_PLACES)

    def fit(self, path: str) -> int:
        """How long the prefix is that ``path`` has in common with this space; -1 where it does not lie in it."""
        return max((len(place) for place in self.places if path.startswith(place)), default=0 if self.whole else -1)


def _within(uri: Uri, text: str) -> str | None:
    """The path of one URI of ``domain`` if it is of this origin; others get no credentials, whatever a server says (SECURITY R4)."""
    if text.startswith('/') and not text.startswith('//'):
        return text
    try:
        other = uris.parse(text)
    except OptionsError:
        return None
    return other.target if other.origin == uri.origin else None


def _trim(remembered: dict[Any, Any], most: int) -> None:
    while len(remembered) > most:
        del remembered[next(iter(remembered))]


SESSIONS = Sessions()
if hasattr(os, 'register_at_fork'):
    # Two processes that count with one nonce would look like a replay; and the lock may have been held by a thread that is not there any more.
    os.register_at_fork(after_in_child=SESSIONS.__init__)  # type: ignore[misc]
