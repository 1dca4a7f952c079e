from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from requite import background
from requite.workers import Workers


class Item:
    """What the background knows of a request: it can be sent when it was let go."""

    def __init__(self, name: Any, log: list[Any], then: Callable[[], Any] | None = None) -> None:
        self.name, self.log, self.then = name, log, then

    def send_let_go(self) -> None:
        self.log.append(self.name)
        if self.then is not None:
            self.then()


def let_go(item: Item) -> None:
    background.let_go(item)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def nothing_before_and_after() -> Iterator[None]:
    gc.collect()
    assert background.flush(time.monotonic() + 20)
    yield
    assert background.flush(time.monotonic() + 20)


def until(condition: Callable[[], Any]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_what_one_thread_lets_go_is_sent_in_order() -> None:
    log: list[Any] = []
    for number in range(500):
        let_go(Item(number, log))
    assert background.flush()
    assert log == list(range(500))


def test_settle_waits_for_this_threads_lane_only() -> None:
    log: list[Any] = []
    release = threading.Event()
    other = threading.Thread(target=lambda: let_go(Item('other', log, lambda: release.wait(10))))
    other.start()
    other.join()
    let_go(Item('mine', log, lambda: time.sleep(0.05)))
    background.settle()
    assert 'mine' in log
    assert not release.is_set()
    release.set()


def test_settle_without_anything_let_go_does_nothing() -> None:
    background.settle()
    assert not background._lanes


def test_what_is_let_go_while_a_lane_is_sent_belongs_to_that_lane() -> None:
    log: list[Any] = []
    let_go(Item('outer', log, lambda: (let_go(Item('inner', log)), background.settle(), log.append('settled'))))
    assert background.flush()
    assert log == ['outer', 'inner', 'settled']


def test_lanes_are_forgotten_when_they_are_done() -> None:
    log: list[Any] = []
    threads = [threading.Thread(target=let_go, args=(Item(number, log),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert background.flush()
    background._dispatch()
    until(lambda: (background._dispatch(), not background._lanes)[1])
    assert sorted(log) == list(range(20))
    assert background._sending == {}


def test_what_an_item_raises_does_not_stop_its_lane(capsys: pytest.CaptureFixture[str]) -> None:
    log: list[Any] = []

    def stop() -> None:
        raise SystemExit('mine')

    let_go(Item(1, log, stop))
    for number in (2, 3):
        let_go(Item(number, log))
    assert background.flush(time.monotonic() + 10)
    assert log == [1, 2, 3]
    told: list[str] = []
    until(lambda: (told.append(capsys.readouterr().err), 'mine' in ''.join(told))[1])


def test_an_interrupt_while_a_thread_settles_leaves_the_rest_to_the_workers() -> None:
    log: list[Any] = []
    held = threading.Event()

    def interrupt() -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        held.set()

    with background._books:  # so that no worker comes first
        let_go(Item(1, log, interrupt))
        let_go(Item(2, log))
        with pytest.raises(KeyboardInterrupt):
            background.settle()
    assert background.flush(time.monotonic() + 10)
    assert log == [1, 2]


def test_flush_waits_no_longer_than_it_is_told() -> None:
    release = threading.Event()
    log: list[Any] = []
    let_go(Item(1, log, lambda: release.wait(10)))
    began = time.monotonic()
    assert background.flush(began + 0.1) is False
    assert time.monotonic() - began < 5
    release.set()
    assert background.flush() is True


def test_two_that_flush_while_they_are_sent_do_not_wait_for_each_other() -> None:
    log: list[Any] = []
    together = threading.Barrier(2)

    def flushing() -> None:
        together.wait(10)
        log.append(background.flush(time.monotonic() + 10))

    def leave(name: str) -> None:
        together.wait(10)  # two threads at a time have two lanes
        let_go(Item(name, log, flushing))

    threads = [threading.Thread(target=leave, args=(name,)) for name in ('a', 'b')]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    began = time.monotonic()
    assert background.flush(began + 20)
    assert time.monotonic() - began < 5
    assert sorted(map(str, log)) == ['True', 'True', 'a', 'b']


def test_flush_waits_only_for_what_was_there_when_it_was_called() -> None:
    stop = threading.Event()
    log: list[Any] = []

    def endless() -> None:
        time.sleep(0.002)
        if not stop.is_set():
            background.start(endless)

    background.start(endless)
    began = time.monotonic()
    assert background.flush(began + 10)
    assert time.monotonic() - began < 5
    stop.set()
    let_go(Item(1, log))
    assert background.flush()


def test_the_sending_thread_and_the_workers_go_when_they_are_idle() -> None:
    crew = Workers(idle_seconds=0.05)
    log: list[int] = []
    crew.submit(lambda: log.append(1))
    until(lambda: log and crew._threads == 0)
    crew.submit(lambda: log.append(2))
    until(lambda: len(log) == 2)


def test_tasks_that_wait_for_later_tasks_get_workers_enough() -> None:
    crew = Workers()
    together = threading.Barrier(30)
    done: list[int] = []
    for _ in range(3):
        for _ in range(30):
            crew.submit(lambda: done.append(together.wait(20)))
        until(lambda: len(done) % 30 == 0 and done)
    until(lambda: len(done) == 90)
    assert crew._threads <= 60


def test_a_burst_of_one_thread_takes_few_workers() -> None:
    log: list[Any] = []
    before = background.WORKERS._threads
    for number in range(2000):
        let_go(Item(number, log))
    assert background.flush()
    assert background.WORKERS._threads <= before + 4
    assert log == list(range(2000))


def test_a_finished_job_keeps_nothing_alive() -> None:
    crew = Workers()
    gone = threading.Event()

    class Held:
        def work(self) -> None: ...

        def __del__(self) -> None:
            gone.set()

    job = crew.expect(Held().work)
    crew.perform(job)
    assert gone.is_set()
    assert crew.idle()
    assert crew.wait(None)


def test_without_new_threads_the_work_is_done_by_who_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at interpreter exit from Python 3.12 on."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, 'start', refuse)
    crew = Workers()
    seen: list[int] = []
    crew.submit(lambda: seen.append(threading.get_ident()))
    assert seen == [threading.get_ident()]
    assert crew._threads == 0
