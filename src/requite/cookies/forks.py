"""What must happen to jars and databases when the process forks.

A lock that another thread holds would stay locked in the child for ever. An SQLite connection that is open in both is worse: each takes itself for the
only one and throws the other's log away; so connections are closed before, and opened again by whoever needs them.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from requite.cookies.errors import CookieStoreError

_jars: WeakSet[Any] = WeakSet()
_databases: WeakSet[Any] = WeakSet()
_held: list[Any] = []


class Locked:
    """What has a ``_lock`` of its own in every process: a new one after a fork and out of a pickle. What ``_secure`` remembers is found out again."""

    _lock: Any

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {name: value for name, value in self.__dict__.items() if name not in ('_lock', '_secure')}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _secure=None, _lock=threading.RLock())
        renew_lock(self)


def renew_lock(jar: Any) -> None:
    """Gives an object a new ``_lock`` in every child of this process."""
    _jars.add(jar)


def close_before(database: Any) -> None:
    """Has an object's ``close()`` called before every fork, and keeps its ``_lock`` until the fork is done."""
    _databases.add(database)


def _before() -> None:
    _held.extend(_databases)
    for database in _held:
        database._lock.acquire()
    for database in _held:
        with suppress(CookieStoreError):  # what could not be written is not to stop the fork
            database.close()


def _after() -> None:
    while _held:
        _held.pop()._lock.release()


def _in_child() -> None:
    _after()
    for jar in list(_jars):
        jar._lock = threading.RLock()


if hasattr(os, 'register_at_fork'):  # Windows has no fork
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
