"""How far a body has come, told to listeners in both directions, and drawn on terminals for ``progress=True``."""

from __future__ import annotations

import gzip
import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from requite import RequestError, pipe, request
from requite.progressbar import Bar
from tests.faces.children import SOURCE
from tests.servers import Answer, HttpServer, RawServer, redirect, reply

Told = list[tuple[int, 'int | None', str]]
SIZE = 700_000


def listen(made: Any) -> tuple[Any, Told]:
    told: Told = []
    return made.on('progress', lambda *progress: told.append(progress)), told


def of(told: Told, direction: str) -> list[tuple[int, int | None]]:
    return [(transferred, total) for transferred, total, way in told if way == direction]


def check(told: list[tuple[int, int | None]], size: int, total: int | None) -> None:
    """It begins at 0, only grows, keeps to its total, ends with all, and does not come more often than anybody can use."""
    sizes = [transferred for transferred, _ in told]
    assert (sizes[0], sizes[-1]) == (0, size)
    assert sizes == sorted(set(sizes)) or sizes == [0]
    assert {stated for _, stated in told} == {total}
    assert len(told) <= 2 + size // 65536


# -- events


def test_an_upload_is_told_from_0_to_its_total(server: HttpServer) -> None:
    made, told = listen(request.post(server.url, body=b'x' * SIZE))
    server.answers = lambda seen: reply('')
    made.end()
    check(of(told, 'upload'), SIZE, SIZE)
    assert of(told, 'download') == [(0, 0)]
    assert len(of(told, 'upload')) > 4  # what lies in memory has progress too
    assert server.requests[0].body == b'x' * SIZE


def test_a_small_body_is_told_twice(server: HttpServer) -> None:
    server.answers = lambda seen: reply('ok')
    made, told = listen(request.post(server.url, body='abc'))
    made.end()
    assert told == [(0, 3, 'upload'), (3, 3, 'upload'), (0, 2, 'download'), (2, 2, 'download')]


def test_an_upload_of_unknown_length_has_no_total(server: HttpServer) -> None:
    made, told = listen(request.post(server.url, body=iter([b'x' * 70_000] * 10)))
    made.end()
    check(of(told, 'upload'), SIZE, None)
    assert len(server.requests[0].body) == SIZE


