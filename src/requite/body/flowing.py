"""Files without an end that is known: what comes out of a pipe or a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requite.body.source import BODY, FileBody

if TYPE_CHECKING:
    from collections.abc import Iterator


class FlowingBody(FileBody):
    """What a file gives up to its end. Who sends it may know a way to read what is there without waiting: he looks at ``live.file``, and puts it at ``live.pieces``."""

    __slots__ = ('file', 'live', 'pieces')

    def __init__(self, file: Any, place: str = BODY) -> None:
        super().__init__(file, place)
        self.file = file
        self.pieces: Any = None
        self.live = self if self.length is None and not self.replayable else None

    def chunks(self) -> Iterator[bytes]:
        if self.pieces is None:
            yield from super().chunks()
            return
        self.check()
        while piece := self.pieces.take():
            yield piece
