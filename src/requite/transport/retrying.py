"""A transport around the transport that sends again what failed for the moment.

Never content that was used up, never a method that is not idempotent unless the request has an ``idempotency_key``, never beyond the deadline; pauses and
Retry-After are capped (SECURITY D3).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

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
    errors.NameTemporarilyUnknown,
    errors.ProxyError,
)
"""What may be gone in a moment. A certificate, a name that does not exist and a malformed answer stay as they are."""
UNREACHABLE = frozenset('EHOSTUNREACH ENETUNREACH EHOSTDOWN ENETDOWN ENETRESET'.split())
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
        # not kept: it knows the request, which knows the reply, which knows its hop
        anew, hop = hop.anew, hop._replace(anew=None)
        while True:
            self.attempts += 1
            reply, error = self._attempt(hop if anew is None else hop._replace(anew=anew))
            pause = self._pause(hop, reply, error)
            if pause is None:
                if reply is not None:
                    return reply
                try:
                    raise error  # type: ignore[misc] # there is one where there is no reply
                finally:
                    del error  # its traceback knows this frame
            status = None
            if reply is not None:
                status = reply.status
                reply.drain()
            self._watch.event('retry', Attempt(self.attempts, error, status, round(pause * 1000)))
            del error, reply
            sleep(hop.signal, pause)
            if anew is not None:
                hop = anew()

    def _attempt(self, hop: Hop) -> tuple[Reply | None, errors.RequestError | None]:
        """The answer, or what went wrong for the moment; raises what is there to stay."""
        try:
            return self._inner.send(hop), None
        except errors.RequestError as error:
            if not _momentary(error, self._policy.statuses):
                raise
            return None, error

    def _pause(self, hop: Hop, reply: Reply | None, error: errors.RequestError | None) -> float | None:
        """The seconds until the next attempt, None where there is to be none."""
        policy = self._policy
        if error is None and reply is not None and reply.status not in policy.statuses:
            if self.attempts == 1 and policy.budget is not None:
                policy.budget.earn()
            return None
        if self.attempts > policy.limit or not _may_be_repeated(hop, policy):
            return None
        asked = retry_after(reply, time.time()) if reply is not None else None
        if asked is not None and asked > policy.max_retry_after:
            return None
        # sooner than the server asks is never right, and its 0 seconds may be a mistake
        pause = max(self._backoff(), asked or 0.0)
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


def _momentary(error: errors.RequestError, statuses: frozenset[int]) -> bool:
    if isinstance(error, errors.ProxyRefused):
        return error.status_code in statuses
    return isinstance(error, FOR_THE_MOMENT) or (
        isinstance(error, errors.ConnectionFailed) and error.code in UNREACHABLE
    )


def _may_be_repeated(hop: Hop, policy: Retry) -> bool:
    if hop.body is not None and not hop.body.replayable:
        return False
    method = hop.method.upper()
    if policy.methods is not None and method not in policy.methods:
        return False
    return method in IDEMPOTENT or any(name.lower() == KEY and value for name, value in hop.fields)


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
