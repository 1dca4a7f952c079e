"""Runs the Python blocks of one page of the documentation: `python -W error -m tests.docpages PAGE HTTP_PORT HTTPS_PORT PROXY_PORT SOCKS_PORT`.

The blocks of a page share one namespace and run in order, as a reader types them. Every host name leads to the servers of
the test on loopback (names under .invalid do not exist). What a page promises is checked:

- a comment `# -> text` on a line is the line which that block prints there; when a block has such comments, it prints these
  lines and no others (`...` stands for anything);
- a block that awaits is run as the inside of a coroutine;
- after `<!-- not yet -->`, every statement of the block must raise NotImplementedError: once the capability is there, the
  page has to say so;
- after `<!-- not run: reason -->` the block is left out; tests/test_docs.py counts these.

In MyST pages `% not yet` and `% not run: reason` say the same.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
import re
import socket
import sys
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(r'^(?P<indent> *)```python *\n(?P<code>.*?)^(?P=indent)``` *$', re.MULTILINE | re.DOTALL)
MARK = re.compile(r'(?:<!--|%) (?P<what>not yet|not run)(?:: (?P<reason>.*?))?(?: -->)?\s*\Z')


class Block(NamedTuple):
    """One fenced block: the line of its first statement, its code, and how it was marked ('', 'not yet' or 'not run')."""

    line: int
    code: str
    mark: str
    reason: str


def blocks(text: str) -> Iterator[Block]:
    """The Python blocks of a page in order."""
    for found in FENCE.finditer(text):
        before = text[: found.start()].rstrip('\n').rpartition('\n')[2]
        mark = MARK.match(before.strip())
        line = text.count('\n', 0, found.start('code')) + 1
        code = re.sub(rf'^{found["indent"]}', '', found['code'], flags=re.MULTILINE)
        yield Block(line, code, mark['what'] if mark else '', (mark['reason'] or '') if mark else '')


def promised(code: str) -> list[str]:
    """The lines that a block says it prints."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return [token.string[5:] for token in tokens if token.type == tokenize.COMMENT and token.string.startswith('# -> ')]


def check(block: Block, printed: str, where: str) -> None:
    """Compares what a block printed with what it said."""
    wanted, given = promised(block.code), printed.splitlines()
    if not wanted:
        return
    patterns = ['.*'.join(re.escape(part) for part in line.split('...')) for line in wanted]
    if len(wanted) != len(given) or not all(
        re.fullmatch(pattern, line) for pattern, line in zip(patterns, given, strict=True)
    ):
        raise AssertionError(f'{where}: the page promises {wanted}, the block printed {given}')


def run(block: Block, page: Path, namespace: dict[str, Any]) -> None:
    """Runs a block; its line numbers in a traceback are those of the page."""
    source = '\n' * (block.line - 1) + block.code
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = compile(source, str(page), 'exec', flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        coroutine = eval(code, namespace)
        if coroutine is not None:
            asyncio.run(coroutine)  # the block awaits, as the inside of a coroutine
    sys.stdout.write(printed.getvalue())
    check(block, printed.getvalue(), f'{page}:{block.line}')


def refuse(block: Block, page: Path, namespace: dict[str, Any]) -> None:
    """Sees to it that each statement of a block says that it is not available yet; imports just run."""
    tree = ast.parse('\n' * (block.line - 1) + block.code)
    for statement in tree.body:
        code = compile(ast.Module([statement], []), str(page), 'exec', flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            exec(code, namespace)
            continue
        with warnings.catch_warnings():
            # A file opened for a pipe that is refused is closed by nobody, and not before the exception that holds it is gone.
            warnings.simplefilter('ignore', ResourceWarning)
            try:
                coroutine = eval(code, namespace)
                if coroutine is not None:
                    coroutine.send(None)
            except NotImplementedError:
                continue
        raise AssertionError(f'{page}:{statement.lineno}: this works now: move it out of the block that says "not yet"')


def lead_home(ports: dict[int, int]) -> None:
    """Lets every name of the documentation resolve to the test's servers on loopback, and each port that they show to the one that serves for it."""
    resolve = socket.getaddrinfo

    def lead(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.endswith('.invalid'):
            raise socket.gaierror(socket.EAI_NONAME, 'Name or service not known')
        return resolve('127.0.0.1', ports.get(port, port), *args, **options)

    socket.getaddrinfo = lead


def main(page: str, *ports: str) -> None:
    """Runs one page."""
    lead_home(dict(zip((80, 443, 3128, 1080), map(int, ports), strict=True)))
    path, namespace = Path(page), {'__name__': '__main__'}
    for block in blocks(path.read_text(encoding='utf-8')):
        if not block.mark:
            run(block, path, namespace)
        elif block.mark == 'not yet':
            refuse(block, path, namespace)


if __name__ == '__main__':
    main(*sys.argv[1:])
