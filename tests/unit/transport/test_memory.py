"""Canned replies for the tests of the floors above."""

from __future__ import annotations

from typing import Any

import pytest

from requite.errors import AbortError, BodyTooLarge, ResponseAborted
from requite.message import AbortSignal, BytesBody, Hop
from requite.routes import Limits, Route
from requite.transport.memory import MemoryReply, MemoryTransport


def hop(body: BytesBody | None = None) -> Hop:
    uri: Any = None
    return Hop('GET', uri, '/', (), body, Route('http', 'a', 80), None, Limits(1, 1), AbortSignal())


def test_replies_come_in_their_order_and_hops_are_kept() -> None:
    transport = MemoryTransport([(200, [('X-A', 'b')], b'one'), MemoryReply(404, chunks=[b'no', b'ne'])])
    first, second = transport.send(hop(BytesBody(b'sent'))), transport.send(hop())
    assert (first.status, first.headers['x-a'], first.collect()) == (200, 'b', b'one')
    assert (second.status, second.read(1), second.collect(), second.complete) == (404, b'n', b'one', True)
    assert transport.bodies == [b'sent', b'']
    assert len(transport.hops) == 2


def test_a_callable_answers_by_the_hop() -> None:
    transport = MemoryTransport(lambda hop: (200, [], hop.method.encode()))
    assert transport.send(hop()).collect() == b'GET'


def test_an_exception_is_raised_when_its_turn_comes() -> None:
    transport = MemoryTransport([ResponseAborted('aborted'), MemoryReply(chunks=[b'a', ResponseAborted('aborted')])])
    with pytest.raises(ResponseAborted):
        transport.send(hop())
    reply = transport.send(hop())
    assert reply.read() == b'a'
    with pytest.raises(ResponseAborted):
        reply.read()


def test_limits_and_aborts_hold_here_too() -> None:
    with pytest.raises(BodyTooLarge):
        MemoryReply(chunks=[b'abc']).collect(2)
    aborted = hop()
    aborted.signal.abort()
    with pytest.raises(AbortError):
        MemoryTransport([]).send(aborted)
