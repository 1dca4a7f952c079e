"""The command line in a terminal that nobody here wrote: tmux, and what is on its screen afterwards."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import Answer, HttpServer, json_reply, reply

pytestmark = pytest.mark.skipif(shutil.which('tmux') is None, reason='tmux is not installed')


class Terminal:
    """A terminal of 80 columns with a shell in it that has one command, `requite`."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / 'tmux')
        program = folder / 'requite'
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m requite "$@"\n')
        program.chmod(0o755)
        path = f'{folder}:/usr/local/bin:/usr/bin:/bin'
        shell = f"env -u NO_COLOR HOME={folder} PATH={path} PS1='> ' LANG=C.UTF-8 TERM=screen-256color sh"
        self._tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '40', '-c', str(folder), shell)

    def _tmux(self, *arguments: str) -> str:
        command = ['tmux', '-S', self._socket, '-u', *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding='utf-8', timeout=30, check=True).stdout

    def type(self, text: str, enter: str = 'Enter') -> None:
        """Types a line."""
        self._tmux('send-keys', '-l', text)
        self._tmux('send-keys', enter)

    def screen(self, colours: bool = False) -> str:
        """What is on the screen."""
        return self._tmux('capture-pane', '-p', *(['-e'] if colours else []))

    def until(self, true: Callable[[str], object]) -> str:
        """The screen, as soon as something is true of it."""
        end = time.monotonic() + 30
        while not true(shown := self.screen()):
            assert time.monotonic() < end, shown
            time.sleep(0.05)
        return shown

    def run(self, line: str) -> str:
        """The screen when a command is done."""
        self.type(f'{line}; echo status $?')
        return self.until(lambda shown: re.search(r'^status \d', shown, re.MULTILINE))

    @property
    def title(self) -> str:
        """What the terminal is called, which programs in it can change."""
        return self._tmux('display-message', '-p', '#{pane_title}').strip()

    def close(self) -> None:
        """Ends it."""
        self._tmux('kill-server')


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal."""
    opened = Terminal(tmp_path)
    opened.until(lambda shown: shown.startswith('>'))
    yield opened
    opened.close()


def test_json_is_laid_out_in_colours(terminal: Terminal, server: HttpServer) -> None:
    server.routes['/x'] = json_reply({'name': 'Ada'})
    shown = terminal.run(f'requite {server.authority}/x a=b')
    assert 'HTTP/1.1 200 OK\ncontent-type: application/json\n' in shown
    assert '\n{\n  "name": "Ada"\n}\nstatus 0\n' in shown
    if importlib.util.find_spec('rich') is not None:
        assert '\x1b[32m"Ada"' in terminal.screen(colours=True)


def test_a_hostile_server_cannot_steer_the_terminal(terminal: Terminal, server: HttpServer) -> None:
    attack = '\x1b]2;owned\x07\x1b]0;owned\x1b\\\x1bkowned\x1b\\\x1b[2J\x1b[H\x1bc\x9b2J\x1b[?1049h over\rwritten'
    server.routes['/text'] = reply(attack, content_type='text/plain', x_a='\x9b2Jfield')
    server.routes['/json'] = reply('{"a": "\\u001b[2J", "\\u001bc": 1}', content_type='application/json')
    server.routes['/page'] = Answer(500, {}, '', 'wrong \x9b2J')
    before = terminal.title
    for path in ('/text', '/json', '/page'):
        line = f'requite {server.authority}{path}'
        shown = terminal.run(line)
        assert f'> {line}' in shown
        assert terminal.title == before
        terminal.type('clear')
        terminal.until(lambda shown: 'status' not in shown)
    assert 'owned' not in terminal.title


def test_a_password_is_typed_unseen(terminal: Terminal, server: HttpServer) -> None:
    terminal.type(f'requite -b {server.authority}/x -a me; echo status $?')
    terminal.until(lambda shown: "password for 'me':" in shown)
    terminal.type('s3cret')
    shown = terminal.until(lambda shown: 'status 0' in shown)
    assert 's3cret' not in shown
    assert server.requests[0].header('authorization') == 'Basic bWU6czNjcmV0'


def test_a_download_leaves_a_clean_screen(terminal: Terminal, server: HttpServer, tmp_path: Path) -> None:
    server.routes['/disk.iso'] = reply(b'x' * 3_000_000)
    shown = terminal.run(f'requite {server.authority}/disk.iso -d')
    lines = shown.rstrip().splitlines()
    assert lines[-3:-1] == ['requite: saved as disk.iso', 'status 0']
    assert '3.0 MB' in lines[-4]
    assert (tmp_path / 'disk.iso').stat().st_size == 3_000_000


def test_the_help_fits_the_terminal(terminal: Terminal) -> None:
    terminal.type('requite --help > help; wc -L < help | sed s/^/width:/')
    shown = terminal.until(lambda shown: 'width:' in shown.replace('s/^/width:/', ''))
    found = re.search(r'^width:(\d+)', shown, re.MULTILINE)
    assert found is not None
    assert int(found[1]) <= 80
