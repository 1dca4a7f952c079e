"""Networks of the test's own: a host whose IPv6 is dead, an address that swallows everything, and a machine with two addresses.

Two network namespaces with a cable between them; the client runs in one, an HTTP server in the other. What has several addresses is a name of /etc/hosts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers.daemons import program

HERE, THERE = f'rq{os.getpid()}a', f'rq{os.getpid()}b'
HOSTS = """
127.0.0.1 localhost
2001:db8:77::3 dual.example
10.77.0.2 dual.example
2001:db8:77::2 six.example
10.77.0.2 six.example
10.77.0.3 hole.example
"""
SERVER = """
import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.client_address[0].encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()
Server(('::', 8080), Handler).serve_forever()
"""
READY = """
import socket, time
until = time.monotonic() + 20
while time.monotonic() < until:
    try:
        for address in ('10.77.0.2', '2001:db8:77::2'):
            socket.create_connection((address, 8080), 0.5).close()
        break
    except OSError:
        time.sleep(0.05)
"""
CLIENT = """
import json, sys, time
from requite import request, RequestError
told = []
for options in json.loads(sys.argv[1]):
    began = time.monotonic()
    try:
        response = request.get(**options, pool=False).end()
        told.append([response.body, time.monotonic() - began])
    except RequestError as error:
        told.append([type(error).__name__, error.code, error.message, time.monotonic() - began])
print(json.dumps(told))
"""


def run(*words: str) -> None:
    done = subprocess.run(['ip', *words], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise OSError(f'ip {" ".join(words)}: {done.stderr}')


def cable() -> None:
    for name in (HERE, THERE):
        run('netns', 'add', name)
        run('-n', name, 'link', 'set', 'lo', 'up')
    run('-n', HERE, 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb', 'netns', THERE)
    for name, end, number in ((HERE, 'va', 1), (THERE, 'vb', 2)):
        run('-n', name, 'addr', 'add', f'10.77.0.{number}/24', 'dev', end)
        run('-n', name, 'addr', 'add', f'2001:db8:77::{number}/64', 'dev', end, 'nodad')
        run('-n', name, 'link', 'set', end, 'up')
    run('-n', HERE, 'addr', 'add', '10.77.0.9/24', 'dev', 'va')
    # neighbours that are not there: what is sent to them is lost, and nobody says so
    for address in ('2001:db8:77::3', '10.77.0.3'):
        run('-n', HERE, 'neigh', 'add', address, 'lladdr', '02:00:00:00:00:99', 'dev', 'va', 'nud', 'permanent')


Ask = Callable[..., list[Any]]


@pytest.fixture(scope='module')
def ask() -> Iterator[Ask]:
    if not sys.platform.startswith('linux') or program('ip') is None:
        pytest.skip('ip of iproute2 makes the networks')
    if os.geteuid() != 0:
        pytest.skip('only root may make networks')
    folder = Path('/etc/netns') / HERE
    server = None
    try:
        try:
            cable()
        except OSError as error:
            pytest.skip(f'this system gives no networks away: {error}')
        folder.mkdir(parents=True)
        (folder / 'hosts').write_text(HOSTS)
        server = subprocess.Popen(
            ['ip', 'netns', 'exec', THERE, sys.executable, '-c', SERVER], stdin=subprocess.DEVNULL
        )
        # the cable takes a moment until IPv6 is there
        subprocess.run(['ip', 'netns', 'exec', HERE, sys.executable, '-c', READY], timeout=40, check=True)
        yield asking
    finally:
        if server is not None:
            server.kill()
            server.wait(10)
        for name in (HERE, THERE):
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True, timeout=20, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def asking(*requests: dict[str, Any]) -> list[Any]:
    """What came of requests that were made in the first network, one after the other."""
    command = ['ip', 'netns', 'exec', HERE, sys.executable, '-c', CLIENT, json.dumps(requests)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_a_dead_ipv6_costs_less_than_half_a_second(ask: Ask) -> None:
    """RFC 8305: the name has an IPv6 address, which comes first and leads nowhere, and an IPv4 address at which somebody is."""
    uri = 'http://dual.example:8080/'
    told = ask({'uri': uri}, {'uri': uri, 'timeout': 5000}, {'uri': uri, 'deadline': 5000})
    assert [body for body, _ in told] == ['::ffff:10.77.0.1'] * 3
    assert min(seconds for _, seconds in told) > 0.2
    assert min(seconds for _, seconds in told) < 0.5  # the best of three: other tests run beside this one


def test_a_live_ipv6_is_taken_first(ask: Ask) -> None:
    [(body, seconds)] = ask({'uri': 'http://six.example:8080/'})
    assert body == '2001:db8:77::1'
    assert seconds < 0.2


def test_a_family_is_kept_to_even_where_it_is_dead(ask: Ask) -> None:
    four, six = ask(
        {'uri': 'http://dual.example:8080/', 'family': 4},
        {'uri': 'http://dual.example:8080/', 'family': 6, 'timeout': 400},
    )
    assert four[0] == '::ffff:10.77.0.1'
    assert four[1] < 0.2
    assert six[:2] == ['ConnectTimeout', 'ETIMEDOUT']
    assert 0.3 < six[3] < 1


def test_d1_a_place_that_swallows_everything_is_a_connect_timeout(ask: Ask) -> None:
    """SECURITY D1, D2."""
    for options in ({'timeout': 400}, {'timeout': {'connect': 400}}):
        [(kind, code, _, seconds)] = ask({'uri': 'http://hole.example:8080/', **options})
        assert (kind, code) == ('ConnectTimeout', 'ETIMEDOUT')
        assert 0.3 < seconds < 1
    [(kind, code, _, seconds)] = ask({'uri': 'http://hole.example:8080/', 'deadline': 400})
    assert (kind, code) == ('DeadlineExceeded', 'ETIMEDOUT')
    assert 0.3 < seconds < 1


def test_the_local_address_decides_where_a_connection_comes_from(ask: Ask) -> None:
    uri = 'http://dual.example:8080/'
    second, six, foreign, other = ask(
        {'uri': uri, 'local_address': '10.77.0.9'},
        {'uri': 'http://six.example:8080/', 'local_address': '2001:db8:77::1'},
        {'uri': uri, 'local_address': '10.77.0.2'},
        {'uri': 'http://hole.example:8080/', 'local_address': '2001:db8:77::1'},
    )
    assert second[0] == '::ffff:10.77.0.9'
    assert second[1] < 0.2  # its IPv6 is not even tried
    assert six[0] == '2001:db8:77::1'
    for told in (foreign, other):
        assert told[:2] == ['ConnectionFailed', 'EADDRNOTAVAIL']
        assert "option 'local_address'" in told[2]
    assert 'of the other version of IP' in other[2]
