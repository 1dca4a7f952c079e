"""The ``retry`` option as a value: what is sent again, how often, and after which pause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from threading import Lock
from typing import Any, NamedTuple

from requite import checks
from requite.errors import InvalidOptionType, OptionsError

IDEMPOTENT = frozenset(('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'))
"""RFC 9110 9.2.2. Any other method is sent again only under an ``idempotency_key``."""
STATUSES = frozenset((429, 502, 503, 504))
MOST = 100
LIMIT = 2
BUDGET = 10
"""Retries that requests with the same defaults may make in a row, unless one alone may make more."""

SPELLINGS = {
    'limit': 'limit',
    'methods': 'methods',
    'statuses': 'statuses',
    'backoff': 'backoff',
    'max_backoff': 'max_backoff',
    'maxBackoff': 'max_backoff',
    'max_retry_after': 'max_retry_after',
    'maxRetryAfter': 'max_retry_after',
    'jitter': 'jitter',
    'budget': 'budget',
}


class Budget:
    """How many retries all requests with the same defaults may make: one is taken for each, a tenth given back for each request that needs none.

    When a server is down for good, most requests then fail at once instead of multiplying its load.
    """

    __slots__ = ('_left', '_lock', 'size')

    SHARE = 10
    """How many requests that need no retry give one back."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._left = size * self.SHARE
        self._lock = Lock()

    def take(self) -> bool:
        """Whether there is one left, which is then taken."""
        with self._lock:
            if self._left < self.SHARE:
                return False
            self._left -= self.SHARE
            return True

    def earn(self) -> None:
        """A request went through at once."""
        with self._lock:
            self._left = min(self.size * self.SHARE, self._left + 1)

    def __reduce__(self) -> tuple[type[Budget], tuple[int]]:
        return Budget, (self.size,)  # each process has its own

    def __repr__(self) -> str:
        return f'<Budget {self._left / self.SHARE:.1f} of {self.size}>'


class Retry(NamedTuple):
    """``limit`` more attempts; pauses are in seconds and double from ``backoff`` to ``max_backoff``, each shortened by chance under ``jitter``.

    ``methods`` None stands for those that are idempotent, and with an idempotency key for all. A server's Retry-After is waited for up to
    ``max_retry_after``; one that asks for more is not waited for at all.
    """

    limit: int
    methods: frozenset[str] | None = None
    statuses: frozenset[int] = STATUSES
    backoff: float = 0.2
    max_backoff: float = 10.0
    max_retry_after: float = 30.0
    jitter: bool = True
    budget: Budget | None = None


class Attempt(NamedTuple):
    """What a ``retry`` listener is given: the ``number`` of the attempt that failed, from 1, the ``error`` or ``status`` it ended with, and the ``pause`` in milliseconds until the next."""

    number: int
    error: Exception | None
    status: int | None
    pause: int


def retry(name: str, value: Any) -> Retry | None:
    """The checked option; a number alone is the limit. 0, None and False switch retries off."""
    if value is None or value is False or isinstance(value, Retry):
        return value or None
    if isinstance(value, bool) or not isinstance(value, (int, Mapping)):
        raise checks.wrong_type(name, value, 'a number of retries or a mapping')
    given = checks.nested(name, value, SPELLINGS) if isinstance(value, Mapping) else {}
    limit = _limit(f'{name}.limit', given.pop('limit', LIMIT)) if isinstance(value, Mapping) else _limit(name, value)
    made: dict[str, Any] = {'limit': limit, 'budget': Budget(max(BUDGET, limit))}
    for key, item in given.items():
        made[key] = _KEYS[key](f'{name}.{key}', item)
    return _limited(Retry(**made))


def _limited(made: Retry) -> Retry | None:
    return made if made.limit else None


def _limit(name: str, value: Any) -> int:
    count = checks.count(name, value)
    if count is None or count > MOST:
        raise OptionsError(f'option {name!r} must be a number of retries from 0 to {MOST}, not {checks.shown(value)}')
    return count


def _methods(name: str, value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    methods = _items(name, value, 'methods')
    if not all(isinstance(item, str) for item in methods):
        raise checks.wrong_type(name, value, 'a list of methods')
    return frozenset(item.upper() for item in methods)


def _statuses(name: str, value: Any) -> frozenset[int]:
    statuses = _items(name, value, 'status codes')
    for item in statuses:
        if isinstance(item, bool) or not isinstance(item, int) or not 300 <= item <= 599:
            raise InvalidOptionType(f'option {name!r}: {checks.shown(item)} is no status code from 300 to 599')
    return frozenset(statuses)


def _items(name: str, value: Any, of: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, '__iter__'):
        raise checks.wrong_type(name, value, f'a list of {of}')
    return list(value)


def _seconds(name: str, value: Any) -> float:
    if value in (0, timedelta(0)) and not isinstance(value, (bool, float)):
        return 0.0
    seconds = checks.milliseconds(name, value)
    if seconds is None:
        raise checks.wrong_type(name, value, 'an int of milliseconds or a timedelta')
    return seconds


def _jitter(name: str, value: Any) -> bool:
    return bool(checks.boolean(name, value))


def _budget(name: str, value: Any) -> Budget | None:
    if value is None or isinstance(value, Budget):
        return value
    count = checks.count(name, value)
    return None if count is None else Budget(count)


_KEYS = {
    'methods': _methods,
    'statuses': _statuses,
    'backoff': _seconds,
    'max_backoff': _seconds,
    'max_retry_after': _seconds,
    'jitter': _jitter,
    'budget': _budget,
}
