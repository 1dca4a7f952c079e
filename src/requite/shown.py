"""What prompts and notebooks show of a request and its response: one picture in text, one in HTML. Credentials stay hidden: notebooks are saved and passed on."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from requite import configure, redaction
from requite.errors import RequestError
from requite.watched import NEW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requite.request import Request
    from requite.response import Response

MOST_TEXT = 2048
"""Characters of text that showing a response gives at most."""
MOST_READ = 4194304
"""Bytes: a body that says it is longer is not read for being shown."""
MOST_PICTURE = 1048576
"""Bytes of the largest picture that is shown; it is kept in the notebook."""
MOST_FIELDS = 24
MOST_DEPTH = 8
IMAGES = frozenset(('image/png', 'image/jpeg', 'image/gif', 'image/webp'))
"""Pictures that are shown as they are; an SVG of a stranger's could run scripts, and stays text."""
ENDLESS = frozenset(('text/event-stream', 'multipart/x-mixed-replace', 'application/x-ndjson', 'application/jsonl'))
"""Types of bodies that may never end: they are not read for being shown."""


class Shown(NamedTuple):
    """A response as it is shown: its type, its body, and where there is none to be had, why."""

    response: Response
    kind: str
    body: bytes | None
    why: str


def bundle_of_request(request: Request) -> dict[str, Any]:
    """What to show for a request: its response, for which it is sent now (and measured), or in one line why there is none."""
    if request._state is NEW and not request._options.given('time'):
        request._options = configure.replaced(request._options, time=True)
    try:
        response = request.response
    except RequestError as error:
        told = harmless(f'{request!r}\n{type(error).__name__}: {error}')[:MOST_TEXT]
        return {'text/plain': told, 'text/html': f'<pre>{escape(told)}</pre>'}
    return bundle(response)


def bundle(response: Response) -> dict[str, Any]:
    """What to show for a response, by media type: as text its head and the beginning of its body; as HTML the same with JSON as a tree, a picture, and
    where the time went; the last two also by themselves. (JSON by itself is left out: notebooks would show it without the status.)
    """
    shown = look(response)
    made: dict[str, Any] = {'text/plain': text(shown), 'text/html': html(shown)}
    if picture := _picture(shown):
        made[shown.kind] = picture
    if response.timings is not None:
        made['image/svg+xml'] = response.timings._repr_svg_()
    return made


def look(response: Response) -> Shown:
    """Takes the body where it can be had without much ado: it is collected, or it ends, and is not too long."""
    value = response.headers.get('content-type')
    kind = value.partition(';')[0].strip().lower() if isinstance(value, str) else ''
    if response._content is None:
        length = response.headers.get('content-length')
        if isinstance(length, str) and length.isdigit() and int(length) > MOST_READ:
            return Shown(
                response, kind, None, f'the body is {int(length)} bytes long and was not read: .body, .pipe(path)'
            )
        if kind in ENDLESS:
            return Shown(response, kind, None, 'the body may go on for ever and was not read: .lines(), .events()')
        if response._streaming is not None:
            return Shown(response, kind, None, 'the body was, or is being, read in pieces')
    try:
        return Shown(response, kind, response.content, '')
    except RequestError as error:
        return Shown(response, kind, None, f'{type(error).__name__}: {error}')


def text(shown: Shown) -> str:
    """The status line, the header fields and as much of the body as fits, in ``MOST_TEXT`` characters; nothing in it can steer a terminal."""
    fields = _fields(shown.response)
    head = harmless('\n'.join([_status(shown.response), *fields]))
    if len(head) > MOST_TEXT // 2:
        head = f'{head[: MOST_TEXT // 2 - 3]}...'
    content = _beginning(_content(shown), MOST_TEXT - len(head) - 48)
    return f'{head}\n\n{content}' if content else head


