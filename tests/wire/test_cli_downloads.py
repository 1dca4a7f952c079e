"""Downloads by the command line: what a file is called, and how one goes on that broke off (RFC 9110 14)."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from requite.download import amount
from tests.servers import Answer, HttpServer, RawServer, Seen, reply

from .commandline import COMMAND, bare, fed, on_terminal, only_line, posix, run

BODY = os.urandom(200_000)
HALF = len(BODY) // 2


class Ranged:
    """Serves `body` by ranges, as long as `version` is what If-Range asks for; `breaks` cuts answers off in their middle."""

    def __init__(self, body: bytes = BODY, version: str = '"v1"') -> None:
        self.body = body
        self.version = version
        self.breaks = False
        self.most = len(body)

    def __call__(self, seen: Seen) -> Answer | bytes:
        fields = {'etag': self.version, 'accept-ranges': 'bytes'}
        start, status = 0, 200
        asked = re.fullmatch(r'bytes=(\d+)-', seen.header('range') or '')
        if asked and seen.header('if-range') == self.version:
            start, status = int(asked[1]), 206
            if start >= len(self.body):
                return Answer(416, {'content-range': f'bytes */{len(self.body)}'}, b'', 'Range Not Satisfiable')
        part = self.body[start : start + self.most] if status == 206 else self.body
        if status == 206:
            fields['content-range'] = f'bytes {start}-{start + len(part) - 1}/{len(self.body)}'
        wire = Answer(status, {**fields, 'connection': 'close'}, part).wire()
        return wire[: len(wire) - len(part) // 2] if self.breaks else wire


@pytest.fixture
def ranged(server: HttpServer) -> Ranged:
    """What /disk.iso is."""
    made = Ranged()
    server.routes['/disk.iso'] = made
    return made


def kept(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_download_that_broke_off_goes_on(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    ranged.breaks = True
    command = (f'{server.url}/disk.iso', '-c', '-o', str(tmp_path / 'disk.iso'))
    done = run(*command)
    assert done.returncode == 6
    told = done.stderr.decode().splitlines()
    assert (
        told[0] == f'requite: {amount(HALF)} are kept in {tmp_path}/disk.iso.part; the same command goes on from there'
    )
    assert len(told) == 2
    assert kept(tmp_path) == {'disk.iso.part', 'disk.iso.part.json'}
    assert (tmp_path / 'disk.iso.part').read_bytes() == BODY[:HALF]
    ranged.breaks = False
    done = run(*command)
    assert (done.returncode, done.stderr) == (0, b'')
    assert (tmp_path / 'disk.iso').read_bytes() == BODY
    assert kept(tmp_path) == {'disk.iso'}
    seen = server.requests[-1]
    assert (seen.header('range'), seen.header('if-range')) == (f'bytes={HALF}-', '"v1"')
    assert seen.header('accept-encoding') == 'identity'
    count = len(server.requests)
    done = run(*command)
    assert (done.returncode, len(server.requests)) == (0, count)
    assert only_line(done).endswith('is here already, and whole; leave --continue out to fetch it again')


def broken_off(server: HttpServer, ranged: Ranged, path: Path) -> tuple[str, ...]:
    """The command of a download of which half is here."""
    ranged.breaks = True
    command = (f'{server.url}/disk.iso', '-c', '-o', str(path))
    assert run(*command).returncode == 6
    assert path.with_name(path.name + '.part').stat().st_size == HALF
    ranged.breaks = False
    return command


def test_another_version_is_fetched_from_its_beginning(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    ranged.body, ranged.version = BODY[::-1] + b'more', '"v2"'
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY[::-1] + b'more'
    assert kept(tmp_path) == {'x'}


def test_a_server_without_ranges_sends_all_of_it(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    server.routes['/disk.iso'] = reply(BODY)
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY


@pytest.mark.parametrize(
    'fields',
    [
        {'content-range': f'bytes {HALF + 1}-{len(BODY) - 1}/{len(BODY)}'},
        {'content-range': f'bytes {HALF}-{len(BODY) - 1}/{len(BODY) + 1}'},
        {'content-range': f'bytes {HALF}-{len(BODY) - 1}/{len(BODY)}', 'etag': '"v2"'},
        {},
    ],
    ids=['other place', 'other size', 'other version', 'no place'],
)
def test_a_part_that_was_not_asked_for_is_not_added(
    fields: dict[str, str], server: HttpServer, ranged: Ranged, tmp_path: Path
) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    server.routes['/disk.iso'] = lambda seen: Answer(206, fields, b'wrong') if seen.header('range') else reply(BODY)
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY


def test_a_server_that_only_sends_parts_is_6(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/disk.iso'] = Answer(206, {'content-range': 'bytes 5-9/10'}, b'wrong')
    done = run(f'{server.url}/disk.iso', '-c', '-o', str(tmp_path / 'x'))
    assert done.returncode == 6
    assert 'parts that were not asked for' in only_line(done)
    assert kept(tmp_path) == set()


def test_a_part_that_is_whole_is_put_in_place(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    (tmp_path / 'x.part').write_bytes(BODY)
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY
    assert server.requests[-1].header('range') == f'bytes={len(BODY)}-'


def test_a_part_that_is_too_long_is_fetched_again(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    (tmp_path / 'x.part').write_bytes(BODY + b'more')
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY


def test_a_server_that_sends_less_than_the_rest_is_asked_again(
    server: HttpServer, ranged: Ranged, tmp_path: Path
) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    ranged.most = 30_000
    count = len(server.requests)
    assert run(*command).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY
    assert len(server.requests) == count + 4


def test_what_cannot_be_known_again_is_not_kept(server: HttpServer, tmp_path: Path) -> None:
    wire = reply(BODY, connection='close', etag='W/"v1"').wire()
    server.routes['/x'] = wire[:-1000]
    done = run(f'{server.url}/x', '-c', '-o', str(tmp_path / 'x'))
    assert done.returncode == 6
    only_line(done)
    assert kept(tmp_path) == set()


def test_an_error_page_leaves_the_part_as_it_is(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    server.routes['/disk.iso'] = Answer(503, {}, b'busy', 'Busy')
    done = run(*command)
    assert done.returncode == 1
    assert b'503 Busy; ' in done.stderr
    assert (tmp_path / 'x.part').read_bytes() == BODY[:HALF]
    server.routes['/disk.iso'] = ranged
    assert run(*command).returncode == 0


def test_a_refused_connection_leaves_the_part_as_it_is(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    assert run(*command, '--proxy', 'http://127.0.0.1:1').returncode == 3
    assert (tmp_path / 'x.part').read_bytes() == BODY[:HALF]


@posix
@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_download_keeps_its_part(
    number: signal.Signals, status: int, raw_server: Callable[..., RawServer], tmp_path: Path
) -> None:
    gate = threading.Event()

    def half(sock: socket.socket, head: bytes) -> None:
        sock.sendall(reply(BODY, etag='"v1"').wire()[:-HALF])
        gate.wait(30)

    server = raw_server(half)
    command = [*COMMAND, server.url, '-c', '-o', str(tmp_path / 'x')]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 30
        while not (tmp_path / 'x.part').exists() or (tmp_path / 'x.part').stat().st_size < HALF // 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(number)
        process.communicate(timeout=30)
    gate.set()
    assert process.returncode == status
    assert kept(tmp_path) == {'x.part', 'x.part.json'}
    assert BODY.startswith((tmp_path / 'x.part').read_bytes())


def test_a_compressed_answer_is_unpacked_and_cannot_go_on(server: HttpServer, tmp_path: Path) -> None:
    import gzip

    server.routes['/x'] = Answer(200, {'content-encoding': 'gzip', 'etag': '"v1"'}, gzip.compress(BODY))
    assert run(f'{server.url}/x', '-c', '-o', str(tmp_path / 'x')).returncode == 0
    assert (tmp_path / 'x').read_bytes() == BODY


@posix
def test_the_bar_begins_where_the_download_goes_on(server: HttpServer, ranged: Ranged, tmp_path: Path) -> None:
    command = broken_off(server, ranged, tmp_path / 'x')
    status, shown = bare(*command)
    assert status == 0
    assert ' 100%  200.0 kB of 200.0 kB' in shown


# -- names


def test_a_download_is_named_by_the_server_or_the_address_and_replaces_nothing(
    server: HttpServer, tmp_path: Path
) -> None:
    server.routes['/disk.iso'] = reply(b'one')
    server.routes['/named'] = reply(b'two', content_disposition='attachment; filename="../../a b.txt"')
    for path, name in (('/disk.iso?x=y', 'disk.iso'), ('/disk.iso', 'disk-1.iso'), ('/named', 'a b.txt')):
        done = fed(b'', f'{server.url}{path}', '-d', cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b'')
        assert only_line(done) == f'requite: saved as {name}'
    assert kept(tmp_path) == {'disk.iso', 'disk-1.iso', 'a b.txt'}
    assert (tmp_path / 'disk-1.iso').read_bytes() == b'one'


def test_an_error_page_is_no_download(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/x'] = Answer(404, {}, b'gone', 'Not Found')
    done = fed(b'', f'{server.url}/x', '-d', cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b'')
    assert only_line(done).endswith('404 Not Found; no file was written')
    assert kept(tmp_path) == set()


def test_download_with_a_name_is_output(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/x'] = reply(b'here')
    assert run(f'{server.url}/x', '-d', '-o', str(tmp_path / 'y')).returncode == 0
    assert (tmp_path / 'y').read_bytes() == b'here'


@posix
def test_a_download_shows_its_head_on_no_terminal_unless_asked(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/x'] = reply(b'here')
    assert on_terminal(f'{server.url}/x', '-o', str(tmp_path / 'y'), stdout=None) == (0, '')
    status, shown = on_terminal(f'{server.url}/x', '-v', '-o', str(tmp_path / 'y'), stdout=None, NO_COLOR='1')
    assert 'HTTP/1.1 200 OK' in shown
    assert 'here' not in shown
    assert json.dumps(status) == '0'
