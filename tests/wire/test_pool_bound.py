"""Many threads on one pool: never more connections than allowed, never a request lost."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from requite.transport.pools import Pool
from tests.servers import RawServer
from tests.wire.hops import send, states

Start = Callable[..., RawServer]


class Counting:
    """Answers each request with its own path, and keeps how many connections were open at most."""

    def __init__(self, pause: float = 0.0, keep: bool = True) -> None:
        self.pause = pause
        self.keep = keep
        self.now = 0
        self.most = 0
        self.lock = threading.Lock()

    def __call__(self, sock: socket.socket, head: bytes) -> bool:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.pause)
        path = head.split(b' ')[1]
        with self.lock:
            self.now -= 1
        sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(path) + path)
        return self.keep


def run(server: RawServer, pool: Pool, threads: int, each: int) -> list[str]:
    problems: list[str] = []

    def work(number: int) -> None:
        for turn in range(each):
            path = f'/{number}/{turn}'
            try:
                if send(server, 'GET', path, pool=pool, read=60.0, connect=60.0).collect() != path.encode():
                    problems.append('a wrong answer')
            except Exception as error:
                problems.append(repr(error))

    crowd = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(90)
    assert not any(thread.is_alive() for thread in crowd)
    return problems


@pytest.mark.parametrize(('threads', 'bound'), [(8, 3), (32, 8), (32, 1)])
def test_never_more_connections_than_allowed(raw_server: Start, threads: int, bound: int) -> None:
    handler = Counting(0.001)
    server = raw_server(handler)
    pool = Pool(bound)
    assert run(server, pool, threads, 20) == []
    assert server.connections <= bound
    assert handler.most <= bound
    assert len(server.heads) == threads * 20
    busy, idle = states(pool)
    assert busy == 0
    assert 1 <= idle <= bound


def test_the_bound_holds_when_every_connection_is_closed(raw_server: Start) -> None:
    handler = Counting(0.001, keep=False)
    server = raw_server(handler)
    pool = Pool(4, keep_alive=False)
    assert run(server, pool, 16, 5) == []
    assert handler.most <= 4
    assert states(pool) == (0, 0)


def test_a_thousand_threads_lose_no_request(raw_server: Start) -> None:
    server = raw_server(Counting())
    pool = Pool(20)
    assert run(server, pool, 1000, 1) == []
    assert len(server.heads) == 1000
    assert server.connections <= 20
    assert states(pool)[0] == 0
