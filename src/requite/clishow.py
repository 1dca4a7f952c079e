"""What people see: heads, JSON laid out and coloured, text that cannot steer a terminal. Colours are rich's, where it is installed."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from requite.message import Hop
    from requite.redaction import Shown
    from requite.response import Response

Spans = list[tuple[str, str]]
"""Pieces of text, each with the name of its style."""

STYLES = {
    'good': 'bold green',
    'bad': 'bold red',
    'name': 'cyan',
    'key': 'bold blue',
    'text': 'green',
    'number': 'cyan',
    'word': 'magenta',
    'strong': 'bold',
    'dim': 'dim',
}
MOST_LAID_OUT = 1048576
"""Bytes: a longer JSON document is shown as it came."""
MOST_COLOURED = 262144
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}\[\],:]')
BINARY = re.compile(
    r'(image/(?!svg)|audio/|video/|font/|application/(octet-stream|zip|gzip|pdf|wasm|x-.*(tar|compressed|executable)))'
)


class Screen:
    """Where text for people goes. On a terminal control characters become U+FFFD, and there are colours unless NO_COLOR says no."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.terminal = stream.isatty()
        self._console: Any = None
        if self.terminal and not os.environ.get('NO_COLOR') and os.environ.get('TERM') != 'dumb':
            try:
                from rich.console import Console

                self._console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
            except ImportError:
                pass

    def write(self, spans: Spans) -> None:
        """Writes pieces of text, and lets go of them."""
        if self._console is None or sum(len(text) for text, _ in spans) > MOST_COLOURED:
            self.plain(''.join(text for text, _ in spans))
            return
        from rich.text import Text

        shown = Text.assemble(*((harmless(text), STYLES.get(style, '')) for text, style in spans))
        self._console.print(shown, end='')
        self._stream.flush()

    def plain(self, text: str) -> None:
        """Writes text without colours."""
        encoding = getattr(self._stream, 'encoding', None) or 'utf-8'
        text = harmless(text) if self.terminal else text
        self._stream.write(text.encode(encoding, 'replace').decode(encoding, 'replace'))
        self._stream.flush()


def harmless(text: str) -> str:
    """The text without anything that could steer a terminal: but for line ends and tabs, what cannot be printed becomes U+FFFD."""
    if text.isprintable():
        return text
    text = text.replace('\r\n', '\n')
    return ''.join(char if char in '\n\t' or char.isprintable() else '\ufffd' for char in text)


# -- heads


def request_head(hop: Hop, shown: Shown) -> Spans:
    """The head of a request as it is sent, but for what is not to be shown."""
    line = f'{hop.method} {shown.link(hop.target)} HTTP/1.1\n'
    return [(line, 'strong'), *_fields(hop.fields, shown), ('\n', '')]


def response_head(response: Response, shown: Shown) -> Spans:
    """The head of an answer as it was received, but for what is not to be shown."""
    line = f'HTTP/{response.http_version} {response.status_code} {response.status_message}'.rstrip()
    return [(f'{line}\n', 'good' if response.ok else 'bad'), *_fields(response.raw_headers, shown), ('\n', '')]


def _fields(fields: Iterable[tuple[str, str]], shown: Shown) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        yield name, 'name'
        yield f': {shown.field(name, value)}\n', ''


def sent_body(hop: Hop, shown: Shown) -> Spans:
    """The content of a request, where it lies in memory and is text."""
    body = hop.body
    if body is None:
        return []
    data: Any = getattr(body, 'data', None)
    if not isinstance(data, bytes) or b'\0' in data:
        size = '' if body.length is None else f'{body.length} bytes, '
        return [(f'({size}{"binary" if isinstance(data, bytes) else "streamed"})\n\n', 'dim')]
    text = data.decode('utf-8', 'replace')
    form = any(name.lower() == 'content-type' and 'form-urlencoded' in value for name, value in hop.fields)
    return [*document(shown.form(text) if form else text), ('\n\n', '')]


