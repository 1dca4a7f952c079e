"""A request as a curl command line: what ``to_curl()`` gives. Pure; the words are quoted for a POSIX shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from requite import proxies
from requite.redaction import Shown

if TYPE_CHECKING:
    from requite.message import Hop
    from requite.options import Options
    from requite.routes import TLS, Proxy

FORM_TYPE = 'application/x-www-form-urlencoded'
MADE_BY_CURL = frozenset(('content-length', 'transfer-encoding', 'proxy-authorization'))
"""Fields that curl makes itself of the content and of the proxy."""
NEVER_ASKED = ('accept', 'user-agent')
"""Fields that curl adds of its own accord."""
MOST_CONTENT = 65536
FROM_INPUT = ['--data-binary', '@-', '--header', 'expect:']


def command(hop: Hop, options: Options, secrets: bool = False) -> str:
    """The command that sends what ``hop`` sends; credentials are hidden unless ``secrets``.

    Content that is a stream, or of more than 64 KiB, is not shown: the command takes it from standard input.
    """
    shown = Shown(secrets, options.hidden)
    words = ['curl', *_method(hop), *_address(hop, shown), *_fields(hop, shown)]
    content, before = _content(hop, shown)
    words += content + _settings(hop, options) + _route(hop, shown)
    if options.auth is not None and not options.auth.send_immediately and options.auth.user is not None:
        password = shown.value(options.auth.password or '')
        words += ['--digest' if options.auth.digest else '--anyauth', '--user', f'{options.auth.user}:{password}']
    return before + shlex.join(words)


def _method(hop: Hop) -> list[str]:
    if hop.method == 'HEAD':
        return ['--head']
    return [] if hop.method == ('GET' if hop.body is None else 'POST') else ['--request', hop.method]


def _address(hop: Hop, shown: Shown) -> list[str]:
    uri = hop.uri
    address = shown.address(uri) if uri.socket_path is None else shown.link(f'http://localhost{uri.target}')
    words = [address]
    if not frozenset('[]{}').isdisjoint(address):
        words.append('--globoff')  # to curl they stand for many addresses
    if '/.' in uri.target.partition('?')[0]:
        words.append('--path-as-is')
    return words


def _fields(hop: Hop, shown: Shown) -> list[str]:
    words: list[str] = []
    named = {name.lower() for name, _ in hop.fields}
    for name, value in hop.fields:
        lowered = name.lower()
        if (lowered in MADE_BY_CURL and hop.body is not None) or lowered == 'proxy-authorization':
            continue
        if lowered == 'host' and value == hop.uri.host_field:
            continue
        text = shown.field(name, value)
        words += ['--header', f'{name}: {text}' if text else f'{name};']
    silent = (*NEVER_ASKED, 'content-type') if hop.body is not None else NEVER_ASKED
    for name in silent:
        if name not in named:
            words += ['--header', f'{name}:']
    return words


def _content(hop: Hop, shown: Shown) -> tuple[list[str], str]:
    """The words for the content, and what has to stand before the command to hand it over where no word can hold it."""
    body: Any = hop.body
    if body is None:
        return [], ''
    if body.length is None:
        # curl keeps the method that --upload-file would change when it is told it
        method = ['--request', 'POST'] if hop.method == 'POST' else []
        return [*method, '--upload-file', '-', '--header', 'expect:'], ''
    if body.length > MOST_CONTENT or not body.replayable:
        return FROM_INPUT, ''
    data = b''.join(bytes(chunk) for chunk in body.chunks())
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = '\0'
    kind = next((value for name, value in hop.fields if name.lower() == 'content-type'), '')
    if kind.lower().startswith(FORM_TYPE):
        text = shown.form(text)
    if all(char.isprintable() or char in '\n\t' for char in text):
        return ['--data-raw', text], ''
    return FROM_INPUT, f"printf '{_printed(data)}' | "


def _printed(data: bytes) -> str:
    """The bytes as the format of POSIX's printf, between single quotes; what a terminal could act upon stands in octal digits."""
    plain = ''.join(chr(byte) if 32 <= byte < 127 and byte not in b"%'\\" else f'\\{byte:03o}' for byte in data)
    return f'\\055{plain[1:]}' if plain[:1] == '-' else plain  # not an option


def _settings(hop: Hop, options: Options) -> list[str]:
    words: list[str] = []
    if options.gzip:
        words.append('--compressed')
    if options.follow_redirect and (hop.method in ('GET', 'HEAD') or options.follow_all_redirects):
        words += ['--location', '--max-redirs', str(options.max_redirects)]
    if hop.limits.connect is not None:
        words += ['--connect-timeout', f'{hop.limits.connect:g}']
    if options.deadline is not None:
        words += ['--max-time', f'{options.deadline:g}']
    return words


def _route(hop: Hop, shown: Shown) -> list[str]:
    route = hop.route
    words: list[str] = []
    if hop.uri.scheme == 'https':
        words.append('--http1.1')
    if route.tls is not None:
        words += _tls(route.tls, shown)
    if route.socket_path is not None:
        abstract = route.socket_path.startswith('\0')
        words += ['--abstract-unix-socket' if abstract else '--unix-socket', route.socket_path.lstrip('\0')]
    if route.local_address is not None:
        words += ['--interface', route.local_address]
    if route.family is not None:
        words.append(f'--ipv{route.family}')
    if route.proxy is not None:
        words += _proxy(route.proxy, hop, shown)
    if not proxies.silent() and route.socket_path is None:
        words += ['--noproxy', '*' if route.proxy is None else '']  # the environment has been asked already
    return words


def _proxy(proxy: Proxy, hop: Hop, shown: Shown) -> list[str]:
    host = f'[{proxy.host}]' if ':' in proxy.host else proxy.host
    words = ['--proxy', f'{proxy.scheme}://{host}:{proxy.port}']
    if proxy.user is not None:
        words += ['--proxy-user', f'{shown.value(proxy.user)}:{shown.value(proxy.password or "")}']
    if hop.connect is not None and hop.route.tls is None:
        words.append('--proxytunnel')
    if hop.route.proxy_tls is not None and not hop.route.proxy_tls.verify:
        words.append('--proxy-insecure')
    return words


def _tls(tls: TLS, shown: Shown) -> list[str]:
    """What curl takes as a path of a file; certificates that lie in memory are left out."""
    words = [] if tls.verify else ['--insecure']
    authority = next(iter(tls.ca), None)
    for option, value in (('--cacert', authority), ('--cert', tls.cert), ('--key', tls.key)):
        if isinstance(value, str) and '-----BEGIN' not in value:
            words += [option, value]
    if tls.passphrase is not None:
        words += ['--pass', shown.value(tls.passphrase)]
    if tls.ciphers is not None:
        words += ['--ciphers', tls.ciphers]
    return words
