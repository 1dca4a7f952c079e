"""Where a pipe ends, if it ends in bytes: anything with ``write(bytes)``, or a path."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidOptionType, OptionsError
from requite.inflow import allowed, close

if TYPE_CHECKING:
    from requite.inflow import Source


class Writer:
    """An object of the caller's with ``write(bytes)``; closed behind the pipe unless ``end`` is False."""

    def __init__(self, sink: Any, end: bool) -> None:
        if isinstance(sink, io.TextIOBase) or isinstance(getattr(sink, 'file', None), io.TextIOBase):
            raise InvalidOptionType("the sink was opened as text; open it with mode 'wb'")
        if not callable(getattr(sink, 'write', None)):
            raise InvalidOptionType(
                f'a {type(sink).__name__} is no destination of a pipe: give a request, a path, an object with write(bytes), '
                "or a server's end"
            )
        if getattr(sink, 'closed', False) is True or not allowed(sink, 'writable'):
            raise OptionsError("the sink is closed, or was not opened for writing: open it with mode 'wb'")
        self._sink = sink
        self._end = end

    def begin(self, source: Source) -> None:
        """Gets ready."""

    def write(self, piece: bytes) -> None:
        """Takes a piece, all of it."""
        written = self._sink.write(piece)
        # Only files without a buffer may take less than they are given.
        if isinstance(self._sink, io.RawIOBase):
            while written is not None and written < len(piece):
                piece = piece[written:]
                written = self._sink.write(piece)

    def keep(self) -> None:
        """The content is whole."""
        if self._end:
            close(self._sink)

    def discard(self) -> None:
        """It never will be."""
        self.keep()


class WholeFile:
    """A path: written beside it, and put in its place when the content is whole. A device or a named pipe is written to as it is, at once.

    ``replaces`` tells whether there will be a new file. What the system refuses is raised as it comes.
    """

    def __init__(self, path: str | os.PathLike[Any]) -> None:
        given = os.fspath(path)
        if not isinstance(given, str):
            raise OptionsError(f'{given!r} is no file that could be written: give its path as a str')
        if not given or given.endswith(os.sep) or Path(given).is_dir():
            raise OptionsError(f'{given!r} is a folder; name a file in it: {str(Path(given) / "FILE")!r}')
        self._place = Path(given).resolve()  # a symbolic link stays one
        if not self._place.parent.is_dir():
            raise OptionsError(f'there is no folder {Path(given).parent} to put {self._place.name} into; make it first')
        self._beside = self._place.with_name(f'.requite-{os.getpid()}-{os.urandom(4).hex()}.part')
        self.replaces = not self._place.exists() or self._place.is_file()
        if not self.replaces:
            self._beside = self._place
        self._file: Any = None

    def begin(self, source: Source) -> None:
        self._file = open(self._beside, 'xb' if self.replaces else 'wb')  # noqa: SIM115 - keep() and discard() close it

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        if not self.replaces:
            self._file.flush()  # whoever reads the other end of a named pipe waits for it

    def keep(self) -> None:
        self._file.close()
        if self.replaces:
            if self._place.exists():
                self._beside.chmod(stat.S_IMODE(self._place.stat().st_mode))
            self._beside.replace(self._place)

    def discard(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
        except OSError:
            pass  # what could not be written is thrown away
        if self.replaces:
            self._beside.unlink(missing_ok=True)  # missing: it is in its place


def of(destination: Any, end: bool) -> Any:
    """What writes to ``destination``; raises ``OptionsError`` for what cannot be written to."""
    if isinstance(destination, (str, os.PathLike)):
        return WholeFile(destination)
    opened = getattr(destination, 'piped_into', None)
    if opened is not None:
        return opened()
    if hasattr(destination, 'wfile') and hasattr(destination, 'send_response'):
        from requite import httpserver

        return httpserver.Answering(destination)
    return Writer(destination, end)
