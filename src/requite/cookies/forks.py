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
