"""A transport around the transport that sends again what failed for the moment.

Never content that was used up, never a method that is not idempotent unless the request has an ``idempotency_key``, never beyond the deadline; pauses and
Retry-After are capped (SECURITY D3).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from requite import errors
from requite.retries import IDEMPOTENT, Attempt
from requite.wire import httpdate

if TYPE_CHECKING:
    from requite.message import AbortSignal, Hop, Reply
    from requite.protocols import Transport, Watch
    from requite.retries import Retry

FOR_THE_MOMENT = (
    errors.ConnectTimeout,
    errors.ReadTimeout,
    errors.ConnectionRefused,
    errors.ConnectionReset,
    errors.ConnectionBroken,
    errors.ConnectionFailed,
    errors.NameTemporarilyUnknown,
)
"""What may be gone in a moment. A certificate, a name that does not exist and a malformed answer stay as they are."""
KEY = 'idempotency-key'


class Retrying:
    """Sends a hop, and again, as a ``Retry`` says; ``attempts`` counts how often the last hop was sent."""

    def __init__(self, inner: Transport, policy: Retry, watch: Watch) -> None:
        self.pool = inner.pool
        self.attempts = 0
        self._inner = inner
        self._policy = policy
        self._watch = watch

    def send(self, hop: Hop) -> Reply:
        """The answer of the last attempt; raises its error."""
        self.attempts = 0
        while True:
            self.attempts += 1
            error: errors.RequestError | None = None
            reply: Any = None
            try:
                reply = self._inner.send(hop)
                if reply.status not in self._policy.statuses:
                    self._earned()
                    return reply  # type: ignore[no-any-return]
            except FOR_THE_MOMENT as failure:
                error = failure
            pause = self._pause(hop, reply)
            if pause is None:
                if error is not None:
                    raise error
                return reply  # type: ignore[no-any-return]
            status = None
            if reply is not None:
                status = reply.status
                reply.drain()
            self._watch.event('retry', Attempt(self.attempts, error, status, round(pause * 1000)))
            del error, reply
            sleep(hop.signal, pause)

    def _earned(self) -> None:
        if self.attempts == 1 and self._policy.budget is not None:
            self._policy.budget.earn()

    def _pause(self, hop: Hop, reply: Reply | None) -> float | None:
        """The seconds until the next attempt, None where there is to be none."""
        policy = self._policy
        if self.attempts > policy.limit or not _may_be_repeated(hop, policy):
            return None
        asked = retry_after(reply, time.time()) if reply is not None else None
        if asked is not None and asked > policy.max_retry_after:
            return None
        pause = self._backoff() if asked is None else asked
        deadline = hop.limits.deadline
        if deadline is not None and time.monotonic() + pause >= deadline:
            return None
        if policy.budget is not None and not policy.budget.take():
            return None
        return pause

    def _backoff(self) -> float:
        policy = self._policy
        longest: float = min(policy.max_backoff, policy.backoff * 2 ** min(self.attempts - 1, 32))
        if not policy.jitter:
            return longest
        from random import uniform

        return uniform(longest / 2, longest)  # noqa: S311 - nothing depends on its being unforeseeable


def _may_be_repeated(hop: Hop, policy: Retry) -> bool:
    if hop.body is not None and not hop.body.replayable:
        return False
    method = hop.method.upper()
    if method not in policy.methods and policy.methods is not IDEMPOTENT:
        return False
    return method in IDEMPOTENT or any(name.lower() == KEY for name, _ in hop.fields)


def retry_after(reply: Reply, now: float) -> float | None:
    """The seconds that a server asks to wait (RFC 9110 10.2.3), as a number or a date; None where it does not say, or nothing that can be read."""
    value = reply.headers.get('retry-after')
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 12 else float('inf')
    moment = httpdate.parse(text)
    return None if moment is None else max(0.0, moment - now)


class _Alarm:
    """Something to wait for that an abort wakes as it would wake a socket."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def shutdown(self, how: int) -> None:
        self._rung.set()

    def wait(self, seconds: float) -> None:
        self._rung.wait(seconds)


def sleep(signal: AbortSignal, seconds: float) -> None:
    """Waits, unless the exchange is aborted: then it raises ``AbortError`` at once."""
    alarm = _Alarm()
    signal.watch(alarm)  # type: ignore[arg-type]
    try:
        alarm.wait(seconds)
    finally:
        signal.watch(None)
    signal.check()
