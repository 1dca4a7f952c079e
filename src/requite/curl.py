"""A request as a curl command line: what ``to_curl()`` gives. Pure; the words are quoted for a POSIX shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from requite import redaction

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.options import Options

MADE_BY_CURL = frozenset(('host', 'content-length', 'transfer-encoding', 'accept-encoding'))
"""Fields that curl makes itself of the address, the content and ``--compressed``."""
MOST_CONTENT = 65536


def command(hop: Hop, options: Options, secrets: bool = False) -> str:
    """The command that sends what ``hop`` sends; credentials are hidden unless ``secrets``.

    Content that is a stream is not read: the command takes it from standard input.
    """
    words = ['curl']
    if hop.method == 'HEAD':
        words.append('--head')
    elif hop.method != ('GET' if hop.body is None else 'POST'):
        words += ['--request', hop.method]
    words.append((hop.uri.href if secrets else hop.uri.redacted()) if hop.uri.socket_path is None else _local(hop))
    named = {name.lower() for name, _ in hop.fields}
    for name, value in hop.fields:
        if name.lower() in MADE_BY_CURL and not (name.lower() == 'host' and value != hop.uri.host_field):
            continue
        shown = value if secrets else redaction.field(name, value)
        words += ['--header', f'{name}: {shown}' if shown else f'{name};']
    if 'accept' not in named:
        words += ['--header', 'accept:']
    if hop.body is not None and 'content-type' not in named:
        words += ['--header', 'content-type:']
    words += _content(hop) + _settings(hop, options)
    return shlex.join(words)


def _local(hop: Hop) -> str:
    return f'http://localhost{hop.target}'


def _content(hop: Hop) -> list[str]:
    body = hop.body
    if body is None:
        return []
    data: Any = getattr(body, 'data', None)
    if isinstance(data, bytes) and len(data) <= MOST_CONTENT:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = None
        if text is not None and '\0' not in text:
            return ['--data-raw', text] if text.startswith('@') else ['--data-binary', text]
    return ['--data-binary', '@-'] if body.length is not None else ['--upload-file', '-']


def _settings(hop: Hop, options: Options) -> list[str]:
    words: list[str] = []
    route = hop.route
    if options.gzip:
        words.append('--compressed')
    if options.follow_redirect and (hop.method in ('GET', 'HEAD') or options.follow_all_redirects):
        words += ['--location', '--max-redirs', str(options.max_redirects)]
    if route.tls is not None and not route.tls.verify:
        words.append('--insecure')
    if route.socket_path is not None:
        words += ['--unix-socket', route.socket_path]
    if route.proxy is not None:
        proxy = route.proxy
        words += ['--proxy', f'{proxy.scheme}://{proxy.host}:{proxy.port}']
        if hop.connect is not None and route.tls is None:
            words.append('--proxytunnel')
    if hop.limits.connect is not None:
        words += ['--connect-timeout', f'{hop.limits.connect:g}']
    if options.deadline is not None:
        words += ['--max-time', f'{options.deadline:g}']
    return words