def html(shown: Shown) -> str:
    """The same as HTML: every text of the server's is escaped."""
    response = shown.response
    fields = '\n'.join(_fields(response))[: MOST_TEXT // 2]
    parts = [
        f'<div><b>{escape(_status(response))}</b> <code>{escape(response.summary()[:200])}</code></div>',
        f'<details><summary>{len(response.raw_headers)} header fields</summary><pre>{escape(harmless(fields))}</pre></details>',
    ]
    picture = _picture(shown)
    value = _json(shown)
    if picture:
        parts.append(f'<img src="data:{shown.kind};base64,{picture}" style="max-width: 100%">')
    elif isinstance(value, (dict, list)):
        parts.append(''.join(_tree(value, [MOST_TEXT // 2])))
    elif content := _beginning(_content(shown), MOST_TEXT // 2):
        parts.append(f'<pre>{escape(content)}</pre>')
    if response.timings is not None:
        parts.append(f'<details><summary>{response.elapsed_time} ms</summary>{response.timings._repr_svg_()}</details>')
    return ''.join(parts)


def _beginning(content: str, room: int) -> str:
    more = f'\n... {len(content) - room} more characters' if len(content) > room else ''
    return harmless(content[:room]) + more


def _status(response: Response) -> str:
    return f'HTTP/{response.http_version} {response.status_code} {response.status_message}'.rstrip()[:200]


def _fields(response: Response) -> list[str]:
    fields = redaction.fields(response.raw_headers)
    lines = [f'{name}: {value}' for name, value in fields[:MOST_FIELDS]]
    if len(fields) > MOST_FIELDS:
        lines.append(f'... and {len(fields) - MOST_FIELDS} more fields')
    return lines


def _picture(shown: Shown) -> str:
    """The picture in base64, as notebooks keep it; '' where there is none to be shown."""
    if shown.body and shown.kind in IMAGES and len(shown.body) <= MOST_PICTURE:
        return b64encode(shown.body).decode('ascii')
    return ''


def _json(shown: Shown) -> Any:
    if shown.body is None or not (shown.kind == 'application/json' or shown.kind.endswith('+json')):
        return None
    from requite.wire import jsondoc

    try:
        return jsondoc.loads(shown.body)
    except ValueError:
        return None


def _content(shown: Shown) -> str:
    """The body as text, of a long one the beginning."""
    if shown.body is None:
        return f'({shown.why})'
    value = _json(shown)
    if value is not None:
        import json

        try:
            return json.dumps(value, indent=2, ensure_ascii=False)
        except RecursionError:
            return shown.response.text
    kind = shown.kind
    if (
        kind.startswith(('text/', 'application/xml', 'application/javascript'))
        or not kind
        or kind.endswith(('+xml', '+json', '/json'))
    ):
        return shown.response.text
    return f'({len(shown.body)} bytes of {kind})' if shown.body else ''


def _tree(value: Any, room: list[int], depth: int = 0) -> Iterator[str]:
    """JSON as nested lists that open; ``room`` is how many characters may still be shown."""
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    kind = '{}' if isinstance(value, dict) else '[]'
    yield f'<details{" open" if depth < 2 else ""}><summary>{kind} {len(items)}</summary><ul style="margin: 0; list-style: none">'
    for key, item in items:
        name = str(key)[:100]
        room[0] -= len(name)
        if room[0] <= 0 or depth >= MOST_DEPTH:
            yield '<li>...</li>'
            break
        yield f'<li><b>{escape(harmless(name))}</b> '
        if isinstance(item, (dict, list)) and item:
            yield from _tree(item, room, depth + 1)
        else:
            yield f'<code>{escape(_leaf(item, room))}</code>'
        yield '</li>'
    yield '</ul></details>'


def _leaf(item: Any, room: list[int]) -> str:
    import json

    cut = max(20, min(room[0], 300))
    told = json.dumps(item[: cut + 1] if isinstance(item, str) else item, ensure_ascii=False)
    room[0] -= min(len(told), cut)
    return harmless(told if len(told) <= cut else f'{told[:cut]}...')


def harmless(content: str) -> str:
    """The text without characters that steer a terminal."""
    return ''.join([char if char in '\n\t' or char.isprintable() else '\ufffd' for char in content])
