"""A file that a HAR names as the content of a part."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from requite import checks
from requite.errors import OptionsError


class HarFile:
    """A binary file that is sent whole by each request that holds it, and that nobody has to close. Raises ``OptionsError`` for one that cannot be read.

    It belongs to the options, which requests of several threads may share: each thread reads at a place of its own.
    """

    closed = False

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            if not Path(name).is_file():
                raise OSError
            self._number = os.open(name, os.O_RDONLY | getattr(os, 'O_BINARY', 0))
        except (OSError, ValueError):
            raise OptionsError(
                f"option 'har': there is no file {checks.shown(name)} that could be sent; give the param a value"
            ) from None
        self._place = threading.local()
        self._lock = threading.Lock()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes from where this thread stands."""
        place = getattr(self._place, 'now', 0)
        with self._lock:
            os.lseek(self._number, place, os.SEEK_SET)
            data = os.read(self._number, size)
        self._place.now = place + len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to a place, counted from the beginning, or from the end with 2."""
        self._place.now = offset + (os.fstat(self._number).st_size if whence == 2 else 0)
        return int(self._place.now)

    def tell(self) -> int:
        """Where a request begins to read: at the beginning, whoever has read before."""
        return 0

    def seekable(self) -> bool:
        """Whether it can be sent again."""
        return True

    def __del__(self) -> None:
        if '_number' in self.__dict__:
            os.close(self._number)
