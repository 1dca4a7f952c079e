"""Many threads against a server that is restarted, cut off and stopped meanwhile: `python -m tests.load --threads 200 --seconds 60`.

Each request carries a number of its own and has a deadline. It must end with its own answer or with a clean error within that deadline; and when all is
over, no descriptor, no thread and no connection may be left, nor memory have grown.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import random
import resource
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from requite import Pool, RequestError, request
from tests.load.chaos import LARGE, Nginx, tormented

DEADLINE = 2000
"""Milliseconds that a request may take."""
GRACE = 1.0


class Figures(NamedTuple):
    """What a run came to."""

    outcomes: Counter[str]
    wrong: list[str]
    longest: float
    most_busy: int
    seconds: float
    before: tuple[int, int, int]
    after: tuple[int, int, int]
    grown: tuple[int, int]
    """KiB of memory after a third of the time, and at its end."""

    def problems(self, limit: int, grace: float = GRACE) -> list[str]:
        """What must not be; `grace` is how many seconds a request may be late on a busy machine."""
        found = list(self.wrong[:10])
        if self.longest > DEADLINE / 1000 + grace:
            found.append(f'a request took {self.longest:.2f} s, its deadline was {DEADLINE} ms')
        if self.most_busy > limit:
            found.append(f'{self.most_busy} connections at once, allowed were {limit}')
        third, end = self.grown
        if end > third * 1.25 + 8192:
            found.append(f'memory grew from {third} to {end} KiB')
        names = ('descriptors', 'threads')
        found += [
            f'{name}: {was} before, {now} after'
            for name, was, now in zip(names, self.before, self.after, strict=False)
            if now > was
        ]
        return found


def memory() -> int:
    """KiB that the process has."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize() // 1024


def standing() -> tuple[int, int, int]:
    """Descriptors, threads, and KiB of memory. Workers of the background go home by themselves, after ten seconds without anything to do."""
    gc.collect()
    threads = sum(thread.name != 'requite-worker' for thread in threading.enumerate())
    return len(list(Path('/proc/self/fd').iterdir())), threads, memory()


class Load:
    """The threads, and what came of their requests."""

    def __init__(self, server: Nginx, pool: Pool, over: threading.Event) -> None:
        self._url = server.url
        self._over = over
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._api = request.defaults(pool=pool, deadline=DEADLINE)
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.longest = 0.0

    def work(self) -> None:
        """Requests, one after the other, until it is over."""
        outcomes: Counter[str] = Counter()
        longest = 0.0
        while not self._over.is_set():
            began = time.monotonic()
            try:
                outcomes[self._one(next(self._numbers))] += 1
            except RequestError as error:
                outcomes[f'{type(error).__name__} {error.code}'] += 1
            except BaseException as error:
                self.wrong.append(f'not one of our errors: {error!r}')
            longest = max(longest, time.monotonic() - began)
        with self._lock:
            self.outcomes += outcomes
            self.longest = max(self.longest, longest)

    def _one(self, number: int) -> str:
        chance = random.random()
        if chance < 0.05:
            made = self._api.get(f'{self._url}/large').start(lambda error, response, body: None)
            time.sleep(random.uniform(0, 0.02))
            made.abort()
            return 'aborted by us'
        if chance < 0.1:
            with self._api.get(f'{self._url}/large') as response:
                response.read(1000)
            return 'left unread'
        if chance < 0.2:
            if self._api.get(f'{self._url}/large', encoding=None).end().body != LARGE:
                self.wrong.append('a large answer is not the one that was sent')
            return 'answered (256 KiB)'
        body = self._api.get(f'{self._url}/small', qs={'id': number}).end().body
        if body != str(number):
            self.wrong.append(f'request {number} was answered {body!r}')
        return 'answered'


def run(threads: int, seconds: float, limit: int = 100) -> Figures:
    """Runs the load. Raises LookupError where nginx is not installed."""
    pool = Pool(limit)
    over = threading.Event()
    busy = [0]

    def look() -> None:
        while not over.wait(0.05):
            busy[0] = max([busy[0], *(sum(counts) for counts in pool.status().values())])

    with tormented() as server:
        request.get(f'{server.url}/small', pool=pool).end()
        request.get(f'{server.url}/small', pool=pool).start().end()
        request.flush()
        pool.close()
        before = standing()
        load = Load(server, pool, over)
        crowd = [threading.Thread(target=load.work) for _ in range(threads)]
        crowd += [threading.Thread(target=server.torment, args=(over,)), threading.Thread(target=look)]
        began = time.monotonic()
        for thread in crowd:
            thread.start()
        time.sleep(seconds / 3)
        third = memory()
        time.sleep(seconds * 2 / 3)
        end = memory()
        over.set()
        for thread in crowd:
            thread.join(30)
        took = time.monotonic() - began
        request.flush()
        pool.close()
        settle(before)
        after = standing()
        print(dict(server.done))
    return Figures(load.outcomes, load.wrong, load.longest, busy[0], took, before, after, (third, end))


def settle(before: tuple[int, int, int]) -> None:
    """Waits until the threads of the background have gone home, at most ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until and standing()[:2] > before[:2]:
        time.sleep(0.1)


def main() -> int:
    """Prints the figures; 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog='python -m tests.load', description=__doc__)
    parser.add_argument('--threads', type=int, default=200)
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--limit', type=int, default=100)
    asked = parser.parse_args()
    figures = run(asked.threads, asked.seconds, asked.limit)
    total = sum(figures.outcomes.values())
    print(f'{total} requests in {figures.seconds:.0f} s, {total / figures.seconds:.0f} a second')
    for what, count in figures.outcomes.most_common():
        print(f'{count:8} {what}')
    print(f'longest {figures.longest * 1000:.0f} ms, {figures.most_busy} connections at most')
    print(f'descriptors, threads, KiB: {figures.before} before, {figures.after} after')
    print(f'KiB after a third of the time {figures.grown[0]}, at its end {figures.grown[1]}')
    problems: list[Any] = figures.problems(asked.limit)
    print('\n'.join(['WRONG:', *problems]) if problems else 'all in order')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
