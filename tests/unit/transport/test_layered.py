"""TLS inside TLS, by hand on both sides: what waits for whom, and what an abort leaves behind."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from requite.message import AbortSignal
from requite.transport.layered import Layered
from tests.servers import Authority


class Inner:
    """The origin's end: TLS by hand over the server's end of the outer TLS."""

    def __init__(self, outer: ssl.SSLSocket, context: ssl.SSLContext) -> None:
        self.outer = outer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def call(self, step: Any, *arguments: Any) -> Any:
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                self.flush()
                self.incoming.write(self.outer.recv(65536))
            else:
                self.flush()
                return result

    def flush(self) -> None:
        data = self.outgoing.read()
        if data:
            self.outer.sendall(data)


@pytest.fixture
def ends(authority: Authority) -> Iterator[tuple[Layered, Inner]]:
    """Both ends of two layers, hands shaken."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    context = ssl.create_default_context(cafile=authority.path)
    served: list[Inner] = []

    def serve() -> None:
        served.append(Inner(authority.context().wrap_socket(theirs, server_side=True), authority.context()))
        served[0].call(served[0].tls.do_handshake)

    thread = threading.Thread(target=serve)
    thread.start()
    outer = context.wrap_socket(ours, server_hostname='localhost', suppress_ragged_eofs=False)
    layered = Layered(outer, context, '127.0.0.1')
    layered.do_handshake(time.monotonic() + 10)
    thread.join()
    yield layered, served[0]
    layered.close()
    served[0].outer.close()


def test_both_ends_read_what_the_other_wrote(ends: tuple[Layered, Inner]) -> None:
    ours, theirs = ends
    ours.sendall(b'a' * 20_000)
    got = b''
    while len(got) < 20_000:
        got += theirs.call(theirs.tls.read, 65536)
    assert got == b'a' * 20_000
    theirs.call(theirs.tls.write, b'back')
    assert ours.recv(2) == b'ba'
    buffer = bytearray(8)
    assert ours.recv_into(buffer) == 2
    assert bytes(buffer[:2]) == b'ck'
    assert ours.pending() == 0
    assert ours.version() == 'TLSv1.3'
    assert ours.cipher() is not None
    assert ours.getpeercert()['subjectAltName']


def stuff(ours: Layered) -> int:
    """Sends until nothing more is taken."""
    ours.settimeout(0)
    taken = 0
    with pytest.raises((BlockingIOError, ssl.SSLWantWriteError)):
        while True:
            taken += ours.send(bytes(65536))
    return taken


@pytest.mark.parametrize('timeout', [0, 5, None])
def test_d4_what_is_owed_does_not_stand_in_the_way_of_what_comes_in(
    ends: tuple[Layered, Inner], timeout: float | None
) -> None:
    """The other end reads no more: it answers, and waits for us to read."""
    ours, theirs = ends
    stuff(ours)
    theirs.call(theirs.tls.write, b'enough')
    ours.settimeout(timeout)
    assert ours.recv(100) == b'enough'
    assert ours.gettimeout() == timeout


def test_what_is_owed_goes_out_in_order_while_we_wait_for_the_answer(ends: tuple[Layered, Inner]) -> None:
    ours, theirs = ends
    taken = stuff(ours)

    def read_all() -> None:
        left = taken
        while left:
            left -= len(theirs.call(theirs.tls.read, 65536))
        theirs.call(theirs.tls.write, b'all')

    thread = threading.Thread(target=read_all)
    thread.start()
    ours.settimeout(10)
    assert ours.recv(100) == b'all'
    thread.join()


def test_nothing_that_comes_is_a_timeout_whether_something_is_owed_or_not(ends: tuple[Layered, Inner]) -> None:
    ours, _ = ends
    ours.settimeout(0.1)
    with pytest.raises(TimeoutError):
        ours.recv(1)
    stuff(ours)
    ours.settimeout(0.1)
    with pytest.raises(TimeoutError):
        ours.recv(1)
    with pytest.raises(TimeoutError):
        ours.sendall(b'x')


def test_s2_only_the_close_notify_of_the_inner_layer_is_an_end(ends: tuple[Layered, Inner]) -> None:
    ours, theirs = ends
    ours.settimeout(5)
    with pytest.raises(ssl.SSLWantReadError):
        theirs.tls.unwrap()
    theirs.flush()
    assert ours.recv(1) == b''
    assert ours.recv_into(bytearray(1)) == 0


def test_s2_an_end_without_it_is_an_error(ends: tuple[Layered, Inner]) -> None:
    ours, theirs = ends
    ours.settimeout(5)
    theirs.outer.close()
    with pytest.raises(ssl.SSLError):
        ours.recv(1)


def test_an_abort_leaves_no_layer_open_to_what_is_sent_afterwards(ends: tuple[Layered, Inner]) -> None:
    """``SSLSocket.shutdown`` forgets its TLS first, and another thread would then send in the clear."""
    ours, _ = ends
    signal = AbortSignal()
    signal.watch(ours)  # type: ignore[arg-type]
    signal.abort()
    assert ours._outer.version() is not None
    with pytest.raises(OSError):
        ours.sendall(bytes(100_000))
    plain = AbortSignal()
    plain.watch(ours._outer)
    plain.abort()
    assert ours._outer.version() is not None
