"""How far a body has come: counted on its way, and told to the listeners of ``progress`` not more often than they can use."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requite.content import Content
    from requite.emitter import Emitter
    from requite.protocols import Body

    Tell = Callable[[int, int | None, str], object]

STEP = 65536
"""After so many bytes more it is told again,"""
INTERVAL = 0.1
"""and after so many seconds, if anything came."""
PIECE = 131072
"""Larger pieces of a body are sent in parts, in bytes: something lying in memory has progress too."""


class Meter:
    """Counts one body in one direction. It tells of 0 at once, and of the last byte always."""

    __slots__ = ('_count', '_direction', '_tell', '_told', '_total', '_when')

    def __init__(self, tell: Tell, total: int | None, direction: str) -> None:
        self._tell = tell
        self._total = total
        self._direction = direction
        self._count = 0
        self._say()

    def add(self, size: int) -> None:
        """Counts ``size`` more bytes."""
        self._count += size
        if self._count - self._told >= STEP or self._count == self._total or monotonic() - self._when >= INTERVAL:
            self._say()

    def end(self) -> None:
        """There is no more."""
        if self._told != self._count:
            self._say()

    def _say(self) -> None:
        self._told = self._count
        self._when = monotonic()
        self._tell(self._count, self._total, self._direction)


class Counted:
    """A body that tells how much of it was sent; each time that it is sent it begins at 0."""

    __slots__ = ('_body', '_tell', 'data', 'headers', 'length', 'live')

    def __init__(self, body: Body, tell: Tell) -> None:
        self._body = body
        self._tell = tell
        self.headers = body.headers
        self.length = body.length
        self.live = getattr(body, 'live', None)
        self.data = getattr(body, 'data', None)

    @property
    def replayable(self) -> bool:
        """Whether it can be sent again: as the body says."""
        return self._body.replayable

    def check(self) -> None:
        """Raises ``InvalidBody`` where the body cannot be sent any more."""
        checking = getattr(self._body, 'check', None)
        if checking is not None:
            checking()

    def chunks(self) -> Iterator[bytes]:
        meter = Meter(self._tell, self.length, 'upload')
        for chunk in self._body.chunks():
            for piece in _parts(chunk):
                yield piece
                meter.add(len(piece))
        meter.end()


def _parts(chunk: Any) -> Iterator[Any]:
    if not isinstance(chunk, bytes) or len(chunk) <= PIECE:
        yield chunk  # what is not bytes is not ours to take apart
        return
    view = memoryview(chunk)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]


def received(content: Content, emitter: Emitter) -> Callable[[int], bytes]:
    """What reads the body of a response, and tells how much of it was received: bytes of the wire, content codings still on, of what was announced."""
    read = content._reply.read
    meter = Meter(lambda *progress: emitter.emit('progress', *progress), _announced(content), 'download')

    def reading(size: int) -> bytes:
        piece = read(size)
        if piece:
            meter.add(len(piece))
        else:
            meter.end()
        return piece

    return reading


def _announced(content: Content) -> int | None:
    if content._hop.method == 'HEAD' or content.status_code in (204, 304):
        return 0
    length = content.headers.get('content-length')
    return None if length is None or 'transfer-encoding' in content.headers else int(str(length))
