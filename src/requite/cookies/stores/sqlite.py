"""Cookies in an SQLite database, for several processes at once: whatever was committed survives the end of any of them."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from requite.cookies import forks
from requite.cookies.errors import CookieError, CookieStoreError
from requite.cookies.rules import identity
from requite.cookies.stores.jsonfile import from_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from requite.cookies.cookie import Cookie

_TABLE = """
CREATE TABLE IF NOT EXISTS cookies (
    domain TEXT NOT NULL, host_only INTEGER NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL,
    creation REAL NOT NULL, cookie TEXT NOT NULL,
    PRIMARY KEY (domain, host_only, path, key)
) WITHOUT ROWID
"""
_INDEX = 'CREATE INDEX IF NOT EXISTS cookies_by_key ON cookies (key)'
_OURS = 0x52517465
"""What SQLite calls the application_id, at byte 68 of the file: whose database it is."""
_FOREIGN = 'it is the database of another program, and was left as it is; name another file'
_PATIENCE = 30.0
"""Seconds to wait for another process that is writing."""


class SQLiteStore:
    """Cookies in a database file: ``request.jar(SQLiteStore('cookies.db'))``.

    The file and those that SQLite puts beside it (``-wal``, ``-shm``) are readable by their owner alone. Each change of a jar is one transaction;
    reading sees what other processes have committed. Raises CookieStoreError for a file that is no database, or one of another program, which is left
    as it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self._place = _absolute(path)
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None
        self._cache: dict[str, list[Cookie]] = {}
        self._version = -1
        self._ask('SELECT 1')
        forks.close_before(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._place,)  # the same file, opened anew

    def __repr__(self) -> str:
        return f'<SQLiteStore {os.fspath(self.path)!r}>'

    def __del__(self) -> None:
        if getattr(self, '_opened', None) is not None:
            self.close()

    def find(self, domain: str) -> list[Cookie]:
        """The cookies of exactly this domain."""
        with self._lock:
            connection = self._connection()
            try:
                version = connection.execute('PRAGMA data_version').fetchone()[0]
            except Exception as reason:  # of sqlite3's, which need not be imported for each look
                raise self._unusable(reason) from reason
            if version != self._version:
                self._cache, self._version = {}, version
            found = self._cache.get(domain)
            if found is None:
                found = self._cookies(
                    self._ask('SELECT cookie FROM cookies WHERE domain = ? ORDER BY creation', domain)
                )
                if len(self._cache) >= 4096:
                    self._cache.clear()
                self._cache[domain] = found
            return list(found)

    def put(self, cookie: Cookie) -> None:
        """Adds or replaces a cookie; ``commit`` makes it lasting."""
        values = (*identity(cookie), cookie.creation or 0.0, json.dumps(cookie.to_json()))
        self._change('INSERT OR REPLACE INTO cookies VALUES (?, ?, ?, ?, ?, ?)', cookie, *values)

    def remove(self, cookie: Cookie) -> None:
        """Forgets a cookie; ``commit`` makes it lasting."""
        self._change(
            'DELETE FROM cookies WHERE domain = ? AND host_only = ? AND path = ? AND key = ?', cookie, *identity(cookie)
        )

    def all(self) -> list[Cookie]:
        """Every cookie, the oldest first."""
        return self._cookies(self._ask('SELECT cookie FROM cookies ORDER BY creation'))

    def __len__(self) -> int:
        count: int = self._ask('SELECT COUNT(*) FROM cookies')[0][0]
        return count

    def secure_named(self, key: str) -> list[Cookie]:
        """The Secure cookies of one name, on every domain."""
        rows = self._ask("""SELECT cookie FROM cookies WHERE key = ? AND cookie LIKE '%"secure": true%'""", key)
        return [cookie for cookie in self._cookies(rows) if cookie.secure]

    def commit(self) -> None:
        """Ends the transaction that the last changes are part of."""
        with self._lock:
            if self._opened is not None and self._opened.in_transaction:
                self._ask('COMMIT')

    def close(self) -> None:
        """Closes the database; using the store again opens it again."""
        with self._lock:
            self.commit()
            connection, self._opened = self._opened, None
            if connection is not None:
                connection.close()

    def _change(self, statement: str, cookie: Cookie, *values: Any) -> None:
        with self._lock:
            if not self._connection().in_transaction:
                self._ask('BEGIN IMMEDIATE')
            self._ask(statement, *values)
            self._cache.pop(cookie.domain or '', None)

    def _ask(self, statement: str, *values: Any) -> list[Any]:
        import sqlite3

        with self._lock:
            try:
                return self._connection().execute(statement, values).fetchall()
            except sqlite3.Error as reason:
                raise self._unusable(reason) from reason

    def _unusable(self, reason: Exception | str) -> CookieStoreError:
        hint = '; name another file' if str(reason) == 'file is not a database' else ''
        return CookieStoreError(f'the cookies in {os.fspath(self.path)!r} cannot be used: {reason}{hint}')

    def _cookies(self, rows: Iterable[tuple[str]]) -> list[Cookie]:
        try:
            return [cookie for (text,) in rows if (cookie := from_text(text)) is not None]
        except CookieError as reason:
            raise self._unusable(reason) from reason

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened, self._version = self._open(), -1
        return self._opened

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        self._prepare_file()
        connection = sqlite3.connect(self._place, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            if not _claimed(connection):
                raise self._unusable(_FOREIGN)
            _into_wal(connection)
            connection.execute('PRAGMA synchronous = NORMAL')
            connection.execute(_TABLE)
            connection.execute(_INDEX)
        except sqlite3.Error as reason:
            connection.close()
            raise self._unusable(reason) from reason
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_file(self) -> None:
        """Makes the file where it is missing, refuses that of another program before it is opened for good, and keeps it for its owner."""
        import sqlite3

        path = self._place
        try:
            # Only a missing one is opened: to close a file that SQLite has open in this process takes SQLite's locks away.
            if not os.path.exists(path):
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            if os.stat(path).st_size and _owner(path) not in (_OURS, None):
                raise self._unusable(_FOREIGN)
            for name in (path, f'{path}-wal', f'{path}-shm'):  # SQLite gives new ones the mode of the first
                if os.path.exists(name) and os.stat(name).st_mode & 0o077:
                    os.chmod(name, 0o600)  # noqa: PTH101
        except CookieStoreError:
            raise
        except OSError as reason:
            raise CookieStoreError(f'the cookies in {path!r} cannot be opened: {reason.strerror}') from reason
        except sqlite3.Error as reason:
            raise self._unusable(reason) from reason


def _absolute(path: str | os.PathLike[str]) -> str:
    """Where the file is, as SQLite takes for nothing else than a file."""
    name = os.fsdecode(path)
    if name == ':memory:':
        raise CookieStoreError(
            "a SQLiteStore keeps cookies in a file, not in ':memory:'; a jar without a store keeps them in memory"
        )
    return os.path.abspath(name)  # noqa: PTH100 - a Path would not keep the name as it is


def _owner(path: str) -> int | None:
    """The application_id of a database, read without making the files beside it; None where that does not tell.

    Seen without a lock, one that somebody writes to just now, or whose writer was killed, may look malformed: it is read with a lock then, and where
    that cannot be done without writing either, opening it for good will tell.
    """
    import sqlite3
    from pathlib import Path

    address = Path(path).as_uri()
    try:
        return _application(f'{address}?immutable=1')
    except sqlite3.DatabaseError as reason:
        if str(reason) == 'file is not a database':
            raise
    try:
        return _application(f'{address}?mode=ro')
    except sqlite3.DatabaseError:
        return None


def _application(address: str) -> int:
    import sqlite3

    with contextlib.closing(sqlite3.connect(address, timeout=_PATIENCE, uri=True)) as connection:
        return _number(connection, 'PRAGMA application_id')


def _number(connection: sqlite3.Connection, question: str) -> int:
    found: int = connection.execute(question).fetchone()[0]
    return found


def _claimed(connection: sqlite3.Connection) -> bool:
    """Whether a database is ours; an empty one becomes so, in one transaction, so that nobody sees a database of nobody's."""
    if _number(connection, 'PRAGMA application_id') == _OURS:
        return True
    connection.execute('BEGIN IMMEDIATE')
    owner = _number(connection, 'PRAGMA application_id')
    if owner == 0 and _number(connection, 'SELECT COUNT(*) FROM sqlite_master') == 0:
        connection.execute(f'PRAGMA application_id = {_OURS}')
        connection.execute(_TABLE)
        owner = _OURS
    connection.execute('COMMIT')
    return owner == _OURS


def _into_wal(connection: sqlite3.Connection) -> None:
    """Switches to a write-ahead log, which readers need not wait for. SQLite itself does not wait for others that do the same."""
    import sqlite3

    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute('PRAGMA journal_mode = WAL')
        except sqlite3.OperationalError as reason:
            if 'locked' not in str(reason) or time.monotonic() > end:
                raise
            time.sleep(0.005)
        else:
            return
