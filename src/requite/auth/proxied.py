"""Digest for proxies: what answers a 407, and the sessions that go on from one request to the next.

Node knows Basic only, sent at once. Here Basic is what is said to a proxy of which nothing is known; once it asked for Digest, Digest is what it gets.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from requite.auth import digest
from requite.auth.challenges import parse
from requite.auth.clock import SYSTEM
from requite.auth.order import MOST_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requite.protocols import Clock
    from requite.routes import Proxy

MOST_PROXIES = 64

_sessions: dict[Proxy, digest.Session] = {}
_lock = Lock()


def answer(
    fields: Iterable[tuple[str, str]], before: digest.Answer | None, answers: int, clock: Clock = SYSTEM
) -> digest.Answer | None:
    """What answers a 407 with these fields, None where nothing does: no Digest is asked for, or the password was refused (SECURITY A3)."""
    if answers >= MOST_ANSWERS:
        return None
    asked = [challenge for name, value in fields if name.lower() == 'proxy-authenticate' for challenge in parse(value)]
    demanded = digest.strongest(asked)
    if demanded is None or (before is not None and (not demanded.stale or demanded.nonce == before.nonce)):
        return None
    return digest.Session(demanded, clock).answer(clock)


def foresee(proxy: Proxy, clock: Clock = SYSTEM) -> digest.Answer | None:
    """The answer to a challenge that need not be waited for, where the proxy took one before."""
    session = _sessions.get(proxy)
    return None if session is None else session.answer(clock)


def remember(proxy: Proxy, given: digest.Answer) -> None:
    """Goes on with a session that the proxy took."""
    with _lock:
        if proxy not in _sessions and len(_sessions) >= MOST_PROXIES:
            _sessions.pop(next(iter(_sessions)))
        _sessions[proxy] = given.session


def forget(proxy: Proxy) -> None:
    """Begins anew with a proxy that takes no answer of ours."""
    with _lock:
        _sessions.pop(proxy, None)
