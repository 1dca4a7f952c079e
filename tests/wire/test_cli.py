"""The command line as people and scripts run it: real processes against servers on loopback, a pseudo-terminal where it matters."""

from __future__ import annotations

import gzip
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from requite import __version__, tour
from tests.servers import Answer, Authority, HttpServer, RawServer, closed_port, redirect, reply

from .commandline import COMMAND, bare, on_terminal, only_line, posix, run

EVERY_BYTE = bytes(range(256)) * 64


def half_then_wait(gate: threading.Event, after: bytes) -> Callable[[socket.socket, bytes], None]:
    """Sends half of a body of 200,000 bytes at once, the rest (``after``) when the gate opens."""

    def handle(sock: socket.socket, head: bytes) -> None:
        sock.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n' + b'a' * 100_000)
        gate.wait(30)
        sock.sendall(after)

    return handle


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return [path.name for path in folder.iterdir()]


def until(true: Callable[[], object]) -> None:
    """Waits until something is true."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# -- words about itself


def test_without_arguments_it_prints_the_help() -> None:
    script = [sys.executable, '-W', 'error', '-c', 'import sys; from requite.cli import main; sys.exit(main())']
    done = subprocess.run(
        script,
        capture_output=True,
        timeout=60,
        env={**os.environ, 'COLUMNS': '80'},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout == run('--help', COLUMNS='80').stdout
    for word in (b'requite tour', b'requite [METHOD] URL', b'-o, --output FILE', b'exit status', b'--version'):
        assert word in done.stdout
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


def test_it_tells_its_version() -> None:
    assert run('--version').stdout.decode() == f'requite {__version__}\n'


# -- fetching


def test_the_body_goes_to_standard_output_byte_by_byte(server: HttpServer) -> None:
    server.routes['/bytes'] = reply(EVERY_BYTE, content_type='text/plain; charset=latin-1')
    done = run(f'{server.url}/bytes')
    assert (done.returncode, done.stdout, done.stderr) == (0, EVERY_BYTE, b'')


def test_a_url_without_a_scheme_is_fetched_over_http(server: HttpServer) -> None:
    server.routes['/x'] = reply('here')
    assert run(f'{server.authority}/x').stdout == b'here'


def test_redirects_are_followed_and_compression_is_undone(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/packed')
    server.routes['/packed'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(b'unpacked'))
    assert run(f'{server.url}/old').stdout == b'unpacked'
    assert 'gzip' in (server.requests[0].header('accept-encoding') or '')


def test_the_body_is_written_as_it_comes(raw_server: Callable[..., RawServer]) -> None:
    gate = threading.Event()
    server = raw_server(half_then_wait(gate, b'b' * 100_000))
    with subprocess.Popen([*COMMAND, server.url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(100_000) == b'a' * 100_000
        gate.set()
        assert process.stdout.read() == b'b' * 100_000
    assert process.returncode == 0


def test_a_file_gets_the_body(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/bytes'] = reply(EVERY_BYTE)
    done = run(f'{server.url}/bytes', '-o', str(tmp_path / 'file'))
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')
    assert (tmp_path / 'file').read_bytes() == EVERY_BYTE
    assert names(tmp_path) == ['file']


@posix
def test_a_replaced_file_keeps_its_mode_and_a_link_stays_one(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/new'] = reply('new')
    (tmp_path / 'file').write_text('old')
    (tmp_path / 'file').chmod(0o640)
    (tmp_path / 'link').symlink_to('file')
    assert run(f'{server.url}/new', '-o', str(tmp_path / 'link')).returncode == 0
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'file').read_text() == 'new'
    assert stat.S_IMODE((tmp_path / 'file').stat().st_mode) == 0o640


@posix
def test_a_named_pipe_is_written_to_and_not_replaced(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/x'] = reply('through')
    os.mkfifo(tmp_path / 'pipe')
    with subprocess.Popen([*COMMAND, f'{server.url}/x', '-o', str(tmp_path / 'pipe')]) as process:
        assert (tmp_path / 'pipe').read_text() == 'through'
    assert process.returncode == 0
    assert (tmp_path / 'pipe').is_fifo()


def test_a_file_appears_only_when_it_is_whole(raw_server: Callable[..., RawServer], tmp_path: Path) -> None:
    gate = threading.Event()
    server = raw_server(half_then_wait(gate, b'b' * 100_000))
    with subprocess.Popen([*COMMAND, server.url, '-o', str(tmp_path / 'file')]) as process:
        until(lambda: names(tmp_path))
        assert not (tmp_path / 'file').exists()
        gate.set()
    assert process.returncode == 0
    assert (tmp_path / 'file').stat().st_size == 200_000
    assert names(tmp_path) == ['file']


def test_a_body_that_breaks_off_leaves_the_file_as_it_was(raw_server: Callable[..., RawServer], tmp_path: Path) -> None:
    gate = threading.Event()
    gate.set()
    server = raw_server(half_then_wait(gate, b'b' * 10))
    (tmp_path / 'file').write_text('old')
    done = run(server.url, '-o', str(tmp_path / 'file'))
    assert done.returncode == 6
    only_line(done)
    assert (tmp_path / 'file').read_text() == 'old'
    assert names(tmp_path) == ['file']


def test_a_plain_fetch_loads_nothing_that_it_does_not_need(server: HttpServer) -> None:
    program = (
        'import sys; from requite.cli import main; main(sys.argv[1:]); '
        'print(*(name for name in sys.modules if name.split(".")[0] in ("requite", "rich", "asyncio")), file=sys.stderr)'
    )
    done = subprocess.run([sys.executable, '-c', program, server.url], capture_output=True, timeout=60, check=True)
    loaded = set(done.stderr.decode().split())
    assert 'requite.clifetch' in loaded
    unneeded = (
        'rich asyncio requite.clishow requite.fromcurl requite.resume requite.cliproxy requite.progressbar requite.tour'
    )
    assert loaded.isdisjoint(unneeded.split())


# -- what goes wrong


def test_an_error_page_is_printed_and_the_status_is_1(server: HttpServer) -> None:
    server.routes['/missing'] = Answer(404, {}, 'no such page', 'Not Found')
    done = run(f'{server.url}/missing')
    assert (done.returncode, done.stdout) == (1, b'no such page')
    assert only_line(done) == f'requite: {server.url}/missing was answered 404 Not Found'


def test_an_error_page_never_replaces_a_file(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/missing'] = Answer(404, {}, 'no such page', 'Not Found')
    (tmp_path / 'file').write_text('old')
    done = run(f'{server.url}/missing', '-o', str(tmp_path / 'file'))
    assert done.returncode == 1
    assert only_line(done).endswith('404 Not Found; ' + str(tmp_path / 'file') + ' was not written')
    assert (tmp_path / 'file').read_text() == 'old'


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (['--bad'], '--bad'),
        (['http://['], 'Invalid URI'),
        ([''], 'uri'),
        (['ftp://example.com/'], 'ftp:'),
        (['http://127.0.0.1:1/', '--timeout', 'soon'], 'soon'),
        (['http://127.0.0.1:1/', '--timeout', '-1'], 'timeout'),
        (['http://127.0.0.1:1/', '-o', '.'], 'is a folder'),
        (['http://127.0.0.1:1/', '-o', 'no/such/file'], 'there is no folder no/such'),
        (['tour', '-o', 'file'], 'leave -o out'),
        (['http://127.0.0.1:1/', 'more'], 'more'),
    ],
)
def test_a_wrong_command_line_is_2_and_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b'')
    assert said in only_line(done)


def test_a_refused_connection_is_3_and_tells_no_password() -> None:
    done = run(f'http://user:s3cret@127.0.0.1:{closed_port()}/')
    assert done.returncode == 3
    assert 'ECONNREFUSED' in only_line(done)
    assert b's3cret' not in done.stderr


def test_an_error_status_tells_no_password(server: HttpServer) -> None:
    server.routes['/x'] = reply('', 500)
    done = run(f'http://user:s3cret@{server.authority}/x')
    assert server.requests[0].header('authorization') == 'Basic dXNlcjpzM2NyZXQ='
    assert (done.returncode, b's3cret' in done.stderr) == (1, False)


def test_a_certificate_that_nobody_vouches_for_is_4(tls_server: HttpServer, authority: Authority) -> None:
    done = run(tls_server.url)
    assert done.returncode == 4
    only_line(done)
    assert run(tls_server.url, SSL_CERT_FILE=authority.path).returncode == 0


def test_a_timeout_is_5(raw_server: Callable[..., RawServer]) -> None:
    gate = threading.Event()
    server = raw_server(half_then_wait(gate, b''))
    done = run(server.url, '--timeout', '200')
    gate.set()
    assert (done.returncode, done.stdout) == (5, b'a' * 100_000)
    only_line(done)


@pytest.mark.parametrize(
    'answer',
    [
        b'This is no HTTP\r\n\r\n',
        b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nshort',
        b'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-encoding: gzip\r\n\r\nabc',
        b'HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ftp://example.com/\r\n\r\n',
        b'HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /again\r\n\r\n',
    ],
    ids=['malformed', 'cut', 'undecodable', 'to another scheme', 'in a circle'],
)
def test_an_answer_that_is_not_usable_is_6(answer: bytes, http_server: Callable[..., HttpServer]) -> None:
    # Not kept: after an answer that is short of its length the server closes.
    done = run(http_server(lambda seen: answer).url)
    assert done.returncode == 6
    only_line(done)


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='only Linux has /dev/full')
def test_an_output_that_cannot_be_written_is_7(server: HttpServer) -> None:
    server.routes['/x'] = reply('body')
    done = run(f'{server.url}/x', '-o', '/dev/full')
    assert done.returncode == 7
    assert only_line(done) == 'requite: cannot write /dev/full: No space left on device'
    with open('/dev/full', 'wb') as full:
        done = subprocess.run(
            [*COMMAND, f'{server.url}/x'], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 7
    assert only_line(done) == 'requite: cannot write standard output: No space left on device'


@posix
@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_who_interrupts_a_download_leaves_no_half_file(
    number: signal.Signals, status: int, raw_server: Callable[..., RawServer], tmp_path: Path
) -> None:
    gate = threading.Event()
    server = raw_server(half_then_wait(gate, b''))
    with subprocess.Popen([*COMMAND, server.url, '-o', str(tmp_path / 'file')], stderr=subprocess.PIPE) as process:
        until(lambda: any(path.stat().st_size for path in tmp_path.iterdir()))
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    gate.set()
    assert process.returncode == status
    assert names(tmp_path) == []
    assert told.decode() in ('', 'requite: interrupted\n')


@posix
def test_a_reader_that_goes_away_ends_it_quietly(raw_server: Callable[..., RawServer]) -> None:
    gate = threading.Event()
    server = raw_server(half_then_wait(gate, b'b' * 100_000))
    with subprocess.Popen([*COMMAND, server.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        gate.set()
        assert process.stderr.read() == b''
    assert process.returncode == 141


# -- progress


@posix
def test_progress_is_drawn_on_a_terminal_as_a_plain_line(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/bytes'] = reply(b'x' * 1_500_000)
    status, shown = bare(f'{server.url}/bytes', '-o', str(tmp_path / 'file'))
    assert status == 0
    assert shown.startswith('\r')
    last = shown.rstrip().rpartition('\r')[2]
    assert last.startswith('download 100%  1.5 MB of 1.5 MB  ')
    assert last.endswith('B/s')
    assert shown.endswith('\r\n')


@posix
def test_progress_is_a_bar_where_rich_is_installed(server: HttpServer, tmp_path: Path) -> None:
    pytest.importorskip('rich')
    server.routes['/bytes'] = reply(b'x' * 1_500_000)
    status, shown = on_terminal(f'{server.url}/bytes', '-o', str(tmp_path / 'file'))
    assert status == 0
    assert '1.5/1.5 MB' in shown
    assert '\u2501' in shown


@posix
def test_progress_of_an_unknown_size_shows_no_percentage(server: HttpServer) -> None:
    server.routes['/packed'] = Answer(200, {'content-encoding': 'gzip'}, gzip.compress(b'x' * 1_000_000))
    status, shown = bare(f'{server.url}/packed')
    assert status == 0
    assert '1.0 MB' in shown
    assert '%' not in shown


@posix
def test_a_small_body_is_not_worth_a_bar(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/x'] = reply('here')
    assert on_terminal(f'{server.url}/x', '-o', str(tmp_path / 'file')) == (0, '')


@posix
def test_progress_of_an_upload_is_drawn_too(server: HttpServer, tmp_path: Path) -> None:
    server.routes['/up'] = reply('done')
    (tmp_path / 'file').write_bytes(b'x' * 1_500_000)
    status, shown = bare(f'{server.url}/up', f'@{tmp_path}/file')
    assert status == 0
    assert 'upload 100%  1.5 MB of 1.5 MB  ' in shown


@posix
def test_an_error_after_progress_has_a_line_of_its_own(raw_server: Callable[..., RawServer]) -> None:
    gate = threading.Event()
    gate.set()
    server = raw_server(half_then_wait(gate, b''))
    status, shown = bare(server.url)
    assert status == 6
    assert shown.splitlines()[-1].startswith('requite: ')
    assert 'requite: aborted' in on_terminal(server.url)[1].splitlines()[-1]


# -- the tour


def test_the_tour_runs_every_example_in_order_on_80_plain_columns() -> None:
    began = time.monotonic()
    done = run('tour')
    assert time.monotonic() - began < 20  # about one second; the machine may be busy
    assert (done.returncode, done.stderr) == (0, b'')
    shown = done.stdout.decode('ascii')
    assert max(map(len, shown.splitlines())) <= 79
    assert '\x1b' not in shown
    squeezed = ''.join(shown.split())
    places = [squeezed.find(''.join(source.split())) for source in (example.source for example in tour.EXAMPLES)]
    assert -1 not in places
    assert places == sorted(places)
    for result in (
        "'Welcome, username!'",
        "user      {'id': 1, 'name': 'Ada'}",
        '{"received": {"key": "value"}}',
        '<title>Hello</title>',
        'CPU time',
    ):
        assert result in shown
    assert 'dXNlcm5hbWU' not in shown


def test_no_packet_of_the_tour_leaves_the_machine() -> None:
    program = """
