"""What `time=True` adds to a small GET. Run as a module, it is the measured child: both kinds take turns in one process."""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import time
from itertools import repeat
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from .children import run_module
from .report import Row, ratio_of
from .scenarios import IDLE_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .report import Figures
    from .server import Target

MICRO = 1e6
WARM_UP = 500
PAIRS = 4
"""Pairs of turns for each round: they are short, and a difference wants more of them than a ratio."""
LIMIT = 120
"""Seconds that the child may take."""
ADDED = 'microseconds added'


class TimingCost(NamedTuple):
    """CPU time of a request in microseconds without and with timings, one figure a turn; or why there are none."""

    plain: tuple[float, ...] = ()
    timed: tuple[float, ...] = ()
    trouble: str | None = None

    @property
    def added(self) -> float:
        """The median of what was added from one turn to the next."""
        return median(timed - plain for plain, timed in zip(self.plain, self.timed, strict=True))


def measure_timings(target: Target, turn: float, rounds: int) -> TimingCost:
    """What both kinds cost, in turns of so many seconds."""
    process = run_module('timings', [target.plain + '/small', str(turn), str(rounds * PAIRS)])
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return TimingCost(trouble=f'not done within {LIMIT} s')
    words: dict[str, Any] = (
        json.loads(said) if said else {'trouble': f'the child ended with exit code {process.returncode}'}
    )
    if 'trouble' in words:
        return TimingCost(trouble=words['trouble'])
    return TimingCost(tuple(words['plain']), tuple(words['timed']))


def timing_figures(cost: TimingCost) -> Figures:
    """What a request with timings takes longer."""
    return {('timings', ADDED): cost.added} if cost.plain else {}


def timing_rows(cost: TimingCost, figures: Figures) -> list[Row]:
    """A row for each kind."""
    ratio, gate = ratio_of(figures, 'timings', ADDED)
    return [
        _row('small GET, no timings', cost.plain),
        _row('small GET, time=True', cost.timed)._replace(ratio=ratio, gate=gate),
    ]


def _row(what: str, costs: tuple[float, ...]) -> Row:
    if not costs:
        return Row(what, 'requite', 'not measured')
    return Row(what, 'requite', f'{median(costs):.1f} us', f'{min(costs):.1f} to {max(costs):.1f}')


# -- the child


def _turn(call: Callable[[], Any], count: int) -> float:
    gc.collect()
    begun = time.process_time()
    for _ in repeat(None, count):
        call()
    return (time.process_time() - begun) / count * MICRO


def _run(url: str, turn: float, pairs: int) -> dict[str, Any]:
    request = importlib.import_module('requite').request
    settings = {'timeout': IDLE_TIMEOUT * 1000, 'encoding': None}
    plain, timed = (
        request.defaults(pool={'max_sockets': 4}, **settings).get,
        request.defaults(pool={'max_sockets': 4}, time=True, **settings).get,
    )
    if timed(url).end().timings is None or plain(url).end().timings is not None:
        raise ValueError('timings are not there where they are asked for, or where they are not')
    calls = {'plain': lambda: plain(url).response.body, 'timed': lambda: timed(url).response.body}
    found: dict[str, Any] = {name: [] for name in calls}
    count = 1
    for call in calls.values():
        count = max(count, round(turn * MICRO / _turn(call, WARM_UP)))
    for _ in range(pairs):
        for name, call in calls.items():
            found[name].append(_turn(call, count))
    return found


def main() -> None:
    """Let both take their turns and print what they cost."""
    url, turn, pairs = sys.argv[1:]
    try:
        said = _run(url, float(turn), int(pairs))
    except Exception as error:
        said = {'trouble': f'{type(error).__name__}: {error}'}
    print(json.dumps(said))


if __name__ == '__main__':
    main()
