"""Pools without sockets: who waits, who comes first, and what ends the waiting."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from requite.errors import AbortError, DeadlineExceeded, InvalidOptionType, OptionsError
from requite.message import AbortSignal, Hop
from requite.routes import TLS, Limits, Route
from requite.transport.pools import MAX_LANES, Pool

ROUTE = Route('http', 'example.com', 80)


def hop(deadline: float | None = None, signal: AbortSignal | None = None) -> Hop:
    uri: Any = None
    limits = Limits(1, 1, None if deadline is None else time.monotonic() + deadline)
    return Hop('GET', uri, '/', (), None, ROUTE, None, limits, signal or AbortSignal())


def test_a_pool_says_little_about_itself() -> None:
    assert repr(Pool(5)) == '<Pool max_sockets=5>'
    assert repr(Pool(name='mine')) == '<Pool mine max_sockets=100>'


@pytest.mark.parametrize('value', [0, -1])
def test_a_pool_without_connections_is_an_error(value: int) -> None:
    with pytest.raises(OptionsError, match='max_sockets'):
        Pool(value)


@pytest.mark.parametrize('value', ['5', 5.0, True, None])
def test_a_number_of_connections_is_an_int(value: Any) -> None:
    with pytest.raises(InvalidOptionType, match='max_sockets'):
        Pool(value)


def test_routes_that_differ_never_share_connections() -> None:
    """A6, T2."""
    pool = Pool()
    routes = [
        ROUTE,
        ROUTE._replace(port=81),
        ROUTE._replace(scheme='https', tls=TLS()),
        ROUTE._replace(scheme='https', tls=TLS(verify=False)),
        ROUTE._replace(local_address='127.0.0.1'),
        ROUTE._replace(socket_path='/x'),
    ]
    assert len({id(pool.lane(route)) for route in routes}) == len(routes)
    assert pool.lane(ROUTE) is pool.lane(Route('http', 'example.com', 80))


def test_who_waits_longest_comes_first() -> None:
    lane = Pool(1).lane(ROUTE)
    lane.take(hop())
    order: list[int] = []
    threads = []

    def serve(number: int) -> None:
        lane.take(hop())
        order.append(number)
        lane.put(None)

    for number in range(8):
        thread = threading.Thread(target=serve, args=(number,))
        thread.start()
        threads.append(thread)
        while len(lane._waiting) < number + 1:
            time.sleep(0.001)
    lane.put(None)
    for thread in threads:
        thread.join(5)
    assert order == list(range(8))
    assert lane.busy() == 0


def test_a_newcomer_does_not_overtake_those_who_wait() -> None:
    lane = Pool(1).lane(ROUTE)
    lane.take(hop())
    got: list[str] = []

    def wait() -> None:
        lane.take(hop())
        got.append('first')

    first = threading.Thread(target=wait)
    first.start()
    while not lane._waiting:
        time.sleep(0.001)
    lane.put(None)
    with pytest.raises(DeadlineExceeded):
        lane.take(hop(deadline=0.05))
    first.join(5)
    assert got == ['first']


def test_waiting_ends_at_the_deadline_and_costs_no_slot() -> None:
    lane = Pool(1).lane(ROUTE)
    lane.take(hop())
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match='waited for one of the 1 connections'):
        lane.take(hop(deadline=0.1))
    assert 0.05 < time.monotonic() - began < 2
    lane.put(None)
    assert lane.take(hop(deadline=0.1)) is None
    lane.put(None)
    assert (lane.busy(), lane.idle()) == (0, 0)


def test_an_abort_wakes_who_waits() -> None:
    lane = Pool(1).lane(ROUTE)
    lane.take(hop())
    signal = AbortSignal()
    threading.Timer(0.05, signal.abort).start()
    with pytest.raises(AbortError):
        lane.take(hop(signal=signal))
    assert not lane._waiting


def test_no_slot_is_lost_or_made_when_waiting_ends_just_as_a_slot_comes_back() -> None:
    lane = Pool(2).lane(ROUTE)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        for turn in range(100):
            try:
                lane.take(hop(deadline=0.0001 * ((number + turn) % 7)))
            except DeadlineExceeded:
                continue
            except BaseException as error:
                failures.append(error)
                return
            if lane.busy() > 2:
                failures.append(AssertionError('too many'))
            time.sleep(0.0001)
            lane.put(None)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert lane.busy() == 0
    assert len(lane._slots) == 2


def test_a_pool_that_saw_many_hosts_forgets_the_first() -> None:
    pool = Pool()
    for number in range(MAX_LANES + 50):
        pool.lane(ROUTE._replace(host=f'h{number}'))
    assert len(pool._lanes) <= MAX_LANES
