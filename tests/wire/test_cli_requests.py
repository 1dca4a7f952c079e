"""What the command line sends, and what it shows of that: real processes against servers on loopback."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from requite import request
from tests.servers import Answer, Authority, HttpServer, Seen, closed_port, json_reply, redirect, reply

from .commandline import COMMAND, bare, fed, on_terminal, only_line, posix, run

EVERY_BYTE = bytes(range(256)) * 64


def sent(server: HttpServer, *arguments: str) -> Seen:
    """The one request that arrives of a command line that ends well and says nothing."""
    server.requests.clear()
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, b''), done.stderr.decode()
    (seen,) = server.requests
    return seen


# -- items


def test_fields_are_json_and_make_a_post(server: HttpServer) -> None:
    seen = sent(server, f'{server.authority}/x?a=1', 'name=Ada', 'age:=36', 'X-Token:abc', 'b==2 3', 'User-Agent:')
    assert (seen.method, seen.target) == ('POST', '/x?a=1&b=2%203')
    assert seen.json() == {'name': 'Ada', 'age': 36}
    assert seen.header('content-type') == 'application/json'
    assert seen.header('accept') == 'application/json, */*;q=0.5'
    assert (seen.header('x-token'), seen.header('user-agent')) == ('abc', None)


def test_a_colon_alone_is_this_machine(server: HttpServer) -> None:
    port = server.authority.rpartition(':')[2]
    assert sent(server, f':{port}/x').header('host') == f'localhost:{port}'


def test_a_form_is_urlencoded(server: HttpServer) -> None:
    seen = sent(server, '-f', 'PUT', f'{server.url}/x', 'a=b c', 'd=1', 'd=2')
    assert (seen.method, seen.body) == ('PUT', b'a=b%20c&d=1&d=2')
    assert seen.header('content-type') == 'application/x-www-form-urlencoded'


def test_files_are_uploaded_as_a_form_does(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'photo.png').write_bytes(EVERY_BYTE)
    seen = sent(server, f'{server.url}/x', 'a=b', f'photo@{tmp_path}/photo.png', f'again@{tmp_path}/photo.png;type=x/y')
    assert (seen.header('content-type') or '').startswith('multipart/form-data; boundary=')
    assert seen.header('transfer-encoding') is None
    for part in (
        b'name="a"\r\n\r\nb\r\n',
        b'filename="photo.png"\r\nContent-Type: image/png\r\n\r\n' + EVERY_BYTE,
        b'x/y',
    ):
        assert part in seen.body
    assert seen.body.index(b'"a"') < seen.body.index(b'"photo"') < seen.body.index(b'"again"')
    assert b'name="a"' in sent(server, '--multipart', f'{server.url}/x', 'a=b').body


def test_a_file_or_standard_input_or_a_text_is_the_whole_content(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'data.json').write_bytes(b'{"a": 1}')
    seen = sent(server, 'PUT', f'{server.url}/x', f'@{tmp_path}/data.json')
    assert (seen.method, seen.body, seen.header('content-length')) == ('PUT', b'{"a": 1}', '8')
    assert fed(EVERY_BYTE, f'{server.url}/in', '@-').returncode == 0
    assert (server.requests[-1].method, server.requests[-1].body) == ('POST', EVERY_BYTE)
    seen = sent(server, f'{server.url}/x', '--raw', '<a/>', 'Content-Type:text/xml')
    assert (seen.method, seen.body, seen.header('content-type')) == ('POST', b'<a/>', 'text/xml')


@posix
def test_a_file_that_can_be_read_only_once_is_read_once(server: HttpServer, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    with subprocess.Popen([*COMMAND, f'{server.url}/x', f'@{tmp_path}/pipe'], stdout=subprocess.DEVNULL) as process:
        (tmp_path / 'pipe').write_bytes(b'through')
    assert process.returncode == 0
    assert server.requests[0].body == b'through'


# -- who asks


def test_who_asks(server: HttpServer) -> None:
    assert sent(server, server.url, '-a', 'me:p:w').header('authorization') == 'Basic bWU6cDp3'
    assert sent(server, server.url, '-a', 'me:').header('authorization') == 'Basic bWU6'
    assert sent(server, server.url, '--bearer', 'tok').header('authorization') == 'Bearer tok'
    signed = sent(server, server.url, '--aws', '--aws-service', 's3', '--aws-region', 'eu-west-1', '-a', 'AK:SK')
    assert re.match(
        r'AWS4-HMAC-SHA256 Credential=AK/\d{8}/eu-west-1/s3/aws4_request, ', signed.header('authorization') or ''
    )


def test_digest_never_sends_the_password(server: HttpServer) -> None:
    def guard(seen: Seen) -> Answer:
        if not seen.header('authorization'):
            return Answer(401, {'www-authenticate': 'Digest realm="r", nonce="n", qop="auth"'})
        return reply('in')

    server.routes['/x'] = guard
    done = run(f'{server.url}/x', '--digest', '-a', 'me:word')
    assert done.stdout == b'in'
    assert [(seen.header('authorization') or '')[:6] for seen in server.requests] == ['', 'Digest']


@posix
def test_a_password_is_asked_for_on_a_terminal_and_not_shown(server: HttpServer) -> None:
    import pty

    pid, master = pty.fork()
    if not pid:
        os.execv(sys.executable, [*COMMAND, '-b', server.url, '-a', 'me'])
    shown = b''
    while b"password for 'me': " not in shown:
        shown += os.read(master, 1000)
    os.write(master, b's3cret\n')
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b''
        if not data:
            break
        shown += data
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    (seen,) = server.requests
    assert base64.b64decode((seen.header('authorization') or '').partition(' ')[2]) == b'me:s3cret'
    assert b's3cret' not in shown


@pytest.mark.parametrize('name', ['cookies.txt', 'cookies.json', 'cookies.db'])
def test_a_jar_keeps_cookies_from_one_run_to_the_next(name: str, server: HttpServer, tmp_path: Path) -> None:
    server.routes['/in'] = Answer(200, {'set-cookie': 'session=1; Max-Age=1000'})
    path = str(tmp_path / name)
    sent(server, f'{server.url}/in', '--jar', path)
    assert sent(server, f'{server.url}/x', '--jar', path).header('cookie') == 'session=1'
    assert sent(server, f'{server.url}/x').header('cookie') is None


def test_a_damaged_jar_is_2_and_stays_as_it_is(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'jar').write_text('{"a":')
    done = run(server.url, '--jar', str(tmp_path / 'jar'))
    assert (done.returncode, server.requests) == (2, [])
    assert 'damaged' in only_line(done)
    assert (tmp_path / 'jar').read_text() == '{"a":'


def test_certificates(tls_server: HttpServer, authority: Authority) -> None:
    assert run(tls_server.url).returncode == 4
    assert run(tls_server.url, '--verify', 'no').returncode == 0
    assert run(tls_server.url, '--verify', authority.path).returncode == 0


# -- on the way


def test_redirects_are_followed_after_get_and_after_post_only_when_asked(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new', 307)
    assert run(f'{server.url}/old').stdout != b'elsewhere'
    assert run(f'{server.url}/old', '--no-follow').stdout == b'elsewhere'
    assert run(f'{server.url}/old', 'a=b').stdout == b'elsewhere'
    assert json.loads(run(f'{server.url}/old', 'a=b', '--follow').stdout)['target'] == '/new'
    server.routes['/circle'] = redirect('/circle')
    done = run(f'{server.url}/circle', '--max-redirects', '2')
    assert (done.returncode, len([each for each in server.requests if each.target == '/circle'])) == (6, 3)


def test_a_proxy_is_asked(server: HttpServer) -> None:
    assert sent(server, 'http://h.example/x', '--proxy', server.url).target == 'http://h.example/x'
    assert run(server.url, '--proxy', '', HTTP_PROXY='http://127.0.0.1:1').returncode == 0


def test_what_failed_for_the_moment_is_sent_again(server: HttpServer) -> None:
    answers = iter([Answer(503, {'retry-after': '0'}), reply('at last')])
    server.routes['/x'] = lambda seen: next(answers)
    assert run(f'{server.url}/x', '--retry', '1').stdout == b'at last'


def test_a_deadline_is_5(server: HttpServer) -> None:
    def slow(seen: Seen) -> Answer:
        time.sleep(1)
        return reply('late')

    server.routes['/x'] = slow
    done = run(f'{server.url}/x', '--deadline', '200')
    assert done.returncode == 5
    only_line(done)


# -- nothing is sent


def test_offline_prints_what_would_be_sent(server: HttpServer) -> None:
    done = run(f'{server.url}/x', 'a=\xe9', '--bearer', 'tok', '--offline')
    assert (done.returncode, done.stderr, server.requests) == (0, b'', [])
    head, _, body = done.stdout.decode().partition('\n\n')
    assert head.splitlines()[0] == 'POST /x HTTP/1.1'
    assert 'authorization: Bearer ***' in head
    assert json.loads(body) == {'a': '\xe9'}
    assert b'Bearer tok' in run(server.url, '--bearer', 'tok', '--offline', '--secrets').stdout


def test_offline_prints_files_as_they_are(server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / 'file').write_bytes(EVERY_BYTE)
    assert run(server.url, f'a@{tmp_path}/file', '--offline').stdout.count(EVERY_BYTE) == 1
    assert run(server.url, f'@{tmp_path}/file', '--offline').stdout.endswith(b'\n\n' + EVERY_BYTE)
    assert server.requests == []


def test_a_curl_line_is_printed_and_read_again(server: HttpServer) -> None:
    done = run(f'{server.url}/x', 'a=b', 'X-A:1', '-a', 'me:word', '--curl')
    assert (done.returncode, done.stderr, server.requests) == (0, b'', [])
    assert b'word' not in done.stdout
    line = run(f'{server.url}/x', 'a=b', 'X-A:1', '-a', 'me:word', '--curl', '--secrets').stdout.decode()
    first, second = sent(server, f'{server.url}/x', 'a=b', 'X-A:1', '-a', 'me:word'), sent(server, '--from-curl', line)
    assert (first.method, first.target, first.body) == (second.method, second.target, second.body)
    assert dict(first.headers) == dict(second.headers)


# -- other ways to say it


def test_a_curl_line_is_sent(server: HttpServer, tmp_path: Path) -> None:
    seen = sent(server, '--from-curl', f"curl -X PUT '{server.url}/x' -H 'X-A: 1' -d a=b -u me:word -b c=d")
    assert (seen.method, seen.target, seen.body) == ('PUT', '/x', b'a=b')
    assert (seen.header('x-a'), seen.header('cookie'), seen.header('accept')) == ('1', 'c=d', '*/*')
    assert seen.header('authorization') == 'Basic bWU6d29yZA=='
    sent(server, '--from-curl', f'curl {server.url}/x -o {tmp_path}/file')
    assert (tmp_path / 'file').exists()
    server.routes['/x'] = reply('here')
    done = run('--from-curl', f'curl -i {server.url}/x')
    assert done.stdout.startswith(b'HTTP/1.1 200 OK\n')
    assert done.stdout.endswith(b'\n\nhere')


def test_flags_go_together_with_a_curl_line(server: HttpServer) -> None:
    done = run('--from-curl', f'curl {server.url}/x', '--offline', '--bearer', 'tok', '--secrets')
    assert b'authorization: Bearer tok' in done.stdout
    assert server.requests == []


def test_a_har_file_is_sent_and_written(server: HttpServer, tmp_path: Path) -> None:
    log = tmp_path / 'log.har'
    server.routes['/x'] = reply('kept')
    sent(server, f'{server.url}/x?a=b', 'c=d', '--bearer', 'tok', '--har-log', str(log))
    entry = json.loads(log.read_text())['log']['entries'][0]
    assert entry['request']['method'] == 'POST'
    assert 'tok' not in log.read_text()
    seen = sent(server, '--har', str(log))
    assert (seen.method, seen.target, seen.json()) == ('POST', '/x?a=b', {'c': 'd'})
    assert sent(server, f'{server.url}/y', '--har', str(log)).path == '/y'


def test_a_har_file_without_a_request_is_2(tmp_path: Path) -> None:
    (tmp_path / 'x.har').write_text('{"log": {"entries": []}}')
    done = run('--har', str(tmp_path / 'x.har'))
    assert done.returncode == 2
    assert 'has no entries' in only_line(done)


# -- what is shown


def test_piped_only_the_body_goes_to_standard_output(server: HttpServer) -> None:
    server.routes['/x'] = reply('{"a":1}', content_type='application/json', set_cookie='s=1')
    done = run(f'{server.url}/x', '-v', '-a', 'me:word')
    assert done.stdout == b'{"a":1}'
    told = done.stderr.decode()
    assert told.startswith('GET /x HTTP/1.1\n')
    assert 'authorization: Basic ***\n' in told
    assert 'set-cookie: ***\n' in told
    assert '\nHTTP/1.1 200 OK\n' in told
    assert b'set-cookie: s=1\n' in run(f'{server.url}/x', '-v', '--secrets').stderr


def test_verbose_shows_each_hop(server: HttpServer) -> None:
    server.routes['/old'] = redirect('/new')
    told = run(f'{server.url}/old', '-v').stderr.decode()
    starts = [line for line in told.splitlines() if 'HTTP/1.1' in line]
    assert starts == ['GET /old HTTP/1.1', 'HTTP/1.1 302 Found', 'GET /new HTTP/1.1', 'HTTP/1.1 200 OK']


def test_the_head_alone_goes_to_standard_output(server: HttpServer) -> None:
    server.routes['/x'] = reply('x' * 10_000_000, x_a='b')
    for flag in ('--headers', '--head'):
        done = run(f'{server.url}/x', flag)
        assert (done.returncode, done.stderr) == (0, b'')
        assert done.stdout.startswith(b'HTTP/1.1 200 OK\n')
        assert b'\nx-a: b\n' in done.stdout
        assert b'xxx' not in done.stdout
    assert [seen.method for seen in server.requests] == ['GET', 'HEAD']


def test_timings_are_drawn_on_standard_error(server: HttpServer) -> None:
    done = run(server.url, '--timings')
    assert done.returncode == 0
    lines = done.stderr.decode().splitlines()
    assert lines[-1].startswith('total')
    assert all(line.endswith(' ms') for line in lines)


@posix
def test_a_terminal_shows_head_and_body(server: HttpServer) -> None:
    server.routes['/x'] = reply('here\x1b[2J\x07', content_type='text/plain', x_a='b\x9b31m')
    status, shown = on_terminal(f'{server.url}/x', stdout=None, NO_COLOR='1')
    assert status == 0
    assert shown.startswith('HTTP/1.1 200 OK\r\n')
    assert 'x-a: b\ufffd31m\r\n' in shown
    assert shown.endswith('\r\n\r\nhere\ufffd[2J\ufffd\r\n')
    assert on_terminal(f'{server.url}/x', '-b', stdout=None, NO_COLOR='1') == (0, 'here\ufffd[2J\ufffd\r\n')


@posix
def test_a_terminal_shows_json_laid_out_in_colours_where_rich_is_installed(server: HttpServer) -> None:
    server.routes['/x'] = json_reply({'name': 'Ada', 'age': 36})
    laid_out = '{\r\n  "name": "Ada",\r\n  "age": 36\r\n}\r\n'
    assert on_terminal(f'{server.url}/x', '-b', stdout=None, NO_COLOR='1') == (0, laid_out)
    assert bare(f'{server.url}/x', '-b', stdout=None, NO_COLOR='') == (0, laid_out)
    pytest.importorskip('rich')
    _, shown = on_terminal(f'{server.url}/x', '-b', stdout=None, NO_COLOR='')
    assert '\x1b[' in shown
    assert re.sub(r'\x1b\[[0-9;]*m', '', shown) == laid_out


@posix
def test_a_terminal_shows_no_binary(server: HttpServer) -> None:
    server.routes['/x'] = Answer(
        200, {'content-type': 'image/png', 'content-encoding': 'gzip'}, gzip.compress(EVERY_BYTE)
    )
    status, shown = on_terminal(f'{server.url}/x', '-b', stdout=None, NO_COLOR='1')
    assert (status, shown) == (0, '(image/png is not shown on a terminal; -o FILE writes it into a file)\r\n')


@posix
def test_a_terminal_shows_what_is_sent_too(server: HttpServer) -> None:
    status, shown = on_terminal(f'{server.url}/x', 'a=b', '-v', '--timings', stdout=None, NO_COLOR='1', COLUMNS='80')
    assert status == 0
    order = [
        'POST /x HTTP/1.1\r\n',
        '{\r\n  "a": "b"\r\n}\r\n',
        'HTTP/1.1 200 OK\r\n',
        '"method": "POST"',
        '\r\ntotal ',
    ]
    places = [shown.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)


# -- the proxy


@contextmanager
def proxying(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a proxy that runs, and its process."""
    with subprocess.Popen([*COMMAND, 'proxy', '0', *arguments], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            found = re.search(rb'http://127\.0\.0\.1:\d+', process.stderr.readline())
            assert found is not None
            yield found[0].decode(), process
        finally:
            process.terminate()


def test_the_proxy_hands_requests_and_answers_over(server: HttpServer) -> None:
    server.routes['/base/old'] = redirect('/new')
    server.routes['/base/gone'] = Answer(404, {'x-a': 'b'}, 'gone', 'Not Found')
    with proxying(f'{server.authority}/base/') as (url, _):
        echoed = request.put(f'{url}/x?a=b', body=EVERY_BYTE, encoding=None).end()
        assert json.loads(echoed.body)['target'] == '/base/x?a=b'
        assert server.requests[-1].body == EVERY_BYTE
        assert server.requests[-1].header('host') == server.authority
        moved = request.get(f'{url}/old', follow_redirect=False).end()
        assert (moved.status_code, moved.headers['location']) == (302, '/new')
        gone = request.get(f'{url}/gone').end()
        assert (gone.status_code, gone.headers['x-a'], gone.body) == (404, 'b', 'gone')
        assert request(f'{url}/x', method='PURGE').end().status_code == 200
        assert server.requests[-1].method == 'PURGE'


def test_the_proxy_serves_its_target_alone(server: HttpServer) -> None:
    """What a client writes as its target decides the path, never the host."""
    with proxying(server.url) as (url, _):
        for target in ('http://other.invalid/', '@other.invalid/', '*'):
            answer = _raw(url, target)
            assert answer.startswith(b'HTTP/1.1 400 '), answer
    assert server.requests == []


def _raw(url: str, target: str) -> bytes:
    import socket

    host, _, port = url.removeprefix('http://').partition(':')
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(f'GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'.encode())
        return b''.join(iter(lambda: sock.recv(65536), b''))


def test_the_proxy_says_when_its_target_is_out_of_reach() -> None:
    with proxying(f'127.0.0.1:{closed_port()}') as (url, _):
        answer = request.get(f'{url}/x').end()
        assert answer.status_code == 502
        assert 'ECONNREFUSED' in answer.body


def test_a_port_that_is_taken_is_3(server: HttpServer) -> None:
    done = run('proxy', server.authority.rpartition(':')[2], 'example.com')
    assert done.returncode == 3
    assert 'cannot listen on' in only_line(done)


@posix
def test_the_proxy_ends_with_ctrl_c(server: HttpServer) -> None:
    import signal

    with proxying(server.url) as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b'requite: interrupted\n'
