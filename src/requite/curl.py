"""A request as a curl command line: what ``to_curl()`` gives. Pure; the words are quoted for a POSIX shell."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from requite.errors import OptionsError
from requite.redaction import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requite.message import Hop
    from requite.options import Options
    from requite.routes import TLS, Proxy

FORM_TYPE = 'application/x-www-form-urlencoded'
MADE_BY_CURL = frozenset(('content-length', 'transfer-encoding'))
"""Fields that curl makes itself of the content."""
NEVER_ASKED = ('accept', 'user-agent')
"""Fields that curl adds of its own accord."""
STEERING = frozenset(('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'))
"""Variables by which curl finds a proxy, or leaves one out, in lower case."""
NO_TLS_1_2, NO_TLS_1_3 = 0x08000000, 0x20000000
"""OpenSSL's SSL_OP_NO_TLSv1_2 and SSL_OP_NO_TLSv1_3."""
MOST_CONTENT = 65536
FROM_INPUT = ['--data-binary', '@-', '--header', 'expect:']


def command(hop: Hop, options: Options, secrets: bool = False) -> str:
    """The command that sends what ``hop`` sends; credentials are hidden unless ``secrets``.

    Content that is a stream, or of more than 64 KiB, is not shown: the command takes it from standard input. Certificates that are no files, further ones of
    ``ca``, and ``lookup`` are left out. Raises ``OptionsError`` for what no command of curl does.
    """
    _check(hop)
    shown = Shown(secrets, options.hidden)
    words = ['curl', *_method(hop), *_address(hop, shown), *_fields(hop, options, shown)]
    content, before = _content(hop, shown)
    words += content + _settings(hop, options) + _route(hop, options, shown)
    if options.auth is not None and not options.auth.send_immediately and options.auth.user is not None:
        password = shown.value(options.auth.password or '')
        words += ['--digest' if options.auth.digest else '--anyauth', '--user', f'{options.auth.user}:{password}']
    return before + shlex.join(words)


def _check(hop: Hop) -> None:
    route = hop.route
    if _forwarded(hop) and hop.uri.scheme == 'https':
        raise OptionsError(
            "option 'tunnel': curl never has a proxy fetch https for it, so that there is no command for tunnel=False; leave the option out"
        )
    if any(tls is not None and tls.fingerprint is not None for tls in (route.tls, route.proxy_tls)):
        raise OptionsError(
            "option 'assert_fingerprint': curl compares no certificates, so that no command checks it; leave the option out, "
            'or give the certificate as ca'
        )


def _forwarded(hop: Hop) -> bool:
    """Whether an HTTP proxy is asked for the whole address."""
    proxy = hop.route.proxy
    return proxy is not None and not proxy.socks and hop.connect is None


def _method(hop: Hop) -> list[str]:
    if hop.method == 'HEAD':
        return ['--head']
    return [] if hop.method == ('GET' if hop.body is None else 'POST') else ['--request', hop.method]


def _address(hop: Hop, shown: Shown) -> list[str]:
    uri = hop.uri
    address = shown.address(uri) if uri.socket_path is None else shown.link(f'http://localhost{uri.target}')
    name = _other_name(hop)
    if name is not None:
        address = address.replace(f'//{uri.host}', f'//{name}', 1)
    words = [address]
    if name is not None:
        words += ['--connect-to', f'{name}:{_bracketed(uri.hostname)}:{uri.effective_port}']
    if not frozenset('[]{}').isdisjoint(address):
        words.append('--globoff')  # to curl they stand for many addresses
    if '/.' in uri.target.partition('?')[0]:
        words.append('--path-as-is')
    return words


def _other_name(hop: Hop) -> str | None:
    """Name and port under which curl has to ask for the origin, so that TLS calls it by its ``server_hostname``."""
    tls = hop.route.tls
    if tls is None or tls.server_hostname in (None, hop.uri.hostname):
        return None
    return f'{_bracketed(str(tls.server_hostname))}:{hop.uri.effective_port}'


def _bracketed(host: str) -> str:
    return f'[{host}]' if ':' in host else host


def _fields(hop: Hop, options: Options, shown: Shown) -> list[str]:
    words: list[str] = []
    named = {name.lower() for name, _ in hop.fields}
    for name, value in hop.fields:
        lowered = name.lower()
        if (lowered in MADE_BY_CURL and hop.body is not None) or (
            lowered == 'proxy-authorization' and _answers_itself(hop, options)
        ):
            continue
        if lowered == 'host' and value == hop.uri.host_field and _other_name(hop) is None:
            continue
        words += _field('--header', name, value, shown)
    silent = (*NEVER_ASKED, 'content-type') if hop.body is not None else NEVER_ASKED
    for name in silent:
        if name not in named:
            words += ['--header', f'{name}:']
    return words


