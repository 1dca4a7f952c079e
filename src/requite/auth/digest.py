"""Digest access authentication (RFC 7616; RFC 2617 and 2069 where a server still speaks them): what is asked for, and the answer.

Everything is computed over the octets that travel: realm and nonce as they were received, user and password in UTF-8. Nothing here keeps a password.
"""

from __future__ import annotations

import hashlib
import hmac
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from requite.auth.challenges import information, quoted
from requite.auth.clock import SYSTEM
from requite.errors import InvalidBody, MalformedResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requite.auth.challenges import Challenge
    from requite.credentials import Credentials
    from requite.message import Reply
    from requite.protocols import Body, Clock

ALGORITHMS = {'md5': ('md5', 1), 'sha-256': ('sha256', 2), 'sha-512-256': ('sha512_256', 3)}
"""RFC 7616 6.1: the names of hashes in ``hashlib``, and which one is preferred where a server offers several."""

SESSION = '-sess'
CNONCE = 32
"""Hexadecimal digits of a cnonce, as many as Node's."""
LAST_COUNT = 0xFFFFFFFF
MAX_LEFT = 64
"""How many nonces a session remembers to have left."""


class Demand(NamedTuple):
    """A Digest challenge that can be answered; the texts are as they are meant, in the characters (latin-1) of the wire.

    ``algorithm`` is as the server spelled it, None where it did not; ``qop`` is what was chosen: ``auth``, ``auth-int``, or None as before RFC 2617.
    """

    realm: str
    nonce: str
    hash: str
    strength: int
    algorithm: str | None = None
    session: bool = False
    qop: str | None = None
    opaque: str | None = None
    userhash: bool = False
    utf8: bool = False
    stale: bool = False
    domain: tuple[str, ...] = ()

    def digest(self, *parts: bytes) -> bytes:
        """H of the parts joined with colons, in hexadecimal digits."""
        digits: str = _new(self.hash, b':'.join(parts)).hexdigest()
        return digits.encode('ascii')


def demand(challenge: Challenge) -> Demand | None:
    """What a challenge demands; None where it is no Digest, is malformed, or wants an algorithm or protection that is not known (SECURITY A1)."""
    given = challenge.parameters
    if challenge.scheme != 'digest' or not challenge.sound or 'realm' not in given or not given.get('nonce'):
        return None
    algorithm = given.get('algorithm')
    name = (algorithm or 'MD5').lower()
    session = name.endswith(SESSION)
    known = ALGORITHMS.get(name.removesuffix(SESSION))
    protections = [word.strip().lower() for word in given.get('qop', '').split(',') if word.strip()]
    qop = next((word for word in ('auth', 'auth-int') if word in protections), None)
    if known is None or not _available(known[0]) or (protections and qop is None):
        return None
    return Demand(
        given['realm'],
        given['nonce'],
        known[0],
        known[1],
        algorithm,
        session,
        qop,
        given.get('opaque'),
        given.get('userhash', '').lower() == 'true',
        given.get('charset', '').lower() == 'utf-8',
        given.get('stale', '').lower() == 'true',
        tuple(given.get('domain', '').split()),
    )


def strongest(challenges: Iterable[Challenge]) -> Demand | None:
    """The demand with the strongest hash, of equals the server's first (RFC 7616 3.7 leaves the order to the server: an attacker may have chosen it)."""
    best = None
    for challenge in challenges:
        found = demand(challenge)
        if found is not None and (best is None or found.strength > best.strength):
            best = found
    return best


