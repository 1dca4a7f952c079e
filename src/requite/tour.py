"""The tour: the examples of README.md run, one after the other, against a server that plays their hosts.

Nothing is patched: the examples get a ``request`` whose transport sends every hop to that server (``protocols.Transport`` is the seam) and
remembers what passed.
"""

from __future__ import annotations

import ast
import io
import os
import textwrap
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from requite._version import __version__
from requite.api import Requests
from requite.diversion import Diversion
from requite.errors import RequestError
from requite.message import BytesBody
from requite.piping import pipe
from requite.request import Request
from requite.tourexamples import EXAMPLES, MORE, Example
from requite.tourserver import TourServer
from requite.transport.pools import Pool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from requite.diversion import Exchange, Heard

WIDTH = 79
INDENT = ' ' * 8
MARGIN = 14
SMALL_GETS = 200
SENT = ('authorization', 'accept', 'content-type', 'x-token')
RECEIVED = ('content-type', 'content-encoding', 'location', 'www-authenticate')
"""The header fields that are shown."""


class Screen:
    """Writes in 80 columns, in colours where there are any."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty() and not os.environ.get('NO_COLOR') and os.environ.get('TERM') != 'dumb'

    def line(self, text: str = '', style: int = 0) -> None:
        """One line, in bold (1), dim (2) or one of the colours (31 red, 36 cyan)."""
        self._out.write(f'\x1b[{style}m{text}\x1b[0m\n' if style and self._colours else f'{text}\n')
        self._out.flush()

    def text(self, text: str, style: int = 0) -> None:
        """A paragraph."""
        for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False):
            self.line(line, style)

    def source(self, source: str) -> None:
        """Python, broken inside brackets where it is too wide."""
        while len(source) > WIDTH:
            cut = next(
                (at + len(after) for after in (', ', '(') if (at := source.rfind(after, len(INDENT) + 1, WIDTH)) >= 0),
                WIDTH,
            )
            self.line(source[:cut].rstrip(), 1)
            source = INDENT + source[cut:]
        self.line(source, 1)

    def row(self, label: str, text: str) -> None:
        """What is to be told under a label, shortened to a line."""
        room = WIDTH - MARGIN
        self.line(f'    {label:<10}{text if len(text) <= room else text[: room - 4] + " ..."}')

    def rows(self, label: str, text: str, style: int = 0) -> None:
        """What is to be told under a label, whole."""
        for line in textwrap.wrap(text, WIDTH - MARGIN, break_on_hyphens=False):
            self.line(f'    {label:<10}{line}', style)
            label = ''


def run(out: TextIO, examples: Sequence[Example] = EXAMPLES) -> int:
    """Gives the tour on ``out``; returns 0, or 1 when something did not go as it should."""
    screen = Screen(out)
    screen.text(
        f'requite {__version__}, a tour. The hosts below are played by a server in this process: no packet leaves this machine.'
    )
    with TourServer() as server, TemporaryDirectory() as folder:
        diversion = Diversion(server.port)
        (Path(folder) / 'file.json').write_bytes(b'{"from": "a file"}')
        namespace = {
            'request': Requests(transport=diversion),
            'pipe': pipe,
            'open': lambda name, mode: open(Path(folder) / name, mode),  # noqa: SIM115 - what is piped closes it
        }
        screen.line('\n>>> The examples of README.md', 36)
        failed = _show(screen, examples, namespace, diversion)
        screen.line('\n>>> Some more', 36)
        failed += _show(screen, MORE, namespace, diversion)
        screen.line('\n>>> Numbers, measured just now', 36)
        failed += _measure(screen, server.port)
        diversion.pool.close()
        for error in server.failures:
            screen.rows('FAILED', f'in the server of the tour: {_described(error)}', 31)
        failed += len(server.failures)
    screen.line('\n>>> Where to go from here', 36)
    screen.line('requite --help                    fetch something real')
    screen.line('docs/tutorial/first-requests.md   first requests, step by step')
    screen.line('README.md                         everything else')
    if failed:
        screen.line(f'\nThe tour failed in {failed} place{"s" if failed > 1 else ""}, see above.', 31)
    return 1 if failed else 0


def _measure(screen: Screen, port: int) -> int:
    """Tells the numbers; gives 1 if they could not be had."""
    try:
        screen.text(_numbers(port))
    except Exception as error:  # noqa: BLE001 - told in the tour's own way
        screen.rows('FAILED', _described(error), 31)
        return 1
    return 0


def _show(screen: Screen, examples: Sequence[Example], namespace: dict[str, Any], diversion: Diversion) -> int:
    """Runs examples and tells what passed; gives the number of those that failed."""
    failed = 0
    for example in examples:
        screen.line()
        screen.line(f'# {example.remark}', 2)
        screen.source(example.source)
        diversion.exchanges.clear()
        printed, error = io.StringIO(), None
        told: list[tuple[str, str]] = []
        try:
            with redirect_stdout(printed):
                told = _run(example.source, namespace)
        except Exception as caught:  # noqa: BLE001 - whatever an example raises is shown, and makes the tour fail
            error = caught
        namespace['request'].flush()
        _passed(screen, diversion.exchanges)
        for line in printed.getvalue().splitlines():
            screen.row('printed', line)
        for label, value in told:
            screen.row(label, value)
        complaint = _complaint(example, error, diversion.exchanges)
        if error is not None and not complaint:
            screen.rows('raised', _described(error))
        if complaint:
            failed += 1
            screen.rows('FAILED', complaint, 31)
    return failed


def _run(source: str, namespace: dict[str, Any]) -> list[tuple[str, str]]:
    """Runs one statement; gives what a prompt would show of it, under the name that it got."""
    statement = ast.parse(source).body[0]
    if isinstance(statement, ast.Expr):
        value = eval(source, namespace)  # noqa: S307 - the tour runs what it shows, and that is its own text
        if isinstance(value, io.BufferedWriter):
            file = Path(value.name)
            return [('written', f'{file.name}, {file.stat().st_size} bytes')]
        return [] if isinstance(value, Request) else [('value', repr(value))]
    exec(source, namespace)  # noqa: S102 - as above
    names = [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return [(name, repr(namespace[name])) for name in names]


def _passed(screen: Screen, exchanges: Sequence[Exchange]) -> None:
    """Tells of each hop, what was sent and what came back."""
    for number, (hop, reply, _) in enumerate(exchanges, 1):
        screen.row('sent', f'{hop.method} {hop.uri.redacted()}')
        for name, value in hop.fields:
            if name.lower() in SENT:
                screen.row(
                    '',
                    f'{name}: {value if name.lower() != "authorization" else value.partition(" ")[0] + " (hidden here)"}',
                )
        if type(hop.body) is BytesBody:
            screen.row('', hop.body.data.decode('utf-8', 'replace'))
        elif hop.body is not None:
            screen.row('', f'({hop.body.length} bytes, streamed)')
        if reply is None:
            continue
        screen.row('received', f'{reply.status} {reply.reason}')
        for name, value in reply.fields:
            if name.lower() in RECEIVED:
                screen.row('', f'{name}: {value}')
        if reply.body or number == len(exchanges):
            screen.row('', _body(reply))


def _body(reply: Heard) -> str:
    coding = reply.headers.get('content-encoding')
    if coding:
        return f'({len(reply.body)} bytes of {coding})'
    if not reply.body:
        return '(body not read)'
    if not reply.body.isascii():
        return f'({len(reply.body)} bytes)'
    return ' '.join(reply.body.decode('utf-8', 'replace').split())


def _complaint(example: Example, error: Exception | None, exchanges: Sequence[Exchange]) -> str:
    """Why an example failed; empty when it did what it should."""
    if example.raises:
        return (
            '' if type(error).__name__ == example.raises else f'{example.raises} was expected, not {_described(error)}'
        )
    error = error or next((exchange.error for exchange in exchanges if exchange.error is not None), None)
    if error is not None:
        return _described(error)
    status = exchanges[-1].reply.status if exchanges and exchanges[-1].reply is not None else 200
    return f'the last answer was {status}' if status >= 400 else ''


def _described(error: BaseException | None) -> str:
    """An error in a line: its class, its code, what it says, and unless it is one of ours where it comes from."""
    if error is None:
        return 'no error'
    code = f' [{error.code}]' if isinstance(error, RequestError) and error.code and error.code not in str(error) else ''
    place = ''
    trace = error.__traceback__
    while trace is not None and not isinstance(error, RequestError):
        place = f' ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})'
        trace = trace.tb_next
    return f'{type(error).__name__}{code}: {error}{place}'


def _numbers(port: int) -> str:
    """What small requests cost here and now."""
    from statistics import median
    from time import thread_time

    get = Requests().defaults(pool=Pool()).get
    url = f'http://127.0.0.1:{port}/small'
    for _ in range(10):
        get(url).end()
    times, worked = [], thread_time()
    for _ in range(SMALL_GETS):
        began = perf_counter()
        get(url).end()
        times.append(perf_counter() - began)
    worked = (thread_time() - worked) / SMALL_GETS
    return (
        f'{SMALL_GETS} small GETs, one after another on a kept connection: {median(times) * 1000:.2f} ms each (median). '
        f'{worked * 1000:.2f} ms of that is CPU time of the client; the rest goes to the server, which shares this process.'
    )