# -- bodies


def show_body(response: Response, screen: Screen) -> None:
    """The body on a terminal: JSON laid out, text as it comes, of anything else only what it is."""
    kind = media_type(response)
    if kind == 'application/json' or kind.endswith('+json'):
        _show_json(response, screen)
        return
    left, last = '', '\n'
    for text in _texts(response, kind):
        if text is None:
            last = f'({kind or "binary data"} is not shown on a terminal; -o FILE writes it into a file)'
            screen.write([(last, 'dim')])
            break
        whole = left + text
        left = '\r' if whole.endswith('\r') else ''  # its line feed may be yet to come
        screen.plain(whole.removesuffix('\r'))
        last = whole[-1:] or last
    if last != '\n':
        screen.plain('\n')


def media_type(response: Response) -> str:
    """The media type of an answer in lower case, empty where there is none."""
    value = response.headers.get('content-type')
    return value.partition(';')[0].strip().lower() if isinstance(value, str) else ''


def _show_json(response: Response, screen: Screen) -> None:
    kept = b''
    pieces = iter(response)
    for piece in pieces:
        kept += piece
        if len(kept) > MOST_LAID_OUT:
            break
    else:
        spans = document(kept.decode('utf-8', 'replace').removeprefix('\ufeff'))
        screen.write([*spans, ('\n', '')] if spans else [])
        return
    from requite.wire import text

    decoder = text.Incremental('utf-8')
    screen.plain(decoder.feed(kept))
    for piece in pieces:
        screen.plain(decoder.feed(piece))
    screen.plain(decoder.end() + '\n')


def _texts(response: Response, kind: str) -> Iterator[str | None]:
    """The body as text, as it comes; None where it is none."""
    from requite.wire import text

    named = re.search(r'charset="?([\w.:-]+)', str(response.headers.get('content-type') or ''), re.IGNORECASE)
    decoder = text.Incremental(_encoding(named[1] if named else 'utf-8'))
    for number, piece in enumerate(response):
        if BINARY.match(kind) or (not number and not named and b'\0' in piece):
            yield None
            return
        yield decoder.feed(piece)
    yield decoder.end()


def _encoding(name: str) -> str:
    from requite.errors import OptionsError
    from requite.wire import text

    try:
        found = text.check(name)
    except OptionsError:
        return 'utf-8'
    return 'utf-8' if found in ('hex', 'base64', 'base64url') else found


def document(text: str) -> Spans:
    """Text laid out where it is JSON; numbers, and names that come twice, stay as they were written."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return [(text, '')] if text else []
    return list(_laid_out(TOKEN.findall(text)))


def _laid_out(tokens: list[str]) -> Iterator[tuple[str, str]]:
    depth = 0
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ''
        if token in ('{', '['):
            empty = following in ('}', ']')
            depth += 1
            yield (token if empty else f'{token}\n{"  " * depth}'), ''
        elif token in ('}', ']'):
            depth -= 1
            yield (token if tokens[at - 1] in ('{', '[') else f'\n{"  " * depth}{token}'), ''
        elif token == ',':
            yield f',\n{"  " * depth}', ''
        elif token == ':':
            yield ': ', ''
        else:
            yield _readable(token), _style(token, following)


def _style(token: str, following: str) -> str:
    if token[0] == '"':
        return 'key' if following == ':' else 'text'
    return 'word' if token[0].isalpha() else 'number'


def _readable(token: str) -> str:
    """A string with its letters as letters; what a terminal could take for its own stays escaped."""
    if token[0] != '"' or '\\u' not in token:
        return token
    return re.sub(r'(?<!\\)((?:\\\\)*)((?:\\u[0-9A-Fa-f]{4})+)', lambda found: found[1] + _letters(found[2]), token)


def _letters(escaped: str) -> str:
    letters = json.loads(f'"{escaped}"')
    return letters if letters.isprintable() and '"' not in letters and '\\' not in letters else escaped