class Session:
    """A demand with what is remembered between requests: the nonce that is used now, and how often it was. Threads may share it."""

    __slots__ = ('__weakref__', '_count', '_left', '_lock', 'cnonce', 'demand', 'nonce')

    def __init__(self, demanded: Demand, clock: Clock = SYSTEM) -> None:
        self.demand = demanded
        self.nonce = demanded.nonce
        # -sess hashes one cnonce into its key for as long as the key lives (RFC 7616 3.4.2): sending that one always suits every reading of it.
        self.cnonce = clock.nonce(CNONCE) if demanded.session else None
        self._count = 0
        self._left: dict[str, int] = {}
        self._lock = Lock()

    def answer(self, clock: Clock = SYSTEM) -> Answer | None:
        """The next answer, with a count that no other has; None once the nonce is used up."""
        with self._lock:
            self._count += 1
            nonce, count = self.nonce, self._count
        return Answer(self, nonce, count, self.cnonce or clock.nonce(CNONCE)) if count <= LAST_COUNT else None

    def renew(self, nonce: str, used: str) -> None:
        """Goes on with the nextnonce that the server gave in reply to ``used`` (RFC 7616 3.5), unless others went on already: no nonce is counted from 1 twice."""
        with self._lock:
            if used == self.nonce != nonce and nonce not in self._left:
                self._leave()
                self.nonce, self._count = nonce, 0

    def resume(self, refused: str | None) -> None:
        """Goes back to the nonce of the challenge, which is counted on, where the server asked with it once more and ``refused`` the one that came later."""
        with self._lock:
            asked = self.demand.nonce
            if refused == self.nonce != asked:
                self._leave()
                self.nonce, self._count = asked, self._left.pop(asked)

    def _leave(self) -> None:
        """Remembers how far the nonce was counted that is given up; that of the challenge may come again at any time."""
        self._left[self.nonce] = self._count
        if len(self._left) > MAX_LEFT:
            del self._left[next(nonce for nonce in self._left if nonce != self.demand.nonce)]


class Answer(NamedTuple):
    """One use of a session's nonce: everything of an Authorization but the request and who makes it."""

    session: Session
    nonce: str
    number: int
    cnonce: str

    def __repr__(self) -> str:
        return f'<digest Answer {self.number}>'

    def authorization(self, credentials: Credentials, method: str, target: str, body: Body | None) -> str:
        """The value of Authorization; parameters in Node's order and quoting, with userhash (which Node does not know) at the end.

        Raises ``InvalidBody`` for auth-int over a body that can be read only once: its hash would use it up.
        """
        asked = self.session.demand
        response = self._response(
            credentials, [method.encode('latin-1'), target.encode('latin-1'), *self._content(body)]
        )
        counted = (
            (f'qop={asked.qop}', f'response="{response}"', f'nc={self.number:08x}')
            if asked.qop
            else (f'response="{response}"',)
        )
        parts = [
            _username(credentials, asked),
            f'realm={quoted(asked.realm)}',
            f'nonce={quoted(self.nonce)}',
            f'uri={quoted(target)}',
            *counted,
        ]
        if asked.qop or asked.session:
            # Node leaves the cnonce of -sess out where there is no qop, and hashes the word "undefined": mended.
            parts.append(f'cnonce="{self.cnonce}"')
        if asked.algorithm:
            parts.append(f'algorithm={asked.algorithm}')
        if asked.opaque is not None:
            parts.append(f'opaque={quoted(asked.opaque)}')
        if asked.userhash:
            parts.append('userhash=true')
        return 'Digest ' + ', '.join(parts)

    def check(self, credentials: Credentials, target: str, text: str) -> str | None:
        """The nextnonce of an Authentication-Info field, if it holds one (RFC 7616 3.5).

        Raises ``MalformedResponse`` where its rspauth is not what somebody who knows the password would say. With auth-int that depends on the content,
        see ``held``.
        """
        said = information(text)
        if said is None:
            return None
        proof = said.get('rspauth')
        if proof is not None and not self._covers_content(said):
            self._compare(proof, self._response(credentials, [b'', target.encode('latin-1')], said.get('qop')))
        return said.get('nextnonce') or None

    def held(self, credentials: Credentials, target: str, text: str, reply: Reply, contentless: bool) -> Reply:
        """The reply, held to a rspauth that covers its content (auth-int) where an Authentication-Info field gives one."""
        said = information(text)
        proof = None if said is None else said.get('rspauth')
        if said is None or proof is None or not self._covers_content(said):
            return reply

        def fault(hashed: Any) -> MalformedResponse | None:
            content = hashed.hexdigest().encode('ascii')
            try:
                self._compare(proof, self._response(credentials, [b'', target.encode('latin-1'), content], 'auth-int'))
            except MalformedResponse as error:
                return error
            return None

        from requite.auth.proved import Proved

        if contentless:  # nobody will read it
            error = fault(_new(self.session.demand.hash))
            if error is not None:
                raise error
        return Proved(reply, _new(self.session.demand.hash), fault)  # type: ignore[return-value]

    def _covers_content(self, said: dict[str, str]) -> bool:
        return said.get('qop', self.session.demand.qop or '').lower() == 'auth-int'

    def _compare(self, proof: str, expected: str) -> None:
        if not hmac.compare_digest(proof.lower().encode('latin-1'), expected.encode('ascii')):
            raise MalformedResponse(
                'the server did not prove that it knows the password: rspauth of its Authentication-Info is wrong (RFC 7616 3.5); '
                'make sure that it is the server you mean'
            )

    def _response(self, credentials: Credentials, request: list[bytes], qop: str | None = None) -> str:
        """RFC 7616 3.4.1 over A2, given in its parts; without a qop as RFC 2069 had it. ``qop`` is the server's own where it says one."""
        asked, nonce = self.session.demand, self.nonce.encode('latin-1')
        key = _key(credentials, asked, self.cnonce)
        hashed = asked.digest(*request)
        if asked.qop is None:
            return asked.digest(key, nonce, hashed).decode('ascii')
        protection = (qop or asked.qop).encode('latin-1')
        return asked.digest(key, nonce, b'%08x' % self.number, self.cnonce.encode('ascii'), protection, hashed).decode(
            'ascii'
        )

    def _content(self, body: Body | None) -> tuple[bytes, ...]:
        """H(entity-body) for auth-int, nothing otherwise."""
        asked = self.session.demand
        if asked.qop != 'auth-int':
            return ()
        hashing = _new(asked.hash)
        if body is not None:
            if not body.replayable:
                raise InvalidBody(
                    "option 'body': the server wants its hash (digest authentication with qop=auth-int), but it is a stream that can be read only once; "
                    'give bytes, a file or a list'
                )
            for chunk in body.chunks():
                hashing.update(chunk)
        return (hashing.hexdigest().encode('ascii'),)


