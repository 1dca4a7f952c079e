"""The bar of ``progress=True``: drawn by rich or tqdm where one of them is installed, else a plain line; on terminals only."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from requite.download import INTERVAL, describe

if TYPE_CHECKING:
    from typing import TextIO

SMALL = 65536
"""Bodies up to this size are only drawn if they take long, in bytes."""


class Bar:
    """A listener of ``progress``, and of whatever ends it; each body, and each attempt to send one, has a bar of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawing: Any = None
        self._began = monotonic()

    def __call__(self, transferred: int, total: int | None, direction: str) -> None:
        if not transferred:
            self.end()
            self._began = monotonic()
        elif self._drawing is None and (transferred > SMALL or monotonic() - self._began >= INTERVAL):
            self._drawing = drawing(self._stream, total, direction)
        if self._drawing is not None:
            self._drawing.show(transferred)
            if transferred == total:
                self.end()

    def end(self, *_: object) -> None:
        """Leaves the line as it is."""
        drawn, self._drawing = self._drawing, None
        if drawn is not None:
            drawn.close()

    def __del__(self) -> None:
        self.end()


def drawing(stream: TextIO, total: int | None, direction: str) -> Any:
    """What draws one bar with ``show(transferred)`` and ``close()``."""
    for kind in (Rich, Tqdm):
        try:
            return kind(stream, total, direction)
        except ImportError:
            pass
    return Line(stream, total, direction)


class Rich:
    """Drawn by rich."""

    def __init__(self, stream: TextIO, total: int | None, direction: str) -> None:
        from rich import progress
        from rich.console import Console

        self._progress = progress.Progress(
            progress.TextColumn('{task.description}'),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=Console(file=stream),
        )
        self._task = self._progress.add_task(direction, total=total)
        self._progress.start()

    def show(self, transferred: int) -> None:
        self._progress.update(self._task, completed=transferred)

    def close(self) -> None:
        self._progress.stop()


class Tqdm:
    """Drawn by tqdm."""

    def __init__(self, stream: TextIO, total: int | None, direction: str) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, desc=direction, unit='B', unit_scale=True, file=stream)

    def show(self, transferred: int) -> None:
        self._bar.update(transferred - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class Line:
    """One line that is drawn over itself."""

    def __init__(self, stream: TextIO, total: int | None, direction: str) -> None:
        self._stream = stream
        self._total = total
        self._direction = direction
        self._began = monotonic()
        self._drawn = 0.0
        self._text = ''
        self._size = 0

    def show(self, transferred: int) -> None:
        self._size = transferred
        if monotonic() - self._drawn >= INTERVAL:
            self._draw()

    def close(self) -> None:
        self._draw()
        self._stream.write('\n')
        self._stream.flush()

    def _draw(self) -> None:
        self._drawn = monotonic()
        text = f'{self._direction} {describe(self._size, self._total, self._drawn - self._began)}'
        self._stream.write('\r' + text.ljust(len(self._text)))
        self._stream.flush()
        self._text = text
