"""Who runs what is awaited: as many at once for each place as may be, and no place waits for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from requite.workers import Crowd, Workers


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


class Busy:
    """Tasks that run until they are let go on, and how many of them ran at once."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.running = self.most = self.done = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        assert self.go_on.wait(10)
        with self._lock:
            self.running -= 1
            self.done += 1


def test_no_more_tasks_run_for_a_place_than_may() -> None:
    crowd, busy = Crowd(), Busy()
    for _ in range(20):
        crowd.submit(busy, 'here', 3)
    until(lambda: busy.running == 3)
    time.sleep(0.05)
    assert (busy.most, crowd.workers._threads) == (3, 3)
    busy.go_on.set()
    until(lambda: busy.done == 20)
    assert busy.most == 3


def test_a_place_that_is_full_holds_up_no_other_and_nobody_who_goes_nowhere() -> None:
    crowd, busy, free = Crowd(), Busy(), Busy()
    free.go_on.set()
    for _ in range(10):
        crowd.submit(busy, 'here', 2)
    crowd.submit(free, 'there', 2)
    crowd.submit(free)
    until(lambda: free.done == 2)
    busy.go_on.set()
    until(lambda: busy.done == 10)


def test_tasks_of_a_place_run_in_their_order_and_its_line_is_forgotten() -> None:
    crowd = Crowd()
    seen: list[int] = []
    for number in range(50):
        crowd.submit(lambda number=number: seen.append(number), 'here', 1)
    until(lambda: len(seen) == 50)
    assert seen == list(range(50))
    until(lambda: not crowd._lines)


def test_a_task_is_forgotten_when_it_is_done() -> None:
    import gc
    import weakref

    crowd, busy = Crowd(), Busy()
    busy.go_on.set()
    gone = weakref.ref(busy)
    crowd.submit(busy, 'here', 1)
    del busy
    until(lambda: gc.collect() is not None and gone() is None)


def test_threads_come_as_they_are_needed_and_go_when_they_are_idle() -> None:
    workers, busy = Workers(5, 0.05), Busy()
    assert workers._threads == 0
    for _ in range(8):
        workers.submit(busy)
    until(lambda: busy.running == 5)
    assert workers._threads == 5
    busy.go_on.set()
    until(lambda: busy.done == 8)
    until(lambda: workers._threads == 0)


@pytest.mark.parametrize('most', [1, 4])
def test_many_submitters_lose_nothing(most: int) -> None:
    crowd = Crowd()
    seen: list[int] = []

    def submit() -> None:
        for number in range(200):
            crowd.submit(lambda number=number: seen.append(number), number % 3, most)

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: len(seen) == 800)
    until(lambda: not crowd._lines)