def _key(credentials: Credentials, asked: Demand, cnonce: str) -> bytes:
    """H(A1): of user, realm and password; with -sess also of the nonce and cnonce that the session began with (RFC 7616 3.4.2)."""
    key = asked.digest(
        (credentials.user or '').encode(), asked.realm.encode('latin-1'), (credentials.password or '').encode()
    )
    return asked.digest(key, asked.nonce.encode('latin-1'), cnonce.encode('ascii')) if asked.session else key


def _username(credentials: Credentials, asked: Demand) -> str:
    """The user as RFC 7616 3.4 and 3.4.4 want it: hashed, extended (RFC 8187) for a server that takes UTF-8, or plain."""
    user = credentials.user or ''
    if asked.userhash:
        return f'username="{asked.digest(user.encode(), asked.realm.encode("latin-1")).decode("ascii")}"'
    if asked.utf8 and not user.isascii():
        from urllib.parse import quote

        return f"username*=UTF-8''{quote(user, safe='')}"
    try:
        user.encode('latin-1')
    except UnicodeEncodeError:
        # Node refuses such a user; servers that know it know its UTF-8.
        user = user.encode().decode('latin-1')
    # What latin-1 can say goes out in latin-1, as in Node, although the hash is made of UTF-8.
    return f'username={quoted(user)}'


def _new(name: str, data: bytes = b'') -> Any:
    # MD5 is asked for by the server; where the system bans it for security it still may be had for what it is.
    return hashlib.new(name, data, usedforsecurity=False)


def _available(name: str) -> bool:
    try:
        _new(name)
    except ValueError:
        return False
    return True
