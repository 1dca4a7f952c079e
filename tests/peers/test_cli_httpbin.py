"""The command line against httpbin, which nobody here wrote: it tells what it was sent."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .daemons import free_port, program, running

HTTPBIN = all(importlib.util.find_spec(name) is not None for name in ('httpbin', 'gunicorn'))
CURL = program('curl')

pytestmark = pytest.mark.skipif(not HTTPBIN, reason='httpbin and gunicorn are not installed')


@pytest.fixture(scope='module')
def httpbin() -> Iterator[str]:
    """httpbin under gunicorn."""
    port = free_port()
    with running([sys.executable, '-m', 'gunicorn', '-w', '1', '-b', f'127.0.0.1:{port}', 'httpbin:app'], port) as url:
        yield url


def run(*arguments: str, given: bytes = b'') -> subprocess.CompletedProcess[bytes]:
    """The finished process."""
    command = [sys.executable, '-W', 'error', '-m', 'requite', *arguments]
    return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)


def told(*arguments: str, given: bytes = b'') -> dict[str, Any]:
    """What httpbin says of a command line that ends well."""
    done = run(*arguments, given=given)
    assert (done.returncode, done.stderr) == (0, b''), done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_items(httpbin: str, tmp_path: Path) -> None:
    seen = told(f'{httpbin}/anything?a=b', 'q==1', 'q==2 &', 'X-Token:abc', 'name=Ada', 'age:=36', 'on:=[true, null]')
    assert (seen['method'], seen['json']) == ('POST', {'name': 'Ada', 'age': 36, 'on': [True, None]})
    assert seen['args'] == {'a': 'b', 'q': ['1', '2 &']}
    assert seen['headers']['X-Token'] == 'abc'
    seen = told('-f', f'{httpbin}/anything', 'name=Ada L.', 'x=1', 'x=2')
    assert seen['form'] == {'name': 'Ada L.', 'x': ['1', '2']}
    (tmp_path / 'note.txt').write_text('d\xe9j\xe0', encoding='utf-8')
    seen = told(f'{httpbin}/anything', 'name=Ada', f'note@{tmp_path}/note.txt')
    assert (seen['form'], seen['files']) == ({'name': 'Ada'}, {'note': 'd\xe9j\xe0'})
    assert told('PUT', f'{httpbin}/anything', '@-', given=b'streamed')['data'] == 'streamed'
    assert told('DELETE', f'{httpbin}/anything')['method'] == 'DELETE'


def test_who_asks(httpbin: str) -> None:
    assert told(f'{httpbin}/basic-auth/me/word', '-a', 'me:word')['authenticated'] is True
    assert run(f'{httpbin}/basic-auth/me/word', '-a', 'me:wrong').returncode == 1
    assert told(f'{httpbin}/bearer', '--bearer', 'tok')['token'] == 'tok'
    cookie = 'Cookie:fake=fake_value'  # httpbin wants its own cookie back beside the answer
    assert told(f'{httpbin}/digest-auth/auth/me/word', '--digest', '-a', 'me:word', cookie)['authenticated'] is True


def test_a_jar(httpbin: str, tmp_path: Path) -> None:
    jar = str(tmp_path / 'cookies.txt')
    assert told(f'{httpbin}/cookies/set?a=b', '--jar', jar)['cookies'] == {'a': 'b'}
    assert told(f'{httpbin}/cookies', '--jar', jar)['cookies'] == {'a': 'b'}
    if CURL is not None:
        done = subprocess.run(
            [CURL, '-s', '-b', jar, f'{httpbin}/cookies'], capture_output=True, timeout=60, check=True
        )
        assert json.loads(done.stdout)['cookies'] == {'a': 'b'}


def test_redirects_compression_and_statuses(httpbin: str) -> None:
    assert told(f'{httpbin}/redirect/3')['url'].endswith('/get')
    assert run(f'{httpbin}/redirect/3', '--max-redirects', '2').returncode == 6
    assert told(f'{httpbin}/gzip')['gzipped'] is True
    assert run(f'{httpbin}/status/503').returncode == 1
    assert run(f'{httpbin}/delay/5', '--timeout', '300').returncode == 5


def test_a_download_that_goes_on(httpbin: str, tmp_path: Path) -> None:
    """httpbin's /range tells an entity tag, but knows no If-Range: it sends the rest of whatever is there, under the same tag."""
    path = tmp_path / 'letters'
    command = (f'{httpbin}/range/20000', '-c', '-o', str(path))
    assert run(*command).returncode == 0
    whole = path.read_bytes()
    assert len(whole) == 20000
    command = (f'{httpbin}/range/20000?duration=3&chunk_size=1000', '-c', '-o', str(tmp_path / 'part'))
    with subprocess.Popen([sys.executable, '-m', 'requite', *command]) as process:
        end, part = time.monotonic() + 30, tmp_path / 'part.part'
        while not part.exists() or not part.stat().st_size:
            assert time.monotonic() < end
            time.sleep(0.02)
        process.kill()
    assert 0 < part.stat().st_size < 20000
    assert run(*command).returncode == 0
    assert (tmp_path / 'part').read_bytes() == whole
    assert sorted(each.name for each in tmp_path.iterdir()) == ['letters', 'part']


@pytest.mark.skipif(CURL is None, reason='curl is not installed')
@pytest.mark.parametrize(
    'line',
    [
        '{url}/anything',
        "{url}/anything -d 'a=b c' -d d=e -H 'X-A: 1'",
        '{url}/anything -X PUT --json \'{{"a": 1}}\'',
        "{url}/anything -G --data-urlencode 'a=b c&'",
        '{url}/anything -F a=b -F c=@{file};type=text/x',
        '{url}/anything -T {file}',
        "{url}/anything -u me:word -A agent -e http://r/ -b 'a=b'",
        '{url}/redirect/2 -L',
        '{url}/gzip --compressed',
        "{url}/anything --data-binary $'a\\nb\\u00e9'",
    ],
)
def test_a_curl_line_does_what_curl_does(line: str, httpbin: str, tmp_path: Path) -> None:
    (tmp_path / 'file.txt').write_text('content')
    line = 'curl -s ' + line.format(url=httpbin, file=tmp_path / 'file.txt')
    done = subprocess.run(['bash', '-c', line], capture_output=True, timeout=60, check=True)
    theirs, ours = json.loads(done.stdout), told('--from-curl', line)
    for seen in (theirs, ours):
        for name in ('User-Agent', 'Expect', 'Accept-Encoding'):
            if name != 'User-Agent' or ' -A ' not in line:
                seen['headers'].pop(name, None)
        kind = seen['headers'].get('Content-Type', '')
        if kind.startswith('multipart/'):
            seen['headers'].pop('Content-Length')
            seen['headers']['Content-Type'] = kind.partition(';')[0]
    assert ours == theirs


def test_the_proxy_is_httpbin_to_its_clients(httpbin: str) -> None:
    port = free_port()
    with running([sys.executable, '-m', 'requite', 'proxy', str(port), httpbin], port) as url:
        assert told(f'{url}/anything', 'a=b')['json'] == {'a': 'b'}
        assert run(f'{url}/bytes/100000?seed=1').stdout == run(f'{httpbin}/bytes/100000?seed=1').stdout
        assert run(f'{url}/status/418').returncode == 1
        assert run('-I', f'{url}/get').returncode == 0
