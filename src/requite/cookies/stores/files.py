"""Files of cookies: read whole, replaced whole, readable by their owner alone, and locked while they change."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite.cookies.errors import CookieError, CookieStoreError
from requite.cookies.rules import identity
from requite.cookies.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from requite.cookies.cookie import Cookie


def read(path: str | os.PathLike[str], cookies_in: Callable[[bytes], list[Cookie]]) -> list[Cookie]:
    """The cookies of a file. Raises CookieStoreError, which names it, where it is missing or damaged."""
    try:
        return cookies_in(Path(path).read_bytes())
    except OSError as reason:
        raise CookieStoreError(f'the cookies in {os.fspath(path)!r} cannot be read: {reason.strerror}') from reason
    except CookieError as reason:
        raise CookieStoreError(
            f'the file {os.fspath(path)!r} is damaged, or no file of cookies: {reason}; it was left as it is; move it away to begin anew, or name another file'
        ) from reason


def replace(path: str | os.PathLike[str], text: str) -> None:
    """Puts a new file in the place of an old one, at once and for its owner's eyes (0600); a crash leaves the old one.

    The name it is written under before cannot be guessed (SECURITY P4). A symbolic link stays one, and what it leads to is replaced.
    """
    target = os.path.realpath(path)
    draft = None
    try:
        handle, draft = tempfile.mkstemp(prefix=f'.{os.path.basename(target)}.', dir=os.path.dirname(target))  # noqa: PTH119, PTH120 -- a realpath is a str
        with open(handle, 'wb') as file:
            file.write(text.encode('latin-1'))  # one character a byte, as the wire has it; JSON is ASCII
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)  # noqa: PTH105
    except OSError as reason:
        if draft is not None:
            with contextlib.suppress(OSError):
                os.unlink(draft)  # noqa: PTH108
        raise CookieStoreError(f'the cookies cannot be written to {os.fspath(path)!r}: {reason.strerror}') from reason


@contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps other processes from the file while the block runs, by a lock on ``PATH.lock`` beside it, which stays there empty."""
    name = os.path.realpath(path) + '.lock'
    handle = None
    try:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(handle)
    except OSError as reason:
        if handle is not None:
            os.close(handle)
        raise CookieStoreError(f'the cookies in {os.fspath(path)!r} cannot be locked: {reason.strerror}') from reason
    try:
        yield
    finally:
        os.close(handle)  # this gives the lock back


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        windows: Any = msvcrt
        windows.locking(handle, windows.LK_LOCK, 1)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)


class FileStore:
    """Cookies in memory and in a file: what others write there is seen at the next look, what this store changes is written at each ``commit``.

    Several processes may share a file: each writes its changes into what the others wrote. A missing file is an empty one. ``read`` takes the bytes of
    the file, now, and when it was written, both in seconds since 1970; ``write`` gives its text.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        read: Callable[[bytes, float, float], list[Cookie]],
        write: Callable[[Iterable[Cookie]], str],
    ) -> None:
        self.path = path
        self._read = read
        self._write = write
        self._memory = MemoryStore()
        self._changes: dict[tuple[str, bool, str, str], tuple[Cookie, bool]] = {}
        self._seen: tuple[int, ...] | None = None
        self._refresh()

    def __reduce__(self) -> tuple[Any, ...]:
        path = os.path.abspath(self.path)  # noqa: PTH100 - the same file, read anew
        given = (path,) if type(self) is not FileStore else (path, self._read, self._write)
        return type(self), given

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {os.fspath(self.path)!r}>'

    def find(self, domain: str) -> list[Cookie]:
        """The cookies of exactly this domain."""
        self._refresh()
        return self._memory.find(domain)

    def put(self, cookie: Cookie) -> None:
        """Adds or replaces a cookie; ``commit`` writes it."""
        self._memory.put(cookie)
        self._changes[identity(cookie)] = (cookie, True)

    def remove(self, cookie: Cookie) -> None:
        """Forgets a cookie; ``commit`` removes it from the file."""
        self._memory.remove(cookie)
        self._changes[identity(cookie)] = (cookie, False)

    def all(self) -> list[Cookie]:
        """Every cookie, the oldest first."""
        self._refresh()
        return self._memory.all()

    def secure_named(self, key: str) -> list[Cookie]:
        """The Secure cookies of one name, on every domain."""
        self._refresh()
        return self._memory.secure_named(key)

    def __len__(self) -> int:
        return len(self._memory)

    def commit(self) -> None:
        """Writes what has changed, over what the file holds now."""
        if not self._changes:
            return
        with locked(self.path):
            self._refresh()
            replace(self.path, self._write(self._memory.all()))
            self._seen = self._stamp()
        self._changes.clear()

    def _refresh(self) -> None:
        """Reads the file again where somebody else has written it since, and applies what is not written yet."""
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._memory = MemoryStore(read(self.path, self._cookies_in) if stamp else ())
        for cookie, kept in self._changes.values():
            (self._memory.put if kept else self._memory.remove)(cookie)
        self._seen = stamp

    def _cookies_in(self, text: bytes) -> list[Cookie]:
        """What is in the file counts as older than what is not written yet."""
        waiting = [cookie.last_accessed for cookie, kept in self._changes.values() if kept]
        written = min([os.stat(self.path).st_mtime, *(when for when in waiting if when is not None)])
        return self._read(text, time.time(), written)

    def _stamp(self) -> tuple[int, ...]:
        """What tells one state of the file from another; () for a missing one. Every write makes a new file, so two never share all three."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return ()
        except OSError as reason:
            raise CookieStoreError(
                f'the cookies in {os.fspath(self.path)!r} cannot be read: {reason.strerror}'
            ) from reason
        return (found.st_ino, found.st_mtime_ns, found.st_size)
