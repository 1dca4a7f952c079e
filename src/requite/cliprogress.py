"""Bars on standard error, for whoever watches."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from requite import download

if TYPE_CHECKING:
    from requite.request import Request
    from requite.response import Response

SMALL = 65536
"""Bodies up to this size have no bar, unless they take long; in bytes."""


def watched() -> bool:
    """Whether somebody sees standard error."""
    return sys.stderr is not None and sys.stderr.isatty()


def pour(response: Response, output: download.Output, total: int | None, start: int = 0) -> None:
    """Writes the body piece by piece, under a bar where somebody sees one; ``start`` bytes of ``total`` are here already."""
    progress = Progress(total, start) if watched() else None
    try:
        for piece in response:
            output.write(piece)
            if progress is not None:
                progress.add(len(piece))
    finally:
        if progress is not None:
            progress.end()


def show_upload(request: Request) -> None:
    """Has a bar drawn while the content is sent."""
    from requite import progressbar

    bar = progressbar.Bar(sys.stderr)

    def listener(transferred: int, total: int | None, direction: str) -> None:
        if direction == 'upload':
            bar(transferred, total, direction)
        else:
            bar.end()

    request.on('progress', listener)
    request.on('response', bar.end)


class Progress:
    """A bar for what is written, on standard error; ``start`` bytes are here already."""

    def __init__(self, total: int | None, start: int = 0) -> None:
        self._total = total
        self._size = self._start = start
        self._began = monotonic()
        self._drawing: Any = None

    def add(self, size: int) -> None:
        """Counts ``size`` more bytes."""
        self._size += size
        if self._drawing is None and (
            self._size - self._start > SMALL or monotonic() - self._began > download.INTERVAL
        ):
            from requite import progressbar

            self._drawing = progressbar.drawing(sys.stderr)
            self._drawing.open('download', self._total, monotonic() - self._began)
        if self._drawing is not None:
            self._drawing.show('download', self._size)

    def end(self) -> None:
        """Leaves the line as it is."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.close('download')
