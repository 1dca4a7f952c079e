"""What flows into a pipe: the one shape that every source takes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from requite.errors import ConnectionReset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requite.protocols import Body
    from requite.response import Response


class Source(NamedTuple):
    """What a pipe reads, and what travels along with it.

    ``fields`` are end-to-end fields without framing; ``announced`` is the content-length to tell, as text, None where it is not known. ``method`` is an
    incoming request's. ``over()`` is called when the pipe has ended, well or not; what then is not read to its end is given up.
    """

    body: Body | None
    fields: list[tuple[str, str]]
    over: Callable[[], None]
    announced: str | None = None
    method: str | None = None
    response: Response | None = None

    def chunks(self) -> Iterator[bytes]:
        """The content, piece by piece."""
        return iter(()) if self.body is None else self.body.chunks()


class Inbound:
    """The content of a request that a server received: read once, and held to what was announced. ``pieces`` is where it comes from."""

    __slots__ = ('_pieces', 'done', 'headers', 'length', 'live', 'replayable')

    def __init__(self, pieces: Any, length: int | None) -> None:
        self._pieces = pieces
        self.live = pieces.live
        self.length = length
        self.headers: tuple[tuple[str, str], ...] = ()
        self.replayable = False
        self.done = False

    def chunks(self) -> Iterator[bytes]:
        pieces = self._pieces
        while piece := pieces.take():
            yield piece
        if pieces.left:
            raise ConnectionReset(
                f'the client left within its request: {pieces.left} of {self.length} bytes of its content are missing'
            )
        self.done = True


def close(file: Any) -> None:
    """Closes a file, as Node does behind a pipe; what lies in memory and the standard streams stay open."""
    if hasattr(file, 'getvalue') or _is_standard(file):
        return
    closing = getattr(file, 'close', None)
    if closing is not None:
        closing()


def _is_standard(file: Any) -> bool:
    streams = (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return any(file is stream or file is getattr(stream, 'buffer', stream) for stream in streams if stream is not None)


def allowed(file: Any, what: str) -> bool:
    """Whether a file says that it is readable or writable; what has no such method is believed to be."""
    asked = getattr(file, what, None)
    return True if asked is None else bool(asked())
