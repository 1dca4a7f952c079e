"""Which scheme answers a 401, in one ordered table, and what is remembered of the answers that a server took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requite.auth import basic, digest
from requite.auth.challenges import challenges
from requite.auth.clock import SYSTEM
from requite.auth.sessions import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from requite.auth.challenges import Challenge
    from requite.credentials import Credentials
    from requite.message import Carry, Hop, Reply
    from requite.options import Options
    from requite.protocols import Clock

    Answered = str | digest.Answer

MOST_ANSWERS = 2
"""How often one address is answered: a challenge, and once more where the nonce was stale (SECURITY A3)."""


def answer(reply: Reply, credentials: Credentials, carry: Carry, clock: Clock = SYSTEM) -> Answered | None:
    """What answers a 401, None where it is to be the answer of the exchange. The first scheme of ``ORDER`` that fits decides.

    Node looks at the first challenge only and lets the server choose Basic over Digest: mended (SECURITY A4). A token never answers Basic, nor a password Bearer.
    """
    if carry.answers >= MOST_ANSWERS or (carry.answers and not isinstance(carry.answered, digest.Answer)):
        return None
    asked = challenges(reply.fields)
    for scheme, _ in ORDER:
        found = scheme(asked, credentials, carry, clock)
        if found is not None:
            return found
    return None


def _digest(asked: list[Challenge], credentials: Credentials, carry: Carry, clock: Clock) -> Answered | None:
    demanded = None if credentials.has_bearer else digest.strongest(asked)
    if demanded is None:
        return None
    before = carry.answered
    # A second answer is for a nonce that got too old, not for a password that is wrong, nor for the nonce that was just refused.
    if carry.answers and isinstance(before, digest.Answer) and (not demanded.stale or demanded.nonce == before.nonce):
        return None
    refused = before.nonce if isinstance(before, digest.Answer) else None
    return SESSIONS.begun(carry.uri, credentials.user or '', digest.Session(demanded, clock), refused).answer(clock)


def _bearer(asked: list[Challenge], credentials: Credentials, carry: Carry, clock: Clock) -> Answered | None:
    return basic.authorization(credentials) if credentials.has_bearer and _offered(asked, 'bearer') else None


def _basic(asked: list[Challenge], credentials: Credentials, carry: Carry, clock: Clock) -> Answered | None:
    """Only where nothing ever pointed at Digest: not this reply, not the caller, not what the server took before (SECURITY A4)."""
    if credentials.has_bearer or credentials.digest or isinstance(carry.answered, digest.Answer):
        return None
    if any(challenge.scheme == 'digest' for challenge in asked):
        return None
    return basic.authorization(credentials) if _offered(asked, 'basic') else None


ORDER: tuple[tuple[Callable[[list[Challenge], Credentials, Carry, Clock], Answered | None], str], ...] = (
    (_digest, 'first: the password itself does not travel'),
    (_bearer, 'anywhere: a token and a password are never both there'),
    (_basic, 'last, and not at all where a Digest was offered, even one that cannot be answered'),
)


def _offered(asked: list[Challenge], scheme: str) -> bool:
    return any(challenge.sound and challenge.scheme == scheme for challenge in asked)


def foresee(options: Options, carry: Carry, clock: Clock = SYSTEM) -> Carry:
    """The carry with the answer to a challenge that need not be waited for, where the server took one of this user's before (RFC 7616 3.6)."""
    credentials = options.auth
    if credentials is None or credentials.send_immediately or credentials.user is None or credentials.has_bearer:
        return carry
    # An Authorization that the caller wrote by hand wins over every other.
    if (
        not carry.trusted
        or carry.answered is not None
        or options.headers.get('authorization', ('', None))[1] is not None
    ):
        return carry
    session = SESSIONS.find(carry.uri, credentials.user)
    return carry if session is None else carry._replace(answered=session.answer(clock))


def heard(options: Options, carry: Carry, hop: Hop, reply: Reply) -> Reply:
    """Remembers a Digest answer that the server took, with its nextnonce, and forgets one that it did not.

    Gives the reply, held to a rspauth that covers its content. Raises ``MalformedResponse`` for a rspauth that is wrong.
    """
    given, credentials = carry.answered, options.auth
    if not isinstance(given, digest.Answer) or credentials is None or credentials.user is None:
        return reply
    user = credentials.user
    if reply.status == 401:
        _refused(carry, user, given, reply)
        return reply
    said = reply.headers.get('authentication-info')
    if isinstance(said, str):
        following = given.check(credentials, carry.uri.target, said)
        if following is not None:
            given.session.renew(following, given.nonce)
        contentless = hop.method == 'HEAD' or reply.status in (204, 304)
        reply = given.held(credentials, carry.uri.target, said, reply, contentless)
    SESSIONS.keep(carry.uri, user, given.session)
    return reply


def _refused(carry: Carry, user: str, given: digest.Answer, reply: Reply) -> None:
    """Forgets the session unless the server asks for another realm: then it was only taken for the wrong one."""
    demanded = digest.strongest(challenges(reply.fields))
    if demanded is None or demanded.realm == given.session.demand.realm:
        SESSIONS.forget(carry.uri, user, given.session)
