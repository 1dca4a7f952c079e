"""curl and wget read the cookies.txt that is written here, and theirs is read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from requite.cookies import CookieJar, NetscapeFileStore
from requite.wire.uri import parse
from tests.servers import Answer, HttpServer


def ask(program: str, url: str, path: Path) -> None:
    """Lets a program fetch a page with the cookies of a file, and write what it has then to the same file."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f'{program} is not installed')
    options = {
        'curl': ['-sS', '-q', '--noproxy', '*', '-b', str(path), '-c', str(path)],
        'wget': ['-q', '--no-config', '--no-proxy', '-O', '/dev/null', '--keep-session-cookies', '--load-cookies', str(path), '--save-cookies', str(path)],
    }  # fmt: skip
    subprocess.run([found, *options[program], url], check=True, timeout=30, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize('program', ['curl', 'wget'])
def test_a_program_sends_our_cookies_and_we_send_its(program: str, tmp_path: Path, server: HttpServer) -> None:
    path = tmp_path / 'cookies.txt'
    server.answers = lambda seen: Answer(200, {'set-cookie': 'theirs=2; Max-Age=1000; HttpOnly; Path=/'}, 'ok')
    url = f'http://127.0.0.1:{server.port}/dir/page'
    jar = CookieJar(NetscapeFileStore(path))
    jar.remember(
        parse(url),
        ['session=0', 'ours=1; Max-Age=1000', 'hidden=3; HttpOnly; Max-Age=1000', 'other=5; Path=/elsewhere'],
    )
    ask(program, url, path)
    sent = sorted((server.requests[0].header('cookie') or '').split('; '))
    # wget takes `#HttpOnly_` for a comment.
    assert sent == (['hidden=3', 'ours=1', 'session=0'] if program == 'curl' else ['ours=1', 'session=0'])
    header = CookieJar(NetscapeFileStore(path)).header(parse(url))
    assert sorted(header.split('; ')) == sorted([*sent, 'theirs=2'])