import sys
allowed = ('127.0.0.1',)
def hook(event, arguments):
    if event == 'socket.connect' and arguments[1][0] not in allowed: raise SystemExit(f'{event} {arguments}')
    if event == 'socket.getaddrinfo' and arguments[0] not in allowed: raise SystemExit(f'{event} {arguments}')
    if event in ('socket.gethostbyaddr', 'socket.gethostbyname', 'socket.getnameinfo'): raise SystemExit(f'{event} {arguments}')
sys.addaudithook(hook)
from requite.cli import main
sys.exit(main(['tour']))
"""
    done = subprocess.run([sys.executable, '-W', 'error', '-c', program], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b'')


@posix
def test_the_tour_is_in_colours_on_a_terminal_unless_no_color_says_no() -> None:
    status, shown = on_terminal('tour', stdout=None, NO_COLOR='')
    assert (status, '\x1b[1m' in shown) == (0, True)
    status, shown = on_terminal('tour', stdout=None, NO_COLOR='1')
    assert (status, '\x1b' in shown) == (0, False)


@posix
def test_a_reader_of_the_tour_that_goes_away_ends_it_quietly() -> None:
    with subprocess.Popen([*COMMAND, 'tour'], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        select.select([process.stdout], [], [], 30)
        process.stdout.close()
        assert process.stderr.read() == b''
    assert process.returncode == 141