def _field(option: str, name: str, value: str, shown: Shown) -> list[str]:
    text = shown.field(name, value)
    return [option, f'{name}: {text}' if text else f'{name};']


def _answers_itself(hop: Hop, options: Options) -> bool:
    """Whether curl is given the user of the proxy, and makes the field of that; a field of the caller's takes the place of both."""
    proxy = hop.route.proxy
    return proxy is not None and proxy.user is not None and 'proxy-authorization' not in options.headers


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


def _route(hop: Hop, options: Options, shown: Shown) -> list[str]:
    route = hop.route
    words: list[str] = []
    if hop.uri.scheme == 'https':
        words.append('--http1.1')
    if route.tls is not None and not _forwarded(hop):
        words += [*_trust(route.tls), *_versions(route.tls), *_identity(route.tls, shown)]
    if route.socket_path is not None:
        abstract = route.socket_path.startswith('@')
        words += ['--abstract-unix-socket' if abstract else '--unix-socket', route.socket_path[abstract:]]
    if route.local_address is not None:
        words += ['--interface', route.local_address]
    if route.family is not None:
        words.append(f'--ipv{route.family}')
    if route.proxy is not None:
        words += _proxy(route.proxy, hop, options, shown)
    if route.socket_path is None and not STEERING.isdisjoint(map(str.lower, os.environ)):
        words += ['--noproxy', '*' if route.proxy is None else '']  # the environment has been asked already
    return words


def _proxy(proxy: Proxy, hop: Hop, options: Options, shown: Shown) -> list[str]:
    words = ['--proxy', f'{proxy.scheme}://{proxy.place}']
    if proxy.user is not None and (proxy.socks or _answers_itself(hop, options)):
        words += ['--proxy-user', f'{shown.value(proxy.user)}:{shown.value(proxy.password or "")}']
        if any(
            name.lower() == 'proxy-authorization' and value.startswith('Digest ')
            for name, value in hop.connect or hop.fields
        ):
            words.append('--proxy-digest')  # its proxy has asked for it before
    if hop.connect is not None and hop.route.tls is None:
        words.append('--proxytunnel')
    outer = hop.route.tls if _forwarded(hop) else hop.route.proxy_tls
    if outer is not None:
        words += _trust(outer, 'proxy-')
    if hop.connect is not None:
        words += _told(hop.connect, _answers_itself(hop, options), shown)
    return words


def _told(fields: Iterable[tuple[str, str]], answers_itself: bool, shown: Shown) -> list[str]:
    """What CONNECT tells the proxy."""
    words: list[str] = []
    named = {name.lower() for name, _ in fields}
    for name, value in fields:
        if name.lower() != 'proxy-authorization' or not answers_itself:
            words += _field('--proxy-header', name, value, shown)
    return words if 'user-agent' in named else [*words, '--proxy-header', 'user-agent:']


def _trust(tls: TLS, whose: str = '') -> list[str]:
    """Whom to trust, and with which ciphers; curl takes certificates as the path of one file."""
    words = [] if tls.verify else [f'--{whose}insecure']
    authority = next(filter(_is_path, tls.ca), None)
    if authority is not None:
        words += [f'--{whose}cacert', str(authority)]
    if tls.ciphers is not None:
        words += [f'--{whose}ciphers', tls.ciphers]
    return words


def _versions(tls: TLS) -> list[str]:
    least, most = tls.min_version, tls.max_version
    if tls.secure_options & NO_TLS_1_2:
        least = 'TLSv1.3'
    if tls.secure_options & NO_TLS_1_3:
        most = 'TLSv1.2'
    words = [] if least is None else [f'--{least.lower()}']
    return words if most is None else [*words, '--tls-max', most.removeprefix('TLSv')]


def _identity(tls: TLS, shown: Shown) -> list[str]:
    """Who we are, as far as it lies in files."""
    words: list[str] = []
    if _is_path(tls.pfx):
        words += ['--cert-type', 'P12']
    for option, value in (('--cert', tls.pfx), ('--cert', tls.cert)):
        if _is_path(value):
            words += [option, str(value).replace('\\', '\\\\').replace(':', '\\:')]  # a password stands behind a colon
    if _is_path(tls.key):
        words += ['--key', str(tls.key)]
    return words if tls.passphrase is None else [*words, '--pass', shown.value(tls.passphrase)]


def _is_path(value: str | bytes | None) -> bool:
    return isinstance(value, str) and '-----BEGIN' not in value
