"""Bodies that are read as they are sent: files, iterables, responses."""

from __future__ import annotations

import io
import os
import stat
from typing import TYPE_CHECKING, Any

from requite.errors import InvalidBody, RequestStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 131072
"""How much is read from a file at a time, in bytes."""


def readable(file: Any) -> Any:
    """The file, if it can be read at all; raises ``InvalidBody`` for one that is closed or only open for writing."""
    if getattr(file, 'closed', False) is True:
        raise InvalidBody("option 'body': the file is closed; open it again with mode 'rb'")
    asks = getattr(file, 'readable', None)
    if callable(asks) and not asks():
        raise InvalidBody("option 'body': the file is not open for reading; open it with mode 'rb'")
    return file


class FileBody:
    """An open binary file, from where it stands to its end; may be sent again when it can be rewound.

    Its end is where it was when this was made: what a file grows by later is not sent. One whose size says nothing, as those below /proc, has no length.
    """

    __slots__ = ('_file', '_start', 'headers', 'length', 'replayable')

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase) or isinstance(getattr(file, 'file', None), io.TextIOBase):
            raise InvalidBody("option 'body': the file was opened as text; open it with mode 'rb'")
        self._file = file
        self.headers: tuple[tuple[str, str], ...] = ()
        self._start, self.length = _extent(file)
        if self.length == 0 and file.read(1):
            file.seek(self._start)
            self.length = None
        self.replayable = self._start is not None

    def chunks(self) -> Iterator[bytes]:
        if self._start is not None:
            self._file.seek(self._start)
        left = self.length
        while data := self._file.read(PIECE if left is None else min(PIECE, left)):
            if isinstance(data, str):
                raise InvalidBody("option 'body': the file was opened as text; open it with mode 'rb'")
            if left is not None:
                left -= len(data)
            yield data


class IterableBody:
    """Pieces of bytes from an iterable; one that is an iterator, or that always gives the same one, can be sent only once (SECURITY R14)."""

    __slots__ = ('_pieces', '_sent', '_used', 'headers', 'length', 'replayable')

    def __init__(self, pieces: Iterable[Any], length: int | None = None, once: bool = False) -> None:
        self._pieces = pieces
        self._used = False
        self._sent = 0
        self.length = length
        self.headers: tuple[tuple[str, str], ...] = ()
        # who iterates over a request sends it: that waits until its pieces are needed
        self.replayable = not once and not hasattr(pieces, '__next__') and _begins_anew(pieces)

    def chunks(self) -> Iterator[bytes]:
        if self._used and not self.replayable:
            raise RequestStateError(
                'the body is an iterator and was used up by the first attempt; give bytes, a file or a list to allow another'
            )
        self._used = True
        size = 0
        for piece in self._pieces:
            data = as_bytes(piece)
            size += len(data)
            self._sent = max(self._sent, size)
            yield data
        if size < self._sent:
            # its iterators share what they read from, and an earlier attempt has read it: half a body must not pass for a whole one
            raise RequestStateError(
                'the body gave fewer bytes than the first time, as if it were used up; give bytes, a file or a list to allow another attempt'
            )


def _begins_anew(pieces: Iterable[Any]) -> bool:
    """Whether an iterable gives another iterator each time, which is neither itself nor the one before."""
    one = iter(pieces)
    return one is not pieces and iter(pieces) is not one


class DeclaredBody:
    """Another body with the length that the caller stated: the transport holds it to that, None sends it chunked."""

    __slots__ = ('_body', 'headers', 'length', 'live', 'replayable')

    def __init__(self, body: Any, length: int | None) -> None:
        self._body = body
        self.length = length
        self.headers = body.headers
        self.replayable = body.replayable
        self.live = getattr(body, 'live', None)

    def chunks(self) -> Iterator[bytes]:
        return self._body.chunks()  # type: ignore[no-any-return]


def as_bytes(piece: Any) -> bytes:
    """One piece of a body as bytes: str is sent as UTF-8; anything else is an error and never its repr (SECURITY Q5)."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, str):
        try:
            return piece.encode('utf-8')
        except UnicodeEncodeError:
            raise InvalidBody(
                "option 'body': it holds a lone surrogate (U+D800 to U+DFFF), which UTF-8 cannot carry: replace it"
            ) from None
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise InvalidBody(
        f"option 'body': Argument error, options.body. A piece must be bytes or str, not a {type(piece).__name__}"
    )


def _extent(file: Any) -> tuple[int | None, int | None]:
    """Where the file stands and how many bytes are left, each None where it cannot tell."""
    try:
        if not file.seekable():
            return None, None
        start = file.tell()
    except (AttributeError, OSError, ValueError):
        return None, None
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError, ValueError):
        status = None
    if status is not None and stat.S_ISREG(status.st_mode):
        return start, max(0, status.st_size - start)
    try:
        end = file.seek(0, 2)
        file.seek(start)
    except (OSError, ValueError):
        return start, None
    return start, max(0, end - start)