def test_forms_and_files_are_told_of(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(b'x' * SIZE)
    with open(tmp_path / 'file', 'rb') as file:
        made, told = listen(request.post(server.url, form_data={'file': file}))
        made.end()
    length = int(server.requests[0].header('content-length') or 0)
    check(of(told, 'upload'), length, length)


def test_what_is_written_piece_by_piece_is_told_of(server: HttpServer) -> None:
    made, told = listen(request.post(server.url))
    for _ in range(10):
        made.write(b'x' * 70_000)
    made.end()
    check(of(told, 'upload'), SIZE, None)


@pytest.mark.parametrize(
    'read', [lambda made: made.end(), lambda made: b''.join(made), lambda made: made.response.text]
)
def test_a_download_is_told_from_0_to_its_total(server: HttpServer, read: Callable[[Any], Any]) -> None:
    server.answers = lambda seen: reply('x' * SIZE)
    made, told = listen(request.get(server.url))
    read(made)
    check(of(told, 'download'), SIZE, SIZE)
    assert of(told, 'upload') == []


def test_a_chunked_download_has_no_total(server: HttpServer) -> None:
    chunk = b'%x\r\n%b\r\n' % (70_000, b'x' * 70_000)
    server.answers = lambda seen: b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n' + chunk * 10 + b'0\r\n\r\n'
    made, told = listen(request.get(server.url))
    made.end()
    check(of(told, 'download'), SIZE, None)


def test_a_packed_download_counts_what_was_received(server: HttpServer) -> None:
    packed = gzip.compress(os.urandom(SIZE))
    server.answers = lambda seen: Answer(200, {'content-encoding': 'gzip'}, packed)
    made, told = listen(request.get(server.url, gzip=True, encoding=None))
    assert len(made.end().body) == SIZE
    check(of(told, 'download'), len(packed), len(packed))


@pytest.mark.parametrize(('method', 'status'), [('HEAD', 200), ('GET', 204), ('GET', 304)])
def test_an_answer_without_content_is_whole_at_once(server: HttpServer, method: str, status: int) -> None:
    server.answers = lambda seen: Answer(status, {'content-length': '5'} if status != 204 else {}, b'')
    made, told = listen(request(server.url, method=method))
    made.end()
    assert told == [(0, 0, 'download')]


def test_through_redirects_the_upload_begins_again_at_0(server: HttpServer) -> None:
    server.routes['/'] = redirect('/there', 307)
    made, told = listen(request.post(server.url, body=b'x' * SIZE, follow_all_redirects=True))
    made.end()
    sizes = [transferred for transferred, _ in of(told, 'upload')]
    assert sizes.count(0) == 2
    assert sizes[-1] == SIZE


def test_a_pipe_is_told_of_on_both_sides(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/source'] = reply('x' * SIZE)
    source, down = listen(request.get(server.url + '/source'))
    destination, up = listen(request.put(server.url))
    pipe(source, destination).end()
    check(of(down, 'download'), SIZE, SIZE)
    check(of(up, 'upload'), SIZE, SIZE)


def test_a_slow_body_is_told_of_although_little_comes(raw_server: Callable[..., RawServer]) -> None:
    def drip(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n')
        for _ in range(3):
            time.sleep(0.12)
            sock.sendall(b'x' * 10)

    made, told = listen(request.get(raw_server(drip).url))
    made.end()
    assert told == [(0, 30, 'download'), (10, 30, 'download'), (20, 30, 'download'), (30, 30, 'download')]


def test_a_body_that_breaks_off_never_looks_whole(raw_server: Callable[..., RawServer]) -> None:
    def cut(sock: Any, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n' + b'x' * 200_000)

    made, told = listen(request.get(raw_server(cut).url))
    with pytest.raises(ConnectionError):
        made.end()
    assert all(transferred < 300_000 for transferred, _, _ in told)


def test_what_a_listener_of_progress_raises_reaches_who_asked(server: HttpServer) -> None:
    def fail(*_: Any) -> None:
        raise LookupError('of the listener')

    for method, body in (('POST', b'x' * SIZE), ('GET', None)):
        with pytest.raises(LookupError):
            request(server.url, method=method, body=body).on('progress', fail).end()
    assert [seen.method for seen in server.requests] == ['GET']


def test_nobody_who_listens_costs_nothing(server: HttpServer) -> None:
    script = 'import sys\nfrom requite import request\nmade = request.post(sys.argv[1], body=b"x" * 100000, progress=True)\nmade.on("data", len).end()\nprint([name for name in sys.modules if "progress" in name])\n'
    ended = subprocess.run(
        [sys.executable, '-c', script, server.url],
        env={**os.environ, 'PYTHONPATH': SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ('[]\n', '')  # stderr is no terminal: nothing is drawn either


# -- the bar

SCRIPT = """
import sys
for missing in sys.argv[2].split():
    sys.modules[missing] = None
from requite import request
made = request.post(sys.argv[1], body=b'x' * 300000, progress=True)
try:
    made.end()
except Exception as error:
    print(type(error).__name__)
"""


def on_a_terminal(url: str, missing: str, folder: Path, script: str = SCRIPT) -> str:
    """What a script draws on a terminal."""
    pty = pytest.importorskip('pty', reason='there are no pseudo-terminals here')
    import fcntl
    import struct
    import termios

    path = folder / 'script.py'
    path.write_text(script)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 120, 0, 0))
    environment = {**os.environ, 'PYTHONPATH': SOURCE, 'TERM': 'xterm'}
    drawn: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(master, 65536):
                drawn.append(data)
        except OSError:
            pass  # the other end is closed

    reader = threading.Thread(target=read)
    try:
        child = subprocess.Popen([sys.executable, str(path), url, missing], stderr=slave, stdout=slave, env=environment)
        os.close(slave)
        reader.start()
        assert child.wait(60) == 0
        reader.join(10)
    finally:
        os.close(master)
    return b''.join(drawn).decode()


def slow(sock: Any, head: bytes) -> None:
    size = len(head.partition(b'\r\n\r\n')[2])
    while size < 300_000:
        time.sleep(0.02)
        size += len(sock.recv(65536))
    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n')
    for _ in range(10):
        time.sleep(0.05)
        sock.sendall(b'x' * 20_000)


DUPLEX = """
import sys, time
for missing in sys.argv[2].split():
    sys.modules[missing] = None
from requite import request
def pieces():
    for _ in range(16):
        time.sleep(0.03)
        yield b'x' * 65536
made = request.post(sys.argv[1], body=pieces(), headers={'content-length': str(16 * 65536)}, progress=True)
print(sum(map(len, made)))
"""


def threefold(sock: Any, head: bytes) -> None:
    """Echoes each piece three times while it reads."""
    size = 16 * 65536
    sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n' % (3 * size))
    piece = head.partition(b'\r\n\r\n')[2]
    while True:
        sock.sendall(piece * 3)
        size -= len(piece)
        if not size:
            return
        piece = sock.recv(min(size, 65536))


def test_both_directions_at_once_share_a_plain_line_and_each_is_told_whole(
    raw_server: Callable[..., RawServer], tmp_path: Path
) -> None:
    text = on_a_terminal(raw_server(threefold).url, 'rich tqdm', tmp_path, DUPLEX)
    lines = [drawn.rstrip() for drawn in text.replace('\n', '\r').split('\r')]
    alone = [drawn for drawn in lines if re.fullmatch(r'(upload|download) +\d+%  .* of .*', drawn)]
    shared = [
        drawn for drawn in lines if re.fullmatch(r'(\w+load) +\d+%  \S+ .B/s   (?!\1)\w+load +\d+%  \S+ .B/s', drawn)
    ]
    assert shared
    assert sum('of 1.0 MB' in drawn for drawn in alone if drawn.startswith('upload 100%')) == 1
    assert all('of 3.1 MB' in drawn for drawn in alone if drawn.startswith('download'))
    assert len(alone) + len(shared) == len([drawn for drawn in lines if 'load' in drawn])
    assert lines.count('3145728') == 1


@pytest.mark.parametrize(('package', 'missing'), [('rich', 'tqdm'), ('tqdm', 'rich')])
def test_a_package_draws_both_directions_at_once(
    raw_server: Callable[..., RawServer], tmp_path: Path, package: str, missing: str
) -> None:
    pytest.importorskip(package)
    text = on_a_terminal(raw_server(threefold).url, missing, tmp_path, DUPLEX)
    assert 'upload' in text
    assert 'download' in text
    assert 'Error' not in text
    assert '3145728' in text


def test_a_line_counts_its_speed_from_where_the_body_began(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ('rich', 'tqdm'):
        monkeypatch.setitem(sys.modules, missing, None)
    screen = io.StringIO()
    bar = Bar(screen)
    bar(0, 1_000_000, 'download')
    time.sleep(0.1)
    bar(1_000_000, 1_000_000, 'download')
    speed = re.search(r'([\d.]+) MB/s', screen.getvalue())
    assert speed is not None
    assert float(speed[1]) <= 10


def test_a_plain_line_is_drawn_on_a_terminal(raw_server: Callable[..., RawServer], tmp_path: Path) -> None:
    text = on_a_terminal(raw_server(slow).url, 'rich tqdm', tmp_path)
    up, down = text.replace('\r\n', '\n').strip().split('\n')
    assert up.split('\r')[-1].startswith('upload 100%  300.0 kB of 300.0 kB')
    assert down.split('\r')[-1].startswith('download 100%  200.0 kB of 200.0 kB')


@pytest.mark.parametrize(('package', 'missing'), [('rich', 'tqdm'), ('tqdm', 'rich')])
def test_an_installed_package_draws_the_bar(
    raw_server: Callable[..., RawServer], tmp_path: Path, package: str, missing: str
) -> None:
    pytest.importorskip(package)
    text = on_a_terminal(raw_server(slow).url, missing, tmp_path)
    assert 'upload' in text
    assert 'download' in text
    assert '100%' in text or '200.0/200.0 kB' in text
    assert 'Error' not in text


def test_a_bar_ends_its_line_when_the_body_breaks_off(raw_server: Callable[..., RawServer], tmp_path: Path) -> None:
    def cut(sock: Any, head: bytes) -> None:
        time.sleep(0.1)
        received = len(head.partition(b'\r\n\r\n')[2])
        while received < 300_000:
            received += len(sock.recv(65536))
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n' + b'x' * 200_000)

    text = on_a_terminal(raw_server(cut).url, 'rich tqdm', tmp_path)
    assert text.endswith('\r\nResponseAborted\r\n')


def test_small_and_quick_bodies_draw_nothing(server: HttpServer, tmp_path: Path) -> None:
    server.answers = lambda seen: reply('ok')
    text = on_a_terminal(server.url, 'rich tqdm', tmp_path)
    assert 'download' not in text


@pytest.mark.parametrize('value', ['yes', 1, print])
def test_progress_is_true_or_false(value: Any) -> None:
    with pytest.raises(RequestError, match='progress'):
        request('http://www.example.com/', progress=value)
