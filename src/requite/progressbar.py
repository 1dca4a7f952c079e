"""The bar of ``progress=True``: drawn by rich or tqdm where one of them is installed, else a plain line; on terminals only."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from requite.download import INTERVAL, amount, describe

if TYPE_CHECKING:
    from typing import TextIO

SMALL = 65536
"""Bodies up to this size are only drawn if they take long, in bytes."""


class Bar:
    """A listener of ``progress``, and of whatever ends it; each body, and each attempt to send one, has a bar of its own.

    What is sent and what is received may be under way at once: both are drawn then.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawing: Any = None
        self._drawn: set[str] = set()
        self._began: dict[str, float] = {}

    def __call__(self, transferred: int, total: int | None, direction: str) -> None:
        now = monotonic()
        if not transferred:
            self._close(direction)
            self._began[direction] = now
            return
        began = self._began.setdefault(direction, now)
        if direction not in self._drawn and (transferred > SMALL or now - began >= INTERVAL):
            if self._drawing is None:
                self._drawing = drawing(self._stream)
            self._drawn.add(direction)
            self._drawing.open(direction, total, now - began)
        if direction in self._drawn:
            self._drawing.show(direction, transferred)
            if transferred == total:
                self._close(direction)

    def end(self, *_: object) -> None:
        """Leaves the lines as they are."""
        for direction in sorted(self._drawn):
            self._close(direction)

    def _close(self, direction: str) -> None:
        if direction not in self._drawn:
            return
        self._drawn.discard(direction)
        drawn = self._drawing
        if not self._drawn:
            self._drawing = None  # first: who is told twice finds nothing to end
        drawn.close(direction)

    def __del__(self) -> None:
        self.end()


def drawing(stream: TextIO) -> Any:
    """What draws bars, one for each direction that is ``open``: ``open(direction, total, seconds ago)``, ``show(direction, transferred)``, ``close(direction)``."""
    for kind in (Rich, Tqdm):
        try:
            return kind(stream)
        except ImportError:
            pass
    return Line(stream)


class Rich:
    """Drawn by rich."""

    def __init__(self, stream: TextIO) -> None:
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
        self._tasks: dict[str, Any] = {}

    def open(self, direction: str, total: int | None, ago: float) -> None:
        self._tasks[direction] = self._progress.add_task(direction, total=total)
        self._progress.start()

    def show(self, direction: str, transferred: int) -> None:
        self._progress.update(self._tasks[direction], completed=transferred)

    def close(self, direction: str) -> None:
        self._progress.stop_task(self._tasks.pop(direction))
        if not self._tasks:
            self._progress.stop()


class Tqdm:
    """Drawn by tqdm, which puts bars that are open at once below each other."""

    def __init__(self, stream: TextIO) -> None:
        from tqdm import tqdm

        self._make = tqdm
        self._stream = stream
        self._bars: dict[str, Any] = {}

    def open(self, direction: str, total: int | None, ago: float) -> None:
        bar = self._make(total=total, desc=direction, unit='B', unit_scale=True, file=self._stream)
        bar.start_t -= ago  # it began before it was worth a bar
        bar.last_print_t -= ago
        self._bars[direction] = bar

    def show(self, direction: str, transferred: int) -> None:
        bar = self._bars[direction]
        bar.update(transferred - bar.n)

    def close(self, direction: str) -> None:
        self._bars.pop(direction).close()


class Line:
    """One line that is drawn over itself; in short where two directions share it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0.0
        self._text = ''
        self._shown: dict[str, tuple[int, int | None, float]] = {}

    def open(self, direction: str, total: int | None, ago: float) -> None:
        self._shown[direction] = 0, total, monotonic() - ago

    def show(self, direction: str, transferred: int) -> None:
        _, total, began = self._shown[direction]
        self._shown[direction] = transferred, total, began
        if monotonic() - self._drawn >= INTERVAL:
            self._draw(self._whole(direction) if len(self._shown) == 1 else '   '.join(map(self._short, self._shown)))

    def close(self, direction: str) -> None:
        self._draw(self._whole(direction))
        del self._shown[direction]
        self._text = ''
        self._drawn = 0.0
        self._stream.write('\n')
        self._stream.flush()

    def _whole(self, direction: str) -> str:
        size, total, began = self._shown[direction]
        return f'{direction} {describe(size, total, monotonic() - began)}'

    def _short(self, direction: str) -> str:
        size, total, began = self._shown[direction]
        seconds = monotonic() - began
        rate = f'  {amount(size / seconds)}/s' if seconds > 0 else ''
        return f'{direction} {f"{100 * size // total:3}%" if total else amount(size)}{rate}'

    def _draw(self, text: str) -> None:
        self._drawn = monotonic()
        self._stream.write('\r' + text.ljust(len(self._text)))
        self._stream.flush()
        self._text = text
