"""Node's timings of an exchange, made from the moments that the transport marked. All in milliseconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from requite.waterfall import Moments

if TYPE_CHECKING:
    from typing import Any

EPOCH = time.time() - time.perf_counter()
"""What turns a moment of ``time.perf_counter()`` into seconds since 1970."""


class Timings:
    """When the steps of the last hop happened, and how long the whole exchange took.

    ``timings`` counts from the start of the last hop: socket, lookup, connect, response, end (and tls on https). ``elapsed`` counts over all hops, rounded.
    """

    __slots__ = ('elapsed', 'marks', 'start')

    def __init__(self, begun: float, start: float, marks: dict[str, float], end: float) -> None:
        self.start = start
        self.marks = {**marks, 'end': end}
        self.elapsed = round((end - begun) * 1000)

    def __reduce__(self) -> tuple[Any, ...]:
        # the clock of another process, or machine, began at another moment
        since = {step: moment - self.start for step, moment in self.marks.items()}
        return _restored, (EPOCH + self.start, since, self.elapsed)

    def timings(self) -> Moments:
        """Node's ``timings``: each step in milliseconds since the hop began, never going back."""
        moments = Moments()
        last = self.start
        for step in ('socket', 'lookup', 'connect', 'tls', 'response', 'end'):
            if step == 'tls' and step not in self.marks:
                continue
            last = max(last, self.marks.get(step, last))
            moments[step] = (last - self.start) * 1000
        return moments

    def phases(self) -> dict[str, float]:
        """Node's ``timingPhases``: wait, dns, tcp, firstByte, download and total; on a new https connection ``tls`` too, which is a part of firstByte."""
        at = self.timings()
        handshake = {'tls': at['tls'] - at['connect']} if 'tls' in at else {}
        return {
            'wait': at['socket'],
            'dns': at['lookup'] - at['socket'],
            'tcp': at['connect'] - at['lookup'],
            'firstByte': at['response'] - at['connect'],
            'download': at['end'] - at['response'],
            'total': at['end'],
            **handshake,
        }

    def response_start(self) -> int | None:
        """When the first byte of the answer came, in milliseconds since 1970."""
        moment = self.marks.get('response')
        return None if moment is None else epoch_ms(moment)


def _restored(began: float, since: dict[str, float], elapsed: int) -> Timings:
    start = began - EPOCH
    marks = {step: start + moment for step, moment in since.items()}
    made = Timings(start, start, marks, marks['end'])
    made.elapsed = elapsed
    return made


def so_far(marks: dict[str, float]) -> Moments:
    """The steps that a hop came to before it failed, in milliseconds since it began; ``end`` is when it failed."""
    now = time.perf_counter()
    start = marks.get('start', min(marks.values(), default=now))
    moments = Moments()
    for step in ('socket', 'lookup', 'connect', 'tls', 'response'):
        if step in marks:
            moments[step] = (marks[step] - start) * 1000
    moments['end'] = (now - start) * 1000
    return moments


def epoch_ms(moment: float) -> int:
    """A moment of ``time.perf_counter()`` in milliseconds since 1970."""
    return round((EPOCH + moment) * 1000)
