from __future__ import annotations

import threading
from typing import Any

import pytest

from requite.emitter import EVENTS, FINAL, Emitter


def test_listeners_are_called_in_the_order_they_were_added_with_the_arguments() -> None:
    emitter, log = Emitter(), list[Any]()
    emitter.add('data', lambda piece: log.append(('first', piece)))
    emitter.add('data', lambda piece: log.append(('second', piece)))
    emitter.put_first('data', lambda piece: log.append(('before', piece)))
    assert emitter.emit('data', b'x') is True
    assert log == [('before', b'x'), ('first', b'x'), ('second', b'x')]


def test_an_event_without_listeners_tells_so() -> None:
    emitter = Emitter()
    assert emitter.has('error') is False
    assert emitter.emit('error', ValueError()) is False


def test_final_events_are_a_part_of_the_events() -> None:
    assert FINAL < EVENTS


def test_a_listener_of_a_final_event_is_called_once_even_if_it_is_emitted_again() -> None:
    emitter, log = Emitter(), list[Any]()
    emitter.add('error', log.append)
    emitter.emit('error', 1)
    assert emitter.emit('error', 2) is False
    assert log == [1]


def test_once_is_once_even_when_the_listener_emits_the_event_itself() -> None:
    emitter, log = Emitter(), list[Any]()

    def again(piece: int) -> None:
        log.append(piece)
        emitter.emit('data', piece + 1)

    emitter.add('data', again, once=True)
    emitter.emit('data', 1)
    assert log == [1]


def test_remove_takes_the_newest_entry_of_a_listener_and_no_other() -> None:
    emitter, log = Emitter(), list[Any]()
    for _ in range(2):
        emitter.add('data', log.append)
    emitter.remove('data', log.append)
    emitter.remove('data', print)
    emitter.remove('end', print)
    emitter.emit('data', 1)
    assert log == [1]


def test_a_listener_that_was_removed_by_an_earlier_one_is_still_called_as_in_node() -> None:
    emitter, log = Emitter(), list[Any]()
    emitter.add('data', lambda piece: emitter.remove('data', log.append))
    emitter.add('data', log.append)
    emitter.emit('data', 1)
    emitter.emit('data', 2)
    assert log == [1]


def test_what_a_listener_raises_stops_the_others_and_is_kept() -> None:
    emitter, log = Emitter(), list[Any]()
    problem = LookupError()

    def careless(piece: int) -> None:
        raise problem

    emitter.add('data', careless)
    emitter.add('data', log.append)
    assert emitter.raised is None
    with pytest.raises(LookupError):
        emitter.emit('data', 1)
    assert emitter.raised is problem
    assert log == []


def test_a_listener_of_an_event_that_is_over_is_called_at_once() -> None:
    emitter, log = Emitter(), list[Any]()
    emitter.add('response', log.append, past=lambda event: ('it',))
    emitter.emit('response', 'it')
    assert log == ['it']


def test_a_listener_of_an_event_that_may_come_again_is_called_at_once_and_then_for_each_new_one() -> None:
    emitter, log = Emitter(), list[Any]()
    first, second = object(), object()
    emitter.add('request', log.append, past=lambda event: (first,))
    emitter.emit('request', first)  # the announcement of what the listener has been told of already
    emitter.emit('request', second)
    assert log == [first, second]


@pytest.mark.parametrize('attempt', range(50))
def test_listeners_added_by_threads_while_the_event_happens_are_called_once(attempt: int) -> None:
    emitter = Emitter()
    state: list[Any] = []
    calls: list[int] = []
    gate = threading.Barrier(5)

    def add(number: int) -> None:
        gate.wait(10)
        emitter.add('response', lambda value: calls.append(number), past=lambda event: tuple(state) or None)

    def happen() -> None:
        gate.wait(10)
        state.append('it')
        emitter.emit('response', 'it')

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)] + [threading.Thread(target=happen)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(calls) == [0, 1, 2, 3]
