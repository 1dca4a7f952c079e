"""The prompt: ``python -m requite``, and what IPython and notebooks show. Here showing a request sends it; ``repr()`` never does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from requite.errors import RequestError

if TYPE_CHECKING:
    from requite.request import Request
    from requite.response import Response

MOST_TEXT = 2048
"""Characters of text that showing a response gives at most."""
MOST_READ = 4194304
"""Bytes: a body that says it is longer is not read for being shown."""
MOST_FIELDS = 24
IMAGES = frozenset(('image/png', 'image/jpeg', 'image/gif', 'image/webp'))
"""Pictures that notebooks show as they are; an SVG of a stranger's could run scripts, and stays text."""
BANNER = """requite {version}: `request` and `pipe` are here. What you name is sent and shown:
>>> request('http://example.com/')
Ctrl-D leaves."""


def bundle_of_request(request: Request) -> dict[str, Any]:
    """What to show for a request: its response, for which it is sent now, or in one line why there is none."""
    try:
        response = request.response
    except RequestError as error:
        return {'text/plain': f'{request!r}\n{type(error).__name__}: {error}'}
    return bundle(response)


def bundle(response: Response) -> dict[str, Any]:
    """What to show for a response, by media type: its head and the beginning of its body as text, a JSON body as a tree, a picture, and where the time went."""
    kind = _type(response)
    body = _body(response)
    shown: dict[str, Any] = {'text/plain': text(response, body)}
    if body is not None and kind in IMAGES:
        shown[kind] = body
    elif body is not None and (kind == 'application/json' or kind.endswith('+json')):
        value = _json(response)
        if value is not None:
            shown['application/json'] = value
    if response.timings is not None:
        shown['image/svg+xml'] = response.timings._repr_svg_()
    return shown


def text(response: Response, body: bytes | None) -> str:
    """The status line, the header fields and as much of the body as fits, in ``MOST_TEXT`` characters; nothing in it can steer a terminal."""
    lines = [f'HTTP/{response.http_version} {response.status_code} {response.status_message}'.rstrip()]
    fields = response.raw_headers
    lines += [f'{name}: {value}' for name, value in fields[:MOST_FIELDS]]
    if len(fields) > MOST_FIELDS:
        lines.append(f'... and {len(fields) - MOST_FIELDS} more fields')
    head = '\n'.join(lines)[: MOST_TEXT // 2]
    content = _shown(response, body)
    room = MOST_TEXT - len(head) - 80
    if len(content) > room:
        content = f'{content[:room]}\n... {len(content) - room} more characters'
    return _harmless(f'{head}\n\n{content}' if content else head)


def _shown(response: Response, body: bytes | None) -> str:
    if body is None:
        return '(the body was not read: it is long, or somebody else reads it)'
    kind = _type(response)
    if kind == 'application/json' or kind.endswith('+json'):
        value = _json(response)
        if value is not None:
            import json

            return json.dumps(value, indent=2, ensure_ascii=False)
    if kind.startswith(('text/', 'application/xml', 'application/javascript')) or not kind or kind.endswith('+xml'):
        return response.text
    return f'({len(body)} bytes of {kind})' if body else ''


def _harmless(content: str) -> str:
    return ''.join(char if char in '\n\t' or char.isprintable() else '\ufffd' for char in content)


def _type(response: Response) -> str:
    value = response.headers.get('content-type')
    return value.partition(';')[0].strip().lower() if isinstance(value, str) else ''


def _body(response: Response) -> bytes | None:
    """The body where it can be had without much ado: it is collected, or short enough, and no event stream."""
    if response._content is None:
        length = response.headers.get('content-length')
        long = isinstance(length, str) and length.isdigit() and int(length) > MOST_READ
        if long or response._streaming is not None or _type(response) == 'text/event-stream':
            return None
    try:
        return response.content
    except RequestError:
        return None


def _json(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def show(value: Any) -> None:
    """The display hook of the prompt: a request is sent and its response shown, a response is shown; anything else as always."""
    if not type(value).__module__.startswith('requite.') or not hasattr(value, '_repr_mimebundle_'):
        sys.__displayhook__(value)
        return
    print(value._repr_mimebundle_()['text/plain'])
    import builtins

    builtins._ = value  # type: ignore[attr-defined]


def prompt(local: dict[str, Any]) -> int:
    """Opens a prompt with these names, IPython where it is installed and standard input is a terminal; returns the exit status."""
    from requite._version import __version__

    banner = BANNER.format(version=__version__)
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            import IPython
        except ImportError:
            pass
        else:
            print(banner.replace('>>> ', 'In [1]: '))
            IPython.start_ipython(argv=['--no-banner'], user_ns=local)
            return 0
    return _plain(local, banner)


def _plain(local: dict[str, Any], banner: str) -> int:
    import code

    try:
        import readline
        import rlcompleter
    except ImportError:
        pass
    else:
        readline.set_completer(rlcompleter.Completer(local).complete)
        readline.parse_and_bind('tab: complete')
    before, sys.displayhook = sys.displayhook, show
    try:
        code.interact(banner, None, local, '')
    finally:
        sys.displayhook = before
    return 0
