"""Where a pipe ends, if it ends in bytes: anything with ``write(bytes)``, or a path."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requite import checks
from requite.body.source import Patience, is_text
from requite.errors import InvalidOptionType, OptionsError
from requite.inflow import allowed, close

if TYPE_CHECKING:
    from requite.inflow import Source


CO_COROUTINE = 0x80
"""``inspect.CO_COROUTINE``, without the import."""
AWAITED = "the sink's write() has to be awaited: make it an async def, and await requite.apipe(source, sink)"


class Writer:
    """An object of the caller's with ``write(bytes)``; closed behind the pipe unless ``end`` is False."""

    def __init__(self, sink: Any, end: bool) -> None:
        if isinstance(sink, type):
            raise InvalidOptionType(f'the sink is the class {sink.__name__}; give an object of it')
        if is_text(sink):
            raise InvalidOptionType("the sink was opened as text; open it with mode 'wb'")
        if not callable(getattr(sink, 'write', None)):
            raise InvalidOptionType(
                f'a {type(sink).__name__} is no destination of a pipe: give a request, a path, an object with write(bytes), '
                "or a server's end"
            )
        if getattr(sink, 'closed', False) is True or not allowed(sink, 'writable'):
            raise OptionsError("the sink is closed, or was not opened for writing: open it with mode 'wb'")
        code = getattr(getattr(sink.write, '__func__', sink.write), '__code__', None)
        if code is not None and code.co_flags & CO_COROUTINE:
            raise InvalidOptionType(AWAITED)
        self._sink = sink
        self._end = end
        self._patience = Patience(sink)

    def begin(self, source: Source) -> None:
        """Gets ready."""

    def write(self, piece: bytes) -> None:
        """Takes a piece, all of it; waits for a file that does not block."""
        while True:
            written = self._take(piece)
            # Only files without a buffer, and those that do not block, may take less than they are given.
            if written is None or written >= len(piece):
                return
            piece = piece[written:]

    def _take(self, piece: bytes) -> int | None:
        """How much of a piece was taken, None for all of it."""
        sink = self._sink
        try:
            written = sink.write(piece)
        except BlockingIOError as error:
            if error.characters_written:
                self._patience.over()
            if not isinstance(sink, io.IOBase) or not self._patience.wait():
                raise
            return error.characters_written
        if isinstance(sink, io.RawIOBase):
            if written is None and self._patience.wait():
                return 0
            # of a file that blocks None is what a write() says that says nothing
            self._patience.over()
            return written  # type: ignore[no-any-return]
        if written is not None and hasattr(written, '__await__'):
            if hasattr(written, 'close'):
                written.close()  # a coroutine, which else would tell that nobody awaited it
            raise InvalidOptionType(AWAITED)
        return None

    def keep(self) -> None:
        """The content is whole."""
        if not self._end:
            return
        while isinstance(self._sink, (io.BufferedWriter, io.BufferedRandom)):
            try:
                self._sink.flush()
                break
            except BlockingIOError:
                if not self._patience.wait():
                    raise
        close(self._sink)

    def discard(self) -> None:
        """It never will be."""
        if self._end:
            close(self._sink)


class WholeFile:
    """A path: written beside it, and put in its place when the content is whole. A device or a named pipe is written to as it is, at once.

    ``replaces`` tells whether there will be a new file. What the system refuses is raised as it comes.
    """

    def __init__(self, path: str | os.PathLike[Any]) -> None:
        given = os.fspath(path)
        if not isinstance(given, str):
            raise OptionsError(f'{given!r} is no file that could be written: give its path as a str')
        if '\0' in given:
            raise OptionsError(f'{given!r} is no path: a name cannot hold NUL')
        if not given or given.endswith(os.sep) or Path(given).is_dir():
            raise OptionsError(f'{given!r} is a folder; name a file in it: {str(Path(given) / "FILE")!r}')
        self._place = _resolved(given)
        if not self._place.parent.is_dir():
            raise OptionsError(f'there is no folder {Path(given).parent} to put {self._place.name} into; make it first')
        self._beside = self._place.with_name(f'.requite-{os.getpid()}-{os.urandom(4).hex()}.part')
        self.replaces = not self._place.exists() or self._place.is_file()
        if not self.replaces:
            self._beside = self._place
        self._file: Any = None

    def check(self) -> None:
        """Raises ``PermissionError``, and what else the system says, where it could not be written: known before anything is asked for."""
        asked = self._place.parent if self.replaces else self._place
        if not os.access(asked, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(asked))

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


def _resolved(path: str) -> Path:
    """The place behind symbolic links, which stay what they are."""
    try:
        place = Path(path).resolve()
    except RuntimeError:
        place = Path(path)  # before Python 3.13
    if place.is_symlink():
        raise OptionsError(f'{path!r} is a symbolic link that leads in a circle; name another file')
    return place


def of(destination: Any, end: bool) -> Any:
    """What writes to ``destination``; raises ``OptionsError`` for what cannot be written to, and for what cannot stay open where ``end`` is False."""
    made = _sink(destination, end)
    if not end and not isinstance(made, Writer) and not getattr(made, 'stays_open', False):
        raise OptionsError(
            f'end=False leaves a sink open for more, and {checks.kind(destination)} is only whole at its end: '
            'leave it out, or pipe into a file that you opened'
        )
    if type(made) is WholeFile:
        made.check()
    return made


def _sink(destination: Any, end: bool) -> Any:
    if isinstance(destination, (str, os.PathLike)):
        return WholeFile(destination)
    if isinstance(destination, type):
        return Writer(destination, end)  # which says so
    opened = getattr(destination, 'piped_into', None)
    if opened is not None:
        return opened()
    if hasattr(destination, 'wfile') and hasattr(destination, 'send_response'):
        from requite import httpserver

        return httpserver.Answering(destination)
    return Writer(destination, end)
