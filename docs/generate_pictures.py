"""Draws the pictures of the command line: `python docs/generate_pictures.py` types commands in a real terminal (tmux) and draws what it shows as SVG.

They are run against a server of this script's own; nothing leaves the machine. Needs tmux, and rich for the colours.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / 'docs' / 'pictures'
PORT = 8080
COLUMNS, CHARACTER, LINE, MARGIN = 84, 7.3, 16, 12
COLOURS = {
    31: '#f28b82',
    32: '#81c995',
    33: '#fdd663',
    34: '#8ab4f8',
    35: '#d7aefb',
    36: '#78d9ec',
    37: '#e8eaed',
    90: '#9aa0a6',
}
SIZE = 48_000_000
SGR = re.compile(r'\x1b\[([0-9;]*)m')

# The name of each picture: what is typed, how many lines there are, and the seconds after which it is drawn.
SCENES = {
    'cli-post': ('requite :8080/users name=Ada age:=36', 18, 2.0),
    'cli-verbose': ('requite -v :8080/users/1 --bearer s3cret --timings', 32, 2.0),
    'cli-download': ('requite :8080/disk.iso -o disk.iso', 3, 2.5),
    'cli-offline': ('requite --from-curl "curl -d name=Ada -u ada:s3cret :8080/users" --offline', 12, 2.0),
    'cli-wrong': ('requite :8080/users age:=old; requite :8081/; requite :8080/x -o page', 8, 3.0),
}


class Server(BaseHTTPRequestHandler):
    """Users, and a large file that comes slowly."""

    protocol_version = 'HTTP/1.1'

    def do_GET(self) -> None:
        if self.path == '/disk.iso':
            self._slowly()
        elif self.path == '/x':
            self._json(404, {'error': 'there is no x'})
        else:
            self._json(200, {'id': 1, 'name': 'Ada', 'langs': ['en', 'fr'], 'admin': True, 'manager': None})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers['content-length'])))
        self._json(201, {'id': 7, **given})

    def _json(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response_only(status)
        self.send_header('content-type', 'application/json')
        self.send_header('content-length', str(len(data)))
        self.send_header('set-cookie', 'session=4711')
        self.end_headers()
        self.wfile.write(data)

    def _slowly(self) -> None:
        self.send_response_only(200)
        self.send_header('content-length', str(SIZE))
        self.end_headers()
        try:
            for _ in range(SIZE // 240_000):
                self.wfile.write(bytes(240_000))
                time.sleep(0.02)
        except ConnectionError:
            pass  # the picture is drawn

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is said."""


def tmux(*arguments: str) -> str:
    """What tmux says."""
    command = ['tmux', '-L', 'requite-pictures', '-f', '/dev/null', *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def photograph(typed: str, lines: int, seconds: float, folder: str) -> str:
    """The screen of a terminal in which a command was typed, with its colours."""
    shell = f"env -i HOME={folder} TERM=screen-256color LANG=C.UTF-8 PATH={folder}/bin:/usr/bin:/bin PS1='$ ' bash --norc --noprofile"
    tmux('new-session', '-d', '-s', 'picture', '-x', str(COLUMNS), '-y', str(lines + 1), '-c', folder, shell)
    try:
        time.sleep(0.5)
        tmux('send-keys', '-t', 'picture', '-l', typed)
        tmux('send-keys', '-t', 'picture', 'Enter')
        time.sleep(seconds)
        return tmux('capture-pane', '-t', 'picture', '-p', '-e')
    finally:
        tmux('kill-session', '-t', 'picture')


def cells(line: str) -> list[tuple[str, str, bool]]:
    """The characters of a line with colour and weight."""
    found, colour, bold, at = [], '#e8eaed', False, 0
    for code in SGR.finditer(line):
        found += [(char, colour, bold) for char in line[at : code.start()]]
        at = code.end()
        numbers = [int(number or 0) for number in code[1].split(';')]
        if numbers[:2] == [38, 5]:
            colour = {1: COLOURS[31], 8: '#5f6368', 237: '#5f6368'}.get(numbers[2], COLOURS[35])
            continue
        for number in numbers:
            if number in (0, 39):
                colour = '#e8eaed'
            if number in (0, 22):
                bold = False
            bold = bold or number == 1
            colour = COLOURS.get(number, colour)
    return found + [(char, colour, bold) for char in line[at:]]


def svg(screen: str) -> str:
    """A screen as a picture; every piece of one colour is one element."""
    lines = screen.rstrip('\n').rstrip().split('\n')
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" font-family="monospace" font-size="12">',
        f'<rect width="{width:.0f}" height="{height}" rx="6" fill="#202124"/>',
    ]
    for row, line in enumerate(lines):
        column = 0
        for (colour, bold), run in groupby(cells(line), key=lambda cell: cell[1:]):
            text = ''.join(cell[0] for cell in run)
            if text.strip():
                weight = ' font-weight="bold"' if bold else ''
                left = MARGIN + (column + len(text) - len(text.lstrip())) * CHARACTER
                size = len(text.strip()) * CHARACTER
                parts.append(
                    f'<text x="{left:.1f}" y="{MARGIN + row * LINE + 12}" fill="{colour}"{weight} textLength="{size:.1f}" '
                    f'xml:space="preserve">{escape(text.strip(), quote=False)}</text>'
                )
            column += len(text)
    return '\n'.join([*parts, '</svg>\n'])


def main() -> None:
    """Draws every picture."""
    PICTURES.mkdir(exist_ok=True)
    server = ThreadingHTTPServer(('127.0.0.1', PORT), Server)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / 'bin' / 'requite'
        program.parent.mkdir()
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT}/src exec {sys.executable} -m requite "$@"\n', encoding='utf-8'
        )
        program.chmod(0o755)
        tmux('new-session', '-d', '-s', 'idle')  # a server without sessions ends
        try:
            for name, (typed, lines, seconds) in SCENES.items():
                picture = svg(photograph(typed, lines, seconds, folder))
                (PICTURES / f'{name}.svg').write_text(picture, encoding='utf-8')
        finally:
            tmux('kill-server')
    server.shutdown()
    server.server_close()


if __name__ == '__main__':
    main()
